//! `networks`: isolated layer 2 domains.

mod fault;
mod kinds;
mod ops;
mod provider;
mod sharing;
#[cfg(test)]
mod tests;

pub use fault::NetworkFault;
pub use ops::{create, default_external, delete};
pub(crate) use provider::segment as new_segment;
pub(crate) use provider::{PHYSICAL, SEGMENTATION, TYPE, check_maximum, check_minimum};
pub use provider::{effective_mtu, maximum_mtu};
pub use sharing::{OBJECT_TYPE, complete_policies, is_shared, lacking, leads_out, shareable, visible};
pub(crate) use sharing::{concerning, policy_field};

use crate::availability_zone::{self, HINTS};
use crate::{Config, address_scope, dns};
use api::{Attribute, Cell, Concerning, Invalid, Kind, Narrow, Quota, Resource, View, schema};
use model::{AddressScope, Network, Segment, Subnet};
use net::{Family, NetworkId};
use rbac::access;
use serde_json::{Value, json};
use world::World;

/// The resource.
pub fn resource() -> Resource<Network> {
    let not_found = |id: &str| format!("Network {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(create),
        update: Some(ops::update),
        delete: Some(delete),
        narrow: vec![
            ("project_id", Narrow::Text(Network::BY_PROJECT)),
            ("shared", Narrow::By(|world, word| is_true(word).then(|| access::governed(world, OBJECT_TYPE).map(NetworkId).collect()))),
            ("router:external", Narrow::By(|world, word| is_true(word).then(|| common(world)))),
        ],
        concerning: Some(Concerning::By(|world, caller| concerning(world, caller).collect())),
        policy_field: |view, name| policy_field(view.world, view.caller, view.record, name),
        quota: Some(Quota { default: 100, by_project: Network::BY_PROJECT }),
        revision_number: Some(|network| network.standard.revision_number),
        ..Resource::new("network", "networks", "NetworkNotFound", not_found)
    }
    .tagged()
}

pub(crate) const INT_OR_NULL: Kind =
    Kind::Special { name: "integer_or_null", check: int_or_null, form: || schema::nullable(schema::integer()) };
const MTU: Kind = Kind::Special { name: "non_negative", check: non_negative, form: || schema::range(0, i64::MAX) };

fn int_or_null(value: Value) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { Kind::Int.check(value) }
}

pub(crate) fn non_negative(value: Value) -> Result<Value, Invalid> {
    let number = Kind::Int.check(value)?;
    match number.as_i64() {
        Some(mtu) if mtu < 0 => Err(Invalid::Reason(format!("'{mtu}' should be non-negative"))),
        _ => Ok(number),
    }
}

type A = Attribute<Network>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put().filter().sort(),
        A::new("mtu", MTU, mtu).post().put().filter().sort().policy(),
        A::new("status", Kind::Text(16), |_| Cell::Str("ACTIVE")).filter().sort(),
        A::new("subnets", Kind::UuidList, subnets),
        A::new("shared", Kind::Bool, |v| Cell::Bool(is_shared(v.world, v.caller, v.record))).post_or(false).put().filter().policy(),
        A::new("port_security_enabled", Kind::Bool, |v| Cell::Bool(v.record.port_security_enabled)).post_or(true).put().policy(),
        A::new("router:external", Kind::Bool, |v| Cell::Bool(v.record.external)).post_or(false).put().filter().policy(),
        A::new("is_default", Kind::Bool, |v| Cell::Bool(v.record.is_default)).post_or(false).put().filter().policy(),
        A::new("segments", kinds::SEGMENTS, segments).post().put().policy(),
        A::new("provider:network_type", Kind::Text(32), |v| segment(v, |s| Cell::Str(s.network_type.as_str())))
            .post()
            .put()
            .filter()
            .policy(),
        A::new("provider:physical_network", Kind::Text(64), |v| segment(v, |s| Cell::optional(s.physical_network.as_deref(), Cell::Str)))
            .shown_as(|| schema::nullable(schema::text(64)))
            .post()
            .put()
            .filter()
            .policy(),
        A::new("provider:segmentation_id", INT_OR_NULL, |v| segment(v, |s| Cell::optional(s.segmentation_id, |id| Cell::Int(id.into()))))
            .post()
            .put()
            .filter()
            .policy(),
        A::new("availability_zone_hints", HINTS, |v| Cell::Json(&v.record.availability_zone_hints)).post_or(json!([])).sort(),
        A::new("availability_zones", HINTS, |v| Cell::made(availability_zone::of_agents(v.world, &v.record.dhcp_agents))),
        A::new("ipv4_address_scope", Kind::UuidOrNull, |v| scope(v, Family::V4)),
        A::new("ipv6_address_scope", Kind::UuidOrNull, |v| scope(v, Family::V6)),
        A::new("dns_domain", dns::DOMAIN, |v| Cell::Str(&v.record.dns_domain)).post_or("").put(),
        A::new("l2_adjacency", Kind::Bool, l2_adjacency),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

fn mtu<'a>(view: &View<'a, Network>) -> Cell<'a> {
    Cell::Int(effective_mtu(view.settings.get::<Config>(), view.record).into())
}

fn subnets<'a>(view: &View<'a, Network>) -> Cell<'a> {
    Cell::Uuids(view.world.table::<Subnet>().ids(Subnet::BY_NETWORK, view.record.id).map(|id| id.0).collect())
}

/// Ports of a routed network are on several layer 2 domains.
fn l2_adjacency<'a>(view: &View<'a, Network>) -> Cell<'a> {
    let mut subnets = view.world.table::<Subnet>().by(Subnet::BY_NETWORK, view.record.id);
    Cell::Bool(!subnets.any(|subnet| subnet.segment_id.is_some()))
}

/// Of a network with several segments; that of others is in the attributes `provider:…`.
fn segments<'a>(view: &View<'a, Network>) -> Cell<'a> {
    let segments = &view.record.segments;
    if segments.len() < 2 { Cell::Absent } else { Cell::made(segments.iter().map(kinds::ShownSegment::of).collect::<Vec<_>>()) }
}

fn scope<'a>(view: &View<'a, Network>, family: Family) -> Cell<'a> {
    let has_any = !view.world.table::<AddressScope>().is_empty();
    Cell::optional(has_any.then(|| address_scope::of_network(view.world, view.record.id, family)).flatten(), |id| Cell::Uuid(id.0))
}

fn segment<'a>(view: &View<'a, Network>, cell: fn(&'a Segment) -> Cell<'a>) -> Cell<'a> {
    match view.record.segments.as_slice() {
        [] => Cell::Null,
        [only] => cell(only),
        // Then they are in `segments`.
        _ => Cell::Absent,
    }
}

fn common(world: &World) -> Vec<NetworkId> {
    world.table::<Network>().ids(Network::COMMON, 0).copied().collect()
}

fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value == "1"
}
