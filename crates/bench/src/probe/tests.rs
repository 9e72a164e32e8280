//! Probes on a bridge made by hand.

use super::*;
use crate::lab::events::{Events, told};
use crate::lab::instance::{Nic, plug, plug_many};
use crate::lab::namespace::Netns;
use crate::lab::objects::{differences, inside};
use crate::lab::rtnl::{Rtnl, bridge as bridge_message, delete, enslave, up};
use std::io::Write;
use std::process::{Command, Stdio};

/// A host with a bridge, and instances on it.
pub struct Bridge {
    pub host_netns: Netns,
    pub host: Rtnl,
    pub instances: Vec<Instance>,
    pub nics: Vec<Nic>,
    pub engine: Engine,
}

impl Bridge {
    /// Carries out nft commands on the host.
    pub fn nft(&self, commands: &str) {
        let status = self.host_netns.enter(|| {
            let mut child = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
            child.stdin.take().unwrap().write_all(commands.replace("; add", "\nadd").as_bytes())?;
            Ok(child.wait()?)
        });
        assert!(status.unwrap().success(), "{commands}");
    }
}

/// `None`, said aloud, for those who cannot make namespaces.
pub fn bridge(count: usize) -> Option<Bridge> {
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: network namespaces need root");
        return None;
    }
    let host_netns = Netns::new().unwrap();
    let mut host = host_netns.enter(Rtnl::open).unwrap();
    host.batch(&mut [bridge_message("br")]).unwrap();
    let master = host.index("br").unwrap().unwrap();
    let nics: Vec<Nic> = (0..count as u8)
        .map(|number| Nic {
            port: String::new(),
            device: format!("tap{number}"),
            mac: [0xfa, 0x16, 0x3e, 0, 0, number + 1],
            address: Ipv4Addr::new(10, 20, 0, number + 1),
        })
        .collect();
    let mut instances = Instance::many(count).unwrap();
    plug_many(&mut host, &mut instances, &nics, |_| nics.iter().collect()).unwrap();
    let mut messages: Vec<_> = nics.iter().map(|nic| enslave(&nic.device, master)).collect();
    host.batch(&mut messages).unwrap();
    Some(Bridge { host_netns, host, instances, nics, engine: Engine::start_thread().unwrap() })
}

const LONG: Duration = Duration::from_secs(10);

#[test]
fn echo_counts_what_is_lost() {
    let Some(mut bridge) = bridge(2) else { return };
    let probe = bridge.engine.add(Probe::echo(&bridge.instances[0], bridge.nics[1].address).unwrap()).unwrap();
    bridge.engine.start(&[probe], Pace::steady(Duration::from_millis(1))).unwrap();
    bridge.engine.all_arrived(&[probe], LONG).unwrap();
    bridge.nft("table bridge t { chain c { type filter hook forward priority 0; policy drop; }; }");
    let closed = Instant::now();
    bridge.engine.all_silent(&[probe], closed, Duration::from_millis(100), LONG).unwrap();
    bridge.nft("flush ruleset");
    let opened = Instant::now();
    while bridge.engine.tallies(&[probe])[0].last.unwrap() < opened {
        assert!(opened.elapsed() < LONG);
    }
    bridge.engine.stop(&[probe]).unwrap();
    bridge.engine.all_silent(&[probe], Instant::now(), Duration::from_millis(100), LONG).unwrap();
    let tally = bridge.engine.tallies(&[probe]).remove(0);
    let lost = tally.sent - tally.received;
    assert!((50..=tally.longest_gap.as_millis() as u64 + 5).contains(&lost), "{tally:?}");
    assert!(tally.longest_gap >= Duration::from_millis(90) && tally.duplicates == 0, "{tally:?}");
}

