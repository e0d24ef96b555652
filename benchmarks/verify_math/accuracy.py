"""Every labelled pair through every grader: accuracy, false positives and false negatives apart."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.verify_math.data import Pair, pairs_of
from benchmarks.verify_math.excluded import EXCLUDED
from benchmarks.verify_math.peers import OURS, Grade, Grader

__all__ = ["BARS", "FileResult", "Tally", "failures", "grade_all", "result_of", "sample_of"]

BARS = {
    "adj_odyssey": 99.5,
    "adj_mathcoder": 99.6,
    "adj_zeroeval": 99.8,
    "hardverify": 90.0,
    "grader_tests": 95.0,
    "gaokao_lab": 97.0,
    "inspect_tests": 97.0,
    "mathverify_tests": 98.0,
    "lighteval_tests": 98.0,
}
"""Per cent that we must reach."""
RIVAL = "math-verify"
"""Whose false positives ours must never exceed, on any file."""


@dataclass(slots=True)
class Tally:
    """One grader on one file. Rows labelled "approx" are apart; rows without a label, and excluded ones, are out."""

    right: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    errors: int = 0
    timeouts: int = 0
    hung: int = 0
    approx_accepted: int = 0

    @property
    def labelled(self) -> int:
        return self.right + self.false_positives + self.false_negatives

    @property
    def accuracy(self) -> float:
        """Per cent of the labelled rows."""
        return 100.0 * self.right / self.labelled if self.labelled else 100.0

    def add(self, pair: Pair, grade: Grade) -> None:
        self.errors += grade.outcome == "error"
        self.timeouts += grade.outcome == "timeout"
        self.hung += grade.outcome == "hung"
        if pair.label == "approx":
            self.approx_accepted += grade.equal
            return
        self.right += grade.equal == pair.label
        self.false_positives += grade.equal and not pair.label
        self.false_negatives += bool(pair.label) and not grade.equal


@dataclass(slots=True)
class FileResult:
    """One file: its counts, each grader's tally, and the rows where we and the label differ."""

    file: str
    rows: int = 0
    unlabelled: int = 0
    approx: int = 0
    excluded: list[str] = field(default_factory=list[str])
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    disagreements: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def sample_of(data: Path, file: str, size: int | None, seed: int = 1) -> list[Pair]:
    """All pairs of a file, or a seeded sample of them in their order."""
    pairs = pairs_of(data, file)
    if size is None or size >= len(pairs):
        return pairs
    chosen = set(random.Random(f"{seed} {file}").sample(range(len(pairs)), size))
    return [pair for i, pair in enumerate(pairs) if i in chosen]


def counted(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that are graded: labelled, and not excluded by name."""
    return [pair for pair in pairs if pair.label is not None and pair.id not in EXCLUDED]


def grade_all(grader: Grader, pairs: Sequence[Pair], tell: Callable[[int], None] = lambda _: None) -> list[Grade]:
    """The grade of each pair, in order."""
    grades = list[Grade]()
    for pair in counted(pairs):
        grades.append(grader.grade(pair.answer, pair.response, pair.prompt))
        tell(len(grades))
    return grades


def result_of(file: str, pairs: Sequence[Pair], grades: dict[str, list[Grade]]) -> FileResult:
    """Book every grader's grades of one file. `grades` has one list for each grader, in the order of `counted`."""
    result = FileResult(file, rows=len(pairs), unlabelled=sum(pair.label is None for pair in pairs))
    result.excluded = [pair.id for pair in pairs if pair.id in EXCLUDED]
    rows = counted(pairs)
    result.approx = sum(pair.label == "approx" for pair in rows)
    for name, given in grades.items():
        tally = result.tallies[name] = Tally()
        for pair, grade in zip(rows, given, strict=True):
            tally.add(pair, grade)
    if OURS in grades:
        for i, pair in enumerate(rows):
            if pair.label != "approx" and grades[OURS][i].equal != pair.label:
                result.disagreements.append(_disagreement(pair, {name: given[i] for name, given in grades.items()}))
    return result


def _disagreement(pair: Pair, grades: dict[str, Grade]) -> dict[str, Any]:
    said = grades[OURS].said or {}
    return {
        "id": pair.id,
        "file": pair.file,
        "answer": pair.answer,
        "response": pair.response,
        "label": pair.label,
        "ours": said.get("status", grades[OURS].outcome),
        "extracted": said.get("extracted"),
        "rung": said.get("compared", ""),
        "detail": said.get("detail", ""),
        "peers": {name: _word(grade) for name, grade in grades.items() if name != OURS},
        "prompt": pair.prompt,
    }


def _word(grade: Grade) -> str:
    return grade.outcome if grade.outcome != "ok" else "equal" if grade.equal else "different"


def failures(results: Iterable[FileResult]) -> list[str]:
    """The bars that were missed, in words."""
    missed = list[str]()
    for result in results:
        ours = result.tallies[OURS]
        if ours.accuracy < (bar := BARS.get(result.file, 0.0)):
            missed.append(f"{result.file}: {ours.accuracy:.2f}% is below {bar}%")
        rival = result.tallies.get(RIVAL)
        if rival and ours.false_positives > rival.false_positives:
            missed.append(f"{result.file}: {ours.false_positives} false positives, {RIVAL} {rival.false_positives}")
    return missed
