//! Names published by Designate's API (a stand-in that keeps zones and record sets) and by dynamic updates of a real server (Knot), as ports and
//! floating IPs come, change and go; through failures and restarts.

use anyhow::{Context, Result, ensure};
use auth::identity::keystone::Credentials;
use base64::Engine;
use external_dns::rfc2136::{Algorithm, SigningKey};
use external_dns::{Config, Journal, Publisher, Service, designate, rfc2136};
use model::{FloatingIp, Network, Port, Subnet};
use net::PortId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{Reply, Scratch, StandIn, output};
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Record, Store, StoreOptions};

const NETWORK: &str = "00000000-0000-4000-8000-000000000001";
const SUBNET: &str = "00000000-0000-4000-8000-000000000002";
const OTHER: &str = "00000000-0000-4000-8000-000000000003";

fn record<R: Record>(mut body: Value) -> R {
    body["standard"] = json!({"created_at": 0, "updated_at": 0, "revision_number": 0});
    serde_json::from_value(body).expect("a record")
}

/// A network of the provider, one of a project, and a subnet of the first.
fn network(id: &str, kind: &str) -> Network {
    let segment = json!({"id": id, "network_type": kind, "physical_network": "p", "segmentation_id": 5});
    record(json!({
        "id": id, "project_id": "p1", "name": "", "admin_state_up": true, "shared": false, "external": false, "port_security_enabled": true,
        "segments": [segment], "dns_domain": "example.org.",
    }))
}

fn port(number: u8, name: &str, addresses: &[&str]) -> Port {
    let addresses: Vec<Value> = addresses.iter().map(|address| json!({"subnet_id": SUBNET, "ip_address": address})).collect();
    record(json!({
        "id": format!("00000000-0000-4000-8000-0000000001{number:02}"), "project_id": "p1", "network_id": NETWORK, "name": "",
        "mac_address": format!("fa:16:3e:00:00:{number:02}"), "admin_state_up": true, "status": "DOWN", "device_id": "", "device_owner": "",
        "ip_allocation": "immediate", "security_groups": [], "fixed_ips": addresses, "port_security_enabled": true, "dns_name": name,
        "binding": {"host": "", "vnic_type": "normal", "vif_type": "unbound"},
    }))
}

fn floating_ip(port: Option<PortId>, name: &str) -> FloatingIp {
    record(json!({
        "id": "00000000-0000-4000-8000-000000000200", "project_id": "p1", "floating_network_id": OTHER, "floating_ip_address": "203.0.113.9",
        "floating_port_id": OTHER, "port_id": port, "status": "DOWN", "dns_name": name, "dns_domain": if name.is_empty() { "" } else { "example.org." },
    }))
}

struct Lab {
    store: Store,
    state: Scratch,
    config: Config,
    publisher: Option<Publisher>,
}

impl Lab {
    async fn start(service: Service) -> Result<Lab> {
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default())?;
        let back_off = (Duration::from_millis(20), Duration::from_millis(100));
        let config = Config { back_off, window: Duration::from_millis(5), ..Config::new(service) };
        let mut lab = Lab { store, state: Scratch::new()?, config, publisher: None };
        lab.put(network(NETWORK, "flat")).await?;
        lab.put(Network { dns_domain: "inside.example.org.".into(), ..network(OTHER, "local") }).await?;
        let subnet = json!({
            "id": SUBNET, "project_id": "p1", "network_id": NETWORK, "name": "", "cidr": "192.0.2.0/24", "gateway_ip": null, "allocation_pools": [],
            "enable_dhcp": false,
        });
        lab.put(record::<Subnet>(subnet)).await?;
        lab.publish()?;
        Ok(lab)
    }

    /// A publisher, as a server starts one.
    fn publish(&mut self) -> Result<()> {
        let journal = Journal::open(&self.state.path().join("dns"))?;
        let ml2 = ml2::Config { external_dns: true, ..ml2::Config::default() };
        let publisher = Publisher::start(&self.store, self.config.clone(), ml2, journal).map_err(anyhow::Error::msg)?;
        self.publisher = Some(publisher);
        Ok(())
    }

    async fn stop(&mut self) {
        if let Some(publisher) = self.publisher.take() {
            publisher.close().await;
        }
    }

    async fn put<R: Record>(&self, record: R) -> Result<()> {
        let put = move |tx: &mut world::Tx| -> Result<(), ()> {
            tx.put(record.clone());
            Ok(())
        };
        self.store.commit("req-1".into(), put).await?.ok().context("it is taken")?;
        Ok(())
    }

    async fn remove<R: Record>(&self, record: &R) -> Result<()> {
        let id = record.id();
        let remove = move |tx: &mut world::Tx| -> Result<bool, ()> { Ok(tx.remove::<R>(&id).is_some()) };
        self.store.commit("req-1".into(), remove).await?.ok().context("it is taken")?;
        Ok(())
    }
}

