//! The text of a table, in the syntax and layout of `nft list ruleset`.

use crate::nft::{
    Base, Chain, ChainKind, Compare, Ct, CtHelper, Data, DataType, Elements, Field, Hook, Key, Limit, LimitUnit, MapData, Policy, Reject,
    Right, Rule, SetSpec, Span, Statement, Table, TableKey, Target, Value, Verdict,
};
use std::fmt::{self, Write};

/// The text of a table: sets and maps with their elements, then chains. Elements put into sets declared elsewhere are
/// shown as `add element` lines after it.
pub fn render(key: &TableKey, table: &Table) -> String {
    let mut out = String::new();
    write_table(&mut out, key, table).expect("writing to a string cannot fail");
    out
}

fn write_table(out: &mut String, key: &TableKey, table: &Table) -> fmt::Result {
    let none = Elements::new();
    writeln!(out, "table {key} {{")?;
    let mut gap = "";
    for (name, CtHelper { helper, protocol }) in &table.helpers {
        let protocol = number_name(DataType::InetProto, u32::from(*protocol)).map_or_else(|| protocol.to_string(), str::to_owned);
        writeln!(out, "{gap}\tct helper {name} {{\n\t\ttype \"{helper}\" protocol {protocol}\n\t}}")?;
        gap = "\n";
    }
    for (name, spec) in &table.sets {
        out.push_str(gap);
        write_set(out, name, spec, table.elements.get(name).unwrap_or(&none))?;
        gap = "\n";
    }
    for (name, chain) in &table.chains {
        out.push_str(gap);
        write_chain(out, name, chain)?;
        gap = "\n";
    }
    writeln!(out, "}}")?;
    for (set, elements) in table.elements.iter().filter(|(set, elements)| !table.sets.contains_key(*set) && !elements.is_empty()) {
        let elements: Vec<String> = elements.iter().map(|(key, data)| element_text(key, data, None)).collect();
        writeln!(out, "add element {key} {set} {{ {} }}", elements.join(", "))?;
    }
    Ok(())
}

fn write_set(out: &mut String, name: &str, spec: &SetSpec, elements: &Elements) -> fmt::Result {
    let types: Vec<&str> = spec.key.iter().map(|part| part.name()).collect();
    let (word, data) = match spec.data {
        None => ("set", String::new()),
        Some(MapData::Value(data)) => ("map", format!(" : {}", data.name())),
        Some(MapData::Service) => ("map", format!(" : {} . {}", DataType::Ipv4.name(), DataType::InetService.name())),
        Some(MapData::Verdict) => ("map", " : verdict".to_owned()),
    };
    writeln!(out, "\t{word} {name} {{\n\t\ttype {}{data}", types.join(" . "))?;
    if spec.interval {
        writeln!(out, "\t\tflags interval")?;
    }
    if !elements.is_empty() {
        let elements: Vec<String> = elements.iter().map(|(key, data)| element_text(key, data, Some(spec))).collect();
        writeln!(out, "\t\telements = {{ {} }}", elements.join(",\n\t\t\t     "))?;
    }
    writeln!(out, "\t}}")
}

fn element_text(key: &Key, data: &Option<Data>, spec: Option<&SetSpec>) -> String {
    let types = spec.map_or(&[][..], |spec| &spec.key);
    let parts: Vec<String> = key.0.iter().enumerate().map(|(at, span)| span_text(span, types.get(at).copied())).collect();
    let key = parts.join(" . ");
    match data {
        None => key,
        Some(Data::Verdict(verdict)) => format!("{key} : {verdict}"),
        Some(Data::Service(address, port)) => format!("{key} : {address} . {port}"),
        Some(Data::Value(value)) => {
            let data_type = match spec.and_then(|spec| spec.data) {
                Some(MapData::Value(data_type)) => Some(data_type),
                _ => None,
            };
            format!("{key} : {}", value_text(value, data_type))
        }
    }
}

