"""What a training needs: parameters, memory of one GPU, floating-point operations, hours and money.

Arithmetic on a model's config.json and the options, by published formulas. It bounds from below what a real run takes:
fragments, kernels' work space and what a GPU waits for come on top.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reasonry.errors import InputError, UsageError, nearest_hint

__all__ = [
    "GPUS",
    "Gpu",
    "Memory",
    "Shape",
    "activation_bytes",
    "hours",
    "memory_of",
    "shape_of",
    "state_bytes",
    "train_flops",
]

Sharding = Literal[0, 1, 2, 3]
"""The stage of ZeRO: 0 copies everything, 1 shards optimizer states, 2 gradients too, 3 weights too."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """`flops` is the peak per second in dense bfloat16, `bytes` the memory, both as their sources give them."""

    flops: float
    bytes: float
    source: str


_A100 = "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf"
_H100 = "https://archive-lib.hpctech.co.jp/gpuproduct/nvidia-h100.html"  # its figures with sparsity, halved
GPUS = {
    "A100": Gpu(312e12, 80e9, _A100),
    "H100": Gpu(989.4e12, 80e9, _H100),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a decoder with gated MLPs and grouped attention: Llama, Qwen2 and their kin."""

    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    is_tied: bool
    has_attention_bias: bool

    @property
    def parameters(self) -> int:
        """All weights, counted matrix by matrix."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        attention = self.hidden * (2 * queries + 2 * keys)
        bias = queries + 2 * keys if self.has_attention_bias else 0
        layer = attention + bias + 3 * self.hidden * self.mlp + 2 * self.hidden
        return self.layers * layer + self.hidden + self.vocabulary * self.hidden * (1 if self.is_tied else 2)

    def lora_parameters(self, rank: int) -> int:
        """Adapters of this rank on every linear matrix of every layer: rank x (rows + columns) each."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        sides = 2 * (self.hidden + queries) + 2 * (self.hidden + keys) + 3 * (self.hidden + self.mlp)
        return self.layers * rank * sides


def shape_of(folder: Path) -> Shape:
    """The shape of a local checkpoint. Raises InputError where its config is of another kind."""
    try:
        config: Mapping[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind, heads = config["model_type"], config["num_attention_heads"]
        if kind not in ("llama", "qwen2"):
            raise InputError(f"how many weights a '{kind}' has is not known here", place=str(folder / "config.json"))
        return Shape(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            mlp=config["intermediate_size"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head=config.get("head_dim") or config["hidden_size"] // heads,
            vocabulary=config["vocab_size"],
            is_tied=bool(config.get("tie_word_embeddings", False)),
            has_attention_bias=kind == "qwen2" or bool(config.get("attention_bias")),
        )
    except (OSError, ValueError, KeyError) as exc:
        raise InputError(f"not a model's config.json: {exc}", place=str(folder / "config.json")) from exc


def state_bytes(parameters: float, gpus: int, sharding: Sharding) -> float:
    """Weights, gradients and Adam's states on one GPU, in mixed precision.

    2 + 2 + 12 bytes a parameter (ZeRO, Rajbhandari et al. 2020, section 3.1); each stage divides one more part by the
    number of GPUs (the same, figure 1).
    """
    weights = 2 * parameters / (gpus if sharding >= 3 else 1)
    gradients = 2 * parameters / (gpus if sharding >= 2 else 1)
    return weights + gradients + 12 * parameters / (gpus if sharding >= 1 else 1)


def activation_bytes(shape: Shape, batch: int, length: int, *, checkpointing: bool, fused_attention: bool) -> float:
    """What the forward pass keeps for the backward pass, without the logits.

    A layer keeps s b h (34 + 5 a s / h) bytes (Korthikanti et al. 2022, equation 1), made for an MLP of 4 h without a
    gate. The second term is the attention matrix, which fused kernels do not keep. With full checkpointing a layer
    keeps its input alone, 2 s b h, and one layer at a time is made anew.
    """
    plane = float(batch * length * shape.hidden)
    layer = plane * (34 + (0 if fused_attention else 5 * shape.heads * length / shape.hidden))
    return 2 * plane * shape.layers + layer if checkpointing else layer * shape.layers


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one GPU. `logits` are those of one batch with their gradient, in float32."""

    states: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        return self.states + self.activations + self.logits


def memory_of(
    shape: Shape, *, batch: int, length: int, gpus: int, sharding: Sharding, checkpointing: bool, lora_rank: int | None
) -> Memory:
    """The memory of one GPU; LoRA (a rank) keeps the base's weights and trains the adapters alone."""
    if lora_rank is None:
        states = state_bytes(shape.parameters, gpus, sharding)
    else:
        frozen = 2 * shape.parameters / (gpus if sharding >= 3 else 1)
        states = frozen + state_bytes(shape.lora_parameters(lora_rank), gpus, sharding)
    activations = activation_bytes(shape, batch, length, checkpointing=checkpointing, fused_attention=True)
    return Memory(states, activations, 2 * 4.0 * batch * length * shape.vocabulary)


def train_flops(parameters: float, tokens: float, *, checkpointing: bool = False) -> float:
    """6 N D operations (Kaplan et al. 2020, table 1 and section 2.1); full checkpointing repeats the forward: 8 N D."""
    return (8 if checkpointing else 6) * parameters * tokens


def hours(flops: float, gpu: str, count: int, *, utilization: float) -> float:
    """Hours on so many GPUs, each at this share of its peak. Raises UsageError for a GPU that is not in the table."""
    if gpu not in GPUS:
        raise UsageError(f"no figures for the GPU '{gpu}'", hint=nearest_hint(gpu, GPUS))
    return flops / (GPUS[gpu].flops * count * utilization) / 3600
