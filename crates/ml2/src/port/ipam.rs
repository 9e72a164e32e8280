//! Addresses of ports: which subnets, and which address in them.
//!
//! A port that does not ask gets one address of each family from the pools, and one by EUI-64 in every automatically addressed subnet.
//! What is in use is the index of addresses, so nothing is reserved or released here. Which subnets come into question is
//! said by `eligible`.

use super::eligible::eligible;
use super::{PortFault, is_router_port};
use crate::free::{self, Space};
use model::{FixedIp, Port, Subnet, device_owner};
use net::{Family, SubnetId, eui64, is_host_address, number};
use rand::rngs::SmallRng;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;
use world::{Key, Table, World};

/// A fixed IP as a request asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Asked {
    /// In which subnet; none: the one that has the address.
    #[serde(default)]
    pub subnet_id: Option<SubnetId>,
    /// Which address; none: any.
    #[serde(default)]
    pub ip_address: Option<IpAddr>,
}

/// Places of the pools from which an address is taken at random.
const WINDOW: u128 = 128;
/// Addresses of an IPv6 pool are from this many at its start while any of them is free: short ones read better.
const IPV6_WINDOW: u128 = 1 << 20;

/// The addresses of a port whose network, MAC and owner are set. The addresses that it has stay where they fit what is asked.
pub(crate) fn allocate(world: &World, rng: &mut SmallRng, port: &Port, asked: Option<&[Asked]>) -> Result<Vec<FixedIp>, PortFault> {
    let subnets = eligible(world, port, asked)?;
    if subnets.is_empty() && asked.is_some_and(|asked| !asked.is_empty()) {
        return Err(PortFault::NoSubnets);
    }
    let mut allocation = Allocation { world, ports: world.table(), subnets, port, given: Vec::new() };
    match asked {
        Some(asked) => allocation.asked(rng, asked)?,
        None => allocation.one_of_each_family(rng)?,
    }
    allocation.automatic()?;
    Ok(allocation.given)
}

struct Allocation<'a> {
    world: &'a World,
    ports: &'a Table<Port>,
    subnets: Vec<&'a Arc<Subnet>>,
    port: &'a Port,
    given: Vec<FixedIp>,
}

impl Allocation<'_> {
    fn one_of_each_family(&mut self, rng: &mut SmallRng) -> Result<(), PortFault> {
        for family in [Family::V4, Family::V6] {
            let subnets: Vec<_> = self.subnets.iter().copied().filter(|s| s.family() == family && !s.is_auto_address()).collect();
            let address = subnets.iter().find_map(|subnet| self.free_in(rng, subnet));
            match address {
                Some(address) => self.given.push(address),
                None if subnets.is_empty() => {}
                None => return Err(PortFault::NoAddress(self.port.network_id)),
            }
        }
        Ok(())
    }

    /// What a port has already is kept: first by address, then by subnet.
    fn asked(&mut self, rng: &mut SmallRng, asked: &[Asked]) -> Result<(), PortFault> {
        let mut has: Vec<FixedIp> = self.port.fixed_ips.clone();
        let (specific, anywhere): (Vec<&Asked>, Vec<&Asked>) = asked.iter().partition(|a| a.ip_address.is_some());
        for wanted in specific {
            let ip_address = wanted.ip_address.expect("just partitioned");
            let same = |ip: &FixedIp| ip.ip_address == ip_address && wanted.subnet_id.is_none_or(|id| id == ip.subnet_id);
            match has.iter().position(same) {
                Some(at) => self.given.push(has.remove(at)),
                None => {
                    let address = self.specific(wanted.subnet_id, ip_address)?;
                    self.given.push(address);
                }
            }
        }
        for wanted in anywhere {
            let subnet_id = wanted.subnet_id.ok_or(PortFault::SubnetOrAddress)?;
            let subnet = self.subnet(subnet_id)?;
            if subnet.is_auto_address() && !is_router_port(self.port) {
                continue;
            }
            let kept = has.iter().position(|ip| ip.subnet_id == subnet_id).map(|at| has.remove(at));
            let address = kept.or_else(|| self.free_in(rng, &subnet)).ok_or(PortFault::NoAddress(self.port.network_id))?;
            self.given.push(address);
        }
        Ok(())
    }

    fn subnet(&self, id: SubnetId) -> Result<Arc<Subnet>, PortFault> {
        let found = self.subnets.iter().find(|subnet| subnet.id == id);
        found.map(|subnet| Arc::clone(subnet)).ok_or_else(|| match self.world.get::<Subnet>(&id) {
            Some(_) => PortFault::WrongSubnet(self.port.network_id, id),
            None => PortFault::NoSubnet(id),
        })
    }

    fn specific(&self, subnet_id: Option<SubnetId>, ip_address: IpAddr) -> Result<FixedIp, PortFault> {
        let subnet = match subnet_id {
            Some(id) => self.subnet(id)?,
            None => {
                let containing = self.subnets.iter().find(|subnet| subnet.cidr.contains(&ip_address));
                containing.map(|subnet| Arc::clone(subnet)).ok_or(PortFault::NotInNetwork(ip_address))?
            }
        };
        let router = is_router_port(self.port);
        let fits = is_host_address(&subnet.cidr, &ip_address) || (router && ip_address.is_ipv6() && subnet.cidr.contains(&ip_address));
        if !fits {
            return Err(PortFault::NotInSubnet(ip_address));
        }
        if subnet.is_auto_address() && !router && eui64(&subnet.cidr, self.port.mac_address) != Some(ip_address) {
            return Err(PortFault::AutomaticSubnet(ip_address, subnet.id));
        }
        if self.is_used(subnet.id, ip_address) {
            return Err(PortFault::AddressInUse(ip_address, subnet.id));
        }
        Ok(FixedIp { subnet_id: subnet.id, ip_address })
    }

    /// Automatic addresses follow from the MAC, whatever was asked; routers' ports have none.
    fn automatic(&mut self) -> Result<(), PortFault> {
        if is_router_port(self.port) {
            return Ok(());
        }
        let subnets: Vec<Arc<Subnet>> = self.subnets.iter().filter(|s| s.is_auto_address()).map(|s| Arc::clone(s)).collect();
        self.given.retain(|ip| subnets.iter().all(|subnet| subnet.id != ip.subnet_id));
        for subnet in subnets {
            let Some(ip_address) = eui64(&subnet.cidr, self.port.mac_address) else { continue };
            if self.is_used(subnet.id, ip_address) {
                return Err(PortFault::AddressInUse(ip_address, subnet.id));
            }
            self.given.push(FixedIp { subnet_id: subnet.id, ip_address });
        }
        Ok(())
    }

    /// True when another port has the address, or this allocation has given it.
    fn is_used(&self, subnet: SubnetId, ip_address: IpAddr) -> bool {
        let mut holders = self.ports.ids(Port::BY_ADDRESS, Key::Address(subnet.0, ip_address));
        holders.any(|id| *id != self.port.id) || self.given.contains(&FixedIp { subnet_id: subnet, ip_address })
    }

    /// DHCP servers take the lowest free address, others any.
    fn free_in(&self, rng: &mut SmallRng, subnet: &Subnet) -> Option<FixedIp> {
        let ranges: Vec<(u128, u128)> = subnet.allocation_pools.iter().map(|pool| (number(&pool.start), number(&pool.end))).collect();
        let mut addresses = Addresses { allocation: self, subnet, ranges };
        let lowest = matches!(self.port.device_owner.as_str(), device_owner::DHCP | device_owner::DISTRIBUTED);
        let found = if lowest { free::lowest(&addresses) } else { addresses.any(rng) };
        found.map(|n| FixedIp { subnet_id: subnet.id, ip_address: address(subnet.family(), n) })
    }
}

