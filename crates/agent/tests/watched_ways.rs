//! A router whose next hops are watched by BFD, with BIRD on the other side.

mod support;

use intent::{RouterIntent, Unit};
use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::lab::*;
use support::routed::*;
use support::ways::*;

/// BIRD on a machine.
struct Bird {
    machine: &'static str,
    directory: tempfile::TempDir,
    process: Child,
}

impl Bird {
    fn new(machine: &'static str, neighbours: &[&str]) -> Bird {
        let directory = tempfile::tempdir().expect("a directory");
        let neighbours: String = neighbours.iter().map(|address| format!("  neighbor {address} dev \"eth0\";\n")).collect();
        let bfd = "interface \"*\" { min rx interval 200 ms; min tx interval 200 ms; multiplier 3; };";
        let text = format!("router id 192.0.2.77;\nprotocol device {{}}\nprotocol bfd {{\n  {bfd}\n{neighbours}}}\n");
        fs::write(directory.path().join("bird.conf"), text).expect("written");
        let path = |name: &str| directory.path().join(name);
        let process = inside(machine, || {
            let files = [("-c", path("bird.conf")), ("-s", path("socket")), ("-P", path("pid"))];
            let words = files.into_iter().flat_map(|(option, path)| [PathBuf::from(option), path]);
            Command::new("bird").arg("-f").args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("BIRD is installed")
        });
        Bird { machine, directory, process }
    }

    /// Its sessions: with whom, in which state, since which millisecond of the day.
    fn sessions(&self) -> Vec<(String, String, u32)> {
        let socket = self.directory.path().join("socket");
        let (_, text) = inside(self.machine, || try_sh(&format!("birdc -s {} show bfd sessions", socket.display())));
        let rows = text.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [address, _, state, since, ..] = words[..] else { return None };
            let address: IpAddr = address.parse().ok()?;
            Some((address.to_string(), state.to_owned(), milliseconds(since)?))
        });
        rows.collect()
    }

    fn are_up(&self) -> bool {
        let sessions = self.sessions();
        sessions.len() == 2 && sessions.iter().all(|(_, state, _)| state == "Up")
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn watched(ecmp: bool) -> RouterIntent {
    RouterIntent { bfd: true, ..shared(ecmp, vec![first(), second()]) }
}

fn on_internet() -> Bird {
    Bird::new("internet", &["203.0.113.10", "2001:db8:9::10"])
}

fn on_machine() -> Bird {
    Bird::new("machine", &["192.0.2.10", "2001:db8:8::10"])
}

/// The process that watches, which outlives the agent.
fn start_watching(host: &Inside) {
    let (files, states) = (host.state().join("files"), host.state().join("bfd"));
    // The agent may not have made them yet.
    [&files, &states].into_iter().for_each(|directory| fs::create_dir_all(directory).expect("a directory"));
    let options = bfd::Options { files, states };
    std::thread::spawn(move || runtime().block_on(bfd::run(&options)).expect("it watches"));
}

/// The next hops of the default route of a family.
fn next_hops(version: u8) -> usize {
    let hop = ["203.0.113.1", "192.0.2.1", "2001:db8:9::1", "2001:db8:8::1"];
    let text = sh(&format!("ip -n {} -{version} route show default", qrouter(1)));
    hop.iter().filter(|hop| text.contains(&format!("via {hop} "))).count()
}

fn refused_packets() -> u64 {
    let text = sh(&format!("ip netns exec {} nft list chain inet neutrino input", qrouter(1)));
    let line = text.lines().find(|line| line.contains("BFD of others")).expect("the rule").to_owned();
    let (_, rest) = line.split_once("packets ").expect("a counter");
    rest.split_whitespace().next().and_then(|count| count.parse().ok()).expect("a number")
}

/// A packet that says that the session is down, for whoever believes it.
fn down(own: u32, other: u32) -> Vec<u8> {
    let numbers = [own, other, 1_000_000, 1_000_000, 0].map(u32::to_be_bytes);
    [&[0x20, 0x40, 3, 24][..], &numbers.concat()].concat()
}

fn send(from: &str, local: &str, to: &str, ttl: u32, packet: &[u8]) {
    let to: SocketAddr = format!("{to}:3784").parse().expect("an address");
    inside(from, || {
        let socket = UdpSocket::bind(format!("{local}:0")).expect("a socket");
        socket.set_ttl(ttl).expect("a time to live");
        socket.send_to(packet, to).expect("sent");
    });
}

/// `HH:MM:SS.mmm`.
fn milliseconds(time: &str) -> Option<u32> {
    let (whole, thousandths) = time.split_once('.')?;
    let seconds = whole.split(':').try_fold(0, |sum, part| part.parse().ok().map(|part: u32| sum * 60 + part))?;
    Some(seconds * 1000 + thousandths.parse::<u32>().ok()?)
}

/// The sessions are those of before, and up. BIRD looks at two clocks to say since when.
fn stay(before: &[(String, String, u32)], after: &[(String, String, u32)]) -> bool {
    let is_same = |(one, other): (&(String, String, u32), &(String, String, u32))| {
        (&one.0, &one.1) == (&other.0, &other.1) && other.1 == "Up" && one.2.abs_diff(other.2) < 10
    };
    before.len() == after.len() && before.iter().zip(after).all(is_same)
}

#[test]
fn a_next_hop_is_used_while_it_answers() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start_watching(host);
        on_the_scene(host, &watched(true));
        assert_eq!((next_hops(4), next_hops(6)), (2, 2), "all are used while none answers");
        until("that is said", || host.faults().values().any(|fault| fault.contains("is used, for no other answers either")));
        let one = on_internet();
        until("the session is up", || one.are_up());
        until("who does not answer is not used", || (next_hops(4), next_hops(6)) == (1, 1));
        assert_eq!(all(&answers(&flows("a", OUT))), [BY[0]].into());
        let other = on_machine();
        until("both are up", || other.are_up() && (next_hops(4), next_hops(6)) == (2, 2));
        until("nothing is amiss", || host.faults().is_empty());
        let (spread, six) = (flows("a", OUT), flows("d", OUT6));
        assert_eq!(all(&answers(&spread)), [BY[0], BY[1]].into(), "{:?}", host.faults());
        assert_eq!(all(&answers(&six)).len(), 2);
        // A silent one is left at once, by all that went through it.
        drop(other);
        let begin = Instant::now();
        until("it is noticed", || (next_hops(4), next_hops(6)) == (1, 1));
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
        assert_eq!(all(&answers(&spread)), [BY[0]].into(), "{:?}", host.faults());
        assert_eq!(all(&answers(&six)), ["internet fd00:2::8"].into());
        assert!(host.faults().values().any(|fault| fault.contains("192.0.2.1") && fault.contains("is not used: nothing is heard")));
        let other = on_machine();
        until("it is back", || other.are_up() && (next_hops(4), next_hops(6)) == (2, 2));
        until("new ones go there, too", || all(&answers(&flows("a", OUT))) == [BY[0], BY[1]].into());
    });
}

