"""Hostile inputs against our `math` verifier: none may hang, raise, fill the memory, or be executed.

```
python -m benchmarks.pathological [--data DATA] [--only TEXT] [--math-verify] [--json FILE]
```

The inputs are the rows of `shared/data/maths/pathological.jsonl` and those that `verify_math.hostile` makes, each as a
boxed answer, as a whole response, as the reference, and against itself plus one. CPU time decides, so that a busy
machine fails nobody; wall time is printed too, and 10 s of it end an input. Exit code 0 when every bar holds, 1 when
one does not, 2 when the shared rows are not there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.verify_math.data import find_data, rows_of
from benchmarks.verify_math.hostile import hostile
from benchmarks.verify_math.peers import Grader
from benchmarks.verify_math.process import Process
from benchmarks.verify_math.tree import PeakWatch

__all__ = ["Probe", "failures", "probes", "run"]

PLACES = ("boxed", "response", "reference", "answer", "judged reference", "both")
LIMIT_S = 10.0  # wall time of one input, then it is killed
BEFORE_SYMBOLIC_MS = 50.0  # CPU time
WITH_SYMBOLIC_MS = 2_000.0  # CPU time
MEMORY_MB = 100.0  # of the whole process, libraries included
SLOWEST = 12  # rows that the table shows


@dataclass(frozen=True, slots=True)
class Probe:
    """What one input did in one place."""

    name: str
    place: str
    status: str
    compared: str = ""
    raised: str = ""
    cpu_ms: float = 0.0
    wall_ms: float = 0.0
    peak_mb: float = 0.0
    executed: bool = False

    @property
    def limit_ms(self) -> float:
        return WITH_SYMBOLIC_MS if self.compared == "symbolic" else BEFORE_SYMBOLIC_MS

    @property
    def is_slow(self) -> bool:
        return self.cpu_ms > self.limit_ms or self.status == "killed"


def probes(data: Path, marker: Path) -> Iterator[dict[str, Any]]:
    """Every request to the probing process: our own inputs by name, the shared ones by their text."""
    for name in hostile(marker):
        yield from ({"name": name, "place": place} for place in PLACES)
    for row in rows_of(data / "maths" / "pathological.jsonl"):
        shared: dict[str, Any] = {"name": f"shared: {row['id']}"}
        yield from ({**shared, "place": p, "text": row["response"], "other": row["answer"]} for p in PLACES[:5])
        yield {**shared, "place": "boxed", "text": row["answer"], "other": row["response"]}


def run(requests: list[dict[str, Any]], marker: Path, limit_s: float = LIMIT_S) -> list[Probe]:
    """Put every request to a process that is killed after `limit_s`."""
    found = list[Probe]()
    command = [sys.executable, "-m", "benchmarks.verify_math.probe", str(marker)]
    with Process(command, limit_s) as process:
        for request in requests:
            probe = _probe(process, request, limit_s, marker)
            if probe.is_slow and probe.status != "killed":  # once more: the machine may have been at something else
                again = _probe(process, request, limit_s, marker)
                probe = min(probe, again, key=lambda one: one.cpu_ms)
            found.append(probe)
    return found


def _probe(process: Process, request: dict[str, Any], limit_s: float, marker: Path) -> Probe:
    reply = process.ask(request)
    executed = marker.exists()
    marker.unlink(missing_ok=True)
    name, place = request["name"], request["place"]
    if reply is None:
        return Probe(name, place, "killed", cpu_ms=1e3 * limit_s, wall_ms=1e3 * limit_s, executed=executed)
    if "error" in reply:
        return Probe(name, place, "raised", raised=reply["error"], executed=executed)
    known = {
        key: reply[key] for key in ("status", "compared", "raised", "cpu_ms", "wall_ms", "peak_mb") if key in reply
    }
    return Probe(name, place, **known, executed=executed)


def failures(found: list[Probe], watched_mb: float = 0.0) -> list[str]:
    """The bars that were missed, in words. `watched_mb` is the most that a helper's child was seen to hold."""
    missed = [f"{p.name} ({p.place}): {p.cpu_ms:.0f} ms, limit {p.limit_ms:.0f}" for p in found if p.is_slow]
    missed += [f"{p.name} ({p.place}): raised {p.raised}" for p in found if p.raised]
    missed += [f"{p.name} ({p.place}): was executed" for p in found if p.executed]
    peak = max((p.peak_mb for p in found), default=0.0)
    if peak > MEMORY_MB:
        first = next(p for p in found if p.peak_mb > MEMORY_MB)
        missed.append(f"memory: {peak:.0f} MB, above {MEMORY_MB:.0f} since {first.name} ({first.place})")
    elif watched_mb > MEMORY_MB:
        missed.append(f"memory: a helper of the verifier held {watched_mb:.0f} MB, above {MEMORY_MB:.0f}")
    return missed


