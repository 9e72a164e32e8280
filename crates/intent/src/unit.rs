//! Units: the parts of an intent, each with a key.

use crate::{AddressGroupIntent, DhcpHost, DhcpNetwork, FloatingIpIntent, GroupMember, MetadataClient, NetworkIntent};
use crate::{ConntrackHelperIntent, NdpProxyIntent, PortForwardingIntent, PortIntent};
use crate::{RemotePort, RouterIntent, SecurityGroupIntent};
use net::{AddressGroupId, ConntrackHelperId, FloatingIpId, NdpProxyId, NetworkId, PortForwardingId, PortId, RouterId, SecurityGroupId};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// Names a unit; its text is the key on the wire. Ordered so that what others refer to comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UnitId {
    /// `network/<network>`: a network with ports on the host.
    Network(NetworkId),
    /// `remote/<network>/<port>`: a port of such a network on another host.
    Remote(NetworkId, PortId),
    /// `group/<group>`: a security group that ports on the host use.
    SecurityGroup(SecurityGroupId),
    /// `member/<group>/<port>`: a member of a group that rules of such groups name as remote.
    Member(SecurityGroupId, PortId),
    /// `addresses/<address group>`: an address group that such rules name.
    AddressGroup(AddressGroupId),
    /// `dhcp/<network>`: a network that the host's DHCP role serves.
    Dhcp(NetworkId),
    /// `dhcp-host/<network>/<port>`: a client of such a network.
    DhcpHost(NetworkId, PortId),
    /// `router/<router>`: a router that the host's L3 role carries.
    Router(RouterId),
    /// `floating-ip/<router>/<floating IP>`: a floating IP of such a router.
    FloatingIp(RouterId, FloatingIpId),
    /// `port-forwarding/<router>/<port forwarding>`: ports of such a floating IP.
    PortForwarding(RouterId, PortForwardingId),
    /// `ndp-proxy/<router>/<NDP proxy>`: an address behind such a router that it answers for outside.
    NdpProxy(RouterId, NdpProxyId),
    /// `conntrack-helper/<router>/<conntrack helper>`: what helps connections through such a router.
    ConntrackHelper(RouterId, ConntrackHelperId),
    /// `metadata-client/<network>/<port>`: a port whose instance may ask the host for its metadata.
    MetadataClient(NetworkId, PortId),
    /// `port/<port>`: a port bound to the host.
    Port(PortId),
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnitId::Network(network) => write!(f, "network/{network}"),
            UnitId::Remote(network, port) => write!(f, "remote/{network}/{port}"),
            UnitId::SecurityGroup(group) => write!(f, "group/{group}"),
            UnitId::Member(group, port) => write!(f, "member/{group}/{port}"),
            UnitId::AddressGroup(group) => write!(f, "addresses/{group}"),
            UnitId::Dhcp(network) => write!(f, "dhcp/{network}"),
            UnitId::DhcpHost(network, port) => write!(f, "dhcp-host/{network}/{port}"),
            UnitId::Router(router) => write!(f, "router/{router}"),
            UnitId::FloatingIp(router, floating_ip) => write!(f, "floating-ip/{router}/{floating_ip}"),
            UnitId::PortForwarding(router, forwarding) => write!(f, "port-forwarding/{router}/{forwarding}"),
            UnitId::NdpProxy(router, proxy) => write!(f, "ndp-proxy/{router}/{proxy}"),
            UnitId::ConntrackHelper(router, helper) => write!(f, "conntrack-helper/{router}/{helper}"),
            UnitId::MetadataClient(network, port) => write!(f, "metadata-client/{network}/{port}"),
            UnitId::Port(port) => write!(f, "port/{port}"),
        }
    }
}

impl UnitId {
    /// The kinds of this version: the part of a key before its first slash. A reader leaves units of other kinds aside.
    pub const KINDS: [&'static str; 14] = [
        "network",
        "remote",
        "group",
        "member",
        "addresses",
        "dhcp",
        "dhcp-host",
        "router",
        "floating-ip",
        "port-forwarding",
        "ndp-proxy",
        "conntrack-helper",
        "metadata-client",
        "port",
    ];
}

/// A key or body that is not of this contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unit {key}: {reason}")]
pub struct DecodeError {
    /// The key as it was received.
    pub key: String,
    /// What is wrong.
    pub reason: String,
}

