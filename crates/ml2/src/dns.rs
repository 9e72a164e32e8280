//! Names in the DNS: what clients may call ports and domains (RFC 1123), and the names that addresses have.

use crate::{Config, external_dns};
use api::{Cell, Invalid, Kind, View, python, schema};
use model::Port;
use net::host_label;
use serde::Serialize;
use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};
use std::borrow::Cow;
use std::net::IpAddr;

/// `dns_name` of a port: a name in the domain of this deployment, or the whole of it with a final dot.
pub const NAME: Kind = Kind::Special {
    name: "dns_host_name",
    check: name,
    form: || schema::described(schema::text(LONGEST), "a label or a whole name with a final dot (RFC 1123)"),
};
/// `dns_domain`: a whole domain with a final dot, or nothing.
pub const DOMAIN: Kind = Kind::Special {
    name: "dns_domain_name",
    check: domain,
    form: || schema::described(schema::text(LONGEST), "a domain with a final dot, or nothing"),
};
/// `dns_name` of a floating IP: relative to its domain.
pub const RELATIVE_NAME: Kind = Kind::Special {
    name: "fip_dns_host_name",
    check: relative_name,
    form: || schema::described(schema::text(LONGEST), "a name relative to its domain"),
};

/// Characters of a whole name.
const LONGEST: usize = 255;
const LONGEST_LABEL: usize = 63;
/// What labels of domains may stand for.
const KEYWORDS: [&str; 4] = ["<project_id>", "<project_name>", "<user_name>", "<user_id>"];

fn refuse<T>(reason: String) -> Result<T, Invalid> {
    Err(Invalid::Reason(reason))
}

/// Names are the same in either case, and shown in the lower.
fn lower(value: &Value) -> Result<String, Invalid> {
    match value.as_str() {
        Some(text) => Ok(text.to_lowercase()),
        None => Err(Invalid::Conversion(format!("Input value {} must be string type", python::text(value)))),
    }
}

fn name(value: Value) -> Result<Value, Invalid> {
    let text = lower(&value)?;
    format(&text)?;
    Ok(text.into())
}

fn domain(value: Value) -> Result<Value, Invalid> {
    let text = lower(&value)?;
    if !text.is_empty() {
        if !text.ends_with('.') {
            return refuse(format!("'{text}' is not a FQDN"));
        }
        format(&text)?;
        room(&text, 2, "Adding a sub-domain will cause it to exceed the maximum length of a FQDN of")?;
    }
    Ok(text.into())
}

fn relative_name(value: Value) -> Result<Value, Invalid> {
    let text = lower(&value)?;
    if text.ends_with('.') {
        return refuse(format!("'{text}' is a FQDN. It should be a relative domain name"));
    }
    format(&text)?;
    room(&text, 3, "Adding a domain name will cause it to exceed the maximum length of a FQDN of")?;
    Ok(text.into())
}

fn room(text: &str, more: usize, what: &str) -> Result<(), Invalid> {
    let length = text.chars().count();
    if length > LONGEST - more {
        return refuse(format!("'{text}' contains {length} characters. {what} '{LONGEST}'"));
    }
    Ok(())
}

fn format(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Ok(());
    }
    labels(text.strip_suffix('.').unwrap_or(text)).or_else(|reason| refuse(format!("'{text}' not a valid PQDN or FQDN. Reason: {reason}")))
}

fn labels(name: &str) -> Result<(), String> {
    if name.chars().count() > LONGEST {
        return Err(format!("'{name}' exceeds the {LONGEST} character FQDN limit"));
    }
    let labels: Vec<&str> = name.split('.').collect();
    for label in &labels {
        let plain = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if label.is_empty() {
            return Err("Encountered an empty component".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(format!("Name '{label}' must not start or end with a hyphen"));
        }
        if !(plain && label.len() <= LONGEST_LABEL || KEYWORDS.contains(label)) {
            let rule = "must be 1-63 characters long, each of which can only be alphanumeric or a hyphen";
            return Err(format!("Name '{label}' {rule}"));
        }
    }
    match labels.last() {
        Some(top) if labels.len() > 1 && top.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("TLD '{top}' must not be all numeric"))
        }
        _ => Ok(()),
    }
}

/// The domain of this deployment with its final dot; empty when it has none.
fn own_domain(config: &Config) -> Cow<'_, str> {
    match config.dns_domain.as_str() {
        "" => Cow::Borrowed(""),
        whole if whole.ends_with('.') => Cow::Borrowed(whole),
        given => Cow::Owned(format!("{given}.")),
    }
}

/// A port's name must fit into the domain, or end with it.
pub(crate) fn check_name(config: &Config, name: &str) -> Result<(), Invalid> {
    let domain = own_domain(config);
    if name.is_empty() || domain.is_empty() {
        return Ok(());
    }
    let above = format!(".{domain}");
    let given = &config.dns_domain;
    if !name.ends_with('.') {
        if name.len() + above.len() > LONGEST {
            return refuse(format!(
                "The dns_name passed is a PQDN and its size is '{}'. The dns_domain option in neutron.conf is set to {given}, with a length of \
                 '{}'. When the two are concatenated to form a FQDN (with a '.' at the end), the resulting length exceeds the maximum size of \
                 '{LONGEST}'",
                name.len(),
                above.len()
            ));
        }
    } else if name.len() <= above.len() || !name.ends_with(&above) {
        return refuse(format!(
            "The dns_name passed is a FQDN. Its higher level labels must be equal to the dns_domain option in neutron.conf, that has been set \
             to '{given}'. It must also include one or more valid DNS labels to the left of '{given}'"
        ));
    }
    Ok(())
}

