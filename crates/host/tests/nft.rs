//! Rules and sets in our encoding, as `nft` decodes them and as packets meet them.

mod lab;

use dataplane::nft::*;
use dataplane::*;
use host::{Host, netns};
use lab::{on_a_host, realise, sh, unit};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("valid")
}

fn prefix(text: &str) -> Span {
    Span::Prefix(text.parse().expect("valid"))
}

/// A table with one chain whose rules are these, each with its own number as id.
fn chain(family: Family, rules: Vec<Vec<Statement>>) -> (UnitKey, Program) {
    let mut program = Program::default();
    let table = program.root().tables.entry(TableKey::new(family, "t")).or_insert_with(Table::declared);
    let rules = rules.into_iter().enumerate().map(|(at, statements)| Rule::new(format!("r{at}"), statements)).collect();
    table.chains.insert("c".into(), Chain::regular(rules));
    table.chains.insert("other".into(), Chain::default());
    let sets = [
        ("macs", SetSpec::set([DataType::EtherAddr, DataType::Ipv4])),
        ("nets", SetSpec::intervals([DataType::Ipv4])),
        ("nets6", SetSpec::intervals([DataType::Ipv6])),
        ("pairs", SetSpec::intervals([DataType::Ipv4, DataType::InetService])),
        ("marks", SetSpec::map([DataType::Ifname], DataType::Mark)),
        ("verdicts", SetSpec::verdicts([DataType::Mark])),
        ("nat", SetSpec::map([DataType::Ipv4], DataType::Ipv4)),
        ("services", SetSpec::services([DataType::InetProto, DataType::Ipv4, DataType::InetService])),
    ];
    table.sets.extend(sets.map(|(name, spec)| (name.into(), spec)));
    (unit("nft"), program)
}

/// The kernel takes the rules, `nft` shows them with these texts, and a fresh reader finds nothing to do.
fn shown(family: Family, rules: Vec<(Vec<Statement>, &str)>) {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (statements, texts): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        realise(&mut host, &[chain(family, statements)]);
        let listed = sh(&format!("nft list chain {family} t c"));
        // Later versions of nft know the field by name.
        let listed = listed.replace("icmpv6 taddr fd00::1", "@th,64,128 0xfd000000000000000000000000000001");
        let lines: Vec<&str> = listed.lines().map(str::trim).filter(|line| line.contains("comment")).collect();
        let expected: Vec<String> = texts.iter().enumerate().map(|(at, text)| format!("{text} comment \"r{at}\"")).collect();
        assert_eq!(lines, expected);
    });
}

