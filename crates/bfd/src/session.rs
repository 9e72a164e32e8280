//! One session with one neighbour (RFC 5880, section 6.8), asynchronous, without echo: what a packet and the passing of time make of it. It
//! neither sends nor reads a clock.

use crate::packet::{Packet, State};
use std::time::{Duration, Instant};

/// The interval while the session is not up, at least (section 6.8.3).
const SLOW: Duration = Duration::from_secs(1);

/// Of a session that has just begun.
pub(crate) const UNHEARD: &str = "nothing was heard from the neighbour yet";

const NOTHING: u8 = 0;
const EXPIRED: u8 = 1;
const SIGNALED: u8 = 3;

/// The intervals at which a session sends and takes packets while it is up, and how many may fail to come.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// To send.
    pub desired_tx: Duration,
    /// To take.
    pub required_rx: Duration,
    /// Until nothing counts as down.
    pub multiplier: u8,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    own: u32,
    state: State,
    diagnostic: u8,
    neighbour: Neighbour,
    /// The neighbour is to confirm what it was told of intervals.
    polling: bool,
    send_at: Instant,
    expires_at: Option<Instant>,
}

/// What the neighbour said last.
#[derive(Clone, Copy, Debug)]
struct Neighbour {
    discriminator: u32,
    state: State,
    required_rx: Duration,
    demand: bool,
}

const NOBODY: Neighbour = Neighbour { discriminator: 0, state: State::Down, required_rx: Duration::from_micros(1), demand: false };

impl Session {
    /// One that has heard nothing yet and sends at once; `own` is not 0, and no other session's.
    pub fn new(own: u32, timing: Timing, now: Instant) -> Session {
        Session { timing, own, state: State::Down, diagnostic: NOTHING, neighbour: NOBODY, polling: false, send_at: now, expires_at: None }
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why it is not up.
    pub fn reason(&self) -> &'static str {
        match (self.state, self.neighbour.state, self.diagnostic) {
            (State::Up, ..) => "it is up",
            (_, State::AdminDown, _) => "the neighbour's administrator holds it down",
            (State::Init, ..) => "the neighbour is heard and does not hear",
            (_, _, EXPIRED) => "nothing is heard from the neighbour any more",
            (_, _, SIGNALED) => "the neighbour says that it is down",
            _ => UNHEARD,
        }
    }

    /// When [`Session::tick`] is to be called next.
    pub fn due(&self) -> Instant {
        self.expires_at.map_or(self.send_at, |expires| expires.min(self.send_at))
    }

    /// What is to be sent now that it is so late. `jitter`, of 0 to 255, shortens the pause until the next.
    pub fn tick(&mut self, now: Instant, jitter: u8) -> Option<Packet> {
        if self.expires_at.is_some_and(|expires| expires <= now) {
            self.expires_at = None;
            self.neighbour = NOBODY;
            if matches!(self.state, State::Init | State::Up) {
                self.enter(State::Down, EXPIRED, now);
            }
        }
        if self.send_at > now {
            return None;
        }
        self.send_at = now + shortened(self.interval(), self.timing.multiplier, jitter);
        let is_silenced = self.neighbour.demand && self.state == State::Up && self.neighbour.state == State::Up && !self.polling;
        (!is_silenced && !self.neighbour.required_rx.is_zero()).then(|| self.packet(false))
    }

    /// Takes a packet from the neighbour's address in; what is to be sent in return at once.
    pub fn receive(&mut self, packet: &Packet, now: Instant) -> Option<Packet> {
        if packet.other != 0 && packet.other != self.own {
            return None;
        }
        self.neighbour = Neighbour {
            discriminator: packet.own,
            state: packet.state,
            required_rx: Duration::from_micros(packet.required_rx_us.into()),
            demand: packet.demand,
        };
        if packet.is_final {
            self.polling = false;
        }
        let pause = self.timing.required_rx.max(Duration::from_micros(packet.desired_tx_us.into()));
        self.expires_at = Some(now + pause * packet.multiplier.into());
        match (self.state, packet.state) {
            (State::Down, State::Down) => self.enter(State::Init, NOTHING, now),
            (State::Down | State::Init, State::Init) | (State::Init, State::Up) => self.enter(State::Up, NOTHING, now),
            (State::Up, State::Down) | (State::Init | State::Up, State::AdminDown) => self.enter(State::Down, SIGNALED, now),
            _ => {}
        }
        packet.poll.then(|| self.packet(true))
    }

    fn enter(&mut self, state: State, diagnostic: u8, now: Instant) {
        // The neighbour hears of it at once, and of another interval until it says that it has.
        (self.state, self.diagnostic, self.send_at) = (state, diagnostic, now);
        self.polling = state == State::Up;
    }

    fn desired_tx(&self) -> Duration {
        if self.state == State::Up { self.timing.desired_tx } else { self.timing.desired_tx.max(SLOW) }
    }

    fn interval(&self) -> Duration {
        self.desired_tx().max(self.neighbour.required_rx)
    }

    fn packet(&self, is_final: bool) -> Packet {
        let us = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        Packet {
            diagnostic: self.diagnostic,
            state: self.state,
            poll: self.polling && !is_final,
            is_final,
            demand: false,
            multiplier: self.timing.multiplier,
            own: self.own,
            other: self.neighbour.discriminator,
            desired_tx_us: us(self.desired_tx()),
            required_rx_us: us(self.timing.required_rx),
        }
    }
}

