//! A small HTTP client that shows everything of an answer and can also send what no client should.

use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An answer as it came.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// Type and message of Neutron's error body.
    #[track_caller]
    pub fn fault(&self) -> (u16, String, String) {
        let body = self.json();
        let fault = &body["NeutronError"];
        assert_eq!(fault["detail"], "", "{}", self.body);
        let text = |name: &str| fault[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_owned();
        (self.status, text("type"), text("message"))
    }

    #[track_caller]
    pub fn refused(&self, status: u16, kind: &str, message: &str) {
        assert_eq!(self.fault(), (status, kind.to_owned(), message.to_owned()));
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()
    }
}

/// Who asks whom.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client { address, headers: Vec::new() }
    }

    /// The same with these roles in this project.
    pub fn by(&self, project: &str, roles: &str) -> Client {
        self.with("X-Project-Id", project).with("X-Roles", roles)
    }

    pub fn with(&self, name: &str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: impl ToString) -> Got {
        self.send("POST", path, &body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: impl ToString) -> Got {
        self.send("PUT", path, &body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Got {
        self.send("DELETE", path, "").await
    }

    pub async fn send(&self, method: &str, path: &str, body: &str) -> Got {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        self.raw(&bytes).await
    }

    /// Sends bytes and reads one answer to the end of the connection.
    pub async fn raw(&self, bytes: &[u8]) -> Got {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        // A server may answer and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer in time").expect("an answer");
        parse(&answer)
    }
}

pub fn parse(answer: &[u8]) -> Got {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not an answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status line");
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Got { status, headers: headers.collect(), body: body.to_owned() }
}
