"""The tiny trainer against a bare torch loop: tokens for each second of processor time, on the same rows.

    python -m benchmarks.tiny_speed --steps 300 --rounds 3

Both train the same Llama shape with AdamW, on one thread, on batches of the
same rows (padded to the longest of a batch); tokens are all that go through the model, padding included. The bare loop
is what one would write by hand: no log, no clipping, no schedule, no deterministic kernels, batches made beforehand.
What comes before the first step and after the last (tokenizer, checkpoints) is told by itself. The bar (issue 7): the
bare loop does at most 1.3 times as many tokens a second; 1 is returned where it does more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from reasonry.arithmetic import Problem
from reasonry.sources.procedural import ProceduralSection, problems
from reasonry.teachers.simulator.simulation import Behaviour, simulate
from reasonry.torch_extra import threads
from reasonry.trainers.tiny import MLP_RATIO, ROPE_THETA, TinyOptions, tiny
from reasonry.trainers.tokenizer import IGNORED, build_tokenizer, encode_conversation
from reasonry.types import Message, TrainStep

_BAR = 1.3
Conversation = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Speed:
    """Tokens through the model, processor seconds of the steps, and of all."""

    tokens: int
    steps_s: float
    whole_s: float

    @property
    def per_second(self) -> float:
        return self.tokens / self.steps_s


def conversations(count: int) -> list[Conversation]:
    """Right solutions of six-step sums, as the demo teaches them."""
    section = ProceduralSection(source="procedural", family="chain_signed", steps=6, digits=1, count=count, seed=1)
    return [_conversation(problem) for problem, _ in zip(problems(section, "train"), range(count), strict=False)]


def _conversation(problem: Problem) -> Conversation:
    asked = Message("user", problem.prompt)
    reply = simulate(Behaviour(accuracy=1.0), [asked])
    return asked, Message("assistant", f"<think>\n{reply.reasoning}\n</think>\n\n{reply.response}")


def ours(rows: Sequence[Conversation], options: TinyOptions) -> _Speed:
    """The trainer as the train stage calls it."""
    marks: list[float] = []

    def on_step(_: TrainStep) -> None:
        marks.append(time.process_time())

    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        tiny(rows, options, Path(folder), on_step)
    whole = time.process_time() - begin
    # The first step ends at the first mark, so there is one step less between the marks.
    steps = (marks[-1] - marks[0]) * len(marks) / (len(marks) - 1)
    return _Speed(_tokens(rows, options), steps, whole)


def bare(rows: Sequence[Conversation], options: TinyOptions) -> _Speed:
    """A loop by hand over batches of the same shape."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    batches, vocabulary = _batches(rows, options)
    with threads(options.threads):
        config = LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=options.width,
            intermediate_size=MLP_RATIO * options.width,
            num_hidden_layers=options.layers,
            num_attention_heads=options.heads,
            num_key_value_heads=options.heads,
            max_position_embeddings=options.max_length,
            rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
            tie_word_embeddings=False,
        )
        model: Any = LlamaForCausalLM(config).float().train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, fused=True)
        begin = time.process_time()
        for step in range(options.steps):
            tokens, labels = batches[step % len(batches)]
            logits = model(input_ids=tokens, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        took = time.process_time() - begin
    return _Speed(_tokens(rows, options), took, took)


def _batches(rows: Sequence[Conversation], options: TinyOptions) -> tuple[list[tuple[Any, Any]], int]:
    import torch

    tokenizer = build_tokenizer(rows, vocabulary=options.vocabulary, max_length=options.max_length)
    encoded = [encode_conversation(tokenizer, row) for row in rows]
    made: list[tuple[Any, Any]] = []
    for begin in range(0, len(encoded) - options.batch_size + 1, options.batch_size):
        chosen = encoded[begin : begin + options.batch_size]
        width = max(len(row.tokens) for row in chosen)
        tokens = [row.tokens + [0] * (width - len(row.tokens)) for row in chosen]
        labels = [row.labels + [IGNORED] * (width - len(row.labels)) for row in chosen]
        made.append((torch.tensor(tokens)[:, :-1], torch.tensor(labels)[:, 1:]))
    return made, len(tokenizer)


def _tokens(rows: Sequence[Conversation], options: TinyOptions) -> int:
    """About as many go through either: rows are of nearly one length, so the order changes the padding little."""
    batches, _ = _batches(rows, options)
    return round(options.steps * sum(tokens.numel() for tokens, _ in batches) / len(batches))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both, in turn, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    rows, options = conversations(given.rows), TinyOptions(steps=given.steps, seed=1)
    bare(rows, options.model_copy(update={"steps": 5}))  # imports, and the first allocation
    ratios: list[float] = []
    for _ in range(given.rounds):
        by_hand, trainer = bare(rows, options), ours(rows, options)
        ratios.append(by_hand.per_second / trainer.per_second)
        print(
            f"bare {by_hand.per_second:8,.0f} tokens a CPU-second   tiny {trainer.per_second:8,.0f}"
            f"   ratio {ratios[-1]:.2f}   around the steps {trainer.whole_s - trainer.steps_s:.1f} s"
        )
    print(f"ratio, median of {given.rounds}: {median(ratios):.2f} (bar: {_BAR})")
    return int(median(ratios) > _BAR)


if __name__ == "__main__":
    raise SystemExit(main())
