//! Sorting and paging of lists, and the links between pages.

use crate::{Attribute, Cell, CellOf, Fault, Query, View, json, python, query};
use std::cmp::Ordering;
use world::Record;

/// How a list is to be ordered and cut.
pub(crate) struct Page<'q, R> {
    sort: Vec<(CellOf<R>, bool)>,
    /// Records on a page; none: all on one.
    pub(crate) limit: Option<usize>,
    /// The record before the page (after it when reversed), as the client wrote its id. Only with a limit.
    pub(crate) marker: Option<&'q str>,
    /// With a limit: the page before the marker rather than the one after it. Without: everything in the opposite order.
    pub(crate) reverse: bool,
}

impl<'q, R: Record> Page<'q, R> {
    /// Reads `sort_key`, `sort_dir`, `limit`, `marker` and `page_reverse`.
    pub(crate) fn new(attributes: &[Attribute<R>], query: &'q Query<'_>, largest: Option<usize>) -> Result<Page<'q, R>, Fault> {
        let sort = sort(attributes, query)?;
        let limit = match (limit(query)?, largest) {
            (Some(asked), Some(largest)) => Some(asked.min(largest)),
            (asked, largest) => asked.or(largest),
        };
        let reverse = query.last("page_reverse").is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1"));
        let marker = query.last("marker").filter(|marker| limit.is_some() && !marker.is_empty());
        Ok(Page { sort, limit, marker, reverse })
    }

    /// True when records are wanted in another order than that of ids.
    pub(crate) fn is_sorted(&self) -> bool {
        !self.sort.is_empty()
    }

    /// What a record is ordered by, before its id.
    pub(crate) fn key<'a>(&self, view: &View<'a, R>) -> Vec<Cell<'a>> {
        self.sort.iter().map(|(cell, _)| cell(view)).collect()
    }

    /// The order of two records with these keys.
    pub(crate) fn compare(&self, a: (&[Cell<'_>], &R), b: (&[Cell<'_>], &R)) -> Ordering {
        for ((a, b), (_, descending)) in a.0.iter().zip(b.0).zip(&self.sort) {
            let order = a.compare(b);
            let order = if *descending { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        a.1.id().cmp(&b.1.id())
    }

    /// Appends `,"networks_links":[…]` for a page with these first and last ids, where links are due.
    pub(crate) fn write_links(&self, out: &mut Vec<u8>, collection: &str, address: &str, query: &Query<'_>, shown: &Shown) {
        let Some(limit) = self.limit else { return };
        let short = shown.count < limit;
        let mut links = Vec::with_capacity(2);
        if !short || self.reverse {
            links.push(("next", link(address, query, shown.last.as_deref(), false)));
        }
        if !short || !self.reverse {
            links.push(("previous", link(address, query, shown.first.as_deref(), true)));
        }
        out.push(b',');
        json::string(out, &format!("{collection}_links"));
        out.extend_from_slice(b":[");
        for (i, (rel, href)) in links.iter().enumerate() {
            out.extend_from_slice(if i > 0 { b",{\"rel\":" } else { b"{\"rel\":" });
            json::string(out, rel);
            out.extend_from_slice(b",\"href\":");
            json::string(out, href);
            out.push(b'}');
        }
        out.push(b']');
    }
}

/// What a page held.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) count: usize,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

fn link(address: &str, query: &Query<'_>, marker: Option<&str>, previous: bool) -> String {
    let kept = query.asked().filter(|(name, _)| !matches!(*name, "marker" | "page_reverse"));
    let marker = marker.map(|marker| ("marker", marker));
    let reverse = previous.then_some(("page_reverse", "True"));
    format!("{address}?{}", query::encode(kept.chain(marker).chain(reverse)))
}

fn limit(query: &Query<'_>) -> Result<Option<usize>, Fault> {
    let Some(text) = query.last("limit") else { return Ok(None) };
    match text.trim().parse::<usize>() {
        Ok(0) => Ok(None),
        Ok(limit) => Ok(Some(limit)),
        Err(_) => {
            let message = format!("Bad limit request: Limit must be an integer 0 or greater and not '{text}'.");
            Err(Fault::new(400, "BadRequest", message))
        }
    }
}

fn sort<R>(attributes: &[Attribute<R>], query: &Query<'_>) -> Result<Vec<(CellOf<R>, bool)>, Fault> {
    let keys: Vec<&str> = query.all("sort_key").filter(|key| !key.is_empty()).collect();
    let directions: Vec<&str> = query.all("sort_dir").filter(|direction| !direction.is_empty()).collect();
    if keys.len() != directions.len() {
        return Err(Fault::bad_request("The number of sort_keys and sort_dirs must be same"));
    }
    let find = |key: &str| {
        let key = if key == "tenant_id" { "project_id" } else { key };
        attributes.iter().find(|attribute| attribute.sort && attribute.name == key)
    };
    let unknown: Vec<&str> = keys.iter().copied().filter(|key| find(key).is_none()).collect();
    if !unknown.is_empty() {
        return Err(Fault::bad_request(format!("{} is invalid attribute for sort_keys", python::list(unknown))));
    }
    let wrong: Vec<&str> = directions.iter().copied().filter(|direction| !matches!(*direction, "asc" | "desc")).collect();
    if !wrong.is_empty() {
        let message = format!("{} is invalid value for sort_dirs, valid value is 'asc' and 'desc'", python::list(wrong));
        return Err(Fault::bad_request(message));
    }
    Ok(keys.iter().zip(directions).filter_map(|(key, direction)| Some((find(key)?.cell, direction == "desc"))).collect())
}
