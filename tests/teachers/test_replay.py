"""Recordings: found again, counted, and set aside where they cannot be used."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pydantic import ValidationError

from reasonry.errors import InputError, TeacherError
from reasonry.ledger import Ledger
from reasonry.registry import find
from reasonry.teachers.asking.ask import Answered, ask_all
from reasonry.teachers.replay import ReplayOptions, ReplayTeacher, replay
from reasonry.types import Question, Reply, Request, Sampling, conversation
from tests.teachers.fakes import FakeTeacher, request_of, requests_of


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def options(*paths: Path, **given: Any) -> ReplayOptions:
    texts = [str(path) for path in paths]
    path = texts if len(texts) > 1 else texts[0]
    return ReplayOptions.model_validate({"teacher": "replay", "path": path, **given})


def opened(*paths: Path, **given: Any) -> ReplayTeacher:
    """A teacher that has read its recordings."""
    teacher = replay(options(*paths, **given))
    assert teacher.recorded(Question("asked by nobody", None, "exact")) == 0
    return teacher


def told(teacher: ReplayTeacher, request: Request) -> Reply:
    async def ask() -> Reply:
        async with teacher:
            return await teacher(request)

    return asyncio.run(ask())


def test_samples_come_in_recorded_order(tmp_path: Path) -> None:
    rows = [{"question": q, "response": r} for q, r in [("a", "1"), ("b", "2"), ("a", "3")]]
    teacher = opened(written(tmp_path / "r.jsonl", *rows))
    assert [told(teacher, request_of("a", i)).response for i in range(2)] == ["1", "3"]
    assert [teacher.recorded(Question(p, None, "exact")) for p in ("a", "b", "c")] == [2, 1, 0]


def test_several_files_are_one_recording(tmp_path: Path) -> None:
    first = written(tmp_path / "1.jsonl", {"question": "a", "response": "1"})
    second = written(tmp_path / "2.jsonl", {"question": "a", "response": "2"})
    assert told(opened(first, second), request_of("a", 1)).response == "2"


def test_white_space_decides_only_where_no_prompt_is_the_same(tmp_path: Path) -> None:
    path = written(
        tmp_path / "r.jsonl", {"question": "a  b", "response": "two"}, {"question": "a b", "response": "one"}
    )
    teacher = opened(path)
    assert told(teacher, request_of("a b")).response == "one"
    assert told(teacher, request_of("a  b")).response == "two"
    assert told(teacher, request_of("a\n b ")).response == "two"
    assert [teacher.recorded(Question(p, None, "exact")) for p in ("a b", " a b")] == [1, 2]


def test_a_question_without_a_recording_is_not_answered_and_not_tried_again(tmp_path: Path) -> None:
    teacher = opened(written(tmp_path / "r.jsonl", {"question": "a", "response": "1"}))
    with pytest.raises(TeacherError, match="no recorded response") as caught:
        told(teacher, request_of("a", 1))
    assert (caught.value.retryable, caught.value.fatal) == (False, False)


def test_every_column_has_a_name_of_its_own(tmp_path: Path) -> None:
    row = {
        "q": {"text": "a"},
        "r": "1",
        "thought": "one",
        "by": "gpt",
        "why": "length",
        "usage": {"in": 5, "out": "6"},
    }
    columns = {
        "prompt": "q.text",
        "response": "r",
        "reasoning": "thought",
        "model": "by",
        "finish": "why",
        "tokens_in": "usage.in",
        "tokens_out": "usage.out",
    }
    teacher = opened(written(tmp_path / "r.jsonl", row), fields=columns)
    assert told(teacher, request_of("a")) == Reply("1", "one", "length", "gpt", 5, 6)


def test_a_think_block_is_split_off_a_recorded_response(tmp_path: Path) -> None:
    teacher = opened(written(tmp_path / "r.jsonl", {"question": "a", "response": "<think>so</think>1"}))
    reply = told(teacher, request_of("a"))
    assert (reply.reasoning, reply.response, reply.model) == ("so", "1", "replay")


def test_an_empty_response_was_recorded_and_is_replayed(tmp_path: Path) -> None:
    teacher = opened(written(tmp_path / "r.jsonl", {"question": "a", "response": ""}))
    assert told(teacher, request_of("a")).response == ""


def test_rows_that_cannot_be_used_are_set_aside_with_place_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    lines = [
        '{"question": "a", "response": "1"}',
        '{"question": "a"}',
        '{"response": "1"}',
        '{"question": "a", "response": 5}',
        '{"question": "a", "response": "\\ud800"}',
        "not json",
        '{"question": "b", "response": "2"}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    teacher = opened(path)
    assert [drop.row_id for drop in teacher.set_aside] == [f"r.jsonl:{row}" for row in (2, 3, 4, 5, 6)]
    assert {(drop.stage, drop.rule) for drop in teacher.set_aside} == {("distil", "recorded_row_unusable")}
    assert [drop.reason for drop in teacher.set_aside][:3] == [
        "'response' is missing",
        "'question' is missing",
        "'response' is a int, not text",
    ]
    assert all(drop.content for drop in teacher.set_aside)
    assert told(teacher, request_of("b")).response == "2"


def test_recordings_that_no_question_claims_are_counted(tmp_path: Path) -> None:
    rows = [{"question": q, "response": "1"} for q in ("a", "a", "b", "c")]
    teacher = opened(written(tmp_path / "r.jsonl", *rows))
    assert teacher.unmatched([Question(p, None, "exact") for p in ("a", "c", "z")]) == 1
    assert teacher.unmatched([Question(p, None, "exact") for p in ("a", " a", "a ")]) == 2


def test_one_model_of_several_can_be_chosen(tmp_path: Path) -> None:
    rows = [{"question": "a", "response": by, "by": by} for by in ("x", "y")]
    path = written(tmp_path / "r.jsonl", *rows)
    teacher = opened(path, fields={"model": "by"}, model="y")
    assert teacher.recorded(Question("a", None, "exact")) == 1
    assert told(teacher, request_of("a")).response == "y"


def test_a_packed_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.zst"
    path.write_bytes(zstandard.compress(b'{"question": "a", "response": "1"}\n'))
    assert told(opened(path), request_of("a")).response == "1"


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.zst"
    path.write_bytes(zstandard.compress(b'{"question": "a", "response": "1"}\n' * 1000)[:-5])
    with pytest.raises(InputError):
        opened(path)


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no such file"):
        options(tmp_path / "r.jsonl")


def filled(path: Path, teacher: FakeTeacher, requests: list[Request]) -> Path:
    with Ledger(path) as ledger:
        assert all(isinstance(outcome, Answered) for outcome in ask_all(teacher, requests, ledger))
    return path


def test_a_ledger_is_replayed_whoever_answered(tmp_path: Path) -> None:
    requests = [request_of("a", 0, max_tokens=9), request_of("a", 1, max_tokens=9), request_of("b", max_tokens=9)]
    path = filled(tmp_path / "ledger.sqlite", FakeTeacher(), requests)
    teacher = opened(path, max_tokens=9)
    assert [told(teacher, request).response for request in requests] == ["answer to a", "answer to a", "answer to b"]
    assert [teacher.recorded(Question(p, None, "exact")) for p in ("a", "b", "c")] == [2, 1, 0]
    assert told(teacher, requests[0]).model == "fake"


def test_a_ledger_answers_only_what_was_asked_of_it(tmp_path: Path) -> None:
    teacher = opened(filled(tmp_path / "ledger.sqlite", FakeTeacher(), [request_of("a", max_tokens=9)]))
    question = Question("a", None, "exact")
    for messages, sampling in [
        (conversation("a"), Sampling()),
        (conversation("a"), Sampling(max_tokens=9, index=1)),
        (conversation("a", "Be brief."), Sampling(max_tokens=9)),
    ]:
        with pytest.raises(TeacherError, match="no recorded response"):
            told(teacher, Request(messages, sampling, question))


def test_the_prompt_s_template_is_part_of_what_a_ledger_was_asked(tmp_path: Path) -> None:
    request = Request(conversation("Q: a", "Be brief."), Sampling(), Question("a", None, "exact"))
    path = filled(tmp_path / "ledger.sqlite", FakeTeacher(), [request])
    assert opened(path, prompt="Q: {prompt}", system="Be brief.").recorded(request.question) == 1
    assert opened(path).recorded(request.question) == 0


def test_a_ledger_s_digest_is_that_of_its_answers(tmp_path: Path) -> None:
    requests = requests_of(5)
    inputs = find("teacher", "replay").inputs
    assert inputs is not None
    one = options(filled(tmp_path / "1.sqlite", FakeTeacher(), requests))
    other = options(filled(tmp_path / "2.sqlite", FakeTeacher(), requests[::-1]))
    more = options(filled(tmp_path / "3.sqlite", FakeTeacher(), requests_of(6)))
    digests = [inputs(given)[0].digest for given in (one, other, more)]
    assert digests[0] == digests[1] != digests[2]


def test_a_file_s_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    inputs = find("teacher", "replay").inputs
    assert inputs is not None
    path = written(tmp_path / "r.jsonl", {"question": "a", "response": "1"})
    (before,) = inputs(options(path))
    written(path, {"question": "a", "response": "2"})
    (after,) = inputs(options(path))
    assert before.name == after.name == "r.jsonl"
    assert before.digest != after.digest


def test_a_database_that_is_no_ledger_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a)")
    connection.close()
    with pytest.raises(InputError, match="ledger"):
        opened(path)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("reply", '{"response":5,"reasoning":"","finish":"stop","model":"m"}'),
        ("reply", '{"response":"a","reasoning":"","finish":"stop","model":"m","tokens_in":1e400,"tokens_out":-4}'),
        ("reply", "[" * 5_000 + "]" * 5_000),
        ("request", "[" * 5_000 + "]" * 5_000),
        ("request", '{"messages":[],"sampling":{"temperature":1' + "0" * 400 + ',"index":0}}'),
    ],
)
def test_a_strangers_ledger_that_holds_no_replies_is_an_input_error(tmp_path: Path, column: str, text: str) -> None:
    path = filled(tmp_path / "ledger.sqlite", FakeTeacher(), requests_of(1))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"update attempts set {column} = ?, checksum = null", [text])
    with pytest.raises(InputError, match="holds no request and reply"):
        opened(path)


def test_reading_a_ledger_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger.sqlite", FakeTeacher(), requests_of(5))
    before = path.read_bytes()
    opened(path)
    assert path.read_bytes() == before


def test_real_recordings_match_their_questions(shared_data: Path) -> None:
    path = shared_data / "recorded" / "gsm8k_openai_2021.jsonl.zst"
    if not path.exists():
        pytest.skip("the recording is not among the real data")
    teacher = opened(path, fields={"model": "model"})
    assert not teacher.set_aside
    prompt = "A robe takes 2 bolts of blue fiber and half that much white fiber.  How many bolts in total does it take?"
    assert teacher.recorded(Question(prompt, "3", "math")) >= 2
    assert told(teacher, request_of(prompt)).response.endswith("A: 3")
