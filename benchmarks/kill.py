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
base_url = "{base_url}"
served_by = "the simulated endpoint"
samples = 2
concurrency = {concurrency}

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
    """A run that was killed once and run again. `twice` answers were sent a second time, of which `in_flight` had been
    sent but were not yet in the ledger when the kill came."""

    moment_s: float
    was_running: bool
    digest: str
    served: int
    twice: int
    in_flight: int


@contextmanager
def serving() -> Generator[str]:
    """The simulated endpoint in a process of its own, with a delay before each answer and some faults."""
    faults = json.dumps({"slow": 0.9, "slow_s": 0.02, "http_429": 0.02, "http_500": 0.02, "retry_after_s": 0.05})
    command = [sys.executable, "-m", "reasonry.teachers.endpoint", "--port", "0", "--seed", "7", "--faults", faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["base_url"]
        finally:
            process.terminate()


def undisturbed(base_url: str, folder: Path, count: int) -> Undisturbed:
    """Run from beginning to end."""
    before, start = _stats(base_url)["served"], time.monotonic()
    digest = _finish(_start(base_url, folder, count))
    return Undisturbed(time.monotonic() - start, digest, _stats(base_url)["served"] - before)


def kill_and_resume(base_url: str, folder: Path, count: int, moment_s: float) -> Killed:
    """Start a run, kill it after `moment_s` seconds, run it again to the end."""
    before = _stats(base_url)
    process = _start(base_url, folder, count)
    time.sleep(moment_s)
    was_running = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL) if was_running else None
    process.communicate()
    time.sleep(0.1)  # the endpoint finishes what it is sending
    at_kill = _stats(base_url)["served"] - before["served"]
    recorded = _recorded(folder)
    digest = _finish(_start(base_url, folder, count))
    after = _stats(base_url)
    sent = {key: n - before["requests"].get(key, 0) for key, n in after["requests"].items()}
    return Killed(
        moment_s=moment_s,
        was_running=was_running,
        digest=digest,
        served=sum(sent.values()),
        twice=sum(n - 1 for n in sent.values() if n > 1),
        in_flight=at_kill - recorded,
    )


def _start(base_url: str, folder: Path, count: int) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.format(base_url=base_url, count=count, concurrency=CONCURRENCY), encoding="utf-8")
    command = [sys.executable, "-m", "reasonry", "run", str(recipe), "--out", str(folder / "out"), "--json", "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


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
    failures = 0
    with serving() as base_url, tempfile.TemporaryDirectory() as scratch:
        calm = undisturbed(base_url, Path(scratch) / "calm", arguments.count)
        print(f"undisturbed: {calm.seconds:.1f} s, {calm.served} answers, digest {calm.digest}")
        for i in range(arguments.moments):
            moment = generator.uniform(0, calm.seconds)
            # The key holds no folder, so a fresh one is a fresh run against the same endpoint.
            killed = kill_and_resume(base_url, Path(scratch) / str(i), arguments.count, moment)
            is_good = killed.digest == calm.digest and killed.twice <= killed.in_flight <= CONCURRENCY
            failures += not is_good
            print(
                f"killed at {moment:5.2f} s{'' if killed.was_running else ' (done already)'}: "
                f"{killed.served} answers, {killed.twice} paid twice, {killed.in_flight} in flight, "
                f"digest {'equal' if killed.digest == calm.digest else killed.digest}{'' if is_good else '  <- FAILED'}"
            )
    print(f"{arguments.moments - failures} of {arguments.moments} kills lost nothing and paid nothing twice")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
