//! Which variant of the filter is in force: the tests of packets show the one that this kernel allows.

use super::lab;
use anyhow::ensure;
use testkit::{output, run};

/// This kernel tracks connections in the bridge family.
fn is_native() -> anyhow::Result<bool> {
    let probe = "add table bridge probe; add chain bridge probe c { type filter hook forward priority 0; }; \
                 add rule bridge probe c ct state new meta ibrname \"probe\" accept; delete table bridge probe";
    let native = run(&["nft", probe])?.status.success();
    // Nothing of a probe that failed is left: it is one transaction.
    ensure!(!output(&["nft", "list", "tables"])?.contains("probe"), "the probe is left");
    Ok(native)
}

testkit::isolated_tests! {
    fn connections_are_tracked_in_the_bridge_where_the_kernel_can() {
        let native = is_native()?;
        ensure!(native || std::env::var_os("NEUTRINO_TEST_NATIVE").is_none(), "this kernel should track connections in bridges and does not");
        let lab = lab()?;
        let network = lab.network("p", "net", "10.0.0.0/24")?;
        let (one, two) = (lab.instance("one", &network, &[])?, lab.instance("two", &network, &[])?);
        one.reaches(&two.address)?;
        let in_bridge = output(&["nft", "list", "table", "bridge", "neutrino"])?.contains("ct state");
        ensure!(in_bridge == native, "the kernel tracks connections in bridges: {native}; the filter relies on it: {in_bridge}");
        if !native {
            println!("SKIPPED: security groups in the bridge family alone: CONFIG_NF_CONNTRACK_BRIDGE; `lab/vm/test.sh` runs them");
        }
        Ok(())
    }
}
