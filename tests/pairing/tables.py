"""Sealed evaluations for tests, written with the real store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reasonry.identity import digest
from reasonry.stats import wilson
from reasonry.store import Store
from reasonry.types import Completion, Status

CONDITIONS: Mapping[str, Any] = {
    "benchmark": "aime24",
    "asked": "words",
    "questions": "all",
    "question_count": 30,
    "limit": None,
    "samples": 1,
    "temperature": 0.6,
    "top_p": 0.95,
    "max_tokens": 32768,
    "system_prompt": None,
    "prompt": "{prompt}",
    "chat_template": None,
    "seed": None,
    "verifier": "math@3",
    "model": "m",
    "served_by": "somebody",
}
RIGHT, WRONG, OURS = Status.CORRECT, Status.INCORRECT, Status.ERROR


def row(question: int | str, status: Status, *, index: int = 0, said: str = "", **more: Any) -> Completion:
    """One answer."""
    values: dict[str, Any] = {
        "student": "s",
        "benchmark": "aime24",
        "question_id": f"q-{question}",
        "index": index,
        "prompt": f"question {question}",
        "answer": "1",
        "domain": "math",
        "response": said or f"{status.value} {question} {index}",
        "finish": "stop",
        "status": status,
        "verifier": "math@3",
        **more,
    }
    return Completion(**values)


def seal(
    folder: Path,
    rows: Sequence[Any],
    *,
    label: str = "aime24/s",
    conditions: Mapping[str, Any] | None = CONDITIONS,
    row_type: type[Any] = Completion,
    **metrics: Any,
) -> str:
    """Seal an evaluation; its folder as `compare` takes it."""
    key = digest("stage", "evaluate", label, len(rows), conditions)
    scores = [one.status.score for one in rows if one.status.score is not None]
    share = wilson(round(sum(scores)), len(scores)) if scores else None
    found = {"accuracy": share.estimate, "low": share.low, "high": share.high} if share else {}
    stated = (
        {} if conditions is None else {"conditions": dict(conditions), "conditions_digest": digest("c", conditions)}
    )
    with Store(folder / "tables").write("evaluate", key, row_type) as writer:
        for one in rows:
            writer.append(one)
        writer.seal(
            section={"of": label},
            parts=["evaluate@4"],
            inputs={},
            rows_in=len(rows),
            label=label,
            metrics={"benchmark": "aime24", "student": "s", **found, **stated, **metrics},
        )
    return str(folder)


def answers(right: Sequence[int], questions: int = 30, **more: Any) -> list[Completion]:
    """One answer to each of so many questions, right where it is said so."""
    return [row(n, RIGHT if n in set(right) else WRONG, **more) for n in range(questions)]
