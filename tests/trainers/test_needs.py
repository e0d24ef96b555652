from __future__ import annotations

import pytest

from reasonry.errors import UsageError
from reasonry.trainers.needs import activation_bytes, hours, memory_of, state_bytes, train_flops
from reasonry.trainers.shapes import SHAPES, Shape

QWEN_7B = SHAPES["Qwen/Qwen2.5-7B-Instruct"]


@pytest.mark.parametrize(("sharding", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_states_are_those_of_figure_1_of_zero(sharding: int, gigabytes: float) -> None:
    """7.5 billion parameters on 64 GPUs (Rajbhandari et al. 2020)."""
    assert state_bytes(7.5e9, 64, sharding) / 1e9 == pytest.approx(gigabytes, abs=0.05)  # pyright: ignore[reportArgumentType]


def test_the_attention_matrix_of_gpt_3_is_80_of_114_parts() -> None:
    """Korthikanti et al. 2022: for GPT-3, 5 a s / h is 80, beside the 34."""
    gpt = Shape(96, 12288, 4 * 12288, 96, 96, 128, 51200, is_tied=True, has_attention_bias=True)
    with_matrix = activation_bytes(gpt, 1, 2048, checkpointing=False, fused_attention=False)
    without = activation_bytes(gpt, 1, 2048, checkpointing=False, fused_attention=True)
    assert with_matrix / without == pytest.approx(114 / 34)


def test_operations_of_chinchilla() -> None:
    """Hoffmann et al. 2022: 70 billion parameters, 1.4 trillion tokens, 5.76e23 operations."""
    assert train_flops(70e9, 1.4e12) == pytest.approx(5.76e23, rel=0.03)


def test_adapters_save_the_gradients_of_the_frozen_weights() -> None:
    """Forward 2, backward 2 for the activations; the other 2 of the backward are for the weights."""
    assert train_flops(7e9, 1e6, is_frozen=True) == pytest.approx(4 * 7e15)
    assert train_flops(7e9, 1e6, checkpointing=True) == pytest.approx(8 * 7e15)


def test_7b_needs_several_gpus_whole_and_one_by_lora() -> None:
    whole = memory_of(QWEN_7B, batch=1, length=4096, gpus=1, sharding=0, checkpointing=True, lora_rank=None)
    spread = memory_of(QWEN_7B, batch=1, length=4096, gpus=32, sharding=3, checkpointing=True, lora_rank=None)
    lora = memory_of(QWEN_7B, batch=1, length=4096, gpus=1, sharding=0, checkpointing=True, lora_rank=16)
    assert whole.total > 80e9 > lora.total > spread.total
    assert lora.states > 4 * QWEN_7B.parameters  # the trainer keeps frozen weights in float32


def test_hours_halve_with_twice_the_gpus() -> None:
    one = hours(1e21, "H100", 1, utilization=0.4)
    assert hours(1e21, "H100", 2, utilization=0.4) == pytest.approx(one / 2)
    assert one == pytest.approx(1e21 / (989.5e12 * 0.4) / 3600)
    with pytest.raises(UsageError, match="no figures"):
        hours(1e21, "H10", 1, utilization=0.4)
