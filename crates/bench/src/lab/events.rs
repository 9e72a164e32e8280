//! What the kernel was told: a count of its notifications, by kind.

use crate::lab::namespace::Netns;
use crate::lab::objects::named_namespaces;
use crate::lab::rtnl::walk;
use anyhow::{Context, Result};
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket, sockopt};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};

const NFNLGRP_NFTABLES: u32 = 7;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const GROUPS: [u32; 6] = [1, 3, 5, 7, 9, 11];

/// Sockets that hear of changes in a namespace.
pub struct Events {
    route: OwnedFd,
    nft: OwnedFd,
}

/// Notifications by kind: `nft new rule` → 3.
pub type Counts = BTreeMap<String, u64>;

impl Events {
    /// Of the calling thread's namespace, from now on.
    pub fn listen() -> Result<Events> {
        let route = GROUPS.iter().fold(0, |mask, group| mask | 1 << (group - 1));
        Ok(Events {
            route: subscribe(SockProtocol::NetlinkRoute, route)?,
            nft: subscribe(SockProtocol::NetlinkNetFilter, 1 << (NFNLGRP_NFTABLES - 1))?,
        })
    }

    /// What happened since the last call. What traffic itself causes (learned neighbours) is left out.
    pub fn take(&mut self) -> Result<Counts> {
        let mut counts = Counts::new();
        let mut buffer = vec![0; 256 << 10];
        for fd in [&self.route, &self.nft] {
            loop {
                match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                    Ok(size) => walk(&buffer[..size], |kind, _, payload| {
                        if let Some(name) = name(kind, payload) {
                            *counts.entry(name).or_default() += 1;
                        }
                    })?,
                    Err(nix::Error::EAGAIN) => break,
                    Err(nix::Error::ENOBUFS) => *counts.entry("overrun".to_owned()).or_default() += 1,
                    Err(error) => return Err(error).context("kernel events"),
                }
            }
        }
        Ok(counts)
    }
}

/// What the kernel is told of the host and of all namespaces that have names.
pub struct Watch(Vec<(String, Events)>);

impl Watch {
    /// From now on.
    pub fn start() -> Result<Watch> {
        let mut watch = vec![("host".to_owned(), Events::listen()?)];
        for path in named_namespaces()? {
            watch.push((path.display().to_string(), Netns::at(&path)?.enter(Events::listen)?));
        }
        Ok(Watch(watch))
    }

    /// What happened since the last call, by kind and place.
    pub fn take(&mut self) -> Result<Counts> {
        let mut all = Counts::new();
        for (place, events) in &mut self.0 {
            all.extend(events.take()?.into_iter().map(|(kind, count)| (format!("{kind} in {place}"), count)));
        }
        Ok(all)
    }
}

/// `3 nft new rule, 1 new link`, or `none`.
pub fn told(counts: &Counts) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

fn subscribe(protocol: SockProtocol, groups: u32) -> Result<OwnedFd> {
    let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).context("event socket")?;
    setsockopt(&fd, sockopt::RcvBufForce, &(32 << 20))?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(fd)
}

fn name(kind: u16, payload: &[u8]) -> Option<String> {
    if kind >> 8 == NFNL_SUBSYS_NFTABLES {
        let what = match kind & 0xff {
            0 => "new table",
            2 => "delete table",
            3 => "new chain",
            5 => "delete chain",
            6 => "new rule",
            8 => "delete rule",
            9 => "new set",
            11 => "delete set",
            12 => "new element",
            14 => "delete element",
            18 => "new object",
            20 => "delete object",
            22 => "new flowtable",
            24 => "delete flowtable",
            // The number of the new generation, one with every transaction.
            15 => "transaction",
            _ => "other",
        };
        return Some(format!("nft {what}"));
    }
    let name = match kind {
        libc::RTM_NEWLINK => "link",
        libc::RTM_DELLINK => "link gone",
        libc::RTM_NEWADDR => "new address",
        libc::RTM_DELADDR => "address gone",
        libc::RTM_NEWROUTE => "new route",
        libc::RTM_DELROUTE => "route gone",
        libc::RTM_NEWNEIGH | libc::RTM_DELNEIGH => {
            let state = u16::from_ne_bytes(payload.get(8..10)?.try_into().ok()?);
            // Entries without ARP are static in a bridge's FDB; elsewhere the kernel keeps them for multicast groups.
            let of_bridge = i32::from(payload[0]) == libc::AF_BRIDGE;
            let fixed = if of_bridge { libc::NUD_PERMANENT | libc::NUD_NOARP } else { libc::NUD_PERMANENT };
            return (state & fixed != 0).then(|| if kind == libc::RTM_NEWNEIGH { "new neighbour" } else { "neighbour gone" }.to_owned());
        }
        _ => return None,
    };
    Some(name.to_owned())
}
