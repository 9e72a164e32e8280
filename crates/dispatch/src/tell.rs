//! Tells an agent what it must know: first a snapshot or the difference to what it has, then each change.
//!
//! Nothing is queued but keys: content is computed from the newest world when the agent is ready for it, so that a slow agent gets
//! the latest state once and not each step on the way.

use crate::board::Session;
use crate::project;
use crate::server::Hub;
use intent::{Unit, UnitId, wire};
use model::{FloatingIp, FloatingIpStatus, Port};
use net::{HostName, Revision};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendTimeoutError;
use tonic::Status;
use world::World;

/// Where orders go.
pub(crate) struct Outbox {
    pub(crate) orders: Sender<wire::Order>,
    pub(crate) timeout: Duration,
    pub(crate) delta_bytes: usize,
    pub(crate) epoch: u64,
}

impl Outbox {
    async fn send(&self, order: wire::order::Order) -> Result<(), Status> {
        self.orders.send_timeout(wire::Order { order: Some(order) }, self.timeout).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => Status::aborted("the agent is too slow: it does not read its orders"),
            SendTimeoutError::Closed(_) => Status::cancelled("the agent has gone away"),
        })
    }

    async fn synced(&self, revision: Revision) -> Result<(), Status> {
        self.send(wire::order::Order::Synced(wire::Synced { revision: revision.0, epoch: self.epoch })).await
    }

    /// Sends units as they are in a world, in as many deltas as their size asks for.
    async fn units(&self, revision: Revision, units: impl Iterator<Item = (UnitId, Option<Unit>)>) -> Result<(), Status> {
        let mut delta = wire::Delta { revision: revision.0, ..wire::Delta::default() };
        let mut bytes = 0;
        for (id, unit) in units {
            let key = id.to_string();
            let body = unit.map(|unit| unit.encode());
            let size = key.len() + body.as_ref().map_or(0, Vec::len) + 32;
            if bytes > 0 && bytes + size > self.delta_bytes {
                let full = std::mem::replace(&mut delta, wire::Delta { revision: revision.0, ..wire::Delta::default() });
                self.send(wire::order::Order::Delta(full)).await?;
                bytes = 0;
            }
            bytes += size;
            match body {
                Some(body) => delta.put.push(wire::Unit { key, revision: revision.0, body }),
                None => delta.remove.push(key),
            }
        }
        if bytes > 0 { self.send(wire::order::Order::Delta(delta)).await } else { Ok(()) }
    }
}

/// What an agent that comes back has.
pub(crate) struct Known {
    pub(crate) revision: Revision,
    pub(crate) epoch: u64,
}

/// Tells the session all it must know, until it ends. `world` is the one with which it was attached.
pub(crate) async fn tell(hub: &Hub, session: &Session, world: World, known: Known, outbox: &Outbox) -> Result<(), Status> {
    let host = &session.host;
    let revision = world.revision();
    let past = (known.epoch == outbox.epoch).then(|| past(hub, &world, known.revision)).flatten();
    let base = if past.is_some() { known.revision } else { revision };
    session.sent.store(revision.0, Ordering::Release);
    session.base.store(base.0, Ordering::Release);
    match past {
        Some(past) => outbox.units(revision, difference(&hub.ml2, &past, &world, host)).await?,
        None => {
            outbox.send(wire::order::Order::Snapshot(wire::Snapshot {})).await?;
            let units = project::full(&hub.ml2, &world, host).into_iter();
            outbox.units(revision, units.map(|(id, unit)| (id, Some(unit)))).await?;
        }
    }
    drop(world);
    outbox.synced(revision).await?;
    loop {
        session.wake.notified().await;
        let Some((waiting, world)) = hub.board.take(session) else { return Err(session.ended().await) };
        let revision = world.revision();
        if revision.0 == session.sent.swap(revision.0, Ordering::AcqRel) {
            continue;
        }
        let units = waiting.into_iter().map(|id| (id, project::unit(&hub.ml2, &world, host, &id)));
        outbox.units(revision, units).await?;
        outbox.synced(revision).await?;
    }
}

/// The world at a revision that the agent has, when it is not too long ago.
fn past(hub: &Hub, world: &World, revision: Revision) -> Option<World> {
    let behind = world.revision().0.checked_sub(revision.0)?;
    if behind == 0 {
        return Some(world.clone());
    }
    if behind > hub.config.resume_commits {
        return None;
    }
    hub.store.recent(revision)?.first().map(|commit| commit.before.clone()).filter(|past| past.revision() == revision)
}

/// What is different for a host, and what is waited for: a report of it may have been lost with the stream.
fn difference(config: &ml2::Config, past: &World, world: &World, host: &HostName) -> impl Iterator<Item = (UnitId, Option<Unit>)> + use<> {
    let then = project::full(config, past, host);
    let mut now = project::full(config, world, host);
    let gone: Vec<_> = then.keys().filter(|id| !now.contains_key(id)).map(|id| (*id, None)).collect();
    let awaited = awaited(world, host, &now);
    now.retain(|id, unit| awaited.contains(id) || then.get(id) != Some(unit));
    gone.into_iter().chain(now.into_iter().map(|(id, unit)| (id, Some(unit))))
}

fn awaited(world: &World, host: &HostName, units: &std::collections::BTreeMap<UnitId, Unit>) -> BTreeSet<UnitId> {
    let is_awaited = |id: &UnitId| match id {
        UnitId::Port(port) => world.get::<Port>(port).is_some_and(|port| match port.standby_on(host) {
            Some(standby) => !standby.prepared,
            None => port.provisioning.l2,
        }),
        UnitId::DhcpHost(_, port) => world.get::<Port>(port).is_some_and(|port| port.provisioning.dhcp),
        UnitId::FloatingIp(_, id) => world.get::<FloatingIp>(id).is_some_and(|f| f.status != FloatingIpStatus::Active),
        _ => false,
    };
    units.keys().copied().filter(is_awaited).collect()
}
