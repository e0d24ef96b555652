"""How full does the client keep an endpoint that serves N requests at a time, when nobody tells it N?

Each cell is an endpoint in a process of its own with N places, which refuses (429) or lets queue what comes beyond
them. First an oracle that knows N keeps exactly N requests in flight: N by its mean latency is the best throughput.
Then our client asks, ledger included, in a process of its own, with `concurrency = "auto"` and with a large number.
Everything is read from the endpoint's own counts:

- share: answers a second by the best throughput, over the whole time (finding N included) and after the first 10 s,
  which is what the bar is for;
- error rate: 429 and 5xx among all responses, in a window that slides by the second; `over 1%` is the longest time
  it stayed above 1%, with windows of 10 s and of 1 s. (In a window of 10 s a single bad second counts for ten.)

    python -m benchmarks.full_endpoint
    python -m benchmarks.full_endpoint --at-once 64 --then reject --concurrency auto --seconds 30

Measured on 2026-11-25 (2 cores, "auto", 30 s a cell, one run): after 10 s 99.5% to 100.5% in all nine cells; over the
whole time 93.5% to 100.4% at 8 and 64, 87% at 512, where answers take 1.5 s and the number needs eight seconds to grow
(90.3% in 40 s). Over 1% in a window of 10 s for 10 s at 8 (the first burst), for at most 1 s elsewhere. All are in
docs/distilling.md.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.endpoints import endpoint_program, is_quiet_within, stats_of

__all__ = ["Cell", "Figures", "longest_above", "measure"]

LATENCY_S: Mapping[int, float] = {8: 0.1, 64: 0.2, 512: 1.5}  # so that the client and the endpoint share two cores
JITTER = 0.2
RETRY_AFTER_S = 1.0
LARGE = 2000
WARM_UP_S = 10.0
LEAST_SHARE = 0.9
MOST_ERRORS = 0.01
LONGEST_S = 10
_POLL_S = 0.05
_PROMPT = "Compute 47 + 85 + 23."
_MODEL = "simulated-v1"


@dataclass(frozen=True, slots=True)
class Cell:
    """One endpoint, and how it is asked. `then`: reject, queue, or reject with Retry-After ("retry-after")."""

    at_once: int
    then: str
    concurrency: int | str
    latency_s: float

    def capacity(self) -> str:
        table: dict[str, Any] = {"at_once": self.at_once, "latency_s": self.latency_s, "jitter": JITTER}
        table["then"] = "queue" if self.then == "queue" else "reject"
        if self.then == "retry-after":
            table["retry_after_s"] = RETRY_AFTER_S
        return json.dumps(table)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a cell showed. Throughputs are answers a second; `over_*` are seconds with too many errors."""

    best: float
    whole: float
    later: float
    errors: int
    over_10_s: int
    over_1_s: int
    in_flight: float
    most_in_flight: int
    cpu_s: float

    @property
    def is_good(self) -> bool:
        return self.later >= LEAST_SHARE * self.best and self.over_10_s <= LONGEST_S


def measure(cell: Cell, seconds: float, oracle_s: float) -> Figures:
    """The oracle, then the client for so many seconds, against one endpoint."""
    with endpoint_program("--seed", "7", "--capacity", cell.capacity()) as base_url:
        best = asyncio.run(_oracle(base_url, cell.at_once, cell.latency_s, oracle_s))
        if not is_quiet_within(base_url, 60.0):
            raise RuntimeError("the endpoint is still busy with the oracle's requests")
        return _client_figures(base_url, cell, seconds, best)


async def _oracle(base_url: str, at_once: int, latency_s: float, seconds: float) -> float:
    """Keep `at_once` requests in flight; that many by their mean latency. The first answers are not counted."""
    begin = time.perf_counter() + 2 * latency_s
    end = begin + seconds
    numbers = itertools.count(1 << 30)  # other samples than the client asks for
    latencies: list[float] = []

    async def ask(session: aiohttp.ClientSession) -> None:
        while (start := time.perf_counter()) < end:
            body = {"model": _MODEL, "messages": [{"role": "user", "content": _PROMPT}], "seed": next(numbers)}
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                await response.read()
                if response.status != 200:
                    raise RuntimeError(f"the oracle was refused: {response.status}")
            if start >= begin:
                latencies.append(time.perf_counter() - start)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as session:
        await asyncio.gather(*(ask(session) for _ in range(at_once)))
    return at_once * len(latencies) / sum(latencies)


def _client_figures(base_url: str, cell: Cell, seconds: float, best: float) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "benchmarks.full_endpoint", "--ask", base_url, "--ledger", f"{folder}/l.sqlite"]
        process = subprocess.Popen([*ours, "--concurrency", str(cell.concurrency)])
        try:
            received = stats_of(base_url)["received"]
            while stats_of(base_url)["received"] == received:  # it is still starting
                _check_runs(process)
                time.sleep(_POLL_S)
            start = stats_of(base_url)
            middle, in_flight = _watched(base_url, process, start["seconds"] + min(WARM_UP_S, seconds / 2))
            end, in_flight = _watched(base_url, process, start["seconds"] + seconds)
            cpu_s = _cpu_s(process.pid)
        finally:
            process.kill()
            process.wait()
    first, last = int(start["seconds"]), int(end["seconds"])
    answered, refused = _by_second(start, end)
    return Figures(
        best=best,
        whole=_rate(start, end),
        later=_rate(middle, end),
        errors=sum(refused.values()),
        over_10_s=longest_above(answered, refused, first, last, window=10),
        over_1_s=longest_above(answered, refused, first, last, window=1),
        in_flight=in_flight,
        most_in_flight=end["in_flight"]["most"],
        cpu_s=1000 * cpu_s / max(1, end["served"] - start["served"]),
    )


