//! Which connections are forgotten.

use super::*;
use agent::Cut;
use net::Family;

struct World {
    intents: Intents,
    facts: Facts,
}

impl World {
    fn new() -> World {
        let ssh = rule(5, Direction::Ingress, 4, Transport::Ports { protocol: 6, first: 22, last: 22 }, Remote::Any);
        let mut group = default_group(1);
        group.rules.push(ssh);
        let mut facts = facts(false);
        let units = [
            Unit::Network(vxlan(1)),
            Unit::SecurityGroup(group),
            Unit::Member(member(1, 9, &["10.0.0.9/32"])),
            Unit::Port(port(5, 1, &[1])),
        ];
        let intents = tell(units, &mut facts);
        World { intents, facts }
    }

    fn put(&mut self, unit: Unit) -> Vec<Cut> {
        let id = unit.id();
        let before = self.intents.put(unit);
        LinuxBridge.cuts(&id, before.as_ref(), &self.intents, &self.facts)
    }

    fn remove(&mut self, id: UnitId) -> Vec<Cut> {
        let before = self.intents.remove(&id);
        LinuxBridge.cuts(&id, before.as_ref(), &self.intents, &self.facts)
    }
}

fn tcp(source: Option<&str>, destination: Option<&str>, port: u16) -> Cut {
    Cut {
        protocol: Some(6),
        source: source.map(net),
        destination: destination.map(net),
        destination_ports: Some((port, port)),
        ..Cut::all(dataplane::Netns::ROOT, 1, Family::V4)
    }
}

fn any(source: Option<&str>, destination: Option<&str>) -> Cut {
    Cut { protocol: None, destination_ports: None, ..tcp(source, destination, 0) }
}

#[test]
fn a_rule_takes_its_connections_along() {
    let mut world = World::new();
    assert_eq!(world.put(Unit::SecurityGroup(default_group(1))), [tcp(None, Some("10.0.0.5/32"), 22)]);
    assert_eq!(world.put(Unit::SecurityGroup(default_group(1))), [], "nothing was removed");
}

#[test]
fn a_rule_that_others_repeat_takes_none() {
    let mut world = World::new();
    let mut group = default_group(1);
    group.rules.push(rule(6, Direction::Ingress, 4, Transport::Ports { protocol: 6, first: 22, last: 22 }, Remote::Any));
    assert_eq!(world.put(Unit::SecurityGroup(group)), []);
}

#[test]
fn a_member_takes_its_connections_along() {
    let mut world = World::new();
    let cuts = world.put(Unit::Member(member(1, 9, &["10.0.0.10/32"])));
    assert_eq!(cuts, [any(Some("10.0.0.9/32"), Some("10.0.0.5/32"))]);
    let cuts = world.remove(UnitId::Member(group_id(1), port_id(9)));
    assert_eq!(cuts, [any(Some("10.0.0.10/32"), Some("10.0.0.5/32"))]);
}

#[test]
fn an_address_takes_its_connections_along() {
    let mut world = World::new();
    let listed = rule(7, Direction::Ingress, 4, Transport::Any, Remote::AddressGroup { address_group: address_group_id(1) });
    world.put(Unit::AddressGroup(address_group(1, &["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"])));
    world.put(Unit::SecurityGroup(group(1, true, vec![listed])));
    let cuts = world.put(Unit::AddressGroup(address_group(1, &["198.51.100.0/24"])));
    assert_eq!(cuts, [any(Some("192.0.2.0/24"), Some("10.0.0.5/32"))]);
    let cuts = world.remove(UnitId::AddressGroup(address_group_id(1)));
    assert_eq!(cuts, [any(Some("198.51.100.0/24"), Some("10.0.0.5/32"))]);
}

#[test]
fn a_group_left_takes_the_connections_of_its_rules() {
    let mut world = World::new();
    let cuts = world.put(Unit::Port(port(5, 1, &[])));
    assert!(cuts.contains(&tcp(None, Some("10.0.0.5/32"), 22)), "{cuts:?}");
    assert!(cuts.contains(&any(Some("10.0.0.5/32"), None)), "{cuts:?}");
}

#[test]
fn a_group_gone_with_its_last_port_takes_all() {
    let mut world = World::new();
    world.remove(UnitId::SecurityGroup(group_id(1)));
    let cuts = world.put(Unit::Port(port(5, 1, &[])));
    assert!(cuts.contains(&any(None, Some("10.0.0.5/32"))) && cuts.contains(&any(Some("10.0.0.5/32"), None)), "{cuts:?}");
}

#[test]
fn a_port_takes_all_of_its_addresses() {
    let mut world = World::new();
    assert_eq!(world.put(Unit::Port(port(5, 1, &[1]))), [], "nothing changed");
    let cuts = world.remove(UnitId::Port(port_id(5)));
    assert_eq!(cuts.len(), 6, "both directions of the addresses of both families and of the link-local one: {cuts:?}");
    assert!(cuts.contains(&any(None, Some("10.0.0.5/32"))) && cuts.contains(&any(Some("10.0.0.5/32"), None)), "{cuts:?}");
}

#[test]
fn a_network_takes_its_zone() {
    let mut world = World::new();
    assert_eq!(world.remove(UnitId::Network(network_id(1))), [any(None, None), Cut { family: Family::V6, ..any(None, None) }]);
}

#[test]
fn link_local_connections_go_like_others() {
    let mut world = World::new();
    let link_local = net("fe80::f816:3eff:fe00:5/128");
    let from = Cut { family: Family::V6, ..any(Some("fe80::f816:3eff:fe00:5/128"), None) };
    assert_eq!(port(5, 1, &[]).mac, "fa:16:3e:00:00:05".parse().expect("a MAC"));
    let cuts = world.put(Unit::Port(port(5, 1, &[])));
    assert!(cuts.contains(&from), "what the group let out goes with it: {cuts:?}");
    let cuts = world.remove(UnitId::Port(port_id(5)));
    assert!(cuts.contains(&from) && cuts.iter().any(|cut| cut.destination == Some(link_local)), "{cuts:?}");
}
