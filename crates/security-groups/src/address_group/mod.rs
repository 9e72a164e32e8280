//! `address_groups`: lists of prefixes that rules name.

mod fault;
mod ops;

pub use fault::AddressGroupFault;
pub use ops::visible;

use api::{Action, Attribute, Cell, Concerning, Kind, Narrow, Resource, schema};
use model::{AddressGroup, SecurityGroupRule};
use net::AddressGroupId;
use rbac::{Shareable, access};
use serde_json::Value;

/// Address groups in policies.
const OBJECT_TYPE: &str = "address_group";

/// The resource.
pub fn resource() -> Resource<AddressGroup> {
    let not_found = |id: &str| format!("Address group {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        actions: vec![
            Action { name: "add_addresses", takes: addresses_form, run: ops::add_addresses },
            Action { name: "remove_addresses", takes: addresses_form, run: ops::remove_addresses },
        ],
        narrow: vec![("project_id", Narrow::Text(AddressGroup::BY_PROJECT))],
        hides_sharing: true,
        concerning: Some(Concerning::By(|world, caller| access::concerning(world, caller, AddressGroup::BY_PROJECT, OBJECT_TYPE))),
        revision_number: Some(|group| group.standard.revision_number),
        ..Resource::new("address_group", "address_groups", "AddressGroupNotFound", not_found)
    }
}

/// Address groups in RBAC policies: projects with rules that name one use it.
pub fn shareable() -> Shareable {
    Shareable::new(
        OBJECT_TYPE,
        |world, id| Some(&world.get::<AddressGroup>(&AddressGroupId(id))?.project_id),
        |world, id, _, holds| {
            let mut rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_ADDRESS_GROUP, AddressGroupId(id));
            rules.any(|rule| holds(&rule.project_id))
        },
    )
}

/// The body of the actions on addresses.
fn addresses_form() -> Value {
    schema::wrapped("addresses", Kind::CidrList.schema())
}

type A = Attribute<AddressGroup>;

/// Null is the empty list.
const ADDRESSES: Kind = Kind::Special {
    name: "addresses",
    check: |value| if value.is_null() { Ok(Value::Array(Vec::new())) } else { Kind::CidrList.check(value) },
    form: || Kind::CidrList.schema(),
};

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("description", Kind::Text(1024), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("addresses", ADDRESSES, |v| Cell::Json(&v.record.addresses)).post(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(access::is_shared(v.world, v.caller, v.record.id.0))).hidden(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}
