//! `/v3/users`.

use super::super::directory::{DOMAIN_ID, User};
use super::super::fault::{Fault, no_content};
use super::super::seed::new_id;
use super::attributes::{Attributes, overlay};
use super::{Answer, Context, created, no_such_resource, ok, projects, refuse_other_domain};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

/// Attributes that are answered but not taken from requests, or that have no meaning here.
const COMPUTED: [&str; 5] = ["id", "domain_id", "options", "links", "password_expires_at"];
/// Longest password, in bytes; the same bound as at login.
const MAX_PASSWORD: usize = 1024;

pub(super) fn route(context: &Context<'_>, method: &Method, path: &[&str]) -> Answer {
    match (method, path) {
        (&Method::GET, []) => list(context),
        (&Method::POST, []) => create(context),
        (&Method::GET, [id]) => show(context, id),
        (&Method::PATCH, [id]) => update(context, id),
        (&Method::DELETE, [id]) => delete(context, id),
        (&Method::POST, [id, "password"]) => change_password(context, id),
        (&Method::GET, [id, "projects"]) => {
            context.admin_or_user(id, "identity:list_user_projects")?;
            context.identity.store.directory().user(id)?;
            projects::list_of_user(context, id)
        }
        (&Method::GET, [id, "groups"]) => {
            context.admin_or_user(id, "identity:list_groups_for_user")?;
            context.identity.store.directory().user(id)?;
            context.list("groups", Vec::new())
        }
        (_, [] | [_] | [_, "password" | "projects" | "groups"]) => Err(Fault::method_not_allowed()),
        _ => Err(no_such_resource()),
    }
}

fn view(context: &Context<'_>, id: &str, user: &User) -> Value {
    let mut object: Map<String, Value> = user.extra.clone();
    let own = json!({
        "id": id, "name": user.name, "domain_id": DOMAIN_ID, "enabled": user.enabled, "password_expires_at": null, "options": {},
        "links": context.link("users", id),
    });
    if let Value::Object(own) = own {
        object.extend(own);
    }
    if let Some(project) = &user.default_project_id {
        object.insert("default_project_id".to_owned(), json!(project));
    }
    Value::Object(object)
}

fn list(context: &Context<'_>) -> Answer {
    context.admin("identity:list_users")?;
    let query = &context.query;
    let enabled = query.boolean("enabled")?;
    let directory = context.identity.store.directory();
    let wanted = |id: &str, user: &User| {
        query.get("name").is_none_or(|name| user.name.to_lowercase() == name.to_lowercase())
            && query.get("id").is_none_or(|wanted| id == wanted)
            && query.get("domain_id").is_none_or(|domain| domain == DOMAIN_ID)
            && enabled.is_none_or(|enabled| user.enabled == enabled)
    };
    let items = directory.users.iter().filter(|(id, user)| wanted(id, user)).map(|(id, user)| view(context, id, user));
    context.list("users", items.collect())
}

fn show(context: &Context<'_>, id: &str) -> Answer {
    context.admin_or_user(id, "identity:get_user")?;
    ok("user", view(context, id, context.identity.store.directory().user(id)?))
}

fn refuse_long_password(password: Option<&str>) -> Result<(), Fault> {
    match password {
        Some("") => Err(Fault::bad_request("Invalid input for 'password': it is empty.")),
        Some(password) if password.len() > MAX_PASSWORD => Err(Fault::bad_request("A password has at most 1024 bytes.")),
        _ => Ok(()),
    }
}

