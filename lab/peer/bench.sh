#!/bin/bash
# Measures upstream, empty and without agents, with this project's load program.   bench.sh BENCH_PROGRAM OUT_JSON
# Every request is an administrator's (auth_strategy noauth); the database makes commits durable (MariaDB's defaults).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
bench=$1 out=$2 label=Neutron-29.0.0
export PEER_AUTH=noauth
"$PEER_HERE/up.sh" install config infra db >&2
"$PEER_HERE/down.sh" neutron >&2
"$PEER_HERE/up.sh" freshdb >&2
url=http://$PEER_HOST:$PEER_PORT_NEUTRON
"$bench" coldstart --url "$url" --label $label --out "$out" --rounds 3 \
  --start "env PEER_API_ONLY=1 $PEER_HERE/up.sh neutron" --stop "$PEER_HERE/down.sh neutron"
"$PEER_HERE/up.sh" neutron >&2
groups=()
for g in neutron-api neutron-rpc neutron-periodic mysql rabbit; do groups+=(--group "$g=$(cat "$RUN/$g.pid")"); done
"$bench" api --url "$url" --project fake_project_id --label $label --out "$out" "${groups[@]}" \
  --one "${PEER_ONE:-20}" --many "${PEER_MANY:-96}" --list 1000,5000 --flat 0 \
  --populate "$SV/bin/python $PEER_HERE/populate.py {network} {count}"
"$PEER_HERE/down.sh" >&2
