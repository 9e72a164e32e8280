"""Stands for a compute service: knows one hypervisor, so that the tests run that bind ports to it.

compute.py HOST: registers itself in keystone (OS_*) and serves until it is killed.
"""
import http.server
import json
import sys

import openstack

ADDRESS = ("127.0.0.1", 8774)
HYPERVISORS = {"hypervisors": [{"id": 1, "hypervisor_hostname": sys.argv[1], "state": "up", "status": "enabled"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    """One answer."""

    def do_GET(self):
        body = json.dumps(HYPERVISORS).encode()
        self.send_response(200 if self.path.split("?")[0].endswith("/os-hypervisors") else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


identity = openstack.connect().identity
service = next(iter(identity.services(type="compute")), None) or identity.create_service(type="compute", name="nova")
url = f"http://{ADDRESS[0]}:{ADDRESS[1]}/v2.1"
for interface in ("public", "internal", "admin"):
    identity.create_endpoint(service_id=service.id, interface=interface, region_id="RegionOne", url=url)
http.server.ThreadingHTTPServer(ADDRESS, Handler).serve_forever()
