"""explain: the whole story of one row of a run, back to file, row and licence.

An id (or a unique beginning of one) of a question, trace, verdict, example or dropped row is followed in both
directions: where it came from, what was decided about it at every stage, and where it went.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reasonry import env
from reasonry.errors import UsageError
from reasonry.ledger import read_entries_of
from reasonry.run import load_run
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Drop, Example, Question, Trace, VerdictRow

__all__ = ["Asked", "Story", "TraceStory", "explain"]

_ROW_TYPES: dict[str, type[Any]] = {
    "collect": Question,
    "curate": Question,
    "distil": Trace,
    "verify": VerdictRow,
    "select": Example,
    "evaluate": Completion,
}
_ENOUGH = 20  # matches that are listed when a beginning is not unique


@dataclass(frozen=True, slots=True)
class Asked:
    """One paid request behind a trace, as the ledger has it: what was sent, and how many tries it took."""

    key: str
    messages: list[dict[str, str]]
    sampling: dict[str, Any]
    attempts: int


@dataclass(slots=True)
class TraceStory:
    """One trace, what was asked for it, its verdict, and what became of it.

    `asked` has one request, and one more for each time that the answer was cut and asked to go on.
    """

    trace: Trace
    asked: list[Asked] = field(default_factory=list[Asked])
    verdict: VerdictRow | None = None
    example: Example | None = None
    drops: list[Drop] = field(default_factory=list[Drop])


@dataclass(slots=True)
class Story:
    """Everything a run knows of a question. `asked_for` is the id that was looked up."""

    asked_for: str
    question: Question | None = None
    is_curated: bool = False
    question_drops: list[Drop] = field(default_factory=list[Drop])
    traces: list[TraceStory] = field(default_factory=list[TraceStory])
    completions: list[Completion] = field(default_factory=list[Completion])
    tables: dict[str, str] = field(default_factory=dict[str, str])

    def as_json(self) -> dict[str, Any]:
        return {"schema": 1, **asdict(self)}


def explain(folder: Path, row_id: str, ledger: Path | None = None) -> Story:
    """The story of `row_id` in the run at `folder`. Raises UsageError for an unknown or ambiguous id.

    What was asked is read from `ledger`, by default the one in the run's folder, where there is one.
    """
    tables = _Tables(folder)
    found = tables.resolve(row_id)
    story = Story(found, tables={_name(m): f"{m.key} (table digest {m.digest})" for m in tables.line})
    question_id = tables.question_of(found)
    asked_for = {name for name in (question_id, found) if name is not None}
    story.question = next(tables.find("collect", "id", asked_for), None)
    story.is_curated = next(tables.find("curate", "id", asked_for), None) is not None
    path = ledger or Path(env.read("REASONRY_LEDGER") or folder / "ledger.sqlite")
    traces = tables.find("distil", "question_id", asked_for)
    story.traces = [TraceStory(trace, list(_asked(trace, path))) for trace in traces]
    by_trace = {told.trace.id: told for told in story.traces}
    for verdict in tables.find("verify", "trace_id", by_trace):
        by_trace[verdict.trace_id].verdict = verdict
    for example in tables.find("select", "trace_id", by_trace):
        by_trace[example.trace_id].example = example
    story.completions = list(tables.find("evaluate", "question_id", asked_for))
    _add_drops(story, tables, asked_for, by_trace)
    return story


def _asked(trace: Trace, path: Path) -> Iterator[Asked]:
    if trace.ledger_key is None or not path.is_file():
        return
    for key in trace.ledger_key.split("+"):
        entries = read_entries_of(path, key)
        answered = [entry for entry in entries if entry.outcome == "answered"]
        if answered:
            request = json.loads(answered[0].request)
            yield Asked(key, request["messages"], request["sampling"], len(entries))


def _name(manifest: Manifest) -> str:
    return f"{manifest.stage} {manifest.label}".rstrip()


def _add_drops(story: Story, tables: _Tables, asked_for: set[str], by_trace: dict[str, TraceStory]) -> None:
    examples = {told.example.id: told for told in story.traces if told.example}
    # A request that found no answer is named question#sample.
    wanted = {n for n in tables.drop_ids() if n in by_trace or n in examples or n.partition("#")[0] in asked_for}
    for drop in tables.drops(wanted):
        told = by_trace.get(drop.row_id) or examples.get(drop.row_id)
        (story.question_drops if told is None else told.drops).append(drop)


class _Tables:
    """The tables of the run's last attempt."""

    def __init__(self, folder: Path) -> None:
        run = load_run(folder)
        self._store = Store(folder / "tables")
        found = [self._store.sealed(stage["stage"], stage["key"]) for stage in run["stages"]]
        self.line: list[Manifest] = [m for m in found if m is not None and m.stage not in ("train", "publish")]
        self._all = [m for m in found if m is not None]

    def find(self, stage: str, column: str, wanted: Collection[str]) -> Iterator[Any]:
        """The rows of a stage whose column holds one of the wanted ids."""
        for manifest in self.line:
            if manifest.stage == stage:
                yield from self._store.find(manifest, _ROW_TYPES[stage], column, wanted)

    def drop_ids(self) -> Iterator[str]:
        """What the drops of every table are about."""
        for manifest in self._all:
            yield from (row_id for (row_id,) in self._store.values(manifest, ["row_id"], "drops"))

    def drops(self, wanted: Collection[str]) -> Iterator[Drop]:
        """The drops that are about one of the wanted rows."""
        for manifest in self._all:
            yield from self._store.find(manifest, Drop, "row_id", wanted, "drops")

    def resolve(self, beginning: str) -> str:
        """The one id that begins so."""
        found: set[str] = set()
        for name in self._ids():
            if name == beginning:
                return name
            if name.startswith(beginning) and len(found) < _ENOUGH:
                found.add(name)
        if len(found) == 1:
            return found.pop()
        if found:
            raise UsageError(f"'{beginning}' begins several ids", hint="one of: " + ", ".join(sorted(found)))
        raise UsageError(
            f"no row '{beginning}' in this run",
            hint="ids are in the dataset's metadata and rejected configs, and in the report",
        )

    def _ids(self) -> Iterator[str]:
        for manifest in self.line:
            if manifest.stage in _ROW_TYPES:
                column = "question_id" if manifest.stage == "evaluate" else "id"
                yield from (name for (name,) in self._store.values(manifest, [column]))
        yield from self.drop_ids()

    def question_of(self, row_id: str) -> str | None:
        """The question that a row belongs to; None for input that never became one."""
        if row_id.startswith("q-"):
            return row_id.partition("#")[0]
        for stage in ("distil", "verify", "select"):
            for row in self.find(stage, "id", {row_id}):
                return row.question_id
        return next((drop.other_id for drop in self.drops({row_id})), None)
