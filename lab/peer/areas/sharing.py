"""What projects share, and where prefixes come from: RBAC policies, address scopes, subnet pools."""

from asking import UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service")


def policy(object_type, who, target, role="member", action="access_as_shared", save=None, **more):
    body = {"object_type": object_type, "object_id": who, "action": action, "target_tenant": target}
    post("rbac_policy", body, role, save, **more)


def act(kind, who, action, body, role="member", **more):
    ask(role, "PUT", f"/v2.0/{kind}s/{who}/{action}", body, **more)


# ---------------------------------------------------------------------------------------------------------------- RBAC policies
section("rbac")
post("network", {"name": "r"}, "member", "net")
post("security_group", {"name": "r"}, "member", "sg")
for name, body in (("no type", {"object_id": "$net", "action": "access_as_shared", "target_tenant": "$project_b"}),
                   ("no object", {"object_type": "network", "action": "access_as_shared", "target_tenant": "$project_b"}),
                   ("no action", {"object_type": "network", "object_id": "$net", "target_tenant": "$project_b"}),
                   ("no target", {"object_type": "network", "object_id": "$net", "action": "access_as_shared"}),
                   ("unknown attribute", {"object_type": "network", "object_id": "$net", "action": "access_as_shared", "target_tenant": "*", "name": "x"})):
    post("rbac_policy", body, "member", name=f"rbac {name}")
for target in ("p2", "", None, 5, ["*"], "1234" * 100):
    policy("network", "$net", target, name=f"rbac target {str(target)[:12]}")
for object_type in ("foo", " Network ", "NETWORK", "qos", ""):
    policy(object_type, "$net", "$project_b", save="pol", name=f"rbac type {object_type!r}")
    delete("rbac_policy", "$pol", "member", name=f"rbac type {object_type!r}, gone")
for object_id in ("foo", UUID, None, "$sg"):
    policy("network", object_id, "$project_b", name=f"rbac object {object_id}")
for object_type, who, action in (("network", "$net", "foo"), ("network", "$net", ""), ("security_group", "$sg", "access_as_external"), ("security_group", "$sg", "x"),
                                 ("network", "$net", None), ("network", "$net", 5)):
    policy(object_type, who, "$project_b", action=action, name=f"rbac {object_type} action {action!r}")
for role in ("reader", "other", "stranger", "service", "manager"):
    policy("network", "$net", "$project_b", role, save="pol", name=f"rbac by {role}")
    delete("rbac_policy", "$pol", "admin", name=f"rbac by {role}, gone")
for action in ("access_as_shared", "access_as_external"):
    policy("network", "$net", "*", action=action, name=f"rbac member {action} for all")
policy("network", "$net", "$project_b", save="pol")
policy("network", "$net", "$project_b", name="rbac twice")
policy("network", "$net", "$project_b", "other", name="rbac passed on")
for role in READERS:
    get("rbac-policies/$pol", role, name=f"rbac seen by {role}")
    get("rbac-policies?object_id=$net", role, name=f"rbac listed by {role}")
    get("networks/$net?fields=id&fields=shared&fields=router:external", role, name=f"shared network seen by {role}")
    get("networks?name=r&fields=id&fields=shared", role, name=f"shared network listed by {role}")
    get("networks?name=r&shared=true&fields=id", role, name=f"shared networks listed by {role}")
    get("networks?name=r&shared=false&fields=id", role, name=f"networks not shared listed by {role}")
for query in ("object_type=network", "action=access_as_shared", "target_tenant=$project_b", "target_tenant=x", "project_id=$project_a", "fields=id&fields=target_tenant", "id=$pol",
              "sort_key=object_id", "sort_key=object_type", "target_project=$project_b", "name=x", "action=foo"):
    get(f"rbac-policies?object_id=$net&{query}", "member", name=f"rbac-policies?{query}")
for body in ({"target_tenant": "*"}, {"target_tenant": "x"}, {"action": "access_as_external"}, {"object_id": UUID}, {"object_type": "network"}, {"project_id": "$project_b"}, {}):
    put("rbac_policy", "$pol", body, "member", name=f"rbac update {body}")
