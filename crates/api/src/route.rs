//! Routes as data: what can be asked at which path, and what is answered.
//!
//! Every collection tells its own from the tables by which it answers. The OpenAPI document is written from them, and tests that judge the
//! whole API walk them, so that what is new is judged without being named.

use crate::schema;
use serde_json::{Value, json};

/// One method at one path.
#[derive(Clone, PartialEq, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, parameters in braces: `/v2.0/networks/{id}`. As a collection tells it, it begins below the collection.
    pub path: String,
    /// The policy rules by which it is checked; none: it is for everybody with a token.
    pub rules: Vec<String>,
    /// What the query may say.
    pub query: Vec<Parameter>,
    /// The body's schema, when it takes one.
    pub body: Option<Value>,
    /// The status of success.
    pub status: u16,
    /// The schema of the answer; none: it has no body.
    pub answer: Option<Value>,
    /// True when it depends on a revision (`If-Match`).
    pub is_conditional: bool,
    /// True for a GET that makes what it shows, and may be refused as a create is.
    pub makes: bool,
    /// True when its 404 is plain text.
    pub has_plain_404: bool,
}

/// A parameter of a query. It may be given several times: filters take all of them, the others the last.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// One value's schema.
    pub schema: Value,
    /// A sentence; empty for filters.
    pub description: &'static str,
}

impl Route {
    /// A GET.
    pub fn get(path: impl Into<String>, answer: Value) -> Route {
        Route::new("GET", path, 200, Some(answer))
    }

    /// A POST.
    pub fn post(path: impl Into<String>, body: Value, answer: Value) -> Route {
        Route { body: Some(body), ..Route::new("POST", path, 201, Some(answer)) }
    }

    /// A PUT.
    pub fn put(path: impl Into<String>, body: Value, answer: Value) -> Route {
        Route { body: Some(body), ..Route::new("PUT", path, 200, Some(answer)) }
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Route {
        Route::new("DELETE", path, 204, None)
    }

    pub(crate) fn new(method: &'static str, path: impl Into<String>, status: u16, answer: Option<Value>) -> Route {
        Route {
            method,
            path: path.into(),
            rules: Vec::new(),
            query: Vec::new(),
            body: None,
            status,
            answer,
            is_conditional: false,
            makes: false,
            has_plain_404: false,
        }
    }

    /// It is checked by this rule, beside others.
    #[must_use]
    pub fn by(mut self, rule: impl Into<String>) -> Route {
        self.rules.push(rule.into());
        self
    }

    /// The query may say which attributes are shown, of these.
    #[must_use]
    pub fn with_fields(mut self, names: &[&str]) -> Route {
        self.query.push(Parameter::new("fields", schema::word(names), "Show this attribute, and those named likewise, alone."));
        self
    }

    /// The query may filter by these.
    #[must_use]
    pub fn with_filters(mut self, filters: impl IntoIterator<Item = (&'static str, Value)>) -> Route {
        self.query.extend(filters.into_iter().map(|(name, schema)| Parameter::new(name, schema, "")));
        self
    }

    /// The query may ask for an order by these, and for pages.
    #[must_use]
    pub fn in_pages(mut self, sorts: &[&str]) -> Route {
        if !sorts.is_empty() {
            self.query.push(Parameter::new("sort_key", schema::word(sorts), "Sort by this; as many keys as directions."));
            self.query.push(Parameter::new("sort_dir", schema::word(&["asc", "desc"]), "The direction of the key at the same place."));
        }
        self.query.push(Parameter::new("limit", json!({"type": "integer", "minimum": 0}), "The size of a page; 0: all."));
        self.query.push(Parameter::new("marker", schema::text(usize::MAX), "The page begins after this one."));
        self.query.push(Parameter::new("page_reverse", schema::boolean(), "The page before the marker."));
        self
    }
}

impl Parameter {
    fn new(name: &str, schema: Value, description: &'static str) -> Parameter {
        Parameter { name: name.to_owned(), schema, description }
    }
}

/// The answer to a list: `{"networks": […]}`, with links between pages where it has them.
pub fn listed(collection: &str, item: Value) -> Value {
    let link = schema::object([("rel", schema::word(&["next", "previous"])), ("href", schema::text(usize::MAX))]);
    let link = schema::titled("PageLink", link);
    schema::requiring(&[collection], [(collection.to_owned(), schema::list(item)), (format!("{collection}_links"), schema::list(link))])
}
