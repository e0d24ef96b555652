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
from typing import IO, Any, get_args

from reasonry.contracts import Limits
from reasonry.errors import PartError, StoreError, UsageError
from reasonry.identity import canonical_json
from reasonry.records import Record, open_records
from reasonry.registry import find
from reasonry.types import Finish, JsonMap, Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["Counts", "verify_file"]

SCHEMA = 1
FINISHES: tuple[Finish, ...] = get_args(Finish)
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


@dataclass(slots=True)
class Counts:
    """How many rows got which status; `unusable` of the errors are input rows that could not be read.

    `tests` counts the runs of programs.
    """

    rows: int = 0
    unusable: int = 0
    tests: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])

    def as_json(self) -> dict[str, Any]:
        counts = {status.value: self.statuses[status.value] for status in Status}
        return {"schema": SCHEMA, "rows": self.rows, "unusable": self.unusable, "tests": self.tests, **counts}


def verify_file(
    source: Path,
    out: IO[str],
    *,
    verifier: str | None = None,
    default: str = "math",
    workers: int,
    limits: Limits,
    sandbox: str | None = None,
) -> Counts:
    """Verify every row of `source` (JSONL, CSV or Parquet, also .gz and .zst; `-`: JSONL on stdin) into `out` as JSONL.

    A row has `id`, `answer` (or a `spec`), `response`, and optionally `verifier`, `prompt`, `finish`. `verifier`
    overrides the rows' own. A row that cannot be used gets the status `error` with the reason. Rows and verdicts
    stream: memory does not grow with the file. `sandbox` is the tier in which programs run, None for the best there is.
    Raises InputError where the file as a whole cannot be read, PartError for an unknown `verifier`.
    """
    if verifier is not None:
        find("verifier", verifier)
    counts = Counts()
    reader = _Reader(verifier, default)
    ids = deque[Any]()  # of the rows under way

    def items() -> Iterator[VerifyItem | Verdict]:
        for row_id, item in reader.entries(source):
            ids.append(row_id)
            counts.unusable += isinstance(item, Verdict)
            yield item

    with find("executor", "local").call(workers) as executor:
        for verdict in verify_all(items(), executor, limits, sandbox=sandbox):
            out.write(_line(ids.popleft(), verdict))
            counts.rows += 1
            counts.statuses[verdict.status.value] += 1
            counts.tests += len(verdict.evidence.get("outcomes", ()))
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


class _Reader:
    """Makes of each input row something to verify, or the verdict that it cannot be."""

    def __init__(self, verifier: str | None, default: str) -> None:
        self._verifier = verifier
        self._default = default
        self._problems: dict[str, str | None] = {}  # of the verifiers that rows named

    def entries(self, source: Path) -> Iterator[tuple[Any, VerifyItem | Verdict]]:
        """The id of each row, and what to do with it."""
        for row in open_records(source):
            if isinstance(row, Record):
                yield row.values.get("id"), self._item(row)
            else:
                yield None, _unusable(row.row, row.reason, self._verifier or self._default)

    def _item(self, record: Record) -> VerifyItem | Verdict:
        values = record.values
        name = self._verifier or values.get("verifier") or self._default
        problem = _problem(values)
        if problem is None and isinstance(name, str):
            problem = self._verifier_problem(name)
        elif problem is None:
            problem, name = "verifier is not text", self._default
        if problem is not None:
            return _unusable(record.row, problem, str(name))
        try:
            question = _question(values, str(name))
        except (TypeError, RecursionError) as exc:
            return _unusable(record.row, f"spec holds what JSON cannot: {exc}", str(name))
        return VerifyItem(question, values["response"], values.get("finish") or "stop")

    def _verifier_problem(self, name: str) -> str | None:
        if name in self._problems:
            return self._problems[name]
        try:
            find("verifier", name)
        except PartError as exc:
            return f"{exc.message}; {exc.hint}"
        return self._problems.setdefault(name, None)


def _question(values: Mapping[str, Any], verifier: str) -> Question:
    answer, spec = values.get("answer"), _spec(values.get("spec"))
    return Question(
        prompt=values.get("prompt") or "",
        # A number is taken as the file wrote it: 0.10 is not 0.1.
        answer=None if answer is None else getattr(answer, "written", str(answer)),
        verifier=verifier,
        spec=spec,
    )


def _spec(given: Any) -> JsonMap:
    """Raises TypeError for what JSON cannot say (a date in a Parquet file), since workers are told in JSON."""
    if not given:
        return {}
    read = json.loads(given) if isinstance(given, str) else given
    spec = {name: value for name, value in (read or {}).items() if value is not None}  # Parquet pads with nulls
    canonical_json(spec)
    return spec


def _problem(values: Mapping[str, Any]) -> str | None:
    """What makes a row unusable; None for a usable one."""
    for name in ("answer", "response"):
        if name not in values and not (name == "answer" and values.get("spec")):  # tests may be all there is
            return f"no field '{name}' (there are: {', '.join(sorted(map(str, values)))})"
    if not isinstance(values["response"], str):
        return f"response is {type(values['response']).__name__}, not text"
    if isinstance(values.get("answer"), bool | list | dict):
        return f"answer is {type(values['answer']).__name__}, not text or a number"
    if not isinstance(values.get("prompt") or "", str):
        return "prompt is not text"
    if (finish := values.get("finish")) and finish not in FINISHES:
        return f"finish is {str(finish)[:40]!r}, not one of {', '.join(FINISHES)}"
    return _spec_problem(values.get("spec"))


def _spec_problem(spec: Any) -> str | None:
    if isinstance(spec, str):
        try:
            spec = json.loads(spec)
        except (ValueError, RecursionError):
            return "spec is not JSON"
    return None if spec is None or isinstance(spec, dict) else "spec is not an object"


def _unusable(row: int, reason: str, verifier: str) -> Verdict:
    return Verdict(Status.ERROR, verifier=verifier, detail=f"line {row}: {reason}")


def _line(row_id: Any, verdict: Verdict) -> str:
    row = {
        "id": None if isinstance(row_id, float) and not math.isfinite(row_id) else row_id,
        "status": verdict.status.value,
        "verifier": verdict.verifier,
        "extracted": verdict.extracted,
        "detail": verdict.detail,
        "seconds": round(verdict.seconds, 6),
    }
    text = _ENCODER.encode(row)
    return (text if text.isascii() else text.encode("utf-8", "replace").decode()) + "\n"
