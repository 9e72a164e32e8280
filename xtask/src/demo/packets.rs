//! What instances do: pings and TCP connections, run inside them.

use crate::server::{Place, neutrino};
use crate::shell::command;
use anyhow::{Context, Result, bail};
use client::wait_until;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Port of the service shown.
pub const PORT: u16 = 8080;
const TURN: Duration = Duration::from_secs(10);

/// Runs a command in an instance.
pub fn exec(place: &Place, instance: &str, words: &[&str]) -> Result<Output> {
    let state = place.state.to_string_lossy();
    let whole = [&[place.program, "instance", "exec", "--state", &state, instance, "--"][..], words].concat();
    command(&whole).stdin(Stdio::null()).output().with_context(|| format!("running {} in {instance}", words[0]))
}

/// The answer to a ping, in words.
pub fn ping(place: &Place, from: &str, to: &str) -> Result<String> {
    let output = exec(place, from, &["ping", "-n", "-c", "1", "-W", "2", to])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = text.lines().find(|line| line.contains("time="));
    match answer {
        Some(line) => Ok(line.split("bytes ").last().unwrap_or(line).to_owned()),
        None => bail!("no answer from {to}: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

/// Fails when anybody answers.
pub fn silence(place: &Place, from: &str, to: &str) -> Result<String> {
    let output = exec(place, from, &["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", to])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() || !text.contains("3 packets transmitted") {
        bail!("{to} should not be there for {from}: {}", text.trim());
    }
    Ok(format!("{from} → {to}: 3 sent, none answered"))
}

/// The MAC behind an address as an instance has learned it.
pub fn neighbour(place: &Place, of: &str, address: &str) -> Result<String> {
    let output = exec(place, of, &["ip", "-json", "neigh", "show", address])?;
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    list[0]["lladdr"].as_str().map(str::to_owned).with_context(|| format!("{of} knows no MAC of {address}"))
}

/// The MAC of an instance's port.
pub fn mac(place: &Place, name: &str) -> Result<String> {
    let list = neutrino(place, &["instance", "list"])?;
    let instance = list.as_array().and_then(|list| list.iter().find(|instance| instance["name"] == name));
    let mac = instance.and_then(|instance| instance["mac_address"].as_str());
    mac.map(str::to_owned).with_context(|| format!("there is no instance {name}"))
}

/// A listener in an instance; it ends with this value.
pub struct Listener(std::process::Child);

impl Listener {
    /// Listens on [`PORT`] and answers each connection with a line.
    pub fn start(place: &Place, instance: &str) -> Result<Listener> {
        let state = place.state.to_string_lossy();
        let port = PORT.to_string();
        let words = [
            place.program,
            "instance",
            "exec",
            "--state",
            &state,
            instance,
            "--",
            "busybox",
            "nc",
            "-ll",
            "-p",
            &port,
            "-e",
            "/bin/hostname",
        ];
        let child = command(&words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let listener = Listener(child.with_context(|| format!("running a listener in {instance}"))?);
        wait_until("the listener", TURN, || {
            let sockets = exec(place, instance, &["cat", "/proc/net/tcp", "/proc/net/tcp6"])?;
            let listening = format!(":{PORT:04X} ");
            let text = String::from_utf8_lossy(&sockets.stdout).into_owned();
            Ok::<_, anyhow::Error>(text.lines().any(|line| line.contains(&listening) && line.contains(" 0A ")).then_some(()))
        })?;
        Ok(listener)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// True when a TCP connection to [`PORT`] is made within a tenth of a second.
pub fn connects(place: &Place, from: &str, to: &str) -> Result<bool> {
    let open = format!("exec 3<>/dev/tcp/{to}/{PORT}");
    Ok(exec(place, from, &["timeout", "0.1", "bash", "-c", &open])?.status.success())
}

/// How long after `since` connections succeed, or fail, as wanted. A bound from above: each try starts processes.
pub fn until_tcp(place: &Place, from: &str, to: &str, wanted: bool, since: Instant) -> Result<Duration> {
    let what = format!("TCP {PORT} from {from} to {to} to {}", if wanted { "open" } else { "close" });
    Ok(wait_until(&what, TURN, || {
        let began = since.elapsed();
        let connected = connects(place, from, to)?;
        // What fails has failed since the try began; what succeeds has only now.
        Ok::<_, anyhow::Error>((connected == wanted).then(|| if wanted { since.elapsed() } else { began }))
    })?)
}
