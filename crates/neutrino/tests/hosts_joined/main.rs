//! Several hosts on a real kernel: a server and an agent on each host, joined by an underlay, judged by what arrives.
//!
//! A host is a network and a mount namespace with namespaces of its own below `/run/netns`.

mod cloud;
mod leaving;
mod lost;
mod migration;
mod moved;
mod restarts;
mod spread;
mod strangers;
mod tunnels;

use anyhow::Result;
use cloud::TestCloud;

/// Two hosts, and one network for the project that the server's user has.
fn two_hosts() -> Result<(TestCloud, String)> {
    let cloud = TestCloud::start(&["one", "two"])?;
    let network = cloud.network("net", "10.0.0.0/24")?;
    Ok((cloud, network))
}
