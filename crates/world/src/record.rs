//! What a resource must tell about itself to be kept in a table and in the log.

use crate::{Index, Key};
use net::ProjectId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::any::Any;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// An id of records: ordered (lists are in id order), and written as text in the log.
pub trait RecordId: Clone + Ord + Debug + Display + FromStr + Send + Sync + 'static {
    /// The smallest id, the lower bound of range scans.
    fn lowest() -> Self;
}

macro_rules! record_ids {
    ($($id:ident),*) => {$(
        impl RecordId for net::$id {
            fn lowest() -> Self {
                net::$id::MIN
            }
        }
    )*};
}
net::each_uuid_id!(record_ids);

impl RecordId for Uuid {
    fn lowest() -> Self {
        Uuid::nil()
    }
}

impl RecordId for SmolStr {
    fn lowest() -> Self {
        SmolStr::default()
    }
}

impl RecordId for ProjectId {
    fn lowest() -> Self {
        ProjectId::default()
    }
}

/// A kind of resource: a plain struct with an id. Its serde form is the body kept in the database.
///
/// A body carries [`Record::VERSION`]; a reader accepts this version and, through [`Record::upgrade`], the one before.
pub trait Record: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// The type of the ids.
    type Id: RecordId;
    /// Name of the kind in the log, singular: `port`.
    const KIND: &'static str;
    /// Version of the body's form.
    const VERSION: u16 = 1;
    /// Number of secondary indexes.
    const INDEXES: usize;

    /// The record's id.
    fn id(&self) -> Self::Id;

    /// The project that owns it, if one does.
    fn project_id(&self) -> Option<&ProjectId>;

    /// Writes each key under which the record is found, with the index it belongs to. A record may have several keys, or none,
    /// in one index.
    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key));

    /// Turns a body of the previous version into one of this version.
    fn upgrade(version: u16, body: serde_json::Value) -> Result<serde_json::Value, String> {
        let _ = body;
        Err(format!("{} body of version {version} is not known (this server reads version {})", Self::KIND, Self::VERSION))
    }
}

/// A record whose type is known only at run time.
pub trait AnyRecord: Any + Send + Sync + Debug {
    /// [`Record::KIND`].
    fn kind(&self) -> &'static str;
    /// [`Record::VERSION`].
    fn version(&self) -> u16;
    /// The id as text.
    fn id_text(&self) -> SmolStr;
    /// The owner, if there is one.
    fn owner(&self) -> Option<&ProjectId>;
    /// The body as JSON text.
    fn body(&self) -> String;
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
    /// For downcasting a shared record.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    /// True when the other is of the same kind and equal.
    fn same(&self, other: &dyn AnyRecord) -> bool;
}

impl<R: Record> AnyRecord for R {
    fn kind(&self) -> &'static str {
        R::KIND
    }

    fn version(&self) -> u16 {
        R::VERSION
    }

    fn id_text(&self) -> SmolStr {
        smol_str::format_smolstr!("{}", self.id())
    }

    fn owner(&self) -> Option<&ProjectId> {
        self.project_id()
    }

    fn body(&self) -> String {
        serde_json::to_string(self).expect("records have string keys and no failing serializers")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn same(&self, other: &dyn AnyRecord) -> bool {
        other.as_any().downcast_ref::<R>().is_some_and(|other| other == self)
    }
}
