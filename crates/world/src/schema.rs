//! Which kinds of records there are, and how a stored body of each is read.

use crate::world::AnyTable;
use crate::{AnyRecord, Record, Table};
use smol_str::SmolStr;
use std::any::TypeId;
use std::sync::Arc;

/// A stored row cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database holds a kind that this server does not know.
    #[error("the database holds a resource of unknown kind '{0}'; it was written by a newer version")]
    UnknownKind(String),
    /// A body cannot be read.
    #[error("{kind} {id} cannot be read from the database: {reason}")]
    BadBody {
        /// Its kind.
        kind: SmolStr,
        /// Its id.
        id: SmolStr,
        /// Why.
        reason: String,
    },
}

/// Reads the body of a record with this id and version.
type Decode = fn(&str, u16, &str) -> Result<Arc<dyn AnyRecord>, SchemaError>;

struct Kind {
    type_id: TypeId,
    name: &'static str,
    empty: fn() -> Arc<dyn AnyTable>,
    decode: Decode,
}

/// The kinds of records, in a fixed order. Made once, from the registry.
#[derive(Default)]
pub struct Schema {
    kinds: Vec<Kind>,
}

impl Schema {
    /// A schema without kinds.
    pub fn new() -> Self {
        Schema::default()
    }

    /// Adds a kind.
    #[must_use]
    pub fn with<R: Record>(mut self) -> Self {
        assert!(self.kinds.iter().all(|kind| kind.name != R::KIND), "kind {} is registered twice", R::KIND);
        let decode = |id: &str, version, body: &str| Ok(Arc::new(decode::<R>(id, version, body)?) as Arc<dyn AnyRecord>);
        self.kinds.push(Kind { type_id: TypeId::of::<R>(), name: R::KIND, empty: || Arc::new(Table::<R>::default()), decode });
        self
    }

    /// The names of the kinds, in order of registration.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|kind| kind.name)
    }

    /// Reads a stored body.
    pub fn decode(&self, kind: &str, id: &str, version: u16, body: &str) -> Result<Arc<dyn AnyRecord>, SchemaError> {
        let slot = self.slot_of_name(kind)?;
        (self.kinds[slot].decode)(id, version, body)
    }

    pub(crate) fn empty_tables(&self) -> Vec<Arc<dyn AnyTable>> {
        self.kinds.iter().map(|kind| (kind.empty)()).collect()
    }

    pub(crate) fn slot(&self, type_id: TypeId) -> usize {
        self.kinds.iter().position(|kind| kind.type_id == type_id).expect("every kind in use is in the registry")
    }

    pub(crate) fn slot_of_name(&self, name: &str) -> Result<usize, SchemaError> {
        self.kinds.iter().position(|kind| kind.name == name).ok_or_else(|| SchemaError::UnknownKind(name.to_owned()))
    }

    pub(crate) fn name(&self, slot: usize) -> &'static str {
        self.kinds[slot].name
    }
}

pub(crate) fn decode<R: Record>(id: &str, version: u16, body: &str) -> Result<R, SchemaError> {
    let bad = |reason: String| SchemaError::BadBody { kind: SmolStr::new(R::KIND), id: SmolStr::new(id), reason };
    if version == R::VERSION {
        serde_json::from_str(body).map_err(|e| bad(e.to_string()))
    } else {
        let old = serde_json::from_str(body).map_err(|e| bad(e.to_string()))?;
        serde_json::from_value(R::upgrade(version, old).map_err(bad)?).map_err(|e| bad(e.to_string()))
    }
}
