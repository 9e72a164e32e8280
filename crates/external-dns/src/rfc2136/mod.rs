//! Dynamic updates (RFC 2136) by TCP, signed with a shared key (RFC 8945).

mod tsig;
mod wire;

pub use tsig::{Algorithm, SigningKey};

use crate::{Failure, Key, Values};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which server.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host:port`.
    pub server: String,
    /// What updates are signed with.
    pub key: Option<SigningKey>,
    /// Seconds for which others may keep a record.
    pub ttl: u32,
}

/// The driver.
#[derive(Debug)]
pub struct Rfc2136 {
    config: Config,
}

impl Rfc2136 {
    /// Refuses a server that has no port.
    pub fn new(config: Config) -> Result<Rfc2136, String> {
        let port = config.server.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match port {
            Some(_) => Ok(Rfc2136 { config }),
            None => Err(format!("server {:?} is not like 192.0.2.53:53", config.server)),
        }
    }

    /// Makes a record set have these values, in one update; without any there is none.
    pub async fn set(&self, key: &Key, values: &Values) -> Result<(), Failure> {
        let id = rand::random();
        let update = wire::update(id, key, values, self.config.ttl).map_err(Failure::Record)?;
        let (request, mac) = match &self.config.key {
            Some(signing) => tsig::sign(update, signing, tsig::now()),
            None => (update, Vec::new()),
        };
        let asked = timeout(PATIENCE, self.ask(&request)).await;
        let answer = asked.map_err(|_| Failure::Service("the DNS server does not answer".to_owned()))?;
        let answer = answer.map_err(|error| Failure::Service(format!("the DNS server: {error}")))?;
        if wire::id(&answer) != Some(id) {
            return Err(Failure::Service("the DNS server answers something else".to_owned()));
        }
        let code = wire::response_code(&answer);
        if let Some(signing) = self.config.key.as_ref().filter(|_| code == Some(0)) {
            tsig::verify(&answer, signing, &mac, tsig::now()).map_err(|why| Failure::Service(format!("the DNS server's answer: {why}")))?;
        }
        match code {
            Some(0) => Ok(()),
            Some(1 | 2 | 4) | None => Err(Failure::Service(format!("the DNS server: {}", wire::code_name(code)))),
            Some(9) if self.config.key.is_some() => Err(Failure::Service("the DNS server does not take the key (NOTAUTH)".to_owned())),
            code => Err(Failure::Record(format!("the DNS server: {}", wire::code_name(code)))),
        }
    }

    async fn ask(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.config.server).await?;
        let length = u16::try_from(request.len()).map_err(std::io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], request].concat()).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }
}
