"""Is this entry what it says it is? For entries from strangers, and from disks that may have changed them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from reasonry.types import Message, Question, Reply, Request, Sampling

__all__ = ["problem_of", "reply_problem", "text_problem"]

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_NO_QUESTION = Question("", None, "")  # no part of a key
_MOST_TOKENS = 1 << 53


def text_problem(key: str, request: str, reply: str | None, model: str, served_by: str) -> str | None:
    """Why an entry of the ledger cannot be used; None where it can."""
    try:
        asked, told = json.loads(request), json.loads(reply or "")
    except (ValueError, RecursionError) as exc:
        return f"its request or reply is not JSON: {str(exc)[:80]}"
    return problem_of(key, asked, told, model, served_by)


def problem_of(key: str, request: Any, reply: Any, model: str, served_by: str) -> str | None:
    """Why an answer cannot be used; None where it can.

    The key must be the digest of what was asked, or an answer could be planted under another question's key.
    """
    if (problem := reply_problem(reply)) is not None:
        return problem
    try:
        _request_model().model_validate(request)
    except ValidationError as exc:
        return _first(exc)
    if request["model"] != model:
        return "the request names another model than the entry"
    if _key_of(request, model, served_by) != key:
        return "the key is not the digest of this request"
    return None


def reply_problem(reply: Any) -> str | None:
    """Why a reply is none; None where it is one."""
    try:
        _model(Reply).model_validate(reply)
    except ValidationError as exc:
        return _first(exc)
    counts = (reply.get("tokens_in"), reply.get("tokens_out"))
    if any(count is not None and not 0 <= count < _MOST_TOKENS for count in counts):
        return "a count of tokens that cannot be"
    return None


def _key_of(request: Mapping[str, Any], model: str, served_by: str) -> str:
    messages = tuple(Message(**turn) for turn in request["messages"])
    return Request(messages, Sampling(**request["sampling"]), _NO_QUESTION).key(model, served_by)


@cache
def _request_model() -> type[BaseModel]:
    """The shape that `request_text` of the teachers gives a request."""
    shape: dict[str, Any] = {
        "model": (str, ...),
        "messages": (list[_model(Message)], ...),  # type: ignore[misc] - a class made at run time
        "sampling": (_model(Sampling), ...),
    }
    return create_model("Request", __config__=_STRICT, **shape)


@cache
def _model(noun: type[Any]) -> type[BaseModel]:
    """A strict model with the fields of a dataclass, so that the two cannot drift apart."""
    hints = get_type_hints(noun)
    shape: dict[str, Any] = {f.name: (hints[f.name], ... if f.default is MISSING else f.default) for f in fields(noun)}
    return create_model(noun.__name__, __config__=_STRICT, **shape)


def _first(exc: ValidationError) -> str:
    error = exc.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step)[:40] for step in error["loc"])
    return f"{exc.title}{'.' if place else ''}{place}: {error['msg'][:1].lower()}{error['msg'][1:]}"[:200]
