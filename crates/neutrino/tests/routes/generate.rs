//! Requests at random: mostly what a route's schemas say, with the owner's and others' ids, and bent in every way.

use crate::cloud::{Cloud, STRANGER, VICTIM};
use api::Route;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub uri: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub struct Generator<'c> {
    cloud: &'c Cloud,
    random: StdRng,
}

/// Ids that are none, or not there.
const NO_IDS: [&str; 9] =
    ["00000000-0000-4000-8000-000000000000", "x", "%00", "..%2f..%2fnetworks", "None", "%ff%fe", "default", "-1", "{id}"];
const TEXTS: [&str; 20] = [
    "",
    " ",
    "x",
    "*",
    "true",
    "1",
    "-1",
    "\u{0}",
    "\u{202e}\u{feff}💥",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "fe80::1",
    "255.255.255.255",
    "ff:ff:ff:ff:ff:ff",
    "fa:16:3e:00:00:01",
    "10:20",
    "vxlan",
    "1e400",
    "';--",
];
const TAGS: [&str; 4] = ["tag", "a,b", "%2f", "🏷"];

impl<'c> Generator<'c> {
    pub fn new(cloud: &'c Cloud, seed: u64) -> Generator<'c> {
        Generator { cloud, random: StdRng::seed_from_u64(seed) }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_ratio(percent, 100)
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.choose(&mut self.random)
    }

    /// One of the routes.
    pub fn route(&mut self) -> &'c Route {
        let routes = &self.cloud.routes;
        &routes[self.random.random_range(0..routes.len())]
    }

    pub fn request(&mut self, route: &Route) -> Asked {
        let mut uri = self.path(&route.path);
        let query = self.query(route);
        if !query.is_empty() {
            uri = format!("{uri}?{query}");
        }
        let mut headers = Vec::new();
        if route.is_conditional && self.chance(20) {
            let tag = [
                "revision_number=1",
                "\"revision_number=2\", x",
                "revision_number=",
                "W/\"revision_number=-1\"",
                "*",
                "revision_number=1,revision_number=2",
            ];
            headers.push(("If-Match", self.pick(&tag).copied().unwrap_or_default().to_owned()));
        }
        if self.chance(3) {
            headers.push(("Content-Type", "text/xml; charset=\u{e9}".to_owned()));
        }
        if self.chance(3) {
            headers.push(("X-Forwarded-Host", "a\"b<c>".to_owned()));
        }
        let body = match &route.body {
            Some(schema) => self.body(route, schema),
            None if self.chance(3) => b"{}".to_vec(),
            None => Vec::new(),
        };
        Asked { uri, headers, body }
    }

    fn path(&mut self, template: &str) -> String {
        let (mut path, mut above) = (String::new(), String::new());
        for part in template.split('/').skip(1) {
            let filled = match part.strip_prefix('{').map(|name| name.trim_end_matches('}')) {
                None => part.to_owned(),
                Some("alias") => self.pick(&["router", "x"]).copied().unwrap_or_default().to_owned(),
                Some("tag") => self.pick(&TAGS).copied().unwrap_or_default().to_owned(),
                Some("project_id") => if self.chance(50) { STRANGER } else { VICTIM }.to_owned(),
                Some(name) => self.id(&above, name),
            };
            path = format!("{path}/{filled}");
            above = format!("{above}/{part}");
        }
        if self.chance(2) { format!("{path}.json") } else { path }
    }

    /// Mostly the stranger's own, often the victim's, sometimes of another kind or none.
    fn id(&mut self, collection: &str, name: &str) -> String {
        let project = if self.chance(70) { STRANGER } else { VICTIM };
        let own = self.cloud.ids[project].get(collection).and_then(|ids| self.pick(ids)).map(String::as_str);
        match own.or_else(|| self.cloud.elsewhere(project, collection)) {
            Some(id) if !self.chance(8) => id.to_owned(),
            _ if self.chance(50) => self.any_id(),
            _ => self.cloud.named(project, name).map_or_else(|| self.pick(&NO_IDS).copied().unwrap_or_default().to_owned(), str::to_owned),
        }
    }

