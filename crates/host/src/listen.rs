//! Sockets in namespaces, for a process that is itself elsewhere.

use crate::{Error, netns};
use dataplane::{Name, Netns};
use nix::net::if_::if_indextoname;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::sockopt::{BindToDevice, IpFreebind, Ipv4Ttl, Ipv6Ttl, Ipv6V6Only, ReuseAddr};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen as listen_on, setsockopt, socket};
use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;

const BACKLOG: i32 = 128;
/// The time to live, or hop limit, of what has passed no router.
const NO_ROUTER: i32 = 255;

/// Listens in a namespace. The address need not be there yet.
pub fn listen(netns: &Netns, address: SocketAddr) -> Result<TcpListener, Error> {
    let open = || -> nix::Result<TcpListener> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Stream, flags, None)?;
        setsockopt(&socket, ReuseAddr, &true)?;
        match address {
            SocketAddr::V4(_) => setsockopt(&socket, IpFreebind, &true)?,
            SocketAddr::V6(_) => setsockopt(&socket, Ipv6V6Only, &true)?,
        }
        bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
        listen_on(&socket, Backlog::new(BACKLOG)?)?;
        Ok(socket.into())
    };
    let fault = |error: nix::Error| Error::io("listen in", netns, io::Error::from(error));
    netns::run(netns, open)?.map_err(fault)
}

/// A socket for datagrams that come and go by one link of a namespace, and pass no router on their way (RFC 5082).
pub fn datagrams(netns: &Netns, link: &Name, local: SocketAddr) -> Result<UdpSocket, Error> {
    let open = || -> nix::Result<UdpSocket> {
        let family = if local.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
        setsockopt(&socket, BindToDevice, &OsString::from(link.as_str()))?;
        match local {
            SocketAddr::V4(_) => setsockopt(&socket, Ipv4Ttl, &NO_ROUTER)?,
            SocketAddr::V6(_) => {
                setsockopt(&socket, Ipv6V6Only, &true)?;
                setsockopt(&socket, Ipv6Ttl, &NO_ROUTER)?;
            }
        }
        bind(socket.as_raw_fd(), &SockaddrStorage::from(local))?;
        Ok(socket.into())
    };
    let fault = |error: nix::Error| Error::io("open a socket in", netns, io::Error::from(error));
    netns::run(netns, open)?.map_err(fault)
}

/// Lets this process have as many sockets and files as its hard limit allows.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// The name of a namespace's link by its index; none when there is none.
pub fn link_name(netns: &Netns, index: u32) -> Result<Option<Name>, Error> {
    let name = netns::run(netns, || if_indextoname(index))?;
    Ok(name.ok().and_then(|name| name.into_string().ok()).map(Name::from))
}
