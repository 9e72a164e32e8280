//! `qos/rule-types`: which types of rules there are (extensions `qos`, `qos-rule-type-details` and `qos-rule-type-filter`).
//!
//! Written by hand and not declared as a resource: types are not records. Absent: sorting and pages.

use crate::drivers::{DRIVERS, DSCP_MARKS, Driver, directions};
use crate::rule::Form;
use api::{Answer, Answering, Collection, Fault, Kind, Query, Request};
use auth::{Policy, RuleId};
use model::QosRuleType;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Path below `/v2.0`.
pub const COLLECTION: &str = "qos/rule_types";

/// The collection, with its rule resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(RuleTypes { get: policy.intern("get_rule_type") })
}

struct RuleTypes {
    get: RuleId,
}

impl Collection for RuleTypes {
    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        let answer = match (request.method.as_str(), request.path.as_slice()) {
            ("GET", []) => self.list(request),
            ("GET", [name]) => self.show(request, name),
            (_, [] | [_]) => Err(Fault::method_not_allowed()),
            _ => Err(Fault::no_such_path()),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl RuleTypes {
    fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let wanted = Wanted::new(&request.query)?;
        let admitted = self.admits(request);
        let types = QosRuleType::ALL.iter().filter(|rule_type| admitted && wanted.has(**rule_type));
        let shown: Vec<Value> = types.map(|rule_type| with_fields(json!({ "type": rule_type }), &request.query)).collect();
        Ok(Answer::value(200, &json!({ "rule_types": shown })))
    }

    fn show(&self, request: &Request<'_>, name: &str) -> Result<Answer, Fault> {
        if !request.caller.is_admin {
            return Err(Fault::new(403, "NotAuthorized", "Not authorized."));
        }
        let rule_type = QosRuleType::from_word(name).filter(|_| self.admits(request)).ok_or_else(Fault::no_such_path)?;
        let drivers: Vec<Value> =
            DRIVERS.iter().filter(|driver| driver.rules.contains(&rule_type)).map(|d| details(d, rule_type)).collect();
        let shown = with_fields(json!({"type": rule_type, "drivers": drivers}), &request.query);
        Ok(Answer::value(200, &json!({ "rule_type": shown })))
    }

    fn admits(&self, request: &Request<'_>) -> bool {
        request.frame.policy.check(self.get, &request.caller, &())
    }
}

/// What `fields=` asks for.
fn with_fields(mut shown: Value, query: &Query<'_>) -> Value {
    let fields: Vec<&str> = query.all("fields").collect();
    if let Some(map) = shown.as_object_mut().filter(|_| !fields.is_empty()) {
        map.retain(|name, _| fields.contains(&name.as_str()));
    }
    shown
}

/// Which types a list shows: those that all drivers have, some have, or all that there are.
#[derive(Clone, Copy)]
enum Wanted {
    Common,
    Supported,
    All,
}

impl Wanted {
    fn new(query: &Query<'_>) -> Result<Wanted, Fault> {
        let known = ["all_rules", "all_supported", "fields", "limit", "marker", "page_reverse", "sort_dir", "sort_key"];
        let unknown: Vec<&str> = query.iter().map(|(name, _)| name).filter(|name| !known.contains(name)).collect();
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", api::python::list(unknown))));
        }
        let is_set = |name: &str| -> Result<bool, Fault> {
            let Some(value) = query.last(name) else { return Ok(false) };
            Ok(Kind::Bool.check(value.into()).map_err(|invalid| invalid.fault(name))? == Value::Bool(true))
        };
        let (all, supported) = (is_set("all_rules")?, is_set("all_supported")?);
        Ok(if all {
            Wanted::All
        } else if supported {
            Wanted::Supported
        } else {
            Wanted::Common
        })
    }

    fn has(self, rule_type: QosRuleType) -> bool {
        let has = |driver: &Driver| driver.rules.contains(&rule_type);
        match self {
            Wanted::All => true,
            Wanted::Supported => DRIVERS.iter().any(has),
            Wanted::Common => DRIVERS.iter().all(has),
        }
    }
}

/// What a driver takes for a rule of the type.
fn details(driver: &Driver, rule_type: QosRuleType) -> Value {
    let form = Form::of(rule_type);
    let mut parameters = Vec::new();
    let mut add = |name: &str, values: Value, kind: &str| {
        let members = [("parameter_name", name.into()), ("parameter_values", values), ("parameter_type", kind.into())];
        parameters.push(Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()));
    };
    let rate = json!({"start": 0, "end": i32::MAX});
    if rule_type == QosRuleType::DscpMarking {
        add(form.value, json!(DSCP_MARKS), "choices");
    } else {
        add(form.value, rate.clone(), "range");
    }
    if let Some(burst) = form.burst {
        add(burst, rate, "range");
    }
    let directions = directions(rule_type);
    if !directions.is_empty() {
        add("direction", json!(directions), "choices");
    }
    json!({"name": driver.name, "supported_parameters": parameters})
}
