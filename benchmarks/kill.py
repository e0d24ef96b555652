"""Kill a run at random moments, run it again to the end, and count what was paid twice.

A run over HTTP against the simulated endpoint, in a process of its own, is killed (SIGKILL) at a moment drawn from
the time an undisturbed run takes, then run again until it is done. The endpoint counts every complete answer it
sent, by request. What may be sent twice is what was in flight at the kill, at most `concurrency` answers; and the
tables' digests must be those of the undisturbed run.

    python -m benchmarks.kill --moments 20
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.ledger import Ledger

__all__ = ["Killed", "Undisturbed", "kill_and_resume", "serving", "undisturbed"]

CONCURRENCY = 8
RECIPE = """\
name = "killed"
seed = 5

[[questions]]
source = "procedural"
family = "chain_sum"
count = {count}
verifier = "steps"

[distil]
teacher = "openai"
model = "simulated-v1"
served_by = "the simulated endpoint"
samples = 2
concurrency = {concurrency}
retry_wait_s = 0.02

[publish]
"""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run that nobody killed. `served` counts the answers that the endpoint sent for it."""

    seconds: float
    digest: str
    served: int


@dataclass(frozen=True, slots=True)
class Killed:
    """A run that was killed once and run again.

    `at_kill` answers had been sent when the kill came, `in_flight` of them not yet in the ledger; `twice` answers were
    sent a second time.
    """

    moment_s: float
    was_running: bool
    digest: str
    served: int
    twice: int
    at_kill: int
    in_flight: int

    def is_good(self, calm: Undisturbed) -> bool:
        """Nothing lost, and nothing paid twice beyond what was in flight."""
        paid = self.served == calm.served + self.twice and self.twice <= self.in_flight <= CONCURRENCY
        return paid and self.digest == calm.digest


@contextmanager
def serving() -> Generator[str]:
    """The simulated endpoint in a process of its own, with a delay before each answer and some faults."""
    rates = {"slow": 0.96, "slow_s": 0.04, "http_429": 0.02, "http_500": 0.02, "retry_after_s": 0.05, "tries": 1000}
    faults = json.dumps(rates)
    command = [
        sys.executable,
        "-m",
        "reasonry.teachers.simulator.endpoint",
        "--port",
        "0",
        "--seed",
        "7",
        "--faults",
        faults,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["base_url"]
        finally:
            process.terminate()


def undisturbed(folder: Path, count: int) -> Undisturbed:
    """Run from beginning to end."""
    with serving() as base_url:
        start = time.monotonic()
        digest = _finish(_start(base_url, folder, count))
        return Undisturbed(time.monotonic() - start, digest, _stats(base_url)["served"])


def kill_and_resume(folder: Path, count: int, moment_s: float) -> Killed:
    """Start a run against a fresh endpoint, kill it after `moment_s` seconds, run it again to the end."""
    with serving() as base_url:
        process = _start(base_url, folder, count)
        time.sleep(moment_s)
        was_running = process.poll() is None
        if was_running:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        time.sleep(0.2)  # the endpoint finishes what it is sending
        at_kill, recorded = _stats(base_url)["served"], _recorded(folder)
        digest = _finish(_start(base_url, folder, count))
        sent: dict[str, int] = _stats(base_url)["requests"]
    return Killed(
        moment_s=moment_s,
        was_running=was_running,
        digest=digest,
        served=sum(sent.values()),
        twice=sum(n - 1 for n in sent.values() if n > 1),
        at_kill=at_kill,
        in_flight=at_kill - recorded,
    )


def _start(base_url: str, folder: Path, count: int) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(count=count, concurrency=CONCURRENCY), encoding="utf-8")
    command = [sys.executable, "-m", "reasonry", "run", str(recipe), "--out", str(folder / "out"), "--json", "--quiet"]
    env = {**os.environ, "OPENAI_BASE_URL": base_url}  # its port differs; `served_by` is what enters the keys
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, start_new_session=True, env=env)


def _finish(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=300)
    if process.returncode != 0:
        raise RuntimeError(f"the run ended with {process.returncode}: {errors}")
    return json.loads(out)["digest"]


def _stats(base_url: str) -> dict[str, Any]:
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/stats", timeout=10) as answer:
        return json.load(answer)


def _recorded(folder: Path) -> int:
    path = folder / "out" / "ledger.sqlite"
    if not path.exists():
        return 0
    with Ledger(path) as ledger:
        return sum(entry.outcome == "answered" for entry in ledger.entries())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--count", type=int, default=150, help="questions; two answers each")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    kills = failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        calm = undisturbed(Path(scratch) / "calm", arguments.count)
        print(f"undisturbed: {calm.seconds:.1f} s, {calm.served} answers, digest {calm.digest}")
        for i in range(3 * arguments.moments):
            killed = kill_and_resume(Path(scratch) / str(i), arguments.count, generator.uniform(0, calm.seconds))
            kills += killed.was_running
            failures += not killed.is_good(calm)
            print(_line(killed, calm))
            if kills == arguments.moments:
                break
    print(f"{kills} kills, {failures} failures")
    sys.exit(1 if failures or kills < arguments.moments else 0)


def _line(killed: Killed, calm: Undisturbed) -> str:
    when = f"killed at {killed.moment_s:5.2f} s" if killed.was_running else "was done already "
    return (
        f"{when}: {killed.at_kill:3} answers sent by then, {killed.in_flight} in flight; in the end {killed.served}, "
        f"{killed.twice} paid twice, digest {'equal' if killed.digest == calm.digest else killed.digest}"
        f"{'' if killed.is_good(calm) else '  <- FAILED'}"
    )


if __name__ == "__main__":
    main()
