"""QoS policies and their rules, rule types, and the resources that use policies."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")
# type: the attribute with its value
VALUES = {"bandwidth_limit": "max_kbps", "dscp_marking": "dscp_mark", "minimum_bandwidth": "min_kbps", "packet_rate_limit": "max_kpps",
          "minimum_packet_rate": "min_kpps"}


def said(body):
    return ",".join(f"{key}={value!r:.40}" for key, value in body.items()) or "nothing"


def policy(body, role="admin", save="policy", **more):
    ask(role, "POST", "/v2.0/qos/policies", {"policy": body}, save, **more)


def change(body, role="admin", who="$policy", **more):
    ask(role, "PUT", f"/v2.0/qos/policies/{who}", {"policy": body}, **more)


def gone(who="$policy", role="admin", **more):
    ask(role, "DELETE", f"/v2.0/qos/policies/{who}", **more)


def rule(kind, body, role="admin", who="$policy", save="rule", **more):
    ask(role, "POST", f"/v2.0/qos/policies/{who}/{kind}_rules", {f"{kind}_rule": body}, save, **more)


def rule_change(kind, body, role="admin", who="$policy", which="$rule", **more):
    ask(role, "PUT", f"/v2.0/qos/policies/{who}/{kind}_rules/{which}", {f"{kind}_rule": body}, **more)


def rule_gone(kind, role="admin", who="$policy", which="$rule", **more):
    ask(role, "DELETE", f"/v2.0/qos/policies/{who}/{kind}_rules/{which}", **more)


# ------------------------------------------------------------------------------------------------------------------- rule types
section("types")
for role in READERS:
    get("qos/rule-types", role, name=f"rule types for {role}")
for kind in VALUES:
    get(f"qos/rule-types/{kind}", "member", name=f"rule type {kind} for a member")
get("qos/rule-types/nope", name="rule type that is none")
for query in ("all_rules=true", "all_supported=true", "all_rules=x", "type=dscp_marking", "fields=type", "sort_key=type&sort_dir=asc"):
    get(f"qos/rule-types?{query}", name=f"rule types?{query}")
ask("admin", "POST", "/v2.0/qos/rule-types", {"rule_type": {"type": "x"}}, name="rule type made")

# -------------------------------------------------------------------------------------------------------------------- policies
section("policy")
for body in ({}, {"name": "p"}, {"name": LONG}, {"name": None}, {"name": 5}, {"description": "d"}, {"description": LONG}, {"description": None}, {"shared": True},
             {"shared": "x"}, {"shared": None}, {"is_default": "x"}, {"is_default": None}, {"project_id": "$project_a"}, {"tenant_id": "$project_a"},
             {"rules": []}, {"rules": [{"type": "dscp_marking", "dscp_mark": 8}]}, {"id": UUID}, {"revision_number": 4}, {"created_at": "x"}, {"tags": ["a"]}, {"nope": 1}):
    policy(body, name=f"policy {said(body)}")
    gone(name=f"policy {said(body)}, gone")
for role in READERS[1:]:
    policy({"name": role}, role, name=f"policy by {role}")
    policy({"name": f"{role} shared", "shared": True}, role, name=f"shared policy by {role}")
    policy({"name": f"{role} default", "is_default": True}, role, name=f"default policy by {role}")
    gone(name=f"policy by {role}, gone")
    gone(name=f"policy by {role}, gone again")
for body in (None, {}, {"policies": []}, {"policy": None}, {"policy": []}, {"policy": "x"}, {"qos_policy": {"name": "x"}}):
    ask("admin", "POST", "/v2.0/qos/policies", body, name=f"policy body {str(body)[:30]}")
ask("admin", "POST", "/v2.0/qos/policies", {"policies": [{"name": "b1"}, {"name": "b2"}]}, {"b1": "policies.0.id", "b2": "policies.1.id"}, name="policies in bulk")
ask("admin", "POST", "/v2.0/qos/policies", {"policies": [{"name": "b3"}, {"nope": 1}]}, name="policies in bulk, one wrong")
get("qos/policies?fields=name&sort_key=name&sort_dir=asc", name="policies after that")
gone("$b1"), gone("$b2")

policy({"name": "own", "project_id": "$project_a", "description": "of a"}, name="policy of a")
policy({"name": "foreign", "project_id": "$project_b"}, save="foreign", name="policy of b")
policy({"name": "all", "shared": True, "project_id": "$project_b"}, save="all", name="policy of b for all")
for role in READERS:
    get("qos/policies/$policy", role, name=f"policy of a seen by {role}")
    get("qos/policies/$foreign", role, name=f"policy of b seen by {role}")
    get("qos/policies/$all", role, name=f"policy for all seen by {role}")
    get("qos/policies?fields=name&fields=shared&sort_key=name&sort_dir=asc", role, name=f"policies listed by {role}")
    change({"description": f"by {role}"}, role, name=f"policy of a changed by {role}")
    change({"description": f"by {role}"}, role, "$all", name=f"policy for all changed by {role}")
    if role != "admin":
        gone("$foreign", role, name=f"policy of b deleted by {role}")
for query in ("name=own", "name=x", "shared=true", "shared=false", "shared=x", "is_default=false", "is_default=true", "project_id=$project_a", "tenant_id=$project_a", "id=$policy",
              "id=x", "description=of%20a", "rules=x", "revision_number=0", "created_at=x", "nope=x", "name=", "limit=1&sort_key=name&sort_dir=asc", "limit=x",
              "limit=1&sort_key=name&sort_dir=desc&marker=$policy", "marker=nope", "sort_key=name&sort_dir=desc", "sort_key=shared&sort_dir=asc", "sort_key=is_default&sort_dir=asc",
              "sort_key=project_id&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=rules&sort_dir=asc", "sort_key=nope&sort_dir=asc", "sort_key=description&sort_dir=asc",
              "fields=id", "fields=rules", "fields=nope", "tags=x"):
    get(f"qos/policies?{query}", name=f"policies?{query}")
for body in ({"name": "new"}, {"name": None}, {"name": LONG}, {"description": None}, {"shared": True}, {"shared": False}, {"shared": "x"}, {"is_default": True},
             {"is_default": False}, {"is_default": "x"}, {"project_id": "$project_b"}, {"rules": []}, {"id": UUID}, {"nope": 1}, {}):
    change(body, name=f"policy update {said(body)}")
for role in ("manager", "member"):
    change({"shared": True}, role, name=f"policy shared by {role}")
    change({"is_default": True}, role, name=f"policy made default by {role}")
    change({"is_default": False, "shared": False}, name=f"policy as before {role}")
get(f"qos/policies/{UUID}", name="policy missing")
get("qos/policies/nope", name="policy nope")
change({"name": "x"}, who=UUID, name="policy update missing")
gone(UUID, name="policy delete missing")
ask("admin", "DELETE", "/v2.0/qos/policies", name="policies deleted")
ask("admin", "PUT", "/v2.0/qos/policies", {"policy": {}}, name="policies changed")
get("qos/policies/$policy/nope", name="policy below")
for headers in ({"If-Match": "revision_number=99"}, {"If-Match": "nope"}):
    change({"name": "matched"}, headers=headers, name=f"policy update {headers['If-Match']}")
gone("$foreign"), gone("$all")

section("default")
policy({"name": "first", "is_default": True, "project_id": "$project_a"}, save="first")
policy({"name": "second", "is_default": True, "project_id": "$project_a"}, save="second", name="default policy twice")
policy({"name": "second", "project_id": "$project_a"}, save="second")
change({"is_default": True}, who="$second", name="second policy made default")
change({"is_default": True}, who="$first", name="default policy made default")
post("network", {"name": "n"}, "member", "net", name="network of a project with a default policy")
post("network", {"name": "n", "qos_policy_id": None}, "member", "net2", name="network without the default policy")
get("networks/$net?fields=qos_policy_id", name="network with the default policy")
delete("network", "$net2", "member")
gone("$first", name="default policy in use")
change({"is_default": False}, who="$first", name="no default policy")
delete("network", "$net", "member")
gone("$first"), gone("$second")

# ----------------------------------------------------------------------------------------------------------------------- rules
section("rules")
for kind, value in VALUES.items():
    for body in ({value: 16}, {}, {value: None}, {value: "18"}, {value: -1}, {value: 0}, {value: 2147483647}, {value: 2147483648}, {value: 58}, {value: 64}, {value: 1.5},
                 {value: "x"}, {value: True}, {value: [8]},
                 {value: 16, "direction": "ingress"}, {value: 16, "direction": "egress"}, {value: 16, "direction": "any"}, {value: 16, "direction": "x"}, {value: 16, "direction": None},
                 {value: 16, "direction": 5},
                 {value: 16, "max_burst_kbps": 10}, {value: 16, "max_burst_kbps": "x"}, {value: 16, "max_burst_kbps": -1}, {value: 16, "max_burst_kbps": None}, {value: 16, "max_burst_kpps": 10},
                 {value: 16, "max_burst_kpps": 2147483648},
                 {value: 16, "id": UUID}, {value: 16, "qos_policy_id": "$policy"}, {value: 16, "project_id": "$project_a"}, {value: 16, "tenant_id": "$project_a"}, {value: 16, "nope": 1}):
        rule(kind, body, name=f"{kind} {said(body)}")
        rule_gone(kind, name=f"{kind} {said(body)}, gone")
    for body in (None, {}, {f"{kind}_rules": []}, {f"{kind}_rule": None}, {f"{kind}_rule": "x"}, {"rule": {value: 16}}):
        ask("admin", "POST", f"/v2.0/qos/policies/$policy/{kind}_rules", body, name=f"{kind} body {str(body)[:30]}")
    ask("admin", "POST", f"/v2.0/qos/policies/$policy/{kind}_rules", {f"{kind}_rules": [{value: 16}]}, {"rule": f"{kind}_rules.0.id"}, name=f"{kind} in bulk")
    rule_gone(kind, name=f"{kind} in bulk, gone")

    rule(kind, {value: 16}, name=f"{kind} that stays")
    rule(kind, {value: 18}, name=f"{kind} twice")
    rule(kind, {value: 18, "direction": "ingress"}, save="ingress", name=f"{kind} the other way")
    if kind != "minimum_packet_rate":  # which of the two others is named would be random
        rule(kind, {value: 18, "direction": "any"}, save="any", name=f"{kind} any way beside others")
    get("qos/policies/$policy?fields=rules", name=f"policy with {kind}")
    get("qos/policies/$policy?fields=rules", "member", name=f"policy with {kind} for a member")
    for role in READERS:
        get(f"qos/policies/$policy/{kind}_rules", role, name=f"{kind} listed by {role}")
        get(f"qos/policies/$policy/{kind}_rules/$rule", role, name=f"{kind} seen by {role}")
        rule_change(kind, {value: 20}, role, name=f"{kind} changed by {role}")
        if role != "admin":
            rule_gone(kind, "other" if role == "manager" else role, name=f"{kind} deleted by {role}")
            rule(kind, {value: 18, "direction": "egress"}, role, save="none", name=f"{kind} made by {role}")
    rule(kind, {value: 16}, name=f"{kind} there again")
    for body in ({value: 22}, {value: "x"}, {value: None}, {value: 2147483648}, {"direction": "ingress"}, {"direction": "egress"}, {"direction": "any"}, {"direction": "x"},
                 {"max_burst_kbps": 5}, {"max_burst_kpps": 5}, {"id": UUID}, {"qos_policy_id": UUID}, {"nope": 1}, {}):
        rule_change(kind, body, name=f"{kind} update {said(body)}")
    for query in (f"{value}=22", f"{value}=x", "direction=egress", "direction=x", "id=$rule", "fields=id", f"fields={value}", f"sort_key={value}&sort_dir=asc", "sort_key=direction&sort_dir=desc",
                  f"limit=1&sort_key={value}&sort_dir=asc", "nope=x", "qos_policy_id=$policy"):
        get(f"qos/policies/$policy/{kind}_rules?{query}", name=f"{kind}?{query}")
    get(f"qos/policies/$policy/{kind}_rules/{UUID}", name=f"{kind} missing")
    get(f"qos/policies/$policy/{kind}_rules/nope", name=f"{kind} nope")
    get(f"qos/policies/{UUID}/{kind}_rules/$rule", name=f"{kind} of a policy that is missing")
    get(f"qos/policies/{UUID}/{kind}_rules", name=f"all {kind} of a policy that is missing")
    rule(kind, {value: 16}, who=UUID, name=f"{kind} for a policy that is missing")
    rule(kind, {value: 16}, "member", who=UUID, name=f"{kind} for a policy that is missing, by a member")
    rule_change(kind, {value: 16}, which=UUID, name=f"{kind} update missing")
    rule_change(kind, {value: 16}, who=UUID, name=f"{kind} update of a policy that is missing")
    rule_gone(kind, which=UUID, name=f"{kind} delete missing")
    rule_gone(kind, who=UUID, name=f"{kind} delete of a policy that is missing")
    policy({"name": "another"}, save="another", name=f"another policy than that of {kind}")
    get(f"qos/policies/$another/{kind}_rules/$rule", name=f"{kind} of another policy")
    rule_change(kind, {value: 24}, who="$another", name=f"{kind} update of another policy")
    rule_gone(kind, who="$another", name=f"{kind} delete of another policy")
    gone("$another", name=f"another policy than that of {kind}, gone")
    # by its own id
    for role in READERS:
        get(f"qos/alias-{kind.replace('_', '-')}-rules/$rule", role, name=f"{kind} by its id seen by {role}")
        ask(role, "PUT", f"/v2.0/qos/alias-{kind.replace('_', '-')}-rules/$rule", {f"alias_{kind}_rule": {value: 26}}, name=f"{kind} by its id changed by {role}")
    ask("admin", "PUT", f"/v2.0/qos/alias-{kind.replace('_', '-')}-rules/$rule", {f"{kind}_rule": {value: 26}}, name=f"{kind} by its id changed by its other name")
    ask("admin", "PUT", f"/v2.0/qos/alias_{kind}_rules/$rule", {f"alias_{kind}_rule": {value: 26}}, name=f"{kind} by its id with underscores")
    ask("admin", "PUT", f"/v2.0/qos/alias_{kind}_rules/$rule", {f"alias_{kind}_rule": {value: "x"}}, name=f"{kind} by its id, nonsense")
    ask("admin", "POST", f"/v2.0/qos/alias_{kind}_rules", {f"alias_{kind}_rule": {value: 8}}, name=f"{kind} made without a policy")
    get(f"qos/alias-{kind.replace('_', '-')}-rules/{UUID}", name=f"{kind} by an id that is none")
    for role in ("stranger", "other", "reader", "member"):
        ask(role, "DELETE", f"/v2.0/qos/alias-{kind.replace('_', '-')}-rules/$rule", name=f"{kind} by its id deleted by {role}")
    ask("admin", "DELETE", f"/v2.0/qos/alias-{kind.replace('_', '-')}-rules/$rule", name=f"{kind} by its id deleted")
    rule_gone(kind, name=f"{kind} deleted in the end")
    rule_gone(kind, which="$ingress", name=f"{kind} the other way deleted")
    rule_gone(kind, which="$any", name=f"{kind} any way deleted")
get("qos/policies/$policy?fields=rules", name="policy without rules again")

section("together")
rule("bandwidth_limit", {"max_kbps": 100})
rule("minimum_bandwidth", {"min_kbps": 101}, save="none", name="guarantee over the limit")
rule("minimum_bandwidth", {"min_kbps": 100}, save="min", name="guarantee of the limit")
rule_change("bandwidth_limit", {"max_kbps": 99}, name="limit under the guarantee")
rule_change("minimum_bandwidth", {"min_kbps": 101}, which="$min", name="guarantee raised over the limit")
rule("packet_rate_limit", {"max_kpps": 10}, save="pps")
rule("minimum_packet_rate", {"min_kpps": 20}, save="mpps", name="guarantee of packets over the limit")
rule("dscp_marking", {"dscp_mark": 8}, save="dscp")
get("qos/policies/$policy", name="policy with rules of all types")
get("qos/policies?name=matched&fields=rules", name="policies with rules of all types")
gone(name="policy with rules")

# ------------------------------------------------------------------------------------------------------------- what uses policies
section("use")
policy({"name": "mine", "project_id": "$project_a"}, save="mine")
policy({"name": "theirs", "project_id": "$project_b"}, save="theirs")
policy({"name": "all", "shared": True}, save="all")
rule("bandwidth_limit", {"max_kbps": 1000}, who="$mine", save="limit")
post("network", {"name": "n"}, "member", "net")
post("subnet", {"network_id": "$net", "ip_version": 4, "cidr": "10.88.0.0/24"}, "member", "sub")
for who in ("$mine", "$theirs", "$all", UUID, "nope", "", None, 5, ["$mine"]):
    for role in ("admin", "member"):
        put("network", "$net", {"qos_policy_id": who}, role, name=f"network uses {who} by {role}")
        post("port", {"network_id": "$net", "qos_policy_id": who, "fixed_ips": []}, role, "port", name=f"port uses {who} by {role}")
        get("ports/$port?fields=qos_policy_id&fields=qos_network_policy_id", role, name=f"port that uses {who} seen by {role}")
        put("port", "$port", {"qos_policy_id": None}, role, name=f"port uses none after {who} by {role}")
        delete("port", "$port", role, name=f"port used {who} by {role}")
        put("network", "$net", {"qos_policy_id": None}, "admin", name=f"network uses none after {who} by {role}")
        post("network", {"name": "u", "qos_policy_id": who}, role, "net2", name=f"network made with {who} by {role}")
        delete("network", "$net2", role, name=f"network made with {who} by {role}, gone")
put("network", "$net", {"qos_policy_id": "$mine"}, "admin", name="network with a policy")
post("port", {"network_id": "$net"}, "member", "port", name="port of a network with a policy")
for role in ("admin", "member", "reader", "other"):
    get("ports/$port", role, name=f"port of a network with a policy seen by {role}")
    get("networks/$net?fields=qos_policy_id", role, name=f"network with a policy seen by {role}")
for query in ("qos_policy_id=$mine", "qos_policy_id=$all", "qos_policy_id=x", "qos_network_policy_id=$mine", "sort_key=qos_policy_id&sort_dir=asc"):
    get(f"ports?{query}&fields=qos_policy_id", "member", name=f"ports?{query}")
    get(f"networks?name=n&{query}&fields=qos_policy_id", "member", name=f"networks?{query}")
gone("$mine", name="policy in use by a network")
put("port", "$port", {"qos_policy_id": "$all"}, "member", name="port with a policy of its own")
gone("$all", name="policy in use by a port")
change({"shared": False}, who="$all", name="policy in use by others not shared any more")
put("port", "$port", {"qos_network_policy_id": "$all"}, name="policy of its network changed at the port")
rule("minimum_bandwidth", {"min_kbps": 100, "direction": "egress"}, who="$all", save="min")
rule("minimum_packet_rate", {"min_kpps": 10, "direction": "any"}, who="$all", save="mpps")
get("ports/$port?fields=resource_request", name="resource request of two guarantees")
get("ports/$port?fields=resource_request", "member", name="resource request for a member")
rule("minimum_bandwidth", {"min_kbps": 50, "direction": "ingress"}, who="$all", save="in")
get("ports/$port?fields=resource_request", name="resource request of three guarantees")
put("port", "$port", {"resource_request": {}}, name="resource request set")
put("port", "$port", {"qos_policy_id": None}, "member", name="port without a policy of its own")
put("network", "$net", {"qos_policy_id": None}, name="network without a policy")
gone("$mine", name="policy not in use by a network")
delete("port", "$port", "member")
section("gateways")
post("network", {"name": "ext", "router:external": True}, "admin", "ext")
post("subnet", {"network_id": "$ext", "ip_version": 4, "cidr": "198.51.100.0/24", "enable_dhcp": False}, "admin", "extsub")
for who in ("$all", "$theirs", UUID, "nope", None):
    for role in ("admin", "member"):
        post("floatingip", {"floating_network_id": "$ext", "qos_policy_id": who}, role, "fip", name=f"floating IP uses {who} by {role}")
        put("floatingip", "$fip", {"qos_policy_id": who}, role, name=f"floating IP still uses {who} by {role}")
        get("floatingips/$fip?fields=qos_policy_id", role, name=f"floating IP that uses {who} seen by {role}")
        delete("floatingip", "$fip", role, name=f"floating IP used {who} by {role}")
        post("router", {"external_gateway_info": {"network_id": "$ext", "qos_policy_id": who}}, role, "router", name=f"gateway uses {who} by {role}")
        get("routers/$router?fields=external_gateway_info", role, name=f"gateway that uses {who} seen by {role}")
        delete("router", "$router", role, name=f"gateway used {who} by {role}")
post("router", {"external_gateway_info": {"network_id": "$ext", "qos_policy_id": "$all"}}, "admin", "router")
gone("$all", name="policy in use by a gateway")
put("router", "$router", {"external_gateway_info": {"network_id": "$ext"}}, name="gateway without speaking of its policy")
put("router", "$router", {"external_gateway_info": {"network_id": "$ext", "qos_policy_id": None}}, name="gateway without a policy")
put("router", "$router", {"external_gateway_info": {}}, name="no gateway")
delete("router", "$router")
post("floatingip", {"floating_network_id": "$ext", "qos_policy_id": "$all"}, "admin", "fip")
get("floatingips?qos_policy_id=$all&fields=qos_policy_id", name="floating IPs with a policy")
gone("$all", name="policy in use by a floating IP")
delete("floatingip", "$fip")
gone("$all")
gone("$theirs")
section("shared")
policy({"name": "r", "project_id": "$project_a"}, save="policy")
post("rbac_policy", {"object_type": "qos_policy", "object_id": "$policy", "action": "access_as_shared", "target_tenant": "$project_b"}, "manager", "pol", name="policy shared with b by a manager")
post("rbac_policy", {"object_type": "qos_policy", "object_id": "$policy", "action": "access_as_shared", "target_tenant": "$project_b"}, "member", "pol", name="policy shared with b by a member")
post("rbac_policy", {"object_type": "qos_policy", "object_id": "$policy", "action": "access_as_external", "target_tenant": "$project_b"}, "admin", name="policy as external")
for role in ("member", "other", "admin"):
    get("qos/policies/$policy?fields=shared&fields=name", role, name=f"policy shared with b seen by {role}")
post("network", {"name": "n2", "qos_policy_id": "$policy"}, "other", "net2", name="network of b with a shared policy")
delete("rbac_policy", "$pol", "member", name="sharing of a policy in use")
delete("network", "$net2", "other")
delete("rbac_policy", "$pol", "member", name="sharing of a policy not in use")
gone()
delete("network", "$ext")
delete("network", "$net", "member")
