#!/bin/bash
# metadata.sh NEUTRINO: does an instance get its metadata from a real Nova by this program's proxy? Upstream's metadata API (Nova from PyPI,
# SQLite, records of instances written by nova_record.py) and the program run in a network namespace of their own; instances ask
# 169.254.169.254. Half a minute, and minutes for pip the first time. Env: see env.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
NEUTRINO=$(realpath "$1") NV=${PEER_NOVA_VENV:-$PEERLAB/nvenv}
if [ -z "${PEER_INSIDE:-}" ]; then
    if ! [ -x "$NV/bin/nova-manage" ]; then
        echo "pip: nova" >&2
        mkdir -p "$PEERLAB"; "$PEER_PYTHON" -m venv "$NV"
        "$NV/bin/pip" install -q -c "$PEER_HERE/constraints-server.txt" nova==34.0.0
    fi
    # The last process of the namespace of processes takes all others with it.
    PEER_INSIDE=1 exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$NEUTRINO"
fi
mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns; mount -t sysfs sysfs /sys; ip link set lo up
W=$(mktemp -d); STATE=$W/state; SECRET=a-shared-secret; API=http://127.0.0.1:9696/v2.0
end() { "$NEUTRINO" down --state "$STATE" >"$W/down.log" 2>&1 || true; rm -rf "$W"; }
trap end EXIT
wait_for() { for _ in $(seq 300); do "${@:2}" >/dev/null 2>&1 && return; sleep 0.1; done; echo "no $1" >&2; tail -20 "$W"/*.log >&2; exit 1; }
json() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

cat >"$W/nova.conf" <<E
[DEFAULT]
state_path = $W
transport_url = fake:/
host = host
[database]
connection = sqlite:///$W/nova.sqlite
[api_database]
connection = sqlite:///$W/nova_api.sqlite
[api]
local_metadata_per_cell = true
[oslo_concurrency]
lock_path = $W
[neutron]
auth_type = none
endpoint = ${API%/v2.0}
endpoint_override = ${API%/v2.0}
service_metadata_proxy = true
metadata_proxy_shared_secret = $SECRET
E
cp "$NV/etc/nova/api-paste.ini" "$W"
for database in "api_db sync" "db sync --local_cell"; do
    # shellcheck disable=SC2086
    "$NV/bin/nova-manage" --config-file "$W/nova.conf" $database >"$W/sync.log" 2>&1 || { tail -20 "$W/sync.log" >&2; exit 1; }
done
OS_NOVA_CONFIG_DIR=$W "$NV/bin/python" -c "
from wsgiref.simple_server import make_server
from nova.wsgi.metadata import application
make_server('127.0.0.1', 8775, application).serve_forever()" >"$W/nova.log" 2>&1 &

mkdir -p "$STATE"
printf '[metadata]\nnova_url = "http://127.0.0.1:8775"\nshared_secret = "%s"\n' $SECRET >"$STATE/neutrino.toml"
"$NEUTRINO" up --state "$STATE" --listen 127.0.0.1:9696 --auth none >"$W/neutrino.log" 2>&1 &
wait_for "API" test -s "$STATE/clouds.yaml"; wait_for "API" curl -sf "${API%/v2.0}/"
post() { curl -sf "$API/$1" -H 'Content-Type: application/json' -d "$2"; }
network=$(post networks '{"network": {"name": "net"}}' | json "['network']['id']")
post subnets "{\"subnet\": {\"network_id\": \"$network\", \"ip_version\": 4, \"cidr\": \"10.0.0.0/24\"}}" >/dev/null
declare -A id
for name in one two; do
    "$NEUTRINO" instance --state "$STATE" add $name --network "$network" >"$W/add-$name.log" 2>&1 || { cat "$W/add-$name.log" >&2; exit 1; }
done
port() { curl -sf "$API/ports?name=$1" | json "['ports'][0]['$2']"; }
for name in one two; do id[$name]=$(port $name device_id); done
wait_for "metadata API" curl -s http://127.0.0.1:8775/
# Nova knows the first only.
"$NV/bin/python" "$PEER_HERE/nova_record.py" "$W/nova.conf" "${id[one]}" "$(port one project_id)" "#!/bin/sh
echo hello" >"$W/record.log" 2>&1 || { tail -20 "$W/record.log" >&2; exit 1; }

guest() { "$NEUTRINO" instance --state "$STATE" exec "$1" -- curl -s --max-time 20 "${@:3}" "http://169.254.169.254$2"; }
failures=0
check() { # WHAT WANTED GOT
    if [ "$2" = "$3" ]; then echo "ok: $1"; else echo "FAILED: $1: $3 instead of $2"; failures=1; fi
}
code=(-o /dev/null -w '%{http_code}')
check "the instance is who it is" "${id[one]}" "$(guest one /openstack/latest/meta_data.json | json "['uuid']")"
check "its metadata" "by hand" "$(guest one /openstack/latest/meta_data.json | json "['meta']['made']")"
check "its project" "$(port one project_id)" "$(guest one /openstack/latest/meta_data.json | json "['project_id']")"
check "its user data" $'#!/bin/sh\necho hello' "$(guest one /openstack/latest/user_data)"
check "EC2's tree" "${id[one]:0:8}" "$(guest one /latest/meta-data/hostname | cut -d. -f1)"
check "its security groups, which Nova asks this server for" default "$(guest one /latest/meta-data/security-groups)"
check "nothing of another's headers" "${id[one]}" "$(guest one /openstack/latest/meta_data.json -H "X-Instance-ID: ${id[two]}" | json "['uuid']")"
check "an instance that Nova does not know" 404 "$(guest two /openstack/latest/meta_data.json "${code[@]}")"
check "a word that is not signed" 403 "$(curl -s "${code[@]}" http://127.0.0.1:8775/latest -H "X-Instance-ID: ${id[one]}" \
    -H "X-Tenant-ID: $(port one project_id)" -H 'X-Instance-ID-Signature: 0' -H 'X-Forwarded-For: 10.0.0.9')"
[ $failures = 0 ] || tail -20 "$W/nova.log" "$W/neutrino.log" >&2
for name in one two; do "$NEUTRINO" instance --state "$STATE" rm $name >/dev/null 2>&1 || true; done
exit $failures
