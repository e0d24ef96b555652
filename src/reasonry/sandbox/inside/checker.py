"""The trusted side of a harness: runs the checks, and knows the program only through proxies.

What the harness is given under the names that it uses: `names`. A call of a proxy goes to the other process as a frame
and comes back as a plain value. Comparing, hashing and truth never go there: a program that returns objects equal to
everything returns objects that are equal to nothing.

The harness has passed when this process ends with exit code 0. Nothing that comes back may end it so: SystemExit in the
program arrives as `CandidateFailed`, which `except Exception` does not catch.
"""

from __future__ import annotations

import builtins
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from reasonry.sandbox.inside.frames import Channel
from reasonry.sandbox.inside.names import MISSING, UnknownNames, provide_names
from reasonry.sandbox.inside.program import load_code, new_module, report, shut_down
from reasonry.sandbox.inside.values import NotAValue, decode, dumps, encode, loads

__all__ = ["CANNOT_JUDGE", "CandidateFailed", "run_harness"]

_ENDING = ("StopIteration", "StopAsyncIteration")
_OWN_MODULES = ("starter", "__main__")
CANNOT_JUDGE = 93  # the exit code that says so


class CandidateFailed(BaseException):
    """The program ended, or did what no answer may do. Not an Exception: no check may take it for an answer."""


class CannotHandOver(BaseException):
    """The harness calls the program with what cannot leave its process: a limit of ours, no answer of the program's."""


def run_harness(source: int, cache: int, starter: int, entry: str, socket: int) -> NoReturn:
    """Run the harness in file `source` against the program at the other end of `socket`."""
    code = load_code(source, cache)
    starter_text = os.pread(starter, os.fstat(starter).st_size, 0).decode("utf-8", "replace")
    os.close(starter)
    module = new_module("__main__")
    names = module.__dict__
    status = 0
    peer = _Peer(Channel(socket))
    try:
        provide_names(code, names, starter_text, entry, peer.get)
        exec(code, names)  # the harness is the dataset's, and is confined all the same
        if not peer.was_asked:
            raise CannotHandOver("nothing: it never asks the program")
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except (CannotHandOver, UnknownNames) as thrown:
        status = CANNOT_JUDGE
        report(thrown)
    except BaseException as thrown:  # noqa: BLE001
        is_its_own = isinstance(thrown, ImportError) and thrown is not peer.raised
        status = CANNOT_JUDGE if is_its_own else 1
        report(thrown)
    if peer.has_failed:
        status = 1  # whatever the harness made of it
    shut_down(module, status & 0xFF)


class _Peer:
    """The other process: asks it, and answers it when it calls back."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._remotes: dict[int, Remote] = {}
        self._callbacks: list[Callable[..., Any]] = []
        self._nodes: list[Any] = []  # objects of the harness's classes that the program has been shown
        self._node_numbers: dict[int, int] = {}
        self.was_asked = False
        self.has_failed = False
        self.raised: BaseException | None = None  # what the program raised last

    def get(self, name: str) -> Any:
        self.was_asked = True
        reply = self._ask({"do": "get", "name": name})
        return MISSING if "missing" in reply else self._decode(reply["value"])

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        told = self._told([list(arguments), named])
        reply = self._ask({"do": "call", "on": number, "args": told[0][0], "kwargs": told[0][1], "nodes": told[1]})
        try:
            for node, attributes in reply.get("nodes") or ():
                _set_attributes(self._nodes[node], {name: self._decode(value) for name, value in attributes})
            for place, now in reply.get("changed") or ():
                _change(named[place] if isinstance(place, str) else arguments[place], self._decode(now))
        except (TypeError, ValueError, LookupError, AttributeError):
            raise self._failure("the program answered with what is no answer") from None
        return self._decode(reply["value"])

    def ask(self, task: str, number: int, key: Any = None) -> Any:
        (encoded,), _ = self._told([key])
        return self._decode(self._ask({"do": task, "on": number, "key": encoded})["value"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._send(request)
        while True:
            reply = self._receive()
            if "callback" not in reply:
                break
            self._send(self._called_back(reply))
        if "raised" in reply:
            name, text = str(reply["raised"]), str(reply.get("text", ""))
            if name in _ENDING and request["do"] != "next":
                raise self._failure(f"{name}: {text}")  # it would end an iteration of the harness's, not of ours
            self.raised = _exception(name, text)
            self.has_failed |= isinstance(self.raised, CandidateFailed)
            raise self.raised
        return reply

    def _failure(self, why: str) -> CandidateFailed:
        """Kept in mind as well, should the harness catch it."""
        self.has_failed = True
        return CandidateFailed(why)

    def _called_back(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the harness's for the program; that must not be a way to end the harness."""
        try:
            function = self._callbacks[asked["callback"]]
            arguments = [self._decode(argument) for argument in asked["args"]]
        except (TypeError, IndexError, KeyError):
            raise self._failure("the program called back what it was not given") from None
        try:
            (value,), nodes = self._told([function(*arguments)])
        except (SystemExit, CannotHandOver) as exc:
            raise self._failure(f"the program called back in a way that failed: {type(exc).__name__}") from exc
        except Exception as exc:  # noqa: BLE001 - the program may expect it
            return {"raised": _builtin_name(exc), "text": str(exc)}
        return {"value": value, "nodes": nodes}

    def _send(self, value: Any) -> None:
        try:
            self._channel.send(dumps(value))
        except OSError:
            raise self._failure("the program has ended") from None

    def _receive(self) -> dict[str, Any]:
        frame = self._channel.receive()
        if frame is None:
            raise self._failure("the program has ended")
        try:
            reply = loads(frame)
        except (NotAValue, MemoryError, RecursionError) as exc:
            raise self._failure(f"{type(exc).__name__}: {exc}") from None
        if not isinstance(reply, dict) or not reply.keys() & {"value", "missing", "raised", "callback"}:
            raise self._failure("the program answered with what is no answer")
        return reply

    def _told(self, values: list[Any]) -> tuple[list[Any], list[Any]]:
        """Values for a frame, and what they lead to: objects of the harness's classes (trees, lists), as they are now.

        Each is `[number, class, [[attribute, value]]]`. They name each other by number, and keep it, so that neither
        length nor a cycle matters, and what comes back is the object that went.
        """
        shown: dict[int, Any] = {}

        def reach(value: Any) -> Any:
            if type(value) is Remote:
                return {"t": "object", "v": number_of(value)}
            if type(value).__module__ in _OWN_MODULES and hasattr(value, "__dict__"):
                number = self._node_numbers.setdefault(id(value), len(self._nodes))
                if number == len(self._nodes):
                    self._nodes.append(value)
                if number not in shown:
                    shown[number] = value
                    waiting.append(number)
                return {"t": "node", "v": number}
            if callable(value):
                self._callbacks.append(value)
                return {"t": "callback", "v": len(self._callbacks) - 1}
            raise CannotHandOver(f"a {type(value).__name__}")

        waiting: list[int] = []
        encoded = [encode(value, reach) for value in values]
        nodes = [  # `waiting` grows while it is gone through
            [number, type(shown[number]).__name__, [[name, encode(held, reach)] for name, held in _held(shown[number])]]
            for number in waiting
        ]
        return encoded, nodes

    def _decode(self, value: Any) -> Any:
        try:
            return decode(value, self._remote)
        except (NotAValue, MemoryError, RecursionError) as exc:
            raise self._failure(f"{type(exc).__name__}: {exc}") from None

    def _remote(self, kind: str, content: Any) -> Any:
        if kind == "node":
            return self._nodes[content]
        if kind != "object":
            raise NotAValue(f"a frame with an unknown type {kind!r}")
        number, name = int(content[0]), str(content[1])
        if number not in self._remotes:
            self._remotes[number] = Remote(self, number, name)
        return self._remotes[number]