#[test]
fn sessions_outlive_the_agent_and_strangers_do_not_end_them() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start_watching(host);
        on_the_scene(host, &watched(false));
        let (one, other) = (on_internet(), on_machine());
        until("all are up", || one.are_up() && other.are_up());
        let sessions = || [one.sessions(), other.sessions()].concat();
        let before = sessions();
        // From elsewhere, from inside, and over a router.
        let refused = refused_packets();
        for (from, local, to, ttl) in [
            ("internet", "203.0.113.1", "203.0.113.10", 64),
            ("internet", "203.0.113.1", "203.0.113.10", 254),
            ("internet", "198.51.100.1", "203.0.113.10", 255),
            ("a", "10.0.1.5", "203.0.113.10", 255),
            ("a", "10.0.1.5", "10.0.1.1", 255),
        ] {
            send(from, local, to, ttl, &down(7, 0));
        }
        until("they are refused", || refused_packets() == refused + 5);
        // From the next hop itself, but of no session, too short, too long by its own word, of another version.
        for packet in [
            down(7, 1),
            down(0, 0),
            down(7, 0)[..23].to_vec(),
            [&[0x20, 0x40, 3, 99][..], &down(7, 0)[4..]].concat(),
            [&[0x60], &down(7, 0)[1..]].concat(),
        ] {
            send("internet", "203.0.113.1", "203.0.113.10", 255, &packet);
        }
        host.kill();
        let routes = || sh(&format!("ip -n {} -d route", qrouter(1)));
        let left = routes();
        host.start(scene().into_iter().chain(with_ports(&watched(false))).chain(beside()));
        host.wait(&format!("router/{}", router_id(1)), 0);
        assert_eq!(routes(), left, "nothing happened");
        assert!(stay(&before, &sessions()), "{before:?} {:?}", sessions());
        assert_eq!(all(&answers(&flows("a", OUT))), [BY[0]].into(), "by the first that answers");
        drop(one);
        until("the next takes over", || sh(&format!("ip -n {} route show default", qrouter(1))).contains("via 192.0.2.1 "));
        assert_eq!(all(&answers(&flows("a", OUT))), [BY[1]].into(), "{:?}", host.faults());
        host.change(Unit::Router(RouterIntent { bfd: false, ..watched(false) }));
        until("nobody is watched any more", || other.sessions().iter().all(|(_, state, _)| state != "Up"));
        assert_eq!(all(&answers(&flows("a", OUT))), [BY[0]].into(), "by the first, who answers or not");
    });
}
