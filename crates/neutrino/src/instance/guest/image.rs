//! What guests boot: Debian's cloud kernel, fetched through apt without installing it, and an initial file system of busybox.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Kernel and initial file system of guests.
#[derive(Clone, Debug)]
pub struct Image {
    /// The uncompressed kernel, which starts seconds sooner than a compressed one without hardware acceleration.
    pub kernel: PathBuf,
    /// A cpio archive.
    pub initramfs: PathBuf,
}

const INIT: &str = include_str!("init.sh");
const LEASE: &str = include_str!("../lease.sh");
/// In the order in which they are loaded.
const MODULES: [&str; 11] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
    "cdrom",
    "isofs",
];
/// Where they are kept; another list of them has another name.
const DRIVERS: &str = "modules-2";

/// The image in this directory; made when it is not there.
pub fn prepare(directory: &Path) -> Result<Image> {
    let image = Image { kernel: directory.join("vmlinux"), initramfs: directory.join("initramfs.cpio") };
    if !image.kernel.exists() || !directory.join(DRIVERS).exists() {
        eprintln!("fetching a kernel for guests into {} (once)", directory.display());
        fetch(directory, &image.kernel)
            .context("getting a kernel for guests; packages qemu-system-x86, dpkg, xz-utils and lz4 are needed")?;
    }
    // Built each time: it takes milliseconds and always fits this program.
    let archive = initramfs(&directory.join(DRIVERS))?;
    let new = directory.join(format!("initramfs.{}.new", std::process::id()));
    fs::write(&new, archive).and_then(|()| fs::rename(&new, &image.initramfs)).context("writing the initial file system")?;
    Ok(image)
}

fn fetch(directory: &Path, kernel: &Path) -> Result<()> {
    let work = directory.join(format!("fetch.{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let result = unpack(directory, &work, kernel);
    fs::remove_dir_all(&work)?;
    result
}

fn unpack(directory: &Path, work: &Path, kernel: &Path) -> Result<()> {
    let depends = output(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
    let package = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let package = package.context("apt knows no linux-image-cloud-amd64; run `apt-get update`")?;
    // apt drops its privileges for a download when it can; in a private directory it cannot.
    output(Command::new("apt-get").args(["-o", "APT::Sandbox::User=root", "download", package]).current_dir(work))?;
    let archive = find(work, &|name| name.ends_with(".deb"))?.context("apt downloaded nothing")?;
    output(Command::new("dpkg").arg("-x").arg(&archive).arg(work.join("root")))?;
    let modules = directory.join(DRIVERS);
    fs::create_dir_all(&modules)?;
    for module in MODULES {
        // Some kernels have one or the other built in.
        let file = find(&work.join("root"), &|name| name.strip_suffix(".ko") == Some(module))?;
        if let Some(file) = file {
            fs::copy(&file, modules.join(format!("{module}.ko")))?;
        }
    }
    let compressed = find(&work.join("root/boot"), &|name| name.starts_with("vmlinuz-"))?.context("no kernel in the package")?;
    let new = work.join("vmlinux");
    decompress(&compressed, &new)?;
    fs::rename(&new, kernel)?;
    Ok(())
}

fn find(directory: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find(&entry.path(), wanted)? {
                return Ok(Some(found));
            }
        } else if entry.file_name().to_str().is_some_and(wanted) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Takes the ELF image out of a bzImage: it is one compressed stream somewhere in the file.
fn decompress(from: &Path, to: &Path) -> Result<()> {
    let data = fs::read(from)?;
    for (magic, program) in [(&b"\xfd7zXZ\0"[..], "xz"), (&b"\x02\x21\x4c\x18"[..], "lz4")] {
        for at in data.windows(magic.len()).enumerate().filter(|(_, window)| *window == magic).map(|(at, _)| at) {
            let part = to.with_extension("part");
            fs::write(&part, &data[at..])?;
            let packed = fs::File::open(&part)?;
            let output = Command::new(program).arg("-dc").stdin(packed).stderr(Stdio::null()).output();
            fs::remove_file(&part)?;
            // What follows the stream makes the program complain after it has written all.
            if let Ok(output) = output
                && output.stdout.starts_with(b"\x7fELF")
            {
                fs::write(to, output.stdout)?;
                return Ok(());
            }
        }
    }
    bail!("{} holds no kernel that xz or lz4 can unpack", from.display())
}

fn initramfs(modules: &Path) -> Result<Vec<u8>> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    let busybox = fs::read(busybox.context("busybox is missing (package busybox-static)")?)?;
    let mut archive = Archive::default();
    for directory in ["bin", "dev", "etc", "modules", "proc", "sys", "tmp"] {
        archive.add(directory, 0o040_755, &[]);
    }
    archive.add("bin/busybox", 0o100_755, &busybox);
    archive.add("init", 0o100_755, INIT.as_bytes());
    archive.add("lease.sh", 0o100_755, LEASE.replace("#!/bin/sh", "#!/bin/busybox sh").as_bytes());
    for (order, module) in MODULES.iter().enumerate() {
        let path = modules.join(format!("{module}.ko"));
        if path.exists() {
            archive.add(&format!("modules/{order:02}-{module}.ko"), 0o100_644, &fs::read(path)?);
        }
    }
    Ok(archive.finish())
}

/// A cpio archive in the "newc" format, which the kernel takes (Documentation/driver-api/early-userspace/buffer-format.rst).
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    fn add(&mut self, name: &str, mode: u32, data: &[u8]) {
        self.entries += 1;
        let size = u32::try_from(data.len()).expect("files of a guest are small");
        let name_size = u32::try_from(name.len() + 1).expect("names are short");
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned() {
        let mut archive = Archive::default();
        archive.add("etc", 0o040_755, &[]);
        archive.add("a", 0o100_644, b"hello");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        for (at, _) in text.match_indices("070701") {
            assert_eq!(at % 4, 0);
        }
        assert_eq!(text.matches("070701").count(), 3);
        assert!(text.contains("hello\0\0\0"));
    }
}
