//! Commands over a guest's serial console.
//!
//! A request is one line: an id and the command, base64-coded. The answer comes between a line of `STX` (2) and the id, and one
//! of `ETX` (3), the id and the exit status, so that what the kernel prints or an earlier command left is told apart.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Socket of the console, among the instance's files.
pub const SOCKET: &str = "console.sock";
/// All that was ever printed.
pub const LOG: &str = "console.log";
/// Begins the line that says the guest is up; its address follows, or `-`.
pub const READY: &str = "NEUTRINO-READY";
/// Without a byte for so long, the console is taken as held by somebody else.
const SILENCE: Duration = Duration::from_secs(120);

/// Runs a command in the guest, prints what it prints, and answers with its status.
pub fn run(files: &Path, command: &[String]) -> Result<ExitCode> {
    let path = files.join(SOCKET);
    let mut stream = UnixStream::connect(&path).with_context(|| format!("connecting to the console {}", path.display()))?;
    stream.set_read_timeout(Some(SILENCE))?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let script = command.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    writeln!(stream, "{id} {}", base64(script.as_bytes())).context("writing to the console")?;
    let status = answer(&mut BufReader::new(stream), &id, &mut std::io::stdout().lock())?;
    Ok(ExitCode::from(status))
}

/// Copies what is between the marks and returns the status.
fn answer(console: &mut impl BufRead, id: &str, out: &mut impl Write) -> Result<u8> {
    let (begin, end) = (format!("\u{2}{id}"), format!("\u{3}{id} "));
    let mut begun = false;
    // A line's end is printed with the next line: the one before the mark is the mark's own.
    let mut held: Option<Vec<u8>> = None;
    loop {
        let mut line = Vec::new();
        match console.read_until(b'\n', &mut line) {
            Ok(0) => bail!("the guest ended before the command did"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => bail!("the guest is silent; is another exec running in it?"),
            Err(error) => return Err(error).context("reading the console"),
        }
        let content = line.strip_suffix(b"\n").unwrap_or(&line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        if !begun {
            begun = content == begin.as_bytes();
            continue;
        }
        if let Some(status) = content.strip_prefix(end.as_bytes()) {
            if let Some(last) = held.filter(|last| !last.is_empty()) {
                out.write_all(&last)?;
            }
            out.flush()?;
            return Ok(std::str::from_utf8(status)?.trim().parse::<u8>()?);
        }
        if let Some(mut before) = held.replace(content.to_vec()) {
            before.push(b'\n');
            out.write_all(&before)?;
            out.flush()?;
        }
    }
}

/// A word as the shell takes it literally.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in data.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(u8, String)> {
        let mut out = Vec::new();
        let status = answer(&mut BufReader::new(text.as_bytes()), "7", &mut out)?;
        Ok((status, String::from_utf8(out)?))
    }

    #[test]
    fn only_what_is_between_the_marks() {
        let got = read("noise\n\u{2}6\nold\n\u{3}6 0\n\n\u{2}7\r\na\r\nb\r\n\r\n\u{3}7 3\r\n").unwrap();
        assert_eq!(got, (3, "a\nb\n".to_owned()));
    }

    #[test]
    fn the_last_line_keeps_its_missing_end() {
        assert_eq!(read("\u{2}7\na\n\u{3}7 0\n").unwrap(), (0, "a".to_owned()));
        assert_eq!(read("\u{2}7\n\n\u{3}7 0\n").unwrap(), (0, String::new()));
    }

    #[test]
    fn a_guest_that_dies() {
        assert!(read("\u{2}7\na\n").is_err());
    }

    #[test]
    fn words_survive() {
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        for (data, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(data.as_bytes()), text);
        }
    }
}
