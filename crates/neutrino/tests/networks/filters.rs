//! Security groups, anti-spoofing, port security, allowed address pairs.

use super::{closed_group, ingress, lab, update_port};
use anyhow::ensure;
use serde_json::json;
use testkit::eventually;

const FORGED: &str = "10.0.0.99";

testkit::isolated_tests! {
    fn a_rule_opens_a_port_and_its_deletion_closes_it() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let group = closed_group(&lab, "p", "web")?;
        let server = lab.instance("server", &network, &["--security-group", "web"])?;
        let client = lab.instance("client", &network, &[])?;
        server.serve(8080)?;
        server.serve(8081)?;
        ensure!(client.asks(&server.address, 8080)?.is_none(), "open without a rule");
        let rule = ingress(&lab, "p", &group, json!({"protocol": "tcp", "port_range_min": 8080, "port_range_max": 8080}))?;
        eventually("TCP 8080 to open", || Ok(client.asks(&server.address, 8080)?.is_some()))?;
        ensure!(client.asks(&server.address, 8081)?.is_none(), "the rule opens another port as well");
        client.loses(&server.address)?;
        lab.cloud()?.delete("security-group-rules", &rule)?;
        eventually("TCP 8080 to close", || Ok(client.asks(&server.address, 8080)?.is_none()))
    }

    fn a_connection_ends_with_the_rule_that_allowed_it() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let group = closed_group(&lab, "p", "web")?;
        let rule = ingress(&lab, "p", &group, json!({"protocol": "tcp", "port_range_min": 8080, "port_range_max": 8080}))?;
        let server = lab.instance("server", &network, &["--security-group", "web"])?;
        let client = lab.instance("client", &network, &[])?;
        let received = lab.state().join("received");
        let received = received.to_string_lossy();
        server.exec_ok(&["sh", "-c", &format!("busybox nc -l -p 8080 > {received} 2>&1 &")])?;
        // Counts into one connection, ten numbers a second.
        let count = format!("i=0; exec 3<>/dev/tcp/{}/8080; while echo $i >&3; do i=$((i + 1)); sleep 0.1; done", server.address);
        let start = format!("bash -c '{count}' >/dev/null 2>&1 &");
        let lines = || -> anyhow::Result<usize> { Ok(std::fs::read_to_string(&*received).unwrap_or_default().lines().count()) };
        eventually("the listener", || {
            client.exec_ok(&["sh", "-c", &start])?;
            std::thread::sleep(std::time::Duration::from_millis(300));
            Ok(lines()? > 0)
        })?;
        let before = lines()?;
        eventually("numbers to flow", || Ok(lines()? > before + 5))?;
        lab.cloud()?.delete("security-group-rules", &rule)?;
        let mut last = usize::MAX;
        eventually("the flow to stop for a second", || {
            let now = lines()?;
            let stopped = now == last;
            last = now;
            std::thread::sleep(std::time::Duration::from_secs(1));
            Ok(stopped && lines()? == last)
        })
    }

    fn members_of_a_remote_group_come_and_go() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let friends = closed_group(&lab, "p", "friends")?;
        let group = closed_group(&lab, "p", "server")?;
        ingress(&lab, "p", &group, json!({"protocol": "icmp", "remote_group_id": friends}))?;
        let server = lab.instance("server", &network, &["--security-group", "server"])?;
        let client = lab.instance("client", &network, &[])?;
        client.loses(&server.address)?;
        update_port(&lab, &client, &json!({"security_groups": [friends]}))?;
        client.reaches(&server.address)?;
        update_port(&lab, &client, &json!({"security_groups": []}))?;
        client.loses(&server.address)
    }

    fn forged_addresses_are_dropped() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let victim = lab.instance("victim", &network, &[])?;
        let forger = lab.instance("forger", &network, &[])?;
        forger.reaches(&victim.address)?;
        forger.exec_ok(&["ip", "addr", "add", &format!("{FORGED}/24"), "dev", "eth0"])?;
        forger.loses_with(&victim.address, &["-I", FORGED])?;
        let other = "fa:16:3e:99:99:99";
        forger.exec_ok(&["ip", "link", "set", "dev", "eth0", "address", other])?;
        forger.loses(&victim.address)?;
        let known = victim.exec_ok(&["ip", "neigh"])?;
        ensure!(!known.contains(other) && !known.contains(FORGED), "the victim has learned a forged address: {known}");
        forger.exec_ok(&["ip", "link", "set", "dev", "eth0", "address", &forger.mac])?;
        forger.reaches(&victim.address)
    }

    fn an_instance_cannot_serve_dhcp() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        // Within the default group everything is allowed but this.
        let rogue = lab.instance("rogue", &network, &[])?;
        let victim = lab.instance("victim", &network, &[])?;
        let log = lab.state().join("udp");
        let log = log.to_string_lossy();
        victim.exec_ok(&["sh", "-c", &format!("timeout 60 tcpdump -n -l -i eth0 udp > {log} 2>/dev/null &")])?;
        let send = |port: u16| {
            let script = format!("import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', {port})); s.sendto(b'x', ('{}', 68))", victim.address);
            rogue.exec_ok(&["python3", "-c", &script])
        };
        let seen = |port: u16| std::fs::read_to_string(&*log).unwrap_or_default().contains(&format!("{}.{port} >", rogue.address));
        eventually("a datagram from another port", || {
            send(1067)?;
            Ok(seen(1067))
        })?;
        send(67)?;
        // What follows it has arrived, so it would have, too.
        eventually("a later datagram", || {
            send(1068)?;
            Ok(seen(1068))
        })?;
        ensure!(!seen(67), "a datagram from the DHCP server's port came through");
        Ok(())
    }

    fn port_security_can_be_switched_off() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let peer = lab.instance("peer", &network, &[])?;
        let router = lab.instance("router", &network, &[])?;
        update_port(&lab, &peer, &json!({"port_security_enabled": false, "security_groups": []}))?;
        router.exec_ok(&["ip", "addr", "add", &format!("{FORGED}/24"), "dev", "eth0"])?;
        router.loses_with(&peer.address, &["-I", FORGED])?;
        update_port(&lab, &router, &json!({"port_security_enabled": false, "security_groups": []}))?;
        router.reaches_with(&peer.address, &["-I", FORGED])?;
        peer.reaches(FORGED)?;
        let default = lab.cloud()?.find("security-groups", "default", &[("project_id", "p")])?;
        update_port(&lab, &router, &json!({"port_security_enabled": true, "security_groups": [default["id"]]}))?;
        router.loses_with(&peer.address, &["-I", FORGED])
    }

    fn an_allowed_address_pair_lets_one_more_address_through() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let peer = lab.instance("peer", &network, &[])?;
        let node = lab.instance("node", &network, &[])?;
        node.exec_ok(&["ip", "addr", "add", &format!("{FORGED}/24"), "dev", "eth0"])?;
        node.loses_with(&peer.address, &["-I", FORGED])?;
        update_port(&lab, &node, &json!({"allowed_address_pairs": [{"ip_address": FORGED}]}))?;
        node.reaches_with(&peer.address, &["-I", FORGED])?;
        update_port(&lab, &node, &json!({"allowed_address_pairs": []}))?;
        node.loses_with(&peer.address, &["-I", FORGED])
    }

    fn a_port_that_is_down_carries_nothing() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &[])?;
        let two = lab.instance("two", &network, &[])?;
        one.reaches(&two.address)?;
        update_port(&lab, &two, &json!({"admin_state_up": false}))?;
        one.loses(&two.address)?;
        update_port(&lab, &two, &json!({"admin_state_up": true}))?;
        one.reaches(&two.address)
    }
}
