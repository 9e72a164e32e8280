//! A raw HTTP/1.1 client connection: keeps the connection when the server does, reconnects when it does not.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, ready to be written but for its connection.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Path with query.
    pub path: String,
    /// JSON, or empty.
    pub body: String,
}

impl Request {
    /// A request without a body.
    pub fn get(path: impl Into<String>) -> Request {
        Request { method: "GET", path: path.into(), body: String::new() }
    }
}

/// An answer.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// A connection to one server.
pub struct Connection {
    authority: String,
    headers: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// A connection that is made at the first request.
    pub fn new(url: &str, headers: &[String]) -> Result<Connection> {
        let authority = url.strip_prefix("http://").context("only http:// addresses are measured")?.trim_end_matches('/').to_owned();
        let headers = headers.iter().map(|header| format!("{header}\r\n")).collect();
        Ok(Connection { authority, headers, stream: None, buffer: Vec::with_capacity(1 << 16) })
    }

    /// Sends a request and reads its answer; again over a new connection when a kept one fails.
    pub async fn send(&mut self, request: &Request) -> Result<Answer> {
        let kept = self.stream.is_some();
        match self.once(request).await {
            Err(_) if kept => {
                self.stream = None;
                self.once(request).await
            }
            answer => answer,
        }
    }

    /// The same without a second try: after an error nobody knows whether the request was carried out.
    pub async fn once(&mut self, request: &Request) -> Result<Answer> {
        let text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n{}Content-Length: {}\r\n{}\r\n{}",
            request.method,
            request.path,
            self.authority,
            self.headers,
            request.body.len(),
            if request.body.is_empty() { "" } else { "Content-Type: application/json\r\n" },
            request.body
        );
        self.exchange(text.as_bytes()).await
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.authority).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
            self.buffer.clear();
        }
        self.stream.as_mut().expect("just connected").write_all(request).await?;
        let head_end = loop {
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).to_ascii_lowercase();
        let status = head.split_whitespace().nth(1).and_then(|s| s.parse().ok()).context("no HTTP status")?;
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()));
        if header("transfer-encoding:").is_some() {
            bail!("chunked answers are not measured");
        }
        let length = header("content-length:").and_then(|value| value.parse::<usize>().ok());
        let close = header("connection:").is_some_and(|value| value == "close");
        let body = match length {
            Some(length) => {
                while self.buffer.len() < head_end + length {
                    self.fill().await?;
                }
                let body = self.buffer[head_end..head_end + length].to_vec();
                self.buffer.drain(..head_end + length);
                body
            }
            None if close && status != 204 => {
                while self.fill().await.is_ok() {}
                self.buffer.split_off(head_end)
            }
            None => {
                self.buffer.drain(..head_end);
                Vec::new()
            }
        };
        if close {
            self.stream = None;
        }
        Ok(Answer { status, body })
    }

    async fn fill(&mut self) -> Result<()> {
        let stream = self.stream.as_mut().context("not connected")?;
        if stream.read_buf(&mut self.buffer).await? == 0 { bail!("the server closed the connection") } else { Ok(()) }
    }
}
