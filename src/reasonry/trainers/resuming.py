"""What a long training keeps beside its table, so that a killed run goes on from its last whole state.

The folder is the store's work folder: it is named by the stage's key, so that a state never meets other data or
options, and it goes when the table is sealed. A state counts only once its mark was written after it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from reasonry.store import write_durably
from reasonry.types import TrainStep

__all__ = ["Progress"]

_MARK = "whole.json"


class Progress:
    """The states and the log of one training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.jsonl"
        folder.mkdir(parents=True, exist_ok=True)

    def last_state(self) -> Path | None:
        """The newest whole state; what a killed run left half written is removed."""
        whole = list[tuple[int, Path]]()
        for state in self.folder.glob("checkpoint-*"):
            if (state / _MARK).is_file():
                whole.append((int(state.name.removeprefix("checkpoint-")), state))
            else:
                shutil.rmtree(state)
        return max(whole)[1] if whole else None

    def replay(self, state: Path | None, on_step: Callable[[TrainStep], None]) -> None:
        """Report the steps up to the state again, and forget those after it."""
        last = 0 if state is None else int(json.loads((state / _MARK).read_text(encoding="utf-8"))["step"])
        lines = self.log.read_text(encoding="utf-8").splitlines() if last else []
        kept = [TrainStep(**json.loads(line)) for line in lines[:last]]
        write_durably(self.log, "".join(_line(step) for step in kept))
        for step in kept:
            on_step(step)

    def append(self, step: TrainStep) -> None:
        """Add a step to the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(_line(step))

    def mark(self, step: int) -> None:
        """Say that the state of this step is whole."""
        write_durably(self.folder / f"checkpoint-{step}" / _MARK, json.dumps({"step": step}))


def _line(step: TrainStep) -> str:
    return json.dumps(asdict(step)) + "\n"
