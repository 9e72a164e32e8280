//! The point of it all on real packets: two projects with the same addresses, each alone on its network, a security
//! group rule that opens and closes a port, and a router. Whatever an earlier run left is used again and must still work.

mod packets;
mod report;
mod routed;
mod tenant;

use crate::server::{Place, neutrino};
use crate::shell::output;
use anyhow::{Context, Result, ensure};
use client::{Cloud, wait_until};
use packets::{Listener, PORT};
use report::Report;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tenant::{Home, Tenant, WEB, id};

/// An instance of the show. Both projects have `.11`; `.12` is only in the one, `.13` only in the other.
struct Role {
    name: &'static str,
    address: &'static str,
    group: Option<&'static str>,
}

const RED: [Role; 2] =
    [Role { name: "red-1", address: "10.0.0.11", group: Some(WEB) }, Role { name: "red-2", address: "10.0.0.12", group: None }];
const BLUE: [Role; 2] =
    [Role { name: "blue-1", address: "10.0.0.11", group: None }, Role { name: "blue-2", address: "10.0.0.13", group: None }];
const SETTLE: Duration = Duration::from_secs(30);

/// Shows it; fails when a step does.
pub fn show(place: &Place) -> Result<()> {
    let admin = place.admin()?;
    let mut report = Report::default();
    agents(&mut report, &admin);
    let (Some(red), Some(blue)) = (project(&mut report, place, &admin, "red"), project(&mut report, place, &admin, "blue")) else {
        return report.end();
    };
    for (tenant, roles) in [(&red, &RED), (&blue, &BLUE)] {
        for role in roles {
            report.timed(&format!("instance {}", role.name), || instance(place, &tenant.home(), role));
        }
    }
    let ping = |report: &mut Report, from: &Role, to: &Role| {
        report.step(&format!("ping {} → {}", from.name, to.name), || packets::ping(place, from.name, to.address));
    };
    // Towards red-1, whose group lets ICMP in; the other way, red-2's default group would refuse what is not of that group.
    ping(&mut report, &RED[1], &RED[0]);
    ping(&mut report, &BLUE[1], &BLUE[0]);
    report.step("the same address twice", || same_address(place));
    report.step("silence from red to blue", || packets::silence(place, "red-2", BLUE[1].address));
    report.step("silence from blue to red", || packets::silence(place, "blue-2", RED[1].address));
    security_group(&mut report, place, &red);
    routed::show(&mut report, place, &admin, &red);
    report.end()
}

fn agents(report: &mut Report, admin: &Cloud) {
    report.step("agents alive", || {
        let agents = wait_until("an alive Linux bridge agent", SETTLE, || {
            let agents = admin.list("agents", &[])?;
            let alive = agents.iter().filter(|agent| agent["alive"] == true);
            let types: Vec<String> = alive.filter_map(|agent| agent["agent_type"].as_str().map(str::to_owned)).collect();
            Ok::<_, client::Error>(types.iter().any(|kind| kind == "Linux bridge agent").then_some(types))
        })?;
        Ok(agents.join(", "))
    });
}

fn project(report: &mut Report, place: &Place, admin: &Cloud, name: &'static str) -> Option<Tenant> {
    let mut made = None;
    report.step(&format!("project {name} with {}", tenant::CIDR), || {
        let mut tenant = Tenant::prepare(place, admin, name)?;
        let new = tenant.build()?;
        let network = tenant.network_id.clone();
        made = Some(tenant);
        Ok(if new == 0 { format!("network {network}, there already") } else { format!("network {network}") })
    });
    made
}

/// The instance; one that is whole already is only waited for.
fn instance(place: &Place, home: &Home, role: &Role) -> Result<(Duration, String)> {
    let start = Instant::now();
    let find = || -> Result<Option<Value>> {
        let list = neutrino(place, &["instance", "list"])?;
        Ok(list.as_array().and_then(|list| list.iter().find(|instance| instance["name"] == role.name)).cloned())
    };
    if let Some(found) = find()? {
        if found["status"].as_str().is_some_and(|status| status.starts_with("running")) {
            wait_until(&format!("{} to be running", role.name), SETTLE, || {
                let found = find()?.context("the instance is gone")?;
                Ok::<_, anyhow::Error>((found["status"] == "running").then_some(()))
            })?;
            return Ok((start.elapsed(), format!("{}, there already", role.address)));
        }
        output(&[place.program, "instance", "rm", role.name, "--state", &place.state.to_string_lossy()])?;
    }
    let mut words = vec!["instance", "add", role.name, "--network", &home.network_id, "--project", &home.project_id];
    words.extend(["--fixed-ip", role.address]);
    if let Some(group) = role.group {
        words.extend(["--security-group", group]);
    }
    let added = neutrino(place, &words)?;
    let ms = |step: &str| added["times_ms"][step].as_f64().unwrap_or_default();
    let detail = format!(
        "{} by DHCP; port {:.1}, plug {:.1}, ACTIVE {:.1}, lease {:.1}, ping {:.1} ms",
        role.address,
        ms("port"),
        ms("plug"),
        ms("active"),
        ms("lease"),
        ms("ping")
    );
    Ok((start.elapsed(), detail))
}

/// `.11` is another machine in each project.
fn same_address(place: &Place) -> Result<String> {
    let mut seen = Vec::new();
    for (from, to) in [(&RED[1], &RED[0]), (&BLUE[1], &BLUE[0])] {
        packets::ping(place, from.name, to.address)?;
        let mac = packets::neighbour(place, from.name, to.address)?;
        let expected = packets::mac(place, to.name)?;
        ensure!(mac == expected, "{} has {mac} for {}, but {} is {expected}", from.name, to.address, to.name);
        seen.push(format!("{} is {mac} for {}", to.address, from.name));
    }
    Ok(seen.join(", "))
}

fn security_group(report: &mut Report, place: &Place, tenant: &Tenant) {
    let (server, client) = (&RED[0], &RED[1]);
    let mut listener = None;
    report.step(&format!("TCP {PORT} closed without a rule"), || {
        tenant.close(PORT)?;
        listener = Some(Listener::start(place, server.name)?);
        let took = packets::until_tcp(place, client.name, server.address, false, Instant::now())?;
        Ok(format!("{} → {}: no connection within 100 ms (after {:.0} ms)", client.name, server.name, took.as_secs_f64() * 1000.0))
    });
    let mut rule = None;
    report.timed(&format!("a rule opens TCP {PORT}"), || {
        let body = json!({
            "security_group_id": tenant.web_id, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
            "port_range_min": PORT, "port_range_max": PORT,
        });
        let made = tenant.cloud.create("security-group-rules", &body)?;
        let answered = Instant::now();
        rule = Some(id(&made));
        let took = packets::until_tcp(place, client.name, server.address, true, answered)?;
        Ok((took, format!("{} → {}: connected", client.name, server.name)))
    });
    report.timed(&format!("its deletion closes TCP {PORT}"), || {
        let rule = rule.context("there is no rule to delete")?;
        tenant.cloud.delete("security-group-rules", &rule)?;
        let took = packets::until_tcp(place, client.name, server.address, false, Instant::now())?;
        Ok((took, format!("{} → {}: no connection", client.name, server.name)))
    });
}
