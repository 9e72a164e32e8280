//! The law of projection: what is kept up to date commit by commit equals what is computed from the whole world.

mod support;

use dispatch::{concern, project};
use intent::{Unit, UnitId};
use model::*;
use net::HostName;
use proptest::prelude::*;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use support::*;
use world::{Commit, Tx, World};

const HOSTS: u8 = 4;

/// A random change of one record.
#[derive(Clone, Debug)]
enum Op {
    Network { n: u8, kind: u8, mtu: bool, up: bool, agents: Vec<u8> },
    Subnet { n: u8, v6: bool, dhcp: bool, mode: u8, dns: bool, pool: u8 },
    Pool { n: u8, scope: u8 },
    Port { n: u8, of: u8, on: u8, groups: Vec<u8>, subnet: u8, last: u8, up: bool, dhcp: bool, extra: u8 },
    Status { n: u8, active: bool },
    Group { n: u8, stateful: bool },
    Rule { n: u8, of: u8, remote: u8, kind: u8 },
    AddressGroup { n: u8, last: u8, name: bool },
    Agent { n: u8, on: u8, tunnel: u8, up: bool },
    Router { n: u8, agents: Vec<u8>, gateway: u8, up: bool, route: bool },
    RouterPort { n: u8, of: u8, on: u8, router: u8, outside: bool, last: u8 },
    FloatingIp { n: u8, router: u8, fixed: bool, status: u8 },
    Forwarding { n: u8, of: u8, port: u8 },
    NdpProxy { n: u8, router: u8, last: u8 },
    Helper { n: u8, router: u8, port: u8 },
    Remove { kind: u8, n: u8 },
}

fn op() -> impl Strategy<Value = Op> {
    let agents = prop::collection::vec(0..HOSTS, 0..3);
    let groups = prop::collection::btree_set(0..4u8, 0..3).prop_map(|groups| groups.into_iter().collect());
    prop_oneof![
        2 => (0..3u8, 0..6u8, any::<bool>(), any::<bool>(), agents).prop_map(|(n, kind, mtu, up, agents)| Op::Network { n, kind, mtu, up, agents }),
        2 => (0..4u8, any::<bool>(), any::<bool>(), 0..4u8, any::<bool>(), 0..3u8)
            .prop_map(|(n, v6, dhcp, mode, dns, pool)| Op::Subnet { n, v6, dhcp, mode, dns, pool }),
        1 => (0..2u8, 0..3u8).prop_map(|(n, scope)| Op::Pool { n, scope }),
        6 => (0..8u8, 0..3u8, 0..HOSTS + 2, groups, 0..5u8, 2..5u8, prop::bool::weighted(0.9), prop::bool::weighted(0.25), 0..64u8)
            .prop_map(|(n, of, on, groups, subnet, last, up, dhcp, extra)| Op::Port { n, of, on, groups, subnet, last, up, dhcp, extra }),
        1 => (0..8u8, any::<bool>()).prop_map(|(n, active)| Op::Status { n, active }),
        1 => (0..4u8, any::<bool>()).prop_map(|(n, stateful)| Op::Group { n, stateful }),
        2 => (0..6u8, 0..4u8, 0..9u8, 0..5u8).prop_map(|(n, of, remote, kind)| Op::Rule { n, of, remote, kind }),
        2 => (0..2u8, 0..3u8, any::<bool>()).prop_map(|(n, last, name)| Op::AddressGroup { n, last, name }),
        2 => (0..HOSTS * 3, 0..HOSTS, 0..3u8, prop::bool::weighted(0.8)).prop_map(|(n, on, tunnel, up)| Op::Agent { n, on, tunnel, up }),
        3 => (0..3u8, prop::collection::vec(0..HOSTS, 0..2), 0..8u8, any::<bool>(), any::<bool>())
            .prop_map(|(n, agents, gateway, up, route)| Op::Router { n, agents, gateway, up, route }),
        4 => (0..8u8, 0..3u8, 0..HOSTS + 1, 0..3u8, any::<bool>(), 2..5u8)
            .prop_map(|(n, of, on, router, outside, last)| Op::RouterPort { n, of, on, router, outside, last }),
        3 => (0..4u8, 0..4u8, any::<bool>(), 0..3u8).prop_map(|(n, router, fixed, status)| Op::FloatingIp { n, router, fixed, status }),
        2 => (0..4u8, 0..4u8, 1..3u8).prop_map(|(n, of, port)| Op::Forwarding { n, of, port }),
        2 => (0..3u8, 0..3u8, 1..3u8).prop_map(|(n, router, last)| Op::NdpProxy { n, router, last }),
        2 => (0..3u8, 0..3u8, 0..2u8).prop_map(|(n, router, port)| Op::Helper { n, router, port }),
        3 => (0..13u8, 0..12u8).prop_map(|(kind, n)| Op::Remove { kind, n }),
    ]
}

