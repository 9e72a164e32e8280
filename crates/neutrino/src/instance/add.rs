//! `neutrino instance add`.

use super::port::{self, Leg, text};
use super::record::{Port, Record, Records, device};
use super::{AddArgs, Kind, describe, guest, lease, progress::Progress};
use anyhow::{Context, Result};
use client::{Cloud, wait_until};
use dataplane::Netns;
use host::plug::Nic;
use serde_json::Value;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Makes an instance and prints it. A failure leaves what was made, for a look at it; `rm` removes it.
pub fn add(cloud: &Cloud, records: &Records, state: &Path, args: &AddArgs, json: bool) -> Result<()> {
    let image = match args.kind {
        Kind::Netns => None,
        Kind::Qemu => Some(guest::image::prepare(&super::image_directory(state, args.guest_image.as_deref()))?),
    };
    let given = describe::Given::read(args)?;
    let choice = port::choose(cloud, args)?;
    let mut record = Record {
        name: args.name.clone(),
        kind: args.kind,
        device_id: uuid::Uuid::new_v4().to_string(),
        host: choice.host.clone(),
        project_id: choice.project_id.clone(),
        network_id: text(&choice.network, "id").to_owned(),
        network_name: text(&choice.network, "name").to_owned(),
        port: None,
    };
    records.reserve(&record)?;
    let mut progress = Progress::start(&args.name);
    let created = port::bind(cloud, args, &choice, &record.device_id);
    let port = match created {
        Ok(port) => port,
        Err(error) => {
            // Nothing was made: the name is free again.
            records.forget(&record.name)?;
            return Err(error);
        }
    };
    let legs = port::legs(cloud, &port)?;
    record.port = Some(Port {
        id: text(&port, "id").to_owned(),
        owned: args.port.is_none(),
        mac_address: text(&port, "mac_address").to_owned(),
        addresses: legs.iter().map(|leg| leg.address.to_string()).collect(),
    });
    records.write(&record)?;
    progress.done("port", text(&port, "id"));
    port::check_binding(&port, &choice.host)?;
    let description = describe::instance(&record, &given, &choice.network, &legs, args.no_dhcp)?;
    records.describe(&description)?;
    let drive = args.config_drive.then(|| describe::drive(&records.files(&record.name), args.kind, &description)).transpose()?;
    let made =
        Making { cloud, records, args, record: &record, port: &port, network: &choice.network, legs: &legs, drive: drive.as_deref() };
    match image {
        None => made.namespace(&mut progress),
        Some(image) => made.guest(&image, &mut progress),
    }
    .with_context(|| format!("instance {0} is not whole; `neutrino instance rm {0}` removes what there is of it", args.name))?;
    let mut answer = serde_json::to_value(&record)?;
    answer["times_ms"] = progress.into_times();
    if json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        println!("{} {} {}", record.name, text(&port, "id"), made.addresses().join(" "));
    }
    Ok(())
}

struct Making<'a> {
    cloud: &'a Cloud,
    records: &'a Records,
    args: &'a AddArgs,
    record: &'a Record,
    port: &'a Value,
    network: &'a Value,
    legs: &'a [Leg],
    drive: Option<&'a Path>,
}

