//! What wakes the agent, and the server's orders as they are read from the wire.

use crate::NextHops;
use dataplane::{Name, Netns};
use intent::wire::{self, Report};
use intent::{DecodeError, Unit, UnitId};
use net::{IpNet, RouterId, SubnetId};
use smol_str::SmolStr;
use tokio::sync::mpsc::UnboundedSender;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A stream to a server is open; reports go here. The agent introduces itself first.
    Attached(UnboundedSender<Report>),
    /// The server says something.
    Order(Order),
    /// A link of the agent's namespace is there: new, or changed.
    LinkUp {
        /// Its name.
        name: SmolStr,
        /// It is a port of a bridge and administratively up, as our links are.
        settled: bool,
    },
    /// A link of the agent's namespace is gone.
    LinkGone(SmolStr),
    /// A daemon ended unasked; it is started again, after ever longer pauses.
    DaemonEnded {
        /// Where it ran.
        netns: Netns,
        /// Its name.
        name: Name,
        /// How it ended, and what it said last.
        reason: SmolStr,
    },
    /// A daemon that ended unasked runs again, and stays.
    DaemonRuns {
        /// Where.
        netns: Netns,
        /// Its name.
        name: Name,
    },
    /// A router was delegated a prefix for a subnet, or has none any more.
    Delegated {
        /// The router.
        router: RouterId,
        /// The subnet.
        subnet: SubnetId,
        /// The prefix.
        prefix: Option<IpNet>,
    },
    /// A router asks for the prefix of a subnet in vain, and goes on asking; a prefix that comes makes up for it.
    NotDelegated {
        /// The router.
        router: RouterId,
        /// The subnet.
        subnet: SubnetId,
        /// Why, as far as is known.
        reason: SmolStr,
    },
    /// What is known of next hops is this now.
    NextHops(NextHops),
    /// Read the kernel again now.
    Resync,
    /// End, leaving everything as it is.
    Stop,
}

/// What a server may say.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// What follows, until the next [`Order::Synced`], replaces all.
    Snapshot,
    /// What changed.
    Delta {
        /// At which revision.
        revision: u64,
        /// New units, with the revision of the change that last touched each.
        put: Vec<(u64, Unit)>,
        /// Units gone.
        remove: Vec<UnitId>,
    },
    /// All is told up to this revision.
    Synced {
        /// The revision.
        revision: u64,
        /// Names this history of revisions.
        epoch: u64,
    },
}

fn is_known(key: &str) -> bool {
    let known = key.split_once('/').is_none_or(|(kind, _)| UnitId::KINDS.contains(&kind));
    if !known {
        tracing::debug!(key, "unit of a kind that this version does not know");
    }
    known
}

impl Order {
    /// Reads an order. Units of kinds that only newer servers know are left out; anything else that is not of the contract is an error.
    pub fn decode(order: wire::Order) -> Result<Order, DecodeError> {
        let nothing = || DecodeError { key: String::new(), reason: "an order of a kind that this version does not know".to_owned() };
        Ok(match order.order.ok_or_else(nothing)? {
            wire::order::Order::Snapshot(_) => Order::Snapshot,
            wire::order::Order::Synced(wire::Synced { revision, epoch }) => Order::Synced { revision, epoch },
            wire::order::Order::Delta(delta) => {
                let put = delta.put.iter().filter(|unit| is_known(&unit.key));
                let put = put.map(|unit| Ok((unit.revision, Unit::decode(&unit.key, &unit.body)?)));
                let remove = delta.remove.iter().filter(|key| is_known(key)).map(|key| key.parse());
                Order::Delta { revision: delta.revision, put: put.collect::<Result<_, _>>()?, remove: remove.collect::<Result<_, _>>()? }
            }
        })
    }
}
