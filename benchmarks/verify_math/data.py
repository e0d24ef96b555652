"""The labelled pairs: where they are, how they are read, and the rows that are left out by name."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zstandard

__all__ = ["LABELLED", "UNLABELLED", "Label", "Pair", "find_data", "missing", "pairs_of", "path_of", "rows_of"]

Label = Literal["approx"] | bool | None

LABELLED = (
    "adj_odyssey",
    "adj_mathcoder",
    "adj_zeroeval",
    "hardverify",
    "gaokao_lab",
    "grader_tests",
    "inspect_tests",
    "mathverify_tests",
    "lighteval_tests",
    "odyssey_mcq",
    "openai_gsm8k",
    "math_equivalence",
)
UNLABELLED = ("zeroeval_gsm", "zeroeval_mathl5")
_ELSEWHERE = {"math_equivalence": "verifier-cases/math_equivalence.jsonl.zst"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference and a prediction. `count` says how often the pair occurred where it was collected.

    `label` is what the source says of them: equal, different, "approx" (a rounding of an exact value) or None.
    """

    id: str
    file: str
    answer: str
    response: str
    label: Label = None
    prompt: str = ""
    count: int = 1


def find_data() -> Path:
    """The nearest `shared/data` at or above this repository."""
    for folder in Path(__file__).resolve().parents:
        if (data := folder / "shared" / "data").is_dir():
            return data
    return Path(__file__).resolve().parents[2].parent / "shared" / "data"


def path_of(data: Path, file: str) -> Path:
    return data / _ELSEWHERE.get(file, f"maths/{file}.jsonl")


def missing(data: Path, files: tuple[str, ...]) -> list[str]:
    return [file for file in files if not path_of(data, file).is_file()]


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a `.jsonl` or `.jsonl.zst` file."""
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file) if path.suffix == ".zst" else file
        with io.TextIOWrapper(stream, encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def pairs_of(data: Path, file: str) -> list[Pair]:
    return [_pair(file, row) for row in rows_of(path_of(data, file))]


def _pair(file: str, row: dict[str, Any]) -> Pair:
    return Pair(
        id=row["id"],
        file=file,
        answer=row["answer"] if "answer" in row else row["gold"],
        response=row["response"],
        label=row.get("label"),
        prompt=row.get("prompt") or "",
        count=row.get("count", 1),
    )
