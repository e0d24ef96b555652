"""How often the `math` verifier agrees with the labels of recorded GSM8K responses.

```
python benchmarks/gsm8k_agreement.py [DATA] [--workers 2] [--list disagreements.jsonl]
```

DATA is the folder that holds `recorded/`; by default `../shared/data`, looked for upward from here. Agreement is
counted over the rows that have a label: our `correct` against true, any other verdict against false. Exit code 0
when the agreement over all rows reaches the bar, 1 when it does not, 2 when the data are not there.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all

FILES = ("zeroeval_gsm8k", "gsm8k_openai_2021", "tora_gsm8k", "mr_gsm8k_human")
BAR = 99.5  # per cent, over all rows together
LIMITS = Limits(cpu_s=5.0, memory_mb=2048)
TAIL = 300  # characters of a response that the list shows


@dataclass(slots=True)
class Tally:
    """One file's counts, and the rows where we and the label differ."""

    name: str
    rows: int = 0
    labelled: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    disagreements: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def agreement(self) -> float:
        """Per cent of the labelled rows."""
        wrong = self.false_positives + self.false_negatives
        return 100.0 * (1 - wrong / self.labelled) if self.labelled else 100.0

    def add(self, row: dict[str, Any], verdict: Verdict) -> None:
        self.rows += 1
        self.statuses[verdict.status.value] += 1
        if row["label"] is None:
            return
        self.labelled += 1
        accepted = verdict.status is Status.CORRECT
        if accepted == row["label"]:
            return
        self.false_positives += accepted
        self.false_negatives += not accepted
        self.disagreements.append(_disagreement(self.name, row, verdict))


def _disagreement(name: str, row: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        "file": name,
        "id": row["id"],
        "model": row["model"],
        "gold": row["gold"],
        "extracted": verdict.extracted,
        "status": verdict.status.value,
        "detail": verdict.detail,
        "evidence": dict(verdict.evidence),
        "label": row["label"],
        "labelled_from": row["meta"].get("extracted"),
        "tail": row["response"][-TAIL:],
    }


def find_data() -> Path:
    """The nearest `shared/data` at or above this repository."""
    for folder in Path(__file__).resolve().parents:
        if (data := folder / "shared" / "data").is_dir():
            return data
    return Path(__file__).resolve().parents[1].parent / "shared" / "data"


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def score(path: Path, executor: LocalExecutor) -> Tally:
    tally = Tally(path.name.removesuffix(".jsonl.zst"))
    items = (VerifyItem(Question(row["question"], row["gold"], "math"), row["response"]) for row in rows_of(path))
    for row, verdict in zip(rows_of(path), verify_all(items, executor, LIMITS), strict=True):
        tally.add(row, verdict)
    return tally


def total_of(tallies: list[Tally]) -> Tally:
    total = Tally("all")
    for tally in tallies:
        total.rows += tally.rows
        total.labelled += tally.labelled
        total.false_positives += tally.false_positives
        total.false_negatives += tally.false_negatives
        total.statuses += tally.statuses
    return total


def show(tallies: list[Tally]) -> None:
    print(f"{'file':<20}{'rows':>8}{'labelled':>10}{'agreement':>11}{'false +':>9}{'false -':>9}  statuses")
    for tally in tallies:
        statuses = " ".join(f"{name}={count}" for name, count in sorted(tally.statuses.items()))
        figures = f"{tally.rows:>8}{tally.labelled:>10}{tally.agreement:>10.3f}%"
        print(f"{tally.name:<20}{figures}{tally.false_positives:>9}{tally.false_negatives:>9}  {statuses}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Agreement of the math verifier with the labels of GSM8K responses")
    parser.add_argument("data", nargs="?", type=Path, default=find_data())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", type=Path, help="write every disagreement to this JSONL file")
    arguments = parser.parse_args()
    paths = [arguments.data / "recorded" / f"{name}.jsonl.zst" for name in FILES]
    if missing := [path.name for path in paths if not path.is_file()]:
        print(f"error: no {', '.join(missing)} in {arguments.data / 'recorded'}", file=sys.stderr)
        print("\nhint: give the folder that holds recorded/ as the first argument", file=sys.stderr)
        return 2
    start = time.perf_counter()
    with LocalExecutor(arguments.workers) as executor:
        tallies = [score(path, executor) for path in paths]
    total = total_of(tallies)
    show([*tallies, total])
    print(f"{total.rows / (time.perf_counter() - start):.0f} rows per second, {arguments.workers} workers")
    if arguments.list:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for tally in tallies for row in tally.disagreements]
        arguments.list.write_text("".join(lines), encoding="utf-8")
    return 0 if total.agreement >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
