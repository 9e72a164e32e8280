//! A world to run operations in, and the API over one: what unit tests of this crate share.

mod api;

pub(crate) use self::api::{Api, registry};
pub(crate) use apikit::refused;

use crate::agent::{AgentReport, report_agent};
use crate::{Config, Heartbeats};
use ::api::{Fault, Settings};
use apikit::Bench;
use auth::Caller;
use model::{AgentType, Network, Port, SecurityGroup, SecurityGroupRule, Subnet};
use net::{AgentId, HostName, NetworkId, PortId, SecurityGroupId, SubnetId, Timestamp};
use serde_json::{Value, json};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use world::Record;

pub(crate) struct Lab(Bench);

impl Deref for Lab {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl DerefMut for Lab {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.0
    }
}

/// What operations of this crate ask for.
fn settings(config: Config) -> Settings {
    Settings::new().with(Arc::new(config)).with(Arc::new(Heartbeats::new()))
}

/// What an agent reports of itself.
pub fn report(host: &str, agent_type: AgentType, zone: Option<&str>, configurations: &Value) -> AgentReport {
    AgentReport {
        host: HostName::from(host),
        agent_type,
        binary: "b".into(),
        topic: "t".into(),
        availability_zone: zone.map(Into::into),
        configurations: configurations.as_object().expect("an object").clone(),
        enforces: vec![],
        started_at: Timestamp(5),
    }
}

impl Lab {
    pub fn new() -> Lab {
        Lab::with(Config::default())
    }

    pub fn with(config: Config) -> Lab {
        Lab(Bench::new(settings(config), Caller::admin("p1")))
    }

    pub fn network(&mut self) -> NetworkId {
        self.create(crate::network::resource(), json!({"name": "n"})).expect("a network")
    }

    pub fn subnet(&mut self, network: NetworkId, mut body: Value) -> Result<SubnetId, Fault> {
        let cidr = body["cidr"].as_str().unwrap_or_default().to_owned();
        let map = body.as_object_mut().expect("an object");
        map.insert("network_id".to_owned(), json!(network));
        map.entry("ip_version").or_insert(json!(if cidr.contains(':') { 6 } else { 4 }));
        self.create(crate::subnet::resource(), body)
    }

    pub fn port(&mut self, network: NetworkId, mut body: Value) -> Result<PortId, Fault> {
        body.as_object_mut().expect("an object").insert("network_id".to_owned(), json!(network));
        self.create(crate::port::resource(), body)
    }

    pub fn agent(&mut self, host: &str, agent_type: AgentType, configurations: Value) -> AgentId {
        let report = report(host, agent_type, None, &configurations);
        self.act(|op| report_agent(op, report))
    }

    pub fn bridge_agent(&mut self, host: &str, last_octet: u8) -> AgentId {
        let ip = format!("192.0.2.{last_octet}");
        self.agent(host, AgentType::LinuxBridge, json!({"tunnel_types": ["vxlan"], "tunneling_ip": ip, "bridge_mappings": {"phys": "br0"}}))
    }

    pub fn dhcp_agent(&mut self, host: &str) -> AgentId {
        self.agent(host, AgentType::Dhcp, json!({}))
    }

    pub fn count<R: Record>(&self) -> usize {
        self.world.table::<R>().len()
    }

    /// Everything but groups, which stay when a project's networks go.
    pub fn is_empty_of_networks(&self) -> bool {
        self.count::<Network>() + self.count::<Subnet>() + self.count::<Port>() == 0
    }

    pub fn default_group(&self) -> SecurityGroupId {
        *self.world.table::<SecurityGroup>().ids(SecurityGroup::DEFAULT_OF, "p1").next().expect("made on first sight")
    }

    pub fn rules(&self, group: SecurityGroupId) -> usize {
        self.world.table::<SecurityGroupRule>().count(SecurityGroupRule::BY_GROUP, group)
    }
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&auth::Policy::defaults()), Vec::<String>::new());
}
