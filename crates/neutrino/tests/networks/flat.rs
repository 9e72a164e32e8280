//! Flat networks: instances on a physical network, beside hosts that are none of ours.

use super::{closed_group, ingress, lab};
use anyhow::{Context, ensure};
use serde_json::json;
use testkit::{Snapshot, eventually, output};

const NEIGHBOUR: &str = "203.0.113.1";

testkit::isolated_tests! {
    fn instances_reach_the_physical_network_and_are_reached() {
        for script in [
            "ip link add phys0 type veth peer name phys1 && ip netns add neighbour && ip link set phys1 netns neighbour",
            "ip link set phys0 addrgenmode none && ip link set phys0 up && ip -n neighbour link set lo up && ip -n neighbour link set phys1 up",
            "ip -n neighbour addr add 203.0.113.1/24 dev phys1",
        ] {
            output(&["sh", "-c", script])?;
        }
        let before = Snapshot::take()?;
        let mut lab = lab()?;
        lab.stop()?;
        std::fs::write(lab.state().join("neutrino.toml"), "[agent]\nphysical_networks = { physnet1 = \"phys0\" }\n")?;
        lab.restart()?;
        let cloud = lab.cloud()?;
        let flat = json!({
            "name": "net", "project_id": "p", "provider:network_type": "flat", "provider:physical_network": "physnet1",
        });
        let network = cloud.create("networks", &flat)?;
        let network = network["id"].as_str().context("a network has an id")?;
        let subnet = json!({
            "network_id": network, "project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24", "gateway_ip": NEIGHBOUR,
            "allocation_pools": [{"start": "203.0.113.100", "end": "203.0.113.120"}],
        });
        cloud.create("subnets", &subnet)?;
        let group = closed_group(&lab, "p", "web")?;
        {
            let instance = lab.instance("one", network, &["--security-group", "web"])?;
            instance.reaches(NEIGHBOUR)?;
            ensure!(instance.pings_with(NEIGHBOUR, &["-M", "do", "-s", "1472"])?, "a packet of the physical network's size");
            instance.serve(8080)?;
            let ask = || {
                let script = format!("exec 3<>/dev/tcp/{}/8080 && cat <&3", instance.address);
                let words = ["ip", "netns", "exec", "neighbour", "timeout", "1", "bash", "-c", &script];
                Ok::<_, anyhow::Error>(testkit::run(&words)?.stdout == b"one\n")
            };
            ensure!(!ask()?, "open without a rule");
            ingress(&lab, "p", &group, json!({"protocol": "tcp", "port_range_min": 8080, "port_range_max": 8080, "remote_ip_prefix": "203.0.113.1/32"}))?;
            eventually("the neighbour to get in", ask)?;
        }
        let link = output(&["ip", "-o", "link", "show", "dev", "phys0"])?;
        ensure!(link.contains(" master brq"), "{link}");
        lab.stop()?;
        lab.neutrino_ok(&["down"])?;
        before.expect_same(&Snapshot::take()?)?;
        let link = output(&["ip", "-o", "link", "show", "dev", "phys0"])?;
        ensure!(link.contains(",UP") && !link.contains("PROMISC"), "{link}");
        Ok(())
    }

    fn without_a_link_to_the_physical_network_the_port_is_not_bound() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let flat = json!({"name": "net", "project_id": "p", "provider:network_type": "flat", "provider:physical_network": "elsewhere"});
        let network = cloud.create("networks", &flat)?;
        let refused = lab.neutrino(&["instance", "add", "one", "--network", network["id"].as_str().unwrap_or_default()])?;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        ensure!(!refused.status.success() && said.contains("could not be bound"), "{said}");
        Ok(())
    }
}
