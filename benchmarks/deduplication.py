"""Near-duplicates found by our filter and by others, over a corpus with planted ones: how well, and at what cost.

    python -m benchmarks.deduplication --rows 10000 --peers exact,rensa-words,datasketch,datatrove,rapidfuzz
    python -m benchmarks.deduplication --real FOLDER      # planted among real questions

recall      planted duplicates that are gone, of all: a cluster of n rows should leave one
precision   dropped rows that ask the same as the row they are said to equal (or, of a peer that names none, as a row
            that is kept), of all dropped rows. Over real questions, whose own duplicates are in no truth, merges of
            unplanted rows are left out of it. `wrong.jsonl` lists them, and all that counts as wrong.

Duplicates planted with an answer that contradicts the original's are left out of both and counted apart: whether they
go is policy. rapidfuzz compares all pairs; beyond 10,000 rows it gets a sample of whole groups, and its CPU time is
scaled by the square of the sizes (marked ~). datatrove wants spaCy: name an environment that has it by --python.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.curation_measured import OURS, Absent, Measured, measured
from benchmarks.curation_peers import DEDUPLICATE
from benchmarks.curation_report import Corpus, open_corpus, parser, sampled, share, table
from benchmarks.curation_rows import stored_rows

__all__ = ["Score", "main", "score"]

QUADRATIC = {"rapidfuzz"}
SAMPLE = 10_000
SHOWN = ("exact", "rensa-words", "rensa-7grams", "datasketch", "datatrove", "rapidfuzz")
KINDS = ("exact", "format", "latex", "edit", "reword")


@dataclass(slots=True)
class Score:
    """What of a method's findings was right. `gone` and `planted` are duplicates by kind."""

    right: int = 0
    wrong: Counter[str] = field(default_factory=Counter[str])
    planted: Counter[str] = field(default_factory=Counter[str])
    gone: Counter[str] = field(default_factory=Counter[str])
    conflicts: int = 0
    conflicts_gone: int = 0
    merges: list[tuple[str, int, int | None]] = field(default_factory=list[tuple[str, int, int | None]])

    @property
    def recall(self) -> str:
        return share(self.gone.total(), self.planted.total())

    def precision(self, *, real: bool) -> str:
        wrong = self.wrong.total() - (self.wrong["unplanted"] if real else 0)
        return share(self.right, self.right + wrong)


def score(corpus: Corpus, others: dict[int, set[int] | None]) -> Score:
    """Judge findings: the places that were dropped, each with those it may have been dropped for (None: not said)."""
    made = Score()
    members: dict[str, list[int]] = defaultdict(list)
    survives: set[str] = set()
    for place, row_id in enumerate(corpus.ids):
        cluster = corpus.cluster(row_id)
        if place not in others:
            survives.add(cluster)
        if _is_conflict(corpus, place):
            made.conflicts += 1
            made.conflicts_gone += place in others
        else:
            members[cluster].append(place)
    for cluster, rows in members.items():
        for place in rows:
            if place in others:
                _score_dropped(corpus, place, others[place], cluster in survives, made)
        _score_kept(corpus, rows, others, made)
    return made


def _is_conflict(corpus: Corpus, place: int) -> bool:
    truth = corpus.truth.get(corpus.ids[place])
    return truth is not None and truth.plant == "duplicate" and truth.answer == "conflict"


def _score_kept(corpus: Corpus, rows: list[int], others: dict[int, set[int] | None], made: Score) -> None:
    """Count the planted duplicates of a cluster, and those that are gone."""
    duplicates = [place for place in rows if corpus.cluster(corpus.ids[place]) != corpus.ids[place]]
    # Where the base itself went, one of its duplicates is the row that stays.
    excused = (
        None if _base_kept(corpus, rows, others) else next((place for place in duplicates if place not in others), None)
    )
    for place in duplicates:
        kind = corpus.truth[corpus.ids[place]].kind
        made.planted[kind] += 1
        made.gone[kind] += place in others or place == excused


def _base_kept(corpus: Corpus, rows: list[int], others: dict[int, set[int] | None]) -> bool:
    base = next((place for place in rows if corpus.cluster(corpus.ids[place]) == corpus.ids[place]), None)
    return base is None or base not in others


def _score_dropped(corpus: Corpus, place: int, named: set[int] | None, survives: bool, made: Score) -> None:
    cluster = corpus.cluster(corpus.ids[place])
    same = named is None or any(corpus.cluster(corpus.ids[other]) == cluster for other in named)
    if survives and same:
        made.right += 1
        return
    kind = _wrong_kind(corpus, place, named)
    made.wrong[kind] += 1
    made.merges.append((kind, place, min(named) if named else None))


