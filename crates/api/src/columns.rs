//! Answers: which attributes a caller sees, and writing them from records into a buffer.

use crate::{Attribute, Cell, CellOf, Query, View, json};
use auth::{Caller, Decision, Policy, RuleId, Target};

/// A shown attribute, ready for writing.
pub(crate) struct Column<R> {
    pub(crate) name: &'static str,
    /// `"name":`
    key: Vec<u8>,
    cell: CellOf<R>,
    /// The rule `get_<resource>:<attribute>`, where there is one.
    rule: Option<RuleId>,
}

/// All shown attributes of a resource; `tenant_id` beside `project_id`.
pub(crate) fn columns<R>(resource: &str, attributes: &[Attribute<R>], policy: &Policy) -> Vec<Column<R>> {
    let mut columns = Vec::with_capacity(attributes.len() + 1);
    for attribute in attributes.iter().filter(|attribute| attribute.visible) {
        let mut add = |name: &'static str| {
            let mut key = Vec::new();
            json::string(&mut key, name);
            key.push(b':');
            let rule = policy.rule(&format!("get_{resource}:{name}"));
            columns.push(Column { name, key, cell: attribute.cell, rule });
        };
        add(attribute.name);
        if attribute.name == "project_id" {
            add("tenant_id");
        }
    }
    columns
}

/// The columns that one answer shows, decided once for the caller.
pub(crate) struct Plan<'e, R> {
    /// With the rule that each record has to be asked for, if it depends on the record.
    shown: Vec<(&'e Column<R>, Option<RuleId>)>,
}

impl<'e, R> Plan<'e, R> {
    /// What `fields=` asks for and policy allows.
    pub(crate) fn new(columns: &'e [Column<R>], query: &Query<'_>, policy: &Policy, caller: &Caller) -> Plan<'e, R> {
        let fields: Vec<&str> = query.all("fields").collect();
        let mut shown = Vec::with_capacity(columns.len());
        for column in columns.iter().filter(|column| fields.is_empty() || fields.contains(&column.name)) {
            match column.rule.map(|rule| (rule, policy.decide(rule, caller))) {
                None | Some((_, Decision::Always)) => shown.push((column, None)),
                Some((rule, Decision::Depends)) => shown.push((column, Some(rule))),
                Some((_, Decision::Never)) => {}
            }
        }
        Plan { shown }
    }

    /// Appends a record as a JSON object.
    pub(crate) fn write(&self, out: &mut Vec<u8>, view: &View<'_, R>, target: &dyn Target, policy: &Policy) {
        let start = out.len();
        for (column, rule) in &self.shown {
            if rule.is_some_and(|rule| !policy.check(rule, view.caller, target)) {
                continue;
            }
            let cell = (column.cell)(view);
            if matches!(cell, Cell::Absent) {
                continue;
            }
            out.push(b',');
            out.extend_from_slice(&column.key);
            cell.write(out);
        }
        if out.len() == start {
            out.push(b'{');
        } else {
            out[start] = b'{';
        }
        out.push(b'}');
    }
}
