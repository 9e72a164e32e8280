//! What a host is told: the contract between server and agent, one file for each feature.
//!
//! The server projects the world to **units** ([`Unit`]), each with a key of its own, small enough that a change of one port is one
//! unit and not a network. A host gets only the units that concern it. Units travel as JSON in the protobuf
//! envelope of [`wire`]; a reader ignores what it does not know and takes defaults for what is missing, so that servers and
//! agents of neighbouring versions understand each other.
//!
//! What is deliberately absent: how units are chosen (`dispatch`) and what a host makes of them (the compile crates).

mod dhcp;
mod metadata;
mod network;
mod port;
mod router;
mod security_group;
mod unit;
/// The protobuf envelope, generated from `proto/neutrino.proto` with `tonic-prost-build` and committed, so that no build needs protoc.
#[rustfmt::skip]
#[allow(missing_docs, clippy::all, unused_qualifications, clippy::unwrap_used)]
pub mod wire;

pub use dhcp::{DhcpHost, DhcpNetwork, DhcpOption, DhcpSubnet, Ipv6Dhcp, Route};
pub use metadata::{METADATA_V4, METADATA_V6, MetadataClient, metadata_v4, metadata_v6};
pub use network::{Carrier, NetworkIntent, RemotePort};
pub use port::{AllowedAddress, PortIntent};
pub use router::{
    ConntrackHelperIntent, FloatingIpIntent, FurtherGateway, NdpProxyIntent, PortForwardingIntent, RaMode, RouterIntent, RouterPort,
    RouterSubnet, Scopes,
};
pub use security_group::{AddressGroupIntent, Direction, GroupMember, GroupRule, Remote, SecurityGroupIntent, Transport};
pub use unit::{DecodeError, Unit, UnitId};
