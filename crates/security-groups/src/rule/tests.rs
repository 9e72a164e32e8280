//! Rules: every refusal, the kept forms, duplicates, projection.

use super::resource;
use crate::group;
use crate::testing::{self, Bench, refused};
use model::{SecurityGroup, SecurityGroupRule};
use net::{SecurityGroupId, SecurityGroupRuleId};
use serde_json::{Value, json};

fn lab() -> (Bench, SecurityGroupId) {
    let mut lab = testing::lab();
    let group = lab.create(group::resource(), json!({"name": "web"})).expect("free");
    (lab, group)
}

fn add(lab: &mut Bench, group: SecurityGroupId, mut body: Value) -> Result<SecurityGroupRuleId, api::Fault> {
    let map = body.as_object_mut().expect("an object");
    map.insert("security_group_id".to_owned(), json!(group));
    map.entry("direction").or_insert(json!("ingress"));
    lab.create(resource(), body)
}

#[test]
fn refusals() {
    let (mut lab, group) = lab();
    let cases = [
        (json!({"port_range_min": 22, "port_range_max": 22}), (400, "SecurityGroupProtocolRequiredWithPorts")),
        (json!({"protocol": "any", "port_range_min": 22, "port_range_max": 22}), (400, "SecurityGroupProtocolRequiredWithPorts")),
        (json!({"protocol": "tcp", "port_range_min": 22}), (400, "SecurityGroupInvalidPortRange")),
        (json!({"protocol": "tcp", "port_range_max": 22}), (400, "SecurityGroupInvalidPortRange")),
        (json!({"protocol": "udp", "port_range_min": 80, "port_range_max": 22}), (400, "SecurityGroupInvalidPortRange")),
        (json!({"protocol": "tcp", "port_range_min": 0, "port_range_max": 65535}), (400, "SecurityGroupInvalidPortValue")),
        (json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 65536}), (400, "SecurityGroupInvalidPortValue")),
        (json!({"protocol": "tcp", "port_range_min": "x", "port_range_max": 1}), (400, "SecurityGroupInvalidPortValue")),
        (json!({"protocol": "vrrp", "port_range_min": 1, "port_range_max": 2}), (400, "SecurityGroupInvalidProtocolForPort")),
        (json!({"protocol": "icmp", "port_range_max": 1}), (400, "SecurityGroupMissingIcmpType")),
        (json!({"protocol": "icmp", "port_range_min": 300}), (400, "SecurityGroupInvalidIcmpValue")),
        (json!({"protocol": "1", "port_range_min": 1, "port_range_max": 256}), (400, "SecurityGroupInvalidIcmpValue")),
        (json!({"protocol": "foo"}), (400, "SecurityGroupRuleInvalidProtocol")),
        (json!({"protocol": "300"}), (400, "SecurityGroupRuleInvalidProtocol")),
        (json!({"protocol": -1}), (400, "SecurityGroupRuleInvalidProtocol")),
        (json!({"ethertype": "IPv5"}), (400, "SecurityGroupRuleInvalidEtherType")),
        (json!({"protocol": "ipv6-icmp", "ethertype": "IPv4"}), (400, "SecurityGroupEthertypeConflictWithProtocol")),
        (json!({"protocol": "icmpv6"}), (400, "SecurityGroupEthertypeConflictWithProtocol")),
        (json!({"protocol": "41"}), (400, "SecurityGroupEthertypeConflictWithProtocol")),
        (json!({"protocol": 43}), (400, "SecurityGroupEthertypeConflictWithProtocol")),
        (json!({"remote_ip_prefix": "::/0"}), (400, "SecurityGroupRuleParameterConflict")),
        (json!({"remote_ip_prefix": "x"}), (400, "InvalidCIDR")),
        (json!({"remote_ip_prefix": "10.0.0.0/33"}), (400, "InvalidCIDR")),
        (json!({"remote_ip_prefix": "10.0.0.0/24", "remote_group_id": group}), (400, "SecurityGroupMultipleRemoteEntites")),
        (json!({"remote_group_id": SecurityGroupId::MIN}), (404, "SecurityGroupNotFound")),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(add(&mut lab, group, body.clone())), expected, "{body}");
    }
    assert_eq!(refused(add(&mut lab, SecurityGroupId::MIN, json!({}))), (404, "SecurityGroupNotFound"));
}

#[test]
fn the_words_that_clients_have_seen() {
    let (mut lab, group) = lab();
    let mut message = |body| add(&mut lab, group, body).expect_err("a refusal").message;
    assert_eq!(message(json!({"remote_ip_prefix": "::/0"})), "Conflicting value ethertype IPv4 for CIDR ::/0");
    assert_eq!(
        message(json!({"protocol": "icmp", "port_range_min": 300})),
        "Invalid value for ICMP type (port_range_min) 300. It must be 0 to 255."
    );
    assert_eq!(
        message(json!({"protocol": "icmp", "port_range_max": 1})),
        "ICMP code (port-range-max) 1 is provided but ICMP type (port-range-min) is missing."
    );
    assert!(message(json!({"protocol": "foo"})).starts_with(
        "Security group rule protocol foo not supported. Only protocol values (None, 'any', 'ah', 'dccp', 'egp', 'esp', 'gre', 'hopopt', \
         'icmp', 'igmp', 'ip', 'ipip', 'ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route', 'ospf', \
         'pgm', 'rsvp', 'sctp', 'tcp', 'udp', 'udplite', 'vrrp') and integer representations [0 to"
    ));
}

