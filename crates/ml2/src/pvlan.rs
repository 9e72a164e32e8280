//! Private VLANs: networks whose ports do not all reach each other (extension `pvlan`). A promiscuous port reaches and is reached by all, one of
//! a community by its community and promiscuous ones, an isolated one by promiscuous ones alone.
//!
//! A network says that it is private; its ports are promiscuous unless they say otherwise. Both are filtered, so both have port security.
//! Deliberately absent: what hosts are told; for now ports reach each other whatever they are.

use api::{Addition, Attribute, Cell, Enforcer, Extension, Fault, Fields, Invalid, Kind, Missing, Op, Preview, View, python, schema};
use model::{Network, Port, PvlanType, device_owner};
use net::{NetworkId, PortId};
use serde_json::{Value, json};
use std::sync::Arc;

/// The extension.
pub const ALIAS: &str = "pvlan";

const PRIVATE: &str = "pvlan";
const TYPE: &str = "pvlan_type";
const COMMUNITY: &str = "pvlan_community";

/// The longest name of a community, in characters.
const MAX_COMMUNITY: usize = 232;

/// For the registry.
pub fn preview() -> Preview {
    let extension = Extension {
        alias: ALIAS,
        name: "Private VLAN",
        description: "Networks whose ports do not all reach each other.",
        updated: "2026-02-03T10:00:00-00:00",
    };
    let what = "ports of private networks reach each other, whatever they are";
    Preview { extension, missing: Some(Missing { by: Enforcer::L2, what }) }
}

/// Why an operation was refused.
enum Refused {
    /// 400 `PVLANNotEnabledOnNetwork`.
    NotPrivate(NetworkId),
    /// 400 `PVLANCannotSetCommunityName`.
    NoCommunity(PortId),
    /// 400 `PVLANCommunityNameRequired`.
    WhichCommunity(PortId),
    /// 400 `PVLANPortSecurityDisabled`.
    OpenPort(PortId),
    /// 400 `PVLANNetworkPortSecurityDisabled`.
    OpenNetwork(NetworkId),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        let (kind, message) = match refused {
            Refused::NotPrivate(id) => ("PVLANNotEnabledOnNetwork", format!("PVLAN is not enabled on network {id}.")),
            Refused::NoCommunity(id) => {
                let message = format!("PVLAN community name cannot be set if port type is not \"community\" for this port: {id}.");
                ("PVLANCannotSetCommunityName", message)
            }
            Refused::WhichCommunity(id) => {
                ("PVLANCommunityNameRequired", format!("Community name is required for ports with PVLAN type \"community\": {id}."))
            }
            Refused::OpenPort(id) => ("PVLANPortSecurityDisabled", format!("Port security is disabled for port {id}, cannot set PVLAN.")),
            Refused::OpenNetwork(id) => {
                ("PVLANNetworkPortSecurityDisabled", format!("Port security is disabled on network {id}, cannot enable PVLAN."))
            }
        };
        Fault::new(400, kind, message)
    }
}

