"""What agents carry: networks of DHCP agents, routers of L3 agents, by hand and by schedule; availability zones."""

from asking import CASES, UUID, ask, delete, get, post, put, section

# The agents that report: type and host.
AGENTS = (("DHCP agent", "fake-1"), ("DHCP agent", "fake-2"), ("L3 agent", "fake-1"), ("L3 agent", "fake-2"))
READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")
DHCP, L3 = "agents?agent_type=DHCP%20agent", "agents?agent_type=L3%20agent"

section("agents")
for kind, query in (("dhcp", DHCP), ("l3", L3)):
    for n in (1, 2):
        get(f"{query}&host=fake-{n}", save={f"{kind}{n}": "agents.0.id"}, name=f"{kind} agent {n}")
get("availability_zones", name="zones")
get("availability_zones?resource=router", name="zones of routers")
get("availability_zones?resource=network&state=available", name="zones of networks")
get("availability_zones?name=nope", name="zones of a name that is none")
for role in READERS:
    get("availability_zones?resource=router", role, name=f"zones for {role}")

# Nobody else is chosen meanwhile.
for agent in ("dhcp2", "l32"):
    put("agent", f"${agent}", {"admin_state_up": False}, name=f"{agent} disabled at first")

section("dhcp")
post("network", {"name": "n"}, "member", "net")
post("network", {"name": "m"}, "other", "foreign")
get("networks/$net/dhcp-agents", name="agents of a network without subnets")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.91.0.0/24"}, "member", "sub")
get("networks/$net/dhcp-agents?fields=host", name="agents of a network with a subnet")
ask("admin", "DELETE", "/v2.0/agents/$dhcp1/dhcp-networks/$net", name="network taken from its first agent")
get("networks/$net/dhcp-agents?fields=host", name="agents of a network that was taken")
for role in READERS[1:]:
    ask(role, "POST", "/v2.0/agents/$dhcp1/dhcp-networks", {"network_id": "$net"}, name=f"network given by {role}")
for body in ({"network_id": "$net"}, {"network_id": "$net"}, {"network_id": UUID}, {"network_id": "nope"}, {"network_id": None}, {"network_id": 5}, {"network_id": "$net", "nope": 1}, {"network": {"id": "$net"}}):
    ask("admin", "POST", "/v2.0/agents/$dhcp1/dhcp-networks", body, name=f"network given {body}")
put("agent", "$dhcp2", {"admin_state_up": True}, name="second agent enabled")
ask("admin", "POST", "/v2.0/agents/$dhcp2/dhcp-networks", {"network_id": "$net"}, name="network given to a second agent")
get("networks/$net/dhcp-agents?fields=host", name="both agents of a network")
ask("admin", "DELETE", "/v2.0/agents/$dhcp2/dhcp-networks/$net", name="network taken from the second agent")
ask("admin", "POST", "/v2.0/agents/$l31/dhcp-networks", {"network_id": "$net"}, name="network given to an L3 agent")
ask("admin", "POST", f"/v2.0/agents/{UUID}/dhcp-networks", {"network_id": "$net"}, name="network given to an agent that is none")
for role in READERS:
    get("agents/$dhcp1/dhcp-networks?fields=name", role, name=f"networks of an agent for {role}")
    get("networks/$net/dhcp-agents?fields=host", role, name=f"agents of a network for {role}")
get("agents/$dhcp1/dhcp-networks", name="networks of an agent, whole")
get("networks/$net/dhcp-agents", name="agents of a network, whole")
get("agents/$dhcp1/dhcp-networks/$net", name="one network of an agent")
get("agents/$l31/dhcp-networks", name="networks of an L3 agent")
get(f"agents/{UUID}/dhcp-networks", name="networks of no agent")
get(f"networks/{UUID}/dhcp-agents", name="agents of no network")
get("networks/$foreign/dhcp-agents", "member", name="agents of another's network")
get("networks/$net?fields=availability_zones", "member", name="zones of a network")
ask("admin", "PUT", "/v2.0/agents/$dhcp1/dhcp-networks/$net", {}, name="network of an agent changed")
for role in READERS[1:]:
    ask(role, "DELETE", "/v2.0/agents/$dhcp1/dhcp-networks/$net", name=f"network taken by {role}")
