//! dnsmasq's command line and files, in the shapes that operators know from Neutron.

use crate::{Dhcp, inner_link, text};
use agent::Complaint;
use dataplane::{ConfigFile, Daemon, Name};
use intent::{DhcpHost, DhcpNetwork, DhcpSubnet, Ipv6Dhcp, UnitId};
use net::{Family, IpNet, PortId, SubnetId};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

const SIGHUP: i32 = 1;

/// The daemon, if a subnet is there to serve, and what was left out.
pub(crate) fn dnsmasq(network: &DhcpNetwork, hosts: &[&DhcpHost], role: &Dhcp) -> (Option<Daemon>, Vec<Complaint>) {
    let mut files = Files { network, complaints: Vec::new() };
    let domain = files.domain();
    let (host, addn_hosts) = files.hosts(hosts, domain.as_deref());
    let opts = files.opts(hosts, domain.as_deref());
    let tags = tags(hosts);
    let daemon = Daemon {
        argv: argv(network, domain.as_deref(), role),
        files: BTreeMap::from([
            (Name::new_static("host"), ConfigFile::reloaded(host)),
            (Name::new_static("addn_hosts"), ConfigFile::reloaded(addn_hosts)),
            (Name::new_static("opts"), ConfigFile::reloaded(opts)),
            (Name::new_static("tags"), ConfigFile::at_start(tags)),
        ]),
        reload_signal: SIGHUP,
    };
    (served(network).next().is_some().then_some(daemon), files.complaints)
}

/// The subnets in which dnsmasq has a say.
fn served(network: &DhcpNetwork) -> impl Iterator<Item = &DhcpSubnet> {
    network.subnets.iter().filter(|subnet| is_ipv4(&subnet.cidr) || subnet.ipv6 != Ipv6Dhcp::None)
}

fn is_ipv4(net: &IpNet) -> bool {
    Family::of_net(net) == Family::V4
}

fn argv(network: &DhcpNetwork, domain: Option<&str>, role: &Dhcp) -> Vec<SmolStr> {
    let lease_s = role.lease_s;
    let fixed = [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file={dir}/tags",
        "--user=root",
        "--no-hosts",
        "--no-resolv",
        "--pid-file={dir}/pid",
        "--dhcp-hostsfile={dir}/host",
        "--addn-hosts={dir}/addn_hosts",
        "--dhcp-optsfile={dir}/opts",
        "--dhcp-leasefile={dir}/leases",
        "--dhcp-match=set:ipxe,175",
        "--dhcp-userclass=set:ipxe6,iPXE",
        "--dhcp-authoritative",
        "--dhcp-lease-max=16777216",
        "--local-service",
        "--bind-dynamic",
        "--except-interface=lo",
    ];
    let mut argv: Vec<SmolStr> = fixed.iter().copied().map(SmolStr::new_static).collect();
    argv.push(format_smolstr!("--interface={}", inner_link(network.port_id)));
    // Nobody outside knows names of this domain.
    argv.extend(domain.into_iter().flat_map(|domain| [format_smolstr!("--domain={domain}"), format_smolstr!("--local=/{domain}/")]));
    if !role.dns_servers.is_empty() {
        argv.push(SmolStr::new_static("--bogus-priv"));
    }
    argv.extend(role.dns_servers.iter().map(|server| format_smolstr!("--server={server}")));
    // Static: only clients of the host file get an address.
    argv.extend(served(network).map(|subnet| {
        let (id, first) = (subnet.id, subnet.cidr.network());
        match &subnet.cidr {
            IpNet::V4(net) => format_smolstr!("--dhcp-range=set:subnet-{id},{first},static,{},{lease_s}s", net.netmask()),
            IpNet::V6(net) => format_smolstr!("--dhcp-range=set:subnet-{id},{first},static,{},{lease_s}s", net.prefix_len()),
        }
    }));
    argv
}

struct Files<'a> {
    network: &'a DhcpNetwork,
    complaints: Vec<Complaint>,
}

