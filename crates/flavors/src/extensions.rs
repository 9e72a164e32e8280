//! The extension aliases of this crate. They ask nothing of hosts.

use api::Extension;

/// Alias, name, description, updated.
const EXTENSIONS: [[&str; 4]; 3] = [
    ["flavors", "Neutron Service Flavors", "Kinds of service that an administrator offers.", "2015-09-17T10:00:00-00:00"],
    ["l3-flavors", "Router Flavor Extension", "Routers can be asked for by flavor.", "2016-05-17T00:00:00-00:00"],
    ["service-type", "Neutron Service Type Management", "Who carries services.", "2013-01-20T00:00:00-00:00"],
];

/// For `/v2.0/extensions`.
pub fn extensions() -> impl Iterator<Item = Extension> {
    EXTENSIONS.into_iter().map(|[alias, name, description, updated]| Extension { alias, name, description, updated })
}
