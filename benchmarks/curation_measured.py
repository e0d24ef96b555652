"""One method over one corpus in a process of its own: what it found, the CPU time it took and the memory it held.

    python -m benchmarks.curation_measured deduplicate rensa-words STORED CORPUS OUT

The CPU time is that of the method with all its processes, from the first row read to the last finding; imports and
start are not in it. The peak is that of the whole process (of the largest one where there are several).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.curation_peers import DECONTAMINATE, DEDUPLICATE

__all__ = ["OURS", "Absent", "Found", "Measured", "main", "measured"]

OURS = "reasonry"


@dataclass(frozen=True, slots=True)
class Found:
    """A row that left or was marked: by which rule, and because of which other row."""

    place: int
    other: str | int | None
    rule: str = ""
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What a method found and what it cost."""

    name: str
    cpu_s: float
    peak_mb: float
    found: list[Found]


@dataclass(frozen=True, slots=True)
class Absent:
    """A method that could not run here, and why."""

    name: str
    reason: str


def measured(task: str, name: str, stored: Path, corpus: Path, *, python: str = sys.executable) -> Measured | Absent:
    """Run a method in a fresh process."""
    out = stored / f"{task}-{name}.jsonl"
    command = [python, "-m", "benchmarks.curation_measured", task, name, str(stored), str(corpus), str(out)]
    root = Path(__file__).parents[1]
    modules = os.pathsep.join([str(root), str(root / "src")])
    environment = {**os.environ, "PYTHONPATH": modules, "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root, env=environment)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        return Absent(name, f"exit {done.returncode}: {said[:200]}")
    cost, *lines = out.read_text(encoding="utf-8").splitlines()
    return Measured(name, **json.loads(cost), found=[Found(**json.loads(line)) for line in lines])


def _cpu() -> float:
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))


def _peak_mb() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return max(_own_peak_mb(), children)


def _own_peak_mb() -> float:
    """The most memory this process has held. Linux counts its parent's into `ru_maxrss`, which /proc does not."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _ours(task: str, stored: Path, corpus: Path) -> Iterator[dict[str, Any]]:
    from benchmarks.curation_ours import decontaminated, deduplicated

    return deduplicated(stored) if task == "deduplicate" else decontaminated(stored, corpus)


def _peer(task: str, name: str, stored: Path, corpus: Path) -> Iterator[dict[str, Any]]:
    method = (DEDUPLICATE if task == "deduplicate" else DECONTAMINATE)[name]
    return ({"place": finding.place, "other": finding.other} for finding in method(stored, corpus))


def _findings(task: str, name: str, stored: Path, corpus: Path) -> Iterable[dict[str, Any]]:
    return _ours(task, stored, corpus) if name == OURS else _peer(task, name, stored, corpus)


def main(arguments: Sequence[str]) -> int:
    task, name, stored, corpus, out = arguments
    if name == OURS:
        from benchmarks.curation_ours import prepare

        prepare(task)
    start = _cpu()
    found = list(_findings(task, name, Path(stored), Path(corpus)))
    cost = {"cpu_s": _cpu() - start, "peak_mb": _peak_mb()}
    Path(out).write_text("\n".join(json.dumps(row) for row in (cost, *found)) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
