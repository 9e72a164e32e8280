//! Create, update and delete of routers.

use super::kinds::AskedGateway;
use super::{RouterFault, gateway, gateways, ha_network, interfaces, mode, routes};
use crate::schedule::schedule;
use crate::{conntrack_helper, ndp_proxy};
use api::{Fault, Fields, Op};
use ml2::availability_zone;
use model::{AgentType, HostRoute, Port, Router, Standard};
use net::{PortId, ProjectId, RouterId};
use smol_str::SmolStr;
use std::sync::Arc;

pub(crate) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<RouterId, Fault> {
    let hints: Vec<SmolStr> = fields.typed("availability_zone_hints").unwrap_or_default();
    availability_zone::check(op.tx.world(), AgentType::L3, &hints)?;
    let id = RouterId(op.tx.context.uuid());
    let mut standard = Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default());
    standard.revision_number = 1;
    let mut router = Router {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        admin_state_up: fields.bool("admin_state_up").unwrap_or(true),
        gateway: None,
        more_gateways: Vec::new(),
        enable_default_route_ecmp: false,
        enable_default_route_bfd: false,
        routes: Vec::new(),
        availability_zone_hints: hints,
        agents: Vec::new(),
        flavor_id: None,
        gateway_qos_policy_id: None,
        distributed: false,
        ha: false,
        ha_network_id: None,
        enable_ndp_proxy: false,
        standard,
    };
    mode::set(&mut router, fields);
    gateways::set(op, &mut router, fields);
    ha_network::join(op, &mut router)?;
    if let Some(asked) = requested_gateway(fields) {
        gateway::change(op, &mut router, asked.as_ref())?;
    }
    router.enable_ndp_proxy = ndp_proxy::is_enabled(op, false, &router, fields.bool("enable_ndp_proxy"))?;
    op.tx.put(router);
    schedule(op, id);
    Ok(id)
}

/// None when the request does not say; inside, none for no gateway.
fn requested_gateway(fields: &Fields) -> Option<Option<AskedGateway>> {
    fields.typed("external_gateway_info")
}

pub(super) fn update(op: &mut Op<'_>, router: &Arc<Router>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Router::clone(router);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(up) = fields.bool("admin_state_up") {
        new.admin_state_up = up;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    mode::change(op, router, &mut new, fields)?;
    gateways::change(&mut new, fields);
    if new.ha {
        ha_network::join(op, &mut new)?;
    } else if new.ha_network_id.take().is_some() {
        ha_network::leave(op, router)?;
    }
    let mut is_readdressed = false;
    if let Some(asked) = requested_gateway(fields) {
        let addresses = |op: &Op<'_>, id: PortId| op.tx.get::<Port>(&id).map(|port| port.fixed_ips.clone());
        let before = router.gateway.and_then(|gateway| addresses(op, gateway.port_id));
        gateway::change(op, &mut new, asked.as_ref())?;
        is_readdressed = before != new.gateway.and_then(|gateway| addresses(op, gateway.port_id));
    }
    new.enable_ndp_proxy = ndp_proxy::is_enabled(op, router.enable_ndp_proxy, &new, fields.bool("enable_ndp_proxy"))?;
    if let Some(routes) = fields.typed::<Vec<HostRoute>>("routes") {
        routes::validate(op, router.id, &routes)?;
        new.routes = routes;
    }
    if is_readdressed || new != **router {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    schedule(op, router.id);
    Ok(())
}

pub(crate) fn delete(op: &mut Op<'_>, router: &Arc<Router>) -> Result<(), Fault> {
    let attached: Vec<PortId> = interfaces(op.tx.world(), router.id).map(|port| port.id).collect();
    if !attached.is_empty() {
        return Err(RouterFault::InUse(router.id, attached).into());
    }
    for gateway in router.gateways() {
        gateway::leave(op, router, gateway, true)?;
    }
    ha_network::leave(op, router)?;
    conntrack_helper::forget(op, router.id);
    op.tx.remove::<Router>(&router.id);
    Ok(())
}
