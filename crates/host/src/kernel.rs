//! Carrying out plans and reading back what is there, over all namespaces.

mod route_run;

use crate::announce::Announcer;
use crate::delegation::Delegations;
use crate::file::Files;
use crate::netlink::{Refusal, Socket};
use crate::nft::Nft;
use crate::{Daemons, Error, ErrorKind, address, error, link, neigh, netns, nft, route, route_rule, sysctl};
use dataplane::{
    Action, Actual, ActualLink, ActualNamespace, Address, FdbEntry, LinkKind, Name, Neighbour, NeighbourProxy, Netns, Owner, Plan, Program,
    Role, Step, UNFILTERED_GROUP, UnitKey,
};
use route_run::RouteRun;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The kernel and the processes of a host, as seen from the namespace this process is in.
#[derive(Debug)]
pub struct Host {
    spaces: BTreeMap<Netns, Space>,
    daemons: Daemons,
    files: Files,
    announcer: Announcer,
    delegations: Delegations,
    /// A file for each namespace made: several hosts may share the names, as when each is in a namespace of its own.
    made: PathBuf,
}

/// Sockets that live in one namespace.
#[derive(Debug)]
struct Space {
    inode: Option<u64>,
    route: Socket,
    nft: Nft,
}

/// What to read beside the objects with our mark.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// Kernel parameters by namespace.
    pub sysctls: BTreeMap<Netns, BTreeSet<SmolStr>>,
}

impl Interest {
    /// What is to be read to compare with these programs.
    pub fn of<'a>(programs: impl IntoIterator<Item = &'a Program>) -> Interest {
        let mut interest = Interest::default();
        for (netns, namespace) in programs.into_iter().flat_map(|program| &program.namespaces) {
            interest.sysctls.entry(netns.clone()).or_default().extend(namespace.sysctls.keys().cloned());
        }
        interest
    }
}

/// What became of a step.
#[derive(Debug)]
pub struct StepReport {
    /// Its index in the plan.
    pub step: usize,
    /// The unit it was for.
    pub unit: Option<UnitKey>,
    /// How it went.
    pub outcome: Outcome,
}

/// How a step went.
#[derive(Debug)]
pub enum Outcome {
    /// The kernel has it now.
    Done,
    /// It was refused.
    Failed(Error),
    /// Not tried, because an earlier step of its unit failed.
    Skipped,
}

impl Space {
    /// Sockets in the calling thread's namespace.
    fn open() -> std::io::Result<Space> {
        Ok(Space { inode: None, route: Socket::open(libc::NETLINK_ROUTE)?.strict()?, nft: Nft::open()? })
    }
}

impl Host {
    /// Opens the sockets of this namespace and takes over the daemons whose unit directories are below `state`.
    pub fn new(state: &Path) -> Result<Host, Error> {
        let root = Space::open().map_err(|error| Error::io("open netlink sockets", "root", error))?;
        let watched = state.join("files");
        let files = Files::open(&watched)?;
        let daemons = Daemons::new(&state.join("daemons"), &watched)?;
        let made = state.join("namespaces");
        fs::create_dir_all(&made).map_err(|error| Error::io("open directory", made.display(), error))?;
        Ok(Host {
            spaces: BTreeMap::from([(Netns::ROOT, root)]),
            daemons,
            files,
            announcer: Announcer::default(),
            delegations: Delegations::default(),
            made,
        })
    }

    /// The client of those who delegate prefixes; it tells its news to whoever listens.
    pub fn delegations(&mut self) -> &mut Delegations {
        &mut self.delegations
    }

    /// The supervisor of the daemons.
    pub fn daemons(&self) -> &Daemons {
        &self.daemons
    }

    fn space(&mut self, netns: &Netns) -> Result<&mut Space, Error> {
        let inode = netns.name().and_then(|name| netns::inode(name));
        if self.spaces.get(netns).is_none_or(|space| space.inode != inode) {
            self.spaces.remove(netns);
            let opened = netns::run(netns, Space::open)?.map_err(|error| Error::io("open netlink sockets", netns, error))?;
            self.spaces.insert(netns.clone(), Space { inode, ..opened });
        }
        Ok(self.spaces.get_mut(netns).expect("inserted above when it was not there"))
    }

