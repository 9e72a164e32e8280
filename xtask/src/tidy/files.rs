//! Sizes of files, and words that do not belong into a repository.

use crate::shell::output;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;

const EXCEPTIONS: &str = "xtask/sizes.toml";
const WISHED: usize = 500;
const MOST: usize = 1000;
/// What never belongs into code: places of one machine, and promises instead of work.
const WORDS: [&str; 7] = ["/root/", "/home/", "/work/", "TODO", "FIXME", "unimplemented!(", "todo!("];
/// These speak of the words themselves.
const OWN: [&str; 2] = ["xtask/src/tidy/files.rs", "Cargo.lock"];

#[derive(Deserialize)]
struct Exceptions {
    /// File → why it is longer than wished.
    long: BTreeMap<String, String>,
}

/// Complaints and warnings about the files under version control.
pub fn check() -> Result<(Vec<String>, Vec<String>)> {
    let text = fs::read_to_string(EXCEPTIONS).with_context(|| format!("reading {EXCEPTIONS}"))?;
    let exceptions: Exceptions = toml::from_str(&text).with_context(|| format!("reading {EXCEPTIONS}"))?;
    let (mut complaints, mut warnings) = (Vec::new(), Vec::new());
    let files = output(&["git", "ls-files", "--cached", "--others", "--exclude-standard"])?;
    for file in files.lines().filter(|file| std::path::Path::new(file).is_file()) {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let is_code = file.ends_with(".rs");
        if is_code || file.ends_with(".sh") || file.ends_with(".toml") {
            complaints.extend(words(file, &text));
        }
        let lines = text.lines().count();
        if !is_code || lines <= WISHED {
            continue;
        }
        match exceptions.long.get(file) {
            _ if lines > MOST => complaints.push(format!("{file} has {lines} lines; more than {MOST} cannot be read: split it")),
            Some(why) => warnings.push(format!("{file} has {lines} lines: {why}")),
            None => complaints.push(format!("{file} has {lines} lines; split it, or say in {EXCEPTIONS} why it is longer than {WISHED}")),
        }
    }
    for file in exceptions.long.keys() {
        let lines = fs::read_to_string(file).map_or(0, |text| text.lines().count());
        if lines <= WISHED {
            complaints.push(format!("{EXCEPTIONS} excuses {file}, which needs no excuse"));
        }
    }
    Ok((complaints, warnings))
}

fn words(file: &str, text: &str) -> Vec<String> {
    if OWN.contains(&file) {
        return Vec::new();
    }
    let complaint = |(at, line): (usize, &str)| {
        let word = WORDS.iter().find(|word| stands_alone(line, word))?;
        Some(format!("{file}:{}: '{word}' does not belong here", at + 1))
    };
    text.lines().enumerate().filter_map(complaint).collect()
}

/// True when the line has the word, and a path from its beginning: `/root/` is one, `$dir/root/` and `"$dir"/root/` are not.
fn stands_alone(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || "_.-}/".contains(character);
    line.match_indices(word).any(|(at, _)| {
        let mut before = line[..at].chars().rev();
        let continues = match before.next() {
            Some('"' | '\'') => before.next().is_some_and(is_part),
            Some(character) => is_part(character),
            None => false,
        };
        !word.starts_with('/') || !continues
    })
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_found_with_their_line() {
        assert_eq!(words("a.rs", "fine\n// TODO later"), ["a.rs:2: 'TODO' does not belong here"]);
        assert!(words("a.rs", "fine").is_empty());
        assert!(words("a.sh", "cp \"$dir\"/root/ $dir/root/").is_empty());
        for line in ["cp x /root/", "f(\"/root/x\")", "A=/root/x"] {
            assert_eq!(words("a.sh", line).len(), 1, "{line}");
        }
    }
}
