//! What all steps start from: server and agent, an external network, and somebody on it.

use crate::lab::api::{Api, id};
use crate::lab::instance::{Instance, Nic, plug};
use crate::lab::rtnl::Rtnl;
use crate::lab::server::{Lab, Program, Role};
use crate::probe::Engine;
use crate::wire::stage::watch_active;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a wait may take.
pub const LONG: Duration = Duration::from_secs(120);
/// The address outside, where the default routes of routers lead.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);

/// The scene.
pub struct Scene {
    /// The processes, each by itself.
    pub lab: Lab,
    /// An administrator's connection.
    pub api: Api,
    /// The external network.
    pub external: String,
    /// Somebody on the external network.
    pub outside: Instance,
    /// The probes.
    pub engine: Engine,
    host: Rtnl,
    host_name: String,
}

/// A network with a subnet.
pub struct Network {
    id: String,
    /// Its subnet.
    pub subnet: String,
    gateway: Ipv4Addr,
}

/// A router.
pub struct Router {
    /// Its port on the external network.
    pub gateway: Nic,
}

impl Scene {
    /// Starts server and agent, and waits until somebody is outside.
    pub fn set(program: &Program) -> Result<Scene> {
        let mut lab = Lab::new(program)?;
        lab.start(Role::Server)?;
        lab.answers()?;
        lab.start(Role::Agent)?;
        let mut api = lab.connect()?;
        let host_name = lab.agent_host(&mut api)?;
        let external = api.create("networks", json!({"name": "external", "router:external": true, "provider:network_type": "local"}))?;
        let project = external["project_id"].as_str().context("a network without project")?;
        let kinds = ["network", "subnet", "port", "router", "floatingip", "security_group"];
        let quota: serde_json::Map<_, _> = kinds.iter().map(|kind| ((*kind).to_owned(), json!(-1))).collect();
        api.timed("PUT", &format!("quotas/{project}"), Some(&json!({ "quota": quota })))?;
        let external = id(&external)?;
        let subnet = json!({"network_id": external, "ip_version": 4, "cidr": "10.64.0.0/16", "gateway_ip": OUTSIDE, "enable_dhcp": false});
        api.create("subnets", subnet)?;
        let mut scene = Scene {
            lab,
            api,
            external: external.clone(),
            outside: Instance::new()?,
            engine: Engine::start_thread()?,
            host: Rtnl::open()?,
            host_name,
        };
        let nic = scene.port(&external, json!({"fixed_ips": [{"ip_address": OUTSIDE}]}))?;
        plug(&mut scene.host, &scene.outside, &nic)?;
        scene.outside.configure(&nic, &[])?;
        watch_active(&mut scene.api, &nic.port, &AtomicBool::new(false))?;
        Ok(scene)
    }

    fn port(&mut self, network: &str, more: serde_json::Value) -> Result<Nic> {
        let mut attributes = json!({"network_id": network, "device_owner": "compute:nova", "device_id": "bench",
            "binding:host_id": self.host_name, "port_security_enabled": false});
        if let (Some(all), Some(more)) = (attributes.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        Nic::of(&self.api.create("ports", attributes)?)
    }

    /// A tenant's network 10.`number`.0.0/16.
    pub fn network(&mut self, number: u8) -> Result<Network> {
        let network = id(&self.api.create("networks", json!({"name": "inside"}))?)?;
        let gateway = Ipv4Addr::new(10, number, 0, 1);
        let subnet = json!({"network_id": network, "ip_version": 4, "cidr": format!("10.{number}.0.0/16"), "gateway_ip": gateway, "enable_dhcp": false});
        let subnet = id(&self.api.create("subnets", subnet)?)?;
        Ok(Network { id: network, subnet, gateway })
    }

    /// A router between these networks and the outside.
    pub fn router(&mut self, networks: &[&Network]) -> Result<Router> {
        let router = self.api.create("routers", json!({"name": "r", "external_gateway_info": {"network_id": self.external}}))?;
        let router = id(&router)?;
        for network in networks {
            self.api.timed("PUT", &format!("routers/{router}/add_router_interface"), Some(&json!({"subnet_id": network.subnet})))?;
        }
        let ports = self.api.get(&format!("ports?device_id={router}&device_owner=network:router_gateway"))?;
        Ok(Router { gateway: Nic::of(&ports["ports"][0])? })
    }

    /// An instance whose default route is the network's gateway, wired.
    pub fn instance(&mut self, network: &Network) -> Result<(Instance, Nic)> {
        let nic = self.port(&network.id, json!({}))?;
        let mut instance = Instance::new()?;
        plug(&mut self.host, &instance, &nic)?;
        instance.configure(&nic, &[])?;
        let gateway = network.gateway.to_string();
        instance.netns.enter(|| command(&["ip", "route", "add", "default", "via", &gateway]).map(drop))?;
        watch_active(&mut self.api, &nic.port, &AtomicBool::new(false))?;
        Ok((instance, nic))
    }

    /// So many ports of a network that nobody plugs.
    pub fn unplugged(&mut self, network: &Network, count: usize) -> Result<Vec<String>> {
        let ports = self.api.create_ports(count, &json!({"network_id": network.id}))?;
        ports.iter().map(id).collect()
    }

    /// A floating IP that nothing is associated with, its address known outside as one of the router's: its id and address.
    pub fn floating_ip(&mut self, router: &Router, port: Option<&str>) -> Result<(String, Ipv4Addr)> {
        let floating = self.api.create("floatingips", json!({"floating_network_id": self.external, "port_id": port}))?;
        let address: Ipv4Addr = floating["floating_ip_address"].as_str().context("a floating IP without address")?.parse()?;
        self.outside.learn(&[&Nic { address, ..router.gateway.clone() }])?;
        Ok((id(&floating)?, address))
    }

    /// Ends the processes and takes everything off the host.
    pub fn clear(self) -> Result<()> {
        self.lab.down()
    }
}

/// Runs a command in the calling thread's namespace; what it wrote.
pub fn command(words: &[&str]) -> Result<String> {
    let output = Command::new(words[0]).args(&words[1..]).output().with_context(|| words.join(" "))?;
    ensure!(output.status.success(), "{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
