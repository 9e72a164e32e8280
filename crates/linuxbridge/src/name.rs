//! Names on the host. Those of links are Neutron's and part of the interface to operators and Nova.

use dataplane::{Name, UnitKey};
use net::{AddressGroupId, NetworkId, PortId, SecurityGroupId, Vni};
use smol_str::format_smolstr;

/// The bridge of a network: `brq<first 11 characters of its id>`.
pub fn bridge(network: NetworkId) -> Name {
    format_smolstr!("brq{}", network.short())
}

/// The VXLAN device of a network: `vxlan-<vni>`.
pub fn vxlan(vni: Vni) -> Name {
    format_smolstr!("vxlan-{vni}")
}

/// True for what can be the device of a port: `tap…`, and a link's name for the kernel. Nothing else of the host is touched,
/// whatever the server says.
pub(crate) fn is_tap(name: &str) -> bool {
    let printable = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (4..=15).contains(&name.len()) && name.starts_with("tap") && printable
}

pub(crate) fn filter_unit() -> UnitKey {
    UnitKey::new("filter", "host")
}

pub(crate) fn network_unit(network: NetworkId) -> UnitKey {
    UnitKey::new("network", network)
}

pub(crate) fn remote_unit(network: NetworkId, port: PortId) -> UnitKey {
    UnitKey::new("remote", format_args!("{network}/{port}"))
}

pub(crate) fn group_unit(group: SecurityGroupId) -> UnitKey {
    UnitKey::new("group", group)
}

pub(crate) fn members_unit(group: SecurityGroupId) -> UnitKey {
    UnitKey::new("members", group)
}

pub(crate) fn addresses_unit(group: AddressGroupId) -> UnitKey {
    UnitKey::new("addresses", group)
}

pub(crate) fn port_unit(port: PortId) -> UnitKey {
    UnitKey::new("port", port)
}
