//! Running programs, with a line of progress for what takes long.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command of these words.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Runs with the terminal's output; fails when the program does.
pub fn run(words: &[&str]) -> Result<()> {
    status(&mut command(words), &words.join(" "))
}

/// As [`run`], with a line before and after.
pub fn step(what: &str, words: &[&str]) -> Result<()> {
    eprintln!("── {what}: {}", words.join(" "));
    let start = Instant::now();
    run(words)?;
    eprintln!("── {what}: done in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command; `name` stands for it in the error.
pub fn status(command: &mut Command, name: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("running {name}"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// What a program prints; fails with what it complains about.
pub fn output(words: &[&str]) -> Result<String> {
    let output = command(words).stdin(Stdio::null()).output().with_context(|| format!("running {}", words[0]))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// True when a program of this name is on the path (administrators' directories included).
pub fn has(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let directories = path.split(':').chain(["/usr/local/sbin", "/usr/sbin", "/sbin"]);
    directories.filter(|directory| !directory.is_empty()).any(|directory| std::path::Path::new(directory).join(program).is_file())
}
