//! The records: what the database keeps of each resource, one file per feature.
//!
//! A record is plain data with its secondary indexes; its serde form is the stored body. Which attributes the API shows,
//! who may set them and what they mean together is in the slice of the feature (`ml2`, `security-groups`). Records live below the slices
//! because slices read each other's: a port names security groups, a security group must know whether ports use it.

mod address_group;
mod agent;
mod auto_allocated;
mod conntrack_helper;
mod flavor;
mod group_template;
mod local_ip;
mod log;
mod metering;
mod ndp_proxy;
mod network;
mod port;
mod qos;
mod quota;
mod rbac;
mod router;
mod security_group;
mod segment_range;
mod standard;
mod subnet;
mod subnet_pool;
mod trunk;

pub use address_group::AddressGroup;
pub use agent::{Agent, AgentType};
pub use auto_allocated::AutoAllocatedTopology;
pub use conntrack_helper::ConntrackHelper;
pub use flavor::{Flavor, ServiceProfile};
pub use group_template::{DefaultSecurityGroupRule, DefaultStatefulness, Seeded};
pub use local_ip::{LocalIp, LocalIpAssociation, LocalIpMode};
pub use log::{Log, LogEvent};
pub use metering::{MeteringLabel, MeteringLabelRule};
pub use ndp_proxy::NdpProxy;
pub use network::{Network, NetworkType, Segment};
pub use port::{
    AddressPair, Binding, DnsKeywords, ExtraDhcpOption, FixedIp, IpAllocation, Port, PortStatus, Provisioning, PvlanType, Standby, VifType,
    VnicType, device_owner,
};
pub use qos::{QosDirection, QosPolicy, QosRule, QosRuleType};
pub use quota::Quota;
pub use rbac::{EVERYBODY, RbacAction, RbacPolicy};
pub use router::{FloatingIp, FloatingIpStatus, ForwardedProtocol, Gateway, PortForwarding, Router};
pub use security_group::{Direction, SecurityGroup, SecurityGroupRule};
pub use segment_range::SegmentRange;
pub use standard::{Standard, Tagged, Tags};
pub use subnet::{AllocationPool, HostRoute, Ipv6Mode, PREFIX_DELEGATION, Subnet, provisional_prefix};
pub use subnet_pool::{AddressScope, SubnetPool};
pub use trunk::{SegmentationType, SubPort, Trunk, TrunkStatus};

/// All kinds of records, for the store. A new kind is a line here.
pub fn schema() -> world::Schema {
    world::Schema::new()
        .with::<Network>()
        .with::<Subnet>()
        .with::<Port>()
        .with::<SecurityGroup>()
        .with::<SecurityGroupRule>()
        .with::<Agent>()
        .with::<Router>()
        .with::<FloatingIp>()
        .with::<PortForwarding>()
        .with::<SegmentRange>()
        .with::<QosPolicy>()
        .with::<QosRule>()
        .with::<Trunk>()
        .with::<Flavor>()
        .with::<ServiceProfile>()
        .with::<MeteringLabel>()
        .with::<MeteringLabelRule>()
        .with::<Log>()
        .with::<Quota>()
        .with::<RbacPolicy>()
        .with::<AddressScope>()
        .with::<SubnetPool>()
        .with::<AddressGroup>()
        .with::<DefaultSecurityGroupRule>()
        .with::<DefaultStatefulness>()
        .with::<Seeded>()
        .with::<AutoAllocatedTopology>()
        .with::<NdpProxy>()
        .with::<ConntrackHelper>()
        .with::<LocalIp>()
}

/// A closed set of words, written in the API and in the database exactly as clients know them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;
