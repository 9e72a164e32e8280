//! What Keystone says of a token: the body of `GET /v3/auth/tokens` (Identity API v3, "Validate and show information for token").

use crate::{Principal, Roles};
use jiff::Timestamp;
use serde::Deserialize;
use smol_str::SmolStr;

/// The whole body.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) token: Token,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) expires_at: Timestamp,
    user: User,
    #[serde(default)]
    project: Option<Project>,
    #[serde(default)]
    system: Option<serde_json::Value>,
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct User {
    id: SmolStr,
    name: SmolStr,
    #[serde(default)]
    domain: Domain,
}

#[derive(Deserialize)]
struct Project {
    id: SmolStr,
    name: SmolStr,
    #[serde(default)]
    domain: Domain,
}

#[derive(Deserialize, Default)]
struct Domain {
    #[serde(default)]
    id: SmolStr,
    #[serde(default)]
    name: SmolStr,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

impl Token {
    /// Keystone lists implied roles itself.
    pub(super) fn principal(self) -> Principal {
        let project = self.project.unwrap_or(Project { id: SmolStr::default(), name: SmolStr::default(), domain: Domain::default() });
        Principal {
            user_id: self.user.id,
            user_name: self.user.name,
            user_domain_id: self.user.domain.id,
            user_domain_name: self.user.domain.name,
            project_id: project.id.as_str().into(),
            project_name: project.name,
            project_domain_id: project.domain.id,
            project_domain_name: project.domain.name,
            roles: Roles::new(self.roles.iter().map(|role| role.name.as_str())),
            system_scope: self.system.is_some(),
        }
    }
}
