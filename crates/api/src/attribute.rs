//! One attribute of a resource: who may set it, its type and default, how it is shown, filtered and sorted.

use crate::{Cell, Invalid, Kind, View};
use serde_json::Value;

/// What stands for an attribute that a create does not set.
#[derive(Clone, Debug)]
pub enum Default {
    /// Nothing: the create is refused.
    Required,
    /// The operation decides; [`crate::Fields::get`] finds nothing.
    Absent,
    /// This value.
    Value(Value),
}

/// How an attribute of a record becomes a [`Cell`].
pub type CellOf<R> = for<'a> fn(&View<'a, R>) -> Cell<'a>;

/// A filter of lists that is more than equality, ready to look at records.
pub type Matcher<R> = Box<dyn for<'a> Fn(&View<'a, R>) -> bool + Send + Sync>;

/// Makes a [`Matcher`] of all values that a request gives for the attribute (at least one), as the client wrote them.
pub type MatcherOf<R> = fn(&[&str]) -> Result<Matcher<R>, Invalid>;

/// A declared attribute. Made with [`Attribute::new`] and refined by the methods, in one expression of the resource's table.
pub struct Attribute<R> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) post: bool,
    pub(crate) put: bool,
    pub(crate) default: Default,
    pub(crate) filter: bool,
    pub(crate) sort: bool,
    pub(crate) visible: bool,
    pub(crate) policy: bool,
    pub(crate) matcher: Option<MatcherOf<R>>,
    pub(crate) cell: CellOf<R>,
    /// What answers show, where that is not what clients send.
    pub(crate) shown: Option<fn() -> Value>,
    pub(crate) extension: Option<&'static str>,
    pub(crate) wider: Option<Wider<R>>,
}

/// The form of an attribute where an extension is there that widens it: `external_gateway_info` with a `qos_policy_id`.
#[derive(Clone, Copy)]
pub(crate) struct Wider<R> {
    pub(crate) extension: &'static str,
    kind: Kind,
    cell: CellOf<R>,
    shown: Option<fn() -> Value>,
}

impl<R> Attribute<R> {
    /// A read-only attribute.
    pub fn new(name: &'static str, kind: Kind, cell: CellOf<R>) -> Attribute<R> {
        Attribute {
            name,
            kind,
            post: false,
            put: false,
            default: Default::Absent,
            filter: false,
            sort: false,
            visible: true,
            policy: false,
            matcher: None,
            cell,
            shown: None,
            extension: None,
            wider: None,
        }
    }

    /// A create may set it and must (`allow_post`, no default).
    #[must_use]
    pub fn required(mut self) -> Self {
        (self.post, self.default) = (true, Default::Required);
        self
    }

    /// A create may set it; the operation decides otherwise (`allow_post`, default `ATTR_NOT_SPECIFIED`).
    #[must_use]
    pub fn post(mut self) -> Self {
        self.post = true;
        self
    }

    /// A create may set it; otherwise it is this.
    #[must_use]
    pub fn post_or(mut self, default: impl Into<Value>) -> Self {
        (self.post, self.default) = (true, Default::Value(default.into()));
        self
    }

    /// An update may set it (`allow_put`).
    #[must_use]
    pub fn put(mut self) -> Self {
        self.put = true;
        self
    }

    /// Lists may be filtered by it (`is_filter`).
    #[must_use]
    pub fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Lists may be filtered by it in a way of its own: `fixed_ips=ip_address=10.0.0.2`. The values are parsed once per request, also
    /// when there is nothing to list; a refusal is the request's answer. Without this, an attribute is compared by its value (a list of
    /// ids by its members).
    #[must_use]
    pub fn filter_by(mut self, matcher: MatcherOf<R>) -> Self {
        (self.filter, self.matcher) = (true, Some(matcher));
        self
    }

    /// Lists may be sorted by it (`is_sort_key`).
    #[must_use]
    pub fn sort(mut self) -> Self {
        self.sort = true;
        self
    }

    /// Answers show it in this form, which is not the one that clients send.
    #[must_use]
    pub fn shown_as(mut self, form: fn() -> Value) -> Self {
        self.shown = Some(form);
        self
    }

    /// Never shown (`is_visible` false).
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.visible = false;
        self
    }

    /// It belongs to this extension: where the extension is off, the attribute does not exist.
    #[must_use]
    pub fn of(mut self, extension: &'static str) -> Self {
        self.extension = Some(extension);
        self
    }

    /// Has the form of another attribute where that one's extension is there.
    pub(crate) fn widened_by(&mut self, wider: &Attribute<R>) {
        self.wider = wider.extension.map(|extension| Wider { extension, kind: wider.kind, cell: wider.cell, shown: wider.shown });
    }

    /// Takes the wider form.
    pub(crate) fn widen(&mut self) {
        if let Some(wider) = self.wider.take() {
            (self.kind, self.cell, self.shown) = (wider.kind, wider.cell, wider.shown);
        }
    }

    /// Setting it is checked by a policy rule of its own, `create_port:fixed_ips` (`enforce_policy`).
    #[must_use]
    pub fn policy(mut self) -> Self {
        self.policy = true;
        self
    }
}
