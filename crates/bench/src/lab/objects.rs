//! All kernel objects of the host as lines, for comparing before with after: what was right must still be the same object.

use crate::lab::namespace::Netns;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINK: [&str; 9] = ["ifindex", "ifname", "flags", "mtu", "master", "operstate", "address", "ifalias", "link_netnsid"];

/// One line an object, with what the kernel numbers it by: interface index, rule handle, process id.
pub fn snapshot() -> Result<BTreeSet<String>> {
    let mut objects = inside("host")?;
    for path in named_namespaces()? {
        let name = path.display().to_string();
        objects.extend(Netns::at(&path)?.enter(|| inside(&name))?);
    }
    objects.extend(daemons());
    Ok(objects)
}

/// What was before and is not now, and the other way round.
pub fn differences(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let gone = before.difference(after).map(|line| format!("- {line}"));
    gone.chain(after.difference(before).map(|line| format!("+ {line}"))).collect()
}

/// The files of named namespaces.
pub fn named_namespaces() -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir("/run/netns")?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// The objects of the calling thread's namespace.
pub fn inside(place: &str) -> Result<BTreeSet<String>> {
    let links: Value = serde_json::from_str(&run("ip", &["-json", "-details", "link"])?)?;
    let mut lines: Vec<String> = links.as_array().into_iter().flatten().map(link).collect();
    for arguments in [["addr"].as_slice(), &["route", "show", "table", "all"], &["-6", "route", "show", "table", "all"]] {
        let arguments = [&["-o"], arguments].concat();
        lines.extend(run("ip", &arguments)?.lines().map(|line| format!("ip {}: {line}", arguments[1..].join(" "))));
    }
    lines.extend(run("ip", &["neigh", "show", "nud", "permanent"])?.lines().map(|line| format!("neighbour {line}")));
    let fixed = |line: &&str| line.contains("permanent") || line.contains("static");
    lines.extend(run("bridge", &["fdb", "show"])?.lines().filter(fixed).map(|line| format!("fdb {line}")));
    // An element's line says nothing of its set: lines carry the headings they stand under.
    let mut headings: Vec<String> = Vec::new();
    for line in run("nft", &["-s", "-a", "-n", "list", "ruleset"])?.lines() {
        let text = line.trim();
        if text == "}" {
            headings.pop();
            continue;
        }
        lines.push(format!("nft {} {text}", headings.join(" / ")));
        if text.split(" # handle").next().is_some_and(|text| text.ends_with('{') && !text.contains("elements")) {
            headings.push(text.to_owned());
        }
    }
    Ok(lines.into_iter().map(|line| format!("{place}: {}", line.trim_end())).collect())
}

fn link(link: &Value) -> String {
    let parts = LINK.iter().filter(|key| !link[**key].is_null()).map(|key| format!("{key}={}", link[*key]));
    format!("link {} kind={}", parts.collect::<Vec<_>>().join(" "), link["linkinfo"]["info_kind"])
}

fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("{program} is needed to compare objects"))?;
    ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Processes that outlive the agent, with their start times.
fn daemons() -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let daemon = |process: &Path| {
        let stat = fs::read_to_string(process.join("stat")).ok()?;
        let (head, tail) = stat.rsplit_once(") ")?;
        let (pid, name) = head.split_once(" (")?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        (name == "dnsmasq" && fields.first() != Some(&"Z"))
            .then(|| format!("daemon {name} {pid} started {}", fields.get(19).unwrap_or(&"")))
    };
    entries.filter_map(|entry| daemon(&entry.path())).collect()
}
