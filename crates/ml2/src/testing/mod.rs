//! A world to run operations in, and the API over one: what unit tests of this crate share.

mod api;

pub(crate) use self::api::{Api, registry};

use crate::agent::{AgentReport, report_agent};
use crate::{Config, Heartbeats};
use ::api::{Fault, Fields, Op, Resource, Settings};
use auth::Caller;
use model::{AgentType, Network, Port, SecurityGroup, SecurityGroupRule, Subnet};
use net::{AgentId, HostName, NetworkId, PortId, SecurityGroupId, SubnetId, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use world::{Change, Context, Record, Tx, World};

pub(crate) struct Lab {
    pub world: World,
    pub settings: Settings,
    pub caller: Caller,
    pub last: Change,
    seed: u64,
}

impl Lab {
    pub fn new() -> Lab {
        Lab::with(Config::default())
    }

    pub fn with(config: Config) -> Lab {
        let settings = Settings::new().with(Arc::new(config)).with(Arc::new(Heartbeats::new()));
        let world = World::empty(Arc::new(model::schema()));
        Lab { world, settings, caller: Caller::admin("p1"), last: Change::default(), seed: 0 }
    }

    /// Runs an operation; a refusal changes nothing.
    pub fn run<T>(&mut self, operation: impl FnOnce(&mut Op<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.seed += 1;
        let mut tx = Tx::new(self.world.clone(), Context::new(Timestamp(1_000 + self.seed.cast_signed()), "req".into(), self.seed));
        let mut op = Op { tx: &mut tx, caller: &self.caller, settings: &self.settings };
        let result = operation(&mut op)?;
        (self.world, self.last) = tx.finish();
        Ok(result)
    }

    pub fn act<T>(&mut self, operation: impl FnOnce(&mut Op<'_>) -> T) -> T {
        self.run(|op| Ok(operation(op))).expect("it cannot be refused")
    }

    fn fields(&self, mut body: Value) -> Fields {
        let map = body.as_object_mut().expect("an object");
        map.entry("project_id").or_insert_with(|| self.caller.project_id.as_str().into());
        Fields::new(map.clone())
    }

    pub fn create<R: Record>(&mut self, resource: Resource<R>, body: Value) -> Result<R::Id, Fault> {
        let fields = self.fields(body);
        let create = resource.create.expect("it can be created");
        self.run(|op| create(op, &fields))
    }

    pub fn update<R: Record>(&mut self, resource: Resource<R>, id: R::Id, body: Value) -> Result<(), Fault> {
        let fields = Fields::new(body.as_object().expect("an object").clone());
        let record = self.get::<R>(id);
        let update = resource.update.expect("it can be updated");
        self.run(|op| update(op, &record, &fields))
    }

    pub fn delete<R: Record>(&mut self, resource: Resource<R>, id: R::Id) -> Result<(), Fault> {
        let record = self.get::<R>(id);
        let delete = resource.delete.expect("it can be deleted");
        self.run(|op| delete(op, &record))
    }

    pub fn get<R: Record>(&self, id: R::Id) -> Arc<R> {
        self.world.get::<R>(&id).expect("it is there").clone()
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
        let report = AgentReport {
            host: HostName::from(host),
            agent_type,
            binary: "b".into(),
            topic: "N/A".into(),
            availability_zone: None,
            configurations: configurations.as_object().expect("an object").clone(),
            started_at: Timestamp(5),
        };
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

/// The refusal's status and type.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (u16, &'static str) {
    let fault = result.expect_err("a refusal");
    (fault.status, fault.kind)
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&auth::Policy::defaults()), Vec::<String>::new());
}
