//! A server and hosts with an agent each.

use anyhow::{Context, Result, ensure};
use client::Cloud;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use testkit::{Scratch, client, eventually, output, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_neutrino");
const SERVER: &str = "192.0.2.254";
/// The bridge that joins the hosts.
const UNDERLAY: &str = "underlay";

/// The server, and the hosts in the order in which they were named.
pub struct TestCloud {
    state: Scratch,
    server: Option<Child>,
    pub hosts: Vec<Host>,
}

impl TestCloud {
    /// Starts the server and an agent on each of these hosts; they are alive when this returns.
    pub fn start(names: &[&str]) -> Result<TestCloud> {
        TestCloud::configured(names, "")
    }

    /// The same with a configuration, of the server and of the agents.
    pub fn configured(names: &[&str], configuration: &str) -> Result<TestCloud> {
        TestCloud::configured_each(names, configuration, |_| String::new())
    }

    /// The same with lines for the agent of each host, which follow those of all.
    pub fn configured_each(names: &[&str], configuration: &str, own: impl Fn(&str) -> String) -> Result<TestCloud> {
        // An address of its own: else it takes that of a host that comes later, and the others look for it in vain.
        output(&["ip", "link", "add", UNDERLAY, "address", "02:00:00:00:00:fe", "type", "bridge", "mcast_snooping", "0"])?;
        output(&["ip", "addr", "add", &format!("{SERVER}/24"), "dev", UNDERLAY])?;
        output(&["ip", "link", "set", UNDERLAY, "up"])?;
        let mut cloud = TestCloud { state: Scratch::new()?, server: None, hosts: Vec::new() };
        fs::write(cloud.state.path().join("neutrino.toml"), configuration)?;
        cloud.start_server()?;
        for (number, name) in (1..).zip(names) {
            let mut host = Host::new(name, number)?;
            fs::copy(cloud.state.path().join("clouds.yaml"), host.state.path().join("clouds.yaml"))?;
            fs::write(host.state.path().join("neutrino.toml"), format!("{configuration}{}", own(name)))?;
            let bundle = output(&[PROGRAM, "certificate", name, "--state", &cloud.state.path().to_string_lossy()])?;
            host.bundle = PathBuf::from(bundle.trim());
            host.start_agent()?;
            cloud.hosts.push(host);
        }
        for name in names {
            cloud.wait_alive(name)?;
        }
        Ok(cloud)
    }

    /// Starts the server and waits until it answers.
    pub fn start_server(&mut self) -> Result<()> {
        ensure!(self.server.is_none(), "the server is running");
        let listen = [&format!("{SERVER}:9696"), "--agents", &format!("{SERVER}:9697")].map(str::to_owned);
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--state"]).arg(self.state.path()).arg("--listen").args(listen);
        self.server = Some(spawn(&mut command, &self.state.path().join("server.log"))?);
        eventually("the server to answer", || Ok(self.api().and_then(|api| Ok(api.list("networks", &[])?)).is_ok()))
    }

    /// `kill -9` of the server.
    pub fn kill_server(&mut self) -> Result<()> {
        end(self.server.take())
    }

    /// Its API as the administrator sees it.
    pub fn api(&self) -> Result<Cloud> {
        Ok(Cloud::from_file(&self.state.path().join("clouds.yaml"), "neutrino")?)
    }

    /// Its API as another service of the cloud sees it: Nova.
    pub fn service(&self) -> Result<Cloud> {
        Ok(Cloud::from_file(&self.state.path().join("clouds.yaml"), "neutrino-service")?)
    }

    /// Waits until the agents of a host are alive.
    pub fn wait_alive(&self, host: &str) -> Result<()> {
        let api = self.api()?;
        eventually(&format!("the agents of {host} to be alive"), || {
            let agents = api.list("agents", &[("host", host)])?;
            Ok(agents.len() > 1 && agents.iter().all(|agent| agent["alive"] == true))
        })
    }

    /// A network with one IPv4 subnet; answers with its id.
    pub fn network(&self, name: &str, cidr: &str) -> Result<String> {
        let api = self.api()?;
        let network = api.create("networks", &json!({"name": name}))?;
        api.create("subnets", &json!({"network_id": network["id"], "ip_version": 4, "cidr": cidr}))?;
        Ok(network["id"].as_str().context("a network has an id")?.to_owned())
    }
}

impl Drop for TestCloud {
    fn drop(&mut self) {
        // Shown when the test fails.
        println!("the server's log:\n{}", tail(&self.state.path().join("server.log")));
        // The machine ends with the test.
        let _ = self.kill_server();
    }
}

/// A host: namespaces that a sleeping process keeps, and an agent.
pub struct Host {
    name: String,
    /// Its address on the underlay.
    pub address: String,
    keeper: Child,
    state: Scratch,
    bundle: PathBuf,
    agent: Option<Child>,
}

impl Host {
    /// A host on the underlay without an agent.
    fn new(name: &str, number: u8) -> Result<Host> {
        let prepare = "mount -t tmpfs tmpfs /run/netns && mount -t tmpfs tmpfs /etc/netns && mount -t sysfs sysfs /sys && \
                       ip link set lo up && echo ready && exec sleep infinity";
        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c", prepare])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().context("piped")?).read_line(&mut said)?;
        ensure!(said == "ready\n", "no namespaces for host {name}");
        let address = format!("192.0.2.{number}");
        let host = Host { name: name.to_owned(), address, keeper, state: Scratch::new()?, bundle: PathBuf::new(), agent: None };
        let (link, pid) = (format!("to-{name}"), host.keeper.id().to_string());
        output(&["ip", "link", "add", &link, "master", UNDERLAY, "type", "veth", "peer", "name", "eth0", "netns", &pid])?;
        output(&["ip", "link", "set", &link, "up"])?;
        host.sh(&format!("ip addr add {}/24 dev eth0 && ip link set eth0 up", host.address))?;
        Ok(host)
    }

    /// Starts its agent.
    pub fn start_agent(&mut self) -> Result<()> {
        ensure!(self.agent.is_none(), "the agent is running");
        let mut command = Command::new("nsenter");
        command.args(self.enter()).args([PROGRAM, "agent", "--local-ip", &self.address, "--server", &format!("{SERVER}:9697")]);
        command.arg("--state").arg(self.state.path()).arg("--bundle").arg(&self.bundle);
        self.agent = Some(spawn(&mut command, &self.log())?);
        Ok(())
    }

    /// `kill -9` of its agent.
    pub fn kill_agent(&mut self) -> Result<()> {
        end(self.agent.take())
    }

    /// `neutrino down`, which ends the agent.
    pub fn down(&mut self) -> Result<()> {
        self.sh(&format!("{PROGRAM} down --state {}", self.state.path().display()))?;
        let mut agent = self.agent.take().context("the agent was running")?;
        ensure!(agent.wait()?.success(), "the agent failed: {}", self.tail());
        Ok(())
    }

    /// Joins or parts it and the underlay: nothing gets there or comes from there, while its own things run on.
    pub fn join(&self, joined: bool) -> Result<()> {
        output(&["ip", "link", "set", &format!("to-{}", self.name), if joined { "up" } else { "down" }]).map(drop)
    }

    /// Brings in the other end of a link that is named so out here.
    pub fn link(&self, outside: &str, inside: &str) -> Result<()> {
        let pid = self.keeper.id().to_string();
        output(&["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", &pid])?;
        output(&["ip", "link", "set", outside, "up"])?;
        self.sh(&format!("ip link set {inside} up")).map(drop)
    }

    fn enter(&self) -> [String; 4] {
        ["--net".to_owned(), "--mount".to_owned(), format!("--target={}", self.keeper.id()), "--".to_owned()]
    }

    fn log(&self) -> PathBuf {
        self.state.path().join("agent.log")
    }

    /// Runs a shell's command on the host.
    pub fn sh(&self, script: &str) -> Result<String> {
        let enter = self.enter();
        let words: Vec<&str> = ["nsenter"].into_iter().chain(enter.iter().map(String::as_str)).chain(["sh", "-c", script]).collect();
        output(&words)
    }

    fn neutrino(&self, words: &[&str]) -> Result<Output> {
        let enter = self.enter();
        let state = self.state.path().to_string_lossy();
        let fixed = [PROGRAM, "instance", "--state", &state];
        let all: Vec<&str> =
            ["nsenter"].into_iter().chain(enter.iter().map(String::as_str)).chain(fixed).chain(words.iter().copied()).collect();
        run(&all)
    }

    fn neutrino_ok(&self, words: &[&str]) -> Result<String> {
        let output = self.neutrino(words)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{}: `instance {}`: {}\n{}", self.name, words.join(" "), said.trim(), tail(&self.log()));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// An instance on this host, addressed by DHCP, with further options of `instance add`.
    pub fn instance(&self, name: &str, network: &str, options: &[&str]) -> Result<Instance> {
        let fixed = ["add", name, "--network", network, "--host", &self.name, "--json"];
        let made: Value = serde_json::from_str(&self.neutrino_ok(&[&fixed[..], options].concat())?)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a port has id, MAC and address");
        let port = &made["port"];
        Ok(Instance {
            name: name.to_owned(),
            port_id: text(&port["id"])?,
            mac: text(&port["mac_address"])?,
            address: text(&port["addresses"][0])?,
        })
    }

    /// Removes an instance.
    pub fn remove(&self, instance: &Instance) -> Result<()> {
        self.neutrino_ok(&["rm", &instance.name]).map(drop)
    }

    /// Runs a command in an instance of this host.
    pub fn exec(&self, instance: &Instance, words: &[&str]) -> Result<Output> {
        self.neutrino(&[&["exec", &instance.name, "--"][..], words].concat())
    }

    /// What a command in an instance of this host prints, when it succeeds.
    pub fn exec_ok(&self, instance: &Instance, words: &[&str]) -> Result<String> {
        self.neutrino_ok(&[&["exec", &instance.name, "--"][..], words].concat())
    }

    /// True when an address answers one echo request of an instance within a second; with further options of ping.
    pub fn pings(&self, instance: &Instance, address: &str, options: &[&str]) -> Result<bool> {
        let words = [&["ping", "-n", "-c", "1", "-W", "1"][..], options, &[address]].concat();
        Ok(self.exec(instance, &words)?.status.success())
    }

    /// Waits until an address answers an instance.
    pub fn reaches(&self, instance: &Instance, address: &str) -> Result<()> {
        let what = format!("{address} to answer {} on {}", instance.name, self.name);
        eventually(&what, || self.pings(instance, address, &[])).with_context(|| tail(&self.log()))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last lines of the agent's log.
    pub fn tail(&self) -> String {
        tail(&self.log())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        println!("the log of {}:\n{}", self.name, self.tail());
        // Daemons outlive the agent; they end with the machine.
        let _ = self.kill_agent();
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// An instance of some host.
pub struct Instance {
    pub name: String,
    pub port_id: String,
    pub mac: String,
    pub address: String,
}

impl Instance {
    /// The link of its port on the host.
    pub fn device(&self) -> String {
        format!("tap{}", &self.port_id[..11])
    }
}

fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
}

fn end(child: Option<Child>) -> Result<()> {
    let mut child = child.context("it is not running")?;
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn tail(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
