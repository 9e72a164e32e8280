//! Networks and their segments.

use crate::{Standard, words};
use net::{AgentId, NetworkId, ProjectId, QosPolicyId, SegmentId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use world::{Index, Key, Record};

words! {
    /// How a segment is carried: `provider:network_type`.
    NetworkType {
        /// On one host only.
        Local = "local",
        /// Untagged on a physical network.
        Flat = "flat",
        /// IEEE 802.1Q on a physical network.
        Vlan = "vlan",
        /// RFC 7348.
        Vxlan = "vxlan",
        /// RFC 2784 with key.
        Gre = "gre",
        /// RFC 8926.
        Geneve = "geneve",
    }
}

/// One way a network is carried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// `provider:network_type`.
    pub network_type: NetworkType,
    /// `provider:physical_network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_network: Option<SmolStr>,
    /// `provider:segmentation_id`: VLAN id, VNI or GRE key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation_id: Option<u32>,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<SmolStr>,
    /// Common attributes.
    #[serde(default)]
    pub standard: Standard,
}

impl Segment {
    /// The key under which [`Network::BY_SEGMENT`] finds the network; in order of segmentation id within a type and physical network.
    pub fn key(network_type: NetworkType, physical_network: Option<&str>, segmentation_id: Option<u32>) -> Key {
        let place = match physical_network {
            Some(physical) => format_smolstr!("{network_type}:{physical}"),
            None => SmolStr::new(network_type.as_str()),
        };
        Key::Texts(place, format_smolstr!("{:010}", segmentation_id.unwrap_or(0)))
    }
}

/// A network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// False: none of its ports carries packets.
    pub admin_state_up: bool,
    /// True: every project may use it.
    pub shared: bool,
    /// True: `router:external`, a network that routers have gateways on.
    pub external: bool,
    /// True: the external network to which topologies are connected that projects get without asking for their parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
    /// The MTU that was asked for; none: computed from the segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The default for its ports.
    pub port_security_enabled: bool,
    /// How it is carried, in the order in which hosts look for one that they reach.
    pub segments: Vec<Segment>,
    /// The domain of its ports' names outside of it; empty: none.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub dns_domain: SmolStr,
    /// Zones whose DHCP agents may serve it; none: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub availability_zone_hints: Vec<SmolStr>,
    /// The DHCP agents that serve it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dhcp_agents: Vec<AgentId>,
    /// The QoS policy of its ports that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos_policy_id: Option<QosPolicyId>,
    /// True: a private VLAN, whose ports do not all reach each other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pvlan: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl Network {
    /// A network of which nothing else is said: up, its owner's alone, with port security and without segments.
    pub fn new(id: NetworkId, project_id: ProjectId, standard: Standard) -> Network {
        Network {
            id,
            project_id,
            name: SmolStr::default(),
            admin_state_up: true,
            shared: false,
            external: false,
            is_default: false,
            mtu: None,
            port_security_enabled: true,
            segments: Vec::new(),
            dns_domain: SmolStr::default(),
            availability_zone_hints: Vec::new(),
            dhcp_agents: Vec::new(),
            qos_policy_id: None,
            pvlan: false,
            standard,
        }
    }

    /// By owner.
    pub const BY_PROJECT: Index<Network> = Index::new(0);
    /// By [`Segment::key`].
    pub const BY_SEGMENT: Index<Network> = Index::new(1);
    /// By DHCP agent.
    pub const BY_DHCP_AGENT: Index<Network> = Index::new(2);
    /// Those that projects other than the owner see, under `Key::Number(0)`: shared or external.
    pub const COMMON: Index<Network> = Index::new(3);
    /// By its own QoS policy.
    pub const BY_QOS_POLICY: Index<Network> = Index::new(4);
    /// By the ids of its segments.
    pub const BY_SEGMENT_ID: Index<Network> = Index::new(5);

    /// One of its segments.
    pub fn segment(&self, id: SegmentId) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.id == id)
    }
}

impl Record for Network {
    type Id = NetworkId;
    const KIND: &'static str = "network";
    const INDEXES: usize = 6;

    fn id(&self) -> NetworkId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        for segment in &self.segments {
            put(Self::BY_SEGMENT_ID, segment.id.into());
            if segment.network_type != NetworkType::Local {
                let physical = segment.physical_network.as_deref();
                put(Self::BY_SEGMENT, Segment::key(segment.network_type, physical, segment.segmentation_id));
            }
        }
        for agent in &self.dhcp_agents {
            put(Self::BY_DHCP_AGENT, (*agent).into());
        }
        if self.shared || self.external {
            put(Self::COMMON, Key::Number(0));
        }
        if let Some(policy) = self.qos_policy_id {
            put(Self::BY_QOS_POLICY, policy.into());
        }
    }
}
