//! Query strings and percent-encoding (RFC 3986; `+` in queries is a blank).

use super::super::fault::Fault;

/// Decoded names and values in the order given.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        });
        Self(pairs.collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A switch such as `?effective`: on when present, unless its value says no.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// A filter on a boolean attribute.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(Fault::bad_request(format!("'{other}' is not a boolean value for {name}."))),
        }
    }
}

/// Undoes percent-encoding; `None` if the result is not UTF-8 or an escape is malformed.
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = tail.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(digits[0])? << 4 | digit(digits[1])?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(decode("a%20b%C3%A4").as_deref(), Some("a bä"));
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%4"), None);
        assert_eq!(decode("%ff"), None);
        let query = Query::parse("name=a+b&effective&enabled=True&x=%zz");
        assert_eq!(query.get("name"), Some("a b"));
        assert!(query.flag("effective") && !query.flag("include_names"));
        assert_eq!(query.boolean("enabled"), Ok(Some(true)));
        assert_eq!(query.get("x"), None);
    }
}
