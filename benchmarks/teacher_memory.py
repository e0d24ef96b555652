"""Memory of the client over a long run: many questions, long replies, thousands in flight, all through the ledger.

    python -m benchmarks.teacher_memory --folder FOLDER    # 173,000 questions, 20,000 characters each, 2,000 in flight
    python -m benchmarks.teacher_memory --questions 10000

The endpoint (`teacher_client_endpoint`) is a process of its own; here are the engine, the teacher and the ledger, and
outcomes are taken and dropped as a stage does. Each reply takes `--latency` seconds, long enough that all requests that
may be in flight are. Printed are, at each twentieth of the questions, the seconds since the start, the resident memory
(the highest since the line before, sampled ten times a second) and the ledger's size on disk. The ledger of the whole
run takes some 4.3 GB in FOLDER, and is deleted at the end.

The bar (issue 5): under 500 MB, and flat: the second half of the run needs no more than the first, by 10% at most. 1 is
returned where it is missed.

Measured on 2026-11-25, one run (2 cores of a virtual machine, CPython 3.11.7): 193 s, 156 MB at most, the second half
no more than the first, 2,000 in flight at most, a ledger of 4.3 GB. That is over plain HTTP: see decision 011 for TLS.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.teacher_client import endpoint, stats
from benchmarks.teacher_client_common import raise_open_files
from benchmarks.teacher_client_measured import requests_of, teacher_at
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, ask_all

__all__ = ["Line", "growth", "main"]

_BAR_MB = 500.0
_BAR_GROWTH = 0.1
_LINES = 20
_PAGE_BYTES = 4096
_SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """The run so far. `resident_mb` is the highest since the line before."""

    answered: int
    seconds: float
    resident_mb: float
    ledger_mb: float


def growth(lines: Sequence[Line]) -> float:
    """By how much the second half's highest exceeds the first half's, as a share; negative where it is lower."""
    middle = len(lines) // 2
    first, second = lines[:middle], lines[middle:]
    if not first:
        return 0.0
    return max(line.resident_mb for line in second) / max(line.resident_mb for line in first) - 1.0


class _Watch:
    """Samples this process's resident memory on a thread of its own."""

    def __init__(self) -> None:
        self._highest = _resident_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            self._highest = max(self._highest, _resident_mb())

    def take(self) -> float:
        """The highest since the last call, in MB."""
        highest, self._highest = max(self._highest, _resident_mb()), 0.0
        return highest

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES / 1e6


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def _run(base_url: str, folder: Path, given: argparse.Namespace) -> list[Line]:
    lines: list[Line] = []
    watch, start = _Watch(), time.perf_counter()
    step = max(1, given.questions // _LINES)
    try:
        with Ledger(folder / "ledger.sqlite") as ledger:
            teacher = teacher_at(base_url, given.concurrency)
            asked = ask_all(teacher, requests_of(given.questions), ledger, concurrency=given.concurrency)
            for count, outcome in enumerate(asked, 1):
                assert isinstance(outcome, Answered), outcome
                assert len(outcome.reply.response) == given.reply_characters
                if count % step == 0:
                    lines.append(Line(count, time.perf_counter() - start, watch.take(), _size_mb(folder)))
                    _show(lines[-1], given)
    finally:
        watch.end()
    return lines


def _show(line: Line, given: argparse.Namespace) -> None:
    if not given.json:
        print(
            f"{line.answered:9,} {line.seconds:8.0f} s {line.resident_mb:9.0f} MB {line.ledger_mb:11,.0f} MB",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=173_000)
    parser.add_argument("--concurrency", type=int, default=2000)
    parser.add_argument("--reply-characters", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds")
    parser.add_argument("--folder", help="where the ledger lies meanwhile (default: for temporary files)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    raise_open_files()
    options = ("--latency", str(given.latency), "--reply-characters", str(given.reply_characters))
    with endpoint(*options) as base_url, tempfile.TemporaryDirectory(dir=given.folder) as folder:
        if not given.json:
            print(" answered    after        resident         ledger")
        lines = _run(base_url, Path(folder), given)
        in_flight = int(stats(base_url)["most_in_flight"])
    highest, grown = max(line.resident_mb for line in lines), growth(lines)
    if given.json:
        found = {"highest_mb": highest, "growth": grown, "in_flight": in_flight}
        print(json.dumps({**found, "lines": [asdict(line) for line in lines]}))
    else:
        print(f"highest {highest:.0f} MB; second half {grown:+.0%}; {in_flight:,} in flight at most")
    return 0 if highest < _BAR_MB and grown <= _BAR_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
