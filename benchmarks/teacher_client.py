"""What a request costs the client: the engine beside a bare loop that stores nothing, and beside two peers.

    python -m benchmarks.teacher_client --runs 5 --peers FOLDER    # --requests 2000 --concurrency 500, and the like

All clients ask the same questions of the same endpoint on loopback (`teacher_client_endpoint`): 50 ms, then 2,000
characters with usage. Each is a process of its own, and asks one question to warm up before it is measured, so imports
and what is made once are in no figure. They take turns, so that a machine that grows slow does so for all. Printed are
medians: CPU seconds of 1,000 requests and requests a second as the client measured them, the most in flight as the
endpoint saw it, the CPU as a multiple of the floor's, and the speed as a multiple of curator's. At 50 ms no client
keeps thousands in flight for longer than a moment, so each has one more run, in which an answer takes as long as asking
`concurrency` questions does at `--held-per-s`: the most that the endpoint saw in that one is `held`.

floor        an aiohttp session, a semaphore, `await response.json()`; nothing is kept
ours         `ask_all` with the `openai` teacher and a ledger on disk, every reply durable before it counts
curator      bespokelabs-curator in the environment FOLDER/curator
distilabel   in the environment FOLDER/distilabel, with `requests` installed; starts a process for each step, each time

FOLDER is made with `python3 -m venv FOLDER/curator`, `FOLDER/curator/bin/pip install bespokelabs-curator==0.1.31`,
`python3 -m venv FOLDER/distilabel` and `FOLDER/distilabel/bin/pip install 'distilabel[openai]==1.5.3' requests`.

The peers are asked at most `--peer-requests` questions. The bar (issue 5): ours uses at most twice the floor's CPU, is
at least three times as fast as curator, and has all that it may in flight. 1 is returned where a reply is missing.

Measured on 2026-11-25 (2 cores of a virtual machine, Linux 6.18, CPython 3.11.7, curator 0.1.31, distilabel 1.5.3,
nothing else beside it); medians of 5 runs and of 2. At 50 ms what is in flight at the endpoint is the rate times
0.05 s, once the first burst is over, so ours had 666 of 2,000 there; with slow answers it had all. distilabel's figures
hold the start of its processes: a pipeline of one question took 2.9 s, and 0.8 s of CPU.

client       requests  CPU-s/1,000  (range)         requests/s  in flight     held of        x floor  x curator
floor           2,000         0.17  (0.16 to 0.19)       4,249        500      500 of 500       1.00       9.03
ours            2,000         0.31  (0.29 to 0.32)       2,653        500      500 of 500       1.82       5.64
curator         2,000         2.11  (1.77 to 2.21)         471         63      500 of 500      12.46       1.00
distilabel      2,000         3.83  (3.70 to 3.90)         208        500      500 of 500      22.60       0.44
floor          20,000         0.23  (0.23 to 0.24)       4,243       2000     2000 of 2000      1.00       9.03
ours           20,000         0.38  (0.37 to 0.38)       2,693        666     2000 of 2000      1.60       5.73
curator         2,000         2.22  (2.06 to 2.37)         470         60     2000 of 2000      9.46       1.00
distilabel      2,000         4.15  (4.01 to 4.29)         195        891     1000 of 2000     17.70       0.41
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, cast

from benchmarks.teacher_client_peers import PEERS, environment

__all__ = ["Measured", "Row", "endpoint", "main", "reset", "stats", "summary", "table"]

OURS = ("floor", "ours")
_CASES = ((2000, 500), (20000, 2000))
_LIMIT_S = 900.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one client. `in_flight` is the most that the endpoint saw; `held` the same, with slow answers."""

    client: str
    requests: int
    concurrency: int
    wall_s: float
    cpu_s: float
    right: int
    in_flight: int
    held: int | None = None

    @property
    def cpu_per_1000(self) -> float:
        return 1e3 * self.cpu_s / self.requests

    @property
    def per_second(self) -> float:
        return self.requests / self.wall_s


@dataclass(frozen=True, slots=True)
class Row:
    """A client's medians in one case. A ratio is None where there is nothing to compare with."""

    client: str
    requests: int
    concurrency: int
    runs: int
    cpu_s_per_1000: float
    cpu_range: tuple[float, float]
    requests_per_s: float
    in_flight: int
    held: int | None
    right: int
    cpu_of_floor: float | None
    speed_of_curator: float | None


