"""What became of a run: failures and skips with their reasons, then one line of counts.

results.py [--json FILE] [--failed FILE] IDS SUBUNIT…: the ids that were asked for, and the streams, of which a later one is the later word on a
test. JSON gets status, seconds and reason of each. With --failed the ids of failed tests are written to a file and nothing is said;
otherwise the exit status is 1 when a test failed.
"""
import argparse
import collections
import json
import pathlib
import re
import sys

import subunit
import testtools

CLASS = re.compile(r"^(?:setUpClass|tearDownClass) \((.*)\)$")
ERROR = re.compile(r"^[\w.]+(Exception|Error|Mismatch\w*|Conflict|NotFound|Forbidden|BadRequest|Unauthorized|Fault|InvalidConfiguration)\b")
PASSED, SKIPPED = ("success", "xfail"), ("skip",)


def reason(details):
    """Why a test was skipped, or the last lines of the traceback that say what was wrong."""
    if "reason" in details:
        return details["reason"].as_text()
    text = "\n".join(detail.as_text() for name, detail in details.items() if "trace" in name)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = next((at for at in range(len(lines) - 1, -1, -1) if ERROR.match(lines[at])), len(lines) - 1)
    return " ".join(lines[last:last + 3])[:500] if lines else ""


def read(stream):
    """The cases of a stream, by id."""
    cases = {}

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
    return cases


def word(test, cases):
    """The word of a stream on a test. Tests of a class that could not be set up have none of their own."""
    of_class = re.sub(r"\[.*", "", test).rsplit(".", 1)[0]
    return cases.get(test) or next((case for name, case in cases.items() if (match := CLASS.match(name)) and match[1] == of_class), None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--failed", type=pathlib.Path)
    parser.add_argument("ids", type=pathlib.Path)
    parser.add_argument("streams", nargs="+")
    args = parser.parse_args()
    streams = [read(stream) for stream in args.streams]
    nothing = {"status": "fail", "seconds": None, "reason": "did not run"}
    rows = {test: next((found for cases in reversed(streams) if (found := word(test, cases))), nothing) for test in args.ids.read_text().split()}
    failed = [test for test, case in rows.items() if case["status"] not in PASSED + SKIPPED]
    if args.failed:
        args.failed.write_text("".join(test + "\n" for test in failed))
        return 0
    for test in failed:
        print(f"FAILED {test.split('[')[0]}\n    {rows[test]['reason']}")
    skipped = collections.Counter(case["reason"] for case in rows.values() if case["status"] in SKIPPED)
    for why, count in skipped.most_common():
        print(f"skipped {count}: {why}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    passed = sum(case["status"] in PASSED for case in rows.values())
    print(f"{passed} passed, {len(failed)} failed, {sum(skipped.values())} skipped")
    return 1 if failed else 0


sys.exit(main())
