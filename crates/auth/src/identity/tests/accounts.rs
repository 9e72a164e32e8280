//! Projects, users, roles, and who may change them.

use super::*;

fn create(server: &Server, collection: &str, key: &str, object: Value) -> String {
    server.send(Method::POST, &server.admin, &format!("/v3/{collection}"), json!({key: object})).expect(201).id(key)
}

fn login(server: &Server, user: &str, password: &str, project: &str) -> Reply {
    server.login(user, password, &json!({"project": {"name": project, "domain": {"id": "default"}}}))
}

#[test]
fn projects_live_and_die() {
    let server = Server::start();
    let id =
        create(&server, "projects", "project", json!({"name": "blue", "domain_id": "default", "description": "sky", "colour": "blue"}));
    let path = format!("/v3/projects/{id}");
    let shown = server.get(&server.admin, &path).expect(200).body;
    assert_eq!(shown["project"]["description"], "sky");
    assert_eq!(shown["project"]["colour"], "blue");
    assert_eq!(shown["project"]["enabled"], true);
    assert_eq!(shown["project"]["links"]["self"], format!("{BASE}/identity{path}"));
    for name in ["blue", "BLUE"] {
        server.send(Method::POST, &server.admin, "/v3/projects", json!({"project": {"name": name}})).expect(409);
    }
    let change = json!({"project": {"name": "Blue", "description": "sea", "colour": null, "id": "x"}});
    let changed = server.send(Method::PATCH, &server.admin, &path, change).expect(200).body;
    assert_eq!((&changed["project"]["name"], &changed["project"]["description"]), (&json!("Blue"), &json!("sea")));
    assert!(changed["project"].get("colour").is_none());
    assert_eq!(changed["project"]["id"], id);
    let demo = server.id_of("projects", "demo");
    server.send(Method::PATCH, &server.admin, &format!("/v3/projects/{demo}"), json!({"project": {"name": "blue"}})).expect(409);
    assert_eq!(server.get(&server.admin, "/v3/projects?name=Blue").expect(200).names("projects"), ["Blue"]);
    assert_eq!(server.get(&server.admin, "/v3/projects?domain_id=default").names("projects").len(), 4);
    assert!(server.get(&server.admin, "/v3/projects?domain_id=other").names("projects").is_empty());
    assert!(server.get(&server.admin, "/v3/projects?enabled=false").names("projects").is_empty());
    server.send(Method::DELETE, &server.admin, &path, Value::Null).expect(204);
    server.send(Method::DELETE, &server.admin, &path, Value::Null).expect(404);
    server.get(&server.admin, &path).expect(404);
}

#[test]
fn names_may_hold_any_printable_text() {
    let server = Server::start();
    let name = "Ünïcode & 100% – \"yes\": no";
    let id = create(&server, "projects", "project", json!({"name": name, "description": "line\nline"}));
    let mut again = server;
    again.restart();
    assert_eq!(again.get(&again.admin, &format!("/v3/projects/{id}")).expect(200).body["project"]["name"], name);
    let query = "/v3/projects?name=%C3%9Cn%C3%AFcode+%26+100%25+%E2%80%93+%22yes%22%3A%20no";
    assert_eq!(again.get(&again.admin, query).names("projects"), [name]);
    let long = "x".repeat(256);
    for bad in [json!(""), json!("  "), json!("a\u{0}b"), json!(long), json!(7), json!(null)] {
        again.send(Method::POST, &again.admin, "/v3/projects", json!({"project": {"name": bad}})).expect(400);
    }
    for body in
        [json!({}), json!({"project": []}), json!({"project": {"name": "a", "enabled": "yes"}}), json!({"project": {"name": "a", "x": {}}})]
    {
        again.send(Method::POST, &again.admin, "/v3/projects", body).expect(400);
    }
    again.send(Method::POST, &again.admin, "/v3/projects", json!({"project": {"name": "a", "domain_id": "x"}})).expect(404);
}

#[test]
fn a_user_gets_in_by_role_and_out_by_its_loss() {
    let server = Server::start();
    let project = create(&server, "projects", "project", json!({"name": "blue"}));
    let user = create(&server, "users", "user", json!({"name": "eve", "password": "secret", "email": "eve@example.org"}));
    let role = server.id_of("roles", "member");
    assert_eq!(server.get(&server.admin, &format!("/v3/users/{user}")).body["user"]["email"], "eve@example.org");
    login(&server, "eve", "secret", "blue").expect(401);
    let grant = format!("/v3/projects/{project}/users/{user}/roles/{role}");
    server.get(&server.admin, &grant).expect(404);
    server.send(Method::PUT, &server.admin, &grant, Value::Null).expect(204);
    server.send(Method::HEAD, &server.admin, &grant, Value::Null).expect(204);
    let token = login(&server, "eve", "secret", "blue").expect(201).token();
    assert!(server.works(&token));
    let roles = server.get(&server.admin, &format!("/v3/projects/{project}/users/{user}/roles")).expect(200);
    assert_eq!(roles.names("roles"), ["member"]);
    server.send(Method::DELETE, &server.admin, &grant, Value::Null).expect(204);
    server.send(Method::DELETE, &server.admin, &grant, Value::Null).expect(404);
    assert!(!server.works(&token), "cached or not, the token grants nothing any more");
    for bad in [format!("/v3/projects/{project}/users/{user}/roles/x"), format!("/v3/projects/x/users/{user}/roles/{role}")] {
        server.send(Method::PUT, &server.admin, &bad, Value::Null).expect(404);
    }
}

