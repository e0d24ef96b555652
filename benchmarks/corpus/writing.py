"""Writing a corpus in another order than it was made in, with memory bounded: rows go to buckets on disk by digest,
and each bucket is put in order and appended to its file."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchmarks.corpus.draw import seed_of
from benchmarks.corpus.rows import Group, Row, Truth

__all__ = ["Buckets", "Written", "dumps", "open_zst", "write_questions"]

BUCKETS = 64
_LEVEL = 6


def dumps(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def open_zst(path: Path, stack: ExitStack) -> TextIO:
    """A text file that is packed as it is written; its bytes do not depend on the time or the machine."""
    import zstandard

    raw = stack.enter_context(path.open("wb"))
    packed = stack.enter_context(zstandard.ZstdCompressor(level=_LEVEL).stream_writer(raw, closefd=False))
    return stack.enter_context(io.TextIOWrapper(packed, encoding="utf-8", newline="\n"))


class Buckets:
    """Lines that are read back in an order by digest. Holds one bucket in memory at a time."""

    def __init__(self, folder: Path, salt: str) -> None:
        folder.mkdir(parents=True)
        self._folder, self._salt = folder, salt
        self._files = [(folder / f"{i:03d}").open("w", encoding="utf-8", newline="\n") for i in range(BUCKETS)]

    def add(self, key: str, values: dict[str, Any]) -> None:
        place = seed_of(self._salt, key)
        self._files[place % BUCKETS].write(f"{place:020d}{dumps(values)}\n")

    def read(self) -> Iterator[dict[str, Any]]:
        """Every line once; the folder is gone afterwards."""
        for file in self._files:
            file.close()
        for i in range(BUCKETS):
            lines = (self._folder / f"{i:03d}").read_text(encoding="utf-8").split("\n")
            for line in sorted(filter(None, lines)):
                yield json.loads(line[20:])
        shutil.rmtree(self._folder)


@dataclass(slots=True)
class Written:
    """What was written: rows by domain, plants by kind."""

    rows: Counter[str] = field(default_factory=Counter[str])
    plants: Counter[str] = field(default_factory=Counter[str])
    benchmark: int = 0

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def write_questions(out: Path, groups: Iterable[Group], rows: int, *, traces: Buckets | None = None) -> Written:
    """Write `questions/`, `truth.jsonl` and `benchmark.jsonl`: `rows` questions at most. `traces` gets them too."""
    written, buckets = Written(), Buckets(out / "questions.partial", "questions")
    with (
        (out / "truth.jsonl").open("w", encoding="utf-8", newline="\n") as truth,
        (out / "benchmark.jsonl").open("w", encoding="utf-8", newline="\n") as benchmark,
    ):
        for group in groups:
            if group.benchmark is not None:
                benchmark.write(dumps(group.benchmark) + "\n")
                written.benchmark += 1
            for row in group.rows[: rows - written.total]:
                _add(row, buckets, truth, written)
                if traces is not None:
                    traces.add(str(row.values["id"]), {**row.values, "program": row.program})
            if written.total == rows:
                break
    _write_files(out / "questions", buckets)
    return written


def _add(row: Row, buckets: Buckets, truth: TextIO, written: Written) -> None:
    buckets.add(str(row.values["id"]), row.values)
    written.rows[row.domain] += 1
    if row.truth is not None:
        truth.write(dumps(_truth(row.truth)) + "\n")
        written.plants[f"{row.truth.plant}/{row.truth.kind}"] += 1


def _truth(truth: Truth) -> dict[str, Any]:
    return asdict(truth)


def _write_files(folder: Path, buckets: Buckets) -> None:
    folder.mkdir()
    files: dict[str, TextIO] = {}
    with ExitStack() as stack:
        for values in buckets.read():
            domain = str(values["domain"])
            if domain not in files:
                files[domain] = open_zst(folder / f"{domain}.jsonl.zst", stack)
            files[domain].write(dumps(values) + "\n")