put("rbac_policy", "$pol", {"target_tenant": "$project_b"}, "other", name="rbac update by other")
put("rbac_policy", "$pol", {"target_tenant": "$project_b"}, "reader", name="rbac update by reader")
delete("rbac_policy", "$pol", "other", name="rbac delete by other")
put("network", "$net", {"name": "r"}, "other", name="shared network update by other")
delete("network", "$net", "other", name="shared network delete by other")
post("port", {"network_id": "$net"}, "other", "port", name="port on a shared network")
for name, more in (("fixed ip", {"fixed_ips": [{"ip_address": "10.0.0.9"}]}), ("mac", {"mac_address": "fa:16:3e:00:00:01"}), ("pairs", {"allowed_address_pairs": [{"ip_address": "1.1.1.1"}]}),
                   ("port security", {"port_security_enabled": False})):
    post("port", {"network_id": "$net", **more}, "other", name=f"port on a shared network with {name}")
delete("rbac_policy", "$pol", "member", name="rbac in use")
put("rbac_policy", "$pol", {"target_tenant": "$project_service"}, "member", name="rbac in use elsewhere")
get("ports/$port?fields=id", "member", name="port of other on own network")
delete("port", "$port", "member", name="port of other deleted by the network's owner")
delete("rbac_policy", "$pol", "member", name="rbac not in use")
get("networks/$net", "other", name="network not shared any more")
policy("network", "$net", "$project_a", save="pol", name="rbac for oneself")
post("port", {"network_id": "$net"}, "member", "port")
delete("rbac_policy", "$pol", "member", name="rbac for oneself in use")
delete("port", "$port", "member")
get(f"rbac-policies/{UUID}", name="rbac missing")
get("rbac-policies/foo", name="rbac foo")
delete("rbac_policy", UUID, "member", name="rbac delete missing")

section("rbac wildcard")
post("network", {"name": "w", "shared": True}, "admin", "net")
get("rbac-policies?object_id=$net", name="policies of a shared network")
put("network", "$net", {"shared": False}, "admin")
get("rbac-policies?object_id=$net", name="policies of a network not shared any more")
policy("network", "$net", "*", "admin", save="pol")
get("networks/$net?fields=shared", "other", name="shared by policy")
post("port", {"network_id": "$net"}, "other", "port")
put("network", "$net", {"shared": False}, "admin", name="unshared in use")
delete("rbac_policy", "$pol", "admin", name="rbac wildcard in use")
policy("network", "$net", "$project_b", "admin", save="own")
put("network", "$net", {"shared": False}, "admin", name="unshared, but to its user")
get("networks/$net?fields=shared", "other", name="shared by its own policy")
delete("port", "$port", "other")
delete("network", "$net", "admin")
get("rbac-policies/$own", name="policies go with the object")

section("rbac external")
post("network", {"name": "e"}, "admin", "net")
post("subnet", {"network_id": "$net", "cidr": "172.30.0.0/24", "ip_version": 4, "enable_dhcp": False}, "admin", "sub")
policy("network", "$net", "$project_a", "admin", "access_as_external", save="pol")
for role in READERS:
    get("networks/$net?fields=id&fields=shared&fields=router:external", role, name=f"external network seen by {role}")
    get("subnets/$sub?fields=id&fields=router:external", role, name=f"external subnet seen by {role}")
    get("networks?name=e&router:external=true&fields=id", role, name=f"external networks listed by {role}")
post("port", {"network_id": "$net"}, "member", name="port on an external network")
put("network", "$net", {"name": "x"}, "member", name="external network update by member")
delete("rbac_policy", "$pol", "admin")
get("networks/$net?fields=router:external", name="external no more")
put("network", "$net", {"router:external": True}, "admin")
get("rbac-policies?object_id=$net", name="policies of an external network")
put("network", "$net", {"router:external": False}, "admin")
get("rbac-policies?object_id=$net", name="policies of a network external no more")
delete("network", "$net", "admin")

