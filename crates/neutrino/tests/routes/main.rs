//! Everything that the API answers, judged without naming it: the routes come from the registry, bodies and queries from their schemas.
//!
//! What is new is judged from its first line on: nobody reaches it without a token, nobody does what the rules do not allow, nobody sees another
//! project's data, and no request makes the server fail. A resource whose create cannot be guessed from its schema says how in
//! `cloud::hint`; the test `everything_can_be_made` tells.
//!
//! `random` asks at random, the same in each run. For longer: `NEUTRINO_FUZZ_CASES=100000 NEUTRINO_FUZZ_SEED=7 cargo test --test routes random`.

mod cloud;
mod document;
mod generate;
mod judge;
mod permissions;
mod random;
#[path = "../../src/registry.rs"]
#[allow(dead_code, reason = "the registry's own tests are the binary's")]
mod registry;
