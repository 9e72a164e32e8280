//! A phase: requests sent over a number of connections, with what they cost.

use crate::http::{Answer, Connection, Request};
use crate::process::{Groups, machine_busy, own_cpu};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// One line of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What was done: `POST port`.
    pub operation: String,
    /// Concurrent connections.
    pub connections: usize,
    /// Requests sent.
    pub requests: usize,
    /// Requests a second.
    pub rate: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile of the latency.
    pub p99_ms: f64,
    /// Answers that were not a success.
    pub errors: usize,
    /// Bytes of an answer's body, the mean.
    pub bytes: usize,
    /// Processor time of the server for each request.
    pub server_cpu_ms: f64,
    /// Processor time of this client for each request.
    pub client_cpu_ms: f64,
    /// Share of all cores that other work took meanwhile, in percent.
    pub foreign_percent: f64,
}

/// The server under load.
pub struct Server {
    /// Its address.
    pub url: String,
    /// Headers of each request.
    pub headers: Vec<String>,
    /// What is charged to it.
    pub groups: Groups,
}

struct Outcome {
    latencies: Vec<Duration>,
    errors: usize,
    first_error: Option<String>,
    bytes: usize,
    bodies: Vec<Vec<u8>>,
}

impl Server {
    /// A connection.
    pub fn connect(&self) -> Result<Connection> {
        Connection::new(&self.url, &self.headers)
    }

    /// One request outside any measurement; anything but a success is an error.
    pub async fn must(&self, request: &Request) -> Result<serde_json::Value> {
        let answer = self.connect()?.send(request).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        anyhow::ensure!((200..300).contains(&answer.status), "{} {}: {} {body}", request.method, request.path, answer.status);
        if body.is_empty() { Ok(serde_json::Value::Null) } else { Ok(serde_json::from_str(&body)?) }
    }

    /// Sends the requests over `connections` connections and returns the row and the bodies of the answers.
    pub async fn phase(&self, operation: &str, connections: usize, requests: Vec<Request>) -> Result<(Row, Vec<Vec<u8>>)> {
        let count = requests.len();
        let queue = Rc::new(RefCell::new(requests.into_iter().collect::<VecDeque<_>>()));
        let (server_before, own_before, busy_before, start) = (self.groups.cpu(), own_cpu(), machine_busy(), Instant::now());
        let local = tokio::task::LocalSet::new();
        let mut workers = Vec::new();
        for _ in 0..connections.min(count) {
            workers.push(local.spawn_local(worker(self.connect()?, queue.clone())));
        }
        let outcomes = local.run_until(async {
            let mut outcomes = Vec::new();
            for worker in workers {
                outcomes.push(worker.await.context("a client task failed")??);
            }
            anyhow::Ok(outcomes)
        });
        let outcomes = outcomes.await?;
        let wall = start.elapsed();
        let server = self.groups.cpu().saturating_sub(server_before);
        let own = own_cpu().saturating_sub(own_before);
        let busy = machine_busy().saturating_sub(busy_before);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get()) as f64;
        let mut latencies: Vec<Duration> = outcomes.iter().flat_map(|o| o.latencies.iter().copied()).collect();
        latencies.sort_unstable();
        let at =
            |share: f64| latencies.get(((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1))).map_or(0.0, ms);
        let errors = outcomes.iter().map(|o| o.errors).sum();
        if let Some(text) = outcomes.iter().find_map(|o| o.first_error.as_ref()) {
            eprintln!("  {operation}: {errors} of {count} failed, such as: {text}");
        }
        let row = Row {
            operation: operation.to_owned(),
            connections,
            requests: count,
            rate: count as f64 / wall.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            errors,
            bytes: outcomes.iter().map(|o| o.bytes).sum::<usize>() / count.max(1),
            server_cpu_ms: ms(&server) / count.max(1) as f64,
            client_cpu_ms: ms(&own) / count.max(1) as f64,
            foreign_percent: (busy.saturating_sub(server).saturating_sub(own).as_secs_f64() / (wall.as_secs_f64() * cores) * 100.0)
                .max(0.0),
        };
        eprintln!(
            "  {:32} {:3} conns {:>10.1}/s  p50 {:>9.3} ms  cpu {:>8.3} ms",
            row.operation, connections, row.rate, row.p50_ms, row.server_cpu_ms
        );
        Ok((row, outcomes.into_iter().flat_map(|o| o.bodies).collect()))
    }
}

async fn worker(mut connection: Connection, queue: Rc<RefCell<VecDeque<Request>>>) -> Result<Outcome> {
    let mut outcome = Outcome { latencies: Vec::new(), errors: 0, first_error: None, bytes: 0, bodies: Vec::new() };
    loop {
        let Some(request) = queue.borrow_mut().pop_front() else { return Ok(outcome) };
        let start = Instant::now();
        let Answer { status, body } = connection.send(&request).await?;
        outcome.latencies.push(start.elapsed());
        outcome.bytes += body.len();
        if (200..300).contains(&status) {
            if request.method == "POST" {
                outcome.bodies.push(body);
            }
        } else {
            outcome.errors += 1;
            outcome.first_error.get_or_insert_with(|| format!("{status} {}", String::from_utf8_lossy(&body)));
        }
    }
}

/// Milliseconds.
pub fn ms(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