struct Addresses<'a> {
    allocation: &'a Allocation<'a>,
    subnet: &'a Subnet,
    ranges: Vec<(u128, u128)>,
}

impl Addresses<'_> {
    /// Any free one. The first choice is from the places right behind as many as the network has ports: so addresses stay near the start
    /// of the pools, and close to each other in the index, but one that became free is not the next one given. Where those are taken
    /// it is from twice as many as there are ports, of which most are free.
    fn any(&mut self, rng: &mut SmallRng) -> Option<u128> {
        let ports = self.allocation.ports.count(Port::BY_NETWORK, self.subnet.network_id) as u128;
        let start = if self.subnet.family() == Family::V6 { IPV6_WINDOW } else { u128::MAX };
        let whole = std::mem::take(&mut self.ranges);
        for (from, count) in [(ports, WINDOW), (0, 2 * ports + WINDOW), (0, start), (0, u128::MAX)] {
            let part = free::part(&whole, from, count);
            if part != self.ranges {
                self.ranges = part;
                if let Some(free) = free::any(self, rng) {
                    return Some(free);
                }
            }
        }
        None
    }
}

impl Space for Addresses<'_> {
    fn ranges(&self) -> &[(u128, u128)] {
        &self.ranges
    }

    fn is_used(&self, number: u128) -> bool {
        let ip_address = address(self.subnet.family(), number);
        let key = Key::Address(self.subnet.id.0, ip_address);
        self.allocation.ports.has(Port::BY_ADDRESS, key)
            || self.allocation.given.contains(&FixedIp { subnet_id: self.subnet.id, ip_address })
    }

    fn used_from(&self, from: u128) -> impl Iterator<Item = u128> {
        let family = self.subnet.family();
        let subnet = self.subnet.id.0;
        let mut given: Vec<u128> =
            self.allocation.given.iter().filter(|ip| ip.subnet_id == self.subnet.id).map(|ip| number(&ip.ip_address)).collect();
        given.retain(|n| *n >= from);
        given.sort_unstable();
        let held = self.allocation.ports.walk(Port::BY_ADDRESS, Key::Address(subnet, address(family, from)));
        let held = held.map_while(move |(key, _)| match key {
            Key::Address(id, ip) if *id == subnet => Some(number(ip)),
            _ => None,
        });
        merged(held, given)
    }
}

/// Two ascending sequences as one.
fn merged(held: impl Iterator<Item = u128>, given: Vec<u128>) -> impl Iterator<Item = u128> {
    let mut held = held.peekable();
    let mut given = given.into_iter().peekable();
    std::iter::from_fn(move || match (held.peek(), given.peek()) {
        (Some(a), Some(b)) if b < a => given.next(),
        (Some(_), _) => held.next(),
        (None, _) => given.next(),
    })
}

fn address(family: Family, number: u128) -> IpAddr {
    net::address(family, number).expect("numbers of IPv4 pools")
}
