//! `clouds.yaml`: where a cloud is and as whom to ask it (the file format of openstacksdk).

use crate::Error;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One cloud.
#[derive(Clone, Debug)]
pub struct CloudConfig {
    /// Its name in the file; used in messages.
    pub name: String,
    /// How requests are authenticated.
    pub auth: Auth,
    /// The network service, without `/v2.0`, when it is not to be taken from the catalog.
    pub endpoint: Option<String>,
    /// Which region's endpoint is taken from the catalog; any when absent.
    pub region: Option<String>,
    /// Which endpoint is taken from the catalog: `public`, `internal` or `admin`.
    pub interface: String,
}

/// How requests are authenticated.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Not at all.
    None,
    /// By a password at an Identity service v3, in the scope of a project.
    Password(Password),
}

/// Name and password of a user, and the project whose scope is asked for.
#[derive(Clone, Debug)]
pub struct Password {
    /// The Identity service, with or without `/v3`.
    pub auth_url: String,
    /// Name of the user.
    pub username: String,
    /// The password.
    pub password: String,
    /// Name of the project.
    pub project_name: String,
    /// Domain of the user.
    pub user_domain_name: String,
    /// Domain of the project.
    pub project_domain_name: String,
}

#[derive(Deserialize)]
struct File {
    clouds: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth_type: Option<String>,
    auth: Option<Credentials>,
    network_endpoint_override: Option<String>,
    region_name: Option<String>,
    interface: Option<String>,
}

#[derive(Default, Deserialize)]
struct Credentials {
    endpoint: Option<String>,
    auth_url: Option<String>,
    username: Option<String>,
    password: Option<String>,
    project_name: Option<String>,
    user_domain_name: Option<String>,
    project_domain_name: Option<String>,
}

impl CloudConfig {
    /// The cloud of that name in the file.
    pub fn read(path: &Path, name: &str) -> Result<CloudConfig, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::ReadConfig { path: path.to_owned(), source })?;
        CloudConfig::parse(&text, name).map_err(|what| Error::Config { path: path.to_owned(), what })
    }

    /// As [`Self::read`], from the file's text. The error says what is wrong with it.
    pub fn parse(text: &str, name: &str) -> Result<CloudConfig, String> {
        let file: File = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
        let names = || file.clouds.keys().cloned().collect::<Vec<_>>().join(", ");
        let entry = file.clouds.get(name).ok_or_else(|| format!("there is no cloud '{name}' in it; there is: {}", names()))?;
        let none = Credentials::default();
        let credentials = entry.auth.as_ref().unwrap_or(&none);
        let (auth, endpoint) = match entry.auth_type.as_deref() {
            Some("none") => {
                let endpoint = entry.network_endpoint_override.as_ref().or(credentials.endpoint.as_ref());
                let endpoint = endpoint.ok_or_else(|| format!("cloud '{name}' has auth_type none and needs auth.endpoint"))?;
                (Auth::None, Some(endpoint))
            }
            None | Some("password" | "v3password") => {
                (Auth::Password(password(name, credentials)?), entry.network_endpoint_override.as_ref())
            }
            Some(other) => return Err(format!("cloud '{name}' has auth_type '{other}'; supported are password and none")),
        };
        Ok(CloudConfig {
            name: name.to_owned(),
            auth,
            endpoint: endpoint.map(|url| without_version(url).to_owned()),
            region: entry.region_name.clone(),
            interface: entry.interface.clone().unwrap_or_else(|| "public".to_owned()),
        })
    }
}

fn password(name: &str, credentials: &Credentials) -> Result<Password, String> {
    let required = |value: &Option<String>, key: &str| value.clone().ok_or_else(|| format!("cloud '{name}' has no auth.{key}"));
    let domain = |value: &Option<String>| value.clone().unwrap_or_else(|| "Default".to_owned());
    Ok(Password {
        auth_url: required(&credentials.auth_url, "auth_url")?,
        username: required(&credentials.username, "username")?,
        password: required(&credentials.password, "password")?,
        project_name: required(&credentials.project_name, "project_name")?,
        user_domain_name: domain(&credentials.user_domain_name),
        project_domain_name: domain(&credentials.project_domain_name),
    })
}

/// An endpoint without slash and version at its end.
pub(crate) fn without_version(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix("/v2.0").unwrap_or(url).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_authentication() {
        let text = "clouds:\n  neutrino:\n    auth_type: none\n    auth:\n      endpoint: http://127.0.0.1:9696\n    \
                    network_endpoint_override: http://127.0.0.1:9696/v2.0\n";
        let cloud = CloudConfig::parse(text, "neutrino").unwrap();
        assert!(matches!(cloud.auth, Auth::None));
        assert_eq!(cloud.endpoint.as_deref(), Some("http://127.0.0.1:9696"));
    }

    #[test]
    fn passwords() {
        let text = "clouds:\n  a:\n    auth: {auth_url: 'http://h/identity/v3', username: u, password: p, project_name: x}\n";
        let cloud = CloudConfig::parse(text, "a").unwrap();
        let Auth::Password(password) = cloud.auth else { panic!("expected a password") };
        assert_eq!((password.username.as_str(), password.user_domain_name.as_str()), ("u", "Default"));
        assert_eq!(CloudConfig::parse(text, "b").unwrap_err(), "there is no cloud 'b' in it; there is: a");
    }

    #[test]
    fn missing_credentials_are_named() {
        let text = "clouds: {a: {auth: {auth_url: 'http://h', username: u}}}";
        assert_eq!(CloudConfig::parse(text, "a").unwrap_err(), "cloud 'a' has no auth.password");
    }
}
