//! Passwords: argon2id hashes, verification that takes the same time for users who do not exist, and a growing pause
//! after repeated failures.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Failures that are free of a pause.
const FREE_FAILURES: u32 = 5;
const LONGEST_PAUSE_S: i64 = 30;
/// Users (existing or not) whose failures are remembered.
const CAPACITY: usize = 4096;

/// What one hash costs: memory and passes (RFC 9106).
#[derive(Clone, Copy, Debug)]
pub struct Hashing {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST }
    }
}

/// Makes and checks hashes.
#[derive(Debug)]
pub(super) struct Passwords {
    hashing: Hashing,
    /// What the passwords of unknown users are checked against.
    decoy: String,
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system provides randomness");
    bytes
}

/// A password of 24 letters and digits (over 130 bits).
pub(super) fn generate() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    // 228 is the largest multiple of the alphabet's length (57) that fits a byte: no character is more likely than another.
    let mut password = String::with_capacity(24);
    while password.len() < 24 {
        let fair =
            random::<32>().into_iter().filter(|byte| *byte < 228).map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        password.extend(fair.take(24 - password.len()));
    }
    password
}

impl Passwords {
    pub(super) fn new(hashing: Hashing) -> Self {
        let mut passwords = Self { hashing, decoy: String::new() };
        // A well-formed hash that no password has; verifying against it costs what a real one costs.
        let salt = SaltString::encode_b64(&[0; 16]).expect("16 bytes are a salt");
        passwords.decoy = format!("$argon2id$v=19$m={},t={},p=1${salt}${}", hashing.memory_kib, hashing.passes, "A".repeat(43));
        passwords
    }

    fn argon2(&self) -> Argon2<'static> {
        let params = Params::new(self.hashing.memory_kib, self.hashing.passes, 1, None).expect("costs within argon2's limits");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }

    /// The hash in PHC form. Takes tens of milliseconds by design.
    pub(super) fn hash(&self, password: &str) -> String {
        let salt = SaltString::encode_b64(&random::<16>()).expect("16 bytes are a salt");
        self.argon2().hash_password(password.as_bytes(), &salt).expect("any password can be hashed").to_string()
    }

    /// True if the password has this hash; without a hash, false after the same time.
    pub(super) fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let known = hash.and_then(|hash| PasswordHash::new(hash).ok());
        let decoy = PasswordHash::new(&self.decoy).expect("the decoy is well-formed");
        let matches = self.argon2().verify_password(password.as_bytes(), known.as_ref().unwrap_or(&decoy)).is_ok();
        matches && known.is_some()
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    until_us: i64,
}

/// Remembers failed attempts per user; users that do not exist are treated alike.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: Mutex<HashMap<SmolStr, Failures>>,
}

impl Backoff {
    /// Seconds to wait before the next attempt, if there is a pause.
    pub(super) fn pause_s(&self, user: &str, now_us: i64) -> Option<i64> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let left_us = failures.get(user)?.until_us - now_us;
        (left_us > 0).then_some((left_us + 999_999) / 1_000_000)
    }

    pub(super) fn failed(&self, user: &str, now_us: i64) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= CAPACITY && !failures.contains_key(user) {
            // Whoever was guessed at least goes first: floods of invented names do not wash out a user under attack.
            let least = failures.iter().min_by_key(|(_, entry)| (entry.count, entry.until_us)).map(|(user, _)| user.clone());
            least.and_then(|user| failures.remove(&user));
        }
        let entry = failures.entry(SmolStr::new(user)).or_insert(Failures { count: 0, until_us: now_us });
        entry.count = entry.count.saturating_add(1);
        let over = entry.count.saturating_sub(FREE_FAILURES);
        let pause_s = if over == 0 { 0 } else { (1 << (over - 1).min(5)).min(LONGEST_PAUSE_S) };
        entry.until_us = now_us + pause_s * 1_000_000;
    }

    pub(super) fn succeeded(&self, user: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Hashing = Hashing { memory_kib: 8, passes: 1 };

    #[test]
    fn only_the_password_fits_its_hash() {
        let passwords = Passwords::new(CHEAP);
        let hash = passwords.hash("secret");
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(passwords.verify("secret", Some(&hash)));
        assert!(!passwords.verify("Secret", Some(&hash)));
        assert!(!passwords.verify("secret", Some("garbage")));
        assert!(!passwords.verify("", None));
        assert_ne!(hash, passwords.hash("secret"), "salted");
        assert!(Passwords::new(Hashing::default()).verify("secret", Some(&hash)), "the hash knows its own cost");
    }

    #[test]
    fn the_decoy_is_computed_like_a_real_hash() {
        let passwords = Passwords::new(CHEAP);
        let decoy = PasswordHash::new(&passwords.decoy).expect("well-formed");
        assert_eq!(Params::try_from(&decoy).expect("parameters").m_cost(), CHEAP.memory_kib);
        assert_eq!(decoy.hash.expect("present").len(), 32);
        assert!(decoy.salt.is_some());
    }

    #[test]
    fn generated_passwords_differ() {
        let (one, other) = (generate(), generate());
        assert_eq!((one.len(), other.len()), (24, 24));
        assert_ne!(one, other);
    }

    #[test]
    fn pauses_grow_and_end_with_success() {
        let backoff = Backoff::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            backoff.failed("u", 0);
            pauses.push(backoff.pause_s("u", 0).unwrap_or(0));
        }
        assert_eq!(pauses, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.pause_s("u", 30_000_000), None);
        assert_eq!(backoff.pause_s("other", 0), None);
        backoff.succeeded("u");
        assert_eq!(backoff.pause_s("u", 0), None);
    }

    #[test]
    fn a_flood_of_names_does_not_wash_out_the_attacked_user() {
        let backoff = Backoff::default();
        for _ in 0..8 {
            backoff.failed("victim", 0);
        }
        for index in 0..2 * CAPACITY {
            backoff.failed(&format!("name{index}"), 0);
        }
        assert!(backoff.pause_s("victim", 0).is_some());
        assert!(backoff.failures.lock().expect("not poisoned").len() <= CAPACITY);
    }
}
