//! The rules that a new group starts with, and the `default` group of a project.

use api::Op;
use model::{Direction, SecurityGroup, SecurityGroupRule, Standard};
use net::{Family, ProjectId, SecurityGroupId, SecurityGroupRuleId};
use smol_str::SmolStr;

/// The reserved name.
pub(crate) const DEFAULT_NAME: &str = "default";

/// How many rules a new group starts with.
pub(crate) const CUSTOM_RULES: usize = 2;

/// The project's `default` group, made when it is not there. None for the empty project, which belongs to the deployment itself.
pub fn ensure_default(op: &mut Op<'_>, project: &ProjectId) -> Option<SecurityGroupId> {
    if project.is_empty() {
        return None;
    }
    let there = op.tx.table::<SecurityGroup>().ids(SecurityGroup::DEFAULT_OF, project).next().copied();
    Some(there.unwrap_or_else(|| make_default(op, project)))
}

fn make_default(op: &mut Op<'_>, project: &ProjectId) -> SecurityGroupId {
    let id = SecurityGroupId(op.tx.context.uuid());
    let standard = Standard::new(op.tx.context.now, SmolStr::new_static("Default security group"));
    op.tx.put(SecurityGroup {
        id,
        project_id: project.clone(),
        name: SmolStr::new_static(DEFAULT_NAME),
        stateful: true,
        is_default: true,
        standard,
    });
    add_egress(op, id, project);
    for family in [Family::V4, Family::V6] {
        add(op, id, project, Direction::Ingress, family, Some(id));
    }
    id
}

/// Lets everything out in both families: what a new group starts with.
pub(crate) fn add_egress(op: &mut Op<'_>, group: SecurityGroupId, project: &ProjectId) {
    for family in [Family::V4, Family::V6] {
        add(op, group, project, Direction::Egress, family, None);
    }
}

fn add(
    op: &mut Op<'_>,
    group: SecurityGroupId,
    project: &ProjectId,
    direction: Direction,
    family: Family,
    remote: Option<SecurityGroupId>,
) {
    let id = SecurityGroupRuleId(op.tx.context.uuid());
    let standard = Standard::new(op.tx.context.now, SmolStr::default());
    op.tx.put(SecurityGroupRule {
        id,
        project_id: project.clone(),
        security_group_id: group,
        direction,
        ethertype: family,
        protocol: None,
        port_range_min: None,
        port_range_max: None,
        remote_ip_prefix: None,
        remote_group_id: remote,
        remote_address_group_id: None,
        standard,
    });
}
