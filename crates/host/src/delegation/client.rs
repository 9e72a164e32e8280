//! The client's side of prefix delegation (RFC 8415, section 18.2) for one subnet, without sockets and clocks: it is told the time and
//! what was received, and says what to send and when it wants to be asked again.

use super::message::{Answer, Association, Kind, Prefix, Request};
use ipnet::Ipv6Net;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

/// The first pause and the longest one between two messages of an exchange (RFC 8415, section 7.6).
const SOLICIT: Pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(120) };
const REQUEST: Pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(30) };
const RENEW: Pauses = Pauses { first: Duration::from_secs(10), longest: Duration::from_secs(600) };
/// A prefix known from before is asked about as often, until its fate is taken to be unknown to all servers.
const CONFIRM: Pauses = Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(2) };
const CONFIRMS: u32 = 4;
const REQUESTS: u32 = 10;
/// So many messages may go without an answer before that is worth a word.
const PATIENCE: u32 = 2;
/// A server may not make its clients ask more often.
const LEAST: Duration = Duration::from_secs(1);
const FOREVER: u32 = u32::MAX;
/// Such a server is taken at once.
const BEST: u8 = 255;

#[derive(Clone, Copy, Debug)]
struct Pauses {
    first: Duration,
    longest: Duration,
}

/// What a server offers or has given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    server: Vec<u8>,
    preference: u8,
    prefix: Ipv6Net,
}

/// A prefix that is ours, with the moments of its life; none: it has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lease {
    server: Vec<u8>,
    prefix: Ipv6Net,
    renew: Option<Instant>,
    rebind: Option<Instant>,
    end: Option<Instant>,
}

#[derive(Clone, Debug)]
enum State {
    /// Who has prefixes? The best answer so far.
    Soliciting(Option<Offer>),
    Requesting(Offer),
    /// Who knows of this prefix, which was ours before?
    Confirming(Ipv6Net),
    Bound(Lease),
    /// The server that gave it is asked.
    Renewing(Lease),
    /// Any server is.
    Rebinding(Lease),
}

/// What became of the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Delegated(Ipv6Net),
    Lost,
    /// Asked for more than once, and nobody answers.
    Unanswered,
    /// Somebody answers, but has none to give.
    Refused,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    identity: Vec<u8>,
    iaid: u32,
    state: State,
    transaction: [u8; 3],
    /// When the exchange began, the pause after its last message, and how many were sent.
    began: Instant,
    pause: Duration,
    sent: u32,
    due: Instant,
    /// Somebody has answered that there is none, since that was told last.
    refused: bool,
}

impl Client {
    /// A client of this identity (a DUID), with the prefix that it had before.
    pub(super) fn new(identity: Vec<u8>, iaid: u32, known: Option<Ipv6Net>, now: Instant) -> Client {
        let state = known.map_or(State::Soliciting(None), State::Confirming);
        let mut client = Client { identity, iaid, state, transaction: [0; 3], began: now, pause: LEAST, sent: 0, due: now, refused: false };
        client.enter(client.state.clone(), now);
        client
    }

