"""Segments of networks with their tags, and segment ranges."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")


def said(body):
    return ",".join(f"{key}={value!r:.40}" for key, value in body.items()) or "nothing"


def ranges(body, role="admin", save="range", **more):
    ask(role, "POST", "/v2.0/network-segment-ranges", {"network_segment_range": body}, save, **more)


section("segment")
post("network", {"name": "plain"}, "member", "plain")
post("network", {"name": "vlan", "provider:network_type": "vlan", "provider:physical_network": "foo", "provider:segmentation_id": 3}, "admin", "net")
get("segments?network_id=$net", save={"first": "segments.0.id"}, name="segments of a network")
for role in READERS:
    get("segments/$first", role, name=f"segment seen by {role}")
    get("segments?network_id=$net&fields=segmentation_id", role, name=f"segments listed by {role}")
VLAN = {"network_id": "$net", "network_type": "vlan", "physical_network": "foo", "segmentation_id": 5}
for more in ({}, {"segmentation_id": 3}, {"segmentation_id": 4095}, {"segmentation_id": 0}, {"segmentation_id": "x"}, {"segmentation_id": "6"}, {"segmentation_id": None}, {"segmentation_id": -1}, {"segmentation_id": 20}, {"physical_network": "bar"}, {"physical_network": None},
             {"physical_network": ""}, {"physical_network": LONG}, {"physical_network": 5}, {"network_type": "nope"}, {"network_type": None}, {"network_type": "flat", "physical_network": "public", "segmentation_id": None},
             {"network_type": "flat", "physical_network": "public"}, {"network_type": "local", "physical_network": None, "segmentation_id": None}, {"network_type": "local"},
             {"network_type": "vxlan", "physical_network": None, "segmentation_id": 1500}, {"network_type": "vxlan", "segmentation_id": 1500}, {"network_type": "vxlan", "physical_network": None, "segmentation_id": None},
             {"network_id": UUID}, {"network_id": "nope"}, {"network_id": None}, {"network_id": "$plain"},
             {"name": "s"}, {"name": LONG}, {"name": None}, {"name": ""}, {"description": "d"}, {"description": LONG}, {"description": None}, {"id": UUID}, {"tags": ["a"]}, {"project_id": "$project_a"}, {"revision_number": 5}, {"nope": 1}):
    post("segment", {**VLAN, **more}, "admin", "segment", name=f"segment {said(more)}")
    delete("segment", "$segment", name=f"segment {said(more)}, gone")
for missing in ("network_id", "network_type", "physical_network"):  # the id would be a random one
    post("segment", {key: value for key, value in VLAN.items() if key != missing}, "admin", "segment", name=f"segment without {missing}")
    delete("segment", "$segment", name=f"segment without {missing}, gone")
for role in READERS[1:]:
    post("segment", VLAN, role, "segment", name=f"segment by {role}")
    delete("segment", "$segment", name=f"segment by {role}, gone")
for body in (None, {}, {"segment": None}, {"segment": "x"}):
    ask("admin", "POST", "/v2.0/segments", body, name=f"segment body {str(body)[:30]}")
post("segment", {**VLAN, "name": "second", "description": "d"}, "admin", "segment", name="second segment")
get("networks/$net?fields=segments&fields=provider:segmentation_id", name="network with two segments")
for role in READERS:
    put("segment", "$segment", {"description": f"by {role}"}, role, name=f"segment changed by {role}")
    if role != "admin":
        delete("segment", "$segment", role, name=f"segment deleted by {role}")
for body in ({"name": "x"}, {"name": None}, {"name": LONG}, {"name": ""}, {"description": "e"}, {"description": None}, {"segmentation_id": 6}, {"network_type": "flat"}, {"network_id": "$plain"}, {"physical_network": "bar"}, {"id": UUID}, {"nope": 1}, {}):
    put("segment", "$segment", body, name=f"segment update {said(body)}")
for query in ("name=x", "name=second", "network_type=vlan", "network_type=x", "physical_network=foo", "segmentation_id=5", "segmentation_id=x", "id=$segment", "description=e", "fields=name", "fields=nope", "nope=x", "sort_key=segmentation_id&sort_dir=desc",
              "sort_key=name&sort_dir=asc&sort_key=segmentation_id&sort_dir=asc", "sort_key=network_type&sort_dir=asc&sort_key=segmentation_id&sort_dir=asc", "sort_key=nope&sort_dir=asc", "limit=1&sort_key=segmentation_id&sort_dir=asc",
              "limit=1&sort_key=segmentation_id&sort_dir=asc&marker=$first", "marker=nope", "revision_number=x"):
    get(f"segments?network_id=$net&{query}", name=f"segments?{query}")
get(f"segments/{UUID}", name="segment missing")
get("segments/nope", name="segment nope")
put("segment", UUID, {"name": "x"}, name="segment update missing")
delete("segment", UUID, name="segment delete missing")
put("segment", "$segment", {"name": "y"}, headers={"If-Match": "revision_number=99"}, name="segment update of another revision")

section("tags")
ask("admin", "PUT", "/v2.0/segments/$segment/tags", {"tags": ["a", "b"]}, name="segments have no tags")
ask("admin", "PUT", "/v2.0/segments/$segment/tags/a", name="segments have no tag")
get("segments/$segment/tags", name="no tags of a segment")
get("segments?network_id=$net&tags=a", name="segments are not found by tags")
put("segment", "$segment", {"tags": ["x"]}, name="segment update tags")

section("subnets")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.71.0.0/24", "segment_id": "$first"}, "admin", "sub", name="subnet on a segment")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.72.0.0/24"}, "admin", "sub2", name="subnet on no segment beside one")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.72.0.0/24", "segment_id": UUID}, "admin", name="subnet on a segment that is none")
post("subnet", {"network_id": "$plain", "ip_version": 4, "cidr": "10.72.0.0/24", "segment_id": "$first"}, "admin", name="subnet on a segment of another network")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.72.0.0/24", "segment_id": "$segment"}, "admin", "sub2", name="subnet on the second segment")
post("subnet", {"network_id": "$plain", "ip_version": 4, "cidr": "10.73.0.0/24", "segment_id": "$first"}, "member", name="subnet on a segment by a member")
get("networks/$net?fields=l2_adjacency", name="routed network")
get("subnets/$sub?fields=segment_id", name="subnet with its segment")
get("subnets?segment_id=$segment&fields=cidr", name="subnets of a segment")
for segment in ("$segment", None, UUID, "nope", "$first"):
    put("subnet", "$sub", {"segment_id": segment}, name=f"subnet put on {segment}")
delete("segment", "$segment", name="segment with subnets")
post("port", {"network_id": "$net"}, "admin", "port", name="port of a routed network")
get("ports/$port?fields=ip_allocation&fields=fixed_ips", name="port that waits for its host")
delete("port", "$port")
post("port", {"network_id": "$net", "fixed_ips": [{"subnet_id": "$sub"}]}, "admin", "port", name="port of a routed network with a subnet")
get("ports/$port?fields=ip_allocation", name="port that has its address")
delete("port", "$port")
delete("subnet", "$sub2")
delete("segment", "$segment", name="segment without subnets")
delete("segment", "$first", name="last segment with a subnet")
delete("subnet", "$sub")
delete("segment", "$first", name="last segment")
get("networks/$net?fields=segments&fields=provider:network_type&fields=provider:segmentation_id", name="network without segments")
delete("network", "$net")
delete("network", "$plain", "member")

section("range")
for role in READERS:
    get("network-segment-ranges?sort_key=network_type&sort_dir=asc&fields=network_type&fields=default&fields=shared&fields=minimum&fields=maximum&fields=physical_network", role, name=f"ranges listed by {role}")
RANGE = {"network_type": "vxlan", "minimum": 3000, "maximum": 3010, "shared": False, "project_id": "$project_a"}
for more in ({}, {"name": "r"}, {"name": LONG}, {"name": None}, {"network_type": "vlan", "physical_network": "foo", "minimum": 20, "maximum": 30}, {"network_type": "vlan", "minimum": 20, "maximum": 30}, {"network_type": "vlan", "physical_network": "foo"},
             {"network_type": "vlan", "physical_network": "foo", "minimum": 5, "maximum": 30}, {"network_type": "flat"}, {"network_type": "local"}, {"network_type": "x"}, {"network_type": None}, {"physical_network": "foo"}, {"physical_network": None},
             {"minimum": 3011}, {"minimum": 3010}, {"minimum": 0}, {"minimum": -1}, {"minimum": "x"}, {"minimum": None}, {"minimum": "3000"}, {"minimum": 1500}, {"maximum": 16777216}, {"maximum": "x"}, {"maximum": None},
             {"shared": True}, {"shared": "x"}, {"shared": None}, {"project_id": ""}, {"project_id": None}, {"project_id": "x"}, {"default": True}, {"available": []}, {"used": {}}, {"id": UUID}, {"description": "d"}, {"description": LONG}, {"tags": ["a"]}, {"nope": 1}):
    ranges({**RANGE, **more}, name=f"range {said(more)}")
    delete("network_segment_range", "$range", name=f"range {said(more)}, gone")
for missing in RANGE:
    ranges({key: value for key, value in RANGE.items() if key != missing}, name=f"range without {missing}")
    delete("network_segment_range", "$range", name=f"range without {missing}, gone")
for role in READERS[1:]:
    ranges(RANGE, role, name=f"range by {role}")
    delete("network_segment_range", "$range", name=f"range by {role}, gone")
ranges({**RANGE, "name": "r"}, name="range that stays")
ranges({**RANGE, "minimum": 3005, "maximum": 3020}, save="second", name="range over another")
delete("network_segment_range", "$second", name="range over another, gone")
post("network", {"name": "n"}, "member", "net", name="network of a project with a range")
get("networks/$net?fields=provider:network_type", name="its type")
get("network-segment-ranges/$range?fields=used", name="range in use")
delete("network_segment_range", "$range", name="range in use deleted")
delete("network", "$net", "member")
for role in READERS:
    get("network-segment-ranges/$range?fields=name", role, name=f"range seen by {role}")
    put("network_segment_range", "$range", {"name": f"by {role}"}, role, name=f"range changed by {role}")
    if role != "admin":
        delete("network_segment_range", "$range", role, name=f"range deleted by {role}")
for body in ({"minimum": 2999}, {"maximum": 3020}, {"minimum": 3021}, {"minimum": 3019, "maximum": 3020}, {"minimum": "x"}, {"maximum": None}, {"shared": True}, {"project_id": "$project_b"}, {"network_type": "vlan"}, {"physical_network": "x"}, {"name": None}, {"description": "e"},
             {"default": True}, {"nope": 1}, {}):
    put("network_segment_range", "$range", body, name=f"range update {said(body)}")
for query in ("network_type=vxlan", "network_type=x", "name=x", "shared=false", "default=true", "project_id=$project_a", "minimum=2999", "maximum=x", "physical_network=foo", "fields=nope", "nope=x", "sort_key=minimum&sort_dir=desc&sort_key=network_type&sort_dir=asc", "sort_key=nope&sort_dir=asc"):
    get(f"network-segment-ranges?{query}&fields=minimum&fields=network_type", name=f"ranges?{query}")
ask("admin", "PUT", "/v2.0/network-segment-ranges/$range/tags", {"tags": ["a"]}, name="tags of a range")
get("network-segment-ranges/$range/tags", name="tags of a range seen")
get(f"network-segment-ranges/{UUID}", name="range missing")
put("network_segment_range", UUID, {"name": "x"}, name="range update missing")
delete("network_segment_range", UUID, name="range delete missing")
delete("network_segment_range", "$range")
get("network-segment-ranges?default=true&network_type=vlan", save={"default": "network_segment_ranges.0.id"}, name="default range")
put("network_segment_range", "$default", {"name": "x"}, name="default range changed")
delete("network_segment_range", "$default", name="default range deleted")
