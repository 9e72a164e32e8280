//! VXLAN between hosts: what crosses it, and to whom frames go.

use super::two_hosts;
use anyhow::ensure;
use std::process::{Command, Stdio};
use testkit::eventually;

/// The one link of this prefix on a host, from `ip -br link`.
fn link(listing: &str, prefix: &str) -> String {
    listing.lines().filter_map(|line| line.split_whitespace().next()).find(|name| name.starts_with(prefix)).unwrap_or_default().to_owned()
}

testkit::isolated_tests! {
    fn instances_of_two_hosts_talk() {
        let (cloud, network) = two_hosts()?;
        let [one, two] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        // Both got a lease, and one host serves them.
        let (a, b) = (one.instance("a", &network, &[])?, two.instance("b", &network, &[])?);
        let serving = [one, two].into_iter().filter(|host| host.sh("ip netns list | grep qdhcp-").is_ok()).count();
        ensure!(serving == 1, "{serving} hosts serve DHCP");
        one.reaches(&a, &b.address)?;
        two.reaches(&b, &a.address)?;
        for (host, instance, peer) in [(one, &a, &b), (two, &b, &a)] {
            ensure!(host.pings(instance, &peer.address, &["-M", "do", "-s", "1422"])?, "a packet of the network's MTU");
        }
        for (server, serving, client, asking) in [(one, &a, two, &b), (two, &b, one, &a)] {
            server.exec_ok(serving, &["sh", "-c", &format!("busybox nc -ll -p 8080 -e echo {} >/dev/null 2>&1 &", serving.name)])?;
            let script = format!("exec 3<>/dev/tcp/{}/8080 && cat <&3", serving.address);
            eventually("TCP over the tunnel", || {
                let output = client.exec(asking, &["timeout", "2", "bash", "-c", &script])?;
                Ok(output.stdout == format!("{}\n", serving.name).as_bytes())
            })?;
        }
        Ok(())
    }

    fn forwarding_entries_come_and_go_with_ports() {
        let (cloud, network) = two_hosts()?;
        let [one, two] = cloud.hosts.as_slice() else { unreachable!("two hosts") };
        let (a, b) = (one.instance("a", &network, &[])?, two.instance("b", &network, &[])?);
        one.reaches(&a, &b.address)?;
        for (host, instance, peer, away) in [(one, &a, &b, &two.address), (two, &b, &a, &one.address)] {
            let vxlan = link(&host.sh("ip -br link")?, "vxlan-");
            let about = host.sh(&format!("ip -d link show dev {vxlan} | grep 'vxlan id'"))?;
            ensure!(about.contains(" nolearning") && !about.contains("group") && !about.contains("remote"), "{about}");
            let entries = host.sh(&format!("bridge fdb show dev {vxlan}"))?;
            let to = |mac: &str| entries.lines().any(|entry| entry.starts_with(mac) && entry.contains(&format!("dst {away}")));
            ensure!(to(&peer.mac) && to("00:00:00:00:00:00") && !to(&instance.mac), "{entries}");
        }
        let vxlan = link(&one.sh("ip -br link")?, "vxlan-");
        let gone = |what: &str| {
            eventually(&format!("the entry of {what} to go"), || {
                Ok(!one.sh(&format!("bridge fdb show dev {vxlan} | sed -n '/dst/p'"))?.contains(&b.mac))
            })
        };
        two.remove(&b)?;
        gone("a deleted port")?;
        // Its successor is found at once.
        let c = two.instance("c", &network, &[])?;
        one.reaches(&a, &c.address)
    }

    fn frames_to_known_ports_go_to_their_host_only() {
        let cloud = super::TestCloud::start(&["one", "two", "three"])?;
        let network = cloud.network("net", "10.0.0.0/24")?;
        let [one, two, three] = cloud.hosts.as_slice() else { unreachable!("three hosts") };
        let (a, b) = (one.instance("a", &network, &[])?, two.instance("b", &network, &[])?);
        // A third host with a port of the network is in reach of what is flooded.
        let c = three.instance("c", &network, &[])?;
        one.reaches(&a, &b.address)?;
        one.reaches(&a, &c.address)?;
        let capture = testkit::Scratch::new()?;
        let seen = capture.path().join("seen");
        let file = std::fs::File::create(&seen)?;
        let mut sniffer = Command::new("tcpdump")
            .args(["-n", "-e", "-l", "-i", "to-three", "--immediate-mode", "udp port 4789 or multicast and udp"])
            .stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn()?;
        let read = || Ok::<_, anyhow::Error>(std::fs::read_to_string(&seen)?);
        eventually("the sniffer to see what goes to three", || {
            one.pings(&a, &c.address, &[])?;
            Ok(read()?.contains("ICMP echo request"))
        })?;
        ensure!(one.exec_ok(&a, &["ping", "-n", "-q", "-c", "50", "-i", "0.01", &b.address])?.contains(" 50 received"), "pings are lost");
        // What follows has arrived, so all before has, too.
        one.exec_ok(&a, &["ping", "-n", "-c", "1", "-s", "777", &c.address])?;
        eventually("the last packet", || Ok(read()?.contains("length 785")))?;
        sniffer.kill()?;
        sniffer.wait()?;
        let text = read()?;
        ensure!(!text.contains(&format!("> {}: ICMP", b.address)), "packets to two come to three as well:\n{text}");
        let outer_group = |line: &&str| line.contains("> 224.") || line.contains("> 239.") || line.contains("> ff0");
        let to_groups = text.lines().filter(|line| line.contains(".4789: VXLAN")).filter(outer_group).count();
        ensure!(to_groups == 0, "multicast on the underlay:\n{text}");
        // The hosts themselves are no neighbours of tenants: what comes through the tunnel is from ports.
        let inner = text.lines().filter(|line| line.contains(" > ") && !line.contains(".4789: VXLAN"));
        let strange: Vec<&str> = inner.filter(|line| !line.trim_start().starts_with("fa:16:3e:")).collect();
        ensure!(strange.is_empty(), "frames that no port sent: {strange:#?}");
        Ok(())
    }
}
