//! The rules of a subnet: prefix, DHCP, IPv6 modes, gateway, pools. All of them are pure functions of the subnet itself.

use super::SubnetFault;
use crate::Config;
use model::{AllocationPool, HostRoute, Ipv6Mode, Subnet};
use net::{Family, IpNet, SubnetId, first_address, last_address, offset};
use std::net::IpAddr;

fn invalid<T>(reason: impl Into<String>) -> Result<T, SubnetFault> {
    Err(SubnetFault::Invalid(reason.into()))
}

/// Checks the rules of a subnet as it would be kept, all but those of its pools. `known` is its id when it is there already.
pub(super) fn validate(config: &Config, subnet: &Subnet, known: Option<SubnetId>) -> Result<(), SubnetFault> {
    check_ipv6_modes(subnet, known.is_some())?;
    if subnet.enable_dhcp && !subnet.is_provisional() {
        check_dhcp(&subnet.cidr)?;
    }
    check_versions(subnet)?;
    check_limits(config, &subnet.dns_nameservers, &subnet.host_routes, known)?;
    check_gateway(subnet)
}

/// The prefix must be of the version that the request says.
pub(super) fn check_cidr(cidr: &IpNet, family: Family) -> Result<(), SubnetFault> {
    if Family::of_net(cidr) != family {
        return invalid(format!("cidr '{cidr}' does not match the ip_version '{}'", family.version()));
    }
    if family == Family::V6 && first_address(cidr).is_unspecified() {
        return invalid(format!("IPv6 subnet '{}' is not supported", first_address(cidr)));
    }
    Ok(())
}

fn check_dhcp(cidr: &IpNet) -> Result<(), SubnetFault> {
    let first = first_address(cidr);
    let longest = Family::of_net(cidr).bits() - 2;
    if first.is_multicast() {
        return invalid("Multicast IP subnet is not supported if enable_dhcp is True");
    }
    if first.is_unspecified() {
        return invalid(format!("First IP '{first}' of network is not supported if enable_dhcp is True."));
    }
    if cidr.prefix_len() > longest {
        return invalid("Subnet has a prefix length that is incompatible with DHCP service enabled");
    }
    if first.is_loopback() {
        return invalid("Loopback IP subnet is not supported if enable_dhcp is True");
    }
    Ok(())
}

fn check_ipv6_modes(subnet: &Subnet, is_known: bool) -> Result<(), SubnetFault> {
    let (ra, address) = (subnet.ipv6_ra_mode, subnet.ipv6_address_mode);
    if subnet.family() == Family::V4 {
        return match (ra, address) {
            (Some(_), _) => invalid("ipv6_ra_mode is not valid when ip_version is 4"),
            (None, Some(_)) => invalid("ipv6_address_mode is not valid when ip_version is 4"),
            (None, None) => Ok(()),
        };
    }
    if ra.is_none() && address.is_none() {
        return Ok(());
    }
    if !subnet.enable_dhcp && is_known {
        return invalid("Cannot disable enable_dhcp with ipv6 attributes set");
    }
    if !subnet.enable_dhcp {
        return invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False");
    }
    if let (Some(ra), Some(address)) = (ra, address)
        && ra != address
    {
        return invalid(format!(
            "ipv6_ra_mode set to '{ra}' with ipv6_address_mode set to '{address}' is not valid. If both attributes are set, they must be \
             the same value"
        ));
    }
    let automatic = |mode: Option<Ipv6Mode>| matches!(mode, Some(Ipv6Mode::Slaac | Ipv6Mode::Dhcpv6Stateless));
    if (automatic(ra) || automatic(address)) && subnet.cidr.prefix_len() != 64 {
        return invalid(format!(
            "Invalid CIDR {} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64",
            subnet.cidr
        ));
    }
    Ok(())
}

fn check_versions(subnet: &Subnet) -> Result<(), SubnetFault> {
    let family = subnet.family();
    let check = |what: &str, address: &IpAddr| {
        if Family::of(address) == family {
            return Ok(());
        }
        invalid(format!("{what} '{address}' does not match the ip_version '{}'", family.version()))
    };
    subnet.gateway_ip.iter().try_for_each(|gateway| check("gateway_ip", gateway))?;
    subnet.dns_nameservers.iter().try_for_each(|server| check("dns_nameserver", server))?;
    subnet.host_routes.iter().try_for_each(|route| {
        check("nexthop", &route.nexthop)?;
        match Family::of_net(&route.destination) == family {
            true => Ok(()),
            false => invalid(format!("destination '{}' does not match the ip_version '{}'", route.destination, family.version())),
        }
    })
}

