//! Against a Keystone of a few lines, which counts what it is asked.

use super::*;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use tokio::net::TcpListener;

/// What the fake knows, and was asked.
#[derive(Default)]
struct Fake {
    /// Tokens and what is said of them.
    tokens: BTreeMap<String, Value>,
    /// Tokens that are answered only with `allow_expired`.
    expired: BTreeMap<String, Value>,
    /// The service user's tokens so far.
    issued: usize,
    validated: usize,
    /// All answers are this.
    broken: Option<u16>,
}

impl Fake {
    fn answer(&mut self, request: &Request<()>, body: &[u8]) -> Response<Full<Bytes>> {
        let reply = |status: u16, body: Value| Response::builder().status(status).body(Full::from(body.to_string())).expect("a response");
        if let Some(status) = self.broken {
            return reply(status, json!({}));
        }
        assert_eq!(request.uri().path(), "/v3/auth/tokens");
        if request.method() == http::Method::POST {
            let asked: Value = serde_json::from_slice(body).expect("JSON");
            assert_eq!(asked["auth"]["scope"]["project"], json!({"name": "service", "domain": {"name": "Default"}}));
            if asked["auth"]["identity"]["password"]["user"]["password"] != "secret" {
                return reply(401, json!({}));
            }
            self.issued += 1;
            let mut response = reply(201, token("neutron", "service", &["service"], 1));
            response.headers_mut().insert("x-subject-token", HeaderValue::try_from(format!("own-{}", self.issued)).expect("a value"));
            return response;
        }
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if text("x-auth-token") != format!("own-{}", self.issued) {
            return reply(401, json!({}));
        }
        self.validated += 1;
        let lenient = request.uri().query().is_some_and(|query| query.contains("allow_expired=1"));
        let asked = text("x-subject-token");
        match self.tokens.get(asked).or_else(|| self.expired.get(asked).filter(|_| lenient)) {
            Some(said) => reply(200, said.clone()),
            None => reply(404, json!({})),
        }
    }
}

fn token(user: &str, project: &str, roles: &[&str], hours: i64) -> Value {
    let expires_at = Timestamp::now() + hours.hours();
    let domain = json!({"id": "default", "name": "Default"});
    let roles: Vec<Value> = roles.iter().map(|role| json!({"id": "r", "name": role})).collect();
    json!({"token": {
        "expires_at": expires_at.to_string(), "methods": ["password"], "roles": roles,
        "user": {"id": user, "name": user, "domain": domain}, "project": {"id": project, "name": project, "domain": domain},
    }})
}

