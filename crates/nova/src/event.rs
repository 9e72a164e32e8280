//! What a change of the network is to Nova.

use model::{FloatingIp, Port, PortStatus, device_owner};
use net::PortId;
use serde::Serialize;
use smol_str::SmolStr;
use uuid::Uuid;
use world::{Change, World};

/// `migrating_to` in a port's profile: the host that its server is on its way to.
const MIGRATING_TO: &str = "migrating_to";

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum Name {
    /// The port is wired, or cannot be: the server may start.
    #[serde(rename = "network-vif-plugged")]
    Plugged,
    /// It is wired no more.
    #[serde(rename = "network-vif-unplugged")]
    Unplugged,
    /// The port is gone.
    #[serde(rename = "network-vif-deleted")]
    Deleted,
    /// What Nova keeps of the port is out of date.
    #[serde(rename = "network-changed")]
    Changed,
}

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Well.
    Completed,
    /// Not.
    Failed,
}

/// An element of `events`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Event {
    /// What happened.
    pub name: Name,
    /// The server, as the port's `device_id` names it.
    pub server_uuid: SmolStr,
    /// The port.
    pub tag: PortId,
    /// How it went, where it can go either way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

impl Event {
    /// An event about a port of a server; none when the port is no server's.
    pub(crate) fn of(port: &Port, name: Name, status: Option<Status>) -> Option<Event> {
        let is_server = port.device_owner.starts_with(device_owner::COMPUTE_PREFIX) && Uuid::try_parse(&port.device_id).is_ok();
        is_server.then(|| Event { name, server_uuid: port.device_id.clone(), tag: port.id, status })
    }
}

/// What Nova is told of a change; `after` is the world with it.
pub fn events(change: &Change, after: &World) -> Vec<Event> {
    let mut events = Vec::new();
    for entry in change.entries() {
        match (entry.before::<Port>(), entry.after::<Port>()) {
            (Some(before), Some(after)) => {
                events.extend(refreshed(before, after));
                events.extend(rewired(before, after));
            }
            (Some(gone), None) => events.extend(Event::of(gone, Name::Deleted, None)),
            // Whoever makes a port knows it.
            _ => {}
        }
        let (before, after_entry) = (entry.before::<FloatingIp>(), entry.after::<FloatingIp>());
        let leads = |floating_ip: &FloatingIp| (floating_ip.port_id, floating_ip.fixed_ip_address, floating_ip.floating_ip_address);
        if before.map(leads) != after_entry.map(leads) {
            let mut ports: Vec<PortId> =
                [before, after_entry].into_iter().flatten().filter_map(|floating_ip| floating_ip.port_id).collect();
            ports.dedup();
            let ports = ports.iter().filter_map(|id| after.get::<Port>(id));
            events.extend(ports.filter_map(|port| Event::of(port, Name::Changed, None)));
        }
    }
    events
}

/// Anything but its wiring and what only this server keeps.
fn refreshed(before: &Port, after: &Port) -> Option<Event> {
    let same = Port {
        status: after.status,
        provisioning: after.provisioning,
        standby: after.standby.clone(),
        standard: after.standard.clone(),
        ..before.clone()
    };
    if same == *after { None } else { Event::of(after, Name::Changed, None) }
}

fn rewired(before: &Port, after: &Port) -> Option<Event> {
    // The next host has made itself ready; the server moves on that, while its port is where it was.
    let is_prepared = |port: &Port, host| port.standby_on(host).is_some_and(|standby| standby.prepared);
    if after.standby_hosts().any(|host| is_prepared(after, host) && !is_prepared(before, host)) {
        return Event::of(after, Name::Plugged, Some(Status::Completed));
    }
    match (before.status, after.status) {
        (before, after) if before == after => None,
        (_, PortStatus::Active) => plugged(after),
        (PortStatus::Down | PortStatus::Build, PortStatus::Error) => Event::of(after, Name::Plugged, Some(Status::Failed)),
        (PortStatus::Active, PortStatus::Down) => Event::of(after, Name::Unplugged, Some(Status::Completed)),
        _ => None,
    }
}

/// A port is plugged when it is `ACTIVE`; one whose server is on its way to another host when that host is ready, too.
pub(crate) fn plugged(port: &Port) -> Option<Event> {
    let next = port.binding.profile.get(MIGRATING_TO).and_then(|host| host.as_str());
    let awaited =
        next.and_then(|next| port.standby.iter().find(|standby| standby.binding.is_bound() && standby.binding.host.as_str() == next));
    let is_ready = port.status == PortStatus::Active && awaited.is_none_or(|standby| standby.prepared);
    if is_ready { Event::of(port, Name::Plugged, Some(Status::Completed)) } else { None }
}