/// By up to a quarter; where one packet alone must not fail to come, by a tenth at least (section 6.8.7).
fn shortened(interval: Duration, multiplier: u8, jitter: u8) -> Duration {
    let least = if multiplier == 1 { 26 } else { 0 };
    let part = least + u32::from(jitter) * (64 - least) / 256;
    interval - interval * part / 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::*;

    const TIMING: Timing = Timing { desired_tx: Duration::from_millis(300), required_rx: Duration::from_millis(200), multiplier: 3 };

    fn says(state: State) -> Packet {
        Packet {
            diagnostic: 0,
            state,
            poll: false,
            is_final: false,
            demand: false,
            multiplier: 4,
            own: 9,
            other: 7,
            desired_tx_us: 100_000,
            required_rx_us: 50_000,
        }
    }

    /// A session in a state, as it comes to be so.
    fn at(state: State, now: Instant) -> Session {
        let mut session = Session::new(7, TIMING, now);
        let heard: &[State] = match state {
            Init => &[Down],
            Up => &[Down, Up],
            _ => &[],
        };
        heard.iter().for_each(|heard| _ = session.receive(&says(*heard), now));
        assert_eq!(session.state(), state);
        session
    }

    #[test]
    fn states_follow_the_table() {
        let now = Instant::now();
        let table = [
            (Down, AdminDown, Down),
            (Down, Down, Init),
            (Down, Init, Up),
            (Down, Up, Down),
            (Init, AdminDown, Down),
            (Init, Down, Init),
            (Init, Init, Up),
            (Init, Up, Up),
            (Up, AdminDown, Down),
            (Up, Down, Down),
            (Up, Init, Up),
            (Up, Up, Up),
        ];
        for (from, heard, to) in table {
            let mut session = at(from, now);
            session.receive(&says(heard), now);
            assert_eq!(session.state(), to, "{from:?} hears {heard:?}");
        }
    }

    #[test]
    fn two_of_them_come_up_and_go_down_in_silence() {
        let mut now = Instant::now();
        let (mut one, mut other) = (Session::new(1, TIMING, now), Session::new(2, TIMING, now));
        let begin = now;
        while (one.state(), other.state()) != (Up, Up) {
            let sent = [one.tick(now, 0), other.tick(now, 0)];
            let back = [sent[1].and_then(|packet| one.receive(&packet, now)), sent[0].and_then(|packet| other.receive(&packet, now))];
            assert!(back.iter().flatten().all(|packet| packet.is_final && !packet.poll));
            back[1].iter().for_each(|packet| _ = one.receive(packet, now));
            back[0].iter().for_each(|packet| _ = other.receive(packet, now));
            now = one.due().min(other.due()).max(now + Duration::from_millis(1));
            assert!(now - begin < Duration::from_secs(5), "{one:?} {other:?}");
        }
        // The detection time: three of the longer of what one can take and the other would send.
        one.receive(&Packet { state: Up, own: 2, other: 1, desired_tx_us: 300_000, multiplier: 3, ..says(Up) }, now);
        let silence = now + Duration::from_millis(900);
        assert!(one.due() <= silence);
        one.tick(silence - Duration::from_millis(1), 0);
        assert_eq!(one.state(), Up);
        let told = one.tick(silence, 0).expect("it says so at once");
        assert_eq!((one.state(), told.state, told.diagnostic, told.other), (Down, Down, 1, 0));
        assert_eq!(one.reason(), "nothing is heard from the neighbour any more");
        assert_eq!(told.desired_tx_us, 1_000_000, "slowly, while it is down");
    }

    #[test]
    fn another_interval_is_told_until_it_is_confirmed() {
        let now = Instant::now();
        let mut session = at(Up, now);
        let told = session.tick(now, 0).expect("at once");
        assert_eq!((told.poll, told.desired_tx_us, told.required_rx_us, told.other), (true, 300_000, 200_000, 9));
        assert_eq!(session.tick(now, 0), None, "once");
        let next = session.due();
        assert_eq!(next - now, Duration::from_millis(300));
        assert!(session.tick(next, 0).is_some_and(|packet| packet.poll), "not confirmed yet");
        session.receive(&Packet { is_final: true, ..says(Up) }, next);
        let next = session.due();
        assert!(session.tick(next, 0).is_some_and(|packet| !packet.poll));
    }

    #[test]
    fn the_neighbour_says_how_often_it_wants_packets() {
        let now = Instant::now();
        let mut session = at(Up, now);
        session.receive(&Packet { is_final: true, required_rx_us: 2_000_000, ..says(Up) }, now);
        session.tick(now, 0);
        assert_eq!(session.send_at - now, Duration::from_secs(2));
        for silenced in [Packet { required_rx_us: 0, ..says(Up) }, Packet { demand: true, ..says(Up) }] {
            let mut session = at(Up, now);
            session.receive(&Packet { is_final: true, ..silenced }, now);
            assert_eq!(session.tick(now, 0), None);
            let asked = session.receive(&Packet { poll: true, ..silenced }, now).expect("an answer");
            assert!(asked.is_final && !asked.poll);
        }
        let pauses = [0, 128, 255].map(|jitter| shortened(Duration::from_millis(256), 3, jitter).as_millis());
        assert_eq!(pauses, [256, 224, 193]);
        assert!(shortened(Duration::from_millis(256), 1, 0).as_millis() <= 230);
    }

    #[test]
    fn packets_of_other_sessions_change_nothing() {
        let now = Instant::now();
        let mut session = at(Up, now);
        let before = format!("{session:?}");
        assert_eq!(session.receive(&Packet { other: 8, poll: true, state: Down, own: 66, ..says(Up) }, now + SLOW), None);
        assert_eq!(format!("{session:?}"), before);
        // A neighbour that begins anew does not know the session any more.
        session.receive(&Packet { other: 0, ..says(Down) }, now);
        assert_eq!(session.state(), Down);
    }
}
