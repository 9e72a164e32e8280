//! Kernel parameters of a network namespace, under `/proc/sys`.

use crate::{Error, netns};
use dataplane::Netns;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// A dot parts the path; a slash in the key is a dot in a name.
fn path(key: &str) -> PathBuf {
    let part = |part: &str| part.replace('/', ".");
    key.split('.').map(part).fold(PathBuf::from("/proc/sys"), |path, part| path.join(part))
}

/// Sets parameters of a namespace; answers for each in order.
pub(crate) fn set(netns: &Netns, values: &[(SmolStr, SmolStr)]) -> Result<Vec<Result<(), Error>>, Error> {
    netns::run(netns, || {
        let set = |(key, value): &(SmolStr, SmolStr)| {
            fs::write(path(key), value.as_bytes()).map_err(|error| Error::io("set kernel parameter", key, error))
        };
        values.iter().map(set).collect()
    })
}

/// The values of parameters of a namespace; those that do not exist are left out.
pub(crate) fn get<'a>(netns: &Netns, keys: impl Iterator<Item = &'a SmolStr> + Send) -> Result<BTreeMap<SmolStr, SmolStr>, Error> {
    netns::run(netns, || {
        let get = |key: &SmolStr| {
            let text = fs::read_to_string(path(key)).ok()?;
            Some((key.clone(), SmolStr::from(text.split_whitespace().collect::<Vec<_>>().join(" "))))
        };
        keys.filter_map(get).collect()
    })
}
