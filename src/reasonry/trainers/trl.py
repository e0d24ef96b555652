"""Supervised fine-tuning of a real model through TRL's SFTTrainer: the part `trl`.

It reads from top to bottom: the base model and its tokenizer, the conversations as tokens and labels of our own (see
chat_rows.py), TRL's training, a merged checkpoint. A state is kept every `save_every` steps in the store's work folder.
"""

from __future__ import annotations

import json
import logging
import random
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import InputError
from reasonry.identity import digest
from reasonry.registry import part
from reasonry.sections import RecipePath
from reasonry.store import work_folder
from reasonry.torch_extra import quiet, threads
from reasonry.trainers.chat_rows import encode_chat
from reasonry.trainers.resuming import Progress
from reasonry.trainers.tokenizer import IGNORED, EncodedRow
from reasonry.trainers.trl_options import TrlOptions, need_trl, revision_of, trl_inputs
from reasonry.types import Message, TrainStep

__all__ = ["TrlOptions", "trl"]

# What libraries warn each other of, by message; all else is shown.
_KNOWN_WARNINGS = ("`is_gradient_checkpointing` is deprecated",)  # peft asks transformers by the old name


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
        trained = _train(model, tokenizer, rows, options, progress, on_step)
        _save(out / "checkpoint", trained, tokenizer)
    skipped = [i for i, row in enumerate(encoded) if len(row.tokens) > options.max_length]
    _write_facts(out / "checkpoint", trained, tokenizer, rows, skipped)


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


def _train(
    model: Any,
    tokenizer: Any,
    rows: Sequence[EncodedRow],
    options: TrlOptions,
    progress: Progress,
    on_step: Callable[[TrainStep], None],
) -> Any:
    """The trained model, adapters merged in. Goes on from the last whole state where there is one."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl.trainer.sft_trainer import SFTTrainer

    def report(step: TrainStep) -> None:
        progress.append(step)
        on_step(step)

    data = Dataset.from_dict({"input_ids": [row.tokens for row in rows], "labels": [row.labels for row in rows]})
    state = progress.last_state()
    with _no_noise():
        trainer: Any = SFTTrainer(
            model=model,
            args=_arguments(options, progress.folder),
            train_dataset=data,
            processing_class=tokenizer,
            peft_config=_adapters(options),
            callbacks=[_reporting(report, progress)],
        )
        trainer.remove_callback(PrinterCallback)
        _count_labels(trainer)
        progress.replay(state, on_step)
        trainer.train(resume_from_checkpoint=None if state is None else str(state))
    tuned = trainer.accelerator.unwrap_model(trainer.model)
    return tuned.merge_and_unload() if options.method == "lora" else tuned


def _arguments(options: TrlOptions, folder: Path) -> Any:
    import torch
    from trl.trainer.sft_config import SFTConfig

    seed = int(digest("trl", options.seed or 0)[:7], 16)
    return SFTConfig(
        output_dir=str(folder),
        max_length=options.max_length,
        packing=options.packing,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        learning_rate=options.learning_rate,
        lr_scheduler_type=options.schedule,
        warmup_steps=options.warmup_ratio,  # below 1 it is a share of all steps
        weight_decay=options.weight_decay,
        max_grad_norm=options.clip_norm,
        num_train_epochs=options.epochs or 1.0,
        max_steps=options.steps or -1,
        bf16=options.bf16 and torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        activation_checkpointing=options.gradient_checkpointing,
        seed=seed,
        data_seed=seed,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=options.save_every,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _adapters(options: TrlOptions) -> Any:
    if options.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,  # pyright: ignore[reportArgumentType] - any number will do
        lora_dropout=options.lora_dropout,
        target_modules=options.lora_targets or "all-linear",
        task_type="CAUSAL_LM",
    )


def _count_labels(trainer: Any) -> None:
    """Let the trainer note how many tokens have a loss in each step, as the log wants it."""
    original = trainer.get_batch_samples

    def counted(*given: Any, **named: Any) -> Any:
        batches, count = original(*given, **named)
        trainer.state.reasonry_tokens = sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
        return batches, count

    trainer.get_batch_samples = counted


def _reporting(report: Callable[[TrainStep], None], progress: Progress) -> Any:
    """A callback of transformers' that reports each step and marks each state that was written."""
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):
        started = time.perf_counter()

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.started = time.perf_counter()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in logs:  # the last log has the run's sums instead
                seconds = time.perf_counter() - self.started
                rate = float(logs["learning_rate"])
                report(TrainStep(state.global_step, float(logs["loss"]), rate, state.reasonry_tokens, seconds))

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress.mark(state.global_step)

    return Reporting()


@contextmanager
def _no_noise() -> Generator[None]:
    """No progress bars, no chatter of the libraries, and none of the warnings that were looked at one by one."""
    from datasets.utils import logging as bars

    loggers = [logging.getLogger(name) for name in ("trl", "transformers", "accelerate")]
    levels = [logger.level for logger in loggers]
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _KNOWN_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if shown:
            bars.enable_progress_bar()


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
