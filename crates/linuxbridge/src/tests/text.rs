//! A unit's program as text: links, entries and rulesets as `ip`, `bridge` and `nft` would show them.

use agent::Compiled;
use dataplane::{Link, LinkKind, nft};
use std::fmt::Write;

pub(super) fn text(unit: &str, compiled: &Compiled) -> String {
    let mut out = format!("# {unit}\n");
    for (netns, namespace) in &compiled.program.namespaces {
        if !netns.is_root() {
            out += &format!("netns {netns}\n");
        }
        for (key, value) in &namespace.sysctls {
            out += &format!("sysctl {key} = {value}\n");
        }
        for (name, link) in &namespace.links {
            out += &link_text(name, link);
        }
        for name in &namespace.unfiltered {
            out += &format!("unfiltered {name}\n");
        }
        for entry in &namespace.fdb {
            out += &format!("fdb {entry}\n");
        }
        for entry in &namespace.neighbours {
            out += &format!("neigh {entry}\n");
        }
        for (key, table) in &namespace.tables {
            out += &nft::render(key, table).replace(&format!("table {key} {{\n}}\n"), "");
        }
    }
    for realised in &compiled.realises {
        out += &format!("realises {realised}\n");
    }
    for complaint in &compiled.complaints {
        out += &format!("complaint {}: {}\n", complaint.unit, complaint.reason);
    }
    out
}

fn link_text(name: &str, link: &Link) -> String {
    let mut out = format!("link {name}");
    let kind = match &link.kind {
        LinkKind::Existing => " existing".to_owned(),
        LinkKind::Peer => " veth peer".to_owned(),
        LinkKind::Bridge(bridge) => format!(" bridge{}", if bridge.nf_call { " nf_call" } else { "" }),
        LinkKind::Veth(veth) => format!(" veth peer {} in {}", veth.peer, veth.peer_netns),
        LinkKind::Vlan(vlan) => format!(" vlan on {} id {}", vlan.device, vlan.id),
        LinkKind::Vxlan(vxlan) => {
            let flag = |name: &str, on: bool| format!(" {}{name}", if on { "" } else { "no" });
            let local = vxlan.local.map(|local| format!(" local {local}")).unwrap_or_default();
            let flags = flag("learning", vxlan.learning) + &flag("proxy", vxlan.proxy);
            format!(" vxlan id {}{local} dstport {}{flags}", vxlan.vni, vxlan.dst_port)
        }
    };
    out += &kind;
    for (word, value) in [("mtu", link.mtu.map(|mtu| mtu.to_string())), ("master", link.master.as_ref().map(ToString::to_string))] {
        if let Some(value) = value {
            write!(out, " {word} {value}").expect("writing to a string cannot fail");
        }
    }
    if let Some(station) = link.station {
        write!(out, " station {station}").expect("writing to a string cannot fail");
    }
    out + if link.up { " up\n" } else { " down\n" }
}
