"""What the tests of trainers share: conversations of the demo family, a very short training, and what it left."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.arithmetic import FAMILIES
from reasonry.identity import file_digest
from reasonry.trainers.tiny import TinyOptions, tiny
from reasonry.types import Message, TrainStep, whole_text

Conversation = tuple[Message, ...]


def conversation(seed: int) -> Conversation:
    problem = FAMILIES["chain_signed"].make(random.Random(seed), 2 + seed % 2, 1)
    text = whole_text("\n".join(map(str, problem.steps)), f"The answer is \\boxed{{{problem.answer}}}.")
    return (Message("user", problem.prompt), Message("assistant", text))


def conversations(count: int) -> list[Conversation]:
    return [conversation(seed) for seed in range(count)]


def small(**changes: Any) -> TinyOptions:
    return TinyOptions.model_validate(
        {"steps": 40, "batch_size": 8, "width": 32, "warmup_steps": 5, "seed": 3, **changes}
    )


@dataclass(frozen=True)
class Trained:
    """One short training."""

    out: Path
    conversations: list[Conversation] = field(default_factory=lambda: conversations(60))
    steps: list[TrainStep] = field(default_factory=list[TrainStep])

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint"

    @property
    def untrained(self) -> Path:
        return self.out / "untrained"

    def run(self, **changes: Any) -> Trained:
        tiny(self.conversations, small(**changes), self.out, self.steps.append)
        return self

    def digests(self) -> dict[str, str]:
        """sha256 of every file that was written, by its path inside the folder."""
        files = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {path.relative_to(self.out).as_posix(): file_digest(path) for path in files}
