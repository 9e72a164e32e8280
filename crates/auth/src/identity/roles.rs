//! The roles that other roles imply: admin, manager, member, reader, each implying the next.

use crate::Roles;

/// The chain of roles from the most to the least powerful.
pub(super) const CHAIN: [&str; 4] = ["admin", "manager", "member", "reader"];

/// The roles together with those they imply.
pub fn with_implied<'a>(roles: impl IntoIterator<Item = &'a str>) -> Roles {
    let given = Roles::new(roles);
    let strongest = CHAIN.iter().position(|role| given.contains(role)).unwrap_or(CHAIN.len());
    Roles::new(given.iter().chain(CHAIN[strongest..].iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_implies_the_weaker_ones() {
        let expand = |roles: &[&str]| with_implied(roles.iter().copied()).iter().collect::<Vec<_>>().join(" ");
        assert_eq!(expand(&["admin"]), "admin manager member reader");
        assert_eq!(expand(&["service", "member"]), "member reader service");
        assert_eq!(expand(&["auditor"]), "auditor");
        assert_eq!(expand(&[]), "");
    }
}
