//! What new groups start with, and the `default` group of a project.
//!
//! The rules come from the default rules, which administrators change; those that there are to begin with let everything out, and into a
//! default group what its own members send.

use api::Op;
use model::{AddressGroup, DefaultSecurityGroupRule, DefaultStatefulness, Direction, SecurityGroup, SecurityGroupRule, Seeded, Standard};
use net::{DefaultSecurityGroupRuleId, Family, ProjectId, SecurityGroupId, SecurityGroupRuleId};
use smol_str::SmolStr;
use std::sync::Arc;
use world::{Record, World};

/// The reserved name.
pub(crate) const DEFAULT_NAME: &str = "default";

/// How many rules a new group starts with that is no default group.
pub(crate) fn number_of_rules(world: &World) -> usize {
    let rules = world.table::<DefaultSecurityGroupRule>();
    if are_seeded(world) { rules.iter().filter(|rule| rule.used_in_non_default_sg).count() } else { 2 }
}

/// Whether a new group of a project is stateful when the request does not say.
pub(crate) fn default_statefulness(world: &World, project: &ProjectId) -> bool {
    let settings = world.table::<DefaultStatefulness>();
    let mut of = [Some(project), None].into_iter().flat_map(|of| settings.by(DefaultStatefulness::OF, DefaultStatefulness::of(of)));
    of.next().is_none_or(|setting| setting.stateful)
}

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
    let name = SmolStr::new_static(DEFAULT_NAME);
    let group = SecurityGroup { id, project_id: project.clone(), name, stateful: true, is_default: true, standard };
    add_rules(op, &group);
    op.tx.put(group);
    id
}

/// Gives a new group the rules that it starts with. Those that name what is not there any more let nothing pass, and are left out.
pub(crate) fn add_rules(op: &mut Op<'_>, group: &SecurityGroup) {
    seed(op);
    let world = op.tx.world();
    let is_used =
        |rule: &&Arc<DefaultSecurityGroupRule>| if group.is_default { rule.used_in_default_sg } else { rule.used_in_non_default_sg };
    let is_whole = |rule: &&Arc<DefaultSecurityGroupRule>| {
        rule.remote_group_id.is_none_or(|id| world.get::<SecurityGroup>(&id).is_some())
            && rule.remote_address_group_id.is_none_or(|id| world.get::<AddressGroup>(&id).is_some())
    };
    let rules = world.table::<DefaultSecurityGroupRule>().iter().filter(is_used).filter(is_whole);
    let rules: Vec<Arc<DefaultSecurityGroupRule>> = rules.cloned().collect();
    for rule in rules {
        let id = SecurityGroupRuleId(op.tx.context.uuid());
        op.tx.put(SecurityGroupRule {
            id,
            project_id: group.project_id.clone(),
            security_group_id: group.id,
            direction: rule.direction,
            ethertype: rule.ethertype,
            protocol: rule.protocol.clone(),
            port_range_min: rule.port_range_min,
            port_range_max: rule.port_range_max,
            remote_ip_prefix: rule.remote_ip_prefix.clone(),
            remote_group_id: rule.remote_group_id.or_else(|| rule.remote_is_parent.then_some(group.id)),
            remote_address_group_id: rule.remote_address_group_id,
            standard: Standard::new(op.tx.context.now, SmolStr::default()),
        });
    }
}

/// True once the rules to begin with were made.
pub(crate) fn are_seeded(world: &World) -> bool {
    world.get::<Seeded>(&SmolStr::new_static(DefaultSecurityGroupRule::KIND)).is_some()
}

/// Makes the rules to begin with, once.
pub(crate) fn seed(op: &mut Op<'_>) {
    if are_seeded(op.tx.world()) {
        return;
    }
    op.tx.put(Seeded { kind: SmolStr::new_static(DefaultSecurityGroupRule::KIND) });
    for direction in [Direction::Egress, Direction::Ingress] {
        for ethertype in [Family::V4, Family::V6] {
            let is_ingress = direction == Direction::Ingress;
            let description =
                if is_ingress { "Legacy default SG rule for ingress traffic" } else { "Legacy default SG rule for egress traffic" };
            let id = DefaultSecurityGroupRuleId(op.tx.context.uuid());
            op.tx.put(DefaultSecurityGroupRule {
                id,
                direction,
                ethertype,
                protocol: None,
                port_range_min: None,
                port_range_max: None,
                remote_ip_prefix: None,
                remote_is_parent: is_ingress,
                remote_group_id: None,
                remote_address_group_id: None,
                used_in_default_sg: true,
                used_in_non_default_sg: !is_ingress,
                standard: Standard::new(op.tx.context.now, SmolStr::new_static(description)),
            });
        }
    }
}
