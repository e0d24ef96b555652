"""The teacher `vllm`, against a fake of vLLM that is strict about how it is called. The real engine was not run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasonry.errors import PartError, TeacherError
from reasonry.ledger import Ledger
from reasonry.registry import find, inputs_of
from reasonry.teachers.asking.ask import Answered, Unanswered, ask_all
from reasonry.teachers.vllm import VllmOptions, VllmTeacher, need_vllm, vllm
from reasonry.testing import check_teacher
from reasonry.types import Message, Request, Sampling
from tests.teachers.fakes import request_of, requests_of

FAKE = Path(__file__).parent / "fake_vllm"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    """The fake module, in vLLM's place."""
    for name in ("VLLM_LOGGING_STREAM", "VLLM_NO_USAGE_STATS"):
        monkeypatch.setenv(name, "")  # so that what is set below is taken back
        monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(str(FAKE))
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    yield importlib.import_module("vllm")
    sys.modules.pop("vllm", None)


def options(**changes: Any) -> VllmOptions:
    return VllmOptions.model_validate({"teacher": "vllm", "model": "Org/Model", "seed": 7, **changes})


def answers(
    tmp_path: Path, requests: Sequence[Request], *, name: str = "ledger", **changes: Any
) -> list[Answered | Unanswered]:
    with Ledger(tmp_path / f"{name}.sqlite") as ledger:
        return list(ask_all(vllm(options(**changes)), requests, ledger, concurrency=64))


def answered(outcomes: Sequence[Answered | Unanswered]) -> list[Answered]:
    kept = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
    assert len(kept) == len(outcomes)
    return kept


def with_sampling(request: Request, **changes: Any) -> Request:
    return replace(request, sampling=replace(request.sampling, **changes))


def test_it_keeps_the_contract_of_teachers(engine: Any) -> None:
    check_teacher(find("teacher", "vllm"), options(), request_of("What is 1 + 1?"), repeats=True)


def test_requests_are_one_call_and_answers_come_to_who_asked(engine: Any, tmp_path: Path) -> None:
    outcomes = answered(answers(tmp_path, requests_of(40)))
    assert [len(call.messages) for call in engine.started[-1].calls] == [40]
    for number, outcome in enumerate(outcomes):
        assert outcome.reply.response.startswith(f"the answer to {number} is ")


def test_reasoning_finish_and_counts_are_the_engines(engine: Any, tmp_path: Path) -> None:
    (outcome,) = answered(answers(tmp_path, [request_of("question 5")]))
    reply = outcome.reply
    assert reply.reasoning.startswith("about ")
    assert reply.response.startswith("the answer to 5 is ")
    assert (reply.finish, reply.tokens_in, reply.tokens_out, reply.model) == ("stop", 2, 10, "Org/Model")


def test_an_answer_that_is_cut_finishes_by_length(engine: Any, tmp_path: Path) -> None:
    (outcome,) = answered(answers(tmp_path, [request_of("question 5", max_tokens=2)]))
    reply = outcome.reply
    assert (reply.finish, reply.reasoning, reply.response, reply.tokens_out) == ("length", "about", "", 2)


def test_thoughts_that_the_template_opened_are_reasoning_even_when_cut(engine: Any, tmp_path: Path) -> None:
    engine.prompt_end = "<think>"
    requests = [request_of("question 5", max_tokens=3), request_of("question 6")]
    cut, whole = (outcome.reply for outcome in answered(answers(tmp_path, requests)))
    assert cut.reasoning.startswith("about 0.")
    assert cut.response == ""
    assert whole.reasoning.startswith("about 0.")
    assert whole.response.startswith("the answer to 6 is ")


def test_what_the_recipe_says_is_what_is_sampled_with(engine: Any, tmp_path: Path) -> None:
    request = with_sampling(request_of("question 1"), temperature=0.6, top_p=0.9, max_tokens=50)
    answers(tmp_path, [request])
    (params,) = engine.started[-1].calls[0].params
    assert (params.temperature, params.top_p, params.max_tokens) == (0.6, 0.9, 50)


