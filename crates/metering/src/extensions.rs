//! The extension aliases of this crate. Hosts do not count yet, so both are previews.

use api::{Enforcer, Extension, Missing, Preview};

/// For the registry.
pub fn previews() -> [Preview; 2] {
    let metering = Extension {
        name: "Neutron Metering",
        alias: "metering",
        description: "Labels under which packets of routers are counted.",
        updated: "2013-06-12T10:00:00-00:00",
    };
    let fields = Extension {
        name: "Neutron Metering with source and destination filtering",
        alias: "metering_source_and_destination_fields",
        description: "Rules of labels by source and destination.",
        updated: "2020-08-21T08:12:00-00:00",
    };
    let missing = Missing { by: Enforcer::L3, what: "nothing is counted" };
    [Preview { extension: metering, missing: Some(missing) }, Preview { extension: fields, missing: None }]
}