def summary(runs: Sequence[Measured]) -> list[Row]:
    """One row for each client, in the order they were first measured; all of one case."""
    by_client: dict[str, list[Measured]] = {}
    for each in runs:
        by_client.setdefault(each.client, []).append(each)
    cpu = {name: median(each.cpu_per_1000 for each in of_one) for name, of_one in by_client.items()}
    speed = {name: median(each.per_second for each in of_one) for name, of_one in by_client.items()}
    return [
        Row(
            client=name,
            requests=of_one[0].requests,
            concurrency=of_one[0].concurrency,
            runs=len(of_one),
            cpu_s_per_1000=cpu[name],
            cpu_range=(min(each.cpu_per_1000 for each in of_one), max(each.cpu_per_1000 for each in of_one)),
            requests_per_s=speed[name],
            in_flight=int(median(each.in_flight for each in of_one)),
            held=next((each.held for each in of_one if each.held is not None), None),
            right=min(each.right for each in of_one),
            cpu_of_floor=cpu[name] / cpu["floor"] if "floor" in cpu else None,
            speed_of_curator=speed[name] / speed["curator"] if "curator" in speed else None,
        )
        for name, of_one in by_client.items()
    ]


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of text, with a head."""
    head = "client       requests  CPU-s/1,000  (range)         requests/s  in flight     held of   "
    lines = [f"{head}     x floor  x curator"]
    for row in rows:
        span = f"({row.cpu_range[0]:.2f} to {row.cpu_range[1]:.2f})"
        in_flight = f"{row.in_flight:9}  {'-' if row.held is None else row.held:>7} of {row.concurrency:<5}"
        ratios = f"{_ratio(row.cpu_of_floor):>9}  {_ratio(row.speed_of_curator):>9}"
        lines.append(
            f"{row.client:11} {row.requests:9,}  {row.cpu_s_per_1000:11.2f}  {span:15} {row.requests_per_s:10,.0f}  "
            f"{in_flight}{ratios}"
        )
    return lines


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


@contextmanager
def endpoint(*options: str) -> Generator[str]:
    """The endpoint, in a process of its own until the block is left. Gives its base_url."""
    command = [sys.executable, "-m", "benchmarks.teacher_client_endpoint", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["base_url"]
        finally:
            process.terminate()


def stats(base_url: str) -> dict[str, Any]:
    """What the endpoint has counted since it was reset."""
    with urllib.request.urlopen(f"{base_url.removesuffix('/v1')}/stats") as response:
        return cast("dict[str, Any]", json.load(response))


def reset(base_url: str, latency_s: float) -> None:
    """Let the endpoint count from nought, and answer after so long."""
    body = json.dumps({"latency_s": latency_s}).encode()
    asked = urllib.request.Request(f"{base_url.removesuffix('/v1')}/reset", data=body, method="POST")
    urllib.request.urlopen(asked).close()


def _measure(
    client: str,
    base_url: str,
    requests: int,
    concurrency: int,
    given: argparse.Namespace,
    latency_s: float | None = None,
) -> Measured:
    options = ["--base-url", base_url, "--requests", str(requests), "--concurrency", str(concurrency)]
    reset(base_url, given.latency if latency_s is None else latency_s)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        if client in OURS:
            command = [sys.executable, "-m", "benchmarks.teacher_client_measured", client, "--folder", folder, *options]
            variables = None
        else:
            peer = Path(given.peers) / client
            command = [str(peer / "bin" / "python"), "-m", "benchmarks.teacher_client_peers", client, *options]
            variables = environment(peer, Path(folder))
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    if done.returncode:
        raise SystemExit(f"{client} failed:\n{done.stderr[-2000:]}")
    found = json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith('{"wall_s"')))
    return Measured(client, requests, concurrency, in_flight=stats(base_url)["most_in_flight"], **found)


def _case(requests: int, concurrency: int, given: argparse.Namespace, base_url: str) -> list[Row]:
    peers = [name for name in PEERS if given.peers and (Path(given.peers) / name).is_dir()]
    runs: list[Measured] = []
    for _ in range(given.runs):
        runs += [_measure(name, base_url, requests, concurrency, given) for name in OURS]
        asked = min(requests, given.peer_requests)
        runs += [_measure(name, base_url, asked, concurrency, given) for name in peers]
    latency_s = max(1.0, concurrency / given.held_per_s)
    for place, each in enumerate(runs[: len(OURS) + len(peers)]):
        slow = _measure(each.client, base_url, 2 * concurrency, concurrency, given, latency_s)
        runs[place] = replace(each, held=slow.in_flight)
    return summary(runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, action="append", help="may be given several times, with")
    parser.add_argument("--concurrency", type=int, action="append", help=f"each (default: {_CASES})")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", help="the folder of the peers' virtual environments (default: no peers)")
    parser.add_argument("--peer-requests", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--held-per-s", type=float, default=200.0)
    parser.add_argument("--reply-characters", type=int, default=2000)
    parser.add_argument("--folder", help="where ledgers lie meanwhile, on a real disk (default: for temporary files)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if len(given.requests or ()) != len(given.concurrency or ()):
        parser.error("as many --concurrency as --requests")
    cases = list(zip(given.requests, given.concurrency, strict=True)) if given.requests else _CASES
    rows: list[Row] = []
    with endpoint("--latency", str(given.latency), "--reply-characters", str(given.reply_characters)) as base_url:
        for requests, concurrency in cases:
            rows += (found := _case(requests, concurrency, given, base_url))
            if not given.json:
                print("\n".join(table(found)), end="\n\n", flush=True)
    if given.json:
        print(json.dumps([asdict(row) for row in rows]))
    return 0 if all(row.right == row.requests for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