section("rbac group")
policy("security_group", "$sg", "$project_b", save="pol")
for role in READERS:
    get("security-groups/$sg?fields=id&fields=shared", role, name=f"shared group seen by {role}")
    get("security-groups?name=r&fields=id&fields=shared", role, name=f"shared group listed by {role}")
    get("security-groups?name=r&shared=true&fields=id", role, name=f"shared groups listed by {role}")
policy("security_group", "$sg", "$project_service", "other", name="group passed on")
put("security_group", "$sg", {"name": "x"}, "other", name="shared group update by other")
delete("security_group", "$sg", "other", name="shared group delete by other")
post("security_group_rule", {"security_group_id": "$sg", "direction": "ingress"}, "other", name="rule of a shared group by other")
post("network", {"name": "o"}, "other", "onet")
post("port", {"network_id": "$onet", "security_groups": ["$sg"]}, "other", "port", name="port with a shared group")
delete("rbac_policy", "$pol", "member", name="group policy in use")
delete("port", "$port", "other")
delete("network", "$onet", "other")
delete("security_group", "$sg", "member", name="shared group deleted")
get("rbac-policies/$pol", "member", name="policies go with the group")

# ---------------------------------------------------------------------------------------------------------------- address scopes
section("scope")
for name, body in (("nothing", {}), ("no version", {"name": "s"}), ("version 5", {"name": "s", "ip_version": 5}), ("long name", {"name": "x" * 256, "ip_version": 4}),
                   ("text version", {"ip_version": "4"}), ("shared", {"ip_version": 4, "shared": True}), ("unknown", {"ip_version": 4, "x": 1}), ("null name", {"name": None, "ip_version": 4})):
    post("address_scope", body, "member", "scope", name=f"scope {name}")
    delete("address_scope", "$scope", "admin", name=f"scope {name}, gone")
for role in ("reader", "stranger", "service", "manager"):
    post("address_scope", {"name": role, "ip_version": 4}, role, "scope", name=f"scope by {role}")
    delete("address_scope", "$scope", "admin", name=f"scope by {role}, gone")
post("address_scope", {"name": "s4", "ip_version": 4}, "member", "s4")
post("address_scope", {"name": "s6", "ip_version": 6}, "member", "s6")
for role in READERS:
    get("address-scopes/$s4", role, name=f"scope seen by {role}")
    get("address-scopes?name=s4", role, name=f"scope listed by {role}")
for query in ("ip_version=6", "ip_version=x", "shared=false", "shared=true", "sort_key=name&sort_dir=desc", "sort_key=ip_version", "fields=name", "project_id=$project_a", "foo=1"):
    get(f"address-scopes?name=s4&name=s6&{query}", "member", name=f"address-scopes?{query}")
for body in ({"name": "t4"}, {"ip_version": 6}, {"shared": True}, {"shared": False}, {"project_id": "$project_b"}, {"name": None}):
    put("address_scope", "$s4", body, "member", name=f"scope update {body}")
put("address_scope", "$s4", {"name": "x"}, "other", name="scope update by other")
delete("address_scope", "$s4", "other", name="scope delete by other")
get(f"address-scopes/{UUID}", name="scope missing")
delete("address_scope", UUID, name="scope delete missing")

