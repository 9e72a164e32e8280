//! Trunks as ports see them.

use crate::TrunkFault;
use api::{Addition, Attribute, Cell, Fault, Kind, Op, View};
use model::{Port, SubPort, Trunk};
use net::{Mac, TrunkId};
use serde::Serialize;

/// For ports: `trunk_details` of parents. Ports of trunks stay.
pub fn of_port() -> Addition<Port> {
    let details = Attribute::new("trunk_details", Kind::ObjectOrNull, details).of("trunk-details");
    Addition::new(vec![details]).before_delete(before_delete)
}

#[derive(Serialize)]
struct Details {
    trunk_id: TrunkId,
    sub_ports: Vec<Detail>,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    sub_port: SubPort,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac_address: Option<Mac>,
}

fn details<'a>(view: &View<'a, Port>) -> Cell<'a> {
    let Some(trunk) = view.world.table::<Trunk>().by(Trunk::BY_PORT, view.record.id).next() else { return Cell::Absent };
    let mac = |sub_port: &SubPort| view.world.get::<Port>(&sub_port.port_id).map(|port| port.mac_address);
    let detail = |sub_port: &SubPort| Detail { sub_port: *sub_port, mac_address: mac(sub_port) };
    Cell::made(Details { trunk_id: trunk.id, sub_ports: trunk.sub_ports.iter().map(detail).collect() })
}

fn before_delete(op: &mut Op<'_>, port: &Port) -> Result<(), Fault> {
    let trunks = op.tx.table::<Trunk>();
    if let Some(trunk) = trunks.ids(Trunk::BY_SUB_PORT, port.id).next() {
        return Err(TrunkFault::DeleteSubPort(port.id, *trunk).into());
    }
    match trunks.ids(Trunk::BY_PORT, port.id).next() {
        Some(trunk) => Err(TrunkFault::DeleteParent(port.id, *trunk).into()),
        None => Ok(()),
    }
}
