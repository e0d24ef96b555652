"""The untrusted side of a call: runs the program, then does what it is asked, one frame at a time.

It knows no expected value and takes no part in the verdict. What it sends are claims about its own return values;
whether they are right is decided in another process. So it does not matter that the program could forge these frames.

Requests: `{"do": "get" | "call" | "attribute" | "iterate" | "next" | "length" | "item", ...}`.
Replies: `{"value": ..., "changed": ..., "nodes": ...}`, `{"missing": name}` or `{"raised": name, "text": ...}`.
"""

from __future__ import annotations

import builtins
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, NoReturn

from reasonry.sandbox.inside.frames import Channel
from reasonry.sandbox.inside.program import load_code, new_module, report
from reasonry.sandbox.inside.values import NotAValue, decode, dumps, encode, loads

__all__ = ["answer_one_call", "serve_calls"]

MODULE = "solution"
SOLUTION_CLASS = "Solution"
MAX_TEXT = 500  # characters of an exception's text
# What LeetCode's own environment has imported before the program begins.
PRELUDE = """
from typing import *
from collections import *
from functools import *
from itertools import *
from math import *
from heapq import *
from bisect import *
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
import bisect, collections, functools, heapq, itertools, math, operator, random, re, string, sys
"""
_exit: Callable[[int], NoReturn] = os._exit


def answer_one_call(source: int, cache: int, request: int, result: int) -> NoReturn:
    """Run the program, make the one call that file `request` asks for, and write its reply into file `result`."""
    asked = loads(os.pread(request, os.fstat(request).st_size, 0))
    os.close(request)
    candidate = _Candidate(_run(load_code(source, cache)), None)
    _write_all(result, candidate.reply(asked))
    _leave()


def serve_calls(source: int, cache: int, socket: int) -> NoReturn:
    """Run the program and answer requests until the other side has no more."""
    code = load_code(source, cache)
    channel = Channel(socket)
    try:
        candidate = _Candidate(_run(code), channel)
    except BaseException as thrown:  # noqa: BLE001 - it could not even be loaded; whoever asks sees the end
        report(thrown)
        _leave(1)
    while (frame := channel.receive()) is not None:
        channel.send(candidate.reply(loads(frame)))
    _leave()


def _run(code: CodeType) -> dict[str, Any]:
    module = new_module(MODULE)
    if SOLUTION_CLASS in code.co_names:
        exec(PRELUDE, module.__dict__)
    exec(code, module.__dict__)
    return module.__dict__


def _leave(status: int = 0) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # noqa: BLE001 - what it printed is no part of a call
            pass
    _exit(status)


def _write_all(descriptor: int, data: bytes) -> None:
    place = 0
    while place < len(data):
        place += os.pwrite(descriptor, data[place:], place)


