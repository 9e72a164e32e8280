//! `address_scopes`: realms in which no prefix is there twice.
//!
//! Subnet pools belong to scopes, and a network is of the scopes of its subnets' pools, one of each family.

mod fault;
mod ops;

pub use fault::ScopeFault;
pub use ops::{of_network, visible};

use api::{Attribute, Cell, Concerning, Kind, Narrow, Resource};
use model::{AddressScope, SubnetPool};
use net::AddressScopeId;
use rbac::{Shareable, access};

/// Address scopes in policies.
const OBJECT_TYPE: &str = "address_scope";

/// The resource.
pub fn resource() -> Resource<AddressScope> {
    let not_found = |id: &str| format!("Address scope {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![("project_id", Narrow::Text(AddressScope::BY_PROJECT))],
        concerning: Some(Concerning::By(|world, caller| access::concerning(world, caller, AddressScope::BY_PROJECT, OBJECT_TYPE))),
        ..Resource::new("address_scope", "address_scopes", "AddressScopeNotFound", not_found)
    }
}

/// Address scopes in RBAC policies: projects with subnet pools in one use it.
pub fn shareable() -> Shareable {
    Shareable::new(
        OBJECT_TYPE,
        |world, id| Some(&world.get::<AddressScope>(&AddressScopeId(id))?.project_id),
        |world, id, _, holds| world.table::<SubnetPool>().by(SubnetPool::BY_SCOPE, AddressScopeId(id)).any(|pool| holds(&pool.project_id)),
    )
}

type A = Attribute<AddressScope>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(access::is_shared(v.world, v.caller, v.record.id.0)))
            .post_or(false)
            .put()
            .filter()
            .policy(),
        A::new("ip_version", crate::subnet::IP_VERSION, |v| Cell::Int(v.record.ip_version.version().into())).required().filter().sort(),
    ]
}
