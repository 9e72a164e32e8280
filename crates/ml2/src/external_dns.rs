//! What an external DNS service publishes of ports, and whether it does: names with a domain, on networks that lead somewhere.

use crate::{Config, dns};
use api::Op;
use model::{DnsKeywords, Network, NetworkType, Port, SegmentRange, Subnet};
use smol_str::{SmolStr, format_smolstr};
use std::net::IpAddr;
use world::World;

/// A name and its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// Relative to the domain.
    pub name: SmolStr,
    /// With its final dot.
    pub domain: SmolStr,
    /// What it leads to.
    pub addresses: Vec<IpAddr>,
}

/// What is published of a port; none when it has no name or domain, or is where nobody outside could reach it.
pub fn of_port(world: &World, config: &Config, port: &Port) -> Option<Published> {
    let name = dns::host_name(config, port)?;
    let network = world.get::<Network>(&port.network_id)?;
    let domain = domain(port, if port.dns_domain.is_empty() { &network.dns_domain } else { &port.dns_domain })?;
    if !is_published(world, config, network) {
        return None;
    }
    let is_chosen = |ip: &&model::FixedIp| world.get::<Subnet>(&ip.subnet_id).is_some_and(|subnet| subnet.dns_publish_fixed_ip);
    let mut addresses: Vec<IpAddr> = port.fixed_ips.iter().filter(is_chosen).map(|ip| ip.ip_address).collect();
    if addresses.is_empty() {
        addresses = port.fixed_ips.iter().map(|ip| ip.ip_address).collect();
    }
    Some(Published { name, domain, addresses })
}

/// The name under which a floating IP of a port is published when it has none of its own: the port's, in the domain of the port's network.
pub fn name_of(world: &World, config: &Config, port: &Port) -> Option<(SmolStr, SmolStr)> {
    let network = world.get::<Network>(&port.network_id)?;
    Some((dns::host_name(config, port)?, domain(port, &network.dns_domain)?))
}

/// Networks that projects make for themselves are not reached from outside; those of the provider, and subnets that say so, are.
fn is_published(world: &World, config: &Config, network: &Network) -> bool {
    if !config.external_dns {
        return false;
    }
    if world.table::<Subnet>().by(Subnet::BY_NETWORK, network.id).any(|subnet| subnet.dns_publish_fixed_ip) {
        return true;
    }
    let [segment] = network.segments.as_slice() else { return !network.external && !network.segments.is_empty() };
    match segment.network_type {
        _ if network.external => false,
        NetworkType::Local => false,
        NetworkType::Flat => true,
        kind => {
            let id = segment.segmentation_id.unwrap_or_default();
            let mut ranges = world.table::<SegmentRange>().by(SegmentRange::BY_TYPE, kind.as_str());
            let is_configured = kind == NetworkType::Vxlan && config.vni_ranges.iter().any(|(first, last)| (*first..=*last).contains(&id));
            let is_of_range =
                |range: &SegmentRange| range.physical_network == segment.physical_network && (range.minimum..=range.maximum).contains(&id);
            !is_configured && !ranges.any(|range| is_of_range(range))
        }
    }
}

/// What the keywords of a port's domain stand for, as far as the request tells; none when it has no keywords.
pub(crate) fn keywords(op: &Op<'_>, port: &Port) -> Option<DnsKeywords> {
    let network = op.tx.get::<Network>(&port.network_id)?;
    let has = |domain: &SmolStr| domain.contains('<');
    let caller = op.caller;
    (!port.dns_name.is_empty() && (has(&port.dns_domain) || has(&network.dns_domain))).then(|| DnsKeywords {
        project_name: caller.project_name.clone(),
        user_id: caller.user_id.clone(),
        user_name: caller.user_name.clone(),
    })
}

/// A domain with its keywords replaced; none when there is none, or what stands for a keyword is not known or no label.
fn domain(port: &Port, domain: &SmolStr) -> Option<SmolStr> {
    if domain.is_empty() || !domain.contains('<') {
        return (!domain.is_empty()).then(|| domain.clone());
    }
    let mut domain = domain.replace("<project_id>", port.project_id.as_str());
    if let Some(keywords) = &port.dns_keywords {
        domain = domain.replace("<project_name>", &keywords.project_name);
        domain = domain.replace("<user_id>", &keywords.user_id).replace("<user_name>", &keywords.user_name);
    }
    let whole = format_smolstr!("{}", domain.to_lowercase());
    (!whole.contains('<') && dns::DOMAIN.check(whole.as_str().into()).is_ok()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lab;
    use net::{NetworkId, PortId};
    use serde_json::{Value, json};

    fn lab() -> Lab {
        Lab::with(Config { external_dns: true, dns_domain: "cloud.example.".into(), vni_ranges: vec![(1, 100)], ..Config::default() })
    }

    fn network(lab: &mut Lab, attributes: Value) -> NetworkId {
        let network = lab.create(crate::network::resource(), attributes).expect("free");
        lab.subnet(network, json!({"cidr": "192.0.2.0/24"})).expect("free");
        network
    }

    fn published(lab: &Lab, port: PortId) -> Option<(String, usize)> {
        let config = Config { external_dns: true, dns_domain: "cloud.example.".into(), vni_ranges: vec![(1, 100)], ..Config::default() };
        let published = of_port(&lab.world, &config, &lab.get::<Port>(port))?;
        Some((format!("{}.{}", published.name, published.domain), published.addresses.len()))
    }

    #[test]
    fn where_others_reach_it() {
        let mut lab = lab();
        let flat = json!({"provider:network_type": "flat", "provider:physical_network": "p"});
        let provider = json!({"provider:network_type": "vxlan", "provider:segmentation_id": 5000});
        for (attributes, is_published) in [
            (flat, true),
            (provider, true),
            (json!({"provider:network_type": "vxlan", "provider:segmentation_id": 50}), false),
            (json!({"provider:network_type": "local"}), false),
            (json!({}), false),
            (json!({"provider:network_type": "flat", "provider:physical_network": "q", "router:external": true}), false),
        ] {
            let mut attributes = attributes;
            attributes["dns_domain"] = json!("example.org.");
            let about = attributes.to_string();
            let network = network(&mut lab, attributes);
            let port = lab.port(network, json!({"dns_name": "web"})).expect("free");
            assert_eq!(published(&lab, port), is_published.then(|| ("web.example.org.".to_owned(), 1)), "{about}");
            let nameless = lab.port(network, json!({})).expect("free");
            assert_eq!(published(&lab, nameless), None);
        }
    }

    #[test]
    fn domains_of_ports_subnets_that_say_so_and_keywords() {
        let mut lab = lab();
        let network = network(&mut lab, json!({"dns_domain": "<project_id>.<user_name>.example.org."}));
        let port = lab.port(network, json!({"dns_name": "web.cloud.example.", "project_id": "p1"})).expect("free");
        assert_eq!(published(&lab, port), None, "a project's own network");
        lab.subnet(network, json!({"cidr": "198.51.100.0/24", "dns_publish_fixed_ip": true})).expect("free");
        let name = published(&lab, port).expect("a subnet is reached from outside").0;
        assert_eq!(name, "web.p1.admin.example.org.");
        let both = json!({"dns_name": "db", "dns_domain": "example.com.", "fixed_ips": [{"ip_address": "192.0.2.9"}, {"ip_address": "198.51.100.9"}]});
        let both = lab.port(network, both).expect("free");
        assert_eq!(published(&lab, both), Some(("db.example.com.".to_owned(), 1)), "the address of that subnet alone");
    }
}
