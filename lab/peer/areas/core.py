"""The core resources: networks, subnets, ports, security groups, agents, quotas, extensions."""

from asking import CASES, LONG, UUID, ask, collection, delete, get, post, put, section

# ---------------------------------------------------------------------------------------------------------------- paths and forms
section("paths")
for path in ("/", "/v2.0", "/v2.0/", "/v3", "/v2.0.json", "/v2.0/nope", "/v2.0/networks/x/nope", "/v2.0/networks.json", "/v2.0/networks.xml",
             "/v2.0/networks/", "/v2.0/security_groups.json", "/v2.0/extensions/nope", "/v2.0/networks//", "/v2.0/extensions/security-group/x"):
    ask("admin", "GET", path, name=f"GET {path}")
ask("admin", "HEAD", "/", name="HEAD /")
ask("admin", "POST", "/", name="POST /", body={})
for method, path in (("PATCH", "/v2.0/networks"), ("PATCH", f"/v2.0/networks/{UUID}"), ("POST", f"/v2.0/networks/{UUID}"), ("PUT", "/v2.0/networks"),
                     ("DELETE", "/v2.0/networks"), ("HEAD", "/v2.0/networks"), ("HEAD", f"/v2.0/networks/{UUID}"), ("PUT", "/v2.0/subnets"),
                     ("PUT", "/v2.0/ports"), ("PUT", "/v2.0/security-groups"), ("DELETE", "/v2.0/security-group-rules"),
                     ("POST", "/v2.0/extensions"), ("PUT", "/v2.0/agents"), ("DELETE", "/v2.0/quotas")):
    if method == "DELETE" or method == "HEAD":
        ask("admin", method, path, name=f"{method} {path}")
    else:
        ask("admin", method, path, name=f"{method} {path}", body={"network": {}})
for kind in ("network", "subnet", "port", "security_group", "security_group_rule", "agent"):
    for role in ("admin", "member"):
        get(f"{collection(kind)}/{UUID}", role, name=f"get missing {kind} {role}")
        delete(kind, UUID, role, name=f"delete missing {kind} {role}")
        put(kind, UUID, {"description": "x"}, role, name=f"put missing {kind} {role}")
    get(f"{collection(kind)}/foo", name=f"get {kind} foo")
    get(f"{collection(kind)}/foo?fields=id", "member", name=f"get {kind} foo fields")
for alias in ("agent", "security-group", "provider", "binding", "port-security", "external-net", "net-mtu", "quotas", "quota_details", "sorting",
              "pagination", "standard-attr-revisions", "standard-attr-timestamp", "standard-attr-description", "project-id", "allowed-address-pairs",
              "extra_dhcp_opt", "revision-if-match", "net-mtu-writable", "ip-substring-filtering", "filter-validation", "empty-string-filtering",
              "stateful-security-group", "quota-check-limit", "security-groups-normalized-cidr", "subnet_allocation"):
    get(f"extensions/{alias}?fields=alias", name=f"extension {alias}")

section("bodies")
for name, raw in (("not json", "{"), ("list", "[]"), ("text", '"x"'), ("empty object", "{}"), ("null", '{"network": null}'), ("string", '{"network": "x"}'),
                  ("number", '{"network": 5}'), ("resource list", '{"network": []}'), ("empty", ""), ("other kind", '{"port": {}}'), ("two kinds", '{"network": {}, "port": {}}'),
                  ("bulk empty", '{"networks": []}'), ("bulk object", '{"networks": {}}'), ("bulk null", '{"networks": null}'), ("bulk of texts", '{"networks": ["x"]}'),
                  ("bulk of nulls", '{"networks": [null]}'), ("bulk wrapped", '{"networks": [{"network": {"status": "x"}}]}'),
                  ("latin", '{"network": {"name": 5}}'), ("null name", '{"network": {"name": null}}'), ("list name", '{"network": {"name": ["a"]}}'),
                  ("object name", '{"network": {"name": {"a": 1}}}'), ("deep", '{"network": {"name": ' + "[" * 30 + "]" * 30 + "}}")):
    ask("member", "POST", "/v2.0/networks", name=f"body {name}", raw=raw)
post("network", {"name": "body"}, "member", "net")
for name, raw in (("not json", "x"), ("empty", "{}"), ("null", '{"network": null}'), ("string", '{"network": "x"}'), ("bulk", '{"networks": [{"name": "x"}]}'),
                  ("nothing", '{"network": {}}'), ("unknown", '{"network": {"zz": 1}}')):
    ask("member", "PUT", "/v2.0/networks/$net", name=f"put body {name}", raw=raw)
ask("member", "DELETE", "/v2.0/networks/$net", name="delete with a body", raw='{"network": {}}')
delete("network", "$net", "member")
delete("network", "$net", "member", name="delete twice")

# ---------------------------------------------------------------------------------------------------------------- networks
section("network")
for role in ("admin", "manager", "member", "service"):
    post("network", {"name": f"by {role}"}, role, "net", name=f"network create by {role}")
    for reader in ("admin", "manager", "member", "reader", "other", "service", "stranger"):
        get("networks/$net", reader, name=f"network of {role} seen by {reader}")
    put("network", "$net", {"name": "renamed", "admin_state_up": False}, role, name=f"network update by {role}")
    delete("network", "$net", role, name=f"network delete by {role}")
for role in ("reader", "stranger"):
    post("network", {"name": "no"}, role, name=f"network create by {role}")
post("network", {"name": "n1", "description": "d"}, "member", "net")
for role in ("reader", "other", "stranger", "service"):
    put("network", "$net", {"name": "x"}, role, name=f"network update by {role}")
    delete("network", "$net", role, name=f"network delete by {role}") if role != "service" else None
    for method in ("PUT",):
        put("network", "$net", {"shared": True}, role, name=f"network share by {role}")
for attribute, value in (("shared", True), ("router:external", True), ("provider:network_type", "vxlan"), ("provider:physical_network", "x"),
                         ("provider:segmentation_id", 7), ("mtu", 1400), ("port_security_enabled", False), ("is_default", True)):
    if attribute != "is_default":
        put("network", "$net", {attribute: value}, "member", name=f"network member sets {attribute}")
    post("network", {attribute: value}, "other", "tmp", name=f"network other creates with {attribute}")
    delete("network", "$tmp", name=f"network other creates with {attribute}, gone") if attribute in ("mtu", "port_security_enabled") else None
for body in ({"admin_state_up": "banana"}, {"admin_state_up": "false"}, {"admin_state_up": 1}, {"admin_state_up": 0}, {"admin_state_up": "1"}, {"admin_state_up": None}, {"admin_state_up": 2},
             {"admin_state_up": []}, {"admin_state_up": "TRUE"}, {"shared": "x"}, {"shared": None}, {"port_security_enabled": "x"}, {"port_security_enabled": "False"},
             {"name": LONG}, {"name": 5}, {"name": None}, {"name": True}, {"description": LONG}, {"description": None}, {"mtu": -1}, {"mtu": 0}, {"mtu": 67}, {"mtu": 1450}, {"mtu": 1451},
             {"mtu": "1300"}, {"mtu": "x"}, {"mtu": None}, {"mtu": 1.5}, {"mtu": True}, {"status": "ACTIVE"}, {"id": UUID}, {"subnets": []}, {"foo": 1}, {"foo": 1, "status": "x"},
             {"created_at": "x"}, {"revision_number": 5}, {"project_id": "$project_b"}, {"tenant_id": "$project_b"}, {"project_id": "x", "tenant_id": "y"}, {"project_id": None}, {"tenant_id": 5}, {"project_id": ""},
             {"router:external": "x"}, {"l2_adjacency": True}):
    key = ",".join(f"{k}={v!r:.20}" for k, v in body.items())
    post("network", body, save="tmp", name=f"network {key}")
    delete("network", "$tmp", name=f"network {key}, gone")
for body in ({"id": UUID}, {"status": "x"}, {"mtu": 0}, {"mtu": 10}, {"mtu": -1}, {"mtu": 9000}, {"mtu": None}, {"admin_state_up": None}, {"shared": None}, {"project_id": "$project_b"}, {"tenant_id": "$project_b"},
             {"subnets": []}, {"name": LONG}, {"foo": 1}, {"foo": 1, "id": 5}, {"created_at": "x"}, {"provider:network_type": "vlan"}, {"provider:segmentation_id": 55}, {"provider:physical_network": None},
             {"router:external": "banana"}, {"description": "new"}, {"port_security_enabled": False}, {"port_security_enabled": None}, {"l2_adjacency": False}):
    put("network", "$net", body, name=f"network update {','.join(f'{k}={v!r:.20}' for k, v in body.items())}")
    if "project_id" not in body:
        put("network", "$net", body, "member", name=f"network update by member {','.join(f'{k}={v!r:.20}' for k, v in body.items())}")
get("networks/$net", "member")
for fields in ("id", "name&fields=id", "tenant_id", "project_id", "zzz", "provider:network_type", "shared&fields=zz", "", "id,name"):
    get(f"networks/$net?fields={fields}", "member", name=f"network fields={fields}")
delete("network", "$net", "member")

section("provider")
for body in ({"provider:network_type": "vxlan"}, {"provider:network_type": "vxlan", "provider:segmentation_id": 1777}, {"provider:network_type": "vxlan", "provider:segmentation_id": 0},
             {"provider:network_type": "vxlan", "provider:segmentation_id": 16777216}, {"provider:network_type": "vxlan", "provider:segmentation_id": "1778"}, {"provider:network_type": "vxlan", "provider:segmentation_id": "x"},
             {"provider:network_type": "vxlan", "provider:segmentation_id": -5}, {"provider:network_type": "vxlan", "provider:physical_network": "physnet1"}, {"provider:network_type": "flat"},
             {"provider:network_type": "flat", "provider:physical_network": "phys1"}, {"provider:network_type": "flat", "provider:physical_network": "phys2", "provider:segmentation_id": 5},
             {"provider:network_type": "local"}, {"provider:network_type": "local", "provider:physical_network": "phys1"}, {"provider:network_type": "local", "provider:segmentation_id": 5},
             {"provider:network_type": "foo"}, {"provider:network_type": ""}, {"provider:network_type": None}, {"provider:network_type": 5}, {"provider:segmentation_id": 5}, {"provider:physical_network": "phys1"},
             {"provider:network_type": "vxlan", "mtu": 1451}, {"provider:network_type": "flat", "provider:physical_network": "phys3", "mtu": 1500}, {"provider:network_type": "flat", "provider:physical_network": "phys4", "mtu": 1501},
             {"provider:network_type": "local", "mtu": 1501}, {"provider:network_type": None, "provider:physical_network": None, "provider:segmentation_id": None}, {"provider:network_type": "flat", "provider:physical_network": ""}):
    key = ",".join(f"{k[9:] if k[0] == 'p' else k}={v!r:.20}" for k, v in body.items())
    post("network", body, save="tmp", name=f"provider {key}")
    post("network", body, save="tmp2", name=f"provider {key} again") if body.get("provider:physical_network") == "phys1" or body.get("provider:segmentation_id") == 1777 else None
    delete("network", "$tmp", name=f"provider {key}, gone")
