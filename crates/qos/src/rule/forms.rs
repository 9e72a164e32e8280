//! How each type of rule is written in the API.

use model::{QosRule, QosRuleType};

/// The names of one type.
pub(crate) struct Form {
    pub(crate) rule_type: QosRuleType,
    pub(super) name: &'static str,
    pub(super) collection: &'static str,
    pub(super) policy_rules: &'static str,
    pub(super) extension: &'static str,
    pub(super) alias: Option<Alias>,
    /// Which records are of the type.
    pub(super) includes: fn(&QosRule) -> bool,
    /// Name of the value.
    pub(crate) value: &'static str,
    /// Name of the burst, where it has one.
    pub(crate) burst: Option<&'static str>,
    /// What its direction can be, where it has one.
    pub(super) directions: Option<&'static [&'static str]>,
}

/// The names of the same rules by their own ids.
#[derive(Clone, Copy)]
pub(super) struct Alias {
    pub(super) name: &'static str,
    pub(super) collection: &'static str,
    pub(super) extension: &'static str,
}

const fn alias(name: &'static str, collection: &'static str, extension: &'static str) -> Option<Alias> {
    Some(Alias { name, collection, extension })
}

const ONE_WAY: Option<&[&str]> = Some(&["ingress", "egress"]);

static FORMS: [Form; 5] = [
    Form {
        rule_type: QosRuleType::BandwidthLimit,
        name: "bandwidth_limit_rule",
        collection: "bandwidth_limit_rules",
        policy_rules: "policy_bandwidth_limit_rule",
        extension: "qos",
        alias: alias("alias_bandwidth_limit_rule", "alias_bandwidth_limit_rules", "qos-rules-alias"),
        includes: |rule| rule.rule_type == QosRuleType::BandwidthLimit,
        value: "max_kbps",
        burst: Some("max_burst_kbps"),
        directions: ONE_WAY,
    },
    Form {
        rule_type: QosRuleType::PacketRateLimit,
        name: "packet_rate_limit_rule",
        collection: "packet_rate_limit_rules",
        policy_rules: "policy_packet_rate_limit_rule",
        extension: "qos-pps",
        alias: None,
        includes: |rule| rule.rule_type == QosRuleType::PacketRateLimit,
        value: "max_kpps",
        burst: Some("max_burst_kpps"),
        directions: ONE_WAY,
    },
    Form {
        rule_type: QosRuleType::DscpMarking,
        name: "dscp_marking_rule",
        collection: "dscp_marking_rules",
        policy_rules: "policy_dscp_marking_rule",
        extension: "qos",
        alias: alias("alias_dscp_marking_rule", "alias_dscp_marking_rules", "qos-rules-alias"),
        includes: |rule| rule.rule_type == QosRuleType::DscpMarking,
        value: "dscp_mark",
        burst: None,
        directions: None,
    },
    Form {
        rule_type: QosRuleType::MinimumBandwidth,
        name: "minimum_bandwidth_rule",
        collection: "minimum_bandwidth_rules",
        policy_rules: "policy_minimum_bandwidth_rule",
        extension: "qos",
        alias: alias("alias_minimum_bandwidth_rule", "alias_minimum_bandwidth_rules", "qos-rules-alias"),
        includes: |rule| rule.rule_type == QosRuleType::MinimumBandwidth,
        value: "min_kbps",
        burst: None,
        directions: ONE_WAY,
    },
    Form {
        rule_type: QosRuleType::MinimumPacketRate,
        name: "minimum_packet_rate_rule",
        collection: "minimum_packet_rate_rules",
        policy_rules: "policy_minimum_packet_rate_rule",
        extension: "qos-pps-minimum",
        alias: alias("alias_minimum_packet_rate_rule", "alias_minimum_packet_rate_rules", "qos-pps-minimum-rule-alias"),
        includes: |rule| rule.rule_type == QosRuleType::MinimumPacketRate,
        value: "min_kpps",
        burst: None,
        directions: Some(&["any", "ingress", "egress"]),
    },
];

impl Form {
    /// That of a type.
    pub(crate) fn of(rule_type: QosRuleType) -> &'static Form {
        FORMS.iter().find(|form| form.rule_type == rule_type).expect("each type has a form")
    }
}
