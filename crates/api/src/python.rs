//! Values in error messages as the reference shows them: the way Python's `str` and `repr` do. Clients' tests match on the texts.

use serde_json::Value;
use std::fmt::Write;

/// `str(value)`: a text as it is, anything else as `repr`.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`: `'text'`, `5`, `None`, `True`, `['a', 1]`, `{'a': None}`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// `repr` of a list of texts: `['a', 'b']`.
pub fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for (i, text) in texts.into_iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        quoted(text, &mut out);
    }
    out.push(']');
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => write!(out, "{number}").expect("writing to a String does not fail"),
        Value::String(text) => quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                quoted(key, out);
                out.push_str(": ");
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)).expect("writing to a String does not fail"),
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_python_shows_them() {
        assert_eq!(text(&json!("x")), "x");
        assert_eq!(text(&json!(null)), "None");
        assert_eq!(repr(&json!({"a": [1, true, "it's", "\"'\n\u{1}"], "b": -1.5})), r#"{'a': [1, True, "it's", '"\'\n\x01'], 'b': -1.5}"#);
        assert_eq!(list(["a", "b"]), "['a', 'b']");
    }
}
