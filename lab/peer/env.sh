# Shared settings of the peer lab.  Source it; every value can be overridden
# from the environment.  Everything made at run time lives under $PEERLAB.
: "${PEERLAB:=/tmp/peerlab}"                    # scratch: venvs, databases, logs, pids
: "${PEER_PYTHON:=$(for p in "$HOME"/.pyenv/versions/3.1[1-3]*/bin/python /usr/bin/python3; do [ -x "$p" ] && echo "$p" && break; done)}"
: "${PEER_HOST:=127.0.0.1}"
: "${PEER_PORT_MYSQL:=13306}"
: "${PEER_PORT_AMQP:=15673}"
: "${PEER_PORT_AMQP_DIST:=25673}"
: "${PEER_PORT_EPMD:=14369}"
: "${PEER_PORT_MEMCACHED:=21211}"
: "${PEER_PORT_KEYSTONE:=15000}"
: "${PEER_PORT_NEUTRON:=19696}"
: "${PEER_API_WORKERS:=2}"                      # uwsgi processes of the neutron API
: "${PEER_API_THREADS:=1}"                      # uwsgi threads in each (upstream's doc: 1)
: "${PEER_KEYSTONE_WORKERS:=2}"
: "${PEER_RPC_WORKERS:=1}"
: "${PEER_AUTH:=keystone}"                      # keystone | noauth
: "${PEER_ADMIN_PASSWORD:=labsecret}"           # a throw-away of this lab
: "${PEER_DB_PASSWORD:=labdb}"
PEER_HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SV="$PEERLAB/venv"        # server venv
TV="$PEERLAB/tvenv"       # clients and test suites venv
ETC="$PEERLAB/etc" RUN="$PEERLAB/run" LOG="$PEERLAB/log"
export PEERLAB
