"""What the tests of filters share: questions, options, and the rule by which each row leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reasonry.registry import Kind, find
from reasonry.testing import check_filter, check_trace_filter
from reasonry.types import Candidate, Drop, Finish, Question, Status, Trace, VerdictRow

__all__ = ["candidate", "dropped", "options_of", "question", "rules", "trace_rules"]


def question(prompt: str, answer: str | None = "1", **values: Any) -> Question:
    return Question(prompt, answer, values.pop("verifier", "math"), source="a.jsonl", **values)


def candidate(
    response: str, reasoning: str = "", *, prompt: str = "What is 1 + 1?", finish: Finish = "stop", **values: Any
) -> Candidate:
    asked = question(prompt, domain=values.pop("domain", "unknown"))
    trace = Trace(asked.id, 0, reasoning, response, "teacher", finish, **values)
    return Candidate(asked, trace, VerdictRow(trace.id, asked.id, Status.CORRECT, "math@1"))


def options_of(kind: Kind, name: str, **values: Any) -> Any:
    model = find(kind, name).options
    assert model is not None
    return model.model_validate({"filter": name, **values})


def dropped(name: str, rows: Sequence[Question | str], **values: Any) -> list[Drop | None]:
    """The drop of each row, None where it is kept; the filter's contract is checked on the way."""
    given = [question(row) if isinstance(row, str) else row for row in rows]
    part, options = find("filter", name), options_of("filter", name, **values)
    check_filter(part, given, options)
    return [result if isinstance(result, Drop) else None for result in part.call(given, options)]


def rules(name: str, rows: Sequence[Question | str], **values: Any) -> list[str | None]:
    """The rule by which each row leaves, None where it is kept."""
    return [drop.rule if drop is not None else None for drop in dropped(name, rows, **values)]


def trace_rules(name: str, rows: Sequence[Candidate | str], **values: Any) -> list[str | None]:
    """The rule by which each trace leaves, None where it is kept. A text is a response without reasoning."""
    given = [candidate(row) if isinstance(row, str) else row for row in rows]
    part, options = find("trace_filter", name), options_of("trace_filter", name, **values)
    check_trace_filter(part, given, options)
    results = part.call(given, options)
    return [result.rule if isinstance(result, Drop) else None for result in results]
