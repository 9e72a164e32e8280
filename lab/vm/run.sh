#!/bin/bash
# run.sh DIR COMMAND: runs a command as root in a VM with the kernel of DIR (see prepare.sh) on this machine's files, shows its
# output as it comes and passes its status on; 124 when it takes longer than LIMIT_S. No KVM needed; /tmp and /run are the VM's own, but
# for the directory it is called in.
set -u
D=$(realpath "$1"); J=$(mktemp -d); LIMIT_S=${LIMIT_S:-300}; MEMORY=${MEMORY:-1536}
pids=(); trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$J"' EXIT
SHARES=("root:/" "modules:$(echo "$D"/lib/modules/*)" "job:$J/job")
mkdir "$J/job"; printf '%s\n' "$2" > "$J/job/command"; touch "$J/job/output"
VIRTIOFSD=/usr/lib/qemu/virtiofsd; [ -x $VIRTIOFSD ] || VIRTIOFSD=virtiofsd
A=(-accel tcg,thread=multi -cpu max -smp "${CPUS:-1}" -m "$MEMORY" -display none -serial stdio -monitor none -nic none -no-reboot
   -kernel "$D/vmlinux" -initrd "$D/initramfs" -append "console=ttyS0 quiet panic=-1 mitigations=off"
   -object memory-backend-memfd,id=memory,size="${MEMORY}M",share=on -numa node,memdev=memory)
case $PWD in /tmp/*|/run/*) SHARES+=("work:$PWD"); echo "$PWD" > "$J/job/work";; esac
for share in "${SHARES[@]}"; do
    tag=${share%%:*}
    $VIRTIOFSD --socket-path="$J/$tag.socket" -o source="${share#*:}" -o cache=always -o sandbox=chroot > "$J/$tag.log" 2>&1 & pids+=($!)
    A+=(-chardev "socket,id=$tag,path=$J/$tag.socket" -device "vhost-user-fs-pci,chardev=$tag,tag=$tag")
done
for share in "${SHARES[@]}"; do
    for _ in $(seq 100); do grep -q Waiting "$J/${share%%:*}.log" && break; sleep 0.05; done
done
timeout "$LIMIT_S" qemu-system-x86_64 "${A[@]}" </dev/null > "$J/console" 2>&1 & QEMU=$!
tail -f -n +1 --pid=$QEMU "$J/job/output" 2>/dev/null
wait $QEMU; status=$?
[ -s "$J/job/status" ] && exit "$(cat "$J/job/status")"
echo "the VM ended without a result (qemu: $status); the end of its console:" >&2; tail -20 "$J/console" >&2
[ $status = 124 ] && exit 124; exit 125