fn write_chain(out: &mut String, name: &str, chain: &Chain) -> fmt::Result {
    writeln!(out, "\tchain {name} {{")?;
    if let Some(base) = &chain.base {
        writeln!(out, "\t\t{base}")?;
    }
    for rule in &chain.rules {
        writeln!(out, "\t\t{rule}")?;
    }
    writeln!(out, "\t}}")
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
            ChainKind::Route => "route",
        };
        write!(f, "type {kind} hook {}", self.hook)?;
        if let Some(device) = &self.device {
            write!(f, " device \"{device}\"")?;
        }
        let policy = if self.policy == Policy::Drop { "drop" } else { "accept" };
        write!(f, " priority {}; policy {policy};", self.priority)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
            Hook::Ingress => "ingress",
            Hook::Egress => "egress",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, statement) in self.statements.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{statement}")?;
        }
        if self.id.is_empty() { Ok(()) } else { write!(f, " comment \"{}\"", self.id) }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Match(field, compare, right) => write_match(f, *field, *compare, right),
            Statement::Lookup { key, set, negate } => {
                write!(f, "{} {}@{set}", fields_text(key), if *negate { "!= " } else { "" })
            }
            Statement::VerdictMap { key, map } => write!(f, "{} vmap @{map}", fields_text(key)),
            Statement::Set(target, value) => write!(f, "{target} set {}", target_value(*target, *value)),
            Statement::SetFromMap { target, key, map } => write!(f, "{target} set {} map @{map}", fields_text(key)),
            Statement::Copy { target, from } => write!(f, "{target} set {}", from.name()),
            Statement::CtHelper(name) => write!(f, "ct helper set \"{name}\""),
            Statement::Counter => f.write_str("counter"),
            Statement::Limit(limit) => write!(f, "{limit}"),
            Statement::Notrack => f.write_str("notrack"),
            Statement::Log(prefix) => write!(f, "log prefix \"{prefix}\""),
            Statement::Reject(Reject::PortUnreachable) => f.write_str("reject with icmpx port-unreachable"),
            Statement::Reject(Reject::AdminProhibited) => f.write_str("reject with icmpx admin-prohibited"),
            Statement::Reject(Reject::TcpReset) => f.write_str("reject with tcp reset"),
            Statement::Masquerade => f.write_str("masquerade"),
            Statement::Snat(to, None) => write!(f, "snat to {to}"),
            Statement::Snat(to, Some((first, last))) => write!(f, "snat to {}:{first}-{last}", host_text(to)),
            Statement::Dnat(to, None) => write!(f, "dnat to {to}"),
            Statement::Dnat(to, Some(port)) => write!(f, "dnat to {}:{port}", host_text(to)),
            Statement::SnatMap(key, map) => write!(f, "snat to {} map @{map}", fields_text(key)),
            Statement::DnatMap(key, map) => write!(f, "dnat to {} map @{map}", fields_text(key)),
            Statement::DnatServiceMap(key, map) => write!(f, "dnat ip to {} map @{map}", fields_text(key)),
            Statement::Redirect(port) => write!(f, "redirect to :{port}"),
            Statement::Verdict(verdict) => write!(f, "{verdict}"),
        }
    }
}

