//! What a declared resource answers, as data.

use super::Resolved;
use crate::route::listed;
use crate::tags::NAME;
use crate::{Attribute, Default, Route, schema};
use serde_json::{Value, json};
use world::Record;

/// Names for schemas: `SecurityGroupRule` of `security_group_rule`.
fn title(name: &str) -> String {
    let word = |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    name.split('_').map(word).collect()
}

impl<R: Record> Resolved<R> {
    /// Its routes below its collection. `below`: the attribute that a path above it sets, which bodies do not have.
    pub(super) fn routes(&self, below: Option<&str>) -> Vec<Route> {
        let resource = &self.resource;
        let rule = |verb: &str| format!("{verb}_{}", resource.rules);
        let shown = self.record_schema();
        let one = || schema::wrapped(resource.name, shown.clone());
        let fields = self.fields();
        let mut routes =
            vec![self.list_route(below, &fields, &shown).by(rule("get")), Route::get("/{id}", one()).with_fields(&fields).by(rule("get"))];
        if resource.create.is_some() {
            let bulk = schema::wrapped(resource.collection, schema::list(shown.clone()));
            let answer = schema::either(one(), bulk);
            routes.push(Route::post("", self.created(below), answer).with_fields(&fields).by(rule("create")));
        }
        let conditional = |route| Route { is_conditional: resource.revision_number.is_some(), ..route };
        if resource.update.is_some() {
            let body = schema::titled(format!("{}Update", title(resource.name)), self.given(below, |attribute| attribute.put, &[]));
            let body = schema::wrapped(resource.name, body);
            routes.push(conditional(Route::put("/{id}", body, one()).with_fields(&fields).by(rule("update"))));
        }
        if resource.delete.is_some() {
            routes.push(conditional(Route::delete("/{id}").by(rule("delete"))));
        }
        for action in &resource.actions {
            let path = format!("/{{id}}/{}", action.name);
            routes.push(Route::put(path, (action.takes)(), schema::any()).by(action.name));
        }
        for look in &resource.looks {
            routes.push(Route::get(format!("/{{id}}/{}", look.name), schema::dictionary()).by(look.name));
        }
        if resource.tags.is_some() {
            routes.extend(self.tag_routes());
        }
        routes
    }

    /// The list.
    pub(super) fn list_route(&self, below: Option<&str>, fields: &[&str], shown: &Value) -> Route {
        let attributes = || self.resource.attributes.iter().filter(|attribute| Some(attribute.name) != below);
        let with_tenant = |attribute: &Attribute<R>| if attribute.name == "project_id" { Some("tenant_id") } else { None };
        let filters = attributes().filter(|attribute| attribute.filter).flat_map(|attribute| {
            let names = [Some(attribute.name), with_tenant(attribute)];
            let schema = if attribute.matcher.is_some() { schema::text(usize::MAX) } else { attribute.kind.wanted_schema() };
            names.into_iter().flatten().map(move |name| (name, schema.clone()))
        });
        let sorts = attributes().filter(|attribute| attribute.sort);
        let sorts: Vec<&str> = sorts.flat_map(|attribute| [Some(attribute.name), with_tenant(attribute)]).flatten().collect();
        let answer = listed(self.resource.collection, shown.clone());
        Route::get("", answer).with_fields(fields).with_filters(filters).in_pages(&sorts)
    }

    /// Names of attributes that answers show.
    pub(super) fn fields(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.name).collect()
    }

    /// A record in an answer.
    pub(super) fn record_schema(&self) -> Value {
        let members = self.columns.iter().map(|column| {
            let name = if column.name == "tenant_id" { "project_id" } else { column.name };
            let attribute = self.resource.attributes.iter().find(|attribute| attribute.name == name);
            (
                column.name,
                attribute.map_or_else(schema::any, |attribute| attribute.shown.map_or_else(|| attribute.kind.schema(), |form| form())),
            )
        });
        schema::titled(title(self.resource.name), schema::object(members))
    }

    /// The body of a create: one, or several at once.
    fn created(&self, below: Option<&str>) -> Value {
        let (name, collection) = (self.resource.name, self.resource.collection);
        let attributes = self.resource.attributes.iter().filter(|attribute| Some(attribute.name) != below);
        let required = attributes.filter(|attribute| attribute.post && matches!(attribute.default, Default::Required));
        let required: Vec<&str> = required.map(|attribute| attribute.name).collect();
        let is_given = |attribute: &Attribute<R>| attribute.post || attribute.name == "project_id";
        let one = schema::titled(format!("{}Create", title(name)), self.given(below, is_given, &required));
        let several = json!({"type": "array", "items": one, "minItems": 1});
        if name == collection {
            return schema::wrapped(name, schema::either(one, several));
        }
        schema::either(schema::wrapped(name, one), schema::wrapped(collection, several))
    }

    /// What a body may say of a record.
    fn given(&self, below: Option<&str>, is_given: impl Fn(&Attribute<R>) -> bool, required: &[&str]) -> Value {
        let attributes = self.resource.attributes.iter().filter(|attribute| is_given(attribute) && Some(attribute.name) != below);
        let members = attributes.flat_map(|attribute| {
            let mut form = attribute.kind.schema();
            if let Default::Value(default) = &attribute.default {
                form["default"] = default.clone();
            }
            let tenant =
                (attribute.name == "project_id").then(|| ("tenant_id", schema::described(form.clone(), "The same as project_id.")));
            [(attribute.name, form)].into_iter().chain(tenant)
        });
        schema::requiring(required, members)
    }

    fn tag_routes(&self) -> Vec<Route> {
        let rule = |verb: &str| format!("{verb}_{}:{NAME}", self.resource.rules);
        let (all, one) = (format!("/{{id}}/{NAME}"), format!("/{{id}}/{NAME}/{{tag}}"));
        let tags = || schema::titled("Tags", schema::wrapped(NAME, schema::list(schema::text(255))));
        vec![
            Route::get(&*all, tags()).by(rule("get")),
            Route::put(&*all, tags(), tags()).by(rule("update")),
            Route { status: 200, ..Route::post(&*all, tags(), tags()).by(rule("create")) },
            Route::delete(&*all).by(rule("delete")),
            Route::new("GET", &*one, 204, None).by(rule("get")),
            Route::new("PUT", &*one, 201, Some(schema::any())).by(rule("update")),
            Route::delete(&*one).by(rule("delete")),
        ]
    }
}
