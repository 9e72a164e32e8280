//! `ports`: where instances, routers and services are attached to networks.

mod binding;
pub mod bindings;
mod eligible;
mod fault;
mod filter;
mod ipam;
mod kinds;
mod mac;
mod ops;
pub mod provisioning;
mod security;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use binding::rebind;
pub use fault::PortFault;
pub use ipam::Asked;
pub(crate) use ipam::allocate;
pub use kinds::FIXED_IPS;
pub(crate) use mac::generate as generate_mac;
pub use service::{ServicePort, bind_service_port, create_service_port, readdress_service_port};

use crate::{dns, network};
use api::{Attribute, Cell, Concerning, Fault, Fields, Kind, Op, Quota, Resource, schema};
use model::{Network, Port, VnicType, device_owner};
use net::{NetworkId, PortId, ProjectId};
use serde_json::{Value, json};
use world::World;

/// The resource.
pub fn resource() -> Resource<Port> {
    let not_found = |id: &str| format!("Port {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        parent_project: |view, _| Some(&view.world.get::<Network>(&view.record.network_id)?.project_id),
        parent_project_of,
        references: Some(references),
        policy_field: |view, name| {
            network::policy_field(view.world, view.caller, view.world.get::<Network>(&view.record.network_id)?, name)
        },
        policy_field_of: |world, caller, fields, name| {
            network::policy_field(world, caller, world.get::<Network>(&fields.typed("network_id")?)?, name)
        },
        narrow: filter::narrow(),
        concerning: Some(Concerning::By(filter::concerning)),
        quota: Some(Quota { default: 500, by_project: Port::BY_PROJECT }),
        revision_number: Some(|port| port.standard.revision_number),
        ..Resource::new("port", "ports", "PortNotFound", not_found)
    }
    .tagged_from_create()
}

/// True for ports of routers: they are not addressed automatically and hold their subnet.
pub fn is_router_port(port: &Port) -> bool {
    matches!(
        port.device_owner.as_str(),
        device_owner::ROUTER_INTERFACE
            | device_owner::ROUTER_INTERFACE_DISTRIBUTED
            | device_owner::HA_REPLICATED_INTERFACE
            | device_owner::ROUTER_SNAT
    )
}

/// True for ports that belong to the network itself: they do not keep it or its subnets from being deleted.
pub fn is_auto_deleted(port: &Port) -> bool {
    matches!(port.device_owner.as_str(), device_owner::DHCP | device_owner::DISTRIBUTED | device_owner::AGENT_GATEWAY)
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    let id: NetworkId = fields.typed("network_id")?;
    world.get::<Network>(&id).map(|network| &network.project_id)
}

fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    let id: NetworkId = fields.typed("network_id").expect("a required attribute");
    network::visible(op.tx.world(), op.caller, id).map(|_| ()).map_err(Fault::from)
}

type A = Attribute<Port>;

const VNIC_TYPES: Kind = Kind::Word(&[
    "normal",
    "direct",
    "macvtap",
    "baremetal",
    "direct-physical",
    "virtio-forwarder",
    "smart-nic",
    "vdpa",
    "accelerator-direct",
    "accelerator-direct-physical",
    "remote-managed",
]);

fn attributes() -> Vec<A> {
    let mut attributes = own_attributes();
    attributes.extend(binding_attributes());
    attributes.extend([
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]);
    attributes
}

