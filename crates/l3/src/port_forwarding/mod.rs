//! `floatingips/{id}/port_forwardings`: ports of a floating IP that lead to ports inside.

use api::Op;
use model::{FloatingIp, ForwardedProtocol, PortForwarding};
use net::{PortForwardingId, PortId};
use serde::Serialize;
use std::net::Ipv4Addr;

/// A port forwarding as its floating IP shows it.
#[derive(Serialize)]
pub(crate) struct Embedded {
    id: PortForwardingId,
    protocol: ForwardedProtocol,
    internal_ip_address: Ipv4Addr,
    internal_port_id: PortId,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_port: Option<u16>,
    internal_port_range: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_port: Option<u16>,
    external_port_range: String,
}

/// A range as clients write it; a single one is both ends.
fn range((first, last): (u16, u16)) -> String {
    format!("{first}:{last}")
}

/// The port of a range that is one.
fn single((first, last): (u16, u16)) -> Option<u16> {
    (first == last).then_some(first)
}

pub(crate) fn embedded(forwarding: &PortForwarding) -> Embedded {
    Embedded {
        id: forwarding.id,
        protocol: forwarding.protocol,
        internal_ip_address: forwarding.internal_ip_address,
        internal_port_id: forwarding.internal_port_id,
        internal_port: single(forwarding.internal_ports),
        internal_port_range: range(forwarding.internal_ports),
        external_port: single(forwarding.external_ports),
        external_port_range: range(forwarding.external_ports),
    }
}

/// Removes it; a floating IP without any is free again.
pub(crate) fn remove(op: &mut Op<'_>, id: PortForwardingId) {
    let Some(forwarding) = op.tx.remove::<PortForwarding>(&id) else { return };
    let is_last = !op.tx.table::<PortForwarding>().has(PortForwarding::BY_FLOATING_IP, forwarding.floatingip_id);
    let now = op.tx.context.now;
    op.tx.update::<FloatingIp>(&forwarding.floatingip_id, |floating_ip| {
        if is_last && floating_ip.port_id.is_none() {
            floating_ip.router_id = None;
            floating_ip.status = model::FloatingIpStatus::Down;
        }
        floating_ip.standard.touch(now);
    });
}
