//! Links as they come, change and go, within a millisecond.

use crate::netlink::Socket;
use crate::{Error, link, netns};
use dataplane::{Name, Netns};
use net::Mac;
use std::collections::BTreeMap;
use std::io;
use tokio::io::unix::AsyncFd;

/// What is told of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// Its name.
    pub name: Name,
    /// Its index: another link of the same name has another.
    pub index: u32,
    /// Its address.
    pub mac: Option<Mac>,
    /// Administratively up.
    pub up: bool,
    /// The index of its bridge; 0 without.
    pub master: u32,
    /// Its alias, where owner marks are.
    pub alias: Option<String>,
}

/// Something happened to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// It is new, or was there when watching began.
    Added(LinkInfo),
    /// Something told of it has changed.
    Changed(LinkInfo),
    /// It is gone, or has another name now.
    Removed {
        /// The name it had.
        name: Name,
        /// The index it had.
        index: u32,
    },
}

/// Watches the links of one namespace.
#[derive(Debug)]
pub struct LinkMonitor {
    events: AsyncFd<Socket>,
    requests: Socket,
    known: BTreeMap<u32, LinkInfo>,
    ready: Vec<LinkEvent>,
}

impl LinkMonitor {
    /// Begins to watch; the links there are come first as [`LinkEvent::Added`]. Needs a tokio runtime.
    pub fn open(netns: &Netns) -> Result<LinkMonitor, Error> {
        let fault = |error: io::Error| Error::io("watch links of", netns, error);
        let open = || {
            let events = Socket::open(libc::NETLINK_ROUTE)?;
            events.join(libc::RTNLGRP_LINK)?;
            Ok::<_, io::Error>((events, Socket::open(libc::NETLINK_ROUTE)?.strict()?))
        };
        let (events, requests) = netns::run(netns, open)?.map_err(fault)?;
        let events = crate::sys::watched(events).map_err(|error| fault(error.into()))?;
        let mut monitor = LinkMonitor { events, requests, known: BTreeMap::new(), ready: Vec::new() };
        monitor.resync().map_err(fault)?;
        Ok(monitor)
    }

    /// The next events, at least one. Safe to cancel.
    pub async fn next(&mut self) -> Result<Vec<LinkEvent>, Error> {
        loop {
            if !self.ready.is_empty() {
                return Ok(std::mem::take(&mut self.ready));
            }
            let mut guard = self.events.readable_mut().await.map_err(|error| Error::io("watch", "links", error))?;
            let mut arrived = Vec::new();
            let read = guard
                .try_io(|socket| socket.get_mut().events(|kind, payload| arrived.extend(link::parse(payload).map(|found| (kind, found)))));
            match read {
                Ok(Ok(())) => arrived.into_iter().for_each(|(kind, found)| self.note(kind, found)),
                // Events were lost: what is there now says what happened.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    self.resync().map_err(|error| Error::io("watch", "links", error))?;
                }
                Ok(Err(error)) => return Err(Error::io("watch", "links", error)),
                Err(_would_block) => {}
            }
        }
    }

    fn resync(&mut self) -> io::Result<()> {
        let links = link::dump(&mut self.requests).map_err(|refusal| io::Error::from_raw_os_error(refusal.errno))?;
        let gone: Vec<u32> = self.known.keys().copied().filter(|index| links.values().all(|link| link.index != *index)).collect();
        gone.into_iter().for_each(|index| self.forget(index));
        links.into_values().for_each(|found| self.note(libc::RTM_NEWLINK, found));
        Ok(())
    }

    fn forget(&mut self, index: u32) {
        if let Some(LinkInfo { name, index, .. }) = self.known.remove(&index) {
            self.ready.push(LinkEvent::Removed { name, index });
        }
    }

    fn note(&mut self, kind: u16, found: link::Found) {
        if kind == libc::RTM_DELLINK {
            self.forget(found.index);
            return;
        }
        let link::Found { name, index, master, alias, link, .. } = found;
        let info = LinkInfo { name, index, mac: link.mac, up: link.up, master, alias };
        if self.known.get(&index).is_some_and(|known| known.name != info.name) {
            self.forget(index);
        }
        match self.known.insert(index, info.clone()) {
            Some(known) if known == info => {}
            Some(_) => self.ready.push(LinkEvent::Changed(info)),
            None => self.ready.push(LinkEvent::Added(info)),
        }
    }
}
