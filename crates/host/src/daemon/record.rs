//! What is kept in a unit directory so that a fresh supervisor finds and restarts the daemon.

use dataplane::{DaemonDigest, Digest, Name, Netns};
use smol_str::SmolStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "supervised";
/// The directory of daemons in the agent's own namespace; no namespace has such a name.
const ROOT: &str = "@root";

/// The process last started and what it was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) pid: i32,
    pub(super) start_time: u64,
    pub(super) digest: DaemonDigest,
    pub(super) reload_signal: i32,
    pub(super) argv: Vec<SmolStr>,
    /// The files written for it.
    pub(super) files: Vec<Written>,
}

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) name: SmolStr,
    /// Of its content; none in records of former versions.
    pub(super) digest: Option<Digest>,
}

impl Written {
    pub(super) fn new(name: SmolStr, content: &str) -> Written {
        Written { name, digest: Some(Digest::default().text(content)) }
    }

    /// False when somebody else has changed or removed it since.
    pub(super) fn is_there(&self, directory: &Path) -> bool {
        let is = || fs::read(directory.join(self.name.as_str())).map(|content| Digest::default().text(&String::from_utf8_lossy(&content)));
        self.digest.is_none_or(|written| is().is_ok_and(|is| is == written))
    }
}

pub(super) fn directory(base: &Path, netns: &Netns, name: &str) -> PathBuf {
    base.join(netns.name().map_or(ROOT, Name::as_str)).join(name)
}

impl Record {
    /// Lines of `key value`; an argument's backslashes and line breaks are escaped.
    fn text(&self) -> String {
        let DaemonDigest { start, reload, watched } = self.digest;
        let mut text = format!("pid {}\nstart_time {}\n", self.pid, self.start_time);
        text += &format!("start {start}\nreload {reload}\nwatched {watched}\nreload_signal {}\n", self.reload_signal);
        for argument in &self.argv {
            text += &format!("arg {}\n", argument.replace('\\', "\\\\").replace('\n', "\\n"));
        }
        for Written { name, digest } in &self.files {
            text += &digest.map_or_else(|| format!("file {name}\n"), |digest| format!("file {name} {digest}\n"));
        }
        text
    }

    fn parse(text: &str) -> Option<Record> {
        let value =
            |wanted: &str| text.lines().find_map(|line| line.split_once(' ').filter(|(key, _)| *key == wanted)).map(|(_, value)| value);
        let digest = |key| value(key)?.parse::<Digest>().ok();
        let arguments = text.lines().filter_map(|line| line.strip_prefix("arg "));
        Some(Record {
            pid: value("pid")?.parse().ok()?,
            start_time: value("start_time")?.parse().ok()?,
            digest: DaemonDigest { start: digest("start")?, reload: digest("reload")?, watched: digest("watched")? },
            reload_signal: value("reload_signal")?.parse().ok()?,
            argv: arguments.map(|argument| unescape(argument).into()).collect(),
            files: text.lines().filter_map(|line| line.strip_prefix("file ")).map(written).collect(),
        })
    }

    /// Writes it into its directory.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        write_atomic(&directory.join(FILE), self.text().as_bytes())
    }
}

fn written(text: &str) -> Written {
    let (name, digest) = text.split_once(' ').map_or((text, None), |(name, digest)| (name, digest.parse().ok()));
    Written { name: name.into(), digest }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        out.push(match letter {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out
}

/// All records below a directory. A directory without a readable record is that of a start cut short, and passed over.
pub(super) fn list(base: &Path) -> io::Result<Vec<((Netns, Name), Record)>> {
    let mut found = Vec::new();
    for space in fs::read_dir(base)? {
        let space = space?;
        let Ok(space_name) = space.file_name().into_string() else { continue };
        let netns = if space_name == ROOT { Netns::ROOT } else { Netns::named(space_name) };
        if !space.file_type()?.is_dir() {
            continue;
        }
        for unit in fs::read_dir(space.path())? {
            let unit = unit?;
            let record = fs::read_to_string(unit.path().join(FILE)).ok().and_then(|text| Record::parse(&text));
            if let (Ok(name), Some(record)) = (unit.file_name().into_string(), record) {
                found.push(((netns.clone(), name.into()), record));
            }
        }
    }
    Ok(found)
}

/// Replaces a file's content at once; one that has it already is left alone.
pub(crate) fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|is| is == content) {
        return Ok(());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = fs::File::create(&fresh)?;
    file.write_all(content)?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_text() {
        let digest = DaemonDigest { start: Digest(1), reload: Digest(2), watched: Digest(3) };
        let argv = vec!["dnsmasq".into(), "--x=a\\nb\nc".into(), "".into()];
        let record = Record { pid: 7, start_time: 99, digest, reload_signal: 1, argv, files: vec![Written::new("hosts".into(), "a\n")] };
        assert_eq!(Record::parse(&record.text()), Some(record.clone()));
        let former = record.text().replace(&format!("hosts {}", Digest::default().text("a\n")), "hosts");
        assert_eq!(Record::parse(&former).map(|record| record.files), Some(vec![Written { name: "hosts".into(), digest: None }]));
    }
}
