//! Tokens of the Identity API v3.

use crate::config::{CloudConfig, Password};
use crate::{Cloud, Error};
use serde_json::{Value, json};

/// What a token says.
#[derive(Clone, Debug)]
pub struct Session {
    /// The token.
    pub token: String,
    /// The project of its scope.
    pub project_id: String,
    /// The user.
    pub user_id: String,
    /// The network service, without `/v2.0`.
    pub network: String,
    /// The Identity service, with `/v3`.
    pub identity: String,
}

/// The Identity service with its version.
pub(crate) fn base(auth_url: &str) -> String {
    let url = auth_url.trim_end_matches('/');
    if url.ends_with("/v3") { url.to_owned() } else { format!("{url}/v3") }
}

/// Asks for a token.
pub(crate) fn authenticate(cloud: &Cloud, config: &CloudConfig, password: &Password) -> Result<Session, Error> {
    let identity = base(&password.auth_url);
    let url = format!("{identity}/auth/tokens");
    let body = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": password.username, "password": password.password, "domain": {"name": password.user_domain_name},
        }}},
        "scope": {"project": {"name": password.project_name, "domain": {"name": password.project_domain_name}}},
    }});
    let (headers, answer) = cloud.send("POST", &url, Some(&body), None)?;
    let wrong = |what: String| Error::Answer { method: "POST".to_owned(), url: url.clone(), what };
    let token = headers.get("x-subject-token").and_then(|value| value.to_str().ok());
    let token = token.ok_or_else(|| wrong("no X-Subject-Token".to_owned()))?.to_owned();
    let network = match &config.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => endpoint(&answer["token"]["catalog"], config).ok_or_else(|| {
            let region = config.region.as_deref().unwrap_or("any region");
            wrong(format!("the catalog has no {} endpoint of the service 'network' in {region}", config.interface))
        })?,
    };
    let id = |key: &str| answer["token"][key]["id"].as_str().unwrap_or_default().to_owned();
    Ok(Session { token, project_id: id("project"), user_id: id("user"), network, identity })
}

fn endpoint(catalog: &Value, config: &CloudConfig) -> Option<String> {
    let service = catalog.as_array()?.iter().find(|service| service["type"] == "network")?;
    let fits = |endpoint: &&Value| {
        endpoint["interface"] == config.interface.as_str()
            && config.region.as_ref().is_none_or(|region| endpoint["region"] == region.as_str())
    };
    let url = service["endpoints"].as_array()?.iter().find(fits)?["url"].as_str()?;
    Some(crate::config::without_version(url).to_owned())
}
