//! A guest's DHCP client, timed by itself: plug to lease.

use crate::lab::instance::{Instance, Nic, plug};
use crate::probe::{Pace, Probe};
use crate::report::Figure;
use crate::wire::Stage;
use crate::wire::ms_between;
use anyhow::{Context, Result, ensure};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(10);

pub(super) fn run(stage: &mut Stage, rounds: usize) -> Result<Vec<Figure>> {
    let insistent = (0..rounds).map(|_| round(stage, insistent)).collect::<Result<_>>()?;
    let mut figures =
        vec![Figure::of("DHCP: plug to lease", "ms", insistent).note("DISCOVER and REQUEST each 10 ms; the address is the port's")];
    if Command::new("busybox").arg("udhcpc").arg("--help").stderr(Stdio::null()).stdout(Stdio::null()).status().is_ok() {
        let patient = (0..rounds).map(|_| round(stage, udhcpc)).collect::<Result<_>>()?;
        figures.push(Figure::of("DHCP: plug to lease by udhcpc", "ms", patient).note("started with the plug; asks again after 1 s"));
    } else {
        eprintln!("  SKIPPED: udhcpc: there is no busybox");
    }
    Ok(figures)
}

fn round(stage: &mut Stage, client: fn(&mut Stage, &Instance, &Nic) -> Result<Instant>) -> Result<f64> {
    let mut instance = Instance::new()?;
    let attributes = stage.port(&[&stage.open_group]);
    let nic = Nic::of(&stage.api.create("ports", attributes)?)?;
    let plugged = Instant::now();
    plug(&mut stage.host, &instance, &nic)?;
    instance.raise()?;
    let leased = client(stage, &instance, &nic)?;
    stage.unplug(&nic)?;
    stage.api.delete("ports", &nic.port)?;
    Ok(ms_between(plugged, leased))
}

fn insistent(stage: &mut Stage, instance: &Instance, nic: &Nic) -> Result<Instant> {
    let probe = stage.engine.add(Probe::dhcp(instance, nic.mac)?)?;
    stage.engine.start(&[probe], Pace { interval: INTERVAL, until_first: true })?;
    let leased = stage.engine.all_arrived(&[probe], LONG).context("no DHCP lease")?;
    let lease = stage.engine.tallies(&[probe])[0].lease;
    ensure!(lease == Some(nic.address), "the lease is {lease:?}, the port's address {}", nic.address);
    stage.engine.remove(&[probe])?;
    Ok(leased)
}

/// The script prints the address when it is bound; the client ends then.
fn udhcpc(_: &mut Stage, instance: &Instance, nic: &Nic) -> Result<Instant> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n[ \"$1\" = bound ] && echo \"bound $ip\"\nexit 0\n")?;
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let output = instance.netns.enter(|| {
        let mut command = Command::new("busybox");
        command.args(["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-t", "20", "-T", "1", "-s"]).arg(&script);
        Ok(command.stdin(Stdio::null()).stderr(Stdio::null()).output()?)
    })?;
    let leased = Instant::now();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.contains(&format!("bound {}", nic.address)), "udhcpc says '{}', the port's address is {}", said.trim(), nic.address);
    Ok(leased)
}
