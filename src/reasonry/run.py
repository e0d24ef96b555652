"""Run: walk the plan, seal each table, hold the gates, write what a reader needs.

A run is a folder. What is sealed is never done again; what a killed run left unsealed is swept away and done
again, with paid answers coming from the ledger. Running the same recipe into the same folder resumes it.
"""

from __future__ import annotations

import fcntl
import json
import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reasonry import env
from reasonry.console import Console
from reasonry.errors import BudgetReached, GateMissed, ReasonryError, StoreError, UsageError, nearest_hint
from reasonry.executors.local import default_workers, given_workers
from reasonry.identity import canonical_json, digest
from reasonry.ledger import Ledger
from reasonry.plan import Step, make_plan, seal
from reasonry.recipe import Recipe
from reasonry.registry import Part, find
from reasonry.sections import GateSection
from reasonry.stages import collect, curate, distil, evaluate, publish, select, train, verify
from reasonry.stages.conditions import score_digest
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import Manifest, Store, is_file_of, write_durably
from reasonry.teachers.asking.spending import Budget
from reasonry.teachers.replicas import is_spread

__all__ = [
    "Gate",
    "RunResult",
    "StageOutcome",
    "default_workers",
    "hold_gates",
    "load_run",
    "locked",
    "refuse_foreign",
    "run",
    "score_of",
    "scores_of",
]

_STAGES: Mapping[str, tuple[Any, type[Any]]] = {
    "collect": (collect.collect, collect.ROWS),
    "curate": (curate.curate, curate.ROWS),
    "distil": (distil.distil, distil.ROWS),
    "verify": (verify.verify, verify.ROWS),
    "select": (select.select, select.ROWS),
    "publish": (publish.publish, publish.ROWS),
    "train": (train.train, train.ROWS),
    "evaluate": (evaluate.evaluate, evaluate.ROWS),
}


_SCORE = (
    "benchmark",
    "student",
    "untrained",
    "n",
    "accuracy",
    "low",
    "high",
    "truncated_rate",
    "unparsed_rate",
    "error_rate",
)


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """One stage of a run, as `run.json` and `--json` show it."""

    stage: str
    label: str
    key: str
    digest: str
    cached: bool
    rows_in: int
    rows_out: int
    dropped: Mapping[str, int]
    cost_usd: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate and what it found. `value` None: the figure does not exist in this run."""

    metric: str
    value: float | None
    min: float | None
    max: float | None
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that went to the end. `digest` names all its tables together."""

    run: str
    digest: str
    folder: Path
    stages: Sequence[StageOutcome]
    scores: Sequence[Mapping[str, Any]]
    gates: Sequence[Gate]

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "run": self.run,
            "digest": self.digest,
            "stages": [asdict(stage) for stage in self.stages],
            "scores": list(self.scores),
            "gates": [asdict(gate) for gate in self.gates],
        }


def run(
    recipe: Recipe,
    folder: Path,
    *,
    console: Console | None = None,
    workers: int | None = None,
    ledger: Path | None = None,
    sweep: bool = True,
    budget: Budget | None = None,
) -> RunResult:
    """Run a recipe into a folder, or resume it there.

    `budget` is shared with other runs, and takes the place of the recipe's own.

    `sweep` False: its tables are shared with other runs under way, and whoever shares them removes what killed runs
    left in them.

    Raises the stage's own error where one fails, BudgetReached at the budget, and UsageError where another
    process works in the folder. A missed gate is in the result; `hold_gates` turns it into GateMissed.
    """
    refuse_foreign(recipe, folder)
    with locked(folder):
        runner = _Runner(recipe, folder, console or Console(), workers or given_workers(), ledger, budget)
        if sweep:
            runner.store.sweep()
        return runner.run()


def hold_gates(result: RunResult) -> None:
    """Raise GateMissed where a gate of the run was missed."""
    missed = [gate for gate in result.gates if not gate.passed]
    if missed:
        raise GateMissed("gate missed: " + "; ".join(gate.detail for gate in missed), place=str(result.folder))


def load_run(folder: Path) -> dict[str, Any]:
    """What `run.json` says. Raises UsageError where the folder is no run."""
    try:
        facts: Any = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError("not the folder of a run", place=str(folder), hint="name the folder given to --out") from exc
    if not isinstance(facts, dict) or not {"run", "status", "stages", "scores", "gates"} <= set(facts):
        raise UsageError("run.json is not that of a run", place=str(folder), hint="run the recipe again")
    return facts