impl Making<'_> {
    fn addresses(&self) -> Vec<String> {
        self.legs.iter().map(|leg| leg.address.to_string()).collect()
    }

    fn mtu(&self) -> u32 {
        describe::mtu(self.network)
    }

    fn namespace(&self, progress: &mut Progress) -> Result<()> {
        let netns = self.record.netns();
        let legs = if self.args.no_dhcp { self.legs } else { &[] };
        let nic = Nic {
            device: device(text(self.port, "id")).into(),
            netns: netns.as_str().into(),
            mac: text(self.port, "mac_address").parse().context("the port has a MAC that is none")?,
            mtu: self.mtu(),
            addresses: legs.iter().map(|leg| net::IpNet::new(leg.address, leg.prefix_len)).collect::<Result<_, _>>()?,
            routes: legs.iter().filter_map(default_route).collect(),
        };
        progress.mark();
        host::plug::plug(&nic)?;
        progress.done("plug", &nic.device);
        self.wait_active(progress)?;
        if !self.args.no_dhcp {
            self.leases(&netns, progress)?;
        }
        self.first_ping(&netns, progress)
    }

    fn leases(&self, netns: &str, progress: &mut Progress) -> Result<()> {
        let files = self.records.files(&self.record.name);
        let by_dhcp = |v4: bool| self.legs.iter().find(|leg| leg.dhcp && leg.address.is_ipv4() == v4);
        if by_dhcp(true).is_some() {
            let lease = lease::acquire(netns, &files, &self.record.name, self.args.timeout())?;
            progress.done("lease", &lease);
        }
        if let Some(leg) = by_dhcp(false) {
            lease::acquire_v6(netns, &files, leg.address, self.args.timeout())?;
            progress.done("lease6", &leg.address.to_string());
        }
        for leg in self.legs.iter().filter(|leg| !leg.dhcp && leg.address.is_ipv4()) {
            progress.note(&format!("the subnet of {} has DHCP off, so the address is not set; --no-dhcp sets it", leg.address));
        }
        Ok(())
    }

    /// A port is ACTIVE when all that carries its packets is in place.
    fn wait_active(&self, progress: &mut Progress) -> Result<()> {
        let id = text(self.port, "id");
        let what = format!(
            "port {id} to become ACTIVE; is the agent of {} alive (`openstack network agent list`), and what does its log say?",
            self.record.host
        );
        wait_until(&what, self.args.timeout(), || {
            let port = self.cloud.get("ports", id)?;
            Ok::<_, client::Error>((port["status"] == "ACTIVE").then_some(()))
        })?;
        progress.done("active", "");
        Ok(())
    }

    /// The first answer of a DHCP server, which is the neighbour that every network with DHCP has.
    fn first_ping(&self, netns: &str, progress: &mut Progress) -> Result<()> {
        let query = [("network_id", self.record.network_id.as_str()), ("device_owner", "network:dhcp")];
        let servers = self.cloud.list("ports", &query)?;
        let addresses = servers.iter().flat_map(|port| port["fixed_ips"].as_array().cloned().unwrap_or_default());
        let addresses: Vec<IpAddr> = addresses.filter_map(|fixed_ip| text(&fixed_ip, "ip_address").parse().ok()).collect();
        let Some(neighbour) = addresses.iter().find(|address| address.is_ipv4()) else { return Ok(()) };
        if !self.legs.iter().any(|leg| leg.address.is_ipv4()) {
            return Ok(());
        }
        progress.mark();
        if ping(netns, neighbour)? {
            progress.done("ping", &neighbour.to_string());
        } else {
            progress.note(&format!("no answer to a ping of the DHCP server {neighbour}"));
        }
        Ok(())
    }

    fn guest(&self, image: &guest::image::Image, progress: &mut Progress) -> Result<()> {
        progress.mark();
        let address = self.legs.iter().find(|leg| leg.address.is_ipv4());
        let machine = guest::Machine {
            image,
            files: &self.records.files(&self.record.name),
            device: &device(text(self.port, "id")),
            mac: text(self.port, "mac_address"),
            mtu: self.mtu(),
            address: address.filter(|_| self.args.no_dhcp).map(|leg| (format!("{}/{}", leg.address, leg.prefix_len), leg.gateway)),
            drive: self.drive,
            dhcp: !self.args.no_dhcp && address.is_some_and(|leg| leg.dhcp),
        };
        guest::start(&machine)?;
        progress.done("plug", machine.device);
        self.wait_active(progress)?;
        // Without hardware acceleration a boot takes seconds.
        let said = guest::wait_ready(&machine, self.args.timeout().max(Duration::from_secs(60)))?;
        progress.done("boot", &said);
        Ok(())
    }
}

fn default_route(leg: &Leg) -> Option<(net::IpNet, IpAddr)> {
    let everywhere = if leg.address.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
    Some((everywhere.parse().expect("a CIDR"), leg.gateway?))
}

fn ping(netns: &str, address: &IpAddr) -> Result<bool> {
    let run = || {
        let mut command = Command::new("ping");
        command.args(["-n", "-c", "1", "-W", "2", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    let status = host::netns::run(&Netns::named(netns), run)?.context("running ping (package iputils-ping)")?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_routes_follow_the_family() {
        let leg = |address: &str, gateway: Option<&str>| Leg {
            address: address.parse().unwrap(),
            prefix_len: 24,
            gateway: gateway.map(|gateway| gateway.parse().unwrap()),
            dhcp: true,
            method: metadata::describe::Method::Dhcp,
            dns_nameservers: vec![],
        };
        assert_eq!(default_route(&leg("10.0.0.5", None)), None);
        let (destination, _) = default_route(&leg("2001:db8::5", Some("2001:db8::1"))).unwrap();
        assert_eq!(destination.to_string(), "::/0");
        assert_eq!(default_route(&leg("10.0.0.5", Some("10.0.0.1"))).unwrap().0.to_string(), "0.0.0.0/0");
    }
}
