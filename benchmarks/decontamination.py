"""Contamination found by our filter and by others, over a corpus with planted rows of a benchmark.

    python -m benchmarks.decontamination --rows 10000 --peers exact,8-gram,13-gram,rapidfuzz

lexical     recall of rows that are a benchmark's question in another spelling, in a longer text, or with its choices in
            another order (verbatim, latex, whitespace, embedded, shuffled, light_edit)
reword      recall of those in other words
precision   rows flagged as plainly contaminated that are a benchmark's question, of all that are so flagged. A row of
            which only the numbers were changed counts as wrong here: it has a class of its own.
numbers     planted rows with changed numbers: flagged in that class, and flagged as plainly contaminated

A finding of ours whose rule names numbers is of the class of changed numbers; the peers know one class only. Rows of
the template of a benchmark's question that differ in nothing but numbers occur in the corpus unplanted too: `by nature`
counts those among the findings of the class whose text is the named question's but for the digits.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.curation_measured import OURS, Absent, Found, Measured, measured
from benchmarks.curation_peers import DECONTAMINATE
from benchmarks.curation_report import Corpus, open_corpus, parser, sampled, share, table
from benchmarks.curation_rows import read_benchmark, stored_rows

__all__ = ["LEXICAL", "Score", "main", "score"]

LEXICAL = ("verbatim", "latex", "whitespace", "embedded", "shuffled", "light_edit")
SHOWN = ("exact", "8-gram", "13-gram", "rapidfuzz")
SLOW = {"rapidfuzz"}  # each row with each of the benchmark: linear in the rows, but dear
SAMPLE = 10_000
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(slots=True)
class Score:
    """What of a method's findings was right; `planted` and `found` are contaminated rows by kind."""

    planted: Counter[str] = field(default_factory=Counter[str])
    found: Counter[str] = field(default_factory=Counter[str])
    other_row: int = 0
    flagged: int = 0
    right: int = 0
    wrong: Counter[str] = field(default_factory=Counter[str])
    numbers: int = 0
    numbers_planted: int = 0
    numbers_by_nature: int = 0

    def recall(self, *kinds: str) -> str:
        return share(sum(self.found[kind] for kind in kinds), sum(self.planted[kind] for kind in kinds))


def _is_numbers(found: Found) -> bool:
    return "number" in found.rule


def score(corpus: Corpus, findings: Sequence[Found], alike: set[int]) -> Score:
    """Judge findings. `alike` holds the places of those that differ from the named question in digits only."""
    made = Score()
    present = {row_id: truth for row_id in corpus.ids if (truth := corpus.truth.get(row_id)) is not None}
    made.planted.update(truth.kind for truth in present.values() if truth.plant == "contaminated")
    for found in findings:
        truth = present.get(corpus.ids[found.place])
        planted = truth is not None and truth.plant == "contaminated"
        kind = truth.kind if truth is not None and planted else ""
        if _is_numbers(found):
            made.numbers += 1
            made.numbers_planted += kind == "numbers_changed"
            made.numbers_by_nature += not planted and found.place in alike
            made.found["numbers_changed"] += kind == "numbers_changed"
            continue
        made.flagged += 1
        if planted and kind != "numbers_changed":
            made.right += 1
            made.found[kind] += 1
            made.other_row += truth is not None and found.other is not None and found.other != truth.of
        else:
            made.wrong[f"{truth.plant}/{truth.kind}" if truth is not None else "unplanted"] += 1
    return made


def _alike(corpus: Corpus, findings: Sequence[Found]) -> set[int]:
    """Places of findings whose text is the named question's but for the digits."""
    masked = {row["id"]: _masked(row["question"]) for row in read_benchmark(corpus.folder)}
    named = {found.place: found.other for found in findings if _is_numbers(found)}
    return {
        place
        for place, row in enumerate(stored_rows(corpus.stored))
        if place in named and _masked(row.question) == masked.get(str(named[place]))
    }


def _masked(text: str) -> str:
    return _DIGITS.sub("0", " ".join(text.split()))


def _line(result: Measured | Absent, corpus: Corpus, scale: float) -> tuple[list[object], Score | None]:
    if isinstance(result, Absent):
        return [result.name, f"absent: {result.reason}", *["-"] * 7], None
    made = score(corpus, result.found, _alike(corpus, result.found))
    numbers = (
        f"{made.numbers_planted} + {made.wrong['contaminated/numbers_changed']} of {made.planted['numbers_changed']}"
    )
    cpu = f"{'~' if scale > 1 else ''}{result.cpu_s * scale:.1f}"
    figures = [
        made.recall(*LEXICAL),
        made.recall("reword"),
        share(made.right, made.flagged),
        made.flagged,
        numbers,
        made.wrong["unplanted"],
    ]
    return [result.name, cpu, f"{result.peak_mb:.0f}", *figures], made


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser(__doc__, SHOWN).parse_args(arguments)
    names = [OURS, *filter(None, given.peers.split(","))]
    if unknown := [name for name in names[1:] if name not in DECONTAMINATE]:
        print(f"error: no method '{unknown[0]}'\n\nhint: there are {', '.join(DECONTAMINATE)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _compare(open_corpus(given, Path(folder)), names, given.python, Path(folder))
    return 0


def _compare(corpus: Corpus, names: list[str], python: str, work: Path) -> None:
    few = sampled(corpus, SAMPLE, work) if len(corpus.ids) > SAMPLE and SLOW & set(names) else corpus
    rows: list[list[object]] = []
    ours: Score | None = None
    for name in names:
        over = few if name in SLOW else corpus
        result = measured(
            "decontaminate", name, over.stored, over.folder, python=sys.executable if name == OURS else python
        )
        line, made = _line(result, over, len(corpus.ids) / len(over.ids))
        rows.append(line)
        ours = made if name == OURS else ours
        print(f"{name} done", file=sys.stderr)
    print(f"{len(corpus.ids):,} questions, {len(read_benchmark(corpus.folder)):,} benchmark questions\n")
    print(
        table(
            [
                "method",
                "CPU-s",
                "peak MB",
                "lexical",
                "reword",
                "precision",
                "flagged",
                "numbers: own class + plain",
                "unplanted",
            ],
            rows,
        )
    )
    if ours is not None:
        _tell_ours(ours)


def _tell_ours(ours: Score) -> None:
    print("\nOurs, planted rows by kind\n")
    kinds = (*LEXICAL, "reword", "numbers_changed")
    print(
        table(
            ["kind", "planted", "found", "recall"],
            [[kind, ours.planted[kind], ours.found[kind], ours.recall(kind)] for kind in kinds],
        )
    )
    print(f"\nwrongly flagged: {dict(sorted(ours.wrong.items()))}")
    print(f"flagged for another benchmark row than the planted one: {ours.other_row} of {ours.right}")
    rest = ours.numbers - ours.numbers_planted - ours.numbers_by_nature
    counts = f"{ours.numbers_planted} planted, {ours.numbers_by_nature} by nature, {rest} neither"
    print(f"class of changed numbers: {ours.numbers} flagged, {counts}")


if __name__ == "__main__":
    sys.exit(main())
