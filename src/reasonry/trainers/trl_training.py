"""TRL's training itself, in this process: alone, or as one of several that share each step.

A step is the same sequences however many processes share it, in the same order; only the sums are rounded otherwise.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.identity import digest
from reasonry.trainers.resuming import Progress
from reasonry.trainers.tokenizer import IGNORED, EncodedRow
from reasonry.trainers.trl_options import TrlOptions
from reasonry.types import TrainStep

__all__ = ["Job", "no_noise", "rows_of", "trained"]

# What libraries warn each other of, by message; all else is shown.
_KNOWN_WARNINGS = ("`is_gradient_checkpointing` is deprecated",)  # peft asks transformers by the old name


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained on what, and from where: `state` is a state to go on from, None the start."""

    model: Any
    tokenizer: Any
    rows: Any
    options: TrlOptions
    progress: Progress
    state: Path | None


def rows_of(rows: Sequence[EncodedRow]) -> Any:
    """Rows as a table of the library datasets."""
    from datasets import Dataset

    return Dataset.from_dict({"input_ids": [row.tokens for row in rows], "labels": [row.labels for row in rows]})


def trained(job: Job, on_step: Callable[[TrainStep], None]) -> Any:
    """The trainer after its training; its model is inside."""
    from transformers import PrinterCallback
    from trl.trainer.sft_trainer import SFTTrainer

    def report(step: TrainStep) -> None:
        job.progress.append(step)
        on_step(step)

    with no_noise():
        trainer: Any = SFTTrainer(
            model=job.model,
            args=_arguments(job.options, job.progress.folder),
            train_dataset=job.rows,
            processing_class=job.tokenizer,
            peft_config=_adapters(job.options),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_reporting(trainer, report, job.progress))
        _count_labels(trainer)
        trainer.train(resume_from_checkpoint=None if job.state is None else str(job.state))
    return trainer


def _arguments(options: TrlOptions, folder: Path) -> Any:
    import torch
    from trl.trainer.sft_config import SFTConfig

    seed = int(digest("trl", options.seed or 0)[:7], 16)
    share = options.share_among(options.processes)
    return SFTConfig(
        output_dir=str(folder),
        max_length=options.max_length,
        packing=options.packing,
        per_device_train_batch_size=share.batch,
        gradient_accumulation_steps=share.accumulation,
        learning_rate=options.learning_rate,
        lr_scheduler_type=options.schedule,
        warmup_steps=options.warmup_ratio,  # below 1 it is a share of all steps
        weight_decay=options.weight_decay,
        max_grad_norm=options.clip_norm,
        num_train_epochs=options.epochs or 1.0,
        max_steps=options.steps or -1,
        bf16=options.bf16 and torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        **_sharding(options),
        use_cpu=options.processes > 1 and not torch.cuda.is_available(),  # else they do not find each other on a CPU
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


def _sharding(options: TrlOptions) -> dict[str, Any]:
    """FSDP, where several processes share the model too; it does the checkpointing itself then."""
    if options.processes == 1 or options.sharding != "fsdp":
        return {"activation_checkpointing": options.gradient_checkpointing}
    config = {"version": 2, "state_dict_type": "FULL_STATE_DICT"}
    config |= {"activation_checkpointing": options.gradient_checkpointing}
    return {"activation_checkpointing": False, "fsdp": True, "fsdp_config": config}


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
    """Let the trainer note how many tokens have a loss in each step, in all processes, as the log wants it."""
    original = trainer.get_batch_samples

    def counted(*given: Any, **named: Any) -> Any:
        import torch

        batches, count = original(*given, **named)
        here = sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
        everywhere = trainer.accelerator.gather(torch.tensor([here], device=trainer.accelerator.device))
        trainer.state.reasonry_tokens = int(everywhere.sum())
        return batches, count

    trainer.get_batch_samples = counted


def _reporting(trainer: Any, report: Callable[[TrainStep], None], progress: Progress) -> Any:
    """A callback of transformers' that reports each step and marks each state that all processes have written."""
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):
        started = time.perf_counter()

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.started = time.perf_counter()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in logs and state.is_world_process_zero:  # the last log has the run's sums instead
                seconds = time.perf_counter() - self.started
                rate = float(logs["learning_rate"])
                report(TrainStep(state.global_step, float(logs["loss"]), rate, state.reasonry_tokens, seconds))

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            trainer.accelerator.wait_for_everyone()
            if state.is_world_process_zero:
                progress.mark(state.global_step)

    return Reporting()


@contextmanager
def no_noise() -> Generator[None]:
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
