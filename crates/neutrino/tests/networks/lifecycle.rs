//! Restarts lose nothing, and the end leaves nothing.

use super::lab;
use anyhow::ensure;
use testkit::{Snapshot, output};

testkit::isolated_tests! {
    fn networks_outlive_a_killed_program() {
        let mut lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let address = {
            let (one, two) = (lab.instance("one", &network, &[])?, lab.instance("two", &network, &[])?);
            one.reaches(&two.address)?;
            two.address.clone()
        };
        let from_one = |lab: &testkit::Lab, to: &str| lab.neutrino(&["instance", "exec", "one", "--", "ping", "-n", "-c", "1", "-W", "1", to]);
        lab.kill()?;
        ensure!(from_one(&lab, &address)?.status.success(), "no packets without the program");
        lab.restart()?;
        ensure!(from_one(&lab, &address)?.status.success(), "no packets after the restart");
        let list = lab.neutrino_ok(&["instance", "list"])?;
        ensure!(list.matches("running").count() == 2 && !list.contains("broken"), "{list}");
        let three = lab.instance("three", &network, &[])?;
        ensure!(from_one(&lab, &three.address)?.status.success(), "no packets to an instance made after the restart");
        Ok(())
    }

    fn down_removes_what_it_made_and_nothing_else() {
        for words in [
            &["ip", "link", "add", "brq-foreign", "type", "bridge"][..],
            // The kernel would give it an address a while after it is up.
            &["ip", "link", "set", "brq-foreign", "addrgenmode", "none"],
            &["ip", "link", "add", "tapforeign", "type", "veth", "peer", "name", "foreign"],
            &["ip", "addr", "add", "192.0.2.1/24", "dev", "brq-foreign"],
            &["ip", "link", "set", "brq-foreign", "up"],
            &["ip", "netns", "add", "foreign"],
            &["nft", "add", "table", "inet", "foreign"],
            &["nft", "add", "chain", "inet", "foreign", "input", "{ type filter hook input priority 0; }"],
        ] {
            output(words)?;
        }
        let before = Snapshot::take()?;
        let mut lab = lab()?;
        for project in ["red", "blue"] {
            let network = lab.network(project, "net", "10.0.0.0/24")?;
            lab.instance(project, &network, &[])?;
        }
        lab.stop()?;
        ensure!(Snapshot::take()? != before, "the end of the program took the networks with it");
        lab.neutrino_ok(&["down"])?;
        before.expect_same(&Snapshot::take()?)?;
        let running = testkit::processes()?;
        let left: Vec<_> = running.iter().filter(|command| command.contains("dnsmasq") || command.contains("udhcpc")).collect();
        ensure!(left.is_empty(), "left running: {left:?}");
        Ok(())
    }

    fn deleting_everything_leaves_nothing() {
        let lab = lab()?;
        let before = Snapshot::take()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        lab.instance("one", &network, &[])?;
        lab.neutrino_ok(&["instance", "rm", "one"])?;
        lab.cloud()?.delete("networks", &network)?;
        let left = || Snapshot::take().and_then(|after| before.expect_same(&after));
        // What stays is the empty table of the agent's own rules; links, namespaces and daemons go.
        let settled = testkit::eventually("links and namespaces to go", || {
            let links = output(&["ip", "-o", "link"])?;
            let namespaces = output(&["ip", "netns", "list"])?;
            // Not `gretap0`, which the kernel makes in each namespace once its module of GRE is loaded.
            Ok(!links.contains("brq") && !links.contains(": tap") && !links.contains("vxlan") && !namespaces.contains("qdhcp"))
        });
        settled.map_err(|error| left().err().map_or(error, |difference| difference.context("after everything was deleted")))
    }
}
