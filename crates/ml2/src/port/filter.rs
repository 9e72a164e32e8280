//! Filters of port lists: by fixed IP, and which index narrows a list.

use api::{Invalid, Matcher, Narrow};
use auth::Caller;
use model::{Network, Port, Subnet};
use net::{PortId, SubnetId};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;
use world::{Index, Key, World};

enum Condition {
    Nothing,
    Address(String),
    Part(String),
    Subnet(String),
}

fn condition(value: &str) -> Result<Condition, Invalid> {
    let (key, value) = value.split_once('=').ok_or_else(|| Invalid::Conversion(format!("'{value}' is not of the form <key>=[value]")))?;
    match key {
        "ip_address" => Ok(Condition::Address(value.to_owned())),
        "ip_address_substr" => Ok(Condition::Part(value.to_owned())),
        "subnet_id" => Ok(Condition::Subnet(value.to_ascii_lowercase())),
        _ => Ok(Condition::Nothing),
    }
}

/// `fixed_ips=ip_address=…`, `subnet_id=…`, `ip_address_substr=…`: values of one key are alternatives, those of different keys
/// must all hold, each for some address of the port. Other keys mean nothing.
pub(super) fn fixed_ips(values: &[&str]) -> Result<Matcher<Port>, Invalid> {
    let conditions: Vec<Condition> = values.iter().map(|value| condition(value)).collect::<Result<_, _>>()?;
    let (mut addresses, mut parts, mut subnets) = (Vec::new(), Vec::new(), Vec::new());
    for condition in conditions {
        match condition {
            Condition::Nothing => {}
            Condition::Address(text) => addresses.push(text.parse::<IpAddr>().ok()),
            Condition::Part(text) => parts.push(text),
            Condition::Subnet(text) => subnets.push(text.parse::<SubnetId>().ok()),
        }
    }
    Ok(Box::new(move |view| {
        let ips = &view.record.fixed_ips;
        let shown: Vec<SmolStr> =
            if parts.is_empty() { Vec::new() } else { ips.iter().map(|ip| format_smolstr!("{}", ip.ip_address)).collect() };
        (addresses.is_empty() || ips.iter().any(|ip| addresses.contains(&Some(ip.ip_address))))
            && (subnets.is_empty() || ips.iter().any(|ip| subnets.contains(&Some(ip.subnet_id))))
            && (parts.is_empty() || shown.iter().any(|ip| parts.iter().any(|part| ip.contains(part.as_str()))))
    }))
}

/// Which filters an index helps with. Ports without device, host or owner are in none.
pub(super) fn narrow() -> Vec<(&'static str, Narrow<Port>)> {
    vec![
        ("project_id", Narrow::Text(Port::BY_PROJECT)),
        ("network_id", Narrow::Id(Port::BY_NETWORK)),
        ("device_id", Narrow::By(|world, device| some(world, Port::BY_DEVICE, device))),
        ("binding:host_id", Narrow::By(|world, host| some(world, Port::BY_HOST, host))),
        ("security_groups", Narrow::Id(Port::BY_SECURITY_GROUP)),
        ("device_owner", Narrow::By(by_owner)),
        ("fixed_ips", Narrow::By(by_fixed_ip)),
    ]
}

fn some(world: &World, index: Index<Port>, value: &str) -> Option<Vec<PortId>> {
    if value.is_empty() { None } else { Narrow::Text(index).find(world, value) }
}

fn by_owner(world: &World, owner: &str) -> Option<Vec<PortId>> {
    let keys = world.table::<Port>().walk(Port::BY_OWNER, Key::TextUuid(owner.into(), uuid::Uuid::nil()));
    let keys = keys.take_while(|(key, _)| matches!(key, Key::TextUuid(text, _) if text == owner));
    (!owner.is_empty()).then(|| keys.map(|(_, id)| *id).collect())
}

fn by_fixed_ip(world: &World, value: &str) -> Option<Vec<PortId>> {
    let ports = world.table::<Port>();
    match condition(value).ok()? {
        Condition::Part(_) | Condition::Nothing => None,
        Condition::Address(text) => {
            let Ok(address) = text.parse::<IpAddr>() else { return Some(Vec::new()) };
            let subnets = world.table::<Subnet>().iter().filter(|subnet| subnet.cidr.contains(&address));
            Some(subnets.flat_map(|subnet| ports.ids(Port::BY_ADDRESS, Key::Address(subnet.id.0, address)).copied()).collect())
        }
        Condition::Subnet(text) => {
            let Ok(subnet) = text.parse::<SubnetId>() else { return Some(Vec::new()) };
            let from = Key::Address(subnet.0, IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
            let keys = ports.walk(Port::BY_ADDRESS, from);
            let mut ids: Vec<PortId> =
                keys.take_while(|(key, _)| matches!(key, Key::Address(id, _) if *id == subnet.0)).map(|(_, id)| *id).collect();
            ids.sort_unstable();
            ids.dedup();
            Some(ids)
        }
    }
}

/// A project's own ports, and those on its networks.
pub(super) fn concerning(world: &World, caller: &Caller) -> Vec<PortId> {
    let (networks, ports) = (world.table::<Network>(), world.table::<Port>());
    let on = networks.ids(Network::BY_PROJECT, &caller.project_id).flat_map(|network| ports.ids(Port::BY_NETWORK, *network));
    on.chain(ports.ids(Port::BY_PROJECT, &caller.project_id)).copied().collect()
}
