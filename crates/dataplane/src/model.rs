//! What a plan makes of an `Actual`, without a kernel: for simulation, and for the laws of [`crate::diff`].

use crate::nft::{Elements, TableKey};
use crate::{
    Action, Actual, ActualChain, ActualDaemon, ActualLink, ActualNamespace, ActualTable, Bridge, Link, LinkChange, LinkKind, Name, Netns,
    Owner, Plan, TableChange,
};

/// A step that a kernel would have refused: its text and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The step.
    pub step: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Plan {
    /// Does to `actual` what the kernel would do, step by step; the first step a kernel would refuse ends it.
    pub fn apply_to(&self, actual: &mut Actual) -> Result<(), Refused> {
        for step in &self.steps {
            apply(actual, &step.netns, &step.action).map_err(|why| Refused { step: step.to_string(), why })?;
        }
        Ok(())
    }
}

type Done = Result<(), &'static str>;

fn apply(actual: &mut Actual, netns: &Netns, action: &Action) -> Done {
    match action {
        Action::CreateNetns(_) => {
            let made = std::mem::replace(&mut actual.netns(netns).made, true);
            if made { Err("the namespace exists") } else { Ok(()) }
        }
        Action::DeleteNetns => delete_netns(actual, netns),
        Action::CreateLink(name, link, owner) => create_link(actual, netns, name, link, owner),
        Action::DeleteLink(name) => delete_link(actual, netns, name),
        _ => apply_within(actual.netns(netns), action),
    }
}

fn apply_within(namespace: &mut ActualNamespace, action: &Action) -> Done {
    // Every namespace has a loopback link.
    let has = |namespace: &ActualNamespace, link: &Name| {
        if link == "lo" || namespace.links.contains_key(link) { Ok(()) } else { Err("no such link") }
    };
    match action {
        Action::SetSysctl(key, value) => _ = namespace.sysctls.insert(key.clone(), value.clone()),
        Action::Table(key, change) => change_table(namespace, key, change)?,
        Action::ChangeLink(name, change) => change_link(namespace, name, change)?,
        Action::ReleaseLink(name) => {
            let link = namespace.links.get_mut(name).ok_or("no such link")?;
            (link.master, link.station, link.owner) = (None, None, None);
        }
        Action::JoinUnfiltered(name) => {
            has(namespace, name)?;
            namespace.unfiltered.insert(name.clone());
        }
        Action::LeaveUnfiltered(name) => _ = namespace.unfiltered.remove(name),
        Action::AddAddress(address) => {
            has(namespace, &address.link)?;
            namespace.addresses.retain(|known| !known.is_same(address));
            namespace.addresses.insert(address.clone());
        }
        Action::RemoveAddress(address) => _ = namespace.addresses.remove(address),
        Action::SetRoute(key, route) => {
            route.links().try_for_each(|link| has(namespace, link))?;
            namespace.routes.insert(key.clone(), route.clone());
        }
        Action::RemoveRoute(key, _) => _ = namespace.routes.remove(key),
        Action::AddRouteRule(rule) => _ = namespace.route_rules.insert(*rule),
        Action::RemoveRouteRule(rule) => _ = namespace.route_rules.remove(rule),
        Action::AddFdb(entry) => {
            has(namespace, &entry.link)?;
            namespace.fdb.retain(|known| entry.mac.is_zero() || (&known.link, known.mac) != (&entry.link, entry.mac));
            namespace.fdb.insert(entry.clone());
        }
        Action::RemoveFdb(entry) => _ = namespace.fdb.remove(entry),
        Action::SetNeighbour(entry) => {
            has(namespace, &entry.link)?;
            namespace.neighbours.retain(|known| (&known.link, known.address) != (&entry.link, entry.address));
            namespace.neighbours.insert(entry.clone());
        }
        Action::RemoveNeighbour(entry) => _ = namespace.neighbours.remove(entry),
        Action::AddProxy(entry) => {
            has(namespace, &entry.link)?;
            namespace.proxies.insert(entry.clone());
        }
        Action::RemoveProxy(entry) => _ = namespace.proxies.remove(entry),
        Action::StartDaemon(name, daemon) | Action::ReloadDaemon { name, daemon, .. } => {
            namespace.daemons.insert(name.clone(), ActualDaemon { digest: daemon.digest(), running: true });
        }
        Action::WriteFile(name, content) => _ = namespace.files.insert(name.clone(), crate::file_digest(content)),
        Action::RemoveFile(name) => _ = namespace.files.remove(name),
        Action::StopDaemon(name) => _ = namespace.daemons.remove(name),
        Action::CreateNetns(_) | Action::DeleteNetns | Action::CreateLink(..) | Action::DeleteLink(_) => {}
    }
    Ok(())
}

