//! A conntrack helper asked for by the API, and what an instance behind the router then gets from a real server of TFTP, which answers
//! from another port than it was asked at.

use super::{closed_group, ingress, lab, update_port};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::fs;
use testkit::{Instance, Lab, eventually};

const FILE: &str = "booted";

/// A server of TFTP on a network, which filters nothing itself.
fn server<'a>(lab: &'a Lab, network: &str) -> Result<Instance<'a>> {
    let server = lab.instance("server", network, &[])?;
    update_port(lab, &server, &json!({"security_groups": [], "port_security_enabled": false}))?;
    let root = lab.state().join("tftp");
    fs::create_dir(&root)?;
    fs::write(root.join("file"), FILE)?;
    // The process gives up the rights to read what is ours alone.
    let options = "--conf-file=/dev/null --port=0 --user=root --group=root --enable-tftp --pid-file";
    server.exec_ok(&["sh", "-c", &format!("dnsmasq {options} --tftp-root={} 2>/dev/null", root.display())])?;
    Ok(server)
}

/// What a client gets of the file, within a second.
fn fetched(client: &Instance<'_>, server: &Instance<'_>) -> Result<Option<String>> {
    let script = format!("cd $(mktemp -d /run/netns/XXXXXX) && timeout 1 busybox tftp -g -r file {} 2>/dev/null; cat file", server.address);
    let output = client.exec(&["sh", "-c", &script])?;
    Ok(Some(String::from_utf8(output.stdout)?).filter(|text| !text.is_empty()))
}

testkit::isolated_tests! {
    fn a_helper_lets_the_data_of_tftp_back_in() {
        let lab = lab()?;
        let cloud = lab.cloud()?;
        let external = cloud.create("networks", &json!({"name": "outside", "project_id": "p", "router:external": true}))?;
        let external = external["id"].as_str().context("an id")?;
        lab.subnet(external, json!({"project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24"}))?;
        let inside = lab.network("p", "inside", "10.0.1.0/24")?;
        let router = lab.router("p", "r", &[&inside])?;
        cloud.update("routers", &router, &json!({"external_gateway_info": {"network_id": external}}))?;
        let group = closed_group(&lab, "p", "boots")?;
        ingress(&lab, "p", &group, json!({"protocol": "udp"}))?;
        let server = server(&lab, external)?;
        let client = lab.instance("client", &inside, &["--security-group", "boots"])?;
        client.reaches(&server.address)?;
        ensure!(fetched(&client, &server)?.is_none(), "the server's port is not the one that was asked");

        let helpers = format!("routers/{router}/conntrack_helpers");
        let body = json!({"conntrack_helper": {"protocol": "udp", "port": 69, "helper": "tftp"}});
        let made = cloud.request("POST", &helpers, Some(&body))?;
        let id = made["conntrack_helper"]["id"].as_str().context("an id")?;
        eventually("the file to arrive", || Ok(fetched(&client, &server)?.as_deref() == Some(FILE))).with_context(|| lab.tail())?;
        // Of another port it is none.
        cloud.request("PUT", &format!("{helpers}/{id}"), Some(&json!({"conntrack_helper": {"port": 1069}})))?;
        eventually("no file to arrive", || Ok(fetched(&client, &server)?.is_none()))?;
        cloud.request("PUT", &format!("{helpers}/{id}"), Some(&json!({"conntrack_helper": {"port": 69}})))?;
        eventually("the file to arrive again", || Ok(fetched(&client, &server)?.as_deref() == Some(FILE)))?;
        cloud.request("DELETE", &format!("{helpers}/{id}"), None)?;
        eventually("no file to arrive any more", || Ok(fetched(&client, &server)?.is_none()))?;
        client.reaches(&server.address)
    }
}
