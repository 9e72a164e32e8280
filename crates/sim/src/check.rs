//! What must be true: at any time of what hosts are told, and of hosts and world once it is quiet.

use crate::node::{FOREIGN, Node, PHYSICAL};
use crate::packet::path::{Fabric, Machine};
use crate::packet::track::Track;
use dataplane::{LinkKind, Name, Netns, Program, UnitKey, diff};
use dispatch::project;
use intent::Unit;
use model::{Agent, Network, NetworkType, Port, PortStatus, SecurityGroupRule};
use net::{HostName, NetworkId, PortId, SecurityGroupId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use world::{Record, World};

/// True when a unit is a host's to know: said without the code that chooses what hosts are told.
pub fn is_of(world: &World, host: &HostName, unit: &Unit) -> bool {
    let here = |port: &Port| port.bound_host() == Some(host);
    let ports = || world.table::<Port>().iter();
    let uses = |group: SecurityGroupId| ports().any(|port| here(port) && port.security_groups.contains(&group));
    let carries = |network: NetworkId| ports().any(|port| here(port) && port.network_id == network);
    let serves = |network: NetworkId| {
        let network = world.get::<Network>(&network);
        let agents = network.iter().flat_map(|network| network.dhcp_agents.iter()).filter_map(|agent| world.get::<Agent>(agent));
        agents.filter(|agent| agent.admin_state_up).map(|agent| agent.host.clone()).any(|at| at == *host)
    };
    match unit {
        Unit::Port(unit) => world.get::<Port>(&unit.id).is_some_and(|port| here(port)),
        Unit::Network(unit) => carries(unit.id),
        Unit::Remote(unit) => {
            let there = world.get::<Port>(&unit.port_id).is_some_and(|port| port.binding.is_bound() && !here(port));
            there && carries(unit.network_id)
        }
        Unit::SecurityGroup(unit) => uses(unit.id),
        Unit::Member(unit) => {
            let member = world.get::<Port>(&unit.port_id).is_some_and(|port| port.security_groups.contains(&unit.group_id));
            let mut rules = world.table::<SecurityGroupRule>().iter();
            member && rules.any(|rule| rule.remote_group_id == Some(unit.group_id) && uses(rule.security_group_id))
        }
        Unit::Dhcp(unit) => serves(unit.network_id),
        Unit::DhcpHost(unit) => serves(unit.network_id),
        Unit::MetadataClient(unit) => serves(unit.network_id),
        // Nothing is asked for here that makes other units.
        _ => false,
    }
}

/// True when frames can reach a port: its device is there and nothing of it is administratively down.
pub fn is_wired(nodes: &[Node], world: &World, port: &Port) -> bool {
    let node = port.bound_host().and_then(|host| nodes.iter().find(|node| node.name == *host));
    let up = port.admin_state_up && world.get::<Network>(&port.network_id).is_some_and(|network| network.admin_state_up);
    up && node.is_some_and(|node| node.kernel.link(&port.tap_name()).is_some())
}

/// What is wrong with the world and the hosts now that it is quiet; empty: nothing.
pub fn problems(nodes: &[Node], world: &World, config: &ml2::Config) -> Vec<String> {
    let mut problems = unique(world);
    statuses(nodes, world, &mut problems);
    for node in nodes {
        host(node, world, config, &mut problems);
    }
    problems
}

fn host(node: &Node, world: &World, config: &ml2::Config, problems: &mut Vec<String>) {
    let name = &node.name;
    let Some(agent) = &node.agent else { return problems.push(format!("{name} has no agent")) };
    if !agent.is_settled() {
        problems.push(format!("{name} is not settled"));
    }
    let wanted = programs(node, world, config);
    let actual = node.kernel.state().actual.clone();
    for step in diff(wanted.iter(), &actual).steps {
        problems.push(format!("{name} differs from the newest world: {step}"));
    }
    let kept: BTreeMap<&UnitKey, &Program> = agent.programs().filter(|(_, program)| !program.is_empty()).collect();
    let full: BTreeMap<&UnitKey, &Program> = wanted.iter().filter(|(_, program)| !program.is_empty()).collect();
    if kept != full {
        problems.push(format!("{name}: what the agent keeps is not what is compiled from all"));
    }
    leftovers(node, world, &actual, problems);
}

/// What a host should have, compiled from everything at once with the numbers that the agent gave out.
fn programs(node: &Node, world: &World, config: &ml2::Config) -> BTreeMap<UnitKey, Program> {
    use agent::{Compile, Facts, Intents};
    let mut intents = Intents::default();
    for unit in project::full(config, world, &node.name).into_values() {
        intents.put(unit);
    }
    let mut facts = Facts {
        host: node.name.clone(),
        local_ip: Some(node.tunnel()),
        physical_networks: [("physnet1".into(), PHYSICAL.into())].into(),
        bridge_conntrack: node.native,
        br_netfilter: true,
        vlan_links: true,
        allocations: node.agent.as_ref().map(|agent| agent.allocations().clone()).unwrap_or_default(),
        ..Facts::default()
    };
    let mut state = node.kernel.state();
    facts.devices = state.actual.netns(&Netns::ROOT).links.keys().cloned().collect();
    let compilers: [&dyn Compile; 2] =
        [&linuxbridge::LinuxBridge, &dhcp::Dhcp { bridge: linuxbridge::bridge, lease_s: 86400, dns_servers: vec![] }];
    let units = compilers.iter().flat_map(|compiler| {
        let units = compiler.units(&intents, &facts);
        units.into_iter().map(|unit| (unit.clone(), compiler.compile(&unit, &intents, &facts).program)).collect::<Vec<_>>()
    });
    units.collect()
}

/// Nothing is there that nobody in the world asked for, by names alone.
fn leftovers(node: &Node, world: &World, actual: &dataplane::Actual, problems: &mut Vec<String>) {
    let name = &node.name;
    let here: Vec<&Port> = world.table::<Port>().iter().map(|port| &**port).filter(|port| port.bound_host() == Some(name)).collect();
    let networks: BTreeSet<NetworkId> = here.iter().map(|port| port.network_id).collect();
    let bridges: BTreeSet<Name> = networks.iter().map(|network| linuxbridge::bridge(*network)).collect();
    let taps: BTreeSet<Name> = here.iter().map(|port| port.tap_name()).collect();
    for (netns, space) in &actual.namespaces {
        if space.made && !networks.iter().any(|network| dhcp::netns(*network) == *netns) {
            problems.push(format!("{name}: namespace {netns} is left"));
        }
    }
    let Some(root) = actual.namespaces.get(&Netns::ROOT) else { return };
    for (link, is) in &root.links {
        let wanted = match &is.kind {
            LinkKind::Bridge(_) => bridges.contains(link),
            LinkKind::Vlan(_) | LinkKind::Vxlan(_) => is.master.as_ref().is_some_and(|master| bridges.contains(master)),
            LinkKind::Veth(_) => taps.contains(link),
            _ if link == PHYSICAL => true,
            // A tap of somebody else is no longer ours once its port is gone.
            _ => is.owner.is_none() || taps.contains(link),
        };
        if !wanted {
            problems.push(format!("{name}: link {link} is left"));
        }
    }
    if root.links.get(FOREIGN).is_none_or(|link| link.owner.is_some() || link.master.is_some()) {
        problems.push(format!("{name}: {FOREIGN} was touched"));
    }
    let text = format!("{:?}", root.tables.values().map(|table| (&table.chains, &table.elements)).collect::<Vec<_>>());
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| word.starts_with("tap") && word.len() == 14) {
        if !taps.contains(word) {
            problems.push(format!("{name}: the filter still knows {word}"));
        }
    }
    if here.is_empty() && !root.tables.is_empty() {
        problems.push(format!("{name}: tables are left though it has no ports"));
    }
}

