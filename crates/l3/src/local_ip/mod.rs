//! `local-ips`: an address of a network that leads, on each host, to an instance of that host (extension `local_ip`), and what it leads
//! to: `local_ips/{id}/port_associations`.
//!
//! Deliberately absent: what hosts are told; nobody answers at the address yet.

mod associations;
mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use associations::{COLLECTION as ASSOCIATIONS, collection as associations};
pub use fault::LocalIpFault;
pub(crate) use ops::{check_port, forget};

use api::{Attribute, Cell, Concerning, Kind, Narrow, Resource};
use model::LocalIp;

/// The extension.
pub const ALIAS: &str = "local_ip";

/// The resource.
pub fn resource() -> Resource<LocalIp> {
    let not_found = |id: &str| format!("Local IP {id} could not be found.");
    Resource {
        extension: Some(ALIAS),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![("project_id", Narrow::Text(LocalIp::BY_PROJECT))],
        concerning: Some(Concerning::Own(LocalIp::BY_PROJECT)),
        revision_number: Some(|local_ip| local_ip.standard.revision_number),
        ..Resource::new("local_ip", "local_ips", "LocalIPNotFound", not_found)
    }
}

type A = Attribute<LocalIp>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("description", Kind::Text(1024), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("local_port_id", Kind::Uuid, |v| Cell::Uuid(v.record.local_port_id.0)).post().filter().sort(),
        A::new("network_id", Kind::Uuid, |v| Cell::Uuid(v.record.network_id.0)).post().filter().sort(),
        A::new("local_ip_address", Kind::IpOrNull, |v| Cell::Ip(v.record.local_ip_address)).post().filter().sort().policy(),
        A::new("ip_mode", Kind::Word(&["translate", "passthrough"]), |v| Cell::Str(v.record.ip_mode.as_str()))
            .post_or("translate")
            .filter()
            .sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())),
    ]
}
