//! A QEMU guest on a tap.

use super::lab;
use anyhow::ensure;

testkit::isolated_tests! {
    fn a_guest_gets_a_lease_and_talks_to_a_namespace() {
        let Some(image) = std::env::var_os("NEUTRINO_GUEST_IMAGE") else {
            println!("SKIPPED: QEMU guests: no NEUTRINO_GUEST_IMAGE; `cargo xtask test` fetches one");
            return Ok(());
        };
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let one = lab.instance("one", &network, &[])?;
        let image = image.to_string_lossy();
        let guest = lab.instance("guest", &network, &["--kind", "qemu", "--guest-image", &image, "--config-drive"])?;
        let inside = guest.exec_ok(&["ip", "addr"])?;
        ensure!(inside.contains(&guest.address) && inside.contains(&guest.mac), "{inside}");
        one.reaches(&guest.address)?;
        let drive = guest.exec_ok(&["cat", "/config/openstack/latest/meta_data.json"])?;
        let port = lab.cloud()?.get("ports", &guest.port_id)?;
        let id = port["device_id"].as_str().unwrap_or_default();
        ensure!(!id.is_empty() && drive.contains(id), "what the service would tell: {drive}");
        let ask = "printf 'GET /openstack/latest/meta_data.json HTTP/1.0\\r\\n\\r\\n' | nc 169.254.169.254 80";
        let told = guest.exec_ok(&["sh", "-c", ask])?;
        ensure!(told.contains(&drive), "what the service tells: {told}");
        ensure!(guest.exec(&["ping", "-c", "1", "-W", "2", &one.address])?.status.success(), "the guest does not reach the namespace");
        ensure!(guest.exec(&["sh", "-c", "exit 3"])?.status.code() == Some(3), "the status is not passed on");
        lab.neutrino_ok(&["instance", "rm", "guest"])?;
        ensure!(!testkit::processes()?.iter().any(|command| command.starts_with("qemu-system")), "QEMU is left");
        Ok(())
    }
}
