//! The table of steps.

use anyhow::{Result, bail};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Of the table when it goes to a file.
const WIDTH: u16 = 140;

/// Steps so far. Each is printed as it ends.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

struct Step {
    what: String,
    detail: String,
    took: Duration,
    fine: bool,
}

impl Report {
    /// Does a step; its result says what is worth showing. The rest goes on after a failure.
    pub fn step(&mut self, what: &str, work: impl FnOnce() -> Result<String>) -> bool {
        let start = Instant::now();
        let result = work();
        self.add(what, start.elapsed(), result)
    }

    /// As [`Self::step`], for work that measures its own time.
    pub fn timed(&mut self, what: &str, work: impl FnOnce() -> Result<(Duration, String)>) -> bool {
        let start = Instant::now();
        match work() {
            Ok((took, detail)) => self.add(what, took, Ok(detail)),
            Err(error) => self.add(what, start.elapsed(), Err(error)),
        }
    }

    fn add(&mut self, what: &str, took: Duration, result: Result<String>) -> bool {
        let fine = result.is_ok();
        let detail = result.unwrap_or_else(|error| format!("{error:#}"));
        eprintln!("   {} {what}: {detail}", mark(fine));
        self.steps.push(Step { what: what.to_owned(), detail, took, fine });
        fine
    }

    /// Prints the table; fails when a step did.
    pub fn end(self) -> Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        if !std::io::stdout().is_terminal() {
            table.set_width(WIDTH);
        }
        table.set_header(["", "step", "ms", "what was seen"]);
        for step in &self.steps {
            let ms = format!("{:.1}", step.took.as_secs_f64() * 1000.0);
            table.add_row([mark(step.fine), &step.what, &ms, &step.detail]);
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}");
        match self.steps.iter().filter(|step| !step.fine).count() {
            0 => Ok(()),
            failed => bail!("{failed} of {} steps failed", self.steps.len()),
        }
    }
}

fn mark(fine: bool) -> &'static str {
    if fine { "✓" } else { "✗" }
}
