//! `cuts/host`: what becomes of packets of connections that a change has cut, until all of these have been looked for.
//!
//! The kernel's table of connections is read in milliseconds when it is small, and in seconds when it is full. What says something meanwhile is
//! found by its packets: a chain before all that judges marks their connections, and comes in the transaction that takes the rule away. Only
//! packets in the direction of the first one are asked, so that a connection that is allowed all the same, and is whole again when such
//! a packet has passed, loses no answer.

use crate::pipeline::{IPV4, IPV6, Variant};
use agent::{CUT_MARK, Compiled, Cut, Facts};
use dataplane::Name;
use dataplane::nft::{Chain, DataType, Field, Hook, Policy, Rule, SetSpec, Statement, Table, Target, prefix_elements};
use net::{Family, IpNet};
use smol_str::format_smolstr;
use std::collections::BTreeMap;

const CHAIN: &str = "cuts";

/// Which end of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Source,
    Destination,
}

impl End {
    const fn field(self, family: Family) -> Field {
        match (self, family) {
            (End::Source, Family::V4) => Field::CtOriginalIpSaddr,
            (End::Source, Family::V6) => Field::CtOriginalIp6Saddr,
            (End::Destination, Family::V4) => Field::CtOriginalIpDaddr,
            (End::Destination, Family::V6) => Field::CtOriginalIp6Daddr,
        }
    }

    fn of(self, cut: &Cut) -> Option<IpNet> {
        match self {
            End::Source => cut.source,
            End::Destination => cut.destination,
        }
    }

    /// The same cut whatever is at this end.
    fn open(self, cut: &Cut) -> Cut {
        match self {
            End::Source => Cut { source: None, ..cut.clone() },
            End::Destination => Cut { destination: None, ..cut.clone() },
        }
    }
}

/// Cuts that differ only in what is at one end of the connections; none at that end: whatever it is.
type Group = (Cut, Vec<Option<IpNet>>);

pub(super) fn compile(facts: &Facts) -> Compiled {
    let mut compiled = Compiled::default();
    if facts.cuts.is_empty() {
        return compiled;
    }
    let variant = Variant::of(facts);
    let table = compiled.program.root().tables.entry(variant.rules_table()).or_default();
    let (end, groups) = fewest(facts);
    let rules = groups.into_iter().enumerate().map(|(number, group)| rule(table, number, end, group)).collect();
    table.chains.insert(CHAIN.into(), Chain::filter(Hook::Prerouting, variant.before_rules(), Policy::Accept, rules));
    compiled
}

/// The cuts in as few groups as possible: most are of one rule for each of many ports, which are at the same end.
fn fewest(facts: &Facts) -> (End, Vec<Group>) {
    let by = |end: End| {
        let mut groups: BTreeMap<Cut, Vec<Option<IpNet>>> = BTreeMap::new();
        for cut in &facts.cuts {
            groups.entry(end.open(cut)).or_default().push(end.of(cut));
        }
        (end, groups.into_iter().collect::<Vec<_>>())
    };
    let (sources, destinations) = (by(End::Source), by(End::Destination));
    if sources.1.len() < destinations.1.len() { sources } else { destinations }
}

fn rule(table: &mut Table, number: usize, end: End, (cut, ends): Group) -> Rule {
    let mut statements = vec![Statement::is(Field::CtDirection, 0u8), Statement::is(Field::CtZone, cut.zone)];
    let protocol: u16 = if cut.family == Family::V4 { IPV4 } else { IPV6 };
    statements.push(Statement::is(Field::Protocol, protocol));
    statements.extend(cut.protocol.map(|protocol| Statement::is(Field::L4proto, protocol)));
    statements.extend(cut.destination_ports.map(|(first, last)| Statement::within(Field::CtOriginalDport, first.into(), last.into())));
    statements.extend(cut.mark.map(|mark| Statement::is(Field::CtMark, mark)));
    for at in [End::Source, End::Destination] {
        statements.extend(at.of(&cut).map(|net| Statement::is(at.field(cut.family), net)));
    }
    // Whatever is there, beside others that are named.
    let nets: Option<Vec<IpNet>> = ends.into_iter().collect();
    if let Some(nets) = nets {
        let set: Name = format_smolstr!("cut-{number}");
        let data_type = if cut.family == Family::V4 { DataType::Ipv4 } else { DataType::Ipv6 };
        table.sets.insert(set.clone(), SetSpec::intervals([data_type]));
        for key in prefix_elements(nets) {
            table.element(set.clone(), key, None);
        }
        statements.push(Statement::within_set([end.field(cut.family)], set));
    }
    statements.push(Statement::Set(Target::CtMark, CUT_MARK));
    Rule::new("what let it pass is gone", statements)
}
