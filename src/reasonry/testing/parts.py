"""Checks for sources, benchmarks and filters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reasonry.registry import Part
from reasonry.sections import Section
from reasonry.types import Candidate, Drop, JsonMap, Question

__all__ = ["FilterCheck", "SourceCheck", "check_filter", "check_source", "check_trace_filter"]

_ROWS_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What a source gave: rows in all, questions, distinct question ids, drops."""

    rows: int
    questions: int
    distinct: int
    drops: int


@dataclass(frozen=True, slots=True)
class FilterCheck:
    """What a filter did: rows kept and rows dropped."""

    kept: int
    dropped: int


def check_source(source: Part | Callable[..., Any], options: Section) -> SourceCheck:
    """Check that a source (or benchmark) keeps its contract, on its first 10,000 rows.

    It gives questions and drops only, and the same ones each time; each question has an origin and can be stored;
    each drop names its row, rule and reason. Raises AssertionError for the first breach.
    """
    call = _callable(source)
    first = list(islice(call(options), _ROWS_LOOKED_AT))
    again = list(islice(call(options), _ROWS_LOOKED_AT))
    assert first == again, f"{_name(source)} gives other rows the second time: {_difference(first, again)}"
    questions = [row for row in first if isinstance(row, Question)]
    drops = [row for row in first if isinstance(row, Drop)]
    for number, row in enumerate(first, start=1):
        assert isinstance(row, Question | Drop), f"row {number} is a {type(row).__name__}, not a Question or a Drop"
    for question in questions:
        _check_question(question)
    for drop in drops:
        _check_drop(drop)
    return SourceCheck(len(first), len(questions), len({question.id for question in questions}), len(drops))


def check_filter(filter_: Part | Callable[..., Any], rows: Iterable[Question], options: Section) -> FilterCheck:
    """Check that a filter keeps its contract on `rows`.

    It gives one output for each row, in order: the row unchanged, or a drop that names the row, a rule and a
    reason; and the same ones each time. Raises AssertionError for the first breach.
    """
    return _check_rows(filter_, list(rows), options, lambda question: question.id)


def check_trace_filter(
    filter_: Part | Callable[..., Any], candidates: Iterable[Candidate], options: Section
) -> FilterCheck:
    """Check that a filter over traces keeps its contract on `candidates`, as `check_filter` does for questions."""
    return _check_rows(filter_, list(candidates), options, lambda candidate: candidate.trace.id)


def _check_rows(
    filter_: Part | Callable[..., Any], given: list[Any], options: Section, id_of: Callable[[Any], str]
) -> FilterCheck:
    call, rules = _callable(filter_), filter_.rules if isinstance(filter_, Part) else {}
    first = list(islice(call(iter(given), options), len(given) + 1))
    again = list(islice(call(iter(given), options), len(given) + 1))
    assert first == again, f"{_name(filter_)} decides otherwise the second time: {_difference(first, again)}"
    assert len(first) == len(given), f"{len(given)} rows went in, {len(first)} or more came out"
    for number, (row, result) in enumerate(zip(given, first, strict=True), start=1):
        if isinstance(result, Drop):
            assert result.row_id == id_of(row), f"row {number}: the drop names {result.row_id}, not {id_of(row)}"
            _check_drop(result)
            assert not rules or result.rule in rules, f"row {number}: the rule '{result.rule}' is not a declared one"
        else:
            assert result == row, f"row {number} was kept, but changed: {result!r}"
    dropped = sum(isinstance(result, Drop) for result in first)
    return FilterCheck(len(given) - dropped, dropped)


def _callable(given: Part | Callable[..., Any]) -> Callable[..., Any]:
    return given.call if isinstance(given, Part) else given


def _name(given: Part | Callable[..., Any]) -> str:
    return given.name if isinstance(given, Part) else getattr(given, "__name__", repr(given))


def _difference(first: Sequence[Any], again: Sequence[Any]) -> str:
    if len(first) != len(again):
        return f"{len(first)} rows, then {len(again)}"
    number = next(i for i, (one, other) in enumerate(zip(first, again, strict=True)) if one != other)
    return f"row {number + 1} was {first[number]!r}, then {again[number]!r}"[:500]


def _check_question(question: Question) -> None:
    place = f"question {question.id}"
    assert question.prompt.strip(), f"{place}: the prompt is blank"
    assert question.verifier, f"{place}: no verifier is named"
    assert question.source, f"{place}: no source is named"
    for name in ("prompt", "answer", "domain", "source", "license"):
        _check_text(f"{place}: {name}", getattr(question, name))
    _check_json(f"{place}: spec", question.spec)
    _check_json(f"{place}: meta", question.meta)
    origin = question.meta.get("origin")
    assert isinstance(origin, dict), f"{place}: meta['origin'] does not say where it came from"
    assert origin, f"{place}: meta['origin'] is empty"


def _check_drop(drop: Drop) -> None:
    assert drop.row_id, f"a drop names no row: {drop!r}"
    for name in ("stage", "rule", "reason"):
        assert getattr(drop, name).strip(), f"the drop of {drop.row_id} has no {name}"
    for name in ("row_id", "rule", "reason", "other_id", "content"):
        _check_text(f"the drop of {drop.row_id}: {name}", getattr(drop, name))


def _check_text(place: str, text: Any) -> None:
    assert text is None or isinstance(text, str), f"{place} is a {type(text).__name__}, not text"
    try:
        (text or "").encode("utf-8")
    except UnicodeEncodeError as exc:
        raise AssertionError(f"{place} holds a lone surrogate, which no file can hold") from exc


def _check_json(place: str, value: JsonMap) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError) as exc:
        raise AssertionError(f"{place} cannot be stored as JSON: {exc}") from exc
    assert json.loads(text) == value, f"{place} changes when it is stored as JSON"
