//! What users of the API may put into dnsmasq's files. Names and values come from them: a line break would be a line of theirs.

/// A host name or a part of a domain (RFC 1123).
fn is_label(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (1..=63).contains(&text.len()) && inner && !text.starts_with('-') && !text.ends_with('-')
}

/// A domain without its final dot, if it is one.
pub(crate) fn domain(text: &str) -> Option<&str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    (text.len() <= 253 && text.split('.').all(is_label)).then_some(text)
}

/// A host name: one label, or several.
pub(crate) fn hostname(text: &str) -> Option<&str> {
    domain(text)
}

/// An option's name or number.
pub(crate) fn option_name(text: &str) -> Option<&str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = !number || matches!(text.parse::<u16>(), Ok(1..=65535));
    ((1..=64).contains(&text.len()) && plain && in_range).then_some(text)
}

/// An option's value: printable, on one line, without quotes, and not so that what follows a `#` would be a comment.
pub(crate) fn option_value(text: &str) -> Option<&str> {
    let plain = text.chars().all(|c| !c.is_control() && c != '"');
    (text.len() <= 255 && plain && !text.contains(" #") && text.trim() == text).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_place() {
        for name in ["a", "web-1", "x_y", "web.example.org"] {
            assert_eq!(hostname(name), Some(name));
        }
        for name in ["", "-a", "a-", "a b", "a,b", "a\nb", "a..b", "ä", &"a".repeat(64), "a#b"] {
            assert_eq!(hostname(name), None, "{name:?}");
        }
        assert_eq!(domain("example.org."), Some("example.org"));
        for name in ["bootfile-name", "150", "mtu", "tftp-server"] {
            assert_eq!(option_name(name), Some(name));
        }
        for name in ["", "0", "65536", "a,b", "option:mtu", "tag:x", "a b", "a\n3"] {
            assert_eq!(option_name(name), None, "{name:?}");
        }
        for value in ["", "10.0.0.1,10.0.0.2", "http://[fd00::1]/boot#x", "pxelinux.0"] {
            assert_eq!(option_value(value), Some(value));
        }
        for value in ["a\nb", "a\rb", "\"", "a #b", " a", "a\0", &"a".repeat(256)] {
            assert_eq!(option_value(value), None, "{value:?}");
        }
    }
}
