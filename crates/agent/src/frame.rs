//! The agent: it takes events in, and in each turn brings the host to what it was told.

use crate::reporter::Reporter;
use crate::state::Saved;
use crate::{Allocations, Compile, Compiled, Config, Cut, Delegation, Event, Facts, Host, HostError, Intents, NextHops, Order, Release};
use dataplane::{Name, Netns, Program, UnitKey};
use intent::wire::{Hello, Role};
use intent::{Unit, UnitId};
use net::{RouterId, SubnetId};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The version of the contract this agent speaks.
const PROTOCOL: u32 = 1;
/// The pause before what failed is tried again; it doubles with each further time.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// The state of the host-side frame. [`Agent::on`] takes events in, [`Agent::turn`] acts on all of them at once; neither waits.
pub struct Agent<H> {
    pub(crate) config: Config,
    pub(crate) compilers: Vec<Box<dyn Compile>>,
    pub(crate) host: H,
    pub(crate) facts: Facts,
    pub(crate) intents: Intents,
    /// The revision of each unit told.
    pub(crate) told: BTreeMap<UnitId, u64>,
    staging: Option<Staging>,
    synced: bool,
    /// That the host is in sync has been said.
    announced: bool,
    /// All is told up to here: what a new stream resumes from.
    revision: u64,
    /// Something was told of a later revision, but not all of it: what is known is the state of no revision.
    partial: bool,
    /// The newest revision anything was told of; reports name it.
    newest: u64,
    epoch: u64,
    repeat: bool,
    started_at: i64,
    saved: Saved,
    pub(crate) reporter: Reporter,
    /// Program units to compile again, with their role's index.
    pub(crate) dirty: BTreeMap<UnitKey, usize>,
    pub(crate) entries: BTreeMap<UnitKey, Entry>,
    /// What the host is known to have of each unit.
    pub(crate) applied: BTreeMap<UnitKey, Arc<Program>>,
    pub(crate) broken: BTreeMap<UnitKey, String>,
    /// Daemons that ended unasked and do not run for good again, with how they ended.
    pub(crate) ailing: BTreeMap<(Netns, Name), SmolStr>,
    /// Subnets whose prefix is asked for in vain, with why.
    pub(crate) undelegated: BTreeMap<(RouterId, SubnetId), SmolStr>,
    pub(crate) cuts: BTreeSet<Cut>,
    pub(crate) releases: BTreeSet<Release>,
    /// Prefixes that are wanted, and whether that may have changed.
    delegations: BTreeSet<Delegation>,
    delegations_due: bool,
    timers: Timers,
    roles: Vec<Role>,
}

/// A program unit as it was compiled last.
pub(crate) struct Entry {
    pub(crate) role: usize,
    pub(crate) program: Arc<Program>,
    pub(crate) compiled: Compiled,
}

/// A snapshot being told.
#[derive(Default)]
struct Staging {
    intents: Intents,
    told: BTreeMap<UnitId, u64>,
}

struct Timers {
    resync: Instant,
    heartbeat: Instant,
    retry: Option<Instant>,
    failures: u32,
}

