//! Refusals of bindings.

use api::Fault;
use net::{HostName, PortId};

/// Why an operation on a port's bindings was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BindingFault {
    /// 404 `PortNotFound`; the id as the client wrote it.
    NoPort(String),
    /// 400 `BadRequest`: only instances and shared file systems move.
    NotMovable(PortId),
    /// 404 `PortBindingNotFound`.
    NotFound(PortId, HostName),
    /// 409 `PortBindingAlreadyExists`.
    Exists(PortId, HostName),
    /// 409 `PortBindingAlreadyActive`.
    Active(PortId, HostName),
    /// 409 `PortBindingError`: no mechanism driver can bind it there.
    Failed(PortId, HostName),
}

impl From<BindingFault> for Fault {
    fn from(fault: BindingFault) -> Fault {
        match fault {
            BindingFault::NoPort(id) => Fault::new(404, "PortNotFound", format!("Port {id} could not be found.")),
            BindingFault::NotMovable(port) => {
                let message =
                    format!("Bad port request: Invalid port {port}. Operation only valid on compute and shared filesystem ports.");
                Fault::new(400, "BadRequest", message)
            }
            BindingFault::NotFound(port, host) => {
                Fault::new(404, "PortBindingNotFound", format!("Binding for port {port} for host {host} could not be found."))
            }
            BindingFault::Exists(port, host) => {
                Fault::new(409, "PortBindingAlreadyExists", format!("Binding for port {port} on host {host} already exists."))
            }
            BindingFault::Active(port, host) => {
                Fault::new(409, "PortBindingAlreadyActive", format!("Binding for port {port} on host {host} is already active."))
            }
            BindingFault::Failed(port, host) => {
                Fault::new(409, "PortBindingError", format!("Binding for port {port} on host {host} could not be created or updated."))
            }
        }
    }
}
