//! Routers with networks around them: what unit tests of this crate share.

use crate::Config;
use api::{Registry, Resource, Settings};
use auth::Policy;
use ml2::agent::{AgentReport, report_agent};
use ml2::{Dependents, Heartbeats};
use model::{AgentType, Router};
use net::{AgentId, HostName, Timestamp};
use serde_json::{Value, json};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub(crate) struct Lab {
    lab: apikit::Lab,
    /// An external network and its subnet.
    pub outside: (String, String),
    /// A network of `p1` and its subnet.
    pub inside: (String, String),
}

impl Deref for Lab {
    type Target = apikit::Lab;
    fn deref(&self) -> &apikit::Lab {
        &self.lab
    }
}

impl DerefMut for Lab {
    fn deref_mut(&mut self) -> &mut apikit::Lab {
        &mut self.lab
    }
}

fn router() -> Resource<Router> {
    crate::router::resource().with(crate::conntrack_helper::of_router())
}

pub(crate) fn registry() -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource().with(crate::router::of_network()))
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource())
        .core_resource(ml2::subnet_pool::resource())
        .resource(ml2::address_scope::resource())
        .resource(ml2::agent::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(router())
        .child(crate::conntrack_helper::parent(), crate::conntrack_helper::resource())
        .resource(crate::local_ip::resource())
        .member_of(crate::local_ip::ALIAS, "local_ips", crate::local_ip::ASSOCIATIONS, crate::local_ip::associations)
        .links(crate::schedule::by_hand::routers_of_agent(), router())
        .links(crate::schedule::by_hand::agents_of_router(), ml2::agent::resource())
        .resource(crate::floating_ip::resource())
        .resource(crate::ndp_proxy::resource())
        .collection(crate::floating_ip_pool::COLLECTION, crate::floating_ip_pool::collection)
        .collection(crate::auto_allocate::COLLECTION, crate::auto_allocate::collection)
        .child(crate::port_forwarding::parent(), crate::port_forwarding::resource())
        .extensions(crate::extensions())
        .previews(crate::previews())
        .preview_extensions(true)
}

impl Lab {
    pub fn new() -> Lab {
        Lab::with(Config::default())
    }

    pub fn with(config: Config) -> Lab {
        let settings = Settings::new()
            .with(Arc::new(ml2::Config::default()))
            .with(Arc::new(Heartbeats::new()))
            .with(Arc::new(config))
            .with(Arc::new(Dependents(vec![crate::dependent()])));
        let mut lab = apikit::Lab::new(registry(), settings);
        let outside = lab.network(json!({"router:external": true}), "172.24.4.0/24");
        lab.member();
        let inside = lab.network(json!({}), "10.0.0.0/24");
        Lab { lab, outside, inside }
    }

    pub fn port(&self, body: Value) -> String {
        let mut body = body;
        body.as_object_mut().expect("an object").entry("network_id").or_insert_with(|| self.inside.0.clone().into());
        self.create("port", body)
    }

    /// A router with a gateway outside and an interface inside.
    pub fn router(&self) -> String {
        let router = self.create("router", json!({"external_gateway_info": {"network_id": self.outside.0}}));
        self.add(&router, json!({"subnet_id": self.inside.1}));
        router
    }

    pub fn add(&self, router: &str, body: Value) -> Value {
        self.accepted("PUT", &format!("routers/{router}/add_router_interface"), body)
    }

    pub fn floating_ip(&self, mut body: Value) -> String {
        body.as_object_mut().expect("an object").insert("floating_network_id".to_owned(), self.outside.0.clone().into());
        self.create("floatingip", body)
    }

    pub fn agent(&self, host: &'static str, agent_type: AgentType) -> AgentId {
        self.agent_in(host, agent_type, None)
    }

    /// One that says in which zone it is.
    pub fn agent_in(&self, host: &'static str, agent_type: AgentType, zone: Option<&'static str>) -> AgentId {
        let configurations = json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1"});
        let report = AgentReport {
            host: HostName::from(host),
            agent_type,
            binary: "b".into(),
            topic: "t".into(),
            availability_zone: zone.map(Into::into),
            configurations: configurations.as_object().expect("an object").clone(),
            enforces: vec![],
            started_at: Timestamp(5),
        };
        self.act(move |op| report_agent(op, report.clone()))
    }
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}
