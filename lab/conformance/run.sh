#!/bin/bash
# Upstream's API suites against this server with a real Keystone. Run by `cargo xtask conformance`, in namespaces of its own:
#   run.sh NEUTRINO KEYSTONE_VENV TESTS_VENV RUN IDS CONCURRENCY
# NEUTRINO is the binary, RUN a directory for all that is made, IDS a file with ids of tests, one on a line.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
neutrino=$1 keystone=$2 tests=$3 run=$4 ids=$5 concurrency=$6
url=http://127.0.0.1:9696 auth=http://127.0.0.1:5000/v3
# A throw-away of these namespaces.
password=labsecret
say() { printf -- '── %s\n' "$*" >&2; }
wait_for() { # WHAT SECONDS command…
  local what=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then say "$what does not answer; the logs are in $run/log"; exit 1; fi
    sleep 0.1
  done
}
answers() { "$tests/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1"; }
stop() { kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; "$neutrino" down --state "$run/neutrino" >/dev/null 2>&1 || true; }
trap stop EXIT

mkdir -p "$run"/{log,neutrino,keystone/fernet,keystone/credential,lock}; chmod 700 "$run/neutrino"
ip link set lo up
# The physical network "public" and what is at its other end.
ip link add public0 type veth peer name public1; ip link set public0 up; ip link set public1 up
mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns

say "keystone"
cat >"$run/keystone.conf" <<C
[DEFAULT]
log_file = $run/log/keystone.log
[database]
connection = sqlite:///$run/keystone/keystone.db
sqlite_synchronous = false
[cache]
enabled = true
backend = dogpile.cache.memory
[fernet_tokens]
key_repository = $run/keystone/fernet
[credential]
key_repository = $run/keystone/credential
[token]
provider = fernet
expiration = 86400
[identity]
# The suites make thousands of users.
password_hash_rounds = 4
C
manage() { "$keystone/bin/keystone-manage" --config-file "$run/keystone.conf" "$@" >>"$run/log/keystone-manage.log" 2>&1; }
manage db_sync
manage fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage bootstrap --bootstrap-password $password --bootstrap-region-id RegionOne --bootstrap-public-url $auth \
  --bootstrap-internal-url $auth --bootstrap-admin-url $auth
# Keystone reads the command line of whoever serves it. One worker: with SQLite two refuse each other's writes.
echo 'wsgi_app = "keystone.wsgi.api:application"' >"$run/gunicorn.py"
OS_KEYSTONE_CONFIG_FILES=$run/keystone.conf GUNICORN_CMD_ARGS="--config=$run/gunicorn.py --bind=127.0.0.1:5000 --workers=1 --log-level=warning" \
  "$keystone/bin/gunicorn" >"$run/log/gunicorn.log" 2>&1 &
wait_for keystone 60 answers $auth

say "neutrino, with all extensions"
cat >"$run/neutrino/neutrino.toml" <<C
[agent]
physical_networks = { public = "public0" }
[api]
preview_extensions = true
[ml2]
vni_ranges = ["1:2000"]
# As the reference has it; no host of this lab is on that physical network.
network_vlan_ranges = ["foo:1:10"]
[quota]
router = 100
floatingip = 500
security_group = 150
security_group_rule = 1000
[identity]
auth_url = "$auth"
password = "$password"
C
"$neutrino" up --state "$run/neutrino" --listen 127.0.0.1:9696 --auth keystone --host conformance >"$run/log/neutrino.log" 2>&1 &
wait_for neutrino 30 answers $url/
as_admin() {
  OS_AUTH_URL=$auth OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne OS_USERNAME=admin OS_PASSWORD=$password OS_PROJECT_NAME=admin \
    OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default PEER_URL=$url PEER_OUT=$run PEER_SERVICE_PASSWORD=$password \
    PEER_TEMPLATE=$here/tempest.conf.tmpl exec "$tests/bin/python" "$@"
}
as_admin "$here/compute.py" conformance >"$run/log/compute.log" 2>&1 &
wait_for "the compute service" 60 answers http://127.0.0.1:8774/v2.1/os-hypervisors
(as_admin "$here/../peer/seed.py")

export PATH=$tests/bin:$PATH HOME=$run
tempest init "$run/tempest" >"$run/log/tempest-init.log" 2>&1
cp "$run/tempest.conf" "$run/tempest/etc/tempest.conf"
cp "$ids" "$run/ids"
say "$(grep -c . "$run/ids") tests, $concurrency at once"
began=$SECONDS
# The exit status says no more than the results do.
suite() { (cd "$run/tempest" && tempest run --load-list "$1" --concurrency "$2" --subunit) >"$run/subunit.$3" 2>"$run/log/tempest.$3" || true; }
suite "$run/ids" "$concurrency" 1
# Tests beside each other disturb each other: what failed is asked once more, alone.
"$tests/bin/python" "$here/results.py" --failed "$run/failed" "$run/ids" "$run/subunit.1"
failed=$(grep -c . "$run/failed" || true)
if [ "$failed" -gt 0 ] && [ "$failed" -le 20 ]; then
  say "$failed failed; once more, one by one"
  suite "$run/failed" 1 2
fi
say "done in $((SECONDS - began)) s"
"$tests/bin/python" "$here/results.py" --json "$run/results.json" "$run/ids" "$run"/subunit.*
