//! `metering/metering-label-rules`: what a label counts.

use crate::label;
use api::{Attribute, Cell, CellOf, Concerning, Fault, Fields, Invalid, Kind, Narrow, Op, Resource, python, schema};
use model::{Direction, MeteringLabel, MeteringLabelRule};
use net::{IpNet, MeteringLabelId, MeteringLabelRuleId};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// The resource. A rule is not changed once it is made.
pub fn resource() -> Resource<MeteringLabelRule> {
    let not_found = |id: &str| format!("Metering label rule '{id}' does not exist.");
    Resource {
        prefix: "metering",
        extension: Some("metering"),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(create),
        delete: Some(delete),
        narrow: vec![("metering_label_id", Narrow::Id(MeteringLabelRule::BY_LABEL))],
        concerning: Some(Concerning::Own(MeteringLabelRule::BY_PROJECT)),
        ..Resource::new("metering_label_rule", "metering_label_rules", "MeteringLabelRuleNotFound", not_found)
    }
}

/// A prefix or address, host bits and all, or null; empty is null.
const PREFIX: Kind = Kind::Special { name: "prefix_or_null", check: prefix, form: || schema::nullable(schema::cidr()) };

fn prefix(value: Value) -> Result<Value, Invalid> {
    if value.is_null() || value == "" {
        return Ok(Value::Null);
    }
    let text = value.as_str().unwrap_or_default();
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let invalid = || Invalid::Reason(format!("'{}' is not a valid IP subnet", python::text(&value)));
    net.map(|net| net.to_string().into()).ok_or_else(invalid)
}

type A = Attribute<MeteringLabelRule>;

fn attributes() -> Vec<A> {
    let prefix = |name, cell: CellOf<MeteringLabelRule>| A::new(name, PREFIX, cell).post_or(Value::Null).filter().sort();
    let fields = "metering_source_and_destination_fields";
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().hidden(),
        A::new("metering_label_id", Kind::Uuid, |v| Cell::Uuid(v.record.metering_label_id.0)).required().filter().sort(),
        A::new("direction", Kind::Word(&["ingress", "egress"]), |v| Cell::Str(v.record.direction.as_str())).required().filter().sort(),
        A::new("excluded", Kind::Bool, |v| Cell::Bool(v.record.excluded)).post_or(false).filter().sort(),
        prefix("remote_ip_prefix", |v| Cell::optional(v.record.remote_ip_prefix, Cell::Net)),
        prefix("source_ip_prefix", |v| Cell::optional(v.record.source_ip_prefix, Cell::Net)).of(fields),
        prefix("destination_ip_prefix", |v| Cell::optional(v.record.destination_ip_prefix, Cell::Net)).of(fields),
    ]
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<MeteringLabelRuleId, Fault> {
    let label_id: MeteringLabelId = fields.typed("metering_label_id").expect("a required attribute");
    let prefix = |name: &str| fields.typed::<Option<IpNet>>(name).flatten();
    let (remote, source, destination) = (prefix("remote_ip_prefix"), prefix("source_ip_prefix"), prefix("destination_ip_prefix"));
    check_prefixes(remote, source, destination)?;
    // Whoever may not change a label does not add to it either.
    let may = |label: &Arc<MeteringLabel>| op.caller.is_admin || op.caller.owns(label.project_id.as_str());
    let label = op.tx.get::<MeteringLabel>(&label_id).filter(|label| may(label)).ok_or_else(|| label::missing(label_id))?;
    let project_id = label.project_id.clone();
    let id = MeteringLabelRuleId(op.tx.context.uuid());
    let rule = MeteringLabelRule {
        id,
        project_id,
        metering_label_id: label_id,
        direction: fields.typed::<Direction>("direction").expect("a required attribute"),
        excluded: fields.bool("excluded").unwrap_or(false),
        remote_ip_prefix: remote,
        source_ip_prefix: source,
        destination_ip_prefix: destination,
    };
    check_overlap(op, &rule)?;
    op.tx.put(rule);
    Ok(id)
}

/// Either the other side, or where packets come from and go.
fn check_prefixes(remote: Option<IpNet>, source: Option<IpNet>, destination: Option<IpNet>) -> Result<(), Fault> {
    let message = match (remote, source.or(destination)) {
        (Some(_), Some(_)) => "Cannot use 'remote-ip-prefix' in conjunction with 'source-ip-prefix' or 'destination-ip-prefix'.",
        (None, None) => {
            "You must define at least one of the following parameters 'remote_ip_prefix', or 'source_ip_prefix' or \
             'destination_ip_prefix'."
        }
        _ => return Ok(()),
    };
    Err(Fault::new(400, "Invalid", message))
}

/// Two rules for the same other side would count twice.
fn check_overlap(op: &Op<'_>, new: &MeteringLabelRule) -> Result<(), Fault> {
    let Some(prefix) = new.remote_ip_prefix else { return Ok(()) };
    let meets = |other: IpNet| other.contains(&prefix.network()) || prefix.contains(&other.network());
    let mut others = op.tx.table::<MeteringLabelRule>().by(MeteringLabelRule::BY_LABEL, new.metering_label_id);
    let overlaps =
        others.any(|other| (other.direction, other.excluded) == (new.direction, new.excluded) && other.remote_ip_prefix.is_some_and(meets));
    let message = || format!("Metering label rule with remote_ip_prefix '{prefix}' overlaps another.");
    if overlaps { Err(Fault::new(409, "MeteringLabelRuleOverlaps", message())) } else { Ok(()) }
}

fn delete(op: &mut Op<'_>, rule: &Arc<MeteringLabelRule>) -> Result<(), Fault> {
    op.tx.remove::<MeteringLabelRule>(&rule.id);
    Ok(())
}
