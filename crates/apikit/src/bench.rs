//! A world to run operations in, without requests: no schema, policy or quota stands before them.

use api::{Fault, Fields, Op, Resource, Settings};
use auth::Caller;
use net::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use world::{Change, Context, Record, Tx, World};

/// The state, and who changes it.
pub struct Bench {
    /// The state.
    pub world: World,
    /// What operations are told of the configuration.
    pub settings: Settings,
    /// Who asks.
    pub caller: Caller,
    /// What the last operation changed.
    pub last: Change,
    seed: u64,
}

impl Bench {
    /// An empty state.
    pub fn new(settings: Settings, caller: Caller) -> Bench {
        Bench { world: World::empty(Arc::new(model::schema())), settings, caller, last: Change::default(), seed: 0 }
    }

    /// Runs an operation; a refusal changes nothing.
    pub fn run<T>(&mut self, operation: impl FnOnce(&mut Op<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.seed += 1;
        let mut tx = Tx::new(self.world.clone(), Context::new(Timestamp(1_000 + self.seed.cast_signed()), "req".into(), self.seed));
        let result = operation(&mut Op { tx: &mut tx, caller: &self.caller, settings: &self.settings })?;
        (self.world, self.last) = tx.finish();
        Ok(result)
    }

    /// Runs one that cannot be refused.
    pub fn act<T>(&mut self, operation: impl FnOnce(&mut Op<'_>) -> T) -> T {
        self.run(|op| Ok(operation(op))).expect("it cannot be refused")
    }

    /// Creates a record of the caller's; the fields are in their canonical form.
    pub fn create<R: Record>(&mut self, resource: Resource<R>, mut body: Value) -> Result<R::Id, Fault> {
        let map = body.as_object_mut().expect("an object");
        map.entry("project_id").or_insert_with(|| self.caller.project_id.as_str().into());
        let fields = Fields::new(map.clone());
        let create = resource.create.expect("it can be created");
        self.run(|op| {
            resource.references.map_or(Ok(()), |references| references(op, &fields))?;
            create(op, &fields)
        })
    }

    /// Changes one.
    pub fn update<R: Record>(&mut self, resource: Resource<R>, id: R::Id, body: Value) -> Result<(), Fault> {
        let fields = Fields::new(body.as_object().expect("an object").clone());
        let record = self.get::<R>(id);
        let update = resource.update.expect("it can be updated");
        self.run(|op| update(op, &record, &fields))
    }

    /// Removes one.
    pub fn delete<R: Record>(&mut self, resource: Resource<R>, id: R::Id) -> Result<(), Fault> {
        let record = self.get::<R>(id);
        let delete = resource.delete.expect("it can be deleted");
        self.run(|op| delete(op, &record))
    }

    /// A record that is there.
    pub fn get<R: Record>(&self, id: R::Id) -> Arc<R> {
        self.world.get::<R>(&id).expect("it is there").clone()
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// A refusal's status and type.
pub fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (u16, &'static str) {
    let fault = result.expect_err("a refusal");
    (fault.status, fault.kind)
}