fn host_text(address: &std::net::IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

fn fields_text(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    names.join(" . ")
}

fn target_value(target: Target, value: u32) -> String {
    if target == Target::CtZone { value.to_string() } else { format!("{value:#010x}") }
}

fn write_match(f: &mut fmt::Formatter<'_>, field: Field, compare: Compare, right: &Right) -> fmt::Result {
    let not = if compare == Compare::IsNot { "!= " } else { "" };
    match right {
        Right::Span(span) => write!(f, "{} {not}{}", field.name(), field_span(field, span)),
        Right::Bits(bits) if field == Field::CtState => write!(f, "ct state {not}{}", ct_states(*bits)),
        Right::Bits(Ct::DNAT) if field == Field::CtStatus => write!(f, "ct status {not}dnat"),
        Right::Bits(bits) => {
            let compare = if compare == Compare::IsNot { "==" } else { "!=" };
            write!(f, "{} & {bits:#010x} {compare} 0x00000000", field.name())
        }
        Right::Masked { mask, value } => {
            let compare = if compare == Compare::IsNot { "!=" } else { "==" };
            write!(f, "{} & {mask:#010x} {compare} {value:#010x}", field.name())
        }
        Right::NamePrefix(prefix) => write!(f, "{} {not}\"{prefix}*\"", field.name()),
    }
}

fn ct_states(bits: u32) -> String {
    let names = [
        (Ct::INVALID, "invalid"),
        (Ct::ESTABLISHED, "established"),
        (Ct::RELATED, "related"),
        (Ct::NEW, "new"),
        (Ct::UNTRACKED, "untracked"),
    ];
    let names: Vec<&str> = names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    names.join(",")
}

fn field_span(field: Field, span: &Span) -> String {
    match (field, span) {
        (Field::Pkttype, Span::One(Value::Number(number))) => {
            let names = ["host", "broadcast", "multicast", "other"];
            names.get(*number as usize).map_or_else(|| number.to_string(), |name| (*name).to_owned())
        }
        (Field::Nfproto, Span::One(Value::Number(2))) => "ipv4".to_owned(),
        (Field::Nfproto, Span::One(Value::Number(10))) => "ipv6".to_owned(),
        _ => span_text(span, field.data_type()),
    }
}

fn span_text(span: &Span, data_type: Option<DataType>) -> String {
    match span {
        Span::One(value) => value_text(value, data_type),
        Span::Range(first, last) => format!("{}-{}", value_text(first, data_type), value_text(last, data_type)),
        Span::Prefix(net) => net.to_string(),
    }
}

fn value_text(value: &Value, data_type: Option<DataType>) -> String {
    match value {
        Value::Name(name) => format!("\"{name}\""),
        Value::Mac(mac) => mac.to_string(),
        Value::Ip(address) => address.to_string(),
        Value::Number(number) => match data_type {
            Some(DataType::Mark) => format!("{number:#010x}"),
            Some(data_type) => number_name(data_type, *number).map_or_else(|| number.to_string(), str::to_owned),
            None => number.to_string(),
        },
    }
}

fn number_name(data_type: DataType, number: u32) -> Option<&'static str> {
    Some(match (data_type, number) {
        (DataType::InetProto, 1) => "icmp",
        (DataType::InetProto, 6) => "tcp",
        (DataType::InetProto, 17) => "udp",
        (DataType::InetProto, 58) => "ipv6-icmp",
        (DataType::InetProto, 132) => "sctp",
        (DataType::EtherType, 0x0800) => "ip",
        (DataType::EtherType, 0x86dd) => "ip6",
        (DataType::EtherType, 0x0806) => "arp",
        (DataType::EtherType, 0x8100) => "8021q",
        (DataType::EtherType, 0x88a8) => "8021ad",
        (DataType::ArpOperation, 1) => "request",
        (DataType::ArpOperation, 2) => "reply",
        (DataType::IcmpType, 0) => "echo-reply",
        (DataType::IcmpType, 8) => "echo-request",
        (DataType::Icmpv6Type, 128) => "echo-request",
        (DataType::Icmpv6Type, 129) => "echo-reply",
        (DataType::Icmpv6Type, 133) => "nd-router-solicit",
        (DataType::Icmpv6Type, 134) => "nd-router-advert",
        (DataType::Icmpv6Type, 135) => "nd-neighbor-solicit",
        (DataType::Icmpv6Type, 136) => "nd-neighbor-advert",
        _ => return None,
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Mark => "meta mark",
            Target::CtMark => "ct mark",
            Target::CtZone => "ct zone",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = if self.over { "over " } else { "" };
        let (unit, burst) = match self.unit {
            LimitUnit::PacketsPerSecond => ("/second", "packets"),
            LimitUnit::PacketsPerMinute => ("/minute", "packets"),
            LimitUnit::BytesPerSecond => (" bytes/second", "bytes"),
        };
        write!(f, "limit rate {over}{}{unit} burst {} {burst}", self.rate, self.burst)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Accept => f.write_str("accept"),
            Verdict::Drop => f.write_str("drop"),
            Verdict::Return => f.write_str("return"),
            Verdict::Jump(chain) => write!(f, "jump {chain}"),
            Verdict::Goto(chain) => write!(f, "goto {chain}"),
            Verdict::Continue => f.write_str("continue"),
        }
    }
}
