//! From the fields of a request to the meaning of a rule, with the reference's faults.

use super::{RuleFault, protocol};
use api::{Fields, Kind};
use net::{Family, IpNet};
use serde_json::Value;
use smol_str::SmolStr;
use std::net::IpAddr;

/// What a rule matches, as it will be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Match {
    pub ethertype: Family,
    pub protocol: Option<SmolStr>,
    pub port_range_min: Option<u16>,
    pub port_range_max: Option<u16>,
    pub remote_ip_prefix: Option<SmolStr>,
}

impl Match {
    /// True when both match the same packets: names and numbers of a protocol are the same to it, and everywhere is no restriction.
    pub(crate) fn same(&self, other: &Match) -> bool {
        let prefix = |of: &Match| of.remote_ip_prefix.as_deref().and_then(normalized).filter(|net| net.prefix_len() > 0);
        let protocol = |of: &Match| of.protocol.as_deref().and_then(protocol::number);
        self.ethertype == other.ethertype
            && protocol(self) == protocol(other)
            && (self.port_range_min, self.port_range_max) == (other.port_range_min, other.port_range_max)
            && prefix(self) == prefix(other)
    }
}

/// Checks everything of a rule that does not need the world.
pub(crate) fn validate(fields: &Fields) -> Result<Match, RuleFault> {
    let ethertype = ethertype(fields.get("ethertype"))?;
    let protocol = protocol_of(fields.get("protocol"), ethertype)?;
    let (port_range_min, port_range_max) = port_range(fields, protocol.as_deref())?;
    let remote_ip_prefix = prefix(fields.get("remote_ip_prefix"), ethertype)?;
    let is_given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    let remotes = [is_given("remote_group_id"), is_given("remote_address_group_id"), remote_ip_prefix.is_some()];
    if remotes.iter().filter(|is_given| **is_given).count() > 1 {
        return Err(RuleFault::MultipleRemotes);
    }
    Ok(Match { ethertype, protocol, port_range_min, port_range_max, remote_ip_prefix })
}

fn text(value: &Value) -> String {
    api::python::text(value)
}

fn ethertype(value: Option<&Value>) -> Result<Family, RuleFault> {
    let Some(value) = value else { return Ok(Family::V4) };
    match text(value).to_ascii_lowercase().as_str() {
        "ipv4" => Ok(Family::V4),
        "ipv6" => Ok(Family::V6),
        _ => Err(RuleFault::InvalidEthertype(text(value))),
    }
}

fn protocol_of(value: Option<&Value>, ethertype: Family) -> Result<Option<SmolStr>, RuleFault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let invalid = || RuleFault::InvalidProtocol(text(value));
    let word = text(value).trim().to_ascii_lowercase();
    let word = word.parse::<u8>().map_or(word, |number| number.to_string());
    if word == "any" {
        return Ok(None);
    }
    let _known = protocol::number(&word).ok_or_else(invalid)?;
    if ethertype == Family::V4 && protocol::is_ipv6_only(&word) {
        return Err(RuleFault::EthertypeConflict { ethertype: ethertype.ethertype(), protocol: word });
    }
    Ok(Some(match (word.as_str(), ethertype) {
        ("icmpv6", _) | ("icmp", Family::V6) => SmolStr::new_static("ipv6-icmp"),
        ("1", Family::V6) => SmolStr::new_static("58"),
        (word, _) => SmolStr::new(word),
    }))
}

fn port(value: Option<&Value>) -> Result<Option<i64>, RuleFault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let number = match value {
        Value::Number(_) => Kind::Int.check(value.clone()).ok().and_then(|number| number.as_i64()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if (0..=65535).contains(&number) => Ok(Some(number)),
        _ => Err(RuleFault::InvalidPort(text(value))),
    }
}

fn port_range(fields: &Fields, protocol: Option<&str>) -> Result<(Option<u16>, Option<u16>), RuleFault> {
    let (min, max) = (port(fields.get("port_range_min"))?, port(fields.get("port_range_max"))?);
    if min.is_none() && max.is_none() {
        return Ok((None, None));
    }
    let protocol = protocol.ok_or(RuleFault::ProtocolRequired)?;
    let number = protocol::number(protocol).expect("a kept protocol is known");
    if protocol::has_ports(number) {
        check_ports(min, max)?;
    } else if protocol::is_icmp(number) {
        check_icmp(min, max)?;
    } else {
        return Err(RuleFault::NoPorts(number));
    }
    if protocol::has_ports(number) && (min, max) == (Some(1), Some(65535)) {
        return Ok((None, None));
    }
    let narrow = |value: Option<i64>| value.map(|v| u16::try_from(v).expect("checked to be a port number"));
    Ok((narrow(min), narrow(max)))
}

fn check_ports(min: Option<i64>, max: Option<i64>) -> Result<(), RuleFault> {
    if min == Some(0) || max == Some(0) {
        return Err(RuleFault::InvalidPort("0".to_owned()));
    }
    match (min, max) {
        (Some(min), Some(max)) if min <= max => Ok(()),
        _ => Err(RuleFault::InvalidPortRange),
    }
}

fn check_icmp(icmp_type: Option<i64>, code: Option<i64>) -> Result<(), RuleFault> {
    let checks = [("type", "port_range_min", icmp_type), ("code", "port_range_max", code)];
    for (field, attribute, value) in checks {
        if let Some(value) = value.filter(|value| *value > 255) {
            return Err(RuleFault::InvalidIcmp { field, attribute, value });
        }
    }
    match (icmp_type, code) {
        (None, Some(code)) => Err(RuleFault::MissingIcmpType(code)),
        _ => Ok(()),
    }
}

/// A prefix is kept with its host bits, a single address with its length.
fn prefix(value: Option<&Value>, ethertype: Family) -> Result<Option<SmolStr>, RuleFault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let given = text(value);
    let trimmed = given.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    let net = trimmed.parse::<IpAddr>().map(IpNet::from).or_else(|_| trimmed.parse::<IpNet>());
    let net = net.map_err(|_| RuleFault::InvalidCidr(given.clone()))?;
    let cidr = SmolStr::from(net.to_string());
    if Family::of_net(&net) != ethertype {
        return Err(RuleFault::PrefixConflict { ethertype: ethertype.ethertype(), cidr: cidr.to_string() });
    }
    Ok(Some(cidr))
}

/// The prefix without host bits: `normalized_cidr`.
pub(super) fn normalized(prefix: &str) -> Option<IpNet> {
    prefix.parse::<IpNet>().ok().map(|net| net.trunc())
}
