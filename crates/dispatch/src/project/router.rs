//! `router/…`, `floating-ip/…`, `port-forwarding/…`, `ndp-proxy/…` and `conntrack-helper/…` units.

use super::metadata;
use intent::{
    ConntrackHelperIntent, FloatingIpIntent, FurtherGateway, NdpProxyIntent, PortForwardingIntent, RaMode, Route, RouterIntent, RouterPort,
    RouterSubnet, Scopes, UnitId,
};
use l3::schedule::carrier_of;
use ml2::Config;
use ml2::address_scope::of_network;
use ml2::network::effective_mtu;
use model::{
    Agent, AgentType, ConntrackHelper, FloatingIp, Gateway, Ipv6Mode, NdpProxy, Network, Port, PortForwarding, Router, Subnet, device_owner,
};
use net::{ConntrackHelperId, Family, FloatingIpId, HostName, IpNet, NdpProxyId, NetworkId, PortForwardingId, RouterId, SubnetId};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;
use world::{Key, World};

/// Owners of routers' ports.
const OWNERS: [&str; 5] = [
    device_owner::ROUTER_INTERFACE,
    device_owner::ROUTER_INTERFACE_DISTRIBUTED,
    device_owner::HA_REPLICATED_INTERFACE,
    device_owner::ROUTER_SNAT,
    device_owner::ROUTER_GATEWAY,
];

pub(super) fn router(config: &Config, world: &World, host: &HostName, id: RouterId) -> Option<RouterIntent> {
    let router = carried(world, host, id)?;
    let there = |port: &&Arc<Port>| port.bound_host() == Some(host) && l3::router::carried_by(port) == Some(id);
    let gateway = |gateway: Gateway| world.get::<Port>(&gateway.port_id).filter(there);
    let outside = |port: &Port| world.table::<Subnet>().ids(Subnet::BY_NETWORK, port.network_id).copied().collect();
    let inside = |port: &Port| port.fixed_ips.iter().map(|ip| ip.subnet_id).collect();
    let interfaces = l3::router::interfaces(world, id).filter(there);
    let outer = |port: &Port| self::port(config, world, id, port, outside(port));
    let further = router
        .more_gateways
        .iter()
        .filter_map(|there| Some(FurtherGateway { port: outer(gateway(*there)?)?, enable_snat: there.enable_snat }));
    let routes = router.routes.iter().map(|route| Route { destination: route.destination, nexthop: route.nexthop });
    Some(RouterIntent {
        id,
        admin_state_up: router.admin_state_up,
        enable_snat: router.gateway.is_some_and(|gateway| gateway.enable_snat),
        gateway: router.gateway.and_then(gateway).and_then(|port| outer(port)),
        further_gateways: further.collect(),
        ecmp: router.enable_default_route_ecmp,
        bfd: router.enable_default_route_bfd,
        interfaces: interfaces.filter_map(|port| self::port(config, world, id, port, inside(port))).collect(),
        routes: routes.collect(),
        ndp_proxy: router.enable_ndp_proxy,
        conntrack_helpers: helpers(world, id).next().is_some(),
    })
}

fn port(config: &Config, world: &World, router: RouterId, port: &Port, subnets: BTreeSet<SubnetId>) -> Option<RouterPort> {
    let network = world.get::<Network>(&port.network_id)?;
    let subnet_of = |ip: &model::FixedIp| world.get::<Subnet>(&ip.subnet_id).filter(|subnet| !subnet.is_provisional());
    let address = |ip: &model::FixedIp| IpNet::new(ip.ip_address, subnet_of(ip)?.cidr.prefix_len()).ok();
    Some(RouterPort {
        port_id: port.id,
        network_id: port.network_id,
        mac: port.mac_address,
        mtu: effective_mtu(config, network),
        addresses: port.fixed_ips.iter().filter_map(address).collect(),
        subnets: subnets.iter().filter_map(|id| world.get::<Subnet>(id)).map(|subnet| self::subnet(world, router, subnet)).collect(),
        metadata_v6: metadata::link_local_port(world, port.network_id) == Some(port.id),
        scopes: Scopes { v4: of_network(world, port.network_id, Family::V4), v6: of_network(world, port.network_id, Family::V6) },
    })
}

fn subnet(world: &World, router: RouterId, subnet: &Subnet) -> RouterSubnet {
    let ra_mode = subnet.ipv6_ra_mode.map(|mode| match mode {
        Ipv6Mode::Slaac => RaMode::Slaac,
        Ipv6Mode::Dhcpv6Stateless => RaMode::Dhcpv6Stateless,
        Ipv6Mode::Dhcpv6Stateful => RaMode::Dhcpv6Stateful,
    });
    let dns_nameservers = if ra_mode.is_some() { subnet.dns_nameservers.clone() } else { Vec::new() };
    let delegated = l3::router::delegating(world, subnet) == Some(router);
    RouterSubnet { id: subnet.id, cidr: subnet.cidr, gateway_ip: subnet.gateway_ip, ra_mode, dns_nameservers, delegated }
}

/// The router, when the host's L3 agent carries it.
fn carried<'w>(world: &'w World, host: &HostName, id: RouterId) -> Option<&'w Arc<Router>> {
    world.get::<Router>(&id).filter(|router| carrier_of(world, router) == Some(host))
}

