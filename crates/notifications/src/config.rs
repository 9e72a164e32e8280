//! Which broker, and under which names.

use std::fmt;
use std::time::Duration;

/// What a [`crate::Bus`] is told.
#[derive(Clone)]
pub struct Config {
    /// The broker's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The virtual host.
    pub virtual_host: String,
    /// The topic exchange (oslo's `control_exchange`).
    pub exchange: String,
    /// Topics; each is a queue and a routing key with `.info` behind it.
    pub topics: Vec<String>,
    /// Exchange and queues outlive the broker; they must have been declared so by whoever was first.
    pub durable: bool,
    /// The host in `publisher_id`.
    pub publisher_host: String,
    /// Most messages that wait.
    pub waiting: usize,
    /// The pauses between attempts to connect grow from the first to the second.
    pub back_off: (Duration, Duration),
}

impl Default for Config {
    fn default() -> Config {
        Config {
            host: "localhost".to_owned(),
            port: 5672,
            username: "guest".to_owned(),
            password: "guest".to_owned(),
            virtual_host: "/".to_owned(),
            exchange: "neutron".to_owned(),
            topics: vec!["notifications".to_owned()],
            durable: false,
            publisher_host: "localhost".to_owned(),
            waiting: 10_000,
            back_off: (Duration::from_millis(250), Duration::from_secs(15)),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { host, port, username, virtual_host, exchange, topics, .. } = self;
        write!(f, "amqp://{username}@{host}:{port}{virtual_host} {exchange} {topics:?}")
    }
}

impl Config {
    /// Takes `amqp://user:password@host:port/vhost` (or `rabbit://`, as oslo writes it); percent signs encode what would part it.
    pub fn at(url: &str) -> Result<Config, String> {
        let refused = |why: &str| Err(format!("url: {why}; it is like amqp://user:password@host:5672/"));
        let Some(rest) = url.strip_prefix("amqp://").or_else(|| url.strip_prefix("rabbit://")) else { return refused("no amqp://") };
        let mut config = Config::default();
        let (place, virtual_host) = rest.split_once('/').unwrap_or((rest, ""));
        if !virtual_host.is_empty() {
            config.virtual_host = decoded(virtual_host)?;
        }
        let (user, place) = place.rsplit_once('@').map_or((None, place), |(user, place)| (Some(user), place));
        if let Some(user) = user {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (config.username, config.password) = (decoded(name)?, decoded(password)?);
        }
        let (host, port) = match place.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        };
        if let Some(port) = port {
            let Ok(port) = port.parse() else { return refused("no port") };
            config.port = port;
        }
        config.host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if config.host.is_empty() { refused("no host") } else { Ok(config) }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (hex(rest.next()), hex(rest.next())) else { return Err(format!("url: what is {text:?}?")) };
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("url: {text:?} is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let at = |url| Config::at(url).map(|config| (config.username, config.password, config.host, config.port, config.virtual_host));
        let text = |words: [&str; 3]| words.map(str::to_owned);
        let [user, password, host] = text(["n", "p@:/", "rabbit"]);
        assert_eq!(at("amqp://n:p%40%3A%2f@rabbit:5673/cloud"), Ok((user, password, host, 5673, "cloud".to_owned())));
        let [user, password, host] = text(["guest", "guest", "fd00::1"]);
        assert_eq!(at("rabbit://[fd00::1]"), Ok((user, password, host, 5672, "/".to_owned())));
        for wrong in ["", "http://x", "amqp://", "amqp://x:y", "amqp://a%4@x", "amqp://%ff@x", "amqp://a@:5672/"] {
            assert!(Config::at(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", Config::at("amqp://n:secret@x")).contains("secret"));
    }
}
