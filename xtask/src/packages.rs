//! System packages, from Debian's apt. Nothing is done when all is there, and no daemon of a package is started.

use crate::shell::{has, output, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

/// How a package is known to be there.
enum Sign {
    /// A program on the path.
    Program(&'static str),
    /// A command that succeeds.
    Command(&'static [&'static str]),
    /// An applet of busybox.
    Applet(&'static str),
}

/// A package and its sign.
struct Package(&'static str, Sign);

/// To build, and to run networks on this machine.
const RUN: [Package; 10] = [
    Package("gcc", Sign::Program("cc")),
    Package("libc6-dev", Sign::Command(&["test", "-e", "/usr/include/stdio.h"])),
    Package("iproute2", Sign::Program("ip")),
    Package("nftables", Sign::Program("nft")),
    Package("conntrack", Sign::Program("conntrack")),
    Package("dnsmasq-base", Sign::Program("dnsmasq")),
    Package("radvd", Sign::Program("radvd")),
    Package("busybox-static", Sign::Applet("udhcpc")),
    Package("iputils-ping", Sign::Program("ping")),
    Package("isc-dhcp-client", Sign::Program("dhclient")),
];

/// For tests besides.
const TEST: [Package; 11] = [
    Package("bird2", Sign::Program("bird")),
    Package("kea-dhcp6-server", Sign::Program("kea-dhcp6")),
    Package("tcpdump", Sign::Program("tcpdump")),
    Package("python3-venv", Sign::Command(&["python3", "-c", "import ensurepip, venv"])),
    Package("qemu-system-x86", Sign::Program("qemu-system-x86_64")),
    Package("xz-utils", Sign::Program("xz")),
    Package("lz4", Sign::Program("lz4")),
    Package("knot", Sign::Program("knotd")),
    Package("knot-dnsutils", Sign::Program("kdig")),
    Package("rabbitmq-server", Sign::Command(&["test", "-e", "/usr/lib/rabbitmq/bin/rabbitmq-server"])),
    Package("util-linux", Sign::Program("unshare")),
];

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Sign::Program(program) => has(program),
            Sign::Command(words) => output(words).is_ok(),
            Sign::Applet(applet) => output(&["busybox", "--list"]).is_ok_and(|list| list.lines().any(|line| line == *applet)),
        }
    }
}

/// Installs what running needs.
pub fn for_running() -> Result<()> {
    install(&RUN)
}

/// Installs what tests need besides.
pub fn for_tests() -> Result<()> {
    install(&RUN)?;
    install(&TEST)
}

fn missing(packages: &[Package]) -> Vec<&'static str> {
    packages.iter().filter(|package| !package.1.is_there()).map(|package| package.0).collect()
}

fn install(packages: &[Package]) -> Result<()> {
    let wanted = missing(packages);
    if wanted.is_empty() {
        return Ok(());
    }
    let list = wanted.join(" ");
    if !is_root()? {
        bail!("these packages are missing: {list}; run this as root, or install them with `sudo apt-get install {list}`");
    }
    if !has("apt-get") {
        bail!("these packages are missing: {list}; this system has no apt-get, so install their equivalents");
    }
    eprintln!("── installing {list}");
    let start = Instant::now();
    let _guard = NoDaemons::new()?;
    let mut install = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends"];
    install.extend(&wanted);
    // A machine that has never asked knows no packages; the lists of one that has may be old.
    if output(&install).is_err() {
        run(&["apt-get", "-q", "update"]).context("the package lists cannot be fetched; is this machine online?")?;
        run(&install).with_context(|| format!("installing {list}; is this machine online?"))?;
    }
    let left = missing(packages);
    if !left.is_empty() {
        bail!("apt-get installed {list}, but this is still not usable: {}", left.join(" "));
    }
    eprintln!("── installed in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// True for the superuser.
pub fn is_root() -> Result<bool> {
    Ok(output(&["id", "-u"])?.trim() == "0")
}

/// While it lives, packages do not start their daemons.
struct NoDaemons {
    ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoDaemons {
    fn new() -> Result<NoDaemons> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("writing {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(NoDaemons { ours })
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("xtask: {POLICY} is left: {error}");
        }
    }
}
