//! A host gets and says only what concerns it.

use super::two_hosts;
use anyhow::ensure;
use testkit::eventually;

testkit::isolated_tests! {
    fn a_port_of_another_host_gets_nothing_here() {
        let (cloud, network) = two_hosts()?;
        let [one, two] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let (a, b) = (one.instance("a", &network, &[])?, two.instance("b", &network, &[])?);
        one.reaches(&a, &b.address)?;
        let api = cloud.api()?;
        // The port's device is pulled at its host and appears on another.
        one.sh(&format!("ip link del {}", a.device()))?;
        eventually("the port to be down", || Ok(api.get("ports", &a.port_id)?["status"] == "DOWN"))?;
        two.sh(&format!(
            "ip netns add forged && ip link add {0} type veth peer name eth0 netns forged && ip link set {0} up && \
             ip -n forged link set eth0 address {1} && ip -n forged addr add {2}/24 dev eth0 && ip -n forged link set eth0 up",
            a.device(), a.mac, a.address
        ))?;
        // An instance made afterwards is ready, so the agent has seen the device, too.
        let c = two.instance("c", &network, &[])?;
        ensure!(api.get("ports", &c.port_id)?["status"] == "ACTIVE", "c is made");
        ensure!(api.get("ports", &a.port_id)?["status"] == "DOWN", "another host reported the port");
        let link = two.sh(&format!("ip -o link show dev {}", a.device()))?;
        ensure!(!link.contains("master"), "it was taken into a bridge: {link}");
        let pinged = two.sh(&format!("ip netns exec forged ping -n -c 1 -W 1 {}", b.address));
        ensure!(pinged.is_err(), "the forged port reaches the network");
        Ok(())
    }

    fn a_host_is_told_of_its_own_networks_only() {
        let (cloud, network) = two_hosts()?;
        let [one, two] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let other = cloud.network("other", "10.0.0.0/24")?;
        let (a, b) = (one.instance("a", &network, &["--no-dhcp"])?, two.instance("b", &other, &["--no-dhcp"])?);
        let dhcp = cloud.api()?.list("ports", &[("device_owner", "network:dhcp")])?;
        for (host, own, strange) in [(one, &a, &b), (two, &b, &a)] {
            let known = host.sh("bridge fdb show; nft list ruleset; ip -d link")?;
            ensure!(known.contains(&own.port_id), "{known}");
            // Where DHCP is served for the other network, its bridge is too, and the port is a neighbour.
            let network = if own.port_id == a.port_id { &other } else { &network };
            let serves = dhcp.iter().any(|port| port["network_id"] == **network && port["binding:host_id"] == host.name());
            ensure!(serves || !known.contains(&strange.mac), "a port of a network that is not here is known:\n{known}");
        }
        Ok(())
    }
}
