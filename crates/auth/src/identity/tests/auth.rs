//! Tokens: issued, checked, shown, revoked, outlived.

use super::*;

fn project_scope(name: &str) -> Value {
    json!({"project": {"name": name, "domain": {"id": "default"}}})
}

fn by_token(server: &Server, token: &str, scope: &Value) -> Reply {
    let mut body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}});
    if !scope.is_null() {
        body["auth"]["scope"] = scope.clone();
    }
    server.request(Method::POST, "/v3/auth/tokens", &[], &body)
}

#[test]
fn versions_are_discovered() {
    let server = Server::start();
    let versions = server.request(Method::GET, "", &[], &Value::Null).expect(300);
    assert_eq!(versions.body["versions"]["values"][0]["links"][0]["href"], "http://192.0.2.1:9696/identity/v3/");
    let version = server.request(Method::GET, "/v3/", &[], &Value::Null).expect(200);
    assert_eq!(version.body["version"]["id"], "v3.14");
    server.request(Method::POST, "/v3", &[], &Value::Null).expect(405);
    server.request(Method::GET, "/v2.0", &[], &Value::Null).expect(404);
    server.request(Method::GET, "/v3/nothing", &[], &Value::Null).expect(404);
}

#[test]
fn a_scoped_token_says_who_where_and_until_when() {
    let server = Server::start();
    let reply = server.login("demo", &server.password("neutrino-demo"), &project_scope("demo")).expect(201);
    let token = &reply.body["token"];
    assert_eq!(token["methods"], json!(["password"]));
    assert_eq!(token["user"]["name"], "demo");
    assert_eq!(token["user"]["domain"], json!({"id": "default", "name": "Default"}));
    assert_eq!(token["project"]["name"], "demo");
    assert_eq!(token["issued_at"], "2027-01-15T08:00:00.000000Z");
    assert_eq!(token["expires_at"], "2027-01-15T20:00:00.000000Z");
    assert_eq!(token["audit_ids"][0].as_str().expect("text").len(), 22);
    let mut roles: Vec<&str> = token["roles"].as_array().expect("a list").iter().map(|role| role["name"].as_str().expect("text")).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["member", "reader"]);
    let catalog = token["catalog"].as_array().expect("a list");
    let network = catalog.iter().find(|entry| entry["type"] == "network").expect("in the catalog");
    let interfaces: Vec<&Value> = network["endpoints"].as_array().expect("a list").iter().map(|endpoint| &endpoint["interface"]).collect();
    assert_eq!(interfaces, ["public", "internal", "admin"]);
    assert_eq!(network["endpoints"][0]["url"], BASE);
    assert_eq!(network["endpoints"][0]["region"], "RegionOne");
    assert!(catalog.iter().any(|entry| entry["type"] == "identity" && entry["endpoints"][0]["url"] == format!("{BASE}/identity")));

    let caller = server.caller(&[("x-auth-token", &reply.token())]).expect("valid");
    assert_eq!((caller.user_name.as_str(), caller.project_name.as_str()), ("demo", "demo"));
    assert_eq!(caller.project_id.as_str(), token["project"]["id"]);
    assert_eq!(caller.roles.iter().collect::<Vec<_>>(), ["member", "reader"]);
    assert!(!caller.is_admin && caller.user_domain_name == "Default");
    let admin = server.caller(&[("x-auth-token", &server.admin)]).expect("valid");
    assert_eq!(admin.roles.iter().collect::<Vec<_>>(), ["admin", "manager", "member", "reader"]);
    let nova = server.caller(&[("x-auth-token", &server.nova)]).expect("valid");
    assert!(nova.is_admin && nova.roles.contains("service"));
}

