//! Everything there is: every resource, extension alias and role. A new one is a line here.

use api::{QuotaConfig, Registry};

/// The resources and extensions that the API serves.
pub fn api(quotas: &QuotaConfig) -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource())
        .resource(ml2::agent::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .quotas(quotas)
        .extensions(ml2::extensions())
        .extensions(security_groups::extensions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_whole() {
        let faults = api(&QuotaConfig::default()).audit(&auth::Policy::defaults());
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