def _wrong_kind(corpus: Corpus, place: int, named: set[int] | None) -> str:
    """The kind of hard negative that was taken for a duplicate, on either side of the pair."""
    for other in (place, *sorted(named or ())):
        truth = corpus.truth.get(corpus.ids[other])
        if truth is not None and truth.plant == "hard_negative":
            return truth.kind
    return "unplanted"


def _named(corpus: Corpus, result: Measured) -> dict[int, set[int] | None]:
    """Dropped places with the places of the row that each is said to equal."""
    by_id: dict[str, set[int]] = defaultdict(set)
    if result.name == OURS:
        from benchmarks.curation_ours import question_of

        for place, row in enumerate(stored_rows(corpus.stored)):
            by_id[question_of(row).id].add(place)
    return {
        found.place: None
        if found.other is None
        else {found.other}
        if isinstance(found.other, int)
        else by_id[found.other]
        for found in result.found
        if not found.kept
    }


def _line(result: Measured | Absent, corpus: Corpus, scale: float, *, real: bool) -> tuple[list[object], Score | None]:
    if isinstance(result, Absent):
        return [result.name, f"absent: {result.reason}", *["-"] * 5], None
    made = score(corpus, _named(corpus, result))
    cpu = f"{'~' if scale > 1 else ''}{result.cpu_s * scale:.1f}"
    negatives = made.wrong.total() - made.wrong["unplanted"]
    figures = [made.recall, made.precision(real=real), negatives, made.wrong["unplanted"]]
    return [result.name, cpu, f"{result.peak_mb:.0f}", *figures], made


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser(__doc__, SHOWN).parse_args(arguments)
    names = [OURS, *filter(None, given.peers.split(","))]
    if unknown := [name for name in names[1:] if name not in DEDUPLICATE]:
        print(f"error: no method '{unknown[0]}'\n\nhint: there are {', '.join(DEDUPLICATE)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _compare(open_corpus(given, Path(folder)), names, given.python, Path(folder), real=given.real is not None)
    return 0


def _compare(corpus: Corpus, names: list[str], python: str, work: Path, *, real: bool) -> None:
    few = sampled(corpus, SAMPLE, work) if len(corpus.ids) > SAMPLE and QUADRATIC & set(names) else corpus
    rows: list[list[object]] = []
    ours: Score | None = None
    for name in names:
        over = few if name in QUADRATIC else corpus
        result = measured(
            "deduplicate", name, over.stored, over.folder, python=sys.executable if name == OURS else python
        )
        line, made = _line(result, over, (len(corpus.ids) / len(over.ids)) ** 2, real=real)
        rows.append(line)
        if name == OURS:
            ours = made
        print(f"{name} done", file=sys.stderr)
    print(f"{len(corpus.ids):,} questions\n")
    print(
        table(
            ["method", "CPU-s", "peak MB", "recall", "precision", "hard negatives dropped", "unplanted dropped"], rows
        )
    )
    if ours is not None:
        _tell_ours(corpus, ours)


def _tell_ours(corpus: Corpus, ours: Score) -> None:
    print("\nOurs, planted duplicates by kind\n")
    print(
        table(
            ["kind", "planted", "gone", "recall"],
            [[kind, ours.planted[kind], ours.gone[kind], share(ours.gone[kind], ours.planted[kind])] for kind in KINDS],
        )
    )
    negatives = Counter(truth.kind for truth in corpus.truth.values() if truth.plant == "hard_negative")
    print("\nOurs, hard negatives by kind\n")
    print(
        table(
            ["kind", "planted", "dropped"],
            [[kind, count, ours.wrong[kind]] for kind, count in sorted(negatives.items())],
        )
    )
    print(f"\nconflicting answers: {ours.conflicts} planted, {ours.conflicts_gone} dropped")
    if ours.merges:
        path = corpus.folder / "wrong.jsonl"
        _list_merges(corpus, ours.merges, path)
        print(f"rows that should not have been dropped, or are in no truth: {len(ours.merges)}, listed in {path}")


def _list_merges(corpus: Corpus, merges: list[tuple[str, int, int | None]], path: Path) -> None:
    wanted = {place for _, *pair in merges for place in pair if place is not None}
    rows = {place: row._asdict() for place, row in enumerate(stored_rows(corpus.stored)) if place in wanted}
    with path.open("w", encoding="utf-8") as file:
        for kind, place, other in merges:
            pair = {"kind": kind, "dropped": rows[place], "kept": None if other is None else rows[other]}
            file.write(json.dumps(pair, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
