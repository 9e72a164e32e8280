//! A session with its sockets: what is due is sent, what comes is taken in, and what it becomes is told.

use crate::News;
use crate::packet::{Packet, State};
use crate::session::{Session, Timing};
use dataplane::Netns;
use ring::rand::{SecureRandom, SystemRandom};
use routing::bfd::{PORT, Watched};
use smol_str::SmolStr;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedSender;

const TIMING: Timing = Timing { desired_tx: Duration::from_millis(300), required_rx: Duration::from_millis(300), multiplier: 3 };
/// Until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// RFC 5881, section 4.
const SOURCES: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Watches a next hop until it is dropped.
pub(crate) async fn watch(watched: Watched, news: UnboundedSender<News>) {
    let random = SystemRandom::new();
    let mut session = Session::new(discriminator(&random), TIMING, Instant::now());
    let mut told = None;
    let mut tell = |session: &Session| {
        let reason = (session.state() != State::Up).then(|| SmolStr::new_static(session.reason()));
        if told.as_ref() != Some(&reason) {
            // Whoever does not listen any more has ended.
            _ = news.send((watched.clone(), reason.clone()));
            told = Some(reason);
        }
    };
    loop {
        match Sockets::open(&watched, &random) {
            Ok(sockets) => converse(&watched, &sockets, &mut session, &random, &mut tell).await,
            Err(error) => tracing::debug!(%watched, %error, "cannot watch yet"),
        }
        tokio::time::sleep(AGAIN).await;
        // It goes down in time, also where nothing can be sent.
        session.tick(Instant::now(), byte(&random));
        tell(&session);
    }
}

/// Sends what is due and takes in what comes, until the sockets are of no use any more: their link is another.
async fn converse(watched: &Watched, sockets: &Sockets, session: &mut Session, random: &SystemRandom, tell: &mut impl FnMut(&Session)) {
    loop {
        tell(session);
        let answer = tokio::select! {
            packet = sockets.receive(watched) => match packet {
                Ok(packet) => packet.and_then(|packet| session.receive(&packet, Instant::now())),
                Err(_) => return,
            },
            () = tokio::time::sleep_until(session.due().into()) => session.tick(Instant::now(), byte(random)),
        };
        let Some(answer) = answer else { continue };
        if let Err(error) = sockets.send(watched, &answer).await {
            tracing::debug!(%watched, %error, "cannot send");
            return;
        }
    }
}

/// Numbers no two sessions of this process have, and that nobody guesses from another's.
fn discriminator(random: &SystemRandom) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut high = [0; 2];
    _ = random.fill(&mut high);
    let low = NEXT.fetch_add(1, Ordering::Relaxed) & 0xffff;
    u32::from(u16::from_be_bytes(high)) << 16 | low.max(1)
}

fn byte(random: &SystemRandom) -> u8 {
    let mut byte = [0];
    _ = random.fill(&mut byte);
    byte[0]
}

struct Sockets {
    receiver: UdpSocket,
    sender: UdpSocket,
}

impl Sockets {
    fn open(watched: &Watched, random: &SystemRandom) -> std::io::Result<Sockets> {
        let netns = Netns::named(watched.netns.clone());
        let open = |port: u16| {
            let socket = host::datagrams(&netns, &watched.link, SocketAddr::new(watched.local, port)).map_err(std::io::Error::other)?;
            UdpSocket::from_std(socket)
        };
        // Which ports others have is not known: some are tried.
        let span = SOURCES.end() - SOURCES.start();
        let begin = u16::from_be_bytes([byte(random), byte(random)]) % span;
        let mut ports = (0..16).map(|step| SOURCES.start() + (begin + step * 977) % span);
        let sender = ports.find_map(|port| open(port).ok());
        Ok(Sockets { receiver: open(PORT)?, sender: sender.map_or_else(|| open(*SOURCES.end()), Ok)? })
    }

    /// A packet from the next hop; none: something else came.
    async fn receive(&self, watched: &Watched) -> std::io::Result<Option<Packet>> {
        let mut bytes = [0; 128];
        let (length, from) = self.receiver.recv_from(&mut bytes).await?;
        Ok(if from.ip() == watched.remote { Packet::decode(&bytes[..length]) } else { None })
    }

    async fn send(&self, watched: &Watched, packet: &Packet) -> std::io::Result<()> {
        match self.sender.send_to(&packet.encode(), SocketAddr::new(watched.remote, PORT)).await {
            // Of the link or the next hop, and for now: the session learns of it by silence.
            Err(error) if matches!(error.kind(), std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::ConnectionRefused) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}
