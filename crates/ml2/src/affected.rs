//! Which units of which hosts a commit changes: exactly those whose projection differs before and after.
//!
//! Candidates come from the changed records by reverse indexes; each is then compared, its content once and not once per host, so
//! that what a host is sent is never more than what differs for it. The cost is that of the hosts concerned.

use crate::host_view as view;
use crate::project::{concerns, content};
use crate::{Config, drivers};
use intent::UnitId;
use model::{Agent, Network, Port, SecurityGroup, SecurityGroupRule, Subnet};
use net::{HostName, NetworkId, PortId, SecurityGroupId, SubnetId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use world::{Change, Commit, Entry, Key, World};

/// The units that differ, by host.
pub type Affected = BTreeMap<HostName, BTreeSet<UnitId>>;

/// What a commit changes for hosts.
pub fn affected(commit: &Commit, config: &Config) -> Affected {
    between(&commit.before, &commit.after, &commit.change, config)
}

/// The same for a change between two worlds.
pub fn between(before: &World, after: &World, change: &Change, config: &Config) -> Affected {
    let mut search = Search { before, after, candidates: BTreeMap::new() };
    for entry in change.entries() {
        search.entry(entry);
    }
    search.verified(config)
}

struct Search<'a> {
    before: &'a World,
    after: &'a World,
    candidates: BTreeMap<UnitId, BTreeSet<HostName>>,
}