#[test]
fn an_open_bridge_loses_nothing() {
    let Some(mut bridge) = bridge(20) else { return };
    let nics = &bridge.nics;
    let probes: Vec<_> =
        (0..20).map(|at| bridge.engine.add(Probe::echo(&bridge.instances[at], nics[(at + 1) % 20].address).unwrap()).unwrap()).collect();
    bridge.engine.start(&probes, Pace::steady(Duration::from_millis(20))).unwrap();
    bridge.engine.all_arrived(&probes, LONG).unwrap();
    while bridge.engine.tallies(&probes).iter().any(|tally| tally.sent < 20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    bridge.engine.stop(&probes).unwrap();
    bridge.engine.all_silent(&probes, Instant::now(), Duration::from_millis(100), LONG).unwrap();
    for tally in bridge.engine.tallies(&probes) {
        assert_eq!((tally.sent - tally.received, tally.duplicates), (0, 0), "{tally:?}");
    }
}

#[test]
fn dhcp_gets_its_lease() {
    let Some(mut bridge) = bridge(1) else { return };
    if Command::new("dnsmasq").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("SKIPPED: there is no dnsmasq");
        return;
    }
    let mut server = bridge
        .host_netns
        .enter(|| {
            Rtnl::open()?.batch(&mut [up("lo")])?;
            let index = Rtnl::open()?.index("br")?.unwrap();
            Rtnl::open()?.batch(&mut [crate::lab::rtnl::address(index, Ipv4Addr::new(10, 20, 9, 1), 16)])?;
            let arguments = "--keep-in-foreground --conf-file=/dev/null --port=0 --bind-interfaces --interface=br --leasefile-ro \
                --dhcp-range=10.20.0.0,static --dhcp-host=fa:16:3e:00:00:09,10.20.3.3 --pid-file";
            Ok(Command::new("dnsmasq").args(arguments.split_whitespace()).stderr(Stdio::null()).spawn()?)
        })
        .unwrap();
    // A client that has no address.
    let mut client = Instance::new().unwrap();
    let nic = Nic { device: "client".to_owned(), mac: [0xfa, 0x16, 0x3e, 0, 0, 9], ..bridge.nics[0].clone() };
    plug(&mut bridge.host, &client, &nic).unwrap();
    client.raise().unwrap();
    let master = bridge.host.index("br").unwrap().unwrap();
    bridge.host.batch(&mut [enslave("client", master)]).unwrap();
    let probe = bridge.engine.add(Probe::dhcp(&client, nic.mac).unwrap()).unwrap();
    bridge.engine.start(&[probe], Pace { interval: Duration::from_millis(10), until_first: true }).unwrap();
    let leased = bridge.engine.all_arrived(&[probe], LONG);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(leased.is_some());
    assert_eq!(bridge.engine.tallies(&[probe])[0].lease, Some(Ipv4Addr::new(10, 20, 3, 3)));
}

#[test]
fn touched_objects_are_seen() {
    let Some(mut bridge) = bridge(2) else { return };
    bridge.nft("table bridge t { set s { type ipv4_addr; }; chain c { counter accept; }; }");
    let mut events = bridge.host_netns.enter(Events::listen).unwrap();
    let look = |bridge: &Bridge| bridge.host_netns.enter(|| inside("host")).unwrap();
    let before = look(&bridge);
    // The same rule again, in place of the old one, has another handle; the same link has another index.
    bridge.nft("flush chain bridge t c; add rule bridge t c counter accept");
    bridge.nft("add element bridge t s { 10.0.0.1 }");
    let told = told(&events.take().unwrap());
    for what in ["1 nft delete rule", "1 nft new rule", "1 nft new element"] {
        assert!(told.contains(what), "{told}");
    }
    bridge.host.batch(&mut [delete("tap1")]).unwrap();
    let differences = differences(&before, &look(&bridge)).join("\n");
    for what in ["+ host: nft table bridge t { # handle 1 / chain c", "+ host: nft table bridge t { # handle 1 / set s", "tap1"] {
        assert!(differences.contains(what), "{what} in {differences}");
    }
}
