//! VLAN networks: tenants' and external ones on one physical link, and a kernel that has no VLAN links.

use super::{closed_group, ingress};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Lab, eventually, output, run};

const CONFIG: &str = "[agent]\nphysical_networks = { physnet1 = \"phys0\" }\n\
                      [ml2]\nnetwork_vlan_ranges = [\"physnet1:100:110\"]\ntenant_network_types = [\"vlan\"]\n";

fn lab() -> Result<Lab> {
    Lab::configured(env!("CARGO_BIN_EXE_neutrino"), &["--auth", "none"], CONFIG)
}

/// A link to the physical network, with a namespace at its other end.
fn physical_network() -> Result<()> {
    for script in [
        "ip link add phys0 type veth peer name phys1 && ip netns add neighbour && ip link set phys1 netns neighbour",
        "ip link set phys0 up && ip -n neighbour link set lo up && ip -n neighbour link set phys1 up",
    ] {
        output(&["sh", "-c", script])?;
    }
    Ok(())
}

/// This kernel has VLAN links.
fn has_vlans() -> Result<bool> {
    // Not on the loopback link, which takes none anywhere.
    let script =
        "ip link add v0 type veth peer name v1; ip link add link v0 name v0.5 type vlan id 5; known=$?; ip link del v0; exit $known";
    Ok(run(&["sh", "-c", script])?.status.success())
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    value[name].as_str().with_context(|| format!("no {name} in {value}"))
}

testkit::isolated_tests! {
    fn routers_and_instances_on_vlans_of_a_trunk() {
        if !has_vlans()? {
            println!("SKIPPED: routers on VLAN networks: CONFIG_VLAN_8021Q; `lab/vm/test.sh` runs them");
            return Ok(());
        }
        physical_network()?;
        let script = "ip -n neighbour link add link phys1 name outside type vlan id 110 && ip -n neighbour link set outside up && \
                      ip -n neighbour addr add 203.0.113.1/24 dev outside";
        output(&["sh", "-c", script])?;
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let external = cloud.create("networks", &json!({
            "name": "external", "project_id": "p", "router:external": true,
            "provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 110,
        }))?;
        let external = text(&external, "id")?;
        lab.subnet(external, json!({
            "project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24", "gateway_ip": "203.0.113.1", "enable_dhcp": false,
            "allocation_pools": [{"start": "203.0.113.100", "end": "203.0.113.120"}],
        }))?;
        let networks = ["red", "blue"].map(|name| lab.network("p", name, "10.0.0.0/24"));
        let [red, blue] = networks;
        let (red, blue) = (red?, blue?);
        let tag = |network: &str| Ok::<_, anyhow::Error>(cloud.get("networks", network)?["provider:segmentation_id"].as_u64());
        ensure!(tag(&red)? != tag(&blue)? && (100..110).contains(&tag(&red)?.unwrap_or_default()), "tenants' networks are VLANs");
        let router = lab.router("p", "r", &[&red])?;
        cloud.update("routers", &router, &json!({"external_gateway_info": {"network_id": external}}))?;
        let group = closed_group(&lab, "p", "open")?;
        ingress(&lab, "p", &group, json!({"protocol": "icmp"}))?;
        let instance = lab.instance("one", &red, &["--security-group", "open"])?;
        let other = lab.instance("two", &blue, &["--security-group", "open"])?;
        instance.reaches("203.0.113.1")?;
        ensure!(!other.pings("203.0.113.1")?, "the other network has no router");
        let floating = cloud.create("floatingips", &json!({"floating_network_id": external, "project_id": "p", "port_id": instance.port_id}))?;
        let floating = text(&floating, "floating_ip_address")?;
        eventually("the floating IP to answer", || {
            Ok(run(&["ip", "netns", "exec", "neighbour", "ping", "-c", "1", "-W", "1", floating])?.status.success())
        })?;
        let links = output(&["ip", "-br", "link", "show", "type", "vlan"])?;
        ensure!(links.lines().count() == 3 && links.contains("phys0.110@phys0"), "{links}");
        Ok(())
    }

    /// The ports of the network are in ERROR, those of others become ACTIVE.
    fn a_kernel_without_vlans_says_so() {
        if has_vlans()? {
            println!("SKIPPED: a kernel without VLAN links: this one has them");
            return Ok(());
        }
        physical_network()?;
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let vlan = lab.network("p", "vlan", "10.0.0.0/24")?;
        let local = cloud.create("networks", &json!({"name": "local", "project_id": "p", "provider:network_type": "local"}))?;
        let local = text(&local, "id")?;
        lab.subnet(local, json!({"project_id": "p", "ip_version": 4, "cidr": "10.0.0.0/24"}))?;
        let status = |network: &str| {
            let ports = cloud.list("ports", &[("network_id", network), ("device_owner", "network:dhcp")])?;
            Ok::<_, anyhow::Error>(ports.first().map(|port| port["status"].clone()).unwrap_or_default())
        };
        eventually("the other network to be served", || Ok(status(local)? == "ACTIVE"))?;
        eventually("the agent to say why not", || Ok(lab.tail().contains("load the module 8021q")))?;
        ensure!(status(&vlan)? == "ERROR", "{}", status(&vlan)?);
        Ok(())
    }
}
