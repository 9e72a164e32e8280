//! Extension aliases: what clients look for before they use an attribute or resource.

/// An entry of `/v2.0/extensions`; listed only when it works end to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension {
    /// `alias`.
    pub alias: &'static str,
    /// `name`.
    pub name: &'static str,
    /// `description`.
    pub description: &'static str,
    /// `updated`: RFC 3339.
    pub updated: &'static str,
}