fn apply(tx: &mut Tx, op: &Op) {
    match op {
        Op::Network { n, kind, mtu, up, agents } => {
            let kinds = [NetworkType::Vxlan, NetworkType::Vxlan, NetworkType::Flat, NetworkType::Vlan, NetworkType::Local];
            let mut network = network(*n, kinds[usize::from(*kind % 4)]);
            if *kind > 3 {
                network.segments.extend(self::network(*n + 10, kinds[2 - 2 * usize::from(*kind % 2)]).segments);
            }
            network.mtu = mtu.then_some(1400);
            network.admin_state_up = *up;
            network.dns_domain = if *mtu { "example.org.".into() } else { SmolStr::default() };
            network.dhcp_agents = agents.iter().map(|n| agent_id(HOSTS + n)).collect();
            tx.put(network);
        }
        Op::Subnet { n, v6, dhcp, mode, dns, pool } => {
            let mut subnet = subnet(*n, *n % 3, *v6);
            subnet.enable_dhcp = *dhcp;
            subnet.ipv6_address_mode =
                [None, Some(Ipv6Mode::Slaac), Some(Ipv6Mode::Dhcpv6Stateful), Some(Ipv6Mode::Dhcpv6Stateless)][usize::from(*mode)];
            subnet.ipv6_ra_mode = subnet.ipv6_address_mode.filter(|_| *v6 && *n % 2 == 0);
            subnet.dns_nameservers = if *dns { vec!["192.0.2.53".parse().expect("an address")] } else { vec![] };
            subnet.subnetpool_id = (*pool < 2).then(|| pool_id(*pool));
            tx.put(subnet);
        }
        Op::Pool { n, scope } => tx.put(pool(*n, *scope)),
        Op::Port { n, of, on, groups, subnet, last, up, dhcp, extra } => {
            let mut port = port(*n, *of);
            match *on {
                on if on < HOSTS => bind(&mut port, on),
                on if on == HOSTS => port.binding = Binding { host: host(0), vif_type: VifType::BindingFailed, ..Binding::default() },
                _ => {}
            }
            port.security_groups = groups.iter().map(|n| group_id(*n)).collect();
            // An address is in a subnet of the port's network.
            if *subnet < 4 && subnet % 3 == *of {
                port.fixed_ips = vec![address(*subnet, *last)];
            }
            if *dhcp {
                port.device_owner = SmolStr::new(device_owner::DHCP);
            }
            port.admin_state_up = *up;
            port.port_security_enabled = extra & 1 == 0;
            if extra & 1 != 0 {
                port.dns_name = format!("name-{last}").into();
            }
            if extra & 4 != 0 {
                port.device_id = format!("instance-{last}").into();
            }
            if extra & 2 != 0 {
                let ip_address = "10.9.0.0/24".parse().expect("a prefix");
                port.allowed_address_pairs = vec![AddressPair { ip_address, with_length: true, mac_address: port.mac_address }];
            }
            if extra & 16 != 0 {
                let place = *of + 10 * (extra >> 5);
                port.binding.segment = Some(network(place, NetworkType::Vxlan).segments[0].id);
            }
            if extra & 8 != 0 {
                let binding = Binding { host: host((on + last) % HOSTS), vif_type: VifType::Tap, ..Binding::default() };
                port.standby = vec![Standby { binding, prepared: false }];
            }
            if extra & 4 != 0 {
                let option = ExtraDhcpOption { opt_name: "mtu".into(), opt_value: "1400".into(), ip_version: net::Family::V4 };
                port.extra_dhcp_opts = vec![option];
            }
            tx.put(port);
        }
        Op::Status { n, active } => {
            tx.update::<Port>(&port_id(*n), |port| {
                port.status = if *active { PortStatus::Active } else { PortStatus::Down };
                port.provisioning = Provisioning { l2: !active, dhcp: !active };
            });
        }
        Op::Group { n, stateful } => tx.put(SecurityGroup { stateful: *stateful, ..group(*n) }),
        Op::Rule { n, of, remote, kind } => {
            let mut rule = rule(*n, *of);
            rule.remote_group_id = (*remote < 4).then(|| group_id(*remote));
            rule.remote_address_group_id = (6..8).contains(remote).then(|| address_group_id(*remote - 6));
            rule.protocol = [None, Some("tcp"), Some("icmp"), Some("nonsense"), Some("17")][usize::from(*kind)].map(SmolStr::new);
            tx.put(rule);
        }
        Op::AddressGroup { n, last, name } => {
            let mut group = address_group(*n);
            group.addresses.extend((1..=*last).map(|last| net::IpNet::from(std::net::IpAddr::from([10, 9, 9, last]))));
            group.addresses.sort_unstable();
            group.name = if *name { "named".into() } else { group.name };
            tx.put(group);
        }
        Op::Agent { n, on, tunnel, up } => {
            let kind = [AgentType::LinuxBridge, AgentType::Dhcp, AgentType::L3][usize::from(*n / HOSTS)];
            let mut agent = agent(*n, kind, if *n % 2 == 0 { *n % HOSTS } else { *on });
            agent.admin_state_up = *up;
            match tunnel {
                0 => _ = agent.configurations.remove("tunneling_ip"),
                1 if *n < HOSTS => _ = agent.configurations.insert("tunneling_ip".into(), "198.51.100.1".into()),
                _ => {}
            }
            tx.put(agent);
        }
        Op::Router { n, agents, gateway, up, route } => {
            let through = HostRoute { destination: "192.0.2.0/24".parse().expect("a prefix"), nexthop: address(0, 9).ip_address };
            tx.put(Router {
                agents: agents.iter().map(|n| agent_id(2 * HOSTS + n)).collect(),
                gateway: (*gateway < 6).then(|| Gateway {
                    network_id: network_id(*gateway % 3),
                    port_id: port_id(*gateway),
                    enable_snat: *route,
                }),
                more_gateways: (*gateway == 5)
                    .then(|| Gateway { network_id: network_id(1), port_id: port_id(3), enable_snat: *up })
                    .into_iter()
                    .collect(),
                admin_state_up: *up,
                enable_ndp_proxy: *up,
                enable_default_route_ecmp: *route,
                enable_default_route_bfd: *up,
                routes: route.then_some(through).into_iter().collect(),
                ..router(*n)
            });
        }
        Op::RouterPort { n, of, on, router, outside, last } => {
            let owner = if *outside { device_owner::ROUTER_GATEWAY } else { device_owner::ROUTER_INTERFACE };
            let mut port = Port {
                device_id: router_id(*router).to_string().into(),
                device_owner: owner.into(),
                fixed_ips: vec![address(*of, *last)],
                ..port(*n, *of)
            };
            if *on < HOSTS {
                bind(&mut port, *on);
            }
            tx.put(port);
        }
        Op::FloatingIp { n, router, fixed, status } => tx.put(FloatingIp {
            router_id: (*router < 3).then(|| router_id(*router)),
            fixed_ip_address: fixed.then_some(std::net::Ipv4Addr::new(10, 0, 0, 2)),
            status: FloatingIpStatus::ALL[usize::from(*status)],
            ..floating_ip(*n)
        }),
        Op::Forwarding { n, of, port } => {
            tx.put(PortForwarding { external_ports: (u16::from(*port), u16::from(*port)), ..forwarding(*n, *of) });
        }
        Op::NdpProxy { n, router, last } => tx.put(ndp_proxy(*n, *router, *last)),
        Op::Helper { n, router, port } => tx.put(conntrack_helper(*n, *router, *port)),
        Op::Remove { kind, n } => match kind {
            0 => _ = tx.remove::<Network>(&network_id(*n)),
            1 => _ = tx.remove::<Subnet>(&subnet_id(*n)),
            2 => _ = tx.remove::<Port>(&port_id(*n)),
            3 => _ = tx.remove::<SecurityGroup>(&group_id(*n)),
            4 => _ = tx.remove::<SecurityGroupRule>(&rule_id(*n)),
            5 => _ = tx.remove::<Router>(&router_id(*n % 3)),
            6 => _ = tx.remove::<FloatingIp>(&floating_ip_id(*n % 4)),
            7 => _ = tx.remove::<PortForwarding>(&forwarding_id(*n % 4)),
            10 => _ = tx.remove::<NdpProxy>(&ndp_proxy_id(*n % 3)),
            11 => _ = tx.remove::<ConntrackHelper>(&conntrack_helper_id(*n % 3)),
            9 => _ = tx.remove::<SubnetPool>(&pool_id(*n % 2)),
            8 => _ = tx.remove::<AddressGroup>(&address_group_id(*n % 2)),
            _ => _ = tx.remove::<Agent>(&agent_id(*n)),
        },
    }
}

