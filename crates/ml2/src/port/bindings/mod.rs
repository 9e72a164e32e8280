//! `ports/<id>/bindings`: on which hosts a port is, one of them active, the others prepared (extension `binding-extended`). Nova makes one on the
//! destination of a live migration, activates it when the guest has moved, and removes that of the source.
//!
//! A binding has no id but its host. The rules are about the caller alone and are asked before anything is looked up.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::BindingFault;

use self::ops::Asked;
use super::kinds;
use api::rows::{Rows, shown};
use api::{Answer, Answering, Collection, Fault, Kind, Op, Request, Route, object, refuse_unknown, schema, unwrap};
use auth::{Policy, RuleId};
use model::{Binding, Port};
use net::HostName;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Name in the path and in bodies.
pub const COLLECTION: &str = "bindings";
const ONE: &str = "binding";
const ACTIVATE: &str = "activate";
const ROWS: Rows = Rows {
    collection: COLLECTION,
    filters: &["host", "vif_type", "vnic_type", "status"],
    words: &[],
    sorts: &["host", "status"],
    id: "host",
    form,
};

/// The collection, with its rules resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let mut rule = |verb: &str| policy.intern(&format!("{verb}_port_binding"));
    let (get, create, update, delete) = (rule("get"), rule("create"), rule("update"), rule("delete"));
    Arc::new(Bindings { get, create, update, delete, activate: policy.intern(ACTIVATE) })
}

struct Bindings {
    get: RuleId,
    create: RuleId,
    update: RuleId,
    delete: RuleId,
    activate: RuleId,
}

fn form() -> Vec<(&'static str, Value)> {
    vec![
        ("host", schema::text(255)),
        ("vif_type", schema::text(64)),
        ("vnic_type", super::VNIC_TYPES.schema()),
        ("status", schema::text(16)),
        ("profile", schema::dictionary()),
        ("vif_details", schema::dictionary()),
    ]
}

/// The body of a create or update.
fn asked_form(required: &[&str]) -> Value {
    let profile = Kind::ObjectOrNull.schema();
    let members = [("host", schema::text(255)), ("vnic_type", super::VNIC_TYPES.schema()), ("profile", profile)];
    schema::wrapped(ONE, schema::requiring(required, members))
}

