//! For tests of the whole: a machine of namespaces for each test, the real program in it, instances, packets.
//!
//! A test starts itself again in network, mount and process namespaces of its own ([`isolated`]), so that tests run side by
//! side on one machine, and nothing is left however one ends.

mod isolated;
mod lab;
mod scratch;
mod snapshot;
mod stand_in;

pub use client;
pub use isolated::isolated;
pub use lab::{Instance, Lab};
pub use scratch::Scratch;
pub use snapshot::Snapshot;
pub use stand_in::{Asked, Reply, StandIn};

use anyhow::Result;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// How many times as long as usual things may take: `NEUTRINO_TEST_PATIENCE`, for machines that are emulated.
pub fn patience() -> u32 {
    std::env::var("NEUTRINO_TEST_PATIENCE").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// How long a change may take to be in effect before a test fails.
pub fn turn() -> Duration {
    Duration::from_secs(20) * patience()
}

/// Defines tests that run in a machine of their own: `isolated_tests! { fn name() { body } … }`; a body answers with
/// `anyhow::Result<()>`.
#[macro_export]
macro_rules! isolated_tests {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {
        $(
            $(#[$meta])*
            #[test]
            fn $name() {
                fn body() -> ::anyhow::Result<()> $body
                $crate::isolated(concat!(module_path!(), "::", stringify!($name)), body);
            }
        )*
    };
}

/// Waits until a condition holds; fails with `what` after [`turn`].
pub fn eventually(what: &str, mut look: impl FnMut() -> Result<bool>) -> Result<()> {
    Ok(client::wait_until(what, turn(), || look().map(|holds| holds.then_some(())))?)
}

/// The command lines of all that runs on the machine.
pub fn processes() -> Result<Vec<String>> {
    let entries = std::fs::read_dir("/proc")?.filter_map(Result::ok);
    // One that ended but was not waited for has no command line.
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok()).filter(|command| !command.is_empty());
    Ok(commands.map(|command| String::from_utf8_lossy(&command).replace('\0', " ")).collect())
}

/// Runs a program and keeps what it prints.
pub fn run(words: &[&str]) -> Result<Output> {
    Ok(Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output()?)
}

/// What a program prints; fails when it does.
pub fn output(words: &[&str]) -> Result<String> {
    let output = run(words)?;
    anyhow::ensure!(output.status.success(), "`{}`: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}
