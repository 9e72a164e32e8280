//! Network devices: what is wanted of them and the mark that says whose they are.

use crate::{Name, Netns, UnitKey};
use net::{Mac, VlanId, Vni};
use std::fmt;
use std::net::IpAddr;

/// The group (`IFLA_GROUP`) of the links whose frames nobody judges: it costs a rule less to ask for than a look for a name in a set.
pub const UNFILTERED_GROUP: u32 = 0x6e74_0002;

/// A network device wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is, and whether we make it.
    pub kind: LinkKind,
    /// The largest packet in bytes; `None` leaves it.
    pub mtu: Option<u32>,
    /// The link-layer address; `None` leaves it.
    pub mac: Option<Mac>,
    /// The bridge it is a port of. `None` takes a link we made out of any bridge and leaves a link we did not make.
    pub master: Option<Name>,
    /// Administratively up. `false` takes a link we made down and leaves a link we did not make.
    pub up: bool,
    /// How it behaves as a bridge port; `None` leaves that.
    pub port: Option<BridgePort>,
    /// The address of the one station behind this bridge port: a static forwarding entry of the bridge, so that frames for it are
    /// never flooded to other ports, also before it has sent anything.
    pub station: Option<Mac>,
}

impl Link {
    /// A link of this kind that is up; nothing else is asked of it.
    pub fn new(kind: LinkKind) -> Link {
        Link { kind, mtu: None, mac: None, master: None, up: true, port: None, station: None }
    }
}

/// What a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Made by somebody else (the tap of an instance, a physical NIC): attached when it is there, released when it is
    /// no longer wanted (taken out of its bridge), never made or deleted.
    Existing,
    /// The far end of a veth pair whose near end this program has as [`LinkKind::Veth`].
    Peer,
    /// An Ethernet bridge.
    Bridge(Bridge),
    /// The near end of a veth pair.
    Veth(Veth),
    /// The frames of a VLAN of another link (IEEE 802.1Q), without their tags.
    Vlan(Vlan),
    /// A VXLAN tunnel end point (RFC 7348).
    Vxlan(Vxlan),
}

/// A bridge without spanning tree, forward delay and multicast snooping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// Seconds after which a learned address is forgotten; `None` is the kernel's 300.
    pub ageing_s: Option<u32>,
    /// Its IPv4 and IPv6 frames pass the hooks of these families too (`br_netfilter`), also when the host's bridges in general do not.
    pub nf_call: bool,
}

/// The near end of a veth pair; both ends come and go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veth {
    /// Name of the far end.
    pub peer: Name,
    /// Where the far end is.
    pub peer_netns: Netns,
    /// Link-layer address of the far end when made; `None` lets the kernel choose.
    pub peer_mac: Option<Mac>,
}

/// A VLAN link. A change of any of this makes it anew. It goes with the link below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// The link below it, in the same namespace.
    pub device: Name,
    /// The tag.
    pub id: VlanId,
}

/// A VXLAN link. A change of any of this makes it anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vxlan {
    /// The network identifier.
    pub vni: Vni,
    /// The underlay address of this host.
    pub local: Option<IpAddr>,
    /// Multicast group (or the one remote) for unknown destinations; `None` when forwarding entries say all.
    pub group: Option<IpAddr>,
    /// The underlay link; needed with a multicast group.
    pub device: Option<Name>,
    /// UDP destination port; 4789 by IANA, 8472 in older Linux clouds.
    pub dst_port: u16,
    /// Learn remote addresses from traffic.
    pub learning: bool,
    /// Answer ARP and ND from the neighbour entries.
    pub proxy: bool,
    /// TTL of the outer header; `None` is the kernel's choice.
    pub ttl: Option<u8>,
}

impl Vxlan {
    /// A tunnel end point that knows its peers from forwarding entries alone, on port 4789, with the ARP/ND proxy.
    pub fn unicast(vni: Vni, local: IpAddr) -> Vxlan {
        Vxlan { vni, local: Some(local), group: None, device: None, dst_port: 4789, learning: false, proxy: true, ttl: None }
    }
}

/// Behaviour of a bridge port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgePort {
    /// Send frames back out of the port they came in.
    pub hairpin: bool,
    /// Learn source addresses.
    pub learning: bool,
    /// Flood unknown unicast to it.
    pub flood: bool,
    /// No traffic to other isolated ports.
    pub isolated: bool,
    /// Answer ARP and ND for known neighbours instead of flooding them.
    pub neigh_suppress: bool,
}

impl Default for BridgePort {
    /// What the kernel gives a new port.
    fn default() -> BridgePort {
        BridgePort { hairpin: false, learning: true, flood: true, isolated: false, neigh_suppress: false }
    }
}

/// How a marked link came to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// We made it and delete it.
    Made,
    /// The far end of a veth pair we made.
    Peer,
    /// Somebody else's, attached by us and released by us.
    Attached,
}

/// The owner mark of a link or namespace: the unit and our role, kept in the link's alias (`ip link` shows it).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Whose it is.
    pub unit: UnitKey,
    /// How it became ours.
    pub role: Role,
}

impl Owner {
    const PREFIX: &'static str = "neutrino:";

    /// The owner an alias tells of; `None` when the alias is not our mark.
    pub fn parse(alias: &str) -> Option<Owner> {
        let text = alias.strip_prefix(Self::PREFIX)?;
        let (unit, role) = match text.split_once(' ') {
            None => (text, Role::Made),
            Some((unit, "peer")) => (unit, Role::Peer),
            Some((unit, "attached")) => (unit, Role::Attached),
            Some(_) => return None,
        };
        (!unit.is_empty()).then(|| Owner { unit: UnitKey::from_text(unit), role })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Made => "",
            Role::Peer => " peer",
            Role::Attached => " attached",
        };
        write!(f, "{}{}{role}", Self::PREFIX, self.unit)
    }
}

impl LinkKind {
    /// Our role towards a link of this kind.
    pub fn role(&self) -> Role {
        match self {
            LinkKind::Existing => Role::Attached,
            LinkKind::Peer => Role::Peer,
            LinkKind::Bridge(_) | LinkKind::Veth(_) | LinkKind::Vlan(_) | LinkKind::Vxlan(_) => Role::Made,
        }
    }
}
