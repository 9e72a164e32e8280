//! Random requests of the API: few names and addresses, so that they meet each other.

use model::{Agent, Network, Port, SecurityGroup, SecurityGroupRule, Subnet};
use net::HostName;
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};
use std::fmt;
use uuid::Uuid;
use world::{Record, World};

/// Which resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is a resource of the API")]
pub enum Kind {
    Network,
    Subnet,
    Port,
    Group,
    Rule,
    Agent,
}

/// A request: a create has no id, a delete no body.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// Of which resource.
    pub kind: Kind,
    /// Which one.
    pub id: Option<Uuid>,
    /// Its fields.
    pub body: Option<Value>,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.id, &self.body) {
            (None, Some(body)) => write!(f, "create {:?} {body}", self.kind),
            (Some(id), Some(body)) => write!(f, "update {:?} {id} {body}", self.kind),
            (id, _) => write!(f, "delete {:?} {}", self.kind, id.unwrap_or_default()),
        }
    }
}

fn create(kind: Kind, body: Value) -> Option<Request> {
    Some(Request { kind, id: None, body: Some(body) })
}

fn update(kind: Kind, id: Uuid, body: Value) -> Option<Request> {
    Some(Request { kind, id: Some(id), body: Some(body) })
}

fn any<R: Record>(rng: &mut SmallRng, world: &World) -> Option<Uuid>
where
    R::Id: Into<Uuid>,
{
    let ids: Vec<Uuid> = world.table::<R>().iter().map(|record| record.id().into()).collect();
    ids.choose(rng).copied()
}

/// A request that fits the world, more or less; none when there is nothing it could be about.
pub fn random(rng: &mut SmallRng, world: &World, hosts: &[HostName]) -> Option<Request> {
    match rng.random_range(0..100) {
        0..=5 => network(rng),
        6..=12 => subnet(rng, world),
        13..=44 => port(rng, world, hosts),
        45..=48 => create(Kind::Group, json!({"project_id": "p0", "name": "group", "stateful": rng.random_bool(0.75)})),
        49..=62 => rule(rng, world),
        63..=81 => change_port(rng, world, hosts),
        82 | 83 => change_network(rng, world),
        84 | 85 => change_subnet(rng, world),
        86 => update(Kind::Agent, any::<Agent>(rng, world)?, json!({"admin_state_up": rng.random_bool(0.7)})),
        87 => delete(Kind::Network, any::<Network>(rng, world)?),
        88 => delete(Kind::Subnet, any::<Subnet>(rng, world)?),
        89..=94 => delete(Kind::Port, any::<Port>(rng, world)?),
        95 => delete(Kind::Group, any::<SecurityGroup>(rng, world)?),
        _ => delete(Kind::Rule, any::<SecurityGroupRule>(rng, world)?),
    }
}

fn delete(kind: Kind, id: Uuid) -> Option<Request> {
    Some(Request { kind, id: Some(id), body: None })
}

fn network(rng: &mut SmallRng) -> Option<Request> {
    let mut body = json!({"project_id": "p0", "name": "n", "admin_state_up": rng.random_bool(0.95)});
    match rng.random_range(0..7) {
        0 => body["provider:network_type"] = json!("local"),
        3 => {
            body["provider:network_type"] = json!("vlan");
            body["provider:physical_network"] = json!("physnet1");
        }
        1 => {
            body["provider:network_type"] = json!("flat");
            body["provider:physical_network"] = json!("physnet1");
        }
        2 => body["port_security_enabled"] = json!(false),
        _ => {}
    }
    create(Kind::Network, body)
}

fn subnet(rng: &mut SmallRng, world: &World) -> Option<Request> {
    let network = any::<Network>(rng, world)?;
    let mut body = json!({"project_id": "p0", "network_id": network, "enable_dhcp": rng.random_bool(0.8)});
    if rng.random_bool(0.65) {
        // Every network may have the same prefixes.
        body["ip_version"] = json!(4);
        body["cidr"] = json!(*["10.0.0.0/28", "10.0.1.0/24"].choose(rng)?);
    } else {
        body["ip_version"] = json!(6);
        body["cidr"] = json!(*["fd00:0:0:1::/64", "fd00:0:0:2::/64"].choose(rng)?);
        match rng.random_range(0..4) {
            0 => {}
            mode => {
                let mode = ["slaac", "dhcpv6-stateful", "dhcpv6-stateless"][mode - 1];
                (body["ipv6_ra_mode"], body["ipv6_address_mode"]) = (json!(mode), json!(mode));
            }
        }
    }
    create(Kind::Subnet, body)
}

fn groups(rng: &mut SmallRng, world: &World) -> Value {
    let picked: Vec<Uuid> = (0..rng.random_range(0..3)).filter_map(|_| any::<SecurityGroup>(rng, world)).collect();
    json!(picked)
}

fn pairs(rng: &mut SmallRng) -> Value {
    let addresses = ["10.0.0.9", "10.0.0.0/30", "192.168.7.0/24", "fd00:0:0:1::77", "fd00:0:0:7::/64", "0.0.0.0/0"];
    let pair = |rng: &mut SmallRng| {
        let mut pair = json!({"ip_address": addresses.choose(rng).copied().unwrap_or("10.0.0.9")});
        if rng.random_bool(0.5) {
            pair["mac_address"] = json!(format!("00:00:5e:00:01:0{}", rng.random_range(1..3)));
        }
        pair
    };
    let pairs: Vec<Value> = (0..rng.random_range(0..3)).map(|_| pair(rng)).collect();
    json!(pairs)
}

