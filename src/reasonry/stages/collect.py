"""collect: every source, one table of questions. What cannot become a question is set aside with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from reasonry.errors import InputError
from reasonry.identity import canonical_json
from reasonry.registry import find
from reasonry.sections import QuestionsSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter
from reasonry.types import Drop, Question

VERSION = 1
ROWS = Question


def collect(sections: Sequence[QuestionsSection], context: StageContext, writer: TableWriter) -> StageResult:
    """Read every source in the order of the recipe. A question that was already read is dropped by its id."""
    places: dict[str, str] = {}
    rows_in = 0
    with context.console.meter("collect", None) as meter:
        for section in sections:
            before = writer.rows_out
            last_drop: Drop | None = None
            for row in find("source", section.source).call(section):
                rows_in += 1
                meter.advance()
                if isinstance(row, Drop):
                    writer.drop(last_drop := row)
                else:
                    _add(row, places, writer)
            if writer.rows_out == before and last_drop is not None:
                raise _nothing_usable(section, last_drop)
    return StageResult(rows_in, {"questions": writer.rows_out})


def _add(question: Question, places: dict[str, str], writer: TableWriter) -> None:
    place = _place(question)
    if question.id not in places:
        places[question.id] = place
        writer.append(question)
        return
    reason = f"the same prompt, answer, verifier and spec as {places[question.id]}"
    where = {"origin": question.meta.get("origin"), "license": question.license, "domain": question.domain}
    writer.drop(Drop(place, "collect", "same_question", reason, other_id=question.id, content=canonical_json(where)))


def _place(question: Question) -> str:
    origin = question.meta.get("origin", {})
    return f"{origin.get('file') or question.source or 'source'}:{origin.get('row', '?')}"


def _nothing_usable(section: QuestionsSection, drop: Drop) -> InputError:
    fields = "say which column holds what: questions.fields = { prompt = ..., answer = ... }"
    return InputError(
        f"no usable row in the source '{section.source}': {drop.reason}",
        place=drop.row_id,
        hint=fields if drop.rule == "missing_field" else "check the file, and that this is the source for its format",
    )
