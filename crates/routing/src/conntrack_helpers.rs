//! `conntrack-helper/…`: the helper of an application's protocol for new connections to a port, whichever way they pass the router. It
//! makes the kernel expect the further connections that those announce, and translate them as well.
//!
//! Each has an object of the kernel, a chain that gives it to a connection, and an element that leads there. A helper that the kernel
//! does not have is a fault of its unit alone.

use crate::links::Legs;
use crate::pipeline::{self, UNTRANSLATED};
use crate::{netns, refused};
use agent::{Compiled, Intents};
use dataplane::nft::{Chain, Ct, CtHelper, Data, DataType, Field, Hook, Key, Policy, Rule, SetSpec, Statement, Table};
use intent::{ConntrackHelperIntent, RouterIntent, UnitId};
use smol_str::{SmolStr, format_smolstr};

/// Protocol and port to the chain of a helper.
const HELPED: &str = "helped";

/// The map, and the chain that asks it, where there is something to translate.
pub(crate) fn put(router: &RouterIntent, legs: &Legs<'_>, table: &mut Table) {
    if !router.conntrack_helpers {
        return;
    }
    table.sets.insert(HELPED.into(), SetSpec::verdicts([DataType::InetProto, DataType::InetService]));
    if legs.gateways().next().is_none() {
        return;
    }
    let ask = Statement::verdict_map([Field::L4proto, Field::ThDport], HELPED);
    // The port is that which the client meant.
    let rules = vec![Rule::new("", vec![Statement::ct_state(Ct::NEW), ask])];
    table.chains.insert("helpers".into(), Chain::filter(Hook::Prerouting, UNTRANSLATED, Policy::Accept, rules));
}

/// The kernel's name of a helper: that of H.323 has one for each of its protocols.
fn kernel_name(helper: &ConntrackHelperIntent) -> SmolStr {
    match (helper.helper.as_str(), helper.protocol) {
        ("h323", 17) => "RAS".into(),
        ("h323", _) => "Q.931".into(),
        (name, _) => name.into(),
    }
}

/// Those that are for the same connections; one of them, the first by id, gets these.
pub(crate) fn rivals<'a>(helper: &ConntrackHelperIntent, intents: &'a Intents) -> impl Iterator<Item = &'a ConntrackHelperIntent> {
    let what = (helper.protocol, helper.port);
    intents.conntrack_helpers(helper.router_id).filter(move |other| (other.protocol, other.port) == what)
}

pub(crate) fn conntrack_helper(helper: &ConntrackHelperIntent, intents: &Intents) -> Compiled {
    let unit = UnitId::ConntrackHelper(helper.router_id, helper.id);
    if !intents.router(helper.router_id).is_some_and(|router| router.conntrack_helpers) {
        return refused(unit, format!("its router {} has no conntrack helpers", helper.router_id));
    }
    if let Some(first) = rivals(helper, intents).next().filter(|first| first.id != helper.id) {
        return refused(unit, format!("connections to port {} get the helper {} already", helper.port, first.helper));
    }
    let mut compiled = Compiled { realises: vec![unit], ..Compiled::default() };
    let table = compiled.program.netns(&netns(helper.router_id)).tables.entry(pipeline::table()).or_default();
    let name = format_smolstr!("helper-{}", helper.id);
    table.helpers.insert(name.clone(), CtHelper { helper: kernel_name(helper), protocol: helper.protocol });
    table.chains.insert(name.clone(), Chain::regular(vec![Rule::new(helper.helper.clone(), vec![Statement::CtHelper(name.clone())])]));
    table.element(HELPED, Key::from((helper.protocol, helper.port)), Some(Data::jump(name)));
    compiled
}
