//! The services beside this one that hear of what is committed.

use crate::config::Config;
use crate::{HostArgs, host_side};
use anyhow::{Context, Result, anyhow};
use api::{Announcer, Settings};
use external_dns::{Journal, Publisher};
use nova::{Behind, Courier, Cursor, missed};
use std::path::Path;
use std::sync::Arc;
use world::{Reader, Store};

/// What the log holds that services were not told before this start.
pub struct Missed(Option<(Cursor, Behind)>);

impl Missed {
    /// Looks into the log, before the store takes it.
    pub fn read(state: &Path, config: &Config, log: &mut dyn Reader) -> Result<Missed> {
        if config.nova.is_none() {
            return Ok(Missed(None));
        }
        let cursor = Cursor::open(&state.join("nova"), log.head()?).context("the file that says how far nova was told")?;
        let behind = cursor.behind(log)?;
        Ok(Missed(Some((cursor, behind))))
    }
}

/// The settings with an audience for what clients do, when there is a message bus. Needs a tokio runtime.
pub fn with_audience(settings: Settings, config: &Config) -> Result<Settings> {
    let Some(notifications) = &config.notifications else { return Ok(settings) };
    let host = host_side::host_name(&HostArgs::default(), &config.agent)?.to_string();
    let bus = notifications.config(host).and_then(notifications::start);
    let bus = bus.map_err(|reason| anyhow!("[notifications] in neutrino.toml: {reason}"))?;
    Ok(settings.with(Arc::new(Announcer(bus))))
}

/// Those that are told.
#[derive(Default)]
pub struct Services {
    nova: Option<Courier>,
    dns: Option<Publisher>,
}

impl Services {
    /// Starts telling those that are configured. Needs a tokio runtime.
    pub fn start(store: &Store, state: &Path, config: &Config, ml2: &ml2::Config, missed_before: Missed) -> Result<Services> {
        let mut services = Services::default();
        if let (Some(nova), Missed(Some((cursor, behind)))) = (&config.nova, missed_before) {
            let nova = nova.config(&config.identity)?;
            let courier = Courier::start(store, &nova, cursor, |world| missed(&behind, world));
            services.nova = Some(courier.map_err(|reason| anyhow!("[nova] in neutrino.toml: {reason}"))?);
        }
        if let Some(dns) = &config.external_dns {
            let journal = Journal::open(&state.join("dns")).context("the file that says which names are published")?;
            let publisher = Publisher::start(store, dns.config(&config.identity)?, ml2.clone(), journal);
            services.dns = Some(publisher.map_err(|reason| anyhow!("[external_dns] in neutrino.toml: {reason}"))?);
        }
        Ok(services)
    }

    /// Ends it; what was not told or published is after the next start.
    pub async fn close(self) {
        if let Some(nova) = self.nova {
            nova.close().await;
        }
        if let Some(dns) = self.dns {
            dns.close().await;
        }
    }
}
