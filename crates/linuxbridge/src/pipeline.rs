//! How a frame passes the filter: every chain and set that ports share.
//!
//! A frame from a filtered port (an instance's, with port security) is judged twice: when it enters the host by the rules
//! of the **sender** (prerouting), and for each port it is about to leave by, by the rules of the **receiver** (forward). So
//! frames between two instances of one host meet both, and of a flooded frame each receiver is asked by itself.
//!
//! | stage | native | hybrid |
//! |---|---|---|
//! | conntrack zone of the network | bridge prerouting −300, by bridge | inet prerouting −300, by bridge |
//! | what a frame is asked, by the link it came by | bridge prerouting −250 | the same |
//! | – from a port that is only prepared here: nothing passes | | |
//! | – from an uplink: none in the name of a service that is here; of a flat network's, none of a VLAN | | |
//! | – from a filtered port: anti-spoofing, stateless: MAC, ARP, IP and ND sources of the port | | |
//! | of a connection cut just now (`cuts/host`) | bridge prerouting −160 | inet prerouting −10 |
//! | rules of the sender | bridge prerouting −150, by link | inet prerouting 0, by mark |
//! | what it is asked, by the link it is about to leave by | bridge forward −5 | the same |
//! | – between our ports and strange ones: nothing passes | | |
//! | – to a port that is only prepared here: nothing passes; to a flat network's uplink: none of a VLAN | | |
//! | rules of the receiver | bridge forward −5, by link | inet forward 0, by mark |
//! | nothing passes that was not judged, where any port is filtered | — | bridge forward −5, postrouting 300 |
//!
//! What a link is, is looked up once at each hook, in the maps `from` and `to`; each link is there by the unit that it belongs to. The rest is
//! told by the packet mark: [`MARK_BASE`] for a frame from an unfiltered link, others of its half for those from a filtered one, none of it for
//! what is not ours. The mark goes where a frame leaves: when the link is found that it leaves by, or after its receiver's rules.
//!
//! Links without a filter are in a group ([`UNFILTERED_GROUP`]), which costs less to ask for than a lookup: frames from one to another are
//! asked for nothing else. The group is only a short way: a link that is not in it yet is found in the maps.
//!
//! *Native* is for kernels that track connections in the bridge family. The others (*hybrid*) pass bridged IP packets on to the
//! inet family by `br_netfilter`, where only the name of the bridge is seen; there the bridge family hands over the port in the packet
//! mark. A packet that the inet family has judged has the mark [`JUDGED`]; without it nothing passes from or to a
//! filtered port, so that all is closed when somebody turns `br_netfilter` off. Only bridges that have a filtered port ask for it; what the host
//! has set for its bridges in general is the host's matter.
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
use dataplane::nft::{
    Chain, Compare, Ct, Data, DataType, Family, Field, Hook, Policy, Right, Rule, SetSpec, Statement, Table, TableKey, Target,
};
use dataplane::{Name, Namespace, Program, UNFILTERED_GROUP};

/// The name of our tables.
pub const TABLE: &str = "neutrino";
/// The allocation space of conntrack zones, by network.
pub const ZONES: &str = "zone";
/// The allocation space of packet marks, by port.
pub const MARKS: &str = "mark";
/// Port marks are [`MARK_BASE`] plus a number from 1 to this.
pub const LAST_PORT_MARK: u32 = 0xfff0;
/// A frame that came by an unfiltered link of ours, and the half of marks that are ours.
pub const MARK_BASE: u32 = 0x6e74_0000;
const MARK_MASK: u32 = 0xffff_0000;
/// A packet whose sender's or receiver's rules are about to be asked.
pub const JUDGED: u32 = MARK_BASE + 0xffff;

