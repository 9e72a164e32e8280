//! Scheduling: which DHCP agents serve a network, and the ports through which they do.
//!
//! A network with a subnet that DHCP serves is given to agents of the zones that it asks for (see [`crate::schedule`]); each of them gets a
//! port with owner `network:dhcp` in the same change, bound on its host, with an address in each such subnet. [`schedule`] brings a network to
//! this state from any other and changes nothing when it is there; everything that can disturb it ends with a call of it. Agents stay
//! scheduled when the last such subnet goes. [`by_hand`] is what operators do about it.

pub mod by_hand;
#[cfg(test)]
mod tests;

use crate::Config;
use crate::drivers::reached;
use crate::port::provisioning::stop_waiting;
use crate::port::{Asked, allocate, blank, generate_mac, rebind};
use crate::schedule::{Candidates, zones};
use api::Op;
use model::{Agent, AgentType, FixedIp, Ipv6Mode, Network, Port, Standard, Subnet, device_owner};
use net::{AgentId, Family, HostName, NetworkId, PortId, SegmentId, SubnetId};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;
use world::{Key, World};

/// True when a DHCP server has something to say in the subnet: IPv4, IPv6 with an address mode that uses DHCPv6, and IPv6 without any
/// mode, where addresses come from DHCPv6 too. A prefix that is to be delegated is not there yet.
pub fn serves(subnet: &Subnet) -> bool {
    let v6 = match (subnet.ipv6_address_mode, subnet.ipv6_ra_mode) {
        (Some(mode), _) => mode != Ipv6Mode::Slaac,
        (None, ra) => ra.is_none(),
    };
    subnet.enable_dhcp && !subnet.is_provisional() && (subnet.family() == Family::V4 || v6)
}

/// `device_id` of the port through which a host serves a network: the host's name without its domain, as a version 5 UUID.
pub fn device_id(host: &HostName, network: NetworkId) -> SmolStr {
    let short = host.as_str().split('.').next().unwrap_or_default();
    format_smolstr!("dhcp{}-{network}", Uuid::new_v5(&Uuid::NAMESPACE_DNS, short.as_bytes()))
}

/// The port through which a host serves a network.
pub fn port_of<'a>(world: &'a World, host: &HostName, network: NetworkId) -> Option<&'a Arc<Port>> {
    let device = device_id(host, network);
    ports(world, network).find(|port| port.device_id == device)
}

/// True when an alive and enabled agent serves the network: through a port, which may be missing for want of an address or of an L2 agent.
pub fn is_served(world: &World, network: &Network) -> bool {
    let has_port = |agent: &Agent| port_of(world, &agent.host, network.id).is_some_and(|port| port.binding.is_bound());
    let serves = |agent: &Agent| agent.alive && agent.admin_state_up && has_port(agent);
    network.dhcp_agents.iter().any(|id| world.get::<Agent>(id).is_some_and(|agent| serves(agent)))
}

fn ports(world: &World, network: NetworkId) -> impl Iterator<Item = &Arc<Port>> {
    world.table::<Port>().by(Port::BY_OWNER, Key::TextUuid(device_owner::DHCP.into(), network.0))
}

/// True when the subnet is on no segment, or on the one that the host reaches.
fn is_reached(world: &World, host: &HostName, network: &Network, subnet: SubnetId) -> bool {
    let segment = world.get::<Subnet>(&subnet).and_then(|subnet| subnet.segment_id);
    segment.is_none() || segment == reached(world, host, network).map(|segment| segment.id)
}

/// The segments of a routed network that DHCP serves; of others, one that stands for all.
fn served_segments(world: &World, network: NetworkId) -> BTreeSet<Option<SegmentId>> {
    served_subnets(world, network).iter().filter_map(|id| Some(world.get::<Subnet>(id)?.segment_id)).collect()
}

fn served_subnets(world: &World, network: NetworkId) -> Vec<SubnetId> {
    world.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter(|subnet| serves(subnet)).map(|subnet| subnet.id).collect()
}

fn candidates(world: &World) -> Candidates {
    Candidates::of(world, AgentType::Dhcp, |world, agent| world.table::<Network>().count(Network::BY_DHCP_AGENT, agent))
}

/// The scheduling of a network that may lack agents: what a new port costs when it does not.
pub(crate) fn schedule_new(op: &mut Op<'_>, network: NetworkId) {
    let wanted = op.settings.get::<Config>().dhcp_agents_per_network;
    if op.tx.get::<Network>(&network).is_some_and(|network| network.dhcp_agents.len() < wanted) {
        arrange(op, network);
    }
}

