//! What is on links: their group, addresses, routes and which of their tables count, forwarding and neighbour entries and proxies. What
//! is on a link that goes away goes with it.

use super::{Phase, Scene, Steps};
use crate::{Action, Name, Namespace, UnitKey};
use std::collections::BTreeSet;

impl Scene<'_> {
    /// `absent`: links nothing can be put on yet.
    pub(super) fn add_inet(&self, steps: &mut Steps, unit: &UnitKey, want: &Namespace, absent: &BTreeSet<Name>) {
        let there = |link: &Name| !self.is_gone(link);
        let unit = Some(unit);
        for link in want.unfiltered.iter().filter(|wanted| !absent.contains(*wanted)) {
            let made = self.all.namespaces.get(self.netns).is_some_and(|all| all.links.contains_key(link));
            if (there(link) && !self.is.unfiltered.contains(link)) || (!there(link) && made) {
                steps.push(Phase::LinkChange, unit, self.netns, Action::JoinUnfiltered(link.clone()));
            }
        }
        for address in want.addresses.iter().filter(|wanted| !absent.contains(&wanted.link)) {
            if !(there(&address.link) && self.is.addresses.contains(address)) {
                steps.push(Phase::Address, unit, self.netns, Action::AddAddress(address.clone()));
            }
        }
        for entry in want.fdb.iter().filter(|wanted| !absent.contains(&wanted.link)) {
            if !(there(&entry.link) && self.is.fdb.contains(entry)) {
                steps.push(Phase::Neighbour, unit, self.netns, Action::AddFdb(entry.clone()));
            }
        }
        for entry in want.neighbours.iter().filter(|wanted| !absent.contains(&wanted.link)) {
            if !(there(&entry.link) && self.is.neighbours.contains(entry)) {
                steps.push(Phase::Neighbour, unit, self.netns, Action::SetNeighbour(entry.clone()));
            }
        }
        for entry in want.proxies.iter().filter(|wanted| !absent.contains(&wanted.link)) {
            if !(there(&entry.link) && self.is.proxies.contains(entry)) {
                steps.push(Phase::Neighbour, unit, self.netns, Action::AddProxy(entry.clone()));
            }
        }
        for (key, route) in want.routes.iter().filter(|(_, wanted)| wanted.links().all(|link| !absent.contains(link))) {
            if !(route.links().all(there) && self.is.routes.get(key) == Some(route)) {
                steps.push(Phase::Route, unit, self.netns, Action::SetRoute(key.clone(), route.clone()));
            }
        }
        for rule in want.route_rules.difference(&self.is.route_rules) {
            steps.push(Phase::Route, unit, self.netns, Action::AddRouteRule(*rule));
        }
    }

    pub(super) fn remove_inet(&self, steps: &mut Steps, want: &Namespace) {
        // Not with the other removals: what judges its frames from now on is there, and this is what makes it asked.
        for link in self.is.unfiltered.difference(&want.unfiltered).filter(|link| !self.is_gone(link)) {
            steps.push(Phase::LinkChange, None, self.netns, Action::LeaveUnfiltered(link.clone()));
        }
        for rule in self.is.route_rules.difference(&want.route_rules) {
            steps.push(Phase::RouteRemove, None, self.netns, Action::RemoveRouteRule(*rule));
        }
        for (key, route) in self.is.routes.iter().filter(|(key, _)| !want.routes.contains_key(*key)) {
            if !route.links().any(|link| self.is_gone(link)) {
                steps.push(Phase::RouteRemove, None, self.netns, Action::RemoveRoute(key.clone(), route.clone()));
            }
        }
        let kept = |mac: net::Mac, link: &Name| want.fdb.iter().any(|entry| entry.mac == mac && entry.link == *link);
        for entry in self.is.fdb.difference(&want.fdb).filter(|entry| !self.is_gone(&entry.link)) {
            // A unicast entry has one remote: setting the new one has replaced the old.
            if entry.mac.is_zero() || !kept(entry.mac, &entry.link) {
                steps.push(Phase::NeighbourRemove, None, self.netns, Action::RemoveFdb(entry.clone()));
            }
        }
        let kept =
            |address: std::net::IpAddr, link: &Name| want.neighbours.iter().any(|entry| entry.address == address && entry.link == *link);
        for entry in self.is.neighbours.difference(&want.neighbours).filter(|entry| !self.is_gone(&entry.link)) {
            if !kept(entry.address, &entry.link) {
                steps.push(Phase::NeighbourRemove, None, self.netns, Action::RemoveNeighbour(entry.clone()));
            }
        }
        for entry in self.is.proxies.difference(&want.proxies).filter(|entry| !self.is_gone(&entry.link)) {
            steps.push(Phase::NeighbourRemove, None, self.netns, Action::RemoveProxy(entry.clone()));
        }
        for address in self.is.addresses.difference(&want.addresses).filter(|address| !self.is_gone(&address.link)) {
            // One with another metric has taken its place.
            if want.addresses.iter().any(|wanted| wanted.is_same(address)) {
                continue;
            }
            steps.push(Phase::AddressRemove, None, self.netns, Action::RemoveAddress(address.clone()));
        }
    }

    fn is_gone(&self, link: &Name) -> bool {
        self.gone.contains(&(self.netns.clone(), link.clone()))
    }
}