def _show(found: list[Probe], watched_mb: float) -> None:
    inputs = len({p.name for p in found})
    peak = max(watched_mb, *(p.peak_mb for p in found))
    print(f"{inputs} inputs, {len(found)} calls of the verifier; peak memory of a process {peak:.0f} MB")
    print("verdicts: " + ", ".join(f"{name} {n}" for name, n in sorted(Counter(p.status for p in found).items())))
    before = [p for p in found if p.compared != "symbolic"]
    for title, some in (("before the symbolic rung", before), ("with it", [p for p in found if p not in before])):
        if some:
            slow, worst = sum(p.is_slow for p in some), max(p.cpu_ms for p in some)
            print(f"{title}: {len(some)} calls, slowest {worst:.1f} ms of CPU, {slow} above the limit")
    print(f"\n{'CPU ms':>9}{'wall ms':>10}{'MB':>7}  {'verdict':<11}{'compared':<12}input")
    for p in sorted(found, key=lambda one: -one.cpu_ms)[:SLOWEST]:
        figures = f"{p.cpu_ms:>9.1f}{p.wall_ms:>10.1f}{p.peak_mb:>7.0f}"
        print(f"{figures}  {p.status:<11}{p.compared:<12}{p.name} ({p.place})")


def _rival(data: Path) -> None:
    """How long Math-Verify, with its own timeouts of 5 s, takes for the shared rows."""
    slow, hung, rows = 0, 0, list(rows_of(data / "maths" / "pathological.jsonl"))
    with Grader("math-verify", limit_s=3 * LIMIT_S) as grader:
        for row in rows:
            start = time.monotonic()
            hung += grader.grade(row["answer"], row["response"]).outcome == "hung"
            slow += time.monotonic() - start > 4.9
        print(f"math-verify {grader.version}: {slow} of {len(rows)} shared rows took 5 s or more, {hung} were killed")


def main(arguments_given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pathological", description="Hostile mathematics")
    parser.add_argument("--data", type=Path, default=find_data())
    parser.add_argument("--only", default="", help="inputs whose name contains this")
    parser.add_argument("--math-verify", action="store_true", help="time Math-Verify on the shared rows too (minutes)")
    parser.add_argument("--json", type=Path, help="write every call's figures to this file")
    arguments = parser.parse_args(arguments_given)
    if not (arguments.data / "maths" / "pathological.jsonl").is_file():
        print(f"error: no maths/pathological.jsonl in {arguments.data}", file=sys.stderr)
        print("\nhint: name the folder that holds maths/ with --data", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        marker = Path(scratch) / "executed"
        requests = [one for one in probes(arguments.data, marker) if arguments.only in one["name"]]
        with PeakWatch() as watch:
            found = run(requests, marker)
    _show(found, watch.peak_mb)
    missed = failures(found, watch.peak_mb)
    print("\n" + "\n".join(f"MISSED  {line}" for line in missed) if missed else "\nall bars hold")
    if arguments.math_verify:
        _rival(arguments.data)
    if arguments.json:
        report = {"probes": [asdict(p) for p in found], "watched_mb": watch.peak_mb, "missed": missed}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
