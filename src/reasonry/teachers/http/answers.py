"""What an OpenAI-compatible endpoint sends back, read into a Reply or a TeacherError.

Read leniently where endpoints differ (where the reasoning is, content in parts, missing usage), and strictly where a
lenient reading would count our failure as the model's: no choices, or an empty text from a model that stopped by
itself, is an error to be tried again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from reasonry.errors import TeacherError
from reasonry.teachers.http.headers import retry_after_in
from reasonry.teachers.reasoning import Parts, finish_of, split_continued, split_reasoning
from reasonry.types import Finish, JsonMap, Reply

__all__ = [
    "MAX_BODY_BYTES",
    "Reading",
    "counted",
    "mapping",
    "object_in",
    "problem_in",
    "read_answer",
    "refusal",
    "unusable",
]

MAX_BODY_BYTES = 64_000_000
_SHOWN = 200
_STARRED = re.compile(r"[\w-]{0,100}\*{3,}[\w-]{0,100}")
_MOST_TOKENS = 1 << 53
_MAY_PASS = frozenset({408, 409, 425, 429})
_SPENT = (b"insufficient_quota", b"credit balance is too low")
_FLAGGED = (b"flagged", b"moderation")  # this prompt is refused, and no other
_FATAL_HINTS = {
    401: "the endpoint refuses the key: check {variable}",
    402: "the account has no credit left",
    403: "the key may not do this: check {variable}, and what its account may use",
    404: "the endpoint knows no such model or address: check model and base_url",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How an answer is read. `model` stands in where the endpoint names none.

    `reasoning` names the fields that may hold the reasoning; `begun` is the text that the answer goes on from, for an
    answer that continues one.
    """

    model: str
    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning")
    begun: str | None = None


def read_answer(body: JsonMap, reading: Reading) -> Reply:
    """The reply in a chat completion's body."""
    choice = _first_choice(body)
    message = mapping(choice.get("message"))
    finish = finish_of(choice.get("finish_reason"))
    if finish == "error":
        raise problem_in(choice) or problem_in(body) or unusable("the endpoint ended the answer with an error")
    usage = mapping(body.get("usage"))
    named = body.get("model")
    parts, finish = _texts(message, finish, reading)
    return Reply(
        response=parts.response,
        reasoning=parts.reasoning,
        finish=finish,
        model=named if isinstance(named, str) and named else reading.model,
        tokens_in=counted(usage.get("prompt_tokens")),
        tokens_out=counted(usage.get("completion_tokens")),
    )


def _texts(message: JsonMap, finish: Finish, reading: Reading) -> tuple[Parts, Finish]:
    content = message.get("content")
    reasoning = next((text for name in reading.reasoning if (text := _text(message.get(name)))), "")
    reasoning = reasoning or _text(content, "thinking")
    response = _text(content)
    if refused := _text(message.get("refusal")):
        return Parts(reasoning, response or refused), "refusal"
    if reasoning:
        parts = Parts(reasoning, response)
    elif reading.begun is not None:
        parts = split_continued(response, reading.begun)
    else:
        parts = split_reasoning(response, finish)
    if finish == "stop" and not parts.response.strip() and reading.begun is None:
        raise unusable("an empty answer")
    return parts, finish


def object_in(raw: bytes | str) -> JsonMap:
    """The JSON object that a body is. Raises a TeacherError for anything else."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        text = raw if isinstance(raw, str) else raw[: 40 * _SHOWN].decode("utf-8", "replace")
        raise unusable(f"not JSON: {_beginning(text)}") from exc
    if not isinstance(body, dict):
        raise unusable("not a JSON object")
    return cast("dict[str, Any]", body)


def _first_choice(body: JsonMap) -> JsonMap:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise problem_in(body) or unusable("an answer without choices")
    return mapping(cast("list[Any]", choices)[0])


def problem_in(body: JsonMap) -> TeacherError | None:
    """The error that a body reports though its status was 200, as routers and streams do; None where it has none.

    Only a code that says the request itself is wrong makes another try pointless.
    """
    problem = body.get("error")
    if not problem:
        return None
    code = mapping(problem).get("code")
    text = f"an error in the answer: {_beginning(json.dumps(problem))}"
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600:
        return TeacherError(text, retryable=_may_pass(code), http_status=code)
    return unusable(text)


def refusal(status: int, body: bytes, headers: Mapping[str, str], key_variable: str) -> TeacherError:
    """The error that a status other than 200 means, with at most 200 characters of the body.

    `key_variable` is the environment variable that a hint about the key names.
    """
    is_spent = status in (400, 429) and any(mark in body for mark in _SPENT)
    is_flagged = status == 403 and any(mark in body for mark in _FLAGGED)
    hint = None if is_flagged else _FATAL_HINTS.get(402 if is_spent else status)
    if 300 <= status < 400:
        hint = "redirects are not followed, so that the key stays where it belongs: put the final address in base_url"
    shown = _beginning(body.decode("utf-8", "replace"))
    return TeacherError(
        f"HTTP {status}: {shown}" if shown else f"HTTP {status}",
        hint=hint and hint.format(variable=key_variable),
        retryable=not is_spent and _may_pass(status),
        fatal=hint is not None,
        retry_after_s=retry_after_in(headers),
        http_status=status,
    )


def _may_pass(status: int) -> bool:
    """Whether another try may find another answer. Every 5xx may, Cloudflare's and Anthropic's own (529) included."""
    return status in _MAY_PASS or status >= 500


def unusable(what: str) -> TeacherError:
    """An answer that came, and cannot be used."""
    return TeacherError(what, retryable=True, http_status=200)


def _beginning(text: str) -> str:
    """What is shown of a body, on one line. Keys quoted with stars in the middle are left out."""
    one_line = " ".join(text[: 10 * _SHOWN].split())
    return _STARRED.sub("[key]", one_line)[:_SHOWN]


def mapping(value: object) -> JsonMap:
    """A JSON object, or an empty one in the place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object, kind: str = "text") -> str:
    """Text, or the parts of one kind in a list of parts. A part's own text may be such a list again."""
    if isinstance(value, list):
        parts = (mapping(part) for part in cast("list[Any]", value))
        return "".join(_text(part.get(kind)) for part in parts if part.get("type") == kind)
    return value if isinstance(value, str) and kind == "text" else ""


def counted(value: object) -> int | None:
    """A count of tokens; None for what is no count."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS:
        return value
    return None
