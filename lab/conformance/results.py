"""What became of a run: failures and skips with their reasons, then one line of counts.

results.py SUBUNIT IDS JSON: reads the stream and the ids that were asked for, writes id, status, seconds and reason of each to JSON. Fails
when a test did.
"""
import collections
import json
import pathlib
import re
import sys

import subunit
import testtools

stream, asked, out = map(pathlib.Path, sys.argv[1:4])
CLASS = re.compile(r"^(?:setUpClass|tearDownClass) \((.*)\)$")
ERROR = re.compile(r"^[\w.]+(Exception|Error|Mismatch\w*|Conflict|NotFound|Forbidden|BadRequest|Unauthorized|Fault|InvalidConfiguration)\b")
cases = {}


def reason(details):
    """Why a test was skipped, or the last lines of the traceback that say what was wrong."""
    if "reason" in details:
        return details["reason"].as_text()
    text = "\n".join(detail.as_text() for name, detail in details.items() if "trace" in name)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = next((at for at in range(len(lines) - 1, -1, -1) if ERROR.match(lines[at])), len(lines) - 1)
    return " ".join(lines[last:last + 3])[:500] if lines else ""


def note(case):
    if case["status"] == "exists":
        return
    times = [time for time in case["timestamps"] if time]
    seconds = (times[-1] - times[0]).total_seconds() if len(times) == 2 else None
    cases[case["id"]] = {"status": case["status"], "seconds": seconds,
                         "reason": "" if case["status"] == "success" else reason(case["details"])}


result = testtools.StreamToDict(note)
result.startTestRun()
with open(stream, "rb") as source:
    subunit.ByteStreamToStreamResult(source).run(result)
result.stopTestRun()

# Tests of a class that could not be set up have no word of their own.
classes = {match[1]: case for test, case in cases.items() if (match := CLASS.match(test))}
rows = {}
for test in asked.read_text().split():
    of_class = classes.get(re.sub(r"\[.*", "", test).rsplit(".", 1)[0])
    rows[test] = cases.get(test) or of_class or {"status": "fail", "seconds": None, "reason": "did not run"}
for test, case in rows.items():
    if case["status"] not in ("success", "skip", "xfail"):
        print(f"FAILED {re.sub(r'[[].*', '', test)}\n    {case['reason']}")
skipped = collections.Counter(case["reason"] for case in rows.values() if case["status"] == "skip")
for why, count in skipped.most_common():
    print(f"skipped {count}: {why}")
out.write_text(json.dumps(rows, indent=1))
counts = collections.Counter({"success": "passed", "xfail": "passed", "skip": "skipped"}.get(case["status"], "failed") for case in rows.values())
print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
sys.exit(1 if counts["failed"] else 0)