pub(super) fn floating_ip(world: &World, host: &HostName, router: RouterId, id: FloatingIpId) -> Option<FloatingIpIntent> {
    carried(world, host, router)?;
    let floating_ip = world.get::<FloatingIp>(&id).filter(|floating_ip| floating_ip.router_id == Some(router))?;
    Some(FloatingIpIntent {
        id,
        router_id: router,
        network_id: Some(floating_ip.floating_network_id),
        floating_ip_address: floating_ip.floating_ip_address,
        fixed_ip_address: floating_ip.fixed_ip_address,
    })
}

pub(super) fn port_forwarding(world: &World, host: &HostName, router: RouterId, id: PortForwardingId) -> Option<PortForwardingIntent> {
    carried(world, host, router)?;
    let forwarding = world.get::<PortForwarding>(&id)?;
    let floating_ip = world.get::<FloatingIp>(&forwarding.floatingip_id).filter(|floating_ip| floating_ip.router_id == Some(router))?;
    Some(PortForwardingIntent {
        id,
        router_id: router,
        floating_ip_id: floating_ip.id,
        floating_ip_address: floating_ip.floating_ip_address,
        protocol: forwarding.protocol.number(),
        external_ports: forwarding.external_ports,
        internal_ip_address: forwarding.internal_ip_address,
        internal_ports: forwarding.internal_ports,
    })
}

pub(super) fn ndp_proxy(world: &World, host: &HostName, router: RouterId, id: NdpProxyId) -> Option<NdpProxyIntent> {
    carried(world, host, router).filter(|router| router.enable_ndp_proxy)?;
    let proxy = world.get::<NdpProxy>(&id).filter(|proxy| proxy.router_id == router)?;
    Some(NdpProxyIntent { id, router_id: router, ip_address: proxy.ip_address })
}

pub(super) fn conntrack_helper(world: &World, host: &HostName, router: RouterId, id: ConntrackHelperId) -> Option<ConntrackHelperIntent> {
    carried(world, host, router)?;
    let helper = world.get::<ConntrackHelper>(&id).filter(|helper| helper.router_id == router)?;
    let protocol = match helper.protocol.as_str() {
        "tcp" => 6,
        "udp" => 17,
        _ => return None,
    };
    Some(ConntrackHelperIntent { id, router_id: router, helper: helper.helper.clone(), protocol, port: helper.port })
}

/// The keys of all that a host has of a router.
pub(crate) fn keys(world: &World, router: RouterId) -> impl Iterator<Item = UnitId> {
    let floating_ips = world.table::<FloatingIp>().ids(FloatingIp::BY_ROUTER, router);
    let behind = floating_ips.flat_map(move |id| std::iter::once(UnitId::FloatingIp(router, *id)).chain(forwardings(world, router, *id)));
    std::iter::once(UnitId::Router(router)).chain(behind).chain(proxies(world, router)).chain(helpers(world, router))
}

/// The keys of a router's NDP proxies.
pub(crate) fn proxies(world: &World, router: RouterId) -> impl Iterator<Item = UnitId> {
    world.table::<NdpProxy>().ids(NdpProxy::BY_ROUTER, router).map(move |id| UnitId::NdpProxy(router, *id))
}

fn helpers(world: &World, router: RouterId) -> impl Iterator<Item = UnitId> {
    world.table::<ConntrackHelper>().ids(ConntrackHelper::BY_ROUTER, router).map(move |id| UnitId::ConntrackHelper(router, *id))
}

/// The keys of a floating IP's port forwardings behind a router.
pub(crate) fn forwardings(world: &World, router: RouterId, floating_ip: FloatingIpId) -> impl Iterator<Item = UnitId> {
    let forwardings = world.table::<PortForwarding>().ids(PortForwarding::BY_FLOATING_IP, floating_ip);
    forwardings.map(move |id| UnitId::PortForwarding(router, *id))
}

/// The routers that are scheduled to a host's L3 agent, whether or not it is enabled.
pub(super) fn scheduled(world: &World, host: &HostName) -> BTreeSet<RouterId> {
    let agents = world.table::<Agent>().by(Agent::BY_HOST, host).filter(|agent| agent.agent_type == AgentType::L3);
    agents.flat_map(|agent| world.table::<Router>().ids(Router::BY_AGENT, agent.id).copied()).collect()
}

/// The host that carries a router.
pub(crate) fn router_host(world: &World, id: RouterId) -> Option<&HostName> {
    carrier_of(world, world.get::<Router>(&id)?)
}

/// The routers with a port on a network, their gateways' included.
pub(crate) fn routers_on(world: &World, network: NetworkId) -> BTreeSet<RouterId> {
    let owned = |owner: &'static str| Key::TextUuid(SmolStr::new_static(owner), network.0);
    let ports = OWNERS.iter().flat_map(|owner| world.table::<Port>().by(Port::BY_OWNER, owned(owner)));
    let outside = world.table::<Router>().ids(Router::BY_EXTERNAL_NETWORK, network).copied();
    ports.filter_map(|port| l3::router::carried_by(port)).chain(outside).collect()
}
