//! `ndp-proxies`: IPv6 addresses of ports that are reached from outside, because their router answers for them at its gateway (extension
//! `l3-ndp-proxy`), on routers where that is enabled (`l3-ext-ndp-proxy`).

mod fault;
mod ops;
mod router;
#[cfg(test)]
mod tests;

pub use fault::NdpProxyFault;
pub(crate) use ops::forget;
pub(crate) use router::{BOOL_OR_NULL, check_unused_gateway, check_unused_subnet, is_enabled};

use api::{Attribute, Cell, Concerning, Kind, Narrow, Resource};
use model::NdpProxy;
use serde_json::Value;

/// The resource.
pub fn resource() -> Resource<NdpProxy> {
    let not_found = |id: &str| format!("Ndp proxy {id} could not be found.");
    Resource {
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![
            ("project_id", Narrow::Text(NdpProxy::BY_PROJECT)),
            ("router_id", Narrow::Id(NdpProxy::BY_ROUTER)),
            ("port_id", Narrow::Id(NdpProxy::BY_PORT)),
        ],
        concerning: Some(Concerning::Own(NdpProxy::BY_PROJECT)),
        revision_number: Some(|proxy| proxy.standard.revision_number),
        ..Resource::new("ndp_proxy", "ndp_proxies", "NDPProxyNotFound", not_found)
    }
}

type A = Attribute<NdpProxy>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("router_id", Kind::Uuid, |v| Cell::Uuid(v.record.router_id.0)).required().filter().sort(),
        A::new("port_id", Kind::Uuid, |v| Cell::Uuid(v.record.port_id.0)).required().filter().sort(),
        A::new("ip_address", Kind::IpOrNull, |v| Cell::Ip(v.record.ip_address.into())).post_or(Value::Null).filter().sort(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())),
    ]
}