fn statuses(nodes: &[Node], world: &World, problems: &mut Vec<String>) {
    for port in world.table::<Port>().iter().filter(|port| port.binding.is_bound()) {
        let active = port.status == PortStatus::Active;
        let should = is_wired(nodes, world, port);
        if active != should {
            let text = format!("port {} on {} is {:?} ({:?})", port.id, port.binding.host, port.status, port.provisioning);
            problems.push(format!("{text} and should {}be ACTIVE", if should { "" } else { "not " }));
        }
    }
}

/// Nothing is given twice.
fn unique(world: &World) -> Vec<String> {
    let mut problems = dangling(world);
    let mut once = BTreeSet::new();
    let mut see = |what: &dyn Debug, of: &dyn Debug| {
        if !once.insert(format!("{what:?}")) {
            problems.push(format!("{what:?} is given twice, the second time to {of:?}"));
        }
    };
    for port in world.table::<Port>().iter() {
        see(&("MAC", port.network_id, port.mac_address), &port.id);
        port.fixed_ips.iter().for_each(|ip| see(&("address", port.network_id, ip.ip_address), &port.id));
    }
    for network in world.table::<Network>().iter() {
        for segment in network.segments.iter().filter(|segment| segment.network_type != NetworkType::Local) {
            see(&("segment", segment.network_type.as_str(), &segment.physical_network, segment.segmentation_id), &network.id);
        }
    }
    problems
}