impl Files<'_> {
    fn complain(&mut self, unit: UnitId, reason: String) {
        self.complaints.push(Complaint { unit, reason });
    }

    fn domain(&mut self) -> Option<String> {
        let given = self.network.dns_domain.as_str();
        if given.is_empty() {
            return None;
        }
        let domain = text::domain(given).map(str::to_owned);
        if domain.is_none() {
            self.complain(UnitId::Dhcp(self.network.network_id), format!("{given:?} is not a domain"));
        }
        domain
    }

    /// A further domain of names, when it is another than that of all.
    fn further_domain(&mut self, of: UnitId, given: &str, domain: Option<&str>) -> Option<String> {
        // One with words for others to fill in is of no use here.
        if given.is_empty() || given.contains('<') {
            return None;
        }
        let further = text::domain(given).map(str::to_owned);
        if further.is_none() {
            self.complain(of, format!("{given:?} is not a domain"));
        }
        further.filter(|further| Some(further.as_str()) != domain)
    }

    fn subnet(&self, id: SubnetId) -> Option<&DhcpSubnet> {
        self.network.subnets.iter().find(|subnet| subnet.id == id)
    }

    /// The files `host` (who gets what) and `addn_hosts` (names).
    fn hosts(&mut self, hosts: &[&DhcpHost], domain: Option<&str>) -> (String, String) {
        let (mut leases, mut names) = (String::new(), String::new());
        let of_network = self.further_domain(UnitId::Dhcp(self.network.network_id), &self.network.network_domain, domain);
        for host in hosts {
            let wanted = host.hostname.as_deref().map(|name| (name, text::hostname(name)));
            if let Some((name, None)) = wanted {
                self.complain(unit(host), format!("{name:?} is not a host name"));
            }
            let own = host.domain.as_deref().map(|own| self.further_domain(unit(host), own, domain));
            let further = own.unwrap_or_else(|| of_network.clone());
            for (subnet, address) in &host.addresses {
                let Some(subnet) = self.subnet(*subnet) else { continue };
                if !subnet.cidr.contains(address) {
                    self.complain(unit(host), format!("{address} is not in {}", subnet.cidr));
                    continue;
                }
                let name = wanted.and_then(|(_, name)| name).map_or_else(|| net::host_label(*address), str::to_owned);
                let full = domain.map_or_else(|| name.clone(), |domain| format!("{name}.{domain}"));
                let further = further.as_ref().map(|further| format!(" {name}.{further}")).unwrap_or_default();
                line(&mut names, format_args!("{address}\t{full} {name}{further}"));
                match address {
                    IpAddr::V4(address) => line(&mut leases, format_args!("{},{full},{address}", host.mac)),
                    IpAddr::V6(address) if subnet.ipv6 == Ipv6Dhcp::Stateful => {
                        line(&mut leases, format_args!("{},{full},[{address}]", host.mac));
                    }
                    IpAddr::V6(_) => {}
                }
            }
        }
        (leases, names)
    }

    /// The file `opts`: options of subnets, then those of single clients, which win.
    fn opts(&mut self, hosts: &[&DhcpHost], domain: Option<&str>) -> String {
        let mut opts = String::new();
        for subnet in served(self.network) {
            if is_ipv4(&subnet.cidr) { self.subnet4(&mut opts, subnet) } else { self.subnet6(&mut opts, subnet, domain) }
        }
        for host in hosts {
            for family in [Family::V4, Family::V6] {
                for option in options(host, family) {
                    let (name, value) = (text::option_name(&option.name), text::option_value(&option.value));
                    let (Some(name), Some(value)) = (name, value) else {
                        self.complain(unit(host), format!("DHCP option {:?} = {:?} cannot be expressed", option.name, option.value));
                        continue;
                    };
                    let name = option_text(name, family);
                    let comma = if value.is_empty() { "" } else { "," };
                    line(&mut opts, format_args!("tag:{},{name}{comma}{value}", tag(host.port_id)));
                }
            }
        }
        opts
    }

    fn own_address(&self, subnet: &DhcpSubnet) -> Option<IpAddr> {
        self.network.addresses.iter().map(IpNet::addr).find(|address| subnet.cidr.contains(address))
    }

    /// Empty: tell no server. An unspecified address means so too, as in Neutron.
    fn dns_servers(&self, subnet: &DhcpSubnet) -> Vec<IpAddr> {
        let family = Family::of_net(&subnet.cidr);
        let given: Vec<IpAddr> = subnet.dns_nameservers.iter().copied().filter(|server| Family::of(server) == family).collect();
        match given.as_slice() {
            [] => self.own_address(subnet).into_iter().collect(),
            [one] if one.is_unspecified() => Vec::new(),
            _ => given,
        }
    }

    fn subnet4(&self, opts: &mut String, subnet: &DhcpSubnet) {
        let tag = format!("tag:subnet-{}", subnet.id);
        let with = |values: &str| if values.is_empty() { String::new() } else { format!(",{values}") };
        line(opts, format_args!("{tag},option:dns-server{}", with(&join(self.dns_servers(subnet)))));
        // Beside its routes a client needs the other prefixes of its network, which are on its link (RFC 3442 wants
        // the default router repeated).
        let others = served(self.network).filter(|other| is_ipv4(&other.cidr) && other.id != subnet.id);
        let mut routes: Vec<String> = others.map(|other| format!("{},0.0.0.0", other.cidr)).collect();
        routes.extend(
            subnet
                .routes
                .iter()
                .filter(|route| is_ipv4(&route.destination))
                .map(|route| format!("{},{}", route.destination, route.nexthop)),
        );
        // Where no router leads on, this server is the way to the metadata service, at whose address it answers too.
        let server = self.own_address(subnet).filter(|_| subnet.isolated);
        routes.extend(server.map(|server| format!("{},{server}", intent::metadata_v4())));
        let gateway = subnet.gateway_ip.filter(IpAddr::is_ipv4);
        if !routes.is_empty() {
            routes.extend(gateway.map(|gateway| format!("0.0.0.0/0,{gateway}")));
            line(opts, format_args!("{tag},option:classless-static-route,{}", routes.join(",")));
            line(opts, format_args!("{tag},249,{}", routes.join(",")));
        }
        line(opts, format_args!("{tag},option:router{}", with(&join(gateway))));
        line(opts, format_args!("{tag},option:mtu,{}", self.network.mtu));
    }

    fn subnet6(&self, opts: &mut String, subnet: &DhcpSubnet, domain: Option<&str>) {
        let tag = format!("tag:subnet-{}", subnet.id);
        let servers: Vec<String> = self.dns_servers(subnet).iter().map(|server| format!(",[{server}]")).collect();
        line(opts, format_args!("{tag},option6:dns-server{}", servers.concat()));
        if let Some(domain) = domain {
            line(opts, format_args!("{tag},option6:domain-search,{domain}"));
        }
    }
}

