//! What can go wrong between us and the kernel.

use std::fmt;
use std::io;

/// An operation on an object failed.
#[derive(Debug, thiserror::Error)]
#[error("{op} {object}: {source}")]
pub struct Error {
    /// What was tried: `create link`, `add rule` ….
    pub op: &'static str,
    /// On what, as people name it.
    pub object: String,
    /// Why it failed.
    #[source]
    pub source: Cause,
}

/// Why an operation failed.
#[derive(Debug)]
pub enum Cause {
    /// The kernel refused, sometimes with words.
    Kernel(io::Error, Option<String>),
    /// A file or process operation failed.
    Io(io::Error),
    /// The kernel's answer or a file of ours makes no sense, or the request cannot be expressed.
    Invalid(String),
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Retry,
    /// Something of that name is there already.
    Exists,
    /// The object, or one it refers to, is not there.
    Gone,
    /// Not permitted, or not supported by this kernel.
    Denied,
    /// We asked for nonsense.
    Bug,
}

impl Error {
    pub(crate) fn new(op: &'static str, object: impl fmt::Display, source: Cause) -> Error {
        Error { op, object: object.to_string(), source }
    }

    pub(crate) fn io(op: &'static str, object: impl fmt::Display, source: impl Into<io::Error>) -> Error {
        Error::new(op, object, Cause::Io(source.into()))
    }

    pub(crate) fn invalid(op: &'static str, object: impl fmt::Display, why: impl Into<String>) -> Error {
        Error::new(op, object, Cause::Invalid(why.into()))
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match &self.source {
            Cause::Invalid(_) => ErrorKind::Bug,
            Cause::Kernel(error, _) | Cause::Io(error) => error.raw_os_error().map_or(ErrorKind::Retry, kind_of),
        }
    }
}

/// The kind of an errno.
pub(crate) fn kind_of(errno: i32) -> ErrorKind {
    match errno {
        libc::EEXIST => ErrorKind::Exists,
        libc::ENOENT | libc::ENODEV | libc::ESRCH | libc::EADDRNOTAVAIL | libc::ENXIO => ErrorKind::Gone,
        libc::EPERM | libc::EACCES | libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EPROTO => ErrorKind::Denied,
        libc::EINVAL | libc::ERANGE | libc::EMSGSIZE | libc::ENAMETOOLONG => ErrorKind::Bug,
        _ => ErrorKind::Retry,
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Kernel(error, None) | Cause::Io(error) => write!(f, "{error}"),
            Cause::Kernel(error, Some(text)) => write!(f, "{error}: {text}"),
            Cause::Invalid(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Cause::Kernel(error, _) | Cause::Io(error) => Some(error),
            Cause::Invalid(_) => None,
        }
    }
}