post("network", {"router:external": True, "name": "ext", "provider:network_type": "flat", "provider:physical_network": "public"}, save="ext")
post("subnet", {"network_id": "$ext", "ip_version": 4, "cidr": "172.24.4.0/24", "enable_dhcp": False}, save="extsub")
for role in ("member", "reader", "other", "stranger"):
    get("networks/$ext", role, name=f"external network seen by {role}")
    get("networks?router:external=true", role, name=f"external networks listed by {role}")
    get("subnets/$extsub", role, name=f"external subnet seen by {role}")
post("port", {"network_id": "$ext"}, "member", name="port on external by member")
post("port", {"network_id": "$ext", "name": "x"}, "reader", name="port on external by reader")
post("subnet", {"network_id": "$ext", "ip_version": 4, "cidr": "10.9.0.0/24"}, "member", name="subnet on external by member")
put("network", "$ext", {"name": "x"}, "member", name="external renamed by member")
put("subnet", "$extsub", {"name": "x"}, "member", name="external subnet renamed by member")
delete("network", "$ext", "member", name="external removed by member")
put("network", "$ext", {"router:external": False}, name="external no more")
get("networks/$ext", "member", name="no longer external seen by member")
delete("network", "$ext")
post("network", {"shared": True, "name": "shared"}, save="shared")
post("subnet", {"network_id": "$shared", "ip_version": 4, "cidr": "10.77.0.0/24"}, save="sharedsub")
for role in ("member", "reader", "other", "stranger"):
    get("networks/$shared", role, name=f"shared network seen by {role}")
    get("subnets/$sharedsub", role, name=f"shared subnet seen by {role}")
get("networks?shared=true", "member")
get("networks?shared=false", "member")
post("subnet", {"network_id": "$shared", "ip_version": 4, "cidr": "10.78.0.0/24"}, "member", name="subnet on shared by member")
put("subnet", "$sharedsub", {"name": "x"}, "member", name="shared subnet renamed by member")
delete("subnet", "$sharedsub", "member", name="shared subnet removed by member")
for body in ({}, {"fixed_ips": [{"subnet_id": "$sharedsub"}]}, {"fixed_ips": [{"ip_address": "10.77.0.9"}]}, {"fixed_ips": [{"subnet_id": "$sharedsub", "ip_address": "10.77.0.9"}]}, {"mac_address": "fa:16:3e:00:00:01"},
             {"port_security_enabled": False}, {"device_owner": "network:dhcp"}, {"device_owner": "compute:nova"}, {"binding:host_id": "h"}, {"binding:profile": {"a": 1}}, {"binding:vnic_type": "direct"},
             {"allowed_address_pairs": [{"ip_address": "1.1.1.1"}]}, {"admin_state_up": False}, {"device_id": "x"}, {"security_groups": []}, {"fixed_ips": []}, {"mac_address": "fa:16:3e:00:00:02", "fixed_ips": [{"ip_address": "10.77.0.9"}]}):
    key = ",".join(f"{k}" for k in body)
    post("port", {"network_id": "$shared", **body}, "member", "tmp", name=f"port on shared with {key or 'nothing'}")
    delete("port", "$tmp", name=f"port on shared with {key or 'nothing'}, gone")
post("port", {"network_id": "$shared"}, "member", "tenantport")
put("network", "$shared", {"shared": False}, name="unshare while used")
put("network", "$shared", {"shared": False}, "member", name="unshare by member")
delete("network", "$shared", name="shared network in use")
delete("subnet", "$sharedsub", name="shared subnet in use")
get("ports/$tenantport", "other", name="tenant port seen by other")
delete("port", "$tenantport", "other", name="tenant port removed by other")
delete("port", "$tenantport", "reader", name="tenant port removed by reader")
delete("port", "$tenantport", "member")
put("network", "$shared", {"shared": False}, name="unshare")
delete("network", "$shared")

section("bulk")
ask("member", "POST", "/v2.0/networks", {"networks": [{"name": "a"}, {"name": "b", "admin_state_up": False}]}, {"bulk1": "networks.0.id", "bulk2": "networks.1.id"}, "bulk create")
for name, items in (("second unknown", [{"name": "a"}, {"zz": 1}]), ("second forbidden", [{"name": "a"}, {"shared": True}]), ("second foreign", [{"name": "a"}, {"project_id": "$project_b"}]),
                    ("wrapped", [{"network": {"name": "a"}}]), ("second bad", [{"name": "a"}, {"admin_state_up": "x"}])):
    ask("member", "POST", "/v2.0/networks", {"networks": items}, name=f"bulk {name}")
get("networks?fields=name&sort_key=name&sort_dir=asc", "member")
ask("member", "POST", "/v2.0/subnets", {"subnets": [{"network_id": "$bulk1", "ip_version": 4, "cidr": "10.1.0.0/24"}, {"network_id": "$bulk1", "ip_version": 4, "cidr": "10.1.0.0/24"}]}, name="bulk subnets overlapping")
get("subnets?network_id=$bulk1", "member")
ask("member", "POST", "/v2.0/subnets", {"subnets": [{"network_id": "$bulk1", "ip_version": 4, "cidr": "10.1.0.0/24"}, {"network_id": "$bulk2", "ip_version": 4, "cidr": "10.1.0.0/24"}]},
    {"bs1": "subnets.0.id", "bs2": "subnets.1.id"}, "bulk subnets")