/// A fake that runs, and an identity that asks it.
async fn lab() -> (Arc<Mutex<Fake>>, Keystone) {
    let fake = Arc::new(Mutex::new(Fake::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v3/", listener.local_addr().expect("bound"));
    let served = fake.clone();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let fake = served.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let fake = fake.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.expect("a body").to_bytes();
                    Ok::<_, Infallible>(fake.lock().expect("not poisoned").answer(&Request::from_parts(parts, ()), &body))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (fake, Keystone::new(Config::new(Credentials::new(url, "secret"))).expect("a valid URL"))
}

fn headers(token: &str, service: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-auth-token", HeaderValue::try_from(token).expect("a value"));
    if let Some(service) = service {
        headers.insert("x-service-token", HeaderValue::try_from(service).expect("a value"));
    }
    headers
}

fn fake_of(fake: &Mutex<Fake>) -> std::sync::MutexGuard<'_, Fake> {
    fake.lock().expect("not poisoned")
}

#[tokio::test]
async fn a_token_is_asked_about_once() {
    let (fake, keystone) = lab().await;
    fake_of(&fake).tokens.insert("t".into(), token("demo", "p1", &["member", "reader"], 1));
    let headers = headers("t", None);
    let callers = futures(16, || keystone.caller(&headers)).await;
    for caller in callers {
        let caller = caller.expect("valid");
        assert_eq!((caller.user_id.as_str(), caller.project_id.as_str()), ("demo", "p1"));
        assert!(caller.roles.contains("member") && !caller.is_admin && !caller.system_scope);
    }
    let fake = fake_of(&fake);
    assert_eq!((fake.issued, fake.validated), (1, 1));
}

/// The same question, asked at once.
async fn futures<T>(count: usize, ask: impl Fn() -> T) -> Vec<T::Output>
where
    T: Future,
{
    let mut waiting: Vec<_> = (0..count).map(|_| Box::pin(ask())).collect();
    let mut done: Vec<Option<T::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn what_is_no_token_is_refused_and_remembered_for_a_moment() {
    let (fake, keystone) = lab().await;
    for _ in 0..3 {
        let refused = keystone.caller(&headers("nobody", None)).await.expect_err("refused").response();
        assert_eq!(refused.status(), 401);
        let said = refused.headers()["www-authenticate"].to_str().expect("text");
        assert_eq!(said, format!("Keystone uri=\"{}\"", keystone.auth_url()));
    }
    assert_eq!(keystone.caller(&HeaderMap::new()).await.expect_err("no token").response().status(), 401);
    assert_eq!(fake_of(&fake).validated, 1);
}

#[tokio::test]
async fn an_expired_token_counts_beside_that_of_a_service() {
    let (fake, keystone) = lab().await;
    {
        let mut fake = fake_of(&fake);
        fake.expired.insert("old".into(), token("demo", "p1", &["member"], -1));
        fake.tokens.insert("nova".into(), token("nova", "service", &["service"], 1));
        fake.tokens.insert("user".into(), token("eve", "p2", &["member"], 1));
    }
    assert_eq!(keystone.caller(&headers("old", None)).await.expect_err("expired").response().status(), 401);
    let caller = keystone.caller(&headers("old", Some("nova"))).await.expect("beside a service's");
    assert_eq!(caller.project_id.as_str(), "p1");
    assert!(caller.service_roles.contains("service"));
    // The token of somebody who is no service makes nothing valid.
    assert_eq!(keystone.caller(&headers("old", Some("user"))).await.expect_err("no service").response().status(), 401);
    assert_eq!(keystone.caller(&headers("old", Some("nobody"))).await.expect_err("no token").response().status(), 401);
}

#[tokio::test]
async fn our_own_token_is_renewed_when_it_is_refused() {
    let (fake, keystone) = lab().await;
    fake_of(&fake).tokens.extend(["a", "b"].map(|name| (name.to_owned(), token(name, "p1", &["member"], 1))));
    keystone.caller(&headers("a", None)).await.expect("valid");
    fake_of(&fake).issued += 1;
    keystone.caller(&headers("b", None)).await.expect("asked again with a new token");
    assert_eq!(fake_of(&fake).issued, 3);
}

#[tokio::test]
async fn a_keystone_that_fails_is_no_refusal() {
    let (fake, keystone) = lab().await;
    fake_of(&fake).tokens.insert("t".into(), token("demo", "p1", &["member"], 1));
    fake_of(&fake).broken = Some(500);
    let unavailable = keystone.caller(&headers("t", None)).await.expect_err("nobody knows").response();
    assert_eq!(unavailable.status(), 503);
    assert_eq!(unavailable.headers()["retry-after"], "1");
    fake_of(&fake).broken = None;
    keystone.caller(&headers("t", None)).await.expect("nothing bad was remembered");
    fake_of(&fake).broken = Some(500);
    keystone.caller(&headers("t", None)).await.expect("what is known counts while Keystone is away");
    let nowhere = Keystone::new(Config::new(Credentials::new("http://127.0.0.1:1", "secret"))).expect("a valid URL");
    assert_eq!(nowhere.caller(&headers("t", None)).await.expect_err("nobody there").response().status(), 503);
}

#[tokio::test]
async fn a_wrong_password_is_the_operators_fault_not_the_clients() {
    let (fake, right) = lab().await;
    let wrong = Keystone::new(Config::new(Credentials { password: "wrong".into(), ..right.config.user.clone() })).expect("a valid URL");
    fake_of(&fake).tokens.insert("t".into(), token("demo", "p1", &["member"], 1));
    assert_eq!(wrong.caller(&headers("t", None)).await.expect_err("cannot ask").response().status(), 503);
}

#[test]
fn what_cannot_be_is_refused_at_start() {
    assert!(Keystone::new(Config::new(Credentials::new("not a url", "x"))).expect_err("no URL").contains("auth_url"));
    let user = Credentials { cafile: Some("/nonexistent".into()), ..Credentials::new("https://127.0.0.1", "x") };
    assert!(Keystone::new(Config::new(user)).expect_err("no file").contains("cafile"));
}