    /// What the host has: all links and our other objects in this namespace and in each one made with this state directory, and
    /// the daemons.
    pub fn read(&mut self, interest: &Interest) -> Result<Actual, Error> {
        let mut actual = Actual::default();
        let root = self.read_netns(&Netns::ROOT, interest)?;
        actual.namespaces.insert(Netns::ROOT, root);
        let mut names = netns::list()?;
        names.retain(|name| self.made.join(name).exists());
        self.spaces.retain(|netns, _| netns.name().is_none_or(|name| names.iter().any(|known| known == name.as_str())));
        for name in names {
            let netns = Netns::named(name);
            match self.read_made(&netns, interest) {
                Ok(Some(namespace)) => _ = actual.namespaces.insert(netns, namespace),
                Ok(None) => {}
                // Namespaces of others come and go.
                Err(error) if netns::absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        actual.netns(&Netns::ROOT).files = self.files.read()?;
        for ((netns, name), daemon) in self.daemons.read() {
            actual.netns(&netns).daemons.insert(name, daemon);
        }
        Ok(actual)
    }

    /// A named namespace when its loopback link has our mark.
    fn read_made(&mut self, netns: &Netns, interest: &Interest) -> Result<Option<ActualNamespace>, Error> {
        let known = self.spaces.contains_key(netns);
        let lo = link::get(&mut self.space(netns)?.route, "lo").map_err(|refusal| fault("read link", "lo", refusal))?;
        if lo.is_some_and(|lo| lo.link.owner.is_some()) {
            let namespace = self.read_netns(netns, interest)?;
            return Ok(Some(ActualNamespace { made: true, ..namespace }));
        }
        if !known {
            // A socket would keep a namespace of somebody else alive.
            self.spaces.remove(netns);
        }
        Ok(None)
    }

    fn read_netns(&mut self, netns: &Netns, interest: &Interest) -> Result<ActualNamespace, Error> {
        let space = self.space(netns)?;
        let read = |what: &'static str| move |refusal| fault("read", what, refusal);
        let mut links = retried(|| link::dump(&mut space.route)).map_err(read("links"))?;
        let names: BTreeMap<u32, Name> = links.values().map(|found| (found.index, found.name.clone())).collect();
        let fdb = retried(|| neigh::dump_fdb(&mut space.route)).map_err(read("forwarding entries"))?;
        for (index, mac) in fdb.stations {
            if let Some(found) = names.get(&index).and_then(|name| links.get_mut(name)) {
                found.link.station = Some(mac);
            }
        }
        let ours =
            |name: &Name| links.get(name).and_then(|found| found.link.owner.as_ref()).is_some_and(|owner| owner.role != Role::Attached);
        let vxlan = |name: &Name| links.get(name).is_some_and(|found| matches!(found.link.kind, LinkKind::Vxlan(_)));
        let mut namespace = ActualNamespace { tables: space.nft.read()?, ..ActualNamespace::default() };
        for found in retried(|| address::dump(&mut space.route)).map_err(read("addresses"))? {
            let Some(name) = names.get(&found.index).filter(|name| *name != "lo" || found.marked) else { continue };
            if found.marked || (ours(name) && !found.automatic) {
                namespace.addresses.insert(Address { link: name.clone(), net: found.net, metric: found.metric });
            }
        }
        namespace.routes = retried(|| route::dump(&mut space.route, &names)).map_err(read("routes"))?;
        namespace.route_rules = retried(|| route_rule::dump(&mut space.route)).map_err(read("route rules"))?;
        for found in fdb.remotes {
            if let Some(link) = names.get(&found.index).filter(|name| vxlan(name)) {
                namespace.fdb.insert(FdbEntry { link: link.clone(), mac: found.mac, remote: found.address });
            }
        }
        for found in retried(|| neigh::dump(&mut space.route)).map_err(read("neighbours"))? {
            if let Some(link) = names.get(&found.index).filter(|name| ours(name)) {
                namespace.neighbours.insert(Neighbour { link: link.clone(), address: found.address, mac: found.mac });
            }
        }
        for (index, address) in retried(|| neigh::dump_proxies(&mut space.route)).map_err(read("neighbour proxies"))? {
            if let Some(link) = names.get(&index).filter(|name| ours(name)) {
                namespace.proxies.insert(NeighbourProxy { link: link.clone(), address });
            }
        }
        let unfiltered = |found: &&link::Found| found.group == UNFILTERED_GROUP && found.link.owner.is_some();
        namespace.unfiltered = links.values().filter(unfiltered).map(|found| found.name.clone()).collect();
        let lo_of_ours = |name: &Name| name == "lo" && !netns.is_root();
        namespace.links = links.into_iter().filter(|(name, _)| !lo_of_ours(name)).map(|(name, found)| (name, found.link)).collect();
        if let Some(keys) = interest.sysctls.get(netns).filter(|keys| !keys.is_empty()) {
            namespace.sysctls = sysctl::get(netns, keys.iter())?;
        }
        Ok(namespace)
    }

    /// One link as it is now; `None` when it is not there.
    pub fn read_link(&mut self, netns: &Netns, name: &Name) -> Result<Option<ActualLink>, Error> {
        let space = match self.space(netns) {
            Err(error) if netns::absent(&error) => return Ok(None),
            other => other?,
        };
        let read = |refusal| fault("read link", name, refusal);
        let Some(found) = link::get(&mut space.route, name).map_err(read)? else { return Ok(None) };
        let master = if found.master == 0 { None } else { link::name_of(&mut space.route, found.master).map_err(read)? };
        Ok(Some(ActualLink { master, ..found.link }))
    }

    /// Looks afresh at the links of others which a program attaches, and notes them in `actual`.
    pub fn observe(&mut self, program: &Program, actual: &mut Actual) -> Result<(), Error> {
        for (netns, namespace) in &program.namespaces {
            for (name, _) in namespace.links.iter().filter(|(_, link)| link.kind == LinkKind::Existing) {
                let link = self.read_link(netns, name)?;
                actual.set_link(netns, name, link);
            }
        }
        Ok(())
    }

    /// Carries out the steps in order, as many at once as belong together, and reports on each. Once a step of a unit has
    /// failed its further steps are skipped, so that nothing is brought up without its filter.
    pub fn apply(&mut self, plan: &Plan) -> Vec<StepReport> {
        let mut run = Run { steps: &plan.steps, outcomes: plan.steps.iter().map(|_| None).collect(), failed: BTreeSet::new() };
        let mut from = 0;
        while from < plan.steps.len() {
            let (class, netns) = (class_of(&plan.steps[from].action), &plan.steps[from].netns);
            let same = |step: &Step| class_of(&step.action) == class && step.netns == *netns;
            let to = plan.steps[from..].iter().position(|step| !same(step)).map_or(plan.steps.len(), |length| from + length);
            self.apply_run(&mut run, from..to, class, netns);
            run.note_failures(from..to);
            from = to;
        }
        self.announcer.announce(come(&run));
        let report = |(step, outcome): (usize, Option<Outcome>)| StepReport {
            step,
            unit: plan.steps[step].unit.clone(),
            outcome: outcome.unwrap_or(Outcome::Skipped),
        };
        run.outcomes.into_iter().enumerate().map(report).collect()
    }

    fn apply_run(&mut self, run: &mut Run<'_>, range: std::ops::Range<usize>, class: Class, netns: &Netns) {
        let open: Vec<usize> = range.filter(|at| run.may(*at)).collect();
        if open.is_empty() {
            return;
        }
        match class {
            Class::Netns => {
                for at in open {
                    let done = self.apply_netns(netns, &run.steps[at].action);
                    run.outcomes[at] = Some(outcome(done));
                }
            }
            Class::Daemon => {
                for at in open {
                    let done = self.apply_daemon(netns, &run.steps[at].action);
                    run.outcomes[at] = Some(outcome(done));
                }
            }
            Class::Sysctl => apply_sysctls(run, &open, netns),
            Class::Nft | Class::Route => match self.space(netns) {
                Ok(space) if class == Class::Nft => apply_nft(&mut space.nft, run, &open),
                Ok(space) => RouteRun::new(&mut space.route, netns).apply(run, &open),
                Err(error) => run.all(&open, error),
            },
        }
    }

    fn apply_netns(&mut self, netns: &Netns, action: &Action) -> Result<(), Error> {
        let name = netns.name().ok_or_else(|| Error::invalid("change namespace", netns, "it is the one this process is in"))?;
        self.spaces.remove(netns);
        let record = self.made.join(name.as_str());
        let fault = |error| Error::io("record namespace", name, error);
        let Action::CreateNetns(owner) = action else {
            netns::delete(name)?;
            return match fs::remove_file(&record) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(fault(error)),
                _ => Ok(()),
            };
        };
        fs::write(&record, "").map_err(fault)?;
        let space = netns::create(name, || open_marked(owner))?;
        let space = space.inspect_err(|_| _ = netns::delete(name))?;
        self.spaces.insert(netns.clone(), Space { inode: netns::inode(name), ..space });
        Ok(())
    }

    fn apply_daemon(&mut self, netns: &Netns, action: &Action) -> Result<(), Error> {
        match action {
            Action::StartDaemon(name, daemon) => self.daemons.start(netns, name, daemon),
            Action::ReloadDaemon { name, daemon, signal } => self.daemons.reload(netns, name, daemon, *signal),
            Action::StopDaemon(name) => self.daemons.stop(netns, name),
            Action::WriteFile(name, content) if netns.is_root() => self.files.write(name, content),
            Action::RemoveFile(name) if netns.is_root() => self.files.remove(name),
            other => Err(Error::invalid("supervise", other, "not a daemon's action")),
        }
    }
}

fn open_marked(owner: &Owner) -> Result<Space, Error> {
    let mut space = Space::open().map_err(|error| Error::io("open netlink sockets", owner, error))?;
    link::mark_loopback(&mut space.route, owner).map_err(|refusal| fault("mark namespace of", owner, refusal))?;
    Ok(space)
}

fn fault(op: &'static str, object: impl std::fmt::Display, refusal: Refusal) -> Error {
    Error::new(op, object, refusal.into())
}

fn outcome(result: Result<(), Error>) -> Outcome {
    result.map_or_else(Outcome::Failed, |()| Outcome::Done)
}

/// Dumps again what changed while it was dumped.
fn retried<T>(mut dump: impl FnMut() -> Result<T, Refusal>) -> Result<T, Refusal> {
    for _ in 0..10 {
        match dump() {
            Err(refusal) if refusal.errno == libc::EINTR => {}
            other => return other,
        }
    }
    dump()
}

/// The addresses that links of our namespaces have got: neighbours are to know.
fn come(run: &Run<'_>) -> BTreeMap<Netns, Vec<Address>> {
    let mut come: BTreeMap<Netns, Vec<Address>> = BTreeMap::new();
    for (step, outcome) in run.steps.iter().zip(&run.outcomes) {
        if let (Action::AddAddress(address), Some(Outcome::Done), false) = (&step.action, outcome, step.netns.is_root()) {
            come.entry(step.netns.clone()).or_default().push(address.clone());
        }
    }
    come
}

/// What carries an action out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Netns,
    Sysctl,
    Nft,
    Route,
    Daemon,
}

