//! `subnets`: prefixes of a network, with what instances in them are told.

mod delegation;
mod fault;
mod kinds;
mod ops;
mod prefix;
mod routed;
#[cfg(test)]
mod tests;
mod validate;

pub use delegation::delegate;
pub use fault::SubnetFault;
pub use kinds::HOST_ROUTES;
pub(crate) use kinds::IP_VERSION;
pub use ops::create;

use crate::{network, subnet_pool};
use api::{Attribute, Cell, Concerning, Fault, Fields, Kind, Narrow, Op, Quota, Resource, View};
use auth::Caller;
use model::{Network, PREFIX_DELEGATION, Subnet};
use net::{NetworkId, ProjectId, SubnetId};
use serde_json::{Value, json};
use world::World;

/// The resource.
pub fn resource() -> Resource<Subnet> {
    let not_found = |id: &str| format!("Subnet {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        parent_project: |view, _| Some(&network_of(view.world, view.record)?.project_id),
        parent_project_of,
        policy_field: |view, name| network::policy_field(view.world, view.caller, network_of(view.world, view.record)?, name),
        policy_field_of: |world, caller, fields, name| {
            network::policy_field(world, caller, world.get::<Network>(&fields.typed("network_id")?)?, name)
        },
        references: Some(references),
        narrow: vec![
            ("project_id", Narrow::Text(Subnet::BY_PROJECT)),
            ("network_id", Narrow::Id(Subnet::BY_NETWORK)),
            ("subnetpool_id", Narrow::By(of_pool)),
        ],
        concerning: Some(Concerning::By(concerning)),
        quota: Some(Quota { default: 100, by_project: Subnet::BY_PROJECT }),
        revision_number: Some(|subnet| subnet.standard.revision_number),
        ..Resource::new("subnet", "subnets", "SubnetNotFound", not_found)
    }
    .tagged()
}

fn network_of<'a>(world: &'a World, subnet: &Subnet) -> Option<&'a Network> {
    world.get::<Network>(&subnet.network_id).map(|network| &**network)
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    let id: NetworkId = fields.typed("network_id")?;
    world.get::<Network>(&id).map(|network| &network.project_id)
}

fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    let id: NetworkId = fields.typed("network_id").expect("a required attribute");
    op.tx.get::<Network>(&id).map(|_| ()).ok_or_else(|| network::NetworkFault::NotFound(id).into())
}

type A = Attribute<Subnet>;

const MODES: Kind = Kind::WordOrNull(&["dhcpv6-stateful", "dhcpv6-stateless", "slaac"]);

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("network_id", Kind::Uuid, |v| Cell::Uuid(v.record.network_id.0)).required().filter().sort(),
        A::new("ip_version", IP_VERSION, |v| Cell::Int(v.record.family().version().into())).required().filter().sort(),
        A::new("subnetpool_id", kinds::POOL, |v| pool(v.record)).post().filter().sort(),
        A::new("use_default_subnetpool", Kind::Bool, |_| Cell::Null).post_or(false).hidden(),
        A::new("enable_dhcp", Kind::Bool, |v| Cell::Bool(v.record.enable_dhcp)).post_or(true).put().filter().sort(),
        A::new("ipv6_ra_mode", MODES, |v| Cell::optional(v.record.ipv6_ra_mode, |mode| Cell::Str(mode.as_str()))).post().filter().sort(),
        A::new("ipv6_address_mode", MODES, |v| Cell::optional(v.record.ipv6_address_mode, |mode| Cell::Str(mode.as_str())))
            .post()
            .filter()
            .sort(),
        A::new("gateway_ip", Kind::IpOrNull, |v| Cell::optional(v.record.gateway_ip, Cell::Ip)).post().put().filter().sort(),
        A::new("cidr", kinds::CIDR, |v| Cell::Net(v.record.cidr)).post().filter().sort(),
        A::new("prefixlen", Kind::IntRange(0, 128), |_| Cell::Null).post().hidden(),
        A::new("allocation_pools", kinds::POOLS, |v| Cell::Json(&v.record.allocation_pools)).post().put(),
        A::new("host_routes", HOST_ROUTES, |v| Cell::Json(&v.record.host_routes)).post_or(json!([])).put(),
        A::new("dns_nameservers", kinds::NAMESERVERS, |v| Cell::Json(&v.record.dns_nameservers)).post_or(json!([])).put(),
        A::new("dns_publish_fixed_ip", Kind::Bool, |v| Cell::Bool(v.record.dns_publish_fixed_ip)).post_or(false).put(),
        A::new("service_types", kinds::SERVICE_TYPES, |v| Cell::Json(&v.record.service_types)).post_or(json!([])).put(),
        A::new("segment_id", Kind::UuidOrNull, |v| Cell::optional(v.record.segment_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .put()
            .filter()
            .sort()
            .policy(),
        A::new("router:external", Kind::Bool, is_external).filter(),
        A::new("shared", Kind::Bool, is_shared).filter().hidden(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

fn pool(subnet: &Subnet) -> Cell<'_> {
    if subnet.delegated { Cell::Str(PREFIX_DELEGATION) } else { Cell::optional(subnet.subnetpool_id, |id| Cell::Uuid(id.0)) }
}

fn is_external<'a>(view: &View<'a, Subnet>) -> Cell<'a> {
    Cell::Bool(network_of(view.world, view.record).is_some_and(|network| network.external))
}

fn is_shared<'a>(view: &View<'a, Subnet>) -> Cell<'a> {
    Cell::Bool(network_of(view.world, view.record).is_some_and(|network| network::is_shared(view.world, view.caller, network)))
}

/// A project's own subnets, and those of the networks that it may see.
fn concerning(world: &World, caller: &Caller) -> Vec<SubnetId> {
    let subnets = world.table::<Subnet>();
    let on = network::concerning(world, caller).flat_map(|network| subnets.ids(Subnet::BY_NETWORK, network));
    on.chain(subnets.ids(Subnet::BY_PROJECT, &caller.project_id)).copied().collect()
}

fn of_pool(world: &World, pool: &str) -> Option<Vec<SubnetId>> {
    let of = |id| subnet_pool::in_use(world, id).map(|subnet| subnet.id).collect();
    (pool != PREFIX_DELEGATION).then(|| pool.parse().map_or(Vec::new(), of))
}

/// The value is of no consequence where only null and absence are allowed.
pub(crate) fn is_given(fields: &Fields, name: &str) -> bool {
    fields.get(name).is_some_and(|value| *value != Value::Null)
}
