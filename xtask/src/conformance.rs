//! `cargo xtask conformance`: upstream's API suites against this server, with a real Keystone and a real agent.
//!
//! Everything runs on loopback of namespaces made for it by `lab/conformance/run.sh`; this installs what that needs before.

use crate::shell::{command, status, step};
use crate::{packages, python};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf, absolute};

/// The tests that pass with the reference on a machine like this.
const ALL: &str = "lab/conformance/ids.txt";
/// Some of them about each resource: those that CI runs.
const QUICK: &str = "lab/conformance/quick.txt";

/// What to run.
struct Options {
    list: PathBuf,
    only: Option<String>,
    concurrency: u32,
    is_debug: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options { list: ALL.into(), only: None, concurrency: 2, is_debug: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--list" => options.list = value()?.into(),
                "--only" => options.only = Some(value()?.clone()),
                "--concurrency" => options.concurrency = value()?.parse().context("--concurrency needs a number")?,
                "--debug" => options.is_debug = true,
                "--quick" => (options.list, options.is_debug) = (QUICK.into(), true),
                other => bail!("'{other}' is no option; there are --list FILE, --only TEXT, --concurrency N, --debug and --quick"),
            }
        }
        Ok(options)
    }

    /// The ids asked for: those of the list that contain the text.
    fn ids(&self) -> Result<String> {
        let all = fs::read_to_string(&self.list).with_context(|| format!("reading {}", self.list.display()))?;
        let wanted = |line: &&str| !line.trim().is_empty() && self.only.as_ref().is_none_or(|only| line.contains(only.as_str()));
        let ids: Vec<&str> = all.lines().filter(wanted).collect();
        ensure!(!ids.is_empty(), "no test of {} contains {:?}", self.list.display(), self.only.as_deref().unwrap_or_default());
        Ok(ids.join("\n") + "\n")
    }
}

/// Runs the suites; fails when a test does.
pub fn conformance(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let ids = options.ids()?;
    packages::for_tests()?;
    let keystone = python::environment("keystone", &python::KEYSTONE, Some(Path::new("lab/peer/constraints-server.txt")))?;
    let suites = python::environment("suites", &python::SUITES, Some(Path::new("lab/peer/constraints-test.txt")))?;
    let mut build = vec!["cargo", "build", "--locked", "--package", "neutrino"];
    if !options.is_debug {
        build.push("--release");
    }
    step("building", &build)?;
    let neutrino = absolute(if options.is_debug { "target/debug/neutrino" } else { "target/release/neutrino" })?;
    let run = absolute("target/conformance")?;
    if run.exists() {
        fs::remove_dir_all(&run).with_context(|| format!("removing {}", run.display()))?;
    }
    fs::create_dir_all(&run)?;
    let list = run.join("asked");
    fs::write(&list, ids)?;
    let concurrency = options.concurrency.to_string();
    let paths = [&neutrino, &keystone, &suites, &run, &list].map(|path| path.to_string_lossy().into_owned());
    let mut words = vec!["unshare", "--net", "--mount", "lab/conformance/run.sh"];
    words.extend(paths.iter().map(String::as_str));
    words.push(&concurrency);
    status(&mut command(&words), "conformance").context("results are in target/conformance/results.json, logs in target/conformance/log")
}
