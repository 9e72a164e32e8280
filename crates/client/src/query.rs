//! Query strings (RFC 3986).

/// `path?a=b&a=c`; values are percent-encoded.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        encode(&mut url, key);
        url.push('=');
        encode(&mut url, value);
    }
    url
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => out.push(byte.into()),
            _ => {
                let digit = |number: u8| char::from_digit(number.into(), 16).expect("four bits").to_ascii_uppercase();
                out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn encodes_what_has_a_meaning() {
        assert_eq!(super::with_query("ports", &[]), "ports");
        assert_eq!(super::with_query("ports", &[("name", "a&b c"), ("name", "é")]), "ports?name=a%26b%20c&name=%C3%A9");
    }
}
