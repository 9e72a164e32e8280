"""Flavors, service profiles and providers; logs; auto-allocated topologies."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")


def said(body):
    return ",".join(f"{key}={value!r:.40}" for key, value in body.items()) or "nothing"


def profile(body, role="admin", save="profile", **more):
    ask(role, "POST", "/v2.0/service_profiles", {"service_profile": body}, save, **more)


def profile_gone(who="$profile", role="admin", **more):
    ask(role, "DELETE", f"/v2.0/service_profiles/{who}", **more)


section("flavor")
for body in ({"service_type": "L3_ROUTER_NAT"}, {}, {"service_type": None}, {"service_type": "nope"}, {"service_type": ""}, {"service_type": 5}, {"service_type": "L3_ROUTER_NAT", "name": "f"}, {"service_type": "L3_ROUTER_NAT", "name": LONG},
             {"service_type": "L3_ROUTER_NAT", "name": None}, {"service_type": "L3_ROUTER_NAT", "description": "d"}, {"service_type": "L3_ROUTER_NAT", "description": "x" * 1025}, {"service_type": "L3_ROUTER_NAT", "enabled": False},
             {"service_type": "L3_ROUTER_NAT", "enabled": "x"}, {"service_type": "L3_ROUTER_NAT", "enabled": None},
             {"service_type": "L3_ROUTER_NAT", "service_profiles": []}, {"service_type": "L3_ROUTER_NAT", "service_profiles": [UUID]}, {"service_type": "L3_ROUTER_NAT", "service_profiles": "x"}, {"service_type": "L3_ROUTER_NAT", "project_id": "$project_a"},
             {"service_type": "L3_ROUTER_NAT", "id": UUID}, {"service_type": "L3_ROUTER_NAT", "nope": 1}):
    post("flavor", body, "admin", "flavor", name=f"flavor {said(body)}")
    delete("flavor", "$flavor", name=f"flavor {said(body)}, gone")
for role in READERS[1:]:
    post("flavor", {"service_type": "L3_ROUTER_NAT"}, role, "flavor", name=f"flavor by {role}")
    delete("flavor", "$flavor", name=f"flavor by {role}, gone")
post("flavor", {"service_type": "L3_ROUTER_NAT", "name": "F"}, "admin", "flavor")
for role in READERS:
    get("flavors/$flavor", role, name=f"flavor seen by {role}")
    get("flavors", role, name=f"flavors listed by {role}")
    put("flavor", "$flavor", {"description": f"by {role}"}, role, name=f"flavor changed by {role}")
    if role != "admin":
        delete("flavor", "$flavor", role, name=f"flavor deleted by {role}")
for body in ({"name": "G"}, {"name": None}, {"enabled": False}, {"enabled": True}, {"enabled": "x"}, {"description": None}, {"service_type": "L3_ROUTER_NAT"}, {"service_profiles": []}, {"id": UUID}, {"nope": 1}, {}):
    put("flavor", "$flavor", body, name=f"flavor update {said(body)}")
for query in ("name=G", "name=x", "service_type=L3_ROUTER_NAT", "service_type=x", "enabled=true", "enabled=x", "service_profiles=x", "id=$flavor", "fields=name", "fields=nope", "nope=x", "sort_key=name&sort_dir=asc", "sort_key=enabled&sort_dir=asc",
              "sort_key=nope&sort_dir=asc", "limit=1", "marker=nope"):
    get(f"flavors?{query}", "member", name=f"flavors?{query}")
get(f"flavors/{UUID}", name="flavor missing")
put("flavor", UUID, {"name": "x"}, name="flavor update missing")
delete("flavor", UUID, name="flavor delete missing")

section("profile")
for body in ({"driver": "neutron.services.x"}, {}, {"driver": ""}, {"driver": None}, {"driver": "a" * 1025}, {"driver": "nope.nope"}, {"metainfo": "m"}, {"metainfo": ""}, {"metainfo": None}, {"metainfo": "x" * 4097}, {"metainfo": {"a": 1}}, {"metainfo": "m", "enabled": False},
             {"metainfo": "m", "enabled": "x"}, {"metainfo": "m", "description": "d"}, {"metainfo": "m", "description": LONG}, {"metainfo": "m", "project_id": "$project_a"}, {"metainfo": "m", "id": UUID}, {"metainfo": "m", "nope": 1}):
    profile(body, name=f"profile {said(body)}")
    profile_gone(name=f"profile {said(body)}, gone")
for role in READERS[1:]:
    profile({"metainfo": "m"}, role, name=f"profile by {role}")
    profile_gone(name=f"profile by {role}, gone")
profile({"metainfo": "m", "description": "P"}, name="profile that stays")
for role in READERS:
    get("service_profiles/$profile", role, name=f"profile seen by {role}")
    get("service_profiles", role, name=f"profiles listed by {role}")
    ask(role, "PUT", "/v2.0/service_profiles/$profile", {"service_profile": {"description": f"by {role}"}}, name=f"profile changed by {role}")
    if role != "admin":
        profile_gone(role=role, name=f"profile deleted by {role}")
for body in ({"metainfo": "n"}, {"metainfo": ""}, {"driver": "x"}, {"enabled": False}, {"enabled": True}, {"enabled": "x"}, {"description": None}, {"id": UUID}, {"nope": 1}, {}):
    ask("admin", "PUT", "/v2.0/service_profiles/$profile", {"service_profile": body}, name=f"profile update {said(body)}")
for query in ("metainfo=n", "driver=x", "enabled=true", "description=x", "id=$profile", "fields=metainfo", "nope=x", "sort_key=metainfo&sort_dir=asc", "sort_key=nope&sort_dir=asc", "limit=1"):
    get(f"service_profiles?{query}", name=f"profiles?{query}")
get(f"service_profiles/{UUID}", name="profile missing")
profile_gone(UUID, name="profile delete missing")
ask("admin", "PUT", f"/v2.0/service_profiles/{UUID}", {"service_profile": {"metainfo": "x"}}, name="profile update missing")
for role in READERS[1:]:
    ask(role, "POST", "/v2.0/flavors/$flavor/service_profiles", {"service_profile": {"id": "$profile"}}, name=f"profile put to a flavor by {role}")
for body in (None, {}, {"service_profile": None}, {"service_profile": {}}, {"service_profile": {"id": "nope"}}, {"service_profile": {"id": UUID}}, {"service_profile": {"id": "$profile"}}, {"service_profile": {"id": "$profile"}}):
    ask("admin", "POST", "/v2.0/flavors/$flavor/service_profiles", body, name=f"profile put to a flavor {str(body)[:50]}")
get("flavors/$flavor", name="flavor with a profile")
get("flavors/$flavor/next_providers", name="providers of a flavor")
profile_gone(name="profile in use")
ask("admin", "PUT", "/v2.0/service_profiles/$profile", {"service_profile": {"metainfo": "o"}}, name="profile in use changed")
delete("flavor", "$flavor", name="flavor with a profile deleted")
get("service_profiles/$profile", name="profile of a flavor that is gone")
post("flavor", {"service_type": "L3_ROUTER_NAT", "name": "F"}, "admin", "flavor")
ask("admin", "DELETE", "/v2.0/flavors/$flavor/service_profiles/$profile", name="profile taken from a flavor that has it not")
ask("admin", "POST", "/v2.0/flavors/$flavor/service_profiles", {"service_profile": {"id": "$profile"}}, name="profile put to a flavor again")
for role in READERS[1:]:
    ask(role, "DELETE", "/v2.0/flavors/$flavor/service_profiles/$profile", name=f"profile taken from a flavor by {role}")
ask("admin", "DELETE", "/v2.0/flavors/$flavor/service_profiles/$profile", name="profile taken from a flavor")
delete("flavor", "$flavor")
profile_gone()
section("provider")
for role in READERS:
    get("service-providers", role, name=f"providers for {role}")

section("log")
post("security_group", {"name": "l"}, "member", "sg")
post("network", {"name": "l"}, "member", "net")
post("port", {"network_id": "$net"}, "member", "port")
for role in READERS:
    get("log/loggable-resources", role, name=f"loggable resources for {role}")
    ask(role, "POST", "/v2.0/log/logs", {"log": {"resource_type": "security_group", "project_id": "$project_a"}}, "log", name=f"log by {role}")
    ask("admin", "DELETE", "/v2.0/log/logs/$log", name=f"log by {role}, gone")
for more in ({}, {"name": LONG}, {"resource_type": None}, {"resource_type": "nope"}, {"resource_type": "port"}, {"resource_type": ""}, {"event": "ALL"}, {"event": "ACCEPT"}, {"event": "DROP"}, {"event": "x"}, {"event": None}, {"enabled": False}, {"enabled": "x"},
             {"resource_id": "$sg"}, {"resource_id": UUID}, {"resource_id": "nope"}, {"resource_id": None}, {"target_id": "$port"}, {"target_id": UUID}, {"target_id": "nope"}, {"resource_id": "$sg", "target_id": "$port"}, {"id": UUID}, {"nope": 1}):
    ask("admin", "POST", "/v2.0/log/logs", {"log": {"resource_type": "security_group", **more}}, "log", name=f"log {said(more)}")
    ask("admin", "DELETE", "/v2.0/log/logs/$log", name=f"log {said(more)}, gone")
ask("admin", "POST", "/v2.0/log/logs", {"log": {}}, name="log of nothing")
delete("port", "$port", "member")
delete("network", "$net", "member")
delete("security_group", "$sg", "member")

section("topology")
for role in READERS:
    get("auto-allocated-topology/$project_a?fields=dry-run", role, name=f"dry run by {role}")
    get("auto-allocated-topology/$project_a", role, name=f"topology by {role}")
    delete_path = "/v2.0/auto-allocated-topology/$project_a"
get("auto-allocated-topology", name="topologies")
get("auto-allocated-topology/null", "member", name="topology of the caller")
get("auto-allocated-topology/null?fields=dry-run", "member", name="dry run of the caller")
get("auto-allocated-topology/nope", name="topology of a project that is none")
ask("admin", "POST", "/v2.0/auto-allocated-topology", {"auto_allocated_topology": {}}, name="topology made")
ask("admin", "PUT", "/v2.0/auto-allocated-topology/$project_a", {"auto_allocated_topology": {}}, name="topology changed")
post("network", {"name": "ext", "router:external": True, "is_default": True}, "admin", "ext", name="default external network")
post("subnet", {"network_id": "$ext", "ip_version": 4, "cidr": "203.0.113.0/24"}, "admin", "extsub")
get("auto-allocated-topology/$project_a?fields=dry-run", "member", name="dry run without a pool")
post("subnetpool", {"name": "p", "prefixes": ["10.160.0.0/16"], "default_prefixlen": 26, "is_default": True, "shared": True}, "admin", "pool", name="default pool")
get("auto-allocated-topology/$project_a?fields=dry-run", "member", name="dry run with all there")
get("auto-allocated-topology/$project_b?fields=dry-run", "member", name="dry run of another project")
get("auto-allocated-topology/$project_a", "reader", name="topology by a reader")
get("auto-allocated-topology/$project_a", "member", save={"net": "auto_allocated_topology.id"}, name="topology made by a member")
get("auto-allocated-topology/$project_a", "member", name="topology again")
get("auto-allocated-topology/$project_b", "member", name="topology of another project")
get("auto-allocated-topology/$project_a?fields=id", "member", name="field of a topology")
get("networks/$net", "member", name="network of a topology")
get("subnets?network_id=$net", "member", name="subnets of a topology")
get("routers", "member", save={"router": "routers.0.id"}, name="router of a topology")
delete("network", "$net", "member", name="network of a topology deleted")
ask("other", "DELETE", "/v2.0/auto-allocated-topology/$project_a", name="topology of another deleted")
ask("reader", "DELETE", "/v2.0/auto-allocated-topology/$project_a", name="topology deleted by a reader")
ask("member", "DELETE", "/v2.0/auto-allocated-topology/$project_a", name="topology deleted")
get("networks/$net", "member", name="network of a topology gone")
delete("subnetpool", "$pool")
delete("network", "$ext")
