//! Users, projects, roles and who has which role where: the content of `users.yaml`.

use super::fault::Fault;
use crate::identity::roles::CHAIN;
use crate::identity::with_implied;
use crate::{Principal, Roles};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Id of the only domain.
pub(super) const DOMAIN_ID: &str = "default";
/// Name of the only domain.
pub(super) const DOMAIN_NAME: &str = "Default";
/// Roles that always exist.
pub(super) const SEED_ROLES: [&str; 5] = [CHAIN[0], CHAIN[1], CHAIN[2], CHAIN[3], "service"];

fn enabled() -> bool {
    true
}

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Project {
    pub name: SmolStr,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Attributes that clients set and only clients read.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct User {
    pub name: SmolStr,
    /// Argon2 hash in PHC form; without one the user cannot log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default = "enabled")]
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_project_id: Option<SmolStr>,
    /// Tokens issued before this time do not count (microseconds since the Unix epoch).
    #[serde(default)]
    pub tokens_valid_from_us: i64,
    /// Attributes that clients set and only clients read (`email`, `description`, …).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Role {
    pub name: SmolStr,
}

/// A user's role on a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub user: SmolStr,
    pub project: SmolStr,
    pub role: SmolStr,
}

/// The whole directory; maps are keyed by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Directory {
    pub users: BTreeMap<SmolStr, User>,
    pub projects: BTreeMap<SmolStr, Project>,
    pub roles: BTreeMap<SmolStr, Role>,
    pub assignments: BTreeSet<Assignment>,
}

impl Directory {
    pub(super) fn user(&self, id: &str) -> Result<&User, Fault> {
        self.users.get(id).ok_or_else(|| Fault::not_found("user", id))
    }

    pub(super) fn user_mut(&mut self, id: &str) -> Result<&mut User, Fault> {
        self.users.get_mut(id).ok_or_else(|| Fault::not_found("user", id))
    }

    pub(super) fn project(&self, id: &str) -> Result<&Project, Fault> {
        self.projects.get(id).ok_or_else(|| Fault::not_found("project", id))
    }

    pub(super) fn role(&self, id: &str) -> Result<&Role, Fault> {
        self.roles.get(id).ok_or_else(|| Fault::not_found("role", id))
    }

    /// Names are unique without regard to case.
    pub(super) fn user_named(&self, name: &str) -> Option<(&SmolStr, &User)> {
        self.users.iter().find(|(_, user)| same_name(&user.name, name))
    }

    pub(super) fn project_named(&self, name: &str) -> Option<(&SmolStr, &Project)> {
        self.projects.iter().find(|(_, project)| same_name(&project.name, name))
    }

    pub(super) fn role_named(&self, name: &str) -> Option<&SmolStr> {
        self.roles.iter().find(|(_, role)| same_name(&role.name, name)).map(|(id, _)| id)
    }

    /// Names of the roles of a user on a project, implied ones included; empty when user or project is disabled or unknown.
    pub(super) fn roles_on(&self, user_id: &str, project_id: &str) -> Roles {
        let usable = self.users.get(user_id).is_some_and(|user| user.enabled)
            && self.projects.get(project_id).is_some_and(|project| project.enabled);
        if !usable {
            return Roles::default();
        }
        let assigned = self.assignments.iter().filter(|entry| entry.user == user_id && entry.project == project_id);
        with_implied(assigned.filter_map(|entry| self.roles.get(&entry.role)).map(|role| role.name.as_str()))
    }

    /// What a token of this user for this project (empty: unscoped) says; `None` when it says nothing any more.
    pub(super) fn principal(&self, user_id: &SmolStr, project_id: &SmolStr) -> Option<Principal> {
        let user = self.users.get(user_id).filter(|user| user.enabled)?;
        let mut principal = Principal {
            user_id: user_id.clone(),
            user_name: user.name.clone(),
            user_domain_id: SmolStr::new_static(DOMAIN_ID),
            user_domain_name: SmolStr::new_static(DOMAIN_NAME),
            ..Principal::default()
        };
        if !project_id.is_empty() {
            principal.roles = self.roles_on(user_id, project_id);
            if principal.roles.is_empty() {
                return None;
            }
            principal.project_id = project_id.as_str().into();
            principal.project_name = self.projects.get(project_id)?.name.clone();
            principal.project_domain_id = SmolStr::new_static(DOMAIN_ID);
            principal.project_domain_name = SmolStr::new_static(DOMAIN_NAME);
        }
        Some(principal)
    }

    pub(super) fn refuse_user_name(&self, name: &str, except: Option<&str>) -> Result<(), Fault> {
        match self.user_named(name) {
            Some((id, _)) if Some(id.as_str()) != except => Err(Fault::conflict(format!("A user named {name} exists already."))),
            _ => Ok(()),
        }
    }

    pub(super) fn refuse_project_name(&self, name: &str, except: Option<&str>) -> Result<(), Fault> {
        match self.project_named(name) {
            Some((id, _)) if Some(id.as_str()) != except => Err(Fault::conflict(format!("A project named {name} exists already."))),
            _ => Ok(()),
        }
    }

    /// Somebody must be left who can undo a mistake.
    pub(super) fn refuse_without_administrator(&self) -> Result<(), Fault> {
        let remains = self.assignments.iter().any(|entry| {
            self.roles_on(&entry.user, &entry.project).contains("admin")
                && self.users.get(&entry.user).is_some_and(|user| user.password.is_some())
        });
        if remains {
            Ok(())
        } else {
            Err(Fault::new(
                StatusCode::FORBIDDEN,
                "This would leave nobody with the role admin who can log in; give it to another user first.",
            ))
        }
    }

    /// Drops assignments whose user, project or role is gone.
    pub(super) fn drop_dangling(&mut self) {
        let Self { users, projects, roles, assignments } = self;
        assignments
            .retain(|entry| users.contains_key(&entry.user) && projects.contains_key(&entry.project) && roles.contains_key(&entry.role));
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}
