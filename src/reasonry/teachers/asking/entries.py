"""Requests and replies as the ledger keeps them: canonical JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields

from reasonry.errors import LedgerError
from reasonry.identity import canonical_json, digest
from reasonry.ledger import LedgerEntry
from reasonry.types import JsonMap, Message, Reply, Request, Sampling

__all__ = ["asked_digest", "asked_digest_of", "read_entry", "read_reply", "reply_text", "request_text", "storable"]


_REPLY = tuple(field.name for field in fields(Reply))


def request_text(request: Request, model: str) -> str:
    """What was asked, as JSON: model, messages, sampling. No header, so no key."""
    sampling = request.sampling  # written out: `asdict` copies deeply, which takes as long as all the rest
    named = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "index": sampling.index,
    }
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    return storable(canonical_json({"model": model, "messages": messages, "sampling": named}))


def reply_text(reply: Reply) -> str:
    """A reply as JSON."""
    return storable(canonical_json({name: getattr(reply, name) for name in _REPLY}))


def read_reply(text: str) -> Reply:
    """The reply that `reply_text` wrote. Raises ValueError, TypeError or KeyError for anything else."""
    return Reply(**json.loads(text))


def read_entry(entry: LedgerEntry) -> Reply:
    """The reply of an answered entry. Raises LedgerError for an entry that holds none."""
    try:
        return read_reply(entry.reply or "")
    except (ValueError, TypeError) as exc:
        hint = "the ledger was changed by something else; set it aside and start a new one"
        raise LedgerError(f"the entry {entry.key} holds no reply: {exc}", place="ledger", hint=hint) from exc


def asked_digest(messages: Sequence[Message], sampling: Sampling) -> str:
    """What was asked, whoever was asked: how a recording is found again."""
    turns = [[message.role, message.content] for message in messages]
    named = {"temperature": sampling.temperature, "top_p": sampling.top_p, "max_tokens": sampling.max_tokens}
    return digest("asked", turns, {name: _number(value) for name, value in named.items()}, sampling.index)


def asked_digest_of(request: JsonMap) -> str:
    """The digest of a request as the ledger keeps it. Raises KeyError or TypeError for anything else."""
    messages = [Message(message["role"], message["content"]) for message in request["messages"]]
    return asked_digest(messages, Sampling(**request["sampling"]))


def _number(value: float | None) -> float | None:
    """JSON and TOML may write 1.0 as 1; to an endpoint they are the same."""
    return None if value is None else float(value)


def storable(text: str) -> str:
    """Text that SQLite and Parquet can hold: a lone surrogate from broken JSON becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
