//! The seam to the dataplanes: which program units an intent makes, and what is in each.

use crate::{Allocations, Intents};
use dataplane::{Name, Netns, Program, UnitKey};
use intent::wire::Role;
use intent::{Unit, UnitId};
use net::{Family, HostName, IpNet, Mac, RouterId, SubnetId};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// What is true of this host besides what the server told; decided or probed before anything is compiled.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The host's name.
    pub host: HostName,
    /// Its tunnel address.
    pub local_ip: Option<IpAddr>,
    /// UDP port of VXLAN; none: 4789, by IANA. Clouds taken over from older Linux use 8472.
    pub vxlan_port: Option<u16>,
    /// VXLAN devices answer ARP and ND for remote ports, and flood no such request. Spares traffic, but addresses that no port
    /// has (those of allowed address pairs on other hosts) cannot be resolved then; so it is the operator's choice.
    pub arp_responder: bool,
    /// Physical networks, with the link (or bridge) that leads to each.
    pub physical_networks: BTreeMap<SmolStr, SmolStr>,
    /// Links that are there in the agent's namespace, kept up to date by the link monitor.
    pub devices: BTreeSet<SmolStr>,
    /// True when the kernel tracks connections in the bridge family.
    pub bridge_conntrack: bool,
    /// True when bridged packets can pass the hooks of the inet family (`br_netfilter`).
    pub br_netfilter: bool,
    /// True when the kernel has VLAN links.
    pub vlan_links: bool,
    /// What is known of next hops that somebody watches.
    pub next_hops: NextHops,
    /// Numbers that were given out.
    pub allocations: Allocations,
    /// Connections that a change has cut, while they are looked for: those that are judged again packet by packet.
    pub cuts: BTreeSet<Cut>,
}

/// A next hop that is watched.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NextHop {
    /// The namespace from which.
    pub netns: Netns,
    /// The link by which.
    pub link: Name,
    /// Its address.
    pub address: IpAddr,
}

/// Why next hops do not answer; none: they do.
pub type NextHops = BTreeMap<NextHop, Option<SmolStr>>;

/// Something of an intent that cannot be realised; the rest of its unit is dropped closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The intent.
    pub unit: UnitId,
    /// What is wrong and what to do, for an operator.
    pub reason: String,
}

/// A program unit compiled.
#[derive(Clone, Default, Debug)]
pub struct Compiled {
    /// What the host should have for it; empty: nothing (the unit goes away).
    pub program: Program,
    /// The intents that are in force on this host once it is applied, and reported so.
    pub realises: Vec<UnitId>,
    /// What could not be.
    pub complaints: Vec<Complaint>,
}

impl Compiled {
    /// True when there is nothing to have, to report or to complain about.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty() && self.realises.is_empty() && self.complaints.is_empty()
    }

    /// The intents whose state depends on it.
    pub(crate) fn blamed(&self) -> Vec<UnitId> {
        self.realises.iter().copied().chain(self.complaints.iter().map(|complaint| complaint.unit)).collect()
    }
}

/// The connection mark of a tracked connection that was cut: its packets are judged like those of a new one, each of them, until one
/// in the direction of its first packet passes. Forgetting it would not do: an answer that is still on its way, or the next of a
/// stream, would have it tracked anew the other way round, and what the rules no longer let in would pass as its answers.
pub const CUT_MARK: u32 = 0x6e74_0001;

/// Tracked connections to cut, because what let them pass is gone. Absent fields match anything. A cut that says nothing but its zone
/// and family is of a network that is gone: those connections are forgotten.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cut {
    /// The namespace that tracks them.
    pub netns: Netns,
    /// Conntrack zone.
    pub zone: u16,
    /// Address family.
    pub family: Family,
    /// IP protocol.
    pub protocol: Option<u8>,
    /// Original source.
    pub source: Option<IpNet>,
    /// Original destination.
    pub destination: Option<IpNet>,
    /// Original destination ports, both ends included.
    pub destination_ports: Option<(u16, u16)>,
    /// The source after translation.
    pub translated_source: Option<IpNet>,
    /// The connection mark.
    pub mark: Option<u32>,
}

