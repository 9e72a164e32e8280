//! The steps of making an instance, told as they end, with their times.

use serde_json::{Map, Value};
use std::time::Instant;

/// Times of the steps so far.
pub struct Progress {
    instance: String,
    start: Instant,
    last: Instant,
    steps: Map<String, Value>,
}

impl Progress {
    /// Starts counting.
    pub fn start(instance: &str) -> Progress {
        let now = Instant::now();
        Progress { instance: instance.to_owned(), start: now, last: now, steps: Map::new() }
    }

    /// A step that begins now and not when the one before ended.
    pub fn mark(&mut self) {
        self.last = Instant::now();
    }

    /// A step ended; says so on stderr.
    pub fn done(&mut self, step: &str, what: &str) {
        let now = Instant::now();
        let ms = (now - self.last).as_secs_f64() * 1000.0;
        self.last = now;
        self.steps.insert(step.to_owned(), Value::from((ms * 1000.0).round() / 1000.0));
        eprintln!("{}: {step:<10} {ms:>9.1} ms  {what}", self.instance);
    }

    /// Something worth knowing that is no step.
    pub fn note(&self, what: &str) {
        eprintln!("{}: {what}", self.instance);
    }

    /// Step to milliseconds, with the whole under `total`.
    pub fn into_times(mut self) -> Value {
        let ms = self.start.elapsed().as_secs_f64() * 1000.0;
        self.steps.insert("total".to_owned(), Value::from((ms * 1000.0).round() / 1000.0));
        Value::Object(self.steps)
    }
}