type Units = BTreeMap<UnitId, Unit>;

fn advance(units: &mut BTreeMap<HostName, Units>, commit: &Commit) {
    for (host, ids) in concern::concerned(commit, &|_| true) {
        let units = units.entry(host.clone()).or_default();
        for id in ids {
            match project::unit(&projection(), &commit.after, &host, &id) {
                Some(unit) => _ = units.insert(id, unit),
                None => _ = units.remove(&id),
            }
        }
    }
}

fn start() -> World {
    let empty = World::empty(Arc::new(schema()));
    let commit = commit(&empty, |tx| {
        (0..3).for_each(|n| tx.put(Network { dhcp_agents: vec![agent_id(HOSTS + n)], ..network(n, NetworkType::Vxlan) }));
        (0..4).for_each(|n| tx.put(subnet(n, n % 3, false)));
        (0..4).for_each(|n| tx.put(group(n)));
        (0..HOSTS).for_each(|n| tx.put(agent(n, AgentType::LinuxBridge, n)));
        (0..HOSTS).for_each(|n| tx.put(agent(HOSTS + n, AgentType::Dhcp, n)));
        (0..HOSTS).for_each(|n| tx.put(agent(2 * HOSTS + n, AgentType::L3, n)));
    });
    commit.after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_full(commits in prop::collection::vec(prop::collection::vec(op(), 1..5), 1..40)) {
        let mut world = start();
        let mut units: BTreeMap<HostName, Units> = BTreeMap::new();
        for ops in &commits {
            let commit = commit(&world, |tx| ops.iter().for_each(|op| apply(tx, op)));
            advance(&mut units, &commit);
            world = commit.after;
            for n in 0..HOSTS {
                let full = project::full(&projection(), &world, &host(n));
                prop_assert_eq!(units.entry(host(n)).or_default(), &full, "{} after {:?}", host(n), ops);
            }
        }
    }

    /// Every network and group that a unit of a host refers to is itself a unit of the host, as far as it exists.
    #[test]
    fn a_host_has_only_what_concerns_it(ops in prop::collection::vec(op(), 1..60)) {
        let world = commit(&start(), |tx| ops.iter().for_each(|op| apply(tx, op))).after;
        for n in 0..HOSTS {
            let units = project::full(&projection(), &world, &host(n));
            let ports: Vec<_> = units.values().filter_map(|unit| if let Unit::Port(port) = unit { Some(port) } else { None }).collect();
            let networks: BTreeSet<_> = ports.iter().map(|port| port.network_id).collect();
            let groups: BTreeSet<_> = ports.iter().flat_map(|port| port.security_groups.iter().copied()).collect();
            let lists: BTreeSet<_> = units.values().filter_map(|unit| if let Unit::SecurityGroup(group) = unit { Some(group) } else { None })
                .flat_map(|group| group.rules.iter()).filter_map(|rule| match rule.remote {
                    intent::Remote::AddressGroup { address_group } => Some(address_group),
                    _ => None,
                }).collect();
            let named: BTreeSet<_> = units.values().filter_map(|unit| if let Unit::SecurityGroup(group) = unit { Some(group) } else { None })
                .flat_map(|group| group.rules.iter()).filter_map(|rule| match rule.remote {
                    intent::Remote::Group { group } => Some(group),
                    _ => None,
                }).collect();
            for (id, unit) in &units {
                prop_assert_eq!(&unit.id(), id);
                match unit {
                    Unit::Network(network) => prop_assert!(networks.contains(&network.id)),
                    Unit::Remote(remote) => {
                        prop_assert!(networks.contains(&remote.network_id));
                        let there = world.get::<Port>(&remote.port_id).expect("a port that is there");
                        prop_assert!(there.bound_host().is_some_and(|there| *there != host(n)));
                    }
                    Unit::SecurityGroup(group) => prop_assert!(groups.contains(&group.id)),
                    Unit::Member(member) => prop_assert!(named.contains(&member.group_id)),
                    Unit::AddressGroup(group) => prop_assert!(lists.contains(&group.id)),
                    Unit::Dhcp(dhcp) => prop_assert!(units.contains_key(&UnitId::Port(dhcp.port_id))),
                    Unit::DhcpHost(client) => prop_assert!(units.contains_key(&UnitId::Dhcp(client.network_id))),
                    Unit::Router(router) => {
                        let further = router.further_gateways.iter().map(|further| &further.port);
                        for port in router.gateway.iter().chain(further).chain(&router.interfaces) {
                            prop_assert!(units.contains_key(&UnitId::Port(port.port_id)));
                        }
                    }
                    Unit::FloatingIp(floating_ip) => prop_assert!(units.contains_key(&UnitId::Router(floating_ip.router_id))),
                    Unit::PortForwarding(forwarding) => {
                        prop_assert!(units.contains_key(&UnitId::FloatingIp(forwarding.router_id, forwarding.floating_ip_id)));
                    }
                    Unit::NdpProxy(proxy) => prop_assert!(units.contains_key(&UnitId::Router(proxy.router_id))),
                    Unit::ConntrackHelper(helper) => {
                        let router = units.get(&UnitId::Router(helper.router_id));
                        prop_assert!(matches!(router, Some(Unit::Router(router)) if router.conntrack_helpers));
                    }
                    Unit::MetadataClient(client) => {
                        let serves = |unit: &Unit| match unit {
                            Unit::Dhcp(dhcp) => dhcp.network_id == client.network_id,
                            Unit::Router(router) => router.interfaces.iter().any(|port| port.network_id == client.network_id),
                            _ => false,
                        };
                        prop_assert!(world.get::<Network>(&client.network_id).is_none() || units.values().any(serves));
                    }
                    Unit::Port(port) => {
                        let there = world.get::<Port>(&port.id).expect("a port that is there");
                        prop_assert!(there.hosts().any(|there| *there == host(n)));
                        prop_assert_eq!(port.standby, there.bound_host() != Some(&host(n)));
                    }
                }
            }
        }
    }
}