ask("member", "POST", "/v2.0/ports", {"ports": [{"network_id": "$bulk1", "name": "p1"}, {"network_id": "$bulk2", "name": "p2"}]}, {"bp1": "ports.0.id", "bp2": "ports.1.id"}, "bulk ports")
ask("member", "POST", "/v2.0/ports", {"ports": [{"network_id": "$bulk1"}, {"network_id": UUID}]}, name="bulk ports second missing")
ask("member", "POST", "/v2.0/ports", {"ports": [{"network_id": "$bulk1", "fixed_ips": [{"ip_address": "10.1.0.50"}]}, {"network_id": "$bulk1", "fixed_ips": [{"ip_address": "10.1.0.50"}]}]}, name="bulk ports same address")
ask("member", "POST", "/v2.0/security-groups", {"security_groups": [{"name": "s1"}, {"name": "s2"}]}, {"bsg1": "security_groups.0.id", "bsg2": "security_groups.1.id"}, "bulk groups")
ask("member", "POST", "/v2.0/security-group-rules", {"security_group_rules": [{"security_group_id": "$bsg1", "direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2},
    {"security_group_id": "$bsg1", "direction": "ingress", "protocol": "udp"}]}, name="bulk rules")
ask("member", "POST", "/v2.0/security-group-rules", {"security_group_rules": [{"security_group_id": "$bsg1", "direction": "ingress", "protocol": "sctp"},
    {"security_group_id": "$bsg1", "direction": "ingress", "protocol": "sctp"}]}, name="bulk rules twice the same")
get("security-groups/$bsg1", "member")
ask("member", "POST", "/v2.0/security-group-rules", {"security_group_rules": [{"security_group_id": "$bsg1", "direction": "ingress", "protocol": "icmp"},
    {"security_group_id": "$bsg2", "direction": "ingress", "protocol": "icmp"}]}, name="bulk rules of two groups")
for group in ("bsg1", "bsg2"):
    delete("security_group", f"${group}", "member")
for port in ("bp1", "bp2"):
    delete("port", f"${port}", "member")
for network in ("bulk1", "bulk2"):
    delete("network", f"${network}", "member")

# ---------------------------------------------------------------------------------------------------------------- lists
section("lists")
for name in "dacb":
    post("network", {"name": f"l-{name}", "description": f"d{name}", "admin_state_up": name != "c"}, "member", f"l{name}")
for query in ("sort_key=name&sort_dir=asc", "sort_key=name&sort_dir=desc", "sort_key=name", "sort_dir=asc", "sort_key=zz&sort_dir=asc", "sort_key=name&sort_dir=up", "sort_key=admin_state_up&sort_dir=asc&sort_key=name&sort_dir=desc",
              "sort_key=subnets&sort_dir=asc", "sort_key=shared&sort_dir=asc", "sort_key=tenant_id&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=project_id&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=created_at&sort_dir=asc",
              "sort_key=mtu&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=status&sort_dir=asc&sort_key=name&sort_dir=asc",
              "name=l-a", "name=l-a&name=l-b", "name=zz", "name=", "name=L-A", "admin_state_up=False", "admin_state_up=true", "admin_state_up=1", "admin_state_up=banana", "admin_state_up=", "foo=1", "foo=1&bar=2", "status=ACTIVE", "status=DOWN",
              "description=da", "description=", "project_id=$project_a", "tenant_id=$project_a", "tenant_id=$project_b", "project_id=$project_a&tenant_id=$project_b", "project_id=", "mtu=1450", "mtu=x", "mtu=5", "id=$la", "id=$la&id=$lb", "id=foo", "id=",
              "shared=False", "shared=x", "router:external=False", "router:external=x", "provider:network_type=vxlan", "provider:network_type=flat", "provider:segmentation_id=x", "provider:physical_network=x", "subnets=x", "revision_number=999999", "created_at=x",
              "changed_since=2020-01-01T00:00:00Z", "port_security_enabled=True", "l2_adjacency=True", "name=l-a&admin_state_up=False", "name=l-c&admin_state_up=False"):
    get(f"networks?{query}&fields=name", "member", name=f"networks?{query}")
for query in ("limit=2", "limit=1&sort_dir=desc", "limit=4", "limit=5", "limit=0", "limit=-1", "limit=a", "limit=", "limit=2&marker=$lb", "limit=2&marker=$ld", "limit=2&marker=$ld&page_reverse=True", "limit=2&page_reverse=True", "limit=2&marker=$lc&page_reverse=False",
              "limit=2&marker=nope", f"limit=2&marker={UUID}", "marker=$lb", "page_reverse=True", "page_reverse=banana", "limit=1&marker=$lb&page_reverse=True", "limit=2&marker=$la&page_reverse=true", "limit=1&limit=3", "limit=99999999999"):
    sort = query if "sort_dir" in query else query + "&sort_dir=asc"
    get(f"networks?sort_key=name&{sort}&fields=name", "member", name=f"networks page {query}")
get("networks?limit=2&marker=$lb&sort_key=name&sort_dir=asc", "other", name="marker of another project")
get("networks?limit=1&name=l-a", "member", name="links keep filters")
get("networks?limit=1&name=l-a&fields=id&fields=name", "member", name="links keep fields")
get("networks?limit=1&sort_key=name&sort_dir=asc&name=l-a&name=l-b&fields=name", "member", name="links keep repeated filters")
get("networks?limit=2&sort_key=name&sort_dir=asc&fields=name", "reader", name="reader pages")
get("networks?fields=zzz&name=l-a", "member")
get("networks?fields=&name=l-a", "member")
get("networks?fields=&fields=name&name=l-a", "member")
get("networks?fields=id&fields=name&name=l-a", "member")
get("networks?fields=name,id&name=l-a", "member")
get("networks", "other", name="networks of another project")
get("networks", "stranger", name="networks for a role without rights")
get("networks?name=l-a", "service", name="networks for a service")
get("networks?name=l-a", name="networks for an administrator")
for name in "abcd":
    delete("network", f"$l{name}", "member")

# ---------------------------------------------------------------------------------------------------------------- revisions
section("revision")
post("network", {"name": "r"}, "member", {"net": "network.id", "rev": "network.revision_number"})
for name, tag in (("right", "revision_number=$rev"), ("wrong", "revision_number=999"), ("not a number", "revision_number=x"), ("other tag", '"abc"'), ("star", "*"), ("empty", ""), ("no value", "revision_number="), ("two", "revision_number=1,revision_number=2")):
    if name == "wrong":
        continue
    ask("member", "PUT", "/v2.0/networks/$net", {"network": {"name": "r2"}}, {"rev": "network.revision_number"}, f"if-match {name}", headers={"If-Match": tag})
ask("member", "PUT", "/v2.0/networks/$net", {"network": {}}, {"rev": "network.revision_number"}, "revision read")
ask("member", "PUT", "/v2.0/networks/$net", {"network": {"name": "r3"}}, name="if-match stale", headers={"If-Match": "revision_number=999999"}, save={"x": "network.id"})
ask("member", "DELETE", "/v2.0/networks/$net", name="if-match delete stale", headers={"If-Match": "revision_number=999999"})
ask("member", "GET", "/v2.0/networks/$net?fields=name", name="if-match get", headers={"If-Match": "revision_number=999999"})
delete("network", "$net", "member")

# ---------------------------------------------------------------------------------------------------------------- subnets
section("subnet")
post("network", {"name": "s"}, "member", "net")
V4 = [
    {}, {"cidr": None}, {"cidr": "10.0.0.0/24"}, {"cidr": "10.0.0.5/24"}, {"cidr": "10.0.0.0"}, {"cidr": "10.0.0.0/33"}, {"cidr": "x"}, {"cidr": 5}, {"cidr": ""}, {"cidr": "10.0.0/24"}, {"cidr": "10.0.0.0/31"}, {"cidr": "10.0.0.0/32"}, {"cidr": "10.0.0.0/30"}, {"cidr": "10.0.0.0/0"},
    {"cidr": "0.0.0.0/0"}, {"cidr": "0.0.0.0/8"}, {"cidr": "127.0.0.0/8"}, {"cidr": "127.0.0.0/24"}, {"cidr": "224.0.0.0/24"}, {"cidr": "255.255.255.0/24"}, {"cidr": "240.0.0.0/24"}, {"cidr": "169.254.0.0/16"}, {"cidr": "10.0.0.0/31", "enable_dhcp": False}, {"cidr": "10.0.0.0/32", "enable_dhcp": False},
    {"cidr": "10.0.0.0/30", "enable_dhcp": False}, {"cidr": "224.0.0.0/24", "enable_dhcp": False}, {"cidr": "127.0.0.0/24", "enable_dhcp": False}, {"cidr": "0.0.0.0/8", "enable_dhcp": False}, {"cidr": "2001:db8::/64"},
    {"cidr": "10.0.0.0/24", "ip_version": 6}, {"cidr": "10.0.0.0/24", "ip_version": 5}, {"cidr": "10.0.0.0/24", "ip_version": "4"}, {"cidr": "10.0.0.0/24", "ip_version": None}, {"cidr": "10.0.0.0/24", "ip_version": "x"},
    {"gateway_ip": None}, {"gateway_ip": "10.0.0.1"}, {"gateway_ip": "10.0.0.254"}, {"gateway_ip": "10.0.0.100"}, {"gateway_ip": "10.0.0.0"}, {"gateway_ip": "10.0.0.255"}, {"gateway_ip": "10.1.0.1"}, {"gateway_ip": "0.0.0.0"}, {"gateway_ip": "x"}, {"gateway_ip": ""}, {"gateway_ip": "fe80::1"},
    {"gateway_ip": "10.0.0.1/24"}, {"gateway_ip": 5}, {"gateway_ip": "127.0.0.1"}, {"gateway_ip": "224.0.0.1"}, {"gateway_ip": "10.0.0.01"},
    {"allocation_pools": []}, {"allocation_pools": None}, {"allocation_pools": [{"start": "10.0.0.10", "end": "10.0.0.20"}]}, {"allocation_pools": [{"start": "10.0.0.20", "end": "10.0.0.10"}]}, {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.20"}]},
    {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.20"}, {"start": "10.0.0.20", "end": "10.0.0.30"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.20"}, {"start": "10.0.0.21", "end": "10.0.0.30"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.1.20"}]},
    {"allocation_pools": [{"start": "10.9.0.2", "end": "10.9.0.9"}]}, {"allocation_pools": [{"start": "10.0.0.2"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "x"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9", "z": 1}]}, {"allocation_pools": "x"}, {"allocation_pools": ["x"]}, {"allocation_pools": {}},
    {"allocation_pools": [{"start": "fe80::1", "end": "fe80::2"}]}, {"allocation_pools": [{"start": "10.0.0.0", "end": "10.0.0.9"}]}, {"allocation_pools": [{"start": "10.0.0.200", "end": "10.0.0.255"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.2"}]},
    {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.20"}], "gateway_ip": None}, {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.20"}], "gateway_ip": "10.0.0.254"}, {"allocation_pools": [{"start": "10.0.0.30", "end": "10.0.0.40"}, {"start": "10.0.0.3", "end": "10.0.0.9"}]},
    {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}, {"start": "10.0.0.2", "end": "10.0.0.9"}]}, {"allocation_pools": [{"start": "10.0.0.100", "end": "10.0.0.110"}], "gateway_ip": "10.0.0.105"}, {"allocation_pools": [{"start": None, "end": None}]},
    {"dns_nameservers": ["1.1.1.1"]}, {"dns_nameservers": ["1.1.1.1", "8.8.8.8"]}, {"dns_nameservers": ["8.8.8.8", "1.1.1.1", "2001:db8::1"]}, {"dns_nameservers": ["1.1.1.1", "1.1.1.1"]}, {"dns_nameservers": ["x"]}, {"dns_nameservers": "1.1.1.1"}, {"dns_nameservers": None}, {"dns_nameservers": []}, {"dns_nameservers": [5]}, {"dns_nameservers": ["1.1.1.1/24"]},
    {"dns_nameservers": [f"1.1.1.{n}" for n in range(1, 7)]}, {"dns_nameservers": ["ns.example.org"]}, {"dns_nameservers": [""]},
    {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "10.0.0.9"}]}, {"host_routes": [{"destination": "10.5.0.5/24", "nexthop": "10.0.0.9"}]}, {"host_routes": [{"destination": "x", "nexthop": "10.0.0.9"}]}, {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "x"}]}, {"host_routes": [{"destination": "10.5.0.0/24"}]}, {"host_routes": [{"nexthop": "10.0.0.9"}]},
    {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "10.0.0.9", "z": 1}]}, {"host_routes": "x"}, {"host_routes": ["x"]}, {"host_routes": None}, {"host_routes": []}, {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "10.0.0.9"}] * 2}, {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "fe80::1"}]}, {"host_routes": [{"destination": "2001:db8:1::/64", "nexthop": "10.0.0.9"}]},
    {"host_routes": [{"destination": f"10.{n}.0.0/24", "nexthop": "10.0.0.9"} for n in range(21)]}, {"host_routes": [{"destination": "10.5.0.0/24", "nexthop": "192.168.9.9"}]}, {"host_routes": [{"destination": "10.5.0.0", "nexthop": "10.0.0.9"}]},
    {"enable_dhcp": "x"}, {"enable_dhcp": None}, {"enable_dhcp": False}, {"ipv6_ra_mode": "slaac"}, {"ipv6_address_mode": "slaac"}, {"ipv6_ra_mode": None}, {"ipv6_ra_mode": "x"}, {"name": LONG}, {"name": None}, {"description": "x"}, {"foo": 1}, {"network_id": None}, {"network_id": "x"}, {"network_id": UUID},
    {"project_id": "$project_b"}, {"project_id": "$project_a"}, {"id": UUID}, {"router:external": True}, {"created_at": "x"}, {"prefixlen": 24}, {"subnetpool_id": None}, {"use_default_subnetpool": False}, {"shared": True},
]
for body in V4:
    given = {"network_id": "$net", "ip_version": 4, "cidr": "10.0.0.0/24", **body}
    if body == {}:
        given = {"network_id": "$net", "ip_version": 4}
    key = ",".join(f"{k}={str(v):.60}" for k, v in body.items())
    post("subnet", given, "member", "sub", name=f"subnet {key}")
    delete("subnet", "$sub", name=f"subnet {key}, gone")
