"""How many weights a model has: what its publisher says, and what transformers counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from reasonry.errors import InputError
from reasonry.estimating import Unknown
from reasonry.sections import RecipePath
from reasonry.trainers.shapes import SHAPES, Shape, shape_at_hand, shape_of

# The parameters of the published safetensors files (https://huggingface.co/NAME, "Model size").
PUBLISHED = {
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen2.5-14B-Instruct": 14_770_033_664,
    "Qwen/Qwen2.5-32B-Instruct": 32_763_876_352,
}
QWEN_7B = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}


def shape(folder: Path, config: Mapping[str, object]) -> Shape:
    (folder / "config.json").write_text(json.dumps(config))
    return shape_of(folder / "config.json")


def test_the_shapes_known_by_name_have_the_published_parameters() -> None:
    assert {name: known.parameters for name, known in SHAPES.items()} == PUBLISHED


def test_a_config_file_gives_the_same_shape(tmp_path: Path) -> None:
    assert shape(tmp_path, QWEN_7B) == SHAPES["Qwen/Qwen2.5-7B-Instruct"]


def test_parameters_are_those_that_transformers_counts(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the train extra is not installed")
    from transformers import AutoModelForCausalLM

    from tests.trainers.qwen import base_model

    base = base_model(tmp_path)
    assert shape_of(base / "config.json").parameters == AutoModelForCausalLM.from_pretrained(base).num_parameters()


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")  # peft asks by the old name
def test_adapters_are_those_that_peft_counts(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="the trl extra is not installed")
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from tests.trainers.qwen import base_model

    base = base_model(tmp_path)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    trained, _ = model.get_nb_trainable_parameters()
    assert shape_of(base / "config.json").lora_parameters(4) == trained


def test_the_tiny_student_has_the_parameters_that_are_planned(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    from reasonry.trainers.tiny import TinyOptions, tiny, tiny_shape
    from tests.trainers.examples import conversations

    options = TinyOptions(steps=1, layers=3, width=32, heads=2)
    tiny(conversations(20), options, tmp_path, lambda _: None)
    facts = json.loads((tmp_path / "checkpoint" / "training.json").read_text())
    assert tiny_shape(options, facts["vocabulary"]).parameters == facts["parameters"]


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mamba"):
        shape(tmp_path, {**QWEN_7B, "model_type": "mamba"})


def test_a_model_that_is_not_at_hand_is_unknown_and_says_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    found = shape_at_hand("someone/model-9b", None)
    assert isinstance(found, Unknown)
    assert "hf download someone/model-9b config.json" in found.reason


def test_a_config_in_the_cache_of_the_hub_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants", reason="the train extra is not installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "c" * 40
    folder = tmp_path / "models--someone--model-9b" / "snapshots" / commit
    folder.mkdir(parents=True)
    shape(folder, QWEN_7B)
    assert shape_at_hand("someone/model-9b", commit) == SHAPES["Qwen/Qwen2.5-7B-Instruct"]


def test_a_folder_of_another_kind_is_unknown_to_the_plan(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**QWEN_7B, "model_type": "mamba"}))
    found = shape_at_hand(RecipePath("base", tmp_path), None)
    assert isinstance(found, Unknown)
    assert "mamba" in found.reason


@pytest.mark.parametrize("text", ["[]", "{}", "not JSON", '{"model_type": "llama", "num_attention_heads": "many"}'])
def test_a_config_of_another_kind_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"not a model's config\.json"):
        shape_of(tmp_path / "config.json")