impl<H: Host> Agent<H> {
    /// An agent that knows nothing yet. Fails when the state directory cannot be used.
    pub fn new(config: Config, compilers: Vec<Box<dyn Compile>>, host: H) -> std::io::Result<Agent<H>> {
        let (saved, allocations) = Saved::load(&config.state)?;
        let now = Instant::now();
        let facts = Facts {
            host: config.host.clone(),
            local_ip: config.local_ip,
            vxlan_port: config.vxlan_port,
            arp_responder: config.arp_responder,
            physical_networks: config.physical_networks.clone(),
            devices: BTreeSet::new(),
            bridge_conntrack: config.bridge_conntrack,
            br_netfilter: config.br_netfilter,
            vlan_links: config.vlan_links,
            next_hops: NextHops::new(),
            allocations,
            cuts: BTreeSet::new(),
        };
        Ok(Agent {
            timers: Timers { resync: now, heartbeat: now + config.heartbeat, retry: None, failures: 0 },
            config,
            compilers,
            host,
            facts,
            intents: Intents::default(),
            told: BTreeMap::new(),
            staging: None,
            synced: false,
            announced: false,
            revision: 0,
            partial: false,
            newest: 0,
            epoch: 0,
            repeat: false,
            started_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64),
            saved,
            reporter: Reporter::default(),
            dirty: BTreeMap::new(),
            entries: BTreeMap::new(),
            applied: BTreeMap::new(),
            broken: BTreeMap::new(),
            ailing: BTreeMap::new(),
            undelegated: BTreeMap::new(),
            cuts: BTreeSet::new(),
            releases: BTreeSet::new(),
            delegations: BTreeSet::new(),
            delegations_due: false,
            roles: Vec::new(),
        })
    }

    /// Takes an event in. Nothing is done on the host before the next turn.
    pub fn on(&mut self, event: Event) {
        match event {
            Event::Attached(out) => {
                self.staging = None;
                self.repeat = true;
                self.roles = self.roles();
                // A difference to the last revision told as a whole would leave out what came after it and is gone again.
                let (revision, epoch) = if self.partial { (0, 0) } else { (self.revision, self.epoch) };
                let hello = Hello {
                    host: self.config.host.to_string(),
                    revision,
                    epoch,
                    roles: self.roles.clone(),
                    started_at: self.started_at,
                    protocol: PROTOCOL,
                };
                self.reporter.attach(out, hello);
            }
            Event::Order(order) => self.order(order),
            Event::LinkUp { name, settled } => {
                if self.facts.devices.insert(name.clone()) || !settled {
                    self.device(&name);
                }
            }
            Event::LinkGone(name) => {
                self.facts.devices.remove(&name);
                self.device(&name);
                if self.makes_link(&name) {
                    tracing::warn!(link = %name, "somebody else deleted a link of ours");
                    self.timers.resync = Instant::now();
                }
            }
            Event::NextHops(now) => self.next_hops(now),
            Event::DaemonEnded { netns, name, reason } => {
                tracing::warn!(%netns, daemon = %name, %reason, "daemon ended");
                self.ailing.insert((netns.clone(), name.clone()), reason);
                // Its files may be others than those we wrote.
                self.timers.resync = Instant::now();
                self.daemon(&netns, &name);
            }
            Event::DaemonRuns { netns, name } => {
                if self.ailing.remove(&(netns.clone(), name.clone())).is_some() {
                    self.daemon(&netns, &name);
                }
            }
            Event::Delegated { router, subnet, prefix } => {
                if prefix.is_some() && self.undelegated.remove(&(router, subnet)).is_some() {
                    self.unit_of(router);
                }
                self.reporter.delegated(router, subnet, prefix);
            }
            Event::NotDelegated { router, subnet, reason } => {
                // What is no longer asked for may have been said a moment ago.
                let is_wanted = self.delegations.iter().any(|wanted| (wanted.router, wanted.subnet) == (router, subnet));
                if is_wanted && self.undelegated.insert((router, subnet), reason.clone()).as_ref() != Some(&reason) {
                    self.unit_of(router);
                }
            }
            Event::Resync => self.timers.resync = Instant::now(),
            Event::Stop => {}
        }
    }

    /// The units with a daemon are to be reported on again.
    fn daemon(&mut self, netns: &Netns, name: &Name) {
        let runs = |program: &Program| program.namespaces.get(netns).is_some_and(|space| space.daemons.contains_key(name));
        let units = self.entries.iter().filter(|(_, entry)| runs(&entry.program)).map(|(unit, entry)| (unit.clone(), entry.role));
        self.dirty.extend(units);
    }

    /// The unit of a router is to be reported on again.
    fn unit_of(&mut self, router: RouterId) {
        let unit = UnitKey::from_text(UnitId::Router(router).to_string());
        self.dirty.extend(self.entries.get(&unit).map(|entry| (unit, entry.role)));
    }

    fn makes_link(&self, name: &str) -> bool {
        let made = |link: &dataplane::Link| link.kind.role() == dataplane::Role::Made;
        let root = |program: &Program| program.namespaces.get(&Netns::ROOT).and_then(|root| root.links.get(name)).is_some_and(made);
        self.applied.values().any(|program| root(program))
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Snapshot => self.staging = Some(Staging::default()),
            Order::Delta { revision, put, remove } => {
                if !self.synced && self.staging.is_none() {
                    self.staging = Some(Staging::default());
                }
                if let Some(staging) = &mut self.staging {
                    for id in remove {
                        staging.intents.remove(&id);
                        staging.told.remove(&id);
                    }
                    for (revision, unit) in put {
                        staging.told.insert(unit.id(), revision);
                        staging.intents.put(unit);
                    }
                    return;
                }
                // Not yet the revision to resume from: a change may come in several deltas.
                tracing::debug!(revision, put = put.len(), remove = remove.len(), "delta");
                self.newest = self.newest.max(revision);
                self.partial = true;
                remove.into_iter().for_each(|id| self.change(id, None));
                put.into_iter().for_each(|(revision, unit)| self.change(unit.id(), Some((revision, unit))));
            }
            Order::Synced { revision, epoch } => {
                if let Some(staging) = self.staging.take() {
                    self.replace(staging);
                }
                (self.revision, self.newest, self.epoch, self.partial) = (revision, revision, epoch, false);
                if !self.synced {
                    self.synced = true;
                    self.settle_numbers();
                }
                if std::mem::take(&mut self.repeat) {
                    self.reporter.repeat();
                }
            }
        }
    }

    fn replace(&mut self, staging: Staging) {
        let gone: Vec<UnitId> = self.intents.iter().map(|(id, _)| *id).filter(|id| staging.intents.get(id).is_none()).collect();
        gone.into_iter().for_each(|id| self.change(id, None));
        for (id, unit) in staging.intents.iter() {
            let revision = staging.told.get(id).copied().unwrap_or_default();
            if self.intents.get(id) != Some(unit) || self.told.get(id) != Some(&revision) {
                self.change(*id, Some((revision, unit.clone())));
            }
        }
    }

    fn change(&mut self, id: UnitId, now: Option<(u64, Unit)>) {
        let before = match now {
            Some((revision, unit)) => {
                self.told.insert(id, revision);
                self.intents.put(unit)
            }
            None => {
                self.told.remove(&id);
                self.intents.remove(&id)
            }
        };
        let differs = before.as_ref() != self.intents.get(&id);
        self.delegations_due |= differs && matches!(id, UnitId::Router(_));
        for (role, compiler) in self.compilers.iter().enumerate() {
            if differs {
                self.cuts.extend(compiler.cuts(&id, before.as_ref(), &self.intents, &self.facts));
                self.releases.extend(compiler.releases(&id, before.as_ref(), &self.intents));
                compiler.allocate(&id, &self.intents, &mut self.facts.allocations);
            }
            let concerned = compiler.concerned(&id, before.as_ref(), &self.intents, &self.facts);
            self.dirty.extend(concerned.into_iter().map(|unit| (unit, role)));
        }
    }

    /// Everybody who is there has its number: what others had may be given away.
    fn settle_numbers(&mut self) {
        for (space, number) in self.facts.allocations.settle() {
            self.cuts.extend(self.compilers.iter().flat_map(|compiler| compiler.cuts_of_number(&space, number)));
        }
    }

    fn next_hops(&mut self, now: NextHops) {
        let before = std::mem::replace(&mut self.facts.next_hops, now);
        for (role, compiler) in self.compilers.iter().enumerate() {
            let (units, cuts) = compiler.next_hops_changed(&before, &self.intents, &self.facts);
            self.dirty.extend(units.into_iter().map(|unit| (unit, role)));
            self.cuts.extend(cuts);
        }
    }

    fn device(&mut self, name: &str) {
        for (role, compiler) in self.compilers.iter().enumerate() {
            let units = compiler.device_changed(name, &self.intents, &self.facts);
            self.dirty.extend(units.into_iter().map(|unit| (unit, role)));
        }
    }

    /// Links that came or went while nobody listened.
    pub(crate) fn note_devices(&mut self, there: BTreeSet<Name>) {
        let changed: Vec<_> = there.symmetric_difference(&self.facts.devices).cloned().collect();
        self.facts.devices = there;
        changed.iter().for_each(|name| self.device(name));
    }

    /// Brings the host to what was told, as far as it goes, and reports. Nothing is written before all has been told once.
    pub fn turn(&mut self, now: Instant) {
        if self.synced {
            match self.saved.save(&self.facts.allocations) {
                Ok(()) => self.pass(now),
                Err(error) => {
                    tracing::error!(%error, "cannot save the numbers given out: nothing is changed on the host");
                    (self.timers.retry, self.timers.resync) = (Some(now + LONGEST_RETRY), now + LONGEST_RETRY);
                }
            }
        }
        if now >= self.timers.heartbeat {
            self.timers.heartbeat = now + self.config.heartbeat;
            let roles = self.roles();
            let changed = if roles == self.roles { Vec::new() } else { roles.clone() };
            self.roles = roles;
            self.reporter.heartbeat(changed);
        }
    }

    fn pass(&mut self, now: Instant) {
        let delegations = self.delegations();
        self.say_cuts(self.cuts.iter().filter(|cut| cut.is_judged()).cloned().collect());
        let due = now >= self.timers.resync || self.timers.retry.is_some_and(|at| now >= at);
        let done = if due || self.dirty.keys().any(|unit| self.broken.contains_key(unit)) {
            self.timers.resync = now + self.config.resync;
            self.full_pass()
        } else if self.dirty.is_empty() {
            Ok(())
        } else {
            self.quick_pass()
        };
        let seen = done.is_ok();
        self.delegate(delegations);
        // A rule is not gone while connections that it let pass go on.
        let ended = self.aftermath();
        self.reschedule(now, done.and(ended), due);
        // What was told in part is the state of no revision that a report could name: what is in force may be what is about to be taken away.
        if !self.partial {
            self.reporter.flush(self.newest, &self.told, seen);
        }
        if !self.announced && self.is_settled() {
            self.announced = true;
            tracing::info!(revision = self.revision, "in sync");
        }
    }

    fn reschedule(&mut self, now: Instant, done: Result<(), HostError>, due: bool) {
        let failed = done.is_err() || !self.broken.is_empty();
        if let Err(error) = done {
            tracing::error!(%error, "cannot read the host");
        }
        if !failed {
            (self.timers.retry, self.timers.failures) = (None, 0);
        } else if due || self.timers.retry.is_none() {
            let pause = FIRST_RETRY.saturating_mul(1 << self.timers.failures.min(12)).min(LONGEST_RETRY);
            self.timers.failures = self.timers.failures.saturating_add(1);
            self.timers.retry = Some(now + pause);
        }
    }

    /// The prefixes wanted, when they may be others than before. Those of a router that stays are given back before its links change;
    /// one that has left this host takes its prefixes along.
    fn delegations(&mut self) -> Option<BTreeSet<Delegation>> {
        if !std::mem::take(&mut self.delegations_due) {
            return None;
        }
        let wanted: BTreeSet<Delegation> = self.compilers.iter().flat_map(|compiler| compiler.delegations(&self.intents)).collect();
        let kept = |ended: &Delegation| wanted.iter().any(|now| (now.subnet, &now.link) == (ended.subnet, &ended.link));
        let stays = |ended: &Delegation| self.intents.router(ended.router).is_some();
        let (back, left): (Vec<_>, Vec<_>) = self.delegations.iter().filter(|before| !kept(before)).cloned().partition(stays);
        self.undelegated.retain(|(router, subnet), _| wanted.iter().any(|wanted| (wanted.router, wanted.subnet) == (*router, *subnet)));
        back.iter().chain(&left).for_each(|ended| self.reporter.undelegated(ended.subnet));
        if !back.is_empty()
            && let Err(error) = self.host.give_back(&back)
        {
            tracing::warn!(%error, "cannot give prefixes back");
        }
        Some(wanted)
    }

    fn delegate(&mut self, wanted: Option<BTreeSet<Delegation>>) {
        let Some(wanted) = wanted.filter(|wanted| *wanted != self.delegations) else { return };
        if let Err(error) = self.host.delegate(&wanted) {
            tracing::error!(%error, "cannot ask for prefixes");
            self.delegations_due = true;
        }
        self.delegations = wanted;
    }

    /// Says of which connections packets are to be judged as if these were new.
    fn say_cuts(&mut self, cuts: BTreeSet<Cut>) {
        if cuts != self.facts.cuts {
            self.facts.cuts = cuts;
            for (role, compiler) in self.compilers.iter().enumerate() {
                self.dirty.extend(compiler.cut_units().into_iter().map(|unit| (unit, role)));
            }
        }
    }

    /// What follows a change that is in force.
    fn aftermath(&mut self) -> Result<(), HostError> {
        let cuts: Vec<Cut> = std::mem::take(&mut self.cuts).into_iter().collect();
        if !cuts.is_empty()
            && let Err(error) = self.host.cut(&cuts)
        {
            tracing::error!(%error, "cannot forget connections");
        }
        let releases: Vec<Release> = std::mem::take(&mut self.releases).into_iter().collect();
        if !releases.is_empty()
            && let Err(error) = self.host.release(&releases)
        {
            tracing::warn!(%error, "cannot end leases");
        }
        if self.facts.cuts.is_empty() {
            return Ok(());
        }
        self.say_cuts(BTreeSet::new());
        self.quick_pass()
    }

    fn roles(&self) -> Vec<Role> {
        let zone = self.config.availability_zone.to_string();
        let role = |compiler: &dyn Compile| Role { availability_zone: zone.clone(), ..compiler.role(&self.intents, &self.facts) };
        self.compilers.iter().map(|compiler| role(compiler.as_ref())).collect()
    }

    /// When the next turn is due although nothing happens.
    pub fn next_turn(&self) -> Instant {
        let retry = self.timers.retry.filter(|_| self.synced);
        let resync = Some(self.timers.resync).filter(|_| self.synced);
        [Some(self.timers.heartbeat), retry, resync].into_iter().flatten().min().expect("the heartbeat is always due some time")
    }

    /// True when all that was told is in force, but what waits for its device.
    pub fn is_settled(&self) -> bool {
        self.synced && self.dirty.is_empty() && self.broken.is_empty()
    }

    /// What each program unit should have on the host.
    pub fn programs(&self) -> impl Iterator<Item = (&UnitKey, &Program)> {
        self.entries.iter().map(|(unit, entry)| (unit, &*entry.program))
    }

    /// The numbers given out.
    pub fn allocations(&self) -> &Allocations {
        &self.facts.allocations
    }

    /// The host.
    pub fn host(&mut self) -> &mut H {
        &mut self.host
    }
}
