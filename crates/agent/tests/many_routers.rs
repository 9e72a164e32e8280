//! How long many routers and floating IPs take.

mod support;

use intent::{Carrier, FloatingIpIntent, NetworkIntent, RouterIntent, RouterPort, Unit};
use net::{FloatingIpId, Mac, NetworkId, PortId, RouterId};
use std::time::{Duration, Instant};
use support::build::*;
use support::lab::*;
use support::routed::*;

const ROUTERS: u16 = 500;
const FLOATING_IPS: u16 = 1000;

/// 198.18.0.0/15 has room for many.
fn floating(number: u16, fixed: [u8; 4]) -> Unit {
    let [high, low] = number.to_be_bytes();
    Unit::FloatingIp(FloatingIpIntent {
        id: FloatingIpId(uuid(high, low)),
        router_id: router_id(1),
        network_id: None,
        floating_ip_address: [198, 18, high, low].into(),
        fixed_ip_address: Some(fixed.into()),
    })
}

/// Routers with one interface and gateway each; all with one prefix inside.
fn routers() -> Vec<Unit> {
    let mut units = Vec::new();
    for [high, low] in (0..ROUTERS).map(u16::to_be_bytes) {
        let network_id = NetworkId(uuid(0x20 + high, low));
        let port = |kind: u8, port: RouterPort| RouterPort {
            port_id: PortId(uuid(kind + high, low)),
            mac: Mac([2, kind, 0, 0, high, low]),
            ..port
        };
        let interface = RouterPort { network_id, ..port(0xb0, router_port(0, 0, &["10.0.1.1/24"])) };
        let gateway = port(0xc0, gateway_port(0, &format!("100.64.{high}.{low}/16")));
        let inner = NetworkIntent { id: network_id, carrier: Carrier::Local, mtu: 1450, admin_state_up: true };
        let routed = RouterIntent { id: RouterId(uuid(0x50 + high, low)), ..router(0, Some(gateway), vec![interface]) };
        units.extend([Unit::Network(inner), Unit::Router(routed)]);
    }
    units
}

#[test]
fn many_routers_and_floating_ips() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let further = || {
            let floating = (1..FLOATING_IPS).map(|number| floating(number, [10, 1, number.to_be_bytes()[0], number.to_be_bytes()[1]]));
            routers().into_iter().chain(floating).collect::<Vec<_>>()
        };
        let all = || scene().into_iter().chain(with_ports(&routed())).chain(further()).collect::<Vec<_>>();
        let ready = |host: &mut Inside| {
            for unit in further() {
                if matches!(unit, Unit::Router(_) | Unit::FloatingIp(_)) {
                    host.wait(&unit.id().to_string(), 0);
                }
            }
        };
        let started = Instant::now();
        start(host, &routed(), further());
        ready(host);
        println!("{ROUTERS} routers and {FLOATING_IPS} floating IPs: in force after {:?}", started.elapsed());
        sh_in("internet", "ip route add 198.18.0.0/15 dev eth0");
        let mut slowest = Duration::ZERO;
        for number in 0..10 {
            let started = Instant::now();
            host.change(floating(FLOATING_IPS + number, [10, 0, 1, 5]));
            let told = started.elapsed();
            let [high, low] = (FLOATING_IPS + number).to_be_bytes();
            assert!(pings("internet", &format!("198.18.{high}.{low}")), "{:?}", host.faults());
            println!("one more: reported after {told:?}, answers after {:?}", started.elapsed());
            slowest = slowest.max(told);
            let gone = host.tell([], [floating(FLOATING_IPS + number, [0; 4]).id()]);
            host.change(Unit::Router(routed()));
            assert!(gone > 0);
        }
        host.kill();
        let started = Instant::now();
        host.start(all());
        ready(host);
        println!("restarted: in sync after {:?}", started.elapsed());
        // Generous: the machine may be busy with other tests.
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        assert_eq!(host.faults().len(), 0);
    });
}
