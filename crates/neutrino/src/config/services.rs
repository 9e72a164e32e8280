//! Sections about the services beside this one, and as whom they are spoken to.

use super::IdentityConfig;
use anyhow::{Context, Result};
use auth::identity::keystone::Credentials;
use serde::Deserialize;
use std::path::PathBuf;

/// A user of Keystone: `[nova.user]`. What is absent is as `[identity]` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserConfig {
    /// Where Keystone is.
    pub auth_url: Option<String>,
    /// The user.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Its project.
    pub project_name: Option<String>,
    /// The user's domain.
    pub user_domain_name: Option<String>,
    /// The project's domain.
    pub project_domain_name: Option<String>,
    /// Certificates that vouch for Keystone's and the service's.
    pub cafile: Option<PathBuf>,
}

impl UserConfig {
    /// What is absent is as another says.
    pub(super) fn or(self, other: UserConfig) -> UserConfig {
        UserConfig {
            auth_url: self.auth_url.or(other.auth_url),
            username: self.username.or(other.username),
            password: self.password.or(other.password),
            project_name: self.project_name.or(other.project_name),
            user_domain_name: self.user_domain_name.or(other.user_domain_name),
            project_domain_name: self.project_domain_name.or(other.project_domain_name),
            cafile: self.cafile.or(other.cafile),
        }
    }

    /// With the defaults filled in; `who` needs it, `place` is where it is said.
    pub fn credentials(self, who: &str, place: &str) -> Result<Credentials> {
        let auth_url = self.auth_url.with_context(|| format!("{who} needs auth_url in {place} of neutrino.toml"))?;
        let password =
            self.password.with_context(|| format!("{who} needs the password of the service user in {place} of neutrino.toml"))?;
        let mut user = Credentials::new(auth_url, password);
        user.cafile = self.cafile;
        let given = [
            (&mut user.username, self.username),
            (&mut user.project_name, self.project_name),
            (&mut user.user_domain_name, self.user_domain_name),
            (&mut user.project_domain_name, self.project_domain_name),
        ];
        for (value, given) in given {
            if let Some(given) = given {
                *value = given;
            }
        }
        Ok(user)
    }
}

/// `[nova]`: Nova is told of its ports when the section is there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NovaConfig {
    /// The Compute API, `http://192.0.2.1:8774/v2.1`; as the catalog says when absent.
    pub url: Option<String>,
    /// Which endpoint of the catalog; `public` when absent.
    pub interface: Option<String>,
    /// In which region, when there are several.
    pub region_name: Option<String>,
    /// As whom.
    pub user: UserConfig,
}

impl NovaConfig {
    /// With the defaults filled in.
    pub fn config(&self, identity: &IdentityConfig) -> Result<nova::Config> {
        let user = self.user.clone().or(identity.user());
        let mut config = nova::Config::new(user.credentials("[nova]", "[nova.user] or [identity]")?);
        config.endpoint = match &self.url {
            Some(url) => nova::Endpoint::Url(url.clone()),
            None => nova::Endpoint::Catalog {
                interface: self.interface.clone().unwrap_or_else(|| "public".to_owned()),
                region: self.region_name.clone(),
            },
        };
        Ok(config)
    }
}

/// `[notifications]`: a message bus is told what clients do when the section is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationsConfig {
    /// The broker, `amqp://user:password@host:5672/vhost`.
    pub url: String,
    /// The topic exchange; `neutron` when absent.
    pub exchange: Option<String>,
    /// Topics; `notifications` alone when absent.
    pub topics: Option<Vec<String>>,
    /// True: exchange and queues are durable, as whoever declared them first said.
    #[serde(default)]
    pub durable: bool,
}

impl NotificationsConfig {
    /// With the defaults filled in; `host` is this host's name.
    pub fn config(&self, host: String) -> Result<notifications::Config, String> {
        let mut config = notifications::Config::at(&self.url)?;
        if let Some(exchange) = &self.exchange {
            config.exchange.clone_from(exchange);
        }
        if let Some(topics) = &self.topics {
            config.topics.clone_from(topics);
        }
        (config.durable, config.publisher_host) = (self.durable, host);
        Ok(config)
    }
}
