from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

pytest.importorskip("trl", reason="the trl extra is not installed")
pytest.importorskip("peft", reason="the trl extra is not installed")

from reasonry.errors import InputError
from reasonry.identity import file_digest
from reasonry.store import work_folder
from reasonry.teachers.local.checkpoint import load_student
from reasonry.trainers.chat_rows import encode_chat
from reasonry.trainers.presets import PRESETS
from reasonry.trainers.tokenizer import IGNORED
from reasonry.trainers.trl import TrlOptions, trl
from reasonry.trainers.trl_options import trl_inputs
from reasonry.types import Message, Sampling, TrainStep
from tests.trainers.examples import Conversation, conversations
from tests.trainers.qwen import TEMPLATE, base_model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_model(tmp_path_factory.mktemp("base"))


def options(base: Path, **changes: Any) -> TrlOptions:
    values = {"base": str(base), "steps": 12, "batch_size": 8, "learning_rate": 5e-3, "max_length": 256, "seed": 3}
    return TrlOptions.model_validate({**values, **changes})


def train(base: Path, out: Path, rows: list[Conversation] | None = None, **changes: Any) -> list[TrainStep]:
    steps = list[TrainStep]()
    trl(rows or conversations(60), options(base, **changes), out, steps.append)
    return steps


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def tokenizer_of(base: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base)


def loss_of(base: Path, rows: list[Conversation]) -> float:
    """The mean over all assistant tokens, one row at a time, by the model's own loss."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer, total, count = tokenizer_of(base), 0.0, 0
    model: Any = AutoModelForCausalLM.from_pretrained(base)
    for messages in rows:
        row = encode_chat(tokenizer, messages, assistant_only=True)
        tokens = sum(label != IGNORED for label in row.labels)
        loss = model(input_ids=torch.tensor([row.tokens]), labels=torch.tensor([row.labels])).loss.item()
        total, count = total + loss * tokens, count + tokens
    return total / count


def test_the_loss_falls_and_the_checkpoint_answers(base: Path, tmp_path: Path) -> None:
    steps = train(base, tmp_path)
    assert [step.step for step in steps] == list(range(1, 13))
    assert steps[-1].loss < 0.9 * steps[0].loss
    facts = json.loads((tmp_path / "checkpoint" / "training.json").read_text())
    assert (facts["rows"], facts["skipped"]) == (60, [])
    student = load_student(tmp_path / "checkpoint")
    asked = [(Message("user", "Compute 1 + 2."),)]
    (reply,) = student.generate(asked, Sampling(max_tokens=5), seed=1, batch_size=1)
    assert reply.tokens_out
    before, after = weights(tmp_path / "untrained"), weights(tmp_path / "checkpoint")
    assert before.keys() == after.keys()
    assert [name for name in before if before[name].equal(after[name])] == []


def test_lora_saves_a_merged_model(base: Path, tmp_path: Path) -> None:
    steps = train(base, tmp_path, method="lora", lora_rank=4, learning_rate=2e-2)
    assert steps[-1].loss < steps[0].loss
    before, after = weights(tmp_path / "untrained"), weights(tmp_path / "checkpoint")
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed == {name for name in before if name.endswith("proj.weight")}
    load_student(tmp_path / "checkpoint")


def test_the_mask_is_that_worked_out_by_hand(base: Path) -> None:
    tokenizer = tokenizer_of(base)
    messages = (Message("user", "Compute 1 + 2."), Message("assistant", "<think>\n1 + 2 = 3\n</think>\n\n3"))
    row = encode_chat(tokenizer, messages, assistant_only=True)

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    unseen = ids("<|turn|>user\nCompute 1 + 2.<|end|>\n<|turn|>assistant\n")
    said = ids("<think>\n1 + 2 = 3\n</think>\n\n3<|end|>")
    assert row.tokens == unseen + said + ids("\n")
    assert row.labels == [IGNORED] * len(unseen) + said + [IGNORED]
    whole = encode_chat(tokenizer, messages, assistant_only=False)
    assert whole.labels == whole.tokens == row.tokens


def test_the_first_loss_is_that_of_the_assistants_tokens(base: Path, tmp_path: Path) -> None:
    rows = conversations(8)
    (step,) = train(base, tmp_path, rows, steps=1)
    assert step.loss == pytest.approx(loss_of(base, rows), rel=1e-4)
    tokenizer = tokenizer_of(base)
    labels = [label for m in rows for label in encode_chat(tokenizer, m, assistant_only=True).labels]
    assert step.tokens == sum(label != IGNORED for label in labels)


def test_packed_rows_do_not_see_each_other(base: Path, tmp_path: Path) -> None:
    """Eight rows in one or two sequences cost what they cost one by one."""
    rows = conversations(8)
    (step,) = train(base, tmp_path, rows, steps=1, packing=True, max_length=512)
    assert step.loss == pytest.approx(loss_of(base, rows), rel=1e-4)


def test_accumulated_batches_make_the_same_step(base: Path, tmp_path: Path) -> None:
    rows = conversations(8)
    (whole,) = train(base, tmp_path / "whole", rows, steps=1)
    (parts,) = train(base, tmp_path / "parts", rows, steps=1, batch_size=2, accumulation=4)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-4)
    assert parts.tokens == whole.tokens


def test_long_rows_are_skipped_and_named(base: Path, tmp_path: Path) -> None:
    long = (Message("user", "1" * 300), Message("assistant", "1"))
    train(base, tmp_path, [long, *conversations(5)], steps=1)
    facts = json.loads((tmp_path / "checkpoint" / "training.json").read_text())
    assert (facts["rows"], facts["skipped_rows"], facts["skipped"]) == (5, 1, [0])


def test_a_template_that_drops_the_reasoning_is_refused(tmp_path: Path) -> None:
    template = TEMPLATE.replace("message['content']", "message['content'].split('</think>')[-1]")
    with pytest.raises(InputError, match="does not show the assistant's text whole"):
        train(base_model(tmp_path / "base", template), tmp_path / "out")


def kill_after(step: int, base: Path, out: Path) -> int:
    """Train in another process, which kills itself when this step is reported."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.trainers.test_trl import options\n"
        "from tests.trainers.examples import conversations\n"
        "from reasonry.trainers.trl import trl\n"
        f"die = lambda step: step.step == {step} and os.kill(os.getpid(), signal.SIGKILL)\n"
        "trl(conversations(60), options(Path(sys.argv[1]), save_every=4), Path(sys.argv[2]), die)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(base), str(out)], cwd=Path(__file__).parents[2], check=False)
    return done.returncode