fn class_of(action: &Action) -> Class {
    match action {
        Action::CreateNetns(_) | Action::DeleteNetns => Class::Netns,
        Action::SetSysctl(..) => Class::Sysctl,
        Action::Table(..) => Class::Nft,
        Action::WriteFile(..) | Action::RemoveFile(_) => Class::Daemon,
        Action::StartDaemon(..) | Action::ReloadDaemon { .. } | Action::StopDaemon(_) => Class::Daemon,
        _ => Class::Route,
    }
}

/// A plan being carried out.
struct Run<'a> {
    steps: &'a [Step],
    outcomes: Vec<Option<Outcome>>,
    failed: BTreeSet<UnitKey>,
}

impl Run<'_> {
    fn may(&self, at: usize) -> bool {
        self.steps[at].unit.as_ref().is_none_or(|unit| !self.failed.contains(unit))
    }

    fn note_failures(&mut self, range: std::ops::Range<usize>) {
        for at in range {
            if let (Some(Outcome::Failed(_)), Some(unit)) = (&self.outcomes[at], &self.steps[at].unit) {
                self.failed.insert(unit.clone());
            }
        }
    }

    /// All of these fail for one reason; the first says why.
    fn all(&mut self, open: &[usize], error: Error) {
        let op = error.op;
        let text = error.to_string();
        let gone = error.kind() == ErrorKind::Gone;
        for at in open {
            let forgiven = gone && removes(&self.steps[*at].action);
            self.outcomes[*at] = Some(if forgiven { Outcome::Done } else { Outcome::Failed(Error::invalid(op, &self.steps[*at], &text)) });
        }
        if let Some(first) = open.first().filter(|first| matches!(self.outcomes[**first], Some(Outcome::Failed(_)))) {
            self.outcomes[*first] = Some(Outcome::Failed(error));
        }
    }
}

