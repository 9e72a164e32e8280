//! Routers with readable ids and addresses, and an outside world.

use super::build::*;
use super::lab::*;
use intent::*;
use net::{FloatingIpId, PortForwardingId, RouterId, SubnetId};

/// The network of the outside.
pub const OUTSIDE: u8 = 9;
/// The port of the machine that is the outside world.
pub const INTERNET: u8 = 90;

pub fn router_id(number: u8) -> RouterId {
    RouterId(uuid(0x40, number))
}

pub fn qrouter(number: u8) -> String {
    format!("qrouter-{}", router_id(number))
}

/// An instance's port with one address.
pub fn instance(number: u8, network: u8, address: &str) -> Unit {
    Unit::Port(PortIntent { addresses: vec![ip(address)], ..port(number, network, &[1]) })
}

/// A port that nobody judges.
pub fn open_port(number: u8, network: u8, address: &str, device_owner: &str) -> Unit {
    let port = port(number, network, &[]);
    Unit::Port(PortIntent { addresses: vec![ip(address)], port_security_enabled: false, device_owner: device_owner.into(), ..port })
}

/// Everything is let in.
pub fn open_group() -> Unit {
    let any = |number, family| rule(number, Direction::Ingress, family, Transport::Any, Remote::Any);
    group(1, vec![any(10, 4), any(11, 6)])
}

/// A port of a router with these addresses.
pub fn router_port(number: u8, network: u8, addresses: &[&str]) -> RouterPort {
    let subnet = |(at, address): (usize, &&str)| RouterSubnet {
        id: SubnetId(uuid(0x50 + at as u8, network)),
        cidr: net(address).trunc(),
        gateway_ip: None,
        ra_mode: None,
        dns_nameservers: vec![],
        delegated: false,
    };
    RouterPort {
        port_id: port_id(number),
        network_id: network_id(network),
        mac: mac(number),
        mtu: 1450,
        addresses: addresses.iter().map(|address| net(address)).collect(),
        subnets: addresses.iter().enumerate().map(subnet).collect(),
        metadata_v6: false,
        scopes: Scopes::default(),
    }
}

/// Such a port of a network whose addresses are of these scopes.
pub fn scoped(v4: u8, v6: u8, port: RouterPort) -> RouterPort {
    let scope = |number: u8| (number > 0).then(|| net::AddressScopeId(uuid(0x60, number)));
    RouterPort { scopes: Scopes { v4: scope(v4), v6: scope(v6) }, ..port }
}

/// A port on the outside network 203.0.113.0/24, where 203.0.113.1 leads on.
pub fn gateway_port(number: u8, address: &str) -> RouterPort {
    let mut port = router_port(number, OUTSIDE, &[address]);
    port.subnets[0].gateway_ip = Some(ip("203.0.113.1"));
    port
}

pub fn router(number: u8, gateway: Option<RouterPort>, interfaces: Vec<RouterPort>) -> RouterIntent {
    RouterIntent {
        id: router_id(number),
        admin_state_up: true,
        enable_snat: true,
        gateway,
        further_gateways: vec![],
        ecmp: false,
        bfd: false,
        interfaces,
        routes: vec![],
        ndp_proxy: false,
        conntrack_helpers: false,
    }
}

/// A router and the `port/…` units of its ports.
pub fn with_ports(router: &RouterIntent) -> Vec<Unit> {
    let unit = |port: &RouterPort, owner| {
        let number = port.port_id.0.as_bytes()[15];
        let Unit::Port(mut unit) = open_port(number, 1, "0.0.0.0", owner) else { unreachable!("built so") };
        (unit.network_id, unit.addresses) = (port.network_id, port.addresses.iter().map(net::IpNet::addr).collect());
        Unit::Port(unit)
    };
    let gateway = router.gateway.iter().map(|port| unit(port, "network:router_gateway"));
    let further = router.further_gateways.iter().map(|further| unit(&further.port, "network:router_gateway"));
    let interfaces = router.interfaces.iter().map(|port| unit(port, "network:router_interface"));
    gateway.chain(further).chain(interfaces).chain([Unit::Router(router.clone())]).collect()
}

/// 203.0.113.<number> of a router, for an instance or for port forwardings.
pub fn floating_ip(number: u8, router: u8, fixed: Option<&str>) -> Unit {
    Unit::FloatingIp(FloatingIpIntent {
        id: FloatingIpId(uuid(0xf0, number)),
        router_id: router_id(router),
        network_id: None,
        floating_ip_address: [203, 0, 113, number].into(),
        fixed_ip_address: fixed.map(|text| text.parse().expect("an IPv4 address")),
    })
}

/// Ports of 203.0.113.<floating>.
pub fn forwarding(floating: u8, protocol: u8, external: (u16, u16), to: &str, internal: (u16, u16)) -> Unit {
    Unit::PortForwarding(PortForwardingIntent {
        id: PortForwardingId(uuid(0xf8, protocol)),
        router_id: router_id(1),
        floating_ip_id: FloatingIpId(uuid(0xf0, floating)),
        floating_ip_address: [203, 0, 113, floating].into(),
        protocol,
        external_ports: external,
        internal_ip_address: to.parse().expect("an IPv4 address"),
        internal_ports: internal,
    })
}

impl Inside {
    /// Plugs an instance with a default route.
    pub fn plug_routed(&mut self, name: &str, port: u8, address: &str, gateway: &str) {
        self.plug(name, port, &[address]);
        sh_in(name, &format!("ip route add default via {gateway}"));
        self.wait_port(port);
    }

    /// Plugs the outside world: 203.0.113.1, with 198.51.100.1 behind it.
    pub fn plug_internet(&mut self) {
        self.plug("internet", INTERNET, &["203.0.113.1/24"]);
        sh_in("internet", "ip addr add 198.51.100.1/32 dev lo");
        self.wait_port(INTERNET);
    }
}

/// Networks 1, 2 and the outside, the outside world, a (10.0.1.5), b (10.0.1.6) on 1, c (10.0.2.7) on 2.
pub fn scene() -> Vec<Unit> {
    let networks = [1, 2, OUTSIDE].map(|number| network(number, Carrier::Local));
    let ports = [
        open_group(),
        instance(5, 1, "10.0.1.5"),
        instance(6, 1, "10.0.1.6"),
        instance(7, 2, "10.0.2.7"),
        open_port(INTERNET, OUTSIDE, "203.0.113.1", "compute:nova"),
    ];
    networks.into_iter().chain(ports).collect()
}

/// The router of the scene: 10.0.1.1, 10.0.2.1, and 203.0.113.10 outside.
pub fn routed() -> RouterIntent {
    let interfaces = vec![router_port(1, 1, &["10.0.1.1/24"]), router_port(2, 2, &["10.0.2.1/24"])];
    router(1, Some(gateway_port(20, "203.0.113.10/24")), interfaces)
}

/// A host with the scene, its router and further units.
pub fn start(host: &mut Inside, router: &RouterIntent, further: Vec<Unit>) {
    host.start(scene().into_iter().chain(with_ports(router)).chain(further));
    host.wait(&format!("router/{}", router.id), 0);
    host.plug_internet();
    host.plug_routed("a", 5, "10.0.1.5/24", "10.0.1.1");
    host.plug_routed("b", 6, "10.0.1.6/24", "10.0.1.1");
    host.plug_routed("c", 7, "10.0.2.7/24", "10.0.2.1");
}
