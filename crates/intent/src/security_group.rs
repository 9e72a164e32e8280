//! Security groups as a host must enforce them.

use net::{AddressGroupId, Family, IpNet, PortId, SecurityGroupId, SecurityGroupRuleId};
use serde::{Deserialize, Serialize};

/// As the instance sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the instance.
    Ingress,
    /// From the instance.
    Egress,
}

/// What of the transport header a rule asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "match")]
pub enum Transport {
    /// Anything.
    Any,
    /// This IP protocol, any port.
    Protocol {
        /// Its number.
        protocol: u8,
    },
    /// Destination ports of a protocol that has them (TCP, UDP, SCTP, DCCP, UDP-Lite), both ends included.
    Ports {
        /// The protocol's number.
        protocol: u8,
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// ICMP in IPv4, ICMPv6 in IPv6.
    Icmp {
        /// The type; none: any.
        icmp_type: Option<u8>,
        /// The code; none: any.
        code: Option<u8>,
    },
}

/// The other side that a rule asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "remote")]
pub enum Remote {
    /// Anyone.
    Any,
    /// Addresses of a prefix.
    Prefix {
        /// The prefix.
        prefix: IpNet,
    },
    /// Members of a group; its `member/…` units are there too.
    Group {
        /// The group.
        group: SecurityGroupId,
    },
    /// Addresses of an address group; its `addresses/…` unit is there too.
    AddressGroup {
        /// The address group.
        address_group: AddressGroupId,
    },
}

/// What passes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupRule {
    /// The rule's id, for counters and explanations.
    pub id: SecurityGroupRuleId,
    /// As the instance sees it.
    pub direction: Direction,
    /// Its address family.
    pub family: Family,
    /// What of the transport header.
    pub transport: Transport,
    /// Whom.
    pub remote: Remote,
}

/// `group/<group>`: a security group that ports on the host use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecurityGroupIntent {
    /// Its id.
    pub id: SecurityGroupId,
    /// True: replies to what was let pass do pass.
    pub stateful: bool,
    /// Its rules, sorted by id.
    pub rules: Vec<GroupRule>,
}

/// `member/<group>/<port>`: addresses of a port that is in a group which rules on this host name as remote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupMember {
    /// The group.
    pub group_id: SecurityGroupId,
    /// The port.
    pub port_id: PortId,
    /// Its fixed IPs and allowed address pairs.
    pub addresses: Vec<IpNet>,
}

/// `addresses/<address group>`: an address group that rules on this host name as remote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressGroupIntent {
    /// Its id.
    pub id: AddressGroupId,
    /// Its prefixes of both families, sorted.
    pub addresses: Vec<IpNet>,
}