impl Search<'_> {
    fn entry(&mut self, entry: &Entry) {
        match entry.kind() {
            "port" => self.port(entry.before::<Port>(), entry.after::<Port>()),
            "network" => self.network(entry.before::<Network>(), entry.after::<Network>()),
            "subnet" => self.subnet(entry.before::<Subnet>(), entry.after::<Subnet>()),
            "security_group" => {
                if let Some(group) = entry.before::<SecurityGroup>().or(entry.after()) {
                    self.group(group.id);
                }
            }
            "security_group_rule" => {
                if let Some(rule) = entry.before::<SecurityGroupRule>().or(entry.after()) {
                    self.rule(rule);
                }
            }
            "agent" => self.agent(entry.before::<Agent>(), entry.after::<Agent>()),
            _ => {}
        }
    }

    fn both(&self, hosts: impl Fn(&World) -> Vec<HostName>) -> BTreeSet<HostName> {
        hosts(self.before).into_iter().chain(hosts(self.after)).collect()
    }

    fn add(&mut self, unit: UnitId, hosts: &BTreeSet<HostName>) {
        if !hosts.is_empty() {
            self.candidates.entry(unit).or_default().extend(hosts.iter().cloned());
        }
    }

    fn port(&mut self, before: Option<&Port>, after: Option<&Port>) {
        let Some(port) = after.or(before) else { return };
        let sides: Vec<&Port> = before.into_iter().chain(after).collect();
        let own: BTreeSet<HostName> = sides.iter().filter_map(|port| port.bound_host().cloned()).collect();
        let network = port.network_id;
        self.add(UnitId::Port(port.id), &own);
        self.add(UnitId::Network(network), &own);
        let hosts = self.both(|world| view::hosts_of_network(world, network));
        self.add(UnitId::Remote(network, port.id), &hosts);
        for host in &own {
            if view::has_network(self.before, host, network) != view::has_network(self.after, host, network) {
                self.all_remotes(host, network);
            }
        }
        let groups: BTreeSet<SecurityGroupId> = sides.iter().flat_map(|port| port.security_groups.iter().copied()).collect();
        for group in groups {
            self.add(UnitId::SecurityGroup(group), &own);
            let naming: BTreeSet<HostName> = self.both(|world| hosts_needing(world, group));
            self.add(UnitId::Member(group, port.id), &naming);
            for host in &own {
                if view::has_group(self.before, host, group) != view::has_group(self.after, host, group) {
                    self.remotes_of(host, group);
                }
            }
        }
        self.dhcp_port(network, port.id, sides.iter().any(|port| port.device_owner == model::device_owner::DHCP));
    }

    fn dhcp_port(&mut self, network: NetworkId, port: PortId, is_server: bool) {
        let hosts = self.both(|world| view::dhcp_hosts_of_network(world, network));
        self.add(UnitId::DhcpHost(network, port), &hosts);
        if is_server {
            self.dhcp(network, &hosts);
        }
    }

    /// A network's DHCP on hosts, and its clients where it comes or goes.
    fn dhcp(&mut self, network: NetworkId, hosts: &BTreeSet<HostName>) {
        self.add(UnitId::Dhcp(network), hosts);
        let is_served = |world: &World, host: &HostName| view::dhcp_port(world, host, network).is_some();
        let turned: BTreeSet<HostName> =
            hosts.iter().filter(|host| is_served(self.before, host) != is_served(self.after, host)).cloned().collect();
        if !turned.is_empty() {
            for port in self.ports_of(network) {
                self.add(UnitId::DhcpHost(network, port), &turned);
            }
        }
    }

    fn ports_of(&self, network: NetworkId) -> BTreeSet<PortId> {
        view::ports_of_network(self.before, network).chain(view::ports_of_network(self.after, network)).collect()
    }

    fn all_remotes(&mut self, host: &HostName, network: NetworkId) {
        let host = BTreeSet::from([host.clone()]);
        for port in self.ports_of(network) {
            self.add(UnitId::Remote(network, port), &host);
        }
    }

    /// A group came to or left the host: so may the members of the groups that it names.
    fn remotes_of(&mut self, host: &HostName, group: SecurityGroupId) {
        let remotes: BTreeSet<SecurityGroupId> =
            view::remote_groups(self.before, group).into_iter().chain(view::remote_groups(self.after, group)).collect();
        for remote in remotes {
            self.members_if_turned(host, remote);
        }
    }

    fn members_if_turned(&mut self, host: &HostName, remote: SecurityGroupId) {
        if view::needs_members(self.before, host, remote) == view::needs_members(self.after, host, remote) {
            return;
        }
        let host = BTreeSet::from([host.clone()]);
        let members = |world: &World| world.table::<Port>().ids(Port::BY_SECURITY_GROUP, remote).copied().collect::<Vec<_>>();
        let ports: BTreeSet<PortId> = members(self.before).into_iter().chain(members(self.after)).collect();
        for port in ports {
            self.add(UnitId::Member(remote, port), &host);
        }
    }

    fn network(&mut self, before: Option<&Network>, after: Option<&Network>) {
        let Some(network) = after.or(before) else { return };
        let hosts = self.both(|world| view::hosts_of_network(world, network.id));
        self.add(UnitId::Network(network.id), &hosts);
        if before.map(|n| &n.segments) != after.map(|n| &n.segments) {
            for host in &hosts {
                self.all_remotes(host, network.id);
            }
        }
        let hosts = self.both(|world| view::dhcp_hosts_of_network(world, network.id));
        self.dhcp(network.id, &hosts);
    }

    fn subnet(&mut self, before: Option<&Subnet>, after: Option<&Subnet>) {
        let Some(subnet) = after.or(before) else { return };
        let hosts = self.both(|world| view::dhcp_hosts_of_network(world, subnet.network_id));
        self.dhcp(subnet.network_id, &hosts);
        if before.map(crate::dhcp::serves) != after.map(crate::dhcp::serves) && !hosts.is_empty() {
            let ports: BTreeSet<PortId> = in_subnet(self.before, subnet.id).chain(in_subnet(self.after, subnet.id)).collect();
            for port in ports {
                self.add(UnitId::DhcpHost(subnet.network_id, port), &hosts);
            }
        }
    }

    fn group(&mut self, group: SecurityGroupId) {
        let hosts = self.both(|world| view::hosts_of_group(world, group));
        self.add(UnitId::SecurityGroup(group), &hosts);
    }

    fn rule(&mut self, rule: &SecurityGroupRule) {
        self.group(rule.security_group_id);
        let Some(remote) = rule.remote_group_id else { return };
        for host in self.both(|world| view::hosts_of_group(world, rule.security_group_id)) {
            self.members_if_turned(&host, remote);
        }
    }

    fn agent(&mut self, before: Option<&Agent>, after: Option<&Agent>) {
        let Some(agent) = after.or(before) else { return };
        let host = &agent.host;
        if drivers::tunnel_endpoint(self.before, host) != drivers::tunnel_endpoint(self.after, host) {
            let on_host = |world: &World| view::ports_on_host(world, host).map(|port| (port.network_id, port.id)).collect::<Vec<_>>();
            let ports: BTreeSet<(NetworkId, PortId)> = on_host(self.before).into_iter().chain(on_host(self.after)).collect();
            for (network, port) in ports {
                let hosts = self.both(|world| view::hosts_of_network(world, network));
                self.add(UnitId::Remote(network, port), &hosts);
            }
        }
        let served = |world: &World| view::dhcp_networks_of_agent(world, agent.id).map(|network| network.id).collect::<Vec<_>>();
        let networks: BTreeSet<NetworkId> = served(self.before).into_iter().chain(served(self.after)).collect();
        if before.is_none() || after.is_none() {
            let host = BTreeSet::from([host.clone()]);
            for network in networks {
                self.dhcp(network, &host);
            }
        }
    }

    /// The candidates that differ.
    fn verified(self, config: &Config) -> Affected {
        let mut affected = Affected::new();
        for (unit, hosts) in &self.candidates {
            let mut contents = Contents::new(&self, config, *unit);
            for host in hosts {
                let was = concerns(self.before, host, *unit);
                let is = concerns(self.after, host, *unit);
                if contents.differ(host, was, is) {
                    affected.entry(host.clone()).or_default().insert(*unit);
                }
            }
        }
        affected
    }
}

