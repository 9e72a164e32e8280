//! Instances that are QEMU guests, without hardware acceleration.
//!
//! The machine is a q35: the smaller `microvm` has no timer but the PIT to calibrate against, and its kernel hangs when the host is busy.
//! The guest's console is a socket. Its `init` gets an address and then runs what the console asks ([`console`]).

pub mod console;
pub mod image;

use anyhow::{Context, Result, bail};
use client::wait_until;
use image::Image;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const MEMORY_MB: u32 = 96;

/// A guest to start.
#[derive(Debug)]
pub struct Machine<'a> {
    /// Kernel and initial file system.
    pub image: &'a Image,
    /// Where console and log go.
    pub files: &'a Path,
    /// Its tap.
    pub device: &'a str,
    /// Link-layer address of its NIC.
    pub mac: &'a str,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Address with prefix length, and gateway, to be set without DHCP.
    pub address: Option<(String, Option<IpAddr>)>,
    /// The image of its config drive.
    pub drive: Option<&'a Path>,
    /// Ask DHCP.
    pub dhcp: bool,
}

/// Makes the tap and starts QEMU in the background.
pub fn start(machine: &Machine<'_>) -> Result<()> {
    let Machine { image, files, device, mac, mtu, drive, .. } = machine;
    std::fs::create_dir_all(files).with_context(|| format!("creating {}", files.display()))?;
    run(Command::new("ip").args(["tuntap", "add", "dev", device, "mode", "tap"]))?;
    run(Command::new("ip").args(["link", "set", "dev", device, "mtu", &mtu.to_string(), "up"]))?;
    let console = files.join(console::SOCKET);
    let log = files.join(console::LOG);
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", &MEMORY_MB.to_string()]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-daemonize", "-kernel"]).arg(&image.kernel);
    qemu.arg("-initrd").arg(&image.initramfs).args(["-append", &kernel_command_line(machine)]);
    qemu.arg("-chardev").arg(format!("socket,id=c,path={},server=on,wait=off,logfile={}", console.display(), log.display()));
    qemu.args(["-serial", "chardev:c", "-netdev", &format!("tap,id=n,ifname={device},script=no,downscript=no")]);
    qemu.args(["-device", &format!("virtio-net-pci,romfile=,netdev=n,mac={mac}")]);
    if let Some(drive) = drive {
        qemu.arg("-drive").arg(format!("file={},if=virtio,format=raw,readonly=on", drive.display()));
    }
    run(&mut qemu)
}

fn kernel_command_line(machine: &Machine<'_>) -> String {
    let mut line = format!("console=ttyS0 quiet panic=-1 mitigations=off neutrino.mtu={}", machine.mtu);
    if let Some((address, gateway)) = &machine.address {
        line.push_str(&format!(" neutrino.address={address}"));
        if let Some(gateway) = gateway {
            line.push_str(&format!(" neutrino.gateway={gateway}"));
        }
    }
    if machine.dhcp {
        line.push_str(" neutrino.dhcp=1");
    }
    line
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Waits until the guest says on its console that it is up; answers with the address it has got.
pub fn wait_ready(machine: &Machine<'_>, within: Duration) -> Result<String> {
    let log = machine.files.join(console::LOG);
    let what = format!("the guest to come up; its console is in {}", log.display());
    let said = wait_until(&what, within, || {
        let text = std::fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let ready = text.lines().find_map(|line| line.trim().strip_prefix(console::READY).map(|rest| rest.trim().to_owned()));
        if ready.is_none() && super::processes::guest(machine.device)?.is_empty() {
            bail!("the guest ended: {}", text.lines().last().unwrap_or("its console is empty"));
        }
        Ok(ready)
    })?;
    if machine.dhcp && said == "-" {
        bail!("the guest is up but got no DHCP lease; is the DHCP agent alive?");
    }
    Ok(said)
}
