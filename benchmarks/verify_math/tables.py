"""What was measured, as tables: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.verify_math.accuracy import BARS, FileResult, Tally
from benchmarks.verify_math.excluded import EXCLUDED
from benchmarks.verify_math.peers import OURS
from benchmarks.verify_math.speed import LARGE

__all__ = ["show_accuracy", "show_speed"]


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


def show_speed(report: dict[str, Any]) -> None:
    """Pairs per CPU-second. `report` is what `__main__.measure_speed` returns."""
    ours: dict[str, dict[str, float]] = report["ours"]
    peers: dict[str, dict[str, float]] = report["peers"]
    print("\npairs per second of CPU time: ours on all distinct pairs, best of 3 rounds; peers on a sample of them")
    rows = [
        [
            file,
            *(f"{f[key]:,.0f}" for key in ("pairs", "without_caches", "with_caches", "helped")),
            f"{f['p99_ms']:.2f}",
        ]
        for file, f in ours.items()
    ]
    _print(["file", "pairs", "no cache", "cache", "symbolic", "p99 ms"], rows)
    size = report["sample"]
    print(f"\non the same sample: {size} distinct pairs of a file, {3 * size} of {', '.join(LARGE)}")
    rows = [
        [file, f"{report['sampled'][file]:,.0f}", *(f"{peers[n][file]:,.0f}" for n in peers), _ratio(report, file)]
        for file in (*ours, "mixture")
    ]
    _print(["file", OURS, *peers, "ours/math-verify"], rows)
    print(f"ours on the mixture of all pairs: {report['ours_mixture']:,.0f}")
    print("mixture: each file weighted by its rows, or the sum of their `count` where it has one")
    length, speed = report["response_length"], report["responses_per_s"]
    print(f"whole responses of {length:.0f} characters: {speed:,.0f} per CPU-second")


def _ratio(report: dict[str, Any], file: str) -> str:
    return f"{report['ratios'][file]:.0f}" if report["ratios"] else ""
