//! The query part of an address: names and values in their order, keys may repeat.

use std::borrow::Cow;
use std::fmt::Write;

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// A name that the server set itself.
    own: Option<&'static str>,
}

impl<'a> Query<'a> {
    /// Parses `a=1&b=%20`; `+` is a blank, bytes that are not UTF-8 are replaced.
    pub fn parse(query: &'a str) -> Query<'a> {
        let pairs = query.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name, true), decode(value, true))
        });
        Query { pairs: pairs.collect(), own: None }
    }

    /// This query with a name that it must not have yet, of which clients are not told.
    pub(crate) fn with(&self, name: &'static str, value: String) -> Query<'a> {
        let pairs = self.pairs.iter().cloned().chain([(Cow::Borrowed(name), Cow::Owned(value))]);
        Query { pairs: pairs.collect(), own: Some(name) }
    }

    /// What the client asked.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| self.own != Some(*name))
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// All values of a name.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The last value of a name.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// Takes percent escapes back.
pub fn decode(text: &str, plus_is_blank: bool) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || (byte == b'+' && plus_is_blank)) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 2;
            }
            (b'+', ..) if plus_is_blank => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Writes a query: what is not unreserved (RFC 3986) is escaped, a blank becomes `+`.
pub fn encode<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => write!(out, "%{byte:02X}").expect("writing to a String does not fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_repeat_and_keep_their_order() {
        let query = Query::parse("name=a&name=b+c&&limit=%31&empty=&flag&bad=%zz%4");
        assert_eq!(query.all("name").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!(query.last("limit"), Some("1"));
        assert_eq!(query.last("empty"), Some(""));
        assert_eq!(query.last("flag"), Some(""));
        assert_eq!(query.last("bad"), Some("%zz%4"));
        assert_eq!(decode("a+b%2f", false), "a+b/");
        assert_eq!(decode("%ff", false), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn encoding_reads_back(name in any::<String>(), value in any::<String>()) {
            let text = encode([(name.as_str(), value.as_str())]);
            let query = Query::parse(&text);
            prop_assert_eq!(query.iter().collect::<Vec<_>>(), [(name.as_str(), value.as_str())]);
        }

        #[test]
        fn anything_parses(text in any::<String>()) {
            let _ = Query::parse(&text);
        }
    }
}