fn host(rng: &mut SmallRng, hosts: &[HostName]) -> Value {
    json!(hosts.choose(rng).map(HostName::as_str).unwrap_or_default())
}

fn port(rng: &mut SmallRng, world: &World, hosts: &[HostName]) -> Option<Request> {
    let mut body = json!({"project_id": "p0", "network_id": any::<Network>(rng, world)?, "device_id": "vm"});
    body["device_owner"] = json!(if rng.random_bool(0.93) { "compute:nova" } else { "" });
    if rng.random_bool(0.9) {
        body["binding:host_id"] = host(rng, hosts);
    }
    if rng.random_bool(0.6) {
        body["security_groups"] = groups(rng, world);
    } else if rng.random_bool(0.2) {
        body["port_security_enabled"] = json!(false);
    }
    if rng.random_bool(0.2) {
        body["allowed_address_pairs"] = pairs(rng);
    }
    if rng.random_bool(0.1) {
        body["extra_dhcp_opts"] = json!([{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}]);
    }
    if rng.random_bool(0.1) {
        body["admin_state_up"] = json!(false);
    }
    create(Kind::Port, body)
}

fn rule(rng: &mut SmallRng, world: &World) -> Option<Request> {
    let v4 = rng.random_bool(0.7);
    let mut body = Map::new();
    body.insert("project_id".into(), json!("p0"));
    body.insert("security_group_id".into(), json!(any::<SecurityGroup>(rng, world)?));
    body.insert("direction".into(), json!(if rng.random_bool(0.75) { "ingress" } else { "egress" }));
    body.insert("ethertype".into(), json!(if v4 { "IPv4" } else { "IPv6" }));
    let mut ports = |min: u16, max: u16| {
        body.insert("port_range_min".into(), json!(min));
        body.insert("port_range_max".into(), json!(max));
    };
    let protocol = match rng.random_range(0..9) {
        0 => json!(null),
        1 | 2 => {
            ports(22, 22);
            json!("tcp")
        }
        3 => {
            ports(80, 443);
            json!("tcp")
        }
        4 => json!("udp"),
        5 => {
            let protocols = ["sctp", "dccp", "udplite", "udp"];
            ports(53, 80);
            json!(protocols.choose(rng)?)
        }
        6 => json!(*["112", "47", "50"].choose(rng)?),
        7 => {
            ports(*[8, 3, 128].choose(rng)?, 0);
            json!("icmp")
        }
        _ => json!("icmp"),
    };
    body.insert("protocol".into(), protocol);
    match rng.random_range(0..4) {
        0 | 1 => _ = body.insert("remote_group_id".into(), json!(any::<SecurityGroup>(rng, world)?)),
        2 => {
            let v4_prefixes = ["10.0.0.0/30", "10.0.0.5/32", "0.0.0.0/0", "192.168.7.128/25"];
            let v6_prefixes = ["fd00:0:0:1::/64", "::/0", "fe80::/10"];
            let prefix = if v4 { *v4_prefixes.choose(rng)? } else { *v6_prefixes.choose(rng)? };
            body.insert("remote_ip_prefix".into(), json!(prefix));
        }
        _ => {}
    }
    create(Kind::Rule, Value::Object(body))
}

fn change_port(rng: &mut SmallRng, world: &World, hosts: &[HostName]) -> Option<Request> {
    let id = any::<Port>(rng, world)?;
    // Ports of DHCP servers are deleted here, but not taken elsewhere: nobody but the scheduler knows where they belong.
    let port = world.get::<Port>(&id.into()).filter(|port| !port.device_owner.starts_with("network:"))?;
    let body = match rng.random_range(0..12) {
        0..=2 => json!({"security_groups": groups(rng, world)}),
        3 => json!({"allowed_address_pairs": pairs(rng)}),
        4 => json!({"port_security_enabled": false, "security_groups": [], "allowed_address_pairs": []}),
        5 => json!({"port_security_enabled": true}),
        6 => json!({"admin_state_up": false}),
        7 => json!({"admin_state_up": true}),
        8 => json!({"binding:host_id": host(rng, hosts)}),
        9 if rng.random_bool(0.3) => json!({"binding:host_id": ""}),
        10 => {
            let subnets: Vec<Uuid> = world.table::<Subnet>().by(Subnet::BY_NETWORK, port.network_id).map(|subnet| subnet.id.0).collect();
            let asked: Vec<Value> = subnets.choose(rng).map(|subnet| json!({"subnet_id": subnet})).into_iter().collect();
            json!({"fixed_ips": asked})
        }
        _ => json!({"name": "renamed"}),
    };
    update(Kind::Port, id, body)
}

fn change_network(rng: &mut SmallRng, world: &World) -> Option<Request> {
    let body =
        if rng.random_bool(0.7) { json!({"admin_state_up": rng.random_bool(0.7)}) } else { json!({"mtu": rng.random_range(1280..1450)}) };
    update(Kind::Network, any::<Network>(rng, world)?, body)
}

fn change_subnet(rng: &mut SmallRng, world: &World) -> Option<Request> {
    let body = match rng.random_range(0..3) {
        0 => json!({"enable_dhcp": rng.random_bool(0.6)}),
        1 => json!({"dns_nameservers": ["192.0.2.53"]}),
        _ => json!({"gateway_ip": null}),
    };
    update(Kind::Subnet, any::<Subnet>(rng, world)?, body)
}
