//! Work that moves between hosts: because its host is silent, because an operator wants it elsewhere, or because its agent is disabled.

use super::cloud::{Host, Instance, TestCloud};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::eventually;

/// A host counts as dead soon after it fell silent.
pub const IMPATIENT: &str = "[agent]\nreport_interval = 1\n[scheduler]\nagent_down_time = 3\n";

/// Two networks with a router between them, and an instance on each.
pub struct Routed {
    pub router: String,
    pub networks: [String; 2],
}

impl Routed {
    pub fn new(cloud: &TestCloud) -> Result<Routed> {
        let api = cloud.api()?;
        let networks = [cloud.network("left", "10.1.0.0/24")?, cloud.network("right", "10.2.0.0/24")?];
        let id = |value: &Value| value["id"].as_str().map(str::to_owned).context("an id");
        let router = id(&api.create("routers", &json!({"name": "between"}))?)?;
        for network in &networks {
            let subnet = id(api.list("subnets", &[("network_id", network)])?.first().context("a subnet")?)?;
            api.request("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({ "subnet_id": subnet })))?;
        }
        Ok(Routed { router, networks })
    }

    pub fn instances(&self, host: &Host) -> Result<[Instance; 2]> {
        Ok([host.instance("a", &self.networks[0], &[])?, host.instance("b", &self.networks[1], &[])?])
    }

    /// The position of the host that has the router.
    pub fn carrier(&self, cloud: &TestCloud) -> Result<usize> {
        let host = scheduled(cloud, &format!("routers/{}/l3-agents", self.router))?;
        cloud.hosts.iter().position(|there| there.name() == host).context("to a host that is there")
    }
}

/// The host of the one agent in a list.
fn scheduled(cloud: &TestCloud, path: &str) -> Result<String> {
    let answer = cloud.api()?.request("GET", path, None)?;
    let agents = answer["agents"].as_array().context("a list")?;
    ensure!(agents.len() == 1, "{path}: {} agents", agents.len());
    agents[0]["host"].as_str().map(str::to_owned).context("an agent has a host")
}

fn namespaces(host: &Host) -> Result<String> {
    host.sh("ip netns list")
}

pub fn agent_of(cloud: &TestCloud, host: usize, kind: &str) -> Result<Value> {
    let agents = cloud.api()?.list("agents", &[("host", cloud.hosts[host].name()), ("agent_type", kind)])?;
    agents.into_iter().next().context("every host has it")
}

testkit::isolated_tests! {
    fn the_work_of_a_silent_host_moves_and_is_not_done_twice() {
        let mut cloud = TestCloud::configured(&["one", "two"], IMPATIENT)?;
        let routed = Routed::new(&cloud)?;
        let dead = routed.carrier(&cloud)?;
        let alive = 1 - dead;
        let [a, b] = routed.instances(&cloud.hosts[alive])?;
        cloud.hosts[alive].reaches(&a, &b.address)?;
        let c = cloud.hosts[alive].instance("c", &routed.networks[0], &[])?;
        cloud.hosts[alive].reaches(&a, &c.address)?;
        // What its agent made stays behind and goes on.
        cloud.hosts[dead].kill_agent()?;
        eventually("the silent host to count as dead", || Ok(agent_of(&cloud, dead, "L3 agent")?["alive"] == false))?;
        ensure!(routed.carrier(&cloud)? == alive, "the router is scheduled elsewhere in the same moment");
        for network in &routed.networks {
            let host = scheduled(&cloud, &format!("networks/{network}/dhcp-agents"))?;
            ensure!(host == cloud.hosts[alive].name(), "so is network {network}: on {host}");
        }
        eventually("the other host to have it all", || {
            let there = namespaces(&cloud.hosts[alive])?;
            Ok(there.contains("qrouter-") && there.matches("qdhcp-").count() == 2)
        })?;
        ensure!(cloud.hosts[alive].pings(&a, &c.address, &[])?, "what did not need the dead host goes on");
        cloud.hosts[alive].reaches(&a, &b.address)?;
        // The host comes back: what is not its any more goes.
        cloud.hosts[dead].start_agent()?;
        eventually("the host that came back to have nothing", || Ok(namespaces(&cloud.hosts[dead])?.is_empty()))?;
        ensure!(routed.carrier(&cloud)? == alive, "it is not taken back");
        // An instance there is served by the host that has the work now.
        cloud.wait_alive(cloud.hosts[dead].name())?;
        let d = cloud.hosts[dead].instance("d", &routed.networks[1], &[])?;
        cloud.hosts[alive].reaches(&a, &d.address)?;
        let left = namespaces(&cloud.hosts[dead])?;
        ensure!(!left.contains("qrouter-") && !left.contains("qdhcp-"), "and by no other: {left}");
        Ok(())
    }

    fn an_operator_moves_a_router_and_stops_a_host() {
        let cloud = TestCloud::start(&["one", "two"])?;
        let routed = Routed::new(&cloud)?;
        let from = routed.carrier(&cloud)?;
        let to = 1 - from;
        let [a, b] = routed.instances(&cloud.hosts[from])?;
        cloud.hosts[from].reaches(&a, &b.address)?;
        let api = cloud.api()?;
        let agents = [agent_of(&cloud, from, "L3 agent")?, agent_of(&cloud, to, "L3 agent")?];
        let routers = |agent: &Value| format!("agents/{}/l3-routers", agent["id"].as_str().unwrap_or_default());
        api.delete(&routers(&agents[0]), &routed.router)?;
        eventually("nobody to carry the router", || Ok(!cloud.hosts[from].pings(&a, &b.address, &[])?))?;
        api.request("POST", &routers(&agents[1]), Some(&json!({"router_id": routed.router})))?;
        cloud.hosts[from].reaches(&a, &b.address)?;
        eventually("the router to leave its host", || Ok(!namespaces(&cloud.hosts[from])?.contains("qrouter-")))?;
        // A disabled agent keeps the router and carries it no more.
        let id = agents[1]["id"].as_str().context("an id")?;
        let enable = |up: bool| api.update("agents", id, &json!({ "admin_state_up": up }));
        enable(false)?;
        eventually("the router to stop", || Ok(!namespaces(&cloud.hosts[to])?.contains("qrouter-")))?;
        ensure!(routed.carrier(&cloud)? == to, "it stays scheduled");
        enable(true)?;
        cloud.hosts[from].reaches(&a, &b.address)
    }
}
