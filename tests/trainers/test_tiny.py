from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

pytest.importorskip("torch", reason="the train extra is not installed")

from reasonry.errors import InputError, PartError
from reasonry.registry import find
from reasonry.trainers.tiny import TinyOptions, tiny
from reasonry.trainers.tokenizer import IGNORED, build_tokenizer, encode_conversations
from reasonry.types import Message
from tests.trainers.examples import Trained, conversations, small


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_the_registry_finds_it() -> None:
    assert find("trainer", "tiny").options is TinyOptions


def test_checkpoints_load_with_the_auto_classes(trained: Trained) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in (trained.checkpoint, trained.untrained):
        model: Any = AutoModelForCausalLM.from_pretrained(folder)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        assert model.config.vocab_size == len(tokenizer)
        assert model.generation_config.eos_token_id == tokenizer.eos_token_id
        asked = [{"role": "user", "content": "Compute 1 + 2."}]
        shown = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        assert shown == "<|turn|>user\nCompute 1 + 2.<|end|><|turn|>assistant\n"


def test_a_step_is_reported_for_each_step_and_the_loss_falls(trained: Trained) -> None:
    assert [step.step for step in trained.steps] == list(range(1, 41))
    assert trained.steps[-1].loss < 0.5 * trained.steps[0].loss


def test_a_step_counts_the_assistants_tokens(trained: Trained, tmp_path: Path) -> None:
    steps = Trained(tmp_path, trained.conversations[:1]).run(steps=1, batch_size=3).steps
    tokenizer: Any = build_tokenizer(trained.conversations[:1], vocabulary=512, max_length=512)
    labels = encode_conversations(tokenizer, trained.conversations[:1])[0].labels
    assert steps[0].tokens == 3 * sum(label != IGNORED for label in labels)


def test_the_first_loss_is_that_of_the_untrained_checkpoint(trained: Trained, tmp_path: Path) -> None:
    """Computed anew with the model's own loss, which shifts and masks by itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = Trained(tmp_path, trained.conversations[:1]).run(steps=1, batch_size=1)
    model: Any = AutoModelForCausalLM.from_pretrained(run.untrained)
    row = encode_conversations(AutoTokenizer.from_pretrained(run.untrained), run.conversations[:1])[0]
    loss = model(input_ids=torch.tensor([row.tokens]), labels=torch.tensor([row.labels])).loss.item()
    assert run.steps[0].loss == pytest.approx(loss, rel=1e-5)


def test_padding_does_not_change_the_loss(trained: Trained, tmp_path: Path) -> None:
    """Rows of different lengths in one batch cost the mean over their tokens, as they do one by one."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = sorted(trained.conversations[:12], key=lambda row: len(row[0].content))
    pair = [rows[0], rows[-1]]
    together = Trained(tmp_path / "both", pair).run(steps=1, batch_size=2)
    model: Any = AutoModelForCausalLM.from_pretrained(together.untrained)
    tokenizer: Any = AutoTokenizer.from_pretrained(together.untrained)
    total, tokens = 0.0, 0
    for row in encode_conversations(tokenizer, pair):
        count = sum(label != IGNORED for label in row.labels)
        total += model(input_ids=torch.tensor([row.tokens]), labels=torch.tensor([row.labels])).loss.item() * count
        tokens += count
    assert together.steps[0].tokens == tokens
    assert together.steps[0].loss == pytest.approx(total / tokens, rel=1e-5)


def test_the_rate_rises_falls_and_ends_near_zero(trained: Trained, tmp_path: Path) -> None:
    for schedule in ("cosine", "linear"):
        run = Trained(tmp_path / schedule, trained.conversations[:4])
        rates = [s.learning_rate for s in run.run(steps=20, warmup_steps=5, batch_size=1, schedule=schedule).steps]
        assert rates.index(max(rates)) == 4
        assert max(rates) == pytest.approx(small().learning_rate)
        assert rates == sorted(rates[:5]) + sorted(rates[5:], reverse=True)
        assert 0 < rates[-1] < 0.1 * max(rates)


def test_files_repeat_after_other_work_and_under_another_global_seed(trained: Trained, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(99)
    torch.nn.Linear(7, 7)(torch.randn(3, 7)).sum().backward()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert Trained(tmp_path).run().digests() == trained.digests()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_files_repeat_in_another_process(trained: Trained, tmp_path: Path) -> None:
    code = (
        f"from pathlib import Path; from tests.trainers.examples import Trained; Trained(Path({str(tmp_path)!r})).run()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert Trained(tmp_path).digests() == trained.digests()


def test_training_leaves_the_callers_random_state_alone(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    before = torch.get_rng_state().clone()
    Trained(tmp_path, conversations(4)).run(steps=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_another_seed_gives_other_weights(trained: Trained, tmp_path: Path) -> None:
    import torch

    other = Trained(tmp_path).run(steps=1, seed=4)
    name = "model.embed_tokens.weight"
    assert not torch.equal(weights(other.untrained)[name], weights(trained.untrained)[name])


def test_every_matrix_is_trained(trained: Trained) -> None:
    import torch

    before, after = weights(trained.untrained), weights(trained.checkpoint)
    assert before.keys() == after.keys()
    assert [name for name in before if torch.equal(before[name], after[name])] == []


def test_no_file_names_this_machine(trained: Trained) -> None:
    for path in (path for path in trained.out.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert str(trained.out).encode() not in content
        assert str(Path.home()).encode() not in content or Path.home() == Path("/")


def test_long_rows_are_skipped_and_counted(trained: Trained, tmp_path: Path) -> None:
    long = (Message("user", "1" * 200), Message("assistant", "1"))
    run = Trained(tmp_path, [*trained.conversations[:5], long]).run(steps=1, max_length=128)
    facts = json.loads((run.checkpoint / "training.json").read_text())
    assert (facts["rows"], facts["skipped_rows"]) == (5, 1)
    model = weights(run.checkpoint)
    assert facts["parameters"] == sum(weight.numel() for weight in model.values())


def test_only_long_rows_is_an_error_that_names_the_longest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="longer than max_length = 8") as caught:
        Trained(tmp_path, conversations(3)).run(max_length=8)
    assert caught.value.place == "train.max_length"


def test_no_conversation_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no conversation"):
        Trained(tmp_path, []).run()


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(PartError, match="torch") as caught:
        tiny(conversations(2), small(), tmp_path, print)
    assert "torch==2.13.0" in (caught.value.hint or "")
    assert "reasonry[train]" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "change", [{"width": 30}, {"heads": 0}, {"steps": 0}, {"schedule": "step"}, {"learning_rate": 0.0}]
)
def test_impossible_options_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        small(**change)


def test_options_are_imported_without_torch() -> None:
    code = (
        "import sys, reasonry.trainers.tiny, reasonry.teachers.local.checkpoint\n"
        "print([name for name in ('torch', 'tokenizers', 'transformers') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
