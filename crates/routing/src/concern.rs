//! Which program units there are, and which a change touches.

use crate::bfd;
use crate::conntrack_helpers::rivals;
use crate::{floating_ip_unit, forwarding_unit, helper_unit, proxy_unit, router_unit};
use agent::Intents;
use dataplane::UnitKey;
use intent::{Unit, UnitId};
use net::{PortId, RouterId};
use std::collections::BTreeSet;

pub(crate) fn units(intents: &Intents) -> BTreeSet<UnitKey> {
    let process = intents.routers().any(bfd::is_watching).then(bfd::unit);
    intents.iter().filter_map(|(id, _)| own(id)).chain(process).collect()
}

/// The program unit that an intent is the heart of.
fn own(id: &UnitId) -> Option<UnitKey> {
    match *id {
        UnitId::Router(router) => Some(router_unit(router)),
        UnitId::FloatingIp(router, id) => Some(floating_ip_unit(router, id)),
        UnitId::PortForwarding(router, id) => Some(forwarding_unit(router, id)),
        UnitId::NdpProxy(router, id) => Some(proxy_unit(router, id)),
        UnitId::ConntrackHelper(router, id) => Some(helper_unit(router, id)),
        _ => None,
    }
}

pub(crate) fn concerned(changed: &UnitId, before: Option<&Unit>, intents: &Intents) -> BTreeSet<UnitKey> {
    let mut units: BTreeSet<UnitKey> = own(changed).into_iter().collect();
    if let UnitId::Router(router) = *changed {
        let before = if let Some(Unit::Router(before)) = before { Some(before) } else { None };
        let sides = [before, intents.router(router)];
        units.extend(sides.into_iter().flatten().any(bfd::is_watching).then(bfd::unit));
        // Another gateway is another link: what is on it is put there anew.
        let gateway = |router: Option<&intent::RouterIntent>| -> Option<(Option<PortId>, Vec<PortId>, [bool; 2])> {
            let further = |router: &intent::RouterIntent| router.further_gateways.iter().map(|further| further.port.port_id).collect();
            router.map(|router| {
                (router.gateway.as_ref().map(|port| port.port_id), further(router), [router.ndp_proxy, router.conntrack_helpers])
            })
        };
        if gateway(before) != gateway(intents.router(router)) {
            units.extend(of_router(router, intents));
        }
    }
    // Another for the same connections gets them now, or loses them.
    if let UnitId::ConntrackHelper(router, id) = *changed {
        let before = if let Some(Unit::ConntrackHelper(before)) = before { Some(before) } else { None };
        let sides = before.into_iter().chain(intents.conntrack_helper(router, id));
        units.extend(sides.flat_map(|helper| rivals(helper, intents)).map(|other| helper_unit(router, other.id)));
    }
    units
}

/// The units of its floating IPs, their port forwardings, its NDP proxies and conntrack helpers.
fn of_router(router: RouterId, intents: &Intents) -> impl Iterator<Item = UnitKey> {
    let floating_ips = intents.floating_ips(router).map(move |floating_ip| floating_ip_unit(router, floating_ip.id));
    let forwardings = intents.port_forwardings(router).map(move |forwarding| forwarding_unit(router, forwarding.id));
    let helpers = intents.conntrack_helpers(router).map(move |helper| helper_unit(router, helper.id));
    floating_ips.chain(forwardings).chain(intents.ndp_proxies(router).map(move |proxy| proxy_unit(router, proxy.id))).chain(helpers)
}
