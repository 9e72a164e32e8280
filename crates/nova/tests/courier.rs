//! The courier against a Nova that takes, refuses, and is away.

mod support;

use anyhow::Result;
use auth::identity::keystone::Credentials;
use model::{Port, PortStatus};
use net::PortId;
use nova::{Config, Courier, Cursor, Endpoint, missed};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use support::{PORT, SERVER, port};
use testkit::{Reply, StandIn};
use uuid::Uuid;
use world::engines::Sqlite;
use world::{Store, StoreOptions, Tx};

/// A Nova whose answers have the status that is set.
struct Nova {
    stand_in: StandIn,
    status: Arc<AtomicU16>,
}

impl Nova {
    fn start() -> Result<Nova> {
        let status = Arc::new(AtomicU16::new(200));
        let said = status.clone();
        let stand_in = StandIn::start(move |asked| {
            let code = said.load(Ordering::SeqCst);
            let events = asked.body["events"].as_array().cloned().unwrap_or_default();
            let answered: Vec<Value> = events
                .into_iter()
                .map(|mut event| {
                    event["code"] = json!(if code == 207 { 404 } else { 200 });
                    event
                })
                .collect();
            Reply(code, json!({ "events": answered }))
        })?;
        Ok(Nova { stand_in, status })
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The names and ports of the events of each request.
    fn told(&self) -> Vec<Vec<(String, u128)>> {
        let of = |event: &Value| {
            let port: Uuid = event["tag"].as_str().and_then(|tag| tag.parse().ok()).expect("a port");
            (event["name"].as_str().expect("a name").to_owned(), port.as_u128())
        };
        self.stand_in.seen().iter().map(|asked| asked.body["events"].as_array().expect("events").iter().map(of).collect()).collect()
    }

    async fn until(&self, what: &str, holds: impl Fn(&[Vec<(String, u128)>]) -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(10), async {
            while !holds(&self.told()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "no {what}: {:?}", self.told());
    }

    fn config(&self) -> Config {
        let back_off = (Duration::from_millis(5), Duration::from_millis(20));
        Config { back_off, ..Config::new(Credentials::new(self.stand_in.url(), "secret")) }
    }
}

struct Lab {
    store: Store,
    courier: Courier,
}

impl Lab {
    /// A server on this directory, as one starts.
    fn start(directory: &Path, config: &Config) -> Result<Lab> {
        let mut engine = Sqlite::open(&directory.join("db"))?;
        let head = world::Reader::head(&mut engine)?;
        let cursor = Cursor::open(&directory.join("nova"), head)?;
        let behind = cursor.behind(&mut engine)?;
        let store = Store::open(Box::new(engine), Arc::new(model::schema()), StoreOptions::default())?;
        let courier = Courier::start(&store, config, cursor, |world| missed(&behind, world)).map_err(anyhow::Error::msg)?;
        Ok(Lab { store, courier })
    }

    async fn put(&self, port: Port) -> Result<()> {
        let put = move |tx: &mut Tx| -> Result<(), ()> {
            tx.put(port.clone());
            Ok(())
        };
        self.store.commit("req-1".into(), put).await?.ok();
        Ok(())
    }

    /// Ports with these numbers, first down and then active.
    async fn boot(&self, numbers: std::ops::Range<u128>) -> Result<()> {
        for number in numbers {
            self.put(numbered(number)).await?;
            self.put(Port { status: PortStatus::Active, ..numbered(number) }).await?;
        }
        Ok(())
    }

    async fn end(self) {
        self.courier.close().await;
        self.store.close().await;
    }
}

fn numbered(number: u128) -> Port {
    Port { id: PortId(Uuid::from_u128(number)), ..port(json!({})) }
}

fn plugged(number: u128) -> (String, u128) {
    ("network-vif-plugged".to_owned(), number)
}

#[tokio::test]
async fn told_once_and_in_few_requests() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let lab = Lab::start(directory.path(), &nova.config())?;
    lab.boot(10..110).await?;
    nova.until("hundred events", |told| told.concat().len() == 100).await;
    assert!(nova.told().len() < 50, "{:?}", nova.told());
    let first = &nova.stand_in.seen()[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/compute/v2.1/os-server-external-events"));
    let event = json!({"name": "network-vif-plugged", "server_uuid": SERVER, "tag": PortId(Uuid::from_u128(10)), "status": "completed"});
    assert_eq!(first.body["events"][0], event);
    assert!(first.header("x-openstack-request-id").starts_with("req-"));
    lab.end().await;
    assert_eq!(nova.told().concat(), (10..110).map(plugged).collect::<Vec<_>>(), "in order, each once");
    Ok(())
}

#[tokio::test]
async fn servers_that_are_gone_are_an_answer() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let lab = Lab::start(directory.path(), &nova.config())?;
    for (number, status) in [(1, 207), (2, 404), (3, 400)] {
        nova.answers(status);
        lab.boot(number..number + 1).await?;
        nova.until("event", |told| told.concat().contains(&plugged(number))).await;
    }
    nova.answers(200);
    lab.boot(4..5).await?;
    nova.until("further event", |told| told.concat().contains(&plugged(4))).await;
    lab.end().await;
    assert_eq!(nova.told().concat(), (1..5).map(plugged).collect::<Vec<_>>(), "none is sent again");
    Ok(())
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let lab = Lab::start(directory.path(), &nova.config())?;
    for (number, status) in [(1, 503), (2, 500), (3, 403), (4, 429)] {
        nova.answers(status);
        lab.boot(number..number + 1).await?;
        nova.until("third attempt", |told| told.concat().iter().filter(|event| **event == plugged(number)).count() >= 3).await;
        nova.answers(200);
        lab.boot(100 + number..101 + number).await?;
        nova.until("way on", |told| told.concat().contains(&plugged(100 + number))).await;
    }
    lab.end().await;
    Ok(())
}

#[tokio::test]
async fn a_refused_token_is_renewed() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let lab = Lab::start(directory.path(), &nova.config())?;
    lab.boot(1..2).await?;
    nova.until("event", |told| told.len() == 1).await;
    nova.stand_in.revoke();
    lab.boot(2..3).await?;
    nova.until("two attempts", |told| told.len() == 3).await;
    let tokens: Vec<String> = nova.stand_in.seen().iter().map(|asked| asked.header("x-auth-token").to_owned()).collect();
    assert_eq!(tokens, ["token-0", "token-0", "token-1"]);
    lab.end().await;
    Ok(())
}

