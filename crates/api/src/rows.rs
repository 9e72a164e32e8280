//! Lists of what is not a record of its own: bindings of a port, segments of a network, availability zones.
//!
//! A collection written by hand makes the documents of all its members; here they are filtered, ordered, cut and shown as the frame does
//! it with records. Absent: links between pages.

use crate::route::listed;
use crate::{Answer, Fault, Query, Route, python, schema};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// A member, as answers show it.
pub type Row = Map<String, Value>;

/// What can be asked of such a list.
#[derive(Clone, Copy)]
pub struct Rows {
    /// Its name in bodies.
    pub collection: &'static str,
    /// What it can be filtered by: members that are compared.
    pub filters: &'static [&'static str],
    /// What can be asked besides; what that means is the collection's to say.
    pub words: &'static [&'static str],
    /// What it can be sorted by.
    pub sorts: &'static [&'static str],
    /// What a marker names.
    pub id: &'static str,
    /// The schemas of a member's members.
    pub form: fn() -> Vec<(&'static str, Value)>,
}

/// What is asked of every list, and no filter.
const WORDS: [&str; 6] = ["fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"];

impl Rows {
    /// The answer to a list of these.
    pub fn list(&self, query: &Query<'_>, rows: impl IntoIterator<Item = Row>) -> Result<Answer, Fault> {
        let rows = self.select(query, rows, |row, name| row.get(name).cloned())?;
        let rows: Vec<Row> = rows.into_iter().map(|row| shown(query, row)).collect();
        Ok(Answer::value(200, &json!({ self.collection: rows })))
    }

    /// What a request asks for of these, in its order; `member` gives what is compared.
    pub fn select<T>(
        &self,
        query: &Query<'_>,
        rows: impl IntoIterator<Item = T>,
        member: impl Fn(&T, &str) -> Option<Value>,
    ) -> Result<Vec<T>, Fault> {
        let is_known = |name: &str| [&WORDS[..], self.filters, self.words].iter().any(|known| known.contains(&name));
        let unknown: Vec<&str> = query.iter().map(|(name, _)| name).filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", python::list(unknown))));
        }
        let order = self.order(query)?;
        let fits = |row: &T| {
            let is_one = |name: &str| query.all(name).any(|wanted| is(member(row, name).as_ref(), wanted));
            self.filters.iter().all(|name| query.last(name).is_none() || is_one(name))
        };
        let mut rows: Vec<T> = rows.into_iter().filter(fits).collect();
        if !order.is_empty() {
            rows.sort_by_cached_key(|row| order.iter().map(|(name, descends)| Key::new(member(row, name), *descends)).collect::<Vec<_>>());
        }
        if query.last("page_reverse").is_some_and(|word| matches!(word, "True" | "true" | "1")) {
            rows.reverse();
        }
        let start = match query.last("marker") {
            Some(marker) => rows.iter().position(|row| is(member(row, self.id).as_ref(), marker)).map_or(rows.len(), |at| at + 1),
            None => 0,
        };
        let limit = query.last("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        Ok(rows.into_iter().skip(start).take(limit).collect())
    }

    /// Names of a member's members.
    pub fn fields(&self) -> Vec<&'static str> {
        (self.form)().into_iter().map(|(name, _)| name).collect()
    }

    /// One of these in an answer.
    pub fn item(&self) -> Value {
        schema::object((self.form)())
    }

    /// The list at this path.
    pub fn route(&self, path: impl Into<String>) -> Route {
        let fields = self.fields();
        let filters = self.filters.iter().chain(self.words).map(|name| (*name, schema::text(usize::MAX)));
        let answer = listed(self.collection, self.item());
        Route::get(path, answer).with_fields(&fields).with_filters(filters).in_pages(self.sorts)
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
pub fn shown(query: &Query<'_>, mut row: Row) -> Row {
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

/// What a row is sorted by: null first, then numbers, then texts.
#[derive(PartialEq, Eq)]
struct Key {
    value: (u8, i128, String),
    descends: bool,
}

impl Key {
    fn new(value: Option<Value>, descends: bool) -> Key {
        let value = match value {
            Some(Value::Number(number)) => (1, number.as_i128().unwrap_or_default(), String::new()),
            Some(Value::String(text)) => (2, 0, text),
            _ => (0, 0, String::new()),
        };
        Key { value, descends }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        let order = self.value.cmp(&other.value);
        if self.descends { order.reverse() } else { order }
    }
}
