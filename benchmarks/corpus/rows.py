"""The rows of a corpus, group by group: a base, its near-duplicates, its hard negatives; or a benchmark's question and
what was planted of it. Everything follows from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.corpus.bases import NEGATIVES, Base, Pool
from benchmarks.corpus.draw import Stream, seed_of
from benchmarks.corpus.plants import Plant, boilerplate, contamination, duplicate
from benchmarks.corpus.template import Domain, Made

__all__ = ["Group", "Row", "Truth", "benchmark_groups", "question_groups"]

DUPLICATE_SHARE = 0.15
NEGATIVE_SHARE = 0.06
CONTAMINATED_SHARE = 0.02
CONTAMINATION_NEGATIVE_SHARE = 0.01
NO_ANSWER_SHARE = 0.03
STOCK_SHARE = 0.02
_SIZES = (
    (1, 500),
    (2, 180),
    (3, 100),
    (4, 50),
    (5, 40),
    (6, 30),
    (8, 30),
    (11, 25),
    (14, 15),
    (20, 10),
    (28, 10),
    (39, 10),
)
_MEAN_SIZE = sum(size * weight for size, weight in _SIZES) / sum(weight for _, weight in _SIZES)
_SOURCES: dict[Domain, tuple[tuple[str, str], ...]] = {
    "maths_words": (
        ("school-stories", "MIT"),
        ("story-web", "CC-BY-4.0"),
        ("grade-drills", "Apache-2.0"),
        ("forum-maths", "CC-BY-SA-4.0"),
    ),
    "maths_latex": (
        ("contest-archive", "MIT"),
        ("olympiad-notes", "Apache-2.0"),
        ("textbook-tex", "CC-BY-4.0"),
        ("forum-maths", "CC-BY-SA-4.0"),
    ),
    "choice": (
        ("science-quiz", "CC-BY-4.0"),
        ("exam-bank", "MIT"),
        ("reading-tests", "CC-BY-NC-4.0"),
        ("trivia-web", "unknown"),
    ),
    "code": (("judge-tasks", "Apache-2.0"), ("coding-club", "MIT")),
    "code_output": (("snippet-quiz", "MIT"), ("coding-club", "Apache-2.0")),
    "puzzle": (("riddle-box", "MIT"), ("logic-letters", "CC-BY-4.0")),
}


@dataclass(frozen=True, slots=True)
class Truth:
    """Why a row was planted: of which row, as what."""

    id: str
    plant: str
    kind: str
    of: str
    cluster: str
    detail: str
    answer: str = "same"


@dataclass(frozen=True, slots=True)
class Row:
    """A question as it is written, with its domain (which decides the file)."""

    domain: Domain
    values: dict[str, Any]
    truth: Truth | None = None
    program: str | None = None


@dataclass(slots=True)
class Group:
    """The rows that belong together. `benchmark` is the benchmark's row, if the group began with one."""

    rows: list[Row] = field(default_factory=list[Row])
    benchmark: dict[str, Any] | None = None


def _id(seed: int, *parts: object) -> str:
    return f"{seed_of('row', seed, *parts):016x}"


def _row(made: Made, domain: Domain, row_id: str, s: Stream, taken: tuple[str, ...] = ()) -> Row:
    source, licence = s.pick([entry for entry in _SOURCES[domain] if entry[0] not in taken])
    values: dict[str, Any] = {"id": row_id, "question": made.text, "answer": made.answer}
    if made.choices is not None:
        values["choices"] = made.choices
    if made.tests is not None:
        values["tests"] = made.tests
        values["spec"] = {"language": "python", "tests": made.tests}
    return Row(domain, {**values, "domain": domain, "source": source, "license": licence}, program=made.program)


def question_groups(pool: Pool, seed: int) -> Iterator[Group]:
    """Groups of bases with their duplicates and negatives, for as long as the pool lasts."""
    count = 0
    while (base := pool.draw("questions")) is not None:
        count += 1
        yield _question_group(base, seed, count)


