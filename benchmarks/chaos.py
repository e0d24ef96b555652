"""A run against an endpoint in chaos, killed ten times: is anything lost, paid twice, or different in the end?

Of the tries, 10% are refused with 429, 5% with 500, 5% are cut in the middle, 2% hang, 2% are not JSON and 1% are
empty. Meanwhile the run is killed (SIGKILL) at moments drawn by its progress, the last one after the teacher is done,
and started again with the same command. Checked in the end:

- every question has all its samples, or a drop that says why not;
- the endpoint's own count, request by request: one answer, and one more for each kill that found the answer sent
  and not yet in the ledger. At no kill were these more than could be in flight;
- within the life of one process nothing is answered twice;
- the digests of all tables are those of a calm run, without faults and kills.

    python -m benchmarks.chaos

Measured on 2026-11-25 (2 cores): 5,000 requests in 33 s, calm 4.6 s; 1,574 failed tries, 119 answers sent again after
a kill, 0 drops, all checks hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.endpoints import endpoint_program, is_quiet_within, stats_of
from reasonry.ledger import Ledger
from reasonry.sections import DistilSection
from reasonry.store import Store
from reasonry.teachers.simulator.bodies import request_digest
from reasonry.teachers.simulator.faults import FaultOptions
from reasonry.types import Drop, Question, Trace

__all__ = ["Chaos", "Kill", "Setting", "calm_run", "chaotic_run", "problems_of"]

MODEL = "simulated-v1"
STAGES = ("collect", "curate", "distil", "verify", "select", "publish")
RECIPE = """\
name = "chaos"
seed = 5

[[questions]]
source = "procedural"
family = "chain_sum"
count = {questions}
verifier = "steps"

[distil]
teacher = "openai"
model = "{model}"
served_by = "the simulated endpoint"
samples = {samples}
concurrency = {concurrency}
attempts = 12
retry_wait_s = 0.05
timeout_s = {timeout_s}

[publish]
"""
_POLL_S = 0.02
_LONGEST_RUN_S = 1200.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How large the run is, how often it is killed, and how long it waits for a hanging connection."""

    questions: int = 2500
    samples: int = 2
    kills: int = 10
    concurrency: int | str = 64
    timeout_s: float = 5.0
    seed: int = 1

    @property
    def requests(self) -> int:
        return self.questions * self.samples

    @property
    def most_in_flight(self) -> int:
        return self.concurrency if isinstance(self.concurrency, int) else DistilSection(teacher="").most_in_flight

    @property
    def recipe(self) -> str:
        return RECIPE.format(
            questions=self.questions,
            samples=self.samples,
            model=MODEL,
            concurrency=json.dumps(self.concurrency),
            timeout_s=float(self.timeout_s),
        )

    def moments(self) -> list[int | None]:
        """When to kill: at so many requests answered, one moment in each part of the run; None: in a later stage."""
        generator = random.Random(self.seed)
        early = self.kills - 1
        return [*(int((i + generator.random()) / early * self.requests) for i in range(early)), None][-self.kills :]


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill. `unrecorded` are the requests answered in that life which the ledger did not have yet."""

    answered: int
    in_flight: int
    seconds: float
    unrecorded: frozenset[str]
    answered_again: int


@dataclass(slots=True)
class Chaos:
    """What came of a run. `counts` are the endpoint's: how often each request was answered.

    `digests` are of all tables of a stage, each after its key: two tables of one stage would be one too many.
    """

    seconds: float = 0.0
    digests: dict[str, str] = field(default_factory=dict[str, str])
    kills: list[Kill] = field(default_factory=list[Kill])
    counts: Counter[str] = field(default_factory=Counter[str])
    faults: dict[str, int] = field(default_factory=dict[str, int])
    attempts: Counter[str] = field(default_factory=Counter[str])
    unaccounted: list[str] = field(default_factory=list[str])
    drops: int = 0


def calm_run(folder: Path, setting: Setting) -> Chaos:
    """The run against an endpoint without faults, from beginning to end."""
    with endpoint_program("--seed", "7") as base_url:
        start = time.monotonic()
        _finish(_start(base_url, folder, setting))
        return _outcome(base_url, folder, setting, time.monotonic() - start, [])


def chaotic_run(folder: Path, setting: Setting, **faults: Any) -> Chaos:
    """The run against an endpoint in chaos, killed and started again; `faults` change the mode's table."""
    table = FaultOptions.model_validate({"mode": "chaos", "hang_s": 10 * setting.timeout_s, **faults})
    with endpoint_program("--seed", "7", "--faults", table.model_dump_json()) as base_url:
        start = time.monotonic()
        kills = list(_kills(base_url, folder, setting))
        _finish(_start(base_url, folder, setting))
        return _outcome(base_url, folder, setting, time.monotonic() - start, kills)


