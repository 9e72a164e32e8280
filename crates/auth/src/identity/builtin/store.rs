//! The directory in memory and on disk, the signing key, and which tokens were revoked.

use super::Error;
use super::directory::Directory;
use super::fault::Fault;
use super::files::{create_private_dir, read_private, write_private};
use super::password::random;
use super::token::{Claims, audit_text};
use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use ring::hmac;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Revocations kept per user; more revoke all tokens of the user, so that revoking cannot fill memory and disk.
const MAX_REVOCATIONS: usize = 256;

/// Revoked tokens by audit id.
pub(super) type Revoked = BTreeMap<String, Revocation>;

/// One revoked token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Revocation {
    pub user: SmolStr,
    /// When the token would be refused anyway (microseconds since the Unix epoch): the entry is dropped then.
    pub until_us: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub directory: Arc<Directory>,
    pub revoked: Arc<Revoked>,
}

/// Durable before it is visible: a change is on disk when it takes effect.
#[derive(Debug)]
pub(super) struct Store {
    users_path: PathBuf,
    revoked_path: PathBuf,
    key: hmac::Key,
    current: ArcSwap<Snapshot>,
    generation: AtomicU64,
    writing: Mutex<()>,
}

impl Store {
    /// Opens the files below `path` (created where absent); `seed` makes the first directory.
    pub(super) fn open(path: &Path, seed: impl FnOnce() -> Result<Directory, Error>) -> Result<Self, Error> {
        create_private_dir(path).map_err(Error::file("create", path))?;
        let (users_path, revoked_path, key_path) = (path.join("users.yaml"), path.join("revoked.yaml"), path.join("token.key"));
        let key = match read_private(&key_path).map_err(Error::file("read", &key_path))? {
            Some(text) => STANDARD.decode(text.trim()).ok().filter(|key| key.len() >= 32).ok_or_else(|| Error::key(&key_path))?,
            None => {
                let key = random::<32>().to_vec();
                write_private(&key_path, (STANDARD.encode(&key) + "\n").as_bytes()).map_err(Error::file("write", &key_path))?;
                key
            }
        };
        let directory = match read_private(&users_path).map_err(Error::file("read", &users_path))? {
            Some(text) => serde_yaml_ng::from_str(&text).map_err(|source| Error::content(&users_path, source))?,
            None => {
                let directory = seed()?;
                write_private(&users_path, users_text(&directory).as_bytes()).map_err(Error::file("write", &users_path))?;
                directory
            }
        };
        let revoked = match read_private(&revoked_path).map_err(Error::file("read", &revoked_path))? {
            Some(text) => serde_yaml_ng::from_str(&text).map_err(|source| Error::content(&revoked_path, source))?,
            None => Revoked::new(),
        };
        Ok(Self {
            users_path,
            revoked_path,
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            current: ArcSwap::from_pointee(Snapshot { directory: Arc::new(directory), revoked: Arc::new(revoked) }),
            generation: AtomicU64::new(0),
            writing: Mutex::new(()),
        })
    }

    pub(super) fn key(&self) -> &hmac::Key {
        &self.key
    }

    /// Moves on with every change; to be read before [`Self::snapshot`] when something derived from that is kept.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    pub(super) fn directory(&self) -> Arc<Directory> {
        self.current.load().directory.clone()
    }

    /// Applies a change to the directory; nothing changes if it is refused or cannot be written.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Directory) -> Result<T, Fault>) -> Result<T, Fault> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.snapshot();
        let mut directory = Directory::clone(&snapshot.directory);
        let answer = change(&mut directory)?;
        if directory == *snapshot.directory {
            return Ok(answer);
        }
        directory.drop_dangling();
        directory.refuse_without_administrator()?;
        write_private(&self.users_path, users_text(&directory).as_bytes()).map_err(unwritable(&self.users_path))?;
        self.publish(Snapshot { directory: Arc::new(directory), revoked: snapshot.revoked.clone() });
        Ok(answer)
    }

    /// Revokes a token. `leniency_us` is how long after its expiry it could still be accepted.
    pub(super) fn revoke(&self, claims: &Claims, leniency_us: i64, now_us: i64) -> Result<(), Fault> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Snapshot { mut directory, revoked } = Snapshot::clone(&self.snapshot());
        let mut revoked = Revoked::clone(&revoked);
        revoked.retain(|_, entry| now_us < entry.until_us);
        let until_us = claims.expires_us.saturating_add(leniency_us);
        revoked.insert(audit_text(&claims.audit), Revocation { user: claims.user_id.clone(), until_us });
        if revoked.values().filter(|entry| entry.user == claims.user_id).count() > MAX_REVOCATIONS {
            revoked.retain(|_, entry| entry.user != claims.user_id);
            Arc::make_mut(&mut directory).user_mut(&claims.user_id)?.tokens_valid_from_us = now_us;
            write_private(&self.users_path, users_text(&directory).as_bytes()).map_err(unwritable(&self.users_path))?;
        }
        let text = serde_yaml_ng::to_string(&revoked).expect("a map of texts and numbers is YAML");
        write_private(&self.revoked_path, text.as_bytes()).map_err(unwritable(&self.revoked_path))?;
        self.publish(Snapshot { directory, revoked: Arc::new(revoked) });
        Ok(())
    }

    fn publish(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

fn users_text(directory: &Directory) -> String {
    let yaml = serde_yaml_ng::to_string(directory).expect("the directory is YAML");
    format!("# Users, projects and roles of the built-in identity; read at start, written at every change.\n{yaml}")
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Fault + '_ {
    move |error| {
        tracing::error!("cannot write {}: {error}", path.display());
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "The change could not be stored; nothing was changed.")
    }
}