/// Nothing refers to what is not there.
fn dangling(world: &World) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |there: bool, of: &dyn Debug, to: &dyn Debug| {
        if !there {
            problems.push(format!("{of:?} refers to {to:?}, which is gone"));
        }
    };
    for port in world.table::<Port>().iter() {
        check(world.get::<Network>(&port.network_id).is_some(), &port.id, &port.network_id);
        for ip in &port.fixed_ips {
            let subnet = world.get::<model::Subnet>(&ip.subnet_id);
            check(subnet.is_some_and(|subnet| subnet.cidr.contains(&ip.ip_address)), &port.id, ip);
        }
        port.security_groups.iter().for_each(|group| check(world.get::<model::SecurityGroup>(group).is_some(), &port.id, group));
    }
    for rule in world.table::<SecurityGroupRule>().iter() {
        let named = rule.remote_group_id.into_iter().chain([rule.security_group_id]);
        named.for_each(|group| check(world.get::<model::SecurityGroup>(&group).is_some(), &rule.id(), &group));
    }
    problems
}

/// The hosts as packets meet them. Their filters are those that the agents compiled, which [`problems`] compares with the kernels.
pub fn fabric(nodes: &[Node], world: &World) -> Fabric {
    let mut fabric = Fabric::default();
    for node in nodes {
        let mut all = Program::default();
        node.agent.iter().flat_map(|agent| agent.programs()).for_each(|(_, program)| all.merge(program));
        let mut state = node.kernel.state();
        let track: Track = state.track.clone();
        let root = state.actual.netns(&Netns::ROOT);
        let machine = Machine {
            tables: all.root().tables.clone(),
            links: root.links.clone(),
            fdb: root.fdb.clone(),
            learned: BTreeMap::new(),
            track,
            native: node.native,
            physical: PHYSICAL.into(),
        };
        fabric.machines.insert(node.name.clone(), machine);
    }
    for port in world.table::<Port>().iter().filter(|port| is_wired(nodes, world, port)) {
        for (host, machine) in &mut fabric.machines {
            let bridge = linuxbridge::bridge(port.network_id);
            let uplink = |machine: &Machine| {
                let is_uplink = |(name, link): &(&Name, &dataplane::ActualLink)| {
                    link.master.as_ref() == Some(&bridge)
                        && (matches!(link.kind, LinkKind::Vlan(_) | LinkKind::Vxlan(_)) || *name == PHYSICAL)
                };
                machine.links.iter().find(is_uplink).map(|(name, _)| name.clone())
            };
            let link = if port.bound_host() == Some(host) { Some(port.tap_name()) } else { uplink(machine) };
            link.into_iter().for_each(|link| _ = machine.learned.insert((bridge.clone(), port.mac_address), link));
        }
    }
    fabric
}

/// The port behind a tap.
pub fn port_of(world: &World, host: &HostName, tap: &Name) -> Option<PortId> {
    world.table::<Port>().by(Port::BY_HOST, host).find(|port| port.tap_name() == *tap).map(|port| port.id)
}