def test_what_the_recipe_leaves_open_is_the_models_own(engine: Any, tmp_path: Path) -> None:
    engine.usual = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
    answers(tmp_path, [request_of("question 1")])
    (params,) = engine.started[-1].calls[0].params
    assert (params.temperature, params.top_p, params.top_k, params.repetition_penalty) == (0.7, 0.8, 20, 1.05)
    assert params.max_tokens is None  # not vLLM's default of 16


def test_a_seed_comes_from_the_request_and_not_from_its_place(engine: Any, tmp_path: Path) -> None:
    requests = [with_sampling(request_of(f"question {i // 2}"), index=i % 2) for i in range(12)]
    forward = [outcome.reply for outcome in answered(answers(tmp_path, requests, name="a"))]
    backward = [outcome.reply for outcome in answered(answers(tmp_path, requests[::-1], name="b", batch_size=5))]
    assert forward == backward[::-1]
    assert len({reply.response for reply in forward}) == 12
    other = [outcome.reply for outcome in answered(answers(tmp_path, requests, name="c", seed=8))]
    assert all(one != two for one, two in zip(forward, other, strict=True))


def test_a_continuation_goes_on_from_the_text(engine: Any, tmp_path: Path) -> None:
    fresh = request_of("question 3")
    begun = replace(fresh, messages=(*fresh.messages, Message("assistant", "<think>\nabout this and")))
    outcomes = answered(answers(tmp_path, [fresh, begun, request_of("question 4")]))
    assert [len(call.messages) for call in engine.started[-1].calls] == [2, 1]
    assert outcomes[0].reply.response.startswith("the answer to 3")
    assert outcomes[1].reply.reasoning.strip() == "more"
    assert outcomes[1].reply.response.startswith("so it is ")
    assert outcomes[2].reply.response.startswith("the answer to 4")


def test_a_prompt_that_is_too_long_harms_no_other(engine: Any, tmp_path: Path) -> None:
    requests = [request_of("long " * 300), *requests_of(9)]
    outcomes = answers(tmp_path, requests)
    assert isinstance(outcomes[0], Unanswered)
    assert "longer than the maximum model length" in str(outcomes[0].error)
    assert not outcomes[0].error.retryable
    answered(outcomes[1:])


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_an_answer_that_the_engine_gave_up_is_asked_again(engine: Any, tmp_path: Path, reason: str) -> None:
    engine.finish_reason = reason
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        (outcome,) = ask_all(vllm(options()), [request_of("q")], ledger, attempts=2)
    assert isinstance(outcome, Unanswered)
    assert outcome.error.retryable
    assert len(engine.started[-1].calls) == 2


def test_a_dead_engine_ends_the_run(engine: Any, tmp_path: Path) -> None:
    class EngineDeadError(Exception):
        pass

    engine.call_error = EngineDeadError("EngineCore encountered an issue.")
    with pytest.raises(TeacherError, match="engine died") as caught:
        answers(tmp_path, requests_of(20))
    assert caught.value.fatal
    assert "run again" in (caught.value.hint or "")
    assert len(engine.started[-1].calls) == 1


def test_what_is_in_the_ledger_is_not_computed_again(engine: Any, tmp_path: Path) -> None:
    first = answered(answers(tmp_path, requests_of(5)))
    again = answered(answers(tmp_path, requests_of(5)))
    assert engine.started[-1].calls == []
    assert [outcome.reply for outcome in first] == [outcome.reply for outcome in again]
    assert all(outcome.from_ledger for outcome in again)