post("subnet", {"ip_version": 4, "cidr": "10.0.0.0/24"}, "member", name="subnet without network")
post("subnet", {"network_id": "$net", "cidr": "10.0.0.0/24"}, "member", "sub", name="subnet without version")
delete("subnet", "$sub")
post("subnet", {"network_id": "$net"}, "member", name="subnet of nothing")
post("subnet", {"network_id": "$net", "ip_version": 6}, "member", name="subnet of version 6 only")
modes = (None, "slaac", "dhcpv6-stateful", "dhcpv6-stateless")
for ra in modes:
    for address in modes:
        given = {"network_id": "$net", "ip_version": 6, "cidr": "fd01::/64"}
        given.update({"ipv6_ra_mode": ra} if ra else {}, **({"ipv6_address_mode": address} if address else {}))
        post("subnet", given, "member", "sub", name=f"modes {ra} {address}")
        post("port", {"network_id": "$net"}, "member", "port", name=f"modes {ra} {address} port")
        post("port", {"network_id": "$net", "fixed_ips": [{"subnet_id": "$sub", "ip_address": "fd01::5"}]}, "member", "port2", name=f"modes {ra} {address} port with address")
        post("port", {"network_id": "$net", "fixed_ips": [{"subnet_id": "$sub"}]}, "member", "port3", name=f"modes {ra} {address} port with subnet")
        put("subnet", "$sub", {"enable_dhcp": False}, "member", name=f"modes {ra} {address} dhcp off")
        for port in ("port", "port2", "port3"):
            delete("port", f"${port}", name=f"modes {ra} {address} {port} gone")
        delete("subnet", "$sub", name=f"modes {ra} {address} gone")
for body in ({"cidr": "fd01::/48"}, {"cidr": "fd01::/126"}, {"cidr": "fd01::/127"}, {"cidr": "fd01::/128"}, {"cidr": "::/0"}, {"cidr": "::/64"}, {"cidr": "fe80::/64"}, {"cidr": "ff02::/64"}, {"cidr": "::1/128"}, {"cidr": "fd01::5/64"}, {"cidr": "FD01::/64"}, {"cidr": "fd01:0:0:0::/64"},
             {"cidr": "10.0.0.0/24"}, {"cidr": "fd01::/64", "gateway_ip": "fd01::1"}, {"cidr": "fd01::/64", "gateway_ip": "fe80::1"}, {"cidr": "fd01::/64", "gateway_ip": "fd02::1"}, {"cidr": "fd01::/64", "gateway_ip": "fd01::"}, {"cidr": "fd01::/64", "gateway_ip": "10.0.0.1"}, {"cidr": "fd01::/64", "gateway_ip": None},
             {"cidr": "fd01::/64", "gateway_ip": "::"}, {"cidr": "fd01::/64", "gateway_ip": "ff02::1"}, {"cidr": "fd01::/80", "ipv6_address_mode": "slaac"}, {"cidr": "fd01::/80", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}, {"cidr": "fd01::/80", "ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"},
             {"cidr": "fd01::/64", "ipv6_ra_mode": "x"}, {"cidr": "fd01::/64", "ipv6_ra_mode": "slaac", "enable_dhcp": False}, {"cidr": "fd01::/64", "ipv6_address_mode": "slaac", "enable_dhcp": False}, {"cidr": "fd01::/64", "allocation_pools": [{"start": "fd01::10", "end": "fd01::20"}]},
             {"cidr": "fd01::/64", "allocation_pools": [{"start": "fd01::", "end": "fd01::20"}]}, {"cidr": "fd01::/64", "allocation_pools": [{"start": "fd01::1", "end": "fd01::20"}], "gateway_ip": "fd01::1"}, {"cidr": "fd01::/128", "enable_dhcp": False}, {"cidr": "fd01::/127", "enable_dhcp": False}, {"cidr": "fd01::/126", "enable_dhcp": False},
             {"cidr": "fd01::/64", "dns_nameservers": ["2001:4860:4860::8888"]}, {"cidr": "fd01::/64", "dns_nameservers": ["2001:4860:4860:0::8888"]}, {"cidr": "fd01::/64", "host_routes": [{"destination": "fd09::/64", "nexthop": "fd01::9"}]}, {"cidr": "fd01::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "allocation_pools": [{"start": "fd01::10", "end": "fd01::20"}]},
             {"cidr": "fd01::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "gateway_ip": None}, {"cidr": "fd01::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "gateway_ip": "fe80::5"}):
    key = ",".join(f"{k}={str(v):.60}" for k, v in body.items())
    post("subnet", {"network_id": "$net", "ip_version": 6, **body}, "member", "sub", name=f"v6 {key}")
    delete("subnet", "$sub", name=f"v6 {key}, gone")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.0.0.0/24", "name": "s4"}, "member", "sub")
for cidr in ("10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/16", "0.0.0.0/0"):
    post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": cidr}, "member", name=f"overlap {cidr}")
for role in ("admin", "manager", "member", "reader", "other", "stranger", "service"):
    get("subnets/$sub", role, name=f"subnet seen by {role}")
    put("subnet", "$sub", {"name": f"by {role}"}, role, name=f"subnet updated by {role}")
for role in ("reader", "other", "stranger"):
    delete("subnet", "$sub", role, name=f"subnet removed by {role}")
    post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.3.0.0/24"}, role, name=f"subnet created by {role}")
for body in ({"cidr": "10.0.1.0/24"}, {"ip_version": 6}, {"network_id": UUID}, {"id": UUID}, {"project_id": "x"}, {"gateway_ip": "10.0.0.254"}, {"gateway_ip": "10.0.0.0"}, {"gateway_ip": "10.1.0.1"}, {"gateway_ip": "10.0.0.50"}, {"gateway_ip": None}, {"gateway_ip": "10.0.0.1"}, {"gateway_ip": "x"}, {"gateway_ip": "fe80::1"},
             {"allocation_pools": [{"start": "10.0.0.100", "end": "10.0.0.200"}]}, {"gateway_ip": "10.0.0.150"}, {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.200"}]}, {"allocation_pools": [{"start": "10.9.0.1", "end": "10.9.0.200"}]}, {"allocation_pools": []}, {"allocation_pools": None}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.254"}]},
             {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}, {"start": "10.0.0.9", "end": "10.0.0.12"}]}, {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.99"}], "gateway_ip": "10.0.0.100"}, {"gateway_ip": "10.0.0.1"},
             {"dns_nameservers": ["9.9.9.9", "8.8.8.8"]}, {"dns_nameservers": ["9.9.9.9", "9.9.9.9"]}, {"dns_nameservers": None}, {"dns_nameservers": []}, {"dns_nameservers": [f"1.1.1.{n}" for n in range(1, 7)]}, {"host_routes": [{"destination": "10.7.0.0/24", "nexthop": "10.0.0.7"}]}, {"host_routes": [{"destination": "10.7.0.0/24", "nexthop": "10.0.0.8"}, {"destination": "10.8.0.0/24", "nexthop": "10.0.0.8"}]}, {"host_routes": None}, {"host_routes": []},
             {"enable_dhcp": False}, {"enable_dhcp": True}, {"enable_dhcp": None}, {"ipv6_ra_mode": "slaac"}, {"ipv6_address_mode": None}, {"name": LONG}, {"description": "new"}, {"foo": 1}, {"router:external": True}, {}, {"created_at": "x"}):
    put("subnet", "$sub", body, "member", name=f"subnet update {','.join(f'{k}={str(v):.60}' for k, v in body.items())}")
get("subnets/$sub", "member")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "fd05::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "name": "s6"}, "member", "sub6")
for body in ({"ipv6_ra_mode": "dhcpv6-stateful"}, {"ipv6_ra_mode": None}, {"enable_dhcp": False}, {"gateway_ip": "fe80::9"}, {"gateway_ip": "fd05::"}, {"gateway_ip": "fd06::1"}, {"gateway_ip": None}, {"allocation_pools": [{"start": "fd05::10", "end": "fd05::20"}]}):
    put("subnet", "$sub6", body, "member", name=f"v6 update {','.join(f'{k}={str(v):.60}' for k, v in body.items())}")
for query in ("ip_version=4", "ip_version=6", "ip_version=x", "cidr=10.0.0.0/24", "cidr=10.0.0.5/24", "cidr=x", "gateway_ip=10.0.0.1", "gateway_ip=x", "enable_dhcp=True", "enable_dhcp=x", "network_id=$net", "network_id=foo", f"network_id={UUID}", "name=s6", "ipv6_ra_mode=slaac", "ipv6_address_mode=slaac", "ipv6_address_mode=x",
              "dns_nameservers=9.9.9.9", "host_routes=x", "allocation_pools=x", "project_id=$project_a", "tenant_id=$project_b", "description=new", "shared=True", "router:external=False", "subnetpool_id=x", "service_types=x", "sort_key=cidr&sort_dir=desc", "sort_key=gateway_ip&sort_dir=asc", "sort_key=ip_version&sort_dir=desc",
              "sort_key=enable_dhcp&sort_dir=asc&sort_key=name&sort_dir=desc", "sort_key=allocation_pools&sort_dir=asc", "sort_key=ipv6_ra_mode&sort_dir=asc", "sort_key=network_id&sort_dir=asc&sort_key=name&sort_dir=asc", "limit=1&sort_key=name&sort_dir=asc", "revision_number=999999", "segment_id=x"):
    get(f"subnets?{query}&fields=cidr", "member", name=f"subnets?{query}")
get("subnets", "reader", name="subnets for a reader")
get("subnets", "other", name="subnets for another project")
put("network", "$net", {"mtu": 1279}, "member", name="mtu below version 6")
put("network", "$net", {"mtu": 67}, "member", name="mtu below version 4")
delete("subnet", "$sub6", "member")
put("network", "$net", {"mtu": 1279}, "member", name="mtu without version 6")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "fd05::/64"}, "member", "sub6", name="version 6 on a small mtu")
delete("subnet", "$sub6", name="version 6 on a small mtu, gone")
delete("subnet", "$sub", "member")
delete("network", "$net", "member")

