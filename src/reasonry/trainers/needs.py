"""What a training needs: parameters, memory of one GPU, floating-point operations, hours and money.

Arithmetic on a model's config.json and the options, by published formulas. It bounds from below what a real run takes:
fragments, kernels' work space and what a GPU waits for come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reasonry.errors import UsageError, nearest_hint
from reasonry.trainers.shapes import Shape

__all__ = [
    "GPUS",
    "UTILIZATION",
    "Gpu",
    "Memory",
    "Sharding",
    "activation_bytes",
    "hours",
    "memory_of",
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


# NVIDIA's own data sheets. Those of the H100 and H200 give bfloat16 with sparsity, 1,979 teraFLOPS: dense is half.
_A100 = "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf"
_H100 = "https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet"
_H200 = "https://www.nvidia.com/en-us/data-center/h200/"
GPUS = {
    "A100": Gpu(312e12, 80e9, _A100),
    "A100-40GB": Gpu(312e12, 40e9, _A100),
    "H100": Gpu(989.5e12, 80e9, _H100),
    "H200": Gpu(989.5e12, 141e9, _H200),
}

UTILIZATION = 0.1
"""The share of the peak at which a training is taken to run, where nobody says more.

Three published trainings of this kind ran at 6 to 20% (tests/trainers/test_known_runs.py), so twice and half of it are
the ends of the range shown. A well packed run without offloading can reach 40%.
"""


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
    """The memory of one GPU. LoRA (a rank) trains the adapters alone and keeps the base's weights, in float32."""
    if lora_rank is None:
        states = state_bytes(shape.parameters, gpus, sharding)
    else:
        frozen = 4 * shape.parameters / (gpus if sharding >= 3 else 1)
        states = frozen + state_bytes(shape.lora_parameters(lora_rank), gpus, sharding)
    activations = activation_bytes(shape, batch, length, checkpointing=checkpointing, fused_attention=True)
    return Memory(states, activations, 2 * 4.0 * batch * length * shape.vocabulary)


def train_flops(parameters: float, tokens: float, *, checkpointing: bool = False, is_frozen: bool = False) -> float:
    """6 N D operations (Kaplan et al. 2020, table 1 and section 2.1): 2 forward, 4 backward, half of these for weights.

    Full checkpointing repeats the forward: 2 more. Frozen weights, under adapters, need no gradient: 2 less.
    """
    return (6 + (2 if checkpointing else 0) - (2 if is_frozen else 0)) * parameters * tokens


def hours(flops: float, gpu: str, count: int, *, utilization: float) -> float:
    """Hours on so many GPUs, each at this share of its peak. Raises UsageError for a GPU that is not in the table."""
    if gpu not in GPUS:
        raise UsageError(f"no figures for the GPU '{gpu}'", hint=nearest_hint(gpu, GPUS))
    return flops / (GPUS[gpu].flops * count * utilization) / 3600
