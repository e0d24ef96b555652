"""The YAML for LLaMA-Factory: what a YAML reader gets from it is what the training's section says."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from reasonry.trainers.llamafactory import llamafactory_files
from reasonry.trainers.trl_options import TrlOptions

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

# Fields of LLaMA-Factory's own argument classes (its src/llamafactory/hparams, read 2026-12-01): it refuses other keys.
LLAMAFACTORY = {
    *("model_name_or_path", "model_revision", "disable_gradient_checkpointing"),
    *("stage", "finetuning_type", "lora_rank", "lora_alpha", "lora_dropout", "lora_target"),
    *("dataset", "dataset_dir", "template", "cutoff_len", "packing", "neat_packing", "train_on_prompt", "max_samples"),
}
ONLY_IN_TRANSFORMERS_4 = {"warmup_ratio"}  # in 5 a share of the steps is said by warmup_steps


def read(files: dict[str, str], name: str = "train_student.yaml") -> dict[str, Any]:
    return yaml.safe_load(files[name])


def made(**values: Any) -> dict[str, str]:
    options = TrlOptions.model_validate({"base": "Qwen/Qwen2.5-7B-Instruct", "seed": 5, **values})
    return dict(llamafactory_files(options, "demo_sharegpt"))


EVERYTHING: list[dict[str, Any]] = [
    {"preset": "openthinker-7b", "gpus": 32, "sharding": "zero3"},
    {"method": "lora", "lora_targets": ["q_proj", "v_proj"], "packing": True, "steps": 10, "examples": 7},
    {"base": "someone/model-9b", "assistant_only_loss": False, "gradient_checkpointing": True, "revision": "v1.0"},
]


def test_the_preset_becomes_what_was_published() -> None:
    """https://huggingface.co/open-thoughts/OpenThinker-7B and its configs.yaml: 32 GPUs, 1 each, 3 accumulated."""
    files = made(preset="openthinker-7b", gpus=32, sharding="zero3")
    values = read(files)
    published = {
        "model_name_or_path": "Qwen/Qwen2.5-7B-Instruct",
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "cutoff_len": 16384,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 3,
        "learning_rate": 1e-05,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": 0.1,
        "num_train_epochs": 3.0,
        "bf16": True,
        "disable_gradient_checkpointing": False,
    }
    assert {key: values[key] for key in published} == published
    assert (values["dataset"], values["dataset_dir"], values["template"]) == ("demo_sharegpt", ".", "qwen")
    assert json.loads(files[values["deepspeed"]])["zero_optimization"]["stage"] == 3


@pytest.mark.parametrize("given", EVERYTHING)
def test_every_key_is_one_that_it_knows(given: dict[str, Any]) -> None:
    arguments = pytest.importorskip("transformers", reason="the train extra is not installed").TrainingArguments
    known = LLAMAFACTORY | {field.name for field in fields(arguments)} | ONLY_IN_TRANSFORMERS_4
    assert set(read(made(**given))) - known == set()


@pytest.mark.parametrize("rate", [1e-5, 1e-4, 2.5e-6, 3e-3, 1.0, 5e-324])
def test_a_rate_is_a_number_to_every_reader(rate: float) -> None:
    """YAML 1.1 reads `1e-05` as text."""
    assert read(made(learning_rate=rate))["learning_rate"] == rate


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ({"method": "lora", "lora_rank": 8}, "lora_rank", 8),
        ({"method": "lora", "lora_alpha": 12.5}, "lora_alpha", 12.5),
        ({"method": "lora"}, "lora_target", "all"),
        ({"method": "lora", "lora_targets": ["q_proj", "v_proj"]}, "lora_target", "q_proj,v_proj"),
        ({"packing": True}, "neat_packing", True),
        ({"steps": 12}, "max_steps", 12),
        ({"epochs": 2.5}, "num_train_epochs", 2.5),
        ({"assistant_only_loss": False}, "train_on_prompt", True),
        ({"gradient_checkpointing": False}, "disable_gradient_checkpointing", True),
        ({"examples": 100}, "max_samples", 100),
        ({"base": "meta-llama/Llama-3.1-8B-Instruct"}, "template", "llama3"),
        ({"base": "no"}, "model_name_or_path", "no"),
        ({"clip_norm": 0.3, "weight_decay": 0.01}, "max_grad_norm", 0.3),
        ({"sharding": "zero2", "gpus": 2, "accumulation": 6}, "gradient_accumulation_steps", 3),
    ],
)
def test_an_option_becomes_its_key(given: dict[str, Any], key: str, value: Any) -> None:
    assert read(made(**given))[key] == value


def test_what_was_not_asked_for_is_left_out() -> None:
    values = read(made(base="someone/model-9b", epochs=1.0))
    for key in ("lora_rank", "neat_packing", "deepspeed", "max_steps", "template", "max_samples", "train_on_prompt"):
        assert key not in values
