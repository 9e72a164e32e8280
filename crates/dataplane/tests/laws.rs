//! The laws of the difference, over any two sets of units.

use dataplane::nft::{Chain, CtHelper, Data, DataType, Family, Field, Hook, Policy, Rule, SetSpec, Statement, Table, TableKey};
use dataplane::*;
use net::{VlanId, Vni};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Units = BTreeMap<UnitKey, Program>;

fn bridge_table() -> TableKey {
    TableKey::new(Family::Bridge, "neutrino")
}

fn filter(policy: Policy, interval: bool) -> Program {
    let mut program = Program::default();
    let table = program.root().tables.entry(bridge_table()).or_insert_with(Table::declared);
    table.sets.insert("ports".into(), SetSpec::verdicts([DataType::Ifname]));
    table.sets.insert("members".into(), SetSpec { interval, ..SetSpec::set([DataType::Ipv4]) });
    let rule = Rule::new("dispatch", vec![Statement::verdict_map([Field::Iifname], "ports")]);
    table.chains.insert("forward".into(), Chain::filter(Hook::Forward, -200, policy, vec![rule]));
    program
}

/// A network on a VLAN of a link that somebody else made.
fn vlan_network(n: u8, id: u8) -> Program {
    let mut program = Program::default();
    let root = program.root();
    let bridge: Name = format!("brqv{n}").into();
    root.links.insert(bridge.clone(), Link::new(LinkKind::Bridge(Bridge::default())));
    let vlan = Vlan { device: "foreign0".into(), id: VlanId::try_from(u32::from(id) + 1).expect("in range") };
    root.links.insert(format!("foreign0.{id}").into(), Link { master: Some(bridge), ..Link::new(LinkKind::Vlan(vlan)) });
    program
}

fn network(n: u8, mtu: Option<u32>, local: u8, remotes: Vec<u8>) -> Program {
    let mut program = Program::default();
    let root = program.root();
    let (bridge, tunnel): (Name, Name) = (format!("brq{n}").into(), format!("vxlan-{n}").into());
    root.links.insert(bridge.clone(), Link { mtu, ..Link::new(LinkKind::Bridge(Bridge { ageing_s: mtu, nf_call: mtu.is_some() })) });
    let vni = Vni::try_from(u32::from(n) + 1).expect("in range");
    let vxlan = Vxlan::unicast(vni, [10, 9, 0, local].into());
    root.links.insert(tunnel.clone(), Link { mtu, master: Some(bridge), ..Link::new(LinkKind::Vxlan(vxlan)) });
    for remote in remotes {
        let mac = net::Mac([2, 0, 0, 0, 0, remote % 3]);
        root.fdb.retain(|entry| entry.mac != mac);
        root.fdb.insert(FdbEntry { link: tunnel.clone(), mac, remote: [10, 9, 1, remote].into() });
        root.fdb.insert(FdbEntry::flood(tunnel.clone(), [10, 9, 1, remote].into()));
        let address = [10, 0, 0, remote % 3].into();
        root.neighbours.retain(|entry| entry.address != address);
        root.neighbours.insert(Neighbour { link: tunnel.clone(), address, mac });
    }
    program
}

fn port(n: u8, network: u8, rules: u8, members: Vec<u8>, existing: bool) -> Program {
    let mut program = Program::default();
    let name: Name = if existing { format!("foreign{n}") } else { format!("tap{n}") }.into();
    let kind = if existing {
        LinkKind::Existing
    } else {
        LinkKind::Veth(Veth { peer: format!("far{n}").into(), peer_netns: Netns::ROOT, peer_mac: None })
    };
    let master = Some(format!("brq{network}").into());
    let port = (rules > 0).then_some(BridgePort { isolated: rules > 1, ..BridgePort::default() });
    let station = (!rules.is_multiple_of(2)).then_some(net::Mac([2, 0, 0, 0, 1, rules]));
    program.root().links.insert(name.clone(), Link { mtu: Some(1450), master, port, station, ..Link::new(kind) });
    let table = program.root().tables.entry(bridge_table()).or_default();
    let helper = if rules.is_multiple_of(2) { "ftp" } else { "irc" };
    table.helpers.insert(format!("helper-{name}").into(), CtHelper { helper: helper.into(), protocol: 6 });
    let rules = (0..rules).map(|port| Rule::new("", vec![Statement::is(Field::TcpDport, port), Statement::ACCEPT])).collect();
    table.chains.insert(format!("out-{name}").into(), Chain::regular(rules));
    table.element("ports", name.as_str(), Some(Data::jump(format!("out-{name}"))));
    for member in members {
        table.element("members", std::net::IpAddr::from([10, n, 0, member]), None);
    }
    program
}

