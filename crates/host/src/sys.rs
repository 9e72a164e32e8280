//! The system calls that no safe library offers. All `unsafe` of the workspace is here.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

fn check(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A netlink socket of this protocol, bound to a kernel-chosen port, in the namespace of the calling thread.
pub(crate) fn netlink_socket(protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed; a non-negative result is a descriptor nobody else owns.
    let fd = unsafe {
        let fd = check(libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol).into())?;
        OwnedFd::from_raw_fd(fd as RawFd)
    };
    // SAFETY: all-zero bytes are a valid sockaddr_nl (no padding invariants).
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    let size = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
    // SAFETY: the address points to a live sockaddr_nl of the size given.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size) }.into())?;
    Ok(fd)
}

/// Sets a socket option that takes an `int`.
pub(crate) fn set_option(fd: &OwnedFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value points to a live int of the size given.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), size) }.into())?;
    Ok(())
}

/// A socket that sends frames in the namespace of the calling thread, and receives none.
pub(crate) fn packet_socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed; a non-negative result is a descriptor nobody else owns.
    unsafe {
        let fd = check(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0).into())?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Sends a frame, from its Ethernet header on, out of a link.
pub(crate) fn send_frame(fd: &OwnedFd, link: u32, frame: &[u8]) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid sockaddr_ll (no padding invariants).
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    (address.sll_family, address.sll_ifindex) = (libc::AF_PACKET as u16, link as i32);
    let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: pointers and lengths are those of a live slice and of a live sockaddr_ll.
    check(unsafe { libc::sendto(fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0, (&raw const address).cast(), size) } as i64)?;
    Ok(())
}

/// Bounds how long a receive may wait.
pub(crate) fn set_receive_timeout(fd: &OwnedFd, seconds: i64) -> io::Result<()> {
    let timeout = libc::timeval { tv_sec: seconds as libc::time_t, tv_usec: 0 };
    let size = size_of::<libc::timeval>() as libc::socklen_t;
    let pointer = (&raw const timeout).cast();
    // SAFETY: the value points to a live timeval of the size given.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVTIMEO, pointer, size) }.into())?;
    Ok(())
}

/// Sends a whole datagram.
pub(crate) fn send(fd: &OwnedFd, data: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length are those of a live slice.
    check(unsafe { libc::send(fd.as_raw_fd(), data.as_ptr().cast(), data.len(), 0) } as i64)?;
    Ok(())
}

/// Receives a datagram into `buffer`, grown to fit; `wait` or fail with `WouldBlock`.
pub(crate) fn receive(fd: &OwnedFd, buffer: &mut Vec<u8>, wait: bool) -> io::Result<usize> {
    let block = if wait { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: a peek with length 0 writes nothing; MSG_TRUNC makes it return the datagram's size.
    let size =
        check(unsafe { libc::recv(fd.as_raw_fd(), std::ptr::null_mut(), 0, libc::MSG_PEEK | libc::MSG_TRUNC | block) } as i64)? as usize;
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
    // SAFETY: pointer and length are those of a live, exclusively borrowed buffer.
    let got = check(unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), block) } as i64)?;
    Ok(got as usize)
}

/// A descriptor that becomes readable when the process ends.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed; a non-negative result is a descriptor nobody else owns.
    unsafe {
        let fd = check(libc::syscall(libc::SYS_pidfd_open, pid, 0) as i64)?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Sends a signal to exactly the process the descriptor was opened for.
pub(crate) fn pidfd_signal(pidfd: &OwnedFd, signal: i32) -> io::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo is allowed and means "as by kill".
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, none, 0) } as i64)?;
    Ok(())
}

/// Gives the calling thread this nice value; threads and processes it starts begin with the same.
pub(crate) fn set_niceness(nice: i32) -> io::Result<()> {
    // SAFETY: no memory is involved; 0 stands for the calling thread.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) }.into()).map(|_| ())
}

/// Makes the child enter a namespace and a session of its own before it runs its program.
pub(crate) fn detach_into(command: &mut std::process::Command, netns: Option<OwnedFd>) {
    use std::os::unix::process::CommandExt;
    // SAFETY: between fork and exec only setns, setsid, sigprocmask, signal and setpriority are called, all async-signal-safe, on values
    // prepared before; nothing is allocated or locked.
    unsafe {
        command.pre_exec(move || {
            if let Some(netns) = &netns {
                check(libc::setns(netns.as_raw_fd(), libc::CLONE_NEWNET).into())?;
            }
            check(libc::setsid().into())?;
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            check(libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()).into())?;
            // An agent started by nohup ignores it; a shell could not trap then what it is told to reload by.
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            // The agent's own precedence is not its daemons'.
            libc::setpriority(libc::PRIO_PROCESS, 0, 0);
            Ok(())
        });
    }
}

/// A descriptor the runtime watches. Its owner answers with the same one for as long as it lives.
pub(crate) fn watched<T: AsRawFd>(owner: T) -> Result<tokio::io::unix::AsyncFd<T>, tokio::io::unix::AsyncFdRegisterError<T>> {
    // SAFETY: what this crate gives here (a netlink socket, an inotify instance) owns its descriptor for as long as it lives and
    // always answers with the same one.
    unsafe { tokio::io::unix::AsyncFd::register(owner) }
}

/// Sets an option of mimalloc; the numbers are those of `mi_option_e` in its header. Only while the process has one thread.
pub(crate) fn set_allocator_option(option: i32, value: i64) {
    // SAFETY: the function writes one word of a static table; the allocator checks the index.
    unsafe { libmimalloc_sys::mi_option_set(option, value) }
}