# ---------------------------------------------------------------------------------------------------------------- subnet pools
section("pool")
BASE = {"name": "p", "prefixes": ["10.11.0.0/16"]}
for more in ({"name": ""}, {"name": " "}, {"name": None}, {"prefixes": []}, {"prefixes": None}, {"prefixes": "10.0.0.0/8"}, {"prefixes": ["x"]}, {"prefixes": ["10.0.0.0"]},
             {"prefixes": ["10.0.0.0/33"]}, {"prefixes": ["10.0.0.0/8", "10.0.0.0/8"]}, {"prefixes": ["10.0.0.0/8", "fd00::/48"]}, {"prefixes": ["10.11.12.13/24"]},
             {"prefixes": ["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25"]}, {"prefixes": [None]}, {"min_prefixlen": 33}, {"max_prefixlen": 33}, {"default_prefixlen": 7}, {"min_prefixlen": "24"},
             {"min_prefixlen": 28, "max_prefixlen": 26}, {"max_prefixlen": 26, "default_prefixlen": 27}, {"min_prefixlen": -1}, {"min_prefixlen": "x"}, {"min_prefixlen": None}, {"min_prefixlen": 0},
             {"default_quota": 0}, {"default_quota": -1}, {"default_quota": "5"}, {"default_quota": None}, {"shared": True}, {"is_default": True}, {"is_default": "x"}, {"ip_version": 4},
             {"address_scope_id": "x"}, {"address_scope_id": UUID}, {"address_scope_id": None}, {"address_scope_id": "$s6"}, {"description": "d"}, {"prefixes": ["fd00::/48"]},
             {"prefixes": ["fd00::/48"], "max_prefixlen": 129}, {"foo": 1}, {"project_id": "$project_b"}):
    post("subnetpool", {**BASE, **more}, "member", "pool", name=f"pool {more}")
    delete("subnetpool", "$pool", "admin", name=f"pool {more}, gone")
for missing in ("name", "prefixes"):
    post("subnetpool", {k: v for k, v in BASE.items() if k != missing}, "member", name=f"pool without {missing}")
for role in ("reader", "stranger", "service", "manager"):
    post("subnetpool", BASE, role, "pool", name=f"pool by {role}")
    delete("subnetpool", "$pool", "admin", name=f"pool by {role}, gone")
post("subnetpool", {**BASE, "default_prefixlen": 26, "min_prefixlen": 24, "max_prefixlen": 28}, "member", "pool")
for role in READERS:
    get("subnetpools/$pool", role, name=f"pool seen by {role}")
    get("subnetpools?name=p", role, name=f"pool listed by {role}")
for query in ("ip_version=4", "ip_version=6", "shared=false", "shared=true", "is_default=false", "default_prefixlen=26", "min_prefixlen=24", "sort_key=name", "sort_key=min_prefixlen", "sort_key=prefixes",
              "fields=prefixes", "address_scope_id=" + UUID, "prefixes=10.11.0.0/16", "foo=1", "default_quota=5", "tags=x"):
    get(f"subnetpools?name=p&{query}", "member", name=f"subnetpools?{query}")
put("subnetpool", "$pool", {"name": "x"}, "other", name="pool update by other")
delete("subnetpool", "$pool", "other", name="pool delete by other")
get(f"subnetpools/{UUID}", name="pool missing")
put("subnetpool", UUID, {"name": "x"}, name="pool update missing")
post("network", {"name": "pn"}, "member", "net")
for more in ({}, {"prefixlen": 28}, {"prefixlen": 29}, {"prefixlen": 23}, {"prefixlen": 64}, {"prefixlen": "x"}, {"prefixlen": 129}, {"cidr": "10.11.200.0/24"}, {"cidr": "10.11.0.0/26"}, {"cidr": "10.12.0.0/26"},
             {"cidr": "10.11.0.0/25"}, {"cidr": "10.11.9.0/24", "prefixlen": 24}, {"ip_version": 6}, {"use_default_subnetpool": True}, {"gateway_ip": None}, {"gateway_ip": "10.11.0.129"},
             {"allocation_pools": [{"start": "10.11.0.5", "end": "10.11.0.9"}]}, {"cidr": "10.11.100.0/24", "allocation_pools": [{"start": "10.11.100.5", "end": "10.11.100.9"}]}, {"subnetpool_id": UUID},
             {"subnetpool_id": "x"}, {"prefixlen": 24}, {"prefixlen": 27}, {"cidr": "10.11.3.0/29"}, {"cidr": "10.11.0.0/16"}):
    post("subnet", {"network_id": "$net", "ip_version": 4, "subnetpool_id": "$pool", **more}, "member", name=f"subnet of a pool {more}")
