//! When a packet arrived, as the kernel stamped it.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use std::io::IoSliceMut;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Receives a datagram from a socket that stamps (`SO_TIMESTAMPNS`); `None` when there is none.
pub fn receive(socket: &impl AsRawFd, buffer: &mut [u8]) -> Option<(usize, Instant)> {
    receive_from(socket, buffer).map(|(size, at, _)| (size, at))
}

/// The same, with whom it came from.
pub fn receive_from(socket: &impl AsRawFd, buffer: &mut [u8]) -> Option<(usize, Instant, Option<SockaddrIn>)> {
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    loop {
        match recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT) {
            Ok(message) => {
                let stamp = message.cmsgs().ok()?.find_map(|control| match control {
                    ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                    _ => None,
                });
                return Some((message.bytes, monotonic(stamp), message.address));
            }
            Err(nix::Error::EAGAIN) => return None,
            // An ICMP error of an earlier packet is reported once; what is queued comes after it.
            Err(_) => {}
        }
    }
}

/// The stamp is of the wall clock: its age now says when it was on the monotonic one.
fn monotonic(stamp: Option<Duration>) -> Instant {
    let now = Instant::now();
    let wall = clock_gettime(ClockId::CLOCK_REALTIME).map(Duration::from).ok();
    let age = wall.zip(stamp).and_then(|(wall, stamp)| wall.checked_sub(stamp)).unwrap_or_default();
    if age < Duration::from_secs(5) { now.checked_sub(age).unwrap_or(now) } else { now }
}
