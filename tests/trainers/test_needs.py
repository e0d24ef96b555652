from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from reasonry.errors import InputError, UsageError
from reasonry.trainers.needs import (
    Shape,
    activation_bytes,
    hours,
    memory_of,
    shape_of,
    state_bytes,
    train_flops,
)

QWEN_7B = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
QWEN_32B = {
    **QWEN_7B,
    "hidden_size": 5120,
    "intermediate_size": 27648,
    "num_hidden_layers": 64,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
}


def shape(folder: Path, config: Mapping[str, object]) -> Shape:
    (folder / "config.json").write_text(json.dumps(config))
    return shape_of(folder)


@pytest.mark.parametrize(("config", "billions"), [(QWEN_7B, 7.62), (QWEN_32B, 32.8)])
def test_parameters_are_those_of_the_model_cards(tmp_path: Path, config: Mapping[str, object], billions: float) -> None:
    assert shape(tmp_path, config).parameters / 1e9 == pytest.approx(billions, abs=0.05)


def test_parameters_are_those_that_transformers_counts(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the train extra is not installed")
    from transformers import AutoModelForCausalLM

    from tests.trainers.qwen import base_model

    base = base_model(tmp_path)
    assert shape_of(base).parameters == AutoModelForCausalLM.from_pretrained(base).num_parameters()


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


def test_7b_needs_several_gpus_whole_and_one_by_lora(tmp_path: Path) -> None:
    given = shape(tmp_path, QWEN_7B)
    whole = memory_of(given, batch=1, length=4096, gpus=1, sharding=0, checkpointing=True, lora_rank=None)
    spread = memory_of(given, batch=1, length=4096, gpus=32, sharding=3, checkpointing=True, lora_rank=None)
    lora = memory_of(given, batch=1, length=4096, gpus=1, sharding=0, checkpointing=True, lora_rank=16)
    assert whole.total > 80e9 > lora.total > spread.total


def test_hours_halve_with_twice_the_gpus() -> None:
    one = hours(1e21, "H100", 1, utilization=0.4)
    assert hours(1e21, "H100", 2, utilization=0.4) == pytest.approx(one / 2)
    assert one == pytest.approx(1e21 / (989.4e12 * 0.4) / 3600)
    with pytest.raises(UsageError, match="no figures"):
        hours(1e21, "H10", 1, utilization=0.4)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mamba"):
        shape(tmp_path, {**QWEN_7B, "model_type": "mamba"})
