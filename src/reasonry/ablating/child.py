"""The process that runs cells: one JSON line in for each, one out, until its input ends (with whoever started it)."""

from __future__ import annotations

import json
import os
import signal
import sys
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
    for line in sys.stdin:
        answers.write(json.dumps({"error": _run(json.loads(line))}) + "\n")
        answers.flush()


def _run(job: dict[str, Any]) -> str | None:
    try:
        recipe = without_publishing(load_recipe(Path(job["recipe"]), job["settings"]))
        shared_run(recipe, Path(job["folder"]), Path(job["shared"]), workers=1, console=Console(quiet=True))
    except ReasonryError as exc:
        return f"{exc.message} ({exc.place})" if exc.place else exc.message
    return None


if __name__ == "__main__":
    main()
