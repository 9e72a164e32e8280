//! Control packets (RFC 5880, section 4.1), without authentication.

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Why the sender's session went down last.
    pub diagnostic: u8,
    /// The sender's state.
    pub state: State,
    /// An answer is asked for.
    pub poll: bool,
    /// It is one.
    pub is_final: bool,
    /// The sender wants no packets while both are up.
    pub demand: bool,
    /// So many intervals may pass in silence.
    pub multiplier: u8,
    /// The sender's session, not 0.
    pub own: u32,
    /// The receiver's session as far as the sender knows, else 0.
    pub other: u32,
    /// The interval at which the sender would send, in microseconds.
    pub desired_tx_us: u32,
    /// The interval at which it can take packets; 0: it wants none.
    pub required_rx_us: u32,
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Held down by an administrator.
    AdminDown,
    /// Nothing is heard, or only just.
    Down,
    /// The other is heard.
    Init,
    /// Each hears the other.
    Up,
}

const LENGTH: usize = 24;
const VERSION: u8 = 1;
const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const AUTHENTICATED: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

impl Packet {
    /// As it is sent.
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        bytes[0] = VERSION << 5 | self.diagnostic & 0x1f;
        bytes[1] = (self.state as u8) << 6 | flag(self.poll, POLL) | flag(self.is_final, FINAL) | flag(self.demand, DEMAND);
        (bytes[2], bytes[3]) = (self.multiplier, LENGTH as u8);
        for (at, number) in [(4, self.own), (8, self.other), (12, self.desired_tx_us), (16, self.required_rx_us)] {
            bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// What is received, if section 6.8.6 does not have it discarded whatever the session.
    pub fn decode(bytes: &[u8]) -> Option<Packet> {
        let (head, number) =
            (bytes.first_chunk::<LENGTH>()?, |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
        let flags = head[1];
        let length = usize::from(head[3]);
        if head[0] >> 5 != VERSION || length < LENGTH || length > bytes.len() || flags & (AUTHENTICATED | MULTIPOINT) != 0 {
            return None;
        }
        let state = match flags >> 6 {
            0 => State::AdminDown,
            1 => State::Down,
            2 => State::Init,
            _ => State::Up,
        };
        let packet = Packet {
            diagnostic: head[0] & 0x1f,
            state,
            poll: flags & POLL != 0,
            is_final: flags & FINAL != 0,
            demand: flags & DEMAND != 0,
            multiplier: head[2],
            own: number(4),
            other: number(8),
            desired_tx_us: number(12),
            required_rx_us: number(16),
        };
        let is_lost = packet.other == 0 && matches!(state, State::Init | State::Up);
        (packet.multiplier != 0 && packet.own != 0 && !is_lost).then_some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Packet = Packet {
        diagnostic: 3,
        state: State::Up,
        poll: true,
        is_final: false,
        demand: false,
        multiplier: 3,
        own: 0x0102_0304,
        other: 7,
        desired_tx_us: 300_000,
        required_rx_us: 1,
    };

    #[test]
    fn as_the_standard_draws_it() {
        let bytes = UP.encode();
        assert_eq!(bytes[..8], [0x23, 0xe0, 3, 24, 1, 2, 3, 4]);
        assert_eq!(bytes[20..], [0; 4], "no echo");
        for state in [State::AdminDown, State::Down, State::Init, State::Up] {
            let packet = Packet { state, poll: false, is_final: true, demand: true, ..UP };
            assert_eq!(Packet::decode(&packet.encode()), Some(packet));
        }
        assert_eq!(Packet::decode(&[&UP.encode()[..], b"more"].concat()), Some(UP), "what follows is not of it");
    }

    #[test]
    fn what_is_discarded() {
        let with = |at: usize, value: u8| {
            let mut bytes = UP.encode();
            bytes[at] = value;
            Packet::decode(&bytes)
        };
        for (at, value) in [(0, 0x43), (0, 0x03), (1, 0xe4), (1, 0xe1), (2, 0), (3, 23), (3, 25)] {
            assert_eq!(with(at, value), None, "byte {at}: {value:#x}");
        }
        for length in 0..LENGTH {
            assert_eq!(Packet::decode(&UP.encode()[..length]), None);
        }
        assert_eq!(Packet::decode(&Packet { own: 0, ..UP }.encode()), None);
        assert_eq!(Packet::decode(&Packet { other: 0, ..UP }.encode()), None, "up with nobody");
        assert!(Packet::decode(&Packet { other: 0, state: State::Down, ..UP }.encode()).is_some(), "down with nobody");
    }
}
