//! The caller of an operation: a user (or the system itself) acting in a project with some roles.

use net::ProjectId;
use smol_str::SmolStr;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A set of role names, lower case, sorted, without repetition. A clone is one reference count.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Roles(Option<Arc<[SmolStr]>>);

impl Roles {
    /// Collects role names in any order and case; blanks around a name are dropped, empty names ignored.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list: Vec<SmolStr> =
            names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(|name| SmolStr::new(name.to_ascii_lowercase())).collect();
        list.sort_unstable();
        list.dedup();
        if list.is_empty() { Self(None) } else { Self(Some(list.into())) }
    }

    /// True when the (lower-case) role is in the set.
    pub fn contains(&self, role: &str) -> bool {
        self.iter().any(|own| own == role)
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|list| list.iter()).map(SmolStr::as_str)
    }

    /// True when there is no role.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a token says about its holder; shared by all requests that carry the same token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Id of the user; empty only for the system itself.
    pub user_id: SmolStr,
    /// Name of the user.
    pub user_name: SmolStr,
    /// Id of the domain the user belongs to.
    pub user_domain_id: SmolStr,
    /// Name of the domain the user belongs to.
    pub user_domain_name: SmolStr,
    /// The project the token is scoped to; empty for unscoped and system-scoped tokens.
    pub project_id: ProjectId,
    /// Name of that project.
    pub project_name: SmolStr,
    /// Id of the project's domain.
    pub project_domain_id: SmolStr,
    /// Name of the project's domain.
    pub project_domain_name: SmolStr,
    /// Roles on the project, implied roles included.
    pub roles: Roles,
    /// True for system-scoped tokens, which the Networking API refuses.
    pub system_scope: bool,
}

/// Who asks. Cheap to clone: reference counts only.
#[derive(Clone, Debug)]
pub struct Caller {
    principal: Arc<Principal>,
    /// Roles of the service token (`X-Service-Token`) that came with the request.
    pub service_roles: Roles,
    /// Id of the request (`req-<uuid>`); empty until the API frame sets it.
    pub request_id: SmolStr,
    /// Result of the rule `context_is_admin`. Holds "has the role admin" until [`crate::Policy::admit`] decides it by the rule.
    pub is_admin: bool,
}

impl Deref for Caller {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl Caller {
    /// A caller without service token and request id.
    pub fn new(principal: impl Into<Arc<Principal>>) -> Self {
        let principal = principal.into();
        let is_admin = principal.roles.contains("admin");
        Self { principal, service_roles: Roles::default(), request_id: SmolStr::default(), is_admin }
    }

    /// The system acting on its own behalf, outside any project: every default rule for administrators and services admits it.
    pub fn internal() -> Self {
        Self::new(Principal {
            user_name: SmolStr::new_static("system"),
            roles: Roles::new(["admin", "manager", "member", "reader", "service"]),
            ..Principal::default()
        })
    }

    /// A user named `admin` with the role admin (and the roles it implies) in the project.
    pub fn admin(project: impl Into<ProjectId>) -> Self {
        Self::named("admin", project.into(), &["admin", "manager", "member", "reader"])
    }

    /// A user named `member` with the role member (and reader) in the project.
    pub fn member(project: impl Into<ProjectId>) -> Self {
        Self::named("member", project.into(), &["member", "reader"])
    }

    /// A user named `reader` with the role reader in the project.
    pub fn reader(project: impl Into<ProjectId>) -> Self {
        Self::named("reader", project.into(), &["reader"])
    }

    /// A user named `service` with the role service in the project.
    pub fn service(project: impl Into<ProjectId>) -> Self {
        Self::named("service", project.into(), &["service"])
    }

    /// A user of the default domain with exactly these roles in the project; user id and name are the same.
    pub fn named(user: &str, project: ProjectId, roles: &[&str]) -> Self {
        Self::new(Principal {
            user_id: SmolStr::new(user),
            user_name: SmolStr::new(user),
            user_domain_id: SmolStr::new_static("default"),
            user_domain_name: SmolStr::new_static("Default"),
            project_name: project.0.clone(),
            project_id: project,
            project_domain_id: SmolStr::new_static("default"),
            project_domain_name: SmolStr::new_static("Default"),
            roles: Roles::new(roles.iter().copied()),
            system_scope: false,
        })
    }

    /// The same caller with the roles of a service token beside its own.
    pub fn with_service_roles(mut self, roles: Roles) -> Self {
        self.service_roles = roles;
        self
    }

    /// The same caller under a request id.
    pub fn with_request_id(mut self, request_id: impl Into<SmolStr>) -> Self {
        self.request_id = request_id.into();
        self
    }

    /// The shared part, as it came from the token.
    pub fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// True when the caller acts in this project; never true for callers without a project.
    pub fn owns(&self, project_id: &str) -> bool {
        !self.principal.project_id.is_empty() && self.principal.project_id.as_str() == project_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_case_insensitive_set() {
        let roles = Roles::new(["Member", " reader", "member", ""]);
        assert_eq!(roles.iter().collect::<Vec<_>>(), ["member", "reader"]);
        assert!(roles.contains("reader") && !roles.contains("admin"));
    }

    #[test]
    fn nobody_owns_the_empty_project() {
        assert!(!Caller::internal().owns(""));
        assert!(Caller::member("p1").owns("p1"));
        assert!(!Caller::member("p1").owns("p2"));
    }

    #[test]
    fn admin_follows_from_the_role() {
        assert!(Caller::internal().is_admin && Caller::admin("p").is_admin);
        assert!(!Caller::member("p").is_admin && !Caller::service("p").is_admin);
    }
}
