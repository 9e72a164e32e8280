//! The extension aliases that this crate implements, and those that hosts do not enforce yet.

use api::{Enforcer, Extension, Missing, Preview};

/// Alias, name, description, updated.
const EXTENSIONS: &[[&str; 4]] = &[
    ["router", "Neutron L3 Router", "Routers, their gateways and interfaces, and floating IPs.", "2012-07-20T10:00:00-00:00"],
    [
        "ext-gw-mode",
        "Neutron L3 Configurable external gateway mode",
        "Whether a gateway translates addresses.",
        "2013-03-28T10:00:00-00:00",
    ],
    [
        "external-gateway-multihoming",
        "Neutron L3 External Gateway Multihoming",
        "Several gateways of a router.",
        "2023-01-18T00:00:00-00:00",
    ],
    [
        "enable-default-route-ecmp",
        "Enable Default Route ECMP",
        "Packets that go nowhere else are spread over the gateways of a router.",
        "2023-02-27T00:00:00-00:00",
    ],
    [
        "enable-default-route-bfd",
        "Enable Default Route BFD",
        "Next hops of a router are used while they answer.",
        "2023-02-27T00:00:00-00:00",
    ],
    [
        "auto-allocated-topology",
        "Auto Allocated Topology Services",
        "A network that leads outside, made for a project when it is asked for.",
        "2016-01-01T00:00:00-00:00",
    ],
    ["extraroute", "Neutron Extra Route", "Further routes of a router.", "2013-02-01T10:00:00-00:00"],
    ["extraroute-atomic", "Atomically add/remove extra routes", "Routes are added and removed one by one.", "2019-07-10T00:00:00+00:00"],
    ["fip-port-details", "Floating IP Port Details Extension", "Shows the port that a floating IP leads to.", "2018-04-09T10:00:00-00:00"],
    [
        "l3-port-ip-change-not-allowed",
        "Prevent L3 router ports IP address change extension",
        "Addresses of router interfaces are changed by their router only.",
        "2018-10-09T10:00:00-00:00",
    ],
    [
        "floating-ip-router-writable",
        "Floating IP Router (writable)",
        "The router that carries a floating IP can be named.",
        "2026-08-05T00:00:00-00:00",
    ],
    ["floatingip-pools", "Floating IP Pools Extension", "The subnets from which floating IPs can be had.", "2018-03-21T10:00:00-00:00"],
    [
        "floating-ip-port-forwarding",
        "Floating IP Port Forwarding",
        "Ports of a floating IP that lead to different ports inside.",
        "2018-01-19T10:00:00-00:00",
    ],
    [
        "l3-conntrack-helper",
        "L3 Conntrack helper",
        "Further connections that routers let pass with those that announce them.",
        "2019-04-04T10:00:00-00:00",
    ],
    [
        "expose-l3-conntrack-helper",
        "Expose CT target rules for conntrack helper",
        "Routers show their conntrack helpers.",
        "2019-04-04T10:00:00-00:00",
    ],
    ["l3-ext-ndp-proxy", "Router support to enable NDP proxy", "Whether a router has NDP proxies.", "2020-08-25T00:00:00-00:00"],
    ["l3-ndp-proxy", "L3 NDP Proxy", "IPv6 addresses that a router answers for outside.", "2021-06-29T10:00:00-00:00"],
    ["l3_agent_scheduler", "L3 Agent Scheduler", "Routers are given to L3 agents and taken from them.", "2013-02-07T10:00:00-00:00"],
    ["router_availability_zone", "Router Availability Zone", "The zones in which a router may be carried.", "2015-01-01T10:00:00-00:00"],
    [
        "expose-port-forwarding-in-fip",
        "Expose Floating IP port forwardings",
        "Shows the port forwardings of a floating IP.",
        "2018-06-28T16:00:00-00:00",
    ],
    [
        "floating-ip-port-forwarding-detail",
        "Floating IP port forwarding internal IP and internal port details",
        "Floating IPs show the ports that their port forwardings lead to.",
        "2018-06-28T16:00:00-00:00",
    ],
    [
        "floating-ip-port-forwarding-description",
        "Floating IP Port Forwarding new attribute description",
        "A description for each port forwarding.",
        "2019-11-01T10:00:00-00:00",
    ],
    [
        "floating-ip-port-forwarding-port-ranges",
        "Floating IP Port Forwarding support port ranges",
        "Port forwardings of ranges of ports.",
        "2020-07-01T10:00:00-00:00",
    ],
];

/// The same of previews, and what hosts do not do.
const PREVIEWS: &[([&str; 4], Option<Missing>)] = &[
    (
        ["dvr", "Distributed Virtual Router", "Routers that each host carries for its instances.", "2014-06-1T10:00:00-00:00"],
        Some(Missing { by: Enforcer::L3, what: "routers are carried by one host" }),
    ),
    (
        ["l3-ha", "HA Router extension", "Routers that several hosts can carry.", "2014-04-26T00:00:00-00:00"],
        Some(Missing { by: Enforcer::L3, what: "routers are carried by one host" }),
    ),
    (
        ["network_ha", "Network HA creation flag", "Networks for the routers that several hosts can carry.", "2023-04-27T10:00:00-00:00"],
        None,
    ),
    (
        [
            "router-admin-state-down-before-update",
            "Enforce Router's Admin State Down Before Update Extension",
            "A router is down before it becomes a distributed one or ceases to be.",
            "2019-07-02T15:56:00",
        ],
        None,
    ),
    (
        ["local_ip", "Local IP", "Addresses that lead to an instance of the same host.", "2021-07-26T10:00:00-00:00"],
        Some(Missing { by: Enforcer::L2, what: "nobody answers at local IPs" }),
    ),
];

fn extension(&[alias, name, description, updated]: &[&'static str; 4]) -> Extension {
    Extension { alias, name, description, updated }
}

/// For `/v2.0/extensions`.
pub fn extensions() -> Vec<Extension> {
    EXTENSIONS.iter().map(extension).collect()
}

/// For the same, where previews are on.
pub fn previews() -> impl Iterator<Item = Preview> {
    PREVIEWS.iter().map(|(described, missing)| Preview { extension: extension(described), missing: *missing })
}
