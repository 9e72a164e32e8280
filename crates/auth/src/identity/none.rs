//! No authentication: whoever reaches the server is believed. Tokens are ignored; headers may name user, project and
//! roles; without them the caller is an administrator of a fixed project.

use super::{header_text, with_implied};
use crate::{Caller, Principal, Roles};
use http::HeaderMap;
use net::ProjectId;
use smol_str::SmolStr;
use std::sync::Arc;

/// The mode without authentication.
#[derive(Clone, Debug)]
pub struct NoAuth {
    default: Caller,
}

impl NoAuth {
    /// Requests without headers act as an administrator of this project.
    pub fn new(project: ProjectId) -> Self {
        Self { default: Caller::admin(project) }
    }

    /// The caller that the headers `X-User-Id`, `X-User-Name`, `X-Project-Id` (or `X-Tenant-Id`), `X-Project-Name`, `X-Roles` and
    /// `X-Service-Roles` describe. Roles are separated by commas and bring the roles they imply.
    pub fn caller(&self, headers: &HeaderMap) -> Caller {
        let text = |name: &str| header_text(headers, name);
        let project = text("x-project-id").or_else(|| text("x-tenant-id"));
        let (user, roles) = (text("x-user-id"), text("x-roles"));
        let service_roles = text("x-service-roles").map(|roles| Roles::new(roles.split(','))).unwrap_or_default();
        if project.is_none() && user.is_none() && roles.is_none() {
            return self.default.clone().with_service_roles(service_roles);
        }
        let mut principal = Principal::clone(self.default.principal());
        if let Some(project) = project {
            principal.project_id = project.into();
            principal.project_name = SmolStr::new(text("x-project-name").or_else(|| text("x-tenant-name")).unwrap_or(project));
        }
        if let Some(user) = user {
            principal.user_id = SmolStr::new(user);
            principal.user_name = SmolStr::new(text("x-user-name").unwrap_or(user));
        }
        if let Some(roles) = roles {
            principal.roles = with_implied(roles.split(','));
        }
        Caller::new(Arc::new(principal)).with_service_roles(service_roles)
    }
}

impl Default for NoAuth {
    fn default() -> Self {
        Self::new("admin".into())
    }
}
