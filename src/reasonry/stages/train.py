"""train: one student from the examples. The table is the training log; the checkpoints stand beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from reasonry.errors import WorkFailed
from reasonry.identity import digest
from reasonry.joining import InStep, mismatch
from reasonry.registry import find
from reasonry.sections import TrainSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import Manifest, Store, TableWriter
from reasonry.types import Drop, Example, Message, TrainStep

VERSION = 1
ROWS = TrainStep

Conversation = tuple[Message, ...]


def train(section: TrainSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Hand the examples, in order, to the trainer; keep its log and its checkpoints."""
    examples = list(_chosen(section, list(_learnable(section, context, writer)), writer))
    if not examples:
        raise WorkFailed(
            f"no example to train '{section.name}' on",
            place="select",
            hint="see why traces were dropped: `reasonry show RUN`",
        )
    steps: list[TrainStep] = []
    with context.console.meter(f"train {section.name}", getattr(section, "steps", None)) as meter:

        def on_step(step: TrainStep) -> None:
            steps.append(step)
            writer.append(step)
            meter.advance(note=f"loss {step.loss:.3f}")

        out = writer.file_folder("checkpoint").parent
        find("trainer", section.trainer).call([messages for _, messages in examples], section, out, on_step)
    facts: dict[str, Any] = json.loads((out / "checkpoint" / "training.json").read_text(encoding="utf-8"))
    for i in facts.pop("skipped", ()):
        writer.drop(Drop(examples[i][0], "train", "too_long", "more tokens than train.max_length"))
    metrics = {**facts, "student": section.name, "target": section.target, "examples": len(examples)}
    if steps:
        metrics["final_loss"] = steps[-1].loss
    return StageResult(context.upstream["select"].rows_out, metrics)


def _chosen(
    section: TrainSection, examples: Sequence[tuple[str, Conversation]], writer: TableWriter
) -> Iterator[tuple[str, Conversation]]:
    """So many of the examples as the section asks for, in their order: a larger choice holds a smaller one."""
    if section.examples is None or section.examples >= len(examples):
        yield from examples
        return
    ranks = [digest("train examples", example_id) for example_id, _ in examples]
    last = sorted(ranks)[section.examples - 1]
    for rank, (example_id, conversation) in zip(ranks, examples, strict=True):
        if rank <= last:
            yield example_id, conversation
        else:
            writer.drop(Drop(example_id, "train", "beyond_examples", f"train.examples is {section.examples:,}"))


def _learnable(section: TrainSection, context: StageContext, writer: TableWriter) -> Iterator[tuple[str, Conversation]]:
    upstream = context.upstream
    for example_id, conversation in conversations(section, context.store, upstream["select"], upstream["verify"]):
        if conversation is None:
            writer.drop(Drop(example_id, "train", "no_final_answer", "no answer was found in the trace"))
        else:
            yield example_id, conversation


def conversations(
    section: TrainSection, store: Store, selected: Manifest, verified: Manifest
) -> Iterator[tuple[str, Conversation | None]]:
    """The examples by id, as the student is to learn them. None: its final answer is asked for, and there is none."""
    examples = store.rows(selected, Example)
    if section.target == "trace":
        yield from ((example.id, example.messages) for example in examples)
        return
    answers = InStep(store.values(verified, ["trace_id", "extracted"]), lambda row: row[0])
    for example in examples:
        verdict = answers.skip_to(example.trace_id)
        if verdict is None:
            raise mismatch("verify", f"no verdict on {example.trace_id}, of which {example.id} was made, or not there")
        answer = verdict[1]
        said = None if answer is None else Message("assistant", f"The answer is \\boxed{{{answer}}}.")
        yield example.id, None if said is None else (*example.messages[:-1], said)
