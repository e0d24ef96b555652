"""The trusted side of a harness: runs the checks, and knows the program only through proxies.

A name that the harness uses and does not define is, in this order: a module of the standard library; what the
starter code defines besides the entry point; a proxy for what the program defines under that name. A call of a proxy
goes to the other process as a frame and comes back as a plain value. Comparing, hashing and truth never go there: a
program that returns objects equal to everything returns objects that are equal to nothing.

The harness has passed when this process ends with exit code 0. Nothing that comes back may end it so: SystemExit in the
program arrives as `CandidateFailed`, which `except Exception` does not catch.
"""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from itertools import zip_longest
from types import CodeType
from typing import Any, NoReturn

from reasonry.sandbox.inside.frames import Channel
from reasonry.sandbox.inside.program import load_code, new_module, report, shut_down
from reasonry.sandbox.inside.values import NotAValue, decode, dumps, encode, loads

__all__ = ["CANNOT_JUDGE", "CandidateFailed", "run_harness"]

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
        _Provider(peer, starter_text, entry).provide(code, names)
        exec(code, names)  # the harness is the dataset's, and is confined all the same
        if not peer.was_asked:
            raise CannotHandOver("nothing: it never asks the program")
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except CannotHandOver as thrown:
        status = CANNOT_JUDGE
        report(thrown)
    except BaseException as thrown:  # noqa: BLE001
        is_its_own = isinstance(thrown, ImportError) and thrown is not peer.raised
        status = CANNOT_JUDGE if is_its_own else 1
        report(thrown)
    shut_down(module, status & 0xFF)


class _Provider:
    """Finds what a harness does not define itself."""

    def __init__(self, peer: _Peer, starter: str, entry: str) -> None:
        self._peer = peer
        self._trusted, last = _run_starter(starter)
        self._entry = entry or last
        self._untrusted = {self._entry.split(".")[0], last}

    def provide(self, code: CodeType, names: dict[str, Any]) -> None:
        free, modules = _free_names(code, self._untrusted)
        for name in sorted(free):
            if name == "candidate" and self._entry:
                found = self._peer.get(self._entry)
            elif name not in self._untrusted and name in modules:
                found = importlib.import_module(name)
            elif name not in self._untrusted and name in self._trusted:
                found = self._trusted[name]
            else:
                found = self._peer.get(name)
            if found is not _MISSING:
                names[name] = found


def _run_starter(text: str) -> tuple[dict[str, Any], str]:
    """What the starter code defines, and the function it ends with, which is the one to be written."""
    module = new_module("starter")
    for ending in ("", f"\n{_indent_of_body(text)}pass\n"):
        try:
            tree = ast.parse(text.rstrip() + ending)
            exec(compile(tree, "starter.py", "exec"), module.__dict__)
        except Exception:  # noqa: BLE001, S112 - starter code need not be a program: then it provides nothing
            continue
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        return module.__dict__, functions[-1] if functions else ""
    return {}, ""


def _indent_of_body(starter: str) -> str:
    """How the first line of what is left to be written is indented."""
    line = starter.rstrip().rpartition("\n")[2]
    return line[: len(line) - len(line.lstrip())] + ("    " if line.endswith(":") else "")


def _free_names(code: CodeType, entries: set[str]) -> tuple[set[str], set[str]]:
    """Global names that code reads and neither defines nor finds among the built-ins; and those that must be modules.

    A module is a name of the standard library of which nothing but attributes are used: `math.isclose` is never asked
    of the program, a function of the program's that is called `code` is. An entry point may be called like a built-in.
    """
    uses = _Uses()
    uses.read(code, is_module=True)
    unknown = uses.read_names - uses.stored_names
    free = {name for name in unknown if name in entries or not hasattr(builtins, name)}
    return free, (free & sys.stdlib_module_names) - uses.used_alone


class _Uses:
    """How code uses its global names."""

    def __init__(self) -> None:
        self.read_names: set[str] = set()
        self.used_alone: set[str] = set()  # otherwise than for an attribute
        self.stored_names: set[str] = set()

    def read(self, code: CodeType, *, is_module: bool) -> None:
        steps = [step for step in dis.get_instructions(code) if step.opname not in ("CACHE", "PRECALL")]
        for step, after in zip_longest(steps, steps[1:]):
            name = str(step.argval)
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                self.read_names.add(name)
                if after is None or after.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                    self.used_alone.add(name)
            elif step.opname == "STORE_GLOBAL" or (is_module and step.opname == "STORE_NAME"):
                self.stored_names.add(name)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                self.read(inner, is_module=False)


_MISSING = object()


class _Peer:
    """The other process: asks it, and answers it when it calls back."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._remotes: dict[int, Remote] = {}
        self._callbacks: list[Callable[..., Any]] = []
        self._nodes: list[Any] = []  # objects of the harness's classes that the program has been shown
        self._node_numbers: dict[int, int] = {}
        self.was_asked = False
        self.raised: BaseException | None = None  # what the program raised last

    def get(self, name: str) -> Any:
        self.was_asked = True
        reply = self._ask({"do": "get", "name": name})
        return _MISSING if "missing" in reply else self._decode(reply["value"])

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        told = self._told([list(arguments), named])
        reply = self._ask({"do": "call", "on": number, "args": told[0][0], "kwargs": told[0][1], "nodes": told[1]})
        try:
            for node, attributes in reply.get("nodes") or ():
                _set_attributes(self._nodes[node], {name: self._decode(value) for name, value in attributes})
            for place, now in reply.get("changed") or ():
                _change(named[place] if isinstance(place, str) else arguments[place], self._decode(now))
        except (TypeError, ValueError, LookupError, AttributeError):
            raise CandidateFailed("the program answered with what is no answer") from None
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
            self.raised = _exception(str(reply["raised"]), str(reply.get("text", "")))
            raise self.raised
        return reply

    def _called_back(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the harness's for the program; that must not be a way to end the harness."""
        try:
            function = self._callbacks[asked["callback"]]
            arguments = [self._decode(argument) for argument in asked["args"]]
        except (TypeError, IndexError, KeyError):
            raise CandidateFailed("the program called back what it was not given") from None
        try:
            (value,), nodes = self._told([function(*arguments)])
        except (SystemExit, CannotHandOver) as exc:
            raise CandidateFailed(f"the program called back in a way that failed: {type(exc).__name__}") from exc
        except Exception as exc:  # noqa: BLE001 - the program may expect it
            return {"raised": _builtin_name(exc), "text": str(exc)}
        return {"value": value, "nodes": nodes}

    def _send(self, value: Any) -> None:
        try:
            self._channel.send(dumps(value))
        except OSError:
            raise CandidateFailed("the program has ended") from None

    def _receive(self) -> dict[str, Any]:
        frame = self._channel.receive()
        if frame is None:
            raise CandidateFailed("the program has ended")
        try:
            reply = loads(frame)
        except NotAValue as exc:
            raise CandidateFailed(str(exc)) from None
        if not isinstance(reply, dict) or not reply.keys() & {"value", "missing", "raised", "callback"}:
            raise CandidateFailed("the program answered with what is no answer")
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
        except NotAValue as exc:
            raise CandidateFailed(str(exc)) from None

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
