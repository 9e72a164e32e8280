//! `/v3/roles`, grants of roles on projects, and `/v3/role_assignments`.

use super::super::directory::{Assignment, DOMAIN_ID, DOMAIN_NAME, Directory, Role, SEED_ROLES};
use super::super::fault::{Fault, no_content};
use super::super::seed::new_id;
use super::attributes::Attributes;
use super::{Answer, Context, created, no_such_resource, ok};
use crate::identity::with_implied;
use http::Method;
use serde_json::{Value, json};
use smol_str::SmolStr;
use std::collections::BTreeSet;

pub(super) fn route(context: &Context<'_>, method: &Method, path: &[&str]) -> Answer {
    match (method, path) {
        (&Method::GET, []) => list(context),
        (&Method::POST, []) => create(context),
        (&Method::GET, [id]) => {
            context.admin("identity:get_role")?;
            ok("role", view(context, id, context.identity.store.directory().role(id)?))
        }
        (&Method::DELETE, [id]) => delete(context, id),
        (_, [] | [_]) => Err(Fault::method_not_allowed()),
        _ => Err(no_such_resource()),
    }
}

fn view(context: &Context<'_>, id: &str, role: &Role) -> Value {
    json!({"id": id, "name": role.name, "domain_id": null, "description": null, "options": {}, "links": context.link("roles", id)})
}

fn list(context: &Context<'_>) -> Answer {
    context.admin("identity:list_roles")?;
    let directory = context.identity.store.directory();
    let query = &context.query;
    let wanted = |role: &Role| {
        query.get("name").is_none_or(|name| role.name.to_lowercase() == name.to_lowercase()) && query.get("domain_id").is_none()
    };
    context.list("roles", directory.roles.iter().filter(|(_, role)| wanted(role)).map(|(id, role)| view(context, id, role)).collect())
}

fn create(context: &Context<'_>) -> Answer {
    context.admin("identity:create_role")?;
    let role = Role { name: SmolStr::new(Attributes(context.object("role")?).required_name()?) };
    let id = new_id();
    let answer = view(context, &id, &role);
    context.identity.store.change(|directory| {
        if directory.role_named(&role.name).is_some() {
            return Err(Fault::conflict(format!("A role named {} exists already.", role.name)));
        }
        directory.roles.insert(id, role);
        Ok(())
    })?;
    created("role", answer)
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    context.admin("identity:delete_role")?;
    context.identity.store.change(|directory| {
        let name = &directory.role(id)?.name;
        if SEED_ROLES.contains(&name.as_str()) {
            return Err(Fault::forbidden(&format!("identity:delete_role (the role {name} is built in)")));
        }
        directory.roles.remove(id);
        Ok(())
    })?;
    Ok(no_content())
}

/// `/v3/projects/{project}/users/{user}/roles[/{role}]`.
pub(super) fn grants(context: &Context<'_>, method: &Method, project: &str, user: &str, rest: &[&str]) -> Answer {
    let action = match *method {
        Method::PUT => "identity:create_grant",
        Method::DELETE => "identity:revoke_grant",
        _ => "identity:list_grants",
    };
    context.admin(action)?;
    let directory = context.identity.store.directory();
    directory.project(project)?;
    directory.user(user)?;
    let [role] = rest else {
        return match (rest, method) {
            ([], &Method::GET) => list_grants(context, &directory, project, user),
            ([], _) => Err(Fault::method_not_allowed()),
            _ => Err(no_such_resource()),
        };
    };
    directory.role(role)?;
    let grant = Assignment { user: user.into(), project: project.into(), role: (*role).into() };
    let absent = || Fault::not_found("role assignment", &format!("{role} for user {user} on project {project}"));
    match *method {
        Method::GET if directory.assignments.contains(&grant) => {}
        Method::GET => return Err(absent()),
        Method::PUT => context.identity.store.change(|directory| {
            directory.project(project)?;
            directory.user(user)?;
            directory.role(role)?;
            directory.assignments.insert(grant);
            Ok(())
        })?,
        Method::DELETE => {
            context.identity.store.change(|directory| if directory.assignments.remove(&grant) { Ok(()) } else { Err(absent()) })?;
        }
        _ => return Err(Fault::method_not_allowed()),
    }
    Ok(no_content())
}

fn list_grants(context: &Context<'_>, directory: &Directory, project: &str, user: &str) -> Answer {
    let granted = directory.assignments.iter().filter(|entry| entry.project == project && entry.user == user);
    context.list("roles", granted.filter_map(|entry| Some(view(context, &entry.role, directory.roles.get(&entry.role)?))).collect())
}

/// `/v3/role_assignments`: filters `user.id`, `role.id`, `scope.project.id`; `effective` adds implied roles.
pub(super) fn assignments(context: &Context<'_>, method: &Method) -> Answer {
    let query = &context.query;
    match query.get("user.id") {
        Some(user) => context.admin_or_user(user, "identity:list_role_assignments")?,
        None => context.admin("identity:list_role_assignments")?,
    };
    if method != Method::GET {
        return Err(Fault::method_not_allowed());
    }
    let elsewhere = ["group.id", "scope.domain.id", "scope.system", "scope.OS-INHERIT:inherited_to"];
    if elsewhere.iter().any(|name| query.get(name).is_some()) {
        return context.list("role_assignments", Vec::new());
    }
    let directory = context.identity.store.directory();
    let mut entries = directory.assignments.clone();
    if query.flag("effective") {
        entries = entries.iter().flat_map(|entry| implied(&directory, entry)).collect();
    }
    let wanted = |entry: &&Assignment| {
        query.get("user.id").is_none_or(|user| entry.user == user)
            && query.get("role.id").is_none_or(|role| entry.role == role)
            && query.get("scope.project.id").is_none_or(|project| entry.project == project)
    };
    let names = query.flag("include_names");
    context
        .list("role_assignments", entries.iter().filter(wanted).map(|entry| assignment_view(context, &directory, entry, names)).collect())
}

fn implied(directory: &Directory, entry: &Assignment) -> BTreeSet<Assignment> {
    let Some(role) = directory.roles.get(&entry.role) else {
        return BTreeSet::new();
    };
    let roles = with_implied([role.name.as_str()]);
    roles.iter().filter_map(|name| directory.role_named(name)).map(|role| Assignment { role: role.clone(), ..entry.clone() }).collect()
}

fn assignment_view(context: &Context<'_>, directory: &Directory, entry: &Assignment, names: bool) -> Value {
    let mut user = json!({"id": entry.user});
    let mut project = json!({"id": entry.project});
    let mut role = json!({"id": entry.role});
    if names {
        let domain = json!({"id": DOMAIN_ID, "name": DOMAIN_NAME});
        user["name"] = json!(directory.users.get(&entry.user).map(|user| &user.name));
        project["name"] = json!(directory.projects.get(&entry.project).map(|project| &project.name));
        role["name"] = json!(directory.roles.get(&entry.role).map(|role| &role.name));
        user["domain"] = domain.clone();
        project["domain"] = domain;
    }
    let link = format!("{}/v3/projects/{}/users/{}/roles/{}", context.url, entry.project, entry.user, entry.role);
    json!({"user": user, "role": role, "scope": {"project": project}, "links": {"assignment": link}})
}
