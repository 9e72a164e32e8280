//! Security groups: what may reach an instance and what it may send.
//!
//! [`group`], [`rule`] and [`address_group`] are the resources; [`ensure_default`] gives each project its `default` group on first sight, which networks
//! and ports of `ml2` call too. What a host makes of groups is in the compile crates. [`default_rule`] and
//! [`default_statefulness`] say what new groups start with.

pub mod address_group;
pub mod default_rule;
pub mod default_statefulness;
mod extensions;
pub mod group;
pub mod rule;
mod template;
#[cfg(test)]
mod testing;

pub use extensions::extensions;
pub use template::ensure_default;
