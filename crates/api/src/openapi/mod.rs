//! The OpenAPI 3.1 document, written from the routes: it says what the tables say by which requests are answered.

mod shared;

use self::shared::{Parameters, reference};
use crate::{Parameter, Route};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Where it is. Like the discovery of versions it needs no token.
pub(crate) const PATH: &str = "/v2.0/openapi.json";

const ABOUT: &str = "\
The Networking API as this server answers it, written from the tables by which it checks requests. Attributes of extensions that are off are not \
here, nor are their paths.

A schema says what a value is when it is right. Where it helps clients, more is taken: booleans and numbers as texts, UUIDs without hyphens, \
hyphens and underscores alike in paths. Much depends on what else there is (addresses within their subnet, ids of what the caller may use) and \
is said by the answer alone: 400 when the request could never be right, 404 when it names what is not there for the caller, 409 when something \
stands in its way. Attributes that the caller's roles may not see are left out of answers.

`x-policy` names the policy rules by which an operation is checked; setting single attributes may be subject to rules of their own.";

/// What operations refer to.
#[derive(Default)]
struct Components {
    schemas: Map<String, Value>,
    parameters: Map<String, Value>,
    responses: Map<String, Value>,
}

/// The document.
pub(crate) fn document(routes: &[Route]) -> Bytes {
    let of_route = |route: &Route| (tag(&route.path), in_path(&route.path).into_iter().chain(parameters(route)).collect());
    let parameters = Parameters::of(routes.iter().map(of_route));
    let mut components = Components::default();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path.clone()).or_insert_with(|| {
            let words = in_path(&route.path).into_iter().map(|word| parameters.referred(word, &mut components.parameters));
            json!({ "parameters": words.collect::<Vec<_>>() })
        });
        path[route.method.to_ascii_lowercase()] = operation(route, &parameters, &mut components);
    }
    components.schemas.extend(faults());
    let token = json!({"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "A token of the identity service."});
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Networking API", "version": "v2.0", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "parameters": components.parameters,
            "responses": components.responses,
            "securitySchemes": {"token": token}
        }
    });
    Bytes::from(document.to_string())
}

/// The forms of refusals.
fn faults() -> [(String, Value); 2] {
    let fault = json!({
        "type": "object",
        "description": "Why a request was refused. Clients tell refusals apart by their type.",
        "required": ["NeutronError"],
        "properties": {"NeutronError": {
            "type": "object",
            "required": ["type", "message", "detail"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}, "detail": {"type": "string"}}
        }}
    });
    let unauthorized = json!({
        "type": "object",
        "description": "There is no valid token.",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "properties": {"code": {"type": "integer"}, "title": {"type": "string"}, "message": {"type": "string"}}
        }}
    });
    [("NeutronError".to_owned(), fault), ("Unauthorized".to_owned(), unauthorized)]
}

/// The words in braces of a path.
fn in_path(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})).collect()
}

/// What a query and the headers may say.
fn parameters(route: &Route) -> Vec<Value> {
    let about = "revision_number=<number>: refused with 412 when that is not the revision any more.";
    let condition = json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": about});
    route.query.iter().map(in_query).chain(route.is_conditional.then_some(condition)).collect()
}

