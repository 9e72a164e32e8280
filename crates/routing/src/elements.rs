//! `floating-ip/…`, `port-forwarding/…` and `ndp-proxy/…`: their elements in the maps and sets of their router, and the address that
//! its gateway has or answers for.

use crate::{gateway_link, netns, pipeline, refused};
use agent::{Compiled, Intents};
use dataplane::nft::{Data, Key};
use dataplane::{Address, Name, NeighbourProxy};
use intent::{FloatingIpIntent, NdpProxyIntent, PortForwardingIntent, UnitId};
use net::{IpNet, NetworkId, RouterId};
use std::net::IpAddr;

/// The protocols that have ports to forward: TCP, UDP and SCTP.
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// The link of the router's gateway on a network, the first of those there, or of the first of all, and the map of its floating IPs; or
/// why there is none.
fn gateway(router: RouterId, network: Option<NetworkId>, intents: &Intents) -> Result<(Name, Name), String> {
    let router = intents.router(router).ok_or_else(|| format!("its router {router} was not told"))?;
    let found = pipeline::gateways(router).find(|port| network.is_none_or(|network| network == port.network_id));
    let port = found.ok_or_else(|| format!("its router {} has no gateway", router.id))?;
    Ok((gateway_link(port.port_id), pipeline::fixed(router, port)))
}

pub(crate) fn floating_ip(floating_ip: &FloatingIpIntent, intents: &Intents) -> Compiled {
    let unit = UnitId::FloatingIp(floating_ip.router_id, floating_ip.id);
    let (link, by_fixed) = match gateway(floating_ip.router_id, floating_ip.network_id, intents) {
        Ok(found) => found,
        Err(reason) => return refused(unit, reason),
    };
    let address = floating_ip.floating_ip_address;
    let mut compiled = Compiled { realises: vec![unit], ..Compiled::default() };
    let space = compiled.program.netns(&netns(floating_ip.router_id));
    space.addresses.insert(Address::new(link, IpNet::from(IpAddr::from(address))));
    if let Some(fixed) = floating_ip.fixed_ip_address {
        let table = space.tables.entry(pipeline::table()).or_default();
        table.element(pipeline::FLOATING, address, Some(Data::from(fixed)));
        table.element(by_fixed, fixed, Some(Data::from(address)));
    }
    compiled
}

pub(crate) fn forwarding(forwarding: &PortForwardingIntent, intents: &Intents) -> Compiled {
    let unit = UnitId::PortForwarding(forwarding.router_id, forwarding.id);
    if let Err(reason) = gateway(forwarding.router_id, None, intents) {
        return refused(unit, reason);
    }
    let ((first, last), (inside, inside_last)) = (forwarding.external_ports, forwarding.internal_ports);
    if !WITH_PORTS.contains(&forwarding.protocol) {
        return refused(unit, format!("protocol {} has no ports to forward", forwarding.protocol));
    }
    if first > last || inside > inside_last || last - first != inside_last - inside {
        return refused(unit, format!("ports {first}-{last} cannot become {inside}-{inside_last}"));
    }
    let mut compiled = Compiled { realises: vec![unit], ..Compiled::default() };
    let space = compiled.program.netns(&netns(forwarding.router_id));
    let table = space.tables.entry(pipeline::table()).or_default();
    for (outside, inside) in (first..=last).zip(inside..=inside_last) {
        let key = Key::from((forwarding.protocol, forwarding.floating_ip_address, outside));
        table.element(pipeline::FORWARDED, key, Some(Data::Service(forwarding.internal_ip_address, inside)));
    }
    compiled
}

pub(crate) fn ndp_proxy(proxy: &NdpProxyIntent, intents: &Intents) -> Compiled {
    let unit = UnitId::NdpProxy(proxy.router_id, proxy.id);
    let link = match gateway(proxy.router_id, None, intents) {
        Ok((link, _)) => link,
        Err(reason) => return refused(unit, reason),
    };
    if !intents.router(proxy.router_id).is_some_and(|router| router.ndp_proxy) {
        return refused(unit, format!("its router {} has no NDP proxies", proxy.router_id));
    }
    let mut compiled = Compiled { realises: vec![unit], ..Compiled::default() };
    let space = compiled.program.netns(&netns(proxy.router_id));
    space.proxies.insert(NeighbourProxy { link, address: proxy.ip_address });
    space.tables.entry(pipeline::table()).or_default().element(pipeline::PROXIED, proxy.ip_address, None);
    compiled
}
