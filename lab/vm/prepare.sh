#!/bin/bash
# prepare.sh DIR: a Debian kernel for the VM. Fetched through apt and unpacked, not installed; nothing is done when it is there.
# DIR gets vmlinux (uncompressed: it starts seconds sooner without hardware acceleration), lib/modules and initramfs.
set -eu
D=$(realpath -m "$1"); HERE=$(realpath "$(dirname "$0")")
missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need qemu-system-x86_64 qemu-system-x86; need busybox busybox-static; need cpio cpio; need depmod kmod
need xz xz-utils; need lz4 lz4
[ -x /usr/lib/qemu/virtiofsd ] || need virtiofsd qemu-system-common
if [ ${#missing[@]} -gt 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >&2
fi
mkdir -p "$D"
if [ ! -e "$D/vmlinux" ]; then
    W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
    PKG=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ {print $2; exit}')
    [ -n "$PKG" ] || { echo "apt knows no linux-image-cloud-amd64; run apt-get update" >&2; exit 1; }
    (cd "$W" && apt-get -o APT::Sandbox::User=root download "$PKG" >&2 && dpkg -x "$PKG"_*.deb root)
    depmod -b "$W/root" "$(ls "$W/root/lib/modules")"
    rm -rf "$D/lib"; mv "$W/root/lib" "$D/lib"
    # The kernel is one compressed stream somewhere in the file; what follows it makes the program complain.
    IMAGE=$(echo "$W"/root/boot/vmlinuz-*); : > "$W/vmlinux"
    is_kernel() { [ "$(head -c 4 "$W/vmlinux")" = $'\x7fELF' ]; }
    for format in 'xz:\xfd7zXZ\x00' 'lz4:\x02\x21\x4c\x18'; do
        for at in $(LC_ALL=C grep -aboP "${format#*:}" "$IMAGE" | cut -d: -f1); do
            is_kernel || tail -c +$((at + 1)) "$IMAGE" | "${format%%:*}" -dc > "$W/vmlinux" 2>/dev/null || true
        done
    done
    is_kernel || { echo "$PKG holds no kernel that xz or lz4 unpacks" >&2; exit 1; }
    mv "$W/vmlinux" "$D/vmlinux"
fi
# Made each time: it takes a moment and always holds the present init.sh.
I=$(mktemp -d); V=$(ls "$D/lib/modules"); mkdir -p "$I"/{bin,dev,proc,sys,modules}
cp "$(command -v busybox)" "$I/bin/busybox"; cp "$HERE/init.sh" "$I/init"; chmod +x "$I/init"
n=100
for module in virtio_pci virtiofs overlay; do
    for file in $(modprobe -d "$D" -S "$V" --show-depends "$module" | awk '$1 == "insmod" {print $2}'); do
        n=$((n + 1)); cp "$file" "$I/modules/$n-$(basename "$file")"
    done
done
(cd "$I" && find . | cpio -o -H newc --quiet) > "$D/initramfs.new"
mv "$D/initramfs.new" "$D/initramfs"; rm -rf "$I"
