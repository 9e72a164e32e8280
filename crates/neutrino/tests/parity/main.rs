//! Upstream's answers to some thousand requests, and this server's to the same: status, error type and message, keys and values.
//!
//! The files in `recorded/` were written by `lab/peer/corpus.py`, which asks upstream; the modules in `lab/peer/areas/` hold the requests.
//! `differences.json` says what is not compared, and on which requests this server answers otherwise on purpose: a mark that is no longer
//! true fails as well.

mod answer;
#[path = "../../src/registry.rs"]
#[allow(dead_code, reason = "the registry's own tests are the binary's")]
mod registry;

use answer::Names;
use api::{Frame, Op, QuotaConfig, Server, ServerOptions, Settings};
use auth::identity::{Identity, NoAuth};
use auth::{Caller, Policy};
use bytes::Bytes;
use http::Request;
use ml2::VlanRange;
use ml2::agent::AgentReport;
use model::AgentType;
use net::VlanId;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

const DIFFERENCES: &str = include_str!("differences.json");
/// How requests reach the server.
const BASE: &str = "http://localhost";

/// The limits of the deployment that was asked.
fn limits() -> QuotaConfig {
    let raised = [("security_group", 150), ("security_group_rule", 1000), ("router", 100), ("floatingip", 500)];
    QuotaConfig { limits: raised.map(|(resource, limit)| (resource.to_owned(), limit)).into() }
}

/// The networks of the deployment that was asked.
fn networks() -> ml2::Config {
    let vlans = |first, last| VlanRange { physical_network: "foo".into(), first, last };
    let vlan = |id| VlanId::try_from(id).expect("a VLAN");
    let dns_domain = "openstackgate.local.".into();
    ml2::Config { dns_domain, vni_ranges: vec![(1, 2000)], vlan_ranges: vec![vlans(vlan(1), vlan(10))], ..ml2::Config::default() }
}

/// This server with everything that it serves.
async fn server() -> Server {
    let engine = Memory::new(Locking::Pessimistic, 1).engine();
    let store = Store::open(engine, Arc::new(model::schema()), StoreOptions::default()).expect("an empty state");
    let settings = Settings::new()
        .with(Arc::new(networks()))
        .with(Arc::new(l3::Config { has_modes: true, ..l3::Config::default() }))
        .with(Arc::new(ml2::Heartbeats::new()))
        .with(Arc::new(registry::dependents()))
        .with(Arc::new(registry::shareables()));
    let identity = Identity::None(NoAuth::default());
    let registry = registry::api(&limits()).preview_extensions(true);
    let server = Server::new(store, registry, Policy::defaults(), identity, settings, ServerOptions::default());
    let followed = server.frame().commit(&Caller::internal(), |_, op| ml2::segment_range::follow_configuration(op)).await;
    followed.expect("ranges as they are configured");
    server
}

/// One request as it was recorded, with upstream's answer.
struct Case {
    fields: Map<String, Value>,
}

impl Case {
    fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {:?}", self.fields))
    }

    /// The body as it is sent, if there is one.
    fn body(&self, names: &Names) -> Option<String> {
        let given = self.fields.get("body").map(|body| names.fill(&body.to_string()));
        given.or_else(|| Some(self.fields.get("raw")?.as_str()?.to_owned()))
    }
}

/// The first line: whose headers a role has.
struct Header {
    roles: Map<String, Value>,
    projects: Map<String, Value>,
    /// Type and host of the agents that report before what is asked with them there.
    agents: Vec<(AgentType, String)>,
    templates: Vec<Value>,
}

/// What is left out of answers before they are compared, by resource, and the requests that are answered otherwise on purpose: their names,
/// or `area: name`.
struct Differences {
    omitted: Map<String, Value>,
    deliberate: BTreeSet<String>,
}

impl Differences {
    fn read() -> Differences {
        let mut whole: Map<String, Value> = serde_json::from_str(DIFFERENCES).expect("an object");
        let mut part = |name: &str| whole.remove(name).and_then(|part| part.as_object().cloned()).unwrap_or_else(|| panic!("no {name}"));
        let omitted = part("omitted");
        let names = part("deliberate").into_iter().flat_map(|(_, names)| names.as_array().cloned().unwrap_or_default());
        let deliberate = names.filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect();
        Differences { omitted, deliberate }
    }

    fn is_deliberate(&self, area: &str, name: &str) -> bool {
        self.deliberate.contains(name) || self.deliberate.contains(&format!("{area}: {name}"))
    }
}

impl Header {
    /// A recorded answer in full: objects are written as the number of a template and what differs from it.
    fn unfold(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.unfold(item)).collect(),
            Value::Object(map) => {
                let template = map.get("=").and_then(Value::as_u64).and_then(|n| self.templates.get(usize::try_from(n).ok()?));
                let mut whole = template.and_then(Value::as_object).cloned().unwrap_or_default();
                whole.extend(map.iter().filter(|(name, _)| *name != "=").map(|(name, value)| (name.clone(), self.unfold(value))));
                Value::Object(whole)
            }
            other => other.clone(),
        }
    }
}

