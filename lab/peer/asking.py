"""What the areas of the parity corpus are written with. `$name` stands for what an earlier answer gave.

An area is a module of `areas/`; its sections clean up after themselves, so that quotas are not what decides, and so that one section can be
read alone.
"""

CASES = []
NAMES = set()
SECTION = [""]
UUID = "00000000-0000-4000-8000-00000000beef"
LONG = "x" * 256


def section(name):
    """What follows is about this."""
    SECTION[0] = name


def ask(role, method, path, body=None, save=None, name=None, **more):
    """One request. `save` maps names to places in the answer, or names the id of the resource in it."""
    case = {"name": "", "as": role, "method": method, "path": path}
    if body is not None:
        case["body"] = body
    if isinstance(save, str):
        kind = next(iter(body))
        save = {save: f"{kind}.id"}
    if save:
        case["save"] = save
    name = name or f"{SECTION[0]} {method.lower()} {path.split('/')[2].split('?')[0]}"
    base, number = name, 1
    while name in NAMES:
        number += 1
        name = f"{base} {number}"
    NAMES.add(name)
    case.update(name=name, **more)
    CASES.append(case)


def get(path, role="admin", **more):
    ask(role, "GET", f"/v2.0/{path}", **more)


def post(kind, body, role="admin", save=None, **more):
    ask(role, "POST", f"/v2.0/{collection(kind)}", {kind: body}, save, **more)


def put(kind, who, body, role="admin", **more):
    ask(role, "PUT", f"/v2.0/{collection(kind)}/{who}", {kind: body}, **more)


def delete(kind, who, role="admin", **more):
    ask(role, "DELETE", f"/v2.0/{collection(kind)}/{who}", **more)


def collection(kind):
    kind = kind.replace("_", "-")
    return kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