ask("admin", "DELETE", "/v2.0/agents/$dhcp1/dhcp-networks/$net", name="network taken")
ask("admin", "DELETE", "/v2.0/agents/$dhcp1/dhcp-networks/$net", name="network taken twice")
ask("admin", "DELETE", f"/v2.0/agents/$dhcp1/dhcp-networks/{UUID}", name="network that is none taken")
ask("admin", "DELETE", f"/v2.0/agents/{UUID}/dhcp-networks/$net", name="network taken from no agent")
delete("agent", "$dhcp2", "member", name="agent of networks deleted by a member")
put("agent", "$dhcp2", {"admin_state_up": False}, name="agent disabled")
ask("admin", "POST", "/v2.0/agents/$dhcp2/dhcp-networks", {"network_id": "$foreign"}, name="network given to a disabled agent")
put("agent", "$dhcp2", {"admin_state_up": True}, name="agent enabled")
for hints in (["nova"], ["nope"], ["nova", "nova"], [], "nova", [5], None):
    post("network", {"name": "z", "availability_zone_hints": hints}, "member", "zoned", name=f"network in {hints}")
    delete("network", "$zoned", "member", name=f"network in {hints}, gone")
put("network", "$net", {"availability_zone_hints": ["nova"]}, "member", name="network with other hints")
get("networks?availability_zone_hints=nova&fields=name", name="networks by hints")

section("l3")
post("router", {"name": "r"}, "member", "router")
post("router", {"name": "s", "availability_zone_hints": ["nova"]}, "member", "second", name="router in a zone")
for hints in (["nope"], ["nova", "nova"], "nova", [5], None):
    post("router", {"name": "z", "availability_zone_hints": hints}, "member", "zoned", name=f"router in {hints}")
    delete("router", "$zoned", "member", name=f"router in {hints}, gone")
get("routers/$router/l3-agents", name="agents of a router without interfaces")
for role in READERS[1:]:
    ask(role, "POST", "/v2.0/agents/$l31/l3-routers", {"router_id": "$router"}, name=f"router given by {role}")
for body in ({"router_id": "$router"}, {"router_id": "$router"}, {"router_id": UUID}, {"router_id": "nope"}, {"router_id": None}, {"router_id": 5}, {"router_id": "$router", "nope": 1}, {"router": {"id": "$router"}}):
    ask("admin", "POST", "/v2.0/agents/$l31/l3-routers", body, name=f"router given {body}")
put("agent", "$l32", {"admin_state_up": True}, name="L3 agent enabled at last")
ask("admin", "POST", "/v2.0/agents/$l32/l3-routers", {"router_id": "$router"}, name="router given to a second agent")
ask("admin", "POST", "/v2.0/agents/$dhcp1/l3-routers", {"router_id": "$second"}, name="router given to a DHCP agent")
ask("admin", "POST", f"/v2.0/agents/{UUID}/l3-routers", {"router_id": "$second"}, name="router given to an agent that is none")
for role in READERS:
    get("agents/$l31/l3-routers?fields=name", role, name=f"routers of an agent for {role}")
    get("routers/$router/l3-agents?fields=host", role, name=f"agents of a router for {role}")
get("agents/$l31/l3-routers", name="routers of an agent, whole")
get("routers/$router/l3-agents", name="agents of a router, whole")
get("agents/$l31/l3-routers/$router", name="one router of an agent")
get("agents/$dhcp1/l3-routers", name="routers of a DHCP agent")
get(f"agents/{UUID}/l3-routers", name="routers of no agent")
get(f"routers/{UUID}/l3-agents", name="agents of no router")
get("routers/$router?fields=availability_zones", "member", name="zones of a router")
ask("admin", "PUT", "/v2.0/agents/$l31/l3-routers/$router", {}, name="router of an agent changed")
for role in READERS[1:]:
    ask(role, "DELETE", "/v2.0/agents/$l31/l3-routers/$router", name=f"router taken by {role}")
ask("admin", "DELETE", "/v2.0/agents/$l32/l3-routers/$router", name="router taken from another agent")
ask("admin", "DELETE", "/v2.0/agents/$l31/l3-routers/$router", name="router taken")
ask("admin", "DELETE", "/v2.0/agents/$l31/l3-routers/$router", name="router taken twice")
ask("admin", "DELETE", f"/v2.0/agents/$l31/l3-routers/{UUID}", name="router that is none taken")
ask("admin", "DELETE", f"/v2.0/agents/{UUID}/l3-routers/$router", name="router taken from no agent")
put("agent", "$l31", {"admin_state_up": False}, name="L3 agent disabled")
ask("admin", "POST", "/v2.0/agents/$l31/l3-routers", {"router_id": "$router"}, name="router given to a disabled agent")
put("agent", "$l31", {"admin_state_up": True}, name="L3 agent enabled")
put("router", "$router", {"availability_zone_hints": ["nova"]}, "member", name="router with other hints")

section("end")
delete("router", "$router", "member")
delete("router", "$second", "member")
delete("network", "$net", "member")
delete("network", "$foreign", "other")
for case in CASES:
    case["with_agents"] = True
