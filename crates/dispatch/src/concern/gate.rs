//! Gates: whether a host has to do with a network, a group, a group's members, a network's DHCP or its metadata at all.
//!
//! While a gate stays open, changes behind it are named one by one; when it opens or closes, all behind it is.

use super::Gather;
use crate::project::{dhcp, group, metadata, network};
use intent::UnitId;
use model::{Network, Port};
use net::{HostName, NetworkId, SecurityGroupId};
use world::World;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gate {
    /// Ports of the network are bound there.
    Network(NetworkId, HostName),
    /// Ports of the group are bound there.
    Group(SecurityGroupId, HostName),
    /// The host's DHCP role serves the network.
    Dhcp(NetworkId, HostName),
    /// The host answers instances of the network that ask for their metadata.
    Metadata(NetworkId, HostName),
}

/// Rules enforced there name the group as remote. Looked at after the others, which lead here.
pub(super) type MemberGate = (SecurityGroupId, HostName);

impl Gate {
    pub(super) fn host(&self) -> &HostName {
        match self {
            Gate::Network(_, host) | Gate::Group(_, host) | Gate::Dhcp(_, host) | Gate::Metadata(_, host) => host,
        }
    }
}

impl Gather<'_> {
    pub(super) fn member_gate(&mut self, group: SecurityGroupId, host: &HostName) {
        if (self.interested)(host) {
            self.member_gates.insert((group, host.clone()));
        }
    }

    pub(super) fn pass_gates(&mut self) {
        for gate in std::mem::take(&mut self.gates) {
            match gate {
                Gate::Network(network, host) => self.network_gate(network, &host),
                Gate::Group(group, host) => self.group_gate(group, &host),
                Gate::Dhcp(network, host) => self.dhcp_gate(network, &host),
                Gate::Metadata(network, host) => self.metadata_gate(network, &host),
            }
        }
        for (group, host) in std::mem::take(&mut self.member_gates) {
            let Some(world) = self.moved(|world| group::needs_members(world, &host, group)) else { continue };
            for port in world.table::<Port>().ids(Port::BY_SECURITY_GROUP, group) {
                self.mark(&host, UnitId::Member(group, *port));
            }
        }
    }

    /// The world in which the gate is open, when it is open in one only.
    fn moved(&self, is_open: impl Fn(&World) -> bool) -> Option<World> {
        match (is_open(self.before), is_open(self.after)) {
            (true, false) => Some(self.before.clone()),
            (false, true) => Some(self.after.clone()),
            _ => None,
        }
    }

    fn network_gate(&mut self, id: NetworkId, host: &HostName) {
        let Some(world) = self.moved(|world| network::has_ports(world, host, id)) else { return self.network_carrier(id, host) };
        self.mark(host, UnitId::Network(id));
        if !world.get::<Network>(&id).is_some_and(|n| network::is_tunnelled(n)) {
            return;
        }
        for port in world.table::<Port>().by(Port::BY_NETWORK, id).filter(|port| port.bound_host().is_some_and(|there| there != host)) {
            self.mark(host, UnitId::Remote(id, port.id));
        }
    }

    /// Another segment carries the network there: where frames to all others go is different, and where theirs to this host's ports go.
    fn network_carrier(&mut self, id: NetworkId, host: &HostName) {
        let carrier = |world: &World| world.get::<Network>(&id).and_then(|n| network::carrier(world, host, n));
        if carrier(self.before) == carrier(self.after) {
            return;
        }
        self.mark(host, UnitId::Network(id));
        for port in self.after.clone().table::<Port>().by(Port::BY_NETWORK, id) {
            match port.bound_host() {
                Some(there) if there == host => self.remote_everywhere(id, port.id, host),
                Some(_) => self.mark(host, UnitId::Remote(id, port.id)),
                None => {}
            }
        }
    }

    fn group_gate(&mut self, id: SecurityGroupId, host: &HostName) {
        let Some(world) = self.moved(|world| group::has_ports(world, host, id)) else { return };
        self.mark(host, UnitId::SecurityGroup(id));
        for remote in group::remote_groups(&world, id) {
            self.member_gate(remote, host);
        }
        for remote in group::address_groups(&world, id) {
            self.mark(host, UnitId::AddressGroup(remote));
        }
    }

    fn metadata_gate(&mut self, id: NetworkId, host: &HostName) {
        let Some(world) = self.moved(|world| metadata::answers(world, host, id)) else { return };
        for port in world.table::<Port>().by(Port::BY_NETWORK, id).filter(|port| metadata::is_client(port)) {
            self.mark(host, UnitId::MetadataClient(id, port.id));
        }
    }

    fn dhcp_gate(&mut self, id: NetworkId, host: &HostName) {
        let serves = |world: &World| dhcp::serves(world, host, id).is_some();
        if serves(self.before) || serves(self.after) {
            self.mark(host, UnitId::Dhcp(id));
        }
        let Some(world) = self.moved(serves) else { return };
        for port in world.table::<Port>().by(Port::BY_NETWORK, id).filter(|port| dhcp::has_dhcp_address(&world, port)) {
            self.mark(host, UnitId::DhcpHost(id, port.id));
        }
    }
}
