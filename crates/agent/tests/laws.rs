//! Whatever happens in whatever order, also failures, drift and restarts: in the end the host has what it was told, nothing
//! right is touched, and nothing of others is.

mod support;

use agent::{Agent, Event};
use dataplane::{Actual, Link, LinkKind, Netns, UnitKey, diff};
use intent::{Unit, UnitId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;
use support::build::*;
use support::model::Model;
use support::routed;

const FOREIGN: [&str; 2] = ["docker0", "tap-foreign"];

#[derive(Clone, Debug)]
enum Op {
    Put(Unit),
    Remove(UnitId),
    /// A device comes or goes, and the agent hears of it, or not.
    Device(u8, bool, bool),
    Turn,
    /// Somebody meddles with our objects.
    Drift(u8),
    /// From now on every so many steps fail; 0: none.
    Fail(usize),
    /// Killed and started again.
    Restart,
}

fn any_unit() -> impl Strategy<Value = Unit> {
    let number = 0_u8..3;
    use intent::{Direction, Remote, Transport};
    let a_group = (number.clone(), number.clone(), any::<bool>()).prop_map(|(id, other, named)| {
        let remote = if named { Remote::Group { group: group_id(other) } } else { Remote::Any };
        group(id, vec![rule(9, Direction::Ingress, 4, Transport::Any, remote)])
    });
    prop_oneof![
        number.clone().prop_map(vxlan),
        (number.clone(), 10_u8..13, 1_u8..4).prop_map(|(network, port, vtep)| remote(network, port, &format!("192.0.2.{}", vtep + 1))),
        a_group,
        (number.clone(), 0_u8..9).prop_map(|(group, port)| member(group, port)),
        (number.clone(), number.clone(), prop::collection::vec(number.clone(), 0..3))
            .prop_map(|(id, network, groups)| Unit::Port(port(id, network, &groups))),
        number.clone().prop_map(|network| dhcp(network, 20 + network)),
        number.clone().prop_map(|network| dhcp_port(network, 20 + network)),
        (number.clone(), number).prop_map(|(network, port)| dhcp_host(network, port)),
        a_router(),
        (0_u8..2, 101_u8..104, 5_u8..8).prop_map(|(router, last, fixed)| routed::floating_ip(
            last,
            router,
            Some(&format!("10.{last}.1.{fixed}"))
        )),
        (101_u8..104, 6_u8..8, 80_u16..82).prop_map(|(floating, protocol, last)| routed::forwarding(
            floating,
            protocol,
            (80, last),
            "10.0.1.7",
            (80, last)
        )),
    ]
}

/// On networks 0 and 1 inside, and 2 outside by one of two gateway ports.
fn a_router() -> impl Strategy<Value = Unit> {
    use routed::{gateway_port, router, router_port, scoped};
    (0_u8..2, prop::option::of(0_u8..2), any::<[bool; 3]>(), 0_u8..3).prop_map(|(number, gateway, [up, one, two], scope)| {
        let gateway = gateway.map(|other| intent::RouterPort {
            network_id: network_id(2),
            ..gateway_port(30 + 2 * number + other, &format!("203.0.113.{}/24", 10 + number))
        });
        let address = |network: u8| format!("10.0.{network}.{}/24", 1 + number);
        let interface = |network: u8| scoped(scope * network, scope, router_port(40 + 2 * number + network, network, &[&address(network)]));
        let interfaces = [one, two].into_iter().zip(0..).filter(|(is, _)| *is).map(|(_, network)| interface(network)).collect();
        Unit::Router(intent::RouterIntent { admin_state_up: up, ..router(number, gateway, interfaces) })
    })
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => any_unit().prop_map(Op::Put),
        3 => any_unit().prop_map(|unit| Op::Remove(unit.id())),
        3 => (0_u8..3, any::<bool>(), any::<bool>()).prop_map(|(port, there, heard)| Op::Device(port, there, heard)),
        6 => Just(Op::Turn),
        1 => any::<u8>().prop_map(Op::Drift),
        1 => (0_usize..6).prop_map(Op::Fail),
        1 => Just(Op::Restart),
    ]
}

