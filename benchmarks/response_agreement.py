"""How often the verifiers agree with the labels of recorded responses: extraction and comparison together.

```
python benchmarks/response_agreement.py [DATA] [--workers 2] [--only NAME ...] [--list disagreements.jsonl]
```

DATA is the folder that holds `recorded/`; by default `../shared/data`, looked for upward from here. Agreement is
counted over the rows that have a label: our `correct` against true, any other verdict against false. Rows whose label
or reference is wrong are named in `response_labels.py`, left out and counted aloud. `extracted` is how often we found
the answer that the source published as the response's answer.

The files with labels of unknown quality (`NOISY`) are shown and do not count. Exit code 0 when the agreement over all
other rows reaches the bar, 1 when it does not, 2 when the data are not there.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import zstandard
from response_labels import WRONG

from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all

FILES: Mapping[str, str] = MappingProxyType(
    {
        "zeroeval_gsm8k": "math",
        "gsm8k_openai_2021": "math",
        "tora_gsm8k": "math",
        "mr_gsm8k_human": "math",
        "zeroeval_math_l5": "math",
        "qwen_math_example": "math",
        "rasbt_math": "math",
        "thought_anchors_r1_distill": "math",
        "trace_topology_r1": "math",
        "dynamic_cheatsheet": "math",
        "thinking_traces_qwen3": "math",
        "odyssey_math": "math",
        "gaokao_gpt4_zh": "choice",
    }
)
"""The verifier of each file. Of a file of several kinds, only the rows of kind `math` are read."""
NOISY = frozenset({"odyssey_math"})  # labelled by another grader, which errs
BAR = 99.5  # per cent, over all rows together
LIMITS = Limits(cpu_s=5.0, memory_mb=2048)
TAIL = 300  # characters of a response that the list shows


# --- the rows


def find_data() -> Path:
    """The nearest `shared/data` at or above this repository."""
    for folder in Path(__file__).resolve().parents:
        if (data := folder / "shared" / "data").is_dir():
            return data
    return Path(__file__).resolve().parents[1].parent / "shared" / "data"


def path_of(data: Path, name: str) -> Path:
    """The file of that name, compressed or plain."""
    packed = data / "recorded" / f"{name}.jsonl.zst"
    plain = packed.with_suffix("")
    return plain if plain.is_file() else packed


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file) if path.suffix == ".zst" else file
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def kept_rows(path: Path, verifier: str) -> list[dict[str, Any]]:
    """The rows that this verifier can be asked about: one answer, with a reference."""
    if verifier == "choice":
        return [row for row in rows_of(path) if isinstance(row["gold"], str) and len(row["gold"]) == 1]
    return [row for row in rows_of(path) if row["kind"] == "math"]


# --- counting


@dataclass(slots=True)
class Tally:
    """One file's counts, and the rows where we and the label differ."""

    name: str
    rows: int = 0
    labelled: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    mislabelled: int = 0
    published: int = 0
    same_answer: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    disagreements: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def agreement(self) -> float:
        """Per cent of the labelled rows."""
        wrong = self.false_positives + self.false_negatives
        return 100.0 * (1 - wrong / self.labelled) if self.labelled else 100.0

    @property
    def extraction(self) -> str:
        """Per cent of the rows with a published answer for which we found the same one."""
        return f"{100.0 * self.same_answer / self.published:.2f}%" if self.published else "–"

    def add(self, row: dict[str, Any], verdict: Verdict) -> None:
        self.rows += 1
        self.statuses[verdict.status.value] += 1
        self._add_extraction(row["meta"].get("extracted"), verdict.extracted or "")
        if row["label"] is None:
            return
        if row["id"] in WRONG:
            self.mislabelled += 1
            return
        self.labelled += 1
        accepted = verdict.status is Status.CORRECT
        if accepted == row["label"]:
            return
        self.false_positives += accepted
        self.false_negatives += not accepted
        self.disagreements.append(_disagreement(self.name, row, verdict))

    def _add_extraction(self, published: object, found: str) -> None:
        if isinstance(published, list):
            published = "".join(map(str, published))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if isinstance(published, str) and published.strip():
            self.published += 1
            self.same_answer += _plain(published) == _plain(found)


