//! Instances: network namespaces with one NIC, and plugging them as a compute service does.

use crate::lab::namespace::Netns;
use crate::lab::rtnl::{self, Rtnl};
use anyhow::{Context, Result};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;

const MTU: u32 = 1450;

/// What a port says an instance's NIC is.
#[derive(Clone, Debug)]
pub struct Nic {
    /// Id of the port.
    pub port: String,
    /// Name on the host: `tap` and the first eleven characters of the port's id.
    pub device: String,
    /// Its MAC.
    pub mac: [u8; 6],
    /// Its first fixed IP.
    pub address: Ipv4Addr,
}

impl Nic {
    /// From a port as the API shows it.
    pub fn of(port: &Value) -> Result<Nic> {
        let id = port["id"].as_str().context("a port without id")?;
        let mac = port["mac_address"].as_str().context("a port without MAC")?;
        let mut bytes = [0; 6];
        for (byte, text) in bytes.iter_mut().zip(mac.split(':')) {
            *byte = u8::from_str_radix(text, 16).with_context(|| format!("MAC {mac}"))?;
        }
        let address = port["fixed_ips"][0]["ip_address"].as_str().context("a port without address")?;
        let device = format!("tap{}", id.get(..11).context("a short port id")?);
        Ok(Nic { port: id.to_owned(), device, mac: bytes, address: address.parse()? })
    }
}

/// A namespace in the place of an instance. Its addresses are set by hand, so that DHCP is not part of a measurement.
pub struct Instance {
    /// Where it lives.
    pub netns: Netns,
    rtnl: Rtnl,
}

impl Instance {
    /// One without a NIC.
    pub fn new() -> Result<Instance> {
        let netns = Netns::new()?;
        let rtnl = netns.enter(Rtnl::open)?;
        Ok(Instance { netns, rtnl })
    }

    /// Many.
    pub fn many(count: usize) -> Result<Vec<Instance>> {
        (0..count).map(|_| Instance::new()).collect()
    }

    /// Brings up the NIC that is there, without an address.
    pub fn raise(&mut self) -> Result<()> {
        self.rtnl.batch(&mut [rtnl::up("eth0")])
    }

    /// Brings up the NIC that is there and sets its address and permanent neighbours; without neighbours it asks by ARP, often.
    pub fn configure(&mut self, nic: &Nic, neighbours: &[&Nic]) -> Result<()> {
        let index = self.rtnl.index("eth0")?.context("the instance has no NIC")?;
        let mut messages = vec![rtnl::up("eth0"), rtnl::address(index, nic.address, 16)];
        messages.extend(neighbours.iter().map(|peer| rtnl::neighbour(index, peer.address, peer.mac)));
        if neighbours.is_empty() {
            self.netns.insist_on_arp()?;
        }
        self.rtnl.batch(&mut messages)
    }

    /// Makes others permanent neighbours.
    pub fn learn(&mut self, neighbours: &[&Nic]) -> Result<()> {
        let index = self.rtnl.index("eth0")?.context("the instance has no NIC")?;
        let mut messages: Vec<_> = neighbours.iter().map(|peer| rtnl::neighbour(index, peer.address, peer.mac)).collect();
        self.rtnl.batch(&mut messages)
    }
}

/// Makes the NIC of an instance appear on the host and inside.
pub fn plug(host: &mut Rtnl, instance: &Instance, nic: &Nic) -> Result<()> {
    host.batch(&mut [rtnl::veth(&nic.device, instance.netns.as_raw_fd(), nic.mac, MTU)]).with_context(|| format!("plug {}", nic.device))
}

/// The same for many, fifty in a send; `neighbours` says whom each knows.
pub fn plug_many<'a>(
    host: &mut Rtnl,
    instances: &mut [Instance],
    nics: &'a [Nic],
    neighbours: impl Fn(usize) -> Vec<&'a Nic>,
) -> Result<()> {
    for (chunk, (instances, nics)) in instances.chunks_mut(50).zip(nics.chunks(50)).enumerate() {
        let veth = |(instance, nic): (&Instance, &Nic)| rtnl::veth(&nic.device, instance.netns.as_raw_fd(), nic.mac, MTU);
        let mut messages: Vec<_> = instances.iter().zip(nics).map(veth).collect();
        host.batch(&mut messages).context("plug")?;
        for (at, (instance, nic)) in instances.iter_mut().zip(nics).enumerate() {
            instance.configure(nic, &neighbours(chunk * 50 + at))?;
        }
    }
    Ok(())
}
