//! Listening in namespaces: sockets are opened from within and stay there, whatever this process does.

use crate::tables::Tables;
use crate::{Error, Shared, serve};
use dataplane::Netns;
use intent::{METADATA_V4, METADATA_V6};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

const PORT: u16 = 80;
/// The pause after the process ran out of descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// The namespaces in which it listens.
#[derive(Default)]
pub(crate) struct Spaces(BTreeMap<SmolStr, Listening>);

struct Listening {
    /// Which namespace it was: another of the same name is another.
    inode: u64,
    tasks: Vec<AbortHandle>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Spaces {
    /// Listens in the namespaces of the tables and no others.
    pub(crate) fn follow(&mut self, shared: &Arc<Shared>, tables: &Tables) {
        let wanted: BTreeMap<&SmolStr, Option<u64>> =
            tables.spaces().map(|space| (&space.netns, host::netns::inode(&space.netns))).collect();
        self.0.retain(|netns, listening| wanted.get(netns) == Some(&Some(listening.inode)));
        for (netns, inode) in wanted {
            let Some(inode) = inode.filter(|_| !self.0.contains_key(netns)) else { continue };
            match open(shared, netns) {
                Ok(tasks) => _ = self.0.insert(netns.clone(), Listening { inode, tasks }),
                Err(error) => tracing::warn!(%netns, %error, "cannot listen yet"),
            }
        }
    }
}

/// IPv6 on any address, because the one that is meant may be on several links; connections to others are closed at once.
fn open(shared: &Arc<Shared>, name: &SmolStr) -> Result<Vec<AbortHandle>, Error> {
    let netns = Netns::named(name.clone());
    let addresses = [IpAddr::V4(METADATA_V4), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let listeners = addresses.into_iter().map(|address| host::listen(&netns, SocketAddr::new(address, PORT)));
    let listeners: Vec<std::net::TcpListener> = listeners.collect::<Result<_, _>>()?;
    let mut tasks = Vec::new();
    for listener in listeners {
        let listener = TcpListener::from_std(listener).map_err(|source| Error::Listen { netns: name.clone(), source })?;
        tasks.push(tokio::spawn(accept(Arc::clone(shared), name.clone(), listener)).abort_handle());
    }
    Ok(tasks)
}

async fn accept(shared: Arc<Shared>, netns: SmolStr, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => take(&shared, &netns, stream, peer),
            Err(error) => {
                tracing::debug!(%netns, %error, "no connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn take(shared: &Arc<Shared>, netns: &SmolStr, stream: TcpStream, peer: SocketAddr) {
    let meant = stream.local_addr().is_ok_and(|own| own.ip() == METADATA_V4 || own.ip() == METADATA_V6);
    let place = if meant { shared.limits.enter(netns, peer.ip()) } else { None };
    let Some(place) = place else { return };
    let link = || match peer {
        SocketAddr::V6(peer) => host::link_name(&Netns::named(netns.clone()), peer.scope_id()).ok().flatten(),
        SocketAddr::V4(_) => None,
    };
    let client = shared.tables().client(netns, peer.ip(), link);
    tokio::spawn(serve::connection(Arc::clone(shared), stream, peer.ip(), client, place));
}