/// Two ports on two hosts, a group that lets its own members in.
fn two_hosts() -> World {
    commit(&start(), |tx| {
        tx.put(SecurityGroupRule { remote_group_id: Some(group_id(0)), ..rule(0, 0) });
        for n in 0..2 {
            let mut port = Port { security_groups: vec![group_id(0)], fixed_ips: vec![address(0, 10 + n)], ..port(n, 0) };
            bind(&mut port, n);
            tx.put(port);
        }
    })
    .after
}

fn concerned(commit: &Commit) -> Vec<(String, Vec<String>)> {
    let text = |ids: BTreeSet<UnitId>| ids.into_iter().map(|id| id.to_string().split('/').next().unwrap_or_default().to_owned()).collect();
    concern::concerned(commit, &|_| true).into_iter().map(|(host, ids)| (host.to_string(), text(ids))).collect()
}

/// A router on the first host between an inner network and an outer one, with a floating IP that leads to the second host.
fn routed() -> World {
    commit(&two_hosts(), |tx| {
        for (n, of, owner) in [(5, 0, device_owner::ROUTER_INTERFACE), (6, 1, device_owner::ROUTER_GATEWAY)] {
            let device_id = router_id(0).to_string().into();
            let mut port = Port { device_id, device_owner: owner.into(), fixed_ips: vec![address(of, 1)], ..port(n, of) };
            bind(&mut port, 0);
            tx.put(port);
        }
        let gateway = Some(Gateway { network_id: network_id(1), port_id: port_id(6), enable_snat: true });
        tx.put(Router { gateway, agents: vec![agent_id(2 * HOSTS)], ..router(0) });
        tx.put(floating_ip(0));
    })
    .after
}