/// Brings the network to the agents and ports that it should have; its ports wait for DHCP no longer when it is not served any more.
pub fn schedule(op: &mut Op<'_>, network: NetworkId) {
    arrange(op, network);
    stop_waiting(op, network);
}

/// The agents that the network has, and others up to the number wanted while DHCP has something to serve.
fn arrange(op: &mut Op<'_>, id: NetworkId) {
    let Some(network) = op.tx.get::<Network>(&id).cloned() else { return };
    let config = op.settings.get::<Config>();
    let mut agents = network.dhcp_agents.clone();
    agents.retain(|id| op.tx.get::<Agent>(id).is_some());
    let world = op.tx.world().clone();
    for segment in served_segments(&world, id) {
        let on = |agent: &AgentId| is_on(&world, agent, &network, segment);
        let mut missing = config.dhcp_agents_per_network.saturating_sub(agents.iter().filter(|agent| on(agent)).count());
        let mut candidates = if missing == 0 { continue } else { candidates(&world) };
        candidates.retain(on);
        while missing > 0 {
            let Some(next) = candidates.choose(zones(config, &network.availability_zone_hints), &agents) else { break };
            agents.push(next);
            missing -= 1;
        }
    }
    settle(op, id, agents);
}

/// True when the agent can serve a segment of the network; none: any, which on physical networks takes a host that has one of them.
fn is_on(world: &World, agent: &AgentId, network: &Network, segment: Option<SegmentId>) -> bool {
    if segment.is_none() && !is_physical(network) {
        return true;
    }
    let reached = world.get::<Agent>(agent).and_then(|agent| reached(world, &agent.host, network));
    reached.is_some_and(|reached| segment.is_none_or(|segment| segment == reached.id))
}

/// True when only hosts with links to physical networks carry the network.
fn is_physical(network: &Network) -> bool {
    network.segments.iter().all(|segment| segment.physical_network.is_some())
}

/// Gives the network to these agents and no others, with the ports that they serve it through.
fn settle(op: &mut Op<'_>, id: NetworkId, agents: Vec<AgentId>) {
    let subnets = served_subnets(op.tx.world(), id);
    let serving = agents.iter().filter(|_| !subnets.is_empty());
    let hosts: Vec<HostName> = serving.filter_map(|id| Some(op.tx.get::<Agent>(id)?.host.clone())).collect();
    op.tx.update::<Network>(&id, |network| network.dhcp_agents = agents);
    let mut parked = retire_ports(op, id, &hosts);
    for host in &hosts {
        let spare = if port_of(op.tx.world(), host, id).is_none() { parked.pop() } else { None };
        provide_port(op, id, host, &subnets, spare);
    }
    for port in parked {
        op.tx.remove::<Port>(&port);
    }
}

/// The ports of hosts that no longer serve the network; they can serve it from another host.
fn retire_ports(op: &Op<'_>, network: NetworkId, hosts: &[HostName]) -> Vec<PortId> {
    let devices: Vec<SmolStr> = hosts.iter().map(|host| device_id(host, network)).collect();
    let suffix = format_smolstr!("-{network}");
    let scheduled = |port: &Port| port.device_id.starts_with("dhcp") && port.device_id.ends_with(suffix.as_str());
    let retired = ports(op.tx.world(), network).filter(|port| scheduled(port) && !devices.contains(&port.device_id));
    retired.map(|port| port.id).collect()
}

fn provide_port(op: &mut Op<'_>, network_id: NetworkId, host: &HostName, subnets: &[SubnetId], parked: Option<PortId>) {
    let Some(network) = op.tx.get::<Network>(&network_id).cloned() else { return };
    let world = op.tx.world().clone();
    let before = port_of(&world, host, network_id).cloned();
    let mut port = match before.clone().or_else(|| parked.and_then(|id| world.get::<Port>(&id).cloned())) {
        Some(port) => Port::clone(&port),
        None => match new_port(op, &network) {
            Some(port) => port,
            None => return,
        },
    };
    port.binding.host = host.clone();
    let here: Vec<SubnetId> = subnets.iter().copied().filter(|id| is_reached(&world, host, &network, *id)).collect();
    address(op, &world, &mut port, &here);
    if port.fixed_ips.is_empty() {
        op.tx.remove::<Port>(&port.id);
        return;
    }
    if before.is_none() || !port.binding.is_bound() {
        port.device_id = device_id(host, network_id);
        port.binding.host = host.clone();
        rebind(&world, op.settings.get(), &mut port, &network);
    }
    let there = world.get::<Port>(&port.id);
    if there.is_none_or(|there| **there != port) {
        if there.is_some() {
            port.standard.touch(op.tx.context.now);
        }
        op.tx.put(port);
    }
}

