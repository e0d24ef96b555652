from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from reasonry.errors import InputError
from reasonry.teachers.local.checkpoint import LocalStudent, load_student
from reasonry.types import Message, Reply, Sampling, conversation, whole_text
from tests.trainers.examples import Conversation, Trained

GREEDY = Sampling(temperature=0.0, max_tokens=40)
WARM = Sampling(temperature=1.0, max_tokens=24)


@pytest.fixture(scope="module")
def fluent(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained for long enough to close its thoughts and end its turns."""
    return Trained(tmp_path_factory.mktemp("fluent")).run(steps=150, learning_rate=1e-2)


@pytest.fixture(scope="module")
def student(fluent: Trained) -> LocalStudent:
    return load_student(fluent.checkpoint)


def asked(trained: Trained, count: int = 32) -> list[Conversation]:
    return [messages[:1] for messages in trained.conversations[:count]]


def answers(
    student: LocalStudent, prompts: Sequence[Conversation], sampling: Sampling, *, seed: int = 1, batch_size: int = 32
) -> list[Reply]:
    return list(student.generate(prompts, sampling, seed=seed, batch_size=batch_size))


def test_greedy_is_generate_token_by_token(student: LocalStudent, fluent: Trained) -> None:
    import torch

    for messages in asked(fluent, 6):
        prompt = student.tokenizer(
            f"<|turn|>user\n{messages[0].content}<|end|><|turn|>assistant\n",
            return_tensors="pt",
            add_special_tokens=False,
        )["input_ids"]
        mask = torch.ones_like(prompt)
        whole = student.model.generate(input_ids=prompt, attention_mask=mask, max_new_tokens=40, do_sample=False)
        text = student.tokenizer.decode(whole[0, prompt.shape[1] :], skip_special_tokens=True)
        (reply,) = answers(student, [messages], GREEDY)
        assert whole_text(reply.reasoning, reply.response, reply.finish).strip() == text.strip()
        assert reply.tokens_in == prompt.shape[1]
        assert reply.tokens_out == whole.shape[1] - prompt.shape[1]


def test_the_cache_changes_nothing(student: LocalStudent, fluent: Trained) -> None:
    """The same as choosing each token with the whole text before it and no cache."""
    import torch

    (reply,) = answers(student, asked(fluent, 1), GREEDY)
    text = f"<|turn|>user\n{fluent.conversations[0][0].content}<|end|><|turn|>assistant\n"
    tokens = start = student.tokenizer(text, add_special_tokens=False)["input_ids"]
    while len(tokens) - len(start) < 40 and (tokens is start or tokens[-1] != student.tokenizer.eos_token_id):
        with torch.no_grad():
            logits = student.model(input_ids=torch.tensor([tokens]), use_cache=False).logits
        tokens = [*tokens, int(logits[0, -1].argmax())]
    written = student.tokenizer.decode(tokens[len(start) :], skip_special_tokens=True)
    assert whole_text(reply.reasoning, reply.response, reply.finish) == written


@pytest.mark.parametrize("sampling", [GREEDY, WARM, Sampling(temperature=0.8, top_p=0.9, max_tokens=24)])
def test_batches_of_one_and_of_many_answer_the_same(student: LocalStudent, fluent: Trained, sampling: Sampling) -> None:
    prompts = asked(fluent)
    assert answers(student, prompts, sampling, batch_size=1) == answers(student, prompts, sampling, batch_size=32)


def test_replies_come_in_the_order_asked(student: LocalStudent, fluent: Trained) -> None:
    prompts = asked(fluent)
    forward = answers(student, prompts, GREEDY, batch_size=4)
    backward = answers(student, prompts[::-1], GREEDY, batch_size=4)
    assert forward == backward[::-1]
    assert len({reply.tokens_in for reply in forward}) > 1


def test_reasoning_is_kept_apart(student: LocalStudent, fluent: Trained) -> None:
    replies = answers(student, asked(fluent), Sampling(temperature=0.0, max_tokens=64))
    thought = [reply for reply in replies if reply.finish == "stop" and "=" in reply.reasoning]
    assert len(thought) > 8
    assert all(reply.response.startswith("The answer is \\boxed{") for reply in thought)
    assert not any("</think>" in reply.reasoning + reply.response for reply in thought)


def test_a_cut_answer_finishes_by_length(student: LocalStudent, fluent: Trained) -> None:
    (reply,) = answers(student, asked(fluent, 1), Sampling(temperature=0.0, max_tokens=5))
    assert (reply.finish, reply.tokens_out, reply.response) == ("length", 5, "")
    assert reply.reasoning


def test_the_same_seed_samples_the_same_and_another_seed_does_not(student: LocalStudent, fluent: Trained) -> None:
    prompts = asked(fluent)
    assert answers(student, prompts, WARM, seed=1) == answers(student, prompts, WARM, seed=1)
    assert answers(student, prompts, WARM, seed=1) != answers(student, prompts, WARM, seed=2)


def test_a_repeated_conversation_is_another_sample(student: LocalStudent, fluent: Trained) -> None:
    (prompt,) = asked(fluent, 1)
    texts = {reply.reasoning + reply.response for reply in answers(student, [prompt] * 8, WARM)}
    assert len(texts) > 1


def test_samples_follow_the_models_probabilities(student: LocalStudent, fluent: Trained) -> None:
    """The share of each first token in 8,000 samples is near the model's probability (total variation)."""
    import torch

    (prompt,) = asked(fluent, 1)
    hot = Sampling(temperature=3.0, max_tokens=1)
    shares: dict[str, float] = {}
    for reply in answers(student, [prompt] * 8000, hot, batch_size=500):
        text = reply.reasoning + reply.response if reply.finish == "length" else "end"
        shares[text] = shares.get(text, 0.0) + 1 / 8000
    text = f"<|turn|>user\n{prompt[0].content}<|end|><|turn|>assistant\n"
    tokens = student.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        probabilities = (student.model(input_ids=tokens).logits[0, -1] / 3.0).softmax(-1)
    expected: dict[str, float] = {}
    for token, probability in enumerate(probabilities.tolist()):
        shown = student.tokenizer.decode([token], skip_special_tokens=True).replace("<think>", "")
        name = "end" if token == student.tokenizer.eos_token_id else shown.strip()
        expected[name] = expected.get(name, 0.0) + probability
    seen: dict[str, float] = {}
    for name, share in shares.items():
        seen[name.strip()] = seen.get(name.strip(), 0.0) + share
    distance = sum(abs(seen.get(name, 0.0) - expected.get(name, 0.0)) for name in seen.keys() | expected.keys()) / 2
    assert distance < 0.08


def test_a_narrow_nucleus_is_greedy(student: LocalStudent, fluent: Trained) -> None:
    nucleus = Sampling(temperature=1.0, top_p=1e-9, max_tokens=40)
    assert answers(student, asked(fluent, 8), nucleus) == answers(student, asked(fluent, 8), GREEDY)


def test_training_changes_what_is_answered(student: LocalStudent, fluent: Trained) -> None:
    untrained = answers(load_student(fluent.untrained), asked(fluent, 8), GREEDY)
    trained = answers(student, asked(fluent, 8), GREEDY)
    assert not any("boxed" in reply.response and "=" in reply.reasoning for reply in untrained)
    assert any("boxed" in reply.response and "=" in reply.reasoning for reply in trained)


def test_a_prompt_that_fills_the_context_gets_an_empty_reply(student: LocalStudent) -> None:
    replies = answers(student, [conversation("1" * 600), conversation("Compute 1 + 1.")], GREEDY)
    assert (replies[0].finish, replies[0].response, replies[0].tokens_out) == ("length", "", 0)
    assert replies[1].tokens_out


def test_without_max_tokens_the_context_is_the_limit(tmp_path: Path, fluent: Trained) -> None:
    short = Trained(tmp_path, fluent.conversations).run(steps=1, max_length=128)
    replies = answers(load_student(short.untrained), asked(fluent, 8), Sampling(temperature=0.0))
    assert any(reply.finish == "length" for reply in replies)
    for reply in replies:
        assert (reply.tokens_in or 0) + (reply.tokens_out or 0) <= 128
        assert reply.finish == "stop" or (reply.tokens_in or 0) + (reply.tokens_out or 0) == 128


def test_asking_nothing_answers_nothing(student: LocalStudent) -> None:
    assert answers(student, [], GREEDY) == []


def test_threads_are_given_back(student: LocalStudent, fluent: Trained) -> None:
    import torch

    before = torch.get_num_threads()
    replies = student.generate(asked(fluent, 4), GREEDY, seed=1, batch_size=2)
    next(replies)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_broken_checkpoint_is_an_input_error(tmp_path: Path, fluent: Trained, file: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(fluent.checkpoint, broken)
    (broken / file).write_bytes(b"\0not this")
    with pytest.raises(InputError) as caught:
        load_student(broken)
    assert caught.value.place == str(broken)
    assert caught.value.hint


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_a_checkpoint_without_a_file_is_an_input_error(tmp_path: Path, fluent: Trained, file: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(fluent.checkpoint, broken)
    (broken / file).unlink()
    with pytest.raises(InputError) as caught:
        load_student(broken)
    assert caught.value.place == str(broken)


def test_missing_weights_are_not_made_up(tmp_path: Path, fluent: Trained) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(fluent.checkpoint, broken)
    weights: dict[str, Any] = load_file(broken / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"model\.norm\.weight"):
        load_student(broken)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, fluent: Trained) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(fluent.checkpoint, folder)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    config = (folder / "config.json").read_text()
    config = config.replace('"model_type": "llama"', '"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}')
    (folder / "config.json").write_text(config)
    with pytest.raises(InputError):
        load_student(folder)
    assert not (tmp_path / "ran").exists()


def test_no_such_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a checkpoint"):
        load_student(tmp_path / "nothing")


def test_a_message_of_every_role_can_be_asked(student: LocalStudent) -> None:
    talk = (Message("system", "Compute"), Message("user", "1"), Message("assistant", "2"), Message("user", "3"))
    (reply,) = answers(student, [talk], GREEDY)
    assert reply.tokens_in == 4 * len(["<|turn|>", "role", "\n", "content", "<|end|>"]) + 3
