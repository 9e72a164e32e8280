//! Notifications as oslo.messaging sends them: what clients do with networks, ports, routers, for services that account, index or watch.
//!
//! Messages have the form that consumers of Neutron's know ([`message`]): `network.create.start` when it is asked for and
//! `network.create.end` when it is done, with the body of the request and of the answer. They wait in a queue of limited length, and never hold
//! up a request: while the broker is away the oldest wait and further ones are dropped, which the log tells.
//!
//! Speaking to a broker (AMQP 0-9-1, RabbitMQ) is the feature `amqp`; without it [`start`] refuses. Deliberately absent: changes that no client
//! asked for, RPC, and TLS to the broker.

#[cfg(feature = "amqp")]
mod amqp;
mod bus;
mod config;
pub mod message;

pub use bus::Bus;
pub use config::Config;

use std::sync::Arc;

/// Starts telling a broker, on a task of the current runtime. The bus is the API's audience.
#[cfg(feature = "amqp")]
pub fn start(config: Config) -> Result<Arc<Bus>, String> {
    let (bus, waiting) = Bus::new(&config);
    let bus = Arc::new(bus);
    tokio::spawn(amqp::run(config, waiting, bus.clone()));
    Ok(bus)
}

/// This program was built without the feature `amqp`.
#[cfg(not(feature = "amqp"))]
pub fn start(_config: Config) -> Result<Arc<Bus>, String> {
    Err("this program was built without the feature amqp".to_owned())
}