fn unit(host: &DhcpHost) -> UnitId {
    UnitId::DhcpHost(host.network_id, host.port_id)
}

fn options(host: &DhcpHost, family: Family) -> impl Iterator<Item = &intent::DhcpOption> {
    host.options.iter().filter(move |option| option.family == family)
}

fn option_text(name: &str, family: Family) -> String {
    let number = name.bytes().all(|byte| byte.is_ascii_digit());
    match (family, number) {
        (Family::V4, true) => name.to_owned(),
        (Family::V4, false) => format!("option:{name}"),
        (Family::V6, _) => format!("option6:{name}"),
    }
}

/// The file `tags`: the clients that have options of their own. Not in `host`, where dnsmasq (2.90 and before) links the tag
/// of a client that asks to what lives for that question only, and crashes when it reads the file again. So the first option of
/// a client starts dnsmasq anew; from then on its options change without.
fn tags(hosts: &[&DhcpHost]) -> String {
    let mut tags = String::new();
    for host in hosts.iter().filter(|host| !host.options.is_empty()) {
        line(&mut tags, format_args!("dhcp-mac=set:{},{}", tag(host.port_id), host.mac));
    }
    tags
}

fn tag(port: PortId) -> String {
    format!("port-{port}")
}

fn join(addresses: impl IntoIterator<Item = IpAddr>) -> String {
    addresses.into_iter().map(|address| address.to_string()).collect::<Vec<_>>().join(",")
}

fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("writing to a string cannot fail");
}
