//! The built-in identity: a small Keystone-v3-shaped service in the same process, its users in a file.
//!
//! One domain (`Default`), projects, users with passwords (argon2id), roles on projects. Tokens are sealed statements, not rows:
//! they survive restarts, and what they grant is looked up anew, so that a changed role, password or project
//! takes effect at once. Deliberately absent: groups, domains beside `Default`, system scope, trusts, application
//! credentials, federation; clouds that need them use Keystone.

mod cache;
mod directory;
mod fault;
mod files;
mod password;
mod routes;
mod seed;
mod store;
mod token;

use super::header_text;
use crate::{Caller, Principal};
use bytes::Bytes;
use cache::Cache;
use fault::Fault;
use http::{HeaderMap, Request, Response, StatusCode};
use password::{Backoff, Passwords};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use store::Store;
use token::Claims;
use tokio::sync::Semaphore;

pub use password::Hashing;

/// Requests that may wait for their password to be checked; more are told to come back.
const MAX_WAITING: usize = 128;
/// How long after its expiry a user's token still counts beside a valid service token.
const SERVICE_LENIENCY_US: i64 = 48 * 3600 * 1_000_000;

/// Gives the time in microseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the built-in identity needs to know.
#[derive(Clone)]
pub struct Config {
    /// State directory: `clouds.yaml` is written there, everything else into `identity/` below it.
    pub state: PathBuf,
    /// How clients reach this server, `http://host:port` without a slash at the end.
    pub public_url: String,
    /// Region of the catalog.
    pub region: String,
    /// Life of a token in seconds.
    pub token_lifetime_s: u32,
    /// Cost of password hashes made from now on.
    pub hashing: Hashing,
    /// The time.
    pub clock: Clock,
}

impl Config {
    /// Region `RegionOne`, tokens for 12 hours, the system's clock.
    pub fn new(state: impl Into<PathBuf>, public_url: impl Into<String>) -> Self {
        let now = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        };
        Self {
            state: state.into(),
            public_url: public_url.into(),
            region: "RegionOne".to_owned(),
            token_lifetime_s: 12 * 3600,
            hashing: Hashing::default(),
            clock: Arc::new(now),
        }
    }
}

/// Why the built-in identity does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("cannot {operation} {path}: {source}")]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        problem: String,
    },
}

impl Error {
    fn file(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { operation, path, source }
    }

    fn content(path: &Path, problem: impl fmt::Display) -> Error {
        Error::Content { path: path.to_owned(), problem: problem.to_string() }
    }

    fn key(path: &Path) -> Error {
        Error::content(path, "at least 32 bytes in base64 are expected; remove the file to make a new key (all tokens become invalid)")
    }
}

/// The identity service.
pub struct Builtin {
    config: Config,
    store: Store,
    cache: Cache,
    passwords: Passwords,
    backoff: Backoff,
    hashing: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin").field("state", &self.config.state).finish_non_exhaustive()
    }
}

impl Builtin {
    /// Opens the identity in the state directory. The first start creates users `admin` (project `admin`), `demo` (project `demo`)
    /// and `nova` (project `service`) with random passwords and writes `clouds.yaml`. Blocks (files, hashes).
    pub fn open(config: Config) -> Result<Self, Error> {
        let passwords = Passwords::new(config.hashing);
        let store = Store::open(&config.state.join("identity"), || seed::first_start(&config, &passwords))?;
        seed::refresh_clouds(&config)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            store,
            passwords,
            cache: Cache::default(),
            backoff: Backoff::default(),
            hashing: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: AtomicUsize::new(0),
            config,
        })
    }

    /// Where tokens are issued, as `clouds.yaml` says it.
    pub fn auth_url(&self) -> String {
        seed::auth_url(&self.config)
    }

    fn now_us(&self) -> i64 {
        (self.config.clock)()
    }

    /// The caller that the headers prove, if any; see [`super::Identity::authenticate`].
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = header_text(headers, "x-auth-token")?;
        let Some(service_token) = header_text(headers, "x-service-token") else {
            return self.principal(token, 0).map(Caller::new);
        };
        let service_roles = self.principal(service_token, 0)?.roles.clone();
        let leniency_us = if service_roles.contains("service") { SERVICE_LENIENCY_US } else { 0 };
        self.principal(token, leniency_us).map(|principal| Caller::new(principal).with_service_roles(service_roles))
    }

    /// The holder of a token that is valid or expired no longer than `leniency_us` ago.
    fn principal(&self, token: &str, leniency_us: i64) -> Option<Arc<Principal>> {
        let (generation, now_us) = (self.store.generation(), self.now_us());
        if let Some(principal) = self.cache.get(token, generation, now_us) {
            return Some(principal);
        }
        let (claims, principal) = self.verify(token, leniency_us, now_us)?;
        if now_us < claims.expires_us {
            self.cache.put(token, principal.clone(), claims.expires_us, generation, now_us);
        }
        Some(principal)
    }

    fn verify(&self, token: &str, leniency_us: i64, now_us: i64) -> Option<(Claims, Arc<Principal>)> {
        let claims = token::open(self.store.key(), token)?;
        let snapshot = self.store.snapshot();
        let user = snapshot.directory.users.get(&claims.user_id)?;
        let dead = now_us >= claims.expires_us.saturating_add(leniency_us)
            || claims.issued_us < user.tokens_valid_from_us
            || snapshot.revoked.contains_key(&token::audit_text(&claims.audit));
        if dead {
            return None;
        }
        let principal = snapshot.directory.principal(&claims.user_id, &claims.project_id)?;
        Some((claims, Arc::new(principal)))
    }

    /// Answers a request below `/identity`. Password checks and writes run on the blocking pool, few password checks
    /// at a time.
    pub async fn serve(self: &Arc<Self>, request: Request<Bytes>, base_url: &str) -> Response<Bytes> {
        if !routes::blocks(&request) {
            return self.handle(&request, base_url);
        }
        let this = self.clone();
        let hashes = routes::hashes(&request);
        let base_url = base_url.to_owned();
        let work = move || this.handle(&request, &base_url);
        let done = if hashes {
            let _place = match Place::take(&self.waiting) {
                Some(place) => place,
                None => return busy().response(),
            };
            let permit = self.hashing.clone().acquire_owned().await.expect("the semaphore is never closed");
            // The permit goes with the work: a client that hangs up does not make room while its hash is still computed.
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                work()
            })
            .await
        } else {
            tokio::task::spawn_blocking(work).await
        };
        done.unwrap_or_else(|error| {
            tracing::error!("identity request failed: {error}");
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error prevented the server from fulfilling your request.")
                .response()
        })
    }

    /// Answers a request below `/identity` on this thread; may take tens of milliseconds (password hashes, files).
    pub fn handle(&self, request: &Request<Bytes>, base_url: &str) -> Response<Bytes> {
        routes::answer(self, request, base_url)
    }
}

fn busy() -> Fault {
    let mut fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "Too many passwords are being checked; try again in a moment.");
    fault.retry_after_s = Some(1);
    fault
}

/// One of the places in the queue for password checks; given back when dropped, also when the client goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
