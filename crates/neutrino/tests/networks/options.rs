//! What a DHCP client is told, changed while the server runs; and a server that is killed.

use super::{lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Instance, eventually, output};

/// The DHCP server of a network: its process id.
fn server(network: &str) -> Result<String> {
    let inside = output(&["ip", "netns", "pids", &format!("qdhcp-{network}")])?;
    let is_server = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "dnsmasq\n");
    inside.lines().find(is_server).map(str::to_owned).context("no DHCP server runs")
}

/// What a client that asks now is told, as the environment of its script; empty when nothing is answered.
fn ask(instance: &Instance<'_>) -> Result<String> {
    let asked = ["mtu", "staticroutes", "ntpsrv", "tftp", "bootfile", "search"].map(|option| format!("-O {option}")).join(" ");
    let script = format!(
        "printf '#!/bin/sh\\n[ \"$1\" = bound ] && set\\n' > /run/netns/ask; chmod +x /run/netns/ask; \
         busybox udhcpc -i eth0 -n -q -t 3 -T 1 {asked} -s /run/netns/ask"
    );
    Ok(String::from_utf8_lossy(&instance.exec(&["sh", "-c", &script])?.stdout).replace('\'', ""))
}

fn is_told(instance: &Instance<'_>, wanted: &[&str]) -> Result<()> {
    let mut said = String::new();
    let told = eventually(&format!("{wanted:?} in a lease"), || {
        said = ask(instance)?;
        Ok(wanted.iter().all(|line| said.lines().any(|told| told == *line)))
    });
    told.with_context(|| said)
}

testkit::isolated_tests! {
    fn changes_reach_clients_of_the_same_server() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let (one, other) = (lab.instance("one", &network, &[])?, lab.instance("other", &network, &[])?);
        let first = server(&network)?;
        let same = |first: &str, after: &str| {
            let now = server(&network)?;
            ensure!(now == first, "the server was started anew after {after}: {}", lab.tail());
            Ok::<_, anyhow::Error>(())
        };
        let cloud = lab.cloud()?;
        is_told(&one, &["mtu=1450", "router=10.0.0.1"])?;
        let subnet = cloud.list("subnets", &[("network_id", &network)])?.remove(0);
        let change = json!({
            "dns_nameservers": ["192.0.2.53", "192.0.2.54"],
            "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "10.0.0.77"}],
        });
        cloud.update("subnets", subnet["id"].as_str().unwrap_or_default(), &change)?;
        // Without a router the server itself is the way to the metadata.
        let ports = cloud.list("ports", &[("network_id", &network), ("device_owner", "network:dhcp")])?;
        let dhcp = ports[0]["fixed_ips"][0]["ip_address"].as_str().unwrap_or_default().to_owned();
        let routes = format!("staticroutes=198.51.100.0/24 10.0.0.77 169.254.169.254/32 {dhcp} 0.0.0.0/0 10.0.0.1");
        is_told(&one, &["dns=192.0.2.53 192.0.2.54", &routes])?;
        same(&first, "a change of the subnet")?;
        let options = json!({"extra_dhcp_opts": [
            {"opt_name": "ntp-server", "opt_value": "192.0.2.123"},
            {"opt_name": "tftp-server", "opt_value": "boot.example.org"},
            {"opt_name": "67", "opt_value": "pxelinux.0"},
        ]});
        update_port(&lab, &one, &options)?;
        is_told(&one, &["ntpsrv=192.0.2.123", "tftp=boot.example.org", "bootfile=pxelinux.0", "dns=192.0.2.53 192.0.2.54"])?;
        // The first option of a client takes a new server, all that follow do not.
        let second = server(&network)?;
        let others = ask(&other)?;
        ensure!(others.contains("dns=192.0.2.53") && !others.contains("ntpsrv") && !others.contains("tftp"), "{others}");
        // Null takes an option back.
        let options = json!({"extra_dhcp_opts": [
            {"opt_name": "ntp-server", "opt_value": null},
            {"opt_name": "tftp-server", "opt_value": "boot2.example.org"},
        ]});
        update_port(&lab, &one, &options)?;
        is_told(&one, &["tftp=boot2.example.org", "bootfile=pxelinux.0"])?;
        ensure!(!ask(&one)?.contains("ntpsrv"), "an option that was taken back");
        same(&second, "a change of a port's options")?;
        cloud.update("networks", &network, &json!({"mtu": 1300}))?;
        is_told(&one, &["mtu=1300"])?;
        same(&second, "a change of the network's MTU")?;
        // An address that changes, and a client that is new.
        let subnet_id = subnet["id"].clone();
        update_port(&lab, &other, &json!({"fixed_ips": [{"subnet_id": subnet_id, "ip_address": "10.0.0.200"}]}))?;
        is_told(&other, &["ip=10.0.0.200"])?;
        same(&second, "a change of an address")?;
        lab.instance("third", &network, &["--fixed-ip", "10.0.0.42"])?;
        same(&second, "a new client")
    }

    fn a_killed_server_comes_back() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &[])?;
        for _ in 0..2 {
            let first = server(&network)?;
            output(&["kill", "-9", &first])?;
            eventually("another DHCP server", || Ok(server(&network).is_ok_and(|second| second != first)))?;
            is_told(&one, &[&format!("ip={}", one.address)])?;
        }
        let two = lab.instance("two", &network, &[])?;
        one.reaches(&two.address)
    }

    fn nobody_else_gets_a_lease() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &[])?;
        ensure!(ask(&one)?.contains(&one.address), "its own");
        // A client on the network that the state does not know: it hangs on the bridge behind the agent's back.
        let bridge = format!("brq{}", &network[..11]);
        for script in [
            "ip netns add stranger && ip link add strange type veth peer name eth0 netns stranger && ip -n stranger link set eth0 up".to_owned(),
            format!("ip link set strange master {bridge} && ip link set strange up"),
        ] {
            output(&["sh", "-c", &script])?;
        }
        let words = ["ip", "netns", "exec", "stranger", "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "3", "-T", "1", "-s", "/bin/true"];
        ensure!(!testkit::run(&words)?.status.success(), "a lease for a stranger");
        ensure!(ask(&one)?.contains(&one.address), "the server is well");
        Ok(())
    }
}