    fn any_id(&mut self) -> String {
        let project = if self.chance(50) { STRANGER } else { VICTIM };
        self.id_of(project)
    }

    /// An id that may be kept as a text: whoever sends it tells himself no secret.
    fn own_id(&mut self) -> String {
        self.id_of(STRANGER)
    }

    fn id_of(&mut self, project: &str) -> String {
        let all: Vec<&String> = self.cloud.ids[project].values().flatten().collect();
        self.pick(&all).map(|id| (*id).clone()).unwrap_or_default()
    }

    fn query(&mut self, route: &Route) -> String {
        let mut query = String::new();
        if route.query.is_empty() && !self.chance(2) {
            return query;
        }
        let number = if self.chance(40) { 0 } else { self.random.random_range(1..4) };
        for _ in 0..number {
            let (name, value) = match self.pick(&route.query) {
                Some(parameter) if !self.chance(4) => {
                    let value = self.value(&parameter.name, &parameter.schema, 0);
                    (parameter.name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                }
                _ => ("unknown\u{e9}".to_owned(), self.any_id()),
            };
            let value = if name == "marker" && self.chance(70) { self.any_id() } else { value };
            let value = if name == "fixed_ips" { format!("ip_address={value}") } else { value };
            // As many directions as keys, mostly.
            let direction = if name == "sort_key" && !self.chance(10) { "&sort_dir=desc" } else { "" };
            let _ = write!(query, "&{}={}{direction}", escaped(&name), escaped(&value));
        }
        query.trim_start_matches('&').to_owned()
    }

    fn body(&mut self, route: &Route, schema: &Value) -> Vec<u8> {
        let value = if self.chance(45) { self.bent(route, schema) } else { self.value("", schema, 0) };
        let text = value.to_string();
        match self.random.random_range(0..100) {
            0 => Vec::new(),
            1 => text.as_bytes()[..text.len() / 2].to_vec(),
            2 => format!("[{text}]").into_bytes(),
            // Members twice.
            3 => text.replacen("\":", "\":null,\"name\":\"first\",\"name\":", 1).into_bytes(),
            4 => [text.as_bytes(), b"\xff\xfe"].concat(),
            5 => format!("{{\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200)).into_bytes(),
            6 => text.replace('"', "'").into_bytes(),
            _ => text.into_bytes(),
        }
    }

    /// A body that would do, with some members as they come.
    fn bent(&mut self, route: &Route, schema: &Value) -> Value {
        let mut body = self.cloud.body(STRANGER, route);
        let schema = schema["anyOf"].get(0).unwrap_or(schema).clone();
        let Some((name, members)) = body.as_object_mut().and_then(|body| body.iter_mut().next()) else { return body };
        let forms = schema["properties"][name]["properties"].as_object().cloned().unwrap_or_default();
        for (name, form) in &forms {
            // What must differ from what is there.
            let is_own = matches!(name.as_str(), "cidr" | "remote_ip_prefix" | "external_port" | "port_id" | "minimum" | "maximum");
            if let Some(members) = members.as_object_mut().filter(|_| self.chance(if is_own { 60 } else { 8 })) {
                members.insert(name.clone(), self.value(name, form, 2));
            }
        }
        body
    }

    /// A value of the schema, or nearly so.
    fn value(&mut self, name: &str, schema: &Value, depth: usize) -> Value {
        if depth > 1 && self.chance(6) {
            return self.nonsense(depth);
        }
        if let Some(choices) = schema["anyOf"].as_array().filter(|_| schema.get("type").is_none()) {
            let choice = self.pick(choices).cloned().unwrap_or_default();
            return self.value(name, &choice, depth);
        }
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.is_empty()) {
            return self.pick(words).cloned().unwrap_or_default();
        }
        match schema["type"].as_str().unwrap_or_default() {
            "object" => self.object(schema, depth),
            "array" => (0..self.random.random_range(0..3)).map(|_| self.value(name, &schema["items"], depth + 1)).collect(),
            "integer" => self.integer(schema),
            "boolean" => json!(self.chance(50)),
            "null" => Value::Null,
            "string" => self.text(name, schema),
            _ => self.nonsense(depth),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut members = Map::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.iter().any(|required| required == name);
            if (is_required && !self.chance(3)) || (!is_required && self.chance(18)) {
                let value = self.value(name, schema, depth + 1);
                members.insert(name.clone(), value);
            }
        }
        if self.chance(2) {
            members.insert("unheard_of".to_owned(), self.nonsense(depth));
        }
        members.into()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let (low, high) = (schema["minimum"].as_i64().unwrap_or(-2), schema["maximum"].as_i64().unwrap_or(5_000));
        match self.random.random_range(0..10) {
            0 => json!(low.wrapping_sub(1)),
            1 => json!(high.wrapping_add(1)),
            2 => json!(low),
            3 => json!(high),
            4 => json!(self.random.random_range(low..=high).to_string()),
            _ => json!(self.random.random_range(low..=high.min(low.saturating_add(5_000)))),
        }
    }

    fn text(&mut self, name: &str, schema: &Value) -> Value {
        let octet: u8 = self.random.random();
        match schema["format"].as_str() {
            Some("uuid") if !self.chance(5) => {
                let project = if self.chance(70) { STRANGER } else { VICTIM };
                json!(self.cloud.named(project, name).map_or_else(|| self.any_id(), str::to_owned))
            }
            Some("cidr") if !self.chance(5) => {
                let length = if self.chance(80) { 24 } else { self.random.random_range(0..=32) };
                json!(if self.chance(70) { format!("10.{octet}.0.0/{length}") } else { format!("2001:db8:{octet}::/{}", length * 4) })
            }
            Some("ipv4" | "ipv6") => json!(format!("10.1.0.{octet}")),
            _ if schema.get("anyOf").is_some() => {
                json!(if self.chance(70) { format!("10.{}.0.{octet}", octet % 3) } else { format!("2001:db8::{octet:x}") })
            }
            _ if schema.get("pattern").is_some() => json!(format!("fa:16:3e:00:00:{octet:02x}")),
            _ => match name {
                "project_id" | "tenant_id" => json!(if self.chance(60) { STRANGER } else { VICTIM }),
                "object_type" => json!(self.pick(&["network", "security_group", "subnetpool", "address_scope", "qos_policy", "port"])),
                "action" => json!(self.pick(&["access_as_shared", "access_as_external", "none"])),
                "target_tenant" => json!(self.pick(&["*", VICTIM, STRANGER, "x"])),
                "device_owner" => {
                    json!(self.pick(&["compute:nova", "network:dhcp", "network:router_interface", "network:floatingip", "trunk:subport"]))
                }
                "resource_type" => json!("security_group"),
                "service_type" => json!("L3_ROUTER_NAT"),
                _ if self.chance(3) => json!("y".repeat(self.random.random_range(200..5_000))),
                _ => json!(self.pick(&TEXTS)),
            },
        }
    }

    fn nonsense(&mut self, depth: usize) -> Value {
        match self.random.random_range(0..14) {
            0 | 1 => Value::Null,
            2 => json!(i64::MIN),
            3 => json!(u64::MAX),
            4 => json!(-1.5e300),
            5 => json!(self.chance(50)),
            6 => json!([]),
            7 => json!({}),
            8 => json!(self.own_id()),
            9 => json!([[self.own_id()], null, {"a": [1]}]),
            10 if depth < 6 => json!({"network_id": self.nonsense(depth + 1), "ip_address": self.nonsense(depth + 1)}),
            11 => json!([self.own_id(), self.own_id()]),
            12 => json!(0),
            _ => json!(self.pick(&TEXTS)),
        }
    }
}

/// With percents where a query needs them, and where it does not.
fn escaped(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:*%=".contains(c);
    text.chars()
        .flat_map(|c| {
            if is_plain(c) {
                vec![c]
            } else {
                c.to_string().bytes().flat_map(|byte| format!("%{byte:02X}").chars().collect::<Vec<_>>()).collect()
            }
        })
        .collect()
}
