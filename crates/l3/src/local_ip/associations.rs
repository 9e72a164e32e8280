//! `local_ips/{id}/port_associations`: the ports that a local IP leads to. An association has no id but its port.

use super::{LocalIpFault, ops};
use api::rows::{Row, Rows};
use api::{Associations, Collection, Fault, Kind, schema};
use auth::{Caller, Policy};
use model::{LocalIp, LocalIpAssociation, Port};
use net::LocalIpId;
use serde_json::{Value, json};
use std::sync::Arc;
use world::World;

/// Name in the path and in bodies.
pub const COLLECTION: &str = "port_associations";
const FIELDS: [&str; 5] = ["local_ip_id", "local_ip_address", "fixed_port_id", "fixed_ip", "host"];
const ROWS: Rows = Rows { collection: COLLECTION, filters: &FIELDS, words: &[], sorts: &FIELDS, id: "fixed_port_id", form };

fn form() -> Vec<(&'static str, Value)> {
    FIELDS.into_iter().zip([schema::uuid(), schema::ip(), schema::uuid(), schema::ip(), schema::nullable(schema::text(255))]).collect()
}

/// The collection, with its rules resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let associations = Associations {
        rows: ROWS,
        name: "port_association",
        rules: "local_ip_port_association",
        ids: ["local_ip_id", "fixed_port_id"],
        takes: || vec![("fixed_port_id", Kind::Uuid, true), ("fixed_ip", Kind::IpOrNull, false)],
        find,
        all: |world, local_ip| local_ip.associations.iter().map(|association| document(world, local_ip, association)).collect(),
        missing: |id, port| LocalIpFault::NotAssociated(id.to_owned(), port.to_owned()).into(),
        associate: ops::associate,
        dissociate: ops::dissociate,
    };
    associations.collection(policy)
}

/// The local IP, when the caller may know of it.
fn find<'w>(world: &'w World, caller: &Caller, id: &str) -> Result<&'w Arc<LocalIp>, Fault> {
    let may = |local_ip: &LocalIp| caller.is_admin || caller.roles.contains("service") || caller.owns(local_ip.project_id.as_str());
    let found = id.parse::<LocalIpId>().ok().and_then(|id| world.get::<LocalIp>(&id)).filter(|local_ip| may(local_ip));
    found.ok_or_else(|| LocalIpFault::NotFound(id.to_owned()).into())
}

fn document(world: &World, local_ip: &LocalIp, association: &LocalIpAssociation) -> Row {
    let host = world.get::<Port>(&association.fixed_port_id).map(|port| port.binding.host.clone()).unwrap_or_default();
    let values =
        [json!(local_ip.id), json!(local_ip.local_ip_address), json!(association.fixed_port_id), json!(association.fixed_ip), json!(host)];
    FIELDS.into_iter().map(str::to_owned).zip(values).collect()
}
