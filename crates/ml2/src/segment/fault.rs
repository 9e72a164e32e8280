//! Refusals of segments.

use api::Fault;
use net::SubnetId;

/// Why an operation on a segment was refused; segments as the client wrote them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SegmentFault {
    /// 404 `SegmentNotFound`.
    NotFound(String),
    /// 409 `SegmentInUse`: subnets are on it.
    HasSubnets(String, Vec<SubnetId>),
    /// 409 `SegmentInUse`: so many ports are bound on it.
    HasPorts(String, usize),
}

impl From<SegmentFault> for Fault {
    fn from(fault: SegmentFault) -> Fault {
        let in_use = |id: &str, reason: &str| Fault::new(409, "SegmentInUse", format!("Segment '{id}' cannot be deleted: {reason}."));
        match fault {
            SegmentFault::NotFound(id) => Fault::new(404, "SegmentNotFound", format!("Segment {id} could not be found.")),
            SegmentFault::HasSubnets(id, subnets) => {
                let subnets = subnets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                in_use(&id, &format!("The segment is still associated with subnet(s) {subnets}"))
            }
            SegmentFault::HasPorts(id, count) => in_use(&id, &format!("The segment is still bound with {count} port(s)")),
        }
    }
}
