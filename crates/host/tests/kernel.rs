//! Every kind of kernel object, made, read back, shown by the system's tools, changed and removed.

mod lab;

use dataplane::nft::{Chain, Data, Family, Field, Rule, Statement, TableKey};
use dataplane::*;
use host::{ErrorKind, Host, Interest, Outcome};
use lab::{apply, filter, json, on_a_host, realise, sh, try_sh, unit};
use net::{Mac, Vni};

fn network() -> (UnitKey, Program) {
    let mut program = Program::default();
    let root = program.root();
    let bridge = Link { mtu: Some(1450), ..Link::new(LinkKind::Bridge(Bridge { ageing_s: Some(20), nf_call: true })) };
    root.links.insert("brq1".into(), bridge);
    let vxlan = Vxlan::unicast(Vni::try_from(42).expect("valid"), "10.9.0.1".parse().expect("valid"));
    let port = Some(BridgePort { learning: false, neigh_suppress: true, ..BridgePort::default() });
    let tunnel = Link { mtu: Some(1450), master: Some("brq1".into()), port, ..Link::new(LinkKind::Vxlan(vxlan)) };
    root.links.insert("vxlan-42".into(), tunnel);
    let mac: Mac = "fa:16:3e:00:00:02".parse().expect("valid");
    for remote in ["10.9.0.2", "10.9.0.3"] {
        root.fdb.insert(FdbEntry::flood("vxlan-42", remote.parse().expect("valid")));
    }
    root.fdb.insert(FdbEntry { link: "vxlan-42".into(), mac, remote: "10.9.0.2".parse().expect("valid") });
    for address in ["192.168.7.2", "fd00::2"] {
        root.neighbours.insert(Neighbour { link: "vxlan-42".into(), address: address.parse().expect("valid"), mac });
    }
    root.sysctls.insert("net.ipv6.conf.brq1.disable_ipv6".into(), "1".into());
    root.sysctls.insert("net.ipv4.ip_forward".into(), "1".into());
    (unit("network"), program)
}

fn dhcp() -> (UnitKey, Program) {
    let mut program = Program::default();
    let netns = Netns::named("qdhcp-1");
    let mac: Mac = "fa:16:3e:00:00:05".parse().expect("valid");
    let near = Veth { peer: "ns-1".into(), peer_netns: netns.clone(), peer_mac: Some(mac) };
    let near = Link { mtu: Some(1450), master: Some("brq1".into()), ..Link::new(LinkKind::Veth(near)) };
    program.root().links.insert("tapdhcp".into(), near);
    let inside = program.netns(&netns);
    inside.create = true;
    inside.links.insert("ns-1".into(), Link { mtu: Some(1450), mac: Some(mac), ..Link::new(LinkKind::Peer) });
    inside.sysctls.insert("net.ipv6.conf.default.accept_ra".into(), "0".into());
    inside.sysctls.insert("net.ipv6.conf.ns-1.accept_ra".into(), "0".into());
    for (net, metric) in [("192.168.7.5/24", 0), ("192.168.8.5/24", 3), ("169.254.169.254/32", 0), ("fd00::5/64", 0), ("fd01::5/64", 1030)]
    {
        inside.addresses.insert(Address { metric, ..Address::new("ns-1", net.parse().expect("valid")) });
    }
    for (to, via) in [("0.0.0.0/0", "192.168.7.1"), ("::/0", "fd00::1")] {
        let to = to.parse().expect("valid");
        inside.routes.insert(RouteKey::main(to), Route::via("ns-1", via.parse().expect("valid")));
    }
    for (to, family) in [("10.79.0.0/16", ["192.168.7.1", "192.168.99.1"]), ("fd79::/16", ["fd00::1", "fd00::2"])] {
        let hop = |address: &str| {
            let via = Gateway { address: address.parse().expect("valid"), onlink: address.contains("99") };
            Hop { link: "ns-1".into(), via }
        };
        let [one, other] = family.map(hop);
        inside.routes.insert(RouteKey::main(to.parse().expect("valid")), Route::over(one, [other]));
    }
    let to = "10.77.0.0/16".parse().expect("valid");
    inside.routes.insert(RouteKey::main(to), Route::on_link("ns-1", &to));
    inside.proxies.insert(NeighbourProxy { link: "ns-1".into(), address: "fd00::7".parse().expect("valid") });
    let nowhere = Route { kind: RouteKind::Unreachable, scope: Scope::Universe, source: None };
    inside.routes.insert(RouteKey::main("10.78.0.0/16".parse().expect("valid")), nowhere);
    for (family, mark) in [(net::Family::V4, 0x9000_0001), (net::Family::V6, 2)] {
        inside.route_rules.insert(RouteRule { priority: 100, family, mark, table: 0x9000_0001 });
    }
    let elsewhere = RouteKey { table: 0x9000_0001, ..RouteKey::main(to) };
    inside.routes.insert(elsewhere, Route::on_link("ns-1", &to));
    (unit("dhcp"), program)
}