fn dhcp(n: u8, addresses: Vec<u8>, conf: u8) -> Program {
    let mut program = Program::default();
    let netns = Netns::named(format!("qdhcp-{n}"));
    let veth = Veth { peer: "ns".into(), peer_netns: netns.clone(), peer_mac: None };
    program
        .root()
        .links
        .insert(format!("tapd{n}").into(), Link { master: Some(format!("brq{n}").into()), ..Link::new(LinkKind::Veth(veth)) });
    if conf.is_multiple_of(2) {
        program.root().unfiltered.insert(format!("tapd{n}").into());
    }
    let inside = program.netns(&netns);
    inside.create = true;
    inside.links.insert("ns".into(), Link { mtu: Some(1450), ..Link::new(LinkKind::Peer) });
    for address in addresses {
        let net = format!("10.0.{address}.1/24").parse().expect("valid");
        inside.addresses.insert(Address { metric: conf.into(), ..Address::new("ns", net) });
        inside.proxies.insert(NeighbourProxy { link: "ns".into(), address: [0xfd00, 0, 0, 0, 0, 0, 0, address.into()].into() });
    }
    let gateway = [10, 0, 0, conf].into();
    inside.routes.insert(RouteKey::main("0.0.0.0/0".parse().expect("valid")), Route::via("ns", gateway));
    let family = if conf.is_multiple_of(2) { net::Family::V4 } else { net::Family::V6 };
    inside.route_rules.insert(RouteRule { priority: 100, family, mark: conf.into(), table: 1000 });
    inside.sysctls.insert("net.ipv6.conf.ns.accept_ra".into(), "0".into());
    let files = [("conf".into(), ConfigFile::at_start(format!("{}", conf / 2))), ("hosts".into(), ConfigFile::reloaded(format!("{conf}")))];
    inside.daemons.insert("dnsmasq".into(), Daemon { argv: vec!["dnsmasq".into()], files: files.into(), reload_signal: 1 });
    program
}

/// A filter, always; networks; ports and DHCP only on networks that are there.
fn units() -> impl Strategy<Value = Units> {
    let few = || prop::collection::vec(0..6u8, 0..4);
    let mtu = prop_oneof![Just(None), Just(Some(1450)), Just(Some(1500))];
    let networks = prop::collection::btree_map(0..3u8, (mtu, 1..3u8, few()), 0..3);
    let ports = prop::collection::btree_map(0..5u8, (0..3u8, 0..3u8, few(), any::<bool>()), 0..5);
    // By id: no two networks have the same.
    let vlans = prop::collection::btree_map(0..3u8, 0..3u8, 0..3);
    let dhcps = prop::collection::btree_map(0..3u8, (few(), 0..6u8), 0..3);
    (any::<bool>(), any::<bool>(), networks, ports, dhcps, vlans).prop_map(|(drop, interval, networks, ports, dhcps, vlans)| {
        let policy = if drop { Policy::Drop } else { Policy::Accept };
        let mut units = Units::from([(UnitKey::new("filter", 0), filter(policy, interval))]);
        let there = |n: &u8| networks.contains_key(n);
        units.extend(
            dhcps.into_iter().filter(|(n, _)| there(n)).map(|(n, (addresses, conf))| (UnitKey::new("dhcp", n), dhcp(n, addresses, conf))),
        );
        let ports = ports.into_iter().filter(|(_, (on, ..))| there(on));
        units.extend(ports.map(|(n, (on, rules, members, existing))| (UnitKey::new("port", n), port(n, on, rules, members, existing))));
        // A network has one VLAN; which, may change.
        let vlans: BTreeMap<u8, u8> = vlans.into_iter().map(|(id, n)| (n, id)).collect();
        units.extend(vlans.into_iter().map(|(n, id)| (UnitKey::new("vlan", n), vlan_network(n, id))));
        units.extend(networks.into_iter().map(|(n, (mtu, local, remotes))| (UnitKey::new("network", n), network(n, mtu, local, remotes))));
        units
    })
}

/// A host on which somebody else made the taps that may be attached.
fn bare() -> Actual {
    let mut actual = Actual::default();
    for n in 0..5 {
        let tap = ActualLink {
            kind: LinkKind::Existing,
            mtu: Some(1500),
            mac: None,
            master: None,
            up: true,
            port: None,
            station: None,
            owner: None,
        };
        actual.set_link(&Netns::ROOT, &format!("foreign{n}").into(), Some(tap));
    }
    actual
}

