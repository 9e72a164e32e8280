//! A test in namespaces of its own.

use crate::output;
use anyhow::{Context, Result};
use std::process::{Command, Stdio};

const MARK: &str = "TESTKIT_ISOLATED";
/// A test that takes longer hangs.
const LIMIT_S: &str = "240";

/// Runs a test's body as the only thing on a machine: the outer process starts this test binary again for this one test.
/// `name` is the test's path with the name of the crate.
pub fn isolated(name: &str, body: fn() -> Result<()>) {
    if std::env::var_os(MARK).is_some() {
        settle().expect("a machine of namespaces");
        if let Err(error) = body() {
            panic!("{error:#}");
        }
        return;
    }
    if !std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t")) {
        println!("SKIPPED: namespaces need root");
        return;
    }
    let name = name.split_once("::").map_or(name, |(_, path)| path);
    let own = std::env::current_exe().expect("a running program has a path");
    let unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LIMIT_S]).args(unshare).arg(own);
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(MARK, "1").env("RUST_BACKTRACE", "0");
    let result = command.stdin(Stdio::null()).output().expect("timeout (coreutils) and unshare (util-linux) can be run");
    for text in [&result.stdout, &result.stderr] {
        // The inner report must not be taken for one of the outer tests.
        for line in String::from_utf8_lossy(text).lines() {
            if line.starts_with("SKIPPED: ") { println!("{line}") } else { println!("| {line}") }
        }
    }
    assert!(result.status.success(), "{name} failed ({}): see above", result.status);
    assert!(String::from_utf8_lossy(&result.stdout).contains("1 passed"), "there is no test {name}");
}

/// A machine at rest: nothing mounted is shared, no named namespaces, loopback up.
fn settle() -> Result<()> {
    std::fs::create_dir_all("/run/netns")?;
    std::fs::create_dir_all("/etc/netns")?;
    for words in [
        &["mount", "--make-rprivate", "/"][..],
        &["mount", "-t", "tmpfs", "tmpfs", "/run/netns"],
        &["mount", "-t", "tmpfs", "tmpfs", "/etc/netns"],
        &["mount", "-t", "sysfs", "sysfs", "/sys"],
        &["ip", "link", "set", "lo", "up"],
    ] {
        output(words).context("preparing the machine")?;
    }
    Ok(())
}
