//! `subnetpools`: prefixes out of which subnets are given theirs.
//!
//! [`allocate`] finds a prefix, `prefixes` is the arithmetic of sets of prefixes, `ops` has the resource's own operations, `onboard`
//! those that subnets come into a pool by.

mod allocate;
mod fault;
mod onboard;
mod ops;
mod prefixes;
#[cfg(test)]
mod tests;

pub(crate) use allocate::{Wanted, allocate};
pub use fault::PoolFault;
pub use ops::default_of;
pub(crate) use ops::visible;

use api::{Action, Attribute, Cell, Concerning, Invalid, Kind, Narrow, Quota, Resource, schema};
use model::{Subnet, SubnetPool};
use net::SubnetPoolId;
use rbac::{Shareable, access};
use serde_json::Value;
use smol_str::format_smolstr;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use world::{Key, World};

/// Subnet pools in policies.
const OBJECT_TYPE: &str = "subnetpool";

/// The resource.
pub fn resource() -> Resource<SubnetPool> {
    let not_found = |id: &str| format!("Subnet pool {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        actions: vec![
            Action { name: "add_prefixes", takes: prefixes_form, run: ops::add_prefixes },
            Action { name: "remove_prefixes", takes: prefixes_form, run: ops::remove_prefixes },
            Action { name: "onboard_network_subnets", takes: || schema::wrapped("network_id", schema::uuid()), run: onboard::onboard },
        ],
        narrow: vec![("project_id", Narrow::Text(SubnetPool::BY_PROJECT)), ("address_scope_id", Narrow::Id(SubnetPool::BY_SCOPE))],
        concerning: Some(Concerning::By(|world, caller| access::concerning(world, caller, SubnetPool::BY_PROJECT, OBJECT_TYPE))),
        quota: Some(Quota { default: -1, by_project: SubnetPool::BY_PROJECT }),
        revision_number: Some(|pool| pool.standard.revision_number),
        ..Resource::new("subnetpool", "subnetpools", "SubnetPoolNotFound", not_found)
    }
    .tagged()
}

/// Subnet pools in RBAC policies: projects with subnets of one use it. Whoever gets a pool must have its scope.
pub fn shareable() -> Shareable {
    let pool = Shareable::new(
        OBJECT_TYPE,
        |world, id| Some(&world.get::<SubnetPool>(&SubnetPoolId(id))?.project_id),
        |world, id, _, holds| in_use(world, SubnetPoolId(id)).any(|subnet| holds(&subnet.project_id)),
    );
    Shareable { check: ops::check_shared, ..pool }
}

/// The subnets whose prefixes are of a pool, in order of their prefixes.
pub fn in_use(world: &World, pool: SubnetPoolId) -> impl Iterator<Item = &Arc<Subnet>> {
    in_use_from(world, pool, IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The same from an address on.
fn in_use_from(world: &World, pool: SubnetPoolId, from: IpAddr) -> impl Iterator<Item = &Arc<Subnet>> {
    let subnets = world.table::<Subnet>();
    let keys = subnets.walk(Subnet::BY_POOL, Key::Address(pool.0, from));
    let of_pool = keys.take_while(move |(key, _)| matches!(key, Key::Address(there, _) if *there == pool.0));
    of_pool.filter_map(|(_, id)| subnets.get(id))
}

/// The body of the actions on prefixes.
fn prefixes_form() -> Value {
    schema::wrapped("prefixes", Kind::CidrList.schema())
}

type A = Attribute<SubnetPool>;

const NAME: Kind = Kind::Special { name: "not_empty_string", check: not_empty, form: || schema::text(255) };
const NON_NEGATIVE: Kind = Kind::Special { name: "non_negative", check: crate::network::non_negative, form: || schema::range(0, i64::MAX) };

fn attributes() -> Vec<A> {
    let mut attributes = own_attributes();
    attributes.extend([
        A::new("is_default", Kind::Bool, |v| Cell::Bool(v.record.is_default)).post_or(false).put().filter().sort().policy(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(access::is_shared(v.world, v.caller, v.record.id.0))).post_or(false).filter().policy(),
        A::new("address_scope_id", Kind::UuidOrNull, |v| Cell::optional(v.record.address_scope_id, |id| Cell::Uuid(id.0)))
            .post()
            .put()
            .filter()
            .sort(),
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
        A::new("name", NAME, |v| Cell::Str(&v.record.name)).required().put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("prefixes", Kind::CidrList, |v| Cell::Json(&v.record.prefixes)).required().put(),
        A::new("default_quota", NON_NEGATIVE, |v| Cell::optional(v.record.default_quota, |quota| Cell::Int(quota.cast_signed())))
            .shown_as(|| schema::nullable(schema::integer()))
            .post()
            .put()
            .filter()
            .sort(),
        A::new("ip_version", Kind::Int, |v| Cell::Int(v.record.family().version().into())).filter().sort(),
        A::new("default_prefixlen", NON_NEGATIVE, |v| length(v.record.default_prefixlen))
            .shown_as(|| schema::text(3))
            .post()
            .put()
            .filter()
            .sort(),
        A::new("min_prefixlen", NON_NEGATIVE, |v| length(v.record.min_prefixlen)).shown_as(|| schema::text(3)).post().put().filter().sort(),
        A::new("max_prefixlen", NON_NEGATIVE, |v| length(v.record.max_prefixlen)).shown_as(|| schema::text(3)).post().put().filter().sort(),
    ]
}

/// Lengths are shown as texts.
fn length<'a>(bits: u8) -> Cell<'a> {
    Cell::Text(format_smolstr!("{bits}"))
}

fn not_empty(value: Value) -> Result<Value, Invalid> {
    let value = Kind::Text(255).check(value)?;
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Err(Invalid::Reason(format!("'{text}' Blank strings are not permitted"))),
        _ => Ok(value),
    }
}
