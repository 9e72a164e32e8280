//! Ports, by topic.

mod addresses;
mod binding;
mod devices;
mod security;