fn check_limits(config: &Config, servers: &[IpAddr], routes: &[HostRoute], known: Option<SubnetId>) -> Result<(), SubnetFault> {
    if servers.len() > config.max_dns_nameservers {
        return Err(SubnetFault::TooManyNameservers(known, config.max_dns_nameservers));
    }
    if routes.len() > config.max_subnet_host_routes {
        return Err(SubnetFault::TooManyHostRoutes(known, config.max_subnet_host_routes));
    }
    Ok(())
}

/// A gateway outside the prefix cannot be judged and is taken; inside it must be an address that a host can have. In /31 and /32 no
/// address is left for a gateway that is not the network's or the broadcast address.
fn check_gateway(subnet: &Subnet) -> Result<(), SubnetFault> {
    let Some(gateway) = subnet.gateway_ip else { return Ok(()) };
    let IpNet::V4(net) = subnet.cidr else { return Ok(()) };
    if gateway != first_address(&subnet.cidr) && gateway != last_address(&subnet.cidr) {
        return Ok(());
    }
    if net.prefix_len() < 31 { invalid("Gateway is not valid on subnet") } else { Err(SubnetFault::GatewayAtEnd(gateway, subnet.cidr)) }
}

/// The pools that a request gives, with the gateway there is.
pub(super) fn check_pools(subnet: &Subnet) -> Result<(), SubnetFault> {
    let (low, high) = usable(&subnet.cidr);
    for pool in &subnet.allocation_pools {
        if Family::of(&pool.start) != subnet.family() || Family::of(&pool.end) != subnet.family() || pool.end < pool.start {
            return Err(SubnetFault::InvalidPool(*pool));
        }
        if pool.start < low || pool.end > high {
            return Err(SubnetFault::OutOfBoundsPool(*pool, subnet.cidr));
        }
    }
    if let Some(pair) = subnet.allocation_pools.windows(2).find(|pair| pair[1].start <= pair[0].end) {
        return Err(SubnetFault::OverlappingPools(pair[0], pair[1], subnet.cidr));
    }
    let Some(gateway) = subnet.gateway_ip else { return Ok(()) };
    match subnet.allocation_pools.iter().find(|pool| (pool.start..=pool.end).contains(&gateway)) {
        Some(pool) => Err(SubnetFault::GatewayInPool(gateway, *pool)),
        None => Ok(()),
    }
}

/// The addresses that hosts may have: in IPv4 without network and broadcast address, unless the prefix is /31 or /32 (RFC 3021); in IPv6
/// without the subnet-router anycast address.
fn usable(cidr: &IpNet) -> (IpAddr, IpAddr) {
    let (first, last) = (first_address(cidr), last_address(cidr));
    match cidr {
        IpNet::V4(net) if net.prefix_len() < 31 => {
            let before = |address: IpAddr| match address {
                IpAddr::V4(a) => IpAddr::V4(std::net::Ipv4Addr::from(u32::from(a).saturating_sub(1))),
                v6 @ IpAddr::V6(_) => v6,
            };
            (offset(&first, 1).expect("a prefix of more than two addresses"), before(last))
        }
        IpNet::V6(_) => (offset(&first, 1).filter(|second| *second <= last).unwrap_or(first), last),
        IpNet::V4(_) => (first, last),
    }
}

/// The gateway of a subnet that does not say: in IPv4 the first host, in IPv6 the subnet-router anycast address. In the shortest IPv4
/// subnets that is not one of the hosts.
pub(super) fn default_gateway(cidr: &IpNet) -> IpAddr {
    let first = first_address(cidr);
    match cidr {
        IpNet::V4(_) => offset(&first, 1).unwrap_or(first),
        IpNet::V6(_) => first,
    }
}

/// The pools of a subnet that does not say: all usable addresses but the gateway.
pub(super) fn default_pools(cidr: &IpNet, gateway: Option<IpAddr>) -> Vec<AllocationPool> {
    let (start, end) = usable(cidr);
    let Some(gateway) = gateway.filter(|gateway| (start..=end).contains(gateway) && start != end) else {
        return vec![AllocationPool { start, end }];
    };
    let before = previous(gateway).filter(|before| *before >= start && gateway > start);
    let after = offset(&gateway, 1).filter(|after| *after <= end);
    let low = before.map(|end| AllocationPool { start, end });
    let high = after.map(|start| AllocationPool { start, end });
    low.into_iter().chain(high).collect()
}

fn previous(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(a) => u32::from(a).checked_sub(1).map(|n| IpAddr::V4(n.into())),
        IpAddr::V6(a) => u128::from(a).checked_sub(1).map(|n| IpAddr::V6(n.into())),
    }
}
