//! Networks that several hosts serve: two DHCP servers for one, and one whose segments are on different hosts.

use super::cloud::{Host, Instance, TestCloud};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{eventually, output};

/// A lease of that moment; nothing of the instance changes.
fn is_served(host: &Host, instance: &Instance) -> Result<bool> {
    let words = ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "3", "-T", "1", "-s", "/bin/true"];
    Ok(host.exec(instance, &words)?.status.success())
}

fn asks(host: &Host, instance: &Instance, address: &str) -> Result<bool> {
    let script = format!("exec 3<>/dev/tcp/{address}/8080 && cat <&3");
    Ok(host.exec(instance, &["timeout", "2", "bash", "-c", &script])?.stdout == b"here\n")
}

fn serve(host: &Host, instance: &Instance) -> Result<()> {
    host.exec_ok(instance, &["sh", "-c", "busybox nc -ll -p 8080 -e echo here >/dev/null 2>&1 &"]).map(drop)
}

testkit::isolated_tests! {
    fn two_servers_for_one_network() {
        let mut cloud = TestCloud::configured(&["one", "two"], "[scheduler]\ndhcp_agents_per_network = 2\n")?;
        let network = cloud.network("net", "10.0.0.0/24")?;
        let a = cloud.hosts[0].instance("a", &network, &[])?;
        eventually("both hosts to serve", || {
            Ok(cloud.hosts.iter().all(|host| host.sh("ip netns list | grep qdhcp-").is_ok()))
        })?;
        let ports = cloud.api()?.list("ports", &[("network_id", &network), ("device_owner", "network:dhcp")])?;
        let addresses: Vec<&str> = ports.iter().filter_map(|port| port["fixed_ips"][0]["ip_address"].as_str()).collect();
        ensure!(addresses.len() == 2 && addresses[0] != addresses[1], "an address each: {addresses:?}");
        for address in addresses {
            cloud.hosts[0].reaches(&a, address)?;
        }
        // Both know the clients, so either will do.
        for lost in [1, 0] {
            let pid = cloud.hosts[lost].sh("ip netns pids $(ip netns list | grep -o 'qdhcp-[^ ]*')")?;
            cloud.hosts[lost].kill_agent()?;
            cloud.hosts[lost].sh(&format!("kill -9 {}", pid.trim()))?;
            ensure!(is_served(&cloud.hosts[0], &a)?, "by the other, without {}", cloud.hosts[lost].name());
            cloud.hosts[lost].start_agent()?;
            eventually("it serves again", || Ok(!cloud.hosts[lost].sh("ip netns pids $(ip netns list | grep -o 'qdhcp-[^ ]*')")?.is_empty()))?;
        }
        let b = cloud.hosts[1].instance("b", &network, &[])?;
        cloud.hosts[0].reaches(&a, &b.address)
    }

    fn a_network_of_two_segments() {
        let own = |name: &str| format!("[agent]\nphysical_networks = {{ rack-{name} = \"rack0\" }}\n");
        let cloud = TestCloud::configured_each(&["one", "two"], "", own)?;
        // A router that is none of ours joins the racks.
        for (number, host) in (1..).zip(&cloud.hosts) {
            let rack = format!("rack-{}", host.name());
            host.link(&rack, "rack0")?;
            output(&["ip", "addr", "add", &format!("10.{number}.0.1/24"), "dev", &rack])?;
        }
        output(&["sysctl", "-qw", "net.ipv4.ip_forward=1"])?;
        let api = cloud.api()?;
        let id = |value: &Value| value["id"].as_str().map(str::to_owned).context("an id");
        let flat = json!({"name": "net", "provider:network_type": "flat", "provider:physical_network": "rack-one"});
        let network = id(&api.create("networks", &flat)?)?;
        let first = id(api.list("segments", &[("network_id", &network)])?.first().context("a network has a segment")?)?;
        let second = json!({"network_id": network, "network_type": "flat", "physical_network": "rack-two"});
        let second = id(&api.create("segments", &second)?)?;
        for (number, segment) in [(1, &first), (2, &second)] {
            let subnet = json!({"network_id": network, "segment_id": segment, "ip_version": 4, "cidr": format!("10.{number}.0.0/24")});
            api.create("subnets", &subnet)?;
        }
        let [one, two] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let (a, b) = (one.instance("a", &network, &[])?, two.instance("b", &network, &[])?);
        ensure!(a.address.starts_with("10.1.0.") && b.address.starts_with("10.2.0."), "{} and {}", a.address, b.address);
        for (host, instance, own) in [(one, &a, "10.1.0."), (two, &b, "10.2.0.")] {
            let said = host.sh("ip netns exec $(ip netns list | grep -o 'qdhcp-[^ ]*') ip -4 -o addr")?;
            ensure!(said.contains(own) && !said.contains(if own == "10.1.0." { "10.2.0." } else { "10.1.0." }), "a server for its segment: {said}");
            ensure!(is_served(host, instance)?);
        }
        one.reaches(&a, &b.address)?;
        two.reaches(&b, &a.address)?;
        serve(two, &b)?;
        eventually("TCP from one segment to the other", || asks(one, &a, &b.address))?;
        // They are apart on the link: the way is the router's, and without it there is none.
        output(&["sysctl", "-qw", "net.ipv4.ip_forward=0"])?;
        ensure!(!one.pings(&a, &b.address, &[])? && one.pings(&a, "10.1.0.1", &[])?, "not by another way");
        Ok(())
    }
}
