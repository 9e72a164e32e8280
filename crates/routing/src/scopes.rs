//! Address scopes: between networks of one scope, or of none, a router passes all packets as they are. Between others it passes those
//! only whose connection has an address translated: by the gateway's address, a floating IP or a forwarded port.
//!
//! A router all of whose networks are of no scope has nothing of this. Otherwise a set for each scope has the links of its networks.

use crate::links::{Leg, Legs};
use dataplane::Name;
use dataplane::nft::{Chain, Ct, DataType, Field, Hook, Policy, Rule, SetSpec, Statement, Table};
use net::{AddressScopeId, Family};
use smol_str::format_smolstr;
use std::collections::{BTreeMap, BTreeSet};

/// After the translation of the source, which is known then.
const PRIORITY: i32 = 150;

/// The links of a router by family and scope.
pub(crate) struct Scopes(BTreeMap<(u8, Option<AddressScopeId>), BTreeSet<Name>>);

impl Scopes {
    pub(crate) fn of(legs: &Legs<'_>) -> Scopes {
        let mut links: BTreeMap<_, BTreeSet<Name>> = BTreeMap::new();
        for family in [Family::V4, Family::V6] {
            if legs.all().any(|leg| scope(leg, family).is_some()) {
                for leg in legs.all() {
                    links.entry((digit(family), scope(leg, family))).or_default().insert(leg.link.clone());
                }
            }
        }
        Scopes(links)
    }

    /// The set of the links that are of the scope of the outside's IPv4 addresses: theirs are known there.
    pub(crate) fn peers_outside(&self, gateway: &Leg<'_>) -> Option<Name> {
        scope(gateway, Family::V4).map(|id| set(digit(Family::V4), Some(id)))
    }

    pub(crate) fn put(&self, legs: &Legs<'_>, table: &mut Table) {
        let conditions = conditions(legs);
        let mut rules = Vec::new();
        for ((family, scope), links) in &self.0 {
            let name = set(*family, *scope);
            table.sets.insert(name.clone(), SetSpec::set([DataType::Ifname]));
            links.iter().for_each(|link| table.element(name.clone(), link.clone(), None));
            let of_family = Statement::is(Field::Nfproto, if *family == 4 { 2_u8 } else { 10 });
            let (from, to) = (Statement::within_set([Field::Iifname], name.clone()), Statement::outside_set([Field::Oifname], name));
            let leaves = [of_family, from, to];
            for (comment, which) in &conditions {
                // What is of no connection are few, and soon known.
                let statements = which.iter().chain(&leaves).cloned();
                rules.push(Rule::new(*comment, statements.chain([Statement::Counter, Statement::DROP]).collect()));
            }
        }
        if !rules.is_empty() {
            table.chains.insert("between-scopes".into(), Chain::filter(Hook::Postrouting, PRIORITY, Policy::Accept, rules));
        }
    }
}

/// Which packets between scopes are not translated. Without a gateway none is: nobody asks for its connection.
fn conditions(legs: &Legs<'_>) -> Vec<(&'static str, Option<Statement>)> {
    if legs.gateways().next().is_none() {
        return vec![("untranslated", None)];
    }
    let no_connection = Statement::ct_state(Ct::INVALID | Ct::UNTRACKED);
    vec![("untranslated", Some(Statement::is_untranslated())), ("of no connection", Some(no_connection))]
}

fn digit(family: Family) -> u8 {
    if family == Family::V4 { 4 } else { 6 }
}

fn scope(leg: &Leg<'_>, family: Family) -> Option<AddressScopeId> {
    let scopes = leg.port.scopes;
    if family == Family::V4 { scopes.v4 } else { scopes.v6 }
}

fn set(family: u8, scope: Option<AddressScopeId>) -> Name {
    match scope {
        Some(id) => format_smolstr!("scope{family}-{id}"),
        None => format_smolstr!("scope{family}-none"),
    }
}
