"""Trunks and their subports."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")


def said(body):
    return ",".join(f"{key}={value!r:.60}" for key, value in body.items()) or "nothing"


def act(action, body, role="member", who="$trunk", **more):
    ask(role, "PUT", f"/v2.0/trunks/{who}/{action}", body, **more)


def vlan(port, number):
    return {"port_id": port, "segmentation_type": "vlan", "segmentation_id": number}


section("trunk")
post("network", {"name": "t"}, "member", "net")
post("network", {"name": "other"}, "other", "foreign_net")
post("port", {"network_id": "$net", "name": "parent"}, "member", "parent")
for name in ("one", "two", "three"):
    post("port", {"network_id": "$net", "name": name}, "member", name)
post("port", {"network_id": "$foreign_net"}, "other", "foreign")
post("port", {"network_id": "$net", "device_id": "vm", "device_owner": "compute:nova"}, "service", "used", name="port of an instance")
for body in ({"port_id": "$parent"}, {}, {"port_id": None}, {"port_id": "nope"}, {"port_id": UUID}, {"port_id": "$foreign"}, {"port_id": ["$parent"]}, {"port_id": "$used"}, {"port_id": "$parent", "name": "x"},
             {"port_id": "$parent", "name": LONG}, {"port_id": "$parent", "name": None}, {"port_id": "$parent", "admin_state_up": False}, {"port_id": "$parent", "admin_state_up": "x"},
             {"port_id": "$parent", "admin_state_up": None},
             {"port_id": "$parent", "description": "d"}, {"port_id": "$parent", "description": LONG}, {"port_id": "$parent", "status": "ACTIVE"}, {"port_id": "$parent", "id": UUID},
             {"port_id": "$parent", "project_id": "$project_b"}, {"port_id": "$parent", "tenant_id": "$project_a"}, {"port_id": "$parent", "nope": 1}, {"port_id": "$parent", "tags": ["a"]},
             {"port_id": "$parent", "sub_ports": None}, {"port_id": "$parent", "sub_ports": []}, {"port_id": "$parent", "sub_ports": "x"}, {"port_id": "$parent", "sub_ports": {}}):
    post("trunk", body, "member", "trunk", name=f"trunk {said(body)}")
    put("trunk", "$trunk", {"admin_state_up": True}, name=f"trunk {said(body)}, up")
    delete("trunk", "$trunk", name=f"trunk {said(body)}, gone")
for sub in ([{}], ["x"], [None], [{"port_id": "$one"}], [{"port_id": None}], [{"port_id": "nope"}], [{"port_id": UUID}], [vlan(UUID, 5)], [vlan("$one", 100)], [vlan("$one", 0)], [vlan("$one", 4094)], [vlan("$one", 4095)],
            [vlan("$one", -1)], [vlan("$one", "100")], [vlan("$one", "x")], [vlan("$one", None)], [vlan("$one", 1.5)], [vlan("$one", True)], [{"port_id": "$one", "segmentation_type": "vlan"}], [{"port_id": "$one", "segmentation_id": 5}],
            [{"port_id": "$one", "segmentation_type": "vxlan", "segmentation_id": 5}], [{"port_id": "$one", "segmentation_type": "inherit"}], [{"port_id": "$one", "segmentation_type": "inherit", "segmentation_id": 7}],
            [{"port_id": "$one", "segmentation_type": None, "segmentation_id": 5}], [{"port_id": "$one", "segmentation_type": "", "segmentation_id": 5}], [{"port_id": "$one", "segmentation_type": 5, "segmentation_id": 5}],
            [vlan("$one", 5), vlan("$one", 6)], [vlan("$one", 5), vlan("$two", 5)], [vlan("$one", 5), vlan("$two", 6)], [vlan("$parent", 5)], [vlan("$foreign", 5)], [vlan("$used", 5)],
            [{**vlan("$one", 5), "nope": 1}], [{**vlan("$one", 5), "mac_address": "fa:16:3e:00:00:01"}]):
    post("trunk", {"port_id": "$parent", "sub_ports": sub}, "member", "trunk", name=f"trunk with {sub}")
    delete("trunk", "$trunk", name=f"trunk with {sub}, gone")
for body in (None, {}, {"trunk": None}, {"trunk": []}, {"trunk": "x"}, {"trunks": []}):
    ask("member", "POST", "/v2.0/trunks", body, name=f"trunk body {str(body)[:30]}")
ask("member", "POST", "/v2.0/trunks", {"trunks": [{"port_id": "$one", "name": "b1"}, {"port_id": "$two", "name": "b2"}]}, {"b1": "trunks.0.id", "b2": "trunks.1.id"}, name="trunks in bulk")
delete("trunk", "$b1", "member")
delete("trunk", "$b2", "member")
for role in READERS:
    post("trunk", {"port_id": "$parent", "name": role}, role, "trunk", name=f"trunk by {role}")
    delete("trunk", "$trunk", role, name=f"trunk by {role}, gone by {role}")
    delete("trunk", "$trunk", name=f"trunk by {role}, gone")
    post("trunk", {"port_id": "$parent", "sub_ports": [vlan("$one", 9)]}, role, "trunk", name=f"trunk with a subport by {role}")
    delete("trunk", "$trunk", name=f"trunk with a subport by {role}, gone")

post("trunk", {"port_id": "$parent", "name": "T", "sub_ports": [vlan("$one", 100)]}, "member", "trunk")
for role in READERS:
    get("trunks/$trunk", role, name=f"trunk seen by {role}")
    get("trunks?fields=name&fields=project_id", role, name=f"trunks listed by {role}")
    get("trunks/$trunk/get_subports", role, name=f"subports seen by {role}")
    get("ports/$parent?fields=trunk_details", role, name=f"parent seen by {role}")
    put("trunk", "$trunk", {"description": f"by {role}"}, role, name=f"trunk changed by {role}")
    act("add_subports", {"sub_ports": [vlan("$two", 7)]}, role, name=f"subport added by {role}")
    act("remove_subports", {"sub_ports": [{"port_id": "$two"}]}, role, name=f"subport removed by {role}")
    act("remove_subports", {"sub_ports": [{"port_id": "$two"}]}, "admin", name=f"subport removed after {role}")
for query in ("name=T", "name=x", "port_id=$parent", "port_id=x", "status=DOWN", "status=ACTIVE", "admin_state_up=true", "admin_state_up=x", "project_id=$project_a", "id=$trunk", "sub_ports=x", "description=x",
              "fields=id", "fields=sub_ports", "fields=nope", "sort_key=name&sort_dir=desc", "sort_key=port_id&sort_dir=asc", "sort_key=status&sort_dir=asc", "sort_key=sub_ports&sort_dir=asc", "sort_key=nope&sort_dir=asc",
              "limit=1", "marker=nope", "nope=x", "revision_number=x"):
    get(f"trunks?{query}", "member", name=f"trunks?{query}")
for body in ({"name": "U"}, {"name": None}, {"name": LONG}, {"description": "d"}, {"description": None}, {"admin_state_up": "x"}, {"port_id": "$two"}, {"sub_ports": []}, {"status": "ACTIVE"}, {"project_id": "$project_b"},
             {"id": UUID}, {"nope": 1}, {}):
    put("trunk", "$trunk", body, "member", name=f"trunk update {said(body)}")
get("ports?fields=name&fields=trunk_details&network_id=$net&sort_key=name&sort_dir=asc", "member", name="ports of a network with a trunk")
get("ports?trunk_details=x", "member", name="ports by trunk details")
get("ports/$one?fields=trunk_details&fields=device_id&fields=device_owner", "member", name="subport as a port")
post("port", {"network_id": "$net", "trunk_details": {}}, "member", name="port with trunk details")
delete("port", "$parent", "member", name="parent deleted")
delete("port", "$one", "member", name="subport deleted")
delete("network", "$net", "member", name="network of a trunk deleted")
put("port", "$one", {"device_id": "vm", "device_owner": "compute:nova"}, "service", name="subport given to an instance")
put("port", "$one", {"device_id": "", "device_owner": ""}, "service", name="subport free again")

section("subports")
for body in (None, {}, {"sub_ports": None}, {"sub_ports": []}, {"sub_ports": "x"}, {"sub_ports": {}}, {"sub_ports": [{}]}, {"sub_ports": ["x"]}, {"nope": []}, {"sub_ports": [{"port_id": "$two"}]}, {"sub_ports": [{"port_id": UUID}]},
             {"sub_ports": [vlan(UUID, 8)]}, {"sub_ports": [vlan("$two", 100)]}, {"sub_ports": [vlan("$one", 101)]}, {"sub_ports": [vlan("$parent", 101)]}, {"sub_ports": [vlan("$foreign", 101)]}, {"sub_ports": [vlan("$used", 101)]},
             {"sub_ports": [vlan("$two", "x")]}, {"sub_ports": [vlan("$two", 4095)]}, {"sub_ports": [vlan("$two", 5), vlan("$three", 5)]}, {"sub_ports": [vlan("$two", 5), vlan("$three", 6)], "nope": 1}):
    act("add_subports", body, name=f"add {body}")
    get("trunks/$trunk/get_subports", "member", name=f"after add {body}")
    act("remove_subports", body, name=f"remove {body}")
    get("trunks/$trunk?fields=sub_ports&fields=status", "member", name=f"after remove {body}")
act("add_subports", {"sub_ports": [vlan("$two", 5), vlan("$three", 6)]}, name="two added")
act("remove_subports", {"sub_ports": [{"port_id": "$two"}, {"port_id": UUID}]}, name="one of two is none")
get("trunks/$trunk/get_subports", "member", name="two are there")
act("remove_subports", {"sub_ports": [{"port_id": "$two", "segmentation_id": 99}]}, name="removed with another segmentation")
act("add_subports", {"sub_ports": [vlan("$two", 5)]}, who=UUID, name="add to a trunk that is none")
act("remove_subports", {"sub_ports": [vlan("$two", 5)]}, who=UUID, name="remove from a trunk that is none")
get(f"trunks/{UUID}/get_subports", name="subports of a trunk that is none")
ask("member", "GET", "/v2.0/trunks/$trunk/add_subports", name="add by GET")
ask("member", "PUT", "/v2.0/trunks/$trunk/get_subports", {}, name="subports by PUT")
ask("member", "POST", "/v2.0/trunks/$trunk/add_subports", {"sub_ports": []}, name="add by POST")
ask("member", "PUT", "/v2.0/trunks/$trunk/nope", {}, name="action that is none")
section("chain")
post("trunk", {"port_id": "$one"}, "member", name="trunk with a subport as parent")
post("trunk", {"port_id": "$parent"}, "member", name="trunk with a parent as parent")
post("port", {"network_id": "$net", "name": "four"}, "member", "four")
post("trunk", {"port_id": "$four", "name": "second"}, "member", "second")
act("add_subports", {"sub_ports": [vlan("$parent", 5)]}, who="$second", name="parent of another as subport")
act("add_subports", {"sub_ports": [vlan("$one", 5)]}, who="$second", name="subport of another as subport")
get("trunks?fields=name&sort_key=name&sort_dir=asc", "member", name="both trunks")
get("trunks?fields=name&sort_key=name&sort_dir=asc&limit=1", "member", name="first of both trunks")
get("trunks?fields=name&sort_key=name&sort_dir=asc&marker=$second", "member", name="trunks after the second")
delete("trunk", "$second", "member")
section("down")
put("trunk", "$trunk", {"admin_state_up": False}, "member", name="trunk down")
act("add_subports", {"sub_ports": [vlan("$two", 5)]}, name="add to a trunk that is down")
act("remove_subports", {"sub_ports": [{"port_id": "$one"}]}, name="remove from a trunk that is down")
delete("trunk", "$trunk", "member", name="trunk deleted while down")
put("trunk", "$trunk", {"admin_state_up": True}, "member", name="trunk up")
section("mtu")
post("network", {"name": "small", "mtu": 1200}, "member", "small")
post("port", {"network_id": "$small"}, "member", "little")
act("add_subports", {"sub_ports": [vlan("$little", 50)]}, name="subport of a smaller MTU")
act("remove_subports", {"sub_ports": [{"port_id": "$little"}]}, name="subport of a smaller MTU removed")
post("trunk", {"port_id": "$little"}, "member", "little_trunk")
act("add_subports", {"sub_ports": [vlan("$four", 50)]}, who="$little_trunk", name="subport of a larger MTU")
delete("trunk", "$little_trunk", "member")
section("end")
get(f"trunks/{UUID}", name="trunk missing")
get("trunks/nope", name="trunk nope")
put("trunk", UUID, {"name": "x"}, name="trunk update missing")
delete("trunk", UUID, name="trunk delete missing")
put("trunk", "$trunk", {"name": "matched"}, "member", headers={"If-Match": "revision_number=99"}, name="trunk update of another revision")
get("quotas/$project_a?fields=trunk", name="quota of trunks")
ask("admin", "PUT", "/v2.0/quotas/$project_a", {"quota": {"trunk": 1}}, name="quota of one trunk")
post("trunk", {"port_id": "$four"}, "member", name="trunk over quota")
ask("admin", "DELETE", "/v2.0/quotas/$project_a", name="quota of trunks as before")
delete("trunk", "$trunk", "member")
get("ports/$parent?fields=trunk_details", "member", name="former parent")
for name in ("parent", "one", "two", "three", "four", "little"):
    delete("port", f"${name}", "member", name=f"port {name} gone")
delete("port", "$foreign", "other")
delete("port", "$used", "admin")
delete("network", "$net", "member")
delete("network", "$small", "member")
delete("network", "$foreign_net", "other")