async fn eventually(what: &str, holds: impl Fn() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(15);
    while !holds()? {
        ensure!(Instant::now() < until, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// The life of names, whatever the service; `has` tells the values of a record set, in order, parted by blanks.
async fn live_and_go(lab: &mut Lab, has: &impl Fn(&str, &str) -> Result<String>) -> Result<()> {
    let is = |name: &'static str, kind: &'static str, values: &'static str| async move {
        eventually(&format!("{name} {kind} to be {values:?}"), || Ok(has(name, kind)? == values)).await
    };
    let web = port(1, "web", &["192.0.2.11", "2001:db8::11"]);
    lab.put(web.clone()).await?;
    is("web.example.org.", "A", "192.0.2.11").await?;
    is("web.example.org.", "AAAA", "2001:db8::11").await?;
    is("11.2.0.192.in-addr.arpa.", "PTR", "web.example.org.").await?;
    // Another address, a further port of this name, another name, another domain.
    lab.put(Port { fixed_ips: port(1, "", &["192.0.2.12"]).fixed_ips, ..web.clone() }).await?;
    is("web.example.org.", "A", "192.0.2.12").await?;
    is("web.example.org.", "AAAA", "").await?;
    is("11.2.0.192.in-addr.arpa.", "PTR", "").await?;
    let second = port(2, "web", &["192.0.2.13"]);
    lab.put(second.clone()).await?;
    is("web.example.org.", "A", "192.0.2.12 192.0.2.13").await?;
    lab.put(Port { dns_name: "www".into(), ..second.clone() }).await?;
    is("web.example.org.", "A", "192.0.2.12").await?;
    is("www.example.org.", "A", "192.0.2.13").await?;
    is("13.2.0.192.in-addr.arpa.", "PTR", "www.example.org.").await?;
    lab.remove(&second).await?;
    is("www.example.org.", "A", "").await?;
    // Floating IPs: of a port on a network that nobody outside reaches, and with names of their own.
    let inside = Port { network_id: OTHER.parse()?, ..port(3, "db", &["192.0.2.14"]) };
    lab.put(inside.clone()).await?;
    lab.put(floating_ip(Some(inside.id), "")).await?;
    is("db.inside.example.org.", "A", "203.0.113.9").await?;
    lab.put(floating_ip(Some(inside.id), "own")).await?;
    is("own.example.org.", "A", "203.0.113.9").await?;
    is("db.inside.example.org.", "A", "").await?;
    is("9.113.0.203.in-addr.arpa.", "PTR", "own.example.org.").await?;
    lab.remove(&floating_ip(None, "")).await?;
    is("own.example.org.", "A", "").await?;
    // What changes while nobody publishes is made up for.
    lab.stop().await;
    lab.remove(&web).await?;
    let late = port(4, "late", &["192.0.2.15"]);
    lab.put(late.clone()).await?;
    lab.publish()?;
    is("late.example.org.", "A", "192.0.2.15").await?;
    is("web.example.org.", "A", "").await?;
    // A network without a domain publishes nothing.
    lab.put(Network { dns_domain: Default::default(), ..network(NETWORK, "flat") }).await?;
    is("late.example.org.", "A", "").await?;
    lab.put(network(NETWORK, "flat")).await?;
    is("late.example.org.", "A", "192.0.2.15").await?;
    Ok(())
}

/// What the stand-in of Designate keeps: zones, and record sets by their ids.
#[derive(Default)]
struct Kept {
    zones: Vec<String>,
    sets: BTreeMap<String, Value>,
    made: usize,
}

impl Kept {
    fn answer(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked =
            |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.trim_start_matches("/dns/v2/").split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["zones"]) => {
                let found = self.zones.iter().filter(|zone| **zone == asked("name")).map(|zone| json!({"id": zone, "name": zone}));
                Reply(200, json!({"zones": found.collect::<Vec<_>>()}))
            }
            ("POST", ["zones"]) => {
                let name = body["name"].as_str().expect("a name").to_owned();
                self.zones.push(name.clone());
                Reply(202, json!({"id": name, "name": name}))
            }
            ("GET", ["zones", _, "recordsets"]) => {
                let is_asked = |set: &&Value| set["name"] == asked("name") && set["type"] == asked("type");
                Reply(200, json!({"recordsets": self.sets.values().filter(is_asked).collect::<Vec<_>>()}))
            }
            ("POST", ["zones", zone, "recordsets"]) => {
                self.made += 1;
                let id = format!("set-{}", self.made);
                let set = json!({"id": id, "zone": zone, "name": body["name"], "type": body["type"], "records": body["records"]});
                self.sets.insert(id, set.clone());
                Reply(202, set)
            }
            ("PUT", ["zones", _, "recordsets", id]) => match self.sets.get_mut(*id) {
                Some(set) => {
                    set["records"] = body["records"].clone();
                    Reply(202, set.clone())
                }
                None => Reply(404, json!({})),
            },
            ("DELETE", ["zones", _, "recordsets", id]) => Reply(if self.sets.remove(*id).is_some() { 202 } else { 404 }, json!({})),
            _ => Reply(400, json!({"message": format!("{method} {path}")})),
        }
    }

    fn values(&self, name: &str, kind: &str) -> String {
        let set = self.sets.values().find(|set| set["name"] == name && set["type"] == kind);
        let values = set.and_then(|set| set["records"].as_array()).into_iter().flatten().filter_map(Value::as_str);
        values.collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_designate() -> Result<()> {
    let kept: Arc<Mutex<Kept>> = Arc::default();
    let broken = Arc::new(AtomicU16::new(0));
    let (keeper, status) = (kept.clone(), broken.clone());
    let stand_in = StandIn::start(move |asked| match status.load(Ordering::SeqCst) {
        0 => keeper.lock().expect("not poisoned").answer(&asked.method, &asked.path, &asked.body),
        status => Reply(status, json!({"message": "broken"})),
    })?;
    let user = Credentials::new(stand_in.url(), "secret");
    let service = designate::Config { url: None, interface: "public".to_owned(), region: None, user, ptr_zone_email: None };
    let mut lab = Lab::start(Service::Designate(service)).await?;
    let has = |name: &str, kind: &str| Ok(kept.lock().expect("not poisoned").values(name, kind));
    // There is no such zone yet: that is this name's trouble, and tried again.
    lab.put(port(9, "early", &["192.0.2.19"])).await?;
    eventually("a first attempt", || Ok(!stand_in.seen().is_empty())).await?;
    kept.lock().expect("not poisoned").zones.extend(["example.org.", "inside.example.org."].map(str::to_owned));
    eventually("the name", || Ok(has("early.example.org.", "A")? == "192.0.2.19")).await?;
    live_and_go(&mut lab, &has).await?;
    for status in [500, 503, 429] {
        broken.store(status, Ordering::SeqCst);
        let count = stand_in.seen().len();
        lab.put(port(5, &format!("n{status}"), &["192.0.2.16"])).await?;
        eventually("three attempts", || Ok(stand_in.seen().len() > count + 3)).await?;
        broken.store(0, Ordering::SeqCst);
        eventually("the name", || Ok(has(&format!("n{status}.example.org."), "A")? == "192.0.2.16")).await?;
    }
    stand_in.revoke();
    lab.remove(&port(5, "", &[])).await?;
    eventually("the name to go", || Ok(has("n429.example.org.", "A")?.is_empty())).await?;
    let seen = stand_in.seen();
    ensure!(seen.iter().all(|asked| asked.header("x-auth-all-projects") == "true"));
    lab.stop().await;
    Ok(())
}

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const DNS: &str = "127.0.0.1:5353";

/// A Knot with directories of its own, which takes signed updates.
fn knot(home: &Path) -> Result<Child> {
    let secret = base64::prelude::BASE64_STANDARD.encode(SECRET);
    let zones = ["example.org", "2.0.192.in-addr.arpa", "113.0.203.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"];
    let mut text = format!(
        "server:\n  listen: 127.0.0.1@5353\n  rundir: {0}\ndatabase:\n  storage: {0}\nkey:\n  - id: neutrino\n    algorithm: hmac-sha256\n    \
         secret: {secret}\nacl:\n  - id: updates\n    key: neutrino\n    action: update\ntemplate:\n  - id: default\n    storage: {0}\n    \
         acl: updates\n    zonefile-sync: -1\nzone:\n",
        home.display()
    );
    for zone in zones {
        text.push_str(&format!("  - domain: {zone}\n    file: {zone}.zone\n"));
        let file = format!("$ORIGIN {zone}.\n@ 60 SOA ns.example.org. admin.example.org. 1 60 60 60 60\n@ 60 NS ns.example.org.\n");
        std::fs::write(home.join(format!("{zone}.zone")), file)?;
    }
    std::fs::write(home.join("knot.conf"), text)?;
    let mut command = Command::new("knotd");
    command.arg("-c").arg(home.join("knot.conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.spawn()?)
}

/// What the server answers, in order.
fn asked(name: &str, kind: &str) -> Result<String> {
    let text = output(&["kdig", "+tcp", "+short", "+time=2", "@127.0.0.1", "-p", "5353", name, kind])?;
    let mut values: Vec<&str> = text.lines().filter(|line| !line.starts_with(';')).collect();
    values.sort_unstable();
    Ok(values.join(" "))
}

async fn by_updates() -> Result<()> {
    let home = Scratch::new()?;
    let key = |secret: &[u8]| SigningKey::new("neutrino.", Algorithm::Sha256, secret).map_err(anyhow::Error::msg);
    let service = |key| Service::Rfc2136(rfc2136::Config { server: DNS.to_owned(), key, ttl: 60 });
    let mut lab = Lab::start(service(Some(key(SECRET)?))).await?;
    // The server is not there yet.
    lab.put(port(9, "early", &["192.0.2.19"])).await?;
    lab.stop().await;
    lab.config.zones = ["example.org.", "8.b.d.0.1.0.0.2.ip6.arpa."].map(str::to_owned).to_vec();
    lab.publish()?;
    let mut server = knot(home.path())?;
    eventually("the first name", || Ok(asked("early.example.org.", "A").unwrap_or_default() == "192.0.2.19")).await?;
    live_and_go(&mut lab, &asked).await?;
    // Nobody else can do that.
    lab.stop().await;
    for wrong in [Some(key(b"another")?), None] {
        lab.config.service = service(wrong);
        lab.publish()?;
        lab.put(port(6, "forged", &["192.0.2.17"])).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        lab.stop().await;
        ensure!(asked("forged.example.org.", "A")?.is_empty(), "an update without the key was taken");
    }
    lab.config.service = service(Some(key(SECRET)?));
    lab.publish()?;
    eventually("the name", || Ok(asked("forged.example.org.", "A")? == "192.0.2.17")).await?;
    server.kill()?;
    server.wait()?;
    Ok(())
}

fn run(body: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(body)
}

testkit::isolated_tests! {
    fn by_dynamic_updates() {
        if Command::new("knotd").arg("--version").output().is_err() || Command::new("kdig").arg("--version").output().is_err() {
            println!("SKIPPED: Knot is not installed (knot, knot-dnsutils)");
            return Ok(());
        }
        run(by_updates())
    }
}
