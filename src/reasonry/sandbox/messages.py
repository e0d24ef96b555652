"""What is said to a box, and what its answers mean."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reasonry.sandbox.box import MemoryFile
from reasonry.sandbox.inside.values import NotAValue, decode, dumps, encode, loads
from reasonry.sandbox.languages import Language
from reasonry.sandbox.outcomes import Ended, Limits, Outcome

__all__ = ["Call", "as_compile_error", "ending_of", "fit_to", "message_of", "request_of", "with_value"]

_MAX_RESULT_BYTES = 4 << 20
_RUNTIME_MB = 512  # what node and java need beside the program's heap
_STACK_MB = 256
_SHOWN = 300
_BY_KERNEL = (signal.SIGXCPU, signal.SIGKILL)  # its own limit of processor time stands behind the box's


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments of one call, of plain types."""

    arguments: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=dict[str, Any])


def request_of(function: str, call: Call) -> bytes:
    asked = {"do": "call", "name": function, "args": [encode(value) for value in call.arguments]}
    return dumps(asked | {"kwargs": encode(dict(call.named))})


def message_of(kind: str, limits: Limits) -> dict[str, Any]:
    return {
        "kind": kind,
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_limit_s,
        "memory_mb": limits.memory_mb,
        "output_bytes": int(limits.output_mb * (1 << 20)),
        "threads": limits.threads,
        "stack_mb": limits.stack_mb,
        "opens_stdin": False,
        "clears_app": False,
    }


def fit_to(message: dict[str, Any], language: Language) -> None:
    """A compiled program recurses deeper. A runtime that reserves what it never uses is limited in what it writes."""
    message["environment"] = language.environment()
    if language.reserves_memory:
        message["reserves_memory"] = True
        message["memory_mb"] += _RUNTIME_MB
    else:  # a thread's stack is as large, so there must be room for several
        message["stack_mb"] = max(message["stack_mb"], min(_STACK_MB, message["memory_mb"] // 4))


def ending_of(ended: Mapping[str, Any], stdout: MemoryFile, limits: Limits, *, is_compiled: bool) -> Ended:
    if ended["limit"] is not None or (ended["signal"] in _BY_KERNEL and ended["cpu_s"] >= limits.cpu_s):
        return Ended.TIME_LIMIT
    if not is_compiled:
        return Ended.COMPILE_ERROR
    if stdout.size > int(limits.output_mb * (1 << 20)):
        return Ended.OUTPUT_LIMIT
    return Ended.OK if ended["status"] == 0 else Ended.RUNTIME_ERROR


def as_compile_error(told: Outcome) -> Outcome:
    """A compiler that did not succeed, whatever stopped it: the program is at fault, unless the machine starved it."""
    if told.is_starved:
        return replace(told, ended=Ended.FAILED, detail="the compiler was given no processor time")
    return replace(told, ended=Ended.COMPILE_ERROR, limit=None)


def with_value(outcome: Outcome, result: MemoryFile) -> Outcome:
    """The value that a call returned, or why there is none."""
    try:
        reply = loads(result.read(_MAX_RESULT_BYTES))
        if isinstance(reply, dict) and "value" in reply:
            return replace(outcome, value=decode(reply["value"]))
        detail = _said(reply)
    except NotAValue:
        detail = "the call ended without returning a value"
    return replace(outcome, ended=Ended.RUNTIME_ERROR, detail=detail)


def _said(reply: Any) -> str:
    if isinstance(reply, dict) and "missing" in reply:
        return f"the program defines no '{str(reply['missing'])[:_SHOWN]}'"
    if isinstance(reply, dict) and "raised" in reply:
        return f"{str(reply['raised'])[:_SHOWN]}: {str(reply.get('text', ''))[:_SHOWN]}"
    return "the call ended without returning a value"
