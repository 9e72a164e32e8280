//! A client and a server made of words: who gets what, what is asked again, and what strangers may not do.

use super::client::{Client, Outcome};
use super::message::{Answer, Association, Kind, Prefix};
use ipnet::Ipv6Net;
use std::time::{Duration, Instant};

const IDENTITY: [u8; 3] = [0, 4, 9];
const IAID: u32 = 7;

fn net(text: &str) -> Ipv6Net {
    text.parse().expect("a prefix")
}

/// The type and the transaction of what a client sends.
fn sent(client: &mut Client, now: Instant) -> (u8, [u8; 3]) {
    let (message, outcome) = client.turn(now);
    let message = message.expect("it has something to say");
    assert_eq!(outcome, None);
    (message[0], [message[1], message[2], message[3]])
}

fn association(prefix: &str, valid_s: u32, status: u16) -> Association {
    let prefix = Prefix { preferred_s: valid_s / 2, valid_s, net: net(prefix) };
    Association { iaid: IAID, times_s: (10, 20), prefixes: vec![prefix], status }
}

fn answer(kind: Kind, transaction: [u8; 3], association: Association) -> Answer {
    Answer {
        kind,
        transaction,
        client: IDENTITY.to_vec(),
        server: vec![1, 2],
        preference: 0,
        is_rapid: false,
        status: 0,
        associations: vec![association],
    }
}

fn client(known: Option<&str>, now: Instant) -> Client {
    Client::new(IDENTITY.to_vec(), IAID, known.map(net), now)
}

/// A client that has this prefix for 40 s, and when.
fn bound(prefix: &str) -> (Client, Instant) {
    let now = Instant::now();
    let mut client = client(None, now);
    let (kind, transaction) = sent(&mut client, now);
    assert_eq!(kind, Kind::Solicit as u8);
    assert_eq!(client.hear(&answer(Kind::Advertise, transaction, association(prefix, 40, 0)), now), None);
    let later = client.due();
    assert!(later > now, "others may have something better");
    let (kind, transaction) = sent(&mut client, later);
    assert_eq!(kind, Kind::Request as u8);
    let outcome = client.hear(&answer(Kind::Reply, transaction, association(prefix, 40, 0)), later);
    assert_eq!(outcome, Some(Outcome::Delegated(net(prefix))));
    (client, later)
}

#[test]
fn a_prefix_is_asked_for_renewed_and_given_back() {
    let (mut client, now) = bound("2001:db8:1::/64");
    assert_eq!(client.turn(now), (None, None), "nothing is due");
    assert_eq!(client.due(), now + Duration::from_secs(10));
    let renewal = now + Duration::from_secs(10);
    let (kind, transaction) = sent(&mut client, renewal);
    assert_eq!(kind, Kind::Renew as u8);
    let renewed = client.hear(&answer(Kind::Reply, transaction, association("2001:db8:1::/64", 40, 0)), renewal);
    assert_eq!(renewed, Some(Outcome::Delegated(net("2001:db8:1::/64"))));
    assert_eq!(client.release().map(|message| message[0]), Some(Kind::Release as u8));
}

#[test]
fn a_server_that_falls_silent_is_replaced_and_the_prefix_ends() {
    let (mut client, began) = bound("2001:db8:1::/64");
    let (mut said, mut unanswered) = (Vec::new(), 0);
    let (end, now) = loop {
        let now = client.due();
        assert!(now < began + Duration::from_secs(60));
        let (message, outcome) = client.turn(now);
        said.extend(message.map(|message| message[0]));
        match outcome {
            Some(Outcome::Unanswered) => unanswered += 1,
            Some(outcome) => break (outcome, now),
            None => {}
        }
    };
    assert_eq!(end, Outcome::Lost);
    assert!(unanswered > 0, "it is said before the prefix is lost");
    assert!(now >= began + Duration::from_secs(40), "not before its time: {:?}", now - began);
    said.dedup();
    assert_eq!(said, [Kind::Renew, Kind::Rebind, Kind::Solicit].map(|kind| kind as u8));
}