_SPELLING = re.compile(
    r"\\(?:left|right|displaystyle|[,;!:$% ])|[\s${}*%€£,]|\\(?:text|mathrm|boxed)\b|\.0*$|°|\^\\circ"
)


def _plain(answer: str) -> str:
    """An answer without what two readers of the same response may write differently: spacing, braces, delimiters."""
    return _SPELLING.sub("", answer.replace("dfrac", "frac").replace("tfrac", "frac")).casefold()


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


def score(path: Path, verifier: str, executor: LocalExecutor) -> Tally:
    tally = Tally(path.name.partition(".")[0])
    rows = kept_rows(path, verifier)
    items = (VerifyItem(Question(row["question"], row["gold"], verifier), row["response"]) for row in rows)
    for row, verdict in zip(rows, verify_all(items, executor, LIMITS), strict=True):
        tally.add(row, verdict)
    return tally


_COUNTS = ("rows", "labelled", "false_positives", "false_negatives", "mislabelled", "published", "same_answer")


def total_of(tallies: list[Tally]) -> Tally:
    total = Tally("all")
    for tally in tallies:
        for name in _COUNTS:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        total.statuses += tally.statuses
    return total


# --- showing

_HEAD = f"{'rows':>8}{'labelled':>10}{'left out':>10}{'agreement':>11}{'false +':>9}{'false -':>9}{'extracted':>11}"


def show(tallies: list[Tally]) -> None:
    print(f"{'file':<28}{_HEAD}  statuses")
    for tally in tallies:
        statuses = " ".join(f"{name}={count}" for name, count in sorted(tally.statuses.items()))
        figures = f"{tally.rows:>8}{tally.labelled:>10}{tally.mislabelled:>10}{tally.agreement:>10.3f}%"
        errors = f"{tally.false_positives:>9}{tally.false_negatives:>9}{tally.extraction:>11}"
        print(f"{tally.name:<28}{figures}{errors}  {statuses}")


def show_left_out(tallies: list[Tally]) -> None:
    count = sum(tally.mislabelled for tally in tallies)
    print(f"{count} rows left out, because their label or reference is wrong (response_labels.py):")
    for reason, ids in Counter(WRONG.values()).most_common():
        print(f"{ids:>6} {reason}")


def write_list(path: Path, tallies: list[Tally]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for tally in tallies for row in tally.disagreements]
    path.write_text("".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Agreement of the verifiers with the labels of recorded responses")
    parser.add_argument("data", nargs="?", type=Path, default=find_data())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=FILES, default=list(FILES), help="read these files only")
    parser.add_argument("--list", type=Path, help="write every disagreement to this JSONL file")
    arguments = parser.parse_args()
    paths = {name: path_of(arguments.data, name) for name in arguments.only}
    if missing := [path.name for path in paths.values() if not path.is_file()]:
        print(f"error: no {', '.join(missing)} in {arguments.data / 'recorded'}", file=sys.stderr)
        print("\nhint: give the folder that holds recorded/ as the first argument", file=sys.stderr)
        return 2
    start = time.perf_counter()
    with LocalExecutor(arguments.workers) as executor:
        tallies = [score(path, FILES[name], executor) for name, path in paths.items()]
    total = total_of([tally for tally in tallies if tally.name not in NOISY])
    show([*(tally for tally in tallies if tally.name not in NOISY), total])
    show([tally for tally in tallies if tally.name in NOISY])
    show_left_out(tallies)
    rows = sum(tally.rows for tally in tallies)
    print(f"{rows / (time.perf_counter() - start):.0f} rows per second, {arguments.workers} workers")
    if arguments.list:
        write_list(arguments.list, tallies)
    return 0 if total.agreement >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
