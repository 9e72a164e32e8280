//! What follows from a change of routers, floating IPs, port forwardings, NDP proxies and conntrack helpers, and from one of what routers are made of.

use super::{Gate, Gather, Sides};
use crate::project::{metadata, router};
use intent::UnitId;
use model::{ConntrackHelper, FloatingIp, FloatingIpStatus, NdpProxy, Network, Port, PortForwarding, Router, Subnet, SubnetPool};
use net::{FloatingIpId, HostName, NetworkId, RouterId};
use std::collections::BTreeSet;

impl Gather<'_> {
    pub(super) fn router(&mut self, router: &Sides<'_, Router>) {
        let Some(id) = router.iter().next().map(|r| r.id) else { return };
        let gateways = |r: &Router| (r.gateway, r.more_gateways.clone(), r.enable_default_route_ecmp, r.enable_default_route_bfd);
        let told = |r: &Router| (r.admin_state_up, gateways(r), r.routes.clone(), r.enable_ndp_proxy);
        if router.differ(|r| &r.agents) {
            self.whole_router(id);
        } else if router.differ(told) {
            self.router_unit(id);
        }
        if router.differ(|r| r.enable_ndp_proxy) {
            let proxies: BTreeSet<UnitId> = router::proxies(self.after, id).collect();
            proxies.into_iter().for_each(|key| self.behind_router(id, key));
        }
    }

    /// All that is known of a router, on the hosts that carried it and carry it now.
    pub(super) fn whole_router(&mut self, id: RouterId) {
        for world in [self.before.clone(), self.after.clone()] {
            let keys: BTreeSet<UnitId> = [self.before, self.after].into_iter().flat_map(|world| router::keys(world, id)).collect();
            if let Some(host) = router::router_host(&world, id) {
                keys.into_iter().for_each(|key| self.mark(host, key));
            }
        }
        self.metadata_gates(id);
    }

    /// The networks on which a router is or was, on the hosts that carry or carried it.
    fn metadata_gates(&mut self, id: RouterId) {
        let worlds = [self.before, self.after].into_iter();
        let networks: BTreeSet<NetworkId> = worlds.clone().flat_map(|world| metadata::networks_of(world, id)).collect();
        let hosts: BTreeSet<HostName> = worlds.filter_map(|world| router::router_host(world, id).cloned()).collect();
        for host in hosts {
            networks.iter().for_each(|network| self.gate(Gate::Metadata(*network, host.clone())));
        }
    }

    /// A router that moves is an entry of its own.
    fn router_unit(&mut self, id: RouterId) {
        self.behind_router(id, UnitId::Router(id));
    }

    fn behind_router(&mut self, router: RouterId, key: UnitId) {
        let world = self.after.clone();
        if let Some(host) = router::router_host(&world, router) {
            self.mark(host, key);
        }
    }

    /// A port of a router, on whichever side it is one.
    pub(super) fn router_port(&mut self, port: &Sides<'_, Port>) {
        let told = |p: &Port| (p.bound_host().cloned(), p.network_id, p.mac_address, p.fixed_ips.clone());
        if port.differ(told) || port.differ(|p| (&p.device_id, &p.device_owner)) {
            let routers: BTreeSet<RouterId> = port.iter().filter_map(l3::router::carried_by).collect();
            // A gateway is named by its router, whatever its port says of itself.
            for id in routers {
                self.router_unit(id);
                self.metadata_gates(id);
            }
            // Which of its routers asks for the prefix of a subnet may be another one now.
            if let Some(port) = port.iter().find(|port| l3::router::carried_by(port).is_some() && self.has_delegated(port)) {
                self.routers_on(port.network_id);
            }
        }
    }

    fn has_delegated(&self, port: &Port) -> bool {
        port.fixed_ips.iter().any(|ip| self.after.get::<Subnet>(&ip.subnet_id).is_some_and(|subnet| subnet.delegated))
    }

    pub(super) fn router_network(&mut self, network: &Sides<'_, Network>) {
        if network.differ(|n| (&n.segments, n.mtu)) {
            network.iter().for_each(|side| self.routers_on(side.id));
        }
    }

    pub(super) fn router_subnet(&mut self, subnet: &Sides<'_, Subnet>) {
        if subnet.differ(|s| (s.network_id, s.cidr, s.gateway_ip, s.ipv6_ra_mode, s.dns_nameservers.clone(), s.subnetpool_id)) {
            subnet.iter().for_each(|side| self.routers_on(side.network_id));
        }
    }

    /// The scope of a pool is that of the networks whose subnets are of it.
    pub(super) fn subnet_pool(&mut self, pool: &Sides<'_, SubnetPool>) {
        let Some(id) = pool.iter().next().map(|pool| pool.id) else { return };
        if pool.differ(|pool| pool.address_scope_id) {
            let networks: BTreeSet<NetworkId> = ml2::subnet_pool::in_use(self.after, id).map(|subnet| subnet.network_id).collect();
            networks.into_iter().for_each(|network| self.routers_on(network));
        }
    }

    pub(super) fn routers_on(&mut self, network: NetworkId) {
        for id in router::routers_on(self.after, network) {
            self.router_unit(id);
        }
    }

    pub(super) fn floating_ip(&mut self, floating_ip: &Sides<'_, FloatingIp>) {
        let Some(id) = floating_ip.iter().next().map(|f| f.id) else { return };
        let is_active = |f: &FloatingIp| f.status == FloatingIpStatus::Active;
        let woken = floating_ip.before.is_some_and(is_active) && floating_ip.after.is_some_and(|f| !is_active(f));
        let moved = floating_ip.differ(|f| (f.router_id, f.floating_ip_address));
        if !moved && !woken && !floating_ip.differ(|f| f.fixed_ip_address) {
            return;
        }
        let routers: BTreeSet<RouterId> = floating_ip.iter().filter_map(|f| f.router_id).collect();
        for router in routers {
            self.behind_router(router, UnitId::FloatingIp(router, id));
            if moved {
                self.forwardings(router, id);
            }
        }
    }

    fn forwardings(&mut self, router: RouterId, floating_ip: FloatingIpId) {
        let worlds = [self.before, self.after].into_iter();
        let keys: BTreeSet<UnitId> = worlds.flat_map(|world| router::forwardings(world, router, floating_ip)).collect();
        keys.into_iter().for_each(|key| self.behind_router(router, key));
    }

    pub(super) fn port_forwarding(&mut self, forwarding: &Sides<'_, PortForwarding>) {
        if !forwarding.differ(|f| (f.floatingip_id, f.protocol, f.external_ports, f.internal_ip_address, f.internal_ports)) {
            return;
        }
        for side in forwarding.iter() {
            for world in [self.before, self.after] {
                let router = world.get::<FloatingIp>(&side.floatingip_id).and_then(|floating_ip| floating_ip.router_id);
                if let Some(router) = router {
                    self.behind_router(router, UnitId::PortForwarding(router, side.id));
                }
            }
        }
    }

    pub(super) fn ndp_proxy(&mut self, proxy: &Sides<'_, NdpProxy>) {
        if proxy.differ(|p| (p.router_id, p.ip_address)) {
            proxy.iter().for_each(|side| self.behind_router(side.router_id, UnitId::NdpProxy(side.router_id, side.id)));
        }
    }

    /// The router is told whether it has any.
    pub(super) fn conntrack_helper(&mut self, helper: &Sides<'_, ConntrackHelper>) {
        if helper.differ(|h| (h.router_id, h.helper.clone(), h.protocol.clone(), h.port)) {
            for side in helper.iter() {
                self.router_unit(side.router_id);
                self.behind_router(side.router_id, UnitId::ConntrackHelper(side.router_id, side.id));
            }
        }
    }
}
