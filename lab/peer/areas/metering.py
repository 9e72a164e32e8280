"""Metering labels and their rules."""

from asking import LONG, UUID, ask, delete, get, post, put, section

READERS = ("admin", "manager", "member", "reader", "other", "service", "stranger")


def said(body):
    return ",".join(f"{key}={value!r:.40}" for key, value in body.items()) or "nothing"


def label(body, role="admin", save="label", **more):
    ask(role, "POST", "/v2.0/metering/metering-labels", {"metering_label": body}, save, **more)


def label_gone(who="$label", role="admin", **more):
    ask(role, "DELETE", f"/v2.0/metering/metering-labels/{who}", **more)


def rule(body, role="admin", save="rule", **more):
    ask(role, "POST", "/v2.0/metering/metering-label-rules", {"metering_label_rule": body}, save, **more)


def rule_gone(who="$rule", role="admin", **more):
    ask(role, "DELETE", f"/v2.0/metering/metering-label-rules/{who}", **more)


section("label")
for body in ({}, {"name": "m"}, {"name": LONG}, {"name": None}, {"name": 5}, {"description": "d"}, {"description": LONG}, {"description": "x" * 1025}, {"description": None}, {"shared": True}, {"shared": "x"}, {"shared": None},
             {"project_id": "$project_a"}, {"tenant_id": "$project_a"}, {"id": UUID}, {"nope": 1}):
    label(body, name=f"label {said(body)}")
    label_gone(name=f"label {said(body)}, gone")
for role in READERS[1:]:
    label({"name": role}, role, name=f"label by {role}")
    label_gone(role=role, name=f"label by {role}, gone by {role}")
    label_gone(name=f"label by {role}, gone")
for body in (None, {}, {"metering_label": None}, {"metering_label": "x"}, {"label": {}}):
    ask("admin", "POST", "/v2.0/metering/metering-labels", body, name=f"label body {str(body)[:30]}")
ask("admin", "POST", "/v2.0/metering/metering-labels", {"metering_labels": [{"name": "b1"}, {"name": "b2"}]}, {"b1": "metering_labels.0.id", "b2": "metering_labels.1.id"}, name="labels in bulk")
label_gone("$b1"), label_gone("$b2")
label({"name": "own", "description": "of a", "project_id": "$project_a"}, name="label of a")
label({"name": "foreign", "project_id": "$project_b"}, save="foreign", name="label of b")
label({"name": "all", "shared": True, "project_id": "$project_b"}, save="all", name="label of b for all")
for role in READERS:
    get("metering/metering-labels/$label", role, name=f"label of a seen by {role}")
    get("metering/metering-labels/$foreign", role, name=f"label of b seen by {role}")
    get("metering/metering-labels/$all", role, name=f"label for all seen by {role}")
    get("metering/metering-labels?fields=name&sort_key=name&sort_dir=asc", role, name=f"labels listed by {role}")
for query in ("name=own", "name=x", "description=of%20a", "shared=true", "shared=false", "shared=x", "project_id=$project_a", "tenant_id=$project_a", "id=$label", "nope=x", "fields=id", "fields=nope", "limit=1&sort_key=name&sort_dir=asc",
              "limit=1&sort_key=name&sort_dir=asc&marker=$foreign", "marker=nope", "sort_key=name&sort_dir=desc", "sort_key=description&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=shared&sort_dir=desc&sort_key=name&sort_dir=asc",
              "sort_key=project_id&sort_dir=asc&sort_key=name&sort_dir=asc", "sort_key=nope&sort_dir=asc"):
    get(f"metering/metering-labels?{query}", name=f"labels?{query}")
ask("admin", "PUT", "/v2.0/metering/metering-labels/$label", {"metering_label": {"name": "x"}}, name="label update")
get(f"metering/metering-labels/{UUID}", name="label missing")
get("metering/metering-labels/nope", name="label nope")
label_gone(UUID, name="label delete missing")
label_gone(role="member", name="label of a deleted by a member")
label_gone("$foreign", "member", name="label of b deleted by a member")
get("metering/metering_labels?fields=name&name=own", name="labels with underscores")

section("rule")
BASE = {"metering_label_id": "$label", "direction": "ingress", "remote_ip_prefix": "10.0.0.0/24"}
for more in ({}, {"direction": "egress"}, {"direction": "x"}, {"direction": None}, {"direction": "INGRESS"}, {"excluded": True}, {"excluded": "x"}, {"excluded": None}, {"remote_ip_prefix": "10.0.0.5"}, {"remote_ip_prefix": "10.0.0.5/24"},
             {"remote_ip_prefix": "0.0.0.0/0"}, {"remote_ip_prefix": "2001:db8::/64"}, {"remote_ip_prefix": "x"}, {"remote_ip_prefix": ""}, {"remote_ip_prefix": None}, {"remote_ip_prefix": 5}, {"remote_ip_prefix": ["10.0.0.0/24"]},
             {"remote_ip_prefix": "10.0.0.0/33"},
             {"source_ip_prefix": "10.1.0.0/24"}, {"destination_ip_prefix": "10.1.0.0/24"}, {"metering_label_id": UUID}, {"metering_label_id": "nope"}, {"metering_label_id": None}, {"metering_label_id": "$foreign"}, {"id": UUID},
             {"project_id": "$project_b"}, {"tenant_id": "$project_a"}, {"nope": 1}):
    rule({**BASE, **more}, name=f"rule {said(more)}")
    rule_gone(name=f"rule {said(more)}, gone")
