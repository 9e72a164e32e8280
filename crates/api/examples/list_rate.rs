//! What the frame costs: a list of 5,000 records like ports, a single GET, a create, all within this process and without HTTP.
//!
//! `cargo run --release -p api --example list_rate [records]`

use api::{Attribute, Cell, CellOf, Fault, Fields, Kind, Op, Registry, Resource, Server, ServerOptions, Settings};
use auth::Policy;
use auth::identity::{Identity, NoAuth};
use bytes::Bytes;
use http::{Request, Response};
use model::{Binding, FixedIp, Network, Port, PortStatus, Standard};
use net::{Mac, NetworkId, PortId, ProjectId, SecurityGroupId, SubnetId};
use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions, Tx};

const NETWORK: NetworkId = NetworkId(Uuid::from_u128(7));

fn attribute(name: &'static str, kind: Kind, cell: CellOf<Port>) -> Attribute<Port> {
    Attribute::new(name, kind, cell).filter().sort()
}

fn attributes() -> Vec<Attribute<Port>> {
    let text = Kind::Text(255);
    let list = Kind::Special { name: "list", check: Ok, form: api::schema::any };
    vec![
        attribute("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)),
        attribute("name", text, |v| Cell::Str(&v.record.name)).post_or("").put(),
        attribute("network_id", Kind::Uuid, |v| Cell::Uuid(v.record.network_id.0)).required(),
        attribute("project_id", text, |v| Cell::Str(v.record.project_id.as_str())).post(),
        attribute("mac_address", Kind::Mac, |v| Cell::Mac(v.record.mac_address)).post().put().policy(),
        attribute("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put(),
        attribute("status", text, |v| Cell::Str(v.record.status.as_str())),
        attribute("device_id", text, |v| Cell::Str(&v.record.device_id)).post_or("").put(),
        attribute("device_owner", text, |v| Cell::Str(&v.record.device_owner)).post_or("").put().policy(),
        attribute("fixed_ips", list, |v| Cell::Json(&v.record.fixed_ips)).post().put().policy(),
        attribute("allowed_address_pairs", list, |v| Cell::Json(&v.record.allowed_address_pairs)).post().put().policy(),
        attribute("extra_dhcp_opts", list, |v| Cell::Json(&v.record.extra_dhcp_opts)).post().put(),
        attribute("security_groups", Kind::UuidList, |v| Cell::Uuids(v.record.security_groups.iter().map(|id| id.0).collect())).post(),
        attribute("description", text, |v| Cell::Str(&v.record.standard.description)).post_or("").put(),
        attribute("binding:vnic_type", text, |v| Cell::Str(v.record.binding.vnic_type.as_str())).post_or("normal").put().policy(),
        attribute("binding:profile", Kind::ObjectOrNull, |v| Cell::Json(&v.record.binding.profile)).post().put().policy(),
        attribute("binding:host_id", Kind::TextOrNull(255), |v| Cell::Str(v.record.binding.host.as_str())).post().put().policy(),
        attribute("binding:vif_type", text, |v| Cell::Str(v.record.binding.vif_type.as_str())),
        attribute("binding:vif_details", Kind::ObjectOrNull, |v| Cell::Json(&v.record.binding.vif_details)),
        attribute("port_security_enabled", Kind::Bool, |v| Cell::Bool(v.record.port_security_enabled)).post().put().policy(),
        attribute("qos_policy_id", Kind::UuidOrNull, |_| Cell::Null),
        attribute("qos_network_policy_id", Kind::UuidOrNull, |_| Cell::Null),
        attribute("dns_name", text, |_| Cell::Str("")),
        attribute("dns_domain", text, |_| Cell::Str("")),
        attribute("resource_request", text, |_| Cell::Null),
        attribute("ip_allocation", text, |v| Cell::Str(v.record.ip_allocation.as_str())),
        attribute("tags", list, |_| Cell::Json(&[0_u8; 0])),
        attribute("created_at", text, |v| Cell::Time(v.record.standard.created_at)),
        attribute("updated_at", text, |v| Cell::Time(v.record.standard.updated_at)),
        attribute("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())),
    ]
}

fn resource() -> Resource<Port> {
    Resource {
        attributes: attributes(),
        create: Some(create),
        parent_project: |v, _| v.world.get::<Network>(&v.record.network_id).map(|network| &network.project_id),
        parent_project_of: |world, _, _| world.get::<Network>(&NETWORK).map(|network| &network.project_id),
        quota: Some(api::Quota { default: -1, by_project: Port::BY_PROJECT }),
        ..Resource::new("port", "ports", "PortNotFound", |id| format!("Port {id} could not be found."))
    }
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<PortId, Fault> {
    Ok(put(op.tx, fields.typed("project_id").unwrap_or_default()))
}

fn put(tx: &mut Tx, project_id: ProjectId) -> PortId {
    let id = tx.context.uuid();
    let number = u32::try_from(id.as_u128() & 0xff_ffff).expect("24 bits");
    tx.put(Port {
        name: "a-usual-name".into(),
        status: PortStatus::Active,
        device_id: "7c9b1c9e-8a3f-4a5e-9d63-000000000001".into(),
        device_owner: "compute:nova".into(),
        fixed_ips: vec![FixedIp { subnet_id: SubnetId(Uuid::from_u128(9)), ip_address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | number)) }],
        security_groups: vec![SecurityGroupId(Uuid::from_u128(11))],
        binding: Binding { host: "compute-1".into(), ..Binding::default() },
        ..Port::new(PortId(id), NETWORK, project_id, Mac([0xfa, 0x16, 0x3e, 1, 2, 3]), Standard::new(tx.context.now, "".into()))
    });
    PortId(id)
}

fn put_network(tx: &mut Tx) -> Result<(), Infallible> {
    tx.put(Network { name: "n".into(), ..Network::new(NETWORK, "p1".into(), Standard::default()) });
    Ok(())
}

fn request(method: &str, path: &str, roles: &str, body: &'static str) -> Request<Bytes> {
    let builder = Request::builder().method(method).uri(path).header("x-project-id", "p1").header("x-roles", roles);
    builder.body(Bytes::from_static(body.as_bytes())).expect("a request")
}

/// The median duration of `rounds` runs.
async fn median(rounds: usize, mut run: impl AsyncFnMut()) -> Duration {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        run().await;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[rounds / 2]
}

async fn expect(server: &Server, request: Request<Bytes>, status: u16) -> Response<Bytes> {
    let response = server.respond(request).await;
    assert_eq!(response.status().as_u16(), status, "{:?}", response.body());
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let records = std::env::args().nth(1).map_or(Ok(5000), |text| text.parse())?;
    let memory = Memory::new(Locking::Pessimistic, 1);
    let store = Store::open(memory.engine(), Arc::new(model::schema()), StoreOptions::default())?;
    store.commit("req-1".into(), put_network).await?.expect("cannot fail");
    let fill = move |tx: &mut Tx| Ok::<Vec<PortId>, Infallible>((0..records).map(|_| put(tx, "p1".into())).collect());
    let ids = store.commit("req-2".into(), fill).await?.expect("cannot fail").answer;
    let identity = Identity::None(NoAuth::default());
    let registry = Registry::new().resource(resource());
    let server = Server::new(store.clone(), registry, Policy::defaults(), identity, Settings::new(), ServerOptions::default());

    for (name, path, roles) in [
        ("list, admin", "/v2.0/ports", "admin"),
        ("list, member", "/v2.0/ports", "member"),
        ("list of ids, admin", "/v2.0/ports?fields=id", "admin"),
        ("list sorted by name", "/v2.0/ports?sort_key=name&sort_dir=asc", "admin"),
        ("list, one found", "/v2.0/ports?name=nobody", "admin"),
        ("page of 100", "/v2.0/ports?limit=100", "admin"),
    ] {
        let size = expect(&server, request("GET", path, roles, ""), 200).await.body().len();
        let time = median(31, async || drop(expect(&server, request("GET", path, roles, ""), 200).await)).await;
        println!("{name:24} {records:7} records {:9.3} ms {:9} bytes", time.as_secs_f64() * 1e3, size);
    }
    let mut next = ids.iter().cycle();
    for roles in ["admin", "member"] {
        let mut get = || format!("/v2.0/ports/{}", next.next().expect("a cycle does not end"));
        let time = median(20_001, async || drop(expect(&server, request("GET", &get(), roles, ""), 200).await)).await;
        println!("single GET, {roles:12} {:>34.1} µs", time.as_secs_f64() * 1e6);
    }
    const BODY: &str = r#"{"port": {"network_id": "00000000-0000-0000-0000-000000000007", "name": "x", "admin_state_up": true}}"#;
    let whole = median(5001, async || drop(expect(&server, request("POST", "/v2.0/ports", "member", BODY), 201).await)).await;
    let one = |tx: &mut Tx| Ok::<PortId, Infallible>(put(tx, "p1".into()));
    let bare = median(5001, async || drop(store.commit("req-3".into(), one).await)).await;
    let overhead = whole.saturating_sub(bare).as_secs_f64() * 1e6;
    println!(
        "create, member {:>43.1} µs, of which the log takes {:.1} µs, the frame {overhead:.1} µs",
        whole.as_secs_f64() * 1e6,
        bare.as_secs_f64() * 1e6
    );
    Ok(())
}