# ---------------------------------------------------------------------------------------------------------------- ports
section("port")
post("network", {"name": "p"}, "member", "net")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.0.0.0/24", "name": "a4"}, "member", "sub")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "fd07::/64", "name": "c6", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}, "member", "subc")
post("network", {"name": "p2"}, "member", "net2")
post("subnet", {"network_id": "$net2", "ip_version": 4, "cidr": "10.0.0.0/24"}, "member", "sub2")
post("security_group", {"name": "g"}, "member", "sg")
post("security_group", {"name": "g2", "stateful": False}, "member", "sgless")
post("security_group", {"name": "foreign"}, "other", "sgother")
A = [
    {}, {"name": "p"}, {"name": LONG}, {"name": None}, {"admin_state_up": False}, {"admin_state_up": None}, {"admin_state_up": "x"}, {"network_id": "zz"}, {"network_id": UUID}, {"network_id": None}, {"network_id": 5}, {"status": "ACTIVE"}, {"id": UUID}, {"foo": 1}, {"project_id": "$project_b"}, {"description": "x"}, {"description": LONG},
    {"mac_address": "fa:16:3e:11:22:33"}, {"mac_address": "FA-16-3E-11-22-33"}, {"mac_address": "fa163e112233"}, {"mac_address": "x"}, {"mac_address": None}, {"mac_address": "00:00:00:00:00:00"}, {"mac_address": "01:00:5e:00:00:01"}, {"mac_address": "ff:ff:ff:ff:ff:ff"}, {"mac_address": 5}, {"mac_address": ""}, {"mac_address": "fa:16:3e:11:22"}, {"mac_address": "fa:16:3e:11:22:33 "},
    {"fixed_ips": []}, {"fixed_ips": None}, {"fixed_ips": "x"}, {"fixed_ips": ["x"]}, {"fixed_ips": {}}, {"fixed_ips": [{}]}, {"fixed_ips": [{"subnet_id": "$sub"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.0.0.9"}]}, {"fixed_ips": [{"ip_address": "10.0.0.9"}]}, {"fixed_ips": [{"ip_address": "10.0.9.9"}]}, {"fixed_ips": [{"ip_address": "x"}]}, {"fixed_ips": [{"subnet_id": "x"}]},
    {"fixed_ips": [{"subnet_id": UUID}]}, {"fixed_ips": [{"subnet_id": "$sub2"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.2.0.3"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.0.0.0"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.0.0.255"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.0.0.1"}]}, {"fixed_ips": [{"ip_address": "10.0.0.1"}]},
    {"fixed_ips": [{"subnet_id": "$sub"}, {"subnet_id": "$sub"}]}, {"fixed_ips": [{"subnet_id": "$sub"}, {"subnet_id": "$subb"}]}, {"fixed_ips": [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.9"}]}, {"fixed_ips": [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.10"}]}, {"fixed_ips": [{"subnet_id": "$subc"}]}, {"fixed_ips": [{"subnet_id": "$subc", "ip_address": "fd07::5"}]}, {"fixed_ips": [{"ip_address": "fd07::5"}]},
    {"fixed_ips": [{"subnet_id": "$sub", "z": 1}]}, {"fixed_ips": [{"subnet_id": None, "ip_address": "10.0.0.9"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": None}]}, {"fixed_ips": [{"ip_address": "10.0.0.9/24"}]}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "fe80::1"}]}, {"fixed_ips": [{"ip_address": ""}]}, {"fixed_ips": [{"subnet_id": 5}]}, {"fixed_ips": [{"ip_address": 5}]},
    {"fixed_ips": [{"subnet_id": "$sub"}] * 6}, {"fixed_ips": [{"ip_address": "010.0.0.9"}]},
    {"security_groups": []}, {"security_groups": None}, {"security_groups": ["$sg"]}, {"security_groups": ["$sg", "$sg"]}, {"security_groups": ["$sgother"]}, {"security_groups": [UUID]}, {"security_groups": ["x"]}, {"security_groups": "x"}, {"security_groups": [5]}, {"security_groups": ["$sg", "$sgless"]}, {"security_groups": ["$sgless"]}, {"security_groups": {}}, {"security_groups": ["$sg", UUID]},
    {"port_security_enabled": False}, {"port_security_enabled": "x"}, {"port_security_enabled": None}, {"port_security_enabled": False, "security_groups": ["$sg"]}, {"port_security_enabled": False, "security_groups": []}, {"port_security_enabled": False, "allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}, {"port_security_enabled": False, "allowed_address_pairs": []},
    {"port_security_enabled": True, "fixed_ips": []}, {"fixed_ips": [], "security_groups": ["$sg"]}, {"port_security_enabled": True, "fixed_ips": [], "security_groups": ["$sg"]},
    {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.0/24"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99", "mac_address": "fa:16:3e:aa:bb:cc"}]}, {"allowed_address_pairs": [{"mac_address": "fa:16:3e:aa:bb:cc"}]}, {"allowed_address_pairs": [{"ip_address": "x"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99", "mac_address": "x"}]},
    {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}, {"ip_address": "10.0.0.99"}]}, {"allowed_address_pairs": [{"ip_address": "224.0.0.1"}]}, {"allowed_address_pairs": [{"ip_address": "224.0.0.0/8"}]}, {"allowed_address_pairs": [{"ip_address": "ff02::1"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99", "z": 1}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.5/24"}]}, {"allowed_address_pairs": [{"ip_address": f"10.0.0.{n}"} for n in range(11)]},
    {"allowed_address_pairs": "x"}, {"allowed_address_pairs": ["x"]}, {"allowed_address_pairs": None}, {"allowed_address_pairs": []}, {"allowed_address_pairs": [{}]}, {"allowed_address_pairs": [{"ip_address": None}]}, {"allowed_address_pairs": [{"ip_address": "0.0.0.0/0"}]}, {"allowed_address_pairs": [{"ip_address": "::/0"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99", "mac_address": None}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99/32"}, {"ip_address": "10.0.0.99"}]},
    {"allowed_address_pairs": [{"ip_address": "10.0.0.99", "mac_address": "FA-16-3E-AA-BB-CC"}]}, {"allowed_address_pairs": {"ip_address": "10.0.0.1"}}, {"allowed_address_pairs": [{"ip_address": ""}]}, {"allowed_address_pairs": [{"ip_address": "fd07::1:5"}]}, {"allowed_address_pairs": [{"ip_address": "FD07::1:5"}]},
    {"extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "pxe.0"}]}, {"extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "pxe.0", "ip_version": 6}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": None}]}, {"extra_dhcp_opts": [{"opt_name": "a"}]}, {"extra_dhcp_opts": [{"opt_value": "a"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "b", "ip_version": 5}]}, {"extra_dhcp_opts": "x"}, {"extra_dhcp_opts": ["x"]}, {"extra_dhcp_opts": None}, {"extra_dhcp_opts": []},
    {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "b", "z": 1}]}, {"extra_dhcp_opts": [{"opt_name": "", "opt_value": "b"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": ""}]}, {"extra_dhcp_opts": [{"opt_name": "a" * 65, "opt_value": "b"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "b", "ip_version": "4"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": 5}]}, {"extra_dhcp_opts": [{"opt_name": 5, "opt_value": "a"}]},
    {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "x" * 256}]}, {"extra_dhcp_opts": [{"opt_name": "a b", "opt_value": "x"}]}, {"extra_dhcp_opts": {}}, {"extra_dhcp_opts": [{}]},
    {"device_id": "vm", "device_owner": "compute:nova"}, {"device_owner": "network:dhcp"}, {"device_owner": "network:router_interface"}, {"device_owner": "neutron:x"}, {"device_owner": "baremetal:none"}, {"device_owner": LONG}, {"device_owner": None}, {"device_id": LONG}, {"device_id": None}, {"device_owner": "network:x"}, {"device_owner": "trunk:subport"},
    {"binding:vnic_type": "normal"}, {"binding:vnic_type": "direct"}, {"binding:vnic_type": "x"}, {"binding:vnic_type": None}, {"binding:host_id": "h1"}, {"binding:host_id": ""}, {"binding:host_id": None}, {"binding:profile": {}}, {"binding:profile": {"a": 1}}, {"binding:profile": None}, {"binding:profile": "x"}, {"binding:vif_type": "ovs"}, {"binding:vif_details": {}}, {"binding:host_id": 5},
    {"ip_allocation": "none"}, {"created_at": "x"}, {"revision_number": 1}, {"device_owner": "network:dhcp", "port_security_enabled": True}, {"device_owner": "network:dhcp", "security_groups": ["$sg"]},
]
for role in ("member", "admin"):
    for body in A:
        if role == "admin" and not set(body) & {"binding:vnic_type", "binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details", "security_groups", "device_owner", "project_id", "mac_address"}:
            continue
        key = ",".join(f"{k}={str(v):.90}" for k, v in body.items())
        post("port", {"network_id": "$net", **body}, role, "port", name=f"port {role} {key}")
        delete("port", "$port", name=f"port {role} {key}, gone")
post("port", {}, "member", name="port of nothing")
for role in ("service", "manager", "reader", "other", "stranger"):
    for body in ({}, {"binding:profile": {"a": 1}}, {"binding:host_id": "h1"}, {"device_owner": "network:x"}, {"mac_address": "fa:16:3e:99:88:77"}, {"fixed_ips": [{"ip_address": "10.0.0.9"}]}, {"fixed_ips": [{"subnet_id": "$sub"}]}, {"port_security_enabled": False}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}, {"project_id": "$project_b"}):
        post("port", {"network_id": "$net", **body}, role, "port", name=f"port by {role} {','.join(body)}")
        delete("port", "$port", name=f"port by {role} {','.join(body)}, gone")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.2.0.0/29", "name": "b4"}, "member", "subb")
post("port", {"network_id": "$net", "name": "u", "fixed_ips": [{"ip_address": "10.0.0.20"}, {"ip_address": "10.2.0.3"}]}, "member", {"port": "port.id", "mac": "port.mac_address"})
post("port", {"network_id": "$net", "name": "v", "fixed_ips": [{"ip_address": "10.0.0.30"}]}, "member", {"port2": "port.id", "mac2": "port.mac_address"})
for role in ("admin", "manager", "member", "reader", "other", "stranger", "service"):
    get("ports/$port", role, name=f"port seen by {role}")
    put("port", "$port", {"name": f"by {role}"}, role, name=f"port updated by {role}")
