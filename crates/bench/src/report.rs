//! Results as JSON, tables and ratios.

use crate::load::Row;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All that was measured of one server.
#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub label: String,
    /// From start to first answers.
    pub cold_start: Option<ColdStart>,
    /// Resident memory of all its processes before the load.
    pub memory_before_kib: u64,
    /// And after.
    pub memory_after_kib: u64,
    /// Its processes.
    pub processes: usize,
    /// Resident memory (KiB) at numbers of ports.
    pub memory_at: Vec<(usize, u64)>,
    /// The phases.
    pub rows: Vec<Row>,
}

/// From start to first answers.
#[derive(Clone, Serialize, Deserialize)]
pub struct ColdStart {
    /// To the first 200 of `GET /`.
    pub root_ms: f64,
    /// To the first 200 of `GET /v2.0/networks`.
    pub networks_ms: f64,
    /// Rounds of which this is the median.
    pub rounds: usize,
}

/// Changes the run with this label in a result file.
pub fn add(path: &Path, label: &str, with: impl FnOnce(&mut Run)) -> Result<()> {
    let mut runs: BTreeMap<String, Run> = match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is not a result file", path.display()))?,
        Err(_) => BTreeMap::new(),
    };
    let run = runs.entry(label.to_owned()).or_default();
    run.label = label.to_owned();
    with(run);
    fs::write(path, serde_json::to_string_pretty(&runs)?)?;
    Ok(())
}

/// Writes the tables of the files to standard output; with two runs or more, the ratios of the second to the first as well.
pub fn tables(files: &[PathBuf]) -> Result<()> {
    let mut runs = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        runs.extend(serde_json::from_str::<BTreeMap<String, Run>>(&text)?.into_values());
    }
    runs.iter().for_each(table);
    if let [peer, ours, ..] = runs.as_slice() {
        ratios(peer, ours);
    }
    Ok(())
}

fn table(run: &Run) {
    println!("## {}\n", run.label);
    if let Some(cold) = &run.cold_start {
        println!(
            "- cold start, median of {}: GET / after {:.1} ms, GET /v2.0/networks after {:.1} ms",
            cold.rounds, cold.root_ms, cold.networks_ms
        );
    }
    println!(
        "- memory (RSS) of {} processes: {} MiB before, {} MiB after the load",
        run.processes,
        run.memory_before_kib / 1024,
        run.memory_after_kib / 1024
    );
    for (ports, kib) in &run.memory_at {
        println!("- memory at {ports} ports: {} MiB", kib / 1024);
    }
    println!("\n| operation | conns | req/s | p50 ms | p99 ms | errors | bytes | server cpu ms/req | client cpu ms/req | foreign |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for row in &run.rows {
        println!(
            "| {} | {} | {:.1} | {:.3} | {:.3} | {}/{} | {} | {:.3} | {:.3} | {:.0}% |",
            row.operation,
            row.connections,
            row.rate,
            row.p50_ms,
            row.p99_ms,
            row.errors,
            row.requests,
            row.bytes,
            row.server_cpu_ms,
            row.client_cpu_ms,
            row.foreign_percent
        );
    }
    println!();
}

fn ratios(peer: &Run, ours: &Run) {
    println!("## {} against {}\n", ours.label, peer.label);
    if let (Some(theirs), Some(own)) = (&peer.cold_start, &ours.cold_start) {
        println!("- first answer after a cold start: {:.0} times sooner", theirs.networks_ms / own.networks_ms);
    }
    println!("- memory: 1/{:.1}", peer.memory_after_kib as f64 / ours.memory_after_kib.max(1) as f64);
    println!("\n| operation | conns | rate | p50 | processor time |");
    println!("|---|---|---|---|---|");
    for row in &ours.rows {
        let Some(other) = peer.rows.iter().find(|r| r.operation == row.operation && r.connections == row.connections) else { continue };
        println!(
            "| {} | {} | {:.0} times | {:.0} times shorter | 1/{:.0} |",
            row.operation,
            row.connections,
            row.rate / other.rate,
            other.p50_ms / row.p50_ms,
            other.server_cpu_ms / row.server_cpu_ms.max(1e-6)
        );
    }
    println!();
}
