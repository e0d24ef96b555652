"""The simulated endpoint in a process of its own, and what it counted: for benchmarks of the teacher's side."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["endpoint_program", "is_quiet_within", "stats_of"]

_POLL_S = 0.02


@contextmanager
def endpoint_program(*arguments: str) -> Generator[str]:
    """Run the endpoint's program on a free port until the block is left; its base URL."""
    command = [sys.executable, "-m", "reasonry.teachers.simulator.endpoint", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["base_url"]
        finally:
            process.terminate()


def stats_of(base_url: str, *, brief: bool = True) -> dict[str, Any]:
    """What the endpoint counted; brief: without the count of each request."""
    address = base_url.removesuffix("/v1") + ("/stats?brief" if brief else "/stats")
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


def is_quiet_within(base_url: str, seconds: float) -> bool:
    """Wait until the endpoint is serving nobody, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not stats_of(base_url)["in_flight"]["now"]:
            return True
        time.sleep(_POLL_S)
    return False