#[test]
fn what_is_asked_for_in_vain_is_said() {
    let began = Instant::now();
    let mut client = client(None, began);
    let mut next = || {
        let now = client.due();
        (client.turn(now).1, now)
    };
    assert_eq!([next().0, next().0], [None, None], "an answer may be lost");
    let (outcome, now) = next();
    assert_eq!(outcome, Some(Outcome::Unanswered));
    assert!(now < began + Duration::from_secs(5), "soon: {:?}", now - began);
    assert_eq!(next().0, Some(Outcome::Unanswered), "and as long as it is so");
    let due = client.due();
    let (Some(message), Some(Outcome::Unanswered)) = client.turn(due) else { panic!("it goes on asking") };
    let none = Association { iaid: IAID, status: 6, ..Association::default() };
    assert_eq!(client.hear(&answer(Kind::Advertise, [message[1], message[2], message[3]], none), due), None);
    let due = client.due();
    assert_eq!(client.turn(due).1, Some(Outcome::Refused), "there are servers");
}

#[test]
fn a_known_prefix_is_confirmed_or_denied() {
    let now = Instant::now();
    let known = "2001:db8:1::/64";
    let ask = || {
        let mut client = client(Some(known), now);
        let (kind, transaction) = sent(&mut client, now);
        assert_eq!(kind, Kind::Rebind as u8);
        (client, transaction)
    };
    let (mut client, transaction) = ask();
    let confirmed = client.hear(&answer(Kind::Reply, transaction, association(known, 40, 0)), now);
    assert_eq!(confirmed, Some(Outcome::Delegated(net(known))));
    let (mut client, transaction) = ask();
    let denied = Association { iaid: IAID, status: 3, ..Association::default() };
    assert_eq!(client.hear(&answer(Kind::Reply, transaction, denied), now), Some(Outcome::Lost));
    // Nobody says anything: it stays until somebody does.
    let (mut client, _) = ask();
    let mut next = || {
        let due = client.due();
        sent(&mut client, due).0
    };
    let kinds: Vec<u8> = (0..5).map(|_| next()).collect();
    assert_eq!(kinds, [6, 6, 6, 1, 1], "rebind, then solicit");
}

#[test]
fn strangers_and_nonsense_change_nothing() {
    let now = Instant::now();
    let mut client = client(None, now);
    let (_, transaction) = sent(&mut client, now);
    let good = || answer(Kind::Advertise, transaction, association("2001:db8:1::/64", 40, 0));
    let bad = [
        Answer { transaction: [transaction[0] ^ 1, transaction[1], transaction[2]], ..good() },
        Answer { client: vec![0, 4, 8], ..good() },
        Answer { server: vec![], ..good() },
        Answer { status: 6, ..good() },
        Answer { kind: Kind::Reply, ..good() },
        answer(Kind::Advertise, transaction, Association { iaid: 8, ..association("2001:db8:1::/64", 40, 0) }),
        answer(Kind::Advertise, transaction, association("2001:db8:1::/64", 0, 0)),
        answer(Kind::Advertise, transaction, association("2001:db8:1::/80", 40, 0)),
        answer(Kind::Advertise, transaction, association("fe80::/64", 40, 0)),
        answer(Kind::Advertise, transaction, association("ff00::/8", 40, 0)),
        answer(Kind::Advertise, transaction, association("2001:db8:1::/64", 40, 6)),
    ];
    for answer in bad {
        assert_eq!(client.hear(&answer, now), None);
    }
    let due = client.due();
    assert_eq!(sent(&mut client, due).0, Kind::Solicit as u8, "there was no offer");
}

#[test]
fn what_is_sent_is_of_the_standard_and_what_is_cut_short_is_nothing() {
    let mut client = client(Some("2001:db8:1::/64"), Instant::now());
    let (Some(message), None) = client.turn(Instant::now()) else { panic!("a rebind") };
    let transaction = &message[1..4];
    let wanted = [
        &[6][..],
        transaction,
        &[0, 1, 0, 3, 0, 4, 9],
        &[0, 8, 0, 2, 0, 0],
        &[0, 25, 0, 41, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 26, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_eq!(message, wanted.concat());
    // The same as a server would give it: all of it is read, and no part of it.
    let reply = [&[7][..], &message[1..4], &[0, 2, 0, 1, 5], &message[4..]].concat();
    let read = Answer::decode(&reply).expect("an answer");
    assert_eq!((read.server.as_slice(), read.associations[0].prefixes[0].net), (&[5][..], net("2001:db8:1::/64")));
    for length in 5..reply.len() {
        if let Some(part) = Answer::decode(&reply[..length]) {
            assert!(part.associations.is_empty(), "{length} bytes");
        }
    }
    for byte in 0..reply.len() {
        let mut spoilt = reply.clone();
        spoilt[byte] = 0xff;
        _ = Answer::decode(&spoilt);
    }
}
