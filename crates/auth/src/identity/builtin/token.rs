//! Tokens: what was granted, to whom and until when, sealed with HMAC-SHA256, so that no table of tokens is needed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use smol_str::SmolStr;

const VERSION: u8 = 1;
const TAG_LEN: usize = 32;
/// Longest token that is looked at, in characters.
pub(super) const MAX_LEN: usize = 1024;

/// Identifies one issued token, for revocation.
pub(super) type AuditId = [u8; 16];

/// How the holder proved to be who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Methods {
    pub password: bool,
    pub token: bool,
}

impl Methods {
    pub(super) fn names(self) -> Vec<&'static str> {
        let all = [(self.token, "token"), (self.password, "password")];
        all.into_iter().filter(|(used, _)| *used).map(|(_, name)| name).collect()
    }
}

/// What a token states. Times in microseconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Claims {
    pub user_id: SmolStr,
    /// Empty for unscoped tokens.
    pub project_id: SmolStr,
    pub issued_us: i64,
    pub expires_us: i64,
    pub methods: Methods,
    pub audit: AuditId,
    /// The first token of the chain, when this one was obtained with another token.
    pub parent_audit: Option<AuditId>,
}

/// The textual form of an audit id.
pub(super) fn audit_text(audit: &AuditId) -> String {
    URL_SAFE_NO_PAD.encode(audit)
}

/// The token for these claims: URL-safe base64, about 200 characters.
pub(super) fn seal(key: &hmac::Key, claims: &Claims) -> String {
    let flags = u8::from(claims.methods.password) | u8::from(claims.methods.token) << 1 | u8::from(claims.parent_audit.is_some()) << 2;
    let mut bytes = Vec::with_capacity(160);
    bytes.extend([VERSION, flags]);
    bytes.extend(claims.issued_us.to_be_bytes());
    bytes.extend(claims.expires_us.to_be_bytes());
    bytes.extend(claims.audit);
    bytes.extend(claims.parent_audit.iter().flatten());
    for text in [&claims.user_id, &claims.project_id] {
        bytes.push(u8::try_from(text.len()).expect("ids have at most 64 bytes"));
        bytes.extend(text.as_bytes());
    }
    let tag = hmac::sign(key, &bytes);
    bytes.extend(tag.as_ref());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a token sealed with this key; `None` for anything else. Expiry is not looked at.
pub(super) fn open(key: &hmac::Key, token: &str) -> Option<Claims> {
    if token.len() > MAX_LEN {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_LEN)?)?;
    hmac::verify(key, body, tag).ok()?;
    let mut reader = Reader(body);
    let [version, flags] = reader.array()?;
    if version != VERSION {
        return None;
    }
    let claims = Claims {
        issued_us: i64::from_be_bytes(reader.array()?),
        expires_us: i64::from_be_bytes(reader.array()?),
        audit: reader.array()?,
        parent_audit: if flags & 4 != 0 { Some(reader.array()?) } else { None },
        user_id: reader.text()?,
        project_id: reader.text()?,
        methods: Methods { password: flags & 1 != 0, token: flags & 2 != 0 },
    };
    reader.0.is_empty().then_some(claims)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<SmolStr> {
        let [len] = self.array()?;
        let (head, rest) = self.0.split_at_checked(usize::from(len))?;
        self.0 = rest;
        std::str::from_utf8(head).ok().map(SmolStr::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[seed; 32])
    }

    fn claims() -> Claims {
        Claims {
            user_id: "0123456789abcdef0123456789abcdef".into(),
            project_id: "fedcba9876543210fedcba9876543210".into(),
            issued_us: 1_700_000_000_000_001,
            expires_us: 1_700_043_200_000_001,
            methods: Methods { password: true, token: false },
            audit: [7; 16],
            parent_audit: None,
        }
    }

    #[test]
    fn what_is_sealed_is_opened_with_the_same_key_only() {
        for (project, parent) in [("", None), ("fedcba9876543210fedcba9876543210", Some([9; 16]))] {
            let claims = Claims { project_id: project.into(), parent_audit: parent, ..claims() };
            let token = seal(&key(1), &claims);
            assert!(token.len() < 255, "fits where Fernet tokens fit");
            assert_eq!(open(&key(1), &token), Some(claims));
            assert_eq!(open(&key(2), &token), None);
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let token = seal(&key(1), &claims());
        for index in 0..token.len() {
            for replacement in ['A', 'b', '-', '=', ' '] {
                let mut forged: Vec<char> = token.chars().collect();
                if forged[index] != replacement {
                    forged[index] = replacement;
                    assert_eq!(open(&key(1), &forged.into_iter().collect::<String>()), None, "position {index}");
                }
            }
            assert_eq!(open(&key(1), &token[..index]), None, "cut at {index}");
        }
        assert_eq!(open(&key(1), &(token + "A")), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_no_token(text in ".{0,300}") {
            prop_assert_eq!(open(&key(1), &text), None);
        }
    }
}
