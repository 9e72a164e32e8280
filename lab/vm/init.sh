#!/bin/busybox sh
# The VM's first process: this machine's root read-only below a tmpfs, fresh /tmp and /run, the guest kernel's modules, one command.
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t devtmpfs dev /dev
for m in /modules/*; do $B insmod "$m" 2>/dev/null; done
$B mkdir -p /lower /upper /new
$B mount -t virtiofs -o ro root /lower || { echo "no root file system"; $B poweroff -f; }
$B mount -t tmpfs tmpfs /upper; $B mkdir /upper/u /upper/w
$B mount -t overlay -o lowerdir=/lower,upperdir=/upper/u,workdir=/upper/w overlay /new
for d in proc sys dev; do $B mount --move /$d /new/$d; done
$B mkdir -p /new/dev/pts /new/dev/shm
$B mount -t devpts devpts /new/dev/pts
for d in dev/shm tmp run; do $B mount -t tmpfs tmpfs /new/$d; done
V=$($B uname -r); $B mkdir -p /new/lib/modules/$V /new/run/job /new/run/netns
$B mount -t virtiofs modules /new/lib/modules/$V; $B mount -t virtiofs job /new/run/job
$B cat > /new/run/go <<'G'
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
hostname vm; ip link set lo up; cd /run/job
[ -s work ] && mkdir -p "$(cat work)" && mount -t virtiofs -o ro work "$(cat work)"
bash ./command > output 2>&1; echo $? > status; sync
echo 1 > /proc/sys/kernel/sysrq; echo o > /proc/sysrq-trigger; sleep 60
G
# switch_root, not chroot: the kernel runs modprobe in the first root, and with chroot modules would not load by themselves.
exec $B switch_root /new /bin/sh /run/go
