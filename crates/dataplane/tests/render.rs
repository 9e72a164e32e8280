//! Tables as an operator reads them.

use dataplane::nft::*;
use std::net::IpAddr;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("valid")
}

#[test]
fn a_port_of_a_bridge() {
    use Statement as S;
    let mut table = Table::declared();
    let mac: net::Mac = "fa:16:3e:00:00:01".parse().expect("valid");
    table.sets.insert("in".into(), SetSpec::verdicts([DataType::Ifname]));
    table.sets.insert("members4".into(), SetSpec::intervals([DataType::Ipv4]));
    table.sets.insert("marks".into(), SetSpec::map([DataType::Ifname], DataType::Mark));
    table.sets.insert("own".into(), SetSpec::set([DataType::EtherAddr, DataType::Ipv4]));
    table.element("in", "tap1", Some(Data::jump("in-tap1")));
    table.element("in", "tap2", Some(Verdict::Accept.into()));
    for key in prefix_elements(["10.0.0.0/25", "10.0.0.128/25", "10.0.0.7/32", "10.1.0.1/32"].map(|net| net.parse().expect("valid"))) {
        table.element("members4", key, None);
    }
    table.element("marks", "tap1", Some(0x1001u32.into()));
    table.element("own", (mac, ip("10.0.0.1")), None);
    table.element("elsewhere", 4097u32, Some(Data::goto("x")));
    let dispatch = Rule::new(
        "dispatch",
        vec![S::Match(Field::Oifname, Compare::Is, Right::NamePrefix("tap".into())), S::verdict_map([Field::Oifname], "in")],
    );
    table.chains.insert("forward".into(), Chain::filter(Hook::Forward, -200, Policy::Drop, vec![dispatch]));
    let rules = vec![
        Rule::new("established", vec![S::ct_state(Ct::ESTABLISHED | Ct::RELATED), S::ACCEPT]),
        Rule::new("spoof", vec![S::outside_set([Field::EtherSaddr, Field::IpSaddr], "own"), S::Counter, S::DROP]),
        Rule::new("rule/1", vec![S::within_set([Field::IpSaddr], "members4"), S::within(Field::TcpDport, 80, 90), S::ACCEPT]),
        Rule::new(
            "rule/2",
            vec![S::is(Field::Ip6Saddr, "fd00::/64".parse::<net::IpNet>().expect("valid")), S::is(Field::L4proto, 17u8), S::ACCEPT],
        ),
        Rule::new("ra", vec![S::is(Field::Icmpv6Type, 134u8), S::DROP]),
        Rule::new("mark", vec![S::SetFromMap { target: Target::Mark, key: vec![Field::Iifname], map: "marks".into() }]),
        Rule::new("zone", vec![S::Set(Target::CtZone, 7)]),
    ];
    table.chains.insert("in-tap1".into(), Chain::regular(rules));
    insta::assert_snapshot!(render(&TableKey::new(Family::Bridge, "neutrino"), &table));
}

#[test]
fn canonical_spans() {
    let range = |a: &str, b: &str| Span::Range(ip(a).into(), ip(b).into()).canonical();
    assert_eq!(range("10.0.0.0", "10.0.0.255"), Span::Prefix("10.0.0.0/24".parse().expect("valid")));
    assert_eq!(range("0.0.0.0", "255.255.255.255"), Span::Prefix("0.0.0.0/0".parse().expect("valid")));
    assert_eq!(range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), Span::Prefix("::/0".parse().expect("valid")));
    assert_eq!(range("fd00::", "fd00::ffff"), Span::Prefix("fd00::/112".parse().expect("valid")));
    assert_eq!(range("10.0.0.1", "10.0.0.1"), Span::One(ip("10.0.0.1").into()));
    assert_eq!(range("10.0.0.1", "10.0.0.2"), Span::Range(ip("10.0.0.1").into(), ip("10.0.0.2").into()));
}
