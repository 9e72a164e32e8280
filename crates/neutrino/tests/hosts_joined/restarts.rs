//! What runs ends and comes back under traffic: no packet is lost, and what changed meanwhile is made up for.

use super::cloud::{Host, Instance, TestCloud};
use super::two_hosts;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{Scratch, eventually};

/// Echo requests 10 ms apart, until stopped.
struct Traffic<'a> {
    host: &'a str,
    log: Scratch,
}

impl Traffic<'_> {
    fn start<'a>(host: &Host, name: &'a str, from: &Instance, to: &Instance) -> Result<Traffic<'a>> {
        let log = Scratch::new()?;
        let (file, pid) = (log.path().join("ping"), log.path().join("pid"));
        let script = format!("ping -n -i 0.01 -W 1 {} > {} 2>&1 & echo $! > {}", to.address, file.display(), pid.display());
        host.exec_ok(from, &["sh", "-c", &script])?;
        let traffic = Traffic { host: name, log };
        traffic.goes_on()?;
        Ok(traffic)
    }

    fn text(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.log.path().join("ping"))?)
    }

    /// Waits for a hundred more answers.
    fn goes_on(&self) -> Result<()> {
        let answers = || Ok::<_, anyhow::Error>(self.text()?.matches("icmp_seq=").count());
        let before = answers()?;
        eventually(&format!("answers from {}", self.host), || Ok(answers()? >= before + 100))
    }

    /// Ends it and fails if one request was not answered.
    fn stop(self) -> Result<()> {
        let pid = std::fs::read_to_string(self.log.path().join("pid"))?;
        testkit::output(&["kill", "-INT", pid.trim()])?;
        eventually("ping's count", || Ok(self.text()?.contains("packets transmitted")))?;
        let text = self.text()?;
        let count = text.lines().find(|line| line.contains("packets transmitted")).context("there is one")?;
        let numbers: Vec<u32> = count.split(' ').filter_map(|word| word.parse().ok()).collect();
        // The one that is on its way when ping ends may be unanswered.
        ensure!(numbers.len() >= 2 && numbers[0] - numbers[1] <= 1, "{count}");
        ensure!(!text.contains("DUP!"), "doubled packets: {count}");
        Ok(())
    }
}

/// An instance made now is reached by an older one: everything is in sync.
fn in_sync(cloud: &TestCloud, at: usize, name: &str, network: &str, from: (usize, &Instance)) -> Result<Instance> {
    let made = cloud.hosts[at].instance(name, network, &[])?;
    cloud.hosts[from.0].reaches(from.1, &made.address)?;
    Ok(made)
}

fn serves_dhcp(host: &Host) -> Result<bool> {
    Ok(host.sh("ip netns list")?.contains("qdhcp-"))
}

testkit::isolated_tests! {
    fn an_agent_killed_under_traffic_loses_no_packet() {
        let (mut cloud, network) = two_hosts()?;
        let a = cloud.hosts[0].instance("a", &network, &[])?;
        let b = cloud.hosts[1].instance("b", &network, &[])?;
        cloud.hosts[0].reaches(&a, &b.address)?;
        let traffic = Traffic::start(&cloud.hosts[0], "two", &a, &b)?;
        for host in 0..2 {
            cloud.hosts[host].kill_agent()?;
            traffic.goes_on()?;
            cloud.hosts[host].start_agent()?;
            in_sync(&cloud, host, &format!("new-{host}"), &network, (1 - host, [&b, &a][host]))?;
            traffic.goes_on()?;
        }
        traffic.stop()
    }

    fn what_changed_while_an_agent_was_down_is_made_up_for() {
        let (mut cloud, network) = two_hosts()?;
        let instances = [cloud.hosts[0].instance("a", &network, &[])?, cloud.hosts[1].instance("b", &network, &[])?];
        // A port is ACTIVE when DHCP knows it, so the agent that ends is the one that serves none.
        let up = usize::from(!serves_dhcp(&cloud.hosts[0])?);
        let down = 1 - up;
        let (kept, removed) = (&instances[down], &instances[up]);
        cloud.hosts[down].reaches(kept, &removed.address)?;
        cloud.hosts[down].kill_agent()?;
        cloud.hosts[up].remove(removed)?;
        let made = cloud.hosts[up].instance("c", &network, &[])?;
        cloud.api()?.update("ports", &kept.port_id, &json!({"security_groups": []}))?;
        cloud.hosts[down].start_agent()?;
        eventually("entries as the ports are now", || {
            let entries = cloud.hosts[down].sh("bridge fdb show | sed -n '/dst/p'")?;
            Ok(entries.contains(&format!("{} dev vxlan-", made.mac)) && !entries.contains(&removed.mac))
        })?;
        eventually("the port without groups to be closed", || Ok(!cloud.hosts[up].pings(&made, &kept.address, &[])?))?;
        let default = cloud.api()?.get("ports", &made.port_id)?["security_groups"].clone();
        cloud.api()?.update("ports", &kept.port_id, &json!({"security_groups": default}))?;
        cloud.hosts[up].reaches(&made, &kept.address)
    }

    fn packets_do_not_need_the_server() {
        let (mut cloud, network) = two_hosts()?;
        let a = cloud.hosts[0].instance("a", &network, &[])?;
        let b = cloud.hosts[1].instance("b", &network, &[])?;
        cloud.hosts[0].reaches(&a, &b.address)?;
        let traffic = Traffic::start(&cloud.hosts[0], "two", &a, &b)?;
        cloud.kill_server()?;
        traffic.goes_on()?;
        // An agent that starts without a server keeps what is there.
        cloud.hosts[1].kill_agent()?;
        cloud.hosts[1].start_agent()?;
        let agent = cloud.hosts[1].tail().len();
        eventually("the agent to look for the server", || Ok(cloud.hosts[1].tail().len() > agent))?;
        traffic.goes_on()?;
        cloud.start_server()?;
        in_sync(&cloud, 1, "c", &network, (0, &a))?;
        in_sync(&cloud, 0, "d", &network, (1, &b))?;
        traffic.stop()
    }
}