#[test]
fn changes_end_tokens() {
    let server = Server::start();
    let user = format!("/v3/users/{}", server.id_of("users", "demo"));
    let project = format!("/v3/projects/{}", server.id_of("projects", "demo"));
    let patch = |path: &str, body: Value| server.send(Method::PATCH, &server.admin, path, body).expect(200);
    assert!(server.works(&server.demo));
    patch(&project, json!({"project": {"enabled": false}}));
    assert!(!server.works(&server.demo));
    patch(&project, json!({"project": {"enabled": true}}));
    assert!(server.works(&server.demo), "the same grant again");
    patch(&user, json!({"user": {"name": "demo2"}}));
    assert_eq!(server.caller(&[("x-auth-token", &server.demo)]).expect("still valid").user_name, "demo2");
    server.pass(1);
    patch(&user, json!({"user": {"password": "new"}}));
    assert!(!server.works(&server.demo), "a new password ends old tokens");
    server.pass(1);
    let token = login(&server, "demo2", "new", "demo").expect(201).token();
    server.pass(1);
    patch(&user, json!({"user": {"enabled": false}}));
    patch(&user, json!({"user": {"enabled": true}}));
    assert!(!server.works(&token), "disabling ends them for good");
    let token = login(&server, "demo2", "new", "demo").expect(201).token();
    server.send(Method::DELETE, &server.admin, &user, Value::Null).expect(204);
    assert!(!server.works(&token));
}

#[test]
fn users_change_their_own_password() {
    let server = Server::start();
    let id = server.id_of("users", "demo");
    let path = format!("/v3/users/{id}/password");
    let change = |old: &str, new: &str| json!({"user": {"original_password": old, "password": new}});
    let old = server.password("neutrino-demo");
    server.send(Method::POST, &server.demo, &path, change("wrong", "new")).expect(401);
    server.send(Method::POST, &server.admin, &path, change(&old, "new")).expect(403);
    server.send(Method::POST, &server.demo, &path, change(&old, "")).expect(400);
    server.pass(1);
    server.send(Method::POST, &server.demo, &path, change(&old, "new")).expect(204);
    assert!(!server.works(&server.demo));
    login(&server, "demo", &old, "demo").expect(401);
    login(&server, "demo", "new", "demo").expect(201);
}

#[test]
fn a_member_changes_nothing_and_sees_itself() {
    let server = Server::start();
    let (user, project) = (server.id_of("users", "demo"), server.id_of("projects", "demo"));
    let (admin, role) = (server.id_of("users", "admin"), server.id_of("roles", "admin"));
    let grant = format!("/v3/projects/{project}/users/{user}/roles/{role}");
    let writes = [
        (Method::POST, "/v3/users".to_owned(), json!({"user": {"name": "eve", "password": "x"}})),
        (Method::POST, "/v3/projects".to_owned(), json!({"project": {"name": "eve"}})),
        (Method::POST, "/v3/roles".to_owned(), json!({"role": {"name": "eve"}})),
        (Method::PATCH, format!("/v3/users/{user}"), json!({"user": {"enabled": true}})),
        (Method::PATCH, format!("/v3/projects/{project}"), json!({"project": {"name": "mine"}})),
        (Method::DELETE, format!("/v3/users/{admin}"), Value::Null),
        (Method::DELETE, format!("/v3/projects/{project}"), Value::Null),
        (Method::DELETE, format!("/v3/roles/{role}"), Value::Null),
        (Method::PUT, grant.clone(), Value::Null),
        (Method::DELETE, grant.clone(), Value::Null),
    ];
    let users = || std::fs::read(server.state.path().join("identity/users.yaml")).expect("readable");
    let before = users();
    for (method, path, body) in writes {
        let refused = server.send(method.clone(), &server.demo, &path, body.clone()).expect(403);
        assert_eq!(refused.body["error"]["title"], "Forbidden");
        server.send(method, "garbage", &path, body).expect(401);
    }
    assert_eq!(users(), before);
    let reads = ["users", "projects", "roles", "role_assignments", "services", "endpoints", "groups"];
    for path in reads.map(|collection| format!("/v3/{collection}")).into_iter().chain([format!("/v3/users/{admin}"), grant]) {
        server.get(&server.demo, &path).expect(403);
        server.request(Method::GET, &path, &[], &Value::Null).expect(401);
    }
    server.get(&server.demo, &format!("/v3/users/{user}")).expect(200);
    server.get(&server.demo, &format!("/v3/projects/{project}")).expect(200);
    assert_eq!(server.get(&server.demo, &format!("/v3/users/{user}/projects")).expect(200).names("projects"), ["demo"]);
    server.get(&server.demo, &format!("/v3/role_assignments?user.id={user}")).expect(200);
    server.get(&server.demo, &format!("/v3/role_assignments?user.id={admin}")).expect(403);
    server.get(&server.demo, "/v3/domains").expect(200);
}

