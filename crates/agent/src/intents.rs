//! What the server told this host.

use intent::{Unit, UnitId};
use net::{AddressGroupId, ConntrackHelperId, FloatingIpId, NdpProxyId, NetworkId, PortForwardingId, PortId, RouterId, SecurityGroupId};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// All units the host has been told, by id; units of one network or group lie together.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Intents {
    units: BTreeMap<UnitId, Unit>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $get:ident($id:ty) -> $unit:ident $intent:ident;)*) => {$(
        $(#[$doc])*
        pub fn $get(&self, id: $id) -> Option<&intent::$intent> {
            match self.units.get(&UnitId::$unit(id)) {
                Some(Unit::$unit(unit)) => Some(unit),
                _ => None,
            }
        }
    )*};
}

impl Intents {
    /// The unit with this id.
    pub fn get(&self, id: &UnitId) -> Option<&Unit> {
        self.units.get(id)
    }

    /// Puts a unit; returns what was there.
    pub fn put(&mut self, unit: Unit) -> Option<Unit> {
        self.units.insert(unit.id(), unit)
    }

    /// Removes a unit.
    pub fn remove(&mut self, id: &UnitId) -> Option<Unit> {
        self.units.remove(id)
    }

    /// All units in id order.
    pub fn iter(&self) -> impl Iterator<Item = (&UnitId, &Unit)> {
        self.units.iter()
    }

    getters! {
        /// A network.
        network(NetworkId) -> Network NetworkIntent;
        /// A port of this host.
        port(PortId) -> Port PortIntent;
        /// A security group.
        security_group(SecurityGroupId) -> SecurityGroup SecurityGroupIntent;
        /// An address group that rules name.
        address_group(AddressGroupId) -> AddressGroup AddressGroupIntent;
        /// A network that the DHCP role serves.
        dhcp(NetworkId) -> Dhcp DhcpNetwork;
        /// A router that the L3 role carries.
        router(RouterId) -> Router RouterIntent;
    }

    /// A port on another host.
    pub fn remote(&self, network: NetworkId, port: PortId) -> Option<&intent::RemotePort> {
        match self.units.get(&UnitId::Remote(network, port)) {
            Some(Unit::Remote(remote)) => Some(remote),
            _ => None,
        }
    }

    /// The networks of this host.
    pub fn networks(&self) -> impl Iterator<Item = &intent::NetworkIntent> {
        self.range(UnitId::Network(NetworkId::MIN)..=UnitId::Network(NetworkId(uuid::Uuid::max()))).filter_map(|unit| match unit {
            Unit::Network(network) => Some(network),
            _ => None,
        })
    }

