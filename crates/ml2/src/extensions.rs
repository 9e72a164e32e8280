//! The extension aliases that this crate, with the API frame around it, implements.

use api::Extension;

/// Alias, name, description, updated.
const EXTENSIONS: &[[&str; 4]] = &[
    [
        "aap-reject-multicast",
        "Allowed address pairs reject multicast extension",
        "Multicast addresses are refused in allowed address pairs.",
        "2026-04-01T00:00:00-00:00",
    ],
    ["address-scope", "Address scope", "Within an address scope prefixes are unique and routed untranslated.", "2015-07-26T10:00:00-00:00"],
    ["agent", "agent", "The roles of hosts, their state and configuration.", "2013-02-03T10:00:00-00:00"],
    [
        "agent-resources-synced",
        "Agent's Resource View Synced to Placement",
        "Whether Placement was told what an agent has.",
        "2018-12-19T00:00:00-00:00",
    ],
    ["agent_sort_key", "Agents Sort Key", "Lists of agents can be sorted.", "2013-02-03T10:00:00-00:00"],
    ["allowed-address-pairs", "Allowed Address Pairs", "Further addresses that a port may send from.", "2013-07-23T10:00:00-00:00"],
    ["availability_zone", "Availability Zone", "The zones in which agents are.", "2015-01-01T10:00:00-00:00"],
    [
        "availability_zone_filter",
        "Availability Zone Filter Extension",
        "Lists of availability zones can be filtered.",
        "2018-06-22T10:00:00-00:00",
    ],
    ["binding", "Port Binding", "On which host a port is, and how it is plugged there.", "2014-02-03T10:00:00-00:00"],
    ["data-plane-status", "Port data plane status extension", "What is known of the network below a port.", "2017-01-24T10:00:00-00:00"],
    ["dhcp_agent_scheduler", "DHCP Agent Scheduler", "Networks are given to DHCP agents and taken from them.", "2013-02-07T10:00:00-00:00"],
    ["binding-extended", "Port Bindings Extended", "Bindings of a port to further hosts.", "2017-07-17T10:00:00-00:00"],
    ["dns-domain-ports", "dns_domain for ports", "The domain of a port's name outside of its network.", "2017-04-24T10:00:00-00:00"],
    ["dns-integration", "DNS Integration", "Names of ports in the DNS.", "2015-08-15T18:00:00-00:00"],
    ["external-net", "Neutron external network", "Networks that lead out of the cloud.", "2013-01-14T10:00:00-00:00"],
    [
        "default-subnetpools",
        "Default Subnetpools",
        "A subnet pool of each family that subnets can ask for without knowing it.",
        "2016-02-18T18:00:00-00:00",
    ],
    ["extra_dhcp_opt", "Neutron Extra DHCP options", "DHCP options of a port.", "2013-03-17T12:00:00-00:00"],
    [
        "ip-substring-filtering",
        "IP address substring filtering",
        "Lists of ports can be filtered by a part of an address.",
        "2017-11-28T09:00:00-00:00",
    ],
    ["ip_allocation", "IP Allocation", "When a port got its addresses.", "2016-06-10T23:00:00-00:00"],
    ["l2_adjacency", "L2 Adjacency", "Whether all ports of a network share one layer 2 domain.", "2016-04-12T16:00:00-00:00"],
    ["multi-provider", "Multi Provider Network", "Networks that are carried in several ways.", "2013-06-27T10:00:00-00:00"],
    ["net-mtu", "Network MTU", "The largest IP packet of a network.", "2015-03-25T10:00:00-00:00"],
    ["net-mtu-writable", "Network MTU (writable)", "The MTU of a network can be chosen.", "2017-07-12T00:00:00-00:00"],
    ["network_availability_zone", "Network Availability Zone", "The zones from which DHCP serves a network.", "2015-01-01T10:00:00-00:00"],
    ["network-ip-availability", "Network IP Availability", "How many addresses of networks are used.", "2015-09-24T00:00:00-00:00"],
    [
        "network-ip-availability-details",
        "Network IP Availability Details Extension",
        "The same for the prefixes and the allocation pools apart.",
        "2025-10-31T00:00:00-00:00",
    ],
    [
        "network-segment-range",
        "Neutron Network Segment Range",
        "Which segmentation ids networks of projects get.",
        "2018-11-29T00:00:00-00:00",
    ],
    ["port-device-profile", "Port device profile", "Which accelerator a port asks for.", "2020-12-17T10:00:00-00:00"],
    [
        "port-mac-address-regenerate",
        "Neutron Port MAC address regenerate",
        "A null MAC gives a port a new one.",
        "2018-05-03T10:00:00-00:00",
    ],
    [
        "port-numa-affinity-policy",
        "Port NUMA affinity policy",
        "How near to its instance a port's device must be.",
        "2020-07-08T10:00:00-00:00",
    ],
    [
        "port-numa-affinity-policy-socket",
        "Port NUMA affinity policy \"socket\"",
        "A port's device may be anywhere on its instance's socket.",
        "2024-02-09T10:00:00-00:00",
    ],
    ["port-security", "Port Security", "Anti-spoofing and filtering can be turned off for a network or port.", "2012-07-23T10:00:00-00:00"],
    [
        "port-security-groups-filtering",
        "Port filtering on security groups",
        "Lists of ports can be filtered by security group.",
        "2018-01-09T09:00:00-00:00",
    ],
    ["provider", "Provider Network", "How a network is carried.", "2012-09-07T10:00:00-00:00"],
    [
        "rbac-address-scope",
        "Add address_scope type to RBAC",
        "Address scopes can be shared with other projects.",
        "2020-02-12T00:00:00-00:00",
    ],
    ["rbac-subnetpool", "Add subnetpool type to RBAC", "Subnet pools can be shared with other projects.", "2020-02-05T00:00:00-00:00"],
    [
        "subnet-external-network",
        "Subnet belongs to an external network",
        "Tells of each subnet whether its network is external.",
        "2024-02-05T18:00:00-00:00",
    ],
    ["segment", "Segment", "The ways in which a network is carried, one by one.", "2016-02-24T17:00:00-00:00"],
    [
        "segments-peer-subnet-host-routes",
        "Segments peer-subnet host routes",
        "Instances of a segment learn the ways to the others of its network.",
        "2018-06-12T10:00:00-00:00",
    ],
    [
        "standard-attr-segment",
        "Standard Attribute Segment Extension",
        "Segments have descriptions, times and revisions.",
        "2018-04-09T10:00:00-00:00",
    ],
    ["subnet-segmentid-writable", "Subnet SegmentID (writable)", "A subnet can be put on a segment later.", "2018-03-12T00:00:00-00:00"],
    ["port-hints", "Port hints", "What a backend may do better for a port.", "2023-01-01T00:00:00-00:00"],
    [
        "port-mac-override",
        "Neutron Port MAC address override",
        "A port that is a physical function has the MAC of the device that its binding profile names.",
        "2022-03-18T10:00:00-00:00",
    ],
    [
        "port-trusted-vif",
        "Port trusted vif",
        "Whether a port's device is trusted, as part of its binding profile.",
        "2024-07-10T10:00:00-00:00",
    ],
    ["subnet-service-types", "Subnet service types", "Subnets for ports of some owners.", "2016-03-15T18:00:00-00:00"],
    ["subnet_allocation", "Subnet Allocation", "Subnets get their prefixes out of subnet pools.", "2015-03-30T10:00:00-00:00"],
    ["subnet_onboard", "Subnet Onboard", "Subnets can be taken into subnet pools.", "2018-12-18T09:00:00-00:00"],
    [
        "subnetpool-prefix-ops",
        "Subnet Pool Prefix Operations",
        "Prefixes can be added to subnet pools and removed from them.",
        "2019-02-08T10:00:00-00:00",
    ],
    [
        "standard-attr-tag",
        "Tag support for resources with standard attribute",
        "Words that clients hang on resources.",
        "2017-01-01T00:00:00-00:00",
    ],
    ["tag-creation", "Tag creation extension", "Several tags can be added at once.", "2024-07-23T10:00:00-00:00"],
    ["tag-ports-during-bulk-creation", "Tag Ports During Bulk Creation", "Ports can be created with tags.", "2019-12-29T19:00:00-00:00"],
];

/// For `/v2.0/extensions`.
pub fn extensions() -> Vec<Extension> {
    EXTENSIONS.iter().map(|&[alias, name, description, updated]| Extension { alias, name, description, updated }).collect()
}
