//! Which records there should be.

use crate::{Config, Key, Kind, Records, Reverse};
use ml2::external_dns::{Published, of_port};
use model::{FloatingIp, Network, Port, SegmentRange, Subnet};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;
use world::{Change, Entry, Record, World};

/// All records of a world. Several that have one name share its record set.
pub fn wanted(world: &World, ml2: &ml2::Config, config: &Config) -> Records {
    let mut records = Records::new();
    let named = world.table::<Port>().iter().filter(|port| !port.dns_name.is_empty());
    let ports = named.filter_map(|port| of_port(world, ml2, port));
    let floating_ips = world.table::<FloatingIp>().iter().filter_map(|floating_ip| l3::floating_ip::published(world, ml2, floating_ip));
    for Published { name, domain, addresses } in ports.chain(floating_ips) {
        let whole = format_smolstr!("{name}.{domain}");
        for address in addresses {
            let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
            let key = Key { zone: zone(config, &domain), name: whole.clone(), kind };
            records.entry(key).or_default().insert(format_smolstr!("{address}"));
            if let Some(reverse) = &config.reverse {
                records.entry(pointer(config, reverse, address)).or_default().insert(whole.clone());
            }
        }
    }
    // An address leads to one name.
    for (_, names) in records.iter_mut().filter(|(key, _)| key.kind == Kind::Ptr) {
        *names = names.iter().take(1).cloned().collect();
    }
    records
}

/// The longest zone that a domain is in; the domain itself when none is named.
fn zone(config: &Config, domain: &str) -> SmolStr {
    let is_in = |zone: &&String| domain == zone.as_str() || domain.strip_suffix(zone.as_str()).is_some_and(|rest| rest.ends_with('.'));
    SmolStr::new(config.zones.iter().filter(is_in).max_by_key(|zone| zone.len()).map_or(domain, String::as_str))
}

/// The name that leads from an address to its name.
fn pointer(config: &Config, reverse: &Reverse, address: IpAddr) -> Key {
    let (labels, of_zone, above): (Vec<String>, usize, &str) = match address {
        IpAddr::V4(address) => {
            let labels = address.octets().iter().rev().map(u8::to_string).collect();
            (labels, usize::from(reverse.ipv4_bits / 8), "in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let labels =
                address.octets().iter().rev().flat_map(|octet| [octet & 15, octet >> 4]).map(|digit| format!("{digit:x}")).collect();
            (labels, usize::from(reverse.ipv6_bits / 4), "ip6.arpa.")
        }
    };
    let name = format!("{}.{above}", labels.join("."));
    let below = labels.len().saturating_sub(of_zone);
    let default = [&labels[below..], &[above.to_owned()]].concat().join(".");
    let found = zone(config, &name);
    Key { zone: if found == name { default.into() } else { found }, name: name.into(), kind: Kind::Ptr }
}

/// True when a change may touch what is published.
pub fn concerns(change: &Change) -> bool {
    let of_port = |port: &Port| {
        let named = (port.dns_name.clone(), port.dns_domain.clone(), port.dns_keywords.clone());
        (!port.dns_name.is_empty()).then(|| (named, port.fixed_ips.clone(), port.project_id.clone()))
    };
    change.entries().iter().any(|entry| {
        differs(entry, of_port)
            || differs(entry, |network: &Network| Some((network.dns_domain.clone(), network.external, network.segments.clone())))
            || differs(entry, |subnet: &Subnet| Some(subnet.dns_publish_fixed_ip))
            || differs(entry, |ip: &FloatingIp| Some((ip.dns_name.clone(), ip.dns_domain.clone(), ip.port_id)))
            || differs(entry, |range: &SegmentRange| Some((range.minimum, range.maximum)))
    })
}

fn differs<R: Record, T: PartialEq>(entry: &Entry, of: impl Fn(&R) -> Option<T>) -> bool {
    entry.before::<R>().and_then(&of) != entry.after::<R>().and_then(&of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Service, rfc2136};

    fn config(zones: &[&str]) -> Config {
        let service = Service::Rfc2136(rfc2136::Config { server: "127.0.0.1:53".into(), key: None, ttl: 60 });
        Config { zones: zones.iter().map(|zone| (*zone).to_owned()).collect(), ..Config::new(service) }
    }

    #[test]
    fn zones() {
        let zones = config(&["org.", "example.org.", "2.0.192.in-addr.arpa."]);
        for (domain, wanted) in
            [("a.example.org.", "example.org."), ("example.org.", "example.org."), ("myexample.org.", "org."), ("x.com.", "x.com.")]
        {
            assert_eq!(zone(&zones, domain), wanted);
        }
    }

    #[test]
    fn names_of_addresses() {
        let key = |zones: &[&str], reverse: Reverse, address: &str| {
            let key = pointer(&config(zones), &reverse, address.parse().expect("an address"));
            (key.zone.to_string(), key.name.to_string())
        };
        let text = |zone: &str, name: &str| (zone.to_owned(), name.to_owned());
        let default = Reverse::default();
        assert_eq!(key(&[], default, "192.0.2.9"), text("2.0.192.in-addr.arpa.", "9.2.0.192.in-addr.arpa."));
        let wide = Reverse { ipv4_bits: 16, ipv6_bits: 48 };
        assert_eq!(key(&[], wide, "192.0.2.9").0, "0.192.in-addr.arpa.");
        assert_eq!(key(&["192.in-addr.arpa."], default, "192.0.2.9").0, "192.in-addr.arpa.");
        let digits = "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
        assert_eq!(key(&[], wide, "2001:db8::9"), text("0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", digits));
    }
}
