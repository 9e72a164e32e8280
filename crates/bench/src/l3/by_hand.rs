//! The same path by hand: two segments of a veth, a bridge and a veth, with a namespace between them that routes, and translates by a few
//! rules of nft. No security groups, no sets, nothing but what the packets need.

use super::scene::command;
use crate::lab::namespace::Netns;
use anyhow::Result;
use std::net::Ipv4Addr;
use std::path::Path;

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 2);
/// The far side's address.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 92, 0, 2);
/// An address of the router that stands for the near side.
pub const FLOATING: Ipv4Addr = Ipv4Addr::new(10, 92, 0, 100);
const MTU: &str = "1450";

/// The two ends.
pub struct ByHand {
    /// Behind the router.
    pub near: Netns,
    /// Before it.
    pub far: Netns,
    router: Netns,
}

impl ByHand {
    /// Routed, without translation.
    pub fn new() -> Result<ByHand> {
        for name in ["near", "far", "router", "switch"] {
            command(&["ip", "netns", "add", &format!("hand-{name}")])?;
        }
        let at = |name: &str| Netns::at(Path::new(&format!("/run/netns/hand-{name}")));
        let path = ByHand { near: at("near")?, far: at("far")?, router: at("router")? };
        at("switch")?.enter(spare_bridges)?;
        for (end, address, subnet) in [("near", NEAR, 91), ("far", FAR, 92)] {
            segment(end, address, &format!("10.{subnet}.0.1"))?;
        }
        path.router.enter(|| Ok(std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")?))?;
        Ok(path)
    }

    /// What comes from behind gets the router's address.
    pub fn masquerade(&self) -> Result<()> {
        self.rules("chain post { type nat hook postrouting priority srcnat; oifname \"rfar\" snat to 10.92.0.1; }")
    }

    /// The floating address stands for the near end.
    pub fn float(&self) -> Result<()> {
        self.router.enter(|| command(&["ip", "addr", "add", &format!("{FLOATING}/32"), "dev", "rfar"]).map(drop))?;
        let chains = "chain pre { type nat hook prerouting priority dstnat; ip daddr 10.92.0.100 dnat to 10.91.0.2; }; \
                      chain post { type nat hook postrouting priority srcnat; ip saddr 10.91.0.2 oifname \"rfar\" snat to 10.92.0.100; }";
        self.rules(chains)
    }

    fn rules(&self, chains: &str) -> Result<()> {
        let table = format!("table ip hand {{ {chains}; }}");
        self.router.enter(|| command(&["nft", "add table ip hand; delete table ip hand"]).map(drop))?;
        self.router.enter(|| command(&["nft", &table]).map(drop))
    }
}

/// Bridged packets are the bridge's alone, in the calling thread's namespace, unless a bridge asks for more.
pub fn spare_bridges() -> Result<()> {
    let keys = ["iptables", "ip6tables", "arptables"].map(|key| format!("/proc/sys/net/bridge/bridge-nf-call-{key}"));
    keys.iter().filter(|key| Path::new(key).exists()).try_for_each(|key| Ok(std::fs::write(key, "0")?))
}

fn segment(end: &str, address: Ipv4Addr, gateway: &str) -> Result<()> {
    let (bridge, plug, uplink, inside) = (format!("br{end}"), format!("p{end}"), format!("u{end}"), format!("r{end}"));
    let space = format!("hand-{end}");
    command(&["ip", "-n", "hand-switch", "link", "add", &bridge, "mtu", MTU, "type", "bridge"])?;
    for (link, peer, netns) in [(&plug, "eth0", &*space), (&uplink, &*inside, "hand-router")] {
        let make =
            ["ip", "-n", "hand-switch", "link", "add", link, "mtu", MTU, "type", "veth", "peer", "name", peer, "mtu", MTU, "netns", netns];
        command(&make)?;
        command(&["ip", "-n", "hand-switch", "link", "set", link, "master", &bridge, "up"])?;
        command(&["ip", "-n", netns, "link", "set", peer, "up"])?;
    }
    command(&["ip", "-n", "hand-switch", "link", "set", &bridge, "up"])?;
    command(&["ip", "-n", "hand-router", "addr", "add", &format!("{gateway}/16"), "dev", &inside])?;
    command(&["ip", "-n", &space, "addr", "add", &format!("{address}/16"), "dev", "eth0"])?;
    command(&["ip", "-n", &space, "route", "add", "default", "via", gateway]).map(drop)
}
