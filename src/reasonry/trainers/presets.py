"""Published training recipes by name, each with where its figures were published.

A preset is a set of keys of `TrlOptions`: what the recipe says itself comes before what the preset says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """`values` as published at `source`; `devices` are the GPUs whose batches made the published global batch.

    `source` names the page, and what of the values does not stand on it.
    """

    source: str
    devices: int
    values: Mapping[str, Any]


_OPENTHINKER: dict[str, Any] = {
    "method": "full",
    "max_length": 16_384,
    "packing": False,
    "batch_size": 1,
    "accumulation": 96,  # published: total_train_batch_size 96 = 1 a device x 3 accumulated x 32 devices
    "learning_rate": 1e-5,
    "schedule": "cosine",
    "warmup_ratio": 0.1,
    "epochs": 3.0,
    "bf16": True,
    "gradient_checkpointing": True,
}

PRESETS: dict[str, Preset] = {
    "openthinker-7b": Preset(
        source=(
            "https://huggingface.co/open-thoughts/OpenThinker-7B (32 devices, rate, schedule, epochs);"
            " https://huggingface.co/bartowski/OpenThinker-7B-exl2/blob/4_25/configs.yaml (a copy of the training's own"
            " configs.yaml: cutoff 16,384, global batch 96, 3 accumulated, ZeRO-3 with offload);"
            " gradient checkpointing is LLaMA-Factory's default and stands on neither"
        ),
        devices=32,
        values={**_OPENTHINKER, "base": "Qwen/Qwen2.5-7B-Instruct"},
    ),
    "openthinker-32b": Preset(
        source=(
            "https://huggingface.co/open-thoughts/OpenThinker-32B (batch 96 on 32 devices, 3 accumulated, rate,"
            " schedule, epochs, 16k context); gradient checkpointing is LLaMA-Factory's default, which the page does"
            " not name"
        ),
        devices=32,
        values={**_OPENTHINKER, "base": "Qwen/Qwen2.5-32B-Instruct"},
    ),
}
