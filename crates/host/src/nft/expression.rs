//! Rules as the kernel's register machine runs them.

use super::element::{Wrong, bytes_of, put_verdict};
use super::wire;
use crate::netlink::Message;
use dataplane::nft::{
    Compare, Dependency, Family, Field, Limit, LimitUnit, Load, Reject, Right, Rule, Span, Statement, Target, Value, Verdict,
};
use std::net::IpAddr;

const CMP_EQ: u32 = 0;
const CMP_NEQ: u32 = 1;
const META_NFPROTO: u32 = 15;
const META_PROTOCOL: u32 = 1;
const META_L4PROTO: u32 = 16;
/// `IP_CT_DIR_ORIGINAL`.
const CT_ORIGINAL: u8 = 0;

/// The message that appends a rule to a chain.
pub(super) fn rule_message(family: Family, table: &str, chain: &str, rule: &Rule) -> Result<Message, Wrong> {
    let flags = crate::netlink::CREATE | crate::netlink::APPEND;
    let mut message = wire::message(wire::NEWRULE, flags, wire::family_number(family));
    message.text(wire::RULE_TABLE, table).text(wire::RULE_CHAIN, chain);
    let mut wrong = None;
    message.nest(wire::RULE_EXPRESSIONS, |list| {
        let mut encoder = Encoder { list, family, known: Vec::new() };
        wrong = rule.statements.iter().try_for_each(|statement| encoder.statement(statement)).err();
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let mut userdata = Vec::new();
    if !rule.id.is_empty() {
        let length = u8::try_from(rule.id.len() + 1).ok().filter(|length| *length <= 129).ok_or("the rule's id is over 128 bytes")?;
        userdata.extend([wire::UDATA_COMMENT, length]);
        userdata.extend(rule.id.as_bytes());
        userdata.push(0);
    }
    userdata.extend([wire::UDATA_DIGEST, 16]);
    userdata.extend(rule.digest().0.to_be_bytes());
    message.put(wire::RULE_USERDATA, &userdata);
    Ok(message)
}

struct Encoder<'a> {
    list: &'a mut Message,
    family: Family,
    /// What earlier statements of the rule made sure of.
    known: Vec<Dependency>,
}

impl Encoder<'_> {
    fn expression(&mut self, name: &str, fill: impl FnOnce(&mut Message)) {
        self.list.nest(wire::LIST_ITEM, |item| {
            item.text(wire::EXPRESSION_NAME, name).nest(wire::EXPRESSION_DATA, fill);
        });
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Wrong> {
        match statement {
            Statement::Match(field, compare, right) => self.condition(*field, *compare, right)?,
            Statement::Lookup { key, set, negate } => {
                self.load_key(key)?;
                self.expression("lookup", |data| {
                    data.text(1, set).be32(2, wire::FIRST_REGISTER);
                    if *negate {
                        data.be32(5, 1);
                    }
                });
            }
            Statement::VerdictMap { key, map } => self.lookup_map(key, map, 0)?,
            Statement::Set(target, value) => {
                let bytes = bytes_of(&Value::Number(*value), if *target == Target::CtZone { 2 } else { 4 }, true)?;
                self.immediate(&bytes, wire::FIRST_REGISTER);
                self.store(*target);
            }
            Statement::SetFromMap { target, key, map } => {
                self.lookup_map(key, map, wire::FIRST_REGISTER)?;
                self.store(*target);
            }
            Statement::Copy { target, from } => {
                self.load(*from, wire::FIRST_REGISTER)?;
                self.store(*target);
            }
            Statement::CtHelper(name) => self.expression("objref", |data| _ = data.be32(1, wire::CT_HELPER).text(2, name)),
            Statement::Counter => self.expression("counter", |data| _ = data.put(1, &[0; 8]).put(2, &[0; 8])),
            Statement::Limit(limit) => self.limit(*limit),
            Statement::Notrack => self.expression("notrack", |_| {}),
            Statement::Log(prefix) => self.expression("log", |data| _ = data.text(2, prefix)),
            Statement::Reject(reject) => self.reject(*reject)?,
            Statement::Masquerade => self.expression("masq", |_| {}),
            Statement::Snat(to, ports) => self.nat(0, *to, *ports)?,
            Statement::Dnat(to, port) => self.nat(1, *to, port.map(|port| (port, port)))?,
            Statement::SnatMap(key, map) => self.nat_map(0, key, map)?,
            Statement::DnatMap(key, map) => self.nat_map(1, key, map)?,
            Statement::DnatServiceMap(key, map) => self.nat_services(key, map)?,
            Statement::Redirect(port) => {
                self.immediate(&port.to_be_bytes(), wire::FIRST_REGISTER);
                self.expression("redir", |data| _ = data.be32(1, wire::FIRST_REGISTER));
            }
            Statement::Verdict(verdict) => self.verdict(verdict),
        }
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.expression("immediate", |data| {
            data.be32(1, 0).nest(2, |data| put_verdict(data, verdict));
        });
    }

    fn immediate(&mut self, bytes: &[u8], register: u32) {
        self.expression("immediate", |data| {
            data.be32(1, register).nest(2, |data| _ = data.put(wire::DATA_VALUE, bytes));
        });
    }

    fn store(&mut self, target: Target) {
        let (name, key, source) = match target {
            Target::Mark => ("meta", 3, 3),
            Target::CtMark => ("ct", 3, 4),
            Target::CtZone => ("ct", 17, 4),
        };
        self.expression(name, |data| _ = data.be32(2, key).be32(source, wire::FIRST_REGISTER));
    }

    fn compare(&mut self, operation: u32, bytes: &[u8]) {
        self.expression("cmp", |data| {
            data.be32(1, wire::FIRST_REGISTER).be32(2, operation).nest(3, |data| _ = data.put(wire::DATA_VALUE, bytes));
        });
    }

    fn mask(&mut self, mask: &[u8]) {
        self.expression("bitwise", |data| {
            data.be32(1, wire::FIRST_REGISTER).be32(2, wire::FIRST_REGISTER).be32(3, mask.len() as u32);
            data.nest(4, |data| _ = data.put(wire::DATA_VALUE, mask));
            data.nest(5, |data| _ = data.put(wire::DATA_VALUE, &vec![0; mask.len()]));
        });
    }

    fn load(&mut self, field: Field, register: u32) -> Result<(), Wrong> {
        if let Some(dependency) = field.dependency() {
            self.depend(dependency)?;
        }
        match field.load() {
            Load::Meta(key) => self.expression("meta", |data| _ = data.be32(2, key).be32(1, register)),
            Load::Ct(key) => self.expression("ct", |data| _ = data.be32(2, key).be32(1, register)),
            Load::CtOriginal(key) => self.expression("ct", |data| _ = data.be32(2, key).be32(1, register).put(3, &[CT_ORIGINAL])),
            Load::Payload(layer, offset) => self.expression("payload", |data| {
                data.be32(1, register).be32(2, wire::layer_number(layer)).be32(3, offset).be32(4, field.size() as u32);
            }),
        }
        Ok(())
    }

    /// Makes sure that a header is what a field takes it for.
    fn depend(&mut self, dependency: Dependency) -> Result<(), Wrong> {
        if self.known.contains(&dependency) {
            return Ok(());
        }
        let (key, bytes) = match (dependency, self.family) {
            (Dependency::L4proto(protocol), _) => (META_L4PROTO, vec![protocol]),
            (Dependency::Protocol(0x0800), Family::Ip) | (Dependency::Protocol(0x86dd), Family::Ip6) => return Ok(()),
            (Dependency::Protocol(0x0806), Family::Arp) => return Ok(()),
            (Dependency::Protocol(0x0800), Family::Inet) => (META_NFPROTO, vec![libc::NFPROTO_IPV4 as u8]),
            (Dependency::Protocol(0x86dd), Family::Inet) => (META_NFPROTO, vec![libc::NFPROTO_IPV6 as u8]),
            (Dependency::Protocol(ethertype), Family::Bridge | Family::Netdev) => (META_PROTOCOL, ethertype.to_be_bytes().to_vec()),
            (Dependency::Protocol(ethertype), family) => {
                return Err(format!("Ethernet type {ethertype:#06x} in a table of family {family}"));
            }
        };
        self.expression("meta", |data| _ = data.be32(2, key).be32(1, wire::FIRST_REGISTER));
        self.compare(CMP_EQ, &bytes);
        self.known.push(dependency);
        Ok(())
    }

    /// Notes what a condition has made sure of.
    fn learn(&mut self, field: Field, span: &Span) {
        let Span::One(Value::Number(number)) = span else { return };
        self.known.extend(match (field, *number) {
            (Field::L4proto, protocol) => u8::try_from(protocol).ok().map(Dependency::L4proto),
            (Field::Protocol | Field::EtherType, ethertype) => u16::try_from(ethertype).ok().map(Dependency::Protocol),
            (Field::Nfproto, 2) => Some(Dependency::Protocol(0x0800)),
            (Field::Nfproto, 10) => Some(Dependency::Protocol(0x86dd)),
            _ => None,
        });
    }

    fn condition(&mut self, field: Field, compare: Compare, right: &Right) -> Result<(), Wrong> {
        self.load(field, wire::FIRST_REGISTER)?;
        let (size, host_order) = (field.size(), field.host_order());
        let is = compare == Compare::Is;
        let operation = if is { CMP_EQ } else { CMP_NEQ };
        let number = |number: u32| bytes_of(&Value::Number(number), size, host_order);
        match right {
            Right::Span(span @ Span::One(value)) => {
                self.compare(operation, &bytes_of(value, size, host_order)?);
                if is {
                    self.learn(field, span);
                }
            }
            Right::Span(Span::Prefix(net)) => {
                let mask = crate::link::octets(net.netmask());
                if mask.len() != size {
                    return Err(format!("{} is not of the family of {net}", field.name()));
                }
                self.mask(&mask);
                self.compare(operation, &crate::link::octets(net.network()));
            }
            Right::Span(span @ Span::Range(..)) => {
                if host_order && size > 1 {
                    return Err(format!("no ranges of {}", field.name()));
                }
                let (first, last) = span.bounds();
                let (first, last) = (bytes_of(&first, size, false)?, bytes_of(&last, size, false)?);
                self.expression("range", |data| {
                    data.be32(1, wire::FIRST_REGISTER).be32(2, operation);
                    data.nest(3, |data| _ = data.put(wire::DATA_VALUE, &first));
                    data.nest(4, |data| _ = data.put(wire::DATA_VALUE, &last));
                });
            }
            Right::Bits(bits) => {
                self.mask(&number(*bits)?);
                self.compare(if is { CMP_NEQ } else { CMP_EQ }, &number(0)?);
            }
            Right::Masked { mask, value } => {
                self.mask(&number(*mask)?);
                self.compare(operation, &number(*value)?);
            }
            Right::NamePrefix(prefix) => self.compare(operation, prefix.as_bytes()),
        }
        Ok(())
    }

    fn load_key(&mut self, key: &[Field]) -> Result<(), Wrong> {
        // The matches a field depends on use the same registers: all of them come first.
        for field in key {
            if let Some(dependency) = field.dependency() {
                self.depend(dependency)?;
            }
        }
        let mut at = 0;
        for field in key {
            self.load(*field, wire::FIRST_REGISTER + (at / 4) as u32)?;
            at += field.size().next_multiple_of(4);
        }
        if at > wire::REGISTER_BYTES { Err("the key is over 64 bytes".to_owned()) } else { Ok(()) }
    }

    fn lookup_map(&mut self, key: &[Field], map: &str, register: u32) -> Result<(), Wrong> {
        self.load_key(key)?;
        self.expression("lookup", |data| _ = data.text(1, map).be32(2, wire::FIRST_REGISTER).be32(3, register));
        Ok(())
    }

    fn limit(&mut self, limit: Limit) {
        let (seconds, bytes) = match limit.unit {
            LimitUnit::PacketsPerSecond => (1u64, 0),
            LimitUnit::PacketsPerMinute => (60, 0),
            LimitUnit::BytesPerSecond => (1, 1),
        };
        self.expression("limit", |data| {
            data.put(1, &limit.rate.to_be_bytes()).put(2, &seconds.to_be_bytes()).be32(3, limit.burst).be32(4, bytes);
            data.be32(5, limit.over.into());
        });
    }

    fn reject(&mut self, reject: Reject) -> Result<(), Wrong> {
        if reject == Reject::TcpReset {
            self.depend(Dependency::L4proto(6))?;
        }
        let (kind, code) = match reject {
            Reject::PortUnreachable => (2, Some(1)),
            Reject::AdminProhibited => (2, Some(3)),
            Reject::TcpReset => (1, None),
        };
        self.expression("reject", |data| {
            data.be32(1, kind);
            if let Some(code) = code {
                data.u8(2, code);
            }
        });
        Ok(())
    }

    fn nat(&mut self, kind: u32, to: IpAddr, ports: Option<(u16, u16)>) -> Result<(), Wrong> {
        let v4 = to.is_ipv4();
        self.depend(Dependency::Protocol(if v4 { 0x0800 } else { 0x86dd }))?;
        let (address, low, high) = (wire::FIRST_REGISTER, wire::FIRST_REGISTER + 4, wire::FIRST_REGISTER + 5);
        self.immediate(&crate::link::octets(to), address);
        if let Some((first, last)) = ports {
            self.immediate(&first.to_be_bytes(), low);
            if last != first {
                self.immediate(&last.to_be_bytes(), high);
            }
        }
        self.expression("nat", |data| {
            data.be32(1, kind).be32(2, nat_family(v4)).be32(3, address);
            if let Some((first, last)) = ports {
                data.be32(5, low).be32(6, if last == first { low } else { high });
            }
        });
        Ok(())
    }

    /// The map's data is of the family of the key's addresses; IPv4 when it has none.
    fn nat_map(&mut self, kind: u32, key: &[Field], map: &str) -> Result<(), Wrong> {
        let v4 = !key.iter().any(|field| field.dependency() == Some(Dependency::Protocol(0x86dd)));
        self.lookup_map(key, map, wire::FIRST_REGISTER)?;
        self.expression("nat", |data| _ = data.be32(1, kind).be32(2, nat_family(v4)).be32(3, wire::FIRST_REGISTER));
        Ok(())
    }

    /// The address is in the first register, the port in the next of 4 bytes.
    fn nat_services(&mut self, key: &[Field], map: &str) -> Result<(), Wrong> {
        self.lookup_map(key, map, wire::FIRST_REGISTER)?;
        let port = wire::FIRST_REGISTER + 1;
        self.expression("nat", |data| {
            data.be32(1, 1).be32(2, nat_family(true)).be32(3, wire::FIRST_REGISTER).be32(5, port).be32(6, port);
        });
        Ok(())
    }
}

fn nat_family(v4: bool) -> u32 {
    if v4 { libc::NFPROTO_IPV4 as u32 } else { libc::NFPROTO_IPV6 as u32 }
}
