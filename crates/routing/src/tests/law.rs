//! Compiling what a change concerns gives what compiling all gives, whatever comes in whatever order.

use super::*;
use agent::{Compiled, Complaint};
use dataplane::{Bridge, Link, LinkKind, Program, UnitKey};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Programs = BTreeMap<UnitKey, Compiled>;

fn any_unit() -> impl Strategy<Value = Unit> {
    let number = 0_u8..3;
    let interfaces = prop::collection::btree_set(0_u8..4, 0..3);
    let a_router = (number.clone(), prop::option::of(20_u8..22), interfaces, any::<[bool; 6]>()).prop_map(
        |(number, gateway_port, interfaces, [up, snat, helped, second, ecmp, bfd])| {
            let mut router = router(number, gateway_port.map(gateway), interfaces.into_iter().map(interface).collect());
            (router.admin_state_up, router.enable_snat, router.conntrack_helpers) = (up, snat, helped);
            let further = port(23, 9, &["203.0.113.11/24"], vec![]);
            (router.ecmp, router.bfd) = (ecmp, bfd);
            router.further_gateways = second.then_some(FurtherGateway { port: further, enable_snat: true }).into_iter().collect();
            router.routes = vec![Route { destination: net("10.9.0.0/16"), nexthop: ip("10.0.1.9") }];
            Unit::Router(router)
        },
    );
    let a_floating_ip = (0_u8..4, number.clone(), prop::option::of(5_u8..8))
        .prop_map(|(id, router, last)| Unit::FloatingIp(floating_ip(id, router, last.map(|last| format!("10.0.1.{last}")).as_deref())));
    let a_forwarding = (0_u8..4, number.clone(), 80_u16..83)
        .prop_map(|(id, router, last)| Unit::PortForwarding(forwarding(id, router, (80, last), (8080, 8082))));
    let a_helper = (0_u8..4, number, 20_u16..22).prop_map(|(id, router, port)| Unit::ConntrackHelper(helper(id, router, "ftp", port)));
    prop_oneof![a_router, a_floating_ip, a_forwarding, a_helper]
}

fn everything(intents: &Intents) -> Programs {
    let facts = Facts::default();
    L3.units(intents, &facts).into_iter().map(|unit| (unit.clone(), L3.compile(&unit, intents, &facts))).collect()
}

fn shown(programs: &Programs) -> Vec<(String, &Program, &Vec<UnitId>, &Vec<Complaint>)> {
    let filled = programs.iter().filter(|(_, compiled)| !compiled.is_empty());
    filled.map(|(unit, compiled)| (unit.to_string(), &compiled.program, &compiled.realises, &compiled.complaints)).collect()
}

proptest! {
    #[test]
    fn incremental_is_recomputed(ops in prop::collection::vec((any_unit(), 0_u8..3), 1..40)) {
        let facts = Facts::default();
        let mut intents = Intents::default();
        let mut programs = Programs::new();
        for (unit, kind) in ops {
            let id = unit.id();
            let before = if kind > 0 { intents.put(unit) } else { intents.remove(&id) };
            for unit in L3.concerned(&id, before.as_ref(), &intents, &facts) {
                programs.insert(unit.clone(), L3.compile(&unit, &intents, &facts));
            }
            let all = everything(&intents);
            prop_assert_eq!(shown(&programs), shown(&all));
        }
    }
}

/// A plan made from the units concerned leads to what a plan made from all units leads to.
#[test]
fn a_floating_ip_follows_the_gateway() {
    let facts = Facts::default();
    let routed = |port| Unit::Router(router(1, Some(gateway(port)), vec![interface(1)]));
    let mut intents = intents([routed(20), Unit::FloatingIp(floating_ip(1, 1, Some("10.0.1.5")))]);
    let bridges = bridges([1, 9]);
    let network = UnitKey::new("network", "both");
    let before = everything(&intents);
    let old = intents.put(routed(21));
    let units = L3.concerned(&UnitId::Router(router_id(1)), old.as_ref(), &intents, &facts);
    let fresh: Programs = units.into_iter().map(|unit| (unit.clone(), L3.compile(&unit, &intents, &facts))).collect();
    let mut actual = dataplane::Actual::of(programs(&before).chain([(&network, &bridges)]));
    let plan = dataplane::diff(programs(&fresh).chain([(&network, &bridges)]), &actual);
    plan.apply_to(&mut actual).expect("a kernel takes it");
    let all = everything(&intents);
    assert_eq!(dataplane::diff(programs(&all).chain([(&network, &bridges)]), &actual).steps, []);
}

fn programs(programs: &Programs) -> impl Iterator<Item = (&UnitKey, &Program)> {
    programs.iter().map(|(unit, compiled)| (unit, &compiled.program))
}

/// The bridges of networks, which the L2 dataplane makes.
fn bridges(networks: impl IntoIterator<Item = u8>) -> Program {
    let mut program = Program::default();
    let bridge = || Link::new(LinkKind::Bridge(Bridge::default()));
    program.root().links.extend(networks.into_iter().map(|number| ((L3.bridge)(NetworkId(uuid(0x10, number))), bridge())));
    program
}

#[test]
fn a_floating_ip_among_many_is_few_steps() {
    let mut units = vec![Unit::Router(router(1, Some(gateway(20)), vec![interface(1)]))];
    units.extend((1..=100).map(|number| Unit::FloatingIp(floating_ip(number, 1, Some(&format!("10.0.1.{number}"))))));
    let mut intents = intents(units);
    let facts = Facts::default();
    let new = Unit::FloatingIp(floating_ip(101, 1, Some("10.0.1.101")));
    let id = new.id();
    intents.put(new);
    let units = L3.concerned(&id, None, &intents, &facts);
    let fresh: Programs = units.into_iter().map(|unit| (unit.clone(), L3.compile(&unit, &intents, &facts))).collect();
    let plan = dataplane::diff(programs(&fresh), &dataplane::Actual::default());
    let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps.len(), 3, "{steps:#?}");
}
