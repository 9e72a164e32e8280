//! Refusals of QoS policies.

use api::Fault;
use net::{ProjectId, QosPolicyId};
use smol_str::SmolStr;

/// Why an operation on a QoS policy was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyFault {
    /// 404 `QosPolicyNotFound`: not there, or not visible to the caller.
    NotFound(SmolStr),
    /// 409 `QoSPolicyDefaultAlreadyExists`: the project has another.
    DefaultExists(ProjectId),
    /// 409 `QosPolicyInUse`: by a `port`, `network`, `fip` or `router` with this id.
    InUse(QosPolicyId, &'static str, SmolStr),
    /// 409 `RbacPolicyInUse`: something uses it that may only do so because it is shared.
    SharedInUse(QosPolicyId),
    /// 403 `PolicyRemoveAuthorizationError`: who may not use a policy cannot take it off something.
    Detach(QosPolicyId),
}

impl PolicyFault {
    /// No policy has this id.
    pub fn not_found(id: impl std::fmt::Display) -> PolicyFault {
        PolicyFault::NotFound(smol_str::format_smolstr!("{id}"))
    }
}

impl From<PolicyFault> for Fault {
    fn from(fault: PolicyFault) -> Fault {
        match fault {
            PolicyFault::NotFound(id) => Fault::new(404, "QosPolicyNotFound", format!("QoS policy {id} could not be found.")),
            PolicyFault::DefaultExists(project) => {
                Fault::new(409, "QoSPolicyDefaultAlreadyExists", format!("A default QoS policy exists for project {project}."))
            }
            PolicyFault::InUse(id, kind, user) => Fault::new(409, "QosPolicyInUse", format!("QoS Policy {id} is used by {kind} {user}.")),
            PolicyFault::SharedInUse(id) => {
                let message =
                    format!("RBAC policy on object {id} cannot be removed because other objects depend on it.\nDetails: project_id=*");
                Fault::new(409, "RbacPolicyInUse", message)
            }
            PolicyFault::Detach(id) => {
                let message = format!("Failed to remove provided policy {id} because you are not authorized.");
                Fault::new(403, "PolicyRemoveAuthorizationError", message)
            }
        }
    }
}
