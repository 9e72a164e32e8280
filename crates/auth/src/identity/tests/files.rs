//! What lies on disk: permissions, restarts, damage.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("exists").permissions().mode() & 0o777
}

#[test]
fn secrets_are_for_the_owner_only() {
    let mut server = Server::start();
    server.send(Method::DELETE, &server.admin, "/v3/auth/tokens", Value::Null).expect(400);
    let revoke = [("x-auth-token", server.admin.as_str()), ("x-subject-token", server.demo.as_str())];
    server.request(Method::DELETE, "/v3/auth/tokens", &revoke, &Value::Null).expect(204);
    let state = server.state.path().to_owned();
    let files = ["clouds.yaml", "identity/users.yaml", "identity/token.key", "identity/revoked.yaml"];
    assert_eq!(mode(&state.join("identity")), 0o700);
    for file in files {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
        fs::set_permissions(state.join(file), fs::Permissions::from_mode(0o644)).expect("allowed");
    }
    server.restart();
    for file in files {
        assert_eq!(mode(&state.join(file)), 0o600, "{file} is closed again at start");
    }
    let users = fs::read_to_string(state.join("identity/users.yaml")).expect("readable");
    for cloud in ["neutrino", "neutrino-demo", "neutrino-service"] {
        assert!(!users.contains(&server.password(cloud)), "no password in clear");
    }
    assert_eq!(users.matches("$argon2id$").count(), 3);
}

#[test]
fn a_restart_changes_nothing() {
    let mut server = Server::start();
    let read = |server: &Server| {
        ["clouds.yaml", "identity/users.yaml", "identity/token.key"]
            .map(|file| fs::read_to_string(server.state.path().join(file)).expect("readable"))
    };
    let before = read(&server);
    server.restart();
    assert_eq!(read(&server), before);
    assert!(server.works(&server.admin) && server.works(&server.demo));
}

#[test]
fn a_first_start_that_was_cut_short_is_repeated() {
    let mut server = Server::start();
    fs::remove_file(server.state.path().join("identity/users.yaml")).expect("there");
    server.restart();
    assert!(!server.works(&server.admin), "the old users are gone");
    let admin = server.login_cloud("neutrino");
    assert!(server.works(&admin), "clouds.yaml fits the new ones");
}

#[test]
fn a_new_key_ends_all_tokens() {
    let mut server = Server::start();
    fs::remove_file(server.state.path().join("identity/token.key")).expect("there");
    server.restart();
    assert!(!server.works(&server.admin));
    server.login_cloud("neutrino");
}

#[test]
fn clouds_follow_the_address() {
    let server = Server::start();
    assert_eq!(server.cloud("neutrino")["auth"]["auth_url"], "http://192.0.2.1:9696/identity/v3");
    let mut moved = config(server.state.path(), &server.now_us);
    moved.public_url = "http://127.0.0.1:9797".to_owned();
    let password = server.password("neutrino");
    Builtin::open(moved).expect("starts");
    assert_eq!(server.cloud("neutrino")["auth"]["auth_url"], "http://127.0.0.1:9797/identity/v3");
    assert_eq!(server.cloud("neutrino-demo")["auth"]["auth_url"], "http://127.0.0.1:9797/identity/v3");
    assert_eq!(server.password("neutrino"), password);
    assert_eq!(mode(&server.state.path().join("clouds.yaml")), 0o600);
}

#[test]
fn damaged_files_are_named() {
    let server = Server::start();
    for (file, needle) in
        [("identity/token.key", "32 bytes"), ("identity/users.yaml", "users.yaml"), ("identity/revoked.yaml", "revoked.yaml")]
    {
        let path = server.state.path().join(file);
        let good = fs::read(&path).unwrap_or_default();
        fs::write(&path, "users: [broken").expect("writable");
        let message = Builtin::open(config(server.state.path(), &server.now_us)).expect_err(file).to_string();
        assert!(message.contains(needle) && message.contains(file), "{message}");
        if good.is_empty() {
            fs::remove_file(&path).expect("there");
        } else {
            fs::write(&path, good).expect("writable");
        }
    }
    Builtin::open(config(server.state.path(), &server.now_us)).expect("repaired");
}

#[test]
fn what_cannot_be_stored_does_not_happen() {
    let server = Server::start();
    let directory = server.state.path().join("identity");
    // A directory where the temporary file would go: writing fails for root as well.
    fs::create_dir(directory.join("users.yaml.new")).expect("creates");
    let reply = server.send(Method::POST, &server.admin, "/v3/projects", json!({"project": {"name": "lost"}})).expect(500);
    assert!(reply.message().contains("nothing was changed"));
    assert_eq!(server.get(&server.admin, "/v3/projects").names("projects"), ["admin", "demo", "service"]);
}
