//! The Linux bridge dataplane: a bridge for each network, instances' taps as its ports, VXLAN and VLAN devices between hosts, and
//! security groups in nftables.
//!
//! [`pipeline`] says how a frame passes the filter: read it first. Intents become these program units:
//!
//! | unit | what it owns |
//! |---|---|
//! | `filter/host` | the nft tables, their base chains, shared chains and sets |
//! | `cuts/host` | while connections that a change has cut are looked for: the chain that finds those that say something |
//! | `network/<network>` | the bridge `brq…` and its uplink (`vxlan-<vni>`, `<physical link>.<tag>` or the physical link) |
//! | `remote/<network>/<port>` | forwarding and neighbour entries of a port on another host |
//! | `group/<group>` | the chains of a security group's rules |
//! | `members/<group>` | the address sets of a group that rules name as remote |
//! | `addresses/<address group>` | the address sets of an address group that rules name |
//! | `port/<port>` | a port's place in the bridge, its chains and its elements in the shared sets |
//!
//! So a changed rule is one chain written anew, a changed member one set element, a plugged port some elements, two
//! short chains and one change of its link. Everything here is pure; deliberately absent: who makes the taps (Nova, the
//! instance command, the DHCP role).

mod compile;
mod concern;
mod cuts;
mod name;
pub mod pipeline;
#[cfg(test)]
mod tests;

use agent::{Allocations, Compile, Compiled, Cut, Facts, Intents};
use dataplane::UnitKey;
use intent::wire::Role;
use intent::{Unit, UnitId};
use std::collections::BTreeSet;

pub use name::{bridge, vlan, vxlan};

/// The role's compiler.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinuxBridge;

impl Compile for LinuxBridge {
    fn name(&self) -> &'static str {
        "linuxbridge"
    }

    fn role(&self, intents: &Intents, facts: &Facts) -> Role {
        let devices = intents.ports().filter(|port| facts.devices.contains(&port.device)).count();
        let configurations = serde_json::json!({
            "bridge_mappings": {},
            "interface_mappings": facts.physical_networks,
            "tunneling_ip": facts.local_ip,
            "tunnel_types": if facts.local_ip.is_some() { vec!["vxlan"] } else { vec![] },
            "l2_population": true,
            "devices": devices,
            "extensions": [],
        });
        Role {
            agent_type: "Linux bridge agent".to_owned(),
            binary: "neutron-linuxbridge-agent".to_owned(),
            topic: "N/A".to_owned(),
            configurations: configurations.to_string(),
            availability_zone: String::new(),
            enforces: vec![],
        }
    }

    fn allocate(&self, changed: &UnitId, intents: &Intents, allocations: &mut Allocations) {
        let (space, owner, last) = match changed {
            UnitId::Network(network) => (pipeline::ZONES, network.to_string(), u32::from(u16::MAX)),
            UnitId::Port(port) => (pipeline::MARKS, port.to_string(), pipeline::LAST_PORT_MARK),
            _ => return,
        };
        if intents.get(changed).is_some() {
            // A full space is complained about by whoever finds no number.
            let _ = allocations.give(space, &owner, last);
        } else {
            allocations.release(space, &owner);
        }
    }

    fn units(&self, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
        let mut units = concern::units(intents);
        if !facts.cuts.is_empty() {
            units.extend(self.cut_units());
        }
        units
    }

    fn concerned(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
        concern::concerned(changed, before, intents, facts)
    }

    fn device_changed(&self, device: &str, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
        concern::device_changed(device, intents, facts)
    }

    fn compile(&self, unit: &UnitKey, intents: &Intents, facts: &Facts) -> Compiled {
        compile::compile(unit, intents, facts)
    }

    fn cut_units(&self) -> BTreeSet<UnitKey> {
        [name::cuts_unit()].into()
    }

    fn cuts_of_number(&self, space: &str, number: u32) -> Vec<Cut> {
        cuts::of_number(space, number)
    }

    fn cuts(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> Vec<Cut> {
        cuts::cuts(changed, before, intents, facts)
    }
}
