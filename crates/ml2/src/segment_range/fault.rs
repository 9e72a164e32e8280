//! Refusals of segment ranges.

use api::Fault;
use net::SegmentRangeId;

/// Why an operation on a segment range was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RangeFault {
    /// 400 `NetworkSegmentRangeNetTypeNotSupported`.
    Unsupported(String),
    /// 409 `NetworkSegmentRangeReferencedByProject`: networks have ids of it.
    Referenced(SegmentRangeId),
    /// 400 `NetworkSegmentRangeDefaultReadOnly`: the configuration's.
    ReadOnly(SegmentRangeId),
    /// 409 `NetworkSegmentRangeOverlaps`; the others.
    Overlaps(Vec<SegmentRangeId>),
    /// 400 `InvalidInput`: it ends before it starts, or beyond what its type has.
    Invalid(u32, u32),
    /// 400 `InvalidInput`: it is neither shared nor a project's.
    NoProject,
    /// 400 `InvalidInput`: VLANs are of a physical network.
    NoPhysicalNetwork,
}

impl From<RangeFault> for Fault {
    fn from(fault: RangeFault) -> Fault {
        match fault {
            RangeFault::Unsupported(word) => {
                let message = format!("Network type {word} does not support network segment ranges.");
                Fault::new(400, "NetworkSegmentRangeNetTypeNotSupported", message)
            }
            RangeFault::Referenced(id) => {
                let message = format!("Network Segment Range {id} is referenced by one or more project networks.");
                Fault::new(409, "NetworkSegmentRangeReferencedByProject", message)
            }
            RangeFault::ReadOnly(id) => {
                let message = format!("Network Segment Range {id} is a default segment range which could not be updated or deleted.");
                Fault::new(400, "NetworkSegmentRangeDefaultReadOnly", message)
            }
            RangeFault::Overlaps(ids) => {
                let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Fault::new(409, "NetworkSegmentRangeOverlaps", format!("Network segment range overlaps with range(s) with id {ids}"))
            }
            RangeFault::Invalid(minimum, maximum) => {
                Fault::invalid_input(format_args!("'{minimum}:{maximum}' is not a range of segmentation ids"))
            }
            RangeFault::NoPhysicalNetwork => Fault::invalid_input("A range of VLANs must have a physical_network"),
            RangeFault::NoProject => Fault::invalid_input("A range that is not shared must have a project_id"),
        }
    }
}
