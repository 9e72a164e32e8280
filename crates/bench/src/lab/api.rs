//! The API over one kept connection, with the times of each exchange.

use crate::http::{Connection, Request};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

/// A connection of an administrator.
pub struct Api {
    url: String,
    headers: Vec<String>,
    runtime: Runtime,
    connection: Connection,
}

impl Api {
    /// A connection that is made at the first request.
    pub fn new(url: &str, headers: &[String]) -> Result<Api> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = Connection::new(url, headers)?;
        Ok(Api { url: url.to_owned(), headers: headers.to_vec(), runtime, connection })
    }

    /// Another connection of the same user.
    pub fn another(&self) -> Result<Api> {
        Api::new(&self.url, &self.headers)
    }

    /// A bare connection of the same user.
    pub fn connection(&self) -> Result<Connection> {
        Connection::new(&self.url, &self.headers)
    }

    /// A request below `/v2.0/`; anything but a success is an error. With the time the answer was complete.
    pub fn timed(&mut self, method: &'static str, path: &str, body: Option<&Value>) -> Result<(Value, Instant)> {
        let request = Request { method, path: format!("/v2.0/{path}"), body: body.map(Value::to_string).unwrap_or_default() };
        let answer = self.runtime.block_on(self.connection.send(&request)).with_context(|| format!("{method} {path}"))?;
        let answered = Instant::now();
        let text = String::from_utf8_lossy(&answer.body);
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {text}", answer.status);
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
        Ok((value, answered))
    }

    /// A resource or list.
    pub fn get(&mut self, path: &str) -> Result<Value> {
        Ok(self.timed("GET", path, None)?.0)
    }

    /// Creates a resource and returns it, with the time of the answer.
    pub fn create_timed(&mut self, collection: &str, attributes: Value) -> Result<(Value, Instant)> {
        let key = client::singular(collection);
        let (mut answer, answered) = self.timed("POST", collection, Some(&json!({ &key: attributes })))?;
        Ok((answer[&key].take(), answered))
    }

    /// Creates a resource and returns it.
    pub fn create(&mut self, collection: &str, attributes: Value) -> Result<Value> {
        Ok(self.create_timed(collection, attributes)?.0)
    }

    /// Creates `count` alike ports, a hundred in a request.
    pub fn create_ports(&mut self, count: usize, attributes: &Value) -> Result<Vec<Value>> {
        let mut ports = Vec::new();
        while ports.len() < count {
            let body = json!({"ports": vec![attributes; (count - ports.len()).min(100)]});
            let mut answer = self.timed("POST", "ports", Some(&body))?.0;
            ports.append(answer["ports"].as_array_mut().context("a bulk answer without ports")?);
        }
        Ok(ports)
    }

    /// Changes a resource; the time of the answer.
    pub fn update(&mut self, collection: &str, id: &str, attributes: Value) -> Result<Instant> {
        Ok(self.timed("PUT", &format!("{collection}/{id}"), Some(&json!({ client::singular(collection): attributes })))?.1)
    }

    /// Deletes a resource; the time of the answer.
    pub fn delete(&mut self, collection: &str, id: &str) -> Result<Instant> {
        Ok(self.timed("DELETE", &format!("{collection}/{id}"), None)?.1)
    }
}

/// The id of a resource.
pub fn id(resource: &Value) -> Result<String> {
    Ok(resource["id"].as_str().context("a resource without id")?.to_owned())
}
