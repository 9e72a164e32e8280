//! Refusals of trunks.

use api::Fault;
use model::{SegmentationType, SubPort};
use net::{NetworkId, PortId, TrunkId};
use smol_str::SmolStr;

/// Why an operation on a trunk, or on a port of one, was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields of variants are the words of the messages")]
pub enum TrunkFault {
    /// 404 `PortNotFound`: not there, or not visible to the caller.
    PortNotFound(PortId),
    /// 409 `PortInUse`: a port that is used otherwise is no subport.
    PortInUse(PortId, NetworkId, SmolStr),
    /// 409 `TrunkPortInUse`: it is a subport already.
    IsSubPort(PortId),
    /// 409 `ParentPortInUse`: it is a parent already, or is where no trunk can be.
    NoParent(PortId),
    /// 409 `SubPortMtuGreaterThanTrunkPortMtu`.
    Mtu { port: PortId, mtu: u32, trunk_port: PortId, trunk_mtu: u32 },
    /// 400 `InvalidInput`: why a subport's segmentation is none.
    Segmentation(String),
    /// 409 `DuplicateSubPort`: the trunk has another with the same segmentation.
    Duplicate(TrunkId, SegmentationType, u16),
    /// 404 `SubPortNotFound`.
    SubPortNotFound(TrunkId, PortId),
    /// 409 `TrunkDisabled`: `admin_state_up` is false.
    Disabled(TrunkId),
    /// 409 `TrunkInErrorState`.
    InError(TrunkId),
    /// 409 `TrunkInUse`: the parent is where it cannot be taken apart.
    InUse(TrunkId),
    /// 409 `PortInUseAsTrunkParent`: such a port cannot be deleted.
    DeleteParent(PortId, TrunkId),
    /// 409 `PortInUseAsSubPort`: nor can such a port.
    DeleteSubPort(PortId, TrunkId),
}

impl TrunkFault {
    /// A trunk has one subport with each segmentation.
    pub(crate) fn duplicate(trunk: TrunkId, sub_port: &SubPort) -> TrunkFault {
        TrunkFault::Duplicate(trunk, sub_port.segmentation_type, sub_port.segmentation_id)
    }
}

impl From<TrunkFault> for Fault {
    fn from(fault: TrunkFault) -> Fault {
        let (status, kind, message) = match fault {
            TrunkFault::Segmentation(reason) => return Fault::invalid_input(reason),
            TrunkFault::PortNotFound(port) => (404, "PortNotFound", format!("Port {port} could not be found.")),
            TrunkFault::PortInUse(port, network, device) => {
                let message = format!(
                    "Unable to complete operation on port {port} for network {network}. Port already has an attached device {device}."
                );
                (409, "PortInUse", message)
            }
            TrunkFault::IsSubPort(port) => (409, "TrunkPortInUse", format!("Port {port} is in use by another trunk.")),
            TrunkFault::NoParent(port) => {
                (409, "ParentPortInUse", format!("Port {port} is currently in use and is not eligible for use as a parent port."))
            }
            TrunkFault::Mtu { port, mtu, trunk_port, trunk_mtu } => {
                let message = format!("MTU {mtu} of subport {port} cannot be greater than MTU {trunk_mtu} of trunk {trunk_port}.");
                (409, "SubPortMtuGreaterThanTrunkPortMtu", message)
            }
            TrunkFault::Duplicate(trunk, segmentation_type, id) => {
                let message = format!("segmentation_type {segmentation_type} and segmentation_id {id} already in use on trunk {trunk}.");
                (409, "DuplicateSubPort", message)
            }
            TrunkFault::SubPortNotFound(trunk, port) => {
                (404, "SubPortNotFound", format!("SubPort {port} on trunk {trunk} could not be found."))
            }
            TrunkFault::Disabled(trunk) => (409, "TrunkDisabled", format!("Trunk {trunk} is currently disabled.")),
            TrunkFault::InError(trunk) => {
                let message = format!("Trunk {trunk} is in error state. Attempt to resolve the error condition before proceeding.");
                (409, "TrunkInErrorState", message)
            }
            TrunkFault::InUse(trunk) => (409, "TrunkInUse", format!("Trunk {trunk} is currently in use.")),
            TrunkFault::DeleteParent(port, trunk) => {
                (409, "PortInUseAsTrunkParent", format!("Port {port} is currently a parent port for trunk {trunk}."))
            }
            TrunkFault::DeleteSubPort(port, trunk) => {
                (409, "PortInUseAsSubPort", format!("Port {port} is currently a subport for trunk {trunk}."))
            }
        };
        Fault::new(status, kind, message)
    }
}
