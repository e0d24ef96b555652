"""Our filters over the stored rows of a corpus, one after another as the curate stage would run them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.curation_rows import StoredRow, stored_rows
from reasonry.registry import Part, find
from reasonry.types import Drop, Question

__all__ = ["Stored", "decontaminated", "deduplicated", "prepare", "question_of"]


@dataclass(frozen=True, slots=True)
class Stored:
    """The corpus as questions, read anew at each iteration: as the curate stage hands over its stored table."""

    folder: Path

    def __iter__(self) -> Iterator[Question]:
        return map(question_of, stored_rows(self.folder))


def prepare(task: str) -> None:
    """Import the filter, before any clock starts."""
    find("filter", task)


def question_of(row: StoredRow) -> Question:
    """A row as a question; its own id is in `meta`."""
    spec = {} if row.choices is None else {"choices": row.choices}
    meta = {"id": row.id, "origin": {"file": f"{row.domain}.jsonl.zst", "row": row.id}}
    verifier = "choice" if row.choices else "math"
    return Question(row.question, row.answer, verifier, spec, row.domain, row.source, row.license, meta)


def deduplicated(stored: Path) -> Iterator[dict[str, Any]]:
    """What `deduplicate` drops, by its near method."""
    return _run(find("filter", "deduplicate"), Stored(stored), {"method": "minhash"})


def decontaminated(stored: Path, corpus: Path) -> Iterator[dict[str, Any]]:
    """What `decontaminate` drops, and what it keeps with a note."""
    fields = {"prompt": "question", "answer": "answer", "id": "id"}
    against = [str(corpus / "benchmark.jsonl")]
    return _run(find("filter", "decontaminate"), Stored(stored), {"against": against, "fields": fields})


def _run(part: Part, rows: Iterable[Question], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    assert part.options is not None
    options = part.options.model_validate(values, context={"folder": "."})
    for place, row in enumerate(part.call(rows, options)):
        if isinstance(row, Drop):
            yield {"place": place, "other": row.other_id, "rule": row.rule}
        elif note := row.meta.get("note"):
            yield {"place": place, "other": _noted(note), "rule": str(note), "kept": True}


def _noted(note: Any) -> str | None:
    return note.get("other_id") if isinstance(note, dict) else None
