//! Refusals of auto-allocated topologies.

use api::Fault;

/// Why a topology could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllocationFault {
    /// 403 `NotAuthorized`: another project's.
    NotAuthorized,
    /// 400 `BadRequest`: the only field is `dry-run`.
    UnknownField,
    /// 409 `AutoAllocationFailure`: no external network is the default.
    NoExternalNetwork,
    /// 409 `AutoAllocationFailure`: no subnet pool that the project may use is a default.
    NoPools,
    /// 409 `AutoAllocationFailure`: no network with subnets of these pools.
    NoPrivateNetwork,
    /// 409 `AutoAllocationFailure`: no router between the two.
    NoConnectivity,
}

impl From<AllocationFault> for Fault {
    fn from(fault: AllocationFault) -> Fault {
        let reason = match fault {
            AllocationFault::NotAuthorized => return Fault::new(403, "NotAuthorized", "Not authorized."),
            AllocationFault::UnknownField => return Fault::new(400, "BadRequest", "Bad auto_allocate request: Unrecognized field."),
            AllocationFault::NoExternalNetwork => "No default router:external network",
            AllocationFault::NoPools => "No default subnetpools defined",
            AllocationFault::NoPrivateNetwork => "Unable to provide project private network",
            AllocationFault::NoConnectivity => "Unable to provide external connectivity",
        };
        Fault::new(409, "AutoAllocationFailure", format!("Deployment error: {reason}."))
    }
}
