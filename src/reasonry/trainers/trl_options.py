"""What a recipe can say to the trainer `trl`, and what its result depends on beyond that."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reasonry.errors import InputError, PartError, nearest_hint
from reasonry.identity import digest
from reasonry.registry import Input, library_input
from reasonry.sections import OUT_OF_KEY, RecipePath, TrainSection
from reasonry.teachers.local.checkpoint import checkpoint_input
from reasonry.torch_extra import need_training_libraries
from reasonry.trainers.needs import GPUS, Sharding
from reasonry.trainers.presets import PRESETS

__all__ = ["Share", "TrlOptions", "need_trl", "revision_of", "trl_inputs"]

ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$")]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LIBRARIES = ("torch", "transformers", "tokenizers", "trl", "peft", "accelerate")


@dataclass(frozen=True, slots=True)
class Share:
    """What one GPU does of a step: so many sequences at once, so many times."""

    batch: int
    accumulation: int


class TrlOptions(TrainSection):
    """Which model is tuned, and how."""

    trainer: str = "trl"
    preset: Literal["openthinker-7b", "openthinker-32b"] | None = Field(
        default=None, description="published hyperparameters; keys beside it come first"
    )
    base: Annotated[RecipePath | ModelId, Field(union_mode="left_to_right")] = Field(
        description="the model to tune: a checkpoint folder, or a model of the Hub (owner/name)"
    )
    revision: str | None = Field(default=None, description="commit, branch or tag of the Hub; default: newest commit")
    method: Literal["full", "lora"] = Field(default="full", description="train all weights, or low-rank adapters")
    lora_rank: Annotated[int, Field(ge=1, le=1024)] = Field(default=16, description="rank of the adapters")
    lora_alpha: Annotated[float, Field(gt=0)] = Field(default=32.0, description="adapters count alpha / rank times")
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.0, description="on what adapters read")
    lora_targets: list[str] | None = Field(default=None, description="modules by name; default: every linear one")
    max_length: Annotated[int, Field(ge=8)] = Field(default=4096, description="tokens; longer rows are skipped")
    packing: bool = Field(default=False, description="several rows side by side in one sequence of max_length")
    assistant_only_loss: bool = Field(default=True, description="no loss on system and user turns")
    batch_size: Annotated[int, Field(ge=1)] = Field(default=1, description="sequences at once")
    accumulation: Annotated[int, Field(ge=1)] = Field(default=1, description="batches whose gradients make one step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=1e-5, description="peak")
    schedule: Literal["cosine", "linear", "constant"] = Field(default="cosine", description="after the warm-up")
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.1, description="share of steps that warm up")
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=0.0, description="of AdamW")
    clip_norm: Annotated[float, Field(gt=0)] = Field(default=1.0, description="longest gradient")
    epochs: Annotated[float, Field(gt=0)] | None = Field(default=None, description="passes over the data; default: 1")
    steps: Annotated[int, Field(ge=1)] | None = Field(default=None, description="optimiser steps instead of epochs")
    bf16: bool = Field(default=True, description="multiply in bfloat16 where a GPU can; weights stay in float32")
    gradient_checkpointing: bool = Field(default=False, description="less memory, about a third more time")
    threads: Annotated[int, Field(ge=1, le=256)] = Field(default=1, description="of torch; they change the rounding")
    processes: Annotated[int, Field(ge=1, le=256), OUT_OF_KEY] = Field(
        default=1, description="on this machine, one for each GPU, that share each step; they change the rounding"
    )
    save_every: Annotated[int, Field(ge=1), OUT_OF_KEY] = Field(
        default=200, description="steps between the states from which a killed run goes on"
    )
    gpu: Annotated[str | None, OUT_OF_KEY] = Field(
        default=None, description=f"kind of GPU that `plan` reckons with: {', '.join(GPUS)}"
    )
    gpus: Annotated[Annotated[int, Field(ge=1, le=65536)] | None, OUT_OF_KEY] = Field(
        default=None, description="GPUs that share each step in `plan` and in LLaMA-Factory's file; default: processes"
    )
    sharding: Annotated[Literal["none", "zero1", "zero2", "zero3", "fsdp"], OUT_OF_KEY] = Field(
        default="none", description="what GPUs share of the model: a stage of ZeRO (for the same two), or by FSDP"
    )
    gpu_usd_per_hour: Annotated[float | None, Field(gt=0), OUT_OF_KEY] = Field(
        default=None, description="price of one GPU, for `plan`"
    )
    gpu_utilization: Annotated[float | None, Field(gt=0, le=1), OUT_OF_KEY] = Field(
        default=None, description="share of the GPUs' peak, for `plan`; default: 0.05 to 0.2, as published runs had"
    )

    @field_validator("gpu")
    @classmethod
    def _is_known(cls, gpu: str | None) -> str | None:
        if gpu is not None and gpu not in GPUS:
            raise PydanticCustomError(
                "gpu", "no figures for the GPU '{gpu}'", {"gpu": gpu, "hint": nearest_hint(gpu, GPUS)}
            )
        return gpu

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """Put the preset's values under those that are given."""
        if not isinstance(given, dict):
            return given
        preset = PRESETS.get(str(given.get("preset")))  # pyright: ignore[reportUnknownMemberType]
        if preset is None:
            return given  # pyright: ignore[reportUnknownVariableType]
        values = dict(preset.values)
        if given.get("steps") is not None:  # pyright: ignore[reportUnknownMemberType]
            del values["epochs"]
        return {**values, **given}

    @model_validator(mode="after")
    def _agrees(self) -> TrlOptions:
        if self.steps is not None and self.epochs is not None:
            raise PydanticCustomError("steps_epochs", "give steps or epochs, not both", {})
        if isinstance(self.base, RecipePath) and self.revision is not None:
            raise PydanticCustomError("revision", "a local folder has no revision: its content counts", {})
        if self.processes > 1 and self.sharding not in ("none", "fsdp"):
            raise PydanticCustomError(
                "sharding",
                "processes share the model by FSDP or not at all",
                {"hint": 'sharding = "fsdp", which shares what zero3 does'},
            )
        for name, count in (("processes", self.processes), ("gpus", self.devices)):
            if self.sequences % count:
                raise PydanticCustomError(
                    "share",
                    "{count} {name} cannot share a step of batch_size x accumulation = {sequences} sequences evenly",
                    {
                        "count": count,
                        "name": name,
                        "sequences": self.sequences,
                        "hint": f"make accumulation a multiple of {name}",
                    },
                )
        return self

    @property
    def devices(self) -> int:
        """The GPUs that `plan` and LLaMA-Factory's file reckon with."""
        return self.gpus or self.processes

    @property
    def sequences(self) -> int:
        """Those of one step, on all GPUs together."""
        return self.batch_size * self.accumulation

    @property
    def zero_stage(self) -> Sharding:
        """The stage of ZeRO that shares as much."""
        stages: dict[str, Sharding] = {"none": 0, "zero1": 1, "zero2": 2, "zero3": 3, "fsdp": 3}
        return stages[self.sharding]

    def share_among(self, count: int) -> Share:
        """The part of one of so many in a step: the batch as large as it was given, where that divides the part."""
        part = self.sequences // count
        batch = max(size for size in range(1, min(self.batch_size, part) + 1) if part % size == 0)
        return Share(batch, part // batch)


def need_trl() -> None:
    """Import what this trainer needs. Raises PartError, with the command that installs it, where it lacks."""
    need_training_libraries()
    for name in ("accelerate", "datasets", "peft", "trl"):
        try:
            importlib.import_module(name)
        except ImportError as exc:
            raise PartError(
                f"the trainer trl needs {name}, which is not installed",
                hint="pip install torch==2.13.0 && pip install 'reasonry[trl]'",
            ) from exc


def trl_inputs(options: TrlOptions) -> list[Input]:
    """The base model, by content or by commit, and the libraries that decide the bits."""
    libraries = [library_input(name) for name in _LIBRARIES]
    if options.processes > 1:  # they round otherwise
        libraries.append(Input("processes", digest("processes", options.processes, options.sharding)))
    if isinstance(options.base, RecipePath):
        return [*libraries, checkpoint_input(options.base.resolved)]
    return [*libraries, Input(options.base, digest("hub model", options.base, revision_of(options)))]


def revision_of(options: TrlOptions) -> str | None:
    """The commit of a model of the Hub; None for a folder. Raises InputError where the Hub cannot be asked."""
    if isinstance(options.base, RecipePath):
        return None
    if options.revision and _COMMIT.fullmatch(options.revision):
        return options.revision
    from huggingface_hub import HfApi

    try:
        commit = HfApi().model_info(options.base, revision=options.revision).sha
    except Exception as exc:
        raise InputError(
            f"the Hub did not say which commit is in force: {type(exc).__name__}",
            place=options.base,
            hint="set train.revision to a commit, or train.base to a local folder",
        ) from exc
    if commit is None:
        raise InputError("the Hub names no commit", place=options.base, hint="set train.revision to a commit")
    return commit
