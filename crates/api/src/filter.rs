//! Filters of lists: values of one key are alternatives, different keys must all match.

use crate::{Attribute, Cell, Fault, Matcher, Query, View, python};
use net::Mac;
use std::borrow::Cow;
use std::net::IpAddr;
use uuid::Uuid;

/// Parameters of a list that are not filters.
const RESERVED: [&str; 6] = ["fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"];

/// The filters of one request.
pub(crate) struct Filters<'q, R> {
    filters: Vec<Filter<'q, R>>,
}

struct Filter<'q, R> {
    /// As the client wrote it: `tenant_id` and `project_id` are two filters.
    name: &'q str,
    attribute: &'q Attribute<R>,
    values: Vec<&'q str>,
    test: Test<'q, R>,
}

enum Test<'q, R> {
    Wanted(Wanted<'q>),
    Matcher(Matcher<R>),
}

impl<'q, R> Filters<'q, R> {
    /// Reads the filters; names that cannot be filtered by and values that cannot be converted are refused.
    pub(crate) fn new(attributes: &'q [Attribute<R>], query: &'q Query<'_>) -> Result<Filters<'q, R>, Fault> {
        let mut filters: Vec<Filter<'q, R>> = Vec::new();
        let mut unknown = Vec::new();
        for (name, value) in query.iter().filter(|(name, _)| !RESERVED.contains(name)) {
            let canonical = if name == "tenant_id" { "project_id" } else { name };
            let Some(attribute) = attributes.iter().find(|attribute| attribute.filter && attribute.name == canonical) else {
                if !unknown.contains(&name) {
                    unknown.push(name);
                }
                continue;
            };
            match filters.iter_mut().find(|filter| filter.name == name) {
                Some(filter) => filter.values.push(value),
                None => filters.push(Filter { name, attribute, values: vec![value], test: Test::Wanted(Wanted::default()) }),
            }
        }
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", python::list(unknown))));
        }
        for filter in &mut filters {
            filter.prepare().map_err(|invalid| invalid.fault(filter.attribute.name))?;
        }
        Ok(Filters { filters })
    }

    /// True when everything matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &[&'q str])> {
        self.filters.iter().map(|filter| (filter.attribute.name, filter.values.as_slice()))
    }

    /// True when the record passes all filters.
    pub(crate) fn matches(&self, view: &View<'_, R>) -> bool {
        self.filters.iter().all(|filter| match &filter.test {
            Test::Wanted(wanted) => wanted.has(&(filter.attribute.cell)(view)),
            Test::Matcher(matcher) => matcher(view),
        })
    }
}

impl<R> Filter<'_, R> {
    fn prepare(&mut self) -> Result<(), crate::Invalid> {
        self.test = match self.attribute.matcher {
            Some(matcher) => Test::Matcher(matcher(&self.values)?),
            None => {
                let wanted = self.values.iter().map(|value| self.attribute.kind.wanted(value));
                Test::Wanted(Wanted::new(wanted.collect::<Result<_, _>>()?))
            }
        };
        Ok(())
    }
}

/// Wanted values in each form that a cell may have, sorted.
#[derive(Default)]
struct Wanted<'q> {
    texts: Vec<Cow<'q, str>>,
    uuids: Vec<Uuid>,
    ips: Vec<IpAddr>,
    macs: Vec<Mac>,
    ints: Vec<i64>,
    bools: [bool; 2],
}

impl<'q> Wanted<'q> {
    fn new(values: Vec<Cow<'q, str>>) -> Wanted<'q> {
        let mut wanted = Wanted::default();
        for value in &values {
            let json = serde_json::Value::from(&**value);
            wanted.uuids.extend(Uuid::try_parse(value));
            wanted.ips.extend(value.parse::<IpAddr>());
            wanted.macs.extend(value.parse::<Mac>());
            wanted.ints.extend(crate::kind::integer(&json));
            if let Ok(value) = crate::kind::boolean(&json) {
                wanted.bools[usize::from(value)] = true;
            }
        }
        wanted.texts = values;
        wanted.texts.sort_unstable();
        wanted.uuids.sort_unstable();
        wanted.ips.sort_unstable();
        wanted.macs.sort_unstable();
        wanted.ints.sort_unstable();
        wanted
    }

    fn has(&self, cell: &Cell<'_>) -> bool {
        let text = |text: &str| self.texts.binary_search_by(|wanted| (**wanted).cmp(text)).is_ok();
        match cell {
            Cell::Null | Cell::Absent => false,
            Cell::Bool(value) => self.bools[usize::from(*value)],
            Cell::Int(number) => self.ints.binary_search(number).is_ok(),
            Cell::Str(value) => text(value),
            Cell::Text(value) => text(value),
            Cell::Uuid(id) => self.uuids.binary_search(id).is_ok(),
            Cell::Ip(address) => self.ips.binary_search(address).is_ok(),
            Cell::Mac(mac) => self.macs.binary_search(mac).is_ok(),
            Cell::Uuids(ids) => ids.iter().any(|id| self.uuids.binary_search(id).is_ok()),
            Cell::Net(_) | Cell::Time(_) | Cell::Json(_) | Cell::Made(_) => text(&cell.text()),
        }
    }
}
