//! Stand-ins for the services beside this one: HTTP servers that record what they are asked and answer as the test wants.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Null when there is none, or it is no JSON.
    pub body: Value,
}

impl Asked {
    /// The value of a header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(there, _)| there == name).map_or("", |(_, value)| value)
    }
}

/// Status and body of an answer.
#[derive(Clone, Debug)]
pub struct Reply(pub u16, pub Value);

/// Answers until the test ends.
pub struct StandIn {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
    tokens: Arc<AtomicUsize>,
}

impl StandIn {
    /// Listens on loopback. Keystone's part is played: `POST /v3/auth/tokens` gives a token and a catalog with `compute` below `/compute/v2.1` and
    /// `dns` below `/dns`. All else needs the newest token and is answered by `answer`, which sees the path without these.
    pub fn start(mut answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Result<StandIn> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port for a stand-in")?;
        let address = listener.local_addr()?;
        let stand_in = StandIn { address, seen: Arc::default(), tokens: Arc::default() };
        let (seen, tokens) = (stand_in.seen.clone(), stand_in.tokens.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                // Who asks nothing, or goes away, is the test's own matter.
                let Ok(asked) = read(&stream) else { continue };
                let number = tokens.load(Ordering::SeqCst);
                if asked.path == "/v3/auth/tokens" {
                    let token = format!("token-{number}");
                    _ = write(&mut stream, &Reply(201, issued(address)), &format!("X-Subject-Token: {token}\r\n"));
                    continue;
                }
                let is_valid = asked.header("x-auth-token") == format!("token-{number}");
                let reply = if is_valid { answer(&asked) } else { Reply(401, json!({})) };
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
                _ = write(&mut stream, &reply, "");
            }
        });
        Ok(stand_in)
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far, Keystone aside.
    pub fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All tokens given so far are refused from now on.
    pub fn revoke(&self) {
        self.tokens.fetch_add(1, Ordering::SeqCst);
    }
}

fn issued(address: SocketAddr) -> Value {
    let service = |kind: &str, below: &str| {
        let url = format!("http://{address}{below}");
        json!({"type": kind, "endpoints": [{"interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url}]})
    };
    json!({"token": {"expires_at": "2999-01-01T00:00:00.000000Z", "catalog": [service("compute", "/compute/v2.1"), service("dns", "/dns")]}})
}

fn read(stream: &TcpStream) -> Result<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().context("a method")?, words.next().context("a path")?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked { method, path, headers, body: Value::Null };
    let mut body = vec![0; asked.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    asked.body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(asked)
}

fn write(stream: &mut TcpStream, Reply(status, body): &Reply, headers: &str) -> Result<()> {
    let body = if *status == 204 { String::new() } else { body.to_string() };
    let head = format!("HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes())?;
    Ok(())
}