    /// When it wants to be asked for its turn.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        let [a, b, c, ..] = rand::random::<u32>().to_be_bytes();
        (self.transaction, self.began, self.sent) = ([a, b, c], now, 0);
        self.due = match &self.state {
            State::Bound(lease) => self.next_of(lease).unwrap_or(now + Duration::from_secs(86_400)).max(now + LEAST),
            _ => now,
        };
    }

    fn next_of(&self, lease: &Lease) -> Option<Instant> {
        [lease.renew, lease.rebind, lease.end].into_iter().flatten().min()
    }

    /// What is to be sent now, and what has ended.
    pub(super) fn turn(&mut self, now: Instant) -> (Option<Vec<u8>>, Option<Outcome>) {
        if now < self.due {
            return (None, None);
        }
        let outcome = self.advance(now);
        if matches!(self.state, State::Bound(_)) {
            return (None, outcome);
        }
        (Some(self.message(now)), outcome)
    }

    /// The next state, where the time of this one is over.
    fn advance(&mut self, now: Instant) -> Option<Outcome> {
        let over = |moment: Option<Instant>| moment.is_some_and(|moment| moment <= now);
        match self.state.clone() {
            State::Soliciting(Some(offer)) => self.enter(State::Requesting(offer), now),
            State::Requesting(_) if self.sent >= REQUESTS => self.enter(State::Soliciting(None), now),
            State::Confirming(_) if self.sent >= CONFIRMS => self.enter(State::Soliciting(None), now),
            State::Bound(lease) | State::Renewing(lease) | State::Rebinding(lease) if over(lease.end) => {
                self.enter(State::Soliciting(None), now);
                return Some(Outcome::Lost);
            }
            State::Bound(lease) | State::Renewing(lease) if over(lease.rebind) => self.enter(State::Rebinding(lease), now),
            State::Bound(lease) if over(lease.renew) => self.enter(State::Renewing(lease), now),
            State::Bound(lease) => self.enter(State::Bound(lease), now),
            State::Soliciting(None) if self.sent >= PATIENCE => return Some(self.in_vain()),
            // Its own server has been asked before.
            State::Rebinding(_) if self.sent > 0 => return Some(self.in_vain()),
            _ => {}
        }
        None
    }

    fn in_vain(&mut self) -> Outcome {
        if std::mem::take(&mut self.refused) { Outcome::Refused } else { Outcome::Unanswered }
    }

    fn message(&mut self, now: Instant) -> Vec<u8> {
        let (kind, pauses, server, prefix) = match &self.state {
            State::Soliciting(_) => (Kind::Solicit, SOLICIT, None, None),
            State::Requesting(offer) => (Kind::Request, REQUEST, Some(&*offer.server), Some(offer.prefix)),
            State::Confirming(prefix) => (Kind::Rebind, CONFIRM, None, Some(*prefix)),
            State::Renewing(lease) => (Kind::Renew, RENEW, Some(&*lease.server), Some(lease.prefix)),
            State::Bound(lease) | State::Rebinding(lease) => (Kind::Rebind, RENEW, None, Some(lease.prefix)),
        };
        let elapsed = now.saturating_duration_since(self.began).as_millis() / 10;
        let request = Request {
            kind,
            transaction: self.transaction,
            client: &self.identity,
            server,
            elapsed: u16::try_from(elapsed).unwrap_or(u16::MAX),
            iaid: self.iaid,
            prefix,
        };
        let bytes = request.encode();
        let longer = if self.sent == 0 { pauses.first } else { (self.pause * 2).min(pauses.longest) };
        // All that lost their server at once shall not ask in step.
        self.pause = longer.mul_f64(rand::random_range(0.9..1.1));
        self.sent += 1;
        let end = if let State::Renewing(lease) | State::Rebinding(lease) = &self.state { lease.rebind.or(lease.end) } else { None };
        let again = now + self.pause;
        self.due = end.filter(|end| *end > now).map_or(again, |end| again.min(end));
        bytes
    }

    /// The message that gives the prefix back, where there is one.
    pub(super) fn release(&self) -> Option<Vec<u8>> {
        let (State::Bound(lease) | State::Renewing(lease) | State::Rebinding(lease)) = &self.state else { return None };
        let [a, b, c, ..] = rand::random::<u32>().to_be_bytes();
        let request = Request {
            kind: Kind::Release,
            transaction: [a, b, c],
            client: &self.identity,
            server: Some(&lease.server),
            elapsed: 0,
            iaid: self.iaid,
            prefix: Some(lease.prefix),
        };
        Some(request.encode())
    }

    /// Takes an answer in.
    pub(super) fn hear(&mut self, answer: &Answer, now: Instant) -> Option<Outcome> {
        if answer.transaction != self.transaction || answer.client != self.identity || answer.server.is_empty() {
            return None;
        }
        let association = answer.associations.iter().find(|association| association.iaid == self.iaid);
        let usable = association.filter(|association| answer.status == 0 && association.status == 0);
        let given = usable.and_then(|association| Some((association, association.prefixes.iter().copied().find(is_usable)?)));
        match (answer.kind, &mut self.state) {
            (Kind::Advertise, State::Soliciting(best)) => {
                let Some((_, prefix)) = given else {
                    self.refused = true;
                    return None;
                };
                let offer = Offer { server: answer.server.clone(), preference: answer.preference, prefix: prefix.net };
                if best.as_ref().is_none_or(|best| best.preference < offer.preference) {
                    *best = Some(offer);
                }
                // Others have had their time when it was asked before.
                if answer.preference == BEST || self.sent > 1 {
                    self.due = now;
                }
                None
            }
            (Kind::Reply, State::Soliciting(_)) if !answer.is_rapid => None,
            (Kind::Reply, State::Bound(_)) | (Kind::Advertise, _) => None,
            (Kind::Reply, _) => match given {
                Some((association, prefix)) => Some(self.bind(answer, association, &prefix, now)),
                None => self.refused(association, now),
            },
            _ => None,
        }
    }

    fn bind(&mut self, answer: &Answer, association: &Association, prefix: &Prefix, now: Instant) -> Outcome {
        let after = |seconds: u32| (seconds != FOREVER).then(|| now + Duration::from_secs(seconds.into()).max(LEAST));
        let chosen = |given: u32, tenths: u32| match (given, prefix.preferred_s) {
            (0, FOREVER) => FOREVER,
            (0, preferred) => preferred / 10 * tenths,
            (given, _) => given,
        };
        let (renew, rebind) = association.times_s;
        let lease = Lease {
            server: answer.server.clone(),
            prefix: prefix.net,
            renew: after(chosen(renew, 5)),
            rebind: after(chosen(rebind, 8)),
            end: after(prefix.valid_s),
        };
        self.enter(State::Bound(lease), now);
        Outcome::Delegated(prefix.net)
    }

    /// A server has said no. What was ours is so no longer when it says that of this prefix; else there may be another server.
    fn refused(&mut self, association: Option<&Association>, now: Instant) -> Option<Outcome> {
        let was_ours = !matches!(self.state, State::Soliciting(_) | State::Requesting(_));
        // Silence about it means nothing.
        let denied = association?;
        let ended = denied.status != 0 || denied.prefixes.iter().any(|prefix| prefix.valid_s == 0);
        if matches!(self.state, State::Soliciting(_)) || !ended {
            return None;
        }
        self.refused = true;
        let outcome = was_ours.then_some(Outcome::Lost);
        self.enter(State::Soliciting(None), now);
        // It is not to be asked in a circle.
        self.due = now + LEAST;
        outcome
    }
}

/// A prefix that instances may have addresses in, and a whole /64 of it.
fn is_usable(prefix: &Prefix) -> bool {
    let first: Ipv6Addr = prefix.net.network();
    let is_ordinary = !first.is_multicast() && !first.is_unspecified() && !first.is_loopback() && !first.is_unicast_link_local();
    prefix.valid_s > 0 && (8..=64).contains(&prefix.net.prefix_len()) && is_ordinary
}
