//! The form of a message: oslo.messaging's envelope 2.0 around a notification with its request's context.

use api::{Notice, Phase};
use auth::Caller;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// `network.create.end`; none for actions of which nobody is told.
pub fn event_type(notice: &Notice<'_>) -> Option<String> {
    let Notice { resource, action, phase, .. } = notice;
    let phase = match phase {
        Phase::Start => "start",
        Phase::End => "end",
    };
    match (*action, phase) {
        ("create" | "update" | "delete", phase) => Some(format!("{resource}.{action}.{phase}")),
        ("add_router_interface", "end") => Some("router.interface.create".to_owned()),
        ("remove_router_interface", "end") => Some("router.interface.delete".to_owned()),
        _ => None,
    }
}

/// The body of a message.
pub fn body(caller: &Caller, event_type: &str, payload: Value, host: &str, now: Timestamp) -> String {
    let payload = if event_type.starts_with("router.interface.") { json!({ "router_interface": payload }) } else { payload };
    let time = now.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    let mut message = context(caller, &time);
    message.extend([
        ("message_id".to_owned(), json!(Uuid::new_v4())),
        ("publisher_id".to_owned(), json!(format!("network.{host}"))),
        ("event_type".to_owned(), json!(event_type)),
        ("priority".to_owned(), json!("INFO")),
        ("payload".to_owned(), payload),
        ("timestamp".to_owned(), json!(time)),
        ("_unique_id".to_owned(), json!(Uuid::new_v4().simple())),
    ]);
    json!({"oslo.version": "2.0", "oslo.message": Value::Object(message).to_string()}).to_string()
}

/// The request's context, without its token.
fn context(caller: &Caller, time: &str) -> Map<String, Value> {
    let roles = |roles: &auth::Roles| json!(roles.iter().collect::<Vec<_>>());
    let project = json!(caller.project_id.as_str());
    let fields = [
        ("user", json!(caller.user_id)),
        ("user_id", json!(caller.user_id)),
        ("user_name", json!(caller.user_name)),
        ("user_domain", json!(caller.user_domain_id)),
        ("project", project.clone()),
        ("project_id", project.clone()),
        ("tenant", project.clone()),
        ("tenant_id", project),
        ("project_name", json!(caller.project_name)),
        ("tenant_name", json!(caller.project_name)),
        ("project_domain", json!(caller.project_domain_id)),
        ("domain", Value::Null),
        ("roles", roles(&caller.principal().roles)),
        ("service_roles", roles(&caller.service_roles)),
        ("is_admin", json!(caller.is_admin)),
        ("request_id", json!(caller.request_id)),
        ("global_request_id", Value::Null),
        ("resource_uuid", Value::Null),
        ("read_only", json!(false)),
        ("show_deleted", json!(false)),
        ("timestamp", json!(time)),
    ];
    fields.into_iter().map(|(name, value)| (format!("_context_{name}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(resource: &'static str, action: &'static str, phase: Phase) -> Notice<'static> {
        Notice { resource, action, phase, payload: Value::Null }
    }

    #[test]
    fn what_it_is_called() {
        let called = |resource, action, phase| event_type(&notice(resource, action, phase));
        assert_eq!(called("port", "update", Phase::Start).as_deref(), Some("port.update.start"));
        assert_eq!(called("floatingip", "delete", Phase::End).as_deref(), Some("floatingip.delete.end"));
        assert_eq!(called("router", "add_router_interface", Phase::End).as_deref(), Some("router.interface.create"));
        assert_eq!(called("router", "remove_router_interface", Phase::End).as_deref(), Some("router.interface.delete"));
        assert_eq!(called("router", "add_extraroutes", Phase::End), None);
    }

    #[test]
    fn as_oslo_writes_it() {
        let caller = Caller::member("p1");
        let now: Timestamp = "2026-11-28T20:00:00.5Z".parse().expect("a time");
        let envelope: Value = body(&caller, "router.interface.create", json!({"id": "r"}), "h1", now).parse().expect("JSON");
        assert_eq!(envelope["oslo.version"], "2.0");
        let message: Value = envelope["oslo.message"].as_str().expect("a text").parse().expect("JSON in JSON");
        for (name, value) in [
            ("event_type", json!("router.interface.create")),
            ("publisher_id", json!("network.h1")),
            ("priority", json!("INFO")),
            ("timestamp", json!("2026-11-28 20:00:00.500000")),
            ("payload", json!({"router_interface": {"id": "r"}})),
            ("_context_project_id", json!("p1")),
            ("_context_user_id", json!("member")),
            ("_context_roles", json!(["member", "reader"])),
            ("_context_is_admin", json!(false)),
        ] {
            assert_eq!(message[name], value, "{name}");
        }
        assert_eq!(message["message_id"].as_str().map(str::len), Some(36));
        assert_eq!(message["_unique_id"].as_str().map(str::len), Some(32));
        assert!(message.get("_context_auth_token").is_none());
    }
}
