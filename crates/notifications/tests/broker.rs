//! Against a real RabbitMQ: what is told arrives, also what was told while the broker was away or the connection broke.
#![cfg(feature = "amqp")]

use amqprs::channel::{BasicGetArguments, Channel};
use amqprs::connection::{Connection, OpenConnectionArguments};
use anyhow::{Context, Result, ensure};
use api::{Audience, Notice, Phase};
use auth::Caller;
use notifications::{Bus, Config};
use serde_json::{Value, json};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use testkit::Scratch;

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const PROXY: &str = "127.0.0.1:5680";

/// A broker with directories of its own, on the machine of the test.
fn broker(home: &Path) -> Result<Child> {
    std::fs::write(home.join("plugins"), "[].")?;
    let mut command = Command::new(SERVER);
    command.env("HOME", home).env("RABBITMQ_NODENAME", "rabbit@localhost").env("RABBITMQ_MNESIA_BASE", home.join("mnesia"));
    command.env("RABBITMQ_LOG_BASE", home.join("log")).env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("plugins"));
    command.env("RABBITMQ_CONFIG_FILE", home.join("none")).env("ERL_EPMD_ADDRESS", "127.0.0.1").env("LANG", "C.UTF-8");
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// Between the publisher and the broker, so that their connections can be cut.
struct Proxy(Arc<Mutex<Vec<TcpStream>>>);

impl Proxy {
    fn start() -> Result<Proxy> {
        let listener = TcpListener::bind(PROXY)?;
        let connections: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let kept = connections.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                // Nobody behind it: whoever connected is sent away.
                let Ok(far) = TcpStream::connect("127.0.0.1:5672") else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { continue };
                    thread::spawn(move || {
                        _ = io::copy(&mut from, &mut to);
                        _ = to.shutdown(Shutdown::Both);
                    });
                }
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(near);
            }
        });
        Ok(Proxy(connections))
    }

    fn cut(&self) {
        for connection in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn tell(bus: &Bus, number: u32) {
    let payload = json!({"network": {"name": format!("n{number}")}});
    bus.hear(&Caller::member("p1"), Notice { resource: "network", action: "create", phase: Phase::End, payload });
}

async fn consumer() -> Result<(Connection, Channel)> {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        match Connection::open(&OpenConnectionArguments::new("127.0.0.1", 5672, "guest", "guest")).await {
            Ok(connection) => {
                let channel = connection.open_channel(None).await?;
                return Ok((connection, channel));
            }
            Err(error) if Instant::now() > until => return Err(error).context("the broker does not start"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The next message of the queue: event and name.
async fn next(channel: &Channel) -> Result<(String, String)> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let got = channel.basic_get(BasicGetArguments::new("notifications.info").no_ack(true).finish()).await?;
        if let Some((_, properties, body)) = got {
            ensure!(properties.content_type().is_some_and(|kind| kind == "application/json"), "{properties}");
            let envelope: Value = serde_json::from_slice(&body)?;
            let message: Value = serde_json::from_str(envelope["oslo.message"].as_str().context("an envelope")?)?;
            let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
            return Ok((text(&message["event_type"])?, text(&message["payload"]["network"]["name"])?));
        }
        ensure!(Instant::now() < until, "no message came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn through_thick_and_thin() -> Result<()> {
    let (home, proxy) = (Scratch::new()?, Proxy::start()?);
    let mut config = Config::at(&format!("amqp://{PROXY}/")).map_err(anyhow::Error::msg)?;
    (config.waiting, config.back_off) = (3, (Duration::from_millis(50), Duration::from_millis(200)));
    let bus = notifications::start(config).map_err(anyhow::Error::msg)?;
    (1..=5).for_each(|number| tell(&bus, number));
    let mut broker = broker(home.path())?;
    let (_connection, channel) = consumer().await?;
    // Its queue is there once the publisher is.
    let declared = amqprs::channel::QueueDeclareArguments::new("notifications.info");
    channel.queue_declare(declared).await?;
    for number in 1..=3 {
        let wanted = ("network.create.end".to_owned(), format!("n{number}"));
        ensure!(next(&channel).await? == wanted, "what waited arrives in order, what had no room does not");
    }
    tell(&bus, 6);
    ensure!(next(&channel).await?.1 == "n6");
    proxy.cut();
    tell(&bus, 7);
    ensure!(next(&channel).await?.1 == "n7", "it connects again");
    broker.kill()?;
    broker.wait()?;
    Ok(())
}

testkit::isolated_tests! {
    fn what_is_told_arrives() {
        if !Path::new(SERVER).exists() {
            println!("SKIPPED: RabbitMQ is not installed (rabbitmq-server)");
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let ended = runtime.block_on(through_thick_and_thin());
        runtime.shutdown_background();
        ended
    }
}
