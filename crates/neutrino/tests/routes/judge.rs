//! Whether a document is what a schema says.

use serde_json::Value;

/// What is wrong with a value, as a path and a reason; only what the API's schemas say is understood.
pub fn wrong(value: &Value, schema: &Value, at: &str) -> Option<String> {
    let refuse = |why: String| Some(format!("{at}: {why}"));
    if let Some(kinds) = schema.get("type") {
        let is_kind = |kind: &Value| match kind.as_str().unwrap_or_default() {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("no schema says {other}"),
        };
        if !is_kind(kinds) {
            return refuse(format!("{value} is no {kinds}"));
        }
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return refuse(format!("{value} is none of {words:?}"));
    }
    if let Some(text) = value.as_str() {
        if schema["format"] == "uuid" && uuid::Uuid::try_parse(text).is_err() {
            return refuse(format!("{text} is no UUID"));
        }
        if schema["maxLength"].as_u64().is_some_and(|max| u64::try_from(text.chars().count()).is_ok_and(|length| length > max)) {
            return refuse(format!("{text} is too long"));
        }
    }
    if let Some(choices) = schema["anyOf"].as_array().filter(|_| schema["type"] != "string") {
        let reasons: Vec<String> = choices.iter().map_while(|choice| wrong(value, choice, at)).collect();
        if reasons.len() == choices.len() {
            return refuse(format!("none fits: {reasons:?}"));
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        return items.iter().enumerate().find_map(|(n, item)| wrong(item, schema, &format!("{at}/{n}")));
    }
    members(value, schema, at)
}

fn members(value: &Value, schema: &Value, at: &str) -> Option<String> {
    let members = value.as_object()?;
    let known = schema["properties"].as_object();
    if let Some(missing) =
        schema["required"].as_array().into_iter().flatten().find(|name| !members.contains_key(name.as_str().unwrap_or_default()))
    {
        return Some(format!("{at}: there is no {missing}"));
    }
    members.iter().find_map(|(name, value)| match known.and_then(|known| known.get(name)) {
        Some(schema) => wrong(value, schema, &format!("{at}/{name}")),
        None if schema["additionalProperties"] == false => Some(format!("{at}: nothing is said of {name}")),
        None => None,
    })
}
