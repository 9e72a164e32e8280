//! The engines: `sqlite`, the embedded default, and `memory`, for the simulator and tests.

mod entries;
pub mod memory;
pub mod sqlite;

pub use memory::{Faults, Memory};
pub use sqlite::Sqlite;
