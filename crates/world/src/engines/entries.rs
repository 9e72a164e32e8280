//! The entries of a change as the JSON text that SQL engines keep in a row of the log.
//!
//! `[{"kind":"port","id":"…","project_id":"…","version":1,"body":{…}}, {"kind":"port","id":"…"}]`: the second one was removed.
//! Bodies are JSON already and are neither parsed nor written anew.

use crate::{LoggedEntry, StoredRow};
use net::Revision;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::borrow::Cow;

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    project_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u16>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
}

/// Writes the entries of a change after what is in `text`.
pub(super) fn write(entries: &[LoggedEntry], text: &mut String) {
    text.push('[');
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let row = entry.row.as_ref();
        let head = Written {
            kind: Cow::Borrowed(&entry.kind),
            id: Cow::Borrowed(&entry.id),
            project_id: row.and_then(|row| row.project_id.as_deref()).map(Cow::Borrowed),
            version: row.map(|row| row.version),
            body: None,
        };
        text.push_str(&serde_json::to_string(&head).expect("texts and a number can be written"));
        if let Some(row) = row {
            text.pop();
            text.push_str(",\"body\":");
            text.push_str(&row.body);
            text.push('}');
        }
    }
    text.push(']');
}

/// Reads the entries of the change with this revision.
pub(super) fn read(text: &str, revision: Revision) -> Result<Vec<LoggedEntry>, serde_json::Error> {
    let written: Vec<Written<'_>> = serde_json::from_str(text)?;
    let entry = |written: Written<'_>| {
        let (kind, id) = (SmolStr::new(&written.kind), SmolStr::new(&written.id));
        let row = written.body.map(|body| StoredRow {
            kind: kind.clone(),
            id: id.clone(),
            project_id: written.project_id.as_deref().map(SmolStr::new),
            revision,
            version: written.version.unwrap_or(1),
            body: body.get().to_owned(),
        });
        LoggedEntry { kind, id, row }
    };
    Ok(written.into_iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_is_json() {
        let row = StoredRow {
            kind: SmolStr::new("port"),
            id: SmolStr::new("a\"b"),
            project_id: Some(SmolStr::new("demo")),
            revision: Revision(7),
            version: 2,
            body: r#"{"name":"x\"y","n":[1,2]}"#.to_owned(),
        };
        let entries = vec![
            LoggedEntry { kind: row.kind.clone(), id: row.id.clone(), row: Some(row) },
            LoggedEntry { kind: SmolStr::new("network"), id: SmolStr::new("n"), row: None },
        ];
        let mut text = String::new();
        write(&entries, &mut text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["body"]["n"][1], 2);
        assert_eq!(read(&text, Revision(7)).unwrap(), entries);
        assert_eq!(read("[]", Revision(7)).unwrap(), vec![]);
    }
}
