//! Groups: the default one, names, use, removal, quota of rules.

use super::resource;
use crate::testing::{Bench, lab, refused};
use crate::{ensure_default, rule};
use auth::Caller;
use model::{IpAllocation, Port, SecurityGroup, SecurityGroupRule, Standard};
use net::{Mac, NetworkId, PortId, ProjectId, SecurityGroupId};
use serde_json::json;
use world::World;

fn port_with(group: SecurityGroupId) -> Port {
    Port {
        ip_allocation: IpAllocation::None,
        security_groups: vec![group],
        ..Port::new(PortId::MIN, NetworkId::MIN, ProjectId::from("p1"), Mac::MIN, Standard::default())
    }
}

fn rules(world: &World, group: SecurityGroupId) -> usize {
    world.table::<SecurityGroupRule>().count(SecurityGroupRule::BY_GROUP, group)
}

fn default_of(lab: &mut Bench, project: &str) -> SecurityGroupId {
    lab.run(|op| Ok(ensure_default(op, &ProjectId::from(project)))).expect("never refused").expect("a project")
}

#[test]
fn the_default_group_is_made_once_on_first_sight() {
    let mut lab = lab();
    let prepare = resource().prepare.expect("lists make it");
    let project = lab.caller.project_id.clone();
    assert!((prepare.needed)(&lab.world, &project));
    lab.run(|op| (prepare.run)(op, &project)).expect("never refused");
    assert!(!(prepare.needed)(&lab.world, &project));
    assert!(!(prepare.needed)(&lab.world, &ProjectId::default()), "nobody's project has none");
    let id = default_of(&mut lab, "p1");
    let group = lab.get::<SecurityGroup>(id);
    assert_eq!((group.name.as_str(), group.standard.description.as_str()), ("default", "Default security group"));
    assert_eq!(rules(&lab.world, id), 4);
    assert_eq!(lab.world.table::<SecurityGroup>().len(), 1);
    assert_eq!(lab.run(|op| Ok(ensure_default(op, &ProjectId::default()))), Ok(None));
}

#[test]
fn a_custom_group_lets_out_only() {
    let mut lab = lab();
    let id = lab.create(resource(), json!({"name": "web"})).expect("free");
    assert_eq!(rules(&lab.world, id), 2);
    assert!(lab.get::<SecurityGroup>(id).stateful);
    assert_eq!(lab.world.table::<SecurityGroup>().len(), 2, "the project's default group came with it");
}

#[test]
fn the_reserved_name() {
    let mut lab = lab();
    let default = default_of(&mut lab, "p1");
    assert_eq!(refused(lab.create(resource(), json!({"name": "default"}))), (409, "SecurityGroupDefaultAlreadyExists"));
    let id = lab.create(resource(), json!({"name": "web"})).expect("free");
    assert_eq!(refused(lab.update(resource(), id, json!({"name": "default"}))), (409, "SecurityGroupDefaultAlreadyExists"));
    assert_eq!(refused(lab.update(resource(), default, json!({"name": "x"}))), (409, "SecurityGroupCannotUpdateDefault"));
    assert_eq!(refused(lab.create(resource(), json!({"name": "Default"}))), (409, "SecurityGroupDefaultAlreadyExists"));
    assert_eq!(refused(lab.update(resource(), default, json!({"name": "default"}))), (409, "SecurityGroupDefaultAlreadyExists"));
    lab.update(resource(), default, json!({"description": "d"})).expect("not its name");
    let group = lab.get::<SecurityGroup>(default);
    assert_eq!((group.standard.description.as_str(), group.standard.revision_number), ("d", 1));
}

#[test]
fn groups_in_use() {
    let mut lab = lab();
    let id = lab.create(resource(), json!({"name": "web"})).expect("free");
    lab.run(|op| {
        op.tx.put(port_with(id));
        Ok(())
    })
    .expect("a port");
    assert_eq!(refused(lab.update(resource(), id, json!({"stateful": false}))), (409, "SecurityGroupInUse"));
    lab.update(resource(), id, json!({"stateful": true, "name": "w"})).expect("no change of it");
    assert_eq!(refused(lab.delete(resource(), id)), (409, "SecurityGroupInUse"));
    lab.run(|op| Ok(op.tx.remove::<Port>(&PortId::MIN))).expect("gone");
    lab.update(resource(), id, json!({"stateful": false})).expect("unused");
    lab.delete(resource(), id).expect("unused");
}

#[test]
fn removal_of_default_groups_is_for_administrators() {
    let mut lab = lab();
    let id = default_of(&mut lab, "p1");
    assert_eq!(refused(lab.delete(resource(), id)), (409, "SecurityGroupCannotRemoveDefault"));
    lab.caller = Caller::admin("p2");
    lab.delete(resource(), id).expect("an administrator");
    assert_ne!(default_of(&mut lab, "p1"), id, "it comes back");
}

#[test]
fn removal_takes_rules_that_name_the_group() {
    let mut lab = lab();
    let (web, db) = (lab.create(resource(), json!({"name": "web"})), lab.create(resource(), json!({"name": "db"})));
    let (web, db) = (web.expect("free"), db.expect("free"));
    let naming = json!({"security_group_id": db, "direction": "ingress", "remote_group_id": web});
    lab.create(rule::resource(), naming).expect("free");
    let before = lab.get::<SecurityGroup>(db).standard.revision_number;
    lab.delete(resource(), web).expect("no port uses it");
    assert_eq!((rules(&lab.world, web), rules(&lab.world, db)), (0, 2));
    assert_eq!(lab.get::<SecurityGroup>(db).standard.revision_number, before + 1);
}

/// The frame counts them with the limits that are configured.
#[test]
fn a_group_brings_its_first_rules() {
    let mut lab = lab();
    let id = lab.create(resource(), json!({"name": "a"})).expect("free");
    assert_eq!((resource().brings)(&lab.world), [("security_group_rule", rules(&lab.world, id))]);
}

#[test]
fn foreign_remote_groups_are_not_found() {
    let mut lab = lab();
    let id = lab.create(resource(), json!({"name": "web"})).expect("free");
    lab.caller = Caller::member("p2");
    let own = lab.create(resource(), json!({"name": "own"})).expect("free");
    let body = json!({"security_group_id": own, "direction": "ingress", "remote_group_id": id});
    assert_eq!(refused(lab.create(rule::resource(), body)), (404, "SecurityGroupNotFound"));
    for no_id in [json!({"security_group_id": "x"}), json!({"security_group_id": own, "remote_group_id": "x"})] {
        assert_eq!(refused(lab.create(rule::resource(), no_id)), (404, "SecurityGroupNotFound"));
    }
    lab.caller = Caller::admin("p2");
    lab.create(rule::resource(), json!({"security_group_id": id, "direction": "ingress"})).expect("an administrator");
}
