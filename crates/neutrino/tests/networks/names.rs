//! Names: what ports are called in the DNS of their network, both ways, and questions about the world outside.

use super::{lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Instance, Lab, eventually};

/// What the name server that the instance was told says; empty when it knows nothing.
fn resolve(instance: &Instance<'_>, name: &str) -> Result<String> {
    let server = "sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1";
    let script = format!("busybox nslookup {name} $({server}) | sed 1,2d");
    Ok(String::from_utf8_lossy(&instance.exec(&["timeout", "5", "sh", "-c", &script])?.stdout).into_owned())
}

fn knows(instance: &Instance<'_>, name: &str, answer: &str) -> Result<()> {
    let mut said = String::new();
    let told = eventually(&format!("{name} to be {answer}"), || {
        said = resolve(instance, name)?;
        Ok(said.split_whitespace().any(|word| word == answer))
    });
    told.with_context(|| said)
}

fn knows_nothing(instance: &Instance<'_>, name: &str) -> Result<()> {
    eventually(&format!("{name} to be nobody"), || {
        let said = resolve(instance, name)?;
        Ok(said.contains("NXDOMAIN") || said.contains("REFUSED"))
    })
}

/// An instance on a port of this name.
fn named<'a>(lab: &'a Lab, network: &str, name: &str) -> Result<Instance<'a>> {
    let port = lab.cloud()?.create("ports", &json!({"network_id": network, "project_id": "p", "name": name, "dns_name": name}))?;
    let id = port["id"].as_str().context("a port has an id")?;
    lab.instance(name, network, &["--port", id])
}

testkit::isolated_tests! {
    fn ports_have_names_in_their_network() {
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let (web, db) = (named(&lab, &network, "web")?, named(&lab, &network, "db")?);
        for name in ["db.openstacklocal", "db"] {
            knows(&web, name, &db.address)?;
        }
        knows(&db, "web.openstacklocal", &web.address)?;
        knows(&web, &db.address, "db.openstacklocal")?;
        ensure!(web.exec_ok(&["cat", "/etc/resolv.conf"])?.contains("search openstacklocal"));
        // Renamed: the old name is nobody's.
        update_port(&lab, &db, &json!({"dns_name": "Mail"}))?;
        knows(&web, "mail.openstacklocal", &db.address)?;
        knows_nothing(&web, "db.openstacklocal")?;
        let port = lab.cloud()?.get("ports", &db.port_id)?;
        let wanted = json!([{"ip_address": db.address, "hostname": "mail", "fqdn": "mail.openstacklocal."}]);
        ensure!(port["dns_assignment"] == wanted && port["dns_name"] == "mail", "{port}");
        // Further domains: the network's, and a port's own in place of it.
        lab.cloud()?.update("networks", &network, &json!({"dns_domain": "example.org."}))?;
        knows(&web, "mail.example.org", &db.address)?;
        update_port(&lab, &db, &json!({"dns_domain": "example.net."}))?;
        knows(&web, "mail.example.net", &db.address)?;
        knows_nothing(&web, "mail.example.org")?;
        knows(&db, "web.example.org", &web.address)?;
        // Without a name an address has one.
        update_port(&lab, &db, &json!({"dns_name": ""}))?;
        let label = format!("host-{}", db.address.replace('.', "-"));
        knows(&web, &format!("{label}.openstacklocal"), &db.address)?;
        // Other networks have their own.
        let other = lab.network("p", "other", "10.0.1.0/24")?;
        let stranger = named(&lab, &other, "stranger")?;
        knows(&stranger, "stranger.openstacklocal", &stranger.address)?;
        knows_nothing(&stranger, "web.openstacklocal")
    }

    fn the_world_outside_is_asked_by_the_router() {
        let config = "[agent]\ndns_servers = [\"203.0.113.53\"]\n[ml2]\ndns_domain = \"cloud.example.\"\n";
        let lab = Lab::configured(env!("CARGO_BIN_EXE_neutrino"), &["--auth", "none"], config)?;
        let cloud = lab.cloud()?;
        let outside = cloud.create("networks", &json!({"name": "outside", "project_id": "p", "router:external": true}))?;
        let outside = outside["id"].as_str().unwrap_or_default();
        lab.subnet(outside, json!({"project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24"}))?;
        let server = lab.instance("server", outside, &["--fixed-ip", "203.0.113.53"])?;
        update_port(&lab, &server, &json!({"security_groups": [], "port_security_enabled": false}))?;
        let log = lab.state().join("server.log");
        let dnsmasq = "exec dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --bind-interfaces --user=root \
                       --listen-address=203.0.113.53 --pid-file= --log-queries --log-facility=- --address=/known.example/198.51.100.7";
        server.exec_ok(&["sh", "-c", &format!("({dnsmasq}) >{} 2>&1 &", log.display())])?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let router = lab.router("p", "r", &[&network])?;
        cloud.update("routers", &router, &json!({"external_gateway_info": {"network_id": outside}}))?;
        let web = named(&lab, &network, "web")?;
        knows(&web, "www.known.example", "198.51.100.7")?;
        knows(&web, "web.cloud.example", &web.address)?;
        knows_nothing(&web, "nobody.cloud.example")?;
        let asked = std::fs::read_to_string(&log)?;
        ensure!(asked.contains("www.known.example") && !asked.contains("cloud.example"), "names of this cloud stay here: {asked}");
        Ok(())
    }
}
