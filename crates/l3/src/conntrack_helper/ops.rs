//! Create, update and delete of conntrack helpers.

use api::{Fault, Fields, Op};
use model::{ConntrackHelper, Router};
use net::{ConntrackHelperId, RouterId};
use smol_str::SmolStr;
use std::sync::Arc;

/// Which helpers there are, each with the protocols of its connections (`allowed_conntrack_helpers`).
const ALLOWED: [(&str, &[&str]); 10] = [
    ("amanda", &["tcp"]),
    ("ftp", &["tcp"]),
    ("h323", &["udp", "tcp"]),
    ("irc", &["tcp"]),
    ("netbios-ns", &["udp"]),
    ("pptp", &["tcp"]),
    ("sane", &["tcp"]),
    ("sip", &["udp", "tcp"]),
    ("snmp", &["udp"]),
    ("tftp", &["udp"]),
];

/// Why an operation was refused.
enum Refused {
    /// 404 `RouterNotFound`.
    NoRouter(RouterId),
    /// 400 `ConntrackHelperNotAllowed`.
    Helper(SmolStr),
    /// 400 `InvalidProtocolForHelper`.
    Protocol(ConntrackHelper, &'static [&'static str]),
    /// 400 `BadRequest`: the router has the same.
    Twice(ConntrackHelper),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        match refused {
            Refused::NoRouter(id) => Fault::new(404, "RouterNotFound", format!("Router {id} could not be found")),
            Refused::Helper(helper) => Fault::new(400, "ConntrackHelperNotAllowed", format!("Conntrack Helper {helper} is not allowed.")),
            Refused::Protocol(ConntrackHelper { helper, protocol, .. }, supported) => {
                let supported = supported.join(", ");
                let message = format!("Conntrack Helper {helper} does not support: {protocol}. Supported protocols are: {supported}");
                Fault::new(400, "InvalidProtocolForHelper", message)
            }
            Refused::Twice(ConntrackHelper { router_id, protocol, port, helper, .. }) => {
                let message = format!(
                    "Bad conntrack_helper request: A duplicate conntrack helper entry with same attributes already exists, conflicting \
                     values are {{'router_id': '{router_id}', 'protocol': '{protocol}', 'port': {port}, 'helper': '{helper}'}}."
                );
                Fault::new(400, "BadRequest", message)
            }
        }
    }
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<ConntrackHelperId, Fault> {
    let router_id: RouterId = fields.typed("router_id").expect("a required attribute");
    let project_id = op.tx.get::<Router>(&router_id).ok_or(Refused::NoRouter(router_id))?.project_id.clone();
    let new = ConntrackHelper {
        id: ConntrackHelperId(op.tx.context.uuid()),
        project_id,
        router_id,
        protocol: fields.text("protocol").unwrap_or_default(),
        port: port(fields).unwrap_or_default(),
        helper: fields.text("helper").unwrap_or_default(),
    };
    let id = new.id;
    put(op, new)?;
    Ok(id)
}

fn port(fields: &Fields) -> Option<u16> {
    fields.int("port").and_then(|port| u16::try_from(port).ok())
}

pub(super) fn update(op: &mut Op<'_>, helper: &Arc<ConntrackHelper>, fields: &Fields) -> Result<(), Fault> {
    let mut new = ConntrackHelper::clone(helper);
    new.protocol = fields.text("protocol").unwrap_or(new.protocol);
    new.port = port(fields).unwrap_or(new.port);
    new.helper = fields.text("helper").unwrap_or(new.helper);
    if new != **helper {
        put(op, new)?;
    }
    Ok(())
}

fn put(op: &mut Op<'_>, new: ConntrackHelper) -> Result<(), Fault> {
    let Some((_, protocols)) = ALLOWED.iter().find(|(helper, _)| *helper == new.helper) else {
        return Err(Refused::Helper(new.helper).into());
    };
    if !protocols.contains(&new.protocol.as_str()) {
        return Err(Refused::Protocol(new, protocols).into());
    }
    let what = |helper: &ConntrackHelper| (helper.protocol.clone(), helper.port, helper.helper.clone());
    let is_same = |other: &Arc<ConntrackHelper>| other.id != new.id && what(other) == what(&new);
    if op.tx.table::<ConntrackHelper>().by(ConntrackHelper::BY_ROUTER, new.router_id).any(is_same) {
        return Err(Refused::Twice(new).into());
    }
    touch(op, new.router_id);
    op.tx.put(new);
    Ok(())
}

/// A router is another by its helpers.
fn touch(op: &mut Op<'_>, router: RouterId) {
    let now = op.tx.context.now;
    op.tx.update::<Router>(&router, |router| router.standard.touch(now));
}

pub(super) fn delete(op: &mut Op<'_>, helper: &Arc<ConntrackHelper>) -> Result<(), Fault> {
    touch(op, helper.router_id);
    op.tx.remove::<ConntrackHelper>(&helper.id);
    Ok(())
}

/// They go with their router.
pub(crate) fn forget(op: &mut Op<'_>, router: RouterId) {
    let ids: Vec<ConntrackHelperId> = op.tx.table::<ConntrackHelper>().ids(ConntrackHelper::BY_ROUTER, router).copied().collect();
    for id in ids {
        op.tx.remove::<ConntrackHelper>(&id);
    }
}