def _held(value: Any) -> list[tuple[str, Any]]:
    return list(vars(value).items())


def _set_attributes(node: Any, now: dict[str, Any]) -> None:
    for name in vars(node).keys() - now.keys():
        delattr(node, name)
    for name, value in now.items():
        setattr(node, name, value)


def _change(old: Any, new: Any) -> Any:
    """Make what was handed over what it has become, in place as far as can be; the result is what stands there now."""
    if type(old) is not type(new):
        return new
    if isinstance(old, tuple):
        for before, after in zip(old, new, strict=False):
            _change(before, after)
        return old if old == new else new
    if isinstance(old, list | deque):
        kept = [_change(before, after) for before, after in zip(old, new, strict=False)]
        items = [*kept, *list(new)[len(kept) :]]
        old.clear()
        old.extend(items)
    elif isinstance(old, dict):
        items = {key: _change(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(items)
    elif isinstance(old, set | bytearray):
        old.clear()
        old.update(new) if isinstance(old, set) else old.extend(new)
    else:
        return new
    return old


def _builtin_name(thrown: Exception) -> str:
    return next(kind.__name__ for kind in type(thrown).__mro__ if getattr(builtins, kind.__name__, None) is kind)


def _exception(name: str, text: str) -> BaseException:
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(text)
        except TypeError:  # one that wants more than a text, such as UnicodeDecodeError
            return ValueError(text) if issubclass(kind, ValueError) else Exception(text)
    return CandidateFailed(f"{name}: {text}")


class Remote:
    """Something of the program's that is no plain value: a function, a class, an object.

    Equal only to itself, and true. What goes to the other process is calling, attributes, iteration, length and items.
    """

    __slots__ = ("_name", "_number", "_peer")

    def __init__(self, peer: _Peer, number: int, name: str) -> None:
        self._peer = peer
        self._number = number
        self._name = name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._peer.call(self._number, arguments, named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # copying, pickling, numpy and others ask for these
        return self._peer.ask("attribute", self._number, name)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._peer.ask("iterate", self._number)
        if type(iterator) is not Remote:
            raise TypeError(f"'{self._name}' object is not iterable")
        return iterator

    def __next__(self) -> Any:
        return self._peer.ask("next", self._number)

    def __len__(self) -> int:
        length = self._peer.ask("length", self._number)
        if type(length) is not int or length < 0:
            raise TypeError(f"object of type '{self._name}' has no len()")
        return length

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("item", self._number, key)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self._name} of the program>"


def number_of(remote: Remote) -> int:
    return remote._number  # pyright: ignore[reportPrivateUsage]