def test_the_engine_is_started_as_the_recipe_says(engine: Any, tmp_path: Path) -> None:
    answers(
        tmp_path,
        requests_of(1),
        revision="abc",
        dtype="bfloat16",
        max_model_len=64,
        tensor_parallel_size=2,
        gpu_memory_utilization=0.8,
        engine={"quantization": "awq"},
        template={"enable_thinking": False},
    )
    assert engine.started[-1].model == "Org/Model"
    assert engine.started[-1].arguments == {
        "dtype": "bfloat16",
        "quantization": "awq",
        "revision": "abc",
        "max_model_len": 64,
        "tensor_parallel_size": 2,
        "gpu_memory_utilization": 0.8,
        "enforce_eager": False,
    }
    assert engine.started[-1].calls[0].more == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("said", "what", "hint"),
    [
        ("Failed to infer device type, please set VLLM_LOGGING_LEVEL=DEBUG", "no GPU", "student"),
        ("CUDA out of memory. Tried to allocate 20 GiB", "does not fit", "max_model_len"),
        ("Engine core initialization failed. See root cause above.", "does not fit", "log above"),
        ("Repository Not Found for url", "cannot start", "log above"),
    ],
)
def test_an_engine_that_does_not_start_says_what_to_do(
    engine: Any, tmp_path: Path, said: str, what: str, hint: str
) -> None:
    engine.start_error = RuntimeError(said)
    with pytest.raises(TeacherError, match=what) as caught:
        answers(tmp_path, requests_of(2))
    assert said in caught.value.message
    assert hint in (caught.value.hint or "")


def test_an_unknown_argument_of_the_engine_is_told(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="quantisation"):
        answers(tmp_path, requests_of(1), engine={"quantisation": "awq"})


def test_without_vllm_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setattr("reasonry.teachers.vllm.find_spec", lambda name: None)
    with pytest.raises(PartError) as caught:
        answers(tmp_path, requests_of(1))
    assert caught.value.hint == "pip install 'reasonry[vllm]'"
    with pytest.raises(PartError):
        need_vllm()


def test_its_own_log_goes_to_stderr_and_no_usage_is_sent(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VLLM_LOGGING_STREAM", "ext://sys.stdout")
    answers(tmp_path, requests_of(1))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "the engine starts" in shown.err
    assert engine.environment["VLLM_LOGGING_STREAM"] == "ext://sys.stdout"  # what the user has set stands
    assert engine.environment["VLLM_NO_USAGE_STATS"] == "1"


def key_of(**changes: Any) -> str:
    teacher = VllmTeacher(options(**changes))
    return request_of("q").key(teacher.model, teacher.served_by)


def test_what_changes_the_answers_changes_the_key() -> None:
    changed: list[dict[str, Any]] = [
        {"model": "Org/Other"},
        {"revision": "abc"},
        {"seed": 8},
        {"dtype": "float16"},
        {"max_model_len": 10},
        {"engine": {"quantization": "awq"}},
        {"template": {"enable_thinking": False}},
    ]
    keys = {key_of(), *(key_of(**change) for change in changed)}
    assert len(keys) == 1 + len(changed)


def test_what_only_changes_how_fast_it_is_does_not_change_the_key() -> None:
    for change in ({"tensor_parallel_size": 4}, {"gpu_memory_utilization": 0.5}, {"batch_size": 9}):
        assert key_of(**change) == key_of()
        assert options(**change).key_content() == options().key_content()


def test_a_folder_is_known_by_its_content(engine: Any, tmp_path: Path) -> None:
    keys: list[str] = []
    for name, weights in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(weights)
        given = options(model=str(tmp_path / name))
        (found,) = inputs_of(find("teacher", "vllm"), given)
        assert found.name == name
        keys.append(key_of(model=str(tmp_path / name)))
    assert keys[0] == keys[1] != keys[2]
    (outcome,) = answered(answers(tmp_path, requests_of(1), model=str(tmp_path / "a")))
    assert outcome.reply.model.startswith("vllm/")
    assert engine.started[-1].model == str(tmp_path / "a")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "./nothing"}, "no such folder"),
        ({"model": ""}, "no such folder"),
        ({"model": str(FAKE)}, "no checkpoint"),
        ({"engine": {"dtype": "auto"}}, "an option of its own"),
        ({"engine": {"trust_remote_code": True}}, "runs code that nobody has read"),
        ({"engine": {"x": float("inf")}}, "not JSON"),
        ({"batch_size": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        options(**given)


def test_it_is_not_asked_before_it_is_open() -> None:
    import asyncio

    with pytest.raises(TeacherError, match="not open"):
        asyncio.run(VllmTeacher(options())(Request((Message("user", "q"),), Sampling(), request_of("q").question)))
