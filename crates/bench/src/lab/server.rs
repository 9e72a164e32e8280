//! The processes under test: started, watched, killed.

use crate::http::{Connection, Request};
use crate::lab::api::Api;
use crate::process::Groups;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use client::Cloud;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LISTEN: &str = "127.0.0.1:9696";
const AGENTS: &str = "127.0.0.1:9697";
/// Name of the host whose agent runs apart.
const HOST: &str = "bench";
const LOOK: Duration = Duration::from_micros(500);

/// How the program under test is started.
#[derive(Args, Clone)]
pub struct Program {
    /// The binary.
    #[arg(long, default_value = "target/release/neutrino")]
    pub neutrino: PathBuf,
    /// Where the processes' output is kept; a temporary directory when absent.
    #[arg(long)]
    pub logs: Option<PathBuf>,
    /// Further arguments of `neutrino up`, parted by blanks.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub up_args: String,
    /// Further arguments of `neutrino server`.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub server_args: String,
    /// Further arguments of `neutrino agent`.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub agent_args: String,
    /// The text by which the agent says in its output that it is in sync.
    #[arg(long, default_value = "in sync")]
    pub in_sync: String,
}

/// Which process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// `neutrino up`: both in one.
    Up,
    /// `neutrino server`.
    Server,
    /// `neutrino agent`.
    Agent,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Up => "up",
            Role::Server => "server",
            Role::Agent => "agent",
        }
    }
}

type Lines = Arc<Mutex<Vec<(Instant, String)>>>;

/// The processes that run, and their state directory.
pub struct Lab {
    program: Program,
    state: tempfile::TempDir,
    logs: PathBuf,
    bundle: Option<String>,
    children: BTreeMap<Role, Child>,
    lines: BTreeMap<Role, Lines>,
}

impl Lab {
    /// Nothing runs yet.
    pub fn new(program: &Program) -> Result<Lab> {
        let state = tempfile::tempdir()?;
        let logs = program.logs.clone().unwrap_or_else(|| state.path().join("logs"));
        fs::create_dir_all(&logs)?;
        Ok(Lab { program: program.clone(), state, logs, bundle: None, children: BTreeMap::new(), lines: BTreeMap::new() })
    }

    /// The server's address.
    pub fn url(&self) -> String {
        format!("http://{LISTEN}")
    }

    /// Starts a process; the time just before.
    pub fn start(&mut self, role: Role) -> Result<Instant> {
        let state = self.state.path().join("state").display().to_string();
        let bundle = if role == Role::Agent { self.bundle(&state)? } else { String::new() };
        let mut command = Command::new(&self.program.neutrino);
        command.arg(role.name());
        let further = match role {
            Role::Up => &self.program.up_args,
            Role::Server => &self.program.server_args,
            Role::Agent => &self.program.agent_args,
        };
        match role {
            Role::Agent => {
                let own = self.state.path().join("agent").display().to_string();
                command.args(["--state", &own, "--server", AGENTS, "--bundle", &bundle]);
            }
            Role::Up | Role::Server => {
                command.args(["--state", &state, "--listen", LISTEN]);
            }
        }
        command.args(further.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("start {}", self.program.neutrino.display()))?;
        let lines = self.lines.entry(role).or_default().clone();
        let log = File::options().append(true).create(true).open(self.logs.join(format!("{}.log", role.name())))?;
        if let Some(output) = child.stdout.take() {
            watch(output, lines.clone(), log.try_clone()?);
        }
        if let Some(output) = child.stderr.take() {
            watch(output, lines, log);
        }
        self.children.insert(role, child);
        Ok(started)
    }

    /// The directory with the agent's certificate, made by the server's program when it is first asked for.
    fn bundle(&mut self, state: &str) -> Result<String> {
        if self.bundle.is_none() {
            let output = Command::new(&self.program.neutrino).args(["certificate", HOST, "--state", state]).output()?;
            ensure!(output.status.success(), "neutrino certificate: {}", String::from_utf8_lossy(&output.stderr));
            self.bundle = Some(String::from_utf8(output.stdout)?.trim().to_owned());
        }
        self.bundle.clone().context("just made")
    }

