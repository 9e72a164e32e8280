//! Many ports at once, against the same links plugged by hand with raw netlink on the same kernel in the same run.

use crate::lab::instance::{Instance, Nic, plug_many};
use crate::lab::namespace::Netns;
use crate::lab::rtnl::{Rtnl, bridge, enslave};
use crate::probe::{Engine, Pace, ProbeId};
use crate::process::{Meter, own_cpu};
use crate::report::{Figure, Goal};
use crate::wire::Stage;
use crate::wire::ms_between;
use crate::wire::stage::{down, echoes};
use anyhow::{Context, Result, ensure};
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
/// Between two looks at the list of ports that are not `ACTIVE`.
const LOOK: Duration = Duration::from_millis(10);

struct Round {
    plugged: f64,
    first_ping: f64,
    all_ping: f64,
    all_active: f64,
    agent_cpu: f64,
}

struct Hand {
    netlink: f64,
    netlink_cpu: f64,
    all_ping: f64,
}

pub(super) fn run(stage: &mut Stage, count: usize, rounds: usize) -> Result<Vec<Figure>> {
    let meter = Meter::start(stage.agent_group());
    let mut ours = Vec::new();
    for _ in 0..rounds {
        ours.push(round(stage, count)?);
    }
    let (_, foreign) = meter.read();
    let hands = (0..rounds).map(|_| by_hand(&mut stage.engine, count)).collect::<Result<Vec<_>>>()?;
    let figure = |what: &str, unit: &str, values: Vec<f64>| Figure::of(format!("{count} ports at once: {what}"), unit, values);
    let of = |of: fn(&Round) -> f64| ours.iter().map(of).collect::<Vec<_>>();
    let hand = |of: fn(&Hand) -> f64| hands.iter().map(of).collect::<Vec<_>>();
    let note = format!("probes each {} ms", Pace::first_of(count).interval.as_secs_f64() * 1000.0);
    let all_ping = figure("first plug to all ping", "ms", of(|round| round.all_ping)).goal(Goal::Max(500.0)).note(note);
    let raw = figure("by hand: veth, enslave, up", "ms", hand(|hand| hand.netlink)).note("raw netlink, 50 messages in a send");
    let raw_ping = figure("by hand: to all ping", "ms", hand(|hand| hand.all_ping));
    let ratio = figure("all ping, in times of the raw netlink cost", "times", vec![all_ping.p50 / raw.p50]).goal(Goal::Max(3.0));
    let raw_cpu = figure("by hand: processor time of the netlink calls", "ms", hand(|hand| hand.netlink_cpu));
    let cpu = figure("processor time of the agent's process", "ms", of(|round| round.agent_cpu));
    Ok(vec![
        figure("plugging itself", "ms", of(|round| round.plugged)),
        figure("first plug to first ping", "ms", of(|round| round.first_ping)),
        Figure { foreign_percent: Some(foreign), ..all_ping },
        figure("first plug to all ACTIVE", "ms", of(|round| round.all_active)).goal(Goal::Max(1000.0)).note("list asked each 10 ms"),
        cpu,
        raw,
        raw_ping,
        raw_cpu,
        ratio,
    ])
}

fn round(stage: &mut Stage, count: usize) -> Result<Round> {
    let ports = stage.api.create_ports(count, &stage.port(&[&stage.open_group]))?;
    let nics = ports.iter().map(Nic::of).collect::<Result<Vec<_>>>()?;
    let mut instances = Instance::many(count)?;
    let to = stage.reference_nic.address;
    let probes = echoes(&mut stage.engine, &instances, |_| to)?;
    let known = stage.known(nics.iter().collect());
    stage.reference.learn(&known)?;
    let mut watcher = stage.api.another()?;
    ensure!(down(&mut watcher, &stage.network)? == count, "new ports are not DOWN before their plug");
    let network = stage.network.clone();
    let reference = stage.known(vec![&stage.reference_nic]);
    stage.engine.start(&probes, Pace::first_of(count))?;
    let meter = Meter::start(stage.agent_group());
    let start = Instant::now();
    let (plugged, all_ping, all_active) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| none_down(&mut watcher, &network, start));
        plug_many(&mut stage.host, &mut instances, &nics, |_| reference.clone())?;
        let plugged = Instant::now();
        let all_ping = stage.engine.all_arrived(&probes, LONG);
        let active = watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        anyhow::Ok((plugged, all_ping, active))
    })?;
    let (agent_cpu, _) = meter.read();
    let tallies = stage.engine.tallies(&probes);
    let answered = tallies.iter().filter(|tally| tally.first.is_some()).count();
    let all_ping = all_ping.with_context(|| format!("{answered} of {count} ports answer ping"))?;
    let first_ping = tallies.iter().filter_map(|tally| tally.first).min().unwrap_or(all_ping);
    stage.engine.remove(&probes)?;
    stage.remove(instances, &nics)?;
    let round = Round {
        plugged: ms_between(start, plugged),
        first_ping: ms_between(start, first_ping),
        all_ping: ms_between(start, all_ping),
        all_active: ms_between(start, all_active),
        agent_cpu,
    };
    eprintln!("  {count} ports: all ping after {:.0} ms, all ACTIVE after {:.0} ms", round.all_ping, round.all_active);
    Ok(round)
}

