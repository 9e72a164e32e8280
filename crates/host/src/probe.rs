//! What this kernel can do, found out by trying it in a namespace that is thrown away.

use crate::netlink::Socket;
use crate::nft::{Change, Nft, Outcome};
use crate::{Error, link};
use dataplane::nft::{Base, ChainKind, Compare, Ct, Family, Field, Hook, Policy, Reject, Right, Rule, Statement, TableKey};
use dataplane::{Name, Owner, Role, TableChange, UnitKey};
use nix::sched::{CloneFlags, unshare};
use std::fmt;
use std::path::Path;

/// Whether a feature works, and why that is thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// It works.
    pub works: bool,
    /// In words for people: what was tried and what the kernel said.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.works { "yes" } else { "no" }, self.reason)
    }
}

/// The features of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// nftables at all.
    pub nft: Finding,
    /// Connection tracking in nft's family bridge.
    pub bridge_conntrack: Finding,
    /// The bridge's name as nft metadata.
    pub bridge_meta: Finding,
    /// `reject` in nft's family bridge.
    pub bridge_reject: Finding,
    /// Bridged packets pass the hooks of inet.
    pub br_netfilter: Finding,
    /// Ethernet bridges.
    pub bridge: Finding,
    /// veth pairs.
    pub veth: Finding,
    /// VXLAN links.
    pub vxlan: Finding,
    /// Geneve links.
    pub geneve: Finding,
    /// GRE links that carry Ethernet.
    pub gretap: Finding,
    /// VLAN links (802.1Q).
    pub vlan: Finding,
}

impl Capabilities {
    /// The findings with the names of their features.
    pub fn findings(&self) -> [(&'static str, &Finding); 11] {
        [
            ("nft", &self.nft),
            ("bridge_conntrack", &self.bridge_conntrack),
            ("bridge_meta", &self.bridge_meta),
            ("bridge_reject", &self.bridge_reject),
            ("br_netfilter", &self.br_netfilter),
            ("bridge", &self.bridge),
            ("veth", &self.veth),
            ("vxlan", &self.vxlan),
            ("geneve", &self.geneve),
            ("gretap", &self.gretap),
            ("vlan", &self.vlan),
        ]
    }
}

/// Tries the features in a namespace of a thread made for it; takes some tens of milliseconds.
pub fn probe() -> Result<Capabilities, Error> {
    let fault = |error: std::io::Error| Error::io("probe", "the kernel", error);
    let thread = std::thread::Builder::new().name("probe".to_owned()).spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| fault(error.into()))?;
        let mut nft = Nft::open().map_err(fault)?;
        let mut route = Socket::open(libc::NETLINK_ROUTE).map_err(fault)?;
        let conntrack = Statement::ct_state(Ct::ESTABLISHED);
        let bridge_name = Statement::Match(Field::Ibrname, Compare::Is, Right::Span("br0".into()));
        Ok(Capabilities {
            nft: rule(&mut nft, "nft rule in family bridge", Hook::Forward, Statement::Counter),
            bridge_conntrack: rule(&mut nft, "'ct state' in family bridge (CONFIG_NF_CONNTRACK_BRIDGE)", Hook::Forward, conntrack),
            bridge_meta: rule(&mut nft, "'meta ibrname' (CONFIG_NFT_BRIDGE_META)", Hook::Forward, bridge_name),
            bridge_reject: {
                let reject = Statement::Reject(Reject::PortUnreachable);
                rule(&mut nft, "'reject' in family bridge (CONFIG_NFT_BRIDGE_REJECT)", Hook::Prerouting, reject)
            },
            bridge: kind(&mut route, "bridge"),
            // Its parameters appear with the module, for each namespace.
            br_netfilter: file("/proc/sys/net/bridge/bridge-nf-call-iptables"),
            veth: kind(&mut route, "veth"),
            vxlan: kind(&mut route, "vxlan"),
            geneve: kind(&mut route, "geneve"),
            gretap: kind(&mut route, "gretap"),
            vlan: kind(&mut route, "vlan"),
        })
    });
    thread.map_err(fault)?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn rule(nft: &mut Nft, what: &str, hook: Hook, statement: Statement) -> Finding {
    let table = TableKey::new(Family::Bridge, "probe");
    let chain = Name::new("probe");
    let base = Base { kind: ChainKind::Filter, hook, priority: 0, policy: Policy::Accept, device: None };
    let changes = [
        TableChange::Create(Owner { unit: UnitKey::new("probe", "kernel"), role: Role::Made }),
        TableChange::CreateChain(chain.clone(), Some(base)),
        TableChange::SetRules(chain, vec![Rule::new("", vec![statement])]),
    ];
    let changes: Vec<Change<'_>> = changes.iter().map(|change| Change { unit: None, table: &table, change }).collect();
    let failure = nft.apply(&changes).into_iter().find_map(|outcome| match outcome {
        Outcome::Failed(error) => Some(error),
        _ => None,
    });
    let delete = TableChange::Delete;
    nft.apply(&[Change { unit: None, table: &table, change: &delete }]);
    match failure {
        None => Finding { works: true, reason: format!("{what} was accepted") },
        Some(error) => Finding { works: false, reason: format!("{what} was refused: {}", error.source) },
    }
}

/// A kind of link is known when asking for one without its parameters fails for another reason than the kind, or works.
fn kind(route: &mut Socket, kind: &str) -> Finding {
    match route.request(link::probe(kind)) {
        Err(refusal) if refusal.errno == libc::EOPNOTSUPP => {
            Finding { works: false, reason: format!("links of kind '{kind}' are not known to this kernel") }
        }
        _ => Finding { works: true, reason: format!("links of kind '{kind}' are known") },
    }
}

fn file(path: &str) -> Finding {
    let works = Path::new(path).exists();
    Finding { works, reason: format!("{path} is {}", if works { "there" } else { "not there" }) }
}
