//! Compiling what a change concerns gives what compiling all gives, whatever comes in whatever order.

use super::*;
use agent::Compiled;
use dataplane::{Program, UnitKey};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    Put(Unit),
    Remove(UnitId),
    Device(String, bool),
}

fn any_unit() -> impl Strategy<Value = Unit> {
    let number = 0_u8..3;
    let a_network = (number.clone(), 0_u8..6, any::<bool>()).prop_map(|(number, carrier, up)| {
        let carrier = match carrier {
            0 => Carrier::Local,
            1 => Carrier::Flat { physical_network: "physnet1".into() },
            2 | 3 => Carrier::Vlan { physical_network: "physnet1".into(), vlan: u32::from(carrier).try_into().expect("a VLAN") },
            n => Carrier::Vxlan { vni: u32::from(n).try_into().expect("a VNI") },
        };
        Unit::Network(NetworkIntent { admin_state_up: up, ..network(number, carrier) })
    });
    let a_remote = (number.clone(), number.clone(), 1_u8..4)
        .prop_map(|(network, port, host)| Unit::Remote(remote(network, port, &format!("192.0.2.{host}"))));
    let a_rule = (number.clone(), any::<bool>(), 0_u8..7).prop_map(|(number, ingress, remote)| {
        let direction = if ingress { Direction::Ingress } else { Direction::Egress };
        let remote = match remote {
            0..3 => Remote::Group { group: group_id(remote) },
            3 | 4 => Remote::AddressGroup { address_group: address_group_id(remote) },
            _ => Remote::Any,
        };
        rule(number, direction, 4, Transport::Ports { protocol: 6, first: 80, last: 80 }, remote)
    });
    let a_group = (number.clone(), any::<bool>(), prop::collection::vec(a_rule, 0..3))
        .prop_map(|(number, stateful, rules)| Unit::SecurityGroup(group(number, stateful, rules)));
    let a_member = (number.clone(), number.clone(), 0_u8..3)
        .prop_map(|(group, port, last)| Unit::Member(member(group, port, &[&format!("10.0.0.{last}/31"), "fd00::/64"])));
    let a_list = (3_u8..5, 0_u8..3)
        .prop_map(|(number, last)| Unit::AddressGroup(address_group(number, &[&format!("10.0.0.{last}/31"), "10.0.0.0/24", "fd00::/64"])));
    let a_port = (number.clone(), number.clone(), prop::collection::vec(number.clone(), 0..3), number, any::<[bool; 4]>()).prop_map(
        |(id, network, groups, device, [security, up, dhcp, pair])| {
            let mut unit = port(id, network, &groups);
            unit.device = port(device, network, &[]).device;
            (unit.port_security_enabled, unit.admin_state_up) = (security, up);
            unit.device_owner = if dhcp { "network:dhcp".into() } else { "compute:nova".into() };
            unit.allowed_addresses.extend(pair.then(|| AllowedAddress { address: net("10.9.0.0/24"), mac: unit.mac }));
            Unit::Port(unit)
        },
    );
    prop_oneof![a_network, a_remote, a_group, a_member, a_list, a_port]
}

fn any_op() -> impl Strategy<Value = Op> {
    let device = prop_oneof![Just("eth1".to_owned()), (0_u8..3).prop_map(|number| port(number, 0, &[]).device.to_string())];
    prop_oneof![
        4 => any_unit().prop_map(Op::Put),
        2 => any_unit().prop_map(|unit| Op::Remove(unit.id())),
        1 => (device, any::<bool>()).prop_map(|(device, there)| Op::Device(device, there)),
    ]
}

type Programs = BTreeMap<UnitKey, Compiled>;

fn everything(intents: &Intents, facts: &Facts) -> Programs {
    LinuxBridge.units(intents, facts).into_iter().map(|unit| (unit.clone(), LinuxBridge.compile(&unit, intents, facts))).collect()
}

fn shown(programs: &Programs) -> Vec<(String, &Program, &Vec<UnitId>, &Vec<agent::Complaint>)> {
    let filled = programs.iter().filter(|(_, compiled)| !compiled.is_empty());
    filled.map(|(unit, compiled)| (unit.to_string(), &compiled.program, &compiled.realises, &compiled.complaints)).collect()
}

proptest! {
    #[test]
    fn incremental_is_recomputed(ops in prop::collection::vec(any_op(), 1..40), bridge_conntrack: bool, vlan_links: bool) {
        let mut facts = Facts { vlan_links, ..facts(bridge_conntrack) };
        let mut intents = Intents::default();
        let mut programs = Programs::new();
        for op in ops {
            let dirty = match op {
                Op::Put(unit) => {
                    let id = unit.id();
                    let before = intents.put(unit);
                    LinuxBridge.allocate(&id, &intents, &mut facts.allocations);
                    LinuxBridge.concerned(&id, before.as_ref(), &intents, &facts)
                }
                Op::Remove(id) => {
                    let before = intents.remove(&id);
                    LinuxBridge.allocate(&id, &intents, &mut facts.allocations);
                    LinuxBridge.concerned(&id, before.as_ref(), &intents, &facts)
                }
                Op::Device(device, there) => {
                    if there { facts.devices.insert(device.as_str().into()) } else { facts.devices.remove(device.as_str()) };
                    LinuxBridge.device_changed(&device, &intents, &facts)
                }
            };
            for unit in dirty {
                programs.insert(unit.clone(), LinuxBridge.compile(&unit, &intents, &facts));
            }
            let all = everything(&intents, &facts);
            prop_assert_eq!(shown(&programs), shown(&all));
        }
        for id in intents.iter().map(|(id, _)| *id).collect::<Vec<_>>() {
            intents.remove(&id);
            LinuxBridge.allocate(&id, &intents, &mut facts.allocations);
        }
        prop_assert_eq!(facts.allocations.iter().count(), 0);
    }
}
