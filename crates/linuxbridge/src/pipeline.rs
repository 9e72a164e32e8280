//! How a frame passes the filter: every chain and set that ports share.
//!
//! A frame from a filtered port (an instance's, with port security) is judged twice: when it enters the host by the rules
//! of the **sender** (prerouting), and for each port it is about to leave by, by the rules of the **receiver** (forward). So
//! frames between two instances of one host meet both, and of a flooded frame each receiver is asked by itself.
//!
//! | stage | native | hybrid |
//! |---|---|---|
//! | conntrack zone of the network | bridge prerouting −300, by bridge | inet prerouting −300, by bridge |
//! | nothing from and to a port that is only prepared here | bridge prerouting −250, forward −5 | the same |
//! | no frames by the uplink in the name of a service that is here | bridge prerouting −250 | the same |
//! | no frames of a VLAN between a flat network and its physical network | bridge prerouting −250, forward −5 | the same |
//! | anti-spoofing, stateless: MAC, ARP, IP and ND sources of the port | bridge prerouting −250 | the same |
//! | rules of the sender | bridge prerouting −150, by link | inet prerouting 0, by mark |
//! | no frames between our ports and strange ones | bridge forward −5 | the same |
//! | rules of the receiver | bridge forward −5, by link | inet forward 0, by mark |
//! | nothing passes that was not judged | — | bridge forward −5 and 10 |
//!
//! *Native* is for kernels that track connections in the bridge family. The others (*hybrid*) pass bridged IP packets on to the
//! inet family by `br_netfilter`, where only the name of the bridge is seen; there the bridge family hands over the port in the packet
//! mark. A packet that the inet family has judged has the mark [`JUDGED`]; without it nothing passes from or to a
//! filtered port, so that all is closed when somebody turns `br_netfilter` off.
//!
//! A router or DHCP server that moved here may still be on the host that it left, when nobody can tell that host: its frames would teach the
//! bridge that it is behind the uplink. Instances may take each other's MACs, where address pairs let them.
//!
//! A physical link has one flat network and any number of VLANs. Frames of a VLAN that has no network here would come to the instances of
//! the flat one, and theirs, tagged by themselves, would go to any VLAN. Tag 0 is but a priority and passes.
//!
//! What a port always may, whatever its groups say: ask for an address by DHCP, resolve neighbours (ARP, ND), find routers, and
//! join multicast groups. What it never may: answer DHCP, advertise itself as a router, send redirects, or use an
//! address that is not its own. There is no `notrack` for stateless groups: a packet's sender does not know whether its
//! receiver is stateful, on this host or on another; a stateless port merely gives nothing to established connections.

use crate::name;
use agent::{CUT_MARK, Facts};
use dataplane::nft::{Chain, Compare, Ct, DataType, Family, Field, Hook, Policy, Right, Rule, SetSpec, Statement, Table, TableKey, Target};
use dataplane::{Name, Namespace, Program};
use smol_str::SmolStr;

/// The name of our tables.
pub const TABLE: &str = "neutrino";
/// The allocation space of conntrack zones, by network.
pub const ZONES: &str = "zone";
/// The allocation space of packet marks, by port.
pub const MARKS: &str = "mark";
/// Port marks are [`MARK_BASE`] plus a number from 1 to this.
pub const LAST_PORT_MARK: u32 = 0xfff0;
/// A frame that came by one of our links.
pub const MARK_BASE: u32 = 0x6e74_0000;
/// A packet whose sender's or receiver's rules are about to be asked.
pub const JUDGED: u32 = MARK_BASE + 0xffff;

/// Links that are ports of our bridges, uplinks included: set of link names.
pub(crate) const MEMBERS: &str = "members";
/// Links of ports that are on another host and only prepared here: set of link names.
pub(crate) const STANDBY: &str = "standby";
/// Uplink of a network and MAC of a router's or DHCP server's port that is here.
pub(crate) const HERE: &str = "here";
/// Physical links that carry a flat network: set of link names.
pub(crate) const UNTAGGED: &str = "untagged";
/// Links of filtered ports: set of link names.
pub(crate) const FILTERED: &str = "filtered";
/// Link and source MAC.
pub(crate) const MACS: &str = "macs";
/// Link, MAC and IPv4 address.
pub(crate) const IPS4: &str = "ips4";
/// Link, MAC and IPv6 address.
pub(crate) const IPS6: &str = "ips6";
/// Link to the chain that knows the prefixes it may use as source.
pub(crate) const PAIRS: &str = "pairs";
/// Link to the chain that knows the prefixes it may answer neighbour solicitations for.
pub(crate) const TARGETS: &str = "targets";
/// Our bridges: set of link names.
pub(crate) const BRIDGES: &str = "bridges";
/// Bridge to conntrack zone.
pub(crate) const ZONE_MAP: &str = "zones";
/// Link to mark (hybrid).
pub(crate) const PORT_MARKS: &str = "ports";
/// Sender (link or mark) to the chain of its rules.
pub(crate) const EGRESS: &str = "egress";
/// Receiver (link or mark) to the chain of its rules.
pub(crate) const INGRESS: &str = "ingress";

