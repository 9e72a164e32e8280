//! Links: which are made, changed, released, deleted.

use super::{Phase, Scene, Steps};
use crate::{Action, Actual, ActualLink, Link, LinkChange, LinkKind, Name, Namespace, Netns, Owner, Program, Role, UnitKey, Waiting};
use std::collections::{BTreeMap, BTreeSet};

/// The links of `actual` that are deleted, or deleted and made anew.
pub(super) fn gone(all: &Program, actual: &Actual) -> BTreeSet<(Netns, Name)> {
    let mut gone = BTreeSet::new();
    let nothing = Namespace::default();
    for (netns, is) in &actual.namespaces {
        let want = all.namespaces.get(netns).unwrap_or(&nothing);
        let dies = is.made && !want.create;
        for (name, link) in is.links.iter().filter(|(_, link)| made(link)) {
            let stays = want.links.get(name).is_some_and(|wanted| !remade(all, actual, wanted, link));
            if dies || !stays {
                gone.insert((netns.clone(), name.clone()));
                let peers = [Some(&link.kind), want.links.get(name).map(|wanted| &wanted.kind)];
                for kind in peers.into_iter().flatten() {
                    if let LinkKind::Veth(veth) = kind {
                        gone.insert((veth.peer_netns.clone(), veth.peer.clone()));
                    }
                }
            }
        }
    }
    gone
}

fn made(link: &ActualLink) -> bool {
    link.owner.as_ref().is_some_and(|owner| owner.role == Role::Made)
}

/// A link of ours that can become what is wanted only by being made anew.
fn remade(all: &Program, actual: &Actual, wanted: &Link, is: &ActualLink) -> bool {
    match (&wanted.kind, &is.kind) {
        (LinkKind::Bridge(_), LinkKind::Bridge(_)) => false,
        (LinkKind::Vlan(wanted), LinkKind::Vlan(is)) => wanted != is,
        (LinkKind::Vxlan(wanted), LinkKind::Vxlan(is)) => wanted != is,
        (LinkKind::Veth(wanted), LinkKind::Veth(is)) => {
            let known = !is.peer.is_empty();
            let moved = known && (wanted.peer != is.peer || wanted.peer_netns != is.peer_netns);
            let described = all.namespaces.get(&wanted.peer_netns).is_some_and(|peers| peers.links.contains_key(&wanted.peer));
            let there = actual.namespaces.get(&wanted.peer_netns).is_some_and(|peers| peers.links.contains_key(&wanted.peer));
            moved || (described && !there)
        }
        _ => true,
    }
}