/// The port of a tap somebody else makes.
fn port(name: &str) -> (UnitKey, Program) {
    let mut program = Program::default();
    let link = Link { mtu: Some(1450), master: Some("brq1".into()), ..Link::new(LinkKind::Existing) };
    let port = Some(BridgePort { isolated: true, ..BridgePort::default() });
    let link = Link { port, station: Some("fa:16:3e:00:00:07".parse().expect("valid")), ..link };
    program.root().links.insert(name.into(), link);
    let table = program.root().tables.entry(TableKey::new(Family::Bridge, "neutrino")).or_default();
    let chain = format!("out-{name}");
    let rule = Rule::new("rule-80", vec![Statement::is(Field::TcpDport, 80u16), Statement::Counter, Statement::DROP]);
    table.chains.insert(chain.as_str().into(), Chain::regular(vec![rule]));
    table.element("ports", name, Some(Data::jump(chain.as_str())));
    (UnitKey::new("port", name), program)
}

#[test]
fn everything_is_made_read_back_and_removed() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        sh(
            "ip link add foreign type bridge && ip netns add theirs && ip link add tap1 type veth peer name vm1 && nft add table inet theirs",
        );
        let mut host = Host::new(state.path()).expect("host");
        let units = [filter(), network(), dhcp(), port("tap1")];
        let plan = realise(&mut host, &units);
        assert!(plan.waiting.is_empty());

        let links = json("ip -d -j link show brq1");
        assert_eq!(links[0]["mtu"], 1450);
        assert_eq!(links[0]["linkinfo"]["info_data"]["ageing_time"], 2000);
        assert_eq!(links[0]["linkinfo"]["info_data"]["nf_call_iptables"], 1);
        assert_eq!(links[0]["linkinfo"]["info_data"]["nf_call_ip6tables"], 1);
        assert_eq!(links[0]["linkinfo"]["info_data"]["stp_state"], 0);
        assert_eq!(links[0]["linkinfo"]["info_data"]["mcast_snooping"], 0);
        assert_eq!(links[0]["ifalias"], "neutrino:network/1");
        let tap = json("ip -d -j link show tap1");
        assert_eq!((&tap[0]["master"], &tap[0]["ifalias"]), (&"brq1".into(), &"neutrino:port/tap1 attached".into()));
        assert_eq!(tap[0]["linkinfo"]["info_slave_data"]["isolated"], true);
        let stations = sh("bridge fdb show dev tap1");
        assert!(stations.contains("fa:16:3e:00:00:07 master brq1 static"), "{stations}");
        let tunnel = json("ip -d -j link show vxlan-42");
        let data = &tunnel[0]["linkinfo"]["info_data"];
        assert_eq!((&data["id"], &data["local"], &data["port"]), (&42.into(), &"10.9.0.1".into(), &4789.into()));
        assert_eq!((&data["learning"], &data["proxy"]), (&false.into(), &true.into()));
        assert_eq!(tunnel[0]["linkinfo"]["info_slave_data"]["neigh_suppress"], true);
        let fdb = sh("bridge fdb show dev vxlan-42");
        assert_eq!(fdb.matches("00:00:00:00:00:00 dst 10.9.0.").count(), 2, "{fdb}");
        assert!(fdb.contains("fa:16:3e:00:00:02 dst 10.9.0.2 self permanent"), "{fdb}");
        assert_eq!(sh("ip neigh show dev vxlan-42 nud permanent").lines().count(), 2);
        assert!(sh("ip netns list").contains("qdhcp-1"));
        let proxies = sh("ip -n qdhcp-1 -6 neigh show proxy");
        assert!(proxies.starts_with("fd00::7 dev ns-1"), "{proxies}");
        let routes = sh("ip -n qdhcp-1 route");
        assert!(routes.lines().any(|line| line.starts_with("192.168.8.0/24") && line.contains("metric 3")), "{routes}");
        assert!(sh("ip -n qdhcp-1 -6 route").contains("fd01::/64 dev ns-1 proto kernel metric 1030"));
        for route in
            ["default via 192.168.7.1 dev ns-1 proto 110", "10.77.0.0/16 dev ns-1 proto 110 scope link", "unreachable 10.78.0.0/16"]
        {
            assert!(routes.contains(route), "{route} in {routes}");
        }
        assert_eq!(sh("ip -n qdhcp-1 route show 10.79.0.0/16").matches("nexthop via").count(), 2);
        assert_eq!(sh("ip -n qdhcp-1 -6 route show fd79::/16").matches("nexthop via").count(), 2);
        assert!(sh("ip -n qdhcp-1 -6 route").contains("default via fd00::1 dev ns-1 proto 110 metric 1024"));
        assert!(
            sh("ip -n qdhcp-1 rule").contains("100:\tfrom all fwmark 0x90000001 lookup 2415919105 proto 110"),
            "{}",
            sh("ip -n qdhcp-1 rule")
        );
        assert!(sh("ip -n qdhcp-1 -6 rule").contains("100:\tfrom all fwmark 0x2 lookup 2415919105 proto 110"));
        assert!(sh("ip -n qdhcp-1 route show table 2415919105").contains("10.77.0.0/16 dev ns-1"));
        assert_eq!(sh("ip netns exec qdhcp-1 sysctl -n net.ipv6.conf.ns-1.accept_ra").trim(), "0");
        let listed = sh("nft list table bridge neutrino");
        assert!(listed.contains("tcp dport 80 counter packets 0 bytes 0 drop comment \"rule-80\""), "{listed}");
        assert!(listed.contains("iifname vmap @ports comment \"dispatch\""), "{listed}");
        assert!(listed.contains("\"tap1\" : jump out-tap1"), "{listed}");

        // A fresh process finds everything right.
        drop(host);
        let mut host = Host::new(state.path()).expect("host");
        assert_eq!(realise(&mut host, &units).steps, []);

        let plan = realise(&mut host, &[]);
        assert!(!plan.steps.is_empty());
        assert!(!sh("ip netns list").contains("qdhcp-1"));
        let links = json("ip -j link");
        let mut left: Vec<&str> = links.as_array().expect("array").iter().filter_map(|link| link["ifname"].as_str()).collect();
        // Those the kernel makes in each namespace once its module of GRE is loaded.
        left.retain(|name| !["erspan0", "gre0", "gretap0"].contains(name));
        left.sort();
        assert_eq!(left, ["foreign", "lo", "tap1", "vm1"]);
        let tap = json("ip -d -j link show tap1");
        assert!(!sh("bridge fdb show").contains("fa:16:3e:00:00:07"));
        assert!(tap[0]["master"].is_null() && tap[0]["ifalias"].is_null(), "{tap}");
        assert_eq!(sh("nft list tables").trim(), "table inet theirs");
        assert!(sh("ip netns list").contains("theirs"));
    });
}