fn delete_netns(actual: &mut Actual, netns: &Netns) -> Done {
    let namespace = actual.namespaces.get(netns).ok_or("no such namespace")?;
    if !namespace.daemons.is_empty() {
        return Err("a daemon runs in the namespace");
    }
    for name in namespace.links.keys().cloned().collect::<Vec<Name>>() {
        delete_pair(actual, netns, &name);
    }
    actual.namespaces.remove(netns);
    Ok(())
}

fn create_link(actual: &mut Actual, netns: &Netns, name: &Name, link: &Link, owner: &Owner) -> Done {
    let namespace = actual.netns(netns);
    if namespace.links.contains_key(name) {
        return Err("the link exists");
    }
    if link.master.as_ref().is_some_and(|master| !namespace.links.contains_key(master)) {
        return Err("no such bridge");
    }
    if let LinkKind::Vlan(vlan) = &link.kind {
        let below = |other: &ActualLink| matches!(&other.kind, LinkKind::Vlan(other) if other == vlan);
        if !namespace.links.contains_key(&vlan.device) || namespace.links.values().any(below) {
            return Err("no such link below it, or one that has the VLAN");
        }
    }
    let Link { kind, mtu, mac, master, up, port, station: _ } = link.clone();
    namespace.links.insert(name.clone(), ActualLink { kind, mtu, mac, master, up, port, station: None, owner: Some(owner.clone()) });
    if let LinkKind::Veth(veth) = &link.kind {
        let (kind, mac) = (LinkKind::Peer, veth.peer_mac);
        let peer = ActualLink { kind, mtu: link.mtu, mac, master: None, up: false, port: None, station: None, owner: None };
        if actual.netns(&veth.peer_netns).links.insert(veth.peer.clone(), peer).is_some() {
            return Err("a link of the peer's name exists");
        }
    }
    Ok(())
}

fn delete_link(actual: &mut Actual, netns: &Netns, name: &Name) -> Done {
    if delete_pair(actual, netns, name) { Ok(()) } else { Err("no such link") }
}

/// Deletes a link and the other end of its pair, with all that is on them.
fn delete_pair(actual: &mut Actual, netns: &Netns, name: &Name) -> bool {
    let near = actual.namespaces.iter().find_map(|(at, namespace)| {
        let mut near = namespace
            .links
            .iter()
            .filter(|(_, link)| matches!(&link.kind, LinkKind::Veth(veth) if veth.peer == *name && veth.peer_netns == *netns));
        near.next().map(|(name, _)| (at.clone(), name.clone()))
    });
    let Some(link) = forget(actual, netns, name) else { return false };
    if let LinkKind::Veth(veth) = link.kind {
        forget(actual, &veth.peer_netns, &veth.peer);
    }
    if let Some((at, name)) = near {
        forget(actual, &at, &name);
    }
    true
}

fn forget(actual: &mut Actual, netns: &Netns, name: &Name) -> Option<ActualLink> {
    let namespace = actual.namespaces.get_mut(netns)?;
    let link = namespace.links.remove(name)?;
    namespace.unfiltered.remove(name);
    namespace.addresses.retain(|address| address.link != *name);
    namespace.routes.retain(|_, route| route.links().all(|link| link != name));
    namespace.fdb.retain(|entry| entry.link != *name);
    namespace.neighbours.retain(|entry| entry.link != *name);
    namespace.proxies.retain(|entry| entry.link != *name);
    for other in namespace.links.values_mut().filter(|other| other.master.as_ref() == Some(name)) {
        (other.master, other.station) = (None, None);
    }
    Some(link)
}

