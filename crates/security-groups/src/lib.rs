//! Security groups: what may reach an instance and what it may send.
//!
//! [`group`], [`rule`] and [`address_group`] are the resources; [`ensure_default`] gives each project its `default` group on first sight, which networks
//! and ports of `ml2` call too. What a host makes of groups is in the compile crates. Deliberately absent:
//! operator-defined default rules, which are a feature of their own.

pub mod address_group;
mod extensions;
pub mod group;
pub mod rule;
mod template;
#[cfg(test)]
mod testing;

pub use extensions::extensions;
pub use template::ensure_default;