fn create(context: &Context<'_>) -> Answer {
    context.admin("identity:create_user")?;
    let mut attributes = Attributes(context.object("user")?);
    refuse_other_domain(attributes.text("domain_id")?.as_deref())?;
    let name = attributes.required_name()?;
    let password = attributes.text("password")?;
    refuse_long_password(password.as_deref())?;
    let default_project_id = attributes.text("default_project_id")?.map(SmolStr::from);
    let enabled = attributes.boolean("enabled")?.unwrap_or(true);
    let extra = attributes.rest(&COMPUTED)?;
    context.identity.store.directory().refuse_user_name(&name, None)?;
    let user = User {
        name: SmolStr::new(&name),
        password: password.map(|password| context.identity.passwords.hash(&password)),
        enabled,
        default_project_id,
        tokens_valid_from_us: 0,
        extra,
    };
    let id = new_id();
    let answer = view(context, &id, &user);
    context.identity.store.change(|directory| {
        directory.refuse_user_name(&name, None)?;
        if let Some(project) = &user.default_project_id {
            directory.project(project)?;
        }
        directory.users.insert(id, user);
        Ok(())
    })?;
    created("user", answer)
}

fn update(context: &Context<'_>, id: &str) -> Answer {
    context.admin("identity:update_user")?;
    let mut attributes = Attributes(context.object("user")?);
    refuse_other_domain(attributes.text("domain_id")?.as_deref())?;
    let (name, enabled, password) = (attributes.name()?, attributes.boolean("enabled")?, attributes.text("password")?);
    refuse_long_password(password.as_deref())?;
    let clears_project = attributes.0.get("default_project_id") == Some(&Value::Null);
    let project = attributes.text("default_project_id")?.map(SmolStr::from);
    let extra = attributes.rest(&COMPUTED)?;
    context.identity.store.directory().user(id)?;
    let hash = password.map(|password| context.identity.passwords.hash(&password));
    let now_us = context.now_us();
    let changed = context.identity.store.change(|directory| {
        if let Some(name) = &name {
            directory.refuse_user_name(name, Some(id))?;
        }
        if let Some(project) = &project {
            directory.project(project)?;
        }
        let user = directory.user_mut(id)?;
        if hash.is_some() || enabled == Some(false) {
            user.tokens_valid_from_us = now_us;
        }
        user.name = name.map_or_else(|| user.name.clone(), SmolStr::from);
        user.enabled = enabled.unwrap_or(user.enabled);
        user.password = hash.or_else(|| user.password.take());
        if clears_project || project.is_some() {
            user.default_project_id = project;
        }
        overlay(&mut user.extra, extra);
        Ok(user.clone())
    })?;
    ok("user", view(context, id, &changed))
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    context.admin("identity:delete_user")?;
    context.identity.store.change(|directory| {
        directory.user(id)?;
        directory.users.remove(id);
        Ok(())
    })?;
    Ok(no_content())
}

/// A user changes their own password, proving that they know the old one.
fn change_password(context: &Context<'_>, id: &str) -> Answer {
    let asker = context.asker()?;
    if !asker.is_user(id) {
        return Err(Fault::forbidden("identity:change_password"));
    }
    let mut attributes = Attributes(context.object("user")?);
    let (Some(old), Some(new)) = (attributes.text("original_password")?, attributes.text("password")?) else {
        return Err(Fault::bad_request("'original_password' and 'password' are required properties."));
    };
    refuse_long_password(Some(&new))?;
    let identity = context.identity;
    if identity.backoff.pause_s(id, context.now_us()).is_some() {
        return Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, "Too many failed attempts for this user."));
    }
    let directory = identity.store.directory();
    let hash = directory.user(id)?.password.clone();
    if old.len() > MAX_PASSWORD || !identity.passwords.verify(&old, hash.as_deref()) {
        identity.backoff.failed(id, context.now_us());
        return Err(Fault::unauthorized());
    }
    identity.backoff.succeeded(id);
    let new = identity.passwords.hash(&new);
    let now_us = context.now_us();
    identity.store.change(|directory| {
        let user = directory.user_mut(id)?;
        if user.password != hash {
            return Err(Fault::conflict("The password was changed by another request."));
        }
        user.password = Some(new);
        user.tokens_valid_from_us = now_us;
        Ok(())
    })?;
    Ok(no_content())
}
