//! `cargo xtask bench`: builds for release and runs the load program.

use crate::packages;
use crate::server::Place;
use crate::shell::{command, status, step};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;

const PROGRAM: &str = "target/release/bench";

/// Runs one of the measurements with the options given.
pub fn bench(arguments: &[String]) -> Result<()> {
    let Some((which, options)) = arguments.split_first() else { bail!("say what to measure: api, wire, l3, restart or crash") };
    packages::for_running()?;
    step("building", &["cargo", "build", "--release", "--locked", "--package", "neutrino", "--package", "bench"])?;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    match which.as_str() {
        "api" if options.contains(&"--peer") => against_peer(),
        "api" => api(&options),
        "wire" | "l3" | "restart" | "crash" | "coldstart" | "table" => {
            let words = [&[PROGRAM, which][..], &options].concat();
            status(&mut command(&words), &words.join(" "))
        }
        other => bail!("'{other}' is no measurement; there are api, wire, l3, restart and crash"),
    }
}

/// Upstream and this server, one after the other, with one program; their tables and the ratios.
fn against_peer() -> Result<()> {
    let out = "target/bench-peer.json";
    fs::remove_file(out).or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    step("measuring upstream", &["lab/peer/bench.sh", PROGRAM, out])?;
    let state = std::path::absolute(format!("target/bench-cold.{}", std::process::id()))?;
    let server = format!("target/release/neutrino server --state {} --listen 127.0.0.1:9699 --auth none", state.display());
    let pid = state.with_extension("pid");
    let start = format!("echo $$ > {pid}; exec {server}", pid = pid.display());
    let stop = format!("kill $(cat {pid}) 2> /dev/null", pid = pid.display());
    let cold =
        [PROGRAM, "coldstart", "--url", "http://127.0.0.1:9699", "--start", &start, "--stop", &stop, "--label", "neutrino", "--out", out];
    let result = step("starting this server", &cold);
    fs::remove_dir_all(&state)?;
    result?;
    api(&["--label", "neutrino", "--out", out, "--flat", "1000,5000,10000,50000"])?;
    let words = [PROGRAM, "table", out];
    status(&mut command(&words), &words.join(" "))
}

/// The API of a server of its own, without authentication, on a new database. Options given replace the defaults.
fn api(options: &[&str]) -> Result<()> {
    if options.contains(&"--url") || options.contains(&"--help") {
        let words = [&[PROGRAM, "api"][..], options].concat();
        return status(&mut command(&words), &words.join(" "));
    }
    let state = PathBuf::from(format!("target/bench-api.{}", std::process::id()));
    let place = Place { program: "target/release/neutrino", state: std::path::absolute(state)?, listen: "127.0.0.1:9699".to_owned() };
    let mut server = place.start(&["server", "--auth", "none"], false)?;
    let (url, group) = (format!("http://{}", place.listen), format!("neutrino={}", server.id()));
    let mut words = vec![PROGRAM, "api", "--url", &url, "--project", "admin", "--group", &group];
    words.extend(["--member-header", "X-Roles: member", "--member-header", "X-Project-Id: admin"]);
    if !options.contains(&"--out") {
        words.extend(["--out", "target/bench-api.json"]);
    }
    words.extend(options);
    let result = status(&mut command(&words), &words.join(" "));
    server.kill()?;
    server.wait()?;
    fs::remove_dir_all(&place.state)?;
    result
}
