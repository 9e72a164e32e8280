//! The vocabulary of networking: typed ids, MAC addresses, VXLAN network identifiers, revisions and address arithmetic.
//!
//! Everything here is a small value type without I/O, clock or randomness. Textual forms are those the
//! Networking API uses (lower-case MACs with colons, canonical IPv6). What is deliberately absent: any
//! resource of the API (see `model`) and any kernel object (see `dataplane`).

mod address;
mod id;
mod mac;
mod revision;
mod vni;

pub use address::{Family, IpNet, addresses, eui64, first_address, is_host_address, last_address, link_local_eui64, offset};
pub use id::{AgentId, FloatingIpId, HostName, NetworkId, PortForwardingId, PortId, ProjectId, RouterId};
pub use id::{SecurityGroupId, SecurityGroupRuleId, SegmentId, SegmentRangeId, SubnetId};
pub use mac::{Mac, MacParseError};
pub use revision::{Revision, Timestamp};
pub use vni::{Vni, VniError};