fn associated() -> Commit {
    commit(&routed(), |tx| {
        tx.update::<FloatingIp>(&floating_ip_id(0), |floating_ip| {
            floating_ip.router_id = Some(router_id(0));
            floating_ip.fixed_ip_address = Some(std::net::Ipv4Addr::new(10, 0, 0, 11));
        });
    })
}

#[test]
fn a_floating_ip_is_one_unit_of_one_host() {
    assert_eq!(concerned(&associated()), [("host0".to_owned(), vec!["floating-ip".to_owned()])]);
    let status = commit(&associated().after, |tx| {
        tx.update::<FloatingIp>(&floating_ip_id(0), |floating_ip| floating_ip.status = FloatingIpStatus::Active);
    });
    assert_eq!(concerned(&status), [], "its status is the agent's own word");
    let again = commit(&status.after, |tx| {
        tx.update::<FloatingIp>(&floating_ip_id(0), |floating_ip| floating_ip.status = FloatingIpStatus::Down);
    });
    assert_eq!(concerned(&again), [("host0".to_owned(), vec!["floating-ip".to_owned()])], "waited for again");
}

#[test]
fn a_router_as_a_host_is_told() {
    let world = associated().after;
    let units = project::full(&projection(), &world, &host(0));
    let Some(Unit::Router(router)) = units.get(&UnitId::Router(router_id(0))) else { panic!("a router") };
    let gateway = router.gateway.as_ref().expect("a gateway");
    assert_eq!((gateway.port_id, router.enable_snat, router.admin_state_up), (port_id(6), true, true));
    assert_eq!(gateway.addresses, ["10.0.1.1/24".parse().expect("an address")]);
    let subnets = |port: &intent::RouterPort| port.subnets.iter().map(|subnet| subnet.id).collect::<Vec<_>>();
    assert_eq!(subnets(gateway), [subnet_id(1)]);
    let [inside] = &router.interfaces[..] else { panic!("one interface") };
    assert_eq!((inside.port_id, inside.mac, inside.mtu), (port_id(5), port(5, 0).mac_address, 1450));
    assert_eq!(subnets(inside), [subnet_id(0)], "not the network's other subnet, in which it has no address");
    let Some(Unit::FloatingIp(floating_ip)) = units.get(&UnitId::FloatingIp(router_id(0), floating_ip_id(0))) else { panic!("one") };
    assert_eq!(
        (floating_ip.floating_ip_address.octets(), floating_ip.fixed_ip_address.map(|ip| ip.octets()[3])),
        ([203, 0, 113, 0], Some(11))
    );
    assert!(!project::full(&projection(), &world, &host(1)).keys().any(|id| matches!(id, UnitId::Router(_) | UnitId::FloatingIp(..))));
}

