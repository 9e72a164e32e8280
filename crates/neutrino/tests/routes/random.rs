//! Thousands of requests at random: whatever comes, the answer is one that the document tells, and shows nothing of another project.

use crate::cloud::{Cloud, SECRET, STRANGER, VICTIM, Who};
use crate::generate::{Asked, Generator};
use crate::judge::wrong;
use crate::permissions::leak;
use api::Route;
use http::Request;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::Range;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What is wrong with an answer.
fn judged(cloud: &Cloud, who: Who, route: &Route, asked: &Asked, before: u64) -> (u16, Option<Value>, Vec<String>) {
    let mut request = Request::builder().method(route.method).uri(&asked.uri);
    for (name, value) in &asked.headers {
        request = request.header(*name, value);
    }
    let answer = cloud.send(who, request, asked.body.clone());
    let mut faults = Vec::new();
    let mut refuse = |why: String| {
        faults.push(format!(
            "{why}\n  {who:?} {} {asked:?} {}\n  {} {}",
            route.method,
            String::from_utf8_lossy(&asked.body),
            answer.status,
            cut(&answer.text)
        ))
    };
    let is_refused = answer.status >= 400;
    if is_refused && answer.document.is_some() && answer.fault().0.is_empty() {
        refuse("a refusal without a type".to_owned());
    }
    if is_refused && !route.refusals().iter().any(|(status, _)| *status == answer.status) {
        refuse("a status of which nothing is told".to_owned());
    }
    if answer.fault().0 == "ServiceUnavailable" {
        refuse("the state is gone".to_owned());
    }
    if is_refused && route.method != "GET" && cloud.revision() != before {
        refuse("a refusal changed something".to_owned());
    }
    if !is_refused {
        let is_told = answer.status == route.status;
        let form = route.answer.as_ref().and_then(|schema| wrong(answer.document.as_ref().unwrap_or(&Value::Null), schema, ""));
        if !is_told || form.is_some() {
            refuse(format!("an answer of another form: {}", form.unwrap_or_default()));
        }
    }
    let text = format!("{} {}", asked.uri, String::from_utf8_lossy(&asked.body));
    if let Some(told) = leak(cloud, who, &answer.text, &text) {
        refuse(format!("it tells a secret: {told}"));
    }
    (answer.status, answer.document.filter(|_| answer.status == 201), faults)
}

fn cut(text: &str) -> String {
    text.chars().take(600).collect()
}

/// Requests to one server: more make its lists long and tell nothing new.
const ROUND: u64 = 1_200;

/// Asks as these; tells how many of the routes did something.
fn ask_at_random(roles: &[&'static str]) -> (usize, usize) {
    let (seed, cases) = (number("NEUTRINO_FUZZ_SEED", 0), number("NEUTRINO_FUZZ_CASES", 2 * ROUND));
    println!("seed {seed}, {cases} cases");
    let (mut done, mut there) = (BTreeSet::new(), 0);
    for first in (0..cases).step_by(usize::try_from(ROUND).unwrap_or(1)) {
        there = ask_one(roles, seed, first..cases.min(first + ROUND), &mut done);
    }
    println!("{} of {there} routes did something", done.len());
    (done.len(), there)
}

/// One round, against a server of its own.
fn ask_one(roles: &[&'static str], seed: u64, cases: Range<u64>, done: &mut BTreeSet<(&'static str, String)>) -> usize {
    let mut cloud = Cloud::new(true);
    let mut faults = Vec::new();
    for case in cases {
        if case % 200 == 199 {
            cloud.mend(STRANGER);
        }
        let mut generator = Generator::new(&cloud, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(case));
        let route = generator.route().clone();
        let asked = generator.request(&route);
        let who = (STRANGER, roles[usize::try_from(case).unwrap_or_default() % roles.len()]);
        let before = cloud.revision();
        let (status, made, wrong) = judged(&cloud, who, &route, &asked, before);
        if status < 300 {
            done.insert((route.method, route.path.clone()));
        }
        faults.extend(wrong.into_iter().map(|fault| format!("case {case}: {fault}")));
        remember(&mut cloud, &route, made);
        assert!(faults.len() < 12, "{}", faults.join("\n"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    if !roles.contains(&"admin") {
        let there = cloud.ask((VICTIM, "admin"), "GET", "/v2.0/networks?fields=name", &Value::Null);
        assert!(there.text.contains(SECRET), "what the others had is gone");
    }
    cloud.routes.len()
}

/// What was made is asked for later; of each kind a few.
fn remember(cloud: &mut Cloud, route: &Route, made: Option<Value>) {
    let id = made.as_ref().and_then(Value::as_object).and_then(|whole| whole.values().next()?.get("id")?.as_str());
    let (Some(id), Some(ids)) = (id, cloud.ids.get_mut(STRANGER)) else { return };
    let known = ids.entry(route.path.clone()).or_default();
    known.insert(0, id.to_owned());
    known.truncate(4);
}

#[test]
fn random_requests_of_members() {
    let (done, there) = ask_at_random(&["member", "manager", "reader", "member"]);
    assert!(done * 2 > there, "only {done} of {there} routes did something");
}

#[test]
fn random_requests_of_administrators() {
    let (done, there) = ask_at_random(&["admin", "admin,service"]);
    assert!(done * 10 > there * 8, "only {done} of {there} routes did something");
}
