//! The seam to the dataplanes: which program units an intent makes, and what is in each.

use crate::Intents;
use dataplane::{Program, UnitKey};
use intent::{Unit, UnitId};
use net::{Family, HostName};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What is true of this host besides what the server told; decided or probed before anything is compiled.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The host's name.
    pub host: HostName,
    /// Its tunnel address.
    pub local_ip: Option<IpAddr>,
    /// UDP port of VXLAN; none: 4789, by IANA. Clouds taken over from older Linux use 8472.
    pub vxlan_port: Option<u16>,
    /// VXLAN devices answer ARP and ND for remote ports, and flood no such request. Spares traffic, but addresses that no port
    /// has (those of allowed address pairs on other hosts) cannot be resolved then; so it is the operator's choice.
    pub arp_responder: bool,
    /// Physical networks, with the link (or bridge) that leads to each.
    pub physical_networks: BTreeMap<SmolStr, SmolStr>,
    /// Links that are there in the agent's namespace, kept up to date by the link monitor.
    pub devices: BTreeSet<SmolStr>,
    /// True when the kernel tracks connections in the bridge family.
    pub bridge_conntrack: bool,
    /// Numbers that were given out.
    pub allocations: Allocations,
}

/// Small numbers given to things that need one on this host (a conntrack zone for a network, a mark for a port). A number
/// stays with its owner, also over restarts: the frame keeps them in the agent's state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    numbers: BTreeMap<(SmolStr, SmolStr), u32>,
    used: BTreeSet<(SmolStr, u32)>,
}

impl Allocations {
    /// The number of an owner in a space (`zone`, `mark`), if it has one.
    pub fn get(&self, space: &str, owner: &str) -> Option<u32> {
        self.numbers.get(&(SmolStr::new(space), SmolStr::new(owner))).copied()
    }

    /// The number of an owner, given now if it has none: the lowest free from 1 to `last`. None: the space is full.
    pub fn give(&mut self, space: &str, owner: &str, last: u32) -> Option<u32> {
        if let Some(number) = self.get(space, owner) {
            return Some(number);
        }
        let space = SmolStr::new(space);
        let number = (1..=last).find(|number| !self.used.contains(&(space.clone(), *number)))?;
        self.used.insert((space.clone(), number));
        self.numbers.insert((space, SmolStr::new(owner)), number);
        Some(number)
    }

    /// Takes a number back.
    pub fn release(&mut self, space: &str, owner: &str) {
        let space = SmolStr::new(space);
        if let Some(number) = self.numbers.remove(&(space.clone(), SmolStr::new(owner))) {
            self.used.remove(&(space, number));
        }
    }

    /// All of them: space, owner, number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.numbers.iter().map(|((space, owner), number)| (space.as_str(), owner.as_str(), *number))
    }
}

/// Something of an intent that cannot be realised; the rest of its unit is dropped closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The intent.
    pub unit: UnitId,
    /// What is wrong and what to do, for an operator.
    pub reason: String,
}

/// A program unit compiled.
#[derive(Clone, Default, Debug)]
pub struct Compiled {
    /// What the host should have for it; empty: nothing (the unit goes away).
    pub program: Program,
    /// The intents that are in force on this host once it is applied, and reported so.
    pub realises: Vec<UnitId>,
    /// What could not be.
    pub complaints: Vec<Complaint>,
}

impl Compiled {
    /// True when there is nothing to have, to report or to complain about.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty() && self.realises.is_empty() && self.complaints.is_empty()
    }
}

/// Tracked connections to forget, because what let them pass is gone. Absent fields match anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cut {
    /// Conntrack zone.
    pub zone: u16,
    /// Address family.
    pub family: Family,
    /// IP protocol.
    pub protocol: Option<u8>,
    /// Original source.
    pub source: Option<net::IpNet>,
    /// Original destination.
    pub destination: Option<net::IpNet>,
    /// Original destination ports, both ends included.
    pub destination_ports: Option<(u16, u16)>,
}

/// A role's compiler: pure, total, and the same whether called for one unit or for all. The law that tests hold it to: compiling what
/// [`Compile::concerned`] names after each change gives what compiling [`Compile::units`] at the end gives.
pub trait Compile: Send + Sync {
    /// Name of the role in logs.
    fn name(&self) -> &'static str;

    /// Gives numbers to what the intents contain and takes them from what is gone. Called before compiling.
    fn allocate(&self, changed: &UnitId, intents: &Intents, allocations: &mut Allocations);

    /// All program units that the intents make.
    fn units(&self, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// The program units to compile again after an intent changed: from `before` to what `intents` has now.
    fn concerned(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// The program units to compile again after a link came or went.
    fn device_changed(&self, device: &str, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey>;

    /// What a program unit needs; nothing when the intents do not make it.
    fn compile(&self, unit: &UnitKey, intents: &Intents, facts: &Facts) -> Compiled;

    /// Connections to forget once a change is in force. Asked when `intents` has the change and `facts` still has the numbers of before.
    fn cuts(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> Vec<Cut>;
}
