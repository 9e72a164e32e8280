//! The OpenAPI document against the server that serves it, by Schemathesis: no answer is another than the document tells, and no request makes
//! the server fail.
//!
//! `SCHEMATHESIS` names a virtual environment with it; `cargo xtask test` makes it.

use anyhow::{Context, ensure};
use client::Cloud;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use testkit::Lab;

/// Seconds for all requests, of which there are some thousands.
const TIME_S: &str = "45";

testkit::isolated_tests! {
    fn answers_are_what_the_document_tells() {
        let Some(environment) = std::env::var_os("SCHEMATHESIS").map(PathBuf::from) else {
            println!("SKIPPED: Schemathesis: no SCHEMATHESIS; `cargo xtask test` installs it");
            return Ok(());
        };
        let lab = Lab::configured(env!("CARGO_BIN_EXE_neutrino"), &[], "[api]\npreview_extensions = true\n")?;
        let admin = Cloud::from_file(&lab.clouds(), "neutrino")?;
        let token = admin.session()?.context("there is a password")?.token.clone();
        let mut command = Command::new(environment.join("bin/schemathesis"));
        command.args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis/schemathesis.toml"), "run"]);
        command.args(["http://127.0.0.1:9696/v2.0/openapi.json", "--max-time", TIME_S, "--header", &format!("X-Auth-Token: {token}")]);
        // It keeps what it found below where it runs.
        let output = command.current_dir(lab.state()).stdin(Stdio::null()).output().context("running Schemathesis")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&output.stderr), lab.tail());
        println!("{}", said.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"));
        Ok(())
    }
}
