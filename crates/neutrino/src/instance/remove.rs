//! `neutrino instance rm`.

use super::record::{Record, Records};
use super::{Kind, lease, processes};
use anyhow::{Context, Result};
use client::Cloud;
use serde_json::json;

/// Removes an instance: what runs, what is plugged, the port, then the record. Can be repeated after any failure.
pub fn remove(cloud: &Cloud, records: &Records, name: &str) -> Result<()> {
    let record = records.read(name)?;
    dismantle(&record, records)?;
    release(cloud, &record).with_context(|| format!("instance {name} is stopped, but its port is left; run this again"))?;
    records.forget(name)
}

/// Ends the processes of an instance and removes its namespace and links.
pub fn dismantle(record: &Record, records: &Records) -> Result<()> {
    let netns = record.netns();
    match record.kind {
        Kind::Netns => {
            let files = records.files(&record.name);
            processes::end(|| Ok([processes::inside(&netns)?, processes::clients(&files)?].concat()))?;
            lease::clear(&netns)?;
        }
        Kind::Qemu => {
            if let Some(device) = record.device() {
                processes::end(|| processes::guest(&device))?;
            }
        }
    }
    records.forget_description(&record.device_id)?;
    if let Some(device) = record.device() {
        host::plug::unplug(&device)?;
    }
    if record.kind == Kind::Netns {
        host::netns::delete(&netns)?;
    }
    match std::fs::remove_dir_all(records.files(&record.name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("removing the files of the instance"),
        _ => Ok(()),
    }
}

/// Deletes the ports made for the instance; gives back one that was there before.
fn release(cloud: &Cloud, record: &Record) -> Result<()> {
    if let Some(port) = record.port.as_ref().filter(|port| !port.owned) {
        let free = json!({"binding:host_id": "", "device_id": "", "device_owner": ""});
        return match cloud.update("ports", &port.id, &free) {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        };
    }
    if let Some(port) = &record.port {
        cloud.delete_if_there("ports", &port.id)?;
        return Ok(());
    }
    // Cut short between the creation of the port and the note of it.
    for port in cloud.list("ports", &[("device_id", &record.device_id)])? {
        cloud.delete_if_there("ports", port["id"].as_str().unwrap_or_default())?;
    }
    Ok(())
}
