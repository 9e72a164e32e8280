//! A world to run operations in: what unit tests of this crate share.

use api::{Fault, Fields, Op, Resource, Settings};
use auth::Caller;
use net::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use world::{Context, Record, Tx, World};

pub(crate) struct Lab {
    pub world: World,
    pub caller: Caller,
    settings: Settings,
    seed: u64,
}

impl Lab {
    pub fn new() -> Lab {
        let world = World::empty(Arc::new(model::schema()));
        Lab { world, caller: Caller::member("p1"), settings: Settings::new(), seed: 0 }
    }

    /// Runs an operation; a refusal changes nothing.
    pub fn run<T>(&mut self, operation: impl FnOnce(&mut Op<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.seed += 1;
        let mut tx = Tx::new(self.world.clone(), Context::new(Timestamp(self.seed.cast_signed()), "req".into(), self.seed));
        let result = operation(&mut Op { tx: &mut tx, caller: &self.caller, settings: &self.settings })?;
        self.world = tx.finish().0;
        Ok(result)
    }

    pub fn create<R: Record>(&mut self, resource: Resource<R>, mut body: Value) -> Result<R::Id, Fault> {
        let map = body.as_object_mut().expect("an object");
        map.entry("project_id").or_insert_with(|| self.caller.project_id.as_str().into());
        let fields = Fields::new(map.clone());
        let create = resource.create.expect("it can be created");
        self.run(|op| resource.references.map_or(Ok(()), |references| references(op, &fields)).and_then(|()| create(op, &fields)))
    }

    pub fn update<R: Record>(&mut self, resource: Resource<R>, id: R::Id, body: Value) -> Result<(), Fault> {
        let fields = Fields::new(body.as_object().expect("an object").clone());
        let record = self.get::<R>(id);
        let update = resource.update.expect("it can be updated");
        self.run(|op| update(op, &record, &fields))
    }

    pub fn delete<R: Record>(&mut self, resource: Resource<R>, id: R::Id) -> Result<(), Fault> {
        let record = self.get::<R>(id);
        let delete = resource.delete.expect("it can be deleted");
        self.run(|op| delete(op, &record))
    }

    pub fn get<R: Record>(&self, id: R::Id) -> Arc<R> {
        self.world.get::<R>(&id).expect("it is there").clone()
    }
}

/// The refusal's status and type.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Fault>) -> (u16, &'static str) {
    let fault = result.expect_err("a refusal");
    (fault.status, fault.kind)
}