#[test]
fn bridge_rules_are_what_nft_reads() {
    use Statement as S;
    let mac: net::Mac = "fa:16:3e:00:00:01".parse().expect("valid");
    let masked = S::Match(Field::Mark, Compare::Is, Right::Masked { mask: 0xf0, value: 0x10 });
    shown(
        Family::Bridge,
        vec![
            (vec![S::is(Field::Iifname, "tap1"), S::ACCEPT], "iifname \"tap1\" accept"),
            (vec![S::Match(Field::Oifname, Compare::Is, Right::NamePrefix("tap".into())), S::DROP], "oifname \"tap*\" drop"),
            (vec![S::is_not(Field::EtherSaddr, mac), S::DROP], "ether saddr != fa:16:3e:00:00:01 drop"),
            (vec![S::is(Field::EtherType, 0x0806u16), S::is(Field::ArpOperation, 2u16)], "arp operation reply"),
            (
                vec![S::is(Field::ArpSaddrIp, ip("10.0.0.1")), S::is(Field::ArpSaddrEther, mac)],
                "arp saddr ip 10.0.0.1 arp saddr ether fa:16:3e:00:00:01",
            ),
            (vec![S::is(Field::IpSaddr, prefix("10.0.0.0/9"))], "ip saddr 10.0.0.0/9"),
            (vec![S::is(Field::Ip6Daddr, prefix("fd00::/64"))], "ip6 daddr fd00::/64"),
            (
                vec![S::within(Field::TcpDport, 1000, 2000), S::Counter, S::jump("other")],
                "tcp dport 1000-2000 counter packets 0 bytes 0 jump other",
            ),
            (vec![S::is(Field::UdpSport, 67u16), S::is(Field::UdpDport, 68u16)], "udp sport 67 udp dport 68"),
            (vec![S::is(Field::SctpDport, 5u16), S::goto("other")], "sctp dport 5 goto other"),
            (vec![S::is(Field::L4proto, 33u8), S::is(Field::ThDport, 7u16)], "dccp dport 7"),
            (vec![S::is(Field::IcmpType, 8u8), S::is(Field::IcmpCode, 0u8)], "icmp type echo-request icmp code net-unreachable"),
            (vec![S::is(Field::Icmpv6Type, 134u8), S::DROP], "icmpv6 type nd-router-advert drop"),
            (
                vec![S::is(Field::Icmpv6Type, 136u8), S::is(Field::NdTarget, ip("fd00::1"))],
                "icmpv6 type nd-neighbor-advert @th,64,128 0xfd000000000000000000000000000001",
            ),
            (vec![S::is(Field::Pkttype, 1u8), S::RETURN], "meta pkttype broadcast return"),
            (vec![S::Set(Target::Mark, 0x1001)], "meta mark set 0x00001001"),
            (
                vec![S::SetFromMap { target: Target::Mark, key: vec![Field::Iifname], map: "marks".into() }],
                "meta mark set iifname map @marks",
            ),
            (vec![masked], "meta mark & 0x000000f0 == 0x00000010"),
            (vec![S::outside_set([Field::EtherSaddr, Field::IpSaddr], "macs"), S::DROP], "ether saddr . ip saddr != @macs drop"),
            (vec![S::within_set([Field::Ip6Saddr], "nets6")], "ip6 saddr @nets6"),
            (vec![S::within_set([Field::IpSaddr, Field::TcpDport], "pairs")], "ip saddr . tcp dport @pairs"),
            (vec![S::verdict_map([Field::Mark], "verdicts")], "meta mark vmap @verdicts"),
        ],
    );
}

#[test]
fn inet_rules_are_what_nft_reads() {
    use Statement as S;
    let limit = Limit { rate: 100, unit: LimitUnit::PacketsPerSecond, burst: 25, over: true };
    shown(
        Family::Inet,
        vec![
            (vec![S::ct_state(Ct::ESTABLISHED | Ct::RELATED), S::ACCEPT], "ct state established,related accept"),
            (vec![S::is(Field::CtZone, 7u16)], "ct zone 7"),
            (vec![S::is_dnated(), S::ACCEPT], "ct status dnat accept"),
            (
                vec![S::Set(Target::CtMark, 1), S::Copy { target: Target::Mark, from: Field::CtMark }],
                "ct mark set 0x00000001 meta mark set ct mark",
            ),
            (vec![S::is(Field::Nfproto, 2u8), S::is(Field::IpSaddr, ip("1.2.3.4"))], "ip saddr 1.2.3.4"),
            (
                vec![S::is(Field::CtMark, 5u32), S::Limit(limit), S::DROP],
                "ct mark 0x00000005 limit rate over 100/second burst 25 packets drop",
            ),
            (vec![S::Reject(Reject::PortUnreachable)], "reject"),
            (vec![S::Reject(Reject::TcpReset)], "meta l4proto tcp reject with tcp reset"),
            (vec![S::Log("neutrino ".into())], "log prefix \"neutrino \""),
            (vec![S::within_set([Field::IpDaddr], "nets"), S::RETURN], "ip daddr @nets return"),
        ],
    );
}