def _check_runs(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        raise RuntimeError(f"the client ended with {process.returncode}")


def _watched(base_url: str, process: subprocess.Popen[bytes], until: float) -> tuple[dict[str, Any], float]:
    """Look on until a second of the endpoint's clock: its counts then, and the requests in flight on average."""
    seen: list[int] = []
    while (stats := stats_of(base_url))["seconds"] < until:
        _check_runs(process)
        seen.append(stats["in_flight"]["now"])
        time.sleep(4 * _POLL_S)
    return stats, sum(seen) / max(1, len(seen))


def _rate(start: Mapping[str, Any], end: Mapping[str, Any]) -> float:
    return (end["served"] - start["served"]) / (end["seconds"] - start["seconds"])


def _by_second(start: Mapping[str, Any], end: Mapping[str, Any]) -> tuple[dict[int, int], dict[int, int]]:
    """Answers and refusals by second, without those before the start."""
    answered = {int(second): count for second, count in end["served_by_second"].items()}
    for second, count in start["served_by_second"].items():
        answered[int(second)] -= count
    refused: dict[int, int] = {}
    for by_second in end["refused_by_second"].values():
        for second, count in by_second.items():
            refused[int(second)] = refused.get(int(second), 0) + count
    return answered, refused


def longest_above(
    answered: Mapping[int, int], refused: Mapping[int, int], first: int, last: int, *, window: int
) -> int:
    """The most seconds in a row, from `first` to `last`, in which refusals are more than 1% of the window's responses.

    A window ends with its second and reaches back `window` seconds, but not beyond the first.
    """
    longest = now = 0
    for second in range(first, last + 1):
        reached = range(max(first, second - window + 1), second + 1)
        bad = sum(refused.get(each, 0) for each in reached)
        whole = bad + sum(answered.get(each, 0) for each in reached)
        now = now + 1 if whole and bad / whole > MOST_ERRORS else 0
        longest = max(longest, now)
    return longest


def _cpu_s(pid: int) -> float:
    """The processor time of a process so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # in clock ticks, of which Linux shows 100 a second


def ask(base_url: str, ledger: Path, concurrency: int | str) -> None:
    """The client's program: ask without end. It is killed when enough has been seen."""
    from reasonry.ledger import Ledger
    from reasonry.teachers.asking.ask import ask_all
    from reasonry.teachers.openai import OpenAIOptions, openai
    from reasonry.types import Question, Request, Sampling, conversation

    question = Question(_PROMPT, None, "exact")

    def requests() -> Iterator[Request]:
        return (Request(conversation(_PROMPT), Sampling(index=i), question) for i in itertools.count())

    options = OpenAIOptions.model_validate(
        {
            "teacher": "openai",
            "model": _MODEL,
            "base_url": base_url,
            "served_by": "a full endpoint",
            "concurrency": concurrency,
            "attempts": 100,
        }
    )
    with Ledger(ledger) as opened:
        for _ in ask_all(
            openai(options),
            requests(),
            opened,
            concurrency=options.most_in_flight,
            attempts=options.attempts,
            seeks_knee=concurrency == "auto",
        ):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--at-once", type=int, nargs="+", default=list(LATENCY_S), help="places")
    parser.add_argument("--then", nargs="+", default=["reject", "retry-after", "queue"])
    parser.add_argument("--concurrency", nargs="+", default=["auto", str(LARGE)], help="auto, or numbers")
    parser.add_argument("--latency-s", type=float, default=None, help="default: by the places")
    parser.add_argument("--seconds", type=float, default=40.0, help="for the client, in each cell")
    parser.add_argument("--oracle-s", type=float, default=8.0)
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    parser.add_argument("--ledger", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if chosen.ask:
        ask(chosen.ask, chosen.ledger, _number_or_name(chosen.concurrency[0]))
        return
    cells = [
        Cell(at_once, then, _number_or_name(concurrency), chosen.latency_s or LATENCY_S.get(at_once, 0.5))
        for at_once in chosen.at_once
        for then in chosen.then
        for concurrency in chosen.concurrency
    ]
    sys.exit(_run(cells, chosen.seconds, chosen.oracle_s))


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _run(cells: Sequence[Cell], seconds: float, oracle_s: float) -> int:
    print(
        "   N | beyond N    | concurrency | best/s | share whole | after 10 s | errors | over 1%, 10 s window | 1 s "
        "window | in flight, most | client CPU-s per 1,000"
    )
    missed = 0
    for cell in cells:
        figures = measure(cell, seconds, oracle_s)
        missed += not figures.is_good
        print(
            f"{cell.at_once:4} | {cell.then:11} | {cell.concurrency:>11} | {figures.best:6.1f} | "
            f"{figures.whole / figures.best:11.1%} | {figures.later / figures.best:10.1%} | {figures.errors:6,} | "
            f"{figures.over_10_s:18} s | {figures.over_1_s:10} s | {figures.in_flight:8.1f}, {figures.most_in_flight:4}"
            f"  | {figures.cpu_s:.2f}{'' if figures.is_good else '  <- missed'}",
            flush=True,
        )
    bars = f"share after 10 s {LEAST_SHARE:.0%}, over 1% for {LONGEST_S} s at most"
    print(f"{len(cells)} cells, {missed} below the bars ({bars})")
    return 1 if missed else 0


if __name__ == "__main__":
    main()
