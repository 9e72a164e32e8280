//! `If-Match: revision_number=<int>`: change this only if nobody else has.

use crate::Fault;
use http::{HeaderMap, header};

/// The revision that a client believes to be current.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constraint(u64);

impl Constraint {
    /// Reads the header; other entity tags are ignored.
    pub fn read(headers: &HeaderMap) -> Result<Option<Constraint>, Fault> {
        let bad = |message: &str| Fault::new(400, "BadRequest", format!("Bad if-match request: {message}"));
        let mut found = None;
        let values = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
        for tag in values.flat_map(|value| value.split(',')) {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            let Some(number) = tag.strip_prefix("revision_number=") else { continue };
            let number = number.trim().parse().ok().filter(|_| found.is_none());
            let malformed = || bad("Revision number etag must be in the format of revision_number=<int>.");
            found = Some(Constraint(number.ok_or_else(malformed)?));
        }
        Ok(found)
    }

    /// 412 where the current revision is another.
    pub fn check(self, current: u64) -> Result<(), Fault> {
        if self.0 == current {
            return Ok(());
        }
        let message = format!("Constrained to {}, but current revision is {current}", self.0);
        Err(Fault::new(412, "RevisionNumberConstraintFailed", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<Option<Constraint>, Fault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, http::HeaderValue::from_static(value));
        }
        Constraint::read(&headers)
    }

    #[test]
    fn forms() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["\"x\", abc"]), Ok(None));
        assert_eq!(read(&["revision_number=3"]), Ok(Some(Constraint(3))));
        assert_eq!(read(&["\"revision_number=3\""]), Ok(Some(Constraint(3))));
        assert_eq!(read(&["revision_number=x"]).expect_err("not a number").status, 400);
        assert_eq!(read(&["revision_number=1", "revision_number=2"]).expect_err("two").status, 400);
        assert_eq!(read(&["revision_number=1, revision_number=2"]).expect_err("two").kind, "BadRequest");
    }

    #[test]
    fn a_mismatch_names_both() {
        let fault = Constraint(999).check(3).expect_err("a mismatch");
        assert_eq!((fault.status, fault.message.as_str()), (412, "Constrained to 999, but current revision is 3"));
        assert_eq!(Constraint(3).check(3), Ok(()));
    }
}
