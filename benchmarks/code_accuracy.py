"""How often is the `code` verifier wrong? On published programs whose result is known: see `code_rows`.

    python -m benchmarks.code_accuracy --workers 2

Prints a Markdown table, and every disagreement. A program that is labelled wrong must not be `correct`; which of the
other statuses it gets is not compared.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.code_rows import DATA, SETS, Labelled, rows_of
from reasonry import Question, Status, Verdict
from reasonry.contracts import Limits
from reasonry.registry import find
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["main", "verdicts_of"]


def verdicts_of(rows: Sequence[Labelled], workers: int) -> list[Verdict]:
    """In the order of the rows, by the local executor."""
    items = [VerifyItem(Question("", None, "code", row.spec), row.response) for row in rows]
    with find("executor", "local").call(workers) as executor:
        return list(verify_all(items, executor, Limits(10.0, 2048)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of: {', '.join(SETS)} (default: all)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth row")
    arguments = parser.parse_args()
    if not DATA.exists():
        print("error: the labelled sets are not here (a folder shared/data beside the checkout)", file=sys.stderr)
        return 2
    print("| set | programs | right | agree | false positive | false negative | ours | programs a second |")
    print("|---|---|---|---|---|---|---|---|")
    disagreements = [found for name in arguments.sets or SETS for found in _measure(name, arguments)]
    print("\n" + "\n".join(disagreements or ["No disagreement."]))
    return 1 if disagreements else 0


def _measure(name: str, arguments: argparse.Namespace) -> list[str]:
    rows = rows_of(name, every=arguments.every)
    began = time.perf_counter()
    verdicts = verdicts_of(rows, arguments.workers)
    seconds = time.perf_counter() - began
    pairs = list(zip(rows, verdicts, strict=True))
    false_positive = [pair for pair in pairs if pair[1].status is Status.CORRECT and not pair[0].is_right]
    false_negative = [pair for pair in pairs if pair[1].status is not Status.CORRECT and pair[0].is_right]
    ours = sum(verdict.status.score is None for verdict in verdicts)
    wrong = [*false_positive, *false_negative]
    right = sum(row.is_right for row in rows)
    print(
        f"| {name} | {len(rows):,} | {right:,} | {1 - len(wrong) / len(rows):.3%} | {len(false_positive)} "
        f"| {len(false_negative)} | {ours} | {len(rows) / seconds:,.0f} |",
        flush=True,
    )
    return [f"- {name} {row.id}: {verdict.status}, {verdict.detail}" for row, verdict in wrong]


if __name__ == "__main__":
    sys.exit(main())
