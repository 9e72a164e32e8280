//! Real packets through a router whose default routes are spread over its gateways (ECMP).

mod support;

use intent::{Unit, UnitId};
use std::collections::BTreeSet;
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::ways::*;

#[test]
fn flows_are_spread_and_each_stays_with_its_gateway() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        // Begun while there was one gateway.
        let router = shared(true, vec![first()]);
        on_the_scene(host, &router);
        let alone = flows("b", OUT);
        assert_eq!(all(&answers(&alone)), BTreeSet::from([BY[0]]));
        let [one, other] = [second(), third()].map(|port| with_ports(&shared(true, vec![port]))[0].clone());
        host.tell([one, Unit::Router(shared(true, vec![first(), second()]))], []);
        let spread = flows("a", OUT);
        let (mut before, six) = (Vec::new(), flows("d", OUT6));
        until("they are spread over both", || {
            before = answers(&spread);
            all(&before) == BTreeSet::from([BY[0], BY[1]])
        });
        assert_eq!(all(&answers(&six)), BTreeSet::from(["internet fd00:2::8", "machine fd00:2::8"]), "{:?}", host.faults());
        let before_six = answers(&six);
        for _ in 0..3 {
            assert_eq!((answers(&spread), answers(&six)), (before.clone(), before_six.clone()), "each stays");
        }
        assert_eq!(all(&answers(&alone)), BTreeSet::from([BY[0]]), "also those of before");
        // A third comes: nobody moves, new ones use it.
        host.tell([other, Unit::Router(shared(true, vec![first(), second(), third()]))], []);
        until("new ones are spread over all", || all(&answers(&flows("a", OUT))) == BTreeSet::from(BY));
        assert_eq!((answers(&spread), answers(&six)), (before.clone(), before_six.clone()), "each stays: {:?}", host.faults());
        // No longer shared: new ones leave by the first, the others stay.
        host.change(Unit::Router(shared(false, vec![first(), second(), third()])));
        assert_eq!(all(&answers(&flows("a", OUT))), BTreeSet::from([BY[0]]));
        assert_eq!((answers(&spread), answers(&six)), (before.clone(), before_six.clone()), "each stays");
        // One goes.
        host.tell([Unit::Router(shared(true, vec![first(), third()]))], [UnitId::Port(port_id(21))]);
        until("all reach who is left", || all(&answers(&flows("a", OUT))) == BTreeSet::from([BY[0], BY[2]]));
        let after = answers(&spread);
        let moved = |(before, after): &(&String, &String)| before == after || (*before == BY[1] && BY[1] != *after);
        assert!(before.iter().zip(&after).all(|pair| moved(&pair)), "{before:?} {after:?}");
        assert_eq!(all(&answers(&six)), BTreeSet::from(["internet fd00:2::8"]));
        // As a process that knows nothing of before finds it.
        host.kill();
        host.start(scene().into_iter().chain(with_ports(&shared(true, vec![first(), third()]))).chain(beside()));
        host.wait(&format!("router/{}", router_id(1)), 0);
        assert_eq!(answers(&spread), after);
    });
}