#[test]
fn drift_is_repaired_and_nothing_else_touched() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        sh("ip link add tap1 type veth peer name vm1");
        let mut host = Host::new(state.path()).expect("host");
        let units = [filter(), network(), dhcp(), port("tap1")];
        realise(&mut host, &units);
        let steps = |host: &mut Host| -> Vec<String> { realise(host, &units).steps.iter().map(ToString::to_string).collect() };

        sh("ip link set tap1 nomaster");
        assert_eq!(steps(&mut host), ["change link tap1: master brq1 port station fa:16:3e:00:00:07"]);
        sh("bridge fdb del fa:16:3e:00:00:07 dev tap1 master static");
        assert_eq!(steps(&mut host), ["change link tap1: station fa:16:3e:00:00:07"]);
        sh("ip link set vxlan-42 down && ip link set vxlan-42 mtu 1400");
        let repaired = steps(&mut host);
        assert_eq!(repaired[..2], ["change link vxlan-42: mtu 1450", "change link vxlan-42: up"]);
        sh("nft add rule bridge neutrino out-tap1 accept");
        assert_eq!(steps(&mut host), ["table bridge neutrino: set 1 rules of out-tap1"]);
        sh("nft add element bridge neutrino ports '{ \"tap9\" : accept }'");
        assert_eq!(steps(&mut host), ["table bridge neutrino: remove 1 elements of ports"]);
        sh("ip -n qdhcp-1 addr del 192.168.7.5/24 dev ns-1");
        assert!(steps(&mut host).contains(&"add address 192.168.7.5/24 dev ns-1 in qdhcp-1".to_owned()));
        sh("ip -n qdhcp-1 addr add 192.168.99.5/24 dev ns-1");
        assert_eq!(steps(&mut host), ["remove address 192.168.99.5/24 dev ns-1 in qdhcp-1"]);
        for (address, metric) in
            [("192.168.7.5/24", ""), ("192.168.8.5/24", " metric 3"), ("fd00::5/64", ""), ("fd01::5/64", " metric 1030")]
        {
            sh(&format!("ip -n qdhcp-1 addr change {address} dev ns-1 metric 77"));
            assert_eq!(steps(&mut host), [format!("add address {address} dev ns-1{metric} in qdhcp-1")]);
        }
        for (route, hop) in [("10.79.0.0/16", "192.168.7.1"), ("fd79::/16", "fd00::1")] {
            let metric = if route.contains(':') { 1024 } else { 0 };
            for change in [format!("replace {route} via {hop} dev ns-1 proto 110 metric {metric}"), format!("del {route}")] {
                sh(&format!("ip -n qdhcp-1 route {change}"));
                assert_eq!(steps(&mut host), [format!("set route {route} table 254 metric {metric} in qdhcp-1")], "{change}");
            }
        }
        sh("ip -n qdhcp-1 rule del fwmark 0x90000001 && ip -n qdhcp-1 rule add fwmark 7 table 7 protocol 110");
        let rule = |mark: u32, table: u32| {
            format!("route rule IPv4 priority {} fwmark {mark:#x} table {table} in qdhcp-1", if table == 7 { 32765 } else { 100 })
        };
        let (ours, other) = (rule(0x9000_0001, 0x9000_0001), rule(7, 7));
        assert_eq!(steps(&mut host), [format!("add {ours}"), format!("remove {other}")]);
        sh("ip -n qdhcp-1 rule add fwmark 8 table 8");
        assert_eq!(steps(&mut host), [""; 0], "others' rules are theirs");
        sh("ip link del brq1");
        assert!(steps(&mut host).contains(&"create link brq1".to_owned()));
        sh("ip netns del qdhcp-1; ip link del tapdhcp 2>/dev/null; true");
        assert!(steps(&mut host).contains(&"create namespace in qdhcp-1".to_owned()));
        assert!(sh("ip -n qdhcp-1 -br addr").contains("192.168.7.5/24"));
    });
}

