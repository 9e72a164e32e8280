"""Routers, floating IPs, port forwardings, conntrack helpers, NDP proxies, local IPs."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")
CHANGERS = ("member", "reader", "other", "service", "stranger")


def said(body):
    return ",".join(f"{key}={value!r:.70}" for key, value in body.items()) or "nothing"


def act(action, body, role="member", who="$router", **more):
    ask(role, "PUT", f"/v2.0/routers/{who}/{action}", body, **more)


section("router")
post("network", {"name": "ext", "router:external": True}, "admin", "ext")
# Addresses that requests name are not among those that are given at random.
POOL = [{"start": "198.51.100.100", "end": "198.51.100.200"}]
post("subnet", {"network_id": "$ext", "ip_version": 4, "cidr": "198.51.100.0/24", "enable_dhcp": False, "allocation_pools": POOL}, "admin", "extsub")
post("network", {"name": "in"}, "member", "net")
POOL = [{"start": "10.81.0.100", "end": "10.81.0.200"}]
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.81.0.0/24", "allocation_pools": POOL}, "member", "sub")
post("network", {"name": "foreign"}, "other", "foreign")
post("subnet", {"network_id": "$foreign", "ip_version": 4, "cidr": "10.82.0.0/24"}, "other", "foreign_sub")
for body in ({}, {"name": "r"}, {"name": LONG}, {"name": None}, {"admin_state_up": False}, {"admin_state_up": "x"}, {"description": "d"}, {"description": LONG}, {"status": "ACTIVE"}, {"project_id": "$project_b"}, {"id": UUID}, {"nope": 1}, {"tags": ["a"]}, {"flavor_id": UUID},
             {"flavor_id": "nope"}, {"flavor_id": None},
             {"availability_zone_hints": ["nope"]}, {"availability_zone_hints": []}, {"availability_zone_hints": "x"}, {"availability_zones": []}, {"enable_ndp_proxy": True}, {"enable_ndp_proxy": False}, {"enable_ndp_proxy": "x"}, {"routes": []}, {"routes": [{"destination": "1.1.1.0/24", "nexthop": "10.81.0.9"}]},
             {"external_gateway_info": None}, {"external_gateway_info": {}}, {"external_gateway_info": "x"}, {"external_gateway_info": {"network_id": "$ext"}}, {"external_gateway_info": {"network_id": "$net"}}, {"external_gateway_info": {"network_id": UUID}},
             {"external_gateway_info": {"network_id": "nope"}}, {"external_gateway_info": {"network_id": None}},
             {"external_gateway_info": {"network_id": "$ext", "enable_snat": True}}, {"external_gateway_info": {"network_id": "$ext", "enable_snat": "x"}}, {"external_gateway_info": {"network_id": "$ext", "nope": 1}},
             {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": []}}, {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": None}}, {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"ip_address": "198.51.100.7"}]}},
             {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"subnet_id": "$extsub"}]}}, {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"subnet_id": "$sub"}]}},
             {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"ip_address": "198.51.101.7"}]}}, {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"ip_address": "x"}]}}, {"external_gateway_info": {"external_fixed_ips": []}}):
    for role in ("admin", "member"):
        post("router", body, role, "router", name=f"router {said(body)} by {role}")
        delete("router", "$router", name=f"router {said(body)} by {role}, gone")
for role in READERS:
    post("router", {"name": role}, role, "router", name=f"router by {role}")
    delete("router", "$router", name=f"router by {role}, gone")
for body in (None, {}, {"router": None}, {"router": "x"}, {"routers": []}):
    ask("member", "POST", "/v2.0/routers", body, name=f"router body {str(body)[:30]}")
ask("member", "POST", "/v2.0/routers", {"routers": [{"name": "b1"}, {"name": "b2"}]}, {"b1": "routers.0.id", "b2": "routers.1.id"}, name="routers in bulk")
delete("router", "$b1", "member")
delete("router", "$b2", "member")
post("router", {"name": "R"}, "member", "router")
post("router", {"name": "F"}, "other", "foreign_router")
for role in READERS:
    get("routers/$router", role, name=f"router seen by {role}")
    get("routers?fields=name&sort_key=name&sort_dir=asc", role, name=f"routers listed by {role}")
    put("router", "$router", {"description": f"by {role}"}, role, name=f"router changed by {role}")
for role in CHANGERS[1:]:
    delete("router", "$router", role, name=f"router deleted by {role}")
for query in ("name=R", "name=x", "admin_state_up=true", "status=ACTIVE", "status=x", "project_id=$project_a", "id=$router", "description=x", "flavor_id=x", "external_gateway_info=x", "routes=x", "fields=id", "fields=external_gateway_info", "nope=x",
              "sort_key=name&sort_dir=desc",
              "sort_key=status&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=nope&sort_dir=asc", "sort_key=routes&sort_dir=asc", "limit=1", "marker=nope", "enable_ndp_proxy=x", "revision_number=x"):
    get(f"routers?{query}", "member", name=f"routers?{query}")
for body in ({"name": "S"}, {"name": None}, {"name": LONG}, {"admin_state_up": False}, {"admin_state_up": True}, {"admin_state_up": "x"}, {"description": None}, {"status": "x"}, {"project_id": "$project_b"}, {"id": UUID}, {"flavor_id": None}, {"availability_zone_hints": []}, {"nope": 1}, {},
             {"external_gateway_info": {"network_id": "$net"}}, {"external_gateway_info": {"network_id": UUID}}, {"external_gateway_info": {"network_id": "$ext"}}, {"external_gateway_info": {"network_id": "$ext"}}, {"external_gateway_info": {"network_id": "$ext", "enable_snat": False}},
             {"external_gateway_info": {"network_id": "$ext", "external_fixed_ips": [{"ip_address": "198.51.100.9"}]}}, {"external_gateway_info": {}}, {"external_gateway_info": None},
             {"routes": None}, {"routes": "x"}, {"routes": [{}]}, {"routes": [{"destination": "1.1.1.0/24"}]}, {"routes": [{"destination": "x", "nexthop": "10.81.0.9"}]}, {"routes": [{"destination": "1.1.1.0/24", "nexthop": "10.81.0.9"}]}, {"distributed": True}, {"ha": True}):
    put("router", "$router", body, "member", name=f"router update {said(body)}")
get(f"routers/{UUID}", name="router missing")
get("routers/nope", name="router nope")
put("router", UUID, {"name": "x"}, name="router update missing")
delete("router", UUID, name="router delete missing")

section("interface")
for body in (None, {}, {"subnet_id": "nope"}, {"subnet_id": UUID}, {"subnet_id": None}, {"port_id": "nope"}, {"port_id": UUID}, {"port_id": UUID, "subnet_id": UUID}, {"nope": 1}, {"subnet_id": "$foreign_sub"}, {"subnet_id": "$extsub"}):
    act("add_router_interface", body, name=f"add {body}")
    act("remove_router_interface", body, name=f"remove {body}")
for role in ("other", "reader", "stranger", "service", "manager", "member"):
    act("add_router_interface", {"subnet_id": "$sub"}, role, name=f"interface added by {role}")
    act("remove_router_interface", {"subnet_id": "$sub"}, "reader" if role == "manager" else role, name=f"interface removed after {role}")
    act("remove_router_interface", {"subnet_id": "$sub"}, "admin", name=f"interface surely removed after {role}")
act("add_router_interface", {"subnet_id": "$sub"}, save={"iface": "port_id"}, name="interface")
act("add_router_interface", {"subnet_id": "$sub"}, name="interface twice")
act("add_router_interface", {"subnet_id": "$sub"}, "admin", "$foreign_router", name="interface on a second router")
get("ports/$iface", "member", name="port of an interface")
get("ports/$iface", "admin", name="port of an interface for an administrator")
delete("port", "$iface", "member", name="port of an interface deleted")
put("port", "$iface", {"fixed_ips": [{"ip_address": "10.81.0.77"}]}, "member", name="port of an interface with another address")
delete("subnet", "$sub", "member", name="subnet of an interface deleted")
delete("router", "$router", "member", name="router with an interface deleted")
post("port", {"network_id": "$net", "name": "given"}, "member", "given")
act("add_router_interface", {"port_id": "$given"}, name="second interface on a network")
act("remove_router_interface", {"port_id": "$given"}, name="port that is none removed")
act("remove_router_interface", {"port_id": "$iface", "subnet_id": UUID}, name="removed by port and another subnet")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.83.0.0/24"}, "member", "sub2")
post("port", {"network_id": "$net", "fixed_ips": [{"subnet_id": "$sub2"}]}, "member", "given2")
act("add_router_interface", {"port_id": "$given2"}, name="interface by a port")
act("remove_router_interface", {"subnet_id": "$sub2"}, name="interface by a port removed by its subnet")
get("ports/$given2", "member", name="port that was an interface")
post("port", {"network_id": "$net", "fixed_ips": []}, "member", "bare")
act("add_router_interface", {"port_id": "$bare"}, name="interface without an address")
delete("port", "$bare", "member")
post("subnet", {"network_id": "$foreign", "ip_version": 4, "cidr": "10.81.0.0/25"}, "other", "overlap")
act("add_router_interface", {"subnet_id": "$overlap"}, "admin", name="interface that overlaps another")
delete("subnet", "$overlap", "other")

section("routes")
put("router", "$router", {"external_gateway_info": {"network_id": "$ext"}}, "member", name="router with a gateway")
for routes in ([{"destination": "1.1.1.0/24", "nexthop": "10.81.0.9"}], [{"destination": "1.1.1.0/24", "nexthop": "10.81.0.1"}], [{"destination": "1.1.1.0/24", "nexthop": "10.99.0.9"}], [{"destination": "1.1.1.0/24", "nexthop": "x"}],
               [{"destination": "1.1.1.5/24", "nexthop": "10.81.0.9"}], [{"destination": "1.1.1.0/24", "nexthop": "2001:db8::1"}], [{"destination": "0.0.0.0/0", "nexthop": "10.81.0.9"}], [{"destination": "1.1.1.1", "nexthop": "10.81.0.9"}],
               [{"destination": "1.1.1.0/24", "nexthop": "10.81.0.9"}] * 2, [{"destination": "1.1.1.0/24", "nexthop": "10.81.0.9", "nope": 1}], [{"destination": None, "nexthop": "10.81.0.9"}],
               [{"destination": f"9.9.{n}.0/24", "nexthop": "10.81.0.9"} for n in range(31)], []):
    put("router", "$router", {"routes": routes}, "member", name=f"routes {str(routes)[:120]}")
for routes in (None, [], "x", [{}], [{"destination": "1.2.1.0/24", "nexthop": "10.81.0.9"}], [{"destination": "1.2.1.0/24", "nexthop": "10.81.0.9"}, {"destination": "1.3.1.0/24", "nexthop": "10.81.0.10"}], [{"destination": "1.2.1.0/24", "nexthop": "10.99.0.9"}]):
    for action in ("add_extraroutes", "remove_extraroutes"):
        act(action, {"router": {"routes": routes}}, name=f"{action} {routes}")
for body in (None, {}, {"router": None}, {"router": {}}, {"routes": []}):
    for action in ("add_extraroutes", "remove_extraroutes"):
        act(action, body, name=f"{action} body {body}")
for role in CHANGERS:
    act("add_extraroutes", {"router": {"routes": [{"destination": "1.4.1.0/24", "nexthop": "10.81.0.9"}]}}, role, name=f"route added by {role}")
act("remove_router_interface", {"subnet_id": "$sub"}, name="interface of a route removed")
put("router", "$router", {"routes": []}, "member", name="no routes")

section("floating ip")
post("port", {"network_id": "$net", "name": "vm", "fixed_ips": [{"ip_address": "10.81.0.20"}]}, "member", "vm")
post("port", {"network_id": "$net", "name": "two", "fixed_ips": [{"ip_address": "10.81.0.21"}, {"ip_address": "10.81.0.22"}]}, "member", "two")
post("port", {"network_id": "$foreign"}, "other", "foreign_port")
for body in ({"floating_network_id": "$ext"}, {}, {"floating_network_id": None}, {"floating_network_id": UUID}, {"floating_network_id": "nope"}, {"floating_network_id": "$net"}, {"floating_network_id": "$ext", "port_id": "$vm"},
             {"floating_network_id": "$ext", "port_id": UUID}, {"floating_network_id": "$ext", "port_id": "nope"}, {"floating_network_id": "$ext", "port_id": "$foreign_port"}, {"floating_network_id": "$ext", "port_id": "$two"},
             {"floating_network_id": "$ext", "port_id": "$two", "fixed_ip_address": "10.81.0.22"}, {"floating_network_id": "$ext", "port_id": "$two", "fixed_ip_address": "10.81.0.99"}, {"floating_network_id": "$ext", "fixed_ip_address": "10.81.0.20"},
             {"floating_network_id": "$ext", "port_id": "$vm", "fixed_ip_address": "x"}, {"floating_network_id": "$ext", "port_id": None},
             {"floating_network_id": "$ext", "floating_ip_address": "198.51.100.50"}, {"floating_network_id": "$ext", "floating_ip_address": "10.0.0.1"}, {"floating_network_id": "$ext", "floating_ip_address": "x"}, {"floating_network_id": "$ext", "subnet_id": "$extsub"},
             {"floating_network_id": "$ext", "subnet_id": "$sub"}, {"floating_network_id": "$ext", "subnet_id": UUID}, {"floating_network_id": "$ext", "description": "d"}, {"floating_network_id": "$ext", "description": LONG}, {"floating_network_id": "$ext", "project_id": "$project_b"},
             {"floating_network_id": "$ext", "router_id": "$router"}, {"floating_network_id": "$ext", "status": "ACTIVE"}, {"floating_network_id": "$ext", "id": UUID}, {"floating_network_id": "$ext", "nope": 1}, {"floating_network_id": "$ext", "tags": ["a"]},
             {"floating_network_id": "$ext", "dns_name": "x", "dns_domain": "example.org."}, {"floating_network_id": "$ext", "dns_name": "x"}):
    for role in ("admin", "member"):
        post("floatingip", body, role, "fip", name=f"floating IP {said(body)} by {role}")
        delete("floatingip", "$fip", name=f"floating IP {said(body)} by {role}, gone")
for role in READERS:
    post("floatingip", {"floating_network_id": "$ext"}, role, "fip", name=f"floating IP by {role}")
    delete("floatingip", "$fip", name=f"floating IP by {role}, gone")
post("floatingip", {"floating_network_id": "$ext", "description": "X"}, "member", "fip")
for role in READERS:
    get("floatingips/$fip", role, name=f"floating IP seen by {role}")
    get("floatingips?fields=description", role, name=f"floating IPs listed by {role}")
    put("floatingip", "$fip", {"description": f"by {role}"}, role, name=f"floating IP changed by {role}")
    get("floatingip-pools", role, name=f"pools for {role}")
    if role in CHANGERS[1:]:
        delete("floatingip", "$fip", role, name=f"floating IP deleted by {role}")
for body in ({"port_id": "$vm"}, {"description": "e"}, {}, {"port_id": "$vm"}, {"port_id": "$two"}, {"port_id": "$two", "fixed_ip_address": "10.81.0.22"}, {"fixed_ip_address": "10.81.0.21"}, {"port_id": UUID}, {"port_id": "nope"}, {"port_id": "$foreign_port"}, {"floating_ip_address": "198.51.100.51"},
             {"floating_network_id": "$ext"}, {"router_id": "$router"}, {"status": "ACTIVE"}, {"project_id": "$project_b"}, {"description": None}, {"nope": 1}, {"port_id": None}, {"port_id": ""}):
    put("floatingip", "$fip", body, "member", name=f"floating IP update {said(body)}")
    get("floatingips/$fip?fields=port_id&fields=fixed_ip_address&fields=router_id&fields=status&fields=port_details", "member", name=f"floating IP after {said(body)}")
put("floatingip", "$fip", {"port_id": "$vm"}, "member", name="floating IP of a port")
for query in ("port_id=$vm", "port_id=x", "router_id=$router", "floating_network_id=$ext", "fixed_ip_address=10.81.0.20", "fixed_ip_address=x", "status=DOWN", "description=x", "project_id=$project_a", "id=$fip", "fields=id", "fields=port_details", "nope=x", "sort_key=status&sort_dir=asc",
              "sort_key=fixed_ip_address&sort_dir=asc", "sort_key=port_details&sort_dir=asc", "sort_key=nope&sort_dir=asc", "limit=1", "marker=nope"):
    get(f"floatingips?{query}", "member", name=f"floating IPs?{query}")
act("remove_router_interface", {"subnet_id": "$sub"}, name="interface of a floating IP removed")
put("router", "$router", {"external_gateway_info": None}, "member", name="gateway of a floating IP removed")
delete("network", "$ext", name="network of floating IPs deleted")
delete("port", "$vm", "member", name="port of a floating IP deleted")
get("floatingips/$fip", "member", name="floating IP of a port that is gone")
post("port", {"network_id": "$net", "name": "vm", "fixed_ips": [{"ip_address": "10.81.0.20"}]}, "member", "vm")
get("ports?device_owner=network:floatingip&fields=device_owner&fields=status&fields=project_id", name="ports of floating IPs")
get(f"floatingips/{UUID}", name="floating IP missing")
put("floatingip", UUID, {"port_id": None}, name="floating IP update missing")
delete("floatingip", UUID, name="floating IP delete missing")

section("forwarding")
FORWARD = {"protocol": "tcp", "internal_ip_address": "10.81.0.20", "internal_port": 22, "internal_port_id": "$vm", "external_port": 2022}
for more in ({}, {"protocol": "udp"}, {"protocol": "sctp"}, {"protocol": "icmp"}, {"protocol": "TCP"}, {"protocol": None}, {"protocol": 6}, {"internal_ip_address": "10.81.0.99"}, {"internal_ip_address": "x"}, {"internal_ip_address": None}, {"internal_port": 0}, {"internal_port": 65536}, {"internal_port": "22"},
             {"internal_port": "x"}, {"internal_port": None}, {"external_port": 0}, {"external_port": 65536}, {"external_port": "x"}, {"external_port": None}, {"internal_port_id": UUID}, {"internal_port_id": "nope"}, {"internal_port_id": "$foreign_port"}, {"internal_port_id": "$two"},
             {"internal_port_range": "22:23", "external_port_range": "2022:2023"}, {"description": "d"}, {"description": LONG}, {"id": UUID}, {"project_id": "$project_a"}, {"nope": 1}):
    ask("member", "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": {**FORWARD, **more}}, "pf", name=f"forwarding {said(more)}")
    ask("admin", "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf", name=f"forwarding {said(more)}, gone")
RANGE = {"protocol": "tcp", "internal_ip_address": "10.81.0.20", "internal_port_id": "$vm", "internal_port_range": "22:24", "external_port_range": "2022:2024"}
for more in ({}, {"internal_port_range": "22:25"}, {"internal_port_range": "22"}, {"internal_port_range": "24:22"}, {"internal_port_range": "x"}, {"internal_port_range": "0:2"}, {"external_port_range": "65535:65537"}, {"internal_port_range": "22:22", "external_port_range": "2022:2024"}, {"internal_port_range": None}):
    ask("member", "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": {**RANGE, **more}}, "pf", name=f"forwarding of a range {said(more)}")
    ask("admin", "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf", name=f"forwarding of a range {said(more)}, gone")
for missing in FORWARD:
    ask("member", "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": {key: value for key, value in FORWARD.items() if key != missing}}, "pf", name=f"forwarding without {missing}")
    ask("admin", "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf", name=f"forwarding without {missing}, gone")
ask("member", "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": FORWARD}, "pf", name="forwarding that stays")
for more in ({}, {"external_port": 2023}, {"internal_port": 23}, {"protocol": "udp"}, {"internal_ip_address": "10.81.0.21", "internal_port_id": "$two"}):
    ask("member", "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": {**FORWARD, **more}}, "pf2", name=f"second forwarding {said(more)}")
    ask("admin", "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf2", name=f"second forwarding {said(more)}, gone")
for role in READERS:
    get("floatingips/$fip/port_forwardings/$pf", role, name=f"forwarding seen by {role}")
    get("floatingips/$fip/port_forwardings?fields=protocol", role, name=f"forwardings listed by {role}")
    ask(role, "PUT", "/v2.0/floatingips/$fip/port_forwardings/$pf", {"port_forwarding": {"description": f"by {role}"}}, name=f"forwarding changed by {role}")
    ask(role, "POST", "/v2.0/floatingips/$fip/port_forwardings", {"port_forwarding": {**FORWARD, "external_port": 99, "internal_port": 99}}, "pf2", name=f"forwarding by {role}")
    ask("admin", "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf2", name=f"forwarding by {role}, gone")
    if role in CHANGERS[1:]:
        ask(role, "DELETE", "/v2.0/floatingips/$fip/port_forwardings/$pf", name=f"forwarding deleted by {role}")
for body in ({"external_port": 2024}, {"internal_port": 24}, {"protocol": "udp"}, {"protocol": "x"}, {"internal_ip_address": "10.81.0.21"}, {"internal_port_id": "$two", "internal_ip_address": "10.81.0.21"}, {"external_port": "x"}, {"description": None}, {"id": UUID}, {"nope": 1}, {}):
    ask("member", "PUT", "/v2.0/floatingips/$fip/port_forwardings/$pf", {"port_forwarding": body}, name=f"forwarding update {said(body)}")
for query in ("protocol=udp", "protocol=x", "external_port=2024", "internal_port=24", "internal_port_id=$two", "id=$pf", "fields=id", "nope=x", "sort_key=external_port&sort_dir=asc", "sort_key=nope&sort_dir=asc", "limit=1"):
    get(f"floatingips/$fip/port_forwardings?{query}", "member", name=f"forwardings?{query}")
get("floatingips/$fip", "member", name="floating IP with a forwarding")
put("floatingip", "$fip", {"port_id": "$two"}, "member", name="floating IP with a forwarding given to a port")
get(f"floatingips/$fip/port_forwardings/{UUID}", name="forwarding missing")
get(f"floatingips/{UUID}/port_forwardings", name="forwardings of no floating IP")
ask("member", "POST", f"/v2.0/floatingips/{UUID}/port_forwardings", {"port_forwarding": FORWARD}, name="forwarding of no floating IP")
ask("member", "DELETE", f"/v2.0/floatingips/$fip/port_forwardings/{UUID}", name="forwarding delete missing")
delete("port", "$two", "member", name="port of a forwarding deleted")
get("floatingips/$fip/port_forwardings", "member", name="forwardings of a port that is gone")
delete("floatingip", "$fip", "member", name="floating IP deleted")

section("helper")
HELPER = {"protocol": "udp", "port": 69, "helper": "tftp"}
for more in ({}, {"protocol": "tcp"}, {"protocol": "x"}, {"protocol": None}, {"port": 0}, {"port": 65536}, {"port": "x"}, {"port": None}, {"helper": "x"}, {"helper": None}, {"helper": "ftp"}, {"helper": "ftp", "protocol": "tcp", "port": 21}, {"id": UUID}, {"project_id": "$project_a"}, {"nope": 1}):
    ask("member", "POST", "/v2.0/routers/$router/conntrack_helpers", {"conntrack_helper": {**HELPER, **more}}, "helper", name=f"helper {said(more)}")
    ask("admin", "DELETE", "/v2.0/routers/$router/conntrack_helpers/$helper", name=f"helper {said(more)}, gone")
for missing in HELPER:
    ask("member", "POST", "/v2.0/routers/$router/conntrack_helpers", {"conntrack_helper": {key: value for key, value in HELPER.items() if key != missing}}, "helper", name=f"helper without {missing}")
ask("member", "POST", "/v2.0/routers/$router/conntrack_helpers", {"conntrack_helper": HELPER}, "helper", name="helper that stays")
ask("member", "POST", "/v2.0/routers/$router/conntrack_helpers", {"conntrack_helper": HELPER}, name="helper twice")
for role in READERS:
    get("routers/$router/conntrack_helpers/$helper", role, name=f"helper seen by {role}")
    get("routers/$router/conntrack_helpers", role, name=f"helpers listed by {role}")
    ask(role, "PUT", "/v2.0/routers/$router/conntrack_helpers/$helper", {"conntrack_helper": {"port": 70}}, name=f"helper changed by {role}")
    ask(role, "POST", "/v2.0/routers/$router/conntrack_helpers", {"conntrack_helper": {**HELPER, "port": 99}}, "helper2", name=f"helper by {role}")
    ask("admin", "DELETE", "/v2.0/routers/$router/conntrack_helpers/$helper2", name=f"helper by {role}, gone")
    if role in CHANGERS[1:]:
        ask(role, "DELETE", "/v2.0/routers/$router/conntrack_helpers/$helper", name=f"helper deleted by {role}")
for body in ({"port": 71}, {"port": "x"}, {"helper": "ftp"}, {"protocol": "tcp"}, {"helper": "ftp", "protocol": "tcp"}, {"id": UUID}, {"nope": 1}, {}):
    ask("member", "PUT", "/v2.0/routers/$router/conntrack_helpers/$helper", {"conntrack_helper": body}, name=f"helper update {said(body)}")
for query in ("protocol=udp", "port=71", "helper=tftp", "helper=x", "id=$helper", "fields=id", "nope=x", "sort_key=port&sort_dir=asc", "limit=1"):
    get(f"routers/$router/conntrack_helpers?{query}", "member", name=f"helpers?{query}")
get("routers/$router?fields=conntrack_helpers", "member", name="router with a helper")
get(f"routers/$router/conntrack_helpers/{UUID}", name="helper missing")
get(f"routers/{UUID}/conntrack_helpers", name="helpers of no router")
ask("member", "POST", f"/v2.0/routers/{UUID}/conntrack_helpers", {"conntrack_helper": HELPER}, name="helper of no router")
ask("member", "DELETE", f"/v2.0/routers/$router/conntrack_helpers/{UUID}", name="helper delete missing")
ask("member", "DELETE", "/v2.0/routers/$router/conntrack_helpers/$helper", name="helper deleted")

section("local ip")
for body in ({"network_id": "$net"}, {}, {"network_id": UUID}, {"network_id": "nope"}, {"network_id": None}, {"local_port_id": "$vm"}, {"local_port_id": "$vm", "network_id": "$net"}, {"local_port_id": UUID}, {"local_port_id": "nope"}, {"local_port_id": "$foreign_port"},
             {"network_id": "$net", "local_ip_address": "10.81.0.60"}, {"network_id": "$net", "local_ip_address": "10.99.0.60"}, {"network_id": "$net", "local_ip_address": "x"}, {"local_port_id": "$vm", "local_ip_address": "10.81.0.20"}, {"local_port_id": "$vm", "local_ip_address": "10.81.0.99"},
             {"network_id": "$net", "ip_mode": "translate"}, {"network_id": "$net", "ip_mode": "passthrough"}, {"network_id": "$net", "ip_mode": "x"}, {"network_id": "$net", "ip_mode": None}, {"network_id": "$net", "name": "x"}, {"network_id": "$net", "name": LONG}, {"network_id": "$net", "description": "d"},
             {"network_id": "$net", "project_id": "$project_b"}, {"network_id": "$net", "id": UUID}, {"network_id": "$net", "nope": 1}, {"network_id": "$foreign"}):
    post("local_ip", body, "member", "lip", name=f"local IP {said(body)}")
    delete("local_ip", "$lip", name=f"local IP {said(body)}, gone")
for role in READERS[1:]:
    post("local_ip", {"network_id": "$net"}, role, "lip", name=f"local IP by {role}")
    delete("local_ip", "$lip", name=f"local IP by {role}, gone")
post("local_ip", {"network_id": "$net", "name": "L", "local_ip_address": "10.81.0.61"}, "member", "lip")
for role in READERS:
    get("local-ips/$lip", role, name=f"local IP seen by {role}")
    get("local-ips?fields=name", role, name=f"local IPs listed by {role}")
    put("local_ip", "$lip", {"description": f"by {role}"}, role, name=f"local IP changed by {role}")
    if role in CHANGERS[1:]:
        delete("local_ip", "$lip", role, name=f"local IP deleted by {role}")
for body in ({"name": "M"}, {"name": None}, {"description": None}, {"ip_mode": "passthrough"}, {"ip_mode": "translate"}, {"network_id": "$net"}, {"local_ip_address": "10.81.0.62"}, {"local_port_id": "$vm"}, {"id": UUID}, {"nope": 1}, {}):
    put("local_ip", "$lip", body, "member", name=f"local IP update {said(body)}")
for query in ("name=M", "name=x", "network_id=$net", "local_ip_address=10.81.0.61", "local_port_id=x", "ip_mode=translate", "project_id=$project_a", "id=$lip", "fields=name", "nope=x", "sort_key=name&sort_dir=asc", "sort_key=nope&sort_dir=asc", "limit=1"):
    get(f"local-ips?{query}", "member", name=f"local IPs?{query}")
for body in ({"fixed_port_id": "$vm"}, {}, {"fixed_port_id": UUID}, {"fixed_port_id": "nope"}, {"fixed_port_id": None}, {"fixed_port_id": "$foreign_port"}, {"fixed_port_id": "$vm", "fixed_ip": "10.81.0.20"}, {"fixed_port_id": "$vm", "fixed_ip": "10.81.0.99"}, {"fixed_port_id": "$vm", "fixed_ip": "x"},
             {"fixed_port_id": "$vm", "nope": 1}, {"fixed_port_id": "$vm", "id": UUID}):
    ask("member", "POST", "/v2.0/local_ips/$lip/port_associations", {"port_association": body}, name=f"association {said(body)}")
    get("local_ips/$lip/port_associations", "member", name=f"associations after {said(body)}")
    ask("admin", "DELETE", "/v2.0/local_ips/$lip/port_associations/$vm", name=f"association {said(body)}, gone")
for role in READERS:
    ask(role, "POST", "/v2.0/local_ips/$lip/port_associations", {"port_association": {"fixed_port_id": "$vm"}}, name=f"association by {role}")
    ask("other" if role == "admin" else role, "DELETE", "/v2.0/local_ips/$lip/port_associations/$vm", name=f"association deleted after {role}")
    ask("admin", "DELETE", "/v2.0/local_ips/$lip/port_associations/$vm", name=f"association surely deleted after {role}")
ask("member", "POST", "/v2.0/local_ips/$lip/port_associations", {"port_association": {"fixed_port_id": "$vm"}}, name="association that stays")
for role in READERS:
    get("local_ips/$lip/port_associations/$vm", role, name=f"association seen by {role}")
    get("local_ips/$lip/port_associations", role, name=f"associations listed by {role}")
for query in ("fixed_port_id=$vm", "fixed_port_id=x", "fixed_ip=10.81.0.20", "host=x", "fields=host", "nope=x", "sort_key=fixed_port_id&sort_dir=asc", "limit=1"):
    get(f"local_ips/$lip/port_associations?{query}", "member", name=f"associations?{query}")
ask("member", "PUT", "/v2.0/local_ips/$lip/port_associations/$vm", {"port_association": {"fixed_ip": "10.81.0.20"}}, name="association update")
get(f"local_ips/{UUID}/port_associations", "member", name="associations of no local IP")
ask("member", "POST", f"/v2.0/local_ips/{UUID}/port_associations", {"port_association": {"fixed_port_id": "$vm"}}, name="association of no local IP")
ask("member", "DELETE", f"/v2.0/local_ips/$lip/port_associations/{UUID}", name="association delete missing")
delete("local_ip", "$lip", "member", name="local IP with an association deleted")
ask("member", "DELETE", "/v2.0/local_ips/$lip/port_associations/$vm", name="association deleted")
delete("local_ip", "$lip", "member", name="local IP deleted")
get(f"local-ips/{UUID}", name="local IP missing")
put("local_ip", UUID, {"name": "x"}, name="local IP update missing")
delete("local_ip", UUID, name="local IP delete missing")

section("ndp proxy")
post("subnet", {"network_id": "$ext", "ip_version": 6, "cidr": "2001:db8:ff::/64", "enable_dhcp": False}, "admin", "extsub6")
post("address_scope", {"name": "s6", "ip_version": 6, "shared": True}, "admin", "scope")
post("subnetpool", {"name": "p6", "prefixes": ["2001:db8:a::/48"], "default_prefixlen": 64, "address_scope_id": "$scope", "shared": True}, "admin", "pool")
post("subnet", {"network_id": "$net", "ip_version": 6, "cidr": "fd81::/64"}, "member", "sub6")
post("port", {"network_id": "$net", "fixed_ips": [{"ip_address": "fd81::20"}]}, "member", "six")
post("ndp_proxy", {"router_id": "$router", "port_id": "$six"}, "member", name="NDP proxy of a router without")
for role in ("member", "admin"):
    put("router", "$router", {"enable_ndp_proxy": True}, role, name=f"NDP proxies enabled by {role}")
    post("ndp_proxy", {"router_id": "$router", "port_id": "$six"}, role, "ndp", name=f"NDP proxy without an interface by {role}")
    delete("ndp_proxy", "$ndp", name=f"NDP proxy without an interface by {role}, gone")
act("add_router_interface", {"subnet_id": "$sub6"}, name="interface of IPv6")
for body in ({"router_id": "$router", "port_id": "$six"}, {}, {"router_id": "$router"}, {"port_id": "$six"}, {"router_id": UUID, "port_id": "$six"}, {"router_id": "$router", "port_id": UUID}, {"router_id": "nope", "port_id": "$six"}, {"router_id": "$router", "port_id": "$vm"},
             {"router_id": "$router", "port_id": "$six", "ip_address": "fd81::20"}, {"router_id": "$router", "port_id": "$six", "ip_address": "fd81::21"}, {"router_id": "$router", "port_id": "$six", "ip_address": "10.81.0.20"}, {"router_id": "$router", "port_id": "$six", "ip_address": "x"},
             {"router_id": "$router", "port_id": "$six", "name": LONG}, {"router_id": "$router", "port_id": "$six", "nope": 1}):
    post("ndp_proxy", body, "member", "ndp", name=f"NDP proxy {said(body)}")
    delete("ndp_proxy", "$ndp", name=f"NDP proxy {said(body)}, gone")
for role in READERS:
    get("ndp-proxies", role, name=f"NDP proxies listed by {role}")
for query in ("name=x", "router_id=$router", "port_id=x", "ip_address=x", "fields=id", "nope=x", "sort_key=name&sort_dir=asc", "sort_key=nope&sort_dir=asc"):
    get(f"ndp-proxies?{query}", "member", name=f"NDP proxies?{query}")
get(f"ndp-proxies/{UUID}", name="NDP proxy missing")
put("ndp_proxy", UUID, {"name": "x"}, name="NDP proxy update missing")
delete("ndp_proxy", UUID, name="NDP proxy delete missing")

section("end")
act("remove_router_interface", {"subnet_id": "$sub6"}, name="interface of IPv6 removed")
act("remove_router_interface", {"subnet_id": "$sub"}, name="interface removed at last")
put("router", "$router", {"external_gateway_info": None}, "member", name="gateway removed at last")
delete("router", "$router", "member")
delete("router", "$foreign_router", "other")
for name in ("given", "given2", "vm", "six"):
    delete("port", f"${name}", "member", name=f"port {name} gone")
delete("port", "$foreign_port", "other")
delete("network", "$net", "member")
delete("network", "$foreign", "other")
delete("subnetpool", "$pool")
delete("address_scope", "$scope")
delete("network", "$ext")
