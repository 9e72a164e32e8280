//! Lists: which records, in which order, and writing them. A list in id order without a limit is written while it is walked.

use super::Resolved;
use crate::columns::Plan;
use crate::filter::Filters;
use crate::page::{Page, Shown};
use crate::{Answer, Cell, Fault, Request, View};
use auth::Decision;
use std::cmp::Ordering;
use std::sync::Arc;
use world::{Record, World};

/// Room for a record in an answer, for a first guess of its size.
const USUAL_RECORD: usize = 1100;

/// After this much output other requests have their turn: about a third of a millisecond.
const TURN: usize = 512 * 1024;

/// One list being made.
struct Listing<'l, R: Record> {
    resolved: &'l Resolved<R>,
    request: &'l Request<'l>,
    world: &'l World,
    filters: &'l Filters<'l, R>,
    page: &'l Page<'l, R>,
    decision: Decision,
}

type Rows<'w, R> = Box<dyn DoubleEndedIterator<Item = &'w Arc<R>> + Send + 'w>;

impl<R: Record> Resolved<R> {
    pub(super) async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let attributes = &self.resource.attributes;
        let filters = Filters::new(attributes, &request.query)?;
        let page = Page::new(attributes, &request.query, request.frame.largest_page)?;
        let world = self.readable(request).await?;
        let decision = request.frame.policy.decide(self.get, &request.caller);
        let listing = Listing { resolved: self, request, world: &world, filters: &filters, page: &page, decision };
        let mut out = Vec::new();
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(self.resource.collection.as_bytes());
        out.extend_from_slice(b"\":[");
        let shown = listing.write(&mut out).await?;
        out.push(b']');
        page.write_links(&mut out, self.resource.collection, &request.address, &request.query, &shown);
        out.push(b'}');
        Ok(Answer::json(200, out))
    }
}

