"""What was measured, as tables: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.verify_math.accuracy import BARS, FileResult, Tally
from benchmarks.verify_math.excluded import EXCLUDED
from benchmarks.verify_math.peers import OURS

__all__ = ["show_accuracy"]


def show_accuracy(results: Sequence[FileResult], versions: dict[str, str]) -> None:
    """Accuracy in per cent, with false positives and false negatives; what else happened; what was left out."""
    names = list(versions)
    print("graders: " + ", ".join(f"{name} {version}".strip() for name, version in versions.items()) + "\n")
    print("accuracy in % (false positives / false negatives), rows labelled equal or different")
    rows = [[result.file, *_row(result, names)] for result in results]
    _print(["file", "rows", "bar", *names], rows)
    print("\nrounded answers (label approx) accepted, of how many")
    approx = [result for result in results if result.approx]
    cells = [[str(result.tallies[name].approx_accepted) for name in names] for result in approx]
    _print(["file", "rows", *names], [[r.file, str(r.approx), *c] for r, c in zip(approx, cells, strict=True)])
    print("\nerrors / own timeouts / killed")
    _print(["file", *names], [[r.file, *(_trouble(r.tallies[n]) for n in names if n in r.tallies)] for r in results])
    print()
    for result in results:
        if result.unlabelled:
            print(f"{result.file}: {result.unlabelled} rows without a label left out")
    for result in results:
        for row in result.excluded:
            print(f"excluded: {result.file} {row}: {EXCLUDED[row]}")


def _row(result: FileResult, names: Sequence[str]) -> list[str]:
    ours = result.tallies[OURS]
    bar = f"{BARS[result.file]:g}" if result.file in BARS else ""
    return [str(ours.labelled), bar, *(_accuracy(result.tallies[n]) if n in result.tallies else "" for n in names)]


def _accuracy(tally: Tally) -> str:
    return f"{tally.accuracy:.2f} ({tally.false_positives}/{tally.false_negatives})"


def _trouble(tally: Tally) -> str:
    return f"{tally.errors}/{tally.timeouts}/{tally.hung}" if tally.errors + tally.timeouts + tally.hung else "-"


def _print(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [head, *rows]
    widths = [max(len(line[i]) if i < len(line) else 0 for line in lines) for i in range(len(head))]
    for line in lines:
        cells = [
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=False))
        ]
        print("  ".join(cells).rstrip())
