//! Refusals of RBAC policies.

use api::Fault;
use model::RbacAction;
use uuid::Uuid;

/// Why an operation on a policy was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyFault {
    /// 400 `InvalidInput`: no type of objects has this name.
    UnknownType(String),
    /// 400 `InvalidActionForType`: the action, the type, and the actions that it has.
    InvalidAction(String, &'static str, &'static [RbacAction]),
    /// 400 `InvalidInput`: the object is not there, or the caller may not know of it.
    NoObject(&'static str, Uuid),
    /// 400 `InvalidInput`: only its owner shares an object; the type.
    NotOwner(&'static str),
    /// 409 `DuplicateRbacPolicy`.
    Duplicate,
    /// 409 `RbacPolicyInUse`: the object, and why.
    InUse(Uuid, String),
}

impl From<PolicyFault> for Fault {
    fn from(fault: PolicyFault) -> Fault {
        match fault {
            PolicyFault::UnknownType(word) => Fault::invalid_input(format_args!("'{word}' is not a valid RBAC object type")),
            PolicyFault::InvalidAction(word, object_type, actions) => {
                let words: Vec<String> = actions.iter().map(|action| format!("'{action}'")).collect();
                let one = if words.len() == 1 { "," } else { "" };
                let message =
                    format!("Invalid action '{word}' for object type '{object_type}'. Valid actions: ({}{one})", words.join(", "));
                Fault::new(400, "InvalidActionForType", message)
            }
            PolicyFault::NoObject(object_type, id) => {
                Fault::invalid_input(format_args!("The object {id} of type {object_type} could not be found"))
            }
            PolicyFault::NotOwner(object_type) => {
                let objects = if object_type == "network" { "networks" } else { "objects" };
                Fault::invalid_input(format_args!("Only admins can manipulate policies on {objects} they do not own"))
            }
            PolicyFault::Duplicate => Fault::new(409, "DuplicateRbacPolicy", "An RBAC policy already exists with those values."),
            PolicyFault::InUse(object, details) => {
                let message =
                    format!("RBAC policy on object {object} cannot be removed because other objects depend on it.\nDetails: {details}");
                Fault::new(409, "RbacPolicyInUse", message)
            }
        }
    }
}
