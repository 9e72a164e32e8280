//! Filters of port lists: by fixed IP, and which index narrows a list.

use api::{Invalid, Matcher};
use auth::Caller;
use model::{Network, Port, Subnet};
use net::{NetworkId, PortId, SecurityGroupId, SubnetId};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;
use world::{Key, World};

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

pub(super) fn narrow(world: &World, attribute: &str, value: &str) -> Option<Vec<PortId>> {
    let ports = world.table::<Port>();
    let by = |index, key: Option<Key>| Some(key.map_or(Vec::new(), |key| ports.ids(index, key).copied().collect()));
    match attribute {
        "project_id" => by(Port::BY_PROJECT, Some(value.into())),
        "network_id" => by(Port::BY_NETWORK, value.parse::<NetworkId>().ok().map(Key::from)),
        "device_id" if !value.is_empty() => by(Port::BY_DEVICE, Some(value.into())),
        "binding:host_id" if !value.is_empty() => by(Port::BY_HOST, Some(value.into())),
        "security_groups" => by(Port::BY_SECURITY_GROUP, value.parse::<SecurityGroupId>().ok().map(Key::from)),
        "device_owner" if !value.is_empty() => Some(by_owner(world, value)),
        "fixed_ips" => by_fixed_ip(world, value),
        _ => None,
    }
}

fn by_owner(world: &World, owner: &str) -> Vec<PortId> {
    let keys = world.table::<Port>().walk(Port::BY_OWNER, Key::TextUuid(owner.into(), uuid::Uuid::nil()));
    keys.take_while(|(key, _)| matches!(key, Key::TextUuid(text, _) if text == owner)).map(|(_, id)| *id).collect()
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
