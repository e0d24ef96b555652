"""Verify a file of answers: rows in, verdicts out, in the same order, whatever is wrong with a row.

This is what `reasonry verify` does, as a function. It needs no recipe, store or ledger.
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from reasonry.contracts import Limits
from reasonry.errors import PartError, StoreError, UsageError
from reasonry.identity import digest
from reasonry.records import Record, open_records
from reasonry.registry import find
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["Counts", "verify_file"]

SCHEMA = 1


@dataclass(slots=True)
class Counts:
    """How many rows got which status; `unusable` of the errors are input rows that could not be read."""

    rows: int = 0
    unusable: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])

    def as_json(self) -> dict[str, Any]:
        counts = {status.value: self.statuses[status.value] for status in Status}
        return {"schema": SCHEMA, "rows": self.rows, "unusable": self.unusable, **counts}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the input: either something to verify, or the verdict that it cannot be."""

    id: Any
    item: VerifyItem | None
    verdict: Verdict | None


def verify_file(
    source: Path, out: IO[str], *, verifier: str | None = None, default: str = "math", workers: int, limits: Limits
) -> Counts:
    """Verify every row of `source` (JSONL, CSV or Parquet, also .gz and .zst) into `out` as JSONL.

    A row has `id`, `answer`, `response`, and optionally `verifier`, `spec`, `prompt`. `verifier` overrides the rows'
    own. A row that cannot be used gets the status `error` with the reason. Raises InputError where the file as a
    whole cannot be read, PartError for an unknown `verifier`.
    """
    if verifier is not None:
        find("verifier", verifier)
    counts = Counts()
    waiting: deque[_Entry] = deque()

    def items() -> Iterator[VerifyItem]:
        for entry in _entries(source, verifier, default):
            waiting.append(entry)
            if entry.item is not None:
                yield entry.item

    with find("executor", "local").call(workers) as executor:
        for verdict in verify_all(items(), executor, limits):
            _write_unusable(waiting, out, counts)
            _write(waiting.popleft(), verdict, out, counts)
    _write_unusable(waiting, out, counts)
    return counts


@contextmanager
def output_file(given: Path, source: Path) -> Generator[IO[str]]:
    """A file that appears under its name when it is whole; a device or a pipe is written as it is.

    Raises UsageError for a place that would destroy the input or promise a format that is not written.
    """
    if given.exists() and not given.is_file():
        with given.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    path = given.resolve()
    if path == source.resolve():
        raise UsageError("the output would replace the input", place=str(given), hint="name another file")
    if path.suffix in (".gz", ".zst", ".parquet", ".csv"):
        raise UsageError(f"verdicts are written as JSONL, not as {path.suffix}", place=str(given), hint="-o OUT.jsonl")
    temporary = path.with_name(path.name + ".partial")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        temporary.replace(path)
    except OSError as exc:
        raise StoreError(f"cannot be written: {exc.strerror or exc}", place=str(path)) from exc
    finally:
        temporary.unlink(missing_ok=True)


def _entries(source: Path, verifier: str | None, default: str) -> Iterator[_Entry]:
    for row in open_records(source):
        if isinstance(row, Record):
            yield _entry(row, verifier, default)
        else:
            yield _unusable(None, f"line {row.row}: {row.reason}", verifier or default)


def _entry(record: Record, verifier: str | None, default: str) -> _Entry:
    values = record.values
    row_id = values.get("id")
    name = verifier or values.get("verifier") or default
    problem = _problem(values)
    if problem is None and isinstance(name, str):
        try:
            find("verifier", name)
        except PartError as exc:
            problem = f"{exc.message}; {exc.hint}"
    elif problem is None:
        problem, name = "verifier is not text", default
    if problem is not None:
        return _unusable(row_id, f"line {record.row}: {problem}", str(name))
    spec = values.get("spec") or {}
    answer = values.get("answer")
    spec = json.loads(spec) if isinstance(spec, str) else spec
    question = Question(
        prompt=values.get("prompt") or "",
        # A number is taken as the file wrote it: 0.10 is not 0.1.
        answer=None if answer is None else getattr(answer, "written", str(answer)),
        verifier=str(name),
        spec={name: value for name, value in spec.items() if value is not None},  # Parquet pads with nulls
    )
    return _Entry(row_id, VerifyItem(question, values["response"]), None)


def _problem(values: Mapping[str, Any]) -> str | None:
    """What makes a row unusable; None for a usable one."""
    for name in ("answer", "response"):
        if name not in values:
            return f"no field '{name}' (there are: {', '.join(sorted(map(str, values)))})"
    if not isinstance(values["response"], str):
        return f"response is {type(values['response']).__name__}, not text"
    if isinstance(values["answer"], bool | list | dict):
        return f"answer is {type(values['answer']).__name__}, not text or a number"
    if not isinstance(values.get("prompt") or "", str):
        return "prompt is not text"
    return _spec_problem(values.get("spec"))


def _spec_problem(spec: Any) -> str | None:
    if isinstance(spec, str):
        try:
            spec = json.loads(spec)
        except (ValueError, RecursionError):
            return "spec is not JSON"
    if spec is not None and not isinstance(spec, dict):
        return "spec is not an object"
    try:
        digest("spec", spec)
    except (TypeError, RecursionError) as exc:
        return f"spec holds what JSON cannot: {exc}"
    return None


def _unusable(row_id: Any, reason: str, verifier: str) -> _Entry:
    return _Entry(row_id, None, Verdict(Status.ERROR, verifier=verifier, detail=reason))


def _write_unusable(waiting: deque[_Entry], out: IO[str], counts: Counts) -> None:
    """Rows that never went to a verifier, up to the next one that did."""
    while waiting and waiting[0].verdict is not None:
        entry = waiting.popleft()
        assert entry.verdict is not None
        counts.unusable += 1
        _write(entry, entry.verdict, out, counts)


def _write(entry: _Entry, verdict: Verdict, out: IO[str], counts: Counts) -> None:
    counts.rows += 1
    counts.statuses[verdict.status.value] += 1
    row = {
        "id": None if isinstance(entry.id, float) and not math.isfinite(entry.id) else entry.id,
        "status": verdict.status.value,
        "verifier": verdict.verifier,
        "extracted": verdict.extracted,
        "detail": verdict.detail,
        "seconds": round(verdict.seconds, 6),
    }
    out.write(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "replace").decode() + "\n")
