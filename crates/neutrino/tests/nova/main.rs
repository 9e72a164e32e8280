//! Every call that an unmodified Nova 34 makes, as it was recorded on the wire (`steps.json`), with the tokens that it makes them with: the user's
//! beside Nova's own, long after the user's has expired, or Nova's alone. Judged by the status, by the fields that Nova reads, and by what
//! Nova is told meanwhile.

mod cloud;
#[path = "../../src/registry.rs"]
#[allow(dead_code, reason = "the registry's own tests are the binary's")]
mod registry;

use cloud::Cloud;

/// A server from its boot on a network to its end: groups and addresses come and go.
#[tokio::test]
async fn a_server_on_a_network() {
    let mut cloud = Cloud::new().await;
    cloud.replay("boot-network").await;
    cloud.let_the_users_token_expire().await;
    for scenario in ["show", "list-detail", "list-by-ip", "interface-list", "interface-show", "start", "reboot-hard", "pause", "resume"] {
        cloud.replay(scenario).await;
    }
    for scenario in ["group-add", "group-list", "group-remove", "fixed-ip-add", "fixed-ip-remove", "rebuild", "delete"] {
        cloud.replay(scenario).await;
    }
    assert_eq!(cloud.ports().await, 0, "Nova removes what it made");
}

/// A server on a port that was there before it and stays behind it; others are attached to it and detached meanwhile.
#[tokio::test]
async fn a_server_on_a_port() {
    let mut cloud = Cloud::new().await;
    let first = cloud.port().await;
    cloud.replay("boot-port").await;
    cloud.let_the_users_token_expire().await;
    for scenario in ["attach-network", "detach-created"] {
        cloud.replay(scenario).await;
    }
    cloud.port().await;
    for scenario in ["attach-port", "detach-port"] {
        cloud.replay(scenario).await;
    }
    cloud.use_port(&first);
    cloud.replay("delete-port").await;
    assert_eq!(cloud.ports().await, 2, "Nova leaves what it was given");
}

/// From host to host, with and without the guest running, and back.
#[tokio::test]
async fn a_server_that_moves() {
    let mut cloud = Cloud::new().await;
    cloud.port().await;
    for (scenario, host) in [("boot-port", "fake1"), ("live-migration", "fake2"), ("cold-migration", "fake1"), ("revert", "fake2")] {
        cloud.replay(scenario).await;
        let port = cloud.shown().await;
        assert_eq!((port["binding:host_id"].as_str(), port["status"].as_str()), (Some(host), Some("ACTIVE")), "{scenario}: {port}");
    }
}
