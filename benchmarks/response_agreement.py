"""How often the verifiers agree with the labels of recorded responses: extraction and comparison together.

```
python -m benchmarks.response_agreement [DATA] [--workers 2] [--only PART ...] [--list disagreements.jsonl]
```

DATA is the folder that holds `recorded/`; by default `../shared/data`, looked for upward from here. Agreement is
counted over the rows that have a label: our `correct` against true, any other verdict against false; an `error` of ours
agrees with nothing. Rows whose label or reference is wrong are named in `response_labels.py`, left out and counted
aloud. `extracted` is how often we found the answer that the source published as the response's answer.

The parts with labels of unknown quality are shown and do not count. Exit code 0 when the agreement over all other rows
reaches the bar, 1 when it does not, 2 when the data are not there.

`--speed` only measures extraction: how many responses of 1.0 to 1.4 kB, up to 300 of each part, one process reads in a
CPU-second, the best of five rounds.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.response_labels import reason_of
from benchmarks.response_parts import PARTS, Case, Part, cases_of, find_data, path_of
from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all
from reasonry.verifiers.extraction import RULES, extract, split_thinking

BAR = 99.5  # per cent, over all rows together
LIMITS = Limits(cpu_s=5.0, memory_mb=2048)
TAIL = 300  # characters of a response that the list shows


# --- counting


@dataclass(slots=True)
class Tally:
    """One part's counts, and the rows where we and the label differ."""

    name: str
    rows: int = 0
    labelled: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    published: int = 0
    same_answer: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])
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

    def add(self, case: Case, verdict: Verdict) -> None:
        self.rows += 1
        self.statuses[verdict.status.value] += 1
        if case.published.strip():
            self.published += 1
            self.same_answer += _is_same(case.published, verdict.extracted or "")
        if reason := reason_of(case.id, case.reference):
            self.left_out[reason] += 1
        elif case.label is not None:
            self._add_labelled(case, verdict)

    def _add_labelled(self, case: Case, verdict: Verdict) -> None:
        self.labelled += 1
        accepted = verdict.status is Status.CORRECT
        if accepted == case.label and verdict.status is not Status.ERROR:
            return
        self.false_positives += accepted
        self.false_negatives += not accepted
        self.disagreements.append(_disagreement(self.name, case, verdict))


_SPELLING = re.compile(r"\\(?:left|right|displaystyle|[,;:!$% ])|[\s${}*%€£,\"\\]|\\(?:text|mathrm|boxed)\b|°|\^\\circ")


def _is_same(one: str, other: str) -> bool:
    """The same but for what two readers of a response may write differently: spacing, braces, delimiters, `.0`."""
    first, second = (_SPELLING.sub("", text.replace("dfrac", "frac").replace("\f", "f")) for text in (one, other))
    if first.casefold().rstrip(".") == second.casefold().rstrip("."):
        return True
    try:
        return float(first) == float(second)
    except ValueError:
        return False


def _disagreement(name: str, case: Case, verdict: Verdict) -> dict[str, Any]:
    return {
        "part": name,
        "id": case.id,
        "model": case.model,
        "reference": case.reference,
        "extracted": verdict.extracted,
        "status": verdict.status.value,
        "detail": verdict.detail,
        "evidence": dict(verdict.evidence),
        "label": case.label,
        "published": case.published,
        "tail": case.response[-TAIL:],
    }


def score(name: str, part: Part, path: Path, executor: LocalExecutor) -> Tally:
    tally = Tally(name)
    cases = cases_of(path, part)
    items = (VerifyItem(Question(c.prompt, c.reference, part.verifier, c.spec), c.response) for c in cases)
    for case, verdict in zip(cases, verify_all(items, executor, LIMITS), strict=True):
        tally.add(case, verdict)
    return tally


_COUNTS = ("rows", "labelled", "false_positives", "false_negatives", "published", "same_answer")


def total_of(tallies: Iterable[Tally]) -> Tally:
    total = Tally("all")
    for tally in tallies:
        for name in _COUNTS:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        total.left_out += tally.left_out
        total.statuses += tally.statuses
    return total


