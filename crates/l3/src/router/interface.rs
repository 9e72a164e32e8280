//! A router's interfaces: its ports on the networks that it joins.

use super::delegation::{delegated, give_back};
use super::mode::interface_owner;
use super::{RouterFault, interfaces, ports, subnets_of};
use crate::ndp_proxy::check_unused_subnet;
use crate::schedule::schedule;
use api::{Fault, Op, Outcome, python, schema};
use auth::Caller;
use ml2::network;
use ml2::port::{Asked, PortFault, ServicePort, create_service_port, readdress_service_port};
use model::{FloatingIp, Network, Port, PortForwarding, PortStatus, Router, Subnet};
use net::{Family, IpNet, NetworkId, PortId, RouterId, SubnetId, first_address};
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;
use world::World;

/// What a request names.
struct Named {
    port: Option<PortId>,
    subnet: Option<SubnetId>,
}

/// The body of both actions.
pub(super) fn form() -> Value {
    schema::either(schema::wrapped("subnet_id", schema::uuid()), schema::wrapped("port_id", schema::uuid()))
}

fn named(body: &Map<String, Value>) -> Result<Named, RouterFault> {
    let id = |name: &str| -> Result<Option<Uuid>, RouterFault> {
        let Some(value) = body.get(name) else { return Ok(None) };
        let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        id.map(Some).ok_or_else(|| RouterFault::NotUuid(python::text(value)))
    };
    let named = Named { port: id("port_id")?.map(PortId), subnet: id("subnet_id")?.map(SubnetId) };
    if named.port.is_none() && named.subnet.is_none() { Err(RouterFault::NeitherId) } else { Ok(named) }
}

/// The answer to both actions.
fn answer(router: &Router, port: PortId, network: NetworkId, subnets: &[SubnetId]) -> Outcome {
    Outcome::Document(json!({
        "id": router.id,
        "tenant_id": router.project_id,
        "project_id": router.project_id,
        "port_id": port,
        "network_id": network,
        "subnet_id": subnets.last(),
        "subnet_ids": subnets,
    }))
}

fn touch(op: &mut Op<'_>, router: RouterId) {
    let now = op.tx.context.now;
    op.tx.update::<Router>(&router, |router| router.standard.touch(now));
}

pub(crate) fn add(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let (port, network, subnets) = match named(body)? {
        Named { port: Some(_), subnet: Some(_) } => return Err(RouterFault::BothIds.into()),
        Named { port: Some(port), .. } => by_port(op, router, port)?,
        Named { subnet, .. } => by_subnet(op, router, subnet.ok_or(RouterFault::NeitherId)?)?,
    };
    touch(op, router.id);
    schedule(op, router.id);
    Ok(answer(router, port, network, &subnets))
}

type Added = (PortId, NetworkId, Vec<SubnetId>);

/// True when the caller may join the network: its own, a shared one, or any for administrators.
fn may_join(world: &World, caller: &Caller, network: &Network) -> bool {
    caller.is_admin || caller.owns(network.project_id.as_str()) || network::is_shared(world, caller, network)
}

fn by_port(op: &mut Op<'_>, router: &Router, id: PortId) -> Result<Added, Fault> {
    let world = op.tx.world().clone();
    let may = |port: &Port| {
        let network = world.get::<Network>(&port.network_id);
        op.caller.is_admin || op.caller.owns(port.project_id.as_str()) || network.is_some_and(|n| op.caller.owns(n.project_id.as_str()))
    };
    let port = world.get::<Port>(&id).filter(|port| may(port)).ok_or(RouterFault::PortNotFound(id))?;
    if !port.device_id.is_empty() {
        return Err(PortFault::InUse(id, port.network_id, port.device_id.clone()).into());
    }
    if port.fixed_ips.is_empty() {
        return Err(RouterFault::PortWithoutAddress.into());
    }
    if port.fixed_ips.iter().filter(|ip| ip.ip_address.is_ipv4()).count() > 1 {
        return Err(RouterFault::SeveralIpv4.into());
    }
    let there: Vec<Arc<Port>> = ports(&world, router.id).cloned().collect();
    let mut subnets = Vec::new();
    for subnet in subnets_of(&world, port) {
        check_advertisements(subnet)?;
        check_overlap(&world, there.iter(), subnet)?;
        subnets.push(subnet.id);
    }
    let now = op.tx.context.now;
    op.tx.update::<Port>(&id, |port| {
        port.device_id = format_smolstr!("{}", router.id);
        port.device_owner = SmolStr::new_static(interface_owner(router));
        port.security_groups.clear();
        port.allowed_address_pairs.clear();
        port.port_security_enabled = false;
        port.standard.touch(now);
    });
    Ok((id, port.network_id, subnets))
}

fn by_subnet(op: &mut Op<'_>, router: &Router, id: SubnetId) -> Result<Added, Fault> {
    let world = op.tx.world().clone();
    let may = |subnet: &Subnet| world.get::<Network>(&subnet.network_id).is_some_and(|network| may_join(&world, op.caller, network));
    let subnet = world.get::<Subnet>(&id).filter(|subnet| may(subnet)).ok_or(RouterFault::SubnetNotFound(id))?;
    let gateway = subnet.gateway_ip.ok_or(RouterFault::NoGatewayIp)?;
    check_advertisements(subnet)?;
    let there: Vec<Arc<Port>> = ports(&world, router.id).cloned().collect();
    check_overlap(&world, there.iter(), subnet)?;
    let asked = Asked { subnet_id: Some(id), ip_address: Some(gateway) };
    let joined = interfaces(&world, router.id).find(|port| subnet.family() == Family::V6 && has_ipv6(port, subnet.network_id));
    if let Some(port) = joined {
        let mut asked = vec![asked];
        asked.extend(port.fixed_ips.iter().map(keep));
        readdress_service_port(op, port.id, &asked)?;
        return Ok((port.id, subnet.network_id, vec![id]));
    }
    let wanted = ServicePort {
        network_id: subnet.network_id,
        project_id: router.project_id.clone(),
        device_id: format_smolstr!("{}", router.id),
        device_owner: interface_owner(router),
        fixed_ips: Some(&[asked]),
        status: PortStatus::Down,
    };
    Ok((create_service_port(op, &wanted)?, subnet.network_id, vec![id]))
}

