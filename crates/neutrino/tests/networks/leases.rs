//! What instances get by DHCP.

use super::lab;
use anyhow::ensure;
use serde_json::json;

testkit::isolated_tests! {
    fn a_lease_holds_what_the_subnet_says() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let network = cloud.create("networks", &json!({"name": "net", "project_id": "p", "mtu": 1400}))?;
        let subnet = json!({
            "network_id": network["id"], "project_id": "p", "ip_version": 4, "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.254",
            "dns_nameservers": ["192.0.2.53", "192.0.2.54"], "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "10.0.0.77"}],
        });
        cloud.create("subnets", &subnet)?;
        let instance = lab.instance("one", "net", &["--fixed-ip", "10.0.0.42"])?;
        for (words, wanted) in [
            (&["ip", "-4", "-o", "addr", "show", "dev", "eth0"][..], "inet 10.0.0.42/24 "),
            (&["ip", "link", "show", "dev", "eth0"], " mtu 1400 "),
            (&["ip", "link", "show", "dev", "eth0"], &instance.mac),
            (&["ip", "route"], "default via 10.0.0.254 dev eth0"),
            (&["ip", "route"], "198.51.100.0/24 via 10.0.0.77 dev eth0"),
            (&["cat", "/etc/resolv.conf"], "nameserver 192.0.2.53\nnameserver 192.0.2.54"),
        ] {
            let text = instance.exec_ok(words)?;
            ensure!(text.contains(wanted), "'{wanted}' is not in {text}");
        }
        Ok(())
    }

    fn a_change_reaches_the_next_lease() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let instance = lab.instance("one", &network, &[])?;
        let subnet = lab.cloud()?.list("subnets", &[("network_id", &network)])?.remove(0);
        let id = subnet["id"].as_str().unwrap_or_default();
        lab.cloud()?.update("subnets", id, &json!({"dns_nameservers": ["192.0.2.99"]}))?;
        // A client that asks again gets the new answer without anything being restarted.
        testkit::eventually("the new name server in a lease", || {
            let script = "printf '#!/bin/sh\\necho dns=$dns' > /run/netns/ask; chmod +x /run/netns/ask; busybox udhcpc -i eth0 -n -q -s /run/netns/ask";
            let output = instance.exec(&["sh", "-c", script])?;
            Ok(String::from_utf8_lossy(&output.stdout).contains("dns=192.0.2.99"))
        })
    }

    fn subnets_without_dhcp_get_no_lease() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let network = cloud.create("networks", &json!({"name": "net", "project_id": "p"}))?;
        let subnet = json!({"network_id": network["id"], "project_id": "p", "ip_version": 4, "cidr": "10.0.0.0/24", "enable_dhcp": false});
        cloud.create("subnets", &subnet)?;
        let bare = lab.instance("bare", "net", &[])?;
        ensure!(!bare.exec_ok(&["ip", "-4", "addr", "show", "dev", "eth0"])?.contains("inet"), "an address without DHCP");
        let (one, two) = (lab.instance("one", "net", &["--no-dhcp"])?, lab.instance("two", "net", &["--no-dhcp"])?);
        one.reaches(&two.address)
    }
}
