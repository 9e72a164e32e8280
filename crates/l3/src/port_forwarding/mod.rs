//! `floatingips/{id}/port_forwardings`: ports of a floating IP that lead to ports inside.
//!
//! A range leads to a range of the same size. Deliberately absent: several ports outside that lead to one inside.

mod fault;
mod kinds;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::PortForwardingFault;
pub(crate) use ops::remove;

use api::{Attribute, Cell, Fault, Fields, Kind, Narrow, Parent, Resource};
use auth::Caller;
use model::{FloatingIp, ForwardedProtocol, PortForwarding};
use net::{FloatingIpId, PortForwardingId, PortId, ProjectId};
use serde::Serialize;
use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};
use std::net::Ipv4Addr;
use world::World;

/// The resource; registered below [`parent`].
pub fn resource() -> Resource<PortForwarding> {
    let not_found = |id: &str| format!("Port Forwarding {id} could not be found.");
    Resource {
        rules: "floatingip_port_forwarding",
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        parent_project: |view, _| Some(&view.world.get::<FloatingIp>(&view.record.floatingip_id)?.project_id),
        parent_project_of,
        narrow: vec![("floatingip_id", Narrow::Id(PortForwarding::BY_FLOATING_IP))],
        ..Resource::new("port_forwarding", "port_forwardings", "PortForwardingNotFound", not_found)
    }
}

/// Where it is registered: below floating IPs.
pub fn parent() -> Parent<PortForwarding> {
    Parent {
        collection: "floatingips",
        attribute: "floatingip_id",
        of: |forwarding| forwarding.floatingip_id.0,
        check,
        check_create: check,
    }
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    Some(&world.get::<FloatingIp>(&fields.typed("floatingip_id")?)?.project_id)
}

fn check(world: &World, caller: &Caller, id: &str) -> Result<(), Fault> {
    let floating_ip = id.parse::<FloatingIpId>().ok().and_then(|id| world.get::<FloatingIp>(&id));
    let may =
        |floating_ip: &FloatingIp| caller.is_admin || caller.roles.contains("service") || caller.owns(floating_ip.project_id.as_str());
    match floating_ip.filter(|floating_ip| may(floating_ip)) {
        Some(_) => Ok(()),
        None => Err(Fault::new(404, "FloatingIPNotFound", format!("Floating IP {id} could not be found"))),
    }
}

type A = Attribute<PortForwarding>;

fn attributes() -> Vec<A> {
    let protocol = Kind::Word(&["tcp", "udp", "sctp"]);
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("floatingip_id", Kind::Uuid, |v| Cell::Uuid(v.record.floatingip_id.0)).required().filter().hidden(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().hidden(),
        A::new("external_port", kinds::PORT, |v| Cell::optional(single(v.record.external_ports), |port| Cell::Int(port.into())))
            .post_or(Value::Null)
            .put()
            .filter()
            .sort(),
        A::new("external_port_range", kinds::RANGE, |v| Cell::Text(range(v.record.external_ports)))
            .post_or(Value::Null)
            .put()
            .filter()
            .sort(),
        A::new("protocol", protocol, |v| Cell::Str(v.record.protocol.as_str())).required().put().filter().sort(),
        A::new("internal_port_id", Kind::Uuid, |v| Cell::Uuid(v.record.internal_port_id.0)).required().put().filter().sort(),
        A::new("internal_ip_address", Kind::Ip, |v| Cell::Ip(v.record.internal_ip())).required().put(),
        A::new("internal_port", kinds::PORT, |v| Cell::optional(single(v.record.internal_ports), |port| Cell::Int(port.into())))
            .post_or(Value::Null)
            .put(),
        A::new("internal_port_range", kinds::RANGE, |v| Cell::Text(range(v.record.internal_ports))).post_or(Value::Null).put(),
        A::new("description", Kind::Text(1024), |v| Cell::Str(&v.record.description)).post_or("").put().filter(),
    ]
}

/// A range as clients write it; a single port is both ends.
fn range((first, last): (u16, u16)) -> SmolStr {
    format_smolstr!("{first}:{last}")
}

/// The port of a range that is one.
fn single((first, last): (u16, u16)) -> Option<u16> {
    (first == last).then_some(first)
}

/// A port forwarding as its floating IP shows it; clients compare it whole, so that there are no ranges in it.
#[derive(Serialize)]
pub(crate) struct Embedded {
    id: PortForwardingId,
    protocol: ForwardedProtocol,
    internal_ip_address: Ipv4Addr,
    internal_port_id: PortId,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_port: Option<u16>,
}

pub(crate) fn embedded(forwarding: &PortForwarding) -> Embedded {
    Embedded {
        id: forwarding.id,
        protocol: forwarding.protocol,
        internal_ip_address: forwarding.internal_ip_address,
        internal_port_id: forwarding.internal_port_id,
        internal_port: single(forwarding.internal_ports),
        external_port: single(forwarding.external_ports),
    }
}