fn reach(actual: &mut Actual, units: &Units) -> Plan {
    let plan = diff(units, actual);
    if let Err(refused) = plan.apply_to(actual) {
        let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
        panic!("{refused:?} in {steps:#?}");
    }
    plan
}

/// Without what is not undone by design: parameters, what links of others were changed to, empty namespaces.
fn essence(mut actual: Actual) -> Actual {
    for namespace in actual.namespaces.values_mut() {
        namespace.sysctls.clear();
        for link in namespace.links.values_mut() {
            (link.mtu, link.port) = (None, None);
        }
        for table in namespace.tables.values_mut() {
            table.elements.retain(|_, elements| !elements.is_empty());
        }
    }
    actual.namespaces.retain(|_, namespace| *namespace != ActualNamespace::default());
    actual
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What a program has realised differs in nothing from it.
    #[test]
    fn nothing_to_do_when_all_is_there(units in units()) {
        let plan = diff(&units, &Actual::of(&units));
        prop_assert_eq!(plan.steps, vec![]);
    }

    /// From any state to any other, by steps a kernel takes, with nothing left to do and nothing left over.
    #[test]
    fn a_plan_reaches_what_is_wanted(before in units(), after in units()) {
        let mut actual = bare();
        reach(&mut actual, &before);
        reach(&mut actual, &after);
        prop_assert_eq!(diff(&after, &actual).steps, vec![]);
        reach(&mut actual, &Units::new());
        prop_assert_eq!(essence(actual), essence(bare()));
    }

    /// Planning only the units that changed, from what they had, reaches what planning all of them does.
    #[test]
    fn changed_units_alone_suffice(before in units(), after in units()) {
        // The filter holds what the others contribute to and is not exchanged beneath them.
        let mut after = after;
        let key = UnitKey::new("filter", 0);
        after.insert(key.clone(), before[&key].clone());
        let mut actual = bare();
        reach(&mut actual, &before);
        let changed: Vec<&UnitKey> = before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).collect();
        let mut known = Actual::of(changed.iter().filter_map(|key| before.get_key_value(*key)));
        let wanted: BTreeMap<&UnitKey, &Program> = changed.iter().filter_map(|key| after.get_key_value(*key)).collect();
        for n in 0..5 {
            let name: Name = format!("foreign{n}").into();
            let is = actual.namespaces.get(&Netns::ROOT).and_then(|root| root.links.get(&name)).cloned();
            if changed.contains(&&UnitKey::new("port", n)) {
                known.set_link(&Netns::ROOT, &name, is);
            }
        }
        let mut plan = diff(wanted, &known);
        plan.attribute(&before);
        prop_assert!(plan.steps.iter().all(|step| step.unit.is_some()), "{plan:#?}");
        if let Err(refused) = plan.apply_to(&mut actual) {
            prop_assert!(false, "{:?} in {:#?}", refused, plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        let left: Vec<String> = diff(&after, &actual).steps.iter().map(ToString::to_string).collect();
        // A bridge made anew loses its ports; they are units of their own, and the agent plans them with it.
        prop_assert!(left.iter().all(|step| step.contains("master")), "{left:#?}");
    }

    /// Links come up after the filter is in, and the filter goes after the links.
    #[test]
    fn filter_before_link_up(before in units(), after in units()) {
        let mut actual = bare();
        reach(&mut actual, &before);
        let plan = diff(&after, &actual);
        let position = |wanted: &dyn Fn(&Action) -> bool| plan.steps.iter().position(|step| wanted(&step.action));
        let last = |wanted: &dyn Fn(&Action) -> bool| plan.steps.iter().rposition(|step| wanted(&step.action));
        let rules = last(&|action| matches!(action, Action::Table(_, TableChange::SetRules(_, rules)) if !rules.is_empty()));
        let up = position(&|action| matches!(action, Action::CreateLink(..)) || matches!(action, Action::ChangeLink(_, change) if change.up == Some(true) || matches!(change.master, Some(Some(_)))));
        prop_assert!(rules.is_none() || up.is_none() || rules < up);
        let gone = last(&|action| matches!(action, Action::ReleaseLink(_)));
        let chain = position(&|action| matches!(action, Action::Table(_, TableChange::DeleteChain(_))));
        prop_assert!(gone.is_none() || chain.is_none() || gone < chain);
    }
}