fn change_link(namespace: &mut ActualNamespace, name: &Name, change: &LinkChange) -> Done {
    if change.master.iter().flatten().any(|master| !namespace.links.contains_key(master)) {
        return Err("no such bridge");
    }
    let link = namespace.links.get_mut(name).ok_or("no such link")?;
    let LinkChange { owner, mtu, mac, master, port, station, former_station, bridge, up } = change.clone();
    link.owner = owner.or(link.owner.take());
    link.mtu = mtu.or(link.mtu);
    link.mac = mac.or(link.mac);
    if let Some(master) = master {
        (link.master, link.port, link.station) = (master, None, None);
    }
    link.port = port.or(link.port);
    if station.is_some() && link.master.is_none() {
        return Err("the link is no bridge port");
    }
    link.station = station.or(link.station.filter(|known| Some(*known) != former_station));
    link.up = up.unwrap_or(link.up);
    if let (LinkKind::Bridge(is), Some(wanted)) = (&mut link.kind, bridge) {
        *is = Bridge { ageing_s: wanted.ageing_s.or(is.ageing_s), ..wanted };
    }
    Ok(())
}

fn change_table(namespace: &mut ActualNamespace, key: &TableKey, change: &TableChange) -> Done {
    if let TableChange::Delete = change {
        return namespace.tables.remove(key).map(|_| ()).ok_or("no such table");
    }
    if let TableChange::Create(_) = change {
        let declared = std::mem::replace(&mut namespace.tables.entry(key.clone()).or_default().declared, true);
        return if declared { Err("the table exists") } else { Ok(()) };
    }
    let table = namespace.tables.get_mut(key).filter(|table| table.declared).ok_or("no such table")?;
    match change {
        TableChange::CreateSet(name, spec) => {
            let known = table.sets.insert(name.clone(), spec.clone());
            return if known.is_some() { Err("the set exists") } else { Ok(()) };
        }
        TableChange::DeleteSet(name) => {
            table.elements.remove(name);
            table.sets.remove(name).ok_or("no such set")?;
        }
        TableChange::CreateChain(name, base) => {
            let chain = table.chains.entry(name.clone()).or_insert_with(|| ActualChain { base: None, rules: Vec::new() });
            chain.base = base.clone();
        }
        TableChange::CreateHelper(name, helper) => {
            let known = table.helpers.insert(name.clone(), helper.clone());
            return if known.is_some() { Err("the helper exists") } else { Ok(()) };
        }
        TableChange::DeleteHelper(name) => return table.helpers.remove(name).map(|_| ()).ok_or("no such helper"),
        TableChange::DeleteChain(name) => {
            let chain = table.chains.remove(name).ok_or("no such chain")?;
            return if chain.rules.is_empty() { Ok(()) } else { Err("the chain has rules") };
        }
        TableChange::SetRules(name, rules) => {
            let chain = table.chains.get_mut(name).ok_or("no such chain")?;
            chain.rules = rules.iter().map(|rule| Some(rule.digest())).collect();
        }
        TableChange::RemoveElements(set, elements) => {
            let known = elements_of(table, set)?;
            let all = elements.keys().all(|key| known.remove(key).is_some());
            return if all { Ok(()) } else { Err("no such element") };
        }
        TableChange::AddElements(set, elements) => {
            let known = elements_of(table, set)?;
            let fresh = elements.iter().all(|(key, data)| known.insert(key.clone(), data.clone()).is_none());
            return if fresh { Ok(()) } else { Err("the element exists") };
        }
        TableChange::Create(_) | TableChange::Delete => {}
    }
    Ok(())
}

fn elements_of<'a>(table: &'a mut ActualTable, set: &Name) -> Result<&'a mut Elements, &'static str> {
    if table.sets.contains_key(set) { Ok(table.elements.entry(set.clone()).or_default()) } else { Err("no such set") }
}