    /// `kill -9`; the process is gone when this returns.
    pub fn kill(&mut self, role: Role) -> Result<()> {
        let mut child = self.children.remove(&role).with_context(|| format!("no {role:?} runs"))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// The process tree.
    pub fn group(&self, role: Role) -> Groups {
        self.children.get(&role).map(|child| Groups::of(role.name(), child.id())).unwrap_or_default()
    }

    /// Ends all processes and takes everything of the agent that ran apart off the host.
    pub fn down(mut self) -> Result<()> {
        for role in self.children.keys().copied().collect::<Vec<_>>() {
            self.kill(role)?;
        }
        let own = self.state.path().join("agent");
        let output = Command::new(&self.program.neutrino).arg("down").arg("--state").arg(own).output()?;
        ensure!(output.status.success(), "neutrino down: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Waits for the first 200 of `GET /`; its time.
    pub fn answers(&mut self) -> Result<Instant> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = runtime.block_on(async { Connection::new(&self.url(), &[])?.send(&Request::get("/")).await });
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(Instant::now());
            }
            self.pause(end, "an answer to GET /")?;
        }
    }

    /// A connection as administrator; waits for `clouds.yaml`.
    pub fn connect(&mut self) -> Result<Api> {
        let file = self.state.path().join("state/clouds.yaml");
        let end = Instant::now() + Duration::from_secs(30);
        while !file.exists() {
            self.pause(end, "clouds.yaml")?;
        }
        let session = Cloud::from_file(&file, "neutrino")?.session()?;
        let headers: Vec<String> = session.iter().map(|session| format!("X-Auth-Token: {}", session.token)).collect();
        Api::new(&self.url(), &headers)
    }

    /// Waits for the agents of this host to be alive; the host's name.
    pub fn agent_host(&mut self, api: &mut Api) -> Result<String> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = api.get("agents")?;
            let agents = answer["agents"].as_array().context("a list of agents")?;
            let alive = |kind: &str| agents.iter().find(|agent| agent["agent_type"] == kind && agent["alive"] == true);
            if let (Some(l2), Some(_)) = (alive("Linux bridge agent"), alive("DHCP agent")) {
                return Ok(l2["host"].as_str().context("an agent without host")?.to_owned());
            }
            self.pause(end, "the agents to be alive")?;
        }
    }

    /// Waits until a process says that it is in sync; the time it said so, or `None` after `within`.
    pub fn in_sync(&self, role: Role, since: Instant, within: Duration) -> Option<Instant> {
        let lines = self.lines.get(&role)?;
        let end = since + within;
        loop {
            let said = lock(lines).iter().find(|(at, line)| *at >= since && line.contains(&self.program.in_sync)).map(|(at, _)| *at);
            if said.is_some() || Instant::now() >= end {
                return said;
            }
            sleep(LOOK);
        }
    }

    fn pause(&mut self, end: Instant, what: &str) -> Result<()> {
        for (role, child) in &mut self.children {
            if let Some(status) = child.try_wait()? {
                bail!("neutrino {} ended ({status}):\n{}", role.name(), tail(&self.lines[role]));
            }
        }
        let last = self.lines.values().map(tail).collect::<Vec<_>>().join("\n");
        ensure!(Instant::now() < end, "waited in vain for {what}; last output:\n{last}");
        sleep(LOOK);
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in self.children.values_mut() {
            // It may have ended by itself.
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn lock(lines: &Lines) -> MutexGuard<'_, Vec<(Instant, String)>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tail(lines: &Lines) -> String {
    let lines = lock(lines);
    lines.iter().skip(lines.len().saturating_sub(20)).map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
}

fn watch(output: impl Read + Send + 'static, lines: Lines, mut log: File) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let now = Instant::now();
            let line = String::from_utf8_lossy(&line).into_owned();
            // A full disk must not stop the reading: the process would block on its pipe.
            let _unlogged = writeln!(log, "{line}");
            lock(&lines).push((now, line));
        }
    });
}
