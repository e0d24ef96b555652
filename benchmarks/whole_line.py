"""The whole line without a teacher to pay: collect, curate, replay, verify, select, publish, over a corpus of traces.

    python -m benchmarks.corpus CORPUS --rows 173000             # questions and 3.5 GB of traces, once
    python -m benchmarks.whole_line CORPUS --folder FOLDER       # one run, and the memory of all its processes
    python -m benchmarks.whole_line CORPUS --folder FOLDER --kill  # then another, killed once in every stage

Memory is the sum of the proportional set sizes (PSS: what is shared counts once) of the run and its workers, twice a
second. A kill is `kill -9` of the run at a moment of the stage that a seed decides, as a share of the time that the
stage took undisturbed; the same command then goes on. At the end the digests of both runs must be the same, and no
stage that was sealed may have been done again.

The bar (issue 6), at 173,000 questions on 2 cores: under 15 minutes, under 2 GB, equal digests. 1 is returned where one
of them is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Killed", "Watched", "main", "run_once", "run_with_kills"]

STAGES = ("collect", "curate", "distil", "verify", "select", "publish")
_BAR_S = 15 * 60.0
_BAR_MB = 2000.0
_SAMPLE_S = 0.5


@dataclass(slots=True)
class Watched:
    """A run that ended. Memory in MB by the stage that was under way, of all its processes together."""

    facts: dict[str, Any]
    seconds: float
    cpu_s: float
    memory_mb: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def peak_mb(self) -> float:
        return max(self.memory_mb.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill: in which stage, and how long after it began."""

    stage: str
    after_s: float


def run_once(corpus: Path, folder: Path, settings: Sequence[str] = ()) -> Watched:
    """Run the corpus's recipe to its end. Raises RuntimeError where it fails."""
    start, before = time.perf_counter(), _children_cpu_s()
    process = _start(corpus, folder, settings)
    memory: dict[str, float] = {}
    watcher = threading.Thread(target=_watch, args=(process, folder, memory), daemon=True)
    watcher.start()
    facts = _finish(process)
    watcher.join()
    return Watched(facts, time.perf_counter() - start, _children_cpu_s() - before, memory)


def run_with_kills(
    corpus: Path, folder: Path, calm: Watched, seed: int, settings: Sequence[str] = ()
) -> tuple[Watched, list[Killed]]:
    """Run the recipe again, with `kill -9` once in each stage; `calm` says how long each takes."""
    dice = random.Random(seed)
    took = {stage["stage"]: stage["seconds"] for stage in calm.facts["stages"]}
    kills: list[Killed] = []
    for stage in STAGES:
        process = _start(corpus, folder, settings)
        after_s = dice.random() * took[stage]
        if _wait_into(process, folder, stage, after_s):
            os.kill(process.pid, signal.SIGKILL)
            kills.append(Killed(stage, after_s))
        process.communicate()
    return run_once(corpus, folder, settings), kills


def problems_of(calm: Watched, again: Watched, kills: Sequence[Killed]) -> list[str]:
    """What the two runs must have in common."""
    problems: list[str] = []
    if again.facts["digest"] != calm.facts["digest"]:
        problems.append("the killed run has another digest")
    if missed := sorted(set(STAGES) - {kill.stage for kill in kills}):
        problems.append(f"no kill came in time in: {', '.join(missed)}")
    redone = [s["stage"] for s in again.facts["stages"] if not s["cached"] and s["stage"] != STAGES[-1]]
    if redone:
        problems.append(f"sealed, and done again all the same: {', '.join(redone)}")
    return problems


def _start(corpus: Path, folder: Path, settings: Sequence[str]) -> subprocess.Popen[str]:
    sets = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "reasonry", "run", str(corpus / "recipe.toml"), "--out", str(folder), "--json"]
    log = (folder.parent / f"{folder.name}.log").open("a", encoding="utf-8")
    with log:
        return subprocess.Popen([*command, *sets], stdout=subprocess.PIPE, stderr=log, text=True)


def _finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    if process.returncode not in (0, 3):
        raise RuntimeError(f"the run ended with {process.returncode}; its log is beside its folder")
    return json.loads(out)


def _wait_into(process: subprocess.Popen[str], folder: Path, stage: str, seconds: float) -> bool:
    """Until the stage has been under way for so long. False where the run ended before."""
    while not any((folder / "tables" / stage).glob("*.partial")):
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _watch(process: subprocess.Popen[str], folder: Path, memory: dict[str, float]) -> None:
    while process.poll() is None:
        stage = _under_way(folder)
        memory[stage] = max(memory.get(stage, 0.0), sum(map(_pss_mb, _family(process.pid))))
        time.sleep(_SAMPLE_S)


def _under_way(folder: Path) -> str:
    """The stage whose table is being written."""
    for stage in STAGES:
        if any((folder / "tables" / stage).glob("*.partial")):
            return stage
    return "between"


def _family(root: int) -> Iterator[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += parents.get(process, [])


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it ended meanwhile


def _pss_mb(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def main() -> int:
    given = _parser().parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    calm = run_once(given.corpus, given.folder / "calm", given.set)
    _show(calm)
    problems: list[str] = []
    if calm.seconds > _BAR_S:
        problems.append(f"more than {_BAR_S:.0f} s")
    if calm.peak_mb > _BAR_MB:
        problems.append(f"more than {_BAR_MB:.0f} MB")
    if given.kill:
        again, kills = run_with_kills(given.corpus, given.folder / "killed", calm, given.seed, given.set)
        print("\nkilled: " + ", ".join(f"{kill.stage} after {kill.after_s:.1f} s" for kill in kills))
        print(f"digest  {calm.facts['digest']} undisturbed\n        {again.facts['digest']} killed and resumed")
        problems += problems_of(calm, again, kills)
    for problem in problems:
        print(f"MISSED: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="for the runs; some 10 GB at 173,000 rows")
    parser.add_argument("--kill", action="store_true", help="then run again, killed once in each stage")
    parser.add_argument("--seed", type=int, default=7, help="of the moments of the kills")
    parser.add_argument("--set", action="append", default=[], help="as for `reasonry run`")
    return parser


def _show(run: Watched) -> None:
    print("| stage | rows in | rows out | seconds | peak memory, MB |\n|---|---:|---:|---:|---:|")
    for stage in run.facts["stages"]:
        memory = run.memory_mb.get(stage["stage"], 0.0)
        rows = f"{stage['rows_in']:,} | {stage['rows_out']:,}"
        print(f"| {stage['stage']} | {rows} | {stage['seconds']:.1f} | {memory:,.0f} |")
    print(f"| all |  |  | {run.seconds:.1f} ({run.cpu_s:.0f} of CPU) | {run.peak_mb:,.0f} |")


if __name__ == "__main__":
    sys.exit(main())
