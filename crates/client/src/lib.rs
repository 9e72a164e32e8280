//! A small synchronous client of the Networking API, for the command line, demonstrations and tests.
//!
//! Bodies are JSON values: what the API answers is what the caller sees. Deliberately absent: TLS (the client serves one
//! machine), retries of writes, and typed resources.
//!
//! ```no_run
//! # fn main() -> Result<(), client::Error> {
//! let cloud = client::Cloud::from_file("clouds.yaml".as_ref(), "neutrino")?;
//! let network = cloud.create("networks", &serde_json::json!({"name": "blue"}))?;
//! let ports = cloud.list("ports", &[("network_id", network["id"].as_str().unwrap_or_default())])?;
//! # Ok(()) }
//! ```

mod cloud;
mod config;
mod error;
mod identity;
mod query;
mod wait;

pub use cloud::Cloud;
pub use config::{Auth, CloudConfig, Password};
pub use error::{Error, Refusal};
pub use identity::Session;
pub use wait::{WaitError, wait_until};

/// The member name of one item of a collection as bodies carry it: `security-groups` → `security_group`.
pub fn singular(collection: &str) -> String {
    let name = collection.rsplit('/').next().unwrap_or(collection).replace('-', "_");
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(&name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn singular_names() {
        for (plural, one) in [
            ("networks", "network"),
            ("security-group-rules", "security_group_rule"),
            ("qos/policies", "policy"),
            ("ports/ID/bindings", "binding"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