#[test]
fn who_cannot_prove_it_learns_nothing() {
    let server = Server::start();
    let wrong = server.login("demo", "wrong", &project_scope("demo")).expect(401);
    let unknown = server.login("nobody", "wrong", &project_scope("demo")).expect(401);
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.headers, unknown.headers);
    assert_eq!(wrong.headers["www-authenticate"], "Keystone uri=\"http://192.0.2.1:9696/identity/v3\"");
    assert_eq!(wrong.body["error"]["title"], "Unauthorized");
    let demo = server.id_of("users", "demo");
    server.send(Method::PATCH, &server.admin, &format!("/v3/users/{demo}"), json!({"user": {"enabled": false}})).expect(200);
    let disabled = server.login("demo", &server.password("neutrino-demo"), &project_scope("demo")).expect(401);
    assert_eq!(disabled.body, unknown.body);
    let elsewhere = json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
        {"name": "admin", "domain": {"name": "Other"}, "password": server.password("neutrino")}}}}});
    let elsewhere = server.request(Method::POST, "/v3/auth/tokens", &[], &elsewhere).expect(401);
    assert_eq!(elsewhere.body, unknown.body);
}

#[test]
fn scopes() {
    let server = Server::start();
    let password = server.password("neutrino-demo");
    let login = |scope: &Value| server.login("demo", &password, scope);
    for unscoped in [Value::Null, json!("unscoped"), json!({"unscoped": {}})] {
        let reply = login(&unscoped).expect(201);
        assert!(reply.body["token"].get("project").is_none() && reply.body["token"].get("catalog").is_none());
        let caller = server.caller(&[("x-auth-token", &reply.token())]).expect("valid");
        assert!(caller.project_id.is_empty() && caller.roles.is_empty());
    }
    let demo = server.id_of("projects", "demo");
    let by_id = login(&json!({"project": {"id": demo}})).expect(201);
    assert_eq!(by_id.body["token"]["project"]["id"], demo);
    login(&json!({"project": {"name": "DEMO", "domain": {"name": "default"}}})).expect(201);
    for refused in [project_scope("admin"), project_scope("none"), json!({"project": {"name": "demo", "domain": {"name": "x"}}})] {
        login(&refused).expect(401);
    }
    for scope in [json!({"domain": {"id": "default"}}), json!({"system": {"all": true}})] {
        assert!(login(&scope).expect(401).message().contains("projects only"));
    }
    for malformed in [json!({"project": {"name": "demo"}}), json!({"project": {}}), json!({"project": 1}), json!(1)] {
        login(&malformed).expect(400);
    }
    let user = server.id_of("users", "demo");
    let change = json!({"user": {"default_project_id": demo}});
    server.send(Method::PATCH, &server.admin, &format!("/v3/users/{user}"), change).expect(200);
    assert_eq!(login(&Value::Null).expect(201).body["token"]["project"]["id"], demo, "the default project");
    assert!(login(&json!("unscoped")).expect(201).body["token"].get("project").is_none());
}

#[test]
fn malformed_requests() {
    let server = Server::start();
    let post = |body: Value| server.request(Method::POST, "/v3/auth/tokens", &[], &body);
    for body in [json!(null), json!([]), json!({"auth": {}}), json!({"auth": {"identity": {"methods": ["password"]}}})] {
        post(body).expect(400);
    }
    post(json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "demo", "password": "x"}}}}})).expect(400);
    post(json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}}})).expect(400);
    post(json!({"auth": {"identity": {"methods": ["totp"]}}})).expect(401);
    post(json!({"auth": {"identity": {"methods": []}}})).expect(401);
    let long = "x".repeat(2000);
    server.login(&long, "x", &Value::Null).expect(400);
    server.login("demo", &long, &Value::Null).expect(400);
    server.login("demo", &"x".repeat(200_000), &Value::Null).expect(413);
    let nested = Request::post("/identity/v3/auth/tokens").body(Bytes::from("[".repeat(100_000))).expect("well-formed");
    assert_eq!(server.builtin().handle(&nested, BASE).status(), 400);
}

#[test]
fn guessing_is_slowed_down_for_known_and_unknown_users_alike() {
    let server = Server::start();
    for user in ["demo", "nobody"] {
        for attempt in 0..6 {
            assert_eq!(server.login(user, "wrong", &Value::Null).status, 401, "{user} {attempt}");
        }
        let paused = server.login(user, "wrong", &Value::Null).expect(429);
        assert_eq!(paused.headers["retry-after"], "1");
    }
    let password = server.password("neutrino-demo");
    server.login("demo", &password, &Value::Null).expect(429);
    server.login("admin", &server.password("neutrino"), &Value::Null).expect(201);
    server.pass(1);
    server.login("demo", &password, &Value::Null).expect(201);
    for _ in 0..5 {
        server.login("demo", "wrong", &Value::Null).expect(401);
    }
    server.login("demo", &password, &Value::Null).expect(201);
}

