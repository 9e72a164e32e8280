//! Which tracked connections to forget: those of an address or port that is no longer translated as it was.

use crate::netns;
use agent::{Cut, Intents};
use intent::{FloatingIpIntent, PortForwardingIntent, RouterIntent, Unit, UnitId};
use net::{Family, IpNet, RouterId};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

pub(crate) fn cuts(changed: &UnitId, before: Option<&Unit>, intents: &Intents) -> Vec<Cut> {
    match (changed, before) {
        (UnitId::Router(_), Some(Unit::Router(before))) => router(before, intents.router(before.id)),
        (UnitId::FloatingIp(..), Some(Unit::FloatingIp(before))) => {
            let now = intents.floating_ip(before.router_id, before.id);
            if now.is_some_and(|now| same(before, now)) { Vec::new() } else { floating_ip(before) }
        }
        (UnitId::PortForwarding(..), Some(Unit::PortForwarding(before))) => {
            let now = intents.port_forwarding(before.router_id, before.id);
            if now == Some(before) { Vec::new() } else { vec![forwarding(before)] }
        }
        _ => Vec::new(),
    }
}

/// What it tracks goes with its namespace. Otherwise an address that stood for others no longer does.
fn router(before: &RouterIntent, now: Option<&RouterIntent>) -> Vec<Cut> {
    let Some(now) = now else { return Vec::new() };
    let hides = |router: &RouterIntent| -> BTreeSet<IpAddr> {
        let first = router.gateway.iter().filter(|_| router.enable_snat);
        let further = router.further_gateways.iter().filter(|further| further.enable_snat).map(|further| &further.port);
        first.chain(further).filter_map(|port| port.addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4)).collect()
    };
    hides(before).difference(&hides(now)).map(|address| translated(now.id, *address)).collect()
}

fn same(before: &FloatingIpIntent, now: &FloatingIpIntent) -> bool {
    (before.floating_ip_address, before.fixed_ip_address) == (now.floating_ip_address, now.fixed_ip_address)
}

/// Those to it, and those from its instance.
fn floating_ip(before: &FloatingIpIntent) -> Vec<Cut> {
    vec![to(before.router_id, before.floating_ip_address), translated(before.router_id, before.floating_ip_address.into())]
}

fn forwarding(before: &PortForwardingIntent) -> Cut {
    let destination_ports = Some(before.external_ports);
    Cut { protocol: Some(before.protocol), destination_ports, ..to(before.router_id, before.floating_ip_address) }
}

fn all(router: RouterId) -> Cut {
    Cut::all(netns(router), 0, Family::V4)
}

fn to(router: RouterId, address: Ipv4Addr) -> Cut {
    Cut { destination: Some(IpAddr::from(address).into()), ..all(router) }
}

fn translated(router: RouterId, address: IpAddr) -> Cut {
    Cut { translated_source: Some(address.into()), ..all(router) }
}