#[test]
fn nat_and_raw_rules_are_what_nft_reads() {
    use Statement as S;
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (key, mut program) = chain(Family::Ip, vec![]);
        let table = program.root().tables.values_mut().next().expect("one table");
        let base = |kind, hook, priority| Some(Base { kind, hook, priority, policy: Policy::Accept, device: None });
        let rules = [
            (
                "post",
                base(ChainKind::Nat, Hook::Postrouting, 100),
                vec![S::is(Field::IpSaddr, ip("10.0.0.5")), S::Snat(ip("192.0.2.5"), None)],
            ),
            ("post2", base(ChainKind::Nat, Hook::Postrouting, 101), vec![S::SnatMap(vec![Field::IpSaddr], "nat".into())]),
            ("post3", base(ChainKind::Nat, Hook::Postrouting, 102), vec![S::Masquerade]),
            ("pre", base(ChainKind::Nat, Hook::Prerouting, -100), vec![S::is(Field::TcpDport, 80u16), S::Dnat(ip("10.0.0.5"), Some(8080))]),
            (
                "pre3",
                base(ChainKind::Nat, Hook::Prerouting, -98),
                vec![S::DnatServiceMap(vec![Field::L4proto, Field::IpDaddr, Field::ThDport], "services".into())],
            ),
            ("pre2", base(ChainKind::Nat, Hook::Prerouting, -99), vec![S::is(Field::TcpDport, 81u16), S::Redirect(9697)]),
            ("raw", base(ChainKind::Filter, Hook::Prerouting, -300), vec![S::Set(Target::CtZone, 9)]),
            ("raw2", base(ChainKind::Filter, Hook::Output, -300), vec![S::Notrack]),
            (
                "raw3",
                base(ChainKind::Filter, Hook::Output, -301),
                vec![S::SetFromMap { target: Target::CtZone, key: vec![Field::Oifname], map: "marks".into() }],
            ),
        ];
        for (name, base, statements) in rules {
            table.chains.insert(name.into(), Chain { base, rules: vec![Rule::new("", statements)] });
        }
        realise(&mut host, &[(key, program)]);
        let listed = sh("nft list table ip t");
        let expected = [
            "ip saddr 10.0.0.5 snat to 192.0.2.5",
            "snat to ip saddr map @nat",
            "masquerade",
            "tcp dport 80 dnat to 10.0.0.5:8080",
            "tcp dport 81 redirect to :9697",
            "dnat ip to meta l4proto . ip daddr . th dport map @services",
            "ct zone set 9",
            "notrack",
            "ct zone set oifname map @marks",
        ];
        for text in expected {
            assert!(listed.lines().any(|line| line.trim() == text), "{text} in {listed}");
        }
    });
}

