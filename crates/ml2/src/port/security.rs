//! Port security, security groups and allowed address pairs of a port: what goes together.

use super::PortFault;
use crate::Config;
use api::{Fault, Fields, Op};
use model::{AddressPair, ExtraDhcpOption, Port, SecurityGroup, device_owner};
use net::{Family, IpNet, Mac, SecurityGroupId};
use serde::Deserialize;
use smol_str::SmolStr;
use std::net::IpAddr;

/// Sets them on a new port. A port of the network itself has no port security.
pub(super) fn of_new(op: &mut Op<'_>, port: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let default_group = security_groups::ensure_default(op, &port.project_id);
    let trusted = port.device_owner.starts_with(device_owner::NETWORK_PREFIX);
    port.port_security_enabled = !trusted && fields.bool("port_security_enabled").unwrap_or(port.port_security_enabled);
    port.security_groups = match requested_groups(op, fields)? {
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
    let groups = requested_groups(op, fields)?;
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

/// The groups that a request names, sorted; each must be visible to the caller, and all stateful or none.
fn requested_groups(op: &Op<'_>, fields: &Fields) -> Result<Option<Vec<SecurityGroupId>>, Fault> {
    let Some(mut groups) = fields.typed::<Vec<SecurityGroupId>>("security_groups") else { return Ok(None) };
    groups.sort_unstable();
    groups.dedup();
    let mut stateful = None;
    for id in &groups {
        let group: &SecurityGroup = security_groups::group::visible(op.tx.world(), op.caller, *id)?;
        if *stateful.get_or_insert(group.stateful) != group.stateful {
            return Err(PortFault::MixedGroups.into());
        }
    }
    Ok(Some(groups))
}

#[derive(Deserialize)]
struct AskedPair {
    ip_address: Option<SmolStr>,
    mac_address: Option<Mac>,
}

fn requested_pairs(config: &Config, own: Mac, fields: &Fields) -> Result<Option<Vec<AddressPair>>, PortFault> {
    let Some(asked) = fields.typed::<Vec<AskedPair>>("allowed_address_pairs") else { return Ok(None) };
    if asked.len() > config.max_allowed_address_pairs {
        return Err(PortFault::TooManyPairs(config.max_allowed_address_pairs));
    }
    let mut pairs: Vec<AddressPair> = Vec::with_capacity(asked.len());
    for pair in asked {
        let text = pair.ip_address.ok_or(PortFault::PairWithoutAddress)?;
        let (ip_address, with_length) = parse_pair(&text)?;
        let pair = AddressPair { ip_address, with_length, mac_address: pair.mac_address.unwrap_or(own) };
        if pairs.iter().any(|there| (there.ip_address, there.mac_address) == (pair.ip_address, pair.mac_address)) {
            return Err(PortFault::DuplicatePair(text, pair.mac_address));
        }
        pairs.push(pair);
    }
    Ok(Some(pairs))
}

fn parse_pair(text: &str) -> Result<(IpNet, bool), PortFault> {
    let (net, with_length) = match text.parse::<IpAddr>() {
        Ok(address) => (IpNet::from(address), false),
        Err(_) => (text.parse::<IpNet>().map_err(|_| PortFault::InvalidPair(text.to_owned()))?.trunc(), true),
    };
    if net.addr().is_multicast() { Err(PortFault::MulticastPair(text.to_owned())) } else { Ok((net, with_length)) }
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
