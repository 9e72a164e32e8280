//! What is found by an index comes in id order, whether few have the key or most, and however the records came about.

mod things;

use net::Timestamp;
use std::collections::BTreeMap;
use things::{TAG, Thing, check_indexes, request, schema};
use uuid::Uuid;
use world::{Context, Tx, World};

/// All have tag 1, of 2 and 3 every second and third …
const TAGS: [u64; 7] = [1, 2, 3, 15, 17, 100, 1000];
const THINGS: u64 = 3000;

fn thing(number: u64) -> Thing {
    let tags = TAGS.into_iter().filter(|tag| number.is_multiple_of(*tag)).collect();
    Thing { tags, ..Thing::new(number, "thing") }
}

fn check(world: &World, model: &BTreeMap<Uuid, Thing>) {
    check_indexes(world).expect("indexes say what the records say");
    let table = world.table::<Thing>();
    assert_eq!(table.len(), model.len());
    assert!(table.iter().map(|thing| &**thing).eq(model.values()));
    assert!(table.iter().rev().map(|thing| &**thing).eq(model.values().rev()));
    for tag in TAGS {
        let expected = || model.values().filter(|thing| thing.tags.contains(&tag));
        assert!(table.by(TAG, tag).map(|thing| &**thing).eq(expected()), "tag {tag}");
        assert!(table.ids(TAG, tag).copied().eq(expected().map(|thing| thing.id)), "ids with tag {tag}");
        assert_eq!(table.count(TAG, tag), expected().count());
        assert_eq!(table.has(TAG, tag), expected().next().is_some());
    }
    let (middle, _) = model.iter().nth(model.len() / 2).expect("there are some");
    assert!(table.after(middle).map(|thing| thing.id).eq(model.range(middle..).skip(1).map(|(id, _)| *id)));
    assert!(model.iter().all(|(id, thing)| table.get(id).is_some_and(|there| **there == *thing)));
}

#[test]
fn keys_of_few_and_of_most() {
    let mut model: BTreeMap<Uuid, Thing> = BTreeMap::new();
    let mut tx = Tx::new(World::empty(schema()), Context::new(Timestamp(0), request(), 1));
    for number in 1..=THINGS {
        tx.put(thing(number));
        model.insert(Thing::id_of(number), thing(number));
    }
    let (full, _) = tx.finish();
    check(&full, &model);
    let before = model.clone();

    let mut tx = Tx::new(full.clone(), Context::new(Timestamp(0), request(), 1));
    for number in (1..=THINGS).filter(|number| number % 7 < 4) {
        assert!(tx.remove::<Thing>(&Thing::id_of(number)).is_some());
        model.remove(&Thing::id_of(number));
    }
    for number in (1..=THINGS).filter(|number| number % 21 == 1) {
        tx.put(thing(number));
        model.insert(Thing::id_of(number), thing(number));
    }
    for (id, there) in model.iter_mut().filter(|(id, _)| id.as_u128() % 5 == 0) {
        there.tags.retain(|tag| *tag != 2);
        tx.update::<Thing>(id, |thing| thing.tags.retain(|tag| *tag != 2));
    }
    let (changed, _) = tx.finish();
    check(&changed, &model);
    check(&full, &before);
}