fn none_down(api: &mut crate::lab::api::Api, network: &str, start: Instant) -> Result<Instant> {
    loop {
        let left = down(api, network)?;
        let now = Instant::now();
        if left == 0 {
            return Ok(now);
        }
        ensure!(now < start + LONG, "{left} ports are not ACTIVE");
        sleep(LOOK);
    }
}

/// The same links and probes in a host of its own, without anybody in between.
fn by_hand(engine: &mut Engine, count: usize) -> Result<Hand> {
    let host_netns = Netns::new()?;
    let mut host = host_netns.enter(Rtnl::open)?;
    host.batch(&mut [bridge("by-hand")])?;
    let master = host.index("by-hand")?.context("the bridge that was just made")?;
    let nics: Vec<Nic> = (0..=count).map(hand_nic).collect();
    let (reference_nic, nics) = nics.split_last().context("at least one NIC")?;
    let mut instances = Instance::many(count + 1)?;
    let mut reference = instances.pop().context("at least one instance")?;
    crate::lab::instance::plug(&mut host, &reference, reference_nic)?;
    reference.configure(reference_nic, &nics.iter().collect::<Vec<_>>())?;
    host.batch(&mut [enslave(&reference_nic.device, master)])?;
    let probes: Vec<ProbeId> = echoes(engine, &instances, |_| reference_nic.address)?;
    // First without probes, for the cost of the calls alone.
    let cpu = own_cpu();
    let start = Instant::now();
    wire_by_hand(&mut host, master, &mut instances, nics, reference_nic)?;
    let (netlink, netlink_cpu) = (ms_between(start, Instant::now()), (own_cpu().saturating_sub(cpu)).as_secs_f64() * 1000.0);
    engine.remove(&probes)?;
    drop(instances);
    for nic in nics {
        while host.index(&nic.device)?.is_some() {
            sleep(Duration::from_millis(1));
        }
    }
    let mut instances = Instance::many(count)?;
    let renamed: Vec<Nic> = nics.iter().map(|nic| Nic { device: format!("again{}", &nic.device[4..]), ..nic.clone() }).collect();
    let probes: Vec<ProbeId> = echoes(engine, &instances, |_| reference_nic.address)?;
    engine.start(&probes, Pace::first_of(count))?;
    let start = Instant::now();
    wire_by_hand(&mut host, master, &mut instances, &renamed, reference_nic)?;
    let all_ping = engine.all_arrived(&probes, LONG).context("links plugged by hand do not answer ping")?;
    engine.remove(&probes)?;
    Ok(Hand { netlink, netlink_cpu, all_ping: ms_between(start, all_ping) })
}

fn wire_by_hand(host: &mut Rtnl, master: u32, instances: &mut [Instance], nics: &[Nic], reference: &Nic) -> Result<()> {
    for (instances, nics) in instances.chunks_mut(50).zip(nics.chunks(50)) {
        plug_many(host, instances, nics, |_| vec![reference])?;
        let mut messages: Vec<_> = nics.iter().map(|nic| enslave(&nic.device, master)).collect();
        host.batch(&mut messages)?;
    }
    Ok(())
}

fn hand_nic(number: usize) -> Nic {
    let [high, low] = (number as u16 + 2).to_be_bytes();
    Nic {
        port: String::new(),
        device: format!("hand{number}"),
        mac: [0xfa, 0x16, 0x3e, 0xff, high, low],
        address: Ipv4Addr::new(10, 20, high, low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probes and the plugging, on a bridge made by hand.
    #[test]
    fn links_by_hand_carry_probes() {
        if !nix::unistd::geteuid().is_root() {
            println!("SKIPPED: network namespaces need root");
            return;
        }
        let mut engine = Engine::start_thread().unwrap();
        let hand = by_hand(&mut engine, 60).unwrap();
        assert!(hand.netlink > 0.0 && hand.all_ping > 0.0, "{} {}", hand.netlink, hand.all_ping);
    }
}
