//! A server started by a task: found again by its process id and state directory.

use crate::shell::{command, output};
use anyhow::{Context, Result, bail};
use client::{Cloud, wait_until};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(20);

/// Where a server keeps its state and listens.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program.
    pub program: &'static str,
    /// State directory.
    pub state: PathBuf,
    /// `ADDR:PORT`.
    pub listen: String,
}

impl Place {
    /// `clouds.yaml` of the server.
    pub fn clouds(&self) -> PathBuf {
        self.state.join("clouds.yaml")
    }

    /// Where the output of a server started here goes.
    pub fn log(&self) -> PathBuf {
        self.state.join("neutrino.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.state.join("xtask.pid")
    }

    /// The administrator's cloud.
    pub fn admin(&self) -> Result<Cloud> {
        Ok(Cloud::from_file(&self.clouds(), "neutrino")?)
    }

    /// True when `GET /` is answered and `clouds.yaml` is there.
    pub fn is_ready(&self) -> bool {
        self.clouds().exists() && answers(&self.listen).unwrap_or(false)
    }

    /// Starts `neutrino up` with its output in the log, and waits until it is ready. `aside`: in a process group of its own.
    pub fn start(&self, words: &[&str], aside: bool) -> Result<Child> {
        fs::create_dir_all(&self.state).with_context(|| format!("creating {}", self.state.display()))?;
        let log =
            File::options().create(true).append(true).open(self.log()).with_context(|| format!("opening {}", self.log().display()))?;
        let mut command = Command::new(self.program);
        command.args(words).arg("--state").arg(&self.state).args(["--listen", &self.listen]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if aside {
            command.process_group(0);
        }
        let mut child = command.spawn().with_context(|| format!("starting {}", self.program))?;
        fs::write(self.pid_file(), child.id().to_string())?;
        let what = format!("the server to be ready; its log is {}", self.log().display());
        wait_until(&what, START, || {
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                bail!("the server ended ({status}):\n{}", lines[lines.len().saturating_sub(10)..].join("\n"));
            }
            Ok(self.is_ready().then_some(()))
        })?;
        Ok(child)
    }

    /// Stops a server that a task left running; `false` when there is none.
    pub fn stop(&self) -> Result<bool> {
        let Ok(pid) = fs::read_to_string(self.pid_file()) else { return Ok(false) };
        let pid = pid.trim().to_owned();
        let is_ours = || {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(&*self.state.to_string_lossy())
        };
        let running = is_ours();
        if running {
            output(&["kill", &pid])?;
            wait_until("the server to stop", STOP, || Ok::<_, anyhow::Error>((!is_ours()).then_some(())))?;
        }
        fs::remove_file(self.pid_file())?;
        Ok(running)
    }
}

/// True when whoever listens there answers HTTP.
fn answers(listen: &str) -> Result<bool> {
    let mut stream = TcpStream::connect(listen)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {listen}\r\n\r\n")?;
    let mut start = [0; 5];
    stream.read_exact(&mut start)?;
    Ok(&start == b"HTTP/")
}

/// What a `neutrino` command prints as JSON.
pub fn neutrino(place: &Place, words: &[&str]) -> Result<serde_json::Value> {
    let state = place.state.to_string_lossy();
    let whole = [&[place.program][..], words, &["--state", &state, "--json"]].concat();
    let answer = command(&whole).stdin(Stdio::null()).output().with_context(|| format!("running {}", place.program))?;
    if !answer.status.success() {
        // What comes before the last line is progress.
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        bail!("{}", said.trim().lines().last().unwrap_or("it failed without a word"));
    }
    let text = String::from_utf8(answer.stdout)?;
    serde_json::from_str(&text).with_context(|| format!("reading what `neutrino {}` prints", words.join(" ")))
}
