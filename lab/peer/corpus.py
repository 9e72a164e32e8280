#!/usr/bin/env python3
"""The same requests to upstream and to this project: records upstream's answers, compares anybody's with them.

    corpus.py record AREA --keystone http://127.0.0.1:15000/v3 --password labsecret [--agents 'up.sh agents']
    corpus.py record AREA … --raw RAW, then corpus.py rewrite AREA --raw RAW    # after a change of how answers are written
    corpus.py check AREA --url http://127.0.0.1:9696                # `neutrino server --auth none`: roles go in headers
    corpus.py check AREA --url ... --keystone ... --password ...    # upstream again: is what was recorded stable?

An area whose requests are about agents names them (AGENTS); `--agents` makes them report. The requests of an AREA are in `areas/AREA.py`, its recording is crates/neutrino/tests/parity/recorded/AREA.jsonl. Upstream has to be
empty: `down.sh neutron && up.sh freshdb neutron`. What differs from run to run (ids, MACs, times, random addresses, revisions) is replaced by
words. A line of a recording is one request with its normalised answer, whole. What is left out when answers are compared (attributes of
features that this project does not serve), and the requests on which it answers otherwise on purpose, are in `differences.json` there.
Standard library only.
"""
import argparse
import collections
import importlib
import ipaddress
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import asking

# role name: (project, roles). Upstream gets users for them, this project gets headers.
ROLES = {
    "admin": ("admin", ["admin"]),
    "manager": ("a", ["manager"]),
    "member": ("a", ["member"]),
    "reader": ("a", ["reader"]),
    "other": ("b", ["member"]),
    "service": ("service", ["service"]),
    "stranger": ("a", ["parity-stranger"]),
}
PROJECTS = {name: f"{n:032x}" for n, name in enumerate(("admin", "a", "b", "service"), 0xA0)}

PARITY = Path(__file__).resolve().parents[2] / "crates/neutrino/tests/parity"
# Lists whose order is what `sort_key` asks for, and lists whose order says nothing.
COLLECTIONS = ("address_groups", "address_scopes", "agents", "bandwidth_limit_rules", "conntrack_helpers", "default_security_group_rules",
               "dscp_marking_rules", "flavors", "floatingips", "local_ips", "logs", "metering_label_rules", "metering_labels", "minimum_bandwidth_rules",
               "minimum_packet_rate_rules", "ndp_proxies", "network_segment_ranges", "networks", "packet_rate_limit_rules", "policies",
               "port_associations", "port_forwardings", "ports", "rbac_policies", "routers", "rule_types", "security_group_rules", "security_groups",
               "segments", "service_profiles", "service_providers", "subnetpools", "subnets", "trunks")
UNORDERED = {*COLLECTIONS, "allocation_pools", "allowed_address_pairs", "dns_assignment", "drivers", "embedded_rules", "external_fixed_ips", "external_gateways",
                           "extra_dhcp_opts", "fixed_ips", "host_routes", "quotas", "request_groups", "required", "routes", "rules", "same_subtree", "sub_ports",
                           "supported_parameters", "tags"}
