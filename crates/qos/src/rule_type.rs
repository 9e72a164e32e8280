//! `qos/rule-types`: which types of rules there are (extensions `qos`, `qos-rule-type-details` and `qos-rule-type-filter`).
//!
//! Not declared as a resource: types are not records.

use crate::drivers::{DRIVERS, DSCP_MARKS, Driver, directions};
use crate::rule::Form;
use api::rows::Rows;
use api::{Collection, Fault, Kind, Listed, One, Query, Request, schema};
use auth::Policy;
use model::QosRuleType;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use world::World;

/// Path below `/v2.0`.
pub const COLLECTION: &str = "qos/rule_types";

/// The collection, with its rule resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let form = || vec![("type", schema::text(64))];
    let rows = Rows { collection: "rule_types", filters: &[], words: &["all_rules", "all_supported"], sorts: &["type"], id: "type", form };
    let form = || schema::object([("type", schema::text(64)), ("drivers", schema::list(schema::dictionary()))]);
    let one = One { name: "rule_type", find: details_of, form };
    Listed { rows, rule: "get_rule_type", is_own: false, all, one: Some(one) }.collection(policy)
}

fn document(rule_type: QosRuleType) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!(rule_type))])
}

fn all(request: &Request<'_>, _world: &World) -> Result<Vec<Map<String, Value>>, Fault> {
    let wanted = Wanted::new(&request.query)?;
    Ok(QosRuleType::ALL.iter().filter(|rule_type| wanted.has(**rule_type)).map(|rule_type| document(*rule_type)).collect())
}

/// A type with what the drivers take; for administrators, whatever the rule says.
fn details_of(request: &Request<'_>, _world: &World, name: &str) -> Result<Map<String, Value>, Fault> {
    if !request.caller.is_admin {
        return Err(Fault::new(403, "NotAuthorized", "Not authorized."));
    }
    let rule_type = QosRuleType::from_word(name).ok_or_else(Fault::no_such_path)?;
    let drivers = DRIVERS.iter().filter(|driver| driver.rules.contains(&rule_type)).map(|driver| details(driver, rule_type));
    let mut shown = document(rule_type);
    shown.insert("drivers".to_owned(), drivers.collect());
    Ok(shown)
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