post("port", {"network_id": "$net", "mac_address": "$mac"}, "member", name="port with a mac in use")
post("port", {"network_id": "$net2", "mac_address": "$mac"}, "member", "port3", name="port with a mac in use elsewhere")
delete("port", "$port3")
post("port", {"network_id": "$net", "fixed_ips": [{"ip_address": "10.0.0.20"}]}, "member", name="port with an address in use")
post("port", {"network_id": "$net", "fixed_ips": [{"ip_address": "10.0.0.20", "subnet_id": "$sub"}]}, "member", name="port with an address in use in a subnet")
for body in ({"id": UUID}, {"network_id": "$net2"}, {"status": "ACTIVE"}, {"project_id": "x"}, {"foo": 1}, {}, {"name": None}, {"admin_state_up": False}, {"admin_state_up": True}, {"mac_address": "fa:16:3e:01:02:03"}, {"mac_address": "$mac2"}, {"mac_address": "x"}, {"mac_address": None}, {"device_id": "d"}, {"device_owner": "compute:nova"}, {"device_owner": "network:x"}, {"device_owner": ""},
             {"fixed_ips": [{"ip_address": "10.0.0.21"}]}, {"fixed_ips": [{"ip_address": "10.0.0.30"}]}, {"fixed_ips": [{"ip_address": "10.0.0.21"}, {"subnet_id": "$subb"}]}, {"fixed_ips": [{"subnet_id": "$sub2"}]}, {"fixed_ips": [{"ip_address": "10.9.0.1"}]}, {"fixed_ips": []}, {"fixed_ips": None}, {"fixed_ips": [{"subnet_id": "$sub", "ip_address": "10.0.0.22"}]}, {"fixed_ips": [{"subnet_id": "$subc"}]}, {"fixed_ips": [{"ip_address": "fd07::9"}]}, {"fixed_ips": [{"subnet_id": "$sub"}]},
             {"fixed_ips": [{"ip_address": "10.0.0.20"}, {"ip_address": "10.2.0.3"}]},
             {"security_groups": ["$sg"]}, {"security_groups": ["$sgother"]}, {"security_groups": []}, {"security_groups": None}, {"security_groups": ["$sg", "$sgless"]}, {"security_groups": [UUID]}, {"port_security_enabled": False}, {"security_groups": ["$sg"], "port_security_enabled": False}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}], "port_security_enabled": False},
             {"allowed_address_pairs": []}, {"security_groups": [], "port_security_enabled": False}, {"security_groups": ["$sg"]}, {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}, {"port_security_enabled": True}, {"security_groups": ["$sg"]}, {"allowed_address_pairs": None}, {"allowed_address_pairs": [{"ip_address": "10.0.0.98", "mac_address": "fa:16:3e:01:01:01"}]},
             {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "1"}]}, {"extra_dhcp_opts": [{"opt_name": "b", "opt_value": "2"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": "3"}]}, {"extra_dhcp_opts": [{"opt_name": "a", "opt_value": None}]}, {"extra_dhcp_opts": []}, {"extra_dhcp_opts": None}, {"extra_dhcp_opts": [{"opt_name": "b", "opt_value": None}, {"opt_name": "zz", "opt_value": None}]},
             {"binding:vnic_type": "direct"}, {"binding:vnic_type": "x"}, {"binding:vnic_type": "normal"}, {"binding:host_id": "h1"}, {"binding:profile": {"x": 1}}, {"binding:host_id": ""}, {"binding:host_id": "h1", "device_owner": "compute:az", "device_id": "vm"}, {"binding:host_id": None}, {"binding:vif_type": "ovs"}, {"description": "x"}, {"ip_allocation": "none"}):
    key = ",".join(f"{k}={str(v):.90}" for k, v in body.items())
    put("port", "$port", body, "member", name=f"port update {key}")
    if set(body) & {"binding:vnic_type", "binding:host_id", "binding:profile", "binding:vif_type", "mac_address", "device_owner", "security_groups"}:
        put("port", "$port", body, name=f"port admin update {key}")
put("port", "$port", {"binding:profile": {"x": 1}}, "service", name="profile by a service")
put("port", "$port", {"binding:profile": {"x": "y" * 5000}}, "service", name="a large profile by a service")
put("port", "$port", {"binding:profile": None}, "service", name="no profile by a service")
put("port", "$port2", {"fixed_ips": [{"ip_address": "10.0.0.31"}]}, "reader", name="addresses by a reader")
put("port", "$port2", {"fixed_ips": [{"ip_address": "10.0.0.31"}], "mac_address": "fa:16:3e:77:77:77"}, "other", name="addresses by another project")
put("port", "$port2", {"device_owner": "compute:nova", "device_id": "vm2"}, "member", name="compute port")
delete("port", "$port2", "member", name="compute port removed by member")
delete("port", "$port2", "manager", name="compute port removed by manager")
put("port", "$port2", {"device_owner": "", "device_id": ""}, "member", name="compute port no more")
for query in ("fixed_ips=ip_address%3D10.0.0.30", "fixed_ips=ip_address=10.0.0.30", "fixed_ips=ip_address%3D10.0.0.3", "fixed_ips=ip_address_substr%3D10.0.0.3", "fixed_ips=subnet_id%3D$sub", "fixed_ips=subnet_id%3D$sub&fixed_ips=ip_address%3D10.0.0.30", "fixed_ips=foo", "fixed_ips=foo%3Dbar", "fixed_ips=ip_address%3Dx", "fixed_ips=ip_address%3D10.0.0.30&fixed_ips=ip_address%3D10.2.0.3", "fixed_ips=",
              "name=v", "device_id=vm2", "device_id=", "device_owner=compute:nova", "device_owner=", "network_id=$net", "network_id=$net2", "network_id=foo", "mac_address=$mac2", "mac_address=x", "status=DOWN", "status=ACTIVE", "admin_state_up=True", "admin_state_up=x", "security_groups=$sg", "security_groups=x", f"security_groups={UUID}", "binding:host_id=h1", "binding:host_id=", "binding:vnic_type=normal", "binding:vif_type=unbound", "binding:profile=x",
              "project_id=$project_a", "tenant_id=$project_b", "id=$port", "id=$port&id=$port2", "port_security_enabled=False", "description=x", "ip_allocation=immediate", "allowed_address_pairs=x", "extra_dhcp_opts=x", "sort_key=name&sort_dir=desc", "sort_key=fixed_ips&sort_dir=asc", "sort_key=mac_address&sort_dir=asc", "sort_key=device_id&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=status&sort_dir=asc&sort_key=name&sort_dir=asc",
              "sort_key=binding:host_id&sort_dir=asc", "sort_key=network_id&sort_dir=asc&sort_key=name&sort_dir=asc", "limit=1&sort_key=name&sort_dir=asc", "limit=1&sort_key=name&sort_dir=desc&marker=$port2", "name=u&name=v", "dns_name=x", "tags=x"):
    for role in ("member", "admin"):
        if role == "admin" and "binding" not in query:
            continue
        if "sort_key=mac" in query:
            query += "&limit=2&page_reverse=True&name=u"
        get(f"ports?{query}&fields=name", role, name=f"ports {role}?{query}")
get("ports?name=v", "reader", name="ports for a reader")
get("ports", "other", name="ports for another project")
get("ports?name=v", "service", name="ports for a service")
get("ports?name=v", name="ports for an administrator")
get("ports?name=v&fields=binding:host_id&fields=name&fields=binding:vnic_type", "member", name="fields that are not shown")
delete("subnet", "$sub", "member", name="subnet in use")
delete("network", "$net", "member", name="network in use by one")
delete("subnet", "$subc", "member", name="automatic subnet in use")
get("ports/$port2", "member", name="port without the automatic address")
delete("port", "$port", "member")
delete("port", "$port2", "reader")
delete("port", "$port2", "member")
delete("port", "$port2", "member", name="port removed twice")
delete("network", "$net", "member")
delete("network", "$net2", "member")

section("exhaustion")
post("network", {"name": "small", "port_security_enabled": False}, "member", "net")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.0.0.0/29", "allocation_pools": [{"start": "10.0.0.3", "end": "10.0.0.4"}]}, "member", "sub")
for n in range(3):
    post("port", {"network_id": "$net", "name": f"e{n}"}, "member", f"e{n}")
post("port", {"network_id": "$net", "fixed_ips": [{"subnet_id": "$sub"}]}, "member", name="exhausted subnet asked for")
post("port", {"network_id": "$net", "fixed_ips": [{"ip_address": "10.0.0.5"}]}, "member", "outside", name="outside of the pool")
get("ports?network_id=$net&sort_key=name&sort_dir=asc", "member")
post("port", {"network_id": "$net", "port_security_enabled": True, "fixed_ips": []}, "member", "ps", name="port security where the network has none")
put("network", "$net", {"port_security_enabled": True}, "member")
delete("network", "$net", "member", name="network in use by several")
for port in ("e0", "e1", "outside", "ps"):
    delete("port", f"${port}", "member")
delete("network", "$net", "member")
post("network", {"name": "bare"}, "member", "net")
post("port", {"network_id": "$net"}, "member", "port", name="port without subnets")
post("port", {"network_id": "$net", "fixed_ips": [{"ip_address": "10.0.0.5"}]}, "member", name="address without subnets")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "fd09::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}, "member", "sub")
get("ports/$port", "member", name="port gets the automatic address")
put("port", "$port", {"fixed_ips": []}, "member", name="automatic address stays")
delete("subnet", "$sub", "member")
get("ports/$port", "member", name="port loses the automatic address")
delete("port", "$port", "member")
delete("network", "$net", "member")

# ---------------------------------------------------------------------------------------------------------------- security groups
section("group")
get("security-groups", "member", name="groups of a project")
get("security-groups", "reader", name="groups for a reader")
get("security-groups?name=default", "other", save={"otherdefault": "security_groups.0.id"}, name="default group of the other")
get("security-groups?name=default", "member", save={"default": "security_groups.0.id"})
get("security-groups?name=default&project_id=$project_a", "admin", name="default group for an administrator")
for role in ("reader", "stranger", "other", "service", "manager", "admin"):
    post("security_group", {"name": f"by {role}"}, role, "tmp", name=f"group by {role}")
    delete("security_group", "$tmp", role, name=f"group by {role}, gone")
for body in ({}, {"name": "g"}, {"name": "default"}, {"name": "Default"}, {"name": LONG}, {"name": None}, {"name": 5}, {"description": "d"}, {"description": LONG}, {"stateful": False}, {"stateful": "x"}, {"stateful": None}, {"shared": True}, {"id": UUID}, {"foo": 1}, {"security_group_rules": []}, {"project_id": "$project_b"}, {"name": ""}):
    key = ",".join(f"{k}={str(v):.20}" for k, v in body.items())
    post("security_group", body, "member", "tmp", name=f"group {key}")
    delete("security_group", "$tmp", name=f"group {key}, gone")
post("security_group", {"name": "g", "description": "d"}, "member", "sg")
for role in ("admin", "manager", "member", "reader", "other", "stranger", "service"):
    get("security-groups/$sg", role, name=f"group seen by {role}")
    put("security_group", "$sg", {"description": f"by {role}"}, role, name=f"group updated by {role}")
for body in ({"name": "g2"}, {"name": "default"}, {"name": LONG}, {"name": None}, {"stateful": False}, {"stateful": True}, {"stateful": "x"}, {"shared": True}, {"id": UUID}, {"foo": 1}, {}, {"security_group_rules": []}, {"project_id": "x"}):
    put("security_group", "$sg", body, "member", name=f"group update {','.join(f'{k}={str(v):.20}' for k, v in body.items())}")
for role in ("member", "admin"):
    for body in ({"name": "x"}, {"description": "new"}, {"name": "default"}, {"stateful": False}, {"stateful": True}):
        put("security_group", "$default", body, role, name=f"default group by {role} {','.join(body)}={list(body.values())[0]}")
delete("security_group", "$default", "member", name="default group removed by member")
delete("security_group", "$default", "reader", name="default group removed by reader")
delete("security_group", "$default", "other", name="default group removed by other")
for query in ("name=g2", "name=zz", "description=new", "stateful=True", "stateful=x", "shared=False", "shared=True", "shared=x", "project_id=$project_a", "tenant_id=$project_b", "id=$sg", "security_group_rules=x", "foo=1", "revision_number=999999", "sort_key=name&sort_dir=desc", "sort_key=stateful&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=shared&sort_dir=asc", "limit=1&sort_key=name&sort_dir=asc", "sort_key=id"):
    get(f"security-groups?{query}&fields=name", "member", name=f"groups?{query}")
get("security-groups?fields=id&fields=security_group_rules&name=g2", "member")
get("security-groups/$sg?fields=name", "member")
get("security-groups?name=g2", "other", name="group of another project listed")
post("network", {"name": "sgnet"}, "member", "net")
post("port", {"network_id": "$net", "security_groups": ["$sg"]}, "member", "port")
delete("security_group", "$sg", "member", name="group in use")
delete("security_group", "$sg", "other", name="group in use removed by other")
put("security_group", "$sg", {"stateful": False}, "member", name="statefulness in use")
put("security_group", "$sg", {"stateful": True}, "member", name="statefulness in use as it is")
put("security_group", "$sg", {"name": "used"}, "member", name="name in use")
delete("port", "$port", "member")
post("port", {"network_id": "$net"}, "member", "port")
delete("security_group", "$default", "member", name="default group in use removed by member")
delete("security_group", "$default", name="default group in use removed by admin")
delete("port", "$port", "member")
delete("network", "$net", "member")

section("rule")
R = {"security_group_id": "$sg", "direction": "ingress"}
tcp = {"protocol": "tcp"}
for body in ({}, {"direction": "egress"}, {"direction": "x"}, {"direction": None}, {"direction": "INGRESS"}, {"direction": 5}, {"ethertype": "IPv6"}, {"ethertype": "ipv6"}, {"ethertype": "IPV4"}, {"ethertype": "x"}, {"ethertype": None}, {"ethertype": 4}, {"ethertype": ""},
             {"protocol": "tcp"}, {"protocol": "TCP"}, {"protocol": "6"}, {"protocol": 6}, {"protocol": "any"}, {"protocol": "ip"}, {"protocol": "0"}, {"protocol": 0}, {"protocol": None}, {"protocol": ""}, {"protocol": "x"}, {"protocol": "256"}, {"protocol": 256}, {"protocol": -1}, {"protocol": "-1"}, {"protocol": 1.5}, {"protocol": []},
             {"protocol": "icmp"}, {"protocol": "icmpv6"}, {"protocol": "icmpv6", "ethertype": "IPv6"}, {"protocol": "ipv6-icmp", "ethertype": "IPv6"}, {"protocol": "icmp", "ethertype": "IPv6"}, {"protocol": "58", "ethertype": "IPv6"}, {"protocol": 58}, {"protocol": "1", "ethertype": "IPv6"}, {"protocol": "ipv6-route"}, {"protocol": "ipv6-frag", "ethertype": "IPv6"}, {"protocol": "vrrp"}, {"protocol": "112"}, {"protocol": "gre"}, {"protocol": "esp"}, {"protocol": "ah"}, {"protocol": "dccp"}, {"protocol": "egp"}, {"protocol": "igmp"}, {"protocol": "ipip"}, {"protocol": "ospf"}, {"protocol": "pgm"}, {"protocol": "rsvp"}, {"protocol": "sctp"}, {"protocol": "udplite"}, {"protocol": "ipv6-opts"}, {"protocol": "ipv6-nonxt", "ethertype": "IPv6"},
             {"protocol": "ipv6-encap"}, {"protocol": "ipip", "ethertype": "IPv6"}, {"protocol": "ipv6-encap", "ethertype": "IPv6"}, {"protocol": "hopopt"}, {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}, {"protocol": "icmp", "port_range_min": 8}, {"protocol": "icmp", "port_range_max": 8}, {"protocol": "icmp", "port_range_min": 256}, {"protocol": "icmp", "port_range_min": 8, "port_range_max": 256}, {"protocol": "icmp", "port_range_min": -1}, {"protocol": "icmp", "port_range_min": 0, "port_range_max": 0}, {"protocol": "icmpv6", "ethertype": "IPv6", "port_range_min": 128},
             {"protocol": "icmp", "port_range_min": "8", "port_range_max": None}, {"protocol": "1", "port_range_min": 8, "port_range_max": 0}, {"protocol": 1, "port_range_min": 300},
             {**tcp, "port_range_min": 80, "port_range_max": 80}, {**tcp, "port_range_min": 80}, {**tcp, "port_range_max": 80}, {**tcp, "port_range_min": 90, "port_range_max": 80}, {**tcp, "port_range_min": 0, "port_range_max": 80}, {**tcp, "port_range_min": 1, "port_range_max": 65535}, {**tcp, "port_range_min": 1, "port_range_max": 65536}, {**tcp, "port_range_min": "80", "port_range_max": "81"}, {**tcp, "port_range_min": "x", "port_range_max": 80}, {**tcp, "port_range_min": -1, "port_range_max": 80}, {**tcp, "port_range_min": None, "port_range_max": None}, {**tcp, "port_range_min": 1.5, "port_range_max": 80}, {**tcp, "port_range_min": "", "port_range_max": ""}, {**tcp, "port_range_min": -1, "port_range_max": -1},
             {"port_range_min": 80, "port_range_max": 80}, {"protocol": "gre", "port_range_min": 80, "port_range_max": 80}, {"protocol": "any", "port_range_min": 80, "port_range_max": 80}, {"protocol": "sctp", "port_range_min": 80, "port_range_max": 90}, {"protocol": "dccp", "port_range_min": 80, "port_range_max": 90}, {"protocol": "udplite", "port_range_min": 80, "port_range_max": 90}, {"protocol": "6", "port_range_min": 80, "port_range_max": 90}, {"protocol": "17", "port_range_min": 90, "port_range_max": 80}, {"protocol": "47", "port_range_min": 80, "port_range_max": 80}, {"protocol": "udp", "port_range_min": 0, "port_range_max": 0},
             {"remote_ip_prefix": "10.0.0.0/24"}, {"remote_ip_prefix": "10.0.0.5/24"}, {"remote_ip_prefix": "10.0.0.5"}, {"remote_ip_prefix": "x"}, {"remote_ip_prefix": ""}, {"remote_ip_prefix": None}, {"remote_ip_prefix": "fd00::/64"}, {"remote_ip_prefix": "fd00::/64", "ethertype": "IPv6"}, {"remote_ip_prefix": "10.0.0.0/24", "ethertype": "IPv6"}, {"remote_ip_prefix": "0.0.0.0/0"}, {"remote_ip_prefix": "::/0", "ethertype": "IPv6"}, {"remote_ip_prefix": "::/0"}, {"remote_ip_prefix": 5}, {"remote_ip_prefix": "10.0.0.0/33"}, {"remote_ip_prefix": "FD00::5/64", "ethertype": "IPv6"}, {"remote_ip_prefix": "0.0.0.0/0", "protocol": "tcp"}, {"remote_ip_prefix": "10.0.0.0/8 "},
             {"remote_group_id": "$sg"}, {"remote_group_id": "$default"}, {"remote_group_id": "$otherdefault"}, {"remote_group_id": UUID}, {"remote_group_id": "x"}, {"remote_group_id": None}, {"remote_group_id": "$sg", "remote_ip_prefix": "10.0.0.0/24"}, {"remote_group_id": "$sg", "ethertype": "IPv6"}, {"remote_group_id": ""},
             {"security_group_id": UUID}, {"security_group_id": "x"}, {"security_group_id": None}, {"security_group_id": "$otherdefault"}, {"description": "d"}, {"description": LONG}, {"description": None}, {"project_id": "$project_b"}, {"tenant_id": "$project_a"}, {"id": UUID}, {"foo": 1}, {"normalized_cidr": "10.0.0.0/24"}, {"belongs_to_default_sg": True}, {"name": "x"}):
    key = ",".join(f"{k}={str(v):.20}" for k, v in body.items())
    post("security_group_rule", {**R, **body}, "member", "rule", name=f"rule {key}")
    delete("security_group_rule", "$rule", name=f"rule {key}, gone")
post("security_group_rule", {"direction": "ingress"}, "member", name="rule without group")
post("security_group_rule", {"security_group_id": "$sg"}, "member", name="rule without direction")
post("security_group_rule", {**R, "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "description": "ssh"}, "member", "rule")
for body in ({}, {"description": "again"}, {"protocol": "6"}, {"protocol": 6}, {"protocol": "TCP"}, {"ethertype": "IPv6"}, {"remote_ip_prefix": "0.0.0.0/0"}, {"port_range_max": 23}, {"direction": "egress"}, {"remote_group_id": "$sg"}, {"project_id": "$project_a"}):
    key = ",".join(f"{k}={str(v):.20}" for k, v in body.items())
    post("security_group_rule", {**R, "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, **body}, "member", "rule2", name=f"duplicate {key}")
    delete("security_group_rule", "$rule2", name=f"duplicate {key}, gone")
post("security_group_rule", {"security_group_id": "$sg", "direction": "egress", "ethertype": "IPv4"}, "member", name="duplicate of a template's rule")
post("security_group_rule", {"security_group_id": "$default", "direction": "ingress", "ethertype": "IPv4", "remote_group_id": "$default"}, "member", name="duplicate in the default group")
for role in ("admin", "manager", "member", "reader", "other", "stranger", "service"):
    get("security-group-rules/$rule", role, name=f"rule seen by {role}")
    put("security_group_rule", "$rule", {"description": "x"}, role, name=f"rule updated by {role}")
for role in ("reader", "other", "stranger"):
    delete("security_group_rule", "$rule", role, name=f"rule removed by {role}")
    post("security_group_rule", {**R, "protocol": "udp"}, role, name=f"rule created by {role}")
for query in ("protocol=tcp", "protocol=6", "direction=ingress", "direction=x", "ethertype=IPv4", "ethertype=ipv4", "port_range_min=22", "port_range_min=x", "port_range_max=22", "remote_ip_prefix=10.0.0.0/24", "remote_group_id=$sg", "remote_group_id=x", "security_group_id=$sg", "security_group_id=x", "description=ssh", "project_id=$project_a", "tenant_id=$project_b", "id=$rule", "normalized_cidr=x", "belongs_to_default_sg=True", "belongs_to_default_sg=x", "revision_number=999999", "foo=1"):
    get(f"security-group-rules?security_group_id=$sg&{query}&fields=direction&fields=ethertype&fields=protocol", "member", name=f"rules?{query}")
for query in ("sort_key=protocol&sort_dir=desc&sort_key=direction&sort_dir=asc&sort_key=ethertype&sort_dir=asc", "sort_key=direction&sort_dir=desc&sort_key=ethertype&sort_dir=asc&sort_key=protocol&sort_dir=asc", "sort_key=remote_ip_prefix&sort_dir=asc&sort_key=ethertype&sort_dir=asc&sort_key=direction&sort_dir=asc&sort_key=protocol&sort_dir=asc", "sort_key=port_range_min&sort_dir=desc&limit=1", "sort_key=normalized_cidr&sort_dir=asc", "sort_key=belongs_to_default_sg&sort_dir=asc"):
    get(f"security-group-rules?security_group_id=$sg&{query}&fields=direction&fields=ethertype&fields=protocol", "member", name=f"rules?{query}")
get("security-group-rules?security_group_id=$sg", "member", name="rules in full")
get("security-group-rules?security_group_id=$default", "reader", name="rules of the default group")
get("security-group-rules", "stranger", name="rules for a role without rights")
get("security-groups/$sg", "member", name="group with rules")
post("security_group", {"name": "named"}, "member", "named")
post("security_group_rule", {**R, "remote_group_id": "$named"}, "member", "rule2")
delete("security_group", "$named", "member", name="group that a rule names")
get("security-group-rules/$rule2", "member", name="rule that named a group")
post("security_group_rule", {"security_group_id": "$default", "direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2}, "member", "rule3", name="rule of the default group")
get("security-group-rules/$rule3", "member")
delete("security_group_rule", "$rule3", "member")
delete("security_group_rule", "$rule", "member")
delete("security_group_rule", "$rule", "member", name="rule removed twice")
delete("security_group", "$sg", "member")

# ---------------------------------------------------------------------------------------------------------------- quotas
section("quota")
for role in ("admin", "member", "reader", "other", "stranger", "service", "manager"):
    get("quotas", role, name=f"quotas for {role}")
    for project in ("a", "b"):
        get(f"quotas/$project_{project}", role, name=f"quota of {project} for {role}")
        get(f"quotas/$project_{project}/default", role, name=f"default quota of {project} for {role}")
        get(f"quotas/$project_{project}/details.json", role, name=f"quota details of {project} for {role}")
    get("quotas/tenant", role, name=f"quota tenant for {role}")
    get("quotas/project", role, name=f"quota project for {role}")
    ask(role, "PUT", "/v2.0/quotas/$project_b", {"quota": {"port": 30}}, name=f"quota set by {role}")
    ask(role, "DELETE", "/v2.0/quotas/$project_b", name=f"quota removed by {role}")
for body in ({"port": 5}, {"port": -1}, {"port": -2}, {"port": "x"}, {"port": "7"}, {"port": None}, {"port": 1.5}, {"port": True}, {"foo": 1}, {}, {"port": 0}, {"network": 1, "port": 3, "security_group": 4}, {"port": 2147483647}, {"port": 2147483648}, {"force": True}, {"port": 3, "force": True}, {"port": 3, "force": "x"}, {"port": 3, "check_limit": True}, {"port": 3, "check_limit": "x"}, {"tenant_id": "x", "port": 5}, {"project_id": "x"}):
    ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": body}, name=f"quota {','.join(f'{k}={v}' for k, v in body.items())}")
for name, raw in (("not json", "{"), ("empty", "{}"), ("null", '{"quota": null}'), ("text", '{"quota": "x"}'), ("bulk", '{"quotas": []}')):
    ask("admin", "PUT", "/v2.0/quotas/$project_b", name=f"quota body {name}", raw=raw)
get("quotas", name="quotas after changes")
get("quotas/$project_b", name="quota after changes")
ask("admin", "DELETE", "/v2.0/quotas/$project_b", name="quota reset")
ask("admin", "DELETE", "/v2.0/quotas/$project_b", name="quota reset again")
ask("admin", "POST", "/v2.0/quotas", {"quota": {"port": 5}}, name="quota created")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"network": 2, "subnet": 1, "port": 1, "security_group": 2, "security_group_rule": 7}}, name="small quotas")
post("network", {"name": "q1"}, "other", "q1")
post("network", {"name": "q2"}, "other", "q2")
post("network", {"name": "q3"}, "other", name="network over quota")
ask("other", "POST", "/v2.0/networks", {"networks": [{"name": "x"}, {"name": "y"}]}, name="bulk over quota")
post("network", {"name": "q3", "shared": True}, "other", name="network over quota and forbidden")
post("network", {"name": "q3", "foo": 1}, "other", name="network over quota and unknown")
post("network", {"name": "q3", "project_id": "$project_b"}, "admin", name="network over quota by an administrator")
post("subnet", {"network_id": "$q1", "ip_version": 4, "cidr": "10.0.0.0/24"}, "other", "qs")
post("subnet", {"network_id": "$q1", "ip_version": 4, "cidr": "10.0.1.0/24"}, "other", name="subnet over quota")
post("subnet", {"network_id": "$q1", "ip_version": 4, "cidr": "x"}, "other", name="subnet over quota and bad")
post("subnet", {"network_id": UUID, "ip_version": 4, "cidr": "10.0.1.0/24"}, "other", name="subnet over quota and missing")
post("port", {"network_id": "$q1"}, "other", "qp")
post("port", {"network_id": "$q1"}, "other", name="port over quota")
post("security_group", {"name": "qg"}, "other", name="group over quota")
post("security_group_rule", {"security_group_id": "$otherdefault", "direction": "ingress", "protocol": "tcp"}, "other", "qr1", name="rule within quota")
post("security_group_rule", {"security_group_id": "$otherdefault", "direction": "ingress", "protocol": "udp"}, "other", "qr2", name="rule at quota")
post("security_group_rule", {"security_group_id": "$otherdefault", "direction": "ingress", "protocol": "icmp"}, "other", "qr3", name="rule over quota")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"security_group": 5}}, name="more groups")
post("security_group", {"name": "qg"}, "other", name="group whose rules are over quota")
get("quotas/$project_b/details.json", "other", name="quota details in use")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"network": 1}}, name="quota below usage")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"network": 0}}, name="quota of nothing below usage")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"network": 1, "force": True}}, name="quota below usage by force")
ask("admin", "PUT", "/v2.0/quotas/$project_b", {"quota": {"network": 1, "check_limit": True}}, name="quota below usage with check_limit")
for name in ("qr1", "qr2", "qr3"):
    delete("security_group_rule", f"${name}")
