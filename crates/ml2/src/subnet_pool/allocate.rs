//! Finding a prefix for a subnet.
//!
//! The subnets of a pool are walked in the order of their prefixes, and the gaps between them looked at: of all blocks that are free the
//! smallest that is large enough is taken, the first of several. A block of just the size that is wanted ends the walk.

use super::prefixes::covers;
use super::{PoolFault, in_use_from};
use model::{Subnet, SubnetPool};
use net::{Family, IpNet, ProjectId, address, first_address, last_address, number};
use std::sync::Arc;
use world::{Key, World};

/// What a subnet asks of a pool.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// Any prefix of this length; none: of the pool's default length.
    Length(Option<u8>),
    /// This one.
    Prefix(IpNet),
}

/// A prefix for a subnet of a project.
pub(crate) fn allocate(world: &World, pool: &SubnetPool, project: &ProjectId, wanted: Wanted) -> Result<IpNet, PoolFault> {
    let length = match wanted {
        Wanted::Length(length) => length.unwrap_or(pool.default_prefixlen),
        Wanted::Prefix(prefix) => prefix.prefix_len(),
    };
    if length > pool.max_prefixlen {
        return Err(PoolFault::TooLong(length, pool.max_prefixlen));
    }
    if length < pool.min_prefixlen {
        return Err(PoolFault::TooShort(length, pool.min_prefixlen));
    }
    check_quota(world, pool, project, length)?;
    match wanted {
        Wanted::Length(_) => any(world, pool, length).ok_or(PoolFault::Exhausted(length)),
        Wanted::Prefix(prefix) if covers(&pool.prefixes, &prefix) && is_free(world, pool, &prefix) => Ok(prefix),
        Wanted::Prefix(_) => Err(PoolFault::NotFree),
    }
}

/// What a project has of a pool is counted in addresses of IPv4, in prefixes of 64 bits of IPv6.
fn check_quota(world: &World, pool: &SubnetPool, project: &ProjectId, length: u8) -> Result<(), PoolFault> {
    let Some(quota) = pool.default_quota.filter(|quota| *quota > 0) else { return Ok(()) };
    let unit = match pool.family() {
        Family::V4 => 32,
        Family::V6 => 64,
    };
    // Longer IPv6 prefixes are parts of a unit: in 2^64ths, nothing is lost.
    let parts = |length: u8| 1_u128.checked_shl(u32::from(64 + unit - length.min(64 + unit))).unwrap_or(u128::MAX);
    let own = world.table::<Subnet>().by(Subnet::BY_PROJECT, project).filter(|subnet| subnet.subnetpool_id == Some(pool.id));
    let used = own.fold(parts(length), |sum, subnet| sum.saturating_add(parts(subnet.cidr.prefix_len())));
    if used > u128::from(quota) << 64 { Err(PoolFault::OverQuota) } else { Ok(()) }
}

/// True when no subnet of the pool has an address in common with the prefix.
fn is_free(world: &World, pool: &SubnetPool, prefix: &IpNet) -> bool {
    let subnets = world.table::<Subnet>();
    let contains_it = |length: u8| {
        let Ok(around) = IpNet::new(first_address(prefix), length) else { return false };
        let mut there = subnets.by(Subnet::BY_POOL, Key::Address(pool.id.0, around.network()));
        there.any(|subnet| subnet.cidr.prefix_len() <= length && subnet.cidr.contains(prefix))
    };
    let next = in_use_from(world, pool.id, first_address(prefix)).next();
    !next.is_some_and(|subnet| first_address(&subnet.cidr) <= last_address(prefix) && same_family(subnet, prefix))
        && !(0..=prefix.prefix_len()).any(contains_it)
}

fn same_family(subnet: &Arc<Subnet>, prefix: &IpNet) -> bool {
    subnet.family() == Family::of_net(prefix)
}

fn any(world: &World, pool: &SubnetPool, length: u8) -> Option<IpNet> {
    let mut search = Search { bits: pool.family().bits(), length, best: None };
    for prefix in pool.prefixes.iter().filter(|prefix| prefix.prefix_len() <= length) {
        let end = number(&last_address(prefix));
        let mut free = Some(number(&first_address(prefix)));
        for subnet in in_use_from(world, pool.id, first_address(prefix)) {
            let (first, last) = (number(&first_address(&subnet.cidr)), number(&last_address(&subnet.cidr)));
            let Some(from) = free.filter(|_| first <= end) else { break };
            if first > from {
                search.gap(from, first - 1);
            }
            if search.is_over() {
                break;
            }
            free = last.checked_add(1);
        }
        if let Some(from) = free.filter(|from| *from <= end && !search.is_over()) {
            search.gap(from, end);
        }
    }
    let (_, first) = search.best?;
    IpNet::new(address(pool.family(), first)?, length).ok()
}

/// The best block so far: its prefix length and first address.
struct Search {
    bits: u8,
    length: u8,
    best: Option<(u8, u128)>,
}

impl Search {
    /// Looks at the blocks of free addresses, both ends included.
    fn gap(&mut self, mut low: u128, high: u128) {
        while !self.is_over() {
            let size = self.block(low, high);
            let length = self.bits - size;
            if length <= self.length && self.best.is_none_or(|(best, _)| length > best) {
                self.best = Some((length, low));
            }
            match 1_u128.checked_shl(u32::from(size)).and_then(|size| low.checked_add(size)) {
                Some(next) if next <= high => low = next,
                _ => return,
            }
        }
    }

    /// How many bits of address the largest block has that begins here and ends in the gap.
    fn block(&self, low: u128, high: u128) -> u8 {
        let aligned = u8::try_from(low.trailing_zeros()).unwrap_or(u8::MAX).min(self.bits);
        let fits = (high - low).checked_add(1).map_or(128, |size| 127 - u8::try_from(size.leading_zeros()).unwrap_or(127));
        aligned.min(fits)
    }

    fn is_over(&self) -> bool {
        self.best.is_some_and(|(length, _)| length == self.length)
    }
}
