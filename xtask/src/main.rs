//! Tasks of the repository: `cargo xtask up`, `test`, `ci`, `tidy`, `bench`, `down`.
//!
//! On a bare Debian 12 with Rust these install what they need. Few dependencies, so that the first answer comes in seconds.

mod bench;
mod ci;
mod conformance;
mod demo;
mod licences;
mod packages;
mod python;
mod server;
mod shell;
mod test;
mod tidy;
mod up;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask up [--state DIR] [--listen ADDR:PORT] [--keep | --once] [--debug]
    Installs system packages, builds, starts everything and shows it on real packets; then stays up.
    --keep leaves it running in the background, --once takes it all down again; --debug builds without optimisation.
cargo xtask down [--state DIR] [--debug]
    Stops what `up` left running and removes every object it made.
cargo xtask test [--allow-skips] [FILTER]
    Installs what tests need and runs them all.
cargo xtask ci
    What CI runs: formatting, lints, tidy, licences, tests.
cargo xtask tidy
    Checks layers of crates, file sizes, dead files.
cargo xtask licences
    Checks the licences of all dependencies.
cargo xtask conformance [--list FILE] [--only TEXT] [--concurrency N] [--debug] [--quick]
    Runs upstream's API suites against this server with a real Keystone, and compares with the list of ids. --quick: the part that CI runs.
cargo xtask bench api [--peer] | wire | l3 | restart | crash [OPTIONS]
    Measures; `--peer` measures upstream beside it; `bench <which> --help` shows the options.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    std::env::set_current_dir(root())?;
    match task {
        "up" => up::up(&up::Options::parse(rest)?),
        "down" => up::down(&up::Options::parse(rest)?),
        "test" => test::test(&test::Options::parse(rest)?),
        "ci" => ci::ci(),
        "tidy" => tidy::tidy(),
        "licences" => licences::check(),
        "conformance" => conformance::conformance(rest),
        "bench" => bench::bench(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task '{other}'\n{USAGE}"),
    }
}

/// The repository.
fn root() -> PathBuf {
    // As cargo says it now, not as it was when this was built: checkouts may share a target directory.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(PathBuf::from).unwrap_or(own)
}
