"""What a harness finds under the names that it uses and does not define.

In this order, so that nothing that a check relies on can be brought by the program that is checked:

1. the entry points: what the program is to define, and nobody else (`entry`; else what the starter code ends with);
2. a module of the standard library of which nothing but attributes are used (`math.isclose`);
3. what the starter code defines;
4. what programs of this kind have imported without saying so (`Counter`, `isclose`, `deepcopy`, ...).

What is left is asked of the program only where no entry point is known: then it must be what is to be tested. Where one
is known, the harness relies on something that is nowhere, and cannot judge.
"""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
import sys
from collections.abc import Callable
from itertools import zip_longest
from types import CodeType
from typing import Any

from reasonry.sandbox.inside.candidate import PRELUDE
from reasonry.sandbox.inside.program import new_module

__all__ = ["MISSING", "UnknownNames", "provide_names"]

MISSING = object()
_CANDIDATE = "candidate"
_BETWEEN = ("CACHE", "EXTENDED_ARG", "PRECALL", "PUSH_NULL")  # instructions that say nothing of a name


class UnknownNames(BaseException):
    """The harness relies on names that neither it, nor the starter code, nor the task's entry points define."""


def provide_names(code: CodeType, names: dict[str, Any], starter: str, entry: str, ask: Callable[[str], Any]) -> None:
    """Put into `names` what `code` needs. `ask` gets a name of the program's, or MISSING. Raises UnknownNames."""
    trusted, last = _run_starter(starter)
    entries = entry.replace(",", " ").split() or [last] * bool(last)
    ours = {name.split(".")[0] for name in entries} | {last} - {""}
    uses = _Uses()
    uses.read(code, is_module=True)
    unknown = uses.read_names - uses.stored_names
    free = {name for name in unknown if name in ours or not hasattr(builtins, name)}
    left: set[str] = set()
    for name in sorted(free):
        if name == _CANDIDATE and entries:
            names[name] = ask(entries[0])
        elif name in ours:
            names[name] = ask(name)
        elif name in sys.stdlib_module_names and name not in uses.used_alone:
            names[name] = importlib.import_module(name)
        elif name in trusted:
            names[name] = trusted[name]
        else:
            left.add(name)
    _provide_rest(names, left, bool(entries), ask)
    for name in [name for name in free if names.get(name) is MISSING]:
        del names[name]


def _provide_rest(names: dict[str, Any], left: set[str], is_entry_known: bool, ask: Callable[[str], Any]) -> None:
    prelude = new_module("prelude").__dict__
    if left:
        exec(PRELUDE, prelude)
    asked = set() if is_entry_known else left - prelude.keys() or left
    for name in left - asked & prelude.keys():
        names[name] = prelude[name]
    if missing := sorted(left - asked - prelude.keys()):
        raise UnknownNames(f"{', '.join(missing)}: neither the harness nor the starter code defines that")
    for name in sorted(asked):
        names[name] = ask(name)


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


class _Uses:
    """How code uses its global names."""

    def __init__(self) -> None:
        self.read_names: set[str] = set()
        self.used_alone: set[str] = set()  # otherwise than for an attribute
        self.stored_names: set[str] = set()

    def read(self, code: CodeType, *, is_module: bool) -> None:
        steps = [step for step in dis.get_instructions(code) if step.opname not in _BETWEEN]
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