delete("port", "$qp", "other")
delete("network", "$q1", "other")
delete("network", "$q2", "other")
ask("admin", "DELETE", "/v2.0/quotas/$project_b", name="quota reset at the end")
delete("security_group", "$sgother", "other")
delete("security_group", "$default", name="default group removed by an administrator")
get("security-groups?fields=name", "member", name="default group comes back")

# ---------------------------------------------------------------------------------------------------------------- agents
section("agent")
for role in ("admin", "member", "reader", "stranger", "service"):
    get("agents", role, name=f"agents for {role}")
    ask(role, "POST", "/v2.0/agents", {"agent": {"host": "x"}}, name=f"agent created by {role}")
    put("agent", UUID, {"admin_state_up": False}, role, name=f"missing agent updated by {role}")
    delete("agent", UUID, role, name=f"missing agent removed by {role}")
for query in ("agent_type=DHCP agent".replace(" ", "%20"), "alive=True", "alive=x", "host=x", "binary=x", "foo=1", "admin_state_up=x", "topic=x", "description=x", "sort_key=host&sort_dir=asc", "sort_key=foo&sort_dir=asc", "sort_key=alive&sort_dir=asc", "limit=1", "limit=x", "configurations=x"):
    get(f"agents?{query}", name=f"agents?{query}")
