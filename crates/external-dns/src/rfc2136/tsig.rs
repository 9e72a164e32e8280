//! Signatures of messages with a shared key (TSIG, RFC 8945).

use super::wire::{ANY, HEAD, after_name, field, last_record, name};
use ring::hmac;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const TSIG: u16 = 250;
/// Seconds by which two clocks may differ.
const FUDGE: u16 = 300;

/// How it is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// As servers' configurations have it.
    pub fn from_word(word: &str) -> Option<Algorithm> {
        match word {
            "hmac-sha256" => Some(Algorithm::Sha256),
            "hmac-sha384" => Some(Algorithm::Sha384),
            "hmac-sha512" => Some(Algorithm::Sha512),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "hmac-sha256",
            Algorithm::Sha384 => "hmac-sha384",
            Algorithm::Sha512 => "hmac-sha512",
        }
    }
}

/// A key that the server knows, too.
#[derive(Clone)]
pub struct SigningKey {
    name: Vec<u8>,
    algorithm: Algorithm,
    secret: hmac::Key,
}

impl SigningKey {
    /// Refuses a name that is none.
    pub fn new(key_name: &str, algorithm: Algorithm, secret: &[u8]) -> Result<SigningKey, String> {
        let ring = match algorithm {
            Algorithm::Sha256 => hmac::HMAC_SHA256,
            Algorithm::Sha384 => hmac::HMAC_SHA384,
            Algorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Ok(SigningKey { name: name(key_name)?, algorithm, secret: hmac::Key::new(ring, secret) })
    }

    fn algorithm_name(&self) -> Vec<u8> {
        name(self.algorithm.name()).expect("it is a name")
    }

    /// What is signed besides the message.
    fn variables(&self, time: u64, error: u16, other: &[u8]) -> Vec<u8> {
        let mut out = self.name.clone();
        out.extend_from_slice(&ANY.to_be_bytes());
        out.extend_from_slice(&0u32.to_be_bytes());
        out.extend(self.algorithm_name());
        out.extend_from_slice(&time.to_be_bytes()[2..]);
        out.extend_from_slice(&FUDGE.to_be_bytes());
        out.extend_from_slice(&error.to_be_bytes());
        out.extend_from_slice(&u16::try_from(other.len()).unwrap_or_default().to_be_bytes());
        out.extend_from_slice(other);
        out
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The message with its signature, and the signature alone.
pub(super) fn sign(mut message: Vec<u8>, key: &SigningKey, time: u64) -> (Vec<u8>, Vec<u8>) {
    let signed = [message.as_slice(), &key.variables(time, 0, &[])].concat();
    let mac = hmac::sign(&key.secret, &signed).as_ref().to_vec();
    let mut data = key.algorithm_name();
    data.extend_from_slice(&time.to_be_bytes()[2..]);
    data.extend_from_slice(&FUDGE.to_be_bytes());
    data.extend_from_slice(&u16::try_from(mac.len()).unwrap_or_default().to_be_bytes());
    data.extend_from_slice(&mac);
    data.extend_from_slice(&message[..2]);
    data.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&key.name);
    message.extend_from_slice(&TSIG.to_be_bytes());
    message.extend_from_slice(&ANY.to_be_bytes());
    message.extend_from_slice(&0u32.to_be_bytes());
    message.extend_from_slice(&u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    message.extend_from_slice(&data);
    let additional = field(&message, HEAD - 2).unwrap_or_default() + 1;
    message[HEAD - 2..HEAD].copy_from_slice(&additional.to_be_bytes());
    (message, mac)
}

/// Checks the signature of the answer to a request that had this signature.
pub(super) fn verify(answer: &[u8], key: &SigningKey, request_mac: &[u8], now: u64) -> Result<(), &'static str> {
    let at = last_record(answer).ok_or("it cannot be read")?;
    let parsed = parse(answer, at, key).ok_or("it is not signed with the key")?;
    let mut message = answer[..at].to_vec();
    let additional = field(&message, HEAD - 2).and_then(|count| count.checked_sub(1)).ok_or("it cannot be read")?;
    message[HEAD - 2..HEAD].copy_from_slice(&additional.to_be_bytes());
    message[..2].copy_from_slice(&parsed.original_id);
    let length = u16::try_from(request_mac.len()).unwrap_or_default().to_be_bytes();
    let signed = [&length[..], request_mac, &message, &parsed.variables].concat();
    hmac::verify(&key.secret, &signed, parsed.mac).map_err(|_| "its signature is wrong")?;
    if parsed.time.abs_diff(now) > u64::from(FUDGE) { Err("its time is not ours") } else { Ok(()) }
}

struct Signature<'a> {
    time: u64,
    mac: &'a [u8],
    original_id: [u8; 2],
    /// What was signed besides the message, as the answer has it.
    variables: Vec<u8>,
}

/// The signature that begins here, when it is of this key.
fn parse<'a>(answer: &'a [u8], at: usize, key: &SigningKey) -> Option<Signature<'a>> {
    let end = after_name(answer, at)?;
    let is_of_key = answer.get(at..end)?.eq_ignore_ascii_case(&key.name);
    let is_signature = field(answer, end)? == TSIG && field(answer, end + 2)? == ANY && answer.get(end + 4..end + 8)? == [0; 4];
    if !is_of_key || !is_signature {
        return None;
    }
    let data = end + 10;
    let rest = after_name(answer, data)?;
    if !answer.get(data..rest)?.eq_ignore_ascii_case(&key.algorithm_name()) {
        return None;
    }
    let time = u64::from_be_bytes([&[0; 2], answer.get(rest..rest + 6)?].concat().try_into().ok()?);
    let fudge = answer.get(rest + 6..rest + 8)?;
    let mac_at = rest + 10;
    let mac_end = mac_at + usize::from(field(answer, rest + 8)?);
    let mac = answer.get(mac_at..mac_end)?;
    let original_id = answer.get(mac_end..mac_end + 2)?.try_into().ok()?;
    let tail = answer.get(mac_end + 2..)?;
    let mut variables = key.name.clone();
    variables.extend_from_slice(&ANY.to_be_bytes());
    variables.extend_from_slice(&0u32.to_be_bytes());
    variables.extend(key.algorithm_name());
    variables.extend_from_slice(&answer[rest..rest + 6]);
    variables.extend_from_slice(fudge);
    // Error, and other data with its length.
    variables.extend_from_slice(tail);
    Some(Signature { time, mac, original_id, variables })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let key = |name, secret: &[u8]| SigningKey::new(name, Algorithm::Sha256, secret).expect("a name");
        let own = key("neutrino.", b"secret");
        let (request, mac) = sign(b"\x12\x34\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec(), &own, 1000);
        assert_eq!(field(&request, HEAD - 2), Some(1));
        // An answer is signed together with the signature of what it answers.
        let answer = answer_to(&mac, &own, 1000);
        assert_eq!(verify(&answer, &own, &mac, 1000), Ok(()));
        assert_eq!(verify(&answer, &own, &mac, 2000), Err("its time is not ours"));
        assert_eq!(verify(&answer, &own, b"another", 1000), Err("its signature is wrong"));
        assert_eq!(verify(&answer, &key("neutrino.", b"other"), &mac, 1000), Err("its signature is wrong"));
        assert!(verify(&answer, &key("other.", b"secret"), &mac, 1000).is_err());
        for cut in 0..answer.len() {
            assert!(verify(&answer[..cut], &own, &mac, 1000).is_err(), "{cut}");
        }
        for at in 0..answer.len() {
            let mut changed = answer.clone();
            changed[at] ^= 0x11;
            // The id is not signed: the one before it counts.
            assert!(at < 2 || verify(&changed, &own, &mac, 1000).is_err(), "{at}");
        }
    }

    fn answer_to(request_mac: &[u8], key: &SigningKey, time: u64) -> Vec<u8> {
        let message = b"\x12\x34\xa8\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec();
        let length = u16::try_from(request_mac.len()).expect("short").to_be_bytes();
        let signed = [&length[..], request_mac, &message, &key.variables(time, 0, &[])].concat();
        let mac = hmac::sign(&key.secret, &signed);
        let (mut answer, unused) = sign(message, key, time);
        let at = answer.len() - 6 - unused.len();
        answer[at..at + unused.len()].copy_from_slice(mac.as_ref());
        answer
    }
}
