//! Told when files of a directory change.

use crate::Error;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;
use tokio::io::unix::AsyncFd;

/// Watches a directory for files that were put, replaced or removed.
#[derive(Debug)]
pub struct Watch(AsyncFd<Descriptor>);

#[derive(Debug)]
struct Descriptor(Inotify);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Watch {
    /// Begins to watch. Needs a tokio runtime.
    pub fn open(directory: &Path) -> Result<Watch, Error> {
        let fault = |error: io::Error| Error::io("watch", directory.display(), error);
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(|error| fault(error.into()))?;
        let changes = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_MOVED_FROM | AddWatchFlags::IN_DELETE;
        inotify.add_watch(directory, changes).map_err(|error| fault(error.into()))?;
        Ok(Watch(crate::sys::watched(Descriptor(inotify)).map_err(|error| fault(error.into()))?))
    }

    /// Returns once something has changed; what has, is to be looked for. Safe to cancel.
    pub async fn changed(&mut self) -> Result<(), Error> {
        let fault = |error: io::Error| Error::io("watch", "directory", error);
        loop {
            let mut ready = self.0.readable_mut().await.map_err(fault)?;
            let mut any = false;
            let drained = ready.try_io(|descriptor| {
                loop {
                    match descriptor.get_ref().0.read_events() {
                        Ok(_) => any = true,
                        Err(nix::Error::EINTR) => {}
                        Err(error) => return Err::<(), _>(io::Error::from(error)),
                    }
                }
            });
            if let Ok(Err(error)) = drained {
                return Err(fault(error));
            }
            if any {
                return Ok(());
            }
        }
    }
}