#[test]
fn elements_change_one_by_one_and_are_read_back() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (key, mut program) = chain(Family::Bridge, vec![]);
        let table = program.root().tables.values_mut().next().expect("one table");
        let nets =
            ["10.0.0.0/24", "10.0.1.0/24", "10.0.1.7/32", "255.255.255.0/24", "172.16.0.0/12"].map(|net| net.parse().expect("valid"));
        prefix_elements(nets).into_iter().for_each(|net| table.element("nets", net, None));
        table.element("nets", Span::Range(ip("192.0.2.3").into(), ip("192.0.2.9").into()), None);
        prefix_elements(["fd00::/64".parse().expect("valid"), "::/1".parse().expect("valid")])
            .into_iter()
            .for_each(|net| table.element("nets6", net, None));
        let mac: net::Mac = "fa:16:3e:00:00:01".parse().expect("valid");
        table.element("macs", (mac, ip("10.0.0.1")), None);
        table.element("pairs", (prefix("10.0.0.0/8"), Span::Range(80u16.into(), 90u16.into())), None);
        table.element("pairs", (ip("11.0.0.1"), 22u16), None);
        table.element("marks", "tap1", Some(0x1001u32.into()));
        table.element("verdicts", 0x1001u32, Some(Data::jump("other")));
        table.element("verdicts", 0x1002u32, Some(Verdict::Drop.into()));
        table.element("nat", ip("10.0.0.5"), Some(ip("192.0.2.5").into()));
        let service = Data::Service(std::net::Ipv4Addr::new(10, 0, 0, 7), 8080);
        table.element("services", (6u8, ip("192.0.2.7"), 80u16), Some(service));
        realise(&mut host, &[(key.clone(), program.clone())]);
        let listed = sh("nft list table bridge t");
        let expected = [
            "10.0.0.0/23",
            "172.16.0.0/12",
            "192.0.2.3-192.0.2.9",
            "255.255.255.0/24",
            "fa:16:3e:00:00:01 . 10.0.0.1",
            "10.0.0.0/8 . 80-90",
            "11.0.0.1 . 22",
            "\"tap1\" : 0x00001001",
            "0x00001001 : jump other",
            "0x00001002 : drop",
            "10.0.0.5 : 192.0.2.5",
            "tcp . 192.0.2.7 . 80 : 10.0.0.7 . 8080",
        ];
        for text in expected {
            assert!(listed.contains(text), "{text} in {listed}");
        }
        let before = program.clone();
        let table = program.root().tables.values_mut().next().expect("one table");
        let nets = table.elements.get_mut("nets").expect("set");
        nets.remove(&Key::from(prefix("172.16.0.0/12")));
        nets.insert(prefix("172.16.0.0/13").into(), None);
        table.element("verdicts", 0x1001u32, Some(Verdict::Accept.into()));
        let plan = realise(&mut host, &[(key.clone(), program.clone())]);
        let steps: Vec<String> = plan.steps.iter().map(|step| step.to_string().replace("table bridge t: ", "")).collect();
        assert_eq!(
            steps,
            ["remove 1 elements of verdicts", "remove 1 elements of nets", "add 1 elements to nets", "add 1 elements to verdicts"]
        );
        realise(&mut host, &[(key, before)]);
    });
}

#[test]
fn ten_thousand_elements_fit() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        let mut host = Host::new(state.path()).expect("host");
        let (key, mut program) = chain(Family::Bridge, vec![]);
        let table = program.root().tables.values_mut().next().expect("one table");
        for number in 0..10_000u32 {
            table.element("nets", IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + 2 * number)), None);
            table.element("verdicts", number, Some(Data::jump("other")));
        }
        realise(&mut host, &[(key, program)]);
    });
}

#[test]
fn a_rule_drops_what_it_says_and_nothing_else() {
    on_a_host(|| {
        let state = tempfile::tempdir().expect("directory");
        sh("ip link add br0 type bridge && ip link set br0 up");
        for n in [1, 2] {
            sh(&format!(
                "ip netns add vm{n} && ip link add tap{n} type veth peer name eth0 netns vm{n} && ip link set tap{n} master br0 up"
            ));
            sh(&format!("ip -n vm{n} addr add 10.0.0.{n}/24 dev eth0 && ip -n vm{n} link set eth0 up"));
        }
        let (vm1, vm2) = (Netns::named("vm1"), Netns::named("vm2"));
        let listen = |port: u16| netns::run(&vm2, || TcpListener::bind(("10.0.0.2", port))).expect("namespace").expect("listener");
        let _listeners = [listen(80), listen(81)];
        let connects = |port: u16, patience: u64| {
            let to = SocketAddr::new(ip("10.0.0.2"), port);
            netns::run(&vm1, || TcpStream::connect_timeout(&to, Duration::from_millis(patience)).is_ok()).expect("namespace")
        };
        assert!(connects(80, 5000) && connects(81, 5000));
        let mut host = Host::new(state.path()).expect("host");
        let (key, mut program) = lab::filter();
        let table = program.root().tables.values_mut().next().expect("one table");
        let rule = Rule::new("no-80", vec![Statement::is(Field::TcpDport, 80u16), Statement::Counter, Statement::DROP]);
        table.chains.insert("out-tap1".into(), Chain::regular(vec![rule]));
        table.element("ports", "tap1", Some(Data::jump("out-tap1")));
        let units = [(key, program)];
        realise(&mut host, &units);
        assert!(!connects(80, 400), "the rule must drop");
        assert!(connects(81, 5000));
        realise(&mut host, &[]);
        assert!(connects(80, 5000));
    });
}
