"""The teacher `student`: a checkpoint that answers through the ledger, in whatever batches requests come."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from pydantic import ValidationError

from reasonry.console import Console
from reasonry.errors import InputError, TeacherError, UsageError
from reasonry.ledger import Ledger
from reasonry.recipe import load_recipe
from reasonry.registry import find, inputs_of
from reasonry.run import run
from reasonry.teachers.asking.ask import Answered, Unanswered, ask_all
from reasonry.teachers.local import checkpoint
from reasonry.teachers.local.checkpoint import LocalStudent, checkpoint_digest, load_student
from reasonry.teachers.student import StudentOptions, StudentTeacher, student
from reasonry.testing import check_teacher
from reasonry.types import Message, Question, Request, Sampling, whole_text
from tests.trainers.examples import Trained


@pytest.fixture(scope="module")
def fluent(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained for long enough to close its thoughts and end its turns."""
    return Trained(tmp_path_factory.mktemp("fluent")).run(steps=150, learning_rate=1e-2)


def options(folder: Path, **changes: Any) -> StudentOptions:
    given = {"teacher": "student", "path": str(folder), "seed": 7, "temperature": 1.0, **changes}
    return StudentOptions.model_validate(given)


def request_of(messages: Sequence[Message], **sampling: Any) -> Request:
    given: dict[str, Any] = {"temperature": 1.0, "max_tokens": 24, **sampling}
    chosen = Sampling(**given)
    return Request(tuple(messages), chosen, Question(messages[0].content, None, "exact"))


def requests_of(trained: Trained, count: int, **sampling: Any) -> list[Request]:
    """Two samples of each of `count` questions."""
    asked = [messages[:1] for messages in trained.conversations[:count]]
    return [request_of(messages, index=index, **sampling) for messages in asked for index in (0, 1)]


def answers(
    tmp_path: Path, made: StudentOptions, requests: Sequence[Request], *, name: str = "ledger"
) -> list[Answered | Unanswered]:
    with Ledger(tmp_path / f"{name}.sqlite") as ledger:
        return list(ask_all(student(made), requests, ledger, concurrency=made.most_in_flight))


def texts(outcomes: Sequence[Answered | Unanswered]) -> list[str]:
    replies = [outcome.reply for outcome in outcomes if isinstance(outcome, Answered)]
    assert len(replies) == len(outcomes)
    return [whole_text(reply.reasoning, reply.response, reply.finish) for reply in replies]


def test_it_keeps_the_contract_of_teachers(fluent: Trained) -> None:
    (request, *_) = requests_of(fluent, 1)
    check_teacher(find("teacher", "student"), options(fluent.checkpoint), request, repeats=True)


def test_neither_batch_nor_order_changes_an_answer(fluent: Trained, tmp_path: Path) -> None:
    requests = requests_of(fluent, 10)
    many = texts(answers(tmp_path, options(fluent.checkpoint, batch_size=16), requests, name="a"))
    alone = texts(answers(tmp_path, options(fluent.checkpoint, batch_size=1), requests, name="b"))
    backward = texts(answers(tmp_path, options(fluent.checkpoint, batch_size=3), requests[::-1], name="c"))
    slow = texts(answers(tmp_path, options(fluent.checkpoint, concurrency=2), requests, name="d"))
    assert many == alone == backward[::-1] == slow
    assert len(set(many)) > 10
    assert texts(answers(tmp_path, options(fluent.checkpoint, seed=8), requests, name="e")) != many


def test_each_request_has_a_sampling_of_its_own(fluent: Trained, tmp_path: Path) -> None:
    (messages, *_) = [talk[:1] for talk in fluent.conversations]
    asked = [
        request_of(messages, temperature=0.0, max_tokens=30),
        request_of(messages, temperature=1.0, max_tokens=5, index=1),
        request_of(messages, temperature=1.0, top_p=1e-9, max_tokens=30, index=2),
        request_of(messages, temperature=2.0, max_tokens=30, index=3),
    ]
    outcomes = answers(tmp_path, options(fluent.checkpoint), asked)
    greedy, short, narrow, hot = texts(outcomes)
    assert greedy == narrow != hot
    assert [outcome.reply.tokens_out for outcome in outcomes if isinstance(outcome, Answered)][1] == 5
    assert len(short) < len(greedy)


