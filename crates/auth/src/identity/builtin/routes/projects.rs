//! `/v3/projects`.

use super::super::directory::{DOMAIN_ID, Directory, Project};
use super::super::fault::{Fault, no_content};
use super::super::seed::new_id;
use super::attributes::{Attributes, overlay};
use super::{Answer, Context, created, no_such_resource, ok, refuse_other_domain};
use http::Method;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

/// Attributes that are answered but not taken from requests.
const COMPUTED: [&str; 7] = ["id", "domain_id", "parent_id", "is_domain", "tags", "options", "links"];

pub(super) fn route(context: &Context<'_>, method: &Method, path: &[&str]) -> Answer {
    match (method, path) {
        (&Method::GET, []) => list(context),
        (&Method::POST, []) => create(context),
        (&Method::GET, [id]) => show(context, id),
        (&Method::PATCH, [id]) => update(context, id),
        (&Method::DELETE, [id]) => delete(context, id),
        (_, [] | [_]) => Err(Fault::method_not_allowed()),
        _ => Err(no_such_resource()),
    }
}

fn view(context: &Context<'_>, id: &str, project: &Project) -> Value {
    let mut object: Map<String, Value> = project.extra.clone();
    let own = json!({
        "id": id, "name": project.name, "domain_id": DOMAIN_ID, "description": project.description, "enabled": project.enabled,
        "parent_id": DOMAIN_ID, "is_domain": false, "tags": [], "options": {}, "links": context.link("projects", id),
    });
    if let Value::Object(own) = own {
        object.extend(own);
    }
    Value::Object(object)
}

fn views(context: &Context<'_>, directory: &Directory, wanted: impl Fn(&str, &Project) -> bool) -> Vec<Value> {
    directory.projects.iter().filter(|(id, project)| wanted(id, project)).map(|(id, project)| view(context, id, project)).collect()
}

fn list(context: &Context<'_>) -> Answer {
    if let Some(user) = context.query.get("user_id") {
        context.admin_or_user(user, "identity:list_user_projects")?;
        return list_of_user(context, user);
    }
    context.admin("identity:list_projects")?;
    let query = &context.query;
    let enabled = query.boolean("enabled")?;
    let is_domain = query.flag("is_domain");
    let items = views(context, &context.identity.store.directory(), |id, project| {
        query.get("name").is_none_or(|name| project.name.to_lowercase() == name.to_lowercase())
            && query.get("id").is_none_or(|wanted| id == wanted)
            && query.get("domain_id").is_none_or(|domain| domain == DOMAIN_ID)
            && query.get("parent_id").is_none_or(|parent| parent == DOMAIN_ID)
            && enabled.is_none_or(|enabled| project.enabled == enabled)
            && !is_domain
    });
    context.list("projects", items)
}

/// The enabled projects on which a user has a role.
pub(super) fn list_of_user(context: &Context<'_>, user: &str) -> Answer {
    let directory = context.identity.store.directory();
    context.list("projects", views(context, &directory, |id, _| !directory.roles_on(user, id).is_empty()))
}

fn create(context: &Context<'_>) -> Answer {
    context.admin("identity:create_project")?;
    let mut attributes = Attributes(context.object("project")?);
    refuse_other_domain(attributes.text("domain_id")?.as_deref())?;
    refuse_other_domain(attributes.text("parent_id")?.as_deref())?;
    if attributes.boolean("is_domain")? == Some(true) {
        return Err(Fault::bad_request("The built-in identity has one domain; no others can be created."));
    }
    let project = Project {
        name: SmolStr::new(attributes.required_name()?),
        description: attributes.text("description")?.unwrap_or_default(),
        enabled: attributes.boolean("enabled")?.unwrap_or(true),
        extra: attributes.rest(&COMPUTED)?,
    };
    let id = new_id();
    let answer = view(context, &id, &project);
    context.identity.store.change(|directory| {
        directory.refuse_project_name(&project.name, None)?;
        directory.projects.insert(id, project);
        Ok(())
    })?;
    created("project", answer)
}

fn show(context: &Context<'_>, id: &str) -> Answer {
    let asker = context.asker()?;
    if !asker.is_admin() && asker.principal.project_id.as_str() != id {
        return Err(Fault::forbidden("identity:get_project"));
    }
    ok("project", view(context, id, context.identity.store.directory().project(id)?))
}

fn update(context: &Context<'_>, id: &str) -> Answer {
    context.admin("identity:update_project")?;
    let mut attributes = Attributes(context.object("project")?);
    refuse_other_domain(attributes.text("domain_id")?.as_deref())?;
    let (name, enabled) = (attributes.name()?, attributes.boolean("enabled")?);
    let description = attributes.0.shift_remove("description").map(|value| match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        _ => Err(Fault::bad_request("Invalid input for 'description': a string is expected.")),
    });
    let description = description.transpose()?;
    let extra = attributes.rest(&COMPUTED)?;
    let changed = context.identity.store.change(|directory| {
        directory.project(id)?;
        if let Some(name) = &name {
            directory.refuse_project_name(name, Some(id))?;
        }
        let project = directory.projects.get_mut(id).ok_or_else(|| Fault::not_found("project", id))?;
        project.name = name.map_or_else(|| project.name.clone(), SmolStr::from);
        project.enabled = enabled.unwrap_or(project.enabled);
        project.description = description.unwrap_or_else(|| project.description.clone());
        overlay(&mut project.extra, extra);
        Ok(project.clone())
    })?;
    ok("project", view(context, id, &changed))
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    context.admin("identity:delete_project")?;
    context.identity.store.change(|directory| {
        directory.project(id)?;
        directory.projects.remove(id);
        for user in directory.users.values_mut() {
            user.default_project_id.take_if(|default| default == id);
        }
        Ok(())
    })?;
    Ok(no_content())
}
