"""The rows of a corpus as every method of a curation benchmark gets them: streamed, more than once if it likes.

Nothing here imports reasonry, so that a peer may run in an environment of its own. `STORED` is a pickle of batches of
tuples, which is quick to read, so that what is measured is the method.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["STORED", "StoredRow", "Texts", "Truth", "read_benchmark", "read_truth", "store", "stored_rows"]

STORED = "rows.pickle"
_BATCH = 1_000


class StoredRow(NamedTuple):
    """A question of the corpus."""

    id: str
    question: str
    answer: str | None
    choices: list[str] | None
    domain: str
    source: str
    license: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Why a row was planted; `answer` says how a duplicate's answer relates to the original's."""

    plant: str
    kind: str
    of: str
    cluster: str
    answer: str


@dataclass(frozen=True, slots=True)
class Texts:
    """The questions' texts, read anew at each iteration."""

    folder: Path

    def __iter__(self) -> Iterator[str]:
        return (row.question for row in stored_rows(self.folder))


def store(corpus: Path, out: Path) -> int:
    """Write the questions of a corpus as a pickle into `out`; returns how many there are."""
    count, batch = 0, list[tuple[Any, ...]]()
    with (out / STORED).open("wb") as file:
        for path in sorted((corpus / "questions").glob("*.jsonl.zst")):
            for values in _lines(path):
                batch.append(tuple(values.get(name) for name in StoredRow._fields))
                count += 1
                if len(batch) == _BATCH:
                    pickle.dump(batch, file)
                    batch.clear()
        pickle.dump(batch, file)
    return count


def stored_rows(folder: Path) -> Iterator[StoredRow]:
    """The rows in the order of the files, one batch in memory at a time."""
    with (folder / STORED).open("rb") as file:
        while file.peek(1):
            yield from map(StoredRow._make, pickle.load(file))


def read_truth(corpus: Path) -> dict[str, Truth]:
    """What was planted, by row id."""
    with (corpus / "truth.jsonl").open(encoding="utf-8") as file:
        rows = map(json.loads, file)
        return {row["id"]: Truth(row["plant"], row["kind"], row["of"], row["cluster"], row["answer"]) for row in rows}


def read_benchmark(corpus: Path) -> list[dict[str, Any]]:
    """The benchmark's rows."""
    with (corpus / "benchmark.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    import zstandard

    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as packed:
        for line in io.TextIOWrapper(packed, encoding="utf-8", newline="\n"):
            yield json.loads(line)