#[tokio::test]
async fn what_was_due_is_told_after_a_crash() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let away = Config { endpoint: Endpoint::Url("http://127.0.0.1:1/v2.1".to_owned()), ..nova.config() };
    let lab = Lab::start(directory.path(), &away)?;
    lab.boot(1..3).await?;
    lab.put(numbered(3)).await?;
    lab.store.commit("req-2".into(), |tx| Ok::<_, ()>(tx.remove::<Port>(&PORT).is_some())).await?.ok();
    // No farewell: the courier is not closed.
    lab.store.close().await;
    drop(lab);
    let lab = Lab::start(directory.path(), &nova.config())?;
    let due = [plugged(1), plugged(2), ("network-vif-deleted".to_owned(), 3)];
    nova.until("events that were due", |told| due.iter().all(|event| told.concat().contains(event))).await;
    lab.end().await;
    let count = nova.told().len();
    let lab = Lab::start(directory.path(), &nova.config())?;
    lab.boot(7..8).await?;
    nova.until("new event", |told| told.concat().contains(&plugged(7))).await;
    assert_eq!(nova.told()[count..].concat(), [plugged(7)], "what was told is not told again");
    lab.end().await;
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_cannot_be_read_means_all_ports() -> Result<()> {
    let (directory, nova) = (tempfile::tempdir()?, Nova::start()?);
    let lab = Lab::start(directory.path(), &nova.config())?;
    lab.boot(1..2).await?;
    nova.until("event", |told| told.len() == 1).await;
    lab.end().await;
    for nonsense in ["nonsense", "999999", ""] {
        std::fs::write(directory.path().join("nova"), nonsense)?;
        let count = nova.told().concat().len();
        let lab = Lab::start(directory.path(), &nova.config())?;
        nova.until("events of all ports", |told| told.concat()[count..].contains(&plugged(1))).await;
        lab.end().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_url_that_is_none_is_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let wrong = Config { endpoint: Endpoint::Url("nova".to_owned()), ..Config::new(Credentials::new("http://127.0.0.1:1", "x")) };
    assert!(Lab::start(directory.path(), &wrong).is_err_and(|error| error.to_string().contains("url")));
    Ok(())
}