# --- showing

_HEAD = f"{'rows':>8}{'labelled':>10}{'left out':>10}{'agreement':>11}{'false +':>9}{'false -':>9}{'extracted':>11}"


def show(tallies: Sequence[Tally]) -> None:
    counted = [tally for tally in tallies if not _is_noisy(tally)]
    print(f"{'part':<28}{_HEAD}  statuses")
    for tally in (*counted, total_of(counted)):
        print(_line_of(tally))
    if noisy := [tally for tally in tallies if _is_noisy(tally)]:
        print("not counted, for their labels are another grader's opinion:")
        print("\n".join(map(_line_of, noisy)))
    left_out = total_of(tallies).left_out
    print(f"{left_out.total()} rows left out, because their label or reference is wrong (response_labels.py):")
    for reason, count in left_out.most_common():
        print(f"{count:>6} {reason}")


def _is_noisy(tally: Tally) -> bool:
    return PARTS[tally.name].is_noisy


def _line_of(tally: Tally) -> str:
    statuses = " ".join(f"{name}={count}" for name, count in sorted(tally.statuses.items()))
    figures = f"{tally.rows:>8}{tally.labelled:>10}{tally.left_out.total():>10}{tally.agreement:>10.3f}%"
    errors = f"{tally.false_positives:>9}{tally.false_negatives:>9}{tally.extraction:>11}"
    return f"{tally.name:<28}{figures}{errors}  {statuses}"


def write_list(path: Path, tallies: Sequence[Tally]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for tally in tallies for row in tally.disagreements]
    path.write_text("".join(lines), encoding="utf-8")


# --- speed

ROUNDS = 5
MOST_OF_A_PART = 300
_RULES = tuple(RULES)


def show_speed(paths: Mapping[str, Path]) -> None:
    responses = [text for name, path in paths.items() for text in _of_one_size(cases_of(path, PARTS[name]))]
    seconds = min(_cpu_seconds(responses) for _ in range(ROUNDS))
    print(f"{len(responses)} responses, {sum(map(len, responses)) / len(responses):.0f} characters each")
    print(f"{len(responses) / seconds:.0f} per CPU-second, {1e6 * seconds / len(responses):.1f} microseconds each")


def _of_one_size(cases: Iterable[Case]) -> list[str]:
    fitting = [case.response for case in cases if 1_000 <= len(case.response.encode()) <= 1_400]
    return fitting[:MOST_OF_A_PART]


def _cpu_seconds(responses: Sequence[str]) -> float:
    start = time.process_time()
    for response in responses:
        extract(split_thinking(response).said, _RULES)
    return time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description="Agreement of the verifiers with the labels of recorded responses")
    parser.add_argument("data", nargs="?", type=Path, default=find_data())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="read these parts only")
    parser.add_argument("--list", type=Path, help="write every disagreement to this JSONL file")
    parser.add_argument("--speed", action="store_true", help="measure how fast answers are found, and nothing else")
    arguments = parser.parse_args()
    paths = {name: path_of(arguments.data, PARTS[name]) for name in arguments.only}
    if missing := sorted({path.name for path in paths.values() if not path.is_file()}):
        print(f"error: no {', '.join(missing)} in {arguments.data / 'recorded'}", file=sys.stderr)
        print("\nhint: give the folder that holds recorded/ as the first argument", file=sys.stderr)
        return 2
    if arguments.speed:
        show_speed(paths)
        return 0
    start = time.perf_counter()
    with LocalExecutor(arguments.workers) as executor:
        tallies = [score(name, PARTS[name], path, executor) for name, path in paths.items()]
    show(tallies)
    rows = sum(tally.rows for tally in tallies)
    print(f"{rows / (time.perf_counter() - start):.0f} rows per second, {arguments.workers} workers")
    if arguments.list:
        write_list(arguments.list, tallies)
    return 0 if total_of(tally for tally in tallies if not _is_noisy(tally)).agreement >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
