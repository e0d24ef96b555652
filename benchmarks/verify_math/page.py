"""The page of the documentation with the figures, from the files that the three programs write with `--json`.

python -m benchmarks.verify_math.page VERIFY_MATH.json PATHOLOGICAL.json METAMORPHIC.json > docs/math-accuracy.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.verify_math.accuracy import BARS
from benchmarks.verify_math.excluded import EXCLUDED
from benchmarks.verify_math.peers import OURS
from benchmarks.verify_math.speed import LARGE

__all__ = ["page"]

HEAD = """\
# The maths verifier beside its peers

Generated from what the programs in `benchmarks/` measured; none of these figures is written by hand.

```
python -m benchmarks.verify_math --install-peers --json verify_math.json
python -m benchmarks.pathological --json pathological.json
python -m benchmarks.metamorphic --json metamorphic.json
python -m benchmarks.verify_math.page verify_math.json pathological.json metamorphic.json > docs/math-accuracy.md
```

The pairs are real ones, collected from public repositories and labelled there (by people, by several graders that
agree, or by the maintainers of a grader's tests). They are no part of this repository. Each grader gets the same texts:
ours by `run_verifier`, a peer by the call that its documentation shows; where a peer's function compares two bare
answers, it gets the content of the last `\\boxed{}`. `math-verify` has both sides in `$...$` where nothing delimits
them, and its own timeouts; `math-verify-raw` has the texts as they are. A peer's pair that takes 10 s is killed and
counted as not equal.
"""


def page(verified: dict[str, Any], hostile: dict[str, Any], respelled: dict[str, Any]) -> str:
    """The whole page."""
    parts = [HEAD, _accuracy(verified), _excluded(verified)]
    if "speed" in verified:
        parts.append(_speed(verified["speed"]))
    return "\n".join([*parts, _hostile(hostile), _respelled(respelled)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _accuracy(report: dict[str, Any]) -> str:
    versions: dict[str, str] = report["versions"]
    names = [f"{name} {version}".strip() for name, version in versions.items()]
    head = ["file", "rows", "bar", *names]
    rows = list[list[str]]()
    approx = list[list[str]]()
    for file in report["accuracy"]:
        tallies = [file["tallies"][name] for name in versions]
        ours = file["tallies"][OURS]
        rows.append([file["file"], str(_rows(ours)), f"{BARS.get(file['file'], '')}", *map(_cell, tallies)])
        if file["approx"]:
            accepted = [str(tally["approx_accepted"]) for tally in tallies]
            approx.append([file["file"], str(file["approx"]), *accepted])
    return (
        "## Accuracy\n\nPer cent of the rows labelled equal or different (false positives / false negatives).\n\n"
        + _table(head, rows)
        + "\nRoundings of an exact value (labelled so) that were accepted; they are no part of the figures above.\n\n"
        + _table(["file", "rows", *names], approx)
    )


def _rows(tally: dict[str, int]) -> int:
    return tally["right"] + tally["false_positives"] + tally["false_negatives"]


def _cell(tally: dict[str, int]) -> str:
    share = 100 * tally["right"] / max(_rows(tally), 1)
    trouble = tally["errors"] + tally["timeouts"] + tally["hung"]
    note = f", {trouble} failed" if trouble else ""
    return f"{share:.2f} ({tally['false_positives']}/{tally['false_negatives']}{note})"


def _excluded(report: dict[str, Any]) -> str:
    rows = [
        [file["file"], f"`{row}`", EXCLUDED[row]]
        for file in report["accuracy"]
        for row in dict.fromkeys(file["excluded"])
    ]
    unlabelled = sum(file["unlabelled"] for file in report["accuracy"])
    return (
        "\"failed\": errors, timeouts and kills, whatever the label. "
        f"{unlabelled} rows without a label are left out, and these, whose expectation is wrong:\n\n"
        + _table(["file", "row", "why"], rows)
    )  # fmt: skip


def _speed(report: dict[str, Any]) -> str:
    peers: dict[str, dict[str, float]] = report["peers"]
    rows = [
        [
            file,
            *(f"{figures[key]:,.0f}" for key in ("pairs", "without_caches", "with_caches")),
            f"{figures['p99_ms']:.2f}",
            *_sampled(report, file),
        ]
        for file, figures in report["ours"].items()
    ]
    rows.append(["mixture", "", "", "", "", *_sampled(report, "mixture")])
    return (
        "## Speed\n\nPairs for each second of CPU time, imports left out, the time of helper processes counted;\n"
        "ours is the best of 3 rounds. The columns after the 99th percentile are on one sample, "
        f"at most {report['sample']} pairs a file,\n{3 * report['sample']} of {', '.join(LARGE)}.\n"
        "The mixture weights each file by its rows, or by how often its pairs occurred.\n\n"
        + _table(["file", "pairs", "no cache", "with cache", "p99 ms", "ours", *peers, "ours / math-verify"], rows)
        + f"\nOurs on the mixture of all pairs: {report['ours_mixture']:,.0f}.\n"
        + f"Whole responses of {report['response_length']:,.0f} characters: "
        f"{report['responses_per_s']:,.0f} for each CPU-second.\n"
    )


def _sampled(report: dict[str, Any], file: str) -> list[str]:
    ratio = report["ratios"].get(file)
    speeds = [report["sampled"][file], *(peer[file] for peer in report["peers"].values())]
    return [*(f"{speed:,.0f}" for speed in speeds), f"{ratio:,.0f}" if ratio else ""]


def _hostile(report: dict[str, Any]) -> str:
    probes: list[dict[str, Any]] = report["probes"]
    before = [p["cpu_ms"] for p in probes if p["compared"] != "symbolic"]
    after = [p["cpu_ms"] for p in probes if p["compared"] == "symbolic"]
    lines = [
        f"{len({p['name'] for p in probes})} inputs, {len(probes)} calls (as answer, as response, as reference, both).",
        f"Slowest before the symbolic rung, CPU time: {max(before, default=0):.1f} ms.",
        f"Slowest with it, its helper processes included: {max(after, default=0):.0f} ms.",
        f"Peak memory of a process: {max(report.get('watched_mb', 0.0), *(p['peak_mb'] for p in probes)):.0f} MB.",
        f"Raised: {sum(bool(p['raised']) for p in probes)}. Executed: {sum(p['executed'] for p in probes)}.",
        f"Killed: {sum(p['status'] == 'killed' for p in probes)}. Bars missed: {len(report['missed'])}.",
    ]
    return "## Hostile inputs\n\n" + "\n".join(lines) + "\n"


def _respelled(report: dict[str, Any]) -> str:
    rows = [
        [same["grader"], f"{_wrong(same)} of {same['total']:,}", f"{_wrong(other)} of {other['total']:,}"]
        for same, other in zip(report["respelled"], report["mutated"], strict=True)
    ]
    return (
        "## The same, written differently; and another digit\n\n"
        + _table(["grader", "respellings refused", "mutations accepted"], rows)
    )  # fmt: skip


def _wrong(outcome: dict[str, Any]) -> str:
    share = 100 * len(outcome["wrong"]) / max(outcome["total"], 1)
    return f"{len(outcome['wrong'])} ({share:.2f}%)"


def main() -> None:
    verified, hostile, respelled = (json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:4])
    print(page(verified, hostile, respelled), end="")


if __name__ == "__main__":
    main()
