//! What each program unit contains.

mod cuts;
mod group;
mod network;
mod port;

use crate::name;
use crate::pipeline::{self, Variant};
use agent::{Compiled, Complaint, Facts, Intents};
use dataplane::UnitKey;
use intent::UnitId;
use net::{AddressGroupId, NetworkId, PortId, SecurityGroupId};

pub(crate) use port::is_filtered;

/// A unit that this crate does not know, or that the intents do not make, is empty.
pub(crate) fn compile(unit: &UnitKey, intents: &Intents, facts: &Facts) -> Compiled {
    compile_known(unit, intents, facts).unwrap_or_default()
}

fn compile_known(unit: &UnitKey, intents: &Intents, facts: &Facts) -> Option<Compiled> {
    let id = unit.id();
    match unit.kind() {
        "filter" => {
            let used = *unit == name::filter_unit() && is_used(intents);
            let judges = intents.ports().any(is_filtered);
            used.then(|| Compiled { program: pipeline::program(Variant::of(facts), judges), ..Compiled::default() })
        }
        "cuts" => (*unit == name::cuts_unit() && is_used(intents)).then(|| cuts::compile(facts)),
        "network" => {
            let network: NetworkId = id.parse().ok()?;
            Some(network::compile(intents.network(network)?, intents, facts))
        }
        "remote" => {
            let (network, port) = id.split_once('/')?;
            let (network, port): (NetworkId, PortId) = (network.parse().ok()?, port.parse().ok()?);
            let remote = intents.remote(network, port)?;
            Some(network::compile_remote(remote, intents, facts))
        }
        "group" => {
            let group: SecurityGroupId = id.parse().ok()?;
            Some(group::compile(intents.security_group(group)?, facts))
        }
        "members" => {
            let group: SecurityGroupId = id.parse().ok()?;
            let named = intents.security_groups().any(|other| crate::concern::remote_groups(other).any(|remote| remote == group));
            named.then(|| group::compile_members(group, intents, facts))
        }
        "addresses" => {
            let group: AddressGroupId = id.parse().ok()?;
            let named = intents.security_groups().any(|other| crate::concern::address_groups(other).any(|remote| remote == group));
            named.then(|| group::compile_addresses(group, intents, facts))
        }
        "port" => {
            let port: PortId = id.parse().ok()?;
            Some(port::compile(intents.port(port)?, intents, facts))
        }
        _ => None,
    }
}

/// There is something to filter.
fn is_used(intents: &Intents) -> bool {
    intents.networks().next().is_some() || intents.ports().next().is_some()
}

fn complaint(unit: UnitId, reason: impl Into<String>) -> Complaint {
    Complaint { unit, reason: reason.into() }
}

/// A unit that cannot be realised: nothing of it is.
fn refused(unit: UnitId, reason: impl Into<String>) -> Compiled {
    Compiled { complaints: vec![complaint(unit, reason)], ..Compiled::default() }
}