/// For networks: whether one is private.
pub fn of_network() -> Addition<Network> {
    let private = Attribute::new(PRIVATE, Kind::Bool, |v: &View<'_, Network>| Cell::Bool(v.record.pvlan));
    Addition::new(vec![private.post_or(false).put().filter().of(ALIAS)]).set(set_network)
}

fn set_network(op: &mut Op<'_>, before: Option<&Network>, network: &mut Network, fields: &Fields) -> Result<(), Fault> {
    network.pvlan = fields.bool(PRIVATE).unwrap_or(network.pvlan);
    if network.pvlan && !network.port_security_enabled {
        return Err(Refused::OpenNetwork(network.id).into());
    }
    if network.pvlan == before.is_some_and(|before| before.pvlan) {
        return Ok(());
    }
    let now = op.tx.context.now;
    let ports: Vec<Arc<Port>> = op.tx.table::<Port>().by(Port::BY_NETWORK, network.id).cloned().collect();
    for port in ports {
        if network.pvlan {
            check_security(&port)?;
        } else if port.pvlan_type.is_some() {
            op.tx.update::<Port>(&port.id, |port| {
                (port.pvlan_type, port.pvlan_community) = (None, None);
                port.standard.touch(now);
            });
        }
    }
    Ok(())
}

/// Ports of the network's own services are not filtered.
fn check_security(port: &Port) -> Result<(), Refused> {
    let is_own = port.device_owner.starts_with(device_owner::NETWORK_PREFIX);
    if port.port_security_enabled || is_own { Ok(()) } else { Err(Refused::OpenPort(port.id)) }
}

/// For ports: which of the others one reaches.
pub fn of_port() -> Addition<Port> {
    let community = Kind::Special {
        name: "pvlan_community",
        check: community,
        form: || schema::nullable(json!({"type": "string", "pattern": "^[a-zA-Z_.][a-zA-Z_.0-9]*$", "maxLength": MAX_COMMUNITY})),
    };
    Addition::new(vec![
        Attribute::new(TYPE, Kind::WordOrNull(&["isolated", "promiscuous", "community"]), shown_type)
            .post_or(Value::Null)
            .put()
            .filter()
            .of(ALIAS),
        Attribute::<Port>::new(COMMUNITY, community, |v| Cell::optional(v.record.pvlan_community.as_deref(), Cell::Str))
            .post_or(Value::Null)
            .put()
            .filter()
            .of(ALIAS),
    ])
    .set(set_port)
}

/// A name of letters, digits, `_` and `.`, or null.
fn community(value: Value) -> Result<Value, Invalid> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '.');
    let is_name =
        |name: &str| name.len() <= MAX_COMMUNITY && name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    match &value {
        Value::Null => Ok(value),
        Value::String(name) if is_name(name) => Ok(value),
        other => Err(Invalid::Reason(format!("'{}' is not a valid input", python::text(other)))),
    }
}

fn shown_type<'a>(view: &View<'a, Port>) -> Cell<'a> {
    let is_private = view.world.get::<Network>(&view.record.network_id).is_some_and(|network| network.pvlan);
    if is_private { Cell::Str(view.record.pvlan_type.unwrap_or(PvlanType::Promiscuous).as_str()) } else { Cell::Null }
}

