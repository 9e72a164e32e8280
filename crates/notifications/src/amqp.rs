//! Publishing by AMQP 0-9-1 with confirms: a message is forgotten once the broker has it.

use crate::{Bus, Config};
use amqprs::callbacks::ChannelCallback;
use amqprs::channel::{
    BasicPublishArguments, Channel, ConfirmSelectArguments, ExchangeDeclareArguments, QueueBindArguments, QueueDeclareArguments,
};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::error::Error as AmqpError;
use amqprs::{Ack, BasicProperties, Cancel, CloseChannel, DELIVERY_MODE_PERSISTENT, Nack, Return};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

/// Messages under way at once.
const TOGETHER: usize = 64;
/// How long the broker may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Publishes what the bus carries until there is no bus any more; connects again whenever it must.
pub(crate) async fn run(config: Config, mut waiting: Receiver<String>, bus: Arc<Bus>) {
    let (shortest, longest) = config.back_off;
    let mut pause = shortest;
    let mut batch = Vec::new();
    loop {
        let error = match timeout(PATIENCE, Link::open(&config)).await {
            Ok(Ok(mut link)) => {
                tracing::info!("notifications go to {config:?}");
                pause = shortest;
                match link.publish(&config, &mut waiting, &mut batch, &bus).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Ok(Err(error)) => error,
            Err(_) => "it does not answer".into(),
        };
        tracing::warn!(error, waiting = waiting.len() + batch.len(), "the broker {config:?} does not take notifications; trying again");
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// A connection with a channel on which publishing is confirmed.
struct Link {
    connection: Connection,
    channel: Channel,
    confirmed: UnboundedReceiver<bool>,
}

impl Link {
    async fn open(config: &Config) -> Result<Link, Error> {
        let mut arguments = OpenConnectionArguments::new(&config.host, config.port, &config.username, &config.password);
        arguments.virtual_host(&config.virtual_host).connection_name("neutrino");
        let connection = Connection::open(&arguments).await?;
        let channel = connection.open_channel(None).await?;
        let (confirms, confirmed) = unbounded_channel();
        channel.register_callback(Confirms { confirms, up_to: 0 }).await?;
        channel.confirm_select(ConfirmSelectArguments::new(false)).await?;
        let exchange = ExchangeDeclareArguments::new(&config.exchange, "topic").durable(config.durable).finish();
        channel.exchange_declare(exchange).await?;
        for topic in &config.topics {
            let queue = format!("{topic}.info");
            channel.queue_declare(QueueDeclareArguments::new(&queue).durable(config.durable).finish()).await?;
            channel.queue_bind(QueueBindArguments::new(&queue, &config.exchange, &queue)).await?;
        }
        Ok(Link { connection, channel, confirmed })
    }

    /// Publishes until something fails; what is not confirmed stays in the batch. Ends well when the bus is gone.
    async fn publish(&mut self, config: &Config, waiting: &mut Receiver<String>, batch: &mut Vec<String>, bus: &Bus) -> Result<(), Error> {
        loop {
            if batch.is_empty() {
                tokio::select! {
                    taken = waiting.recv_many(batch, TOGETHER) => if taken == 0 { return Ok(()) },
                    _ = self.connection.listen_network_io_failure() => return Err("the connection is gone".into()),
                }
            }
            for message in batch.iter() {
                for topic in &config.topics {
                    let to = BasicPublishArguments::new(&config.exchange, &format!("{topic}.info"));
                    self.channel.basic_publish(properties(config), message.clone().into_bytes(), to).await?;
                }
            }
            for _ in 0..batch.len() * config.topics.len() {
                match timeout(PATIENCE, self.confirmed.recv()).await {
                    Ok(Some(true)) => {}
                    Ok(Some(false)) => return Err("it refused a message".into()),
                    Ok(None) => return Err("it closed the channel".into()),
                    Err(_) => return Err("it does not confirm messages".into()),
                }
            }
            batch.clear();
            let dropped = bus.dropped();
            if dropped > 0 {
                tracing::warn!(dropped, "notifications were dropped while the broker took none");
            }
        }
    }
}

fn properties(config: &Config) -> BasicProperties {
    let mut properties = BasicProperties::default();
    properties.with_content_type("application/json").with_content_encoding("utf-8");
    if config.durable {
        properties.with_delivery_mode(DELIVERY_MODE_PERSISTENT);
    }
    properties.finish()
}

/// Hears what the broker says of published messages: one word for each.
struct Confirms {
    confirms: UnboundedSender<bool>,
    up_to: u64,
}

impl Confirms {
    fn heard(&mut self, tag: u64, multiple: bool, is_taken: bool) {
        let first = if multiple { self.up_to + 1 } else { tag };
        for _ in first..=tag {
            // Nobody waits for it any more when the link is given up.
            _ = self.confirms.send(is_taken);
        }
        self.up_to = self.up_to.max(tag);
    }
}

#[async_trait::async_trait]
impl ChannelCallback for Confirms {
    async fn close(&mut self, _: &Channel, close: CloseChannel) -> Result<(), AmqpError> {
        tracing::warn!("the broker closes the channel: {close}");
        _ = self.confirms.send(false);
        Ok(())
    }

    async fn cancel(&mut self, _: &Channel, _: Cancel) -> Result<(), AmqpError> {
        Ok(())
    }

    async fn flow(&mut self, _: &Channel, active: bool) -> Result<bool, AmqpError> {
        Ok(active)
    }

    async fn publish_ack(&mut self, _: &Channel, ack: Ack) {
        self.heard(ack.delivery_tag(), ack.mutiple(), true);
    }

    async fn publish_nack(&mut self, _: &Channel, nack: Nack) {
        self.heard(nack.delivery_tag(), nack.multiple(), false);
    }

    async fn publish_return(&mut self, _: &Channel, _: Return, _: BasicProperties, _: Vec<u8>) {}
}