/// A port's name in the domain of this deployment; none: its addresses have names of their own.
pub fn host_name(config: &Config, port: &Port) -> Option<SmolStr> {
    let name = port.dns_name.as_str();
    if name.is_empty() {
        return None;
    }
    let above = format!(".{}", own_domain(config));
    Some(SmolStr::new(name.strip_suffix(above.as_str()).unwrap_or(name)))
}

/// An element of `dns_assignment`.
#[derive(Serialize)]
struct Assignment {
    ip_address: IpAddr,
    hostname: SmolStr,
    fqdn: SmolStr,
}

/// `dns_assignment`: the names of a port's addresses.
pub(crate) fn assignment<'a>(view: &View<'a, Port>) -> Cell<'a> {
    let (config, port) = (view.settings.get::<Config>(), view.record);
    let published = external_dns::of_port(view.world, config, port);
    let domain = published.map_or_else(|| own_domain(config), |published| Cow::Owned(published.domain.into()));
    let named = |ip: &model::FixedIp| {
        let hostname = if port.dns_name.is_empty() { host_label(ip.ip_address).into() } else { port.dns_name.clone() };
        let whole = hostname.ends_with('.') || domain.is_empty();
        let fqdn = if whole { hostname.clone() } else { format_smolstr!("{hostname}.{domain}") };
        Assignment { ip_address: ip.ip_address, hostname, fqdn }
    };
    Cell::made(port.fixed_ips.iter().map(named).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(result: Result<Value, Invalid>) -> String {
        match result {
            Ok(value) => value.as_str().unwrap_or_default().to_owned(),
            Err(Invalid::Reason(reason) | Invalid::Conversion(reason)) => reason,
        }
    }

    #[test]
    fn as_the_reference_answers() {
        let label = "must be 1-63 characters long, each of which can only be alphanumeric or a hyphen";
        for (check, given, answer) in [
            (domain as fn(Value) -> Result<Value, Invalid>, json!("Example.ORG."), "example.org.".to_owned()),
            (domain, json!(""), String::new()),
            (domain, json!("1."), "1.".to_owned()),
            (domain, json!("<project_id>.example.org."), "<project_id>.example.org.".to_owned()),
            (domain, json!("example.org"), "'example.org' is not a FQDN".to_owned()),
            (domain, json!("."), "'.' not a valid PQDN or FQDN. Reason: Encountered an empty component".to_owned()),
            (
                domain,
                json!("-a.org."),
                "'-a.org.' not a valid PQDN or FQDN. Reason: Name '-a' must not start or end with a hyphen".to_owned(),
            ),
            (domain, json!("<nope>.org."), format!("'<nope>.org.' not a valid PQDN or FQDN. Reason: Name '<nope>' {label}")),
            (domain, json!(null), "Input value None must be string type".to_owned()),
            (domain, json!(["x"]), "Input value ['x'] must be string type".to_owned()),
            (name, json!("Web"), "web".to_owned()),
            (name, json!("a.b"), "a.b".to_owned()),
            (name, json!("a.1"), "'a.1' not a valid PQDN or FQDN. Reason: TLD '1' must not be all numeric".to_owned()),
            (name, json!("a_b"), format!("'a_b' not a valid PQDN or FQDN. Reason: Name 'a_b' {label}")),
            (name, json!("ä"), format!("'ä' not a valid PQDN or FQDN. Reason: Name 'ä' {label}")),
            (relative_name, json!("web."), "'web.' is a FQDN. It should be a relative domain name".to_owned()),
            (relative_name, json!(5), "Input value 5 must be string type".to_owned()),
        ] {
            assert_eq!(said(check(given.clone())), answer, "{given}");
        }
        let long = format!("{0}.{0}.{0}.{0}.abcdefghi.", "a".repeat(60));
        assert!(said(domain(json!(long))).ends_with("of a FQDN of '255'"));
        assert!(said(name(json!("a.".repeat(200)))).contains("exceeds the 255 character FQDN limit"));
    }

    #[test]
    fn a_name_is_in_the_domain() {
        let config = Config { dns_domain: "example.org.".into(), ..Config::default() };
        for fine in ["", "web", "a.b", "web.example.org."] {
            assert!(check_name(&config, fine).is_ok(), "{fine}");
        }
        for wrong in ["web.", "example.org.", ".example.org.", "web.example.com.", &"a".repeat(250)] {
            assert!(check_name(&config, wrong).is_err(), "{wrong}");
        }
        assert!(check_name(&Config { dns_domain: SmolStr::default(), ..config }, "web.").is_ok());
    }
}
