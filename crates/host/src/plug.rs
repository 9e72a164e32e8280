//! What a compute service does to links: the NIC of an instance that lives in a network namespace.
//!
//! These links belong to the instance, not to a program: they carry no mark of an owner, and the agent finds them as it
//! finds the taps that Nova makes.

use crate::netlink::{CREATE, EXCL, Message, Refusal, Socket};
use crate::{Cause, Error, address, link, netns, route};
use dataplane::{Address, Name, Netns, Route, RouteKey};
use net::{IpNet, Mac};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

/// Name of the NIC inside the namespace.
pub const INSIDE: &str = "eth0";

const VETH_INFO_PEER: u16 = 1;
const UP: u32 = libc::IFF_UP as u32;

/// A NIC to plug.
#[derive(Clone, Debug)]
pub struct Nic {
    /// Name of the end in the caller's namespace.
    pub device: Name,
    /// Name of the namespace that is the instance.
    pub netns: Name,
    /// Link-layer address inside.
    pub mac: Mac,
    /// Largest packet in bytes, on both ends.
    pub mtu: u32,
    /// Addresses set inside at once; none when the instance asks DHCP.
    pub addresses: Vec<IpNet>,
    /// Routes set inside at once: destination and gateway.
    pub routes: Vec<(IpNet, IpAddr)>,
}

/// Makes the namespace with its loopback up, and the NIC, up at both ends. What was made before a failure stays.
pub fn plug(nic: &Nic) -> Result<(), Error> {
    let fault = |op| move |refusal: Refusal| Error::new(op, &nic.device, Cause::from(refusal));
    netns::create(&nic.netns, || inside(|socket| socket.request(set_up("lo"))))?.map_err(fault("bring up loopback beside"))?;
    let netns = Netns::named(nic.netns.clone());
    let fd = netns::open(&netns)?.expect("a named namespace has a descriptor");
    let mut near = Socket::open(libc::NETLINK_ROUTE).map_err(|error| Error::io("open netlink for", &nic.device, error))?;
    near.request(veth(nic, &fd)).map_err(fault("create link"))?;
    netns::run(&netns, || inside(|socket| configure(socket, nic)))?.map_err(fault("set up the far end of"))?;
    near.request(set_up(&nic.device)).map_err(fault("bring up link"))
}

/// Deletes a link of the caller's namespace; `false` when it is not there.
pub fn unplug(device: &str) -> Result<bool, Error> {
    let mut socket = Socket::open(libc::NETLINK_ROUTE).map_err(|error| Error::io("open netlink for", device, error))?;
    match socket.request(link::delete(device)) {
        Ok(()) => Ok(true),
        Err(refusal) if refusal.errno == libc::ENODEV => Ok(false),
        Err(refusal) => Err(Error::new("delete link", device, Cause::from(refusal))),
    }
}

/// True when the caller's namespace has a link of this name.
pub fn is_plugged(device: &str) -> Result<bool, Error> {
    let mut socket = Socket::open(libc::NETLINK_ROUTE).map_err(|error| Error::io("open netlink for", device, error))?;
    let found = link::get(&mut socket, device).map_err(|refusal| Error::new("look for link", device, Cause::from(refusal)))?;
    Ok(found.is_some())
}

fn inside<T>(work: impl FnOnce(&mut Socket) -> Result<T, Refusal>) -> Result<T, Refusal> {
    work(&mut Socket::open(libc::NETLINK_ROUTE)?)
}

fn veth(nic: &Nic, netns: &OwnedFd) -> Message {
    let mut message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL).raw(&[0; 16]);
    message.text(libc::IFLA_IFNAME, &nic.device).u32(libc::IFLA_MTU, nic.mtu);
    message.nest(libc::IFLA_LINKINFO, |info| {
        info.text(libc::IFLA_INFO_KIND, "veth").nest(libc::IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| {
                *peer = std::mem::replace(peer, Message::new(0, 0)).raw(&[0; 16]);
                peer.text(libc::IFLA_IFNAME, INSIDE).u32(libc::IFLA_MTU, nic.mtu).put(libc::IFLA_ADDRESS, &nic.mac.0);
                peer.u32(libc::IFLA_NET_NS_FD, netns.as_raw_fd() as u32);
            });
        });
    });
    message
}

fn set_up(name: &str) -> Message {
    let mut header = [0; 16];
    header[8..12].copy_from_slice(&UP.to_ne_bytes());
    header[12..16].copy_from_slice(&UP.to_ne_bytes());
    let mut message = Message::new(libc::RTM_SETLINK, 0).raw(&header);
    message.text(libc::IFLA_IFNAME, name);
    message
}

/// Brings the NIC up inside, with addresses before routes.
fn configure(socket: &mut Socket, nic: &Nic) -> Result<(), Refusal> {
    socket.request(set_up(INSIDE))?;
    if nic.addresses.is_empty() {
        return Ok(());
    }
    let found = link::get(socket, INSIDE)?.ok_or(Refusal { errno: libc::ENODEV, text: None })?;
    let addresses = nic.addresses.iter().map(|net| address::add(&Address::new(INSIDE, *net), found.index));
    let routes = nic
        .routes
        .iter()
        .map(|(destination, gateway)| route::set(&RouteKey::main(*destination), &Route::via(INSIDE, *gateway), &[found.index]));
    let mut messages: Vec<Message> = addresses.chain(routes).collect();
    socket.batch(&mut messages)?.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A namespace for the near end, removed whatever happens.
    struct Near(String);

    impl Drop for Near {
        fn drop(&mut self) {
            for name in [self.0.clone(), format!("{}-i", self.0)] {
                netns::delete(&name).unwrap();
            }
        }
    }

    fn ip(arguments: &str) -> String {
        let output = std::process::Command::new("ip").args(arguments.split(' ')).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn plug_and_unplug() {
        let near = Near(format!("plug-{}", std::process::id()));
        if let Err(error) = netns::create(&near.0, || ()) {
            println!("SKIPPED: network namespaces: {error}");
            return;
        }
        let nic = Nic {
            device: "tap0123456789-".into(),
            netns: format!("{}-i", near.0).into(),
            mac: "fa:16:3e:00:00:01".parse().unwrap(),
            mtu: 1450,
            addresses: vec!["10.0.0.5/24".parse().unwrap(), "2001:db8::5/64".parse().unwrap()],
            routes: vec![("0.0.0.0/0".parse().unwrap(), "10.0.0.1".parse().unwrap())],
        };
        let netns = Netns::named(near.0.as_str());
        netns::run(&netns, || plug(&nic)).unwrap().unwrap();
        let inside = ip(&format!("-n {}-i addr show dev eth0", near.0));
        for part in ["mtu 1450", "fa:16:3e:00:00:01", "10.0.0.5/24", "2001:db8::5/64", "state UP"] {
            assert!(inside.contains(part), "{part} in {inside}");
        }
        assert!(ip(&format!("-n {}-i route", near.0)).starts_with("default via 10.0.0.1 dev eth0"));
        assert!(ip(&format!("-n {} link show dev tap0123456789-", near.0)).contains("mtu 1450"));
        assert!(netns::run(&netns, || is_plugged(&nic.device)).unwrap().unwrap());
        assert!(netns::run(&netns, || unplug(&nic.device)).unwrap().unwrap());
        assert!(!netns::run(&netns, || is_plugged(&nic.device)).unwrap().unwrap());
        assert!(!netns::run(&netns, || unplug(&nic.device)).unwrap().unwrap());
    }
}
