//! A simulated host: its kernel, its agent, and its stream to a server.

use crate::kernel::Kernel;
use agent::{Agent, Compile, Config, Event, Order};
use dataplane::{Name, Netns};
use intent::wire::{Order as WireOrder, Report};
use net::HostName;
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The link of every host to the wire they share.
pub const PHYSICAL: &str = "eth1";
/// A link that is nobody's business.
pub const FOREIGN: &str = "docker0";

/// A stream that is open.
pub struct Stream {
    /// Which server.
    pub server: usize,
    /// On the way to the agent.
    pub orders: VecDeque<WireOrder>,
    /// On the way to the server.
    pub reports: UnboundedReceiver<Report>,
}

/// A host.
pub struct Node {
    /// Its name.
    pub name: HostName,
    /// Connections are tracked in the bridge family.
    pub native: bool,
    /// Its kernel.
    pub kernel: Kernel,
    /// Its agent, while it runs.
    pub agent: Option<Agent<Kernel>>,
    /// The agent's stream.
    pub stream: Option<Stream>,
    /// The agent died since somebody looked.
    pub died: bool,
    /// Links that came and went, of which the agent has not heard.
    pub news: VecDeque<Event>,
    links: BTreeSet<Name>,
    state: TempDir,
    number: u8,
}

impl Node {
    /// A host with a running agent.
    ///
    /// # Panics
    /// When there is no place for the agent's files.
    pub fn new(number: u8, native: bool) -> Node {
        let kernel = Kernel::default();
        [PHYSICAL, FOREIGN].iter().for_each(|name| kernel.add_link(name));
        let state = tempfile::tempdir().expect("a directory for the agent's state");
        let name = HostName::from(format!("host{number}").as_str());
        let (news, links) = (VecDeque::new(), BTreeSet::new());
        let mut node = Node { name, native, kernel, agent: None, stream: None, died: false, news, links, state, number };
        node.start();
        node
    }

    /// Its tunnel address.
    pub fn tunnel(&self) -> std::net::IpAddr {
        std::net::Ipv4Addr::new(192, 0, 2, self.number).into()
    }

    /// Starts the agent, if it does not run.
    pub fn start(&mut self) {
        if self.agent.is_some() {
            return;
        }
        {
            let mut kernel = self.kernel.state();
            (kernel.dead, kernel.dies_after) = (false, None);
        }
        let mut config = Config::new(self.name.clone(), self.state.path());
        config.local_ip = Some(self.tunnel());
        config.physical_networks = [("physnet1".into(), PHYSICAL.into())].into();
        config.bridge_conntrack = self.native;
        (config.vlan_links, config.br_netfilter) = (true, true);
        let compilers: Vec<Box<dyn Compile>> = vec![
            Box::new(linuxbridge::LinuxBridge),
            Box::new(dhcp::Dhcp { bridge: linuxbridge::bridge, lease_s: 86400, dns_servers: vec![] }),
        ];
        self.agent = Some(Agent::new(config, compilers, self.kernel.clone()).expect("the state directory is there"));
    }

    /// The agent dies; nobody takes anything off the host.
    pub fn crash(&mut self) {
        (self.agent, self.stream, self.died) = (None, None, true);
        self.news.clear();
    }

    /// Opens a stream to a server; the agent's Hello is the first report.
    pub fn attach(&mut self, server: usize) {
        let Some(agent) = &mut self.agent else { return };
        let (sender, reports) = unbounded_channel();
        agent.on(Event::Attached(sender));
        self.stream = Some(Stream { server, orders: VecDeque::new(), reports });
    }

    /// The agent reads so many orders.
    ///
    /// # Panics
    /// When the server said what is not of the contract.
    pub fn read(&mut self, orders: usize) -> usize {
        let (Some(agent), Some(stream)) = (&mut self.agent, &mut self.stream) else { return 0 };
        let count = orders.min(stream.orders.len());
        for order in stream.orders.drain(..count) {
            agent.on(Event::Order(Order::decode(order).expect("an order of the contract")));
        }
        count
    }

    /// The agent hears of links, and acts. Answers false when it died on the way; nobody hears what it said then.
    pub fn turn(&mut self, now: Instant) -> bool {
        self.look();
        let Some(agent) = &mut self.agent else { return true };
        self.news.drain(..).for_each(|event| agent.on(event));
        agent.turn(now);
        if self.kernel.state().dead {
            self.crash();
            return false;
        }
        self.look();
        true
    }

    /// What the kernel would tell of links.
    pub fn look(&mut self) {
        let mut state = self.kernel.state();
        let root = state.actual.netns(&Netns::ROOT);
        let links: BTreeSet<Name> = root.links.keys().cloned().collect();
        for name in links.difference(&self.links) {
            let settled = root.links.get(name).is_some_and(|link| link.up && link.master.is_some());
            self.news.push_back(Event::LinkUp { name: name.clone(), settled });
        }
        self.news.extend(self.links.difference(&links).map(|name| Event::LinkGone(name.clone())));
        drop(state);
        self.links = links;
    }
}
