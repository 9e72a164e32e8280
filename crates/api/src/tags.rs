//! Tags of records (extensions `standard-attr-tag` and `tag-creation`): the attribute `tags`, the filters of lists, and the checks of what
//! clients send. The routes below a member are in `endpoint/tags.rs`.

use crate::{Attribute, Cell, Fault, Invalid, Kind, Matcher, Resource, View, object, python, schema};
use model::{Tagged, Tags};
use net::Timestamp;
use serde_json::{Value, json};
use smol_str::SmolStr;

/// Name of the attribute and of the path below a member.
pub(crate) const NAME: &str = "tags";

/// Characters of a tag at most.
const LONGEST: usize = 255;

/// Tags of one record at most: each change writes the whole record, so that without an end one record could fill a disk.
const MOST: usize = 1000;

/// How the tags of a record are read and replaced.
pub struct Tagging<R> {
    pub(crate) of: fn(&R) -> &Tags,
    pub(crate) set: fn(&mut R, Tags, Timestamp),
}

impl<R: Tagged> Resource<R> {
    /// Gives it tags: the attribute, the filters and the routes `/v2.0/<collection>/<id>/tags`.
    #[must_use]
    pub fn tagged(self) -> Resource<R> {
        self.with_tags(Attribute::new(NAME, LIST, cell))
    }

    /// The same; its create takes tags, too.
    #[must_use]
    pub fn tagged_from_create(self) -> Resource<R> {
        self.with_tags(Attribute::new(NAME, LIST, cell).post_or(json!([])).policy())
    }

    fn with_tags(mut self, attribute: Attribute<R>) -> Resource<R> {
        let filter = |name| Attribute::new(name, LIST, |_| Cell::Null).hidden();
        self.attributes.extend([
            attribute.filter_by(|values| matcher(values, |wanted, tags| wanted.iter().all(|tag| tags.has(tag)))),
            filter("tags-any").filter_by(|values| matcher(values, |wanted, tags| wanted.iter().any(|tag| tags.has(tag)))),
            filter("not-tags").filter_by(|values| matcher(values, |wanted, tags| !wanted.iter().all(|tag| tags.has(tag)))),
            filter("not-tags-any").filter_by(|values| matcher(values, |wanted, tags| !wanted.iter().any(|tag| tags.has(tag)))),
        ]);
        self.tags = Some(Tagging {
            of: |record| &record.standard().tags,
            set: |record, tags, now| {
                let standard = record.standard_mut();
                standard.tags = tags;
                standard.touch(now);
            },
        });
        self
    }
}

fn cell<'a, R: Tagged>(view: &View<'a, R>) -> Cell<'a> {
    Cell::Json(&view.record.standard().tags)
}

/// A list of tags.
const LIST: Kind = Kind::Special { name: "tags", check: list, form: || schema::list(schema::text(LONGEST)) };

fn list(value: Value) -> Result<Value, Invalid> {
    let Value::Array(items) = value else {
        return Err(Invalid::Reason(format!("'{}' is not a list", python::text(&value))));
    };
    if items.len() > MOST {
        return Err(Invalid::Reason(format!("a resource has at most {MOST} tags")));
    }
    let tags: Vec<Value> = items.into_iter().map(|item| Kind::Text(LONGEST).check(item)).collect::<Result<_, _>>()?;
    let mut texts: Vec<&str> = tags.iter().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    if texts.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Invalid::Reason(format!("Duplicate items in the list: '{}'", texts.join(", "))));
    }
    Ok(Value::Array(tags))
}

/// All values of a filter, and all parts of each between commas.
fn matcher<R: Tagged>(values: &[&str], test: fn(&Tags, &Tags) -> bool) -> Result<Matcher<R>, Invalid> {
    let wanted: Tags = values.iter().flat_map(|value| value.split(',')).map(SmolStr::from).collect();
    Ok(Box::new(move |view: &View<'_, R>| test(&wanted, &view.record.standard().tags)))
}

/// What is done to the tags of a record.
pub(crate) enum Edit {
    /// They become these.
    Replace(Vec<SmolStr>),
    /// These come to them.
    Add(Vec<SmolStr>),
    /// This one goes.
    Remove(SmolStr),
    /// All go.
    Clear,
}

impl Edit {
    /// The tags afterwards.
    pub(crate) fn apply(&self, there: &Tags) -> Result<Tags, Fault> {
        let tags: Tags = match self {
            Edit::Replace(tags) => tags.iter().cloned().collect(),
            Edit::Add(tags) => there.iter().chain(tags).cloned().collect(),
            Edit::Remove(tag) if !there.has(tag) => return Err(not_found(tag)),
            Edit::Remove(tag) => there.iter().filter(|other| *other != tag).cloned().collect(),
            Edit::Clear => Tags::default(),
        };
        if tags.len() > MOST { Err(Fault::invalid_input(format_args!("a resource has at most {MOST} tags"))) } else { Ok(tags) }
    }
}

/// The tags of a body `{"tags": ["a", "b"]}`, in its order.
pub(crate) fn body(body: &[u8]) -> Result<Vec<SmolStr>, Fault> {
    let tags = object(body)?.remove(NAME).ok_or_else(|| Fault::invalid_input("Invalid tags body"))?;
    let Value::Array(tags) = list(tags).map_err(input)? else { return Err(Fault::internal()) };
    Ok(tags.iter().filter_map(Value::as_str).map(SmolStr::from).collect())
}

/// A tag of a path.
pub(crate) fn one(tag: &str) -> Result<SmolStr, Fault> {
    Kind::Text(LONGEST).check(tag.into()).map_err(input)?;
    Ok(tag.into())
}

pub(crate) fn not_found(tag: &str) -> Fault {
    Fault::new(404, "TagNotFound", format!("Tag {tag} could not be found."))
}

fn input(invalid: Invalid) -> Fault {
    match invalid {
        Invalid::Reason(reason) | Invalid::Conversion(reason) => Fault::invalid_input(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(words: &[&str]) -> Tags {
        words.iter().map(|word| SmolStr::from(*word)).collect()
    }

    #[test]
    fn a_record_has_no_more_than_there_may_be() {
        let many: Vec<SmolStr> = (0..MOST).map(|n| n.to_string().into()).collect();
        let full = Edit::Add(many.clone()).apply(&Tags::default()).expect("just as many");
        assert_eq!(Edit::Add(many).apply(&full), Ok(full.clone()), "the same again");
        let message = "Invalid input for operation: a resource has at most 1000 tags.";
        assert_eq!(Edit::Add(vec!["more".into()]).apply(&full), Err(Fault::new(400, "InvalidInput", message)));
    }

    #[test]
    fn edits() {
        let there = tags(&["a", "b"]);
        assert_eq!(Edit::Add(vec!["0".into(), "b".into()]).apply(&there), Ok(tags(&["0", "a", "b"])));
        assert_eq!(Edit::Replace(vec!["z".into()]).apply(&there), Ok(tags(&["z"])));
        assert_eq!(Edit::Remove("a".into()).apply(&there), Ok(tags(&["b"])));
        assert_eq!(Edit::Remove("c".into()).apply(&there), Err(not_found("c")));
        assert_eq!(Edit::Clear.apply(&there), Ok(Tags::default()));
    }
}
