//! Create, update and delete of subnets.

use super::SubnetFault;
use super::prefix::{Prefix, check_affinity, choose};
use super::routed;
use super::validate::{check_cidr, check_pools, default_gateway, default_pools, validate};
use crate::network::{NetworkFault, check_minimum, effective_mtu};
use crate::port::{is_auto_deleted, is_router_port};
use crate::{Config, dhcp};
use api::{Fault, Fields, Op};
use model::{AllocationPool, FixedIp, Network, Port, Standard, Subnet};
use net::{Family, IpNet, NetworkId, PortId, ProjectId, SegmentId, SubnetId, eui64, first_address, offset};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;
use world::{Key, World};

/// Creates one from fields in their canonical form.
pub fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SubnetId, Fault> {
    let network_id: NetworkId = fields.typed("network_id").expect("a required attribute");
    let network = op.tx.get::<Network>(&network_id).cloned().ok_or(NetworkFault::NotFound(network_id))?;
    let prefix = choose(op, fields)?;
    let cidr = prefix.cidr;
    let id = SubnetId(op.tx.context.uuid());
    let subnet = build(op, fields, id, network_id, &prefix);
    if !subnet.is_provisional() {
        check_cidr(&cidr, fields.typed("ip_version").expect("a required attribute"))?;
    }
    let config = op.settings.get::<Config>();
    validate(config, &subnet, None)?;
    if sorted_pools(fields).is_some_and(|pools| !pools.is_empty()) {
        check_pools(&subnet)?;
    }
    if !subnet.is_provisional() {
        check_overlap(op.tx.world(), network_id, &cidr, None)?;
    }
    check_affinity(op.tx.world(), network_id, &prefix)?;
    check_minimum(network_id, effective_mtu(config, &network), std::iter::once(subnet.family()))?;
    check_service_types(&subnet.service_types)?;
    routed::check_new(op.tx.world(), &network, subnet.segment_id)?;
    let automatic = subnet.is_auto_address().then_some(subnet.cidr);
    op.tx.put(subnet);
    touch_network(op, network_id);
    routed::peer_routes(op, network_id, None);
    if let Some(prefix) = automatic {
        add_automatic_addresses(op, network_id, id, &prefix);
    }
    dhcp::schedule(op, network_id);
    Ok(id)
}

fn build(op: &Op<'_>, fields: &Fields, id: SubnetId, network_id: NetworkId, prefix: &Prefix) -> Subnet {
    let cidr = prefix.cidr;
    let gateway_ip = match fields.typed::<Option<IpAddr>>("gateway_ip") {
        Some(given) => given,
        None if prefix.delegated => offset(&first_address(&cidr), 1),
        None => Some(default_gateway(&cidr)),
    };
    Subnet {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        network_id,
        name: fields.text("name").unwrap_or_default(),
        cidr,
        subnetpool_id: prefix.pool.as_ref().map(|pool| pool.id),
        delegated: prefix.delegated,
        gateway_ip,
        allocation_pools: sorted_pools(fields).filter(|pools| !pools.is_empty()).unwrap_or_else(|| default_pools(&cidr, gateway_ip)),
        enable_dhcp: fields.bool("enable_dhcp").unwrap_or(true),
        dns_nameservers: fields.typed("dns_nameservers").unwrap_or_default(),
        host_routes: fields.typed("host_routes").unwrap_or_default(),
        ipv6_ra_mode: fields.typed::<Option<_>>("ipv6_ra_mode").flatten(),
        ipv6_address_mode: fields.typed::<Option<_>>("ipv6_address_mode").flatten(),
        service_types: fields.typed::<Option<_>>("service_types").flatten().unwrap_or_default(),
        segment_id: fields.typed::<Option<_>>("segment_id").flatten(),
        dns_publish_fixed_ip: fields.bool("dns_publish_fixed_ip").unwrap_or_default(),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    }
}

fn sorted_pools(fields: &Fields) -> Option<Vec<AllocationPool>> {
    let mut pools: Vec<AllocationPool> = fields.typed("allocation_pools")?;
    pools.sort_unstable();
    Some(pools)
}

/// No other subnet of the network has addresses of the prefix; `own` is the subnet when it is there already.
pub(super) fn check_overlap(world: &World, network: NetworkId, cidr: &IpNet, own: Option<SubnetId>) -> Result<(), SubnetFault> {
    let others = |subnet: &&Arc<Subnet>| Some(subnet.id) != own && !subnet.is_provisional();
    let mut there = world.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter(others);
    let overlaps = |other: &IpNet| cidr.contains(&first_address(other)) || other.contains(&first_address(cidr));
    if there.any(|subnet| overlaps(&subnet.cidr)) { Err(SubnetFault::Overlap(*cidr, network)) } else { Ok(()) }
}

pub(super) fn touch_network(op: &mut Op<'_>, network: NetworkId) {
    let now = op.tx.context.now;
    op.tx.update::<Network>(&network, |network| network.standard.touch(now));
}

