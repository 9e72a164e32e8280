//! The client against a scripted server on loopback.

use super::Cloud;
use crate::config::CloudConfig;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

/// One request as the server saw it.
#[derive(Debug, PartialEq)]
struct Seen {
    line: String,
    token: Option<String>,
    body: String,
}

type Answer = (u16, String, String);

/// A server that answers requests in order with `(status, headers, body)`; every connection carries one.
fn server(answers: Vec<Answer>) -> (String, mpsc::Receiver<Seen>) {
    server_with(|_| answers)
}

/// As [`server`], for answers that hold the server's URL.
fn server_with(answers: impl FnOnce(&str) -> Vec<Answer>) -> (String, mpsc::Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers(&url);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for (status, headers, body) in answers {
            let (stream, _) = listener.accept().unwrap();
            sender.send(read(&stream)).unwrap();
            let length = body.len();
            write!(&stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}").unwrap();
        }
    });
    (url, receiver)
}

fn read(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| lines.iter().find_map(|line| line.to_lowercase().strip_prefix(name).map(|value| value.trim().to_owned()));
    let mut body = vec![0; header("content-length:").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Seen { line: lines[0].clone(), token: header("x-auth-token:"), body: String::from_utf8(body).unwrap() }
}

fn token(url: &str, token: &str) -> Answer {
    let catalog = json!([{"type": "network", "endpoints": [
        {"interface": "internal", "region": "RegionOne", "url": "http://elsewhere"},
        {"interface": "public", "region": "RegionTwo", "url": "http://elsewhere"},
        {"interface": "public", "region": "RegionOne", "url": url},
    ]}]);
    let body = json!({"token": {"catalog": catalog, "project": {"id": "p1"}, "user": {"id": "u1"}}});
    (201, format!("x-subject-token: {token}\r\n"), body.to_string())
}

fn with_password(url: &str) -> Cloud {
    let text = format!(
        "clouds: {{c: {{region_name: RegionOne, auth: {{auth_url: '{url}/identity/v3', username: u, password: w, project_name: p}}}}}}"
    );
    Cloud::new(CloudConfig::parse(&text, "c").unwrap())
}

#[test]
fn members_are_wrapped_and_unwrapped() {
    let (url, seen) = server(vec![
        (201, String::new(), r#"{"security_group":{"id":"1"}}"#.to_owned()),
        (200, String::new(), r#"{"ports":[{"id":"1"}],"ports_links":[]}"#.to_owned()),
        (204, String::new(), String::new()),
    ]);
    let cloud = Cloud::without_auth(&format!("{url}/v2.0/"));
    assert_eq!(cloud.create("security-groups", &json!({"name": "a"})).unwrap(), json!({"id": "1"}));
    assert_eq!(cloud.list("ports", &[("name", "a b")]).unwrap(), [json!({"id": "1"})]);
    cloud.delete("ports", "1").unwrap();
    let lines: Vec<_> = seen.iter().take(3).map(|seen| (seen.line, seen.token, seen.body)).collect();
    assert_eq!(lines[0], ("POST /v2.0/security-groups HTTP/1.1".to_owned(), None, r#"{"security_group":{"name":"a"}}"#.to_owned()));
    assert_eq!(lines[1].0, "GET /v2.0/ports?name=a%20b HTTP/1.1");
    assert_eq!(lines[2].0, "DELETE /v2.0/ports/1 HTTP/1.1");
}

#[test]
fn pages_are_joined() {
    let next = |url: &str| json!({"ports": [1], "ports_links": [{"rel": "next", "href": url}]}).to_string();
    let (second, _seen) = server(vec![(200, String::new(), r#"{"ports":[2]}"#.to_owned())]);
    let (first, _seen) = server(vec![(200, String::new(), next(&format!("{second}/v2.0/ports?marker=1")))]);
    assert_eq!(Cloud::without_auth(&first).list("ports", &[]).unwrap(), [json!(1), json!(2)]);
}

#[test]
fn faults_keep_type_message_and_status() {
    let fault = json!({"NeutronError": {"type": "OverQuota", "message": "Quota exceeded.", "detail": ""}}).to_string();
    let (url, _seen) = server(vec![(409, String::new(), fault)]);
    let error = Cloud::without_auth(&url).create("ports", &json!({})).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.status, refusal.kind.as_str(), refusal.message.as_str()), (409, "OverQuota", "Quota exceeded."));
    assert!(error.to_string().starts_with("POST /v2.0/ports: Quota exceeded. (OverQuota, 409); "), "{error}");
}

#[test]
fn an_expired_token_is_renewed_once() {
    let ok = (200, String::new(), r#"{"ports":[]}"#.to_owned());
    let expired = (401, String::new(), "{}".to_owned());
    let (url, seen) = server_with(|url| vec![token(url, "t1"), ok.clone(), expired, token(url, "t2"), ok]);
    let cloud = with_password(&url);
    cloud.list("ports", &[]).unwrap();
    cloud.list("ports", &[]).unwrap();
    assert_eq!(cloud.session().unwrap().unwrap().project_id, "p1");
    let tokens: Vec<_> = seen.iter().take(5).map(|seen| seen.token).collect();
    let tokens: Vec<_> = tokens.iter().map(Option::as_deref).collect();
    assert_eq!(tokens, [None, Some("t1"), Some("t1"), None, Some("t2")]);
}

#[test]
fn a_wrong_password_is_not_tried_again() {
    let fault = json!({"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}});
    let (url, _seen) = server(vec![(401, String::new(), fault.to_string())]);
    let error = with_password(&url).list("ports", &[]).unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert!(error.to_string().contains("check user and password"), "{error}");
}

#[test]
fn nobody_listening() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Cloud::without_auth(&url).list("ports", &[]).unwrap_err();
    assert!(error.to_string().contains("is the server running"), "{error}");
}

#[test]
fn names_that_stand_for_several_things() {
    let none = || (200, String::new(), r#"{"networks":[]}"#.to_owned());
    let two = (200, String::new(), r#"{"networks":[{"id":"1"},{"id":"2"}]}"#.to_owned());
    let (url, _seen) = server(vec![none(), two, none(), none()]);
    let cloud = Cloud::without_auth(&url);
    let error = cloud.find("networks", "blue", &[]).unwrap_err();
    assert_eq!(error.to_string(), "2 networks are named 'blue'; give the id of one: 1, 2");
    let error = cloud.find("networks", "red", &[]).unwrap_err();
    assert_eq!(error.to_string(), "there is no network 'red'; `openstack network list` shows those there are");
}
