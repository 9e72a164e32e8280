//! Next hops watched by BFD, from the request to a real router (BIRD) outside.

use super::{lab, update_port};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::fs;
use testkit::{Instance, Lab, eventually};

/// The next router outside: an instance on an external network.
const NEXT: &str = "203.0.113.1";

/// Starts BIRD there, with a session to the router.
fn start_bird(lab: &Lab, machine: &Instance<'_>, router: &str) -> Result<()> {
    let directory = lab.state().display().to_string();
    let bfd = "interface \"eth0\" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; };";
    let text =
        format!("router id 192.0.2.77;\nprotocol device {{}}\nprotocol bfd {{ {bfd} neighbor {router} dev \"eth0\" local {NEXT}; }}\n");
    fs::write(lab.state().join("bird.conf"), text)?;
    machine.exec_ok(&["ip", "addr", "add", &format!("{NEXT}/24"), "dev", "eth0"])?;
    let script = format!("setsid bird -c {directory}/bird.conf -s {directory}/bird.socket > {directory}/bird.log 2>&1");
    machine.exec_ok(&["sh", "-c", &script]).map(drop)
}

/// The state of BIRD's session, and since which millisecond of the day it is so.
fn session(lab: &Lab, machine: &Instance<'_>) -> Result<(String, u32)> {
    let socket = lab.state().join("bird.socket").display().to_string();
    let text = machine.exec_ok(&["birdc", "-s", &socket, "show", "bfd", "sessions"])?;
    let line = text.lines().find(|line| line.contains("eth0")).with_context(|| format!("a session in {text}"))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, _, state, since, ..] = words[..] else { bail!("{line}") };
    let parts: Vec<u32> = since.split([':', '.']).map(str::parse).collect::<Result<_, _>>()?;
    let [hours, minutes, seconds, thousandths] = parts[..] else { bail!("{since} is no time") };
    Ok((state.to_owned(), ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths))
}

testkit::isolated_tests! {
    fn a_next_hop_is_watched_whether_or_not_the_agent_runs() {
        let mut lab = lab()?;
        let cloud = lab.cloud()?;
        let outside = cloud.create("networks", &json!({"name": "outside", "project_id": "p", "router:external": true}))?;
        let outside = outside["id"].as_str().context("an id")?.to_owned();
        let subnet = json!({"project_id": "p", "ip_version": 4, "cidr": "203.0.113.0/24", "gateway_ip": NEXT, "enable_dhcp": false});
        lab.subnet(&outside, subnet)?;
        let router = json!({
            "name": "r", "project_id": "p", "external_gateway_info": {"network_id": outside}, "enable_default_route_bfd": true,
        });
        let router = cloud.create("routers", &router)?;
        let gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].as_str().context("an address")?.to_owned();
        let id = router["id"].as_str().context("an id")?.to_owned();
        let unheard = "is used, for no other answers either: nothing was heard from the neighbour yet (BFD)";
        eventually("that nobody answers to be said", || Ok(lab.tail().contains(unheard)))?;
        let before = {
            let next = lab.instance("next", &outside, &["--fixed-ip", "203.0.113.2", "--no-dhcp"])?;
            update_port(&lab, &next, &json!({"security_groups": [], "port_security_enabled": false}))?;
            start_bird(&lab, &next, &gateway)?;
            eventually("the session to come up", || Ok(session(&lab, &next)?.0 == "Up"))?;
            eventually("the fault to go", || {
                let tail = lab.tail();
                let of_it = |line: &&str| line.contains(&id) && (line.contains("mended") || line.contains("cannot be realised"));
                Ok(tail.lines().rfind(of_it).is_some_and(|line| line.contains("mended")))
            })?;
            session(&lab, &next)?.1
        };
        lab.kill()?;
        lab.restart()?;
        let next = lab.again("next")?;
        next.reaches(&gateway)?;
        let (state, since) = session(&lab, &next)?;
        // BIRD looks at two clocks to say since when.
        ensure!(state == "Up" && since.abs_diff(before) < 10, "{state} since {since}, before: {before}");
        let cloud = lab.cloud()?;
        cloud.update("routers", &id, &json!({"enable_default_route_bfd": false}))?;
        eventually("nobody watches any more", || Ok(session(&lab, &next)?.0 == "Down"))?;
        eventually("nothing runs for it", || Ok(!lab.state().join("agent/daemons/@root/bfd").exists()))?;
        let socket = lab.state().join("bird.socket").display().to_string();
        next.exec_ok(&["birdc", "-s", &socket, "down"]).map(drop)
    }
}
