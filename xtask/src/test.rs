//! `cargo xtask test`: all tests of the workspace, and a count of those that this machine cannot run.
//!
//! A test that cannot run prints `SKIPPED: ` and the reason. Their number must be the one in `xtask/skipped.toml`, so that a
//! test does not stop running unnoticed.

use crate::shell::{command, output, step};
use crate::{packages, python};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{PathBuf, absolute};
use std::process::Stdio;
use std::time::Instant;

/// Features that are off by default and have tests.
pub const FEATURES: &str = "--features=notifications/amqp";

const LOG: &str = "target/test-output.log";
const EXPECTED: &str = "xtask/skipped.toml";
const SKIPPED: &str = "SKIPPED: ";

/// Options of the task.
#[derive(Debug, Default)]
pub struct Options {
    allow_skips: bool,
    filter: Vec<String>,
}

impl Options {
    /// Reads them from the command line.
    pub fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options::default();
        for argument in arguments {
            match argument.as_str() {
                "--allow-skips" => options.allow_skips = true,
                other if other.starts_with('-') => bail!("'{other}' is no option of this task; see `cargo xtask help`"),
                filter => options.filter.push(filter.to_owned()),
            }
        }
        Ok(options)
    }
}

#[derive(Deserialize)]
struct Expected {
    skipped: Vec<String>,
}

/// Installs what tests need and runs them.
pub fn test(options: &Options) -> Result<()> {
    let start = Instant::now();
    packages::for_tests()?;
    if !packages::is_root()? {
        bail!("tests make network namespaces and need root; run this as root");
    }
    let (clients, schemathesis) = (python::clients()?, python::schemathesis()?);
    let guest = guest_image()?;
    fs::create_dir_all("target")?;
    fs::write(LOG, "")?;
    eprintln!("── building and running tests; all they print goes to {LOG}");
    let run = |more: &[&str]| -> Result<(Seen, bool)> {
        let words = [&["cargo", "test", "--workspace", FEATURES, "--locked", "--no-fail-fast", "--", "--show-output"], more].concat();
        let mut command = command(&words);
        command.env("OPENSTACK_CLIENTS", &clients).env("SCHEMATHESIS", &schemathesis).env("NEUTRINO_GUEST_IMAGE", &guest);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("running cargo")?;
        let seen = Seen::read(BufReader::new(child.stdout.take().expect("piped above")))?;
        Ok((seen, child.wait()?.success()))
    };
    let filter: Vec<&str> = options.filter.iter().map(String::as_str).collect();
    let (mut seen, mut success) = run(&filter)?;
    if !success && !seen.failed.is_empty() {
        let names: Vec<&str> = seen.failed.iter().map(String::as_str).collect();
        eprintln!("── once more, one at a time, in case the machine was too busy for their deadlines: {}", names.join(", "));
        let (again, passed) = run(&[&["--exact", "--test-threads=1"], names.as_slice()].concat())?;
        (seen.passed, success) = (seen.passed + seen.failed.len() - again.failed.len(), passed);
        seen.failed = again.failed;
    }
    eprintln!("── done in {:.0} s", start.elapsed().as_secs_f64());
    for test in &seen.failed {
        eprintln!("   FAILED {test}");
    }
    println!("{} passed, {} failed, {} skipped", seen.passed, seen.failed.len(), seen.skipped.len());
    if !success {
        bail!("tests failed; what they printed is in {LOG}");
    }
    if seen.passed == 0 {
        bail!("no test ran");
    }
    if options.filter.is_empty() { seen.check_skipped(options.allow_skips) } else { Ok(()) }
}

/// What QEMU guests boot, fetched where there is a network: tests have none.
fn guest_image() -> Result<PathBuf> {
    let directory = absolute("target/guest")?;
    step("building", &["cargo", "build", "--locked", "--package", "neutrino"])?;
    let words = ["target/debug/neutrino", "instance", "image", "--guest-image", &directory.to_string_lossy()];
    output(&words).context("fetching a kernel for guests; is this machine online?")?;
    Ok(directory)
}

/// What the tests reported.
#[derive(Debug, Default)]
struct Seen {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Seen {
    /// Reads the output to its end, keeps it in the log, and shows what matters.
    fn read(output: impl BufRead) -> Result<Seen> {
        let mut log = OpenOptions::new().create(true).append(true).open(LOG).with_context(|| format!("creating {LOG}"))?;
        let mut seen = Seen::default();
        let mut failures = false;
        for line in output.split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(log, "{line}")?;
            failures = (failures || line == "failures:") && !line.starts_with("test result:");
            if failures || line.starts_with("test result: FAILED") {
                eprintln!("{line}");
            }
            seen.line(&line);
        }
        Ok(seen)
    }

    fn line(&mut self, line: &str) {
        // Not always at its beginning: a test in namespaces of its own says it behind its name.
        if let Some((_, rest)) = line.split_once(SKIPPED) {
            eprintln!("   skipped: {rest}");
            self.skipped.push(rest.to_owned());
        } else if let Some(test) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failed.push(test.to_owned());
        } else if line.starts_with("test ") && line.ends_with(" ... ok") {
            self.passed += 1;
        }
    }

    fn check_skipped(&self, allow: bool) -> Result<()> {
        let text = fs::read_to_string(EXPECTED).with_context(|| format!("reading {EXPECTED}"))?;
        let expected: Expected = toml::from_str(&text).with_context(|| format!("reading {EXPECTED}"))?;
        if self.skipped.len() == expected.skipped.len() {
            return Ok(());
        }
        let message = format!("{} tests were skipped, but {EXPECTED} expects {}", self.skipped.len(), expected.skipped.len());
        if allow {
            eprintln!("── {message}");
            return Ok(());
        }
        bail!("{message}; if this machine cannot run them, pass --allow-skips")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_tests_report() {
        let mut seen = Seen::default();
        for line in
            ["running 3 tests", "test a::b ... ok", "test a::c ... FAILED", "test d ... ok", "SKIPPED: VLAN devices: CONFIG_VLAN_8021Q"]
        {
            seen.line(line);
        }
        assert_eq!((seen.passed, seen.failed.as_slice()), (2, &["a::c".to_owned()][..]));
        assert_eq!(seen.skipped, ["VLAN devices: CONFIG_VLAN_8021Q"]);
    }
}