for more in ({"use_default_subnetpool": True}, {"use_default_subnetpool": True, "cidr": "10.11.0.0/24"}, {"use_default_subnetpool": "x"}, {"prefixlen": 24}, {"cidr": "10.99.0.0/24"}):
    post("subnet", {"network_id": "$net", "ip_version": 4, **more}, "member", name=f"subnet without a pool {more}")
post("subnet", {"network_id": "$net", "ip_version": 4, "subnetpool_id": "$pool"}, "other", name="subnet of a pool of somebody else")
get("subnets?subnetpool_id=$pool&fields=cidr&fields=gateway_ip&fields=allocation_pools&sort_key=cidr", "member", name="subnets of a pool")
delete("subnetpool", "$pool", "member", name="pool in use")
for body in ({"prefixes": ["10.11.0.0/17"]}, {"prefixes": ["10.10.0.0/15"]}, {"prefixes": []}, {"prefixes": ["10.10.0.0/15", "fd00::/48"]}, {"shared": True}, {"is_default": True}, {"min_prefixlen": 29},
             {"max_prefixlen": 25}, {"default_prefixlen": 29}, {"default_quota": 100}, {"name": ""}, {"ip_version": 6}, {"project_id": "$project_b"}, {"address_scope_id": UUID}, {"address_scope_id": "$s6"},
             {"address_scope_id": "$s4"}):
    put("subnetpool", "$pool", body, "member", name=f"pool update {body}")
get("subnetpools/$pool", "member", name="pool after its updates")
get("networks/$net?fields=ipv4_address_scope&fields=id", "member", name="scope of a network")
post("subnet", {"network_id": "$net", "ip_version": 4, "subnetpool_id": "$pool", "prefixlen": 24}, "member", name="subnet over the quota of a pool")
delete("address_scope", "$s4", "member", name="scope in use")
post("subnetpool", {**BASE, "prefixes": ["10.11.1.0/24"], "address_scope_id": "$s4"}, "member", name="pool with prefixes of its scope")
post("subnetpool", {**BASE, "prefixes": ["10.20.0.0/16"], "address_scope_id": "$s4", "min_prefixlen": 24}, "member", "pool2")
post("subnet", {"network_id": "$net", "ip_version": 4, "subnetpool_id": "$pool2"}, "member", name="subnet of another pool of the scope")
post("subnetpool", {**BASE, "prefixes": ["10.30.0.0/16"], "min_prefixlen": 24}, "member", "pool3")
post("subnet", {"network_id": "$net", "ip_version": 4, "subnetpool_id": "$pool3"}, "member", name="subnet of a pool of no scope")
for name, body in (("more", {"prefixes": ["10.40.0.0/16"]}), ("next", {"prefixes": ["10.41.0.0/16"]}), ("inside", {"prefixes": ["10.30.7.0/24"]}), ("none", {"prefixes": []}), ("nothing", {}), ("text", {"prefixes": "x"}),
                   ("another family", {"prefixes": ["fd00::/48"]})):
    act("subnetpool", "$pool3", "add_prefixes", body, name=f"add_prefixes {name}")
for name, body in (("some", {"prefixes": ["10.41.0.0/16"]}), ("part", {"prefixes": ["10.40.128.0/17"]}), ("others", {"prefixes": ["192.0.2.0/24"]}), ("none", {"prefixes": []}), ("nothing", {}), ("text", {"prefixes": "x"})):
    act("subnetpool", "$pool3", "remove_prefixes", body, name=f"remove_prefixes {name}")
act("subnetpool", "$pool", "remove_prefixes", {"prefixes": ["10.11.0.0/24"]}, name="remove_prefixes in use")
act("subnetpool", "$pool3", "add_prefixes", {"prefixes": ["10.50.0.0/16"]}, "other", name="add_prefixes by other")
act("subnetpool", UUID, "add_prefixes", {"prefixes": ["10.50.0.0/16"]}, "member", name="add_prefixes missing")
post("network", {"name": "on"}, "member", "net2")
post("subnet", {"network_id": "$net2", "ip_version": 4, "cidr": "10.60.0.0/24"}, "member", "sub2")
for name, body in (("nothing", {}), ("null", {"network_id": None}), ("missing", {"network_id": UUID}), ("foo", {"network_id": "foo"})):
    act("subnetpool", "$pool3", "onboard_network_subnets", body, name=f"onboard {name}")
