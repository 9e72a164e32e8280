//! IPv6 as instances get it from a router and a DHCP server together, in each mode, and packets between networks of both families.

use super::lab;
use anyhow::{Result, ensure};
use serde_json::json;
use testkit::{Instance, Lab, eventually};

/// A network with both families, IPv6 in this mode; answers with its id.
fn network(lab: &Lab, number: u8, mode: &str) -> Result<String> {
    let network = lab.network("p", &format!("net{number}"), &format!("10.0.{number}.0/24"))?;
    let subnet = json!({
        "project_id": "p", "ip_version": 6, "cidr": format!("fd00:{number}::/64"), "ipv6_ra_mode": mode, "ipv6_address_mode": mode,
        "dns_nameservers": ["fd00:53::1"],
    });
    lab.subnet(&network, subnet)?;
    Ok(network)
}

/// The IPv4 and the IPv6 address of its port.
fn addresses(lab: &Lab, instance: &Instance<'_>) -> Result<[String; 2]> {
    let port = lab.cloud()?.get("ports", &instance.port_id)?;
    let all = port["fixed_ips"].as_array().into_iter().flatten().filter_map(|fixed_ip| fixed_ip["ip_address"].as_str().map(str::to_owned));
    let (v6, v4): (Vec<String>, Vec<String>) = all.partition(|address| address.contains(':'));
    let [[v4], [v6]] = [&v4[..], &v6[..]] else { anyhow::bail!("an address of each family: {port}") };
    Ok([v4.clone(), v6.clone()])
}

testkit::isolated_tests! {
    fn addresses_in_each_mode_and_packets_between_networks() {
        let lab = lab()?;
        let modes = ["slaac", "dhcpv6-stateless", "dhcpv6-stateful"];
        let networks = (1..).zip(modes).map(|(number, mode)| network(&lab, number, mode)).collect::<Result<Vec<_>>>()?;
        lab.router("p", "r", &networks.iter().map(String::as_str).collect::<Vec<_>>())?;
        let made = modes.iter().zip(&networks).map(|(mode, network)| lab.instance(mode, network, &[])).collect::<Result<Vec<_>>>()?;
        let mut reached = Vec::new();
        for instance in &made {
            let [v4, v6] = addresses(&lab, instance)?;
            eventually(&format!("{v6} in {}", instance.name), || {
                Ok(instance.exec_ok(&["ip", "-6", "-o", "address", "show", "dev", "eth0", "-tentative"])?.contains(&format!(" {v6}/")))
            })?;
            eventually(&format!("a default router of {}", instance.name), || {
                Ok(instance.exec_ok(&["ip", "-6", "route", "show", "default"])?.contains("proto ra"))
            })?;
            let all = instance.exec_ok(&["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "global"])?;
            ensure!(all.lines().count() == 1, "the port's own address and no other: {all}");
            reached.extend([v4, v6]);
        }
        for instance in &made {
            reached.iter().try_for_each(|address| instance.reaches(address))?;
        }
        // dnsmasq never says that it is a router: without the router nobody does.
        ensure!(made[1].exec_ok(&["ip", "-6", "route", "show", "default"])?.lines().count() == 1, "one default router");
        Ok(())
    }
}
