//! The extension aliases that this crate implements; those of single types are their slices'.

use api::Extension;

/// For `/v2.0/extensions`.
pub fn extensions() -> Vec<Extension> {
    vec![Extension {
        alias: "rbac-policies",
        name: "RBAC Policies",
        description: "Which projects may use the objects of others.",
        updated: "2015-06-17T12:15:12-00:00",
    }]
}