fn new_port(op: &mut Op<'_>, network: &Network) -> Option<Port> {
    let world = op.tx.world().clone();
    let mac = generate_mac(world.table(), op.settings.get(), &mut op.tx.context.rng, network.id).ok()?;
    let standard = Standard { revision_number: 1, ..Standard::new(op.tx.context.now, SmolStr::default()) };
    let mut port = blank(PortId(op.tx.context.uuid()), network, network.project_id.clone(), mac, standard);
    port.device_owner = SmolStr::new_static(device_owner::DHCP);
    port.port_security_enabled = false;
    Some(port)
}

/// An address in each served subnet where one can be had, and the automatic ones. Exhausted pools do not fail the user's
/// request: the network is then served without an address there.
fn address(op: &mut Op<'_>, world: &World, port: &mut Port, subnets: &[SubnetId]) {
    let mut wanted: Vec<FixedIp> = port.fixed_ips.iter().filter(|ip| subnets.contains(&ip.subnet_id)).copied().collect();
    let keep = |ips: &[FixedIp]| -> Vec<Asked> {
        ips.iter().map(|ip| Asked { subnet_id: Some(ip.subnet_id), ip_address: Some(ip.ip_address) }).collect()
    };
    for subnet in subnets.iter().filter(|id| !port.fixed_ips.iter().any(|ip| ip.subnet_id == **id)) {
        let mut asked = keep(&wanted);
        asked.push(Asked { subnet_id: Some(*subnet), ip_address: None });
        if let Ok(addresses) = allocate(world, &mut op.tx.context.rng, port, Some(&asked)) {
            wanted = addresses.into_iter().filter(|ip| subnets.contains(&ip.subnet_id)).collect();
        }
    }
    let automatic = allocate(world, &mut op.tx.context.rng, port, Some(&keep(&wanted)));
    port.fixed_ips = automatic.unwrap_or(wanted);
}

/// A DHCP agent has come, or one by which hosts reach physical networks: networks that lack one now are given to it or its like.
pub(crate) fn schedule_waiting(op: &mut Op<'_>) {
    let wanted = op.settings.get::<Config>().dhcp_agents_per_network;
    let waiting = op.tx.table::<Network>().iter().filter(|network| network.dhcp_agents.len() < wanted);
    let waiting: Vec<NetworkId> = waiting.map(|network| network.id).collect();
    for network in waiting {
        if !served_subnets(op.tx.world(), network).is_empty() {
            schedule(op, network);
        }
    }
    schedule_routed(op);
}

/// Some segment may lack a DHCP server that has come.
fn schedule_routed(op: &mut Op<'_>) {
    let routed = op.tx.table::<Subnet>().iter().filter(|subnet| subnet.segment_id.is_some() && serves(subnet));
    let routed: BTreeSet<NetworkId> = routed.map(|subnet| subnet.network_id).collect();
    routed.into_iter().for_each(|network| schedule(op, network));
}

/// Takes an agent off its networks; each goes to another agent where there is one. Without one it stays where `keep` says so.
pub(crate) fn unschedule(op: &mut Op<'_>, agent: AgentId, keep: bool) {
    let networks: Vec<NetworkId> = op.tx.table::<Network>().ids(Network::BY_DHCP_AGENT, agent).copied().collect();
    let mut candidates = candidates(op.tx.world());
    for id in networks {
        let Some(network) = op.tx.get::<Network>(&id).cloned() else { continue };
        let config = op.settings.get::<Config>();
        let mut agents = network.dhcp_agents.clone();
        agents.retain(|there| *there != agent);
        if served_segments(op.tx.world(), id).iter().any(Option::is_some) {
            // Only some agents reach the segment that it served.
            op.tx.update::<Network>(&id, |network| network.dhcp_agents = agents);
            schedule(op, id);
            continue;
        }
        let zones = zones(config, &network.availability_zone_hints);
        let successor = if is_physical(&network) {
            let world = op.tx.world();
            let mut able = self::candidates(world);
            able.retain(|agent| is_on(world, agent, &network, None));
            able.choose(zones, &agents)
        } else {
            candidates.choose(zones, &agents)
        };
        if successor.is_none() && keep {
            continue;
        }
        agents.extend(successor.filter(|_| agents.len() < config.dhcp_agents_per_network));
        settle(op, id, agents);
        stop_waiting(op, id);
    }
}

/// An agent serves nothing any more, though it keeps its networks: their ports wait for it no longer.
pub(crate) fn pause(op: &mut Op<'_>, agent: AgentId) {
    let networks: Vec<NetworkId> = op.tx.table::<Network>().ids(Network::BY_DHCP_AGENT, agent).copied().collect();
    networks.into_iter().for_each(|network| stop_waiting(op, network));
}