fn apply_sysctls(run: &mut Run<'_>, open: &[usize], netns: &Netns) {
    let value = |at: &usize| match &run.steps[*at].action {
        Action::SetSysctl(key, value) => (key.clone(), value.clone()),
        other => unreachable!("a run of kernel parameters holds {other}"),
    };
    let values: Vec<(SmolStr, SmolStr)> = open.iter().map(value).collect();
    match sysctl::set(netns, &values) {
        Ok(results) => {
            for (at, result) in open.iter().zip(results) {
                run.outcomes[*at] = Some(outcome(result));
            }
        }
        Err(error) => run.all(open, error),
    }
}

fn apply_nft(nft: &mut Nft, run: &mut Run<'_>, open: &[usize]) {
    let change = |at: &usize| {
        let step = &run.steps[*at];
        match &step.action {
            Action::Table(table, change) => nft::Change { unit: step.unit.as_ref(), table, change },
            other => unreachable!("a run of table changes holds {other}"),
        }
    };
    let changes: Vec<nft::Change<'_>> = open.iter().map(change).collect();
    let outcomes = nft.apply(&changes);
    for (at, outcome) in open.iter().zip(outcomes) {
        run.outcomes[*at] = Some(match outcome {
            nft::Outcome::Done => Outcome::Done,
            nft::Outcome::Failed(error) => Outcome::Failed(error),
            nft::Outcome::Skipped => Outcome::Skipped,
        });
    }
}

fn removes(action: &Action) -> bool {
    matches!(
        action,
        Action::DeleteNetns
            | Action::DeleteLink(_)
            | Action::ReleaseLink(_)
            | Action::LeaveUnfiltered(_)
            | Action::RemoveAddress(_)
            | Action::RemoveRoute(..)
            | Action::RemoveRouteRule(_)
            | Action::RemoveFdb(_)
            | Action::RemoveNeighbour(_)
            | Action::RemoveProxy(_)
            | Action::StopDaemon(_)
            | Action::RemoveFile(_)
    ) || matches!(action, Action::Table(_, change) if matches!(change, dataplane::TableChange::Delete))
}

/// The action's result is there already.
fn forgiven(action: &Action, errno: i32) -> bool {
    match error::kind_of(errno) {
        ErrorKind::Gone => removes(action),
        ErrorKind::Exists => matches!(action, Action::AddAddress(_) | Action::AddRouteRule(_) | Action::AddFdb(_)),
        _ => false,
    }
}
