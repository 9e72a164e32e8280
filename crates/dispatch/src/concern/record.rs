//! What follows from a change of each kind of record.

use super::{Gate, Gather, Sides};
use crate::project::{dhcp, group, metadata, network, resolve};
use intent::UnitId;
use model::{AddressGroup, Agent, AgentType, Network, Port, Router, SecurityGroup, SecurityGroupRule, Subnet, device_owner};
use net::{HostName, NetworkId, PortId, RouterId, SecurityGroupId, SubnetId};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use world::{Key, World};

impl Gather<'_> {
    pub(super) fn port(&mut self, port: &Sides<'_, Port>) {
        let wiring = |p: &Port| {
            let standby: Vec<_> = p.standby.iter().map(|s| (s.binding.is_bound(), s.binding.host.clone(), s.binding.segment)).collect();
            (p.bound_host().cloned(), p.binding.segment, standby, p.network_id, p.mac_address, p.admin_state_up, p.port_security_enabled)
        };
        let filtering =
            |p: &Port| (p.security_groups.clone(), p.fixed_ips.clone(), p.allowed_address_pairs.clone(), p.device_owner.clone());
        let woken = |needs: fn(&Port) -> bool| port.after.is_some_and(needs) && !port.before.is_some_and(needs);
        if port.differ(wiring) || port.differ(filtering) || woken(|p| p.provisioning.l2) {
            self.bound_port(port);
        }
        if port.differ(wiring) || port.differ(|p| &p.fixed_ips) {
            self.remote_port(port);
        }
        self.member(port);
        let client = |p: &Port| (p.network_id, p.mac_address, p.fixed_ips.clone(), p.extra_dhcp_opts.clone(), p.device_owner.clone());
        if port.differ(client) || port.differ(|p| (&p.dns_name, &p.dns_domain)) || woken(|p| p.provisioning.dhcp) {
            self.dhcp_client(port);
        }
        let asking = |p: &Port| (p.network_id, p.mac_address, p.fixed_ips.clone(), p.device_id.clone(), p.device_owner.clone());
        if port.differ(asking) || port.differ(|p| &p.project_id) {
            self.metadata_client(port);
        }
        if port.iter().any(|p| p.device_owner == device_owner::DHCP) && (port.differ(wiring) || port.differ(filtering)) {
            for side in port.iter() {
                if let Some(host) = side.bound_host() {
                    self.gate(Gate::Dhcp(side.network_id, host.clone()));
                }
            }
        }
    }

    fn bound_port(&mut self, port: &Sides<'_, Port>) {
        for side in port.iter() {
            for host in side.hosts() {
                self.mark(host, UnitId::Port(side.id));
                self.gate(Gate::Network(side.network_id, host.clone()));
                for group in &side.security_groups {
                    self.gate(Gate::Group(*group, host.clone()));
                }
            }
        }
    }

    fn remote_port(&mut self, port: &Sides<'_, Port>) {
        let places: BTreeSet<(NetworkId, PortId, &HostName)> =
            port.iter().filter_map(|p| Some((p.network_id, p.id, p.bound_host()?))).collect();
        for (network, id, there) in places {
            self.remote_everywhere(network, id, there);
        }
    }

    /// Names the port on all hosts that have its network, except its own.
    pub(super) fn remote_everywhere(&mut self, network: NetworkId, port: PortId, there: &HostName) {
        if !self.is_tunnelled(network) {
            return;
        }
        for host in network::network_hosts(self.after, network).iter().filter(|host| *host != there) {
            self.mark(host, UnitId::Remote(network, port));
        }
    }

    fn is_tunnelled(&self, id: NetworkId) -> bool {
        [self.before, self.after].iter().filter_map(|world| world.get::<Network>(&id)).any(|n| network::is_tunnelled(n))
    }

    fn member(&mut self, port: &Sides<'_, Port>) {
        let addresses = port.differ(|p| (&p.fixed_ips, &p.allowed_address_pairs));
        if !addresses && !port.differ(|p| &p.security_groups) {
            return;
        }
        let in_group = |side: Option<&Port>, group: &SecurityGroupId| side.is_some_and(|p| p.security_groups.contains(group));
        let groups: BTreeSet<_> = port.iter().flat_map(|p| p.security_groups.iter().map(|group| (*group, p.id))).collect();
        for (group, id) in groups {
            if addresses || in_group(port.before, &group) != in_group(port.after, &group) {
                for host in group::remote_group_hosts(self.after, group) {
                    self.mark(&host, UnitId::Member(group, id));
                }
            }
        }
    }

    fn dhcp_client(&mut self, port: &Sides<'_, Port>) {
        let was = port.before.filter(|p| dhcp::has_dhcp_address(self.before, p));
        let is = port.after.filter(|p| dhcp::has_dhcp_address(self.after, p));
        let clients: BTreeSet<(NetworkId, PortId)> = was.into_iter().chain(is).map(|p| (p.network_id, p.id)).collect();
        for (network, id) in clients {
            for host in self.dhcp_hosts(network) {
                self.mark(&host, UnitId::DhcpHost(network, id));
            }
        }
    }

    fn metadata_client(&mut self, port: &Sides<'_, Port>) {
        let clients: BTreeSet<(NetworkId, PortId)> = port.iter().filter(|p| metadata::is_client(p)).map(|p| (p.network_id, p.id)).collect();
        for (network, id) in clients {
            for host in metadata::router_hosts(self.after, network).into_iter().chain(self.dhcp_hosts(network)) {
                self.mark(&host, UnitId::MetadataClient(network, id));
            }
        }
    }

    /// What depends on which ports of routers and DHCP servers a network has: where the metadata service answers, and how clients get there.
    pub(super) fn service_port(&mut self, port: &Sides<'_, Port>) {
        let is_service = |p: &Port| ml2::port::is_router_port(p) || p.device_owner == device_owner::DHCP;
        let told = |p: &Port| (p.bound_host().cloned(), p.network_id, p.fixed_ips.clone(), p.device_owner.clone());
        if !port.iter().any(is_service) || !port.differ(told) {
            return;
        }
        let networks: BTreeSet<NetworkId> = port.iter().map(|p| p.network_id).collect();
        for network in networks {
            for host in self.dhcp_hosts(network) {
                self.mark(&host, UnitId::Dhcp(network));
            }
            self.routers_on(network);
        }
    }

    /// The hosts that serve a network now; those that began or ceased to are behind a gate.
    fn dhcp_hosts(&self, network: NetworkId) -> Vec<HostName> {
        let hosts = dhcp::dhcp_agent_hosts(self.after, network).into_iter();
        hosts.filter(|host| dhcp::serves(self.after, host, network).is_some()).collect()
    }

    pub(super) fn network(&mut self, network: &Sides<'_, Network>) {
        let Some(id) = network.iter().next().map(|n| n.id) else { return };
        let carried = network.differ(|n| (&n.segments, n.mtu, n.admin_state_up));
        if carried {
            for host in network::network_hosts(self.after, id) {
                self.mark(&host, UnitId::Network(id));
            }
        }
        if carried || network.differ(|n| &n.dns_domain) {
            for host in self.dhcp_hosts(id) {
                self.mark(&host, UnitId::Dhcp(id));
            }
        }
        let is_mixed = network.iter().any(|n| n.segments.len() > 1) && network.differ(|n| &n.segments);
        if is_mixed || network.before.is_some_and(network::is_tunnelled) != network.after.is_some_and(network::is_tunnelled) {
            for port in [self.before, self.after].into_iter().flat_map(|world| world.table::<Port>().by(Port::BY_NETWORK, id)) {
                if let Some(there) = port.bound_host() {
                    self.remote_everywhere(id, port.id, there);
                }
            }
        }
        if network.differ(|n| &n.dhcp_agents) {
            let hosts = [self.before, self.after].into_iter().flat_map(|world| dhcp::dhcp_agent_hosts(world, id));
            for host in hosts.collect::<BTreeSet<_>>() {
                self.gate(Gate::Dhcp(id, host));
            }
        }
    }

    pub(super) fn subnet(&mut self, subnet: &Sides<'_, Subnet>) {
        let served = |s: &Subnet| (s.cidr, s.gateway_ip, s.enable_dhcp, s.ipv6_ra_mode, s.ipv6_address_mode);
        let told = |s: &Subnet| (s.dns_nameservers.clone(), s.host_routes.clone());
        let clients = subnet.differ(served);
        if !clients && !subnet.differ(told) {
            return;
        }
        for side in subnet.iter() {
            for host in dhcp::dhcp_agent_hosts(self.after, side.network_id) {
                self.gate(Gate::Dhcp(side.network_id, host));
            }
        }
        let networks: BTreeSet<(NetworkId, SubnetId)> = subnet.iter().map(|s| (s.network_id, s.id)).collect();
        for (network, id) in networks.into_iter().filter(|_| clients) {
            let hosts = self.dhcp_hosts(network);
            let ports: BTreeSet<PortId> = [self.before, self.after].into_iter().flat_map(|world| ports_in_subnet(world, id)).collect();
            for host in hosts {
                for port in &ports {
                    self.mark(&host, UnitId::DhcpHost(network, *port));
                }
            }
        }
    }

    pub(super) fn security_group(&mut self, side: &Sides<'_, SecurityGroup>) {
        let Some(id) = side.iter().next().map(|g| g.id) else { return };
        if !side.differ(|g| g.stateful) {
            return;
        }
        let worlds = || [self.before, self.after].into_iter();
        let remote: BTreeSet<_> = worlds().flat_map(|world| group::remote_groups(world, id)).collect();
        let addresses: BTreeSet<_> = worlds().flat_map(|world| group::address_groups(world, id)).collect();
        for host in group::group_hosts(self.after, id) {
            self.mark(&host, UnitId::SecurityGroup(id));
            for group in &remote {
                self.member_gate(*group, &host);
            }
            for group in &addresses {
                self.mark(&host, UnitId::AddressGroup(*group));
            }
        }
    }

    pub(super) fn address_group(&mut self, group: &Sides<'_, AddressGroup>) {
        let Some(id) = group.iter().next().map(|g| g.id) else { return };
        if group.differ(|g| &g.addresses) {
            for host in group::address_group_hosts(self.after, id) {
                self.mark(&host, UnitId::AddressGroup(id));
            }
        }
    }

    pub(super) fn rule(&mut self, rule: &Sides<'_, SecurityGroupRule>) {
        if !rule.differ(|r| (r.security_group_id, resolve(r))) {
            return;
        }
        for side in rule.iter() {
            for host in group::group_hosts(self.after, side.security_group_id) {
                self.mark(&host, UnitId::SecurityGroup(side.security_group_id));
                if let Some(remote) = side.remote_group_id {
                    self.member_gate(remote, &host);
                }
                if let Some(remote) = side.remote_address_group_id {
                    self.mark(&host, UnitId::AddressGroup(remote));
                }
            }
        }
    }

    pub(super) fn agent(&mut self, agent: &Sides<'_, Agent>) {
        let hosts: BTreeSet<&HostName> = agent.iter().map(|a| &a.host).collect();
        let carrying = |a: &Agent| (a.agent_type, a.host.clone(), a.admin_state_up);
        for host in &hosts {
            if network::tunnel_endpoint(self.before, host) != network::tunnel_endpoint(self.after, host) {
                // Ports that are not there any more are entries of their own.
                for port in self.after.table::<Port>().by(Port::BY_HOST, *host).filter(|port| port.binding.is_bound()) {
                    self.remote_everywhere(port.network_id, port.id, host);
                }
            }
        }
        if agent.differ(carrying) && agent.iter().any(|a| a.agent_type == AgentType::L3) {
            let ids = agent.iter().map(|a| a.id);
            let routers =
                |id| [self.before, self.after].into_iter().flat_map(move |world| world.table::<Router>().ids(Router::BY_AGENT, id));
            let routers: BTreeSet<RouterId> = ids.flat_map(routers).copied().collect();
            routers.into_iter().for_each(|router| self.whole_router(router));
        }
        if agent.differ(carrying) && agent.iter().any(|a| a.agent_type == AgentType::Dhcp) {
            let Some(id) = agent.iter().next().map(|a| a.id) else { return };
            let worlds = [self.before, self.after].into_iter();
            let networks: BTreeSet<NetworkId> =
                worlds.flat_map(|world| world.table::<Network>().ids(Network::BY_DHCP_AGENT, id).copied()).collect();
            for network in networks {
                for host in &hosts {
                    self.gate(Gate::Dhcp(network, HostName::clone(host)));
                }
            }
        }
    }
}

/// The ports with an address in a subnet.
fn ports_in_subnet(world: &World, subnet: SubnetId) -> BTreeSet<PortId> {
    let lowest = Key::Address(subnet.0, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let addresses = world.table::<Port>().walk(Port::BY_ADDRESS, lowest);
    addresses.take_while(|(key, _)| matches!(key, Key::Address(of, _) if *of == subnet.0)).map(|(_, port)| *port).collect()
}
