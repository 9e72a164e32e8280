//! What creating a port costs above the engine: body, policy, quota, the operation, the world's indexes, the answer.
//!
//! `cargo run --release -p ml2 --example port_create [PORTS]` prints microseconds of processor time per port as their number grows, for
//! an administrator without a limit and for a member of a project with one. Requests go to the router in process, the log is in memory.

use api::{QuotaConfig, Registry, Server, ServerOptions, Settings};
use auth::Policy;
use auth::identity::{Identity, NoAuth};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

fn server(limit: i64) -> Server {
    let engine = Memory::new(Locking::Pessimistic, 1).engine();
    let store = Store::open(engine, Arc::new(model::schema()), StoreOptions::default()).expect("an empty state");
    let settings = Settings::new().with(Arc::new(ml2::Config::default())).with(Arc::new(ml2::Heartbeats::new()));
    let limits = [("port".to_owned(), limit)].into();
    let registry = Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .quotas(&QuotaConfig { limits });
    Server::new(store, registry, Policy::defaults(), Identity::None(NoAuth::default()), settings, ServerOptions::default())
}

async fn post(server: &Server, collection: &str, body: &Value) -> Value {
    let request = Request::post(format!("http://localhost/v2.0/{collection}"))
        .header("X-Project-Id", "p1")
        .header("X-Roles", "member")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let response = server.respond(request).await;
    assert_eq!(response.status(), 201, "{:?}", response.body());
    serde_json::from_slice(response.body()).expect("JSON")
}

fn main() {
    let ports: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for (what, limit) in [("no limit", -1), ("a limit just above", i64::try_from(ports + 1).expect("a number"))] {
        runtime.block_on(async {
            let server = server(limit);
            let network = post(&server, "networks", &json!({"network": {"name": "n"}})).await["network"]["id"].clone();
            let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/8"});
            post(&server, "subnets", &json!({ "subnet": subnet })).await;
            let body = json!({"port": {"network_id": network, "name": "p"}});
            let step = ports / 4;
            for quarter in 0..4 {
                let start = Instant::now();
                for _ in 0..step {
                    post(&server, "ports", &body).await;
                }
                let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(step).expect("a number of ports"));
                println!("{what}: {each:6.1} us per port from {} to {}", quarter * step, (quarter + 1) * step);
            }
        });
    }
}