/// Ports that were there before an automatically addressed subnet get their address in it; routers' do not.
fn add_automatic_addresses(op: &mut Op<'_>, network: NetworkId, subnet: SubnetId, prefix: &IpNet) {
    let ports = op.tx.table::<Port>().by(Port::BY_NETWORK, network).filter(|port| !is_router_port(port));
    let ports: Vec<PortId> = ports.map(|port| port.id).collect();
    let now = op.tx.context.now;
    for id in ports {
        op.tx.update::<Port>(&id, |port| {
            if let Some(ip_address) = eui64(prefix, port.mac_address) {
                port.fixed_ips.push(FixedIp { subnet_id: subnet, ip_address });
                port.standard.touch(now);
            }
        });
    }
}

pub(super) fn update(op: &mut Op<'_>, subnet: &Arc<Subnet>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Subnet::clone(subnet);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(gateway) = fields.typed::<Option<IpAddr>>("gateway_ip") {
        if gateway != subnet.gateway_ip {
            check_gateway_unused(op.tx.world(), subnet)?;
        }
        new.gateway_ip = gateway;
    }
    if let Some(pools) = sorted_pools(fields) {
        new.allocation_pools = pools;
    }
    if let Some(enable) = fields.bool("enable_dhcp") {
        new.enable_dhcp = enable;
    }
    if let Some(publish) = fields.bool("dns_publish_fixed_ip") {
        new.dns_publish_fixed_ip = publish;
    }
    if let Some(servers) = fields.typed("dns_nameservers") {
        new.dns_nameservers = servers;
    }
    if let Some(routes) = fields.typed("host_routes") {
        new.host_routes = routes;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if let Some(types) = fields.typed::<Option<Vec<SmolStr>>>("service_types") {
        new.service_types = types.unwrap_or_default();
        check_service_types(&new.service_types)?;
    }
    if let Some(segment) = fields.typed::<Option<SegmentId>>("segment_id") {
        routed::check_moved(op.tx.world(), subnet, segment)?;
        new.segment_id = segment;
    }
    if new == **subnet {
        return Ok(());
    }
    validate(op.settings.get::<Config>(), &new, Some(new.id))?;
    if fields.has("gateway_ip") || fields.has("allocation_pools") {
        check_pools(&new)?;
    }
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
    routed::peer_routes(op, subnet.network_id, Some(subnet));
    dhcp::schedule(op, subnet.network_id);
    Ok(())
}

/// Types are owners of ports, by the prefixes that the reference takes for such.
fn check_service_types(types: &[SmolStr]) -> Result<(), SubnetFault> {
    let is_owner = |word: &SmolStr| {
        ["network:", "neutron:"].iter().any(|prefix| word.starts_with(prefix)) || word.starts_with(['c', 'o', 'm', 'p', 'u', 't', 'e', ':'])
    };
    types.iter().find(|word| !is_owner(word)).map_or(Ok(()), |word| Err(SubnetFault::ServiceType(word.clone())))
}

/// The gateway address stays while a router's port has it.
fn check_gateway_unused(world: &World, subnet: &Subnet) -> Result<(), SubnetFault> {
    let Some(gateway) = subnet.gateway_ip else { return Ok(()) };
    let mut holders = world.table::<Port>().by(Port::BY_ADDRESS, Key::Address(subnet.id.0, gateway));
    match holders.find(|port| is_router_port(port)) {
        Some(port) => Err(SubnetFault::GatewayInUse(gateway, port.id)),
        None => Ok(()),
    }
}

/// Removes the subnet, when only ports that belong to the network itself, or automatic addresses of others, are in it.
pub(super) fn delete(op: &mut Op<'_>, subnet: &Arc<Subnet>) -> Result<(), Fault> {
    let holders: Vec<Arc<Port>> = holders(op.tx.world(), subnet);
    let blocks = |port: &Port| if subnet.is_auto_address() { is_router_port(port) } else { !is_auto_deleted(port) };
    if holders.iter().any(|port| blocks(port)) {
        return Err(SubnetFault::InUse(subnet.id).into());
    }
    drop_addresses(op, &holders, |ip| ip.subnet_id == subnet.id);
    op.tx.remove::<Subnet>(&subnet.id);
    touch_network(op, subnet.network_id);
    routed::peer_routes(op, subnet.network_id, Some(subnet));
    dhcp::schedule(op, subnet.network_id);
    Ok(())
}

/// The ports with an address in the subnet, up to the first that is enough to refuse its removal.
fn holders(world: &World, subnet: &Subnet) -> Vec<Arc<Port>> {
    let ports = world.table::<Port>();
    let unspecified = match subnet.family() {
        Family::V4 => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    };
    let keys = ports.walk(Port::BY_ADDRESS, Key::Address(subnet.id.0, unspecified));
    let ids = keys.take_while(|(key, _)| matches!(key, Key::Address(id, _) if *id == subnet.id.0)).map(|(_, id)| id);
    let mut enough = false;
    let until_blocked = ids.map_while(|id| {
        let port = ports.get(id).filter(|_| !enough)?;
        enough = !subnet.is_auto_address() && !is_auto_deleted(port);
        Some(port.clone())
    });
    until_blocked.collect()
}

/// Takes addresses away from ports.
fn drop_addresses(op: &mut Op<'_>, ports: &[Arc<Port>], which: impl Fn(&FixedIp) -> bool) {
    let now = op.tx.context.now;
    for port in ports {
        op.tx.update::<Port>(&port.id, |port| {
            port.fixed_ips.retain(|ip| !which(ip));
            port.standard.touch(now);
        });
    }
}
