//! The whole path on a real kernel: from requests to packets between instances, judged by what arrives.
//!
//! Every test has a machine of namespaces, the program and its database for itself.

mod delegation;
mod filters;
mod flat;
mod guest;
mod helpers;
mod instances;
mod ipv6;
mod isolation;
mod leases;
mod lifecycle;
mod metadata;
mod names;
mod next_hops;
mod options;
mod routed;
mod shapes;
mod variant;
mod vlan;

use anyhow::Result;
use serde_json::{Value, json};
use testkit::{Instance, Lab};

/// The program without authentication: projects are what a request says.
fn lab() -> Result<Lab> {
    Lab::start(env!("CARGO_BIN_EXE_neutrino"), &["--auth", "none"])
}

/// Changes the port of an instance.
fn update_port(lab: &Lab, instance: &Instance<'_>, attributes: &Value) -> Result<()> {
    lab.cloud()?.update("ports", &instance.port_id, attributes)?;
    Ok(())
}

/// A security group with egress rules only; answers with its id.
fn closed_group(lab: &Lab, project: &str, name: &str) -> Result<String> {
    let group = lab.cloud()?.create("security-groups", &json!({"name": name, "project_id": project}))?;
    Ok(group["id"].as_str().unwrap_or_default().to_owned())
}

/// Adds an IPv4 ingress rule to a group; answers with its id.
fn ingress(lab: &Lab, project: &str, group: &str, attributes: Value) -> Result<String> {
    let mut body = json!({"security_group_id": group, "project_id": project, "direction": "ingress", "ethertype": "IPv4"});
    if let (Value::Object(body), Value::Object(attributes)) = (&mut body, attributes) {
        body.extend(attributes);
    }
    let rule = lab.cloud()?.create("security-group-rules", &body)?;
    Ok(rule["id"].as_str().unwrap_or_default().to_owned())
}

/// `docs/packets.md` names tests that are there.
#[test]
fn the_table_of_packets_names_tests() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = std::fs::read_to_string(sources.join("../docs/packets.md")).expect("the table");
    let named: Vec<(&str, &str)> = table.split('`').filter_map(|word| word.split_once("::")).collect();
    assert!(named.len() > 40, "{} tests", named.len());
    for (place, test) in named {
        let (tests, file) = match place.split_once('/') {
            Some(("agent", file)) => ("agent/tests".to_owned(), file),
            Some((suite, file)) => (format!("neutrino/tests/{suite}"), file),
            None => panic!("{place}::{test} is in no suite"),
        };
        let source = std::fs::read_to_string(sources.join(&tests).join(format!("{file}.rs"))).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}()")), "{place}::{test}");
    }
}