/// The content of a unit before and after: made once where it is the same for all hosts.
struct Contents<'a> {
    search: &'a Search<'a>,
    config: &'a Config,
    unit: UnitId,
    shared: Option<(bool, bool, bool)>,
}

impl<'a> Contents<'a> {
    fn new(search: &'a Search<'a>, config: &'a Config, unit: UnitId) -> Contents<'a> {
        Contents { search, config, unit, shared: None }
    }

    /// Whether there is content before, whether there is after, whether the two differ.
    fn of(&mut self, host: &HostName) -> (bool, bool, bool) {
        if let Some(shared) = self.shared {
            return shared;
        }
        let before = content(self.search.before, self.config, host, self.unit);
        let after = content(self.search.after, self.config, host, self.unit);
        let of = (before.is_some(), after.is_some(), before != after);
        if !matches!(self.unit, UnitId::Dhcp(_)) {
            self.shared = Some(of);
        }
        of
    }

    fn differ(&mut self, host: &HostName, was: bool, is: bool) -> bool {
        if !was && !is {
            return false;
        }
        let (before, after, differ) = self.of(host);
        match (was, is) {
            (true, true) => differ,
            (true, false) => before,
            (false, _) => after,
        }
    }
}

fn hosts_needing(world: &World, remote: SecurityGroupId) -> Vec<HostName> {
    view::groups_naming(world, remote).into_iter().flat_map(|group| view::hosts_of_group(world, group)).collect()
}

fn in_subnet(world: &World, subnet: SubnetId) -> impl Iterator<Item = PortId> {
    let from = Key::Address(subnet.0, IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    let keys = world.table::<Port>().walk(Port::BY_ADDRESS, from);
    keys.take_while(move |(key, _)| matches!(key, Key::Address(id, _) if *id == subnet.0)).map(|(_, id)| *id)
}
