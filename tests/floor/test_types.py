"""The nouns: ids by content, and a status that is never taken for a bool."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from reasonry import types
from reasonry.identity import digest
from reasonry.types import Question, Request, Sampling, Status, Trace, conversation, whole_text


def test_a_status_has_no_truth_value() -> None:
    for status in Status:
        with pytest.raises(TypeError, match="no truth value"):
            bool(status)


def test_only_what_speaks_of_the_model_has_a_score() -> None:
    assert {status.value: status.score for status in Status} == {
        "correct": 1.0,
        "incorrect": 0.0,
        "unparsed": 0.0,
        "timeout": 0.0,
        "error": None,
        "skipped": None,
    }


def test_every_noun_is_frozen_and_slotted() -> None:
    nouns: list[Any] = [n for n in vars(types).values() if dataclasses.is_dataclass(n)]
    assert len(nouns) > 10
    for noun in nouns:
        assert noun.__dataclass_params__.frozen, noun
        assert "__slots__" in vars(noun), noun


def test_a_question_is_identified_by_what_is_asked_and_not_by_where_it_stood() -> None:
    first = Question("2+2?", "4", "math", domain="a", source="x", meta={"origin": {"row": 1}})
    same = Question("2+2?", "4", "math", domain="b", source="y", meta={"origin": {"row": 9}})
    assert first.id == same.id
    for other in (
        Question("2+3?", "4", "math"),
        Question("2+2?", "5", "math"),
        Question("2+2?", None, "math"),
        Question("2+2?", "4", "exact"),
        Question("2+2?", "4", "math", {"unit": "m"}),
    ):
        assert other.id != first.id


def test_a_questions_id_is_what_it_always_was_and_survives_copies() -> None:
    question = Question("2+2?", "4", "math", {"unit": "m"})
    content = digest("question", "2+2?", "4", "math", {"unit": "m"})
    copies = [pickle.loads(pickle.dumps(question)), copy.copy(question), copy.deepcopy(question)]
    copies += [dataclasses.replace(question), Question("2+2?", "4", "math", {"unit": "m"})]
    assert {one.id for one in (question, *copies)} == {f"q-{content}"}
    assert all(one == question and repr(one) == repr(question) for one in copies)
    assert dataclasses.asdict(question)["id"] == question.id
    with pytest.raises(AttributeError, match="prmpt"):
        getattr(question, "prmpt")  # noqa: B009 - a type checker refuses the plain form


def test_a_trace_is_identified_by_what_was_written_and_not_by_its_price() -> None:
    trace = Trace("q-1", 0, "think", "4", "teacher", cost_usd=1.0, tokens_out=3)
    assert trace.id == dataclasses.replace(trace, cost_usd=None, tokens_out=9).id
    assert trace.id != dataclasses.replace(trace, reasoning="other").id
    assert trace.id != dataclasses.replace(trace, index=1).id


def test_the_request_key_holds_everything_that_decides_the_answer() -> None:
    question = Question("2+2?", "4", "math")
    request = Request(conversation("2+2?"), Sampling(0.5, 0.9, 100, 0), question)
    key = request.key("model", "endpoint")
    different = [
        request.key("other", "endpoint"),
        request.key("model", "elsewhere"),
        dataclasses.replace(request, messages=conversation("2+2?", "be brief")).key("model", "endpoint"),
        *(
            dataclasses.replace(request, sampling=sampling).key("model", "endpoint")
            for sampling in (
                Sampling(0.6, 0.9, 100, 0),
                Sampling(0.5, None, 100, 0),
                Sampling(0.5, 0.9, 101, 0),
                Sampling(0.5, 0.9, 100, 1),
            )
        ),
    ]
    assert len({key, *different}) == 1 + len(different)


def test_cut_off_reasoning_is_never_closed() -> None:
    assert whole_text("a", "b") == "<think>\na\n</think>\n\nb"
    assert whole_text("", "b") == "b"
    assert "</think>" not in whole_text("a", "", "length")
