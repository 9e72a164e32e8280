//! The file that says which next hops answer: the process writes it, the agent watches it.

use agent::{Event, Events, NextHop};
use dataplane::Netns;
use routing::bfd::Watched;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Next hops, and why they do not answer; none: they do.
pub type States = BTreeMap<Watched, Option<SmolStr>>;

const FILE: &str = "states";

/// Replaces the file.
pub fn write(directory: &Path, states: &States) -> std::io::Result<()> {
    let list: Vec<_> = states.iter().collect();
    let new = directory.join(".states");
    std::fs::write(&new, serde_json::to_vec(&list)?)?;
    std::fs::rename(new, directory.join(FILE))
}

/// Without the file nothing is known.
fn read(directory: &Path) -> BTreeMap<NextHop, Option<SmolStr>> {
    let list =
        std::fs::read(directory.join(FILE)).ok().and_then(|text| serde_json::from_slice::<Vec<(Watched, Option<SmolStr>)>>(&text).ok());
    let hop = |(watched, reason): (Watched, Option<SmolStr>)| {
        (NextHop { netns: Netns::named(watched.netns), link: watched.link, address: watched.remote }, reason)
    };
    list.unwrap_or_default().into_iter().map(hop).collect()
}

/// Tells an agent what the file says: at once, so that nothing else is told before, and each time it changes. Ends when it cannot be watched,
/// or with the agent.
pub fn watch(directory: PathBuf, events: Events) -> impl Future<Output = Result<(), host::Error>> + Send {
    // Whoever has ended needs no telling.
    _ = events.send(Event::NextHops(read(&directory)));
    async move {
        let mut changes = host::Watch::open(&directory)?;
        while events.send(Event::NextHops(read(&directory))).is_ok() {
            changes.changed().await?;
        }
        Ok(())
    }
}
