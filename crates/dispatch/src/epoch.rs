//! The epoch: a number that names one history of revisions.
//!
//! An agent resumes from a revision only in the epoch in which it had it. The number is random and kept in a file beside the database
//! with the highest revision seen; when the database turns out to be behind that (an older one was put back), the history is another one and
//! gets a new number. Servers of one database must be given the same number.

use net::Revision;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The epoch of a database, in its file.
pub struct EpochFile {
    path: PathBuf,
    epoch: u64,
}

impl EpochFile {
    /// Reads the file, or makes it; `head` is the database's newest revision.
    pub fn open(path: &Path, head: Revision) -> io::Result<EpochFile> {
        let kept = match fs::read_to_string(path) {
            Ok(text) => parse(&text).filter(|(_, seen)| *seen <= head),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let epoch = kept.map_or_else(fresh, |(epoch, _)| epoch);
        let file = EpochFile { path: path.to_owned(), epoch };
        file.note(head)?;
        Ok(file)
    }

    /// The number.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Notes how far the database has come. [`crate::Dispatcher::keep_epoch`] does it.
    pub fn note(&self, head: Revision) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        fs::write(&beside, format!("{} {}\n", self.epoch, head))?;
        fs::rename(&beside, &self.path)
    }
}

/// 0 is what an agent says that has none.
fn fresh() -> u64 {
    rand::random_range(1..=u64::MAX)
}

fn parse(text: &str) -> Option<(u64, Revision)> {
    let (epoch, seen) = text.trim().split_once(' ')?;
    Some((epoch.parse().ok().filter(|epoch| *epoch != 0)?, Revision(seen.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_is_another_history() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("epoch");
        let epoch = |head| EpochFile::open(&path, Revision(head)).expect("a file").epoch();
        let first = epoch(0);
        assert_eq!(epoch(5), first);
        assert_eq!(epoch(5), first);
        let second = epoch(4);
        assert_ne!(second, first);
        assert_eq!(epoch(100), second);
        fs::write(&path, "nonsense").expect("written");
        assert_ne!(epoch(100), second);
    }
}
