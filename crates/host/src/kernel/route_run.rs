//! Successive rtnetlink actions in one namespace, sent as few datagrams as their references allow.

use super::{Outcome, Run, fault, forgiven, removes};
use crate::netlink::{Message, Refusal, Socket};
use crate::{Error, ErrorKind, address, link, neigh, netns, route, route_rule};
use dataplane::{Action, Link, LinkChange, LinkKind, Name, Netns, Owner, UNFILTERED_GROUP};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::OwnedFd;

/// The actions, the link indexes met so far, and what is not sent yet.
pub(super) struct RouteRun<'a> {
    socket: &'a mut Socket,
    netns: &'a Netns,
    indexes: BTreeMap<Name, Option<u32>>,
    pending: Vec<(usize, Message)>,
    /// Descriptors whose numbers are in pending messages.
    held: Vec<OwnedFd>,
}

impl<'a> RouteRun<'a> {
    pub(super) fn new(socket: &'a mut Socket, netns: &'a Netns) -> RouteRun<'a> {
        RouteRun { socket, netns, indexes: BTreeMap::new(), pending: Vec::new(), held: Vec::new() }
    }

    pub(super) fn apply(mut self, run: &mut Run<'_>, open: &[usize]) {
        self.find_stations(run, open);
        let mut at = 0;
        while at < open.len() {
            let dying = open[at..].iter().take_while(|step| matches!(run.steps[**step].action, Action::DeleteLink(_))).count();
            if dying > 1 {
                self.flush(run);
                self.delete_together(run, &open[at..at + dying]);
                at += dying;
                continue;
            }
            let step = open[at];
            match self.messages(run, &run.steps[step].action) {
                Ok(messages) => self.pending.extend(messages.into_iter().map(|message| (step, message))),
                Err(error) if error.kind() == ErrorKind::Gone && removes(&run.steps[step].action) => {
                    run.outcomes[step] = Some(Outcome::Done)
                }
                Err(error) => run.outcomes[step] = Some(Outcome::Failed(error)),
            }
            at += 1;
        }
        self.flush(run);
    }

    /// Forwarding entries name links by index: those of links that are there are found first, so that joining a bridge and being known
    /// there is one datagram for many links.
    fn find_stations(&mut self, run: &mut Run<'_>, open: &[usize]) {
        let steps = run.steps;
        let made: BTreeSet<&Name> = open
            .iter()
            .filter_map(|step| match &steps[*step].action {
                Action::CreateLink(name, ..) => Some(name),
                _ => None,
            })
            .collect();
        for step in open {
            if let Action::ChangeLink(name, LinkChange { station: Some(_), .. }) = &steps[*step].action
                && !made.contains(name)
            {
                // What is amiss is said when the entry itself fails.
                let _absent = self.index(run, name);
            }
        }
    }

    fn flush(&mut self, run: &mut Run<'_>) {
        let (steps, mut messages): (Vec<usize>, Vec<Message>) = std::mem::take(&mut self.pending).into_iter().unzip();
        let answers = self.socket.batch(&mut messages);
        self.held.clear();
        match answers {
            Ok(answers) => {
                for (step, answer) in steps.into_iter().zip(answers) {
                    let failed = answer.err().filter(|refusal| !forgiven(&run.steps[step].action, refusal.errno));
                    let before = run.outcomes[step].take();
                    run.outcomes[step] = Some(match (before, failed) {
                        (Some(Outcome::Failed(error)), _) => Outcome::Failed(error),
                        (_, Some(refusal)) => Outcome::Failed(fault("apply", &run.steps[step], refusal)),
                        _ => Outcome::Done,
                    });
                }
            }
            Err(error) => {
                let error = Error::io("speak to the kernel", self.netns, error);
                run.all(&steps, error);
            }
        }
    }

    /// The index of a link, known or asked for after all that was said before.
    fn index(&mut self, run: &mut Run<'_>, name: &Name) -> Result<u32, Error> {
        if !self.indexes.contains_key(name) {
            self.flush(run);
            let found = link::get(self.socket, name).map_err(|refusal| fault("find link", name, refusal))?;
            self.indexes.insert(name.clone(), found.map(|found| found.index));
        }
        let absent = || fault("find link", name, Refusal { errno: libc::ENODEV, text: None });
        self.indexes.get(name).copied().flatten().ok_or_else(absent)
    }

    fn messages(&mut self, run: &mut Run<'_>, action: &Action) -> Result<Vec<Message>, Error> {
        Ok(match action {
            Action::CreateLink(name, link, owner) => self.create(run, name, link, owner)?,
            Action::ChangeLink(name, change) => self.change(run, name, change)?,
            Action::DeleteLink(name) => {
                self.indexes.remove(name);
                vec![link::delete(name)]
            }
            Action::ReleaseLink(name) => vec![link::release(name)],
            Action::JoinUnfiltered(name) => vec![link::group(name, UNFILTERED_GROUP)],
            Action::LeaveUnfiltered(name) => vec![link::group(name, 0)],
            Action::AddAddress(address) => vec![address::add(address, self.index(run, &address.link)?)],
            Action::RemoveAddress(address) => vec![address::remove(address, self.index(run, &address.link)?)],
            Action::AddFdb(entry) => vec![neigh::add_fdb(entry, self.index(run, &entry.link)?)],
            Action::RemoveFdb(entry) => vec![neigh::remove_fdb(entry, self.index(run, &entry.link)?)],
            Action::SetNeighbour(entry) => vec![neigh::set(entry, self.index(run, &entry.link)?)],
            Action::RemoveNeighbour(entry) => vec![neigh::remove(entry, self.index(run, &entry.link)?)],
            Action::AddProxy(entry) => vec![neigh::add_proxy(entry, self.index(run, &entry.link)?)],
            Action::RemoveProxy(entry) => vec![neigh::remove_proxy(entry, self.index(run, &entry.link)?)],
            Action::SetRoute(key, route) => {
                let indexes = route.links().map(|name| self.index(run, name)).collect::<Result<Vec<u32>, Error>>()?;
                vec![route::set(key, route, &indexes)]
            }
            Action::RemoveRoute(key, route) => {
                let indexes = route.links().map(|name| self.index(run, name)).collect::<Result<Vec<u32>, Error>>()?;
                vec![route::remove(key, route, &indexes)]
            }
            Action::AddRouteRule(rule) => vec![route_rule::add(rule)],
            Action::RemoveRouteRule(rule) => vec![route_rule::remove(rule)],
            other => return Err(Error::invalid("apply", other, "not a rtnetlink action")),
        })
    }

    fn create(&mut self, run: &mut Run<'_>, name: &Name, link: &Link, owner: &Owner) -> Result<Vec<Message>, Error> {
        let master = link.master.as_ref().map(|master| self.index(run, master)).transpose()?;
        let device = match &link.kind {
            LinkKind::Vlan(vlan) => Some(self.index(run, &vlan.device)?),
            LinkKind::Vxlan(vxlan) => vxlan.device.as_ref().map(|device| self.index(run, device)).transpose()?,
            _ => None,
        };
        let peer_netns = match &link.kind {
            LinkKind::Veth(veth) if veth.peer_netns != *self.netns => Some(peer_descriptor(&veth.peer_netns)?),
            _ => None,
        };
        let messages = link::create(name, link, owner, link::Indexes { master, device }, peer_netns.as_ref());
        self.indexes.remove(name);
        self.held.extend(peer_netns);
        Ok(messages)
    }

    fn change(&mut self, run: &mut Run<'_>, name: &Name, change: &LinkChange) -> Result<Vec<Message>, Error> {
        let master = change.master.clone().flatten().map(|master| self.index(run, &master)).transpose()?;
        let mut messages = Vec::new();
        if let Some(former) = change.former_station {
            messages.push(neigh::remove_station(former, self.index(run, name)?));
        }
        messages.extend(link::change(name, change, master));
        if let Some(station) = change.station {
            messages.push(neigh::set_station(station, self.index(run, name)?));
        }
        Ok(messages)
    }

    /// Deleting one by one waits for a grace period each; as one group they wait for one.
    fn delete_together(&mut self, run: &mut Run<'_>, steps: &[usize]) {
        for step in steps {
            if let Action::DeleteLink(name) = &run.steps[*step].action {
                self.indexes.remove(name);
                self.pending.push((*step, link::doom(name)));
            }
        }
        self.flush(run);
        let doomed = steps.iter().any(|step| matches!(run.outcomes[*step], Some(Outcome::Done)));
        // None there at all is an error of the kernel's, and nothing to do.
        let deleted = if doomed { self.socket.request(link::delete_doomed()) } else { Ok(()) };
        if deleted.is_err_and(|refusal| refusal.errno != libc::ENODEV) {
            for step in steps {
                if let Action::DeleteLink(name) = &run.steps[*step].action {
                    self.pending.push((*step, link::delete(name)));
                }
            }
            self.flush(run);
        }
    }
}

fn peer_descriptor(netns: &Netns) -> Result<OwnedFd, Error> {
    match netns::open(netns)? {
        Some(fd) => Ok(fd),
        None => File::open("/proc/thread-self/ns/net").map(OwnedFd::from).map_err(|error| Error::io("open namespace", netns, error)),
    }
}