/// How connections are tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// In the bridge family.
    Native,
    /// In the inet family.
    Hybrid,
}

impl Variant {
    /// The variant for a kernel.
    pub fn of(facts: &Facts) -> Variant {
        if facts.bridge_conntrack { Variant::Native } else { Variant::Hybrid }
    }

    /// The table where the rules of groups are.
    pub fn rules_table(self) -> TableKey {
        match self {
            Variant::Native => bridge_table(),
            Variant::Hybrid => TableKey::new(Family::Inet, TABLE),
        }
    }
}

/// The table where frames are seen with their links.
pub fn bridge_table() -> TableKey {
    TableKey::new(Family::Bridge, TABLE)
}

/// Which way a packet goes, as the instance sees it, with the words that chain names use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

impl Way {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Way::In => "in",
            Way::Out => "out",
        }
    }
}

/// The chain a port's chain jumps to before those of its groups.
pub(crate) fn always_chain(stateful: bool, way: Way) -> Name {
    let state = if stateful { "stateful" } else { "stateless" };
    smol_str::format_smolstr!("{state}-{}", way.word())
}

pub(crate) const ARP: u16 = 0x0806;
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
/// Customer and service tags.
const TAGS: [u16; 2] = [0x8100, 0x88a8];

/// The program of `filter/host`.
pub(crate) fn program(variant: Variant) -> Program {
    let mut program = Program::default();
    let root = program.root();
    let mut bridge = Table::declared();
    frame_sets(&mut bridge);
    frame_chains(&mut bridge, variant);
    match variant {
        Variant::Native => native(&mut bridge),
        Variant::Hybrid => hybrid(root, &mut bridge),
    }
    root.tables.insert(bridge_table(), bridge);
    program
}

fn frame_sets(table: &mut Table) {
    use DataType::{EtherAddr, Ifname, Ipv4, Ipv6};
    let sets = [
        (MEMBERS, SetSpec::set([Ifname])),
        (STANDBY, SetSpec::set([Ifname])),
        (HERE, SetSpec::set([Ifname, EtherAddr])),
        (UNTAGGED, SetSpec::set([Ifname])),
        (FILTERED, SetSpec::set([Ifname])),
        (MACS, SetSpec::set([Ifname, EtherAddr])),
        (IPS4, SetSpec::set([Ifname, EtherAddr, Ipv4])),
        (IPS6, SetSpec::set([Ifname, EtherAddr, Ipv6])),
        (PAIRS, SetSpec::verdicts([Ifname])),
        (TARGETS, SetSpec::verdicts([Ifname])),
    ];
    table.sets.extend(sets.map(|(name, spec)| (Name::new(name), spec)));
    icmpv6_set(table, "icmpv6-unspecified", &[131, 132, 133, 135, 143]);
}

/// A set of ICMPv6 types: 130 to 132 and 143 are multicast listener messages (RFC 2710, 3810), 133 to 137 router
/// solicitation and advertisement, neighbour solicitation and advertisement, redirect (RFC 4861).
fn icmpv6_set(table: &mut Table, name: &str, types: &[u32]) {
    table.sets.insert(name.into(), SetSpec::set([DataType::Icmpv6Type]));
    for number in types {
        table.element(name, *number, None);
    }
}