def test_an_answer_is_what_the_student_says_when_it_is_evaluated(fluent: Trained, tmp_path: Path) -> None:
    """Greedy, so that nothing is drawn: the teacher and the evaluation load the same model in the same way."""
    requests = requests_of(fluent, 4, temperature=0.0, max_tokens=40)[::2]
    outcomes = answers(tmp_path, options(fluent.checkpoint), requests)
    evaluated = load_student(fluent.checkpoint).generate(
        [request.messages for request in requests], requests[0].sampling, seed=0, batch_size=4
    )
    for outcome, reply in zip(outcomes, evaluated, strict=True):
        assert isinstance(outcome, Answered)
        assert replace(outcome.reply, model="") == replace(reply, model="")


def test_a_continuation_goes_on_where_the_answer_was_cut(fluent: Trained, tmp_path: Path) -> None:
    """Greedy: begun and continued are, to the letter, what one answer is. (Cut where tokens end, between two lines.)"""
    made, requests = options(fluent.checkpoint), requests_of(fluent, 8, temperature=0.0, max_tokens=64)[::2]
    whole = texts(answers(tmp_path, made, requests, name="a"))
    steps = [text.split("\n")[1] for text in whole]
    begun = [
        replace(request, messages=(*request.messages, Message("assistant", f"<think>\n{step}")))
        for request, step in zip(requests, steps, strict=True)
    ]
    same = 0
    for text, step, outcome in zip(whole, steps, answers(tmp_path, made, begun, name="b"), strict=True):
        assert isinstance(outcome, Answered)
        if "</think>" in text:  # where it closes its thoughts
            continued = whole_text(step + outcome.reply.reasoning, outcome.reply.response)
            assert continued[: len(text)] == text  # one that never ends is cut later where it was continued
            same += 1
    assert same >= 5


def test_a_prompt_that_fills_the_context_is_refused_and_harms_no_other(fluent: Trained, tmp_path: Path) -> None:
    requests = [request_of([Message("user", "1" * 600)]), *requests_of(fluent, 2)]
    first, *others = answers(tmp_path, options(fluent.checkpoint), requests)
    assert isinstance(first, Unanswered)
    assert "fill the model's context" in str(first.error)
    assert not first.error.retryable
    texts(others)


def test_a_request_that_the_template_refuses_harms_no_other(fluent: Trained, tmp_path: Path) -> None:
    broken = tmp_path / "strict"
    shutil.copytree(fluent.checkpoint, broken)
    template = broken / "chat_template.jinja"
    rule = "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('no system prompt') }}{%- endif -%}"
    template.write_text(rule + template.read_text())
    refused = request_of([Message("system", "be brief"), Message("user", "Compute 1 + 1.")])
    requests = [*requests_of(fluent, 2), refused, *requests_of(fluent, 4)[4:]]
    outcomes = answers(tmp_path, options(broken), requests)
    assert isinstance(outcomes[4], Unanswered)
    assert "no system prompt" in str(outcomes[4].error)
    texts([*outcomes[:4], *outcomes[5:]])


