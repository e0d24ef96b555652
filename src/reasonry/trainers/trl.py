"""Supervised fine-tuning of a real model through TRL's SFTTrainer: the part `trl`.

It reads from top to bottom: the base model and its tokenizer, the conversations as tokens and labels of our own (see
chat_rows.py), TRL's training (trl_training.py; in several processes: trl_processes.py), a merged checkpoint. A state is
kept every `save_every` steps in the store's work folder.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import InputError
from reasonry.registry import part
from reasonry.sections import RecipePath
from reasonry.store import work_folder
from reasonry.torch_extra import quiet, threads
from reasonry.trainers.chat_rows import encode_chat
from reasonry.trainers.resuming import Progress
from reasonry.trainers.tokenizer import IGNORED, EncodedRow
from reasonry.trainers.trl_options import TrlOptions, need_trl, revision_of, trl_inputs
from reasonry.trainers.trl_processes import trained_apart
from reasonry.trainers.trl_training import Job, rows_of, trained
from reasonry.types import Message, TrainStep

__all__ = ["TrlOptions", "trl"]


@part("trainer", "trl", options=TrlOptions, inputs=trl_inputs, needs=need_trl)
def trl(
    conversations: Sequence[tuple[Message, ...]],
    options: TrlOptions,
    out: Path,
    on_step: Callable[[TrainStep], None],
) -> None:
    """A model of the Hub or of a folder, tuned whole or by LoRA (extra: trl).

    Writes `out/untrained` (the base as it was) and `out/checkpoint` (adapters merged in), and
    `out/checkpoint/training.json` as the trainer `tiny` does. Raises InputError where the base cannot be loaded, its
    chat template does not show what is to be learned, or no row is left.
    """
    need_trl()
    progress = Progress(work_folder(out))
    with threads(options.threads), _borrowed_state(), quiet():
        base = _load_base(options)
        model, tokenizer = base.model, base.tokenizer
        encoded = [encode_chat(tokenizer, m, assistant_only=options.assistant_only_loss) for m in conversations]
        rows = _short_enough(encoded, options.max_length)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        _save(out / "untrained", model, tokenizer)
        parameters = model.num_parameters()
        state = progress.last_state()
        progress.replay(state, on_step)
        job = Job(model, tokenizer, rows_of(rows), options, progress, state)
        if options.processes == 1:
            trainer = trained(job, on_step)
            model = trainer.accelerator.unwrap_model(trainer.model)
        else:
            model = trained_apart(job, out / "untrained", on_step)
        _save(out / "checkpoint", model.merge_and_unload() if options.method == "lora" else model, tokenizer)
    skipped = [i for i, row in enumerate(encoded) if len(row.tokens) > options.max_length]
    _write_facts(out / "checkpoint", parameters, tokenizer, rows, skipped)


@dataclass(frozen=True, slots=True)
class _Base:
    """A model of transformers' in float32, and its tokenizer."""

    model: Any
    tokenizer: Any


def _load_base(options: TrlOptions) -> _Base:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    is_local = isinstance(options.base, RecipePath)
    name = str(options.base.resolved) if isinstance(options.base, RecipePath) else options.base
    where: dict[str, Any] = {"revision": revision_of(options) or "main", "local_files_only": is_local}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, **where)
        model = AutoModelForCausalLM.from_pretrained(name, trust_remote_code=False, dtype=torch.float32, **where)
    except Exception as exc:
        raise InputError(f"the base model cannot be loaded: {exc}", place="train.base") from exc
    return _Base(model, tokenizer)


def _short_enough(rows: Sequence[EncodedRow], max_length: int) -> list[EncodedRow]:
    if not rows:
        raise InputError("there is no conversation to train on", hint="look at what the select stage kept")
    short = [row for row in rows if len(row.tokens) <= max_length]
    if not short:
        raise InputError(
            f"each of the {len(rows)} conversations is longer than max_length = {max_length} tokens",
            place="train.max_length",
            hint=f"raise it; the longest has {max(len(row.tokens) for row in rows)} tokens",
        )
    return short


@contextmanager
def _borrowed_state() -> Generator[None]:
    """The trainer seeds every generator there is; afterwards they are as they were."""
    import numpy
    import torch

    plain, array = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(plain)
        numpy.random.set_state(array)


def _save(folder: Path, model: Any, tokenizer: Any) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write_facts(
    folder: Path, parameters: int, tokenizer: Any, rows: Sequence[EncodedRow], skipped: Sequence[int]
) -> None:
    facts = {
        "parameters": parameters,
        "rows": len(rows),
        "skipped_rows": len(skipped),
        "skipped": list(skipped),
        "tokens": sum(label != IGNORED for row in rows for label in row.labels),
        "vocabulary": len(tokenizer),
    }
    (folder / "training.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