impl Scene<'_> {
    /// Answers the links that are wanted but are not and will not be there.
    pub(super) fn add_links(&self, steps: &mut Steps, unit: &UnitKey, want: &BTreeMap<Name, Link>) -> BTreeSet<Name> {
        let mut absent = BTreeSet::new();
        for (name, link) in want {
            let role = link.kind.role();
            let owner = Owner { unit: unit.clone(), role };
            let gone = self.gone.contains(&(self.netns.clone(), name.clone()));
            let is = self.is.links.get(name).filter(|_| !gone);
            match (role, is) {
                (Role::Made, Some(is)) if made(is) => self.change(steps, unit, name, link, Some(is), owner),
                (Role::Made, _) => self.make(steps, unit, name, link, owner, gone),
                (Role::Attached, Some(is)) => self.change(steps, unit, name, link, Some(is), owner),
                (Role::Peer, is) if is.is_some() || self.peer_comes(name) => self.change(steps, unit, name, link, is, owner),
                (Role::Attached | Role::Peer, _) => {
                    steps.waiting.insert(Waiting { unit: unit.clone(), netns: self.netns.clone(), link: name.clone() });
                    absent.insert(name.clone());
                }
            }
        }
        absent
    }

    fn make(&self, steps: &mut Steps, unit: &UnitKey, name: &Name, link: &Link, owner: Owner, again: bool) {
        if again && self.is.links.contains_key(name) {
            steps.push(Phase::LinkRemake, Some(unit), self.netns, Action::DeleteLink(name.clone()));
        }
        let order = if matches!(link.kind, LinkKind::Bridge(_)) { 0 } else { 1 };
        let create = Action::CreateLink(name.clone(), Link { up: false, ..link.clone() }, owner);
        steps.push(Phase::LinkMake(order), Some(unit), self.netns, create);
        if let Some(station) = link.station {
            let change = LinkChange { station: Some(station), ..LinkChange::default() };
            steps.push(Phase::LinkChange, Some(unit), self.netns, Action::ChangeLink(name.clone(), change));
        }
        if link.up {
            self.up(steps, unit, name);
        }
    }

    fn up(&self, steps: &mut Steps, unit: &UnitKey, name: &Name) {
        let change = LinkChange { up: Some(true), ..LinkChange::default() };
        steps.push(Phase::LinkUp, Some(unit), self.netns, Action::ChangeLink(name.clone(), change));
    }

    fn change(&self, steps: &mut Steps, unit: &UnitKey, name: &Name, link: &Link, is: Option<&ActualLink>, owner: Owner) {
        let mine = owner.role != Role::Attached;
        let is_master = is.and_then(|is| is.master.as_ref()).filter(|master| !self.gone.contains(&(self.netns.clone(), (*master).clone())));
        let joins = link.master.as_ref() != is_master && (mine || link.master.is_some());
        let is_up = is.is_some_and(|is| is.up);
        let bridge = match (&link.kind, is.map(|is| &is.kind)) {
            (LinkKind::Bridge(wanted), Some(LinkKind::Bridge(is))) => {
                let ages = wanted.ageing_s.is_none_or(|wanted| is.ageing_s == Some(wanted));
                (!ages || wanted.nf_call != is.nf_call).then_some(*wanted)
            }
            _ => None,
        };
        // With the bridge that it leaves go its entries there.
        let known = is.and_then(|is| is.station).filter(|_| !joins);
        let change = LinkChange {
            mtu: link.mtu.filter(|_| is.is_none_or(|is| is.mtu != link.mtu)),
            mac: link.mac.filter(|_| is.is_none_or(|is| is.mac != link.mac)),
            master: joins.then(|| link.master.clone()),
            port: link.port.filter(|_| joins || is.is_none_or(|is| is.port != link.port)),
            station: link.station.filter(|_| known != link.station),
            former_station: known.filter(|_| known != link.station),
            owner: is.is_none_or(|is| is.owner.as_ref() != Some(&owner)).then_some(owner),
            bridge,
            up: (mine && is_up && !link.up).then_some(false),
        };
        if !change.is_empty() {
            steps.push(Phase::LinkChange, Some(unit), self.netns, Action::ChangeLink(name.clone(), change));
        }
        if link.up && !is_up {
            self.up(steps, unit, name);
        }
    }

    /// The near end of this peer is about to be made.
    fn peer_comes(&self, name: &Name) -> bool {
        self.all.namespaces.iter().any(|(netns, namespace)| {
            namespace.links.iter().any(|(near, link)| {
                let LinkKind::Veth(veth) = &link.kind else { return false };
                let is = self.actual.namespaces.get(netns).and_then(|is| is.links.get(near));
                let stays = is.is_some_and(made) && !self.gone.contains(&(netns.clone(), near.clone()));
                veth.peer == *name && veth.peer_netns == *self.netns && !stays
            })
        })
    }

    pub(super) fn remove_links(&self, steps: &mut Steps, want: &Namespace) {
        for (name, link) in self.is.links.iter().filter(|(name, _)| !want.links.contains_key(*name)) {
            let Some(owner) = &link.owner else { continue };
            let unit = Some(&owner.unit);
            match owner.role {
                Role::Made => steps.push(Phase::LinkRemove, unit, self.netns, Action::DeleteLink(name.clone())),
                Role::Attached => steps.push(Phase::LinkRelease, unit, self.netns, Action::ReleaseLink(name.clone())),
                Role::Peer => {}
            }
        }
    }
}