def _kills(base_url: str, folder: Path, setting: Setting) -> Iterator[Kill]:
    before = Counter[str]()
    for moment in setting.moments():
        start = time.monotonic()
        process = _start(base_url, folder, setting)
        in_flight = _wait_for(moment, process, base_url, folder)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if not is_quiet_within(base_url, 30.0):
            raise RuntimeError("the endpoint still serves a client that was killed")
        counts = Counter[str](stats_of(base_url, brief=False)["requests"])
        life, before = counts - before, counts
        yield Kill(
            answered=len(counts),
            in_flight=in_flight,
            seconds=time.monotonic() - start,
            unrecorded=frozenset(life.keys() - _recorded(folder)),
            answered_again=sum(count - 1 for count in life.values()),
        )


def _wait_for(moment: int | None, process: subprocess.Popen[str], base_url: str, folder: Path) -> int:
    """Wait for a moment of the run; how many requests the endpoint then had."""
    while process.poll() is None:
        stats = stats_of(base_url)
        is_there = stats["distinct"] >= moment if moment is not None else _is_sealed(folder, "distil")
        if is_there:
            return stats["in_flight"]["now"]
        time.sleep(_POLL_S)
    _, errors = process.communicate()
    raise RuntimeError(f"the run ended with {process.returncode} before it could be killed: {errors}")


def _is_sealed(folder: Path, stage: str) -> bool:
    return any((folder / "out" / "tables" / stage).glob("*/manifest.json"))


def _outcome(base_url: str, folder: Path, setting: Setting, seconds: float, kills: Sequence[Kill]) -> Chaos:
    stats = stats_of(base_url, brief=False)
    store = Store(folder / "out" / "tables")
    tables = {stage: store.manifests(stage) for stage in STAGES}
    manifests = {stage: found[0] for stage, found in tables.items()}
    with Ledger(folder / "out" / "ledger.sqlite") as ledger:
        attempts = Counter[str](entry.outcome for entry in ledger.entries())
    questions = [question.id for question in store.rows(manifests["curate"], Question)]
    drops = list(store.drops(manifests["distil"]))
    traces = list(store.rows(manifests["distil"], Trace))
    return Chaos(
        seconds=seconds,
        digests={stage: " ".join(f"{one.key}:{one.digest}" for one in found) for stage, found in tables.items()},
        kills=list(kills),
        counts=Counter(stats["requests"]),
        faults=stats["faults"],
        attempts=attempts,
        unaccounted=_unaccounted(questions, traces, drops, setting),
        drops=len(drops),
    )


def _unaccounted(
    questions: Sequence[str], traces: Sequence[Trace], drops: Sequence[Drop], setting: Setting
) -> list[str]:
    """The samples that ended neither as a trace nor as a drop with a reason, and questions that went missing."""
    known = {f"{trace.question_id}#{trace.index}" for trace in traces}
    known |= {drop.row_id for drop in drops if drop.reason}
    wanted = [f"{question}#{index}" for question in questions for index in range(setting.samples)]
    missing = setting.questions - len(questions)
    return [name for name in wanted if name not in known] + ["a question"] * max(0, missing)


def _recorded(folder: Path) -> set[str]:
    """The requests that the ledger has an answer to, by the endpoint's name of them."""
    path = folder / "out" / "ledger.sqlite"
    if not path.exists():
        return set()
    with Ledger(path) as ledger:
        return {_digest_of(json.loads(entry.request)) for entry in ledger.entries() if entry.outcome == "answered"}


