//! security-groups.
