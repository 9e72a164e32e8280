//! Metering: which packets of routers are counted, and under which label.
//!
//! [`label`] and [`rule`] are the resources. Deliberately absent: counting, which is the L3 role's.

mod extensions;
pub mod label;
pub mod rule;
#[cfg(test)]
mod tests;

pub use extensions::previews;
