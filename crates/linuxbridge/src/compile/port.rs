//! `port/…`: a port's place in its bridge and in the filter.

use super::network::{obstacle, uplink};
use super::{complaint, group, refused};
use crate::name;
use crate::pipeline::{self, Part, Variant, Way, always_chain, bridge_table};
use agent::{Compiled, Facts, Intents};
use dataplane::nft::{Chain, Data, Field, Key, Rule, Statement, Table, Target, Value};
use dataplane::{Link, LinkKind, Name, Program};
use intent::{NetworkIntent, PortIntent, UnitId};
use net::{Family, IpNet, Mac, PortId};
use smol_str::format_smolstr;
use std::collections::BTreeSet;
use std::net::IpAddr;

const UNJUDGED: &str = "nothing can judge its packets: this kernel tracks connections of bridges neither by itself nor through \
     br_netfilter: load nf_conntrack_bridge and nft_meta_bridge, or br_netfilter, and start the agent again";

/// Its frames are judged. Ports of network services (DHCP, routers) are trusted as are those without port security.
pub(crate) fn is_filtered(port: &PortIntent) -> bool {
    port.port_security_enabled && !port.device_owner.starts_with("network:")
}

/// Made and put into the bridge by the DHCP or the L3 role.
fn is_of_a_role(port: &PortIntent) -> bool {
    matches!(port.device_owner.as_str(), "network:dhcp" | "network:router_interface" | "network:router_gateway")
}

pub(super) fn compile(port: &PortIntent, intents: &Intents, facts: &Facts) -> Compiled {
    let unit = UnitId::Port(port.id);
    let Some(network) = intents.network(port.network_id) else {
        return refused(unit, format!("its network {} was not told", port.network_id));
    };
    if !name::is_tap(&port.device) {
        return refused(unit, format!("{:?} cannot be the name of its device", port.device));
    }
    if let Some(other) = whose_device(port, intents) {
        return refused(unit, format!("device {} is that of port {}", port.device, other.id));
    }
    if let Some(obstacle) = obstacle(network, facts) {
        return refused(unit, format!("its network cannot be carried here: {obstacle}"));
    }
    let mut compiled = Compiled::default();
    if !(port.admin_state_up && network.admin_state_up) {
        return compiled;
    }
    if part(port) == Part::Plain && facts.devices.contains(&port.device) {
        compiled.program.root().unfiltered.insert(port.device.clone());
    }
    let table = compiled.program.root().tables.entry(bridge_table()).or_default();
    pipeline::part(table, &port.device, part(port));
    if let Some(uplink) = uplink(network, facts).filter(|_| is_of_a_role(port)) {
        table.element(pipeline::HERE, (uplink, port.mac), None);
    }
    if is_filtered(port) {
        if Variant::of(facts) == Variant::Hybrid && !facts.br_netfilter {
            return refused(unit, UNJUDGED);
        }
        let number = facts.allocations.get(pipeline::MARKS, &port.id.to_string());
        let Some(number) = number else {
            return refused(unit, "all port marks of this host are in use");
        };
        sources(table, port);
        let groups = groups(port, intents, &mut compiled);
        judgement(&mut compiled.program, port, &groups, pipeline::MARK_BASE + number, Variant::of(facts));
    }
    if !is_of_a_role(port) {
        compiled.program.root().links.insert(port.device.clone(), link(port, network));
    }
    if facts.devices.contains(&port.device) {
        compiled.realises.push(unit);
    }
    compiled
}

fn part(port: &PortIntent) -> Part {
    match port.standby {
        true => Part::Standby,
        false if is_filtered(port) => Part::Filtered,
        false => Part::Plain,
    }
}

/// Another port that has the same device with better right: the one named after its id, else the first.
fn whose_device<'a>(port: &PortIntent, intents: &'a Intents) -> Option<&'a PortIntent> {
    let own = |port: &PortIntent| port.device.strip_prefix("tap") == Some(&*port.id.short());
    if own(port) {
        return None;
    }
    intents.ports().find(|other| other.device == port.device && other.id != port.id && (other.id < port.id || own(other)))
}

fn link(port: &PortIntent, network: &NetworkIntent) -> Link {
    let link = Link { mtu: Some(network.mtu), master: Some(name::bridge(network.id)), ..Link::new(LinkKind::Existing) };
    // The network finds a port that is only prepared here where it is.
    Link { station: (!port.standby).then_some(port.mac), ..link }
}

/// The groups whose chains are there, with whether they are stateful.
fn groups(port: &PortIntent, intents: &Intents, compiled: &mut Compiled) -> Vec<(net::SecurityGroupId, bool)> {
    let mut groups = Vec::new();
    for id in port.security_groups.iter().collect::<BTreeSet<_>>() {
        match intents.security_group(*id) {
            Some(group) => groups.push((*id, group.stateful)),
            None => compiled.complaints.push(complaint(UnitId::Port(port.id), format!("its security group {id} was not told"))),
        }
    }
    groups
}

