//! Refusals of address scopes.

use api::Fault;
use net::AddressScopeId;

/// Why an operation on an address scope was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScopeFault {
    /// 404 `AddressScopeNotFound`: not there, or not visible to the caller.
    NotFound(AddressScopeId),
    /// 409 `AddressScopeInUse`: subnet pools are in it.
    InUse(AddressScopeId),
    /// 400 `AddressScopeUpdateError`: what was everybody's stays so.
    Shared(AddressScopeId),
    /// 400 `NetworkAddressScopeAffinityError`: a network is in one scope of a family.
    Affinity,
}

impl From<ScopeFault> for Fault {
    fn from(fault: ScopeFault) -> Fault {
        match fault {
            ScopeFault::NotFound(id) => Fault::new(404, "AddressScopeNotFound", format!("Address scope {id} could not be found.")),
            ScopeFault::InUse(id) => {
                let message = format!(
                    "Unable to complete operation on address scope {id}. There are one or more subnet pools in use on the address scope."
                );
                Fault::new(409, "AddressScopeInUse", message)
            }
            ScopeFault::Shared(id) => {
                let message = format!("Unable to update address scope {id} : Shared address scope can't be unshared.");
                Fault::new(400, "AddressScopeUpdateError", message)
            }
            ScopeFault::Affinity => {
                let message =
                    "Subnets of the same address family hosted on the same network must all participate in the same address scope.";
                Fault::new(400, "NetworkAddressScopeAffinityError", message)
            }
        }
    }
}
