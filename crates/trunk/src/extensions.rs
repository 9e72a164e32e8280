//! The extension aliases of this crate. Hosts do not wire trunks yet, so both are previews.

use api::{Enforcer, Extension, Missing, Preview};

/// For the registry.
pub fn previews() -> [Preview; 2] {
    let trunk = Extension {
        name: "Trunk Extension",
        alias: "trunk",
        description: "Several networks through one port of an instance.",
        updated: "2016-01-01T10:00:00-00:00",
    };
    let details = Extension {
        name: "Trunk port details",
        alias: "trunk-details",
        description: "Ports show the trunk that they are the parent of.",
        updated: "2016-01-01T10:00:00-00:00",
    };
    let missing = Missing { by: Enforcer::L2, what: "subports carry no packets" };
    [Preview { extension: trunk, missing: Some(missing) }, Preview { extension: details, missing: None }]
}