for body in ({"admin_state_up": "x"}, {"foo": 1}, {"host": "x"}, {"alive": True}, {"description": LONG}, {"description": None}, {"agent_type": "x"}, {"configurations": {}}, {"binary": "x"}):
    put("agent", UUID, body, name=f"missing agent update {','.join(body)}")

# ---------------------------------------------------------------------------------------------------------------- agents that live
# The rest is asked once a DHCP agent reports from the host fake-1.
section("living agent")
# The agents that report before what follows: type and host.
AGENTS = (("DHCP agent", "fake-1"),)
FIRST_WITH_AGENTS = len(CASES)
DHCP = "agents?agent_type=DHCP%20agent"
get(f"{DHCP}&host=fake-1", save={"agent": "agents.0.id"})
for role in ("manager", "member", "reader", "stranger", "service"):
    get(DHCP, role, name=f"living agents for {role}")
for role in ("admin", "manager", "member", "reader", "stranger", "service"):
    get("agents/$agent", role, name=f"living agent seen by {role}")
    put("agent", "$agent", {"description": f"by {role}"}, role, name=f"living agent updated by {role}")
for role in ("manager", "member", "stranger", "service"):
    delete("agent", "$agent", role, name=f"living agent removed by {role}")
for query in ("alive=True", "alive=False", "alive=x", "host=fake-1", "host=x", "binary=neutron-dhcp-agent", "binary=x", "topic=dhcp_agent", "admin_state_up=True", "admin_state_up=False", "id=$agent", "description=by%20admin", "sort_key=host&sort_dir=asc", "limit=1"):
    get(f"{DHCP}&{query}&fields=host&fields=alive&fields=agent_type", name=f"living agents?{query}")
get("agents/$agent?fields=host&fields=binary&fields=zz", name="fields of an agent")
for body in ({"admin_state_up": False}, {"admin_state_up": True}, {"admin_state_up": "x"}, {"description": "d"}, {"description": None}, {"description": LONG}, {"description": 5}, {"foo": 1}, {"host": "x"}, {"alive": True}, {"configurations": {}}, {"id": UUID}, {}):
    put("agent", "$agent", body, name=f"living agent update {','.join(f'{k}={v!r:.20}' for k, v in body.items())}")
ask("admin", "POST", "/v2.0/agents", {"agent": {}}, name="agent created with agents there")
delete("agent", "$agent", name="living agent removed")
get("agents/$agent", name="removed agent")
for case in CASES[FIRST_WITH_AGENTS:]:
    case["with_agents"] = True
