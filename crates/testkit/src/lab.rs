//! The program on the test's machine, and instances on its networks.

use crate::{Scratch, patience, run, turn};
use anyhow::{Context, Result, bail, ensure};
use client::{Cloud, wait_until};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const LISTEN: &str = "127.0.0.1:9696";

/// `neutrino up` with a state directory of its own.
#[derive(Debug)]
pub struct Lab {
    program: PathBuf,
    state: Scratch,
    options: Vec<String>,
    child: Option<Child>,
}

impl Lab {
    /// Starts the program with these options besides state directory and address, and waits until it is ready.
    pub fn start(program: &str, options: &[&str]) -> Result<Lab> {
        Lab::configured(program, options, "")
    }

    /// As [`Self::start`], with this text as `neutrino.toml`.
    pub fn configured(program: &str, options: &[&str], config: &str) -> Result<Lab> {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut lab = Lab { program: PathBuf::from(program), state: Scratch::new()?, options, child: None };
        std::fs::write(lab.state().join("neutrino.toml"), config)?;
        lab.restart()?;
        Ok(lab)
    }

    /// Starts the program again; it must not be running.
    pub fn restart(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the program is running");
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command.args(["up", "--listen", LISTEN, "--state"]).arg(self.state()).args(&self.options);
        let mut child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn().context("starting the program")?;
        let ready = wait_until("the program to be ready", turn(), || {
            if let Some(status) = child.try_wait()? {
                bail!("the program ended ({status}): {}", self.tail());
            }
            Ok((self.clouds().exists() && answers().unwrap_or(false)).then_some(()))
        });
        self.child = Some(child);
        ready.with_context(|| self.tail())
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the program is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the program is not running")?;
        crate::output(&["kill", &child.id().to_string()])?;
        let status = wait_until("the program to stop", turn(), || child.try_wait())?;
        ensure!(status.success(), "SIGTERM ended the program with {status}: {}", self.tail());
        Ok(())
    }

    /// The state directory.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// `clouds.yaml`.
    pub fn clouds(&self) -> PathBuf {
        self.state().join("clouds.yaml")
    }

    /// The administrator's cloud.
    pub fn cloud(&self) -> Result<Cloud> {
        Ok(Cloud::from_file(&self.clouds(), "neutrino")?)
    }

    fn log(&self) -> PathBuf {
        self.state().join("test.log")
    }

