//! Subnets of unusual shape: two addresses, one address, and a gateway that is outside its prefix.

use super::{lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Lab, eventually};

/// A network with a subnet of this prefix, without DHCP and gateway; the ids of both.
fn plain(lab: &Lab, name: &str, cidr: &str) -> Result<[String; 2]> {
    let network = lab.cloud()?.create("networks", &json!({"name": name, "project_id": "p"}))?;
    let network = network["id"].as_str().context("a network has an id")?.to_owned();
    let subnet = json!({"project_id": "p", "ip_version": 4, "cidr": cidr, "enable_dhcp": false, "gateway_ip": null});
    let subnet = lab.subnet(&network, subnet)?;
    Ok([network, subnet])
}

testkit::isolated_tests! {
    fn subnets_of_two_addresses_and_of_one() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let [pair, _] = plain(&lab, "pair", "10.0.5.0/31")?;
        let wide = lab.network("p", "wide", "10.0.6.0/24")?;
        let router = lab.router("p", "r", &[&wide])?;
        // A gateway may be at neither end of an IPv4 prefix, so the router's port is named.
        let port = json!({"project_id": "p", "network_id": pair, "fixed_ips": [{"ip_address": "10.0.5.0"}]});
        let port = cloud.create("ports", &port)?["id"].clone();
        cloud.request("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({"port_id": port})))?;
        let two = lab.instance("two", &pair, &["--no-dhcp"])?;
        ensure!(two.address == "10.0.5.1", "the other of two addresses: {}", two.address);
        two.exec_ok(&["ip", "route", "add", "default", "via", "10.0.5.0"])?;
        let far = lab.instance("far", &wide, &[])?;
        two.reaches("10.0.5.0")?;
        two.reaches(&far.address)?;
        far.serve(8080)?;
        eventually("TCP out of a /31", || Ok(two.asks(&far.address, 8080)?.as_deref() == Some("far")))?;
        let full = cloud.create("ports", &json!({"network_id": pair}));
        ensure!(full.is_err_and(|error| error.to_string().contains("No more IP addresses")), "both are taken");
        // A subnet of one address has it for one port; the router's own is of another subnet of the network.
        let [single, of_one] = plain(&lab, "single", "10.0.7.7/32")?;
        let beside = lab.subnet(&single, json!({"project_id": "p", "ip_version": 4, "cidr": "10.0.8.0/24", "enable_dhcp": false}))?;
        cloud.request("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({"subnet_id": beside})))?;
        let one = lab.instance("one", &single, &["--fixed-ip", "10.0.7.7", "--no-dhcp"])?;
        ensure!(one.address == "10.0.7.7", "{}", one.address);
        one.exec_ok(&["ip", "route", "add", "default", "via", "10.0.8.1", "dev", "eth0", "onlink"])?;
        let change = json!({"routes": [{"destination": "10.0.7.7/32", "nexthop": "10.0.8.9"}]});
        let neighbour = lab.instance("neighbour", &single, &["--fixed-ip", "10.0.8.9", "--no-dhcp"])?;
        neighbour.exec_ok(&["sh", "-c", "sysctl -qw net.ipv4.ip_forward=1 && ip route add 10.0.7.7 dev eth0"])?;
        update_port(&lab, &neighbour, &json!({"security_groups": [], "port_security_enabled": false}))?;
        far.loses(&one.address)?;
        cloud.update("routers", &router, &change)?;
        far.reaches(&one.address)?;
        eventually("TCP out of a /32", || Ok(one.asks(&far.address, 8080)?.as_deref() == Some("far")))?;
        ensure!(cloud.create("ports", &json!({"network_id": single, "fixed_ips": [{"subnet_id": of_one}]})).is_err(), "it is taken");
        // DHCP could not work in either.
        for cidr in ["10.0.9.0/31", "10.0.9.9/32"] {
            let subnet = json!({"project_id": "p", "network_id": single, "ip_version": 4, "cidr": cidr, "enable_dhcp": true});
            ensure!(cloud.create("subnets", &subnet).is_err_and(|error| error.to_string().contains("DHCP")), "{cidr} with DHCP");
        }
        Ok(())
    }

    fn a_gateway_outside_its_subnet() {
        let lab = lab()?;
        let network = lab.cloud()?.create("networks", &json!({"name": "net", "project_id": "p"}))?;
        let network = network["id"].as_str().context("a network has an id")?.to_owned();
        lab.subnet(&network, json!({"project_id": "p", "ip_version": 4, "cidr": "10.0.0.0/24", "gateway_ip": "192.0.2.1"}))?;
        // The gateway is a machine on the link, with more behind it.
        let gateway = lab.instance("gateway", &network, &[])?;
        update_port(&lab, &gateway, &json!({"security_groups": [], "port_security_enabled": false}))?;
        gateway.exec_ok(&["sh", "-c", "ip addr add 192.0.2.1/32 dev eth0 && ip addr add 198.51.100.1/32 dev lo"])?;
        let one = lab.instance("one", &network, &[])?;
        let routes = one.exec_ok(&["ip", "route"])?;
        ensure!(routes.contains("default via 192.0.2.1"), "told by DHCP: {routes}");
        one.reaches("198.51.100.1")?;
        gateway.serve(8080)?;
        eventually("TCP by way of it", || Ok(one.asks("198.51.100.1", 8080)?.as_deref() == Some("gateway")))?;
        one.reaches(&gateway.address)
    }
}
