//! A unit's program as text: links, routes and rulesets as `ip` and `nft` would show them.

use agent::Compiled;
use dataplane::{Daemon, Gateway, Link, LinkKind, Name, Namespace, Route, RouteKey, RouteKind, nft};

pub(super) fn text(unit: &str, compiled: &Compiled) -> String {
    let mut out = format!("# {unit}\n");
    for (netns, namespace) in &compiled.program.namespaces {
        if !netns.is_root() {
            out += &format!("netns {netns}{}\n", if namespace.create { " (made)" } else { "" });
        }
        out += &namespace_text(namespace);
    }
    for realised in &compiled.realises {
        out += &format!("realises {realised}\n");
    }
    for complaint in &compiled.complaints {
        out += &format!("complaint {}: {}\n", complaint.unit, complaint.reason);
    }
    out
}

fn namespace_text(namespace: &Namespace) -> String {
    let sysctls = namespace.sysctls.iter().map(|(key, value)| format!("sysctl {key} = {value}\n"));
    let links = namespace.links.iter().map(|(name, link)| link_text(name, link));
    let addresses = namespace.addresses.iter().map(|address| format!("address {address}\n"));
    let proxies = namespace.proxies.iter().map(|proxy| format!("proxy {proxy}\n"));
    let routes = namespace.routes.iter().map(|(key, route)| route_text(key, route));
    let rules = namespace.route_rules.iter().map(|rule| format!("route rule {rule}\n"));
    let tables = namespace.tables.iter().map(|(key, table)| nft::render(key, table).replace(&format!("table {key} {{\n}}\n"), ""));
    let daemons = namespace.daemons.iter().map(|(name, daemon)| daemon_text(name, daemon));
    sysctls.chain(links).chain(addresses).chain(proxies).chain(routes).chain(rules).chain(tables).chain(daemons).collect()
}

fn daemon_text(name: &Name, daemon: &Daemon) -> String {
    let files = daemon.files.iter().map(|(file, content)| format!("{file} ({:?}):\n{}", content.on_change, content.content));
    format!("daemon {name}: {}\n{}", daemon.argv.join(" "), files.collect::<String>())
}

fn link_text(name: &Name, link: &Link) -> String {
    let kind = match &link.kind {
        LinkKind::Veth(veth) => format!("veth peer {} in {}", veth.peer, veth.peer_netns),
        LinkKind::Peer => "veth peer".to_owned(),
        other => format!("{other:?}"),
    };
    let mac = link.mac.map(|mac| format!(" address {mac}")).unwrap_or_default();
    let master = link.master.as_ref().map(|master| format!(" master {master}")).unwrap_or_default();
    let mtu = link.mtu.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
    format!("link {name} {kind}{mac}{mtu}{master}\n")
}

fn route_text(key: &RouteKey, route: &Route) -> String {
    let table = if key.table == 254 { String::new() } else { format!(" table {}", key.table) };
    let hop = |link: &Name, via: Option<&Gateway>| {
        let via = via.map(|via| format!(" via {}{}", via.address, if via.onlink { " onlink" } else { "" })).unwrap_or_default();
        format!("{via} dev {link}")
    };
    let hops = match &route.kind {
        RouteKind::Unicast { link, via } => hop(link, via.as_ref()),
        RouteKind::Multipath(hops) => hops.iter().map(|one| format!(" nexthop{}", hop(&one.link, Some(&one.via)))).collect(),
        other => format!(" {other:?}"),
    };
    format!("route {}{hops}{table}\n", key.destination)
}
