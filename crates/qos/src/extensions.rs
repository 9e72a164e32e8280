//! The extension aliases of this crate. Hosts do not shape traffic yet, so all are previews.

use api::{Enforcer, Extension, Missing, Preview};

/// Alias, name, description, updated, and what is missing (empty: nothing by itself).
const PREVIEWS: [[&str; 5]; 15] = [
    [
        "qos",
        "Quality of Service",
        "Policies of rules for traffic.",
        "2015-06-08T10:00:00-00:00",
        "ports have no bandwidth limits and DSCP marks",
    ],
    [
        "qos-bw-limit-direction",
        "Direction for QoS bandwidth limit rule",
        "Bandwidth limits for both directions.",
        "2017-04-10T10:00:00-00:00",
        "ports have no bandwidth limits",
    ],
    [
        "qos-bw-minimum-ingress",
        "Ingress direction for QoS minimum bandwidth rule",
        "Guaranteed bandwidth for both directions.",
        "2018-07-09T10:00:00-00:00",
        "bandwidth is guaranteed only as far as Placement does",
    ],
    ["qos-default", "QoS default policy", "The policy of new networks of a project.", "2017-04-06T10:00:00-00:00", ""],
    ["qos-fip", "Floating IP QoS", "Policies of floating IPs.", "2017-07-20T00:00:00-00:00", "floating IPs have no bandwidth limits"],
    ["qos-gateway-ip", "Router gateway IP QoS", "Policies of gateways.", "2018-02-24T00:00:00-00:00", "gateways have no bandwidth limits"],
    ["qos-port-network-policy", "QoS port network policy ID", "Ports show the policy of their network.", "2019-11-01T10:00:00-00:00", ""],
    [
        "qos-pps",
        "QoS Rule Type Packet per Second Extension",
        "Limits of packets a second.",
        "2021-05-12T10:00:00-00:00",
        "ports have no packet rate limits",
    ],
    [
        "qos-pps-minimum",
        "QoS minimum packet rate rule",
        "Guaranteed packets a second.",
        "2021-07-14T10:00:00-00:00",
        "packet rates are guaranteed only as far as Placement does",
    ],
    [
        "qos-pps-minimum-rule-alias",
        "QoS minimum packet rate rule alias",
        "Guarantees of packets a second by their own ids.",
        "2021-10-22T10:00:00-00:00",
        "",
    ],
    ["qos-rule-type-details", "Details of QoS rule types", "What each type of rule takes.", "2017-06-22T10:00:00-00:00", ""],
    [
        "qos-rule-type-filter",
        "Allow to filter the list of QoS rule types",
        "Types of rules that some or all hosts know.",
        "2022-02-02T10:00:00-00:00",
        "",
    ],
    ["qos-rules-alias", "Quality of Service rules alias API", "Rules by their own ids.", "2018-10-07T10:00:00-00:00", ""],
    [
        "port-resource-request",
        "Port Resource Request",
        "What an instance must find on its host for its ports.",
        "2018-05-08T10:00:00-00:00",
        "hosts do not tell Placement what they have",
    ],
    ["port-resource-request-groups", "Port Resource Request Groups", "The same in groups.", "2021-08-02T10:00:00-00:00", ""],
];

/// Floating IPs and gateways are the routers'; the rest is of ports.
fn enforcer(alias: &str) -> Enforcer {
    if matches!(alias, "qos-fip" | "qos-gateway-ip") { Enforcer::L3 } else { Enforcer::L2 }
}

/// For the registry.
pub fn previews() -> impl Iterator<Item = Preview> {
    PREVIEWS.into_iter().map(|[alias, name, description, updated, missing]| Preview {
        extension: Extension { name, alias, description, updated },
        missing: (!missing.is_empty()).then(|| Missing { by: enforcer(alias), what: missing }),
    })
}
