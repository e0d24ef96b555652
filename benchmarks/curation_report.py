"""What the curation benchmarks share: the corpus they run over, and the tables they print."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.corpus.draw import seed_of
from benchmarks.curation_rows import STORED, StoredRow, Truth, read_truth, store, stored_rows

__all__ = ["Corpus", "open_corpus", "parser", "sampled", "share", "table"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus, stored for reading: the ids of its rows in their order, and what was planted."""

    folder: Path
    stored: Path
    truth: dict[str, Truth]
    ids: list[str]
    places: dict[str, int] = field(default_factory=dict[str, int])

    def row(self, place: int) -> StoredRow:
        """One row, found by reading."""
        return next(row for i, row in enumerate(stored_rows(self.stored)) if i == place)

    def cluster(self, row_id: str) -> str:
        """The id that all rows share that ask the same."""
        truth = self.truth.get(row_id)
        return truth.cluster if truth is not None and truth.plant == "duplicate" else row_id


def parser(doc: str | None, peers: Sequence[str]) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=10_000)
    made.add_argument("--seed", type=int, default=7)
    made.add_argument("--corpus", type=Path, help="an existing corpus; otherwise one is made, or reused from last time")
    made.add_argument("--real", type=Path, help="a folder of real questions, as the base pool")
    made.add_argument("--peers", default=",".join(peers), help=f"any of {','.join(peers)}; empty for none")
    made.add_argument("--python", default=sys.executable, help="the interpreter that has the peers installed")
    return made


def open_corpus(given: argparse.Namespace, work: Path) -> Corpus:
    """The corpus that the arguments name, made where it is not there yet."""
    from benchmarks.corpus.__main__ import make

    folder = given.corpus
    if folder is None:
        name = f"reasonry-corpus-{given.rows}-{given.seed}{'-real' if given.real else ''}"
        folder = Path(tempfile.gettempdir()) / name
        if not (folder / "recipe.toml").exists():
            make(folder, rows=given.rows, seed=given.seed, benchmark_rows=5_000, real=given.real)
    stored = work / "all"
    stored.mkdir()
    store(folder, stored)
    return _opened(folder, stored, read_truth(folder))


def _opened(folder: Path, stored: Path, truth: dict[str, Truth]) -> Corpus:
    ids = [row.id for row in stored_rows(stored)]
    return Corpus(folder, stored, truth, ids, {row_id: place for place, row_id in enumerate(ids)})


def sampled(corpus: Corpus, rows: int, work: Path) -> Corpus:
    """About so many of the rows, in whole groups (a base with all that was planted of it), chosen by digest."""
    import pickle

    stored, limit = work / "sample", round(rows / len(corpus.ids) * 10_000)
    stored.mkdir()
    groups = {row_id: truth.of for row_id, truth in corpus.truth.items()}
    batch = [
        tuple(row)
        for row in stored_rows(corpus.stored)
        if seed_of("sample", groups.get(row.id, row.id)) % 10_000 < limit
    ]
    with (stored / STORED).open("wb") as file:
        pickle.dump(batch, file)
    return _opened(corpus.folder, stored, corpus.truth)


def share(part: int, whole: int) -> str:
    """A share to three digits; a dash of nothing."""
    return f"{part / whole:.3f}" if whole else "-"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table: the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