#[test]
fn a_port_waits_for_its_tap_and_a_unit_alone_is_planned_without_reading_all() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        realise(&mut host, &[filter(), network()]);
        let (key, program) = port("tap1");
        let mut actual = Actual::default();
        host.observe(&program, &mut actual).expect("observe");
        let plan = diff([(&key, &program)], &actual);
        assert_eq!(plan.waiting, [Waiting { unit: key.clone(), netns: Netns::ROOT, link: "tap1".into() }]);
        // The filter goes in before the tap is there.
        assert!(!plan.steps.is_empty() && plan.steps.iter().all(|step| matches!(step.action, Action::Table(..))));
        apply(&mut host, &plan);

        sh("ip link add tap1 type veth peer name vm1");
        let mut actual = Actual::of([(&key, &program)]);
        host.observe(&program, &mut actual).expect("observe");
        let plan = diff([(&key, &program)], &actual);
        let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps,
            [
                "change link tap1: alias \"neutrino:port/tap1 attached\" mtu 1450 master brq1 port station fa:16:3e:00:00:07",
                "change link tap1: up"
            ]
        );
        apply(&mut host, &plan);
        assert_eq!(realise(&mut host, &[filter(), network(), port("tap1")]).steps, []);
    });
}

#[test]
fn one_broken_unit_leaves_its_neighbours_alone_and_stays_closed() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        sh("ip link add tap1 type veth peer name vm1 && ip link add tap2 type veth peer name vm2");
        let mut host = Host::new(state.path()).expect("host");
        let mut broken = port("tap2");
        let table = broken.1.root().tables.values_mut().next().expect("one table");
        let lost = Rule::new("", vec![Statement::jump("nowhere")]);
        table.chains.insert("out-tap2".into(), Chain::regular(vec![lost]));
        let units = [filter(), network(), port("tap1"), broken];
        let actual = host.read(&Interest::default()).expect("read");
        let plan = diff(units.iter().map(|(key, program)| (key, program)), &actual);
        let reports = host.apply(&plan);
        for report in &reports {
            let of_broken = report.unit.as_ref() == Some(&units[3].0);
            assert_eq!(matches!(report.outcome, Outcome::Done), !of_broken, "{}: {:?}", plan.steps[report.step], report.outcome);
        }
        let failures: Vec<_> =
            reports.iter().filter_map(|report| if let Outcome::Failed(error) = &report.outcome { Some(error) } else { None }).collect();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].kind(), ErrorKind::Gone, "{}", failures[0]);
        assert!(json("ip -j link show tap2")[0]["master"].is_null());
        assert_eq!(json("ip -j link show tap1")[0]["master"], "brq1");
        let (_, listed) = try_sh("nft list table bridge neutrino");
        assert!(listed.contains("tap1") && !listed.contains("tap2"), "{listed}");
    });
}
