//! Create, update and delete of address groups, and the operations on their addresses.

use super::AddressGroupFault;
use api::{Fault, Fields, Op, Outcome, python};
use auth::Caller;
use model::{AddressGroup, SecurityGroupRule, Standard};
use net::{AddressGroupId, IpNet, ProjectId};
use rbac::access;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use world::World;

/// The address group, when the caller may name it.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: AddressGroupId) -> Result<&'a Arc<AddressGroup>, AddressGroupFault> {
    let group = world.get::<AddressGroup>(&id).ok_or(AddressGroupFault::NotFound(id))?;
    if access::may_use(world, caller, &group.project_id, id.0) { Ok(group) } else { Err(AddressGroupFault::NotFound(id)) }
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<AddressGroupId, Fault> {
    let id = AddressGroupId(op.tx.context.uuid());
    let addresses: BTreeSet<IpNet> = fields.typed("addresses").unwrap_or_default();
    op.tx.put(AddressGroup {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        addresses: addresses.into_iter().collect(),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    });
    Ok(id)
}

pub(super) fn update(op: &mut Op<'_>, group: &Arc<AddressGroup>, fields: &Fields) -> Result<(), Fault> {
    let mut new = AddressGroup::clone(group);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    replace(op, group, new);
    Ok(())
}

fn replace(op: &mut Op<'_>, group: &AddressGroup, mut new: AddressGroup) {
    if new != *group {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
}

pub(super) fn delete(op: &mut Op<'_>, group: &Arc<AddressGroup>) -> Result<(), Fault> {
    if op.tx.table::<SecurityGroupRule>().has(SecurityGroupRule::BY_ADDRESS_GROUP, group.id) {
        return Err(AddressGroupFault::InUse(group.id).into());
    }
    access::forget(op, group.id.0, |_| true);
    op.tx.remove::<AddressGroup>(&group.id);
    Ok(())
}

/// The prefixes of a body that the group has, and those that it has not. Here a single address needs no length.
fn requested(group: &AddressGroup, body: &Map<String, Value>) -> Result<(Vec<IpNet>, Vec<IpNet>), Fault> {
    let no_list = || Fault::bad_request("Request body contains invalid data");
    let given = body.get("addresses").and_then(Value::as_array).ok_or_else(no_list)?;
    let prefix = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let parsed = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>().map(|prefix| prefix.trunc()));
        parsed.map_err(|_| AddressGroupFault::NoPrefix(python::text(value)).into())
    };
    let given: BTreeSet<IpNet> = given.iter().map(prefix).collect::<Result<_, Fault>>()?;
    Ok(given.into_iter().partition(|address| group.addresses.binary_search(address).is_ok()))
}

pub(super) fn add_addresses(op: &mut Op<'_>, group: &Arc<AddressGroup>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let (there, new) = requested(group, body)?;
    if !there.is_empty() {
        return Err(AddressGroupFault::AddressesThere(group.id, there).into());
    }
    let mut addresses = [group.addresses.as_slice(), new.as_slice()].concat();
    addresses.sort_unstable();
    replace(op, group, AddressGroup { addresses, ..AddressGroup::clone(group) });
    Ok(Outcome::Record)
}

pub(super) fn remove_addresses(op: &mut Op<'_>, group: &Arc<AddressGroup>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let (there, missing) = requested(group, body)?;
    if !missing.is_empty() {
        return Err(AddressGroupFault::AddressesNotThere(group.id, missing).into());
    }
    let addresses = group.addresses.iter().filter(|address| !there.contains(address)).copied().collect();
    replace(op, group, AddressGroup { addresses, ..AddressGroup::clone(group) });
    Ok(Outcome::Record)
}
