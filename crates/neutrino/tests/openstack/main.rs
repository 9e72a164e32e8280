//! The unmodified OpenStack clients against the whole: the command line and the SDK, with passwords and a catalog.
//!
//! `OPENSTACK_CLIENTS` names a virtual environment with both; `cargo xtask test` makes it. `commands` has every command of networking that the
//! client knows but those of `left_out`; `transcript` is what they answer. `NEUTRINO_RENEW=1` writes it anew.

use anyhow::{Context, Result, bail, ensure};
use client::Cloud;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use testkit::Lab;

/// The environment with the clients; says that the test is skipped when there is none.
fn clients() -> Option<PathBuf> {
    let clients = std::env::var_os("OPENSTACK_CLIENTS").map(PathBuf::from);
    if clients.is_none() {
        println!("SKIPPED: OpenStack clients: no OPENSTACK_CLIENTS; `cargo xtask test` installs them");
    }
    clients
}

struct Client<'a> {
    lab: &'a Lab,
    environment: PathBuf,
    cloud: &'static str,
}

impl Client<'_> {
    fn run(&self, program: &str, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.environment.join("bin").join(program));
        command.args(words).env("OS_CLIENT_CONFIG_FILE", self.lab.clouds()).env("OS_CLOUD", self.cloud);
        Ok(command.stdin(Stdio::null()).output()?)
    }

    fn api(&self) -> Result<Cloud> {
        Ok(Cloud::from_file(&self.lab.clouds(), self.cloud)?)
    }

    /// `openstack …`; its words are parted by blanks.
    fn openstack(&self, words: &str) -> Result<String> {
        let output = self.run("openstack", &words.split(' ').collect::<Vec<_>>())?;
        if !output.status.success() {
            bail!("`openstack {words}`: {}\n{}", String::from_utf8_lossy(&output.stderr).trim(), self.lab.tail());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn json(&self, words: &str) -> Result<Value> {
        let text = self.openstack(&format!("{words} -f json"))?;
        serde_json::from_str(&text).with_context(|| format!("reading what `openstack {words}` prints: {text}"))
    }

    /// Fails unless the command shows this in this column.
    fn shows(&self, words: &str, column: &str, wanted: &str) -> Result<Value> {
        let shown = self.json(words)?;
        let found = match &shown[column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        ensure!(found == wanted, "`openstack {words}` shows {column} {found} instead of {wanted}");
        Ok(shown)
    }

    /// Fails unless the list has these names, in whatever order.
    fn lists(&self, words: &str, column: &str, wanted: &[&str]) -> Result<()> {
        let listed = self.json(words)?;
        let mut names: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|item| item[column].as_str()).collect();
        names.sort_unstable();
        ensure!(names == wanted, "`openstack {words}` lists {names:?} instead of {wanted:?}");
        Ok(())
    }

    /// Fails unless the command is refused with these words.
    fn refused(&self, words: &str, why: &str) -> Result<()> {
        let output = self.run("openstack", &words.split(' ').collect::<Vec<_>>())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && said.contains(why), "`openstack {words}` should say '{why}', but says: {said}");
        Ok(())
    }
}

