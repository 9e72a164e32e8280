"""Runs commands of the `openstack` client in one process and writes what they answer, with ids and times made the same in each run.

driver.py COMMANDS LEFT_OUT TRANSCRIPT. A line of COMMANDS is what follows `openstack`; `name = …` keeps the id that it answers as `$name`, and a line
that begins with `!` must be refused. LEFT_OUT has commands that are not tried, each with the reason behind a colon. It is an error when the client
has a command of networking that is in neither.
"""
import contextlib
import importlib.metadata
import io
import json
import logging
import re
import shlex
import sys
import warnings

from cliff import display
from keystoneauth1.identity.generic import base
from openstackclient import shell

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
MAC = re.compile(r"fa:16:3e(:[0-9a-f]{2}){3}")
# What differs from run to run, or with what the agents have done by then.
VOLATILE = {
    "status", "state", "alive", "revision number", "started at", "created at", "updated at", "last heartbeat at", "configuration",
    "configurations", "provider:segmentation id", "segment", "used", "available",
}
# Commands of other groups that are answered by this server.
MORE = ["availability zone list", "extension list", "extension show", "quota delete", "quota list", "quota set", "quota show"]


def log_in_once():
    """One token for all commands: checking a password is meant to take its time."""
    whole, access = base.BaseGenericPlugin.get_auth_ref, []

    def get_auth_ref(self, session, **kwargs):
        if not access:
            access.append(whole(self, session, **kwargs))
        return access[0]

    base.BaseGenericPlugin.get_auth_ref = get_auth_ref


def known():
    """The commands of networking that the client has, with their classes."""
    points = [point for group in ("openstack.network.v2", "openstack.common") for point in importlib.metadata.entry_points(group=group)]
    commands = {point.name.replace("_", " "): point for point in points}
    return {name: point for name, point in commands.items() if point.group == "openstack.network.v2" or name in MORE}


class Names:
    """Ids as they are called in the transcript."""

    def __init__(self):
        self.ids = {}

    def plain(self, text):
        text = TIME.sub("<time>", MAC.sub("<mac>", text))
        return UUID.sub(lambda found: self.ids.get(found[0].replace("-", ""), "<id>"), text)

    def learn(self, text):
        for found in UUID.finditer(text):
            self.ids.setdefault(found[0].replace("-", ""), f"<id {len(self.ids) + 1}>")

    def value(self, name, value):
        if name.lower().replace("_", " ") in VOLATILE:
            return "…"
        return value if isinstance(value, str) else json.dumps(self.sorted(value), sort_keys=True, ensure_ascii=False)

    def key(self, text):
        """What an order may depend on: not on ids that come up here for the first time."""
        return UUID.sub("", text), self.plain(text)

    def sorted(self, value):
        """The same with lists in an order that does not depend on ids."""
        if isinstance(value, dict):
            return {name: self.sorted(member) for name, member in value.items()}
        if isinstance(value, list):
            return sorted(map(self.sorted, value), key=lambda item: self.key(json.dumps(item, sort_keys=True)))
        return value

    def lines(self, document):
        """A document as lines: a member on each, or a record of a list on each, in an order that does not depend on ids."""
        if isinstance(document, dict):
            lines = [f"{name}: {self.value(name, value)}" for name, value in document.items()]
        else:
            rows = [", ".join(f"{name}: {self.value(name, value)}" for name, value in row.items()) for row in document]
            lines = ["- " + row for row in sorted(rows, key=self.key)]
        for line in lines:
            self.learn(line)
        return ["    " + self.plain(line) for line in lines]


def run(words, is_shown):
    """Exit status and what is printed."""
    out, err = io.StringIO(), io.StringIO()
    words = words + ["-f", "json"] if is_shown else words
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        app = shell.OpenStackShell()
        app.stdout, app.stderr = out, err
        try:
            status = app.run(words)
        except SystemExit as exit:
            status = exit.code
    logging.getLogger().handlers.clear()
    return status, out.getvalue(), err.getvalue()


def main(commands, left_out, transcript):
    warnings.simplefilter("ignore")
    log_in_once()
    there, tried, names, variables, faults = known(), set(), Names(), {}, []
    with open(transcript, "w", encoding="utf-8") as written:
        for line in open(commands, encoding="utf-8"):
            line = line.strip()
            if not line or line.startswith("#"):
                written.write(line + "\n")
                continue
            name, _, command = line.partition(" = ") if re.match(r"\w+ = ", line) else ("", "", line)
            must_fail, command = command.startswith("! "), command.removeprefix("! ")
            words = shlex.split(re.sub(r"\$(\w+)", lambda found: variables.get(found[1], "none"), command))
            verb = max((known for known in there if words[:len(known.split())] == known.split()), key=len, default="")
            tried.add(verb)
            is_shown = verb and issubclass(there[verb].load(), display.DisplayCommandBase)
            status, out, err = run(words, is_shown)
            document = json.loads(out) if is_shown and status == 0 and out.strip() else None
            written.write(f"$ openstack {command}\n")
            if bool(status) != must_fail:
                faults.append(f"openstack {' '.join(words)}: {status} {err.strip()}")
            if must_fail:
                names.learn(err)
                written.write(f"    {names.plain(err.strip().splitlines()[-1])}\n")
            if document is not None:
                written.writelines(line + "\n" for line in names.lines(document))
            if name and document is not None:
                row = document[0] if isinstance(document, list) else document
                variables[name] = row.get("id") or row["ID"]
    excused = {line.split(":")[0].strip() for line in open(left_out, encoding="utf-8") if line.strip() and not line.startswith("#")}
    faults += [f"`{command}` is neither tried nor left out" for command in sorted(set(there) - tried - excused)]
    faults += [f"`{command}` is left out, but is no command or is tried" for command in sorted(excused & tried | excused - set(there))]
    print("\n".join(faults))
    return bool(faults)


sys.exit(main(*sys.argv[1:]))
