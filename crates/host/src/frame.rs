//! This host as the agent's frame sees it: [`agent::Host`] by the kernel, and the events of links and daemons.

use crate::conntrack::{Conntrack, Filter};
use crate::{Daemons, Error, ErrorKind, Host, Interest, LinkEvent, LinkMonitor, Outcome, netns, sys};
use agent::{CUT_MARK, Cut, Delegation, Ended, Event, Events, HostError, Release, StepResult};
use dataplane::{Actual, Netns, Plan, Program};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::BindToDevice;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::UdpSocket;
use std::time::Duration;

fn fault(error: Error) -> HostError {
    HostError(error.to_string())
}

/// The nice value of the agent's thread: instances that take all processors do not delay what keeps them connected.
const AGENT_NICE: i32 = -5;

impl agent::Host for Host {
    fn thread_started(&mut self) {
        if let Err(error) = sys::set_niceness(AGENT_NICE) {
            tracing::info!(%error, "the agent runs without precedence over other work");
        }
    }

    fn read(&mut self, wanted: &[&Program]) -> Result<Actual, HostError> {
        Host::read(self, &Interest::of(wanted.iter().copied())).map_err(fault)
    }

    fn observe(&mut self, program: &Program, actual: &mut Actual) -> Result<(), HostError> {
        Host::observe(self, program, actual).map_err(fault)
    }

    fn apply(&mut self, plan: &Plan) -> Vec<StepResult> {
        let result = |outcome| match outcome {
            Outcome::Done => StepResult::Done,
            Outcome::Failed(error) => StepResult::Failed(error.to_string()),
            Outcome::Skipped => StepResult::Skipped,
        };
        Host::apply(self, plan).into_iter().map(|report| result(report.outcome)).collect()
    }

    fn cut(&mut self, cuts: &[Cut]) -> Result<(), HostError> {
        let filter = |cut: &Cut| Filter {
            zone: Some(cut.zone),
            source: cut.source,
            destination: cut.destination,
            reply_destination: cut.translated_source,
            protocol: cut.protocol,
            destination_ports: cut.destination_ports,
            mark: cut.mark.map(|mark| (mark, u32::MAX)),
            ..Filter::default()
        };
        let mut filters: BTreeMap<(&Netns, bool), Vec<Filter>> = BTreeMap::new();
        for cut in cuts {
            filters.entry((&cut.netns, cut.is_judged())).or_default().push(filter(cut));
        }
        let mut result = Ok(());
        for ((netns, judged), filters) in filters {
            let change = |mut conntrack: Conntrack| if judged { conntrack.mark(&filters, CUT_MARK) } else { conntrack.cut(&filters) };
            match Conntrack::open(netns).and_then(change) {
                Ok(cut) => tracing::debug!(%netns, cut, "connections cut"),
                // What it tracked is gone with it.
                Err(error) if netns::absent(&error) => {}
                Err(error) => result = Err(fault(error)),
            }
        }
        result
    }

    fn give_back(&mut self, ended: &[Delegation]) -> Result<(), HostError> {
        self.delegations().give_back(ended).map_err(|error| HostError(error.to_string()))
    }

    fn delegate(&mut self, wanted: &BTreeSet<Delegation>) -> Result<(), HostError> {
        self.delegations().want(wanted).map_err(|error| HostError(error.to_string()))
    }

    fn release(&mut self, releases: &[Release]) -> Result<(), HostError> {
        let failures: Vec<String> = releases.iter().filter_map(|release| send(release).err()).map(|error| error.to_string()).collect();
        if failures.is_empty() { Ok(()) } else { Err(HostError(failures.join("; "))) }
    }
}

/// Tells a DHCP server, from within its namespace, what a client would that gives its address back (RFC 2131).
fn send(release: &Release) -> Result<(), Error> {
    let fault = |error: std::io::Error| Error::io("end lease of", release.address, error);
    let sent = netns::run(&release.netns, || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        setsockopt(&socket, BindToDevice, &OsString::from(release.link.as_str()))?;
        socket.send_to(&message(release), (release.server, 67))
    });
    match sent {
        // Without its server the lease is gone too.
        Err(error) if netns::absent(&error) => Ok(()),
        other => other?.map(|_| ()).map_err(fault),
    }
}

fn message(release: &Release) -> Vec<u8> {
    let mut message = vec![0; 300];
    // Request, Ethernet, 6 bytes of address.
    message[..3].copy_from_slice(&[1, 1, 6]);
    message[4..8].copy_from_slice(&release.mac.0[2..]);
    message[12..16].copy_from_slice(&release.address.octets());
    message[28..34].copy_from_slice(&release.mac.0);
    message[236..240].copy_from_slice(&[99, 130, 83, 99]);
    // Message type 7, DHCPRELEASE; server identifier; end.
    message[240..243].copy_from_slice(&[53, 1, 7]);
    message[243..245].copy_from_slice(&[54, 4]);
    message[245..249].copy_from_slice(&release.server.octets());
    message[249] = 255;
    message
}

/// Tells the agent of the links of this namespace until the agent ends. Needs a tokio runtime. What interrupts the watching is
/// made up for by reading all of it again.
pub async fn watch_links(events: Events) -> Result<(), Error> {
    loop {
        match watch(&events).await {
            Ok(Ended) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Retry => tracing::warn!(%error, "watching links again"),
            Err(error) => return Err(error),
        }
        if events.send(Event::Resync).is_err() {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

const AGAIN: Duration = Duration::from_millis(20);

async fn watch(events: &Events) -> Result<Ended, Error> {
    let mut monitor = LinkMonitor::open(&Netns::ROOT)?;
    loop {
        for event in monitor.next().await? {
            let event = match event {
                LinkEvent::Added(link) | LinkEvent::Changed(link) => {
                    Event::LinkUp { name: link.name, settled: link.master != 0 && link.up }
                }
                LinkEvent::Removed { name, .. } => Event::LinkGone(name),
            };
            if let Err(ended) = events.send(event) {
                return Ok(ended);
            }
        }
    }
}

/// Tells the agent of daemons that end unasked and of those that run again.
pub fn watch_daemons(daemons: &Daemons, events: Events) {
    let again = events.clone();
    // An agent that has ended needs no telling.
    daemons.listen(
        move |exit| _ = events.send(Event::DaemonEnded { netns: exit.netns, name: exit.name, reason: exit.reason.into() }),
        move |netns, name| _ = again.send(Event::DaemonRuns { netns: netns.clone(), name: name.clone() }),
    );
}