ADDRESSES = {"fixed_ip", "fixed_ip_address", "floating_ip_address", "internal_ip_address", "ip_address", "local_ip_address"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MAC = re.compile(r"fa:16:3e(:[0-9a-f]{2}){3}")
SET = re.compile(r"\{('\w+'(?:, '\w+')*)\}")  # Python shows sets in any order
LISTED = re.compile(r"^(Unrecognized attribute\(s\) '|.*provider network attributes: )([^'.]*)('|\.)$")
PORTS = re.compile(r"(id for these ports is: )(.*)\.$")
TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?$")


def http(method, url, body=None, headers=None):
    """Status, headers, bytes; errors are answers."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=120) as got:
            return got.status, got.headers, got.read()
    except urllib.error.HTTPError as got:
        return got.code, got.headers, got.read()


class Keystone:
    """Makes the projects and users of ROLES and gives their tokens."""

    def __init__(self, url, password):
        self.url, self.password = url, password
        self.admin = self.token("admin", "admin", password)[0]
        self.projects, self.headers = {}, {}
        roles = {role["name"]: role["id"] for role in self.get("roles")["roles"]}
        for name in ("admin", "a", "b", "service"):
            project = name if name in ("admin", "service") else f"parity-{name}"
            self.projects[name] = self.ensure("project", project, {"domain_id": "default"})
        for name, (project, granted) in ROLES.items():
            user = self.ensure("user", f"parity-{name}", {"domain_id": "default", "password": password})
            for role in granted:
                role_id = roles.get(role) or self.ensure("role", role, {})
                http("PUT", f"{url}/projects/{self.projects[project]}/users/{user}/roles/{role_id}", headers=self.auth())
            token = self.token(f"parity-{name}", self.projects[project], password)[0]
            self.headers[name] = {"X-Auth-Token": token}

    def auth(self):
        return {"X-Auth-Token": self.admin, "Content-Type": "application/json"}

    def get(self, path):
        return json.loads(http("GET", f"{self.url}/{path}", headers=self.auth())[2])

    def ensure(self, kind, name, more):
        found = [entry for entry in self.get(f"{kind}s?name={name}")[f"{kind}s"] if entry["name"] == name]
        if found:
            return found[0]["id"]
        status, _, body = http("POST", f"{self.url}/{kind}s", json.dumps({kind: {"name": name, **more}}), self.auth())
        if status != 201:
            sys.exit(f"{kind} {name}: {status} {body}")
        return json.loads(body)[kind]["id"]

    def token(self, user, project, password):
        scope = {"id": project} if re.fullmatch("[0-9a-f]{32}", project) else {"name": project, "domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": {"id": "default"}, "password": password}}}
        body = {"auth": {"identity": identity, "scope": {"project": scope}}}
        status, headers, answer = http("POST", f"{self.url}/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
        if status != 201:
            sys.exit(f"token of {user}: {status} {answer}")
        return headers["X-Subject-Token"], answer


class Run:
    """One walk through the requests."""

    def __init__(self, url, keystone):
        self.url = url
        self.projects = keystone.projects if keystone else PROJECTS
        self.headers = keystone.headers if keystone else {
            role: {"X-Project-Id": PROJECTS[project], "X-User-Id": role, "X-Roles": ",".join(roles)} for role, (project, roles) in ROLES.items()}
        self.replay = self.keep = None
        self.names = {f"project_{name}": value for name, value in self.projects.items()}

    def fill(self, text):
        return re.sub(r"\$([a-z_0-9]+)", lambda m: self.names.get(m[1], "00000000-0000-4000-8000-000000000000"), text)

    def send(self, case):
        """The normalised answer."""
        headers = {**self.headers[case["as"]], **case.get("headers", {})}
        headers = {name: self.fill(value) for name, value in headers.items()}
        body = case.get("raw")
        if "body" in case:
            body = self.fill(json.dumps(case["body"]))
        if body is not None:
            headers["Content-Type"] = "application/json"
        path = self.fill(case["path"])
        status, kind, answer = self.exchange(case["method"], path, body, headers)
        out = {"status": status}
        if not answer:
            return out
        if kind != "application/json":
            return {**out, "type": kind}
        answer = json.loads(answer)
        for name, where in case.get("save", {}).items():
            found = answer
            for part in where.split("."):
                found = found[int(part) if part.isdigit() else part] if found is not None and not (isinstance(found, dict) and "NeutronError" in found) else None
            if found is not None:
                self.names[name] = str(found)
        asked = (body or "") + path
        error = answer.get("NeutronError") if isinstance(answer, dict) else None
        if error is not None and not isinstance(error, dict):
            error = {"type": "text", "message": str(error)}
        if error is not None:
            return {**out, "error": [error.get("type"), self.text(error.get("message", ""))]}
        return {**out, "answer": self.value(answer, "", asked, "sort_key" not in path)}

    def exchange(self, method, path, body, headers):
        """Status, content type and body, from the server or from what it answered before."""
        if self.replay:
            return json.loads(next(self.replay))
        status, got, answer = http(method, self.url + path, body, headers)
        out = status, (got.get("Content-Type") or "").split(";")[0], answer.decode()
        if self.keep:
            self.keep.write(compact(out) + "\n")
        return out

    def wait_for_agents(self, agents):
        for _ in range(300):
            there = json.loads(http("GET", f"{self.url}/v2.0/agents", headers=self.headers["admin"])[2])["agents"]
            if set(agents) <= {(agent["agent_type"], agent["host"]) for agent in there}:
                return
            time.sleep(0.2)
        sys.exit(f"not all of {agents} reported")

    def text(self, text):
        for name, value in sorted(self.names.items(), key=lambda item: -len(item[1])):
            if len(value) >= 12:
                text = text.replace(value, f"${name}")
        text = text.replace(self.url, "<url>")
        text = LISTED.sub(lambda m: m[1] + ", ".join(sorted(m[2].split(", "))) + m[3], text)
        text = SET.sub(lambda m: "{" + ", ".join(sorted(m[1].split(", "))) + "}", text)
        text = PORTS.sub(lambda m: m[1] + ",".join(sorted(m[2].split(","))) + ".", text)
        return MAC.sub("<mac>", UUID.sub("<uuid>", text))

    def value(self, value, key, asked, unordered):
        if key == "configurations":
            return f"<{type(value).__name__}>"
        if isinstance(value, dict):
            embeds = key == "security_group"
            name = {"security_group_rules": "embedded_rules"} if embeds else {}
            if key == "security_group_rule" and "description" in value:
                value = {**value, "description": value["description"] or ""}  # null for rules that upstream makes itself
            return {k: self.value(v, name.get(k, k), asked, unordered) for k, v in sorted(value.items())}
        if isinstance(value, list):
            items = [self.value(item, key[:-1] if key.endswith("s") else key, asked, unordered) for item in value]
            if key in UNORDERED and (unordered or key not in COLLECTIONS):
                items.sort(key=lambda item: json.dumps(item, sort_keys=True))
            return items
        if key in ("revision_number",) or (key == "provider:segmentation_id" and value is not None and f'"{key}"' not in asked):
            return f"<{type(value).__name__}>"
        if isinstance(value, str):
            if key == "description" and "/extensions/" in asked:
                return "<text>"
            if TIME.match(value):
                return "<time>" if "T" in value else "<agent time>"
            if key in ("hostname", "fqdn") and value.startswith("host-"):
                return "<host>" + value[value.index("."):] if "." in value else "<host>"
            if key in ADDRESSES and value not in asked:
                return self.address(value)
            return self.text(value)
        return value

    @staticmethod
    def address(value):
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return value
        eui = address.version == 6 and (int(address) >> 24) & 0xFFFF == 0xFFFE
        return "<eui64>" if eui else f"<ip{address.version}>"


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Templates:
    """Objects with the same members differ in few of them: each is written as the number of a template and what differs from it."""

    def __init__(self, lines):
        common = {}
        for line in lines:
            self.collect(line["got"], common)
        keys = [members for members, values in common.items() if len(members) > 4 and len(next(iter(values.values()))) > 1]
        self.objects = [{key: json.loads(common[members][key].most_common(1)[0][0]) for key in members} for members in sorted(keys)]
        self.index()

    @classmethod
    def read(cls, objects):
        self = cls.__new__(cls)
        self.objects = objects
        self.index()
        return self

    def index(self):
        self.numbers = {tuple(sorted(template)): n for n, template in enumerate(self.objects)}

    def collect(self, value, common):
        if isinstance(value, dict):
            counts = common.setdefault(tuple(sorted(value)), {key: collections.Counter() for key in value})
            for key, member in value.items():
                counts[key][json.dumps(member)] += 1
                self.collect(member, common)
        elif isinstance(value, list):
            for item in value:
                self.collect(item, common)

    def fold(self, value):
        if isinstance(value, list):
            return [self.fold(item) for item in value]
        if not isinstance(value, dict):
            return value
        number = self.numbers.get(tuple(sorted(value)))
        if number is None:
            return {key: self.fold(member) for key, member in value.items()}
        template = self.objects[number]
        return {"=": number, **{key: self.fold(member) for key, member in value.items() if member != template[key]}}

    def unfold(self, value):
        if isinstance(value, list):
            return [self.unfold(item) for item in value]
        if not isinstance(value, dict):
            return value
        members = {key: self.unfold(member) for key, member in value.items() if key != "="}
        return {**self.objects[value["="]], **members} if "=" in value else members


def difference(want, got, where):
    """Where two answers differ: (place, upstream's, ours)."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            yield from difference(want.get(key, "absent"), got.get(key, "absent"), f"{where}.{key}" if where else key)
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for n, (there, here) in enumerate(zip(want, got)):
            yield from difference(there, here, f"{where}.{n}")
    elif want != got:
        yield where, want, got


def record(args, keystone):
    run = Run(args.url, keystone)
    if args.raw and args.action == "record":
        run.keep = open(args.raw, "w")
        run.keep.write(compact([args.url, run.projects]) + "\n")
    elif args.raw:
        run.replay = open(args.raw)
        run.url, run.projects = json.loads(next(run.replay))
        run.names = {f"project_{name}": value for name, value in run.projects.items()}
    lines = []
    for case in asking.CASES:
        if case.get("with_agents") and args.agents:
            subprocess.run(args.agents, shell=True, check=True)
            run.wait_for_agents(args.agents_there)
            args.agents = None
        answer = run.send(case)
        lines.append({**case, "got": answer})
    templates = Templates(lines)
    roles = {role: [PROJECTS[project], roles] for role, (project, roles) in ROLES.items()}
    with open(args.recording, "w") as out:
        out.write(compact({"projects": PROJECTS, "roles": roles, "agents": args.agents_there, "templates": templates.objects}) + "\n")
        for line in lines:
            out.write(compact({**line, "got": templates.fold(line["got"])}) + "\n")
    print(f"{len(asking.CASES)} requests recorded")


def without(value, key, omitted, is_ordered):
    """An answer without what is not compared; lists without an order of their own are in the order of what is left."""
    if isinstance(value, dict):
        left_out = omitted.get("quota" if key == "quotas" else key, ())
        names = {"security_group_rules": "embedded_rules"} if key == "security_group" else {}
        return {k: without(v, names.get(k, k), omitted, is_ordered) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        items = [without(item, key[:-1] if key.endswith("s") else key, omitted, is_ordered) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if key in UNORDERED and not (is_ordered and key in COLLECTIONS) else items
    return value


def check(args, keystone):
    run, differences, deliberate, count = Run(args.url, keystone), 0, 0, 0
    marks = json.loads((PARITY / "differences.json").read_text())
    omitted, on_purpose = ({}, ()) if keystone else (marks["omitted"], {name for names in marks["deliberate"].values() for name in names})
    with open(args.recording) as lines:
        templates = Templates.read(json.loads(next(lines))["templates"])
        for line in lines:
            case = json.loads(line)
            if case.get("with_agents") and not keystone:
                continue
            want, got = (without(a, "", omitted, "sort_key" in case["path"]) for a in (templates.unfold(case["got"]), json.loads(compact(run.send(case)))))
            count += 1
            is_on_purpose = case["name"] in on_purpose or f"{args.area}: {case['name']}" in on_purpose
            if want == got:
                if is_on_purpose:
                    print(f"STALE {case['name']}: no difference any more")
                continue
            if is_on_purpose:
                deliberate += 1
                continue
            differences += 1
            print(f"--- {case['name']} | {case['as']} {case['method']} {case['path']} {compact(case.get('body', case.get('raw')))[:300]}")
            for where, there, here in difference(want, got, ""):
                print(f"    {where or '.'}: upstream {compact(there)[:args.width]}\n    {' ' * len(where or '.')}      here {compact(here)[:args.width]}")
    print(f"{count} requests compared, {differences} differences, {deliberate} deliberate ones")
    return 1 if differences else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "rewrite", "check"])
    parser.add_argument("area", help="a module of areas/")
    parser.add_argument("--url", default="http://127.0.0.1:19696")
    parser.add_argument("--raw", help="record: keep the answers here as they came; rewrite: read them from here")
    parser.add_argument("--keystone")
    parser.add_argument("--agents", help="record: the command that starts a host's agents, before what is asked with them there")
    parser.add_argument("--password")
    parser.add_argument("--width", type=int, default=900)
    args = parser.parse_args()
    args.agents_there = getattr(importlib.import_module(f"areas.{args.area}"), "AGENTS", ())
    args.recording = PARITY / "recorded" / f"{args.area}.jsonl"
    keystone = Keystone(args.keystone, args.password) if args.keystone else None
    sys.exit(check(args, keystone) if args.action == "check" else record(args, keystone))


if __name__ == "__main__":
    main()