impl<'l, R: Record> Listing<'l, R> {
    async fn write(&self, out: &mut Vec<u8>) -> Result<Shown, Fault> {
        let marker = self.page.marker.map(|id| self.marker(id)).transpose()?.flatten();
        if self.decision == Decision::Never {
            return Ok(Shown::default());
        }
        let narrowed = self.narrowed();
        let expected = narrowed.as_ref().map_or(self.world.table::<R>().len(), Vec::len).min(self.page.limit.unwrap_or(usize::MAX));
        if self.filters.is_empty() && self.decision == Decision::Always {
            out.reserve(expected.saturating_mul(USUAL_RECORD));
        }
        let plan = self.resolved.plan(self.request);
        let rows: Rows<'_, R> = match narrowed {
            Some(rows) => Box::new(rows.into_iter()),
            None => Box::new(self.world.table::<R>().iter()),
        };
        if self.page.is_sorted() {
            return Ok(self.write_all(out, &plan, self.sorted(rows, marker).into_iter()).await);
        }
        let Some(limit) = self.page.limit else {
            let rows: Rows<'_, R> = if self.page.reverse { Box::new(rows.rev()) } else { rows };
            return Ok(self.write_all(out, &plan, rows.filter(|record| self.is_listed(record))).await);
        };
        Ok(self.write_all(out, &plan, self.cut(rows, marker, limit).into_iter()).await)
    }

    fn view(&self, record: &'l R) -> View<'l, R> {
        self.resolved.view(self.request.frame, self.world, &self.request.caller, record)
    }

    fn is_listed(&self, record: &'l R) -> bool {
        let view = self.view(record);
        (self.resolved.resource.includes)(record)
            && self.filters.matches(&view)
            && self.resolved.is_visible(self.request.frame, &view, self.decision)
    }

    /// The record that a marker names; the caller must be able to see it. None: the list starts anew.
    fn marker(&self, id: &str) -> Result<Option<&'l Arc<R>>, Fault> {
        let visible = |record: &&'l Arc<R>| self.resolved.is_visible(self.request.frame, &self.view(record), self.decision);
        let found = self.resolved.find(self.world, id).filter(visible);
        if found.is_none() && !self.resolved.resource.restarts_at_unknown_marker {
            return Err(self.resolved.not_found(id));
        }
        Ok(found)
    }

    /// The records that can match by some index, in id order; none when no index helps. The filters still have to be applied.
    fn narrowed(&self) -> Option<Vec<&'l Arc<R>>> {
        let table = self.world.table::<R>();
        let ids = |(attribute, values): (&str, &[&str])| -> Option<Vec<R::Id>> {
            let mut ids = Vec::new();
            let narrow = self.resolved.resource.narrow.iter().find(|(name, _)| *name == attribute);
            for value in values {
                match attribute {
                    "id" => ids.extend(value.parse::<R::Id>()),
                    _ => ids.extend(narrow?.1.find(self.world, value)?),
                }
            }
            ids.sort_unstable();
            ids.dedup();
            Some(ids)
        };
        let filtered = self.filters.iter().filter_map(ids).min_by_key(Vec::len);
        let by_rules = || self.concerning().filter(|concerning| concerning.len() < table.len());
        let ids = filtered.or_else(by_rules)?;
        Some(ids.iter().filter_map(|id| table.get(id)).collect())
    }

    /// The ids of what the rules can let the caller see, in order; none when that cannot be told.
    fn concerning(&self) -> Option<Vec<R::Id>> {
        let caller = &self.request.caller;
        let is_tenant = !caller.is_admin && !caller.roles.contains("service") && !caller.project_id.is_empty();
        if !self.request.frame.is_default_policy || self.decision != Decision::Depends || !is_tenant {
            return None;
        }
        let mut ids = self.resolved.resource.concerning.as_ref()?.find(self.world, caller);
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    /// A page in id order.
    fn cut(&self, rows: Rows<'l, R>, marker: Option<&'l Arc<R>>, limit: usize) -> Vec<&'l Arc<R>> {
        let listed = |record: &&'l Arc<R>| self.is_listed(record);
        let Some(marker) = marker.map(|marker| marker.id()) else {
            return if self.page.reverse { last(rows.filter(listed), limit) } else { rows.filter(listed).take(limit).collect() };
        };
        if self.page.reverse {
            return last(rows.filter(|record| record.id() < marker).filter(listed), limit);
        }
        if self.filters.is_empty() {
            return self.world.table::<R>().after(&marker).filter(listed).take(limit).collect();
        }
        rows.filter(|record| record.id() > marker).filter(listed).take(limit).collect()
    }

    /// All or a page in the order asked for.
    fn sorted(&self, rows: Rows<'l, R>, marker: Option<&'l Arc<R>>) -> Vec<&'l Arc<R>> {
        let key = |record: &'l Arc<R>| self.page.key(&self.view(record));
        let compare = |a: &(Vec<Cell<'_>>, &Arc<R>), b: &(Vec<Cell<'_>>, &Arc<R>)| self.page.compare((&a.0, a.1), (&b.0, b.1));
        let mut keyed: Vec<(Vec<Cell<'_>>, &Arc<R>)> =
            rows.filter(|record| self.is_listed(record)).map(|record| (key(record), record)).collect();
        keyed.sort_unstable_by(compare);
        let Some(limit) = self.page.limit else {
            if self.page.reverse {
                keyed.reverse();
            }
            return keyed.iter().map(|(_, record)| *record).collect();
        };
        let marker = marker.map(|marker| (key(marker), marker));
        let range = if self.page.reverse {
            let end = marker.map_or(keyed.len(), |marker| keyed.partition_point(|row| compare(row, &marker) == Ordering::Less));
            end.saturating_sub(limit)..end
        } else {
            let start = marker.map_or(0, |marker| keyed.partition_point(|row| compare(row, &marker) != Ordering::Greater));
            start..start.saturating_add(limit).min(keyed.len())
        };
        keyed[range].iter().map(|(_, record)| *record).collect()
    }

    async fn write_all(&self, out: &mut Vec<u8>, plan: &Plan<'_, R>, records: impl Iterator<Item = &'l Arc<R>>) -> Shown {
        let (mut count, mut first, mut last) = (0, None, None);
        let mut turn = TURN;
        for record in records {
            if out.len() > turn {
                tokio::task::yield_now().await;
                turn = out.len() + TURN;
            }
            if count > 0 {
                out.push(b',');
            }
            let view = self.view(record);
            plan.write(out, &view, &self.resolved.target(&view), &self.request.frame.policy);
            count += 1;
            first = first.or(Some(record));
            last = Some(record);
        }
        let id = |record: Option<&Arc<R>>| record.filter(|_| self.page.limit.is_some()).map(|record| record.id().to_string());
        Shown { count, first: id(first), last: id(last) }
    }
}

/// The last `limit` of them, in their order.
fn last<'w, R>(rows: impl DoubleEndedIterator<Item = &'w Arc<R>>, limit: usize) -> Vec<&'w Arc<R>> {
    let mut rows: Vec<&Arc<R>> = rows.rev().take(limit).collect();
    rows.reverse();
    rows
}
