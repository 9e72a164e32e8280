//! Lists of what is not a record of its own: bindings of a port, segments of a network, availability zones.
//!
//! A collection written by hand makes the documents of all its members; here they are filtered, ordered, cut and shown as the frame does
//! it with records. Absent: links between pages.

use crate::{Answer, Fault, Query, python};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// What can be asked of such a list.
#[derive(Clone, Copy)]
pub struct Rows {
    /// Its name in bodies.
    pub collection: &'static str,
    /// What it can be filtered by.
    pub filters: &'static [&'static str],
    /// What it can be sorted by.
    pub sorts: &'static [&'static str],
    /// What a marker names.
    pub id: &'static str,
}

/// What is asked of every list, and no filter.
const WORDS: [&str; 6] = ["fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"];

impl Rows {
    /// The answer to a list of these.
    pub fn list(&self, query: &Query<'_>, rows: impl IntoIterator<Item = Map<String, Value>>) -> Result<Answer, Fault> {
        let is_known = |name: &str| WORDS.contains(&name) || self.filters.contains(&name);
        let unknown: Vec<&str> = query.iter().map(|(name, _)| name).filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", python::list(unknown))));
        }
        let order = self.order(query)?;
        let fits = |row: &Map<String, Value>| {
            self.filters.iter().all(|name| query.last(name).is_none() || query.all(name).any(|wanted| is(row.get(*name), wanted)))
        };
        let mut rows: Vec<Map<String, Value>> = rows.into_iter().filter(fits).collect();
        rows.sort_by(|a, b| compare(&order, a, b));
        if query.last("page_reverse").is_some_and(|word| matches!(word, "True" | "true" | "1")) {
            rows.reverse();
        }
        let start = match query.last("marker") {
            Some(marker) => rows.iter().position(|row| is(row.get(self.id), marker)).map_or(rows.len(), |at| at + 1),
            None => 0,
        };
        let limit = query.last("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let listed: Vec<Map<String, Value>> = rows.into_iter().skip(start).take(limit).map(|row| shown(query, row)).collect();
        Ok(Answer::value(200, &json!({ self.collection: listed })))
    }

    /// Names to sort by, and whether descending.
    fn order<'q>(&self, query: &'q Query<'_>) -> Result<Vec<(&'q str, bool)>, Fault> {
        let keys: Vec<&str> = query.all("sort_key").filter(|key| !key.is_empty()).collect();
        let unknown: Vec<&str> = keys.iter().copied().filter(|key| !self.sorts.contains(key)).collect();
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for sort_keys", python::list(unknown))));
        }
        let directions: Vec<&str> = query.all("sort_dir").filter(|direction| !direction.is_empty()).collect();
        if keys.len() != directions.len() {
            return Err(Fault::bad_request("The number of sort_keys and sort_dirs must be same"));
        }
        Ok(keys.into_iter().zip(directions).map(|(key, direction)| (key, direction == "desc")).collect())
    }
}

/// A document with what `fields` asks for.
pub fn shown(query: &Query<'_>, mut row: Map<String, Value>) -> Map<String, Value> {
    if query.last("fields").is_some() {
        row.retain(|name, _| query.all("fields").any(|field| field == name));
    }
    row
}

fn is(value: Option<&Value>, wanted: &str) -> bool {
    match value {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Number(number)) => number.to_string() == wanted,
        Some(Value::Bool(value)) => wanted.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
        _ => false,
    }
}

fn compare(order: &[(&str, bool)], a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let of = |row: &Map<String, Value>, name: &str| match row.get(name) {
        Some(Value::Number(number)) => (1, number.as_i64().unwrap_or_default(), String::new()),
        Some(Value::String(text)) => (2, 0, text.clone()),
        _ => (0, 0, String::new()),
    };
    let each = order.iter().map(|(name, descending)| {
        let order = of(a, name).cmp(&of(b, name));
        if *descending { order.reverse() } else { order }
    });
    each.fold(Ordering::Equal, Ordering::then)
}