    /// The end of the program's log.
    pub fn tail(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Runs a subcommand on the state directory.
    pub fn neutrino(&self, words: &[&str]) -> Result<Output> {
        let state = self.state().to_string_lossy();
        let (command, rest) = words.split_first().context("a subcommand")?;
        // Behind a `--` the option would be the instance's.
        run(&[&[&*self.program.to_string_lossy(), *command, "--state", &state][..], rest].concat())
    }

    /// As [`Self::neutrino`]: what it prints, when it succeeds.
    pub fn neutrino_ok(&self, words: &[&str]) -> Result<String> {
        let output = self.neutrino(words)?;
        ensure!(output.status.success(), "`neutrino {}`: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A network with one subnet. Answers with the network's id.
    pub fn network(&self, project: &str, name: &str, cidr: &str) -> Result<String> {
        let cloud = self.cloud()?;
        let network = cloud.create("networks", &json!({"name": name, "project_id": project}))?;
        let id = network["id"].as_str().context("a network has an id")?.to_owned();
        cloud.create("subnets", &json!({"network_id": id, "project_id": project, "ip_version": 4, "cidr": cidr}))?;
        Ok(id)
    }

    /// A subnet of a network; `attributes` say of which kind. Answers with its id.
    pub fn subnet(&self, network: &str, mut attributes: Value) -> Result<String> {
        attributes["network_id"] = json!(network);
        let subnet = self.cloud()?.create("subnets", &attributes)?;
        Ok(subnet["id"].as_str().context("a subnet has an id")?.to_owned())
    }

    /// A router with interfaces in all subnets of these networks. Answers with its id.
    pub fn router(&self, project: &str, name: &str, networks: &[&str]) -> Result<String> {
        let cloud = self.cloud()?;
        let router = cloud.create("routers", &json!({"name": name, "project_id": project}))?;
        let id = router["id"].as_str().context("a router has an id")?.to_owned();
        for network in networks {
            for subnet in cloud.list("subnets", &[("network_id", network)])? {
                cloud.request("PUT", &format!("routers/{id}/add_router_interface"), Some(&json!({"subnet_id": subnet["id"]})))?;
            }
        }
        Ok(id)
    }

    /// An instance on a network, with further options of `instance add`.
    pub fn instance(&self, name: &str, network: &str, options: &[&str]) -> Result<Instance<'_>> {
        let text = self.neutrino_ok(&[&["instance", "add", name, "--network", network, "--json"][..], options].concat());
        let made: Value = serde_json::from_str(&text.with_context(|| self.tail())?)?;
        let port = &made["port"];
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a port has id, MAC and address");
        Ok(Instance {
            lab: self,
            name: name.to_owned(),
            port_id: text(&port["id"])?,
            mac: text(&port["mac_address"])?,
            address: text(&port["addresses"][0])?,
            times_ms: made["times_ms"].clone(),
        })
    }
}

impl Lab {
    /// An instance that a former program made.
    pub fn again(&self, name: &str) -> Result<Instance<'_>> {
        let port = self.cloud()?.find("ports", name, &[])?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a port has id, MAC and address");
        Ok(Instance {
            lab: self,
            name: name.to_owned(),
            port_id: text(&port["id"])?,
            mac: text(&port["mac_address"])?,
            address: text(&port["fixed_ips"][0]["ip_address"])?,
            times_ms: Value::Null,
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if std::thread::panicking() {
                println!("{}", self.tail());
            }
            // The machine ends with the test.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn answers() -> Result<bool> {
    let mut stream = TcpStream::connect(LISTEN)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {LISTEN}\r\n\r\n")?;
    let mut start = [0; 5];
    stream.read_exact(&mut start)?;
    Ok(&start == b"HTTP/")
}

/// An instance.
#[derive(Debug)]
pub struct Instance<'a> {
    lab: &'a Lab,
    /// Its name.
    pub name: String,
    /// Id of its port.
    pub port_id: String,
    /// Link-layer address.
    pub mac: String,
    /// First address.
    pub address: String,
    /// Milliseconds of each step of its making.
    pub times_ms: Value,
}

impl Instance<'_> {
    /// Runs a command inside.
    pub fn exec(&self, words: &[&str]) -> Result<Output> {
        self.lab.neutrino(&[&["instance", "exec", self.name.as_str(), "--"][..], words].concat())
    }

    /// What a command inside prints, when it succeeds.
    pub fn exec_ok(&self, words: &[&str]) -> Result<String> {
        self.lab.neutrino_ok(&[&["instance", "exec", self.name.as_str(), "--"][..], words].concat())
    }

    /// True when one echo request is answered within a second.
    pub fn pings(&self, address: &str) -> Result<bool> {
        self.pings_with(address, &[])
    }

    /// As [`Self::pings`], with further options of ping.
    pub fn pings_with(&self, address: &str, options: &[&str]) -> Result<bool> {
        let words = [&["ping", "-n", "-c", "1", "-W", "1"][..], options, &[address]].concat();
        Ok(self.exec(&words)?.status.success())
    }

    /// Waits until an address answers.
    pub fn reaches(&self, address: &str) -> Result<()> {
        self.reaches_with(address, &[])
    }

    /// As [`Self::reaches`], with further options of ping.
    pub fn reaches_with(&self, address: &str, options: &[&str]) -> Result<()> {
        crate::eventually(&format!("{address} to answer {}", self.name), || self.pings_with(address, options))
    }

    /// Waits until an address no longer answers, then makes sure that it stays so for a while.
    pub fn loses(&self, address: &str) -> Result<()> {
        self.loses_with(address, &[])
    }

    /// As [`Self::loses`], with further options of ping.
    pub fn loses_with(&self, address: &str, options: &[&str]) -> Result<()> {
        crate::eventually(&format!("{address} to be silent towards {}", self.name), || Ok(!self.pings_with(address, options)?))?;
        let words = [&["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1"][..], options, &[address]].concat();
        let output = self.exec(&words)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(text.contains(" 0 received"), "{address} should be silent towards {}: {text}", self.name);
        Ok(())
    }

    /// Listens on a TCP port until the machine ends; each connection is answered with the instance's name.
    pub fn serve(&self, port: u16) -> Result<()> {
        let script = format!("busybox nc -ll -p {port} -e echo {} >/dev/null 2>&1 &", self.name);
        self.exec_ok(&["sh", "-c", &script])?;
        let listening = format!(":{port:04X} ");
        crate::eventually(&format!("{} to listen on {port}", self.name), || {
            let sockets = self.exec_ok(&["cat", "/proc/net/tcp", "/proc/net/tcp6"])?;
            Ok(sockets.lines().any(|line| line.contains(&listening) && line.contains(" 0A ")))
        })
    }

    /// What the listener at an address says, when it can be reached within a second.
    pub fn asks(&self, address: &str, port: u16) -> Result<Option<String>> {
        let script = format!("exec 3<>/dev/tcp/{address}/{port} && cat <&3");
        let output = self.exec(&["timeout", &patience().to_string(), "bash", "-c", &script])?;
        let said = String::from_utf8(output.stdout)?.trim().to_owned();
        Ok(output.status.success().then_some(said))
    }
}