impl FromStr for UnitId {
    type Err = DecodeError;

    fn from_str(key: &str) -> Result<UnitId, DecodeError> {
        let wrong = |reason: &str| DecodeError { key: key.chars().take(200).collect(), reason: reason.to_owned() };
        let mut parts = key.split('/');
        let kind = parts.next().unwrap_or_default();
        let mut id = || parts.next().and_then(|text| text.parse::<PortId>().ok()).ok_or_else(|| wrong("an id is missing or not a UUID"));
        let unit = match kind {
            "network" => UnitId::Network(NetworkId(id()?.0)),
            "remote" => UnitId::Remote(NetworkId(id()?.0), id()?),
            "group" => UnitId::SecurityGroup(SecurityGroupId(id()?.0)),
            "member" => UnitId::Member(SecurityGroupId(id()?.0), id()?),
            "addresses" => UnitId::AddressGroup(AddressGroupId(id()?.0)),
            "dhcp" => UnitId::Dhcp(NetworkId(id()?.0)),
            "dhcp-host" => UnitId::DhcpHost(NetworkId(id()?.0), id()?),
            "router" => UnitId::Router(RouterId(id()?.0)),
            "floating-ip" => UnitId::FloatingIp(RouterId(id()?.0), FloatingIpId(id()?.0)),
            "port-forwarding" => UnitId::PortForwarding(RouterId(id()?.0), PortForwardingId(id()?.0)),
            "ndp-proxy" => UnitId::NdpProxy(RouterId(id()?.0), NdpProxyId(id()?.0)),
            "conntrack-helper" => UnitId::ConntrackHelper(RouterId(id()?.0), ConntrackHelperId(id()?.0)),
            "metadata-client" => UnitId::MetadataClient(NetworkId(id()?.0), id()?),
            "port" => UnitId::Port(id()?),
            _ => return Err(wrong("a kind that this version does not know")),
        };
        if parts.next().is_some() { Err(wrong("too many parts")) } else { Ok(unit) }
    }
}

/// A unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is its type")]
pub enum Unit {
    Network(NetworkIntent),
    Remote(RemotePort),
    SecurityGroup(SecurityGroupIntent),
    Member(GroupMember),
    AddressGroup(AddressGroupIntent),
    Dhcp(DhcpNetwork),
    DhcpHost(DhcpHost),
    Router(RouterIntent),
    FloatingIp(FloatingIpIntent),
    PortForwarding(PortForwardingIntent),
    NdpProxy(NdpProxyIntent),
    ConntrackHelper(ConntrackHelperIntent),
    MetadataClient(MetadataClient),
    Port(PortIntent),
}

impl Unit {
    /// Its name.
    pub fn id(&self) -> UnitId {
        match self {
            Unit::Network(unit) => UnitId::Network(unit.id),
            Unit::Remote(unit) => UnitId::Remote(unit.network_id, unit.port_id),
            Unit::SecurityGroup(unit) => UnitId::SecurityGroup(unit.id),
            Unit::Member(unit) => UnitId::Member(unit.group_id, unit.port_id),
            Unit::AddressGroup(unit) => UnitId::AddressGroup(unit.id),
            Unit::Dhcp(unit) => UnitId::Dhcp(unit.network_id),
            Unit::DhcpHost(unit) => UnitId::DhcpHost(unit.network_id, unit.port_id),
            Unit::Router(unit) => UnitId::Router(unit.id),
            Unit::FloatingIp(unit) => UnitId::FloatingIp(unit.router_id, unit.id),
            Unit::PortForwarding(unit) => UnitId::PortForwarding(unit.router_id, unit.id),
            Unit::NdpProxy(unit) => UnitId::NdpProxy(unit.router_id, unit.id),
            Unit::ConntrackHelper(unit) => UnitId::ConntrackHelper(unit.router_id, unit.id),
            Unit::MetadataClient(unit) => UnitId::MetadataClient(unit.network_id, unit.port_id),
            Unit::Port(unit) => UnitId::Port(unit.id),
        }
    }