class _Runner:
    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        console: Console,
        workers: int | None,
        ledger: Path | None,
        budget: Budget | None,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.console = console
        self.workers = workers
        self.store = Store(folder / "tables")
        self.outcomes: list[StageOutcome] = []
        self.manifests: dict[str, Manifest] = {}
        self._ledger_path = ledger or Path(env.read("REASONRY_LEDGER") or folder / "ledger.sqlite")
        self._ledger: Ledger | None = None
        self._budget = budget or (Budget(recipe.budget.usd) if recipe.budget else None)
        self._started = time.time()

    def run(self) -> RunResult:
        for part in self._parts():
            if part.needs is not None:
                part.needs()
        steps = make_plan(self.recipe)
        try:
            self._write_run("running", [])
            self._write_recipe()
            for step in steps:
                self._do(step)
                self._write_run("running", [])
        except BaseException as exc:
            with suppress(StoreError):  # a full disk must not hide what went wrong first
                self._write_run(_status_of(exc), [])
            raise
        finally:
            if self._ledger is not None:
                self._ledger.close()
        gates = check_gates(self.recipe.gates, self.manifests)
        self._write_run("done" if all(gate.passed for gate in gates) else "gate_missed", gates)
        return RunResult(
            run=self.recipe.run_id,
            digest=self._digest(),
            folder=self.folder,
            stages=self.outcomes,
            scores=scores_of(self.manifests),
            gates=gates,
        )

    def _parts(self) -> list[Part]:
        recipe = self.recipe
        responders = recipe.distil.responders if recipe.distil else []
        teachers = [find("teacher", one.teacher) for one in responders if not is_spread(one, recipe.executor)]
        trainers = [find("trainer", section.trainer) for section in recipe.train]
        sources = [find("source", section.source) for section in recipe.questions]
        filters = [find("filter", section.filter) for section in recipe.curate.filters]
        filters += [find("trace_filter", section.filter) for section in recipe.select.filters]
        return [find("executor", recipe.executor), *sources, *filters, *teachers, *trainers]

    def _do(self, step: Step) -> None:
        start = time.perf_counter()
        manifest = self.store.sealed(step.stage, step.key)
        is_cached = manifest is not None and self._is_present(step, manifest)
        if manifest is None or not is_cached:
            manifest = self._work(step)
        elif self._budget is not None and self._budget.counts_paid:
            self._budget.add(manifest.cost_usd or 0.0)  # what a sealed stage cost is spent
        self.manifests[step.name] = manifest
        seconds = time.perf_counter() - start
        self.outcomes.append(
            StageOutcome(
                stage=step.stage,
                label=step.label,
                key=step.key,
                digest=manifest.digest,
                cached=is_cached,
                rows_in=manifest.rows_in,
                rows_out=manifest.rows_out,
                dropped=manifest.dropped,
                cost_usd=manifest.cost_usd,
                seconds=seconds,
            )
        )
        self.console.done(_line(step, manifest, is_cached, seconds))

    def _is_present(self, step: Step, manifest: Manifest) -> bool:
        """Whether what the manifest lists is there. A published folder stands outside the tables, so it is read."""
        if not self.store.is_complete(manifest):
            return False
        if step.stage != "publish":
            return True
        files = list(self.store.rows(manifest, publish.ROWS))
        return all(is_file_of(self.folder / "dataset" / file.path, file.bytes, file.sha256) for file in files)

    def _work(self, step: Step) -> Manifest:
        function, row_type = _STAGES[step.stage]
        with self.store.write(step.stage, step.key, row_type) as writer:
            result: StageResult = function(step.options, self._context(step), writer)
            return seal(writer, step, result)

    def _context(self, step: Step) -> StageContext:
        return StageContext(
            store=self.store,
            upstream={name: self.manifests[upstream.name] for name, upstream in step.upstream.items()},
            console=self.console,
            open_ledger=self._open_ledger,
            workers=self.workers,
            budget=self._budget,
            verify=self.recipe.verify,
            name=self.recipe.name,
            run_id=self.recipe.run_id,
            recipe_text=self.recipe.text,
            overrides=self.recipe.published_overrides,
            folder=self.folder,
            executor=self.recipe.executor,
        )

    def _open_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self._ledger_path)
        return self._ledger

    def _write_recipe(self) -> None:
        if (self.folder / "recipe.toml").resolve() != self.recipe.path.resolve():
            write_durably(self.folder / "recipe.toml", self.recipe.text)
        lock = {"schema": 1, "recipe": self.recipe.digest, "values": self.recipe.lock}
        write_durably(self.folder / "recipe.lock.json", json.dumps(lock, indent=1, ensure_ascii=False))

    def _write_run(self, status: str, gates: Sequence[Gate]) -> None:
        facts = {
            "schema": 1,
            "run": self.recipe.run_id,
            "name": self.recipe.name,
            "digest": self._digest(),
            "recipe_digest": self.recipe.digest,
            "parent": self.recipe.parent,
            "status": status,
            "stages": [asdict(outcome) for outcome in self.outcomes],
            "scores": scores_of(self.manifests),
            "gates": [asdict(gate) for gate in gates],
            "started_at": self._started,
            "seconds": time.time() - self._started,
        }
        write_durably(self.folder / "run.json", json.dumps(facts, indent=1, ensure_ascii=False))
        if status == "running":
            return
        with (self.folder / "logs" / "attempts.jsonl").open("a", encoding="utf-8") as log:
            log.write(
                canonical_json({k: facts[k] for k in ("run", "status", "started_at", "seconds", "digest")}) + "\n"
            )

    def _digest(self) -> str:
        return digest("run", [(outcome.stage, outcome.label, outcome.digest) for outcome in self.outcomes])


