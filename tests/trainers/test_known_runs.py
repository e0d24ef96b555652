"""The estimate of hours beside trainings whose GPU-hours were published.

What ran, on what data and for how long is cited; the tokens of the first two follow from the bytes of their dataset.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reasonry.trainers.needs import UTILIZATION, hours, memory_of, train_flops
from reasonry.trainers.shapes import SHAPES
from reasonry.training_needs import CHARACTERS_PER_TOKEN

QWEN_7B, QWEN_32B = SHAPES["Qwen/Qwen2.5-7B-Instruct"], SHAPES["Qwen/Qwen2.5-32B-Instruct"]
# https://huggingface.co/datasets/open-thoughts/OpenThoughts-114k, README at 3ca7518: 113,957 rows
OPENTHOUGHTS_BYTES = 2_635_015_668


@dataclass(frozen=True)
class Run:
    """A published training on H100. `source` says where hours, data and epochs come from."""

    name: str
    parameters: int
    tokens: float
    gpu_hours: float
    source: str


RUNS = [
    Run(
        "OpenThinker-7B",
        QWEN_7B.parameters,
        3 * OPENTHOUGHTS_BYTES / CHARACTERS_PER_TOKEN,
        4 * 8 * 20,
        "https://huggingface.co/open-thoughts/OpenThinker-7B: four nodes of 8 H100 for 20 hours, 3 epochs",
    ),
    Run(
        "OpenThinker-32B",
        QWEN_32B.parameters,
        3 * OPENTHOUGHTS_BYTES / CHARACTERS_PER_TOKEN,
        4 * 8 * 90,
        "https://huggingface.co/open-thoughts/OpenThinker-32B: four nodes of 8 H100 for around 90 hours, 3 epochs",
    ),
    Run(
        "s1, full 59K",
        QWEN_32B.parameters,
        5 * 59_000 * 3_600,
        394,
        "arXiv 2501.19393: 394 H100 GPU hours for the 59K examples of 3.6K thinking tokens on average, 5 epochs",
    ),
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_hours_shown_hold_those_of_published_trainings(run: Run) -> None:
    """Within a factor of two: `plan` shows half and twice its estimate as the ends of the range."""
    flops = train_flops(run.parameters, run.tokens, checkpointing=True)
    estimate = hours(flops, "H100", 1, utilization=UTILIZATION)
    assert estimate / 2 <= run.gpu_hours <= estimate * 2


def test_the_published_setup_of_the_32b_fits_with_its_sharding_and_not_without() -> None:
    """32 GPUs of 80 GB, ZeRO-3, one sequence of 16,384 tokens each."""
    sharded = memory_of(QWEN_32B, batch=1, length=16_384, gpus=32, sharding=3, checkpointing=True, lora_rank=None)
    copied = memory_of(QWEN_32B, batch=1, length=16_384, gpus=32, sharding=2, checkpointing=True, lora_rank=None)
    assert sharded.total < 80e9 < copied.total
