//! A router's gateways: its ports on external networks. The first is `external_gateway_info`, through which packets leave that go nowhere
//! else.

use super::delegation::{delegated, give_back};
use super::interface::check_overlap;
use super::kinds::AskedGateway;
use super::{RouterFault, interfaces};
use crate::Config;
use crate::ndp_proxy::check_unused_gateway;
use api::{Fault, Op};
use ml2::network;
use ml2::port::{Asked, ServicePort, create_service_port, readdress_service_port};
use model::{FloatingIp, Gateway, Port, PortStatus, Router, Subnet, device_owner};
use net::{NetworkId, PortId, ProjectId};
use smol_str::format_smolstr;
use std::sync::Arc;

/// Makes, moves or removes the first gateway. Without one the next is the first. The router need not be in the world yet.
pub(super) fn change(op: &mut Op<'_>, router: &mut Router, asked: Option<&AskedGateway>) -> Result<(), Fault> {
    let Some(asked) = asked else {
        if let Some(first) = router.gateway {
            leave(op, router, first, is_last(router, first))?;
            router.gateway = (!router.more_gateways.is_empty()).then(|| router.more_gateways.remove(0));
        }
        return Ok(());
    };
    check_external(op, asked.network_id)?;
    if let Some(former) = router.gateway.filter(|gateway| gateway.network_id != asked.network_id) {
        leave(op, router, former, is_last(router, former))?;
        router.gateway = None;
    }
    router.gateway = Some(settle(op, router, router.gateway, asked)?);
    Ok(())
}

/// No further gateway is on the same network.
fn is_last(router: &Router, first: Gateway) -> bool {
    router.more_gateways.iter().all(|gateway| gateway.network_id != first.network_id)
}

fn check_external(op: &Op<'_>, network: NetworkId) -> Result<(), Fault> {
    let network = network::visible(op.tx.world(), op.caller, network)?;
    if network.external { Ok(()) } else { Err(RouterFault::NotExternal(network.id).into()) }
}

/// A gateway as it is asked for, in place of one on the same network.
pub(super) fn settle(op: &mut Op<'_>, router: &Router, there: Option<Gateway>, asked: &AskedGateway) -> Result<Gateway, Fault> {
    let network_id = asked.network_id;
    check_external(op, network_id)?;
    let wanted = asked.external_fixed_ips.as_deref().filter(|ips| !ips.is_empty());
    check_addresses(op, network_id, wanted.unwrap_or_default())?;
    let enable_snat = asked.enable_snat.unwrap_or(op.settings.get::<Config>().enable_snat_by_default);
    let port_id = match there {
        Some(gateway) => {
            if let Some(wanted) = wanted {
                readdress_service_port(op, gateway.port_id, wanted)?;
            }
            gateway.port_id
        }
        None => enter(op, router, network_id, wanted)?,
    };
    Ok(Gateway { network_id, port_id, enable_snat })
}

/// The address of the next router outside is not a router's to have.
fn check_addresses(op: &Op<'_>, network: NetworkId, asked: &[Asked]) -> Result<(), RouterFault> {
    let mut gateways = op.tx.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter_map(|subnet| subnet.gateway_ip);
    let wanted = |address: &std::net::IpAddr| asked.iter().any(|ip| ip.ip_address == Some(*address));
    gateways.find(wanted).map_or(Ok(()), |address| Err(RouterFault::GatewayAddress(address)))
}

fn enter(op: &mut Op<'_>, router: &Router, network_id: NetworkId, fixed_ips: Option<&[Asked]>) -> Result<PortId, Fault> {
    let outside: Vec<Arc<Subnet>> = op.tx.table::<Subnet>().by(Subnet::BY_NETWORK, network_id).cloned().collect();
    // Several on one network have the same subnets.
    let elsewhere = router.gateways().filter(|gateway| gateway.network_id != network_id);
    let gateways = elsewhere.filter_map(|gateway| op.tx.get::<Port>(&gateway.port_id));
    let there: Vec<Arc<Port>> = interfaces(op.tx.world(), router.id).chain(gateways).cloned().collect();
    for subnet in &outside {
        check_overlap(op.tx.world(), there.iter(), subnet)?;
    }
    let port = ServicePort {
        network_id,
        project_id: ProjectId::default(),
        device_id: format_smolstr!("{}", router.id),
        device_owner: device_owner::ROUTER_GATEWAY,
        fixed_ips,
        status: PortStatus::Down,
    };
    create_service_port(op, &port)
}

/// The last gateway on a network stays while floating IPs go through it; the first of all, while addresses inside are reached by it.
pub(super) fn leave(op: &mut Op<'_>, router: &Router, gateway: Gateway, is_last: bool) -> Result<(), Fault> {
    if router.gateway == Some(gateway) {
        check_unused_gateway(op.tx.world(), router.id)?;
    }
    let is_needed = |floating_ip: &Arc<FloatingIp>| floating_ip.floating_network_id == gateway.network_id;
    if is_last && op.tx.table::<FloatingIp>().by(FloatingIp::BY_ROUTER, router.id).any(is_needed) {
        return Err(RouterFault::GatewayInUse(router.id, gateway.network_id).into());
    }
    // Prefixes are asked for on the first.
    if router.gateway == Some(gateway) {
        let behind = delegated(op.tx.world(), router.id);
        give_back(op, behind);
    }
    op.tx.remove::<Port>(&gateway.port_id);
    Ok(())
}