#[test]
fn somebody_must_remain_administrator() {
    let server = Server::start();
    let (admin, nova) = (server.id_of("users", "admin"), server.id_of("users", "nova"));
    server.send(Method::DELETE, &server.admin, &format!("/v3/users/{nova}"), Value::Null).expect(204);
    let (project, role) = (server.id_of("projects", "admin"), server.id_of("roles", "admin"));
    for (method, path, body) in [
        (Method::DELETE, format!("/v3/users/{admin}"), Value::Null),
        (Method::PATCH, format!("/v3/users/{admin}"), json!({"user": {"enabled": false}})),
        (Method::PATCH, format!("/v3/projects/{project}"), json!({"project": {"enabled": false}})),
        (Method::DELETE, format!("/v3/projects/{project}"), Value::Null),
        (Method::DELETE, format!("/v3/projects/{project}/users/{admin}/roles/{role}"), Value::Null),
    ] {
        assert!(server.send(method, &server.admin, &path, body).expect(403).message().contains("role admin"));
    }
    assert!(server.works(&server.admin));
}

#[test]
fn roles_and_assignments() {
    let server = Server::start();
    assert_eq!(server.get(&server.admin, "/v3/roles").names("roles"), ["admin", "manager", "member", "reader", "service"]);
    let auditor = create(&server, "roles", "role", json!({"name": "auditor"}));
    server.send(Method::POST, &server.admin, "/v3/roles", json!({"role": {"name": "Auditor"}})).expect(409);
    let (user, project) = (server.id_of("users", "demo"), server.id_of("projects", "demo"));
    server.send(Method::PUT, &server.admin, &format!("/v3/projects/{project}/users/{user}/roles/{auditor}"), Value::Null).expect(204);
    let caller = server.caller(&[("x-auth-token", &server.demo)]).expect("valid");
    assert_eq!(caller.roles.iter().collect::<Vec<_>>(), ["auditor", "member", "reader"]);

    let assignments = |query: &str| {
        let reply = server.get(&server.admin, &format!("/v3/role_assignments?{query}")).expect(200);
        reply.body["role_assignments"].as_array().expect("a list").clone()
    };
    assert_eq!(assignments("").len(), 5);
    assert_eq!(assignments(&format!("user.id={user}")).len(), 2);
    assert_eq!(assignments(&format!("user.id={user}&effective")).len(), 3);
    assert_eq!(assignments(&format!("role.id={auditor}&scope.project.id={project}")).len(), 1);
    assert!(assignments("scope.system=all").is_empty());
    let named = &assignments(&format!("role.id={auditor}&include_names=True"))[0];
    assert_eq!((&named["user"]["name"], &named["role"]["name"]), (&json!("demo"), &json!("auditor")));
    assert_eq!(named["scope"]["project"]["domain"]["name"], "Default");

    server.send(Method::DELETE, &server.admin, &format!("/v3/roles/{auditor}"), Value::Null).expect(204);
    assert_eq!(assignments("").len(), 4, "assignments go with their role");
    let member = server.id_of("roles", "member");
    server.send(Method::DELETE, &server.admin, &format!("/v3/roles/{member}"), Value::Null).expect(403);
}

#[test]
fn what_this_server_is() {
    let server = Server::start();
    for (collection, kind, count) in
        [("domains", "domain", 1), ("regions", "region", 1), ("services", "service", 2), ("endpoints", "endpoint", 6)]
    {
        let list = server.get(&server.admin, &format!("/v3/{collection}")).expect(200);
        let items = list.body[collection].as_array().expect("a list").clone();
        assert_eq!(items.len(), count, "{collection}");
        let id = items[0]["id"].as_str().expect("text");
        assert_eq!(server.get(&server.admin, &format!("/v3/{collection}/{id}")).expect(200).body[kind], items[0]);
        server.get(&server.admin, &format!("/v3/{collection}/none")).expect(404);
        server.send(Method::POST, &server.admin, &format!("/v3/{collection}"), json!({kind: {"name": "x"}})).expect(405);
    }
    assert_eq!(server.get(&server.admin, "/v3/groups").expect(200).body["groups"], json!([]));
    let public = server.get(&server.admin, "/v3/endpoints?interface=public").body["endpoints"].as_array().map(Vec::len);
    assert_eq!(public, Some(2));
    let ids: std::collections::BTreeSet<String> = server.get(&server.admin, "/v3/endpoints").body["endpoints"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 6);
}
