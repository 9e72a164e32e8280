//! Connections whose rule is gone, on the real kernel.

mod support;

use intent::{Carrier, Direction, GroupRule, Remote, Transport, Unit};
use support::build::*;
use support::held::gate;
use support::lab::*;
use support::traffic::*;

/// TCP to port 22 for all, or for one address.
fn ssh(number: u8, from: Option<&str>) -> GroupRule {
    let remote = from.map_or(Remote::Any, |from| Remote::Prefix { prefix: net(from) });
    rule(number, Direction::Ingress, 4, Transport::Ports { protocol: 6, first: 22, last: 22 }, remote)
}

#[test]
fn they_end_with_the_rule_and_not_when_they_are_found() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let (held, slow) = gate();
        host.gate = Some(held);
        let ports = [(5, "server"), (6, "stranger"), (7, "friend")];
        let friends = ssh(11, Some("10.0.0.7/32"));
        let told = [network(1, Carrier::Local), group(1, vec![ssh(10, None), friends.clone()])];
        host.start(told.into_iter().chain(ports.map(|(number, _)| Unit::Port(port(number, 1, &[1])))));
        for (number, name) in ports {
            host.plug(name, number, &[&format!("10.0.0.{number}/24")]);
            host.wait_port(number);
        }
        let listener = listen("server", "10.0.0.5:22");
        let [mut strange, mut friendly, mut idle] =
            ["stranger", "friend", "stranger"].map(|from| Open::new(from, "10.0.0.5:22", &listener));
        assert!(strange.works() && friendly.works() && idle.works(), "{:?}", host.faults());

        let revision = host.tell([group(1, vec![friends])], []);
        slow.until_about();
        assert!(strange.is_cut(), "what lets it pass is gone");
        assert!(friendly.works() && friendly.works(), "another rule lets it pass");
        assert!(closed("stranger", "10.0.0.5:22"), "nor can it begin anew");
        slow.open();
        host.wait(&format!("group/{}", group_id(1)), revision);
        assert!(idle.is_cut(), "it has said nothing meanwhile");
        assert!(friendly.works() && friendly.works(), "and goes on");
        let chains = sh("nft list ruleset");
        assert!(!chains.contains("chain cuts") && !chains.contains("set cut-"), "nothing is left of it: {chains}");
    });
}
