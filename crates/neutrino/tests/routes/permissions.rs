//! Who may do what: without a token nothing, and never more than the rules say.

use crate::cloud::{Cloud, SECRET, STRANGER, VICTIM, Who, server};
use api::Route;
use auth::identity::{Identity, builtin};
use auth::{Caller, Decision, Policy};
use bytes::Bytes;
use http::Request;
use serde_json::Value;
use std::sync::Arc;

/// What everybody with a token may read.
const FOR_EVERYBODY: [&str; 4] = ["/v2.0/extensions", "/v2.0/extensions/{alias}", "/v2.0/quotas/project", "/v2.0/quotas/tenant"];

/// Rules that upstream does not have: what is done by them is the rule `default`'s to say, which is for administrators.
const WITHOUT_RULE: [&str; 1] = ["update_port_binding"];

#[test]
fn everything_can_be_made() {
    for previews in [false, true] {
        let cloud = Cloud::new(previews);
        assert!(cloud.unmade.is_empty(), "cloud::hint could help: {:#?}", cloud.unmade);
        let unfilled: Vec<&str> =
            cloud.routes.iter().map(|route| &*route.path).filter(|path| cloud.fill_path(VICTIM, path).is_none()).collect();
        assert!(unfilled.is_empty(), "there is none of {unfilled:#?}");
    }
}

#[test]
fn each_route_has_a_policy() {
    let policy = Policy::defaults();
    for route in &Cloud::new(true).routes {
        let is_known = route.rules.iter().all(|rule| policy.rule(rule).is_some() || WITHOUT_RULE.contains(&&**rule));
        let is_open = FOR_EVERYBODY.contains(&&*route.path) && route.method == "GET";
        assert!(is_known && route.rules.is_empty() == is_open, "{} {}: {:?}", route.method, route.path, route.rules);
    }
}

#[test]
fn without_a_token_there_is_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let identity = builtin::Builtin::open(builtin::Config::new(state.path(), "http://localhost")).expect("an identity");
    let server = runtime.block_on(async { server(Identity::Builtin(Arc::new(identity)), true) });
    let others = ["", "/", "/nothing", "/networks/x/y/z"].map(|path| Route::get(format!("/v2.0{path}"), Value::Null));
    for route in server.routes().iter().chain(&others) {
        let path = route.path.replace(['{', '}'], "");
        for token in [None, Some(""), Some("x"), Some("gAAAAABmYWtl")] {
            let mut request = Request::builder().method(route.method).uri(&path).header("X-Roles", "admin").header("X-Project-Id", VICTIM);
            if let Some(token) = token {
                request = request.header("X-Auth-Token", token);
            }
            let answer = runtime.block_on(server.respond(request.body(Bytes::from_static(b"{}")).expect("a request")));
            assert_eq!(answer.status(), 401, "{} {path} with {token:?}", route.method);
            assert!(answer.headers().contains_key("www-authenticate"), "{} {path}", route.method);
            let document: Value = serde_json::from_slice(answer.body()).expect("JSON");
            assert_eq!(document["error"]["code"], 401, "{} {path}", route.method);
        }
    }
}

/// Nothing is answered that no route tells of.
#[test]
fn other_methods_are_refused() {
    for previews in [false, true] {
        let cloud = Cloud::new(previews);
        let before = cloud.revision();
        for route in &cloud.routes {
            let path = cloud.fill_path(VICTIM, &route.path).unwrap_or_else(|| route.path.clone());
            // `/v2.0/quotas/project` is a project, too.
            let is_told = |method: &str| {
                cloud
                    .routes
                    .iter()
                    .any(|other| other.method == method && (other.path == route.path || is_of_project(&other.path, &route.path)))
            };
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(|method| !is_told(method)) {
                let answer = cloud.ask((VICTIM, "admin"), method, &path, &Value::Null);
                let is_no_create = answer.status == 400 && answer.text.contains("cannot be created through the API");
                assert!(is_no_create || matches!(answer.status, 404 | 405 | 501), "{method} {path}: {} {}", answer.status, answer.text);
            }
        }
        assert_eq!(cloud.revision(), before, "something was changed");
    }
}

fn is_of_project(template: &str, path: &str) -> bool {
    template == "/v2.0/quotas/{project_id}" && path.starts_with("/v2.0/quotas/")
}

