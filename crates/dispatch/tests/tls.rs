//! Mutual TLS: who may attach, and as whom.

mod support;

use dispatch::{AgentCredentials, Pki, pki};
use net::HostName;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::cloud::{Cloud, Player, hello};
use support::host;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

struct Served {
    cloud: Cloud,
    address: String,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

async fn serve(authority: &Path) -> Served {
    let cloud = Cloud::new();
    let pki = Pki::open(authority).expect("an authority");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let dispatcher = cloud.dispatcher.clone();
    let served = tokio::spawn(async move {
        let shutdown = async { _ = stopped.await };
        dispatcher.serve_tls(listener, &pki, shutdown).await.expect("served");
    });
    Served { cloud, address, stop, served }
}

fn credentials(authority: &Path, host: &HostName) -> AgentCredentials {
    let bundle = pki::issue_agent_certificate(authority, host).expect("a bundle");
    AgentCredentials::read(&bundle).expect("credentials")
}

#[tokio::test]
async fn an_agent_attaches_as_its_certificate_says() {
    let authority = tempfile::tempdir().expect("a directory");
    let served = serve(authority.path()).await;
    let one = credentials(authority.path(), &host(1));
    assert_eq!(one.host, host(1));
    let mut agent = Player::attach(one.channel(&served.address).expect("a channel"), hello(1)).await;
    assert_eq!(served.cloud.dispatcher.attached(), [host(1)]);
    let mut liar = Player::open(one.channel(&served.address).expect("a channel")).await.expect("an open stream");
    liar.say(intent::wire::report::Report::Hello(hello(2))).await;
    liar.ends_with(Code::PermissionDenied, "the certificate is of host host1").await;
    // The honest one is still there, until the server goes.
    served.stop.send(()).expect("a server");
    agent.ends_with(Code::Unavailable, "shutting down").await;
    drop(agent);
    drop(liar);
    support::cloud::within(served.served).await.expect("a clean end");
}

#[tokio::test]
async fn another_authority_and_none_are_refused() {
    let (ours, theirs) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let served = serve(ours.path()).await;
    let foreign = credentials(theirs.path(), &host(1));
    // The agent refuses the server as much as the server refuses the agent; let it trust the server.
    let bundle = theirs.path().join("agent-host1");
    std::fs::copy(ours.path().join("ca.pem"), bundle.join("ca.pem")).expect("copied");
    let trusting = AgentCredentials::read(&bundle).expect("credentials");
    for channel in [foreign.channel(&served.address), trusting.channel(&served.address)] {
        assert!(refuses(channel.expect("a channel")).await);
    }
    let pki = Pki::open(ours.path()).expect("an authority");
    let tls = ClientTlsConfig::new().domain_name("server.neutrino.internal").ca_certificate(Certificate::from_pem(pki.ca_certificate));
    let endpoint =
        Endpoint::from_shared(format!("https://{}", served.address)).expect("an address").tls_config(tls).expect("a configuration");
    assert!(refuses(endpoint.connect_lazy()).await);
    let plain = Endpoint::from_shared(format!("http://{}", served.address)).expect("an address");
    assert!(refuses(plain.connect_lazy()).await);
    assert_eq!(served.cloud.dispatcher.attached(), []);
    // The server has not suffered.
    Player::attach(credentials(ours.path(), &host(1)).channel(&served.address).expect("a channel"), hello(1)).await;
}

async fn refuses(channel: tonic::transport::Channel) -> bool {
    match Player::open(channel).await {
        Err(_) => true,
        Ok(mut agent) => {
            agent.say(intent::wire::report::Report::Hello(hello(1))).await;
            agent.sync().await.is_err()
        }
    }
}

#[test]
fn keys_are_their_owners_and_last() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = directory.path().join("pki");
    let first = Pki::open(&authority).expect("an authority");
    let second = Pki::open(&authority).expect("an authority");
    assert_eq!(first.ca_certificate, second.ca_certificate);
    let bundle = pki::issue_agent_certificate(&authority, &host(1)).expect("a bundle");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&authority), 0o700);
    for file in [authority.join("ca-key.pem"), bundle.join("key.pem")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    for wrong in ["", "../x", "a/b", "a b", "-x", "ü"] {
        assert!(pki::issue_agent_certificate(&authority, &HostName::from(wrong)).is_err(), "{wrong}");
    }
    std::fs::remove_file(authority.join("ca-key.pem")).expect("removed");
    assert!(Pki::open(&authority).is_err());
}