/// The MACs and addresses it may use: elements of the shared sets, and chains for prefixes.
fn sources(table: &mut Table, port: &PortIntent) {
    let own = port.addresses.iter().map(|address| (port.mac, IpNet::from(*address)));
    let pairs = port.allowed_addresses.iter().map(|pair| (pair.mac, pair.address.trunc()));
    let mut allowed: BTreeSet<(Mac, IpNet)> = own.chain(pairs).collect();
    let macs: BTreeSet<Mac> = allowed.iter().map(|(mac, _)| *mac).chain([port.mac]).collect();
    allowed.extend(macs.iter().map(|mac| (*mac, IpNet::from(IpAddr::from(net::link_local_eui64(*mac))))));
    let device = &port.device;
    for mac in macs {
        table.element(pipeline::MACS, (device.clone(), mac), None);
    }
    let (single, prefixes): (Vec<_>, Vec<_>) = allowed.into_iter().partition(|(_, net)| net.prefix_len() == net.max_prefix_len());
    for (mac, net) in single {
        let set = if net.addr().is_ipv4() { pipeline::IPS4 } else { pipeline::IPS6 };
        table.element(set, Key::from((device.clone(), mac, net.addr())), None);
    }
    if !prefixes.is_empty() {
        let chain = |what| format_smolstr!("p-{}-{what}", port.id.short());
        let rules = prefixes.iter().flat_map(|(mac, net)| pair_rules(*mac, *net)).collect();
        table.chains.insert(chain("pairs"), Chain::regular(rules));
        table.element(pipeline::PAIRS, device.clone(), Some(Data::jump(chain("pairs"))));
        let targets: Vec<Rule> = prefixes.iter().filter_map(|(mac, net)| target_rule(*mac, *net)).collect();
        if !targets.is_empty() {
            table.chains.insert(chain("targets"), Chain::regular([targets, vec![Rule::new("", vec![Statement::DROP])]].concat()));
            table.element(pipeline::TARGETS, device.clone(), Some(Data::goto(chain("targets"))));
        }
    }
}

fn pair_rules(mac: Mac, net: IpNet) -> Vec<Rule> {
    let rule =
        |mac_field: Field, field: Field| Rule::new("", vec![Statement::is(mac_field, mac), Statement::is(field, net), Statement::ACCEPT]);
    match Family::of_net(&net) {
        Family::V4 => vec![rule(Field::EtherSaddr, Field::IpSaddr), rule(Field::ArpSaddrEther, Field::ArpSaddrIp)],
        Family::V6 => vec![rule(Field::EtherSaddr, Field::Ip6Saddr)],
    }
}

fn target_rule(mac: Mac, net: IpNet) -> Option<Rule> {
    let statements = vec![Statement::is(Field::EtherSaddr, mac), Statement::is(Field::NdTarget, net), Statement::RETURN];
    (Family::of_net(&net) == Family::V6).then(|| Rule::new("", statements))
}

/// `p-<first 11 characters of its id>-in` and `-out`: what is asked when the port receives and sends.
fn judgement(program: &mut Program, port: &PortIntent, groups: &[(net::SecurityGroupId, bool)], mark: u32, variant: Variant) {
    let device = &port.device;
    if variant == Variant::Hybrid {
        let bridge = program.root().tables.entry(bridge_table()).or_default();
        bridge.element(pipeline::PORT_MARKS, device.clone(), Some(mark.into()));
    }
    let table = program.root().tables.entry(variant.rules_table()).or_default();
    // Without groups, replies to nothing are as good as none. With mixed ones the stateful win.
    let stateful = groups.is_empty() || groups.iter().any(|(_, stateful)| *stateful);
    for (way, map) in [(Way::Out, pipeline::EGRESS), (Way::In, pipeline::INGRESS)] {
        let mut rules = Vec::new();
        if variant == Variant::Hybrid {
            rules.push(Rule::new("judged", vec![Statement::Set(Target::Mark, pipeline::JUDGED)]));
        }
        rules.push(Rule::new("", vec![Statement::jump(always_chain(stateful, way))]));
        rules.extend(groups.iter().map(|(group, _)| Rule::new("", vec![Statement::jump(group::chain(*group, way))])));
        rules.push(Rule::new(port.id.to_string(), vec![Statement::Counter, Statement::DROP]));
        let chain = chain(port.id, way);
        table.chains.insert(chain.clone(), Chain::regular(rules));
        let key: Value = if variant == Variant::Hybrid { mark.into() } else { device.clone().into() };
        table.element(map, key, Some(Data::goto(chain)));
    }
}

fn chain(port: PortId, way: Way) -> Name {
    format_smolstr!("p-{}-{}", port.short(), way.word())
}
