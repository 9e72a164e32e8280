//! Prefixes that a router is to have delegated for subnets behind it.

use crate::{gateway_link, netns};
use agent::Delegation;
use intent::{RouterIntent, RouterSubnet};

/// One for each such subnet of a router with a gateway, whether or not the router is up: who stops forwarding for a while keeps its prefixes.
pub(crate) fn of(router: &RouterIntent) -> impl Iterator<Item = Delegation> {
    let subnets = router.interfaces.iter().flat_map(|port| &port.subnets).filter(|subnet| subnet.delegated);
    router.gateway.iter().flat_map(move |gateway| {
        let delegation = |subnet: &RouterSubnet| Delegation {
            router: router.id,
            subnet: subnet.id,
            netns: netns(router.id),
            link: gateway_link(gateway.port_id),
            known: (!subnet.is_provisional()).then_some(subnet.cidr),
        };
        subnets.clone().map(delegation)
    })
}
