//! Laws of a world under any operations: its changes make it, their reversal unmakes it, its indexes say what its records say.

mod things;

use net::{Revision, Timestamp};
use proptest::prelude::*;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use things::{Thing, check_indexes, request, same, schema};
use world::{Change, Context, Tx, World};

#[derive(Clone, Debug)]
enum Step {
    Put { number: u64, name: u8, count: u64, tags: Vec<u64> },
    Update { number: u64, name: u8 },
    Remove { number: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..40u64;
    prop_oneof![
        (number(), 0..4u8, 0..3u64, prop::collection::vec(0..5u64, 0..4)).prop_map(|(number, name, count, tags)| Step::Put {
            number,
            name,
            count,
            tags
        }),
        (number(), 0..4u8).prop_map(|(number, name)| Step::Update { number, name }),
        number().prop_map(|number| Step::Remove { number }),
    ]
}

fn run(world: &World, steps: &[Step], model: &mut BTreeMap<u64, Thing>) -> (World, Change) {
    let mut tx = Tx::new(world.clone(), Context::new(Timestamp(0), request(), 1));
    let name = |name: u8| SmolStr::new(format!("name-{name}"));
    for step in steps {
        match step {
            Step::Put { number, name: n, count, tags } => {
                let thing = Thing { tags: tags.clone(), ..Thing::new(*number, &name(*n)).counting(*count) };
                tx.put(thing.clone());
                model.insert(*number, thing);
            }
            Step::Update { number, name: n } => {
                let there = tx.update::<Thing>(&Thing::id_of(*number), |thing| thing.name = name(*n));
                assert_eq!(there, model.contains_key(number));
                if let Some(thing) = model.get_mut(number) {
                    thing.name = name(*n);
                }
            }
            Step::Remove { number } => {
                let removed = tx.remove::<Thing>(&Thing::id_of(*number)).map(|thing| (*thing).clone());
                assert_eq!(removed, model.remove(number));
            }
        }
    }
    tx.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn changes_make_worlds(operations in prop::collection::vec(prop::collection::vec(step(), 1..60), 1..12)) {
        let mut world = World::empty(schema());
        let mut model = BTreeMap::new();
        for (revision, steps) in (1..).map(Revision).zip(&operations) {
            let before: BTreeMap<_, _> = model.values().map(|thing: &Thing| (thing.id, thing.clone())).collect();
            let (after, change) = run(&world, steps, &mut model);
            // The world is what a map would be, and the one before has not changed.
            let expected: BTreeMap<_, _> = model.values().map(|thing| (thing.id, thing.clone())).collect();
            prop_assert!(after.table::<Thing>().iter().map(|thing| &**thing).eq(expected.values()));
            prop_assert!(world.table::<Thing>().iter().map(|thing| &**thing).eq(before.values()));
            check_indexes(&after).map_err(TestCaseError::fail)?;
            check_indexes(&world).map_err(TestCaseError::fail)?;
            // The change says all that is different, once, and makes one world from the other.
            let mut different: Vec<_> = before.keys().chain(expected.keys()).filter(|id| before.get(id) != expected.get(id)).collect();
            different.sort();
            different.dedup();
            let mut told: Vec<uuid::Uuid> = change.entries().iter().map(|entry| entry.id().parse().unwrap()).collect();
            told.sort();
            prop_assert!(told.iter().eq(different));
            for entry in change.entries() {
                let id = entry.id().parse().unwrap();
                prop_assert_eq!(entry.before::<Thing>(), before.get(&id));
                prop_assert_eq!(entry.after::<Thing>(), expected.get(&id));
            }
            let made = world.with_change(revision, &change);
            same(&made, &after).map_err(TestCaseError::fail)?;
            check_indexes(&made).map_err(TestCaseError::fail)?;
            world = made;
        }
    }
}
