//! The stream to a server: opened again whenever it ends, while the host keeps carrying packets.

use crate::{Ended, Event, Events, Order};
use intent::wire::dispatch_client::DispatchClient;
use rand::Rng;
use std::time::Duration;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Largest order taken.
const ORDER_BYTES: usize = 64 << 20;

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("{0}")]
    Status(Box<tonic::Status>),
    #[error("the server said what is not of the contract: {0}")]
    Malformed(#[from] intent::DecodeError),
    #[error("the server ended it")]
    Closed,
    #[error(transparent)]
    Ended(#[from] Ended),
}

impl From<tonic::Status> for Interrupted {
    fn from(status: tonic::Status) -> Interrupted {
        Interrupted::Status(Box::new(status))
    }
}

/// Keeps an agent attached to a server over this channel (best a lazy one, which connects again by itself) until the
/// agent ends. Pauses between attempts double up to 5 s, with jitter.
pub async fn attach(channel: Channel, events: Events) {
    let mut client = DispatchClient::new(channel).max_decoding_message_size(ORDER_BYTES);
    let mut pause = FIRST_PAUSE;
    loop {
        let mut synced = false;
        match session(&mut client, &events, &mut synced).await {
            Err(Interrupted::Ended(_)) => return,
            Err(reason) => tracing::warn!(%reason, "no stream to the server"),
            Ok(never) => match never {},
        }
        pause = if synced { FIRST_PAUSE } else { pause.saturating_mul(2).min(LONGEST_PAUSE) };
        let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.0));
        tokio::time::sleep(jittered).await;
    }
}

async fn session(
    client: &mut DispatchClient<Channel>,
    events: &Events,
    synced: &mut bool,
) -> Result<std::convert::Infallible, Interrupted> {
    let (reports, outgoing) = tokio::sync::mpsc::unbounded_channel();
    events.send(Event::Attached(reports))?;
    let mut orders = client.attach(UnboundedReceiverStream::new(outgoing)).await?.into_inner();
    while let Some(order) = orders.message().await? {
        let order = Order::decode(order)?;
        *synced |= matches!(order, Order::Synced { .. });
        events.send(Event::Order(order))?;
    }
    Err(Interrupted::Closed)
}
