//! Answers in the form in which they were recorded: what differs from run to run is a word. `lab/peer/corpus.py` does the same.

use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// Lists in answers whose order says nothing.
const UNORDERED: [&str; 19] = [
    "allocation_pools",
    "allowed_address_pairs",
    "dns_assignment",
    "drivers",
    "embedded_rules",
    "external_fixed_ips",
    "external_gateways",
    "extra_dhcp_opts",
    "fixed_ips",
    "host_routes",
    "quotas",
    "request_groups",
    "required",
    "routes",
    "rules",
    "same_subtree",
    "sub_ports",
    "supported_parameters",
    "tags",
];
/// Lists whose order is what `sort_key` asks for, and says nothing otherwise.
const COLLECTIONS: [&str; 34] = [
    "address_groups",
    "address_scopes",
    "agents",
    "bandwidth_limit_rules",
    "conntrack_helpers",
    "default_security_group_rules",
    "dscp_marking_rules",
    "flavors",
    "floatingips",
    "local_ips",
    "logs",
    "metering_label_rules",
    "metering_labels",
    "minimum_bandwidth_rules",
    "minimum_packet_rate_rules",
    "ndp_proxies",
    "network_segment_ranges",
    "networks",
    "packet_rate_limit_rules",
    "policies",
    "port_associations",
    "port_forwardings",
    "ports",
    "rbac_policies",
    "routers",
    "rule_types",
    "security_group_rules",
    "security_groups",
    "segments",
    "service_profiles",
    "service_providers",
    "subnetpools",
    "subnets",
    "trunks",
];
/// Addresses that may have been given at random.
const ADDRESSES: [&str; 6] =
    ["fixed_ip", "fixed_ip_address", "floating_ip_address", "internal_ip_address", "ip_address", "local_ip_address"];
/// What a name stands for that no answer gave.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
/// Shorter values are not looked for in texts.
const DISTINCT: usize = 12;

/// Names of requests for what earlier answers gave.
pub struct Names {
    base: String,
    values: Vec<(String, String)>,
}

impl Names {
    pub fn new(base: &str, projects: &Map<String, Value>) -> Names {
        let value = |(name, id): (&String, &Value)| (format!("project_{name}"), id.as_str().expect("an id").to_owned());
        Names { base: base.to_owned(), values: projects.iter().map(value).collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(there, _)| there == name).map_or(NOBODY, |(_, value)| value)
    }

    fn set(&mut self, name: &str, value: String) {
        self.values.retain(|(there, _)| there != name);
        self.values.push((name.to_owned(), value));
    }

    /// A text with `$name` replaced.
    pub fn fill(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_')).unwrap_or(part.len());
            out.push_str(self.get(&part[..end]));
            out.push_str(&part[end..]);
        }
        out
    }

    /// Keeps values of an answer: name to place.
    pub fn save(&mut self, saved: &Map<String, Value>, document: &Value) {
        for (name, place) in saved {
            let pointer = format!("/{}", place.as_str().expect("a place").replace('.', "/"));
            match document.pointer(&pointer) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => self.set(name, text.clone()),
                Some(other) => self.set(name, other.to_string()),
            }
        }
    }

    /// A recorded answer, which is whole, without what is not compared.
    pub fn compared(&self, mut recorded: Value, asked: &str, omitted: &Map<String, Value>) -> Value {
        let form = Form { names: self, asked, omitted, is_ordered: asked.contains("sort_key") };
        if let Some(answer) = recorded.get_mut("answer") {
            *answer = form.value(answer.take(), "");
        }
        recorded
    }

    /// The whole answer.
    pub fn normalised(&self, status: u16, document: Value, asked: &str, omitted: &Map<String, Value>) -> Value {
        if let Some(error) = document.get("NeutronError") {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            return json!({"status": status, "error": [text("type"), self.text(text("message"))]});
        }
        let form = Form { names: self, asked, omitted, is_ordered: asked.contains("sort_key") };
        json!({"status": status, "answer": form.value(document, "")})
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let mut values: Vec<&(String, String)> = self.values.iter().filter(|(_, value)| value.len() >= DISTINCT).collect();
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (name, value) in values {
            text = text.replace(value.as_str(), &format!("${name}"));
        }
        let text = text.replace(&self.base, "<url>");
        let text = sorted(&text, "id for these ports is: ", ",", ".");
        let text = sorted(&text, "Unrecognized attribute(s) '", ", ", "'");
        let text = replaced(&text, 36, is_uuid, "<uuid>");
        replaced(&text, 17, |part| part.starts_with("fa:16:3e:") && part[9..].bytes().all(is_mac_byte), "<mac>")
    }
}

/// How the values of one answer are written.
struct Form<'a> {
    names: &'a Names,
    asked: &'a str,
    omitted: &'a Map<String, Value>,
    is_ordered: bool,
}