act("subnetpool", "$pool3", "onboard_network_subnets", {"network_id": "$net2"}, "other", name="onboard by other")
act("subnetpool", "$pool3", "onboard_network_subnets", {"network_id": "$net2"}, name="onboard")
get("subnets/$sub2?fields=subnetpool_id&fields=cidr", "member", name="subnet after onboarding")
get("subnetpools/$pool3?fields=prefixes", "member", name="pool after onboarding")
act("subnetpool", "$pool3", "onboard_network_subnets", {"network_id": "$net2"}, name="onboard again")

section("pool sharing")
policy("subnetpool", "$pool3", "$project_b", save="pol")
policy("subnetpool", "$pool3", "$project_b", action="access_as_external", name="pool external")
for role in READERS:
    get("subnetpools/$pool3?fields=id&fields=shared", role, name=f"shared pool seen by {role}")
    get("subnetpools?shared=true&fields=id", role, name=f"shared pools listed by {role}")
put("subnetpool", "$pool3", {"name": "x"}, "other", name="shared pool update by other")
post("network", {"name": "on"}, "other", "onet")
post("subnet", {"network_id": "$onet", "ip_version": 4, "subnetpool_id": "$pool3", "prefixlen": 26}, "other", "osub", name="subnet of a shared pool")
delete("rbac_policy", "$pol", "member", name="pool policy in use")
delete("network", "$onet", "other")
delete("rbac_policy", "$pol", "member", name="pool policy not in use")
policy("subnetpool", "$pool2", "$project_b", name="pool without its scope")
policy("address_scope", "$s4", "$project_b", save="pol", name="scope shared")
get("address-scopes/$s4?fields=shared", "other", name="shared scope seen by other")
post("subnetpool", {**BASE, "prefixes": ["10.70.0.0/16"], "address_scope_id": "$s4"}, "other", "opool", name="pool in a shared scope")
put("subnetpool", "$opool", {"name": "q"}, "other", name="pool in a shared scope update")
delete("rbac_policy", "$pol", "member", name="scope policy in use")
delete("subnetpool", "$opool", "other")
delete("rbac_policy", "$pol", "member", name="scope policy not in use")

section("pool default")
post("subnetpool", {**BASE, "prefixes": ["10.80.0.0/16"], "min_prefixlen": 24, "is_default": True}, "admin", "dpool")
post("subnetpool", {**BASE, "prefixes": ["10.81.0.0/16"], "is_default": True}, "admin", name="pool default twice")
put("subnetpool", "$pool3", {"is_default": True}, "admin", name="pool becomes default twice")
post("network", {"name": "dn"}, "other", "dnet")
post("subnet", {"network_id": "$dnet", "ip_version": 4, "use_default_subnetpool": True}, "other", name="subnet of a default pool of somebody else")
policy("subnetpool", "$dpool", "*", "admin", save="pol")
post("subnet", {"network_id": "$dnet", "ip_version": 4, "use_default_subnetpool": True}, "other", name="subnet of the default pool")
post("subnet", {"network_id": "$dnet", "ip_version": 6, "use_default_subnetpool": True}, "other", name="subnet of no default pool")
delete("network", "$dnet", "other")
for kind, who, role in (("subnetpool", "$dpool", "admin"), ("network", "$net", "member"), ("network", "$net2", "member"), ("subnetpool", "$pool", "member"), ("subnetpool", "$pool2", "member"),
                        ("subnetpool", "$pool3", "member"), ("address_scope", "$s4", "member"), ("address_scope", "$s6", "member")):
    delete(kind, who, role, name=f"{who[1:]} gone")

