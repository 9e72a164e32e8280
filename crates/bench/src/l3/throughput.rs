//! TCP through a router, by turns with the same path made by hand: on a machine whose speed varies only their ratio says something.

use super::by_hand::{self, ByHand};
use super::scene::{OUTSIDE, Scene};
use crate::lab::namespace::Netns;
use crate::report::{Figure, Goal};
use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};
use serde_json::json;
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PORT: u16 = 7003;
const CHUNK: usize = 256 << 10;
/// Until a stream has its full speed.
const WARM_UP: Duration = Duration::from_millis(300);
/// Percent of what the path by hand has.
const LEAST: f64 = 95.0;

/// Where a stream goes.
struct Path<'a> {
    from: &'a Netns,
    to: &'a Netns,
    address: Ipv4Addr,
}

pub(super) fn run(scene: &mut Scene, streams: usize, stream_ms: u64) -> Result<Vec<Figure>> {
    let (one, two) = (scene.network(20)?, scene.network(21)?);
    let router = scene.router(&[&one, &two])?;
    let (near, near_nic) = scene.instance(&one)?;
    let (far, far_nic) = scene.instance(&two)?;
    let hand = ByHand::new()?;
    by_hand::spare_bridges()?;
    let time = Duration::from_millis(stream_ms);
    let by_hand = |address| Path { from: &hand.near, to: &hand.far, address };
    let routed = Path { from: &near.netns, to: &far.netns, address: far_nic.address };
    let mut figures = compare("routed", &routed, &by_hand(by_hand::FAR), streams, time)?;
    hand.masquerade()?;
    let outwards = Path { from: &near.netns, to: &scene.outside.netns, address: OUTSIDE };
    figures.extend(compare("with SNAT", &outwards, &by_hand(by_hand::FAR), streams, time)?);
    hand.float()?;
    let (floating_ip, address) = scene.floating_ip(&router, None)?;
    scene.api.update("floatingips", &floating_ip, json!({"port_id": near_nic.port}))?;
    let inwards = Path { from: &scene.outside.netns, to: &near.netns, address };
    let back = Path { from: &hand.far, to: &hand.near, address: by_hand::FLOATING };
    figures.extend(compare("by a floating IP", &inwards, &back, streams, time)?);
    Ok(figures)
}

fn compare(what: &str, ours: &Path<'_>, hand: &Path<'_>, streams: usize, time: Duration) -> Result<Vec<Figure>> {
    let (mut rates, mut hands) = (Vec::new(), Vec::new());
    for number in 0..streams {
        // Whoever comes second finds the machine warmer.
        let order = if number % 2 == 0 { [(ours, &mut rates), (hand, &mut hands)] } else { [(hand, &mut hands), (ours, &mut rates)] };
        for (path, rates) in order {
            rates.push(stream(path, time).with_context(|| format!("TCP {what}"))?);
        }
    }
    let percent = rates.iter().zip(&hands).map(|(ours, hand)| ours / hand * 100.0).collect();
    let rate = |label: &str, rates: Vec<f64>| Figure::of(format!("TCP {what}{label}"), "Gbit/s", rates);
    Ok(vec![
        rate("", rates),
        rate(", by hand", hands),
        Figure::of(format!("TCP {what}: share of what it is by hand"), "%", percent).goal(Goal::Least(LEAST)).note("in pairs, by turns"),
    ])
}

/// Gigabits a second that arrive.
fn stream(path: &Path<'_>, time: Duration) -> Result<f64> {
    let listener = path.to.enter(|| Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?))?;
    let address = SocketAddrV4::new(path.address, PORT);
    let mut sender = path.from.enter(|| connect(address))?;
    // Nothing is lost and nobody paces: processors alone decide.
    setsockopt(&sender, sockopt::TcpCongestion, &OsString::from("reno")).context("congestion control of TCP")?;
    let (mut receiver, _) = listener.accept()?;
    let (arrived, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let chunk = vec![0; CHUNK];
            while !ended.load(Ordering::Relaxed) && sender.write_all(&chunk).is_ok() {}
            // The receiver hears the end.
            drop(sender.shutdown(std::net::Shutdown::Both));
        });
        scope.spawn(|| {
            let mut buffer = vec![0; CHUNK];
            while let Ok(size @ 1..) = receiver.read(&mut buffer) {
                arrived.fetch_add(size as u64, Ordering::Relaxed);
            }
        });
        sleep(WARM_UP);
        let (before, began) = (arrived.load(Ordering::Relaxed), Instant::now());
        sleep(time);
        let (octets, took) = (arrived.load(Ordering::Relaxed) - before, began.elapsed());
        ended.store(true, Ordering::Relaxed);
        Ok(octets as f64 * 8.0 / took.as_secs_f64() / 1e9)
    })
}

/// A floating IP that was just associated may not be there yet.
fn connect(address: SocketAddrV4) -> Result<TcpStream> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect_timeout(&address.into(), Duration::from_millis(200)) {
            Err(error) if Instant::now() < end && matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::ConnectionRefused) => {}
            other => return other.with_context(|| format!("connect to {address}")),
        }
    }
}
