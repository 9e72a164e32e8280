//! Router advertisements (RFC 4861, RFC 8106) by radvd: what the router says on those of its networks that have a subnet whose
//! `ipv6_ra_mode` is set. Elsewhere it is silent: an outer network, and one on which another router advertises, are not its to speak on.
//!
//! radvd reads its file again at SIGHUP, without a last word on the links that stay; when it is stopped it tells neighbours that
//! the router is one no longer.

use crate::links::Leg;
use dataplane::{ConfigFile, Daemon, Name};
use intent::{RaMode, RouterSubnet};
use net::Family;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

/// Addresses of a prefix that may go without a word do not stay for long (RFC 9096, section 3.4).
const DELEGATED_LIFETIMES: &str = " AdvPreferredLifetime 2700; AdvValidLifetime 5400;";

/// The name of the daemon.
pub(crate) const RADVD: &str = "radvd";
const SIGHUP: i32 = 1;
/// The least MTU of a link that carries IPv6 (RFC 8200).
const LEAST_MTU: u32 = 1280;
/// Seconds between advertisements that nobody asked for, as Neutron has them.
const INTERVAL_S: (u32, u32) = (30, 100);
/// Servers that radvd takes in one option; there may be several options.
const SERVERS: usize = 3;

/// radvd for these legs, unless it had nothing to say.
pub(crate) fn radvd(legs: &[Leg<'_>]) -> Option<Daemon> {
    let config: String = legs.iter().filter_map(interface).collect();
    let words = ["radvd", "--nodaemon", "--config={dir}/radvd.conf", "--pidfile={dir}/pid", "--logmethod=stderr"];
    (!config.is_empty()).then(|| Daemon {
        argv: words.into_iter().map(SmolStr::new_static).collect(),
        files: BTreeMap::from([(Name::new_static("radvd.conf"), ConfigFile::reloaded(config))]),
        reload_signal: SIGHUP,
    })
}

/// What is said on one link.
fn interface(leg: &Leg<'_>) -> Option<String> {
    let v6 = leg.port.subnets.iter().filter(|subnet| Family::of_net(&subnet.cidr) == Family::V6 && !subnet.is_provisional());
    let advertised: Vec<(&RouterSubnet, RaMode)> = v6.filter_map(|subnet| Some((subnet, subnet.ra_mode?))).collect();
    if advertised.is_empty() {
        return None;
    }
    let has = |wanted: RaMode| advertised.iter().any(|(_, mode)| *mode == wanted);
    let flag = |set: bool| if set { "on" } else { "off" };
    let mut out = format!("interface {}\n{{\n", leg.link);
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "    {text}").expect("writing to a string cannot fail");
    line(format_args!("AdvSendAdvert on;"));
    line(format_args!("MinRtrAdvInterval {};", INTERVAL_S.0));
    line(format_args!("MaxRtrAdvInterval {};", INTERVAL_S.1));
    if leg.port.mtu >= LEAST_MTU {
        line(format_args!("AdvLinkMTU {};", leg.port.mtu));
    }
    line(format_args!("AdvManagedFlag {};", flag(has(RaMode::Dhcpv6Stateful))));
    line(format_args!("AdvOtherConfigFlag {};", flag(has(RaMode::Dhcpv6Stateless))));
    for (subnet, mode) in &advertised {
        let autonomous = flag(*mode != RaMode::Dhcpv6Stateful);
        let lifetimes = if subnet.delegated { DELEGATED_LIFETIMES } else { "" };
        line(format_args!("prefix {} {{ AdvOnLink on; AdvAutonomous {autonomous};{lifetimes} }};", subnet.cidr.trunc()));
    }
    // Whom DHCPv6 tells their servers need not hear of them here.
    let slaac = advertised.iter().filter(|(_, mode)| *mode == RaMode::Slaac);
    let servers: BTreeSet<IpAddr> = slaac.flat_map(|(subnet, _)| subnet.dns_nameservers.iter().copied().filter(is_server)).collect();
    for some in servers.into_iter().collect::<Vec<_>>().chunks(SERVERS) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        line(format_args!("RDNSS {} {{ AdvRDNSSLifetime {}; }};", some.join(" "), 3 * INTERVAL_S.1));
    }
    out.push_str("};\n");
    Some(out)
}

fn is_server(address: &IpAddr) -> bool {
    address.is_ipv6() && !address.is_unspecified()
}