impl Cut {
    /// All of a family in a zone.
    pub fn all(netns: Netns, zone: u16, family: Family) -> Cut {
        let (source, destination, translated_source) = (None, None, None);
        Cut { netns, zone, family, protocol: None, source, destination, destination_ports: None, translated_source, mark: None }
    }

    /// Its connections stay tracked, and are judged again packet by packet. Those of a network or router that is gone, and translated ones,
    /// are forgotten.
    pub fn is_judged(&self) -> bool {
        self.netns.is_root() && *self != Cut::all(Netns::ROOT, self.zone, self.family)
    }
}

/// A DHCP lease to end, because its address is no longer the client's: another may get it at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Release {
    /// The namespace of the server.
    pub netns: Netns,
    /// The link it serves there.
    pub link: Name,
    /// Its address.
    pub server: Ipv4Addr,
    /// The address leased.
    pub address: Ipv4Addr,
    /// To whom.
    pub mac: Mac,
}

/// A subnet whose prefix is to be delegated (RFC 8415) from outside, by the link of a router's gateway.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Delegation {
    /// The router; servers know it by its id.
    pub router: RouterId,
    /// The subnet.
    pub subnet: SubnetId,
    /// The namespace of the link.
    pub netns: Netns,
    /// The link on which servers are asked.
    pub link: Name,
    /// The prefix that the subnet has already.
    pub known: Option<IpNet>,
}

impl Delegation {
    /// What tells it from others of its router, whichever host carries that.
    pub fn iaid(&self) -> u32 {
        let [a, b, c, d, ..] = *self.subnet.0.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// A role's compiler: pure, total, and the same whether called for one unit or for all. The law that tests hold it to: compiling what
/// [`Compile::concerned`] names after each change gives what compiling [`Compile::units`] at the end gives.
pub trait Compile: Send + Sync {
    /// Name of the role in logs.
    fn name(&self) -> &'static str;

    /// How the role shows up among the agents; `availability_zone` is left to the frame.
    fn role(&self, intents: &Intents, facts: &Facts) -> Role;

    /// Gives numbers to what the intents contain and takes them from what is gone. Called before compiling.
    fn allocate(&self, _changed: &UnitId, _intents: &Intents, _allocations: &mut Allocations) {}

    /// All program units that the intents make.
    fn units(&self, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// The program units to compile again after an intent changed: from `before` to what `intents` has now.
    fn concerned(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// The program units to compile again after a link came or went.
    fn device_changed(&self, device: &str, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// The program units to compile again after what is known of next hops has become what `facts` says, and the connections to forget then.
    fn next_hops_changed(&self, _before: &NextHops, _intents: &Intents, _facts: &Facts) -> (BTreeSet<UnitKey>, Vec<Cut>) {
        (BTreeSet::new(), Vec::new())
    }

    /// What a program unit needs; nothing when the intents do not make it.
    fn compile(&self, unit: &UnitKey, intents: &Intents, facts: &Facts) -> Compiled;

    /// Connections to forget once a change is in force. Asked when `intents` has the change and `facts` still has the numbers of before.
    fn cuts(&self, _changed: &UnitId, _before: Option<&Unit>, _intents: &Intents, _facts: &Facts) -> Vec<Cut> {
        Vec::new()
    }

    /// The program units that say what becomes of packets of [`Facts::cuts`].
    fn cut_units(&self) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    /// Connections to forget before a number, which an owner that is gone had, may be given to another.
    fn cuts_of_number(&self, _space: &str, _number: u32) -> Vec<Cut> {
        Vec::new()
    }

    /// Prefixes to be delegated. They concern `router/…` units alone.
    fn delegations(&self, _intents: &Intents) -> Vec<Delegation> {
        Vec::new()
    }

    /// Leases to end once a change is in force. Asked when [`Compile::cuts`] is.
    fn releases(&self, _changed: &UnitId, _before: Option<&Unit>, _intents: &Intents) -> Vec<Release> {
        Vec::new()
    }
}
