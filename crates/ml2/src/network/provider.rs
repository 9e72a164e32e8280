//! How a network is carried: provider attributes, segments and the MTU that follows from them.

use super::NetworkFault;
use crate::Config;
use crate::drivers::{Carried, type_driver};
use api::{Fault, Fields, Op};
use model::{Network, NetworkType, Segment, Standard};
use net::{Family, NetworkId, ProjectId, SegmentId};
use serde_json::{Map, Value};
use smol_str::SmolStr;

pub(crate) const TYPE: &str = "provider:network_type";
pub(crate) const PHYSICAL: &str = "provider:physical_network";
pub(crate) const SEGMENTATION: &str = "provider:segmentation_id";

/// True when the request says anything about how the network is carried.
fn is_specified(fields: &Fields) -> bool {
    [TYPE, PHYSICAL, SEGMENTATION].iter().any(|name| fields.get(name).is_some_and(|value| !value.is_null()))
}

/// How a network is carried is decided when it is made, but for the number of a VLAN; see [`renumbered`].
pub(super) fn check_carrier(fields: &Fields) -> Result<(), NetworkFault> {
    if fields.has(TYPE) || fields.has(PHYSICAL) {
        return Err(NetworkFault::CarrierFixed);
    }
    if fields.has("segments") {
        return Err(NetworkFault::SegmentsFixed);
    }
    Ok(())
}

/// The segments of a network whose VLAN is to get another id; none when nothing of the kind was asked for.
pub(super) fn renumbered(op: &mut Op<'_>, network: &Network, fields: &Fields) -> Result<Option<Vec<Segment>>, Fault> {
    let Some(id) = fields.int(SEGMENTATION).filter(|id| *id != 0) else { return Ok(None) };
    let [segment] = network.segments.as_slice() else { return Err(NetworkFault::SeveralSegments.into()) };
    let Some(driver) = type_driver(segment.network_type).filter(|driver| driver.network_type() == NetworkType::Vlan) else {
        return Err(NetworkFault::ProviderFixed.into());
    };
    let asked =
        Carried { physical_network: segment.physical_network.clone(), segmentation_id: Some(u32::try_from(id).unwrap_or(u32::MAX)) };
    let (world, config) = (op.tx.world().clone(), op.settings.get::<Config>());
    let carried = driver.reserve(&world, config, &mut op.tx.context.rng, &network.project_id, &asked)?;
    let mut new = Segment { segmentation_id: carried.segmentation_id, ..segment.clone() };
    new.standard.touch(op.tx.context.now);
    Ok(Some(vec![new]))
}

/// The segments that a new network is to have, each as it would be asked for alone; at least one.
pub(super) fn asked_segments(fields: &Fields) -> Result<Vec<Fields>, NetworkFault> {
    let several: Vec<Map<String, Value>> = fields.typed("segments").unwrap_or_default();
    if several.is_empty() {
        return Ok(vec![fields.clone()]);
    }
    if is_specified(fields) {
        return Err(NetworkFault::SegmentsAndProvider);
    }
    if several.iter().any(|segment| segment.get(TYPE).is_none_or(Value::is_null)) {
        return Err(NetworkFault::TypeRequired);
    }
    let twice = |at: usize| several[..at].contains(&several[at]) && several[at].get(SEGMENTATION).is_some_and(|id| !id.is_null());
    if (0..several.len()).any(twice) {
        return Err(NetworkFault::SegmentTwice);
    }
    Ok(several.into_iter().map(Fields::new).collect())
}

/// The segment of a new network: what an administrator asked for, or what is free of the configured types.
pub(crate) fn segment(op: &mut Op<'_>, project: &ProjectId, fields: &Fields) -> Result<Segment, Fault> {
    let config = op.settings.get::<Config>();
    let world = op.tx.world().clone();
    let rng = &mut op.tx.context.rng;
    let (network_type, carried) = if is_specified(fields) {
        let word = fields.text(TYPE).ok_or(NetworkFault::TypeRequired)?;
        let unknown = || NetworkFault::UnknownType(word.to_string());
        let network_type = NetworkType::from_word(&word).ok_or_else(unknown)?;
        let driver = type_driver(network_type).ok_or_else(unknown)?;
        (network_type, driver.reserve(&world, config, rng, project, &asked(fields, network_type)?)?)
    } else {
        let types = config.project_network_types.iter();
        let mut free = types.filter_map(|t| Some((*t, type_driver(*t)?.allocate(&world, config, rng, project)?)));
        free.next().ok_or(NetworkFault::NoSegment)?
    };
    let id = SegmentId(op.tx.context.uuid());
    let standard = Standard::new(op.tx.context.now, SmolStr::default());
    let Carried { physical_network, segmentation_id } = carried;
    Ok(Segment { id, network_type, physical_network, segmentation_id, name: None, standard })
}

fn asked(fields: &Fields, network_type: NetworkType) -> Result<Carried, Fault> {
    let number = fields.int(SEGMENTATION);
    let of_any_driver = |n: i64| match u32::try_from(n) {
        Ok(number) => Ok(number),
        // Its driver says what VLANs there are.
        Err(_) if network_type == NetworkType::Vlan => Ok(u32::MAX),
        Err(_) => Err(Fault::invalid_input(format_args!("segmentation_id {n} out of range"))),
    };
    let segmentation_id = number.map(of_any_driver).transpose()?;
    Ok(Carried { physical_network: fields.text(PHYSICAL), segmentation_id })
}

/// The largest MTU that all segments carry, in bytes.
pub fn maximum_mtu(config: &Config, segments: &[Segment]) -> u32 {
    let of = |segment: &Segment| Some(type_driver(segment.network_type)?.mtu(config, segment.physical_network.as_deref()));
    segments.iter().filter_map(of).min().unwrap_or(config.global_physnet_mtu)
}

/// The network's MTU in bytes: what was asked for, or the largest that it carries.
pub fn effective_mtu(config: &Config, network: &Network) -> u32 {
    network.mtu.unwrap_or_else(|| maximum_mtu(config, &network.segments))
}

/// Refuses an MTU that is too big for the segments.
pub(crate) fn check_maximum(config: &Config, segments: &[Segment], mtu: u32) -> Result<(), NetworkFault> {
    let maximum = maximum_mtu(config, segments);
    if mtu > maximum { Err(NetworkFault::MtuTooBig(maximum)) } else { Ok(()) }
}

/// Refuses an MTU with which a family does not work (RFC 791, RFC 8200).
pub(crate) fn check_minimum(network: NetworkId, mtu: u32, families: impl Iterator<Item = Family>) -> Result<(), NetworkFault> {
    let needed = families.map(|family| match family {
        Family::V4 => 68,
        Family::V6 => 1280,
    });
    match needed.filter(|minimum| mtu < *minimum).min() {
        Some(minimum) => Err(NetworkFault::MtuTooSmall(network, minimum)),
        None => Ok(()),
    }
}
