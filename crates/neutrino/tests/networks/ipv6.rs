//! IPv6: addresses by DHCPv6 and by EUI-64, what the filter lets through, both families at once.
//!
//! Routers advertise prefixes; where there is none, a test gives instances the prefix by hand.

use super::{closed_group, lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Instance, Lab, eventually};

const PREFIX: &str = "2001:db8:6::/64";

/// A network with an IPv6 subnet in this mode; answers with its id.
fn network(lab: &Lab, mode: &str) -> Result<String> {
    let cloud = lab.cloud()?;
    let network = cloud.create("networks", &json!({"name": "net", "project_id": "p"}))?;
    let subnet = json!({
        "network_id": network["id"], "project_id": "p", "ip_version": 6, "cidr": PREFIX, "ipv6_ra_mode": mode, "ipv6_address_mode": mode,
        "dns_nameservers": ["2001:db8::53", "2001:db8::54"],
    });
    cloud.create("subnets", &subnet)?;
    Ok(network["id"].as_str().context("a network has an id")?.to_owned())
}

/// An instance with the address of its port and the prefix, as an advertisement would have it.
fn numbered<'a>(lab: &'a Lab, name: &str, network: &str, options: &[&str]) -> Result<Instance<'a>> {
    let instance = lab.instance(name, network, options)?;
    instance.exec_ok(&["ip", "-6", "addr", "add", &format!("{}/64", instance.address), "dev", "eth0", "nodad"])?;
    Ok(instance)
}

/// What RFC 4291 makes of a prefix of 64 bits and a MAC.
fn eui64(mac: &str) -> Result<String> {
    let bytes: Vec<u8> = mac.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<_, _>>()?;
    let [a, b, c, d, e, f] = bytes[..] else { anyhow::bail!("{mac} is no MAC") };
    let address: std::net::Ipv6Addr =
        format!("2001:db8:6::{:x}:{:x}ff:fe{d:02x}:{e:02x}{f:02x}", u16::from_be_bytes([a ^ 2, b]), c).parse()?;
    Ok(address.to_string())
}

fn rule(lab: &Lab, group: &str, attributes: Value) -> Result<String> {
    super::ingress(lab, "p", group, attributes)
}

