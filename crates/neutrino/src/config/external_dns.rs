//! `[external_dns]`: where names are published.

use super::{IdentityConfig, UserConfig};
use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use external_dns::rfc2136::{Algorithm, SigningKey};
use external_dns::{Config, Reverse, Service, designate, rfc2136};
use serde::Deserialize;

/// The section; with `designate` or `rfc2136`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalDnsConfig {
    /// Zones that the service has; a domain below one is published there.
    pub zones: Vec<String>,
    /// Addresses lead to names, too; true when absent.
    pub reverse: Option<bool>,
    /// Bits of the prefix that a zone of IPv4 addresses is of; 24 when absent.
    pub ipv4_ptr_zone_prefix_size: Option<u8>,
    /// The same of IPv6 addresses; 120 when absent.
    pub ipv6_ptr_zone_prefix_size: Option<u8>,
    /// Designate.
    pub designate: Option<DesignateConfig>,
    /// A server that takes dynamic updates.
    pub rfc2136: Option<Rfc2136Config>,
}

/// `[external_dns.designate]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DesignateConfig {
    /// The DNS API; as the catalog says when absent.
    pub url: Option<String>,
    /// Which endpoint of the catalog; `public` when absent.
    pub interface: Option<String>,
    /// In which region, when there are several.
    pub region_name: Option<String>,
    /// The address in zones that are made for the names of addresses.
    pub ptr_zone_email: Option<String>,
    /// As whom.
    pub user: UserConfig,
}

/// `[external_dns.rfc2136]`: with all three of the key, or none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rfc2136Config {
    /// `192.0.2.53:53`.
    pub server: String,
    /// The key's name.
    pub key_name: Option<String>,
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
    pub key_algorithm: Option<String>,
    /// The key, in base 64.
    pub key_secret: Option<String>,
    /// Seconds for which others may keep a record; 60 when absent.
    pub ttl: Option<u32>,
}

impl ExternalDnsConfig {
    /// With the defaults filled in.
    pub fn config(&self, identity: &IdentityConfig) -> Result<Config> {
        let service = match (&self.designate, &self.rfc2136) {
            (Some(designate), None) => Service::Designate(designate.config(identity)?),
            (None, Some(rfc2136)) => Service::Rfc2136(rfc2136.config()?),
            _ => return Err(anyhow!("[external_dns]: either designate or rfc2136")),
        };
        let mut config = Config::new(service);
        for zone in &self.zones {
            let zone = format!("{}.", zone.trim_end_matches('.')).to_lowercase();
            ensure!(zone.len() > 1, "[external_dns]: zones: an empty name");
            config.zones.push(zone);
        }
        let default = Reverse::default();
        let reverse = Reverse {
            ipv4_bits: self.ipv4_ptr_zone_prefix_size.unwrap_or(default.ipv4_bits),
            ipv6_bits: self.ipv6_ptr_zone_prefix_size.unwrap_or(default.ipv6_bits),
        };
        ensure!(matches!(reverse.ipv4_bits, 8 | 16 | 24), "[external_dns]: ipv4_ptr_zone_prefix_size is 8, 16 or 24");
        let ipv6 = reverse.ipv6_bits;
        ensure!(
            (4..=124).contains(&ipv6) && ipv6.is_multiple_of(4),
            "[external_dns]: ipv6_ptr_zone_prefix_size is from 4 to 124 in steps of 4"
        );
        config.reverse = self.reverse.unwrap_or(true).then_some(reverse);
        Ok(config)
    }
}

impl DesignateConfig {
    fn config(&self, identity: &IdentityConfig) -> Result<designate::Config> {
        let user = self.user.clone().or(identity.user());
        Ok(designate::Config {
            url: self.url.clone(),
            interface: self.interface.clone().unwrap_or_else(|| "public".to_owned()),
            region: self.region_name.clone(),
            user: user.credentials("[external_dns.designate]", "[external_dns.designate.user] or [identity]")?,
            ptr_zone_email: self.ptr_zone_email.clone(),
        })
    }
}

impl Rfc2136Config {
    fn config(&self) -> Result<rfc2136::Config> {
        let place = "[external_dns.rfc2136]";
        let key = match (&self.key_name, &self.key_algorithm, &self.key_secret) {
            (None, None, None) => None,
            (Some(name), algorithm, Some(secret)) => {
                let word = algorithm.as_deref().unwrap_or("hmac-sha256");
                let algorithm = Algorithm::from_word(word).with_context(|| format!("{place}: key_algorithm '{word}' is not known"))?;
                let secret = BASE64_STANDARD.decode(secret).map_err(|_| anyhow!("{place}: key_secret is not in base 64"))?;
                Some(SigningKey::new(name, algorithm, &secret).map_err(|reason| anyhow!("{place}: key_name: {reason}"))?)
            }
            _ => return Err(anyhow!("{place}: key_name and key_secret go together")),
        };
        Ok(rfc2136::Config { server: self.server.clone(), key, ttl: self.ttl.unwrap_or(60) })
    }
}