/// Asks for a change of what the first project has, and tells whether that was refused and changed nothing.
fn refused(cloud: &Cloud, who: Who, route: &Route, faults: &mut Vec<String>) {
    let path = cloud.fill_path(VICTIM, &route.path).expect("there is one of everything");
    let body = cloud.body(VICTIM, route);
    let before = cloud.revision();
    let answer = cloud.ask(who, route.method, &path, &body);
    let (kind, message) = answer.fault();
    let names_rule = route.rules.iter().any(|rule| message.contains(&format!("rule:{rule}")));
    let is_proper = match answer.status {
        403 => (kind == "PolicyNotAuthorized" && names_rule) || matches!(kind, "NotAuthorized" | "AdminRequired"),
        404 => kind.ends_with("NotFound"),
        // Another project's id in a body.
        400 => who.0 != VICTIM && message.starts_with("Specifying 'project_id' other than the authenticated project"),
        _ => false,
    };
    if !is_proper || cloud.revision() != before || leak(cloud, who, &answer.text, &format!("{path} {body}")).is_some() {
        faults.push(format!("{who:?} {} {path} {body}: {} {}", route.method, answer.status, answer.text));
    }
}

/// What an answer tells a stranger of the first project, with what is around it.
pub fn leak(cloud: &Cloud, who: Who, answer: &str, asked: &str) -> Option<String> {
    let is_stranger = who.0 != VICTIM && !who.1.starts_with("admin");
    let secrets = cloud.secrets.iter().map(String::as_str).chain([SECRET]).filter(|_| is_stranger);
    let told = secrets.filter(|secret| !asked.contains(secret)).find_map(|secret| answer.find(secret))?;
    Some(answer.chars().skip(told.saturating_sub(60)).take(140).collect())
}

#[test]
fn strangers_change_nothing() {
    let cloud = Cloud::new(true);
    let mut faults = Vec::new();
    for route in cloud.routes.iter().filter(|route| route.method != "GET") {
        refused(&cloud, (STRANGER, "member"), route, &mut faults);
        refused(&cloud, (STRANGER, "manager"), route, &mut faults);
        refused(&cloud, (STRANGER, "nobody"), route, &mut faults);
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn readers_and_members_do_what_the_rules_say() {
    let cloud = Cloud::new(true);
    let policy = &cloud.server.frame().policy;
    let mut faults = Vec::new();
    let mut count = 0;
    for role in ["reader", "member", "nobody"] {
        let caller = match role {
            "reader" => Caller::reader(VICTIM),
            "member" => Caller::member(VICTIM),
            _ => Caller::named(role, VICTIM.into(), &[role]),
        };
        let may_never = |rule: &String| policy.rule(rule).is_some_and(|rule| policy.decide(rule, &caller) == Decision::Never);
        for route in cloud.routes.iter().filter(|route| route.method != "GET" && route.rules.iter().any(may_never)) {
            count += 1;
            refused(&cloud, (VICTIM, role), route, &mut faults);
        }
    }
    assert!(count > 200, "only {count} are for somebody else");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn strangers_see_nothing() {
    let cloud = Cloud::new(true);
    let mut faults = Vec::new();
    let (mut seen, mut hidden) = (0, 0);
    for route in cloud.routes.iter().filter(|route| route.method == "GET") {
        let path = cloud.fill_path(VICTIM, &route.path).expect("there is one of everything");
        let own = cloud.ask((VICTIM, "admin"), "GET", &path, &Value::Null);
        seen += usize::from(own.text.contains(SECRET));
        for who in [(STRANGER, "member"), (STRANGER, "manager"), (STRANGER, "nobody")] {
            let answer = cloud.ask(who, "GET", &path, &Value::Null);
            hidden += usize::from(answer.status == 404);
            if !matches!(answer.status, 200 | 403 | 404) || leak(&cloud, who, &answer.text, &path).is_some() {
                faults.push(format!("{who:?} GET {path}: {} {}", answer.status, answer.text));
            }
        }
    }
    assert!(seen > 40 && hidden > 80, "{seen} and {hidden} are too few to be true");
    assert!(faults.is_empty(), "{faults:#?}");
}