/// Link to the chain of what a frame that came by it is asked: each port of our bridges is there, uplinks included.
pub(crate) const FROM: &str = "from";
/// Link to the chain of what a frame that is about to leave by it is asked: the same links.
pub(crate) const TO: &str = "to";
/// Uplink of a network and MAC of a router's or DHCP server's port that is here.
pub(crate) const HERE: &str = "here";
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

    /// A priority in prerouting after connections are tracked and before the rules of the sender.
    pub(crate) const fn before_rules(self) -> i32 {
        self.sender() - 10
    }

    /// The priority in prerouting of the rules of the sender.
    const fn sender(self) -> i32 {
        match self {
            Variant::Native => -150,
            Variant::Hybrid => 0,
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

/// What a link of our bridges is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A port that is on another host and only prepared here.
    Standby,
    /// A port whose frames are judged.
    Filtered,
    /// A port whose frames are not.
    Plain,
    /// The way to other hosts.
    Uplink,
    /// The way to other hosts and the physical link of a flat network, where frames of VLANs pass too.
    FlatUplink,
}

impl Part {
    /// The chain that a frame from it goes to, and that of a frame to it.
    const fn chains(self) -> (&'static str, &'static str) {
        match self {
            Part::Standby => ("standby", "standby"),
            Part::Filtered => ("from-filtered", "to-filtered"),
            Part::Plain => ("from-plain", "to-plain"),
            Part::Uplink => ("from-uplink", "to-plain"),
            Part::FlatUplink => ("from-flat-uplink", "to-flat-uplink"),
        }
    }
}

/// Says what a link is.
pub(crate) fn part(table: &mut Table, link: &Name, part: Part) {
    let (from, to) = part.chains();
    table.element(FROM, link.clone(), Some(Data::goto(from)));
    table.element(TO, link.clone(), Some(Data::goto(to)));
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

/// The program of `filter/host`, of a host where some port is filtered or none.
pub(crate) fn program(variant: Variant, judges: bool) -> Program {
    let mut program = Program::default();
    let root = program.root();
    let mut bridge = Table::declared();
    frame_sets(&mut bridge);
    frame_chains(&mut bridge, variant);
    if judges {
        let clear = rule("", vec![ours(Compare::Is), Statement::Set(Target::Mark, 0)]);
        base(&mut bridge, "postrouting", Hook::Postrouting, 300, vec![unjudged("receiver not judged", &[ours(Compare::Is)]), clear]);
    }
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
        (FROM, SetSpec::verdicts([Ifname])),
        (TO, SetSpec::verdicts([Ifname])),
        (HERE, SetSpec::set([Ifname, EtherAddr])),
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
    use Field::{EtherSaddr, EtherType, Ibrname, Iifgroup, Iifname, Oifgroup, Oifname, VlanTag};
    // Marked like all from an unfiltered link: filtered receivers ask for that, and the inet family to find the network.
    let mut prerouting = vec![
        rule("unfiltered", vec![unfiltered(Iifgroup), Statement::Set(Target::Mark, MARK_BASE), Statement::ACCEPT]),
        rule("link", vec![verdict_by([Iifname], FROM)]),
    ];
    if variant == Variant::Native {
        prerouting.push(dropped("strange port", vec![within([Ibrname], BRIDGES)]));
    }
    base(table, "prerouting", Hook::Prerouting, -250, prerouting);
    chain(table, "standby", vec![dropped("not active here", vec![])]);
    let has_id = Statement::Match(VlanTag, Compare::IsNot, Right::Masked { mask: 0x0fff, value: 0 });
    chain(table, "tagged", vec![dropped("of a VLAN", vec![has_id])]);
    let untagged = |next| {
        let tagged = TAGS.map(|tag| rule("", vec![Statement::is(EtherType, tag), Statement::jump("tagged")]));
        [&tagged[..], &[rule("", vec![Statement::goto(next)])]].concat()
    };
    chain(table, "from-flat-uplink", untagged("from-uplink"));
    let service = dropped("a service that is here", vec![within([Iifname, EtherSaddr], HERE)]);
    chain(table, "from-uplink", vec![service, rule("", vec![Statement::goto("from-plain")])]);
    chain(table, "from-plain", vec![rule("", vec![Statement::Set(Target::Mark, MARK_BASE)])]);
    source_chains(table, variant);
    let forward = vec![
        rule("unfiltered", vec![unfiltered(Iifgroup), unfiltered(Oifgroup), Statement::Set(Target::Mark, 0), Statement::ACCEPT]),
        rule("link", vec![verdict_by([Oifname], TO)]),
        dropped("to a strange port", vec![ours(Compare::Is)]),
    ];
    base(table, "forward", Hook::Forward, -5, forward);
    chain(table, "to-flat-uplink", untagged("to-plain"));
    receiver_chains(table, variant);
}

/// The link is in the group of those that nobody judges.
fn unfiltered(group: Field) -> Statement {
    Statement::is(group, UNFILTERED_GROUP)
}

/// The frame's mark is one of ours.
fn ours(compare: Compare) -> Statement {
    Statement::Match(Field::Mark, compare, Right::Masked { mask: MARK_MASK, value: MARK_BASE })
}

/// Drops a frame that has the mark of a port, unless it is ARP, which has no rules.
fn unjudged(id: &str, before: &[Statement]) -> Rule {
    let marked = [Statement::is_not(Field::Mark, MARK_BASE), Statement::is_not(Field::Mark, JUDGED)];
    dropped(id, [&marked[..], before, &[Statement::is_not(Field::EtherType, ARP)]].concat())
}

/// What a filtered port may say who it is.
fn source_chains(table: &mut Table, variant: Variant) {
    use Field::{ArpSaddrEther, ArpSaddrIp, EtherSaddr, EtherType, Iifname, IpSaddr, UdpDport, UdpSport};
    let mark = match variant {
        Variant::Native => Statement::Set(Target::Mark, JUDGED),
        Variant::Hybrid => mark_by(Iifname),
    };
    let from_filtered = vec![
        rule("sender", vec![mark]),
        dropped("source MAC", vec![outside([Iifname, EtherSaddr], MACS)]),
        rule("", vec![Statement::is(EtherType, ARP), Statement::goto("check-arp")]),
        rule("", vec![Statement::is(EtherType, IPV4), Statement::goto("check-ip4")]),
        rule("", vec![Statement::is(EtherType, IPV6), Statement::goto("check-ip6")]),
        dropped("neither IP nor ARP", vec![]),
    ];
    chain(table, "from-filtered", from_filtered);
    let probe = vec![within([Iifname, ArpSaddrEther], MACS), Statement::is(ArpSaddrIp, UNSPECIFIED), Statement::ACCEPT];
    let check_arp = vec![
        rule("", vec![within([Iifname, ArpSaddrEther, ArpSaddrIp], IPS4), Statement::ACCEPT]),
        rule("ARP probe, RFC 5227", probe),
        rule("", vec![verdict_by([Iifname], PAIRS)]),
        dropped("ARP source", vec![]),
    ];
    chain(table, "check-arp", check_arp);
    let discover =
        vec![Statement::is(IpSaddr, UNSPECIFIED), Statement::is(UdpSport, 68_u16), Statement::is(UdpDport, 67_u16), Statement::ACCEPT];
    let check_ip4 = vec![
        rule("", vec![within([Iifname, EtherSaddr, IpSaddr], IPS4), Statement::ACCEPT]),
        rule("DHCP client", discover),
        rule("", vec![verdict_by([Iifname], PAIRS)]),
        dropped("IPv4 source", vec![]),
    ];
    chain(table, "check-ip4", check_ip4);
    ip6_chains(table);
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
        dropped("IPv6 source", vec![]),
    ];
    chain(table, "check-ip6", check_ip6);
    let check_target = vec![
        rule("", vec![within([Iifname, EtherSaddr, NdTarget], IPS6), Statement::RETURN]),
        rule("", vec![verdict_by([Iifname], TARGETS)]),
        dropped("ND target", vec![]),
    ];
    chain(table, "check-target", check_target);
}

/// What a frame to one of our links is asked, by its mark first: most are from an unfiltered link, or judged.
fn receiver_chains(table: &mut Table, variant: Variant) {
    use Field::{EtherType, Mark, Oifname};
    let marked = rule("", vec![Statement::is(Mark, MARK_BASE), Statement::Set(Target::Mark, 0), Statement::ACCEPT]);
    let judged = rule("", vec![Statement::is(Mark, JUDGED), Statement::ACCEPT]);
    let strange = dropped("from a strange port", vec![ours(Compare::IsNot)]);
    let arp = rule("", vec![Statement::is(EtherType, ARP), Statement::ACCEPT]);
    let sender = "sender not judged";
    chain(table, "to-plain", vec![marked, judged, strange.clone(), arp.clone(), dropped(sender, vec![])]);
    let receiver = match variant {
        Variant::Native => verdict_by([Oifname], INGRESS),
        Variant::Hybrid => mark_by(Oifname),
    };
    chain(table, "to-filtered", vec![strange, arp, unjudged(sender, &[]), rule("receiver", vec![receiver])]);
}

/// What native has besides: zones by bridge, rules by link.
fn native(bridge: &mut Table) {
    use Field::{EtherType, Ibrname, Iifname};
    let verdicts = SetSpec::verdicts([DataType::Ifname]);
    bridge.sets.extend([(EGRESS.into(), verdicts.clone()), (INGRESS.into(), verdicts)]);
    zones(bridge, vec![], Ibrname);
    let sender = vec![
        rule("", vec![Statement::is_not(Field::Mark, JUDGED), Statement::ACCEPT]),
        rule("", vec![Statement::is(EtherType, ARP), Statement::ACCEPT]),
        rule("sender", vec![verdict_by([Iifname], EGRESS)]),
    ];
    base(bridge, "sender", Hook::Prerouting, Variant::Native.sender(), sender);
    always_chains(bridge);
}

/// What hybrid has besides: marks, the inet table with zones by bridge and rules by mark, and the way to it.
fn hybrid(root: &mut Namespace, bridge: &mut Table) {
    use Field::{Iifname, Mark};
    bridge.sets.insert(PORT_MARKS.into(), SetSpec::map([DataType::Ifname], DataType::Mark));
    let mut inet = Table::declared();
    let verdicts = SetSpec::verdicts([DataType::Mark]);
    inet.sets.extend([(EGRESS.into(), verdicts.clone()), (INGRESS.into(), verdicts)]);
    // The host's own packets, which have no mark of ours, need no lookup.
    zones(&mut inet, vec![ours(Compare::Is)], Iifname);
    let plain = rule("", vec![Statement::is(Mark, MARK_BASE), Statement::ACCEPT]);
    let sender = vec![
        plain.clone(),
        dropped("strange port", vec![ours(Compare::IsNot), within([Iifname], BRIDGES)]),
        rule("sender", vec![verdict_by([Mark], EGRESS)]),
    ];
    base(&mut inet, "sender", Hook::Prerouting, Variant::Hybrid.sender(), sender);
    base(&mut inet, "receiver", Hook::Forward, 0, vec![plain, rule("receiver", vec![verdict_by([Mark], INGRESS)])]);
    always_chains(&mut inet);
    root.tables.insert(Variant::Hybrid.rules_table(), inet);
}

fn zones(table: &mut Table, of: Vec<Statement>, bridge: Field) {
    table.sets.insert(BRIDGES.into(), SetSpec::set([DataType::Ifname]));
    table.sets.insert(ZONE_MAP.into(), SetSpec::map([DataType::Ifname], DataType::Mark));
    let zone = Statement::SetFromMap { target: Target::CtZone, key: vec![bridge], map: ZONE_MAP.into() };
    base(table, "zone", Hook::Prerouting, -300, vec![rule("zone of the network", [of, vec![zone]].concat())]);
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

/// A rule that drops, counts and says why.
fn dropped(why: &str, statements: Vec<Statement>) -> Rule {
    rule(why, [statements, vec![Statement::Counter, Statement::DROP]].concat())
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
