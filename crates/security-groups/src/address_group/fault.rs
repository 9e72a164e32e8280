//! Refusals of address groups.

use api::Fault;
use net::{AddressGroupId, IpNet};

/// Why an operation on an address group was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressGroupFault {
    /// 404 `AddressGroupNotFound`: not there, or not visible to the caller.
    NotFound(AddressGroupId),
    /// 404 `AddressGroupNotFound`: no address group can have this id.
    NoId(String),
    /// 409 `AddressGroupInUse`: rules name it.
    InUse(AddressGroupId),
    /// 400 `AddrFormatError`: neither an address nor a prefix.
    NoPrefix(String),
    /// 400 `AddressesAlreadyExist`.
    AddressesThere(AddressGroupId, Vec<IpNet>),
    /// 404 `AddressesNotFound`.
    AddressesNotThere(AddressGroupId, Vec<IpNet>),
}

fn shown(addresses: &[IpNet]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    api::python::list(texts.iter().map(String::as_str))
}

impl From<AddressGroupFault> for Fault {
    fn from(fault: AddressGroupFault) -> Fault {
        match fault {
            AddressGroupFault::NotFound(id) => Fault::new(404, "AddressGroupNotFound", format!("Address group {id} could not be found.")),
            AddressGroupFault::NoId(text) => Fault::new(404, "AddressGroupNotFound", format!("Address group {text} could not be found.")),
            AddressGroupFault::InUse(id) => {
                Fault::new(409, "AddressGroupInUse", format!("Address group {id} is in use on one or more security group rules."))
            }
            AddressGroupFault::NoPrefix(text) => Fault::new(400, "AddrFormatError", format!("invalid IPNetwork {text}")),
            AddressGroupFault::AddressesThere(id, addresses) => {
                let message = format!("Addresses {} already exist in the address group {id}.", shown(&addresses));
                Fault::new(400, "AddressesAlreadyExist", message)
            }
            AddressGroupFault::AddressesNotThere(id, addresses) => {
                let message = format!("Addresses {} not found in the address group {id}.", shown(&addresses));
                Fault::new(404, "AddressesNotFound", message)
            }
        }
    }
}
