//! Allocation against what set arithmetic says is free.

use super::prefixes::{compact, covers, difference};
use super::{PoolFault, Wanted, allocate};
use crate::testing::Lab;
use model::{Standard, Subnet, SubnetPool};
use net::{Family, IpNet, NetworkId, ProjectId, SubnetId, SubnetPoolId, Timestamp, address};
use proptest::prelude::*;
use smol_str::SmolStr;
use uuid::Uuid;

fn pool(prefixes: &[IpNet]) -> SubnetPool {
    SubnetPool {
        id: SubnetPoolId(Uuid::from_u128(1)),
        project_id: ProjectId::from("p1"),
        name: "p".into(),
        prefixes: compact(prefixes),
        default_prefixlen: 26,
        min_prefixlen: 0,
        max_prefixlen: prefixes.first().map_or(32, |prefix| prefix.max_prefix_len()),
        default_quota: None,
        is_default: false,
        address_scope_id: None,
        standard: Standard::default(),
    }
}

fn subnet(pool: &SubnetPool, cidr: IpNet, number: u128) -> Subnet {
    Subnet {
        service_types: vec![],
        dns_publish_fixed_ip: false,
        segment_id: None,
        id: SubnetId(Uuid::from_u128(number)),
        project_id: ProjectId::from("p1"),
        network_id: NetworkId(Uuid::from_u128(2)),
        name: SmolStr::default(),
        cidr,
        subnetpool_id: Some(pool.id),
        delegated: false,
        gateway_ip: None,
        allocation_pools: Vec::new(),
        enable_dhcp: false,
        dns_nameservers: Vec::new(),
        host_routes: Vec::new(),
        ipv6_ra_mode: None,
        ipv6_address_mode: None,
        standard: Standard::new(Timestamp(0), SmolStr::default()),
    }
}

fn prefix(n: u128, length: u8) -> IpNet {
    IpNet::new(address(Family::V4, n + (10 << 24)).expect("an address"), length).expect("a length").trunc()
}

/// A subnet's life: it wants a length or a prefix, or one that is there goes.
#[derive(Clone, Debug)]
enum Step {
    Length(u8),
    Prefix(IpNet),
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (25u8..=32).prop_map(Step::Length),
        2 => (0u128..256, 25u8..=32).prop_map(|(n, length)| Step::Prefix(prefix(n, length))),
        2 => (0usize..64).prop_map(Step::Remove),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn what_is_given_is_the_smallest_block_that_is_free(
        given in proptest::collection::vec((0u128..256, 24u8..=30), 1..5),
        steps in steps(),
    ) {
        let mut lab = Lab::new();
        let pool = pool(&given.iter().map(|(n, length)| prefix(*n, *length)).collect::<Vec<_>>());
        let mut there: Vec<Subnet> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let used = compact(&there.iter().map(|subnet| subnet.cidr).collect::<Vec<_>>());
            let free = difference(&pool.prefixes, &used);
            let ask = |wanted| allocate(&lab.world, &pool, &pool.project_id, wanted);
            let given = match step {
                Step::Length(length) => {
                    let fitting = free.iter().filter(|block| block.prefix_len() <= length).map(|block| block.prefix_len()).max();
                    let block = free.iter().find(|block| Some(block.prefix_len()) == fitting);
                    let expected = block.map(|block| IpNet::new(block.network(), length).expect("a length"));
                    prop_assert_eq!(ask(Wanted::Length(Some(length))), expected.ok_or(PoolFault::Exhausted(length)));
                    expected
                }
                Step::Prefix(prefix) => {
                    let expected = covers(&free, &prefix).then_some(prefix);
                    prop_assert_eq!(ask(Wanted::Prefix(prefix)), expected.ok_or(PoolFault::NotFree));
                    expected
                }
                Step::Remove(_) if there.is_empty() => None,
                Step::Remove(at) => {
                    let gone = there.remove(at % there.len());
                    lab.act(|op| op.tx.remove::<Subnet>(&gone.id));
                    None
                }
            };
            if let Some(cidr) = given {
                let made = subnet(&pool, cidr, 10 + number as u128);
                lab.act(|op| op.tx.put(made.clone()));
                there.push(made);
            }
        }
    }
}

#[test]
fn the_ends_of_the_address_space() {
    let all: IpNet = "::/0".parse().expect("a prefix");
    let lab = Lab::new();
    let pool = pool(&[all]);
    let ask = |length| allocate(&lab.world, &pool, &pool.project_id, Wanted::Length(Some(length)));
    assert_eq!(ask(0), Ok(all));
    assert_eq!(ask(128).map(|prefix| prefix.to_string()), Ok("::/128".to_owned()));
    let mut lab = Lab::new();
    for half in ["::/1", "8000::/1"] {
        let taken = allocate(&lab.world, &pool, &pool.project_id, Wanted::Length(Some(1))).expect("free");
        assert_eq!(taken.to_string(), half);
        let number = u128::from(half == "::/1") + 10;
        lab.act(|op| op.tx.put(subnet(&pool, taken, number)));
    }
    assert_eq!(allocate(&lab.world, &pool, &pool.project_id, Wanted::Length(Some(128))), Err(PoolFault::Exhausted(128)));
}

#[test]
fn quotas_count_addresses_and_prefixes_of_64_bits() {
    let ask = |prefix: &str, quota, length| {
        let lab = Lab::new();
        let pool = SubnetPool { default_quota: Some(quota), ..pool(&[prefix.parse().expect("a prefix")]) };
        allocate(&lab.world, &pool, &pool.project_id, Wanted::Length(Some(length))).map(|_| ())
    };
    assert_eq!(ask("10.0.0.0/8", 256, 24), Ok(()));
    assert_eq!(ask("10.0.0.0/8", 255, 24), Err(PoolFault::OverQuota));
    assert_eq!(ask("fd00::/8", 1, 64), Ok(()));
    assert_eq!(ask("fd00::/8", 1, 63), Err(PoolFault::OverQuota));
    assert_eq!(ask("::/0", u64::MAX, 0), Err(PoolFault::OverQuota));
    assert_eq!(ask("10.0.0.0/8", 0, 8), Ok(()), "none");
}
