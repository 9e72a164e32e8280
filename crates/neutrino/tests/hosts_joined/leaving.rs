//! A host leaves: nothing of ours stays on it, and the others go on.

use super::two_hosts;
use anyhow::ensure;
use testkit::eventually;

const OBJECTS: &str = "ip -br link | awk '{print $1}'; ip netns list; nft list ruleset; bridge fdb show | grep dst";

testkit::isolated_tests! {
    fn down_clears_one_host_only() {
        let (mut cloud, network) = two_hosts()?;
        let a = cloud.hosts[0].instance("a", &network, &[])?;
        let b = cloud.hosts[1].instance("b", &network, &[])?;
        let c = cloud.hosts[1].instance("c", &network, &[])?;
        cloud.hosts[0].reaches(&a, &b.address)?;
        cloud.hosts[0].sh("ip link add foreign0 type bridge && ip netns add foreign && nft add table inet foreign")?;
        // Ends the agent that runs, too.
        cloud.hosts[0].down()?;
        let left = cloud.hosts[0].sh(&format!("{OBJECTS}; true"))?;
        let mut lines: Vec<&str> = left.split_whitespace().collect();
        lines.sort_unstable();
        ensure!(lines.iter().all(|word| ["lo", "foreign0", "foreign", "table", "inet", "{", "}"].contains(word) || word.starts_with("eth0@")), "left: {left}");
        ensure!(["foreign0", "foreign", "inet"].iter().all(|word| lines.contains(word)), "others' objects are gone: {left}");
        // What the other host serves itself goes on.
        cloud.hosts[1].reaches(&b, &c.address)?;
        // The host comes back with what the state says; its instances are another's to start.
        cloud.hosts[0].start_agent()?;
        let api = cloud.api()?;
        eventually("the port without a device to be down", || Ok(api.get("ports", &a.port_id)?["status"] == "DOWN"))?;
        let d = cloud.hosts[0].instance("d", &network, &[])?;
        cloud.hosts[0].reaches(&d, &b.address)
    }
}
