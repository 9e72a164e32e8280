//! nftables over netlink: changes as one transaction, and reading back what is ours.
//!
//! A table's comment is its owner mark; each rule carries its id as comment and its content hash, so that a fresh process
//! tells whether a chain is right without decoding expressions. Elements are decoded for real.

mod element;
mod expression;
mod helper;
mod read;
mod wire;

use crate::netlink::{CREATE, Message, Refusal, Socket};
use crate::{Cause, Error, error};
use dataplane::nft::{Base, ChainKind, CtHelper, DataType, Elements, Family, MapData, Policy, SetSpec, TableKey};
use dataplane::{Name, TableChange, UnitKey};
use element::Wrong;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// How often a transaction is sent again because another program's came between.
const RESTARTS: usize = 20;
/// Bytes of elements in one message; a nested attribute holds less than 64 KiB.
const ELEMENT_BYTES: usize = 60_000;

/// A change to be made, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) unit: Option<&'a UnitKey>,
    pub(crate) table: &'a TableKey,
    pub(crate) change: &'a TableChange,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Failed(Error),
    /// Left out because another change of its unit failed.
    Skipped,
}

/// nftables of one namespace.
#[derive(Debug)]
pub(crate) struct Nft {
    socket: Socket,
    /// Types of the sets met, needed to encode elements.
    specs: BTreeMap<(TableKey, Name), SetSpec>,
    set_id: u32,
}

impl Nft {
    /// nftables of the calling thread's namespace.
    pub(crate) fn open() -> std::io::Result<Nft> {
        Ok(Nft { socket: Socket::open(libc::NETLINK_NETFILTER)?, specs: BTreeMap::new(), set_id: 0 })
    }