fn frame_chains(table: &mut Table, variant: Variant) {
    use Field::*;
    let mut prerouting = Vec::new();
    if variant == Variant::Native {
        let strange = vec![within([Ibrname], BRIDGES), outside([Iifname], MEMBERS), Statement::Counter, Statement::DROP];
        prerouting.push(rule("strange port", strange));
    } else {
        prerouting.push(rule("ours", vec![within([Iifname], MEMBERS), Statement::Set(Target::Mark, MARK_BASE)]));
        prerouting.push(rule("sender", vec![mark_by(Iifname)]));
    }
    prerouting.push(rule("not active here", vec![within([Iifname], STANDBY), Statement::Counter, Statement::DROP]));
    prerouting.push(rule("a service that is here", vec![within([Iifname, EtherSaddr], HERE), Statement::Counter, Statement::DROP]));
    prerouting
        .extend(TAGS.map(|tag| rule("", vec![Statement::is(EtherType, tag), within([Iifname], UNTAGGED), Statement::jump("tagged")])));
    prerouting.push(rule("", vec![within([Iifname], FILTERED), Statement::goto("check")]));
    base(table, "prerouting", Hook::Prerouting, -250, prerouting);
    let has_id = Statement::Match(VlanTag, Compare::IsNot, Right::Masked { mask: 0x0fff, value: 0 });
    chain(table, "tagged", vec![rule("of a VLAN", vec![has_id, Statement::Counter, Statement::DROP])]);
    let check = vec![
        rule("source MAC", vec![outside([Iifname, EtherSaddr], MACS), Statement::Counter, Statement::DROP]),
        rule("", vec![Statement::is(EtherType, ARP), Statement::goto("check-arp")]),
        rule("", vec![Statement::is(EtherType, IPV4), Statement::goto("check-ip4")]),
        rule("", vec![Statement::is(EtherType, IPV6), Statement::goto("check-ip6")]),
        rule("neither IP nor ARP", vec![Statement::Counter, Statement::DROP]),
    ];
    chain(table, "check", check);
    let probe = vec![within([Iifname, ArpSaddrEther], MACS), Statement::is(ArpSaddrIp, UNSPECIFIED), Statement::ACCEPT];
    let check_arp = vec![
        rule("", vec![within([Iifname, ArpSaddrEther, ArpSaddrIp], IPS4), Statement::ACCEPT]),
        rule("ARP probe, RFC 5227", probe),
        rule("", vec![verdict_by([Iifname], PAIRS)]),
        rule("ARP source", vec![Statement::Counter, Statement::DROP]),
    ];
    chain(table, "check-arp", check_arp);
    let discover =
        vec![Statement::is(IpSaddr, UNSPECIFIED), Statement::is(UdpSport, 68_u16), Statement::is(UdpDport, 67_u16), Statement::ACCEPT];
    let check_ip4 = vec![
        rule("", vec![within([Iifname, EtherSaddr, IpSaddr], IPS4), Statement::ACCEPT]),
        rule("DHCP client", discover),
        rule("", vec![verdict_by([Iifname], PAIRS)]),
        rule("IPv4 source", vec![Statement::Counter, Statement::DROP]),
    ];
    chain(table, "check-ip4", check_ip4);
    ip6_chains(table);
    forward(table, variant);
}

const UNSPECIFIED: std::net::Ipv4Addr = std::net::Ipv4Addr::UNSPECIFIED;

fn ip6_chains(table: &mut Table) {
    use Field::*;
    let unspecified =
        vec![Statement::is(Ip6Saddr, std::net::Ipv6Addr::UNSPECIFIED), within([Icmpv6Type], "icmpv6-unspecified"), Statement::ACCEPT];
    let check_ip6 = vec![
        rule("neighbour advertisement", vec![Statement::is(Icmpv6Type, 136_u8), Statement::jump("check-target")]),
        rule("", vec![within([Iifname, EtherSaddr, Ip6Saddr], IPS6), Statement::ACCEPT]),
        rule("no address yet", unspecified),
        rule("", vec![verdict_by([Iifname], PAIRS)]),
        rule("IPv6 source", vec![Statement::Counter, Statement::DROP]),
    ];
    chain(table, "check-ip6", check_ip6);
    let check_target = vec![
        rule("", vec![within([Iifname, EtherSaddr, NdTarget], IPS6), Statement::RETURN]),
        rule("", vec![verdict_by([Iifname], TARGETS)]),
        rule("ND target", vec![Statement::Counter, Statement::DROP]),
    ];
    chain(table, "check-target", check_target);
}

