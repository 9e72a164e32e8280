//! `floatingips`: addresses outside that lead to a port inside.

mod associate;
mod fault;
mod ops;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use associate::{check_owner, router_for};
pub use fault::FloatingIpFault;
pub(crate) use ops::{disassociate, remove};
pub use status::{floating_ip_failed, floating_ip_gone, floating_ip_realised};

use crate::port_forwarding::{self, Embedded};
use api::{Attribute, Cell, Concerning, Fault, Fields, Kind, Narrow, Op, Quota, Resource, View, schema};
use ml2::external_dns::{self, Published};
use ml2::{dns, network};
use model::{FloatingIp, Port, PortForwarding};
use net::{Mac, NetworkId, PortId};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use world::World;

/// The resource.
pub fn resource() -> Resource<FloatingIp> {
    let not_found = |id: &str| format!("Floating IP {id} could not be found");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        references: Some(references),
        narrow: vec![
            ("project_id", Narrow::Text(FloatingIp::BY_PROJECT)),
            ("port_id", Narrow::Id(FloatingIp::BY_PORT)),
            ("router_id", Narrow::Id(FloatingIp::BY_ROUTER)),
            ("floating_network_id", Narrow::Id(FloatingIp::BY_NETWORK)),
            ("floating_ip_address", Narrow::Text(FloatingIp::BY_ADDRESS)),
        ],
        concerning: Some(Concerning::Own(FloatingIp::BY_PROJECT)),
        quota: Some(Quota { default: 50, by_project: FloatingIp::BY_PROJECT }),
        revision_number: Some(|floating_ip| floating_ip.standard.revision_number),
        ..Resource::new("floatingip", "floatingips", "FloatingIPNotFound", not_found)
    }
    .tagged()
}

/// What an external DNS service publishes of a floating IP: its own name, or that of the port that it leads to.
pub fn published(world: &World, config: &ml2::Config, floating_ip: &FloatingIp) -> Option<Published> {
    let own = (!floating_ip.dns_name.is_empty()).then(|| (floating_ip.dns_name.clone(), floating_ip.dns_domain.clone()));
    let inside = || floating_ip.port_id.and_then(|id| external_dns::name_of(world, config, world.get::<Port>(&id)?));
    let (name, domain) = own.or_else(inside).filter(|(_, domain)| config.external_dns && !domain.contains('<'))?;
    Some(Published { name, domain, addresses: vec![floating_ip.floating_ip_address.into()] })
}

/// The floating IPs that lead to a port.
pub fn associated_with(world: &World, port: PortId) -> Vec<Arc<FloatingIp>> {
    world.table::<FloatingIp>().by(FloatingIp::BY_PORT, port).cloned().collect()
}

fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    let id: NetworkId = fields.typed("floating_network_id").expect("a required attribute");
    network::visible(op.tx.world(), op.caller, id).map(|_| ()).map_err(Fault::from)
}

type A = Attribute<FloatingIp>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("floating_ip_address", Kind::IpOrNull, |v| Cell::Ip(v.record.floating_ip_address.into()))
            .post_or(Value::Null)
            .filter()
            .sort()
            .policy(),
        A::new("floating_network_id", Kind::Uuid, |v| Cell::Uuid(v.record.floating_network_id.0)).required().filter().sort(),
        A::new("subnet_id", Kind::UuidOrNull, |_| Cell::Null).post_or(Value::Null).hidden(),
        A::new("router_id", Kind::UuidOrNull, |v| Cell::optional(v.record.router_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .put()
            .filter()
            .sort(),
        A::new("port_id", Kind::UuidOrNull, |v| Cell::optional(v.record.port_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .put()
            .filter(),
        A::new("fixed_ip_address", Kind::IpOrNull, |v| Cell::optional(v.record.fixed_ip_address, |ip| Cell::Ip(ip.into())))
            .post_or(Value::Null)
            .put()
            .filter()
            .sort(),
        A::new("status", Kind::Text(16), |v| Cell::Str(v.record.status.as_str())).filter().sort(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("dns_name", dns::RELATIVE_NAME, |v| Cell::Str(&v.record.dns_name)).post_or(""),
        A::new("dns_domain", dns::DOMAIN, |v| Cell::Str(&v.record.dns_domain)).post_or(""),
        A::new("port_details", Kind::ObjectOrNull, port_details),
        A::new("port_forwardings", Kind::ObjectOrNull, port_forwardings).shown_as(|| schema::list(schema::dictionary())),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())),
    ]
}

/// `port_details` as answers show it.
#[derive(Serialize)]
struct PortDetails<'a> {
    name: &'a str,
    network_id: NetworkId,
    mac_address: Mac,
    admin_state_up: bool,
    status: model::PortStatus,
    device_id: &'a str,
    device_owner: &'a str,
}

fn port_details<'a>(view: &View<'a, FloatingIp>) -> Cell<'a> {
    let world = view.world;
    let port = view.record.port_id.and_then(|id| world.get::<Port>(&id));
    Cell::optional(port, |port| {
        Cell::made(PortDetails {
            name: &port.name,
            network_id: port.network_id,
            mac_address: port.mac_address,
            admin_state_up: port.admin_state_up,
            status: port.status,
            device_id: &port.device_id,
            device_owner: &port.device_owner,
        })
    })
}

fn port_forwardings<'a>(view: &View<'a, FloatingIp>) -> Cell<'a> {
    let forwardings = view.world.table::<PortForwarding>().by(PortForwarding::BY_FLOATING_IP, view.record.id);
    Cell::made(forwardings.map(|forwarding| port_forwarding::embedded(forwarding)).collect::<Vec<Embedded>>())
}