testkit::isolated_tests! {
    fn a_stateful_lease_by_dhcpv6() {
        let lab = lab()?;
        let network = network(&lab, "dhcpv6-stateful")?;
        let (one, two) = (lab.instance("one", &network, &[])?, lab.instance("two", &network, &[])?);
        for instance in [&one, &two] {
            let addresses = instance.exec_ok(&["ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global"])?;
            ensure!(addresses.contains(&format!(" {}/128 ", instance.address)), "{addresses}");
            let resolver = instance.exec_ok(&["cat", "/etc/resolv.conf"])?;
            ensure!(resolver.contains("nameserver 2001:db8::53\nnameserver 2001:db8::54"), "{resolver}");
            instance.exec_ok(&["ip", "-6", "route", "add", PREFIX, "dev", "eth0"])?;
        }
        one.reaches(&two.address)?;
        two.serve(8080)?;
        eventually("TCP over IPv6", || Ok(one.asks(&two.address, 8080)?.as_deref() == Some("two")))
    }

    fn stateless_dhcpv6_gives_options_only() {
        let lab = lab()?;
        let network = network(&lab, "dhcpv6-stateless")?;
        let one = numbered(&lab, "one", &network, &[])?;
        ensure!(one.address == eui64(&one.mac)?, "{} is not made from {}", one.address, one.mac);
        let script = "printf '#!/bin/sh\\n[ -z \"$new_dhcp6_name_servers\" ] || echo $reason dns=$new_dhcp6_name_servers address=$new_ip6_address\\n' \
                      > /run/netns/ask && chmod +x /run/netns/ask && \
                      timeout 10 dhclient -6 -S -1 -v -cf /dev/null -pf /run/netns/pid -lf /run/netns/leases -sf /run/netns/ask eth0; \
                      kill $(cat /run/netns/pid)";
        eventually("options by DHCPv6", || {
            let output = one.exec(&["sh", "-c", script])?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            ensure!(!text.contains("address=2001"), "an address: {text}");
            Ok(text.contains("dns=2001:db8::53 2001:db8::54 address="))
        })
    }

    fn the_address_of_the_mac_is_the_ports_own_and_no_other_is() {
        let lab = lab()?;
        let network = network(&lab, "slaac")?;
        let (one, two) = (numbered(&lab, "one", &network, &[])?, numbered(&lab, "two", &network, &[])?);
        ensure!(one.address == eui64(&one.mac)?, "{} is not made from {}", one.address, one.mac);
        one.reaches(&two.address)?;
        // A privacy address, say: Neutron's filter knows none.
        let forged = "2001:db8:6::bad";
        one.exec_ok(&["ip", "-6", "addr", "add", &format!("{forged}/64"), "dev", "eth0", "nodad"])?;
        one.loses_with(&two.address, &["-I", forged])?;
        two.loses(forged)?;
        let known = two.exec_ok(&["ip", "-6", "neigh", "show", forged])?;
        ensure!(!known.contains("lladdr"), "a neighbour advertisement for a forged address: {known}");
        update_port(&lab, &one, &json!({"allowed_address_pairs": [{"ip_address": forged}]}))?;
        one.reaches_with(&two.address, &["-I", forged])?;
        two.reaches(forged)?;
        one.reaches(&two.address)
    }

    fn rules_of_ipv6_are_apart_from_those_of_ipv4() {
        let lab = lab()?;
        let network = network(&lab, "slaac")?;
        let group = closed_group(&lab, "p", "web")?;
        let server = numbered(&lab, "server", &network, &["--security-group", "web"])?;
        let client = numbered(&lab, "client", &network, &[])?;
        server.serve(8080)?;
        let ports = json!({"protocol": "tcp", "port_range_min": 8080, "port_range_max": 8080});
        rule(&lab, &group, ports.clone())?;
        // One of the other family that can be seen to be in force: the client's own group lets it answer.
        client.loses(&server.address)?;
        ensure!(client.asks(&server.address, 8080)?.is_none(), "a rule of IPv4 opens IPv6");
        let neighbour = client.exec_ok(&["ip", "-6", "neigh", "show", &server.address])?;
        ensure!(neighbour.contains(&server.mac), "neighbour discovery needs no rule: {neighbour}");
        let of_ipv6 = |mut attributes: Value| {
            attributes["ethertype"] = json!("IPv6");
            rule(&lab, &group, attributes)
        };
        let tcp = of_ipv6(ports)?;
        eventually("TCP to open", || Ok(client.asks(&server.address, 8080)?.is_some()))?;
        client.loses(&server.address)?;
        of_ipv6(json!({"protocol": "ipv6-icmp", "remote_ip_prefix": PREFIX}))?;
        client.reaches(&server.address)?;
        lab.cloud()?.delete("security-group-rules", &tcp)?;
        eventually("TCP to close", || Ok(client.asks(&server.address, 8080)?.is_none()))?;
        client.reaches(&server.address)
    }

    fn both_families_at_once() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let mode = "dhcpv6-stateful";
        let subnet = json!({
            "network_id": network, "project_id": "p", "ip_version": 6, "cidr": PREFIX, "ipv6_ra_mode": mode, "ipv6_address_mode": mode,
        });
        lab.cloud()?.create("subnets", &subnet)?;
        let mut both = Vec::new();
        for name in ["one", "two"] {
            let instance = lab.instance(name, &network, &[])?;
            instance.exec_ok(&["ip", "-6", "route", "add", PREFIX, "dev", "eth0"])?;
            let port = lab.cloud()?.get("ports", &instance.port_id)?;
            let addresses: Vec<String> = port["fixed_ips"].as_array().into_iter().flatten()
                .filter_map(|fixed_ip| fixed_ip["ip_address"].as_str().map(str::to_owned)).collect();
            let set = instance.exec_ok(&["ip", "-o", "addr", "show", "dev", "eth0"])?;
            ensure!(addresses.len() == 2 && addresses.iter().all(|address| set.contains(&format!(" {address}/"))), "{addresses:?}: {set}");
            both.push((instance, addresses));
        }
        let [(one, _), (_, addresses)] = &both[..] else { unreachable!("two instances") };
        addresses.iter().try_for_each(|address| one.reaches(address))
    }
}