fn set_port(op: &mut Op<'_>, _before: Option<&Port>, port: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let asked = fields.text(TYPE).and_then(|word| PvlanType::from_word(&word));
    let name = fields.text(COMMUNITY);
    if !op.tx.get::<Network>(&port.network_id).is_some_and(|network| network.pvlan) {
        let is_asked = asked.is_some() || name.is_some();
        return if is_asked { Err(Refused::NotPrivate(port.network_id).into()) } else { Ok(()) };
    }
    check_security(port)?;
    if !fields.has(TYPE) && !fields.has(COMMUNITY) {
        return Ok(());
    }
    let pvlan_type = if fields.has(TYPE) { asked } else { port.pvlan_type }.unwrap_or(PvlanType::Promiscuous);
    let is_community = pvlan_type == PvlanType::Community;
    if name.is_some() && !is_community {
        return Err(Refused::NoCommunity(port.id).into());
    }
    let name = name.or_else(|| port.pvlan_community.take()).filter(|_| is_community);
    if name.is_none() && is_community {
        return Err(Refused::WhichCommunity(port.id).into());
    }
    (port.pvlan_type, port.pvlan_community) = (Some(pvlan_type), name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Api;
    use serde_json::{Value, json};

    fn refusal(kind: &str) -> (u16, String) {
        (400, kind.to_owned())
    }

    fn put(api: &Api, path: &str, name: &str, body: Value) -> (u16, String) {
        api.refused("PUT", path, &json!({ name: body }))
    }

    fn types(api: &Api, path: &str) -> [Value; 2] {
        let shown = api.show(path);
        [shown["pvlan_type"].clone(), shown["pvlan_community"].clone()]
    }

    #[test]
    fn ports_of_a_private_network() {
        let api = Api::new();
        let network = api.make("network", json!({"pvlan": true}));
        let make = |body: Value| {
            let mut body = body;
            body["network_id"] = json!(network);
            format!("ports/{}", api.make("port", body))
        };
        let first = make(json!({}));
        assert_eq!(types(&api, &first), [json!("promiscuous"), json!(null)]);
        let alone = make(json!({"pvlan_type": "isolated"}));
        assert_eq!(types(&api, &alone), [json!("isolated"), json!(null)]);
        let web = make(json!({"pvlan_type": "community", "pvlan_community": "web.1"}));
        assert_eq!(types(&api, &web), [json!("community"), json!("web.1")]);
        api.accepted("PUT", &web, &json!({"port": {"name": "n"}}));
        api.accepted("PUT", &web, &json!({"port": {"pvlan_type": "community"}}));
        assert_eq!(types(&api, &web), [json!("community"), json!("web.1")], "it keeps its community");
        assert_eq!(api.show("ports?pvlan_type=community&pvlan_community=web.1").as_array().map(Vec::len), Some(1));
        assert_eq!(api.show("networks?pvlan=false"), json!([]));
        api.accepted("PUT", &web, &json!({"port": {"pvlan_type": null}}));
        assert_eq!(types(&api, &web), [json!("promiscuous"), json!(null)]);
        api.accepted("PUT", &format!("networks/{network}"), &json!({"network": {"pvlan": false}}));
        assert_eq!(types(&api, &alone), [json!(null), json!(null)]);
        api.accepted("PUT", &format!("networks/{network}"), &json!({"network": {"pvlan": true}}));
        assert_eq!(types(&api, &alone), [json!("promiscuous"), json!(null)], "what was forgotten does not come back");
    }

    #[test]
    fn what_is_refused() {
        let api = Api::new();
        let private = api.make("network", json!({"pvlan": true}));
        let plain = api.make("network", json!({}));
        let port = format!("ports/{}", api.make("port", json!({"network_id": private})));
        let other = format!("ports/{}", api.make("port", json!({"network_id": plain})));
        let create = |body: Value| api.refused("POST", "ports", &json!({ "port": body }));
        assert_eq!(put(&api, &port, "port", json!({"pvlan_type": "community"})), refusal("PVLANCommunityNameRequired"));
        assert_eq!(put(&api, &port, "port", json!({"pvlan_community": "web"})), refusal("PVLANCannotSetCommunityName"));
        let isolated = json!({"pvlan_type": "isolated", "pvlan_community": "web"});
        assert_eq!(put(&api, &port, "port", isolated), refusal("PVLANCannotSetCommunityName"));
        assert_eq!(put(&api, &other, "port", json!({"pvlan_type": "isolated"})), refusal("PVLANNotEnabledOnNetwork"));
        assert_eq!(create(json!({"network_id": plain, "pvlan_community": "web"})), refusal("PVLANNotEnabledOnNetwork"));
        for name in [json!("1web"), json!("a b"), json!(""), json!(7), json!("a".repeat(233))] {
            let body = json!({"pvlan_type": "community", "pvlan_community": name});
            assert_eq!(put(&api, &port, "port", body), refusal("HTTPBadRequest"), "{name}");
        }
        assert_eq!(put(&api, &port, "port", json!({"pvlan_type": "x"})), refusal("HTTPBadRequest"));
        let open = json!({"port_security_enabled": false, "security_groups": []});
        assert_eq!(put(&api, &port, "port", open.clone()), refusal("PVLANPortSecurityDisabled"));
        let open_network = json!({"port_security_enabled": false});
        assert_eq!(put(&api, &format!("networks/{private}"), "network", open_network), refusal("PVLANNetworkPortSecurityDisabled"));
        api.accepted("PUT", &other, &json!({ "port": open }));
        assert_eq!(put(&api, &format!("networks/{plain}"), "network", json!({"pvlan": true})), refusal("PVLANPortSecurityDisabled"));
        assert_eq!(api.show(&format!("networks/{plain}"))["pvlan"], false, "refusals change nothing");
        let both = json!({"network": {"pvlan": true, "port_security_enabled": false}});
        assert_eq!(api.refused("POST", "networks", &both), refusal("PVLANNetworkPortSecurityDisabled"));
    }
}
