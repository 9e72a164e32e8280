//! What is on the machine, to compare before and after.

use crate::output;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;

/// Links, addresses, routes, nft rules and namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    objects: BTreeSet<String>,
}

impl Snapshot {
    /// Reads them.
    pub fn take() -> Result<Snapshot> {
        let mut objects = BTreeSet::new();
        for link in json(&["ip", "-json", "-details", "address"])? {
            let addresses = link["addr_info"].as_array().cloned().unwrap_or_default();
            let addresses: Vec<String> = addresses.iter().map(|address| format!("{}/{}", address["local"], address["prefixlen"])).collect();
            objects.insert(format!("link {} master {} alias {} {addresses:?}", link["ifname"], link["master"], link["ifalias"]));
        }
        for route in json(&["ip", "-json", "route", "show", "table", "all"])? {
            objects.insert(format!("route {route}"));
        }
        for namespace in output(&["ip", "netns", "list"])?.lines() {
            objects.insert(format!("namespace {namespace}"));
        }
        for table in output(&["nft", "list", "ruleset"])?.split("\ntable ") {
            objects.insert(format!("nft {table}"));
        }
        Ok(Snapshot { objects })
    }

    /// Fails unless both are the same, and says what differs.
    pub fn expect_same(&self, after: &Snapshot) -> Result<()> {
        let only = |a: &Snapshot, b: &Snapshot| a.objects.difference(&b.objects).cloned().collect::<Vec<_>>().join("\n");
        let (gone, left) = (only(self, after), only(after, self));
        ensure!(gone.is_empty() && left.is_empty(), "missing:\n{gone}\nleft over:\n{left}");
        Ok(())
    }
}

fn json(words: &[&str]) -> Result<Vec<Value>> {
    let text = output(words)?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("reading what `{}` prints", words.join(" ")))?;
    Ok(value.as_array().cloned().unwrap_or_default())
}