/// Changes one of our objects at random.
fn drift(actual: &mut Actual, choice: u8) {
    let root = actual.netns(&Netns::ROOT);
    let at = usize::from(choice);
    match choice % 4 {
        0 => {
            let ours: Vec<_> = root.links.iter().filter(|(_, link)| link.owner.is_some()).map(|(name, _)| name.clone()).collect();
            let name = ours.get(at / 4 % ours.len().max(1));
            root.links.values_mut().for_each(|link| link.master = link.master.take_if(|_| link.owner.is_none()));
            name.into_iter().for_each(|name| root.links.get_mut(name).expect("listed above").up = false);
        }
        1 => _ = root.fdb.pop_first(),
        2 => {
            let chains = root.tables.values_mut().flat_map(|table| table.chains.values_mut());
            chains.filter(|chain| chain.base.is_none()).skip(at % 3).take(1).for_each(|chain| _ = chain.rules.pop());
        }
        _ => {
            let elements = root.tables.values_mut().flat_map(|table| table.elements.values_mut());
            elements.filter(|elements| !elements.is_empty()).skip(at % 5).take(1).for_each(|elements| _ = elements.pop_first());
        }
    }
}

struct Bench<'a> {
    state: &'a Path,
    model: Model,
    agent: Agent<Model>,
    told: BTreeMap<UnitId, Unit>,
    revision: u64,
}

impl<'a> Bench<'a> {
    fn new(state: &'a Path) -> Bench<'a> {
        let model = Model::default();
        FOREIGN.iter().for_each(|name| model.add_link(name));
        let mut bench = Bench { state, agent: agent(state, model.clone(), Some("192.0.2.1")), model, told: BTreeMap::new(), revision: 1 };
        bench.tell_all();
        bench
    }

    fn tell_all(&mut self) {
        snapshot(self.revision, self.told.values().cloned()).into_iter().for_each(|event| self.agent.on(event));
    }

    fn tell(&mut self, put: Option<Unit>, remove: Option<UnitId>) {
        self.revision += 1;
        self.told.extend(put.iter().map(|unit| (unit.id(), unit.clone())));
        remove.iter().for_each(|id| _ = self.told.remove(id));
        self.agent.on(delta(self.revision, put, remove));
        self.agent.on(synced(self.revision));
    }

    fn restart(&mut self) {
        self.agent = agent(self.state, self.model.clone(), Some("192.0.2.1"));
        self.tell_all();
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Put(unit) => self.tell(Some(unit), None),
            Op::Remove(id) => self.tell(None, Some(id)),
            Op::Device(port, there, heard) => {
                let name = tap(port);
                if there {
                    self.model.add_link(&name)
                } else {
                    self.model.remove_link(&name)
                };
                if heard {
                    let name = name.as_str().into();
                    self.agent.on(if there { Event::LinkUp { name, settled: false } } else { Event::LinkGone(name) });
                }
            }
            Op::Turn => self.turn(),
            Op::Drift(choice) => drift(&mut self.model.state().actual, choice),
            Op::Fail(every) => self.model.state().fail_every = Some(every).filter(|every| *every > 1),
            Op::Restart => self.restart(),
        }
    }

    /// A turn; the kernel tells of the links that it made and took away.
    fn turn(&mut self) {
        let links = |model: &Model| -> BTreeSet<_> { model.state().actual.netns(&Netns::ROOT).links.keys().cloned().collect() };
        let before = links(&self.model);
        self.agent.turn(Instant::now());
        let after = links(&self.model);
        after.difference(&before).for_each(|name| self.agent.on(Event::LinkUp { name: name.clone(), settled: false }));
        before.difference(&after).for_each(|name| self.agent.on(Event::LinkGone(name.clone())));
    }

    /// Nothing fails any more, and every network told of is told.
    fn calm(&mut self) {
        self.model.state().fail_every = None;
        (0..3).for_each(|number| self.tell(Some(vxlan(number)), None));
        for _ in 0..4 {
            self.agent.on(Event::Resync);
            self.turn();
        }
    }

