//! A host that is lost to the others: what it carried goes on elsewhere, soon, and what did not need it is not touched.

use super::cloud::{Host, Instance, TestCloud};
use super::moved::{IMPATIENT, Routed, agent_of};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::{Scratch, eventually};

/// From the moment at which a host counts as dead until what it carried is carried elsewhere.
const SOON: Duration = Duration::from_secs(2);

/// Echo requests 20 ms apart; each answer is logged with its time.
struct Answers {
    log: Scratch,
}

impl Answers {
    fn start(host: &Host, from: &Instance, to: &str) -> Result<Answers> {
        let answers = Answers { log: Scratch::new()? };
        let script = format!("ping -n -D -i 0.02 {to} > {} 2>&1 &", answers.file().display());
        host.exec_ok(from, &["sh", "-c", &script])?;
        eventually(&format!("{to} to answer"), || Ok(answers.after(UNIX_EPOCH)?.is_some()))?;
        Ok(answers)
    }

    fn file(&self) -> PathBuf {
        self.log.path().join("ping")
    }

    /// None has come for a while.
    fn are_missing(&self) -> Result<bool> {
        Ok(self.after(SystemTime::now() - Duration::from_millis(500))?.is_none())
    }

    /// How long after a moment the first answer came.
    fn after(&self, moment: SystemTime) -> Result<Option<Duration>> {
        let text = fs::read_to_string(self.file())?;
        let answers = text.lines().filter(|line| line.contains("icmp_seq=") && line.contains(" bytes from"));
        let mut times = answers.filter_map(|line| line.strip_prefix('[')?.split(']').next()?.parse().ok().map(Duration::from_secs_f64));
        let moment = moment.duration_since(UNIX_EPOCH)?;
        Ok(times.find_map(|time| time.checked_sub(moment)))
    }
}

/// One TCP connection on which a line goes there and back again every 20 ms, for as long as it holds.
struct Conversation {
    log: Scratch,
}

impl Conversation {
    fn start(host: &Host, from: &Instance, to: &Instance) -> Result<Conversation> {
        host.exec_ok(to, &["sh", "-c", "busybox nc -ll -p 7 -e cat >/dev/null 2>&1 &"])?;
        let conversation = Conversation { log: Scratch::new()? };
        let said = conversation.log.path().join("said");
        let talk = "n=0; while echo $n >&3 && read -t 5 m <&3 && [ $m = $n ]; do echo $n; n=$((n+1)); sleep 0.02; done; echo end";
        let connect = format!("until exec 3<>/dev/tcp/{}/7; do sleep 0.02; done 2>/dev/null", to.address);
        let script = format!("bash -c '{connect}; {talk}' > {} 2>&1 &", said.display());
        host.exec_ok(from, &["sh", "-c", &script])?;
        conversation.goes_on()?;
        Ok(conversation)
    }

    fn text(&self) -> Result<String> {
        Ok(fs::read_to_string(self.log.path().join("said"))?)
    }

    /// Waits for ten more lines of the same connection.
    fn goes_on(&self) -> Result<()> {
        let before = self.text().map_or(0, |text| text.lines().count());
        eventually("the conversation to go on", || {
            let text = self.text()?;
            ensure!(!text.contains("end"), "the connection is cut after {} lines", text.lines().count());
            Ok(text.lines().count() >= before + 10)
        })
    }
}

testkit::isolated_tests! {
    fn what_a_lost_host_carried_goes_on_elsewhere() {
        let mut cloud = TestCloud::configured(&["one", "two"], IMPATIENT)?;
        let routed = Routed::new(&cloud)?;
        let lost = routed.carrier(&cloud)?;
        let kept = 1 - lost;
        let [a, b] = routed.instances(&cloud.hosts[kept])?;
        let host = &cloud.hosts[kept];
        let c = host.instance("c", &routed.networks[0], &[])?;
        let conversation = Conversation::start(host, &a, &c)?;
        let answers = Answers::start(host, &a, &b.address)?;
        cloud.hosts[lost].join(false)?;
        eventually("the router to be out of reach", || answers.are_missing())?;
        eventually("the lost host to count as dead", || Ok(agent_of(&cloud, lost, "L3 agent")?["alive"] == false))?;
        let dead = SystemTime::now();
        eventually("the router to be carried here", || Ok(answers.after(dead)?.is_some()))?;
        let took = answers.after(dead)?.context("it was there")?;
        println!("carried elsewhere {took:?} after the host counted as dead");
        ensure!(took < SOON, "{took:?}");
        conversation.goes_on()?;
        // New clients are served here as well.
        host.instance("d", &routed.networks[1], &[])?;
        // The lost one comes back, with all that it had: for the others there is one of each.
        cloud.hosts[lost].join(true)?;
        cloud.wait_alive(cloud.hosts[lost].name())?;
        eventually("what is not its any more to go", || {
            let left = cloud.hosts[lost].sh("ip netns list")?;
            Ok(!left.contains("qrouter-") && !left.contains("qdhcp-"))
        })?;
        ensure!(routed.carrier(&cloud)? == kept, "it is not given back");
        let back = SystemTime::now();
        eventually("the router goes on", || Ok(answers.after(back)?.is_some()))?;
        conversation.goes_on()?;
        let text = fs::read_to_string(answers.file())?;
        ensure!(!text.contains("DUP!"), "two routers answered");
        let e = cloud.hosts[lost].instance("e", &routed.networks[1], &[])?;
        cloud.hosts[kept].reaches(&a, &e.address)?;
        cloud.hosts[lost].kill_agent()
    }
}
