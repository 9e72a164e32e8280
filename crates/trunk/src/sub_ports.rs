//! What a client may say of subports, and which ports can be some.

use crate::{TrunkFault, visible_port};
use api::{Invalid, Kind, Op, python, schema};
use ml2::network::effective_mtu;
use model::{Network, Port, SegmentationType, SubPort, Trunk};
use net::{PortId, TrunkId};
use serde_json::{Map, Value};

/// A list of subports: each with a port, and either both parts of its segmentation or the type `inherit`.
pub(crate) const SUB_PORTS: Kind = Kind::Special { name: "sub_ports", check: list, form };

/// Subports as clients send and answers show them.
pub(crate) fn form() -> Value {
    let members =
        [("port_id", schema::uuid()), ("segmentation_type", schema::word(&["vlan", INHERIT])), ("segmentation_id", schema::range(1, 4094))];
    schema::list(schema::requiring(&["port_id"], members))
}

/// The segmentation is that of the subport's network.
const INHERIT: &str = "inherit";

const VLAN_IDS: std::ops::RangeInclusive<i64> = 1..=4094;

fn refuse<T>(reason: String) -> Result<T, Invalid> {
    Err(Invalid::Reason(reason))
}

fn list(value: Value) -> Result<Value, Invalid> {
    let Value::Array(items) = value else {
        return refuse(format!("Invalid data format for subports: '{}' is not a list", python::text(&value)));
    };
    let mut ports: Vec<Value> = Vec::new();
    let mut segmentations: Vec<(Value, Value)> = Vec::new();
    let mut checked = Vec::with_capacity(items.len());
    for item in items {
        let Value::Object(mut map) = item else {
            return refuse(format!("Invalid data format for subport: '{}' is not a dict", python::text(&item)));
        };
        let Some(port) = map.get("port_id").cloned() else { return refuse("A valid port UUID must be specified".to_owned()) };
        let Ok(port) = Kind::Uuid.check(port.clone()) else {
            return refuse(format!("Invalid UUID for subport: '{}'", python::text(&port)));
        };
        if ports.contains(&port) {
            return refuse(format!("Non unique UUID for subport: '{}'", python::text(&port)));
        }
        segmentation(&map, &port, &mut segmentations)?;
        map.insert("port_id".to_owned(), port.clone());
        ports.push(port);
        checked.push(Value::Object(map));
    }
    Ok(Value::Array(checked))
}

/// Both parts or none; none twice.
fn segmentation(map: &Map<String, Value>, port: &Value, seen: &mut Vec<(Value, Value)>) -> Result<(), Invalid> {
    let part = |name: &str| map.get(name).filter(|value| !value.is_null()).cloned();
    let of_network = part("segmentation_type").is_some_and(|word| word == INHERIT);
    match (part("segmentation_type"), part("segmentation_id")) {
        _ if of_network || map.len() == 1 => Ok(()),
        (Some(word), Some(id)) if word != "" => {
            let pair = (word, id);
            if seen.contains(&pair) {
                return refuse(format!("Segmentation ID '{}' for '{}' is not unique", python::text(&pair.1), python::text(port)));
            }
            seen.push(pair);
            Ok(())
        }
        _ => refuse(missing(map)),
    }
}

fn missing(map: &Map<String, Value>) -> String {
    format!(
        "Invalid subport details '{}': missing segmentation information. Must specify both segmentation_id and segmentation_type",
        python::text(&Value::Object(map.clone()))
    )
}

/// The port that an element of a checked list names.
pub(crate) fn port_id(asked: &Value) -> Option<PortId> {
    asked.get("port_id")?.as_str()?.parse().ok()
}

/// The subports that a checked list asks for, for a trunk with this parent and these subports so far.
pub(crate) fn resolve(op: &Op<'_>, trunk: TrunkId, parent: PortId, there: &[SubPort], asked: &Value) -> Result<Vec<SubPort>, TrunkFault> {
    let mut all = there.to_vec();
    for asked in asked.as_array().into_iter().flatten() {
        let Some(port) = port_id(asked) else { continue };
        if port == parent {
            return Err(TrunkFault::NoParent(port));
        }
        let seen = visible_port(op.tx.world(), op.caller, port);
        if let Ok(port) = &seen {
            check_mtu(op, parent, port)?;
        }
        let (segmentation_type, segmentation_id) = segmentation_of(op, asked, seen.as_ref().ok().map(|port| port.as_ref()))?;
        let world = op.tx.world();
        if world.table::<Trunk>().has(Trunk::BY_SUB_PORT, port) {
            return Err(TrunkFault::IsSubPort(port));
        }
        if world.table::<Trunk>().has(Trunk::BY_PORT, port) {
            return Err(TrunkFault::NoParent(port));
        }
        let seen = seen?;
        if !seen.device_id.is_empty() {
            return Err(TrunkFault::PortInUse(port, seen.network_id, seen.device_id.clone()));
        }
        let new = SubPort { port_id: port, segmentation_type, segmentation_id };
        let same = |other: &SubPort| (other.segmentation_type, other.segmentation_id) == (segmentation_type, segmentation_id);
        if all.iter().any(same) {
            return Err(TrunkFault::duplicate(trunk, &new));
        }
        all.push(new);
    }
    Ok(all)
}

/// What passes a subport must pass its parent.
fn check_mtu(op: &Op<'_>, parent: PortId, port: &Port) -> Result<(), TrunkFault> {
    let mtu = |port: &Port| Some(effective_mtu(op.settings.get(), op.tx.get::<Network>(&port.network_id)?));
    let of_parent = op.tx.get::<Port>(&parent).and_then(|parent| mtu(parent));
    match (mtu(port), of_parent) {
        (Some(mtu), Some(trunk_mtu)) if mtu > trunk_mtu => Err(TrunkFault::Mtu { port: port.id, mtu, trunk_port: parent, trunk_mtu }),
        _ => Ok(()),
    }
}

/// What marks the frames of a subport.
fn segmentation_of(op: &Op<'_>, asked: &Value, port: Option<&Port>) -> Result<(SegmentationType, u16), TrunkFault> {
    let (mut word, mut id) = (asked.get("segmentation_type").cloned(), asked.get("segmentation_id").cloned());
    if word.as_ref().is_some_and(|word| word == INHERIT)
        && let Some(segment) = port.and_then(|port| op.tx.get::<Network>(&port.network_id)?.segments.first())
    {
        word = Some(segment.network_type.as_str().into());
        id = Some(segment.segmentation_id.into());
    }
    let invalid = |reason: String| TrunkFault::Segmentation(reason);
    let (Some(word), Some(id)) = (word, id) else {
        return Err(invalid(missing(asked.as_object().unwrap_or(&Map::new()))));
    };
    let not_a_number = || invalid(format!("Invalid subport details: segmentation_id '{}' is not an integer", python::text(&id)));
    let number = Kind::Int.check(id.clone()).map_err(|_| not_a_number())?.as_i64().unwrap_or_default();
    let known = word.as_str().and_then(SegmentationType::from_word);
    let segmentation_type = known.ok_or_else(|| invalid(format!("Unknown segmentation_type '{}'", python::text(&word))))?;
    let in_range = u16::try_from(number).ok().filter(|id| VLAN_IDS.contains(&i64::from(*id)));
    let segmentation_id = in_range.ok_or_else(|| invalid(format!("Segmentation ID '{number}' is not in range")))?;
    Ok((segmentation_type, segmentation_id))
}