    /// The security groups of this host.
    pub fn security_groups(&self) -> impl Iterator<Item = &intent::SecurityGroupIntent> {
        let all = UnitId::SecurityGroup(SecurityGroupId::MIN)..=UnitId::SecurityGroup(SecurityGroupId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::SecurityGroup(group) => Some(group),
            _ => None,
        })
    }

    /// The networks that the DHCP role serves.
    pub fn dhcps(&self) -> impl Iterator<Item = &intent::DhcpNetwork> {
        self.range(UnitId::Dhcp(NetworkId::MIN)..=UnitId::Dhcp(NetworkId(uuid::Uuid::max()))).filter_map(|unit| match unit {
            Unit::Dhcp(network) => Some(network),
            _ => None,
        })
    }

    /// The ports of this host.
    pub fn ports(&self) -> impl Iterator<Item = &intent::PortIntent> {
        self.range(UnitId::Port(PortId::MIN)..=UnitId::Port(PortId(uuid::Uuid::max()))).filter_map(|unit| match unit {
            Unit::Port(port) => Some(port),
            _ => None,
        })
    }

    /// The ports of a network on other hosts.
    pub fn remotes(&self, network: NetworkId) -> impl Iterator<Item = &intent::RemotePort> {
        let all = UnitId::Remote(network, PortId::MIN)..=UnitId::Remote(network, PortId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::Remote(remote) => Some(remote),
            _ => None,
        })
    }

    /// The members of a group.
    pub fn members(&self, group: SecurityGroupId) -> impl Iterator<Item = &intent::GroupMember> {
        let all = UnitId::Member(group, PortId::MIN)..=UnitId::Member(group, PortId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::Member(member) => Some(member),
            _ => None,
        })
    }

    /// The clients of a network that the DHCP role serves.
    pub fn dhcp_hosts(&self, network: NetworkId) -> impl Iterator<Item = &intent::DhcpHost> {
        let all = UnitId::DhcpHost(network, PortId::MIN)..=UnitId::DhcpHost(network, PortId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::DhcpHost(host) => Some(host),
            _ => None,
        })
    }

    /// The ports of a network whose instances may ask for metadata.
    pub fn metadata_clients(&self, network: NetworkId) -> impl Iterator<Item = &intent::MetadataClient> {
        let all = UnitId::MetadataClient(network, PortId::MIN)..=UnitId::MetadataClient(network, PortId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::MetadataClient(client) => Some(client),
            _ => None,
        })
    }

    /// A floating IP of a router.
    pub fn floating_ip(&self, router: RouterId, id: FloatingIpId) -> Option<&intent::FloatingIpIntent> {
        match self.units.get(&UnitId::FloatingIp(router, id)) {
            Some(Unit::FloatingIp(floating_ip)) => Some(floating_ip),
            _ => None,
        }
    }

    /// Ports of a floating IP of a router.
    pub fn port_forwarding(&self, router: RouterId, id: PortForwardingId) -> Option<&intent::PortForwardingIntent> {
        match self.units.get(&UnitId::PortForwarding(router, id)) {
            Some(Unit::PortForwarding(forwarding)) => Some(forwarding),
            _ => None,
        }
    }

    /// An NDP proxy of a router.
    pub fn ndp_proxy(&self, router: RouterId, id: NdpProxyId) -> Option<&intent::NdpProxyIntent> {
        match self.units.get(&UnitId::NdpProxy(router, id)) {
            Some(Unit::NdpProxy(proxy)) => Some(proxy),
            _ => None,
        }
    }

    /// A conntrack helper of a router.
    pub fn conntrack_helper(&self, router: RouterId, id: ConntrackHelperId) -> Option<&intent::ConntrackHelperIntent> {
        match self.units.get(&UnitId::ConntrackHelper(router, id)) {
            Some(Unit::ConntrackHelper(helper)) => Some(helper),
            _ => None,
        }
    }

    /// The routers that the L3 role carries.
    pub fn routers(&self) -> impl Iterator<Item = &intent::RouterIntent> {
        self.range(UnitId::Router(RouterId::MIN)..=UnitId::Router(RouterId(uuid::Uuid::max()))).filter_map(|unit| match unit {
            Unit::Router(router) => Some(router),
            _ => None,
        })
    }

    /// The floating IPs of a router.
    pub fn floating_ips(&self, router: RouterId) -> impl Iterator<Item = &intent::FloatingIpIntent> {
        let all = UnitId::FloatingIp(router, FloatingIpId::MIN)..=UnitId::FloatingIp(router, FloatingIpId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::FloatingIp(floating_ip) => Some(floating_ip),
            _ => None,
        })
    }

    /// The port forwardings of a router's floating IPs.
    pub fn port_forwardings(&self, router: RouterId) -> impl Iterator<Item = &intent::PortForwardingIntent> {
        let all =
            UnitId::PortForwarding(router, PortForwardingId::MIN)..=UnitId::PortForwarding(router, PortForwardingId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::PortForwarding(forwarding) => Some(forwarding),
            _ => None,
        })
    }

    /// The NDP proxies of a router.
    pub fn ndp_proxies(&self, router: RouterId) -> impl Iterator<Item = &intent::NdpProxyIntent> {
        let all = UnitId::NdpProxy(router, NdpProxyId::MIN)..=UnitId::NdpProxy(router, NdpProxyId(uuid::Uuid::max()));
        self.range(all).filter_map(|unit| match unit {
            Unit::NdpProxy(proxy) => Some(proxy),
            _ => None,
        })
    }

    /// The conntrack helpers of a router.
    pub fn conntrack_helpers(&self, router: RouterId) -> impl Iterator<Item = &intent::ConntrackHelperIntent> {
        let last = ConntrackHelperId(uuid::Uuid::max());
        self.range(UnitId::ConntrackHelper(router, ConntrackHelperId::MIN)..=UnitId::ConntrackHelper(router, last)).filter_map(|unit| {
            match unit {
                Unit::ConntrackHelper(helper) => Some(helper),
                _ => None,
            }
        })
    }

    fn range(&self, ids: RangeInclusive<UnitId>) -> impl Iterator<Item = &Unit> {
        self.units.range(ids).map(|(_, unit)| unit)
    }
}
