"""A training by `trl` as the files that `llamafactory-cli train` reads.

The keys are those of LLaMA-Factory 0.9 (its src/llamafactory/hparams) and of transformers 4 (TrainingArguments), on
which it stands. Paths are relative to the folder that the files stand in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reasonry.trainers.trl_options import TrlOptions

__all__ = ["llamafactory_files"]

# The names of its templates, by the name of the base (LLaMA-Factory's README, "Supported Models").
_TEMPLATES = (
    (re.compile(r"Qwen2(\.5)?-(?!VL|Audio|Omni)"), "qwen"),
    (re.compile(r"Llama-3(?!.*Vision)"), "llama3"),
)
_PLAIN = re.compile(r"[A-Za-z][\w./-]*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def llamafactory_files(options: TrlOptions, dataset: str) -> Mapping[str, str]:
    """The texts of the files by name: the training, and the configuration of DeepSpeed where GPUs share the model."""
    values = {**_model(options), **_data(options, dataset), **_schedule(options), **_output(options)}
    lines = [*(f"# {line}" for line in _notes(options)), *(f"{key}: {_scalar(value)}" for key, value in values.items())]
    files = {f"train_{options.name}.yaml": "\n".join(lines) + "\n"}
    if options.zero_stage:
        files[_deepspeed(options)] = json.dumps(_zero(options.zero_stage), indent=2) + "\n"
    return files


def _notes(options: TrlOptions) -> Iterator[str]:
    share, torchrun = options.share_among(options.devices), "FORCE_TORCHRUN=1 " if options.zero_stage else ""
    yield f"Made by Reasonry from the training '{options.name}' of the recipe. In this folder:"
    yield f"{torchrun}llamafactory-cli train train_{options.name}.yaml"
    gpus = "1 GPU" if options.devices == 1 else f"{options.devices} GPUs"
    yield f"A step is {options.sequences} sequences: {share.batch} at once, {share.accumulation} times, on {gpus}."
    yield "On another number of GPUs, change gradient_accumulation_steps, so that it stays the same step."
    yield "Rows longer than cutoff_len are cut here; Reasonry's trl leaves them out."
    yield "For transformers 5, write the warm-up as warmup_steps with the same value."
    if options.sharding == "fsdp":
        yield "FSDP shares what ZeRO-3 shares: here DeepSpeed does it."
    if options.examples is not None:
        yield "The first rows are taken here; Reasonry's trl chooses as many by their digests."
    if not isinstance(options.base, str):
        yield "The base is a folder, relative to the recipe: write where it is from here."
    if _template(options) is None:
        yield "No template is named: LLaMA-Factory reads the base's own chat template."


def _model(options: TrlOptions) -> dict[str, Any]:
    base = options.base if isinstance(options.base, str) else options.base.given
    values: dict[str, Any] = {"model_name_or_path": base}
    if options.revision is not None:
        values["model_revision"] = options.revision
    values |= {"stage": "sft", "do_train": True, "finetuning_type": options.method}
    if options.method == "lora":
        targets = ",".join(options.lora_targets) if options.lora_targets else "all"
        values |= {"lora_rank": options.lora_rank, "lora_alpha": _whole(options.lora_alpha)}
        values |= {"lora_dropout": options.lora_dropout, "lora_target": targets}
    # It checkpoints unless told otherwise, whatever gradient_checkpointing says.
    values["disable_gradient_checkpointing"] = not options.gradient_checkpointing
    if options.zero_stage:
        values["deepspeed"] = _deepspeed(options)
    return values


def _data(options: TrlOptions, dataset: str) -> dict[str, Any]:
    values: dict[str, Any] = {"dataset": dataset, "dataset_dir": "."}
    if (template := _template(options)) is not None:
        values["template"] = template
    values |= {"cutoff_len": options.max_length, "packing": options.packing}
    if options.packing:
        values["neat_packing"] = True  # no row sees another
    if not options.assistant_only_loss:
        values["train_on_prompt"] = True
    if options.examples is not None:
        values["max_samples"] = options.examples
    return values


def _schedule(options: TrlOptions) -> dict[str, Any]:
    length = {"max_steps": options.steps} if options.steps else {"num_train_epochs": options.epochs or 1.0}
    return {
        "per_device_train_batch_size": options.share_among(options.devices).batch,
        "gradient_accumulation_steps": options.share_among(options.devices).accumulation,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": options.schedule,
        "warmup_ratio": options.warmup_ratio,
        **length,
        "optim": "adamw_torch",
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.clip_norm,
        "bf16": options.bf16,
        "seed": options.seed or 0,
        "ddp_timeout": 180000000,
    }


def _output(options: TrlOptions) -> dict[str, Any]:
    return {
        "output_dir": f"saves/{options.name}",
        "logging_steps": 1,
        "save_steps": options.save_every,
        "save_total_limit": 2,
        "report_to": "none",
    }


def _template(options: TrlOptions) -> str | None:
    base = options.base if isinstance(options.base, str) else ""
    return next((template for pattern, template in _TEMPLATES if pattern.search(base)), None)


def _deepspeed(options: TrlOptions) -> str:
    return f"deepspeed_zero{options.zero_stage}.json"


def _zero(stage: int) -> dict[str, Any]:
    """DeepSpeed's configuration of a stage of ZeRO; "auto" is what the training says."""
    batches = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping")
    zero: dict[str, Any] = {"stage": stage, "overlap_comm": True, "contiguous_gradients": True}
    if stage == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    return {
        **dict.fromkeys(batches, "auto"),
        "zero_allow_untested_optimizer": True,
        "bf16": {"enabled": "auto"},
        "zero_optimization": zero,
    }


def _whole(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _scalar(value: str | float) -> str:
    """As YAML 1.1 and 1.2 read it alike: text in quotes where it could be something else, numbers with a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        mantissa, letter, exponent = repr(value).partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}{letter}{exponent}"
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT
    return value if is_plain else json.dumps(value, ensure_ascii=False)