    /// The body on the wire.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("units have string keys and no failing serializers")
    }

    /// Reads a body; the key says of which type it is, and must be the body's own.
    pub fn decode(key: &str, body: &[u8]) -> Result<Unit, DecodeError> {
        let id: UnitId = key.parse()?;
        let unit = match id {
            UnitId::Network(_) => serde_json::from_slice(body).map(Unit::Network),
            UnitId::Remote(..) => serde_json::from_slice(body).map(Unit::Remote),
            UnitId::SecurityGroup(_) => serde_json::from_slice(body).map(Unit::SecurityGroup),
            UnitId::Member(..) => serde_json::from_slice(body).map(Unit::Member),
            UnitId::AddressGroup(_) => serde_json::from_slice(body).map(Unit::AddressGroup),
            UnitId::Dhcp(_) => serde_json::from_slice(body).map(Unit::Dhcp),
            UnitId::DhcpHost(..) => serde_json::from_slice(body).map(Unit::DhcpHost),
            UnitId::Router(_) => serde_json::from_slice(body).map(Unit::Router),
            UnitId::FloatingIp(..) => serde_json::from_slice(body).map(Unit::FloatingIp),
            UnitId::PortForwarding(..) => serde_json::from_slice(body).map(Unit::PortForwarding),
            UnitId::NdpProxy(..) => serde_json::from_slice(body).map(Unit::NdpProxy),
            UnitId::ConntrackHelper(..) => serde_json::from_slice(body).map(Unit::ConntrackHelper),
            UnitId::MetadataClient(..) => serde_json::from_slice(body).map(Unit::MetadataClient),
            UnitId::Port(_) => serde_json::from_slice(body).map(Unit::Port),
        };
        let unit = unit.map_err(|e| DecodeError { key: key.to_owned(), reason: e.to_string() })?;
        if unit.id() == id { Ok(unit) } else { Err(DecodeError { key: key.to_owned(), reason: format!("the body is of {}", unit.id()) }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_text() {
        let id = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
        for key in [
            format!("network/{id}"),
            format!("remote/{id}/{id}"),
            format!("member/{id}/{id}"),
            format!("port/{id}"),
            format!("floating-ip/{id}/{id}"),
        ] {
            assert_eq!(key.parse::<UnitId>().expect("a key").to_string(), key);
        }
        for wrong in ["", "port", "port/x", "port/", &format!("port/{id}/{id}"), &format!("remote/{id}"), "router/x"] {
            assert!(wrong.parse::<UnitId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_kinds_are_those_that_are_read() {
        let id = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
        let read = |kind: &str| [format!("{kind}/{id}"), format!("{kind}/{id}/{id}")].iter().any(|key| key.parse::<UnitId>().is_ok());
        assert!(UnitId::KINDS.iter().all(|kind| read(kind)));
        // One for each variant: a new one does not compile here before it is in the list.
        let position = |unit: &UnitId| match unit {
            UnitId::Network(_) | UnitId::Remote(..) | UnitId::SecurityGroup(_) | UnitId::Member(..) | UnitId::Dhcp(_) => {}
            UnitId::AddressGroup(_)
            | UnitId::DhcpHost(..)
            | UnitId::Router(_)
            | UnitId::FloatingIp(..)
            | UnitId::PortForwarding(..)
            | UnitId::NdpProxy(..)
            | UnitId::ConntrackHelper(..)
            | UnitId::MetadataClient(..)
            | UnitId::Port(_) => {}
        };
        for kind in UnitId::KINDS {
            let unit = [format!("{kind}/{id}"), format!("{kind}/{id}/{id}")].iter().find_map(|key| key.parse::<UnitId>().ok());
            let unit = unit.expect("each kind is read");
            position(&unit);
            assert_eq!(unit.to_string().split('/').next(), Some(kind));
        }
    }

    #[test]
    fn a_body_of_another_unit_is_refused() {
        let member = GroupMember { group_id: SecurityGroupId::MIN, port_id: PortId::MIN, addresses: vec![] };
        let unit = Unit::Member(member);
        assert_eq!(Unit::decode(&unit.id().to_string(), &unit.encode()), Ok(unit.clone()));
        assert!(Unit::decode("member/1b4e28ba-2fa1-41d2-883f-0016d3cca427/1b4e28ba-2fa1-41d2-883f-0016d3cca427", &unit.encode()).is_err());
        assert!(Unit::decode(&unit.id().to_string(), b"{").is_err());
    }
}