    fn foreign(&self) -> Vec<dataplane::ActualLink> {
        FOREIGN.iter().map(|name| self.model.link(name).expect("nobody removes it")).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_way_leads_to_what_was_told(ops in prop::collection::vec(any_op(), 1..60)) {
        let state = tempfile::tempdir().expect("a directory");
        let mut bench = Bench::new(state.path());
        let foreign = bench.foreign();
        ops.into_iter().for_each(|op| bench.run(op));
        bench.calm();
        prop_assert!(bench.agent.is_settled());
        let actual = bench.model.state().actual.clone();
        let plan = diff(bench.agent.programs(), &actual);
        prop_assert_eq!(&plan.steps, &[], "the host differs from what it was told");

        bench.model.steps();
        bench.agent.on(Event::Resync);
        bench.agent.turn(Instant::now());
        prop_assert_eq!(bench.model.steps(), Vec::<String>::new(), "what is right is left alone");
        bench.restart();
        bench.agent.turn(Instant::now());
        prop_assert_eq!(bench.model.steps(), Vec::<String>::new(), "a restart touches nothing");
        prop_assert_eq!(bench.foreign(), foreign);

        prop_assert_eq!(agent::down(&mut bench.model), Ok(vec![]));
        let actual = bench.model.state().actual.clone();
        let left = actual.namespaces.iter().filter(|(_, space)| space.made || !space.tables.is_empty() || !space.daemons.is_empty());
        prop_assert_eq!(left.count(), 0);
        let marked = actual.namespaces.values().flat_map(|space| space.links.values()).filter(|link| link.owner.is_some() || link.master.is_some());
        prop_assert_eq!(marked.count(), 0, "no link is ours any more");
    }

    #[test]
    fn quick_passes_do_what_full_ones_would(ops in prop::collection::vec(any_op(), 1..60)) {
        let state = tempfile::tempdir().expect("a directory");
        let mut bench = Bench::new(state.path());
        (0..3).for_each(|number| bench.tell(Some(vxlan(number)), None));
        bench.turn();
        for op in ops {
            match op {
                Op::Drift(_) | Op::Fail(_) | Op::Device(_, _, false) | Op::Remove(UnitId::Network(_)) => {}
                other => bench.run(other),
            }
        }
        // What the first one makes is heard of in the second.
        (0..2).for_each(|_| bench.turn());
        let actual = bench.model.state().actual.clone();
        let plan = diff(bench.agent.programs(), &actual);
        prop_assert_eq!(&plan.steps, &[]);
    }
}

#[test]
fn nothing_is_written_before_all_is_told() {
    let state = tempfile::tempdir().expect("a directory");
    let model = Model::default();
    // What a former run has left.
    let unit = UnitKey::new("network", network_id(9));
    let mut program = dataplane::Program::default();
    program.root().links.insert("brqold".into(), Link::new(LinkKind::Bridge(dataplane::Bridge::default())));
    model.state().actual = Actual::of([(&unit, &program)]);
    let mut agent = agent(state.path(), model.clone(), None);
    agent.on(Event::LinkUp { name: tap(5).into(), settled: false });
    agent.turn(Instant::now());
    let mut events = snapshot(3, [network(1, intent::Carrier::Local), Unit::Port(port(5, 1, &[]))]);
    let last = events.pop().expect("three events");
    for event in events {
        agent.on(event);
        agent.turn(Instant::now());
    }
    assert_eq!(model.steps(), Vec::<String>::new());
    assert!(model.link("brqold").is_some());
    agent.on(last);
    agent.turn(Instant::now());
    assert!(model.link("brqold").is_none(), "what nobody wants goes");
    assert!(model.link(&format!("brq{}", network_id(1).short())).is_some());
}

#[test]
fn what_was_told_in_part_is_not_resumed_from() {
    use intent::wire::report::Report;
    let state = tempfile::tempdir().expect("a directory");
    let mut agent = agent(state.path(), Model::default(), None);
    let hello = |agent: &mut Agent<Model>| {
        let (sender, mut reports) = tokio::sync::mpsc::unbounded_channel();
        agent.on(Event::Attached(sender));
        match reports.try_recv().expect("a Hello").report {
            Some(Report::Hello(hello)) => (hello.revision, hello.epoch),
            other => panic!("{other:?} is no Hello"),
        }
    };
    snapshot(3, []).into_iter().for_each(|event| agent.on(event));
    assert_eq!(hello(&mut agent), (3, 7));
    agent.on(delta(4, [vxlan(1)], []));
    assert_eq!(hello(&mut agent), (0, 0), "at 5 the network may be gone again, and the difference from 3 to 5 be nothing");
    snapshot(5, []).into_iter().for_each(|event| agent.on(event));
    assert_eq!(hello(&mut agent), (5, 7));
}
