#!/bin/bash
# test.sh [--all] [FILTER…]: packet tests in a VM with a Debian kernel, which tracks connections in the bridge family and has VLAN links:
# what kernels without that run by marks in `inet` runs natively there. Same tests, same output as on this machine.
# Without --all, those that show each property once; filters select among them.
set -eu
cd "$(dirname "$0")/../.."
VM=$(realpath -m "${CARGO_TARGET_DIR:-target}/vm")
lab/vm/prepare.sh "$VM"
all=; [ "${1:-}" = --all ] && { all=1; shift; }
# Of the workspace, so that what its tests have built is not built again with other features.
TARGETS=(--test nft --test kernel --test namespaces --test vlans --test conntrack_helpers --test cuts --test hosts --test networks)
programs=$(cargo test --locked --workspace "${TARGETS[@]}" --no-run 2>&1) || { echo "$programs" >&2; exit 1; }
# binary NAME: the newest build of a test target.
binary() { echo "$programs" | sed -n "s|.*Executable tests/$1[./].*(\(.*\))|\1|p" | head -1; }
# The tests that can tell fail when the kernel turns out not to be what it is there for.
GUEST="modprobe -a bridge veth vxlan 8021q nf_tables br_netfilter nf_conntrack_bridge nft_meta_bridge; export NEUTRINO_TEST_NATIVE=1 NEUTRINO_TEST_PATIENCE=5; status=0"
# run TARGET CRATE THREADS ARGUMENTS…: tests of one target, as cargo would run them.
run() {
    local path; path=$(realpath "$(binary "$1")"); local crate=$2 threads=$3; shift 3
    GUEST+="; echo 'vm: $(basename "$path" | sed 's/-[0-9a-f]*$//') at' \$(cut -d' ' -f1 /proc/uptime) s"
    GUEST+="; cd '$PWD/crates/$crate' && '$path' --test-threads=$threads --show-output ${*@Q} || status=1"
}
if [ $# -gt 0 ]; then filters=("$@"); else filters=(); fi
# Measured in milliseconds, which emulation is not.
slow=(--skip plugging --skip ten_thousand)
run nft host 2 "${slow[@]}" ${filters[@]+"${filters[@]}"}
run namespaces agent 4 "${slow[@]}" ${filters[@]+"${filters[@]}"}
run vlans agent 2 ${filters[@]+"${filters[@]}"}
run conntrack_helpers agent 2 ${filters[@]+"${filters[@]}"}
run cuts agent 1 ${filters[@]+"${filters[@]}"}
run hosts agent 2 "${slow[@]}" ${filters[@]+"${filters[@]}"}
if [ -n "$all" ]; then
    run kernel host 2 "${slow[@]}" ${filters[@]+"${filters[@]}"}
    run networks neutrino 2 ${filters[@]+"${filters[@]}"}
elif [ ${#filters[@]} = 0 ]; then
    run networks neutrino 2 variant a_connection_ends forged_addresses members_of_a_remote on_vlans
fi
LIMIT_S=${LIMIT_S:-$([ -n "$all" ] && echo 2400 || echo 480)} exec lab/vm/run.sh "$VM" "$GUEST; exit \$status"
