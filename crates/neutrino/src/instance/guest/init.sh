#!/bin/busybox sh
# The guest's only process besides its DHCP client: brings the NIC up, then runs what the console asks for.
export PATH=/bin
/bin/busybox mkdir -p /dev /proc /sys /etc /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
echo 1 > /proc/sys/kernel/printk
for module in /modules/*.ko; do /bin/busybox insmod "$module"; done
/bin/busybox --install -s /bin
option() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^neutrino\.$1=//p"; }
mtu=$(option mtu) address=$(option address) gateway=$(option gateway)
ip link set lo up
ip link set eth0 mtu "${mtu:-1500}" up
if [ -n "$address" ]; then
    ip addr add "$address" dev eth0
    [ -n "$gateway" ] && ip route add default via "$gateway" dev eth0
elif [ -n "$(option dhcp)" ]; then
    EACH=1 ETC=/etc LEASE=/etc/lease udhcpc -i eth0 -n -T 1 -t 30 -O mtu -O staticroutes -O search -s /lease.sh >/etc/udhcpc.log 2>&1
fi
got=$(ip -4 -o addr show dev eth0 | sed -n 's/.*inet \([^ ]*\).*/\1/p' | head -n 1)
if [ -b /dev/vda ]; then mkdir -p /config && mount -t iso9660 -o ro /dev/vda /config; fi
stty raw -echo < /dev/ttyS0
echo "NEUTRINO-READY ${got:--}"
# A request is a line: an id and the command in base64. What it prints comes between two marked lines.
while read -r id command; do
    [ -n "$command" ] || continue
    printf '\n\002%s\n' "$id"
    printf '%s' "$command" | base64 -d > /tmp/command
    sh /tmp/command < /dev/null 2>&1
    printf '\n\003%s %s\n' "$id" "$?"
done < /dev/ttyS0
poweroff -f