fn operation(route: &Route, shared: &Parameters, components: &mut Components) -> Value {
    let parameters = parameters(route).into_iter();
    let parameters: Vec<Value> = parameters.map(|parameter| shared.referred(parameter, &mut components.parameters)).collect();
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [tag(&route.path)],
        "responses": responses(route, components),
        "x-policy": route.rules,
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = &route.body {
        let schema = hoisted(body.clone(), &mut components.schemas);
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

/// `get_v2.0_networks_id` without what all have: `get_networks_id`.
fn operation_id(route: &Route) -> String {
    let path: String = route.path.trim_start_matches("/v2.0/").chars().filter(|c| !matches!(c, '{' | '}')).collect();
    format!("{}_{}", route.method.to_ascii_lowercase(), path.replace(['/', '-'], "_"))
}

/// What an operation is about: its path up to the first parameter.
fn tag(path: &str) -> String {
    let parts = path.trim_start_matches("/v2.0/").split('/').take_while(|part| !part.starts_with('{'));
    parts.collect::<Vec<_>>().join("/")
}

/// Given several times, as by default.
fn in_query(parameter: &Parameter) -> Value {
    let mut value = json!({"name": parameter.name, "in": "query", "schema": {"type": "array", "items": parameter.schema}});
    if !parameter.description.is_empty() {
        value["description"] = parameter.description.into();
    }
    value
}

impl Route {
    /// The statuses of refusals, each with what it means.
    pub fn refusals(&self) -> Vec<(u16, &'static str)> {
        let has_parameter = self.path.contains('{');
        let writes = self.method != "GET" || self.makes;
        let mut refusals = vec![(400, "The request could never be right."), (401, "There is no valid token.")];
        if writes || !self.rules.is_empty() {
            refusals.push((403, "The caller's roles do not allow it."));
        }
        if has_parameter || self.body.is_some() || !self.query.is_empty() {
            refusals.push((404, "Something that the request names is not there for the caller."));
        }
        if writes {
            refusals.push((409, "Something that is there stands in its way."));
            refusals.push((413, "The body is too large."));
            refusals.push((501, "It is not done in this state of what it is about."));
        }
        if self.is_conditional {
            refusals.push((412, "It is not the revision any more that the request depends on."));
        }
        refusals.push((503, "Something that it needs does not answer or is disabled."));
        refusals
    }
}

fn responses(route: &Route, components: &mut Components) -> Value {
    let mut responses = Map::new();
    let success = match &route.answer {
        Some(schema) => {
            let schema = hoisted(schema.clone(), &mut components.schemas);
            json!({"description": "Done.", "content": {"application/json": {"schema": schema}}})
        }
        None => json!({"description": "Done."}),
    };
    responses.insert(route.status.to_string(), success);
    for (status, meaning) in route.refusals() {
        let is_text = status == 404 && route.has_plain_404;
        let name = if is_text { format!("{status}-text") } else { status.to_string() };
        let refusal = || {
            let schema = if status == 401 { "Unauthorized" } else { "NeutronError" };
            let content = if is_text {
                json!({"text/plain": {"schema": {"type": "string"}}})
            } else {
                json!({"application/json": {"schema": reference("schemas", schema)}})
            };
            json!({"description": meaning, "content": content})
        };
        responses.insert(status.to_string(), reference("responses", &name));
        components.responses.entry(name).or_insert_with(refusal);
    }
    Value::Object(responses)
}

/// The schema with each part that has a title replaced by a reference to where it is said once.
fn hoisted(schema: Value, components: &mut Map<String, Value>) -> Value {
    match schema {
        Value::Array(items) => items.into_iter().map(|item| hoisted(item, components)).collect(),
        Value::Object(map) => {
            let map: Map<String, Value> = map.into_iter().map(|(name, value)| (name, hoisted(value, components))).collect();
            let title = map.get("title").and_then(Value::as_str).map(str::to_owned);
            let whole = Value::Object(map);
            let Some(title) = title else { return whole };
            // What has the name of another but is not the same stays where it is.
            if components.entry(title.clone()).or_insert_with(|| whole.clone()) != &whole {
                return whole;
            }
            reference("schemas", &title)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn what_has_a_title_is_said_once() {
        let thing = schema::titled("Thing", schema::object([("a", schema::boolean())]));
        let mut components = Map::new();
        let reference = json!({"$ref": "#/components/schemas/Thing"});
        assert_eq!(hoisted(schema::list(thing.clone()), &mut components), schema::list(reference.clone()));
        assert_eq!(hoisted(thing.clone(), &mut components), reference);
        assert_eq!(Value::Object(components.clone()), json!({ "Thing": thing }));
        let other = schema::titled("Thing", schema::boolean());
        assert_eq!(hoisted(other.clone(), &mut components), other, "another of the same name");
    }

    #[test]
    fn names_of_operations() {
        let route = Route::put("/v2.0/qos/policies/{id}/tags/{tag}", schema::any(), schema::any());
        assert_eq!(operation_id(&route), "put_qos_policies_id_tags_tag");
        assert_eq!(tag(&route.path), "qos/policies");
        assert_eq!(in_path(&route.path).len(), 2);
    }
}
