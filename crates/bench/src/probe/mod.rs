//! Probes between instances: packets sent at short intervals, and when the first and the last of them arrived.
//!
//! One thread owns all sockets. They are opened inside the instances' namespaces and stay there, so that two hundred instances
//! cost neither processes nor threads. Arrival times are those the kernel stamped, on the monotonic clock.

mod dhcp;
mod echo;
mod engine;
mod stamp;
mod tcp;
mod udp;

pub use engine::Engine;

use crate::lab::instance::Instance;
use anyhow::Result;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Names a probe of an engine.
pub type ProbeId = usize;

/// What a probe sends.
pub enum Probe {
    /// ICMP echo requests; replies count.
    Echo(echo::Echo),
    /// UDP datagrams, counted where they arrive.
    Udp(udp::Udp),
    /// TCP: connection attempts, each with a new socket; once connected, eight octets at each interval, counted where they arrive.
    Tcp(Box<tcp::Tcp>),
    /// A DHCP client; its lease counts.
    Dhcp(Box<dhcp::Dhcp>),
}

impl Probe {
    /// ICMP echo from an instance.
    pub fn echo(from: &Instance, to: Ipv4Addr) -> Result<Probe> {
        Ok(Probe::Echo(echo::Echo::open(from, to)?))
    }

    /// UDP from one instance to another.
    pub fn udp(from: &Instance, to: &Instance, address: Ipv4Addr, port: u16) -> Result<Probe> {
        Ok(Probe::Udp(udp::Udp::open(from, to, address, port)?))
    }

    /// TCP from one instance to another.
    pub fn tcp(from: &Instance, to: &Instance, address: Ipv4Addr, port: u16) -> Result<Probe> {
        Ok(Probe::Tcp(Box::new(tcp::Tcp::open(from, to, address, port)?)))
    }

    /// A DHCP client on the NIC of an instance, which must be there.
    pub fn dhcp(from: &Instance, mac: [u8; 6]) -> Result<Probe> {
        Ok(Probe::Dhcp(Box::new(dhcp::Dhcp::open(from, mac)?)))
    }
}

/// How a probe is sent.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Between two packets of a probe.
    pub interval: Duration,
    /// Stop with the first arrival.
    pub until_first: bool,
}

impl Pace {
    /// Until the first arrival: every millisecond, for many at once as often as leaves most of a processor to others.
    pub fn first_of(count: usize) -> Pace {
        Pace { interval: Duration::from_micros(20 * count as u64).max(Duration::from_millis(1)), until_first: true }
    }

    /// The same for attempts to connect: each takes a socket, and about four times as long as a packet.
    pub fn first_connection_of(count: usize) -> Pace {
        Pace { interval: Pace::first_of(4 * count).interval, until_first: true }
    }

    /// Without end.
    pub fn steady(interval: Duration) -> Pace {
        Pace { interval, until_first: false }
    }
}

/// What became of a probe since it was started.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Packets that were handed to the kernel.
    pub sent: u64,
    /// Packets that arrived, each once.
    pub received: u64,
    /// Packets that arrived again.
    pub duplicates: u64,
    /// The first arrival.
    pub first: Option<Instant>,
    /// The last arrival.
    pub last: Option<Instant>,
    /// The longest time between two arrivals.
    pub longest_gap: Duration,
    /// The address a DHCP client was given.
    pub lease: Option<Ipv4Addr>,
    /// Number of the first packet; what comes late from before does not count.
    base: u64,
    seen: Vec<u64>,
}

impl Tally {
    fn arrived(&mut self, number: u64, at: Instant) {
        let Some(counter) = number.checked_sub(self.base) else { return };
        let (word, bit) = ((counter / 64) as usize, 1 << (counter % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit != 0 {
            self.duplicates += 1;
            return;
        }
        self.seen[word] |= bit;
        self.received += 1;
        self.first.get_or_insert(at);
        if let Some(last) = self.last {
            self.longest_gap = self.longest_gap.max(at.saturating_duration_since(last));
        }
        self.last = self.last.max(Some(at));
    }
}

#[cfg(test)]
pub mod tests;