#[test]
fn tokens_expire() {
    let server = Server::start();
    server.pass(12 * 3600 - 1);
    assert!(server.works(&server.demo));
    server.pass(1);
    assert!(!server.works(&server.demo));
    server.get(&server.admin, "/v3/users").expect(401);
}

#[test]
fn a_service_token_carries_an_expired_user_token() {
    let server = Server::start();
    server.pass(6 * 3600);
    let nova = server.login_cloud("neutrino-service");
    let demo = server.login_cloud("neutrino-demo");
    let both = |user: &str, service: &str| server.caller(&[("x-auth-token", user), ("x-service-token", service)]);
    let caller = both(&server.demo, &nova).expect("valid");
    assert!(caller.service_roles.contains("service") && !caller.roles.contains("service"));
    server.pass(6 * 3600 + 1);
    assert!(!server.works(&server.demo), "expired");
    assert!(both(&server.demo, &nova).is_some(), "accepted beside the service token");
    assert!(both(&server.demo, &demo).is_none(), "a member's token is no service token");
    assert!(both(&demo, "garbage").is_none(), "an invalid service token is refused");
    assert!(both(&demo, &server.nova).is_none(), "an expired service token too");
    assert!(!server.works(&server.demo), "the cache does not remember it as valid");
    server.pass(48 * 3600);
    assert!(both(&server.demo, &server.login_cloud("neutrino-service")).is_none(), "not for ever");
}

#[test]
fn forged_tokens_are_refused() {
    let server = Server::start();
    assert!(server.caller(&[]).is_none());
    assert!(server.works(&server.demo));
    for index in [0, 3, 40, server.demo.len() / 2, server.demo.len() - 1] {
        let mut forged = server.demo.clone().into_bytes();
        forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        assert!(!server.works(&forged), "position {index}");
        server.get(&forged, "/v3/auth/projects").expect(401);
    }
    let foreign = Server::start();
    assert!(!server.works(&foreign.admin), "another installation's key");
}

#[test]
fn a_token_gives_another_with_the_same_end() {
    let server = Server::start();
    server.pass(3600);
    let unscoped = server.login("demo", &server.password("neutrino-demo"), &json!("unscoped")).expect(201);
    server.pass(3600);
    let scoped = by_token(&server, &unscoped.token(), &project_scope("demo")).expect(201);
    assert_eq!(scoped.body["token"]["expires_at"], unscoped.body["token"]["expires_at"]);
    assert_ne!(scoped.body["token"]["issued_at"], unscoped.body["token"]["issued_at"]);
    assert_eq!(scoped.body["token"]["audit_ids"][1], unscoped.body["token"]["audit_ids"][0]);
    assert_eq!(scoped.body["token"]["methods"], json!(["token", "password"]));
    by_token(&server, &unscoped.token(), &project_scope("admin")).expect(401);
    by_token(&server, "garbage", &Value::Null).expect(401);
}

#[test]
fn tokens_are_shown_to_their_users_and_to_services() {
    let server = Server::start();
    let ask = |method: Method, asker: &str, subject: &str| {
        server.request(method, "/v3/auth/tokens", &[("x-auth-token", asker), ("x-subject-token", subject)], &Value::Null)
    };
    for asker in [&server.admin, &server.nova, &server.demo] {
        let shown = ask(Method::GET, asker, &server.demo).expect(200);
        assert_eq!(shown.token(), server.demo);
        assert_eq!(shown.body["token"]["user"]["name"], "demo");
    }
    let head = ask(Method::HEAD, &server.admin, &server.demo).expect(200);
    assert!(head.body.is_null() && head.token() == server.demo);
    ask(Method::GET, &server.demo, &server.admin).expect(403);
    ask(Method::DELETE, &server.demo, &server.admin).expect(403);
    ask(Method::GET, &server.admin, "garbage").expect(404);
    ask(Method::GET, "garbage", &server.demo).expect(401);
    server.get(&server.admin, "/v3/auth/tokens").expect(400);
    let bare = server.request(
        Method::GET,
        "/v3/auth/tokens?nocatalog",
        &[("x-auth-token", &server.admin), ("x-subject-token", &server.demo)],
        &Value::Null,
    );
    assert!(bare.body["token"].get("catalog").is_none());
}