# ---------------------------------------------------------------------------------------------------------------- address groups
section("addresses")
for more in ({}, {"addresses": []}, {"addresses": None}, {"addresses": "10.0.0.0/8"}, {"addresses": ["10.0.0.1"]}, {"addresses": ["x"]}, {"addresses": [5]}, {"addresses": ["10.0.0.0/8", "10.0.0.0/8"]},
             {"addresses": ["10.0.0.1/8", "10.0.0.2/8"]}, {"addresses": ["10.0.0.0/33"]}, {"addresses": ["fd00::1/64"]}, {"name": None}, {"name": "x" * 256}, {"description": "x" * 300}, {"description": "x" * 1025},
             {"shared": True}, {"foo": 1}, {"project_id": "$project_b"}):
    post("address_group", {"name": "g", **more}, "member", "ag", name=f"address group {str(more)[:60]}")
    delete("address_group", "$ag", "admin", name=f"address group {str(more)[:60]}, gone")
for role in ("reader", "stranger", "service", "manager"):
    post("address_group", {"name": role}, role, "ag", name=f"address group by {role}")
    delete("address_group", "$ag", "admin", name=f"address group by {role}, gone")
post("address_group", {"name": "g", "addresses": ["10.0.0.0/24"]}, "member", "ag")
for role in READERS:
    get("address-groups/$ag", role, name=f"address group seen by {role}")
    get("address-groups?name=g", role, name=f"address group listed by {role}")
for query in ("sort_key=name", "sort_key=addresses", "addresses=10.0.0.0/24", "description=", "shared=false", "fields=addresses", "foo=1", "project_id=$project_a"):
    get(f"address-groups?name=g&{query}", "member", name=f"address-groups?{query}")
for body in ({"name": "h"}, {"description": "d"}, {"addresses": ["10.0.0.0/8"]}, {"project_id": "$project_b"}, {"name": None}, {}):
    put("address_group", "$ag", body, "member", name=f"address group update {body}")
for name, addresses in (("one", ["10.1.0.1/32"]), ("without length", ["10.1.0.2"]), ("with host bits", ["10.2.0.1/16"]), ("there", ["10.0.0.0/24"]), ("wrong", ["x"]), ("a number", [5]), ("none", []), ("null", None),
                        ("text", "10.3.0.0/16"), ("some there", ["10.0.0.0/24", "10.4.0.0/16"]), ("twice", ["10.5.0.0/16", "10.5.0.1/16"])):
    act("address-group", "$ag", "add_addresses", {"addresses": addresses}, name=f"add_addresses {name}")
act("address-group", "$ag", "add_addresses", {}, name="add_addresses nothing")
act("address-group", "$ag", "add_addresses", {"addresses": ["10.9.0.0/16"]}, "other", name="add_addresses by other")
act("address-group", "$ag", "add_addresses", {"addresses": ["10.9.0.0/16"]}, "reader", name="add_addresses by reader")
act("address-group", UUID, "add_addresses", {"addresses": ["10.9.0.0/16"]}, name="add_addresses missing")
for name, addresses in (("one", ["10.1.0.1/32"]), ("without length", ["10.1.0.2"]), ("not there", ["10.200.0.0/16"]), ("wrong", ["x"]), ("none", []), ("some there", ["10.2.0.0/16", "10.200.0.0/16"])):
    act("address-group", "$ag", "remove_addresses", {"addresses": addresses}, name=f"remove_addresses {name}")
policy("address_group", "$ag", "$project_b", save="pol")
for role in READERS:
    get("address-groups/$ag?fields=id", role, name=f"shared address group seen by {role}")
put("address_group", "$ag", {"name": "x"}, "other", name="shared address group update by other")
delete("address_group", "$ag", "other", name="shared address group delete by other")
act("address-group", "$ag", "add_addresses", {"addresses": ["10.9.0.0/16"]}, "other", name="shared address group add_addresses by other")
post("security_group", {"name": "ags"}, "other", "osg")
RULE = {"security_group_id": "$osg", "direction": "ingress", "remote_address_group_id": "$ag"}
for name, more in (("and prefix", {"remote_ip_prefix": "10.0.0.0/8"}), ("and group", {"remote_group_id": "$osg"}), ("missing", {"remote_address_group_id": UUID}), ("foo", {"remote_address_group_id": "foo"}),
                   ("a number", {"remote_address_group_id": 5})):
    post("security_group_rule", {**RULE, **more}, "other", name=f"rule with address group {name}")