#[test]
fn kept_forms() {
    let (mut lab, group) = lab();
    let cases = [
        (json!({"protocol": "any"}), None),
        (json!({"protocol": "icmpv6", "ethertype": "IPv6"}), Some("ipv6-icmp")),
        (json!({"protocol": "icmp", "ethertype": "IPv6", "port_range_min": 1}), Some("ipv6-icmp")),
        (json!({"protocol": "1", "ethertype": "IPv6", "port_range_min": 2}), Some("58")),
        (json!({"protocol": "TCP"}), Some("tcp")),
        (json!({"protocol": 17}), Some("17")),
        (json!({"protocol": "ip", "port_range_min": null}), Some("ip")),
        (json!({"protocol": "vrrp", "ethertype": "ipv6"}), Some("vrrp")),
    ];
    for (body, protocol) in cases {
        let id = add(&mut lab, group, body.clone()).unwrap_or_else(|e| panic!("{body}: {e}"));
        assert_eq!(lab.get::<SecurityGroupRule>(id).protocol.as_deref(), protocol, "{body}");
    }
    let prefix = |lab: &mut Bench, given: &str| {
        let id = add(lab, group, json!({"remote_ip_prefix": given})).expect("free");
        lab.get::<SecurityGroupRule>(id).remote_ip_prefix.clone().expect("given")
    };
    assert_eq!(prefix(&mut lab, "10.0.0.5/24"), "10.0.0.5/24");
    assert_eq!(prefix(&mut lab, "10.0.0.9 "), "10.0.0.9/32");
    let all_ports = json!({"protocol": "sctp", "port_range_min": 1, "port_range_max": 65535});
    let id = add(&mut lab, group, all_ports).expect("free");
    assert_eq!(lab.get::<SecurityGroupRule>(id).port_range_min, None, "all of them are no range");
    assert_eq!(super::validate::normalized("10.0.0.5/24").map(|net| net.to_string()).as_deref(), Some("10.0.0.0/24"));
}

#[test]
fn duplicates_name_the_rule_that_is_there() {
    let (mut lab, group) = lab();
    let body =
        |protocol: &str| json!({"protocol": protocol, "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "10.0.0.5/24"});
    let first = add(&mut lab, group, body("tcp")).expect("free");
    for same in ["tcp", "6"] {
        let fault = add(&mut lab, group, body(same)).expect_err("there");
        assert_eq!((fault.status, fault.kind), (409, "SecurityGroupRuleExists"));
        assert_eq!(fault.message, format!("Security group rule already exists. Rule id is {first}."));
    }
    let everywhere = add(&mut lab, group, json!({"protocol": "udp", "remote_ip_prefix": "0.0.0.0/0"})).expect("free");
    let fault = add(&mut lab, group, json!({"protocol": "udp"})).expect_err("from everywhere too");
    assert!(fault.message.ends_with(&format!("{everywhere}.")), "{}", fault.message);
    let mut egress = body("tcp");
    egress["direction"] = json!("egress");
    add(&mut lab, group, egress).expect("the other direction");
}

#[test]
fn rules_are_the_groups_revisions() {
    let (mut lab, group) = lab();
    let revision = |lab: &Bench| lab.get::<SecurityGroup>(group).standard.revision_number;
    let before = revision(&lab);
    let id = add(&mut lab, group, json!({})).expect("free");
    assert_eq!(revision(&lab), before + 1);
    lab.delete(resource(), id).expect("there");
    assert_eq!(revision(&lab), before + 2);
    assert!(resource().update.is_none(), "rules are immutable");
}

#[test]
fn protocols_by_name_and_number() {
    use super::protocol::{has_ports, is_icmp, number};
    assert_eq!(["tcp", "6", "ipv6-icmp", "hopopt", "255"].map(number), [Some(6), Some(6), Some(58), Some(0), Some(255)]);
    assert_eq!([number("foo"), number("256")], [None, None]);
    assert!(has_ports(132) && !has_ports(112) && is_icmp(58) && !is_icmp(6));
}

#[test]
fn embedded_in_the_group() {
    let (mut lab, group) = lab();
    let id = add(&mut lab, group, json!({"remote_ip_prefix": "10.0.0.5/24"})).expect("free");
    let rule = lab.get::<SecurityGroupRule>(id);
    let shown = serde_json::to_value(super::RuleView { rule: &rule, belongs_to_default_sg: false }).unwrap();
    assert_eq!(shown["normalized_cidr"], "10.0.0.0/24");
    assert_eq!((&shown["ethertype"], &shown["direction"], &shown["protocol"]), (&json!("IPv4"), &json!("ingress"), &json!(null)));
    assert!(shown["created_at"].as_str().unwrap().ends_with('Z'));
}