#[test]
fn revoked_tokens_stay_revoked() {
    let mut server = Server::start();
    let other = server.login_cloud("neutrino-demo");
    assert!(server.works(&server.demo));
    let own = [("x-auth-token", server.demo.as_str()), ("x-subject-token", server.demo.as_str())];
    server.request(Method::DELETE, "/v3/auth/tokens", &own, &Value::Null).expect(204);
    assert!(!server.works(&server.demo), "also when it was cached");
    assert!(server.works(&other), "only this one");
    server.restart();
    assert!(!server.works(&server.demo) && server.works(&other));
    let service = [("x-auth-token", server.demo.as_str()), ("x-service-token", server.nova.as_str())];
    assert!(server.caller(&service).is_none(), "a service token does not bring it back");
    server.pass(100 * 3600);
    let last = server.login_cloud("neutrino-demo");
    let own = [("x-auth-token", last.as_str()), ("x-subject-token", last.as_str())];
    server.request(Method::DELETE, "/v3/auth/tokens", &own, &Value::Null).expect(204);
    let stored = std::fs::read_to_string(server.state.path().join("identity/revoked.yaml")).expect("written");
    assert_eq!(stored.matches("until_us").count(), 1, "expired revocations are forgotten: {stored}");
}

#[test]
fn revocations_do_not_pile_up() {
    let server = Server::start();
    let keep = server.login_cloud("neutrino-demo");
    server.pass(1);
    for _ in 0..300 {
        let token = by_token(&server, &server.demo, &project_scope("demo"));
        if token.status == 401 {
            break;
        }
        let token = token.token();
        let own = [("x-auth-token", token.as_str()), ("x-subject-token", token.as_str())];
        server.request(Method::DELETE, "/v3/auth/tokens", &own, &Value::Null).expect(204);
        server.pass(1);
    }
    assert!(!server.works(&keep), "beyond the bound all of the user's tokens end");
    assert!(server.works(&server.admin), "nobody else's");
    let stored = std::fs::read_to_string(server.state.path().join("identity/revoked.yaml")).expect("written");
    assert!(stored.matches("until_us").count() <= 256);
    server.login_cloud("neutrino-demo");
}

#[test]
fn where_the_holder_may_go() {
    let server = Server::start();
    let unscoped = server.login("demo", &server.password("neutrino-demo"), &json!("unscoped")).token();
    assert_eq!(server.get(&unscoped, "/v3/auth/projects").expect(200).names("projects"), ["demo"]);
    assert_eq!(server.get(&unscoped, "/v3/auth/domains").expect(200).body["domains"], json!([]));
    assert_eq!(server.get(&unscoped, "/v3/auth/catalog").expect(200).body["catalog"].as_array().map(Vec::len), Some(2));
    server.request(Method::GET, "/v3/auth/projects", &[], &Value::Null).expect(401);
}

#[test]
fn the_refusal_is_what_clients_expect() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let response = runtime.block_on(server.identity.authenticate(&HeaderMap::new())).expect_err("no token").response();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Keystone uri=\"http://192.0.2.1:9696/identity/v3\"");
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(
        body,
        json!({"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_logins_at_once_are_all_answered() {
    let server = Server::start();
    let user = json!({"name": "demo", "domain": {"id": "default"}, "password": server.password("neutrino-demo")});
    let body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}).to_string();
    let logins: Vec<_> = (0..100)
        .map(|_| {
            let (identity, body) = (server.identity.clone(), Bytes::from(body.clone()));
            tokio::spawn(async move {
                let request = Request::post("/identity/v3/auth/tokens").body(body).expect("well-formed");
                identity.serve(request, BASE).await.expect("served").status().as_u16()
            })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.expect("no panic"), 201);
    }
}