fn recorded(text: &str) -> (Header, Vec<Case>) {
    let object = |line: &str| match serde_json::from_str(line) {
        Ok(Value::Object(map)) => map,
        other => panic!("not an object: {other:?}"),
    };
    let mut lines = text.lines().map(object);
    let mut head = lines.next().expect("a first line");
    let templates = head.remove("templates").and_then(|list| list.as_array().cloned()).expect("templates");
    let agents = head.remove("agents").map(|agents| serde_json::from_value(agents).expect("pairs of type and host")).unwrap_or_default();
    let mut part = |name: &str| head.remove(name).and_then(|part| part.as_object().cloned()).unwrap_or_else(|| panic!("no {name}"));
    let header = Header { roles: part("roles"), projects: part("projects"), agents, templates };
    (header, lines.map(|fields| Case { fields }).collect())
}

/// What the agents of the recording say of themselves.
async fn report_agents(server: &Server, agents: &[(AgentType, String)]) {
    for (agent_type, host) in agents.iter().cloned() {
        let (binary, topic) = match agent_type {
            AgentType::L3 => ("neutron-l3-agent", "l3_agent"),
            _ => ("neutron-dhcp-agent", "dhcp_agent"),
        };
        let report = move |_: &Frame, op: &mut Op<'_>| {
            let report = AgentReport {
                host: host.as_str().into(),
                agent_type,
                binary: binary.into(),
                topic: topic.into(),
                availability_zone: Some("nova".into()),
                configurations: Map::new(),
                enforces: vec![],
                started_at: op.tx.context.now,
            };
            Ok(ml2::agent::report_agent(op, report))
        };
        server.frame().commit(&Caller::internal(), report).await.expect("reports are taken");
    }
}

/// Sends the request and brings its answer to the recorded form.
async fn answer(server: &Server, header: &Header, case: &Case, names: &mut Names, omitted: &Map<String, Value>) -> Value {
    let role = header.roles[case.text("as")].as_array().expect("project and roles");
    let roles: Vec<&str> = role[1].as_array().expect("roles").iter().filter_map(Value::as_str).collect();
    let path = names.fill(case.text("path"));
    let body = case.body(names);
    let mut request = Request::builder().method(case.text("method")).uri(format!("{BASE}{path}"));
    request = request.header("X-Project-Id", role[0].as_str().expect("a project"));
    request = request.header("X-User-Id", case.text("as")).header("X-Roles", roles.join(","));
    for (name, value) in case.fields.get("headers").and_then(Value::as_object).into_iter().flatten() {
        request = request.header(name, names.fill(value.as_str().expect("a text")));
    }
    let sent = request.body(Bytes::from(body.clone().unwrap_or_default())).expect("a request");
    let response = server.respond(sent).await;
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().to_owned();
    let bytes = response.into_body();
    if bytes.is_empty() || case.text("method") == "HEAD" {
        return json!({ "status": status });
    }
    if kind != "application/json" {
        return json!({"status": status, "type": kind});
    }
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{e}: {bytes:?}"));
    if let Some(saved) = case.fields.get("save").and_then(Value::as_object) {
        names.save(saved, &document);
    }
    let asked = body.unwrap_or_default() + &path;
    names.normalised(status, document, &asked, omitted)
}

/// Asks all that an area asks.
async fn compare(area: &str, text: &str) {
    let (header, cases) = recorded(text);
    let known = Differences::read();
    let omitted = &known.omitted;
    let server = server().await;
    let mut names = Names::new(BASE, &header.projects);
    let (mut differences, mut stale) = (Vec::new(), Vec::new());
    let mut has_agents = false;
    for case in &cases {
        if case.fields.contains_key("with_agents") && !has_agents {
            report_agents(&server, &header.agents).await;
            has_agents = true;
        }
        let got = answer(&server, &header, case, &mut names, omitted).await;
        let asked = case.body(&names).unwrap_or_default() + case.text("path");
        let want = names.compared(header.unfold(&case.fields["got"]), &asked, omitted);
        let got = answer::as_recorded(got, &want);
        let is_deliberate = known.is_deliberate(area, case.text("name"));
        let about = || format!("{} ({} {} {})", case.text("name"), case.text("as"), case.text("method"), case.text("path"));
        if want == got {
            if is_deliberate {
                stale.push(about());
            }
        } else if !is_deliberate {
            differences.push(format!("{}\n  sent {:?}\n  upstream {want}\n  here     {got}", about(), case.body(&names)));
        }
    }
    assert!(stale.is_empty(), "answered like upstream, though marked as deliberately different: {stale:#?}");
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), cases.len(), differences.join("\n"));
}

/// A test for each recording, and one that no mark is about a request that nobody makes.
macro_rules! areas {
    ($($area:ident)*) => {
        $(#[tokio::test]
        async fn $area() {
            compare(stringify!($area), include_str!(concat!("recorded/", stringify!($area), ".jsonl"))).await;
        })*

        #[test]
        fn each_mark_is_of_a_request() {
            let recordings = [$((stringify!($area), include_str!(concat!("recorded/", stringify!($area), ".jsonl")))),*];
            let names = |(area, text): &(&str, &str)| {
                let cases = recorded(text).1.into_iter().map(|case| case.text("name").to_owned());
                cases.flat_map(|name| [format!("{area}: {name}"), name]).collect::<Vec<_>>()
            };
            let asked: BTreeSet<String> = recordings.iter().flat_map(names).collect();
            let unknown: Vec<String> = Differences::read().deliberate.difference(&asked).cloned().collect();
            assert!(asked.len() > 2000 && unknown.is_empty(), "of {} requests none is called {unknown:#?}", asked.len());
        }
    };
}

areas! {
    core
    sharing
    dns
    qos
    trunk
    metering
    segments
    flavors
    routers
    scheduling
}
