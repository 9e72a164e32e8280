//! Reading our tables back.

use super::{Nft, body, element, helper, wire};
use crate::netlink::{self, DUMP, Message, Refusal};
use crate::{Cause, Error};
use dataplane::nft::{Base, ChainKind, DataType, Elements, Family, MapData, Policy, SetSpec, TableKey};
use dataplane::{ActualChain, ActualTable, Digest, Name, Owner};
use std::collections::BTreeMap;

/// How often a dump is repeated because the ruleset changed meanwhile.
const ATTEMPTS: usize = 10;

impl Nft {
    /// Our tables with their chains, sets and elements.
    pub(crate) fn read(&mut self) -> Result<BTreeMap<TableKey, ActualTable>, Error> {
        let mut attempts = 0;
        loop {
            match self.read_once() {
                Err(refusal) if refusal.errno == libc::EINTR && attempts < ATTEMPTS => attempts += 1,
                Err(refusal) => return Err(Error::new("read", "nftables", refusal.into())),
                Ok(tables) => return Ok(tables),
            }
        }
    }

    fn read_once(&mut self) -> Result<BTreeMap<TableKey, ActualTable>, Refusal> {
        let mut tables = BTreeMap::new();
        self.socket.query(wire::message(wire::GETTABLE, DUMP, 0), |_, payload| {
            let userdata = netlink::attribute(body(payload), wire::TABLE_USERDATA).unwrap_or(&[]);
            let owner = udata(userdata, wire::UDATA_COMMENT).map(netlink::text).and_then(|text| Owner::parse(&text));
            if let (Some(key), Some(_)) = (table_key(payload, wire::TABLE_NAME), owner) {
                tables.insert(key, ActualTable { declared: true, ..ActualTable::default() });
            }
        })?;
        if tables.is_empty() {
            return Ok(tables);
        }
        self.socket.query(wire::message(wire::GETCHAIN, DUMP, 0), |_, payload| {
            let table = table_key(payload, wire::CHAIN_TABLE).and_then(|key| Some((key.family, tables.get_mut(&key)?)));
            let name = netlink::attribute(body(payload), wire::CHAIN_NAME).map(netlink::text);
            if let (Some((family, table)), Some(name)) = (table, name) {
                table.chains.insert(name.into(), ActualChain { base: base(family, body(payload)), rules: Vec::new() });
            }
        })?;
        for (key, table) in &mut tables {
            self.read_rules(key, table)?;
            self.read_sets(key, table)?;
            table.helpers = helper::dump(&mut self.socket, key)?;
        }
        Ok(tables)
    }

    fn read_rules(&mut self, key: &TableKey, table: &mut ActualTable) -> Result<(), Refusal> {
        let mut message = wire::message(wire::GETRULE, DUMP, wire::family_number(key.family));
        message.text(wire::RULE_TABLE, &key.name);
        self.socket.query(message, |_, payload| {
            let chain = netlink::attribute(body(payload), wire::RULE_CHAIN).map(netlink::text);
            let chain = chain.and_then(|name| table.chains.get_mut(name.as_str()));
            let userdata = netlink::attribute(body(payload), wire::RULE_USERDATA).unwrap_or(&[]);
            let digest = udata(userdata, wire::UDATA_DIGEST).and_then(|bytes| bytes.try_into().ok());
            if let Some(chain) = chain {
                chain.rules.push(digest.map(|bytes| Digest(u128::from_be_bytes(bytes))));
            }
        })
    }

    fn read_sets(&mut self, key: &TableKey, table: &mut ActualTable) -> Result<(), Refusal> {
        let mut message = wire::message(wire::GETSET, DUMP, wire::family_number(key.family));
        message.text(wire::SET_TABLE, &key.name);
        self.socket.query(message, |_, payload| {
            if let Some((name, spec)) = set_spec(body(payload)) {
                table.sets.insert(name, spec);
            }
        })?;
        for (name, spec) in &table.sets {
            let elements = self.read_elements(key, name, spec)?;
            table.elements.insert(name.clone(), elements);
            self.specs.insert((key.clone(), name.clone()), spec.clone());
        }
        Ok(())
    }