def _question_group(base: Base, seed: int, number: int) -> Group:
    s = Stream(seed_of("group", seed, number))
    if s.chance(NO_ANSWER_SHARE):
        base.made.answer = None
    if s.chance(STOCK_SHARE):
        base.made = boilerplate(base.made, s.below(1 << 20))
    first = _row(base.made, base.domain, _id(seed, number), s)
    group = Group([first])
    singles = 1 - DUPLICATE_SHARE - NEGATIVE_SHARE - CONTAMINATED_SHARE - CONTAMINATION_NEGATIVE_SHARE
    if s.chance(DUPLICATE_SHARE / singles / _MEAN_SIZE):
        for i in range(s.weighted(_SIZES)):
            _plant(group, first, duplicate(base, s), _id(seed, number, "duplicate", i), "duplicate", s)
    if s.chance(1.15 * NEGATIVE_SHARE / singles / 1.5):
        for i in range(s.between(1, 2)):
            _negative(group, first, base, _id(seed, number, "negative", i), s)
    return group


def _plant(group: Group, first: Row, plant: Plant, row_id: str, what: str, s: Stream) -> None:
    known = first.values["id"]
    taken = (str(first.values["source"]),) if plant.kind == "exact" else ()
    row = _row(plant.made, first.domain, row_id, s, taken)
    truth = Truth(row_id, what, plant.kind, known, known, plant.detail, plant.answer)
    group.rows.append(Row(row.domain, row.values, truth, row.program))


def _negative(group: Group, first: Row, base: Base, row_id: str, s: Stream) -> None:
    for kind in (s.pick(("numbers", "numbers", *NEGATIVES)), *s.shuffled(NEGATIVES)):
        if (made := base.negative(kind, s)) is not None and base.made.answer is not None:
            _plant(
                group,
                first,
                Plant(made, kind, "", "other" if kind != "choices" else "same"),
                row_id,
                "hard_negative",
                s,
            )
            return


def benchmark_groups(pool: Pool, seed: int, count: int, rows: int) -> Iterator[Group]:
    """`count` benchmark rows; planted of them are so many rows as make the shares of a corpus of `rows`."""
    planted, negatives = round(rows * CONTAMINATED_SHARE), round(rows * CONTAMINATION_NEGATIVE_SHARE)
    for number in range(count):
        if (base := pool.draw("benchmark")) is None:
            return
        yield _benchmark_group(base, seed, number, _due(number, count, planted), _due(number, count, negatives))


def _due(number: int, count: int, planted: int) -> int:
    """How many of `planted` rows fall to this one of `count`, spread evenly."""
    return planted * (number + 1) // count - planted * number // count


def _benchmark_group(base: Base, seed: int, number: int, planted: int, negatives: int) -> Group:
    s = Stream(seed_of("benchmark", seed, number))
    stock = s.chance(0.06)
    if stock:
        base.made = boilerplate(base.made, number)
    first = _row(base.made, base.domain, f"b{_id(seed, 'benchmark', number)}", s)
    values = {
        key: first.values[key] for key in ("id", "question", "answer", "choices", "domain") if key in first.values
    }
    group = Group([], values)
    for i in range(planted):
        _plant(group, first, contamination(base, s), _id(seed, "contaminated", number, i), "contaminated", s)
    for i in range(negatives):
        _look_alike(group, first, base, _id(seed, "look-alike", number, i), s)
    return group


def _look_alike(group: Group, first: Row, base: Base, row_id: str, s: Stream) -> None:
    """A question of the same make with other content; half of them share a stock phrase with a benchmark's row."""
    for _ in range(6):
        made = base.same_template(1 + s.below(1 << 30))
        if made is not None:
            kind = s.pick(("same_template", "boilerplate"))
            made = boilerplate(made, s.below(8)) if kind == "boilerplate" else made
            _plant(group, first, Plant(made, kind, "", "other"), row_id, "contamination_negative", s)
            return
