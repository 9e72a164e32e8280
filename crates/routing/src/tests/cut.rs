//! Which connections are forgotten.

use super::*;
use agent::Cut;
use net::Family;

fn change(intents: &mut Intents, unit: Unit) -> Vec<Cut> {
    let id = unit.id();
    let before = intents.put(unit);
    L3.cuts(&id, before.as_ref(), intents, &Facts::default())
}

fn remove(intents: &mut Intents, id: UnitId) -> Vec<Cut> {
    let before = intents.remove(&id);
    L3.cuts(&id, before.as_ref(), intents, &Facts::default())
}

fn all() -> Cut {
    Cut::all(crate::netns(router_id(1)), 0, Family::V4)
}

fn translated(address: &str) -> Cut {
    Cut { translated_source: Some(net(address)), ..all() }
}

fn to(address: &str) -> Cut {
    Cut { destination: Some(net(address)), ..all() }
}

#[test]
fn those_of_the_address_that_changed() {
    let routed = router(1, Some(gateway(20)), vec![interface(1)]);
    let mut intents = intents([Unit::Router(routed.clone())]);
    let floating = |fixed| Unit::FloatingIp(floating_ip(1, 1, fixed));
    assert_eq!(change(&mut intents, floating(Some("10.0.1.5"))), []);
    assert_eq!(change(&mut intents, floating(Some("10.0.1.5"))), [], "nothing has changed");
    assert_eq!(change(&mut intents, floating(Some("10.0.1.6"))), [to("203.0.113.101/32"), translated("203.0.113.101/32")]);
    assert_eq!(remove(&mut intents, floating(None).id()), [to("203.0.113.101/32"), translated("203.0.113.101/32")]);
    change(&mut intents, Unit::PortForwarding(forwarding(1, 1, (80, 82), (8080, 8082))));
    let gone = remove(&mut intents, UnitId::PortForwarding(router_id(1), PortForwardingId(uuid(0xf8, 1))));
    assert_eq!(gone, [Cut { protocol: Some(6), destination_ports: Some((80, 82)), ..to("203.0.113.107/32") }]);
    let mut open = routed.clone();
    open.interfaces.push(interface(2));
    assert_eq!(change(&mut intents, Unit::Router(open.clone())), [], "another interface");
    open.enable_snat = false;
    assert_eq!(change(&mut intents, Unit::Router(open)), [translated("203.0.113.10/32")]);
    assert_eq!(remove(&mut intents, UnitId::Router(router_id(1))), [], "all is gone with its namespace");
}