for missing in BASE:
    rule({key: value for key, value in BASE.items() if key != missing}, name=f"rule without {missing}")
    rule_gone(name=f"rule without {missing}, gone")
APART = {"metering_label_id": "$label", "direction": "egress"}
for more in ({}, {"source_ip_prefix": "10.1.0.0/24"}, {"destination_ip_prefix": "10.1.0.0/24"}, {"source_ip_prefix": "10.1.0.0/24", "destination_ip_prefix": "10.2.0.0/24"}, {"source_ip_prefix": "10.1.0.7"}, {"source_ip_prefix": "10.1.0.7/16"},
             {"source_ip_prefix": "x"}, {"destination_ip_prefix": "x"}, {"source_ip_prefix": None}, {"source_ip_prefix": ""}, {"source_ip_prefix": "10.1.0.0/24", "remote_ip_prefix": "10.3.0.0/24"},
             {"source_ip_prefix": "10.1.0.0/24", "remote_ip_prefix": None},
             {"source_ip_prefix": "10.1.0.0/24", "destination_ip_prefix": "2001:db8::/64"}, {"source_ip_prefix": "2001:db8::/64", "destination_ip_prefix": "2001:db9::/64"}):
    rule({**APART, **more}, name=f"rule apart {said(more)}")
    rule_gone(name=f"rule apart {said(more)}, gone")
for body in (None, {}, {"metering_label_rule": None}, {"metering_label_rule": "x"}, {"rule": {}}):
    ask("admin", "POST", "/v2.0/metering/metering-label-rules", body, name=f"rule body {str(body)[:30]}")
for role in READERS[1:]:
    rule(BASE, role, name=f"rule by {role}")
    rule_gone(role=role, name=f"rule by {role}, gone by {role}")
    rule_gone(name=f"rule by {role}, gone")
section("overlap")
rule(BASE)
for more in ({}, {"remote_ip_prefix": "10.0.0.0/25"}, {"remote_ip_prefix": "10.0.0.0/16"}, {"remote_ip_prefix": "10.0.1.0/24"}, {"direction": "egress"}, {"excluded": True}, {"remote_ip_prefix": "2001:db8::/64"}, {"remote_ip_prefix": "0.0.0.0/0"},
             {"remote_ip_prefix": "0.0.0.0/0", "excluded": True}):
    rule({**BASE, **more}, save="second", name=f"second rule {said(more)}")
    rule_gone("$second", name=f"second rule {said(more)}, gone")
rule({**APART, "source_ip_prefix": "10.0.0.0/24"}, save="apart")
rule({**APART, "source_ip_prefix": "10.0.0.0/24"}, save="second", name="rule apart twice")
rule_gone("$second", name="rule apart twice, gone")
rule({**BASE, "direction": "egress"}, save="second", name="rule beside one that is apart")
rule_gone("$second", name="rule beside one that is apart, gone")
for role in READERS:
    get("metering/metering-label-rules/$rule", role, name=f"rule seen by {role}")
    get("metering/metering-label-rules?fields=remote_ip_prefix", role, name=f"rules listed by {role}")
    rule_gone(role="other" if role == "admin" else "stranger", name=f"rule deleted by no {role}")
for query in ("direction=ingress", "direction=x", "excluded=false", "excluded=x", "remote_ip_prefix=10.0.0.0/24", "remote_ip_prefix=x", "source_ip_prefix=10.0.0.0/24", "destination_ip_prefix=x", "metering_label_id=$label",
              "metering_label_id=x", "id=$rule", "project_id=$project_a",
              "fields=id", "fields=nope", "nope=x", "sort_key=direction&sort_dir=desc", "sort_key=remote_ip_prefix&sort_dir=desc", "sort_key=source_ip_prefix&sort_dir=desc", "sort_key=excluded&sort_dir=asc&sort_key=direction&sort_dir=asc",
              "sort_key=nope&sort_dir=asc", "limit=1&sort_key=direction&sort_dir=asc",
              "marker=nope"):
    get(f"metering/metering-label-rules?{query}", name=f"rules?{query}")
ask("admin", "PUT", "/v2.0/metering/metering-label-rules/$rule", {"metering_label_rule": {"excluded": True}}, name="rule update")
get(f"metering/metering-label-rules/{UUID}", name="rule missing")
get("metering/metering-label-rules/nope", name="rule nope")
rule_gone(UUID, name="rule delete missing")
get("metering/metering-labels/$label", name="label with rules")
label_gone(name="label with rules deleted")
get("metering/metering-label-rules", name="rules of a label that is gone")
label_gone("$foreign"), label_gone("$all")
