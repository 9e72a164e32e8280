//! Port security, security groups and allowed address pairs of a port: what goes together.

use super::PortFault;
use crate::Config;
use api::{Fault, Fields, Kind, Op, python};
use model::{AddressPair, ExtraDhcpOption, Port, SecurityGroup, device_owner};
use net::{Family, IpNet, Mac, ProjectId, SecurityGroupId};
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;
use std::net::IpAddr;

/// Sets them on a new port. A port of the network itself has no port security.
pub(super) fn of_new(op: &mut Op<'_>, port: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let default_group = security_groups::ensure_default(op, &port.project_id);
    let trusted = port.device_owner.starts_with(device_owner::NETWORK_PREFIX);
    port.port_security_enabled = !trusted && fields.bool("port_security_enabled").unwrap_or(port.port_security_enabled);
    port.security_groups = match requested_groups(op, &port.project_id, fields)? {
        Some(groups) if !groups.is_empty() && !port.port_security_enabled => return Err(PortFault::GroupsNeedPortSecurity.into()),
        Some(groups) => groups,
        None => default_group.filter(|_| port.port_security_enabled).into_iter().collect(),
    };
    port.allowed_address_pairs = requested_pairs(op.settings.get(), port.mac_address, fields)?.unwrap_or_default();
    if !port.port_security_enabled && !port.allowed_address_pairs.is_empty() {
        return Err(PortFault::PairsNeedPortSecurity.into());
    }
    Ok(())
}

/// Changes them on a port: `new` is the port before, and becomes the port after.
pub(super) fn of_changed(op: &Op<'_>, new: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let groups = requested_groups(op, &new.project_id, fields)?;
    let pairs = requested_pairs(op.settings.get(), new.mac_address, fields)?;
    new.port_security_enabled = fields.bool("port_security_enabled").unwrap_or(new.port_security_enabled);
    if !new.port_security_enabled {
        if !pairs.as_ref().unwrap_or(&new.allowed_address_pairs).is_empty() {
            return Err(PortFault::PairsNeedPortSecurity.into());
        }
        match &groups {
            Some(groups) if !groups.is_empty() => return Err(PortFault::GroupsNeedPortSecurity.into()),
            None if !new.security_groups.is_empty() => return Err(PortFault::HasGroups.into()),
            _ => {}
        }
    }
    if let Some(groups) = groups {
        new.security_groups = groups;
    }
    if let Some(pairs) = pairs {
        new.allowed_address_pairs = pairs;
    }
    Ok(())
}

/// The groups that a request names, sorted; each must be for ports of the project, and all stateful or none.
fn requested_groups(op: &Op<'_>, project: &ProjectId, fields: &Fields) -> Result<Option<Vec<SecurityGroupId>>, Fault> {
    let Some(mut groups) = fields.typed::<Vec<SecurityGroupId>>("security_groups") else { return Ok(None) };
    groups.sort_unstable();
    groups.dedup();
    let mut stateful = None;
    for id in &groups {
        let group: &SecurityGroup = security_groups::group::usable(op.tx.world(), op.caller, project, *id)?;
        if *stateful.get_or_insert(group.stateful) != group.stateful {
            return Err(PortFault::MixedGroups.into());
        }
    }
    Ok(Some(groups))
}

fn requested_pairs(config: &Config, own: Mac, fields: &Fields) -> Result<Option<Vec<AddressPair>>, PortFault> {
    let Some(asked) = fields.get("allowed_address_pairs") else { return Ok(None) };
    let asked = asked.as_array().ok_or(PortFault::PairsNoList)?;
    if asked.len() > config.max_allowed_address_pairs {
        return Err(PortFault::TooManyPairs(config.max_allowed_address_pairs));
    }
    let mut pairs: Vec<AddressPair> = Vec::with_capacity(asked.len());
    for asked in asked.iter().filter_map(Value::as_object) {
        let (ip_address, with_length) = parse_pair(asked.get("ip_address").filter(|v| !v.is_null()).ok_or(PortFault::PairWithoutAddress)?)?;
        let given_mac = asked.get("mac_address").map(|mac| Kind::Mac.check(mac.clone()).map_err(PortFault::pair)).transpose()?;
        if let Some(unknown) = asked.keys().find(|key| !matches!(key.as_str(), "ip_address" | "mac_address")) {
            return Err(PortFault::InvalidPair(format!("Unrecognized attribute(s) '{unknown}'")));
        }
        let mac: Option<Mac> = given_mac.as_ref().and_then(|mac| mac.as_str()?.parse().ok());
        let pair = AddressPair { ip_address, with_length, mac_address: mac.unwrap_or(own) };
        if pairs.iter().any(|there| (there.ip_address, there.mac_address) == (pair.ip_address, pair.mac_address)) {
            return Err(PortFault::DuplicatePair(python::text(&asked["ip_address"]), mac));
        }
        pairs.push(pair);
    }
    Ok(Some(pairs))
}

/// An address or prefix, and whether it was given with a length.
fn parse_pair(value: &Value) -> Result<(IpNet, bool), PortFault> {
    let text = value.as_str().unwrap_or_default();
    let Ok(net) = text.parse::<IpNet>() else {
        let address = Kind::Ip.check(value.clone()).map_err(PortFault::pair)?;
        let address: IpAddr = address.as_str().and_then(|text| text.parse().ok()).ok_or(PortFault::PairWithoutAddress)?;
        let multicast = || PortFault::InvalidPair(format!("IP {address} is a multicast address, which is not supported."));
        return if address.is_multicast() { Err(multicast()) } else { Ok((IpNet::from(address), false)) };
    };
    let multicast = match net {
        IpNet::V4(_) => "224.0.0.0/4",
        IpNet::V6(_) => "ff00::/8",
    };
    let multicast: IpNet = multicast.parse().expect("a prefix");
    // All of IPv4 is what instances that route say; in IPv6 that is refused.
    let is_all_of_v4 = net.prefix_len() == 0 && net.addr().is_ipv4();
    if !is_all_of_v4 && (multicast.contains(&net.network()) || net.contains(&multicast.network())) {
        let message = format!("Subnet {net} overlaps with multicast range {multicast}, which is not supported.");
        return Err(PortFault::InvalidPair(message));
    }
    Ok((net.trunc(), true))
}

#[derive(Deserialize)]
struct AskedOption {
    opt_name: SmolStr,
    opt_value: Option<SmolStr>,
    ip_version: Family,
}

/// Adds and replaces options by name and family; one without a value is removed.
pub(super) fn merge_dhcp_options(port: &mut Port, fields: &Fields) {
    for asked in fields.typed::<Vec<AskedOption>>("extra_dhcp_opts").unwrap_or_default() {
        let at = port.extra_dhcp_opts.iter().position(|o| o.opt_name == asked.opt_name && o.ip_version == asked.ip_version);
        match (asked.opt_value, at) {
            (Some(value), Some(at)) => port.extra_dhcp_opts[at].opt_value = value,
            (Some(opt_value), None) => {
                port.extra_dhcp_opts.push(ExtraDhcpOption { opt_name: asked.opt_name, opt_value, ip_version: asked.ip_version });
            }
            (None, Some(at)) => drop(port.extra_dhcp_opts.remove(at)),
            (None, None) => {}
        }
    }
}
