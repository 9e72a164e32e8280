//! The extension aliases that this crate implements.

use api::Extension;

/// For `/v2.0/extensions`.
pub fn extensions() -> Vec<Extension> {
    vec![
        Extension {
            alias: "security-group",
            name: "security-group",
            description: "Groups of rules that say which packets reach an instance and leave it.",
            updated: "2012-10-05T10:00:00-00:00",
        },
        Extension {
            alias: "stateful-security-group",
            name: "Stateful security group",
            description: "Groups with and without connection tracking.",
            updated: "2019-11-26T09:00:00-00:00",
        },
        Extension {
            alias: "security-groups-default-rules",
            name: "Default rules for security groups",
            description: "Which rules new security groups start with.",
            updated: "2022-12-19T10:00:00-00:00",
        },
        Extension {
            alias: "security-groups-default-statefulness",
            name: "Security Groups Default Statefulness",
            description: "Whether new security groups are stateful, by project or for all.",
            updated: "2026-04-13T00:00:00-00:00",
        },
        Extension {
            alias: "security-groups-normalized-cidr",
            name: "Normalized CIDR field for security group rules",
            description: "Shows the remote prefix of a rule without host bits.",
            updated: "2020-07-28T10:00:00-00:00",
        },
        Extension {
            alias: "address-group",
            name: "Address group",
            description: "Lists of prefixes.",
            updated: "2020-07-15T10:00:00-00:00",
        },
        Extension {
            alias: "rbac-address-group",
            name: "Add address_group type to RBAC",
            description: "Address groups can be shared with other projects.",
            updated: "2021-01-20T00:00:00-00:00",
        },
        Extension {
            alias: "security-groups-remote-address-group",
            name: "Remote address group id field for security group rules",
            description: "Rules can name an address group as the other side.",
            updated: "2020-08-25T10:00:00-00:00",
        },
        Extension {
            alias: "rbac-security-groups",
            name: "Add security_group type to network RBAC",
            description: "Security groups can be shared with other projects.",
            updated: "2019-02-14T00:00:00-00:00",
        },
        Extension {
            alias: "security-groups-shared-filtering",
            name: "Security group filtering on the shared field",
            description: "Lists of security groups can be filtered by whether they are shared.",
            updated: "2021-10-05T09:00:00-00:00",
        },
        Extension {
            alias: "security-groups-rules-belongs-to-default-sg",
            name: "Security group rule belongs to the project's default security group",
            description: "Tells of each rule whether its group is the project's default group.",
            updated: "2023-05-23T10:00:00-00:00",
        },
    ]
}
