"""Providers as data: the file, the options that name one, and the table in the documentation."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasonry.env import VARIABLES
from reasonry.errors import TeacherError, UsageError
from reasonry.registry import find
from reasonry.sections import PriceOptions
from reasonry.teachers.http.addresses import address_of
from reasonry.teachers.http.providers import OTHER, Provider, provider_at, provider_named, provider_names
from reasonry.teachers.openai import Connection, HttpEndpoint, OpenAIOptions, openai
from reasonry.types import Message, Question, Request, Sampling
from tests.teachers.fakes import request_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "teachers.md"
PAID_FOR = [name for name in provider_names() if "127.0.0.1" not in (provider_named(name).base_url or "")]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for name in PAID_FOR:
        monkeypatch.setenv(provider_named(name).key_variable, f"key-of-{name}")


def options(**given: Any) -> OpenAIOptions:
    return OpenAIOptions.model_validate({"teacher": "openai", "model": "m", **given})


def endpoint(name: str, **changed: Any) -> HttpEndpoint:
    provider = provider_named(name)
    given: dict[str, Any] = {"model": "m", "identity": "m", "served_by": name, "provider": provider, **changed}
    return HttpEndpoint(Connection(address_of(provider.base_url or ""), **given))


def going_on(begun: str) -> Request:
    messages = (Message("system", "Be brief."), Message("user", "2 + 2?"), Message("assistant", begun))
    return Request(messages, Sampling(max_tokens=100), Question("2 + 2?", "4", "exact"))


@pytest.mark.parametrize("name", provider_names())
def test_a_provider_has_an_address_a_key_in_our_table_and_sources(name: str) -> None:
    provider = provider_named(name)
    secrets = {variable.name for variable in VARIABLES if variable.secret}
    address = address_of(provider.base_url or "")
    assert address.is_loopback or address.name.startswith("https://")
    assert provider.key_variable in secrets
    assert provider.sources
    assert all(source.startswith("https://") for source in provider.sources)


@pytest.mark.parametrize("name", provider_names())
def test_a_listed_price_has_its_day_and_its_page(name: str) -> None:
    for price in provider_named(name).prices.values():
        assert 0 < price.input_per_million < price.output_per_million
        assert date(2025, 1, 1) <= price.as_of <= datetime.now(UTC).date()
        assert price.source.startswith("https://")


@pytest.mark.parametrize("name", provider_names())
def test_the_documentation_shows_what_the_file_says(name: str) -> None:
    assert row_of(provider_named(name)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_documentation_shows_every_listed_price() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in provider_names():
        for model, price in provider_named(name).prices.items():
            figures = f"{price.input_per_million:g} | {price.output_per_million:g}"
            assert f"| {name} | `{model}` | {figures} | {price.as_of} |" in text


def row_of(provider: Provider) -> str:
    reasoning = ", ".join(f"`{field}`" for field in provider.reasoning) or "parts of the content"
    cells = [
        f"`{provider.name}`",
        f"`{provider.base_url}`",
        f"`{provider.key_variable}`",
        reasoning,
        f"`{provider.seed}`" if provider.seed else "not sent",
        f"`{provider.continues}`" if provider.continues else "no",
        "yes" if provider.batches else "no",
    ]
    return "| " + " | ".join(cells) + " |"


def test_an_unknown_provider_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match=r"unknown provider 'deepseak': did you mean 'deepseek'"):
        options(provider="deepseak")
    with pytest.raises(UsageError) as caught:
        provider_named("no one at all")
    assert "openrouter" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.deepseek.com/v1", "deepseek"),
        ("https://API.DeepSeek.com", "deepseek"),
        ("https://api.openai.com/v1", "openai"),
        ("https://api.deepseek.com.example.org/v1", "other"),
        ("https://example.org/api.deepseek.com", "other"),
        ("http://127.0.0.1:8000/v1", "other"),
    ],
)
def test_a_provider_is_known_by_its_own_host_alone(base_url: str, name: str) -> None:
    assert provider_at(base_url).name == name


def test_a_named_provider_brings_its_address_and_key() -> None:
    teacher = openai(options(provider="deepseek"))
    assert teacher.served_by == "https://api.deepseek.com"
    (only,) = teacher.endpoints
    assert only.headers["Authorization"] == "Bearer key-of-deepseek"
    assert only.url("/chat/completions") == "https://api.deepseek.com/chat/completions"


def test_a_key_goes_to_another_provider_only_where_the_recipe_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY")
    with pytest.raises(UsageError, match="DEEPSEEK_API_KEY is not set"):
        openai(options(provider="deepseek"))
    given = openai(options(provider="deepseek", api_key_env="GROQ_API_KEY"))
    assert given.endpoints[0].headers["Authorization"] == "Bearer key-of-groq"


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    teacher = openai(options(provider="vllm"))
    assert teacher.served_by == "http://127.0.0.1:8000/v1"
    assert "Authorization" not in teacher.endpoints[0].headers


# Prices


def test_a_listed_price_is_the_tariff_and_its_figures_are_in_the_key() -> None:
    listed = options(provider="openai", model="gpt-4o-mini", price="listed")
    figures = {"input_per_million": 0.15, "output_per_million": 0.6}
    assert listed.tariff == PriceOptions(**figures)
    assert listed.key_content()["price"] == figures
    assert listed.key_content() == options(provider="openai", model="gpt-4o-mini", price=figures).key_content()
    assert json.loads(json.dumps(listed.content()))["price"] == figures


def test_a_model_whose_price_is_not_listed_is_an_error_that_lists_those_that_are() -> None:
    with pytest.raises(ValidationError, match=r"no price is listed for 'm' of openai.*gpt-4o-mini"):
        options(provider="openai", price="listed")
    with pytest.raises(ValidationError, match="listed: none"):
        options(base_url="http://127.0.0.1:1/v1", price="listed")


def test_without_a_price_there_is_no_tariff() -> None:
    assert options(provider="deepseek").tariff is None
    assert options(provider="deepseek").key_content()["price"] is None


# Several endpoints

TWO = [
    {"base_url": "http://127.0.0.1:8001/v1", "weight": 2.0, "limits": {"requests_per_minute": 60}},
    {"base_url": "http://127.0.0.1:8002/v1"},
]


def test_several_endpoints_of_one_model_share_one_name() -> None:
    teacher = openai(options(endpoints=TWO, served_by="mine", limits={"tokens_per_minute": 1000}))
    assert (teacher.model, teacher.served_by) == ("m", "mine")
    assert [e.name for e in teacher.endpoints] == ["http://127.0.0.1:8001/v1", "http://127.0.0.1:8002/v1"]
    assert [e.weight for e in teacher.endpoints] == [2.0, 1.0]
    assert [e.limits.requests_per_minute for e in teacher.endpoints] == [60, None]
    assert [e.limits.tokens_per_minute for e in teacher.endpoints] == [None, 1000]


def test_the_key_does_not_depend_on_which_endpoint_answers() -> None:
    one, other = options(endpoints=TWO, served_by="mine"), options(endpoints=TWO[:1], served_by="mine")
    assert one.key_content() == other.key_content()
    request = request_of("Hi")
    assert len({request.key(t.model, t.served_by) for t in map(openai, (one, other))}) == 1


def test_several_endpoints_need_a_name_and_one_does_not() -> None:
    with pytest.raises(ValidationError, match="several endpoints need served_by"):
        options(endpoints=TWO)
    assert openai(options(endpoints=TWO[:1])).served_by == "http://127.0.0.1:8001/v1"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"endpoints": TWO, "base_url": "http://127.0.0.1/v1", "served_by": "x"}, "give one of them"),
        ({"endpoints": []}, "endpoints"),
        ({"endpoints": [{"base_url": "nowhere"}]}, "base_url"),
        ({"endpoints": [{"base_url": "https://h/v1?key=1"}]}, "query"),
        ({"endpoints": [{"base_url": "https://h/v1", "weight": 0}]}, "weight"),
        ({"limits": {"requests_per_minute": 0}}, "requests_per_minute"),
    ],
)
def test_endpoints_that_cannot_be_are_refused(given: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        options(**given)


def test_each_endpoint_has_its_own_key() -> None:
    given = [{**TWO[0], "api_key_env": "GROQ_API_KEY"}, {**TWO[1], "api_key_env": "MISTRAL_API_KEY"}]
    teacher = openai(options(endpoints=given, served_by="mine"))
    assert [e.headers["Authorization"] for e in teacher.endpoints] == ["Bearer key-of-groq", "Bearer key-of-mistral"]


# The body, by provider


@pytest.mark.parametrize("name", provider_names())
def test_a_body_says_what_was_chosen_in_the_providers_words(name: str) -> None:
    provider = provider_named(name)
    question = Question("Hi", None, "exact")
    body = endpoint(name).body(Request((Message("user", "Hi"),), Sampling(0.6, 0.95, 100, 3), question))
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert (body["temperature"], body["top_p"], body[provider.max_tokens]) == (0.6, 0.95, 100)
    assert {"seed", "random_seed"} & body.keys() == ({provider.seed} if provider.seed else set())
    assert "stream" not in body


@pytest.mark.parametrize("name", [name for name in provider_names() if provider_named(name).continues])
def test_a_cut_answer_goes_on_in_the_providers_own_way(name: str) -> None:
    body = endpoint(name).body(going_on("The sum is"))
    last, way = body["messages"][-1], provider_named(name).continues
    assert (last["role"], last["content"]) == ("assistant", "The sum is")
    assert last.get("prefix", False) == (way == "prefix")
    flags = {"continue_final_message": True, "add_generation_prompt": False}
    assert {flag: body[flag] for flag in flags if flag in body} == (flags if way == "continue_final_message" else {})


def test_a_prefix_has_the_thinking_in_a_field_of_its_own() -> None:
    body = endpoint("deepseek").body(going_on("<think>\n2 and 2\n</think>\n\nThe sum"))
    expected = {"role": "assistant", "content": "The sum", "prefix": True, "reasoning_content": "2 and 2"}
    assert body["messages"][-1] == expected


@pytest.mark.parametrize("name", ["deepseek", "anthropic"])
def test_thinking_that_was_cut_cannot_go_on_everywhere_and_that_is_said(name: str) -> None:
    with pytest.raises(TeacherError, match="cannot go on") as caught:
        endpoint(name).body(going_on("<think>\n2 and"))
    assert not caught.value.retryable


def test_whoever_cannot_continue_is_found_out_before_money_is_spent() -> None:
    with pytest.raises(ValidationError, match="nobody knows how 'other' goes on"):
        options(base_url="https://h/v1", continuations=1)
    with pytest.raises(TeacherError, match="nobody knows how openai goes on"):
        endpoint("openai").body(going_on("The sum"))
    assert options(provider="vllm", continuations=2).continuations == 2
    assert OTHER.continues is None


@pytest.mark.parametrize(
    ("begun", "content", "finish", "reasoning", "response"),
    [
        ("The sum is", " 4", "stop", "", " 4"),
        ("The sum is", "", "stop", "", ""),
        ("<think>\n2 and", " 2</think>\n\n4", "stop", " 2", "4"),
        ("<think>\n2 and", " 2 are", "length", " 2 are", ""),
        ("<think>\na\n</think>\n\nThe", " sum</think>", "stop", "", " sum</think>"),
    ],
)
def test_a_continuation_holds_only_what_is_new(
    begun: str, content: str, finish: str, reasoning: str, response: str
) -> None:
    body = {"choices": [{"message": {"content": content}, "finish_reason": finish}]}
    reply = endpoint("vllm").read(json.dumps(body).encode(), going_on(begun))
    assert (reply.reasoning, reply.response) == (reasoning, response)


def test_a_continuation_goes_to_the_providers_other_address() -> None:
    own = endpoint("deepseek")
    mirror = HttpEndpoint(
        Connection(address_of("https://mirror/v1"), "m", "m", "x", provider=provider_named("deepseek"))
    )
    assert own.continuing_at == "https://api.deepseek.com/beta/chat/completions"
    assert mirror.continuing_at == "https://mirror/v1/chat/completions"


def test_both_teachers_are_parts_with_the_same_options_in_a_recipe() -> None:
    shared = set(OpenAIOptions.model_fields)
    for name in ("openai", "anthropic"):
        made = find("teacher", name)
        assert made.options is not None
        assert set(made.options.model_fields) == shared


def test_every_recipe_of_the_documentation_is_one() -> None:
    snippets = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(snippets) >= 6
    for snippet in snippets:
        table = tomllib.loads(snippet)["distil"]
        model = find("teacher", table["teacher"]).options
        assert model is not None
        model.model_validate(table)
