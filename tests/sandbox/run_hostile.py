"""Run hostile programs in a sandbox and print what became of them: `python -m tests.sandbox.run_hostile TIER SET`.

SET is `own` or the path of a JSON file of the same fields. Printed is one JSON list of
`[name, expected, ended, what is wrong with it]`, the last empty where all is well.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from reasonry.sandbox import Limits, Outcome, Sandbox, Tier
from tests.sandbox.hostile import HOSTILE, PAIRS

LIMITS = Limits(cpu_s=1.0, wall_s=3.0, memory_mb=512)
ENDINGS = {
    "ok": "ok",
    "wa": "ok",  # ends well, and has printed nothing that a test could take for right
    "rte": "runtime_error",
    "tle": "time_limit",
    "ole": "output_limit",
    "ce": "compile_error",
}
# Programs that stumble over having no folder to write to, or to go to, before they come to what they are about.
STUMBLES = {"dotdot_escape", "symlink_out", "tmp_persist_write"}
# Ends itself where its own number, the host's in tier B, is among those that it aims at.
MAY_END_ITSELF = {"kill_everyone"}
# Works for about as long as its CPU limit before it overflows: which comes first is the machine's matter.
MAY_TAKE_TOO_LONG = {"c_stack_overflow"}


class Program(NamedTuple):
    name: str
    source: str
    expected: str


def programs(which: str, tier: str) -> Iterator[Program]:
    if which == "own":
        for hostile in HOSTILE:
            bare = tier == "landlock" and hostile.expected_landlock
            yield Program(hostile.name, hostile.source, hostile.expected_landlock if bare else hostile.expected)
        return
    for row in json.loads(Path(which).read_text()):
        stumbles = tier == "landlock" and row["name"] in STUMBLES
        yield Program(row["name"], row["src"], "rte" if stumbles else row["exp"])


def wrong_with(program: Program, outcome: Outcome, sandbox: Sandbox) -> str:
    if outcome.tier == "landlock" and program.name in MAY_END_ITSELF and outcome.signal == signal.SIGKILL:
        return ""
    ends = {ENDINGS[program.expected], *(["time_limit"] if program.name in MAY_TAKE_TOO_LONG else [])}
    if outcome.ended not in ends:
        return f"ended {outcome.ended}, {outcome.stdout[-200:]!r} {outcome.stderr[-300:]!r}"
    if b"PWNED" in outcome.stdout + outcome.stderr:
        return f"a breach: {outcome.stdout[-300:]!r}"
    if program.expected == "wa" and outcome.stdout.split() == [b"42424242"]:
        return "a forgery that passes"
    if sandbox.deaths or sandbox.left_running:
        return f"{sandbox.deaths} boxes died, {sandbox.left_running} tests left something running"
    alive = sandbox.run("print(input())", stdin="alive", limits=LIMITS)
    return "" if alive.stdout == b"alive\n" else f"the box is not well: {alive}"


def main(tier: str, which: str) -> None:
    results: list[list[str]] = []
    with Sandbox(tier=cast(Tier, tier)) as sandbox:
        for program in programs(which, tier):
            outcome = sandbox.run(program.source, limits=LIMITS)
            results.append([program.name, program.expected, outcome.ended, wrong_with(program, outcome, sandbox)])
        for pair in PAIRS if which == "own" else ():
            sandbox.run(pair.first, limits=LIMITS)
            found = sandbox.run(pair.second, limits=LIMITS)
            wrong = f"found what was left: {found.stdout!r}" if b"PWNED" in found.stdout else ""
            results.append([f"after {pair.name}", "", found.ended, wrong])
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
