//! Daemons, connection tracking, link events, the kernel's features, and how long plugging takes.

mod lab;

use dataplane::nft::{Base, Chain, ChainKind, Ct, Data, Family, Hook, Policy, Rule, Statement, Table, TableKey};
use dataplane::*;
use host::conntrack::{Conntrack, Filter};
use host::{Host, LinkEvent, LinkMonitor, netns, probe};
use lab::{apply, filter, on_a_host, realise, sh, try_sh, unit};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Waits until a condition holds; fails the test after ten seconds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A daemon that notes each reload in `seen` and says which namespace it is in.
fn daemon(at_start: &str, reloaded: &str) -> (UnitKey, Program) {
    let mut program = Program::default();
    let netns = Netns::named("qdhcp-1");
    let script = "readlink /proc/self/ns/net > {dir}/netns; trap 'cat {dir}/hosts >> {dir}/seen' HUP; echo ready >> {dir}/seen; while :; do sleep 0.05; done";
    let files = [("conf", ConfigFile::at_start(at_start)), ("hosts", ConfigFile::reloaded(reloaded))];
    let daemon = Daemon {
        argv: ["sh", "-c", script].map(Into::into).to_vec(),
        files: files.into_iter().map(|(name, file)| (name.into(), file)).collect(),
        reload_signal: 1,
    };
    let inside = program.netns(&netns);
    inside.create = true;
    inside.daemons.insert("dnsmasq".into(), daemon);
    (unit("dhcp"), program)
}

#[test]
fn a_daemon_outlives_us_is_adopted_reloaded_restarted_and_stopped() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (netns, name): (Netns, Name) = (Netns::named("qdhcp-1"), "dnsmasq".into());
        realise(&mut host, &[daemon("a", "one\n")]);
        let directory = host.daemons().directory(&netns, &name);
        let read = |file: &str| std::fs::read_to_string(directory.join(file)).unwrap_or_default();
        until("started", || read("seen") == "ready\n");
        let inside = netns::run(&netns, || std::fs::read_link("/proc/thread-self/ns/net")).expect("namespace").expect("link");
        assert_eq!(read("netns").trim(), inside.to_string_lossy());
        let pid = host.daemons().pid(&netns, &name).expect("running");
        drop(host);

        let mut host = Host::new(state.path()).expect("host");
        assert_eq!(realise(&mut host, &[daemon("a", "one\n")]).steps, []);
        let plan = realise(&mut host, &[daemon("a", "two\n")]);
        assert!(matches!(&plan.steps[..], [Step { action: Action::ReloadDaemon { signal: true, .. }, .. }]), "{plan:?}");
        until("reloaded", || read("seen") == "ready\ntwo\n");
        assert_eq!(host.daemons().pid(&netns, &name), Some(pid));

        let (tell, told) = mpsc::channel();
        let (tell_again, told_again) = mpsc::channel();
        host.daemons().listen(move |exit| _ = tell.send(exit), move |netns, name| _ = tell_again.send((netns.clone(), name.clone())));
        sh(&format!("kill -9 {pid}"));
        let exit = told.recv_timeout(Duration::from_secs(10)).expect("told of the end");
        assert_eq!((exit.netns, exit.name), (netns.clone(), name.clone()));
        until("started again", || host.daemons().pid(&netns, &name).is_some_and(|new| new != pid));
        until("ready again", || read("seen") == "ready\ntwo\nready\n");
        let again = told_again.recv_timeout(Duration::from_secs(10)).expect("told that it runs again");
        assert_eq!(again, (netns.clone(), name.clone()));

        let before = host.daemons().pid(&netns, &name);
        let (key, mut program) = daemon("b", "two\n");
        program.netns(&netns).daemons.values_mut().next().expect("one").files.remove("hosts");
        realise(&mut host, &[(key, program)]);
        assert!(!directory.join("hosts").exists() && directory.join("seen").exists());
        assert_ne!(host.daemons().pid(&netns, &name), before);
        let pid = host.daemons().pid(&netns, &name).expect("running");
        realise(&mut host, &[]);
        assert!(!directory.exists() && !try_sh(&format!("kill -0 {pid}")).0);
        assert!(!try_sh("ip netns list | grep qdhcp").0);
    });
}

/// The nice value in the text of a `stat` file of /proc (proc(5), field 19).
fn niceness(stat: &str) -> i32 {
    let text = std::fs::read_to_string(stat).expect("a thread");
    let after_name = text.rsplit(')').next().expect("a name");
    after_name.split_whitespace().nth(16).and_then(|nice| nice.parse().ok()).expect("a number")
}

#[test]
fn the_agents_thread_goes_before_others_but_its_daemons_do_not() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        agent::Host::thread_started(&mut host);
        assert_eq!(niceness("/proc/thread-self/stat"), -5);
        realise(&mut host, &[daemon("a", "one\n")]);
        let pid = host.daemons().pid(&Netns::named("qdhcp-1"), &"dnsmasq".into()).expect("running");
        assert_eq!(niceness(&format!("/proc/{pid}/stat")), 0);
    });
}

