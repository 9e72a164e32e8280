//! A live migration as Nova does it: the destination prepares the port, and carries it from the moment on in which its binding is activated.

use super::cloud::{Host, Instance, TestCloud};
use super::two_hosts;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::{Reply, StandIn, eventually};

/// The guest as it arrives on its new host: the same MAC and address behind the same device.
fn arrive(host: &Host, guest: &Instance) -> Result<()> {
    let (tap, mac, address) = (guest.device(), &guest.mac, &guest.address);
    let script = format!(
        "ip netns add guest && ip link add {tap} type veth peer name eth0 netns guest && \
         ip -n guest link set eth0 address {mac} up && ip -n guest addr add {address}/24 dev eth0 && ip link set {tap} up"
    );
    host.sh(&script).map(drop)
}

fn arrived_pings(host: &Host, address: &str) -> Result<bool> {
    Ok(host.sh(&format!("ip netns exec guest ping -n -c 1 -W 1 {address}")).is_ok())
}

testkit::isolated_tests! {
    fn a_port_is_prepared_on_its_next_host_and_carried_by_one_at_a_time() {
        let (cloud, network) = two_hosts()?;
        let [from, to] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let (guest, peer) = (from.instance("guest", &network, &[])?, to.instance("peer", &network, &[])?);
        to.reaches(&peer, &guest.address)?;
        let nova = cloud.service()?;
        let bindings = format!("ports/{}/bindings", guest.port_id);
        let made = nova.request("POST", &bindings, Some(&json!({"binding": {"host": to.name(), "vnic_type": "normal", "profile": {}}})))?;
        ensure!(made["binding"]["status"] == "INACTIVE" && made["binding"]["vif_type"] == "tap", "{made}");
        arrive(to, &guest)?;
        let in_bridge = format!("ip link show {} | grep -q ' master brq'", guest.device());
        eventually("the device to be wired before the port is there", || Ok(to.sh(&in_bridge).is_ok()))?;
        let prepared = format!(r#"nft list map bridge neutrino from | grep -q '"{}" : goto standby'"#, guest.device());
        ensure!(to.sh(&prepared).is_ok(), "it carries nothing yet");
        ensure!(!arrived_pings(to, &peer.address)?, "a guest that is not active is not heard");
        ensure!(from.pings(&guest, &peer.address, &[])? && to.pings(&peer, &guest.address, &[])?, "the port is where it was");
        let port = || cloud.api()?.get("ports", &guest.port_id).map_err(anyhow::Error::from);
        ensure!(port()?["status"] == "ACTIVE", "preparing is nothing to the port");
        nova.request("PUT", &format!("{bindings}/{}/activate", to.name()), None)?;
        eventually("the new host to carry the port", || arrived_pings(to, &peer.address))?;
        eventually("the port to be active", || Ok(port()?["status"] == "ACTIVE"))?;
        ensure!(port()?["binding:host_id"] == to.name());
        eventually("the old host to be done with it", || Ok(!from.pings(&guest, &peer.address, &[])?))?;
        // One answers, and it is the new one.
        from.exec_ok(&guest, &["ip", "link", "set", "eth0", "down"])?;
        ensure!(to.pings(&peer, &guest.address, &[])?, "the others find it where it is");
        nova.request("DELETE", &format!("{bindings}/{}", from.name()), None)?;
        let listed = nova.request("GET", &bindings, None)?;
        ensure!(listed["bindings"].as_array().is_some_and(|all| all.len() == 1), "{listed}");
        ensure!(to.pings(&peer, &guest.address, &[])?, "and stays there");
        Ok(())
    }

    fn nova_is_told_what_it_waits_for_and_not_sooner() {
        let nova = StandIn::start(|_| Reply(200, json!({"events": []})))?;
        let configuration = format!("[nova.user]\nauth_url = \"{}\"\npassword = \"secret\"", nova.url());
        let mut cloud = TestCloud::configured(&["one", "two"], &configuration)?;
        let network = cloud.network("net", "10.0.0.0/24")?;
        let [from, to] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let guest = from.instance("guest", &network, &[])?;
        let told = |name: &str| {
            let seen = nova.seen();
            let events = seen.iter().flat_map(|asked| asked.body["events"].as_array().into_iter().flatten());
            events.filter(|event| event["name"] == name && event["tag"] == *guest.port_id && event["status"] != "failed").count()
        };
        eventually("the port to be plugged", || Ok(told("network-vif-plugged") == 1))?;
        let service = cloud.service()?;
        let port = format!("ports/{}", guest.port_id);
        let binding = json!({"binding": {"host": to.name(), "vnic_type": "normal", "profile": {}}});
        service.request("POST", &format!("{port}/bindings"), Some(&binding))?;
        let moving = json!({"port": {"binding:profile": {"migrating_to": to.name()}}});
        service.request("PUT", &port, Some(&moving))?;
        eventually("the port to be wired at home again", || Ok(cloud.api()?.get("ports", &guest.port_id)?["status"] == "ACTIVE"))?;
        // What is sent later would come after this.
        service.request("PUT", &port, Some(&json!({"port": {"name": "moving"}})))?;
        let changed = told("network-changed");
        eventually("the new name to be told", || Ok(told("network-changed") > changed))?;
        ensure!(told("network-vif-plugged") == 1, "the next host is not ready: {:?}", nova.seen());
        arrive(to, &guest)?;
        eventually("the next host to be ready", || Ok(told("network-vif-plugged") == 2))?;
        let bindings: Value = service.request("GET", &format!("{port}/bindings/{}", to.name()), None)?;
        ensure!(bindings["binding"]["status"] == "INACTIVE", "{bindings}");
        service.request("PUT", &format!("{port}/bindings/{}/activate", to.name()), None)?;
        eventually("the port to be plugged there", || Ok(told("network-vif-plugged") == 3))?;
        cloud.kill_server()?;
        cloud.start_server()?;
        cloud.service()?.request("DELETE", &port, None)?;
        eventually("the end of the port", || Ok(told("network-vif-deleted") == 1))
    }
}