fn forward(table: &mut Table, variant: Variant) {
    use Field::{EtherType, Iifname, Mark, Oifname};
    let drop = |id: &str, statements: Vec<Statement>| rule(id, [statements, vec![Statement::Counter, Statement::DROP]].concat());
    let mut rules = vec![
        drop("not active here", vec![within([Oifname], STANDBY)]),
        drop("to a strange port", vec![within([Iifname], MEMBERS), outside([Oifname], MEMBERS)]),
        drop("from a strange port", vec![outside([Iifname], MEMBERS), within([Oifname], MEMBERS)]),
    ];
    rules.extend(TAGS.map(|tag| rule("", vec![Statement::is(EtherType, tag), within([Oifname], UNTAGGED), Statement::jump("tagged")])));
    let arp = || rule("", vec![within([Oifname], FILTERED), Statement::is(EtherType, ARP), Statement::ACCEPT]);
    if variant == Variant::Native {
        rules.push(arp());
        rules.push(rule("receiver", vec![verdict_by([Oifname], INGRESS)]));
    } else {
        let unjudged = |side| vec![within([side], FILTERED), Statement::is_not(EtherType, ARP), Statement::is_not(Mark, JUDGED)];
        rules.push(drop("sender not judged", unjudged(Iifname)));
        rules.push(rule("receiver", vec![mark_by(Oifname)]));
        base(table, "judged", Hook::Forward, 10, vec![drop("receiver not judged", unjudged(Oifname))]);
        let clear = rule("", vec![within([Oifname], MEMBERS), Statement::Set(Target::Mark, 0)]);
        base(table, "postrouting", Hook::Postrouting, 300, vec![clear]);
    }
    base(table, "forward", Hook::Forward, -5, rules);
}

/// What native has besides: zones by bridge, rules by link.
fn native(bridge: &mut Table) {
    use Field::{EtherType, Ibrname, Iifname};
    let verdicts = SetSpec::verdicts([DataType::Ifname]);
    bridge.sets.extend([(EGRESS.into(), verdicts.clone()), (INGRESS.into(), verdicts)]);
    zones(bridge, Ibrname);
    let arp = rule("", vec![within([Iifname], FILTERED), Statement::is(EtherType, ARP), Statement::ACCEPT]);
    base(bridge, "sender", Hook::Prerouting, -150, vec![arp, rule("sender", vec![verdict_by([Iifname], EGRESS)])]);
    always_chains(bridge);
}

/// What hybrid has besides: marks, the inet table with zones by bridge and rules by mark, and the way to it.
fn hybrid(root: &mut Namespace, bridge: &mut Table) {
    use Field::{Iifname, Mark};
    bridge.sets.insert(PORT_MARKS.into(), SetSpec::map([DataType::Ifname], DataType::Mark));
    let mut inet = Table::declared();
    let verdicts = SetSpec::verdicts([DataType::Mark]);
    inet.sets.extend([(EGRESS.into(), verdicts.clone()), (INGRESS.into(), verdicts)]);
    zones(&mut inet, Iifname);
    let ours = Statement::Match(Mark, Compare::IsNot, Right::Masked { mask: 0xffff_0000, value: MARK_BASE });
    let sender = vec![
        rule("strange port", vec![within([Iifname], BRIDGES), ours, Statement::Counter, Statement::DROP]),
        rule("sender", vec![verdict_by([Mark], EGRESS)]),
    ];
    base(&mut inet, "sender", Hook::Prerouting, 0, sender);
    base(&mut inet, "receiver", Hook::Forward, 0, vec![rule("receiver", vec![verdict_by([Mark], INGRESS)])]);
    always_chains(&mut inet);
    root.tables.insert(Variant::Hybrid.rules_table(), inet);
    for (key, value) in [("iptables", "1"), ("ip6tables", "1"), ("arptables", "0")] {
        root.sysctls.insert(smol_str::format_smolstr!("net.bridge.bridge-nf-call-{key}"), SmolStr::new_static(value));
    }
}

fn zones(table: &mut Table, bridge: Field) {
    table.sets.insert(BRIDGES.into(), SetSpec::set([DataType::Ifname]));
    table.sets.insert(ZONE_MAP.into(), SetSpec::map([DataType::Ifname], DataType::Mark));
    let zone = Statement::SetFromMap { target: Target::CtZone, key: vec![bridge], map: ZONE_MAP.into() };
    base(table, "zone", Hook::Prerouting, -300, vec![rule("zone of the network", vec![zone])]);
}

