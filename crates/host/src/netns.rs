//! Network namespaces: made and removed exactly as `ip netns` does, and threads that work inside one.
//!
//! A namespace of a thread is never changed but for a thread made for it: tokio workers stay where they are.

use crate::{Error, ErrorKind};
use dataplane::Netns;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "/run/netns";
const NSFS_MAGIC: nix::sys::statfs::FsType = nix::sys::statfs::NSFS_MAGIC;
const NONE: Option<&str> = None;

fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// A descriptor of a named namespace; `None` for the one this process is in.
pub fn open(netns: &Netns) -> Result<Option<OwnedFd>, Error> {
    let Some(name) = netns.name() else { return Ok(None) };
    let file = File::open(path(name)).map_err(|error| Error::io("open namespace", name, error))?;
    // A namespace whose making was cut short is an ordinary empty file.
    if is_namespace(&path(name)) {
        Ok(Some(file.into()))
    } else {
        Err(Error::io("open namespace", name, io::Error::from_raw_os_error(libc::ENOENT)))
    }
}

fn is_namespace(path: &Path) -> bool {
    nix::sys::statfs::statfs(path).is_ok_and(|stat| stat.filesystem_type() == NSFS_MAGIC)
}

/// The names under `/run/netns`, in order.
pub fn list() -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(DIRECTORY) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list namespaces", DIRECTORY, error)),
    };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| is_namespace(&path(name)));
    names.sort();
    Ok(names)
}

/// Identifies the namespace behind a name: another one of the same name differs.
pub fn inode(name: &str) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path(name)).ok().map(|metadata| metadata.ino())
}

/// Runs a closure in a thread that is in the namespace.
pub fn run<T: Send>(netns: &Netns, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let Some(fd) = open(netns)? else { return Ok(work()) };
    in_thread(netns, || {
        setns(fd, CloneFlags::CLONE_NEWNET).map_err(|error| Error::io("enter namespace", netns, error))?;
        Ok(work())
    })
}

fn in_thread<T: Send>(netns: &Netns, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(format!("netns {netns}")).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| Error::io("start thread for namespace", netns, error))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes a namespace and runs a closure in it before anybody can see it. A former half-made one of that name is finished.
pub fn create<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let fault = |error: io::Error| Error::io("create namespace", name, error);
    share_directory().map_err(fault)?;
    let path = path(name);
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_namespace(&path) => {}
        Err(error) => return Err(fault(error)),
    }
    let made = in_thread(&Netns::named(name), || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| fault(error.into()))?;
        let done = work();
        mount(Some("/proc/thread-self/ns/net"), &path, NONE, MsFlags::MS_BIND, NONE).map_err(|error| fault(error.into()))?;
        Ok(done)
    });
    if made.is_err() {
        // Nothing is mounted on it: what is left is the empty file.
        fs::remove_file(&path).map_err(fault)?;
    }
    made
}

/// Makes the directory a shared mount, so that namespaces made here appear in other mount namespaces too.
fn share_directory() -> io::Result<()> {
    fs::create_dir_all(DIRECTORY)?;
    let share = || mount(NONE, DIRECTORY, NONE, MsFlags::MS_SHARED | MsFlags::MS_REC, NONE);
    match share() {
        Err(nix::Error::EINVAL) => {
            mount(Some(DIRECTORY), DIRECTORY, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
            Ok(share()?)
        }
        other => Ok(other?),
    }
}

/// Removes a namespace's name; what is in it vanishes once no process or descriptor holds it. One that is not there is
/// not an error.
pub fn delete(name: &str) -> Result<(), Error> {
    let path = path(name);
    match umount2(&path, MntFlags::MNT_DETACH) {
        Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT) => {}
        Err(error) => return Err(Error::io("unmount namespace", name, error)),
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove namespace", name, error)),
        _ => Ok(()),
    }
}

/// True when the error says that the namespace is not there.
pub(crate) fn absent(error: &Error) -> bool {
    error.kind() == ErrorKind::Gone
}
