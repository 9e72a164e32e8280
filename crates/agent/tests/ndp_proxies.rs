//! Real packets to addresses for which a router answers outside, and to others.

mod support;

use intent::{NdpProxyIntent, RouterIntent, Unit};
use net::NdpProxyId;
use support::build::*;
use support::lab::*;
use support::routed::*;

/// The router of the scene with IPv6 of one address scope outside and on network 1.
fn proxying() -> RouterIntent {
    let mut router = routed();
    let outside = router_port(20, OUTSIDE, &["203.0.113.10/24", "2001:db8:9::10/64"]);
    router.gateway = Some(scoped(0, 6, outside));
    router.interfaces[0] = scoped(0, 6, router_port(1, 1, &["10.0.1.1/24", "2001:db8:1::1/64"]));
    router.ndp_proxy = true;
    router
}

fn proxy(number: u8, address: &str) -> Unit {
    let ip_address = address.parse().expect("an IPv6 address");
    Unit::NdpProxy(NdpProxyIntent { id: NdpProxyId(uuid(0xfa, number)), router_id: router_id(1), ip_address })
}

fn addressed(number: u8, v4: &str, v6: &str) -> Unit {
    let Unit::Port(mut port) = instance(number, 1, v4) else { unreachable!("built so") };
    port.addresses.push(ip(v6));
    Unit::Port(port)
}

fn proxies() -> String {
    sh(&format!("ip -n {} -6 neigh show proxy", qrouter(1)))
}

#[test]
fn what_is_proxied_is_reached_and_nothing_else() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let instances = || vec![addressed(5, "10.0.1.5", "2001:db8:1::5"), addressed(6, "10.0.1.6", "2001:db8:1::6")];
        let further = || instances().into_iter().chain([proxy(1, "2001:db8:1::5")]).collect::<Vec<Unit>>();
        start(host, &proxying(), further());
        for (name, own) in [("a", "2001:db8:1::5"), ("b", "2001:db8:1::6")] {
            sh_in(name, &format!("ip addr add {own}/64 dev eth0 nodad && ip -6 route add default via 2001:db8:1::1"));
        }
        // Outside, addresses of the inside are taken to be on the link: whoever has them must answer.
        sh_in("internet", "ip addr add 2001:db8:9::1/64 dev eth0 nodad && ip -6 route add 2001:db8:1::/64 dev eth0");
        assert!(pings("internet", "2001:db8:1::5"), "{:?} {}", host.faults(), proxies());
        assert!(pings("a", "2001:db8:9::1"), "and the other way");
        assert!(silent("internet", "2001:db8:1::6"), "nobody answers for it");
        sh_in("internet", "ip -6 route replace 2001:db8:1::6 via 2001:db8:9::10");
        assert!(silent("internet", "2001:db8:1::6"), "nor is it let in");
        host.change(proxy(2, "2001:db8:1::6"));
        until("it is proxied", || pings("internet", "2001:db8:1::6"));
        // A restart finds all as it is to be, and takes away what is not any more.
        host.kill();
        sh(&format!("ip -n {} -6 neigh add proxy 2001:db8:1::77 dev qg-a0000014-00", qrouter(1)));
        host.start(scene().into_iter().chain(with_ports(&proxying())).chain(further()));
        host.wait(&proxy(1, "2001:db8:1::5").id().to_string(), 0);
        until("one is left", || proxies().lines().count() == 1);
        assert!(pings("internet", "2001:db8:1::5") && silent("internet", "2001:db8:1::6"));
        sh(&format!("ip -n {} -6 neigh del proxy 2001:db8:1::5 dev qg-a0000014-00", qrouter(1)));
        host.send(agent::Event::Resync);
        until("it is back", || proxies().contains("2001:db8:1::5"));
        host.tell([], [proxy(1, "2001:db8:1::5").id()]);
        until("none is left", || proxies().is_empty());
        assert!(silent("internet", "2001:db8:1::5"));
    });
}