fn own_attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("network_id", Kind::Uuid, |v| Cell::Uuid(v.record.network_id.0)).required().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("mac_address", kinds::MAC, |v| Cell::Mac(v.record.mac_address)).post().put().filter().sort().policy(),
        A::new("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put().filter().sort(),
        A::new("status", Kind::Text(16), |v| Cell::Str(v.record.status.as_str())).filter().sort(),
        A::new("device_id", Kind::Text(255), |v| Cell::Str(&v.record.device_id)).post_or("").put().filter().sort().policy(),
        A::new("device_owner", Kind::Text(255), |v| Cell::Str(&v.record.device_owner)).post_or("").put().filter().sort().policy(),
        A::new("fixed_ips", FIXED_IPS, |v| Cell::Json(&v.record.fixed_ips)).post().put().filter_by(filter::fixed_ips).policy(),
        A::new("ip_allocation", Kind::Text(16), |v| Cell::Str(v.record.ip_allocation.as_str())).filter().sort(),
        A::new("port_security_enabled", Kind::Bool, |v| Cell::Bool(v.record.port_security_enabled)).post().put().policy(),
        A::new("security_groups", Kind::UuidList, |v| Cell::Uuids(v.record.security_groups.iter().map(|id| id.0).collect()))
            .post()
            .put()
            .filter(),
        A::new("allowed_address_pairs", kinds::ADDRESS_PAIRS, |v| {
            Cell::made(v.record.allowed_address_pairs.iter().map(kinds::shown_pair).collect::<Vec<_>>())
        })
        .post()
        .put()
        .policy(),
        A::new("data_plane_status", Kind::WordOrNull(&["ACTIVE", "DOWN"]), |v| {
            Cell::optional(v.record.data_plane_status.as_deref(), Cell::Str)
        })
        .put()
        .policy(),
        A::new("device_profile", Kind::TextOrNull(255), |v| Cell::optional(v.record.device_profile.as_deref(), Cell::Str))
            .post_or(Value::Null),
        A::new("numa_affinity_policy", Kind::WordOrNull(&["required", "preferred", "legacy", "socket"]), |v| {
            Cell::optional(v.record.numa_affinity_policy.as_deref(), Cell::Str)
        })
        .post_or(Value::Null)
        .put(),
        A::new("trusted", Kind::Bool, |v| Cell::optional(v.record.trusted, Cell::Bool))
            .shown_as(|| schema::nullable(schema::boolean()))
            .post()
            .put()
            .policy(),
        A::new("propagate_uplink_status", Kind::Bool, |v| Cell::Bool(!v.record.ignores_uplink_status)).post_or(true).put(),
        A::new("hardware_offload_type", Kind::Word(&["switchdev"]), |v| {
            Cell::optional(v.record.hardware_offload_type.as_deref(), Cell::Str)
        })
        .shown_as(|| schema::nullable(schema::word(&["switchdev"])))
        .post()
        .policy(),
        A::new("hints", kinds::HINTS, |v| if v.record.hints.is_empty() { Cell::Null } else { Cell::Json(&v.record.hints) })
            .post_or(Value::Null)
            .put()
            .policy(),
        A::new("dns_name", dns::NAME, |v| Cell::Str(&v.record.dns_name)).post_or("").put(),
        A::new("dns_domain", dns::DOMAIN, |v| Cell::Str(&v.record.dns_domain)).post_or("").put(),
        A::new("dns_assignment", Kind::ObjectOrNull, dns::assignment).shown_as(|| schema::list(schema::dictionary())),
        A::new("extra_dhcp_opts", kinds::DHCP_OPTIONS, |v| Cell::Json(&v.record.extra_dhcp_opts)).post_or(json!([])).put(),
    ]
}

fn binding_attributes() -> Vec<A> {
    vec![
        A::new("binding:vnic_type", VNIC_TYPES, |v| Cell::Str(v.record.binding.vnic_type.as_str()))
            .post_or(VnicType::Normal.as_str())
            .put()
            .policy(),
        A::new("binding:profile", Kind::ObjectOrNull, binding::shown_profile).post().put().policy(),
        A::new("binding:host_id", kinds::HOST, |v| Cell::Str(v.record.binding.host.as_str())).post().put().filter().policy(),
        A::new("binding:vif_type", Kind::Text(64), |v| Cell::Str(v.record.binding.vif_type.as_str())).policy(),
        A::new("binding:vif_details", Kind::ObjectOrNull, |v| Cell::Json(&v.record.binding.vif_details)).policy(),
    ]
}

/// A port as it is before any attribute is set.
pub(crate) fn blank(id: PortId, network: &Network, project_id: ProjectId, mac_address: net::Mac, standard: model::Standard) -> Port {
    Port { port_security_enabled: network.port_security_enabled, ..Port::new(id, network.id, project_id, mac_address, standard) }
}

/// Null and absence mean the same where only a value counts.
fn object(fields: &Fields, name: &str) -> Option<serde_json::Map<String, Value>> {
    match fields.get(name)? {
        Value::Object(map) => Some(map.clone()),
        _ => Some(serde_json::Map::new()),
    }
}
