//! The `neutrino` binary.
fn main() {}
