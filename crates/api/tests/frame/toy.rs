//! Networks and ports as small resources: enough of each to see every part of the frame at work.

use crate::client::Client;
use api::{
    Answer, Answering, Attribute, Cell, CellOf, Collection, Concerning, Extension, Fault, Fields, Invalid, Kind, Matcher, Narrow, Op,
    Prepare, Quota,
};
use api::{Registry, Request, Resource, Route, Server, ServerOptions, Settings, schema};
use auth::Policy;
use auth::identity::{Identity, NoAuth};
use model::{FixedIp, IpAllocation, Network, Port, Standard};
use net::{Mac, NetworkId, PortId, ProjectId, SubnetId};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions, World};

/// A served API.
pub struct Toy {
    pub server: Server,
    pub client: Client,
    pub memory: Memory,
    shutdown: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Toy {
    pub async fn start() -> Toy {
        Toy::with(ServerOptions::default()).await
    }

    pub async fn of(registry: Registry) -> Toy {
        Toy::new(registry, no_auth(), ServerOptions::default()).await
    }

    pub async fn identified(identity: Identity) -> Toy {
        Toy::new(registry(), identity, ServerOptions::default()).await
    }

    pub async fn with(options: ServerOptions) -> Toy {
        Toy::new(registry(), no_auth(), options).await
    }

    async fn new(registry: Registry, identity: Identity, options: ServerOptions) -> Toy {
        let memory = Memory::new(Locking::Pessimistic, 1);
        let store_options = StoreOptions { seed: Some(1), ..StoreOptions::default() };
        let store = Store::open(memory.engine(), Arc::new(model::schema()), store_options).expect("the store opens");
        let server = Server::new(store, registry, Policy::defaults(), identity, Settings::new(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let client = Client::new(listener.local_addr().expect("an address"));
        let (shutdown, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.clone().serve(listener, async {
            let _ = ended.await;
        }));
        Toy { server, client, memory, shutdown: Some(shutdown), serving }
    }

    /// Ends serving and waits until it has.
    pub async fn stop(mut self) {
        self.shutdown.take().expect("it runs").send(()).expect("it listens");
        self.serving.await.expect("it does not panic");
    }
}

fn no_auth() -> Identity {
    Identity::None(NoAuth::new(ProjectId::from("p1")))
}

pub fn registry() -> Registry {
    Registry::new()
        .core_resource(networks())
        .core_resource(ports())
        .member("networks", "rename", |_| Arc::new(Rename))
        .member("networks", "panic", |_| Arc::new(Panics))
        .extensions([Extension {
            name: "Neutron Toy",
            alias: "toy",
            description: "Shows the frame.",
            updated: "2026-11-21T10:00:00-00:00",
        }])
        .mount(
            "/console",
            Arc::new(|_, base| {
                let body = format!("console of {base}");
                Box::pin(async move { http::Response::new(body.into()) })
            }),
        )
}

fn network(name: &'static str, kind: Kind, cell: CellOf<Network>) -> Attribute<Network> {
    Attribute::new(name, kind, cell)
}

fn port(name: &'static str, kind: Kind, cell: CellOf<Port>) -> Attribute<Port> {
    Attribute::new(name, kind, cell)
}

pub fn networks() -> Resource<Network> {
    let attributes = vec![
        network("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        network("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        network("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        network("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put().filter().sort(),
        network("mtu", Kind::IntRange(68, 9000), |v| Cell::Int(i64::from(v.record.mtu.unwrap_or(1450)))).post().put().filter().sort(),
        network("status", Kind::Text(16), |_| Cell::Str("ACTIVE")).filter().sort(),
        network("shared", Kind::Bool, |v| Cell::Bool(v.record.shared)).post_or(false).put().filter().policy(),
        network("provider:network_type", Kind::Text(32), |_| Cell::Str("vxlan")).post().filter().policy(),
        network("segments", Kind::ObjectOrNull, |v| Cell::Json(&v.record.segments)),
        network("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        network("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number as i64)),
    ];
    Resource {
        attributes,
        create: Some(create_network),
        update: Some(update_network),
        delete: Some(delete_network),
        prepare: Some(Prepare { needed: first_needed, run: make_first }),
        concerning: Some(Concerning::By(|world, caller| {
            let networks = world.table::<Network>();
            let own = networks.ids(Network::BY_PROJECT, &caller.project_id);
            own.chain(networks.ids(Network::COMMON, 0)).copied().collect()
        })),
        quota: Some(Quota { default: 100, by_project: Network::BY_PROJECT }),
        revision_number: Some(|network| network.standard.revision_number),
        ..Resource::new("network", "networks", "NetworkNotFound", |id| format!("Network {id} could not be found."))
    }
    .tagged()
}

/// The project `prepared` has a network from its first look on.
fn first_needed(world: &World, project: &ProjectId) -> bool {
    project.as_str() == "prepared" && !world.table::<Network>().has(Network::BY_PROJECT, project)
}

fn make_first(op: &mut Op<'_>, project: &ProjectId) -> Result<(), Fault> {
    let fields = Fields::default();
    put_network(op, project.clone(), &fields);
    Ok(())
}

fn create_network(op: &mut Op<'_>, fields: &Fields) -> Result<NetworkId, Fault> {
    if fields.text("name").is_some_and(|name| name == "panic") {
        panic!("asked for by the test");
    }
    if fields.text("name").is_some_and(|name| name == "refused") {
        return Err(Fault::invalid_input("this name is refused"));
    }
    let project = fields.typed::<ProjectId>("project_id").expect("the frame fills it in");
    Ok(put_network(op, project, fields))
}

fn put_network(op: &mut Op<'_>, project_id: ProjectId, fields: &Fields) -> NetworkId {
    let id = NetworkId(op.tx.context.uuid());
    op.tx.put(Network {
        name: fields.text("name").unwrap_or_default(),
        admin_state_up: fields.bool("admin_state_up").unwrap_or(true),
        shared: fields.bool("shared").unwrap_or(false),
        mtu: fields.int("mtu").and_then(|mtu| u32::try_from(mtu).ok()),
        ..Network::new(id, project_id, Standard::new(op.tx.context.now, "".into()))
    });
    id
}

fn update_network(op: &mut Op<'_>, network: &Arc<Network>, fields: &Fields) -> Result<(), Fault> {
    let now = op.tx.context.now;
    let name = fields.text("name");
    let shared = fields.bool("shared");
    if name.is_some() || shared.is_some() {
        op.tx.update::<Network>(&network.id, |network| {
            network.name = name.unwrap_or_else(|| network.name.clone());
            network.shared = shared.unwrap_or(network.shared);
            network.standard.touch(now);
        });
    }
    Ok(())
}

fn delete_network(op: &mut Op<'_>, network: &Arc<Network>) -> Result<(), Fault> {
    if op.tx.table::<Port>().has(Port::BY_NETWORK, network.id) {
        return Err(Fault::new(409, "NetworkInUse", format!("Network {} is in use.", network.id)));
    }
    op.tx.remove::<Network>(&network.id);
    Ok(())
}

pub fn ports() -> Resource<Port> {
    let attributes = vec![
        port("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        port("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        port("network_id", Kind::Uuid, |v| Cell::Uuid(v.record.network_id.0)).required().filter().sort(),
        port("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        port("fixed_ips", Kind::Special { name: "fixed_ips", check: Ok, form: schema::any }, |v| Cell::Json(&v.record.fixed_ips))
            .post()
            .put()
            .policy()
            .filter_by(fixed_ips_filter),
        port("device_owner", Kind::Text(255), |v| Cell::Str(&v.record.device_owner)).post_or("").put().filter().policy(),
        port("security_groups", Kind::UuidList, |v| Cell::Uuids(v.record.security_groups.iter().map(|id| id.0).collect())).post().filter(),
        port("binding:host_id", Kind::TextOrNull(255), |v| Cell::Str(v.record.binding.host.as_str())).post_or("").filter().policy(),
    ];
    Resource {
        attributes,
        create: Some(create_port),
        update: Some(|_, _, _| Ok(())),
        delete: Some(|op, port| {
            op.tx.remove::<Port>(&port.id);
            Ok(())
        }),
        parent_project: |v, parent| {
            (parent == "network").then(|| v.world.get::<Network>(&v.record.network_id)).flatten().map(|network| &network.project_id)
        },
        parent_project_of: |world, fields, parent| {
            (parent == "network").then(|| network_of(world, fields)).flatten().map(|n| &n.project_id)
        },
        policy_field: |v, name| {
            let network = v.world.get::<Network>(&v.record.network_id)?;
            (name == "shared").then(|| if network.shared { "True".into() } else { "False".into() })
        },
        policy_field_of: |world, _, fields, name| {
            let network = network_of(world, fields)?;
            (name == "shared").then(|| if network.shared { "True".into() } else { "False".into() })
        },
        references: Some(|op, fields| match network_of(op.tx.world(), fields) {
            Some(network) if op.caller.is_admin || network.shared || op.caller.owns(network.project_id.as_str()) => Ok(()),
            _ => {
                let id = fields.text("network_id").unwrap_or_default();
                Err(Fault::new(404, "NetworkNotFound", format!("Network {id} could not be found.")))
            }
        }),
        narrow: vec![("network_id", Narrow::Id(Port::BY_NETWORK))],
        quota: Some(Quota { default: 500, by_project: Port::BY_PROJECT }),
        ..Resource::new("port", "ports", "PortNotFound", |id| format!("Port {id} could not be found."))
    }
}

fn network_of<'w>(world: &'w World, fields: &Fields) -> Option<&'w Arc<Network>> {
    world.get(&fields.get("network_id")?.as_str()?.parse().ok()?)
}

fn create_port(op: &mut Op<'_>, fields: &Fields) -> Result<PortId, Fault> {
    let id = PortId(op.tx.context.uuid());
    let addresses = fields.get("fixed_ips").and_then(Value::as_array).cloned().unwrap_or_default();
    let address = |value: &Value| value.get("ip_address")?.as_str()?.parse::<IpAddr>().ok();
    op.tx.put(Port {
        name: fields.text("name").unwrap_or_default(),
        device_owner: fields.text("device_owner").unwrap_or_default(),
        fixed_ips: addresses.iter().filter_map(address).map(|ip_address| FixedIp { subnet_id: SubnetId::MIN, ip_address }).collect(),
        ip_allocation: IpAllocation::None,
        security_groups: fields.typed("security_groups").unwrap_or_default(),
        ..Port::new(
            id,
            fields.typed("network_id").expect("it is required"),
            fields.typed("project_id").expect("the frame fills it in"),
            Mac([0xfa, 0x16, 0x3e, 0, 0, 1]),
            Standard::new(op.tx.context.now, "".into()),
        )
    });
    Ok(id)
}

/// `ip_address=<address>`, any of those given.
fn fixed_ips_filter(values: &[&str]) -> Result<Matcher<Port>, Invalid> {
    let mut wanted: Vec<IpAddr> = Vec::new();
    for value in values {
        let Some((_, address)) = value.split_once('=') else {
            return Err(Invalid::Conversion(format!("'{value}' is not of the form <key>=[value]")));
        };
        wanted.extend(address.parse::<IpAddr>());
    }
    Ok(Box::new(move |v| v.record.fixed_ips.iter().any(|fixed_ip| wanted.contains(&fixed_ip.ip_address))))
}

/// `PUT /v2.0/networks/<id>/rename`: an action written by hand.
struct Rename;

impl Collection for Rename {
    fn routes(&self) -> Vec<Route> {
        vec![Route::put("/{id}/rename", schema::dictionary(), schema::dictionary())]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            if request.method != http::Method::PUT {
                return Err(Fault::method_not_allowed());
            }
            let body = api::object(request.body)?;
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let id: NetworkId = request.path[0].parse().map_err(|_| Fault::no_such_path())?;
            let run =
                move |_: &api::Frame, op: &mut Op<'_>| Ok(op.tx.update::<Network>(&id, |network| network.name = name.as_str().into()));
            let done = request.frame.commit(&request.caller, run).await?;
            Ok(Answer::value(200, &serde_json::json!({ "renamed": done.answer })))
        })
    }
}

/// `/v2.0/networks/<id>/panic`
struct Panics;

impl Collection for Panics {
    fn routes(&self) -> Vec<Route> {
        Vec::new()
    }

    fn handle<'a>(&'a self, _request: &'a Request<'a>) -> Answering<'a> {
        panic!("asked for by the test")
    }
}
