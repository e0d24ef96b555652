"""The process that runs cells: one JSON line in for each, one out, until its input ends (with whoever started it)."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from reasonry.ablating.cells import without_publishing
from reasonry.ablating.children import shared_run
from reasonry.console import Console
from reasonry.errors import ReasonryError
from reasonry.recipe import load_recipe


def main() -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed is no answer
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    while True:
        answers.write(json.dumps({"error": _run(json.loads(jobs.get()))}) + "\n")
        answers.flush()


def _read(jobs: queue.SimpleQueue[str]) -> None:
    """Take jobs until the input ends; then end at once, in the middle of a cell too.

    Whoever started this process is gone, and the next one needs the lock of the cell's folder.
    """
    for line in sys.stdin:
        jobs.put(line)
    os._exit(1)


def _run(job: dict[str, Any]) -> str | None:
    try:
        recipe = without_publishing(load_recipe(Path(job["recipe"]), job["settings"]))
        shared_run(recipe, Path(job["folder"]), Path(job["shared"]), workers=1, console=Console(quiet=True))
    except ReasonryError as exc:
        return f"{exc.message} ({exc.place})" if exc.place else exc.message
    return None


if __name__ == "__main__":
    main()
