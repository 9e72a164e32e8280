//! The OpenAPI document: what it tells is there, and what is there is told.

use crate::cloud::{Cloud, STRANGER, VICTIM};
use crate::judge::wrong;
use serde_json::Value;
use std::collections::BTreeSet;

fn document(cloud: &Cloud) -> Value {
    let answer = cloud.ask((STRANGER, "nobody"), "GET", "/v2.0/openapi.json", &Value::Null);
    assert_eq!(answer.status, 200);
    answer.document.expect("JSON")
}

#[test]
fn it_has_every_route_and_no_other() {
    for previews in [false, true] {
        let cloud = Cloud::new(previews);
        let document = document(&cloud);
        let mut told = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            told.extend(
                item.as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| *name != "parameters")
                    .map(|(method, _)| (path.clone(), method.to_uppercase())),
            );
        }
        let there: BTreeSet<(String, String)> = cloud.routes.iter().map(|route| (route.path.clone(), route.method.to_owned())).collect();
        assert_eq!(told, there);
        assert_eq!(there.len(), cloud.routes.len(), "a route is there twice");
        assert_eq!(document["paths"].get("/v2.0/qos/policies").is_some(), previews);
        let size = document.to_string().len();
        assert!(size < if previews { 430_000 } else { 300_000 }, "it has grown to {size} bytes: what is said twice can be a component");
    }
}

#[test]
fn its_references_lead_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            _ => {}
        }
    }
    let document = document(&Cloud::new(true));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 30, "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let ids: Vec<&Value> = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
        .filter_map(|(_, operation)| operation.get("operationId"))
        .collect();
    assert_eq!(ids.iter().map(|id| id.to_string()).collect::<BTreeSet<_>>().len(), ids.len(), "operations have names of their own");
}

/// One of everything is answered in the form that is told, to administrators and to the project's members.
#[test]
fn answers_have_the_form_it_tells() {
    for previews in [false, true] {
        let cloud = Cloud::new(previews);
        let mut faults = Vec::new();
        for route in cloud.routes.iter().filter(|route| route.method == "GET") {
            let path = cloud.fill_path(VICTIM, &route.path).expect("there is one of everything");
            for role in ["admin", "member", "reader", "service"] {
                let answer = cloud.ask((VICTIM, role), "GET", &path, &Value::Null);
                if answer.status == 200 {
                    let schema = route.answer.as_ref().expect("200 has a body");
                    faults.extend(wrong(&answer.document.unwrap_or_default(), schema, &format!("{path} for {role}: ")));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