#[test]
fn a_disabled_agent_carries_nothing() {
    let disable = |n| commit(&associated().after, |tx| _ = tx.update::<Agent>(&agent_id(n), |agent| agent.admin_state_up = false));
    let routers = disable(2 * HOSTS);
    assert_eq!(concerned(&routers), [("host0".to_owned(), vec!["router".to_owned(), "floating-ip".to_owned()])]);
    let names = |commit: &Commit| -> BTreeSet<String> {
        let units = project::full(&projection(), &commit.after, &host(0));
        units.keys().map(|id| id.to_string().split('/').next().unwrap_or_default().to_owned()).collect()
    };
    let there = names(&associated());
    assert!(there.contains("router") && there.contains("port"));
    assert!(!names(&routers).contains("router") && names(&routers).contains("port"), "its ports stay where they are");
}

#[test]
fn a_status_concerns_nobody() {
    let commit = commit(&two_hosts(), |tx| {
        tx.update::<Port>(&port_id(0), |port| {
            port.status = PortStatus::Active;
            port.provisioning = Provisioning::default();
            port.name = "renamed".into();
        });
    });
    assert_eq!(concerned(&commit), []);
}

#[test]
fn what_is_waited_for_again_is_told_again() {
    let world = commit(&two_hosts(), |tx| {
        tx.update::<Port>(&port_id(0), |port| port.provisioning = Provisioning::default());
    })
    .after;
    let commit = commit(&world, |tx| {
        tx.update::<Port>(&port_id(0), |port| port.provisioning.l2 = true);
    });
    assert_eq!(concerned(&commit), [("host0".to_owned(), vec!["port".to_owned()])]);
}

