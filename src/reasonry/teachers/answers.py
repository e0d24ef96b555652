"""What an OpenAI-compatible endpoint sends back, read into a Reply or a TeacherError.

Read leniently where endpoints differ (`reasoning_content` or `reasoning`, content in parts, missing usage), and
strictly where a lenient reading would count our failure as the model's: no choices, or an empty text from a model
that stopped by itself, is an error to be tried again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from reasonry.errors import TeacherError
from reasonry.teachers.reasoning import finish_of, split_reasoning
from reasonry.types import Finish, Reply

__all__ = ["MAX_BODY_BYTES", "read_answer", "refusal", "retry_after_s"]

MAX_BODY_BYTES = 64_000_000
_SHOWN = 200
_STARRED = re.compile(r"[\w-]{0,100}\*{3,}[\w-]{0,100}")
_MOST_TOKENS = 1 << 53
_MAY_PASS = frozenset({408, 409, 425, 429})
_FATAL_HINTS = {
    401: "the endpoint refuses the key: check {variable}",
    402: "the account has no credit left",
    403: "the key may not do this: check {variable}, and what its account may use",
    404: "the endpoint knows no such model or address: check model and base_url",
}


def read_answer(raw: bytes, model: str) -> Reply:
    """The reply in a chat completion's body. `model` stands in where the endpoint names none."""
    body = _object(raw)
    choice = _first_choice(body)
    message = _mapping(choice.get("message"))
    finish = finish_of(choice.get("finish_reason"))
    if finish == "error":
        raise _unusable("the endpoint ended the answer with an error")
    usage = _mapping(body.get("usage"))
    named = body.get("model")
    reasoning, response, finish = _texts(message, finish)
    return Reply(
        response=response,
        reasoning=reasoning,
        finish=finish,
        model=named if isinstance(named, str) and named else model,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
    )


def _texts(message: Mapping[str, Any], finish: Finish) -> tuple[str, str, Finish]:
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    response = _text(message.get("content"))
    if refused := _text(message.get("refusal")):
        return reasoning, response or refused, "refusal"
    if not reasoning:
        parts = split_reasoning(response, finish)
        reasoning, response = parts.reasoning, parts.response
    if finish == "stop" and not response.strip():
        raise _unusable("an empty answer")
    return reasoning, response, finish


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise _unusable(f"not JSON: {_beginning(raw.decode('utf-8', 'replace'))}") from exc
    if not isinstance(body, dict):
        raise _unusable("not a JSON object")
    return cast("dict[str, Any]", body)


def _first_choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        # Some routers report their failures with status 200.
        problem = f": {_beginning(json.dumps(body['error']))}" if body.get("error") else ""
        raise _unusable(f"an answer without choices{problem}")
    return _mapping(cast("list[Any]", choices)[0])


def refusal(status: int, body: bytes, retry_after: str | None, key_variable: str) -> TeacherError:
    """The error that a status other than 200 means, with at most 200 characters of the body.

    `key_variable` is the environment variable that a hint about the key names.
    """
    is_quota = status == 429 and b"insufficient_quota" in body
    hint = _FATAL_HINTS.get(402 if is_quota else status)
    if 300 <= status < 400:
        hint = "redirects are not followed, so that the key stays where it belongs: put the final address in base_url"
    shown = _beginning(body.decode("utf-8", "replace"))
    return TeacherError(
        f"HTTP {status}: {shown}" if shown else f"HTTP {status}",
        hint=hint and hint.format(variable=key_variable),
        retryable=not is_quota and (status in _MAY_PASS or status >= 500),
        fatal=hint is not None,
        retry_after_s=retry_after_s(retry_after),
        http_status=status,
    )


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number or an HTTP date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return math.nan
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - datetime.now(UTC)).total_seconds()


def _unusable(what: str) -> TeacherError:
    return TeacherError(what, retryable=True, http_status=200)


def _beginning(text: str) -> str:
    """What is shown of a body, on one line. Keys quoted with stars in the middle are left out."""
    one_line = " ".join(text[: 10 * _SHOWN].split())
    return _STARRED.sub("[key]", one_line)[:_SHOWN]


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Text, or the text parts of a list of parts."""
    if isinstance(value, list):
        parts = (_mapping(part) for part in cast("list[Any]", value))
        return "".join(_text(part.get("text")) for part in parts if part.get("type") == "text")
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS:
        return value
    return None