    /// Makes the changes in one transaction. A unit whose change is refused is left out as a whole, the others proceed.
    pub(crate) fn apply(&mut self, changes: &[Change<'_>]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = changes.iter().map(|_| None).collect();
        let mut restarts = 0;
        loop {
            let open: Vec<usize> = (0..changes.len()).filter(|at| outcomes[*at].is_none()).collect();
            let Err((at, refusal)) = self.attempt(changes, &open) else {
                open.iter().for_each(|at| outcomes[*at] = Some(Outcome::Done));
                break;
            };
            match (at, refusal) {
                (None, Cause::Kernel(error, _)) if error.raw_os_error() == Some(libc::ERESTART) && restarts < RESTARTS => restarts += 1,
                (None, refusal) => {
                    self.apart(changes, &open, refusal, &mut outcomes);
                    break;
                }
                (Some(at), Cause::Kernel(error, _)) if removes(changes[at].change) && is_gone(&error) => outcomes[at] = Some(Outcome::Done),
                (Some(at), refusal) => fail(changes, at, refusal, &mut outcomes),
            }
        }
        self.remember(changes, &outcomes);
        outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Skipped)).collect()
    }

    /// The kernel refused the whole without naming a change: each unit is tried by itself.
    fn apart(&mut self, changes: &[Change<'_>], open: &[usize], refusal: Cause, outcomes: &mut [Option<Outcome>]) {
        let units: BTreeSet<Option<&UnitKey>> = open.iter().map(|at| changes[*at].unit).collect();
        if units.len() < 2 {
            let Some(first) = open.first() else { return };
            fail(changes, *first, refusal, outcomes);
            return;
        }
        for unit in units {
            let mine: Vec<usize> = open.iter().copied().filter(|at| changes[*at].unit == unit).collect();
            let part: Vec<Change<'_>> = mine.iter().map(|at| changes[*at]).collect();
            for (at, outcome) in mine.into_iter().zip(self.apply(&part)) {
                outcomes[at] = Some(outcome);
            }
        }
    }

    /// Sends the changes; on failure answers which one was refused, if one was.
    fn attempt(&mut self, changes: &[Change<'_>], open: &[usize]) -> Result<(), (Option<usize>, Cause)> {
        let mut messages = vec![wire::bracket(wire::BATCH_BEGIN)];
        let mut of = vec![None];
        let fresh: BTreeMap<(&TableKey, &Name), &SetSpec> = open.iter().filter_map(|at| created(&changes[*at])).collect();
        for at in open {
            let encoded = self.encode(&changes[*at], &fresh).map_err(|wrong| (Some(*at), wrong))?;
            of.extend(encoded.iter().map(|_| Some(*at)));
            messages.extend(encoded);
        }
        let last = messages.len() - 1;
        if last == 0 {
            return Ok(());
        }
        messages.push(wire::bracket(wire::BATCH_END));
        of.push(None);
        let refusals = self.socket.transaction(&mut messages, last).map_err(|error| (None, Refusal::from(error).into()))?;
        match refusals.into_iter().next() {
            None => Ok(()),
            Some((message, refusal)) => Err((of[message], refusal.into())),
        }
    }

    fn remember(&mut self, changes: &[Change<'_>], outcomes: &[Option<Outcome>]) {
        for (change, outcome) in changes.iter().zip(outcomes) {
            if !matches!(outcome, Some(Outcome::Done)) {
                continue;
            }
            match change.change {
                TableChange::CreateSet(name, spec) => _ = self.specs.insert((change.table.clone(), name.clone()), spec.clone()),
                TableChange::DeleteSet(name) => _ = self.specs.remove(&(change.table.clone(), name.clone())),
                TableChange::Delete => self.specs.retain(|(table, _), _| table != change.table),
                _ => {}
            }
        }
    }

    fn spec(&mut self, table: &TableKey, set: &Name, fresh: &BTreeMap<(&TableKey, &Name), &SetSpec>) -> Result<SetSpec, Cause> {
        if let Some(spec) = fresh.get(&(table, set)) {
            return Ok((*spec).clone());
        }
        let key = (table.clone(), set.clone());
        if let Some(spec) = self.specs.get(&key) {
            return Ok(spec.clone());
        }
        let spec = self.read_spec(table, set)?;
        self.specs.insert(key, spec.clone());
        Ok(spec)
    }

    fn encode(&mut self, change: &Change<'_>, fresh: &BTreeMap<(&TableKey, &Name), &SetSpec>) -> Result<Vec<Message>, Cause> {
        let table = change.table;
        let number = wire::family_number(table.family);
        let message = |kind, flags| wire::message(kind, flags, number);
        Ok(match change.change {
            TableChange::Create(owner) => {
                let mut message = message(wire::NEWTABLE, CREATE);
                message.text(wire::TABLE_NAME, &table.name).put(wire::TABLE_USERDATA, &comment(&owner.to_string())?);
                vec![message]
            }
            TableChange::Delete => {
                let mut message = message(wire::DELTABLE, 0);
                message.text(wire::TABLE_NAME, &table.name);
                vec![message]
            }
            TableChange::CreateHelper(name, wanted) => {
                helper::load_translation(wanted);
                vec![helper::create(table, name, wanted)]
            }
            TableChange::DeleteHelper(name) => vec![helper::delete(table, name)],
            TableChange::CreateSet(name, spec) => {
                self.set_id += 1;
                vec![set_message(message(wire::NEWSET, CREATE), &table.name, name, spec, self.set_id)]
            }
            TableChange::DeleteSet(name) => {
                let mut message = message(wire::DELSET, 0);
                message.text(wire::SET_TABLE, &table.name).text(wire::SET_NAME, name);
                vec![message]
            }
            TableChange::CreateChain(name, base) => {
                let mut message = message(wire::NEWCHAIN, CREATE);
                message.text(wire::CHAIN_TABLE, &table.name).text(wire::CHAIN_NAME, name);
                if let Some(base) = base {
                    put_base(&mut message, table.family, base)?;
                }
                vec![message]
            }
            TableChange::DeleteChain(name) => {
                let mut message = message(wire::DELCHAIN, 0);
                message.text(wire::CHAIN_TABLE, &table.name).text(wire::CHAIN_NAME, name);
                vec![message]
            }
            TableChange::SetRules(chain, rules) => {
                let mut flush = message(wire::DELRULE, 0);
                flush.text(wire::RULE_TABLE, &table.name).text(wire::RULE_CHAIN, chain);
                let rule = |rule| expression::rule_message(table.family, &table.name, chain, rule);
                let rules = rules.iter().map(rule).collect::<Result<Vec<Message>, Wrong>>().map_err(Cause::Invalid)?;
                [vec![flush], rules].concat()
            }
            TableChange::AddElements(set, elements) => {
                let spec = self.spec(table, set, fresh)?;
                element_messages(wire::NEWSETELEM, CREATE, table, set, elements, &spec).map_err(Cause::Invalid)?
            }
            TableChange::RemoveElements(set, elements) => {
                let spec = self.spec(table, set, fresh)?;
                let bare: Elements = elements.keys().map(|key| (key.clone(), None)).collect();
                element_messages(wire::DELSETELEM, 0, table, set, &bare, &spec).map_err(Cause::Invalid)?
            }
        })
    }
}

fn created<'a>(change: &Change<'a>) -> Option<((&'a TableKey, &'a Name), &'a SetSpec)> {
    match change.change {
        TableChange::CreateSet(name, spec) => Some(((change.table, name), spec)),
        _ => None,
    }
}

fn removes(change: &TableChange) -> bool {
    match change {
        TableChange::Delete
        | TableChange::DeleteHelper(_)
        | TableChange::DeleteSet(_)
        | TableChange::DeleteChain(_)
        | TableChange::RemoveElements(..) => true,
        TableChange::SetRules(_, rules) => rules.is_empty(),
        _ => false,
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some_and(|errno| error::kind_of(errno) == crate::ErrorKind::Gone)
}

/// The attributes after the subsystem's header.
fn body(payload: &[u8]) -> &[u8] {
    payload.get(4..).unwrap_or(&[])
}

/// The change fails; what else its unit has in the transaction is left out.
fn fail(changes: &[Change<'_>], at: usize, refusal: Cause, outcomes: &mut [Option<Outcome>]) {
    let Change { unit, table, change } = changes[at];
    let refusal = lacking(changes, at, outcomes).filter(|_| is_absent(&refusal)).unwrap_or(refusal);
    for (other, outcome) in changes.iter().zip(outcomes.iter_mut()) {
        if unit.is_some() && other.unit == unit && outcome.is_none() {
            *outcome = Some(Outcome::Skipped);
        }
    }
    let object = format!("{table}: {change}");
    outcomes[at] = Some(Outcome::Failed(Error::new("change table", object, refusal)));
}

/// That there is no such thing is said of a helper that the kernel does not have, and of a table that could not be made.
fn lacking(changes: &[Change<'_>], at: usize, outcomes: &[Option<Outcome>]) -> Option<Cause> {
    let Change { table, change: TableChange::CreateHelper(_, CtHelper { helper, protocol }), .. } = changes[at] else { return None };
    let makes = |other: &Change<'_>| other.table == table && matches!(other.change, TableChange::Create(_));
    let without_table = changes.iter().zip(outcomes).any(|(other, outcome)| makes(other) && outcome.is_some());
    (!without_table).then(|| Cause::Invalid(format!("this kernel has no conntrack helper '{helper}' for IP protocol {protocol}")))
}

fn is_absent(refusal: &Cause) -> bool {
    matches!(refusal, Cause::Kernel(error, _) if is_gone(error))
}

fn comment(text: &str) -> Result<Vec<u8>, Cause> {
    let length = u8::try_from(text.len() + 1).map_err(|_| Cause::Invalid("a comment is over 254 bytes".to_owned()))?;
    Ok([&[wire::UDATA_COMMENT, length], text.as_bytes(), &[0]].concat())
}

fn put_base(message: &mut Message, family: Family, base: &Base) -> Result<(), Cause> {
    let hook = wire::hook_number(family, base.hook);
    let hook = hook.ok_or_else(|| Cause::Invalid(format!("family {family} has no hook {}", base.hook)))?;
    message.nest(wire::CHAIN_HOOK, |attributes| {
        attributes.be32(wire::HOOK_NUMBER, hook).be32(wire::HOOK_PRIORITY, base.priority as u32);
        if let Some(device) = &base.device {
            attributes.text(wire::HOOK_DEVICE, device);
        }
    });
    let kind = match base.kind {
        ChainKind::Filter => "filter",
        ChainKind::Nat => "nat",
        ChainKind::Route => "route",
    };
    message.text(wire::CHAIN_TYPE, kind).be32(wire::CHAIN_POLICY, u32::from(base.policy == Policy::Accept));
    Ok(())
}

/// The number of a type made of several.
fn concatenated(types: &[DataType]) -> u32 {
    types.iter().fold(0, |number, part| number << 6 | wire::type_number(*part))
}

fn set_message(mut message: Message, table: &str, name: &str, spec: &SetSpec, id: u32) -> Message {
    let concat = spec.key.len() > 1;
    let mut flags = if spec.interval { wire::SET_INTERVAL } else { 0 };
    let key_type = concatenated(&spec.key);
    message.text(wire::SET_TABLE, table).text(wire::SET_NAME, name).be32(wire::SET_ID, id);
    message.be32(wire::SET_KEY_TYPE, key_type).be32(wire::SET_KEY_LEN, element::key_size(&spec.key) as u32);
    if let Some(data) = spec.data {
        flags |= wire::SET_MAP;
        let (data_type, size) = match data {
            MapData::Service => (concatenated(&element::SERVICE), element::key_size(&element::SERVICE) as u32),
            MapData::Verdict => (wire::VERDICT_TYPE, 16),
            MapData::Value(data_type) => (wire::type_number(data_type), data_type.size() as u32),
        };
        message.be32(wire::SET_DATA_TYPE, data_type).be32(wire::SET_DATA_LEN, size);
    }
    if concat && spec.interval {
        flags |= wire::SET_CONCAT;
        message.nest(wire::SET_DESC, |desc| {
            desc.nest(wire::SET_DESC_CONCAT, |fields| {
                for part in &spec.key {
                    fields.nest(wire::LIST_ITEM, |field| _ = field.be32(wire::SET_FIELD_LEN, part.size() as u32));
                }
            });
        });
    }
    message.be32(wire::SET_FLAGS, flags).put(wire::SET_USERDATA, &byte_orders(spec));
    message
}

/// What `nft` needs to show the elements: the byte orders of key and data.
fn byte_orders(spec: &SetSpec) -> Vec<u8> {
    let order = |types: &[DataType]| match types {
        [only] => 2 - u32::from(only.host_order()),
        _ => 0u32,
    };
    let data = match spec.data {
        Some(MapData::Value(data_type)) => order(&[data_type]),
        Some(MapData::Service | MapData::Verdict) | None => 0,
    };
    let item = |kind: u8, order: u32| [&[kind, 4], &order.to_ne_bytes()[..]].concat();
    [item(0, order(&spec.key)), item(1, data)].concat()
}

fn element_messages(
    kind: u16,
    flags: u16,
    table: &TableKey,
    set: &str,
    elements: &Elements,
    spec: &SetSpec,
) -> Result<Vec<Message>, Wrong> {
    let mut messages = Vec::new();
    let mut rest = elements.iter().peekable();
    while rest.peek().is_some() {
        let mut message = wire::message(kind, flags, wire::family_number(table.family));
        message.text(wire::ELEMENTS_TABLE, &table.name).text(wire::ELEMENTS_SET, set);
        let mut filled = Ok(());
        message.nest(wire::ELEMENTS, |list| filled = fill(list, &mut rest, spec));
        filled?;
        messages.push(message);
    }
    Ok(messages)
}

type Item<'a> = (&'a dataplane::nft::Key, &'a Option<dataplane::nft::Data>);

fn fill<'a>(list: &mut Message, rest: &mut Peekable<impl Iterator<Item = Item<'a>>>, spec: &SetSpec) -> Result<(), Wrong> {
    while list.size() < ELEMENT_BYTES {
        let Some((key, data)) = rest.next() else { break };
        element::put(list, key, data.as_ref(), spec)?;
    }
    Ok(())
}
