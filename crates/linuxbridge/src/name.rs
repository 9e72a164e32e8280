//! Names on the host. Those of links are Neutron's and part of the interface to operators and Nova.

use dataplane::{Name, UnitKey};
use net::{AddressGroupId, NetworkId, PortId, SecurityGroupId, VlanId, Vni};
use sha1_smol::Sha1;
use smol_str::format_smolstr;

/// The bridge of a network: `brq<first 11 characters of its id>`.
pub fn bridge(network: NetworkId) -> Name {
    format_smolstr!("brq{}", network.short())
}

/// The VXLAN device of a network: `vxlan-<vni>`.
pub fn vxlan(vni: Vni) -> Name {
    format_smolstr!("vxlan-{vni}")
}

/// What is left of a link's name for the kernel beside the longest tag, `.4094`.
const BEFORE_TAG: usize = 10;

/// The VLAN device of a network: `<physical link>.<tag>`. Of a link whose name is too long its beginning and six digits of its SHA-1.
pub fn vlan(link: &str, id: VlanId) -> Name {
    if link.len() <= BEFORE_TAG {
        return format_smolstr!("{link}.{id}");
    }
    let digest = Sha1::from(link).digest().to_string();
    let beginning: String = link.chars().take(BEFORE_TAG - 6).collect();
    format_smolstr!("{beginning}{}.{id}", &digest[..6])
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

pub(crate) fn cuts_unit() -> UnitKey {
    UnitKey::new("cuts", "host")
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