def _digest_of(request: Mapping[str, Any]) -> str:
    """Of a request as the ledger keeps it: the client sends these fields, and the recipe sets no others."""
    return request_digest({"model": MODEL, "messages": request["messages"], "seed": request["sampling"]["index"]})


def _start(base_url: str, folder: Path, setting: Setting) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "recipe.toml"
    recipe.write_text(setting.recipe, encoding="utf-8")
    command = [sys.executable, "-m", "reasonry", "run", str(recipe), "--out", str(folder / "out"), "--json", "--quiet"]
    env = {**os.environ, "OPENAI_BASE_URL": base_url}  # its port differs; `served_by` is what enters the keys
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, start_new_session=True, env=env)


def _finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=_LONGEST_RUN_S)
    if process.returncode != 0:
        raise RuntimeError(f"the run ended with {process.returncode}: {errors}")


def problems_of(chaos: Chaos, calm: Chaos, setting: Setting) -> list[str]:
    """Every promise that was broken, in words."""
    unrecorded = Counter(asked for kill in chaos.kills for asked in kill.unrecorded)
    expected = {asked: 1 + unrecorded[asked] for asked in chaos.counts}
    wrong = [asked for asked, count in chaos.counts.items() if count != expected[asked]]
    found = [f"{what} unaccounted for" for what in chaos.unaccounted[:3]]
    if chaos.digests != calm.digests:
        different = [stage for stage in STAGES if chaos.digests.get(stage) != calm.digests.get(stage)]
        found.append(f"tables differ from the calm run's: {', '.join(different)}")
    if wrong:
        found.append(f"{len(wrong)} requests answered more often than the kills explain, or less")
    if not chaos.drops and len(chaos.counts) != setting.requests:
        found.append(f"{len(chaos.counts)} requests answered, not {setting.requests}")
    for number, kill in enumerate(chaos.kills, 1):
        if len(kill.unrecorded) > setting.most_in_flight:
            found.append(f"kill {number}: {len(kill.unrecorded)} answers not recorded, more than in flight")
        if kill.answered_again:
            found.append(f"kill {number}: {kill.answered_again} answers sent twice in one life")
    return found


def main() -> None:
    given = Setting()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--questions", type=int, default=given.questions)
    parser.add_argument("--samples", type=int, default=given.samples)
    parser.add_argument("--kills", type=int, default=given.kills)
    parser.add_argument("--concurrency", default=str(given.concurrency), help="a number, or auto")
    parser.add_argument("--seed", type=int, default=given.seed)
    parser.add_argument("--keep", type=Path, help="a new folder in which both runs stay")
    chosen = parser.parse_args()
    concurrency = int(chosen.concurrency) if chosen.concurrency.isdigit() else chosen.concurrency
    setting = Setting(chosen.questions, chosen.samples, chosen.kills, concurrency, given.timeout_s, chosen.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        calm = calm_run(folder / "calm", setting)
        print(f"calm: {setting.requests:,} requests in {calm.seconds:.1f} s, {calm.attempts.total():,} attempts")
        chaos = chaotic_run(folder / "chaos", setting)
    _show(chaos, setting)
    problems = problems_of(chaos, calm, setting)
    print("\n".join(f"FAILED: {problem}" for problem in problems) or "all checks hold")
    sys.exit(1 if problems else 0)


def _show(chaos: Chaos, setting: Setting) -> None:
    print("kill | after answers | in flight | answered, not in the ledger | twice in one life | seconds of life")
    for number, kill in enumerate(chaos.kills, 1):
        print(
            f"{number:4} | {kill.answered:13,} | {kill.in_flight:9} | {len(kill.unrecorded):27} | "
            f"{kill.answered_again:17} | {kill.seconds:15.1f}"
        )
    again = chaos.counts.total() - len(chaos.counts)
    failed = chaos.attempts["failed"]
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(chaos.faults.items()))
    print(f"chaos: {setting.requests:,} requests in {chaos.seconds:.1f} s with {len(chaos.kills)} kills")
    print(f"answers sent {chaos.counts.total():,}: {len(chaos.counts):,} requests, {again} of them again after a kill")
    print(f"faults met: {faults}")
    print(f"attempts in the ledger: {chaos.attempts['answered']:,} answered, {failed:,} failed; drops: {chaos.drops}")


if __name__ == "__main__":
    main()