fn keep(ip: &model::FixedIp) -> Asked {
    Asked { subnet_id: Some(ip.subnet_id), ip_address: Some(ip.ip_address) }
}

/// All IPv6 subnets of a network are on one port of the router.
fn has_ipv6(port: &Port, network: NetworkId) -> bool {
    port.network_id == network && port.fixed_ips.iter().any(|ip| ip.ip_address.is_ipv6())
}

/// Hosts that configure themselves by advertisements of another router do not see this one.
fn check_advertisements(subnet: &Subnet) -> Result<(), RouterFault> {
    let foreign = subnet.family() == Family::V6 && subnet.ipv6_ra_mode.is_none() && subnet.ipv6_address_mode.is_some();
    if foreign { Err(RouterFault::ForeignAdvertisements(subnet.id)) } else { Ok(()) }
}

pub(super) fn overlaps(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&first_address(b)) || b.contains(&first_address(a))
}

/// A router's subnets must be told apart by their addresses.
pub(super) fn check_overlap<'p>(world: &World, mut there: impl Iterator<Item = &'p Arc<Port>>, subnet: &Subnet) -> Result<(), RouterFault> {
    there.try_for_each(|port| {
        subnets_of(world, port).try_for_each(|other| {
            if other.id == subnet.id {
                return Err(RouterFault::Attached(subnet.id));
            }
            if !subnet.is_provisional() && !other.is_provisional() && overlaps(&other.cidr, &subnet.cidr) {
                return Err(RouterFault::Overlap((subnet.cidr, subnet.id), (other.cidr, other.id)));
            }
            Ok(())
        })
    })
}

pub(crate) fn remove(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let named = named(body)?;
    let (port, subnets) = find(op.tx.world(), router.id, &named)?;
    for subnet in &subnets {
        check_unused(op.tx.world(), router, *subnet)?;
    }
    let given = delegated(op.tx.world(), router.id);
    let stays: Vec<Asked> = port.fixed_ips.iter().filter(|ip| !subnets.contains(&ip.subnet_id)).map(keep).collect();
    if stays.is_empty() {
        op.tx.remove::<Port>(&port.id);
    } else {
        readdress_service_port(op, port.id, &stays)?;
    }
    give_back(op, given.into_iter().filter(|subnet| subnets.contains(subnet)));
    touch(op, router.id);
    Ok(answer(router, port.id, port.network_id, &subnets))
}

/// The port that a request names, and the subnets that it is to leave: by port all, by subnet that one.
fn find(world: &World, router: RouterId, named: &Named) -> Result<(Arc<Port>, Vec<SubnetId>), RouterFault> {
    let in_subnet = |port: &Port, id: SubnetId| port.fixed_ips.iter().any(|ip| ip.subnet_id == id);
    if let Some(id) = named.port {
        let port = interfaces(world, router).find(|port| port.id == id).ok_or(RouterFault::InterfaceNotFound(router, id))?;
        if let Some(subnet) = named.subnet.filter(|subnet| !in_subnet(port, *subnet)) {
            return Err(RouterFault::SubnetMismatch(id, subnet));
        }
        return Ok((port.clone(), port.fixed_ips.iter().map(|ip| ip.subnet_id).collect()));
    }
    let id = named.subnet.ok_or(RouterFault::NeitherId)?;
    if world.get::<Subnet>(&id).is_none() {
        return Err(RouterFault::SubnetNotFound(id));
    }
    let port = interfaces(world, router).find(|port| in_subnet(port, id));
    Ok((port.ok_or(RouterFault::InterfaceNotFoundForSubnet(router, id))?.clone(), vec![id]))
}

/// Floating IPs, port forwardings, NDP proxies and extra routes keep the interface that they need.
fn check_unused(world: &World, router: &Router, id: SubnetId) -> Result<(), Fault> {
    let Some(subnet) = world.get::<Subnet>(&id) else { return Ok(()) };
    check_unused_subnet(world, router.id, subnet)?;
    let forwards = |floating_ip: &FloatingIp| {
        let mut forwardings = world.table::<PortForwarding>().by(PortForwarding::BY_FLOATING_IP, floating_ip.id);
        forwardings.any(|forwarding| subnet.cidr.contains(&forwarding.internal_ip()))
    };
    let leads = |floating_ip: &FloatingIp| floating_ip.fixed_ip_address.is_some_and(|ip| subnet.cidr.contains(&IpAddr::V4(ip)));
    let mut floating_ips = world.table::<FloatingIp>().by(FloatingIp::BY_ROUTER, router.id);
    if floating_ips.any(|floating_ip| leads(floating_ip) || forwards(floating_ip)) {
        return Err(RouterFault::InterfaceInUseByFloatingIp(router.id, id).into());
    }
    if router.routes.iter().any(|route| subnet.cidr.contains(&route.nexthop)) {
        return Err(RouterFault::InterfaceInUseByRoute(router.id, id).into());
    }
    Ok(())
}