    fn read_elements(&mut self, key: &TableKey, set: &Name, spec: &SetSpec) -> Result<Elements, Refusal> {
        let mut message = wire::message(wire::GETSETELEM, DUMP, wire::family_number(key.family));
        message.text(wire::ELEMENTS_TABLE, &key.name).text(wire::ELEMENTS_SET, set);
        let mut items = Vec::new();
        self.socket.query(message, |_, payload| {
            let list = netlink::attribute(body(payload), wire::ELEMENTS).unwrap_or(&[]);
            items.extend(netlink::attributes(list).filter_map(|(_, item)| element::parse(item, spec)));
        })?;
        Ok(element::elements(items, spec))
    }

    /// The type of one set, from the kernel.
    pub(super) fn read_spec(&mut self, table: &TableKey, set: &Name) -> Result<SetSpec, Cause> {
        let mut message: Message = wire::message(wire::GETSET, 0, wire::family_number(table.family));
        message.text(wire::SET_TABLE, &table.name).text(wire::SET_NAME, set);
        let mut found = None;
        self.socket.query(message, |_, payload| found = set_spec(body(payload)))?;
        found.map(|(_, spec)| spec).ok_or_else(|| Cause::Invalid(format!("set {set} has a type we do not know")))
    }
}

fn table_key(payload: &[u8], attribute: u16) -> Option<TableKey> {
    let family = wire::family_of(*payload.first()?)?;
    let name = netlink::attribute(body(payload), attribute).map(netlink::text)?;
    Some(TableKey::new(family, name))
}

/// The value of one type in user data: type, length, bytes, repeated.
fn udata(mut data: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [kind, length, rest @ ..] = data {
        let value = rest.get(..usize::from(*length))?;
        if *kind == wanted {
            return Some(value);
        }
        data = &rest[value.len()..];
    }
    None
}

fn base(family: Family, chain: &[u8]) -> Option<Base> {
    let hook = netlink::attribute(chain, wire::CHAIN_HOOK)?;
    let number = netlink::be32(netlink::attribute(hook, wire::HOOK_NUMBER)?);
    let kind = match netlink::text(netlink::attribute(chain, wire::CHAIN_TYPE)?).as_str() {
        "nat" => ChainKind::Nat,
        "route" => ChainKind::Route,
        _ => ChainKind::Filter,
    };
    let accepts = netlink::attribute(chain, wire::CHAIN_POLICY).is_none_or(|policy| netlink::be32(policy) == 1);
    Some(Base {
        kind,
        hook: wire::HOOKS.into_iter().find(|hook| wire::hook_number(family, *hook) == Some(number))?,
        priority: netlink::be32(netlink::attribute(hook, wire::HOOK_PRIORITY)?) as i32,
        policy: if accepts { Policy::Accept } else { Policy::Drop },
        device: netlink::attribute(hook, wire::HOOK_DEVICE).map(|device| netlink::text(device).into()),
    })
}

/// The types that the number of a key's or a map's type stands for.
fn types_of(mut number: u32) -> Option<Vec<DataType>> {
    let mut types = Vec::new();
    while number > 0 {
        types.insert(0, wire::type_of(number & 0x3f)?);
        number >>= 6;
    }
    Some(types)
}

fn set_spec(set: &[u8]) -> Option<(Name, SetSpec)> {
    let number = |kind| netlink::attribute(set, kind).map(netlink::be32);
    let name = netlink::text(netlink::attribute(set, wire::SET_NAME)?).into();
    let flags = number(wire::SET_FLAGS).unwrap_or(0);
    let key = types_of(number(wire::SET_KEY_TYPE)?)?;
    let data = match number(wire::SET_DATA_TYPE) {
        None => None,
        Some(wire::VERDICT_TYPE) => Some(MapData::Verdict),
        Some(number) => match types_of(number)?[..] {
            [only] => Some(MapData::Value(only)),
            ref several if *several == element::SERVICE => Some(MapData::Service),
            _ => return None,
        },
    };
    Some((name, SetSpec { key, interval: flags & wire::SET_INTERVAL != 0, data }))
}
