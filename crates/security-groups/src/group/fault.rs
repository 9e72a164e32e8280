//! Refusals of security groups.

use api::Fault;
use net::SecurityGroupId;

/// Why an operation on a security group was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupFault {
    /// 404 `SecurityGroupNotFound`: not there, or not visible to the caller.
    NotFound(SecurityGroupId),
    /// 404 `SecurityGroupNotFound`: no group can have this id.
    NoId(String),
    /// 409 `SecurityGroupInUse`: ports use it.
    InUse(SecurityGroupId),
    /// 409 `SecurityGroupDefaultAlreadyExists`: the name `default` is reserved.
    DefaultExists,
    /// 409 `SecurityGroupCannotUpdateDefault`: the default group keeps its name.
    CannotRenameDefault,
    /// 409 `SecurityGroupCannotRemoveDefault`: only an administrator may remove a default group.
    CannotRemoveDefault,
}

impl From<GroupFault> for Fault {
    fn from(fault: GroupFault) -> Fault {
        match fault {
            GroupFault::NotFound(id) => Fault::new(404, "SecurityGroupNotFound", format!("Security group {id} does not exist")),
            GroupFault::NoId(text) => Fault::new(404, "SecurityGroupNotFound", format!("Security group {text} does not exist")),
            GroupFault::InUse(id) => Fault::new(409, "SecurityGroupInUse", format!("Security Group {id} in use.")),
            GroupFault::DefaultExists => Fault::new(409, "SecurityGroupDefaultAlreadyExists", "Default security group already exists."),
            GroupFault::CannotRenameDefault => {
                Fault::new(409, "SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
            }
            GroupFault::CannotRemoveDefault => {
                Fault::new(409, "SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group.")
            }
        }
    }
}
