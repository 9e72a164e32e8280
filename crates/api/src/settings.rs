//! Typed configuration and soft state that operations and attributes may read, filled once by the binary.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// One value of each type: `ml2::Config`, the agents' heartbeats. There is no global configuration.
#[derive(Clone, Default)]
pub struct Settings {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Settings {
    /// No settings.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// Adds the value of a type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: Arc<T>) -> Settings {
        self.values.insert(TypeId::of::<T>(), value);
        self
    }

    /// The value of a type.
    ///
    /// # Panics
    /// When the binary did not set it: a mistake in the registry, found by the first request of any test.
    pub fn get<T: Any + Send + Sync>(&self) -> &T {
        self.find().unwrap_or_else(|| panic!("{} is not among the settings", std::any::type_name::<T>()))
    }

    /// The value of a type, if the binary set one.
    pub fn find<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.values.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref())
    }
}
