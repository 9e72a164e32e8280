//! Clients that send what no client should. Each gets a clear answer or is cut off, and the server goes on serving others.

use crate::client::{PATIENCE, parse};
use crate::toy::Toy;
use api::ServerOptions;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Impatient enough for a test.
fn impatient() -> ServerOptions {
    let short = Duration::from_millis(300);
    ServerOptions { header_timeout: short, body_timeout: short, stall_timeout: short, ..ServerOptions::default() }
}

/// Reads until the server ends the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("the server cuts the connection");
    all
}

async fn still_serves(toy: &Toy) {
    toy.client.get("/v2.0/networks").await.ok();
}

#[tokio::test]
async fn a_head_that_never_ends_in_time() {
    let toy = Toy::with(impatient()).await;
    let mut stream = TcpStream::connect(toy.client.address).await.expect("it listens");
    stream.write_all(b"GET /v2.0/networks HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("written");
    let answer = rest(&mut stream).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    still_serves(&toy).await;
}

#[tokio::test]
async fn a_silent_connection_is_cut() {
    let toy = Toy::with(impatient()).await;
    let mut stream = TcpStream::connect(toy.client.address).await.expect("it listens");
    assert!(rest(&mut stream).await.is_empty());
}

#[tokio::test]
async fn endless_headers() {
    let toy = Toy::start().await;
    let mut stream = TcpStream::connect(toy.client.address).await.expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.expect("written");
    let started = Instant::now();
    let mut sent = 0;
    while stream.write_all(b"X-Header: 0123456789012345678901234567890123456789\r\n").await.is_ok() && sent < 1 << 26 {
        sent += 52;
        assert!(started.elapsed() < PATIENCE, "the server reads headers without end");
    }
    assert!(sent < 1 << 26, "the server accepted {sent} bytes of headers");
    still_serves(&toy).await;
}

#[tokio::test]
async fn many_headers_and_long_lines_are_refused() {
    let toy = Toy::start().await;
    let many: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    for head in [many, format!("X-Long: {}\r\n", "y".repeat(200_000))] {
        let got = toy.client.raw(format!("GET / HTTP/1.1\r\nHost: x\r\n{head}\r\n").as_bytes()).await;
        assert_eq!(got.status, 431);
    }
    let long = toy.client.raw(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(200_000)).as_bytes()).await;
    assert!(matches!(long.status, 414 | 431), "{}", long.status);
    still_serves(&toy).await;
}

#[tokio::test]
async fn a_body_over_the_limit() {
    let toy = Toy::start().await;
    let body = json!({"network": {"name": "x".repeat(2 << 20)}});
    toy.client.post("/v2.0/networks", &body).await.refused(413, "HTTPRequestEntityTooLarge", "Request is too large.");
    let chunk = "x".repeat(0x10000);
    let chunks = format!("10000\r\n{chunk}\r\n").repeat(40);
    let head = "POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let got = toy.client.raw(format!("{head}{chunks}0\r\n\r\n").as_bytes()).await;
    got.refused(413, "HTTPRequestEntityTooLarge", "Request is too large.");
    let fits = json!({"network": {"name": "x".repeat((1 << 20) - 100)}});
    assert_eq!(toy.client.post("/v2.0/networks", fits).await.fault().0, 400, "just below the limit the body is read");
    assert!(toy.memory.log().is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_come() {
    let toy = Toy::with(impatient()).await;
    let mut stream = TcpStream::connect(toy.client.address).await.expect("it listens");
    stream.write_all(b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{").await.expect("written");
    let message = "The request body was not received in time.";
    parse(&rest(&mut stream).await).refused(408, "HTTPRequestTimeout", message);
    still_serves(&toy).await;
}

#[tokio::test]
async fn a_client_that_does_not_read() {
    let toy = Toy::with(impatient()).await;
    let name = "n".repeat(255);
    let many: Vec<_> = (0..1000).map(|_| json!({"name": name, "project_id": "p9"})).collect();
    toy.client.put("/v2.0/quotas/p9", json!({"quota": {"network": -1}})).await.ok();
    toy.client.post("/v2.0/networks", json!({ "networks": many })).await.ok();
    let mut stream = TcpStream::connect(toy.client.address).await.expect("it listens");
    let request = b"GET /v2.0/networks HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    stream.write_all(&request).await.expect("written");
    let closed = async {
        loop {
            // Answers fill the socket; once the server gives up, sending fails.
            if stream.write_all(b"G").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("the server gives up on it");
    still_serves(&toy).await;
}

#[tokio::test]
async fn deep_nesting() {
    let toy = Toy::start().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000] {
            let middle = if open == "[" { String::new() } else { "1".to_owned() };
            let body = format!("{{\"network\": {}{middle}{}}}", open.repeat(depth), close.repeat(depth));
            toy.client.post("/v2.0/networks", body).await.refused(400, "HTTPBadRequest", "Body contains invalid data");
        }
    }
    let within = format!("{{\"network\": {{\"name\": {}{}}}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(toy.client.post("/v2.0/networks", within).await.status, 400);
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let toy = Toy::start().await;
    let mut request = b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 24\r\n\r\n".to_vec();
    request.extend_from_slice(b"{\"network\":{\"name\":\"\xff\"}}");
    toy.client.raw(&request).await.refused(400, "HTTPBadRequest", "Body contains invalid data");
    let header = toy
        .client
        .raw(b"GET /v2.0/networks HTTP/1.1\r\nHost: \xff\xfe\r\nIf-Match: \xff\r\nX-Roles: \xff\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(header.status, 200);
    assert_eq!(toy.client.get("/v2.0/networks?name=%ff%fe").await.ok(), json!({"networks": []}));
    assert_eq!(toy.client.get("/v2.0/networks/%ff").await.status, 404);
    for nonsense in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"HELO\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        assert_eq!(toy.client.raw(nonsense).await.status, 400);
    }
    still_serves(&toy).await;
}

#[tokio::test]
async fn ambiguous_lengths_are_refused() {
    let toy = Toy::start().await;
    let twice = b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ";
    assert_eq!(toy.client.raw(twice).await.status, 400);
    assert!(toy.memory.log().is_empty());
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let toy = Toy::with(ServerOptions { max_connections: 2, ..impatient() }).await;
    let mut hogs = Vec::new();
    for _ in 0..4 {
        hogs.push(TcpStream::connect(toy.client.address).await.expect("the kernel accepts it"));
    }
    still_serves(&toy).await;
}