impl Form<'_> {
    fn value(&self, value: Value, key: &str) -> Value {
        match value {
            Value::Object(_) if key == "configurations" => json!("<dict>"),
            Value::Object(map) => self.object(map, key),
            Value::Array(items) => {
                let one = key.strip_suffix('s').unwrap_or(key);
                let mut items: Vec<Value> = items.into_iter().map(|item| self.value(item, one)).collect();
                if UNORDERED.contains(&key) || (COLLECTIONS.contains(&key) && !self.is_ordered) {
                    items.sort_by_key(python_text);
                }
                Value::Array(items)
            }
            Value::Number(_) if key == "revision_number" => json!("<int>"),
            Value::Number(_) if key == "provider:segmentation_id" && !self.asked.contains("\"provider:segmentation_id\"") => json!("<int>"),
            Value::String(text) => self.word(&text, key).into(),
            other => other,
        }
    }

    fn object(&self, map: Map<String, Value>, key: &str) -> Value {
        let resource = if key == "quotas" { "quota" } else { key };
        let omitted = self.omitted.get(resource).and_then(Value::as_array);
        let is_omitted = |name: &str| omitted.is_some_and(|names| names.iter().any(|omitted| omitted == name));
        let key_of = |name: &str| {
            if key == "security_group" && name == "security_group_rules" { "embedded_rules".to_owned() } else { name.to_owned() }
        };
        let kept = map.into_iter().filter(|(name, _)| !is_omitted(name));
        Value::Object(
            kept.map(|(name, value)| {
                let value = self.value(value, &key_of(&name));
                (name, value)
            })
            .collect(),
        )
    }

    fn word(&self, text: &str, key: &str) -> String {
        if key == "description" && self.asked.contains("/extensions/") {
            return "<text>".to_owned();
        }
        if is_time(text) {
            return if text.contains('T') { "<time>" } else { "<agent time>" }.to_owned();
        }
        if matches!(key, "hostname" | "fqdn") && text.starts_with("host-") {
            // Named after an address.
            return text.split_once('.').map_or("<host>".to_owned(), |(_, domain)| format!("<host>.{domain}"));
        }
        match text.parse::<IpAddr>() {
            Ok(address) if ADDRESSES.contains(&key) && !is_named(self.asked, text) => address_word(address).to_owned(),
            _ => self.names.text(text),
        }
    }
}

/// An address that was given at random may be one that the request speaks of, and then stands for itself: it is a word where the recording
/// has one.
pub fn as_recorded(got: Value, recorded: &Value) -> Value {
    match (got, recorded) {
        (Value::String(text), Value::String(word)) if text.parse::<IpAddr>().is_ok_and(|address| address_word(address) == word) => {
            recorded.clone()
        }
        (Value::Array(items), Value::Array(words)) if items.len() == words.len() => {
            items.into_iter().zip(words).map(|(item, word)| as_recorded(item, word)).collect()
        }
        (Value::Object(map), Value::Object(words)) => {
            let member = |(name, value): (String, Value)| {
                let value = words.get(&name).map_or_else(|| value.clone(), |word| as_recorded(value.clone(), word));
                (name, value)
            };
            Value::Object(map.into_iter().map(member).collect())
        }
        (got, _) => got,
    }
}

/// True when a request names this address, and not only one that begins or ends like it.
fn is_named(asked: &str, address: &str) -> bool {
    let goes_on = |next: Option<char>| next.is_some_and(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'));
    let is_whole = |at: usize| !goes_on(asked[..at].chars().next_back()) && !goes_on(asked[at + address.len()..].chars().next());
    asked.match_indices(address).any(|(at, _)| is_whole(at))
}

fn address_word(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "<ip4>",
        IpAddr::V6(v6) if (u128::from(v6) >> 24) & 0xffff == 0xfffe => "<eui64>",
        IpAddr::V6(_) => "<ip6>",
    }
}

/// JSON as Python's `json.dumps(value, sort_keys=True)` writes it: what lists were sorted by.
fn python_text(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(python_text).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), python_text(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn is_uuid(part: &str) -> bool {
    let at = |(n, byte): (usize, u8)| if matches!(n, 8 | 13 | 18 | 23) { byte == b'-' } else { matches!(byte, b'0'..=b'9' | b'a'..=b'f') };
    part.bytes().enumerate().all(at)
}

fn is_mac_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':')
}

/// `YYYY-MM-DDTHH:MM:SSZ`, or with a blank, and with or without parts of a second.
fn is_time(text: &str) -> bool {
    let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { '0' } else { char::from(byte) }).collect::<String>();
    let shape = shape.strip_suffix('Z').unwrap_or(&shape);
    let shape = shape.split_once('.').map_or(shape, |(whole, parts)| if parts.bytes().all(|byte| byte == b'0') { whole } else { shape });
    matches!(shape, "0000-00-00T00:00:00" | "0000-00-00 00:00:00")
}

/// Replaces each part of this length that matches.
fn replaced(text: &str, length: usize, matches: impl Fn(&str) -> bool, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match rest.get(..length).filter(|part| matches(part)) {
            Some(_) => {
                out.push_str(word);
                rest = &rest[length..];
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

/// Sorts what a text lists from these words to its end: upstream tells it in any order.
fn sorted(text: &str, words: &str, separator: &str, end: &str) -> String {
    let Some((before, list)) = text.split_once(words) else { return text.to_owned() };
    let mut items: Vec<&str> = list.trim_end_matches(end).split(separator).collect();
    items.sort_unstable();
    format!("{before}{words}{}{end}", items.join(separator))
}