def test_leaving_ends_a_batch_within_a_token(fluent: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, (request, *_) = student(options(fluent.checkpoint)), requests_of(fluent, 1, max_tokens=480)
    monkeypatch.setattr(LocalStudent, "_ends", lambda _: set[int]())  # it never ends its turn
    tokens, running, append = list[int](), threading.Event(), getattr(checkpoint, "_append")  # noqa: B009

    def counted(*given: Any) -> None:
        append(*given)
        tokens.append(1)
        running.set()

    monkeypatch.setattr(checkpoint, "_append", counted)

    async def ask() -> None:
        async with teacher as opened:
            asked = asyncio.create_task(opened(request))
            await asyncio.to_thread(running.wait, 30)
            asked.cancel()
        assert asked.cancelled()

    asyncio.run(ask())
    assert 1 <= len(tokens) < 400


def test_a_copy_is_the_same_teacher_and_another_training_is_not(fluent: Trained, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(fluent.checkpoint, copy)
    (copy / "training.json").unlink()
    (copy / "README.md").write_text("a card")
    names = {(teacher.model, teacher.served_by) for teacher in map(_teacher, (fluent.checkpoint, copy))}
    assert len(names) == 1
    (served_by,) = {served_by for _, served_by in names}
    assert served_by == f"student/{checkpoint_digest(copy)[:12]}"
    assert _teacher(fluent.untrained).served_by != served_by
    assert _teacher(fluent.checkpoint, seed=8).model != _teacher(fluent.checkpoint).model


def _teacher(folder: Path, **changes: Any) -> StudentTeacher:
    return student(options(folder, **changes))


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
def test_every_file_that_decides_the_answers_is_in_the_key(fluent: Trained, tmp_path: Path, file: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(fluent.checkpoint, copy)
    before = inputs_of(find("teacher", "student"), options(copy))
    with (copy / file).open("ab") as changed:
        changed.write(b" ")
    assert inputs_of(find("teacher", "student"), options(copy)) != before


def test_what_only_changes_how_fast_it_is_does_not_change_the_key(fluent: Trained) -> None:
    plain = options(fluent.checkpoint)
    for change in ({"batch_size": 5}, {"device": "cpu"}, {"concurrency": 3}):
        assert options(fluent.checkpoint, **change).key_content() == plain.key_content()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"samples": 4, "temperature": None}, "several samples need a temperature"),
        ({"max_samples": 4, "temperature": 0.0}, "several samples need a temperature"),
        ({"device": "tpu"}, "device"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_options_that_cannot_be_are_refused(fluent: Trained, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        options(fluent.checkpoint, **given)


def test_a_folder_that_is_no_checkpoint_is_refused_with_the_recipes_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no checkpoint"):
        options(tmp_path)


def test_a_checkpoint_that_cannot_be_loaded_is_an_input_error(fluent: Trained, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(fluent.checkpoint, broken)
    (broken / "model.safetensors").write_bytes(b"\0not this")
    with pytest.raises(InputError):
        answers(tmp_path, options(broken), requests_of(fluent, 1))


def test_without_a_gpu_asking_for_one_is_an_error(fluent: Trained, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UsageError, match="no CUDA device"):
        answers(tmp_path, options(fluent.checkpoint, device="cuda"), requests_of(fluent, 1))


def test_it_is_not_asked_before_it_is_open(fluent: Trained) -> None:
    with pytest.raises(TeacherError, match="not open"):
        asyncio.run(student(options(fluent.checkpoint))(requests_of(fluent, 1)[0]))


RECIPE = """\
name = "from-a-student"
seed = 3

[[questions]]
source = "procedural"
family = "chain_signed"
steps = 2
digits = 1
count = 12
verifier = "steps"

[distil]
teacher = "student"
path = "checkpoint"
samples = 2
temperature = [0.3, 1.0]
max_tokens = 48

[select]
keep = "all"
"""


def test_a_student_distils_and_nothing_is_generated_twice(
    fluent: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next turn of the wheel: a student of one run is the teacher of the next, through one ledger."""
    shutil.copytree(fluent.checkpoint, tmp_path / "checkpoint")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    recipe, ledger = load_recipe(tmp_path / "recipe.toml"), tmp_path / "ledger.sqlite"
    generated: list[int] = []
    written = LocalStudent.replies

    def counted(self: LocalStudent, asked: Sequence[Any], **more: Any) -> Any:
        generated.append(len(asked))
        return written(self, asked, **more)

    monkeypatch.setattr(LocalStudent, "replies", counted)
    quiet = Console(quiet=True)
    first = run(recipe, tmp_path / "one", console=quiet, workers=1, ledger=ledger)
    assert sum(generated) == 24
    generated.clear()
    again = run(recipe, tmp_path / "two", console=quiet, workers=1, ledger=ledger)
    assert generated == []
    assert again.digest == first.digest
    distilled = next(stage for stage in first.stages if stage.stage == "distil")
    assert distilled.rows_out == 24