#[test]
fn a_daemon_that_cannot_run_is_tried_ever_more_rarely() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (tell, told) = mpsc::channel();
        host.daemons().listen(move |exit| _ = tell.send(exit), |_, _| ());
        let mut program = Program::default();
        let broken = Daemon {
            argv: ["sh", "-c", "echo bad line 3 >&2; exit 4"].map(Into::into).to_vec(),
            files: Default::default(),
            reload_signal: 1,
        };
        program.root().daemons.insert("broken".into(), broken);
        let key = unit("broken");
        apply(&mut host, &diff([(&key, &program)], &Actual::default()));
        let exits: Vec<_> = (0..3).map(|_| told.recv_timeout(Duration::from_secs(10)).expect("an end")).collect();
        assert_eq!(exits[0].reason, "exit status 4; its log ends: bad line 3");
        assert!(exits[0].pause < exits[1].pause && exits[1].pause < exits[2].pause, "{exits:?}");
        realise(&mut host, &[]);
        assert!(told.recv_timeout(Duration::from_millis(1500)).is_err(), "a stopped daemon stays stopped");
    });
}

#[test]
fn connections_of_a_zone_are_listed_and_cut() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let mut program = Program::default();
        let table = program.root().tables.entry(TableKey::new(Family::Inet, "zones")).or_insert_with(Table::declared);
        let zone = |hook| {
            let base = Base { kind: ChainKind::Filter, hook, priority: -300, policy: Policy::Accept, device: None };
            let zone = Statement::Set(nft::Target::CtZone, 7);
            let marks = Statement::Set(nft::Target::CtMark, 5);
            let rules = vec![Rule::new("", vec![zone])];
            let marked = Rule::new("", vec![Statement::ct_state(Ct::NEW), marks]);
            [Chain { base: Some(base.clone()), rules }, Chain { base: Some(Base { priority: 0, ..base }), rules: vec![marked] }]
        };
        for (name, hook) in [("pre", Hook::Prerouting), ("out", Hook::Output)] {
            let [raw, filter] = zone(hook);
            table.chains.insert(format!("{name}-raw").into(), raw);
            table.chains.insert(format!("{name}-filter").into(), filter);
        }
        realise(&mut host, &[(unit("zones"), program)]);
        let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
        let port = listener.local_addr().expect("bound").port();
        let _connection = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        let mut conntrack = Conntrack::open(&Netns::ROOT).expect("conntrack");
        let all = Filter { zone: Some(7), protocol: Some(6), destination_ports: Some((port, port)), ..Filter::default() };
        let found = conntrack.list(std::slice::from_ref(&all)).expect("list");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].mark, found[0].original.destination_port), (5, port));
        assert!(sh("conntrack -L 2>/dev/null").contains(&format!("dport={port}")));
        let other = [Filter { zone: Some(8), ..all.clone() }, Filter { source: Some("10.0.0.0/8".parse().expect("valid")), ..all.clone() }];
        assert_eq!(conntrack.cut(&other).expect("cut"), 0);
        let mine = Filter { source: Some("127.0.0.0/8".parse().expect("valid")), mark: Some((5, 0xff)), ..all };
        assert_eq!(conntrack.cut(&[mine]).expect("cut"), 1);
        assert!(!sh("conntrack -L 2>/dev/null").contains(&format!("dport={port}")));
    });
}

#[test]
fn links_are_noticed_as_they_come_and_go() {
    on_a_host(|| {
        sh("ip link add br0 type bridge");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut monitor = LinkMonitor::open(&Netns::ROOT).expect("monitor");
            let mut seen = Vec::new();
            let mut next = async |wanted: &dyn Fn(&LinkEvent) -> bool| {
                let deadline = Instant::now() + Duration::from_secs(10);
                while !seen.iter().any(wanted) {
                    let wait = tokio::time::timeout(deadline - Instant::now(), monitor.next());
                    seen.extend(wait.await.expect("an event in time").expect("events"));
                }
                std::mem::take(&mut seen)
            };
            next(&|event| matches!(event, LinkEvent::Added(link) if link.name == "br0")).await;
            sh("ip link add tap1 type veth peer name vm1");
            next(&|event| matches!(event, LinkEvent::Added(link) if link.name == "tap1" && !link.up)).await;
            sh("ip link set tap1 master br0 up");
            next(&|event| matches!(event, LinkEvent::Changed(link) if link.name == "tap1" && link.up && link.master != 0)).await;
            sh("ip link set tap1 nomaster");
            let events = next(&|event| matches!(event, LinkEvent::Changed(link) if link.name == "tap1" && link.master == 0)).await;
            assert!(!events.iter().any(|event| matches!(event, LinkEvent::Removed { .. })), "{events:?}");
            sh("ip link del tap1");
            next(&|event| matches!(event, LinkEvent::Removed { name, .. } if name == "tap1")).await;
        });
    });
}

