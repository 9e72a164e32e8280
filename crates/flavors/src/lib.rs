//! Flavors: what an administrator offers of a service, without saying how it is done.
//!
//! [`flavor`] and [`profile`] are the resources, `association` joins them; [`providers`] are those who carry services.
//! [`of_router`] lets a router be asked for by flavor. A new service that has flavors is an addition like it.
//!
//! Deliberately absent: choice among several profiles of a flavor; the first decides.

mod association;
mod extensions;
pub mod flavor;
pub mod profile;
pub mod providers;
mod router;
#[cfg(test)]
mod tests;

pub use extensions::extensions;
pub use router::of_router;

use api::{Fault, Registry, Settings};
use model::{Flavor, ServiceProfile};
use net::{FlavorId, ServiceProfileId};
use providers::Provider;
use smol_str::SmolStr;
use world::World;

/// What is written by hand: service providers, and what is below flavors.
pub fn register(registry: Registry) -> Registry {
    registry
        .collection("service_providers", providers::collection)
        .member("flavors", "service_profiles", association::service_profiles)
        .member("flavors", "next_providers", association::next_providers)
}

/// Why an operation was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FlavorFault {
    /// 404 `FlavorNotFound`; the id as it was given.
    NotFound(String),
    /// 409 `FlavorInUse`.
    InUse(FlavorId),
    /// 404 `ServiceProfileNotFound`.
    NoProfile(ServiceProfileId),
    /// 409 `ServiceProfileInUse`: flavors have it.
    ProfileInUse(ServiceProfileId),
    /// 400 `ServiceProfileEmpty`: it says nothing.
    EmptyProfile,
    /// 503 `ServiceProfileDisabled`.
    ProfileDisabled,
    /// 404 `ServiceProfileDriverNotFound`: no provider has it.
    NoDriver(SmolStr),
    /// 409 `FlavorServiceProfileBindingExists`.
    Associated(ServiceProfileId, FlavorId),
    /// 404 `FlavorServiceProfileBindingNotFound`; none: the flavor has no profile. The flavor's id as it was given.
    NotAssociated(Option<ServiceProfileId>, String),
    /// 400 `InvalidServiceType`.
    ServiceType(SmolStr),
    /// 400 `InvalidInput`: the provider does not do what else was asked for: an attribute, and its value.
    Unsupported(&'static str, &'static str, bool),
    /// 400 `InvalidInput`: nor does that of the flavor that the router has.
    Fixed,
}

impl From<FlavorFault> for Fault {
    fn from(fault: FlavorFault) -> Fault {
        let (status, kind, message) = match fault {
            FlavorFault::NotFound(id) => (404, "FlavorNotFound", format!("Flavor {id} could not be found.")),
            FlavorFault::InUse(id) => (409, "FlavorInUse", format!("Flavor {id} is used by some service instance.")),
            FlavorFault::NoProfile(id) => (404, "ServiceProfileNotFound", format!("Service Profile {id} could not be found.")),
            FlavorFault::ProfileInUse(id) => {
                (409, "ServiceProfileInUse", format!("Service Profile {id} is used by some service instance."))
            }
            FlavorFault::EmptyProfile => (400, "ServiceProfileEmpty", "Service Profile needs either a driver or metainfo.".to_owned()),
            FlavorFault::ProfileDisabled => (503, "ServiceProfileDisabled", "Service Profile is not enabled.".to_owned()),
            FlavorFault::NoDriver(driver) => {
                (404, "ServiceProfileDriverNotFound", format!("Service Profile driver {driver} could not be found."))
            }
            FlavorFault::Associated(profile, flavor) => {
                let message = format!("Service Profile {profile} is already associated with flavor {flavor}.");
                (409, "FlavorServiceProfileBindingExists", message)
            }
            FlavorFault::NotAssociated(profile, flavor) => {
                let profile = profile.map(|id| id.to_string()).unwrap_or_default();
                let message = format!("Service Profile {profile} is not associated with flavor {flavor}.");
                (404, "FlavorServiceProfileBindingNotFound", message)
            }
            FlavorFault::ServiceType(word) => (400, "InvalidServiceType", format!("Invalid service type: {word}.")),
            FlavorFault::Unsupported(provider, attribute, value) => {
                let value = if value { "True" } else { "False" };
                return Fault::invalid_input(format_args!("Provider {provider} does not support {attribute}={value}"));
            }
            FlavorFault::Fixed => {
                let message = "Changing the 'ha' and 'distributed' attributes on a router associated with a flavor is not supported";
                return Fault::invalid_input(message);
            }
        };
        Fault::new(status, kind, message)
    }
}

/// Who carries a flavor: the provider of its first profile.
pub fn provider_of(settings: &Settings, world: &World, flavor: &Flavor) -> Result<&'static Provider, FlavorFault> {
    let profile = flavor.service_profiles.first().ok_or(FlavorFault::NotAssociated(None, flavor.id.to_string()))?;
    let profile = world.get::<ServiceProfile>(profile).ok_or(FlavorFault::NoProfile(*profile))?;
    if !profile.enabled {
        return Err(FlavorFault::ProfileDisabled);
    }
    providers::by_driver(settings, &profile.driver).ok_or_else(|| FlavorFault::NoDriver(profile.driver.clone()))
}