def scores_of(manifests: Mapping[str, Manifest]) -> list[dict[str, Any]]:
    """Every score of a run, with its intervals, what stands beside it, and the digest of it under its conditions."""
    return [score_of(manifest) for manifest in manifests.values() if manifest.stage == "evaluate"]


def score_of(manifest: Manifest) -> dict[str, Any]:
    """A sealed evaluation as a score. None where nothing could be scored."""
    metrics = manifest.metrics
    conditions = str(metrics.get("conditions_digest", ""))
    return {
        **{name: metrics.get(name) for name in _SCORE},
        **{name: value for name, value in metrics.items() if name.startswith(("pass@", "majority@"))},
        "conditions_digest": conditions,
        "digest": score_digest(conditions, manifest.digest),
    }


def check_gates(gates: Sequence[GateSection], manifests: Mapping[str, Manifest]) -> list[Gate]:
    """Look every gate's figure up: `verify.correct_rate`, `evaluate.heldout/student.accuracy`."""
    figures = {
        f"{manifest.stage}.{manifest.label}.{name}" if manifest.label else f"{manifest.stage}.{name}": value
        for manifest in manifests.values()
        for name, value in {**manifest.metrics, "rows_out": manifest.rows_out}.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    checked: list[Gate] = []
    for gate in gates:
        value = figures.get(gate.metric)
        if value is None or not math.isfinite(value):
            detail = f"no figure '{gate.metric}' in this run; {nearest_hint(gate.metric, figures)}"
            value = None
        elif gate.min is not None and value < gate.min:
            detail = f"{gate.metric} is {value:.4g}, wanted at least {gate.min:g}"
        elif gate.max is not None and value > gate.max:
            detail = f"{gate.metric} is {value:.4g}, wanted at most {gate.max:g}"
        else:
            detail = ""
        checked.append(Gate(gate.metric, value, gate.min, gate.max, not detail, detail))
    return checked


def refuse_foreign(recipe: Recipe, folder: Path) -> None:
    """Never write over what no run of ours left there. The recipe itself may stand in its own run folder."""
    if any((folder / mark).exists() for mark in (".lock", "run.json")):
        return
    theirs = [folder / name for name in ("dataset", "tables", "recipe.toml", "recipe.lock.json", "report.html", "logs")]
    for path in theirs:
        if path.exists() and path.resolve() != recipe.path.resolve():
            raise UsageError("no run of ours left this here", place=str(path), hint="--out a new or empty folder")


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """One process at a time in a run folder. The lock goes with the process, however it ends."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("not a folder", place=str(folder), hint="--out FOLDER")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logs").mkdir(exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as exc:
        raise StoreError(f"cannot be written: {exc.strerror}", place=str(folder), hint="--out FOLDER") from exc
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise UsageError(
                "another process works in this run folder", place=str(folder), hint="wait for it, or use another --out"
            ) from exc
        yield


def _status_of(exc: BaseException) -> str:
    if isinstance(exc, BudgetReached):
        return "budget"
    if isinstance(exc, ReasonryError):
        return "failed"
    return "interrupted" if isinstance(exc, KeyboardInterrupt) else "crashed"


def _line(step: Step, manifest: Manifest, is_cached: bool, seconds: float) -> str:
    dropped = sum(manifest.dropped.values())
    parts = [f"{step.name:<34} {manifest.rows_out:>8,} rows"]
    if dropped:
        reasons = ", ".join(f"{name} {n:,}" for name, n in manifest.dropped.items())
        parts.append(f"{dropped:,} dropped ({reasons})")
    if manifest.stage == "evaluate" and "accuracy" in manifest.metrics:
        parts.append(f"accuracy {manifest.metrics['accuracy']:.1%}")
    parts.append("sealed before" if is_cached else f"{seconds:.1f} s")
    return " · ".join(parts)