#[test]
fn the_probe_agrees_with_the_tools() {
    on_a_host(|| {
        let found = probe().expect("probe");
        for (feature, finding) in found.findings() {
            eprintln!("{feature}: {finding}");
            if !finding.works {
                eprintln!("SKIPPED on this kernel: what needs {feature}");
            }
        }
        let rule = |rule: &str, hook: &str| {
            let chain = format!("table bridge p {{ chain c {{ type filter hook {hook} priority 0; {rule}; }}; }}");
            try_sh(&format!("ip netns add p; ip netns exec p nft '{chain}'; result=$?; ip netns del p; exit $result")).0
        };
        assert!(found.nft.works);
        assert_eq!(found.bridge_conntrack.works, rule("ct state established", "forward"));
        assert_eq!(found.bridge_meta.works, rule("meta ibrname br0", "forward"));
        assert_eq!(found.bridge_reject.works, rule("reject", "prerouting"));
        sh("ip link add v0 type veth peer name v1");
        for (finding, kind) in [
            (&found.bridge, "bridge"),
            (&found.veth, "veth"),
            (&found.vxlan, "vxlan id 1 dstport 4789"),
            (&found.geneve, "geneve id 1 remote 192.0.2.1"),
            (&found.gretap, "gretap local 192.0.2.1 remote 192.0.2.2"),
            (&found.vlan, "vlan id 5"),
        ] {
            // The loopback link takes no VLANs anywhere.
            let below = if kind.starts_with("vlan") { "link v0" } else { "" };
            let made = try_sh(&format!("ip link add x {below} type {kind} && ip link del x")).0;
            assert_eq!(finding.works, made, "{kind}: {finding}");
        }
    });
}

#[test]
fn plugging_is_cheap() {
    const PORTS: usize = 200;
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let mut network = Program::default();
        network.root().links.insert("brq1".into(), Link::new(LinkKind::Bridge(Bridge::default())));
        let mut units = vec![filter(), (unit("network"), network)];
        realise(&mut host, &units);
        let batch: String = (0..PORTS).map(|n| format!("link add tap{n} type veth peer name vm{n}\n")).collect();
        std::fs::write(state.path().join("batch"), batch).expect("file");
        sh(&format!("ip -batch {}", state.path().join("batch").display()));
        let port = |n: usize| {
            let mut program = Program::default();
            let link = Link { mtu: Some(1450), master: Some("brq1".into()), ..Link::new(LinkKind::Existing) };
            program.root().links.insert(format!("tap{n}").into(), link);
            let table = program.root().tables.entry(TableKey::new(Family::Bridge, "neutrino")).or_default();
            let rules = (0..10u16).map(|port| Rule::new("", vec![Statement::is(nft::Field::TcpDport, port), Statement::ACCEPT])).collect();
            table.chains.insert(format!("out-{n}").into(), Chain::regular(rules));
            table.element("ports", format!("tap{n}").as_str(), Some(Data::jump(format!("out-{n}"))));
            (UnitKey::new("port", n), program)
        };
        let plug = |host: &mut Host, ports: &[(UnitKey, Program)]| {
            let start = Instant::now();
            let mut actual = Actual::default();
            ports.iter().for_each(|(_, program)| host.observe(program, &mut actual).expect("observe"));
            let plan = diff(ports.iter().map(|(key, program)| (key, program)), &actual);
            apply(host, &plan);
            start.elapsed()
        };
        let one = plug(&mut host, &[port(0)]);
        let rest: Vec<_> = (1..PORTS).map(port).collect();
        let all = plug(&mut host, &rest);
        units.push(port(0));
        units.extend(rest);
        let start = Instant::now();
        assert_eq!(realise(&mut host, &units).steps, []);
        let resync = start.elapsed();
        eprintln!("one port {one:?}, {} ports {all:?}, read and compare twice {resync:?}", PORTS - 1);
        // Ten times what an unoptimised build takes on a busy machine.
        assert!(one < Duration::from_millis(100) && all < Duration::from_secs(3), "one {one:?}, all {all:?}");

        let veth = |n: usize| Link::new(LinkKind::Veth(Veth { peer: format!("b{n}").into(), peer_netns: Netns::ROOT, peer_mac: None }));
        let mut made = Program::default();
        (0..50).for_each(|n| _ = made.root().links.insert(format!("a{n}").into(), veth(n)));
        units.push((unit("made"), made));
        realise(&mut host, &units);
        units.pop();
        let start = Instant::now();
        realise(&mut host, &units);
        let removal = start.elapsed();
        eprintln!("50 links removed in {removal:?}");
        assert!(!try_sh("ip link show a7").0);
        // One by one it takes 18 ms each.
        assert!(removal < Duration::from_millis(900), "{removal:?}");
    });
}
