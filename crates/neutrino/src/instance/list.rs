//! `neutrino instance list`.

use super::record::{Record, Records};
use super::{Kind, processes};
use anyhow::Result;
use client::Cloud;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Prints all instances. Without an answer of the server the state of ports is unknown.
pub fn list(cloud: Option<&Cloud>, records: &Records, json: bool) -> Result<()> {
    let records = records.all()?;
    let ports = cloud.and_then(|cloud| ports(cloud, &records));
    let projects = cloud.map(projects).unwrap_or_default();
    let mut rows = records.iter().map(|record| row(record, ports.as_ref())).collect::<Result<Vec<_>>>()?;
    for row in &mut rows {
        let name = row["project_id"].as_str().and_then(|id| projects.get(id).cloned());
        row["project"] = name.map_or_else(|| row["project_id"].clone(), Value::from);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let columns = ["name", "project", "network", "port", "address", "kind", "status"];
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(columns);
    for row in &rows {
        table.add_row(columns.map(|column| match &row[column] {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
            value => value.as_str().unwrap_or("-").to_owned(),
        }));
    }
    println!("{table}");
    Ok(())
}

/// The instances' ports by id; `None` when the server does not answer.
fn ports(cloud: &Cloud, records: &[Record]) -> Option<BTreeMap<String, Value>> {
    let ids: Vec<(&str, &str)> = records.iter().filter_map(|record| Some(("id", record.port.as_ref()?.id.as_str()))).collect();
    let mut ports = BTreeMap::new();
    for chunk in ids.chunks(100) {
        for port in cloud.list("ports", chunk).ok()? {
            ports.insert(port["id"].as_str()?.to_owned(), port);
        }
    }
    Some(ports)
}

/// Names of projects by id; none without an Identity service.
fn projects(cloud: &Cloud) -> BTreeMap<String, String> {
    if !cloud.authenticates() {
        return BTreeMap::new();
    }
    let answer = cloud.identity("GET", "projects", None).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    answer["projects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|project| Some((text(&project["id"])?, text(&project["name"])?)))
        .collect()
}

fn row(record: &Record, ports: Option<&BTreeMap<String, Value>>) -> Result<Value> {
    let port = record.port.as_ref();
    let found = ports.and_then(|ports| ports.get(&port?.id));
    Ok(json!({
        "name": record.name,
        "project": null,
        "project_id": record.project_id,
        "network": record.network_name,
        "network_id": record.network_id,
        "port": port.map(|port| &port.id),
        "mac_address": port.map(|port| &port.mac_address),
        "address": port.map(|port| &port.addresses),
        "kind": record.kind,
        "host": record.host,
        "netns": (record.kind == Kind::Netns).then(|| record.netns()),
        "device": record.device(),
        "port_status": found.map(|port| &port["status"]),
        "status": status(record, ports, found)?,
    }))
}

fn status(record: &Record, ports: Option<&BTreeMap<String, Value>>, found: Option<&Value>) -> Result<String> {
    if let Some(missing) = missing(record)? {
        return Ok(format!("broken: {missing}"));
    }
    Ok(match (ports, found) {
        (None, _) => "running, server does not answer".to_owned(),
        (Some(_), None) => "broken: the port is gone".to_owned(),
        (Some(_), Some(port)) if port["status"] == "ACTIVE" => "running".to_owned(),
        (Some(_), Some(port)) => format!("running, port {}", port["status"].as_str().unwrap_or("?")),
    })
}

/// What of an instance is not on this machine.
pub fn missing(record: &Record) -> Result<Option<&'static str>> {
    let Some(device) = record.device() else { return Ok(Some("it was not made to its end")) };
    let alive = match record.kind {
        Kind::Netns => host::netns::list()?.contains(&record.netns()),
        Kind::Qemu => !processes::guest(&device)?.is_empty(),
    };
    if !alive {
        return Ok(Some(match record.kind {
            Kind::Netns => "the namespace is gone",
            Kind::Qemu => "the guest is not running",
        }));
    }
    Ok((!host::plug::is_plugged(&device)?).then_some("the link on the host is gone"))
}