class _Candidate:
    """The names of the program, and the objects that cannot cross and are spoken of by number."""

    def __init__(self, names: dict[str, Any], channel: Channel | None) -> None:
        self._names = names
        self._channel = channel
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._nodes: dict[int, Any] = {}  # objects of the other side's classes, by their number there
        self._node_numbers: dict[int, int] = {}

    def reply(self, asked: dict[str, Any]) -> bytes:
        try:
            return dumps(self._do(asked))
        except NotAValue as exc:
            return dumps({"raised": "TypeError", "text": str(exc)[:MAX_TEXT]})
        except BaseException as thrown:  # noqa: BLE001 - also SystemExit: it must not end the other side
            report(thrown)
            return dumps({"raised": _builtin_name(thrown), "text": _text_of(thrown)})

    def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        task = asked["do"]
        if task == "get":
            found = self._find(asked["name"])
            return {"missing": asked["name"]} if found is _MISSING else {"value": self._encode(found)}
        target = self._target(asked)
        if target is _MISSING:
            return {"missing": asked["name"]}
        if task == "call":
            return self._call(target, asked)
        return {"value": self._encode(_TASKS[task](target, decode(asked.get("key"), self._decoded)))}

    def _call(self, target: Any, asked: dict[str, Any]) -> dict[str, Any]:
        """Arguments are copies: what the call changed in them is told, so that the caller's can be changed too."""
        self._take_nodes(asked.get("nodes", []))
        arguments, named = decode(asked["args"], self._decoded), decode(asked["kwargs"], self._decoded)
        reply: dict[str, Any] = {"value": self._encode(target(*arguments, **named))}
        if self._channel is not None:
            reply["changed"] = self._changed(asked, arguments, named)
            reply["nodes"] = self._changed_nodes(asked.get("nodes", []))
        return reply

    def _changed(self, asked: dict[str, Any], arguments: list[Any], named: dict[str, Any]) -> list[Any]:
        """`[place, value]` of each argument that is no longer what was given; a place is an index or a name."""
        given = [*enumerate(asked["args"]), *((key, value) for key, value in asked["kwargs"]["v"])]
        now = [self._encode(value) for value in (*arguments, *named.values())]
        return [[place, after] for (place, before), after in zip(given, now, strict=True) if after != before]

    def _take_nodes(self, nodes: list[Any]) -> None:
        """Objects of the other side's, made of the program's class of that name, or of one that only holds them."""
        for number, name, _ in nodes:
            if number not in self._nodes:
                kind = self._names.get(name)
                node = object.__new__(kind if inspect.isclass(kind) else type(str(name), (), {}))
                self._nodes[number] = node
                self._node_numbers[id(node)] = number
        for number, _, attributes in nodes:
            for name, value in attributes:
                object.__setattr__(self._nodes[number], name, decode(value, self._decoded))

    def _changed_nodes(self, nodes: list[Any]) -> list[Any]:
        changed: list[Any] = []
        for number, _, attributes in nodes:
            now = [[name, self._encode(value)] for name, value in vars(self._nodes[number]).items()]
            if now != attributes:
                changed.append([number, now])
        return changed

    def _target(self, asked: dict[str, Any]) -> Any:
        return self._objects[asked["on"]] if "on" in asked else self._find(asked["name"])

    def _find(self, name: str) -> Any:
        """A global name, a dotted name, or a method of `Solution`, of which one is made."""
        first, *rest = name.split(".")
        names = self._names
        if first in names:
            found = names[first]
        elif SOLUTION_CLASS in names and hasattr(names[SOLUTION_CLASS], first):
            found = getattr(names[SOLUTION_CLASS](), first)
        else:
            return _MISSING
        for part in rest:
            owner = found() if inspect.isclass(found) else found
            found = getattr(owner, part, _MISSING)
        return found

    def _encode(self, value: Any) -> Any:
        return encode(value, self._reach)

    def _reach(self, value: Any) -> Any:
        if self._channel is None:
            raise NotAValue(f"returned a {type(value).__name__}, which is no plain value")
        if id(value) in self._node_numbers:
            return {"t": "node", "v": self._node_numbers[id(value)]}
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return {"t": "object", "v": [number, type(value).__name__]}

    def _decoded(self, kind: str, content: Any) -> Any:
        if kind == "object":
            return self._objects[content]
        if kind == "node":
            return self._nodes[content]
        if kind == "callback":
            return self._callback(content)
        raise NotAValue(f"a frame with an unknown type {kind!r}")

    def _callback(self, number: int) -> Callable[..., Any]:
        """A function of the other side's, such as a key to sort by. While it runs it may ask in turn."""
        channel = self._channel
        assert channel is not None

        def call_back(*arguments: Any) -> Any:
            channel.send(dumps({"callback": number, "args": [self._encode(value) for value in arguments]}))
            while (frame := channel.receive()) is not None:
                answer = loads(frame)
                if "do" in answer:
                    channel.send(self.reply(answer))
                    continue
                self._take_nodes(answer.get("nodes", []))
                if "raised" in answer:
                    raise getattr(builtins, answer["raised"])(answer["text"])
                return decode(answer["value"], self._decoded)
            return _exit(1)

        return call_back


_MISSING = object()


def _item(target: Any, key: Any) -> Any:
    return target[key]


def _next(target: Iterator[Any], _: Any) -> Any:
    return next(target)


_TASKS: dict[str, Callable[[Any, Any], Any]] = {
    "attribute": getattr,
    "iterate": lambda target, _: iter(target),
    "next": _next,
    "length": lambda target, _: len(target),
    "item": _item,
}


def _builtin_name(thrown: BaseException) -> str:
    """The nearest built-in class of an exception: the other side knows no others."""
    for kind in type(thrown).__mro__:
        if getattr(builtins, kind.__name__, None) is kind:
            return kind.__name__
    return "BaseException"


def _text_of(thrown: BaseException) -> str:
    try:
        return "".join([str(thrown)])[:MAX_TEXT].encode("utf-8", "replace").decode()
    except BaseException:  # noqa: BLE001 - an exception that cannot even say what it is
        return ""