post("security_group_rule", RULE, "other", "orule", name="rule with address group")
post("security_group_rule", RULE, "other", name="rule with address group twice")
get("security-group-rules?remote_address_group_id=$ag", "other", name="rules by address group")
get("security-group-rules?security_group_id=$osg&sort_key=remote_address_group_id&fields=remote_address_group_id", "other", name="rules sorted by address group")
delete("address_group", "$ag", "member", name="address group in use")
delete("rbac_policy", "$pol", "member", name="address group policy in use")
delete("security_group", "$osg", "other")
delete("address_group", "$ag", "member", name="address group deleted")
get(f"address-groups/{UUID}", name="address group missing")

# ---------------------------------------------------------------------------------------------------------------- default rules
section("default rule")
DEFAULT = {"direction": "ingress", "protocol": "tcp", "port_range_min": 4711, "port_range_max": 4711, "used_in_default_sg": False, "used_in_non_default_sg": True}
for role in (*READERS, "stranger"):
    get("default-security-group-rules?direction=egress&sort_key=ethertype", role, name=f"default rules seen by {role}")
for query in ("used_in_default_sg=true&direction=ingress&sort_key=ethertype", "used_in_non_default_sg=false&sort_key=ethertype", "remote_group_id=PARENT&fields=direction&fields=remote_group_id", "sort_key=direction&fields=direction", "foo=1", "description=x",
              "ethertype=IPv4&fields=ethertype"):
    get(f"default-security-group-rules?{query}", name=f"default-security-group-rules?{query}")
for more in ({}, {"direction": None}, {"direction": "up"}, {"protocol": "nonsense"}, {"protocol": None}, {"port_range_min": 0}, {"port_range_max": 1}, {"ethertype": "IPv5"}, {"ethertype": "ipv6"},
             {"remote_ip_prefix": "10.0.0.0/8"}, {"remote_ip_prefix": "x"}, {"remote_group_id": "PARENT"}, {"remote_group_id": "PARENT", "remote_ip_prefix": "10.0.0.0/8"}, {"used_in_default_sg": None},
             {"used_in_default_sg": "x"}, {"description": "d"}, {"description": 5}, {"name": "x"}, {"project_id": "$project_b"}, {"used_in_default_sg": True}):
    post("default_security_group_rule", {**DEFAULT, **more}, "admin", "drule", name=f"default rule {more}")
    delete("default_security_group_rule", "$drule", "admin", name=f"default rule {more}, gone")
for missing in ("direction", "used_in_default_sg", "used_in_non_default_sg"):
    post("default_security_group_rule", {k: v for k, v in DEFAULT.items() if k != missing}, "admin", name=f"default rule without {missing}")
for role in READERS[1:]:
    post("default_security_group_rule", DEFAULT, role, name=f"default rule by {role}")
post("default_security_group_rule", DEFAULT, "admin", "drule")
post("default_security_group_rule", DEFAULT, "admin", name="default rule twice")
post("default_security_group_rule", {**DEFAULT, "used_in_default_sg": True}, "admin", name="default rule twice for some")
get("default-security-group-rules/$drule", "member", name="default rule seen by member")
delete("default_security_group_rule", "$drule", "member", name="default rule delete by member")
put("default_security_group_rule", "$drule", {"description": "x"}, "admin", name="default rule update")
post("security_group", {"name": "d"}, "member", "dsg", name="group with default rules")
delete("default_security_group_rule", "$drule", "admin")
delete("security_group", "$dsg", "member")
get(f"default-security-group-rules/{UUID}", name="default rule missing")
delete("default_security_group_rule", UUID, name="default rule delete missing")
