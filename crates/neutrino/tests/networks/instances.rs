//! `neutrino instance` itself.

use super::lab;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::output;

testkit::isolated_tests! {
    fn exec_passes_output_and_status() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &["--no-dhcp"])?;
        let result = one.exec(&["sh", "-c", "echo \"$0 $1\"; echo oh >&2; exit 7", "a b", "c"])?;
        ensure!(result.status.code() == Some(7), "status {}", result.status);
        ensure!(result.stdout == b"a b c\n" && result.stderr == b"oh\n", "{result:?}");
        let links = one.exec_ok(&["ls", "/sys/class/net"])?;
        // Those the kernel makes in each namespace once its module of GRE is loaded.
        let ours = links.split_whitespace().filter(|name| !["erspan0", "gre0", "gretap0"].contains(name));
        ensure!(ours.eq(["eth0", "lo"]), "{links}");
        Ok(())
    }

    fn the_port_is_what_nova_would_make() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &["--no-dhcp"])?;
        let port = lab.cloud()?.get("ports", &one.port_id)?;
        for (attribute, wanted) in [
            ("name", json!("one")),
            ("device_owner", json!("compute:nova")),
            ("project_id", json!("p")),
            ("binding:vif_type", json!("tap")),
            ("status", json!("ACTIVE")),
        ] {
            ensure!(port[attribute] == wanted, "{attribute} is {}", port[attribute]);
        }
        let device = format!("tap{}", &one.port_id[..11]);
        ensure!(output(&["ip", "-d", "link", "show", "dev", &device])?.contains("bridge_slave"), "{device} is in no bridge");
        Ok(())
    }

    fn a_given_port_outlives_the_instance() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let port = lab.cloud()?.create("ports", &json!({"network_id": network, "project_id": "p"}))?;
        let id = port["id"].as_str().context("a port has an id")?;
        lab.neutrino_ok(&["instance", "add", "one", "--port", id])?;
        lab.neutrino_ok(&["instance", "rm", "one"])?;
        let port = lab.cloud()?.get("ports", id)?;
        ensure!(port["device_id"] == "" && port["binding:vif_type"] == "unbound", "{port}");
        Ok(())
    }

    fn broken_instances_are_told_and_can_be_removed() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        for name in ["whole", "hollow", "cut", "orphan"] {
            lab.instance(name, &network, &[])?;
        }
        let list = || -> anyhow::Result<Vec<Value>> { Ok(serde_json::from_str(&lab.neutrino_ok(&["instance", "list", "--json"])?)?) };
        let of = |name: &str, key: &str| -> anyhow::Result<String> {
            let list = list()?;
            let instance = list.iter().find(|instance| instance["name"] == name).context("no such instance")?;
            Ok(instance[key].as_str().unwrap_or_default().to_owned())
        };
        output(&["ip", "netns", "del", "neutrino-hollow"])?;
        output(&["ip", "link", "del", "dev", &of("cut", "device")?])?;
        lab.cloud()?.delete("ports", &of("orphan", "port")?)?;
        for (name, status) in [
            ("whole", "running"),
            ("hollow", "broken: the namespace is gone"),
            ("cut", "broken: the link on the host is gone"),
            ("orphan", "broken: the port is gone"),
        ] {
            ensure!(of(name, "status")? == status, "{name} is '{}'", of(name, "status")?);
        }
        lab.neutrino_ok(&["instance", "rm", "whole", "hollow", "cut", "orphan"])?;
        ensure!(list()?.is_empty(), "instances are left");
        let ports = lab.cloud()?.list("ports", &[("device_owner", "compute:nova")])?;
        ensure!(ports.is_empty(), "ports are left: {ports:?}");
        ensure!(!testkit::processes()?.iter().any(|command| command.contains("udhcpc")), "DHCP clients are left");
        Ok(())
    }

    fn what_cannot_be_made_leaves_nothing() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        for (options, said) in [
            (&["--network", "nowhere"][..], "there is no network 'nowhere'"),
            (&["--network", &network, "--fixed-ip", "192.0.2.1"], "InvalidIpForNetwork"),
            (&["--network", &network, "--security-group", "none"], "there is no security group 'none'"),
        ] {
            let result = lab.neutrino(&[&["instance", "add", "one"][..], options].concat())?;
            let error = String::from_utf8_lossy(&result.stderr).into_owned();
            ensure!(!result.status.success() && error.contains(said), "{options:?}: {error}");
        }
        ensure!(lab.neutrino_ok(&["instance", "list", "--json"])?.trim() == "[]", "an instance is left");
        ensure!(lab.cloud()?.list("ports", &[("device_owner", "compute:nova")])?.is_empty(), "a port is left");
        Ok(())
    }
}
