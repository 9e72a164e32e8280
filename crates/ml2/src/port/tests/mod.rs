//! Ports, by topic.

mod addresses;
mod binding;
mod security;
