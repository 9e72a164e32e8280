//! The engines: `sqlite`, the embedded default, and `memory`, for the simulator and tests.