impl Collection for Bindings {
    fn routes(&self) -> Vec<Route> {
        let [all, each] = ["/{port_id}/bindings", "/{port_id}/bindings/{host}"];
        let item = || schema::titled("PortBinding", ROWS.item());
        let one = || schema::wrapped(ONE, item());
        let rule = |verb: &str| format!("{verb}_port_binding");
        vec![
            ROWS.route(all).by(rule("get")),
            Route::post(all, asked_form(&["host"]), one()).by(rule("create")),
            Route::get(each, one()).by(rule("get")),
            Route::put(each, asked_form(&[]), one()).by(rule("update")),
            Route::delete(each).by(rule("delete")),
            Route::put(format!("{each}/{ACTIVATE}"), schema::dictionary(), item()).by(ACTIVATE),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            let (port, path) = request.below_member()?;
            match (request.method.as_str(), path) {
                ("GET", []) => self.list(request, port).await,
                ("POST", []) => self.post(request, port).await,
                ("GET", [host]) => self.show(request, port, host).await,
                ("PUT", [host]) => self.put(request, port, host).await,
                ("DELETE", [host]) => self.remove(request, port, host).await,
                ("PUT", [host, action]) if action == ACTIVATE => self.activate(request, port, host).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                (_, [_, action]) if action == ACTIVATE => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl Bindings {
    fn admit(request: &Request<'_>, rule: RuleId) -> Result<(), Fault> {
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &())?)
    }

    /// What may not be seen is not there.
    fn admit_reader(&self, request: &Request<'_>) -> Result<(), Fault> {
        let may = request.frame.policy.check(self.get, &request.caller, &());
        if may { Ok(()) } else { Err(Fault::no_such_path()) }
    }

    async fn list(&self, request: &Request<'_>, port: &str) -> Result<Answer, Fault> {
        self.admit_reader(request)?;
        let world = request.frame.fresh().await?;
        ROWS.list(&request.query, documents(ops::find(&world, port)?))
    }

    async fn show(&self, request: &Request<'_>, port: &str, host: &str) -> Result<Answer, Fault> {
        self.admit_reader(request)?;
        let world = request.frame.fresh().await?;
        let document = document_of(ops::find(&world, port)?, &HostName::from(host))?;
        Ok(Answer::value(200, &json!({ ONE: shown(&request.query, document) })))
    }

    async fn post(&self, request: &Request<'_>, port: &str) -> Result<Answer, Fault> {
        Self::admit(request, self.create)?;
        let (asked, port) = (asked(request.body)?, port.to_owned());
        let missing = || Fault::bad_request("Failed to parse request. Required attribute 'host' not specified");
        let host = asked.host.clone().ok_or_else(missing)?;
        let document = commit(request, host, move |op| ops::create(op, &port, &asked)).await?;
        Ok(Answer::value(201, &json!({ ONE: document })))
    }

    async fn put(&self, request: &Request<'_>, port: &str, host: &str) -> Result<Answer, Fault> {
        Self::admit(request, self.update)?;
        let (asked, port, host) = (asked(request.body)?, port.to_owned(), HostName::from(host));
        let shown = asked.host.clone().unwrap_or_else(|| host.clone());
        let document = commit(request, shown, move |op| ops::update(op, &port, &host, &asked)).await?;
        Ok(Answer::value(200, &json!({ ONE: document })))
    }

    /// The answer is not wrapped, as clients know it.
    async fn activate(&self, request: &Request<'_>, port: &str, host: &str) -> Result<Answer, Fault> {
        Self::admit(request, self.activate)?;
        object(request.body)?;
        let (port, host) = (port.to_owned(), HostName::from(host));
        let document = commit(request, host.clone(), move |op| ops::activate(op, &port, &host)).await?;
        Ok(Answer::value(200, &Value::Object(document)))
    }

    async fn remove(&self, request: &Request<'_>, port: &str, host: &str) -> Result<Answer, Fault> {
        Self::admit(request, self.delete)?;
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        let (port, host) = (port.to_owned(), HostName::from(host));
        request.frame.commit(&request.caller, move |_, op| ops::delete(op, &port, &host)).await?;
        Ok(Answer::no_content())
    }
}

/// Runs an operation; the binding of the host as it is then.
async fn commit(
    request: &Request<'_>,
    host: HostName,
    operation: impl Fn(&mut Op<'_>) -> Result<Port, Fault> + Send + 'static,
) -> Result<Map<String, Value>, Fault> {
    let done = request.frame.commit(&request.caller, move |_, op| operation(op)).await?;
    document_of(&done.answer, &host)
}

/// Reads a body.
fn asked(body: &[u8]) -> Result<Asked, Fault> {
    let mut given = unwrap(&mut object(body)?, ONE)?;
    let owner = ["project_id", "tenant_id"];
    owner.iter().for_each(|name| _ = given.remove(*name));
    refuse_unknown(given.keys().filter(|name| !matches!(name.as_str(), "host" | "vnic_type" | "profile")))?;
    let mut take = |name: &str, kind: Kind| given.remove(name).map(|value| kind.check(value).map_err(|e| e.fault(name))).transpose();
    let host = take("host", kinds::HOST)?.and_then(|host| host.as_str().map(HostName::from));
    let vnic_type = take("vnic_type", super::VNIC_TYPES)?;
    let profile = take("profile", Kind::ObjectOrNull)?;
    Ok(Asked {
        host: host.filter(|host| !host.is_empty()),
        vnic_type: vnic_type.as_ref().and_then(Value::as_str).and_then(model::VnicType::from_word),
        profile: profile.map(|profile| profile.as_object().cloned().unwrap_or_default()),
    })
}

/// All bindings of a port, the active one first.
fn documents(port: &Port) -> Vec<Map<String, Value>> {
    let standby = port.standby.iter().map(|standby| document(&standby.binding, "INACTIVE"));
    std::iter::once(document(&port.binding, "ACTIVE")).chain(standby).collect()
}

fn document_of(port: &Port, host: &HostName) -> Result<Map<String, Value>, Fault> {
    let found = documents(port).into_iter().find(|document| document["host"] == host.as_str());
    found.ok_or_else(|| BindingFault::NotFound(port.id, host.clone()).into())
}

fn document(binding: &Binding, status: &str) -> Map<String, Value> {
    let mut details = binding.vif_details.clone();
    // Of the port alone.
    details.remove("bound_drivers");
    let values = [
        ("host", json!(binding.host)),
        ("vif_type", json!(binding.vif_type)),
        ("vnic_type", json!(binding.vnic_type)),
        ("status", json!(status)),
        ("profile", Value::Object(binding.profile.clone())),
        ("vif_details", Value::Object(details)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
