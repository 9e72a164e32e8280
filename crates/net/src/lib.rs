//! The vocabulary of networking: typed ids, MAC addresses, VLAN and VXLAN network identifiers, revisions and address arithmetic.
//!
//! Everything here is a small value type without I/O, clock or randomness. Textual forms are those the
//! Networking API uses (lower-case MACs with colons, canonical IPv6). What is deliberately absent: any
//! resource of the API (see `model`) and any kernel object (see `dataplane`).

mod address;
mod id;
mod mac;
mod revision;
mod vlan;
mod vni;

pub use address::{
    Family, IpNet, address, addresses, eui64, first_address, host_label, is_host_address, last_address, link_local_eui64, number, offset,
};
pub use id::{AddressGroupId, AddressScopeId, DefaultSecurityGroupRuleId, RbacPolicyId, SubnetPoolId};
pub use id::{
    AgentId, FlavorId, FloatingIpId, HostName, NdpProxyId, NetworkId, PortForwardingId, PortId, ProjectId, QosPolicyId, QosRuleId, RouterId,
};
pub use id::{ConntrackHelperId, LocalIpId, LogId, MeteringLabelId, MeteringLabelRuleId};
pub use id::{SecurityGroupId, SecurityGroupRuleId, SegmentId, SegmentRangeId, ServiceProfileId, SubnetId, TrunkId};
pub use mac::{Mac, MacParseError};
pub use revision::{Revision, Timestamp};
pub use vlan::{VlanId, VlanIdError};
pub use vni::{Vni, VniError};
