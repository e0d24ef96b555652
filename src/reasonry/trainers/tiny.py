"""A student of about 0.1 to 3 million parameters, trained from scratch on one processor: the part `tiny`.

It reads from top to bottom: a tokenizer from the data, a Llama of a tiny shape whose weights come from a seed, a flat
loop with the loss on the assistant's tokens, two checkpoints. On one machine the same data and options give the same
bits, whatever ran before in the process: weights and batch order come from a generator of their own, the number of
threads is fixed, and only deterministic kernels are allowed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.errors import InputError
from reasonry.identity import digest
from reasonry.registry import Input, library_input, part
from reasonry.sections import TrainSection
from reasonry.torch_extra import need_training_libraries, quiet, threads, uncollected
from reasonry.trainers.shapes import Shape
from reasonry.trainers.tokenizer import IGNORED, EncodedRow, build_tokenizer, encode_conversations
from reasonry.types import Message, TrainStep

__all__ = ["TinyOptions", "tiny", "tiny_shape"]

# Where these and the defaults below come from: 1,000 verified traces of 6-step signed sums of one-digit numbers, 25 s
# of one core (LOG.md has the tables). Most single changes were tried with one or two seeds only.
MLP_RATIO = 2  # 3 and 4 take longer and learned no more
ROPE_THETA = 100.0  # rows are short: at 1,000 some seeds copied wrong numbers
BETAS = (0.9, 0.99)  # 0.95 learned less in as many steps
CLIP_NORM = 1.0  # without it one run stopped at 85% instead of 93%
EMBEDDING_SPREAD = 0.02  # standard deviation; 0.1 made no difference


class TinyOptions(TrainSection):
    """Shape and schedule of a tiny student."""

    trainer: str = "tiny"
    layers: Annotated[int, Field(ge=1, le=64)] = Field(default=2, description="transformer blocks")
    width: Annotated[int, Field(ge=8, le=4096)] = Field(default=64, description="size of a token's vector")
    heads: Annotated[int, Field(ge=1, le=64)] = Field(default=4, description="attention heads; they divide the width")
    vocabulary: Annotated[int, Field(ge=64, le=65536)] = Field(default=1024, description="most tokens to learn")
    max_length: Annotated[int, Field(ge=8, le=8192)] = Field(default=512, description="tokens; longer rows are skipped")
    steps: Annotated[int, Field(ge=1)] = Field(default=2500, description="optimiser steps")
    batch_size: Annotated[int, Field(ge=1)] = Field(default=8, description="rows in a step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=3e-3, description="peak")
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=0.6, description="of AdamW, on matrices only")
    warmup_steps: Annotated[int, Field(ge=0)] = Field(default=50, description="steps of linear rise to the peak")
    schedule: Literal["cosine", "linear"] = Field(default="cosine", description="how the rate falls to 0")
    threads: Annotated[int, Field(ge=1, le=256)] = Field(default=1, description="of torch; they change the rounding")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> TinyOptions:
        if self.width % (2 * self.heads):
            raise PydanticCustomError("heads", "width must be a multiple of 2 x heads", {})
        return self


def tiny_shape(options: TinyOptions, vocabulary: int) -> Shape:
    """The shape of the student whose tokenizer has learnt so many tokens."""
    return Shape(
        layers=options.layers,
        hidden=options.width,
        mlp=MLP_RATIO * options.width,
        heads=options.heads,
        kv_heads=options.heads,
        head=options.width // options.heads,
        vocabulary=vocabulary,
        is_tied=False,
        has_attention_bias=False,
    )


@dataclass(frozen=True, slots=True)
class _Batch:
    """`tokens` and `labels` are rows x width; labels are already shifted to the token they predict."""

    tokens: Any
    labels: Any


def _libraries(_: TinyOptions) -> list[Input]:
    return [library_input(name) for name in ("torch", "transformers", "tokenizers")]


@part("trainer", "tiny", options=TinyOptions, inputs=_libraries, needs=need_training_libraries)
def tiny(
    conversations: Sequence[tuple[Message, ...]],
    options: TinyOptions,
    out: Path,
    on_step: Callable[[TrainStep], None],
) -> None:
    """A tiny decoder-only transformer, trained from scratch on the CPU.

    Writes `out/untrained` (the weights before the first step) and `out/checkpoint`, each with tokenizer, chat
    template and generation config, and `out/checkpoint/training.json`: rows, skipped_rows and skipped (how many were
    longer than `max_length`, and which, from 0), parameters, tokens (assistant tokens in the data), vocabulary.
    Raises InputError where no row is left to train on, PartError where torch or transformers is missing.
    """
    need_training_libraries()
    import torch

    tokenizer = build_tokenizer(conversations, vocabulary=options.vocabulary, max_length=options.max_length)
    encoded = encode_conversations(tokenizer, conversations)
    rows = _short_enough(encoded, options.max_length)
    generator = torch.Generator().manual_seed(int(digest("tiny", options.seed or 0)[:15], 16))
    with threads(options.threads), _deterministic():
        model = _new_model(tokenizer, options, generator)
        _save(out / "untrained", model, tokenizer)
        optimizer = _new_optimizer(model, options)
        batches = _batches(rows, options.batch_size, generator, tokenizer.pad_token_id)
        for step in range(1, options.steps + 1):
            on_step(_train_step(model, optimizer, next(batches), step, options))
        _save(out / "checkpoint", model, tokenizer)
    skipped = [i for i, row in enumerate(encoded) if len(row.tokens) > options.max_length]
    _write_facts(out / "checkpoint", model, tokenizer, rows, skipped)


def _train_step(model: Any, optimizer: Any, batch: _Batch, step: int, options: TinyOptions) -> TrainStep:
    import torch

    start, rate = time.perf_counter(), _learning_rate(step, options)
    for group in optimizer.param_groups:
        group["lr"] = rate
    logits = model(input_ids=batch.tokens, use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    optimizer.zero_grad()
    tokens = int((batch.labels != IGNORED).sum())
    return TrainStep(step, loss.item(), rate, tokens, time.perf_counter() - start)


def _learning_rate(step: int, options: TinyOptions) -> float:
    """A linear rise over the warm-up, then a fall that reaches 0 after the last step. Steps count from 1."""
    if step <= options.warmup_steps:
        return options.learning_rate * step / options.warmup_steps
    left = (options.steps + 1 - step) / (options.steps + 1 - options.warmup_steps)
    share = left if options.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * left)
    return options.learning_rate * share


def _short_enough(rows: Sequence[EncodedRow], max_length: int) -> list[EncodedRow]:
    short = [row for row in rows if len(row.tokens) <= max_length]
    if not rows:
        raise InputError("there is no conversation to train on", hint="look at what the select stage kept")
    if not short:
        longest = max(len(row.tokens) for row in rows)
        raise InputError(
            f"each of the {len(rows)} conversations is longer than max_length = {max_length} tokens",
            place="train.max_length",
            hint=f"raise it; the longest has {longest} tokens",
        )
    return short


def _batches(rows: Sequence[EncodedRow], batch_size: int, generator: Any, padding: int) -> Iterator[_Batch]:
    """Endless batches: the rows in a new order in each epoch, with no row left out at its end."""
    waiting = list[EncodedRow]()
    while True:
        while len(waiting) < batch_size:
            waiting += _shuffled(rows, generator)
        yield _batch(waiting[:batch_size], padding)
        waiting = waiting[batch_size:]


def _shuffled(rows: Sequence[EncodedRow], generator: Any) -> list[EncodedRow]:
    import torch

    return [rows[i] for i in torch.randperm(len(rows), generator=generator).tolist()]


def _batch(rows: Sequence[EncodedRow], padding: int) -> _Batch:
    """Rows padded on the right. There no mask is needed: a token never sees what comes after it."""
    import torch

    width = max(len(row.tokens) for row in rows)
    tokens = [row.tokens + [padding] * (width - len(row.tokens)) for row in rows]
    labels = [row.labels + [IGNORED] * (width - len(row.labels)) for row in rows]
    return _Batch(torch.tensor(tokens)[:, :-1], torch.tensor(labels)[:, 1:])


def _new_model(tokenizer: Any, options: TinyOptions, generator: Any) -> Any:
    """A Llama whose matrices are drawn from `generator`, so that no other library decides where training starts."""
    import torch

    with uncollected():
        from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=options.width,
        intermediate_size=MLP_RATIO * options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.heads,
        max_position_embeddings=options.max_length,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it was
        model: Any = LlamaForCausalLM(config).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                spread = EMBEDDING_SPREAD if "embed" in name else weight.shape[1] ** -0.5
                weight.normal_(0.0, spread, generator=generator)
    return model.train()


def _new_optimizer(model: Any, options: TinyOptions) -> Any:
    """AdamW. Decay pulls on matrices alone: a norm's scale has no reason to go to 0."""
    import torch

    matrices = [weight for weight in model.parameters() if weight.ndim == 2]
    scales = [weight for weight in model.parameters() if weight.ndim != 2]
    groups = [
        {"params": matrices, "weight_decay": options.weight_decay},
        {"params": scales, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=BETAS, fused=True)


@contextmanager
def _deterministic() -> Generator[None]:
    """Deterministic kernels only; afterwards as it was."""
    import torch

    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=strict, warn_only=warns)


def _save(folder: Path, model: Any, tokenizer: Any) -> None:
    """Write a checkpoint. Nothing in it names a time or a place, so that its files repeat too."""
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _write_facts(folder: Path, model: Any, tokenizer: Any, rows: Sequence[EncodedRow], skipped: Sequence[int]) -> None:
    facts = {
        "parameters": model.num_parameters(),
        "rows": len(rows),
        "skipped_rows": len(skipped),
        "skipped": list(skipped),
        "tokens": sum(label != IGNORED for row in rows for label in row.labels),
        "vocabulary": len(tokenizer),
    }
    (folder / "training.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
