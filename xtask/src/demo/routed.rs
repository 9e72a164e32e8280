//! A router: between two networks of a project, out to a stand-in for the internet, back in by a floating IP; IPv6 that instances get
//! from it, and metadata that they ask it for.

use super::packets::{self, exec};
use super::tenant::{Home, Tenant, first_or_made, id};
use super::{RED, Role, SETTLE, instance, report::Report};
use crate::server::Place;
use anyhow::{Context, Result, ensure};
use client::{Cloud, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const BACK: Role = Role { name: "red-3", address: "10.0.5.13", group: None };
const BACK_CIDR: &str = "10.0.5.0/24";
const BACK_CIDR6: &str = "fd00:5::/64";
/// A machine outside that knows no way to the networks of projects.
const INTERNET: Role = Role { name: "internet", address: "203.0.113.1", group: None };
const OUTSIDE_CIDR: &str = "203.0.113.0/24";
const FLOATING: &str = "203.0.113.111";
const METADATA: &str = "169.254.169.254";

/// Shows it for a project whose network and instances are there.
pub fn show(report: &mut Report, place: &Place, admin: &Cloud, red: &Tenant) {
    let mut made = None;
    report.step(&format!("a router for {} and {BACK_CIDR}", super::tenant::CIDR), || {
        let scene = Scene::build(admin, red)?;
        let seen = format!("router {}, outside {OUTSIDE_CIDR}", scene.router);
        made = Some(scene);
        Ok(seen)
    });
    let Some(scene) = made else { return };
    for (home, role) in [(&scene.outside, &INTERNET), (&scene.back, &BACK)] {
        report.timed(&format!("instance {}", role.name), || instance(place, home, role));
    }
    report.step(&format!("ping {} → {}", BACK.name, RED[0].name), || answered(place, BACK.name, RED[0].address));
    report.step(&format!("{} reaches the internet by SNAT", RED[1].name), || hidden(place));
    report.step("a floating IP answers from there", || {
        scene.associate(admin, red)?;
        let seen = answered(place, INTERNET.name, FLOATING)?;
        Ok(format!("{FLOATING} is {}: {seen}", RED[0].name))
    });
    report.step(&format!("{} has IPv6 by SLAAC", BACK.name), || slaac(place));
    report.step(&format!("{} asks for its metadata", BACK.name), || metadata(place));
}

/// What is there besides the project's first network.
struct Scene {
    outside: Home,
    back: Home,
    router: String,
}

impl Scene {
    /// What an earlier run made is used again.
    fn build(admin: &Cloud, red: &Tenant) -> Result<Scene> {
        let session = admin.session()?.context("the administrator's cloud does not authenticate")?;
        let network = json!({"name": "outside", "router:external": true, "port_security_enabled": false});
        let outside_id = first_or_made(admin, "networks", &[("name", "outside")], network)?;
        let subnet = json!({"network_id": outside_id, "ip_version": 4, "cidr": OUTSIDE_CIDR, "gateway_ip": INTERNET.address});
        first_or_made(admin, "subnets", &[("network_id", &outside_id)], subnet)?;
        let own = ("project_id", red.project_id.as_str());
        let back = first_or_made(&red.cloud, "networks", &[("name", "back"), own], json!({"name": "back"}))?;
        for (version, cidr) in [(4, BACK_CIDR), (6, BACK_CIDR6)] {
            let mut subnet = json!({"network_id": back, "ip_version": version, "cidr": cidr});
            if version == 6 {
                (subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"]) = (json!("slaac"), json!("slaac"));
            }
            first_or_made(&red.cloud, "subnets", &[("network_id", &back), ("cidr", cidr)], subnet)?;
        }
        let gateway = json!({"name": "router", "external_gateway_info": {"network_id": outside_id}});
        let router = first_or_made(&red.cloud, "routers", &[("name", "router"), own], gateway)?;
        for network in [&red.network_id, &back] {
            for subnet in red.cloud.list("subnets", &[("network_id", network)])? {
                attach(&red.cloud, &router, &subnet)?;
            }
        }
        let outside = Home { network_id: outside_id, project_id: session.project_id.clone() };
        Ok(Scene { outside, back: Home { network_id: back, project_id: red.project_id.clone() }, router })
    }

    /// The floating IP of the first instance.
    fn associate(&self, admin: &Cloud, red: &Tenant) -> Result<()> {
        let ports = red.cloud.list("ports", &[("network_id", &red.network_id), ("name", RED[0].name)])?;
        let port = id(ports.first().context("the instance has no port")?);
        // A member may not choose the address: the administrator does, for the project.
        let network = &self.outside.network_id;
        let body = json!({"floating_network_id": network, "floating_ip_address": FLOATING, "project_id": red.project_id});
        let floating_ip = first_or_made(admin, "floatingips", &[("floating_ip_address", FLOATING)], body)?;
        red.cloud.update("floatingips", &floating_ip, &json!({"port_id": port}))?;
        Ok(())
    }
}

/// An interface of the router in a subnet, unless it has one.
fn attach(cloud: &Cloud, router: &str, subnet: &Value) -> Result<()> {
    let ports = cloud.list("ports", &[("device_id", router)])?;
    let is_there = |port: &Value| port["fixed_ips"].as_array().into_iter().flatten().any(|ip| ip["subnet_id"] == subnet["id"]);
    if !ports.iter().any(is_there) {
        cloud.request("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({"subnet_id": subnet["id"]})))?;
    }
    Ok(())
}

/// Waits for an answer: the router may just be on its way.
fn answered(place: &Place, from: &str, to: &str) -> Result<String> {
    let mut last = None;
    let seen = wait_until(&format!("{to} to answer {from}"), SETTLE, || match packets::ping(place, from, to) {
        Ok(seen) => Ok::<_, anyhow::Error>(Some(seen)),
        Err(error) => {
            last = Some(error);
            Ok(None)
        }
    });
    seen.with_context(|| last.map(|error| error.to_string()).unwrap_or_default())
}

/// The outside answers although it knows no way to the project's network.
fn hidden(place: &Place) -> Result<String> {
    let routes = exec(place, INTERNET.name, &["ip", "route", "show", "10.0.0.0/8"])?;
    ensure!(routes.stdout.is_empty(), "the internet knows a way to the project's networks");
    exec(place, INTERNET.name, &["ip", "route", "delete", "default"])?;
    answered(place, RED[1].name, INTERNET.address)
}

fn slaac(place: &Place) -> Result<String> {
    let address = wait_until("an address by router advertisements", SETTLE, || {
        let shown = exec(place, BACK.name, &["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "global", "-tentative"])?;
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        Ok::<_, anyhow::Error>(text.split_whitespace().find(|word| word.starts_with("fd00:5:")).map(str::to_owned))
    })?;
    let router = answered(place, BACK.name, "fd00:5::1")?;
    Ok(format!("{address}; its router fd00:5::1: {router}"))
}

fn metadata(place: &Place) -> Result<String> {
    let request = "GET /openstack/latest/meta_data.json HTTP/1.0\\r\\n\\r\\n";
    let script = format!("exec 3<>/dev/tcp/{METADATA}/80 && printf '{request}' >&3 && cat <&3");
    let told = wait_until("metadata", Duration::from_secs(10), || {
        let output = exec(place, BACK.name, &["timeout", "5", "bash", "-c", &script])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let body = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Value>(body).ok());
        Ok::<_, anyhow::Error>(body)
    })?;
    ensure!(told["name"] == BACK.name, "it is told of another: {told}");
    Ok(format!("http://{METADATA}: name {}, uuid {}", BACK.name, told["uuid"].as_str().unwrap_or_default()))
}
