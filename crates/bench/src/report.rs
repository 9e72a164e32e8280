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
    /// What was measured on the host.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// One line of the table of the data plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured: `one port: plug to first ping`.
    pub what: String,
    /// In which unit: `ms`, `packets`.
    pub unit: String,
    /// Number of measurements.
    pub rounds: usize,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
    /// What it should be.
    pub goal: Option<Goal>,
    /// Processor time of the processes under test in each round, mean, in ms.
    pub cpu_ms: Option<f64>,
    /// Share of all cores that other work took meanwhile, in percent.
    pub foreign_percent: Option<f64>,
    /// What a reader must know.
    pub note: String,
}

/// A bound.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Goal {
    /// Of the median.
    P50(f64),
    /// Of each measurement.
    Max(f64),
    /// Of the median, at least.
    Least(f64),
}

impl Figure {
    /// From single measurements.
    pub fn of(what: impl Into<String>, unit: &str, mut values: Vec<f64>) -> Figure {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (values.len() as f64 * share).ceil() as usize;
            values.get(rank.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
        };
        Figure {
            what: what.into(),
            unit: unit.to_owned(),
            rounds: values.len(),
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
            goal: None,
            cpu_ms: None,
            foreign_percent: None,
            note: String::new(),
        }
    }

    /// With what it should be.
    pub fn goal(self, goal: Goal) -> Figure {
        Figure { goal: Some(goal), ..self }
    }

    /// With what was metered over all rounds.
    pub fn metered(self, (cpu_ms, foreign_percent): (f64, f64)) -> Figure {
        Figure { cpu_ms: Some(cpu_ms / self.rounds.max(1) as f64), foreign_percent: Some(foreign_percent), ..self }
    }

    /// With what a reader must know.
    pub fn note(self, note: impl Into<String>) -> Figure {
        Figure { note: note.into(), ..self }
    }

    /// True when it has no goal or meets it.
    pub fn is_met(&self) -> bool {
        match self.goal {
            None => true,
            Some(Goal::P50(most)) => self.p50 <= most,
            Some(Goal::Max(most)) => self.max <= most,
            Some(Goal::Least(least)) => self.p50 >= least,
        }
    }

    fn goal_text(&self) -> String {
        let met = if self.is_met() { "met" } else { "**missed**" };
        match self.goal {
            None => String::new(),
            Some(Goal::P50(most)) => format!("p50 ≤ {most} {met}"),
            Some(Goal::Max(most)) => format!("max ≤ {most} {met}"),
            Some(Goal::Least(least)) => format!("p50 ≥ {least} {met}"),
        }
    }
}

const FIGURES_HEAD: &str =
    "| what | rounds | p50 | p99 | max | unit | goal | cpu ms/round | foreign | note |\n|---|---|---|---|---|---|---|---|---|---|";

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let optional = |value: Option<f64>, unit: &str| value.map(|value| format!("{value:.0}{unit}")).unwrap_or_default();
        write!(
            f,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {} | {} | {} | {} | {} |",
            self.what,
            self.rounds,
            self.p50,
            self.p99,
            self.max,
            self.unit,
            self.goal_text(),
            optional(self.cpu_ms, ""),
            optional(self.foreign_percent, "%"),
            self.note
        )
    }
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

/// Puts figures into the run with this label, in place of those of the same names, and prints them.
/// The names of those that miss their goal.
pub fn figures(path: &Path, label: &str, figures: Vec<Figure>) -> Result<Vec<String>> {
    println!("{FIGURES_HEAD}");
    figures.iter().for_each(|figure| println!("{figure}"));
    let missed = figures.iter().filter(|figure| !figure.is_met()).map(|figure| figure.what.clone()).collect();
    add(path, label, |run| {
        run.figures.retain(|there| !figures.iter().any(|figure| figure.what == there.what));
        run.figures.extend(figures);
    })?;
    Ok(missed)
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
    if !run.figures.is_empty() {
        println!("{FIGURES_HEAD}");
        run.figures.iter().for_each(|figure| println!("{figure}"));
        println!();
    }
    if !run.rows.is_empty() || run.cold_start.is_some() {
        api_table(run);
    }
}

fn api_table(run: &Run) {
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
    for (ports, theirs) in &peer.memory_at {
        let Some((_, own)) = ours.memory_at.iter().find(|(there, _)| there == ports) else { continue };
        println!("- memory at {ports} ports: 1/{:.1}", *theirs as f64 / (*own).max(1) as f64);
    }
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
