//! Units to tell, and a host that is a model.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod build;
pub mod held;
pub mod lab;
pub mod model;
pub mod routed;
pub mod traffic;
pub mod ways;
