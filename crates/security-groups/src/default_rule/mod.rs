//! `default_security_group_rules`: what new groups start with (extension `security-groups-default-rules`).

mod fault;
mod ops;

pub use fault::DefaultRuleFault;

use crate::rule::{ETHERTYPE, JUDGED, number, text};
use crate::template::{are_seeded, seed};
use api::{Attribute, Cell, Kind, Prepare, Resource};
use model::DefaultSecurityGroupRule;
use serde_json::Value;

/// As which group a rule names the new group itself.
const PARENT: &str = "PARENT";

/// The resource. It has no update: a rule is immutable.
pub fn resource() -> Resource<DefaultSecurityGroupRule> {
    let not_found = |id: &str| format!("Default Security Group rule {id} does not exist");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        delete: Some(ops::delete),
        prepare: Some(Prepare {
            needed: |world, _| !are_seeded(world),
            run: |op, _| {
                seed(op);
                Ok(())
            },
        }),
        ..Resource::new("default_security_group_rule", "default_security_group_rules", "DefaultSecurityGroupRuleNotFound", not_found)
    }
}

type A = Attribute<DefaultSecurityGroupRule>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |_| Cell::Null).post().hidden(),
        A::new("description", Kind::Text(1024), |v| Cell::Str(&v.record.standard.description)).post_or("").filter(),
        A::new("remote_group_id", JUDGED, remote_group).post_or(Value::Null).filter().sort(),
        A::new("remote_address_group_id", Kind::UuidOrNull, |v| Cell::optional(v.record.remote_address_group_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .filter()
            .sort(),
        A::new("direction", Kind::Word(&["ingress", "egress"]), |v| Cell::Str(v.record.direction.as_str())).required().filter().sort(),
        A::new("protocol", JUDGED, |v| text(v.record.protocol.as_deref())).post_or(Value::Null).filter().sort(),
        A::new("port_range_min", JUDGED, |v| number(v.record.port_range_min)).post_or(Value::Null).filter().sort(),
        A::new("port_range_max", JUDGED, |v| number(v.record.port_range_max)).post_or(Value::Null).filter().sort(),
        A::new("ethertype", ETHERTYPE, |v| Cell::Str(v.record.ethertype.ethertype())).post_or("IPv4").filter().sort(),
        A::new("remote_ip_prefix", JUDGED, |v| text(v.record.remote_ip_prefix.as_deref())).post_or(Value::Null).filter().sort(),
        A::new("used_in_default_sg", Kind::Bool, |v| Cell::Bool(v.record.used_in_default_sg)).required().filter(),
        A::new("used_in_non_default_sg", Kind::Bool, |v| Cell::Bool(v.record.used_in_non_default_sg)).required().filter(),
    ]
}

fn remote_group<'a>(view: &api::View<'a, DefaultSecurityGroupRule>) -> Cell<'a> {
    if view.record.remote_is_parent { Cell::Str(PARENT) } else { Cell::optional(view.record.remote_group_id, |id| Cell::Uuid(id.0)) }
}