testkit::isolated_tests! {
    fn the_command_line_manages_networks() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        admin.shows("network create blue --mtu 1400", "mtu", "1400")?;
        admin.shows("subnet create one --network blue --subnet-range 10.0.0.0/24 --dns-nameserver 192.0.2.53", "gateway_ip", "10.0.0.1")?;
        admin.shows("port create p1 --network blue --fixed-ip subnet=one,ip-address=10.0.0.42", "status", "DOWN")?;
        let fixed_ips = admin.json("port show p1")?["fixed_ips"].to_string();
        ensure!(fixed_ips.contains("10.0.0.42"), "{fixed_ips}");
        admin.openstack("port set p1 --name p2 --allowed-address ip-address=10.0.0.99")?;
        admin.lists("port list --network blue --device-owner compute:nova", "Name", &[])?;
        admin.shows("port show p2", "name", "p2")?;
        admin.openstack("network set blue --name green --description team-a")?;
        admin.lists("network list --name green --enable", "Name", &["green"])?;
        admin.refused("subnet create two --network green --subnet-range 10.0.0.0/25", "overlaps with another subnet")?;
        admin.refused("network delete green", "ne or more ports")?;
        admin.openstack("port delete p2")?;
        admin.openstack("network delete green")?;
        admin.lists("network list", "Name", &[])
    }

    fn the_command_line_manages_security_groups_quotas_and_agents() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        admin.shows("security group create web --description shop", "description", "shop")?;
        let rule = admin.shows("security group rule create web --protocol tcp --dst-port 80:81 --remote-ip 192.0.2.0/24", "port_range_max", "81")?;
        admin.refused("security group rule create web --protocol tcp --dst-port 80:81 --remote-ip 192.0.2.0/24", "already exists")?;
        let rules = admin.json("security group rule list web")?;
        ensure!(rules.as_array().map(Vec::len) == Some(3), "{rules}");
        admin.openstack(&format!("security group rule delete {}", rule["id"].as_str().unwrap_or_default()))?;
        admin.openstack("security group delete web")?;
        admin.openstack("quota set --networks 1 admin")?;
        let quota = admin.json("quota show admin --network")?;
        ensure!(quota.to_string().contains("networks"), "{quota}");
        admin.openstack("network create only")?;
        admin.refused("network create more", "Quota exceeded")?;
        admin.lists("network agent list", "Binary", &["neutron-dhcp-agent", "neutron-l3-agent", "neutron-linuxbridge-agent", "neutron-metadata-agent"])?;
        let extensions = admin.json("extension list --network")?;
        ensure!(extensions.to_string().contains("security-group"), "{extensions}");
        Ok(())
    }

    fn the_command_line_tags_what_there_is() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        admin.openstack("network create blue --tag shop --tag front")?;
        admin.openstack("network create plain")?;
        admin.openstack("subnet create one --network blue --subnet-range 10.0.0.0/24 --tag shop")?;
        admin.openstack("port create p1 --network blue --tag shop --tag web")?;
        admin.openstack("security group create web --tag shop")?;
        admin.openstack("router create r --tag shop")?;
        admin.lists("network list --tags shop,front", "Name", &["blue"])?;
        admin.lists("network list --not-any-tags shop,front", "Name", &["plain"])?;
        admin.lists("subnet list --any-tags shop,other", "Name", &["one"])?;
        admin.lists("port list --tags web", "Name", &["p1"])?;
        admin.lists("security group list --tags shop", "Name", &["web"])?;
        admin.lists("router list --tags shop", "Name", &["r"])?;
        admin.openstack("network unset blue --tag front")?;
        admin.openstack("port set p1 --no-tag --tag last")?;
        admin.lists("network list --tags front", "Name", &[])?;
        let tags = admin.json("port show p1")?["tags"].to_string();
        ensure!(tags == r#"["last"]"#, "{tags}");
        Ok(())
    }

    fn the_command_line_shows_how_many_addresses_are_used() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        admin.openstack("network create blue")?;
        admin.openstack("subnet create one --network blue --subnet-range 10.0.0.0/24 --no-dhcp")?;
        admin.openstack("port create p1 --network blue")?;
        admin.lists("ip availability list", "Network Name", &["blue"])?;
        admin.shows("ip availability show blue", "used_ips", "1")?;
        admin.shows("ip availability show blue", "total_ips", "253")?;
        Ok(())
    }

    fn projects_see_their_own() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment: environment.clone(), cloud: "neutrino" };
        let demo = Client { lab: &lab, environment, cloud: "neutrino-demo" };
        admin.openstack("network create secret")?;
        admin.openstack("network create public --share")?;
        demo.openstack("network create own")?;
        demo.lists("network list", "Name", &["own", "public"])?;
        demo.refused("network show secret", "No Network found for secret")?;
        demo.refused("network create mine --share", "disallowed by policy")?;
        admin.lists("network list", "Name", &["own", "public", "secret"])
    }

    fn every_command_answers_as_it_did() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::configured(env!("CARGO_BIN_EXE_neutrino"), &["--host", "host"], "[api]\npreview_extensions = true\n")?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        testkit::eventually("all agents", || Ok(admin.api()?.list("agents", &[])?.len() == 4))?;
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openstack");
        let [driver, commands, left_out, kept] = ["driver.py", "commands", "left_out", "transcript"].map(|name| format!("{here}/{name}"));
        let new = lab.state().join("transcript").to_string_lossy().into_owned();
        let output = admin.run("python", &[&driver, &commands, &left_out, &new])?;
        ensure!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if std::env::var_os("NEUTRINO_RENEW").is_some() {
            std::fs::copy(&new, &kept)?;
        }
        let difference = Command::new("diff").args(["-u", &kept, &new]).output()?;
        let said = String::from_utf8_lossy(&difference.stdout);
        ensure!(difference.status.success(), "NEUTRINO_RENEW=1 writes the transcript anew; it differs:\n{said}");
        Ok(())
    }

    fn the_sdk_works_unmodified() {
        let Some(environment) = clients() else { return Ok(()) };
        let lab = Lab::start(env!("CARGO_BIN_EXE_neutrino"), &[])?;
        let admin = Client { lab: &lab, environment, cloud: "neutrino" };
        let output = admin.run("python", &["-c", include_str!("sdk.py")])?;
        ensure!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), lab.tail());
        Ok(())
    }
}