/// What ports may and may not whatever their groups say.
fn always_chains(table: &mut Table) {
    use Field::{Icmpv6Type, Protocol, UdpDport, UdpSport};
    icmpv6_set(table, "icmpv6-out", &[130, 131, 132, 133, 135, 136, 143]);
    icmpv6_set(table, "icmpv6-never", &[134, 137]);
    icmpv6_set(table, "icmpv6-in", &[130, 131, 132, 134, 135, 136, 143]);
    // The family counts: protocol 58 in IPv4 and ports 67 and 68 in IPv6 are traffic like any other, for the groups to judge.
    let udp =
        |family: u16, from: u16, to: u16| vec![Statement::is(Protocol, family), Statement::is(UdpSport, from), Statement::is(UdpDport, to)];
    let icmpv6 = |set: &str| vec![Statement::is(Protocol, IPV6), within([Icmpv6Type], set)];
    let dropped = |id: &str, statements: Vec<Statement>| rule(id, [statements, vec![Statement::Counter, Statement::DROP]].concat());
    let accepted = |id: &str, statements: Vec<Statement>| rule(id, [statements, vec![Statement::ACCEPT]].concat());
    let never = [
        dropped("DHCP server", udp(IPV4, 67, 68)),
        dropped("DHCPv6 server", udp(IPV6, 547, 546)),
        dropped("router advertisement, redirect", icmpv6("icmpv6-never")),
    ];
    let always_out = [
        accepted("DHCP client", udp(IPV4, 68, 67)),
        accepted("DHCPv6 client", udp(IPV6, 546, 547)),
        accepted("ND, MLD", icmpv6("icmpv6-out")),
    ];
    let always_in = [
        accepted("DHCP server", udp(IPV4, 67, 68)),
        accepted("DHCPv6 server", udp(IPV6, 547, 546)),
        accepted("ND, MLD", icmpv6("icmpv6-in")),
    ];
    let uncut = Statement::is_not(Field::CtMark, CUT_MARK);
    let state = [
        accepted("", vec![Statement::ct_state(Ct::ESTABLISHED | Ct::RELATED), uncut]),
        dropped("invalid", vec![Statement::ct_state(Ct::INVALID)]),
    ];
    // What both sides let pass in the direction of its first packet is whole again.
    let mended = vec![Statement::is(Field::CtMark, CUT_MARK), Statement::is(Field::CtDirection, 0u8), Statement::Set(Target::CtMark, 0)];
    base(table, "mended", Hook::Forward, 5, vec![rule("cut, but allowed again or still", mended)]);
    // Conntrack takes some ND and MLD for invalid: they come before it.
    chain(table, &always_chain(true, Way::Out), [never.as_slice(), &always_out, &state].concat());
    chain(table, &always_chain(false, Way::Out), [never.as_slice(), &always_out].concat());
    chain(table, &always_chain(true, Way::In), [always_in.as_slice(), &state].concat());
    chain(table, &always_chain(false, Way::In), always_in.to_vec());
}

/// The name of the bridge as the `bridges` set and the `zones` map have it.
pub(crate) fn bridge_elements(table: &mut Table, network: net::NetworkId, zone: u32) {
    let bridge = name::bridge(network);
    table.element(BRIDGES, bridge.clone(), None);
    table.element(ZONE_MAP, bridge, Some(zone.into()));
}

pub(crate) fn rule(id: &str, statements: Vec<Statement>) -> Rule {
    Rule::new(id, statements)
}

fn chain(table: &mut Table, name: &str, rules: Vec<Rule>) {
    table.chains.insert(name.into(), Chain::regular(rules));
}

fn base(table: &mut Table, name: &str, hook: Hook, priority: i32, rules: Vec<Rule>) {
    table.chains.insert(name.into(), Chain::filter(hook, priority, Policy::Accept, rules));
}

fn within<const N: usize>(fields: [Field; N], set: &str) -> Statement {
    Statement::within_set(fields, set)
}

fn outside<const N: usize>(fields: [Field; N], set: &str) -> Statement {
    Statement::outside_set(fields, set)
}

fn verdict_by<const N: usize>(fields: [Field; N], map: &str) -> Statement {
    Statement::verdict_map(fields, map)
}

fn mark_by(link: Field) -> Statement {
    Statement::SetFromMap { target: Target::Mark, key: vec![link], map: PORT_MARKS.into() }
}