#[test]
fn a_further_port_is_one_unit_of_each_kind() {
    let new = |host| {
        commit(&two_hosts(), |tx| {
            let mut port = Port { security_groups: vec![group_id(0)], fixed_ips: vec![address(0, 20)], ..port(7, 0) };
            bind(&mut port, host);
            tx.put(port);
        })
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = [("host0".to_owned(), names(&["member", "port"])), ("host1".to_owned(), names(&["remote", "member"]))];
    assert_eq!(concerned(&new(0)), expected);
    let third = ("host2".to_owned(), names(&["network", "remote", "remote", "group", "member", "member", "member", "port"]));
    let expected = [("host0".to_owned(), names(&["remote", "member"])), ("host1".to_owned(), names(&["remote", "member"])), third];
    assert_eq!(concerned(&new(2)), expected);
}

/// A change of an address group is one unit on each host with rules that name it, and nothing elsewhere.
#[test]
fn addresses_of_a_group() {
    let named = commit(&two_hosts(), |tx| {
        tx.put(address_group(0));
        tx.put(SecurityGroupRule { remote_address_group_id: Some(address_group_id(0)), ..rule(1, 0) });
    });
    let expected = |units: &[&str]| ["host0", "host1"].map(|host| (host.to_owned(), units.iter().map(|unit| (*unit).to_owned()).collect()));
    assert_eq!(concerned(&named), expected(&["group", "addresses"]));
    let more = commit(&named.after, |tx| {
        tx.update::<AddressGroup>(&address_group_id(0), |group| group.addresses.clear());
    });
    assert_eq!(concerned(&more), expected(&["addresses"]));
    let renamed = commit(&more.after, |tx| {
        tx.update::<AddressGroup>(&address_group_id(0), |group| group.name = "other".into());
    });
    assert_eq!(concerned(&renamed), []);
}