@pytest.mark.long
def test_a_killed_training_goes_on_to_the_same_bits(base: Path, tmp_path: Path) -> None:
    undisturbed = train(base, tmp_path / "whole", save_every=4)
    out = tmp_path / "killed.partial"
    assert kill_after(10, base, out) == -signal.SIGKILL
    work = work_folder(out)
    assert sorted(path.name for path in work.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-8"]
    half = work / "checkpoint-9"  # as a kill while a state is written leaves it: without its mark
    half.mkdir()
    resumed = train(base, out, save_every=4)
    assert [(s.step, s.loss, s.learning_rate, s.tokens) for s in resumed] == [
        (s.step, s.loss, s.learning_rate, s.tokens) for s in undisturbed
    ]
    for name in ("model.safetensors", "config.json", "tokenizer.json", "training.json"):
        assert file_digest(out / "checkpoint" / name) == file_digest(tmp_path / "whole" / "checkpoint" / name), name


def test_the_base_is_in_the_key_by_content(base: Path, tmp_path: Path) -> None:
    copy = base_model(tmp_path / base.name)
    assert trl_inputs(options(base)) == trl_inputs(options(copy))
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert trl_inputs(options(base)) != trl_inputs(options(copy))


def test_a_commit_of_the_hub_is_taken_as_it_is() -> None:
    given = TrlOptions.model_validate({"base": "Qwen/Qwen2.5-7B-Instruct", "revision": "a" * 40})
    other = given.model_copy(update={"revision": "b" * 40})
    assert trl_inputs(given)[-1].name == "Qwen/Qwen2.5-7B-Instruct"
    assert trl_inputs(given)[-1].digest != trl_inputs(other)[-1].digest


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_fills_in_what_is_not_said(name: str) -> None:
    tuned = TrlOptions.model_validate({"preset": name, "learning_rate": 2e-5})
    assert (tuned.learning_rate, tuned.epochs, tuned.max_length, tuned.warmup_ratio) == (2e-5, 3.0, 16_384, 0.1)
    assert tuned.batch_size * tuned.accumulation == 96
    assert TrlOptions.model_validate({"preset": name, "steps": 5}).epochs is None


def test_steps_and_epochs_exclude_each_other(base: Path) -> None:
    with pytest.raises(ValidationError, match="not both"):
        options(base, epochs=1.0)
