"""The kit for sources and filters: our own parts pass it, and each breach of a contract is caught."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reasonry.testing
from reasonry.registry import BUILTIN
from reasonry.sections import DeduplicateOptions, QuestionsSection
from reasonry.testing import check_filter, check_source
from reasonry.types import Drop, Question
from tests.sources.parts import options, part

OPTIONS = QuestionsSection(source="mine")
ORIGIN = {"origin": {"file": "a", "row": 1}}
GOOD = Question("1+1?", "2", "exact", source="a", meta=ORIGIN)
ROWS = [Question(f"{i}?", str(i), "exact", source="a", meta=ORIGIN) for i in range(5)]

SOURCES: dict[str, dict[str, Any]] = {
    "jsonl": {"path": "a.jsonl"},
    "csv": {"path": "a.csv"},
    "parquet": {"path": "a.parquet"},
    "hub": {"path": "folder", "streaming": True},
    "procedural": {"count": 20},
    "reasoning_gym": {"task": "leg_counting", "count": 5},
}
FILTERS: dict[str, dict[str, Any]] = {
    "deduplicate": {},
    "decontaminate": {"against": ["bench.jsonl"], "ngram": 3},
    "length": {"max_characters": 8},
    "answer": {},
    "difficulty": {"unknown": "drop"},
    "garbled": {},
    "language": {"undetermined": "drop"},
    "license": {"allow": ["MIT"]},
    "parts": {},
    "proof": {},
    "references": {},
}
MISSHAPEN = Question(
    "(a) Prove that it holds, as shown in the figure.\n(b) Show that it does not\ufffd.",
    "n/a",
    "math",
    source="a",
    meta=ORIGIN,
)
BENCHMARKS: dict[str, dict[str, Any]] = {"jsonl": {"path": "a.jsonl"}, "procedural": {"count": 20}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same six rows, one of them bad, in every format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"prompt": f"{i} + {i}?" * i, "answer": str(2 * i)} for i in range(6)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "bench.jsonl").write_text(json.dumps(rows[3]) + "\n")
    (tmp_path / "a.csv").write_text("prompt,answer\n" + "".join(f"{r['prompt']},{r['answer']}\n" for r in rows))
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "a.parquet", tmp_path / "folder" / "train.parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    return tmp_path


def test_the_lists_name_every_part_of_the_repository() -> None:
    assert set(SOURCES) == set(BUILTIN["source"])
    assert set(FILTERS) == set(BUILTIN["filter"])
    # Those that are published are read from the Hub: tests/benchmarks has them.
    modules = {f"reasonry.benchmarks.{name}" for name in ("published", "programs", "livecodebench")}
    published = {name for name, module in BUILTIN["benchmark"].items() if module in modules}
    assert set(BENCHMARKS) | published == set(BUILTIN["benchmark"])


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_keeps_the_contract(folder: Path, name: str) -> None:
    if name in ("hub", "reasoning_gym"):
        pytest.importorskip({"hub": "datasets", "reasoning_gym": "reasoning_gym"}[name])
    check = check_source(part("source", name), options("source", name, folder, **SOURCES[name]))
    assert check.questions == check.distinct > 0
    assert check.rows == check.questions + check.drops


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_keeps_the_contract(folder: Path, name: str) -> None:
    check = check_source(part("benchmark", name), options("benchmark", name, folder, **BENCHMARKS[name]))
    assert check.distinct > 0


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_keeps_the_contract(folder: Path, name: str) -> None:
    given = part("source", "jsonl").call(options("source", "jsonl", folder, path="a.jsonl"))
    rows = [row for row in given if isinstance(row, Question)]
    chosen = options("filter", name, folder, **FILTERS[name])
    check = check_filter(part("filter", name), [*rows, *rows, MISSHAPEN], chosen)
    assert check.kept + check.dropped == 2 * len(rows) + 1
    assert check.dropped > 0


def test_a_callable_that_is_no_part_yet_can_be_checked() -> None:
    assert check_source(lambda _: iter([GOOD, GOOD]), OPTIONS).distinct == 1


counter = itertools.count()

BAD_ROWS: dict[str, tuple[Callable[[], Any], str]] = {
    "another type": (lambda: {"prompt": "a"}, "not a Question or a Drop"),
    "another row each time": (lambda: Question(f"{next(counter)}", "1", "exact", meta=ORIGIN), "the second time"),
    "blank prompt": (lambda: Question(" ", "1", "exact", source="a", meta=ORIGIN), "blank"),
    "no verifier": (lambda: Question("a", "1", "", source="a", meta=ORIGIN), "no verifier"),
    "no source": (lambda: Question("a", "1", "exact", meta=ORIGIN), "no source"),
    "no origin": (lambda: Question("a", "1", "exact", source="a"), "where it came from"),
    "empty origin": (lambda: Question("a", "1", "exact", source="a", meta={"origin": {}}), "origin"),
    "number as answer": (lambda: Question("a", 1, "exact", source="a", meta=ORIGIN), "not text"),  # pyright: ignore[reportArgumentType]
    "surrogate": (lambda: Question("a\ud800", "1", "exact", source="a", meta=ORIGIN), "surrogate"),
    "meta that is no JSON": (lambda: Question("a", "1", "exact", source="a", meta={**ORIGIN, "p": Path()}), "JSON"),
    "NaN in spec": (lambda: Question("a", "1", "exact", {"x": float("inf")}, source="a", meta=ORIGIN), "JSON"),
    "tuple in spec": (lambda: Question("a", "1", "exact", {"x": (1, 2)}, source="a", meta=ORIGIN), "changes"),
    "drop without a row": (lambda: Drop("", "collect", "rule", "reason"), "no row"),
    "drop without a rule": (lambda: Drop("a:1", "collect", "", "reason"), "no rule"),
    "drop without a reason": (lambda: Drop("a:1", "collect", "rule", " "), "no reason"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_source_that_breaks_the_contract_is_caught(name: str) -> None:
    make, message = BAD_ROWS[name]
    with pytest.raises(AssertionError, match=message):
        check_source(lambda _: iter([GOOD, make()]), OPTIONS)


def test_a_source_of_another_length_each_time_is_caught() -> None:
    lengths = iter([1, 2])
    with pytest.raises(AssertionError, match="1 rows, then 2"):
        check_source(lambda _: iter([GOOD] * next(lengths)), OPTIONS)


def _drop(row: Question, **values: str) -> Drop:
    return Drop(**{"row_id": row.id, "stage": "curate", "rule": "rule", "reason": "reason", **values})


def _loses(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (row for row in rows if row.answer != "3")


def _doubles(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (row for row in rows for _ in range(2))


def _swaps(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return iter(list(rows)[::-1])


def _edits(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (Question(row.prompt, None, "exact", source="a", meta=ORIGIN) for row in rows)


def _names_no_row(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (_drop(row, row_id="a:1") for row in rows)


def _gives_no_reason(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (_drop(row, reason="") for row in rows)


def _wavers(rows: Iterable[Question], _: Any) -> Iterator[Any]:
    return (_drop(row, reason=str(next(counter))) for row in rows)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_loses, "5 rows went in"),
        (_doubles, "5 rows went in"),
        (_swaps, "changed"),
        (_edits, "changed"),
        (_names_no_row, "names a:1"),
        (_gives_no_reason, "no reason"),
        (_wavers, "the second time"),
    ],
)
def test_a_filter_that_breaks_the_contract_is_caught(broken: Callable[..., Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_filter(broken, ROWS, DeduplicateOptions())


def test_an_unknown_check_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="check_nothing"):
        reasonry.testing.check_nothing  # noqa: B018 - the access is what is tested
