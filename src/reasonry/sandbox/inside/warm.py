"""What a test finds imported already: what programs of this kind use, so that no test pays for it."""

from __future__ import annotations

import builtins
import importlib
import os
import sys

__all__ = ["warm_up"]

_MODULES = """
    array bisect cmath collections copy dataclasses datetime decimal enum fractions functools heapq inspect io itertools
    json math operator queue random re statistics string struct textwrap threading time traceback types typing
"""
SEED = 0


def warm_up() -> None:
    """Import them, and do what `site` does for programs: `exit`, `quit`, `help`.

    What they would do in every child after a fork is left out: `threading` would renew locks that nobody holds (a third
    of a test's whole cost), `random` would seed itself by chance. So a program that names no seed has the same one in
    every run, and gives the same output.
    """
    register = os.register_at_fork
    os.register_at_fork = _ignore
    try:
        for name in _MODULES.split():
            importlib.import_module(name)
    finally:
        os.register_at_fork = register
    sys.modules["random"].seed(SEED)
    _add_exit()
    compile("0", "warm", "exec")  # the first one in a process makes the types of the syntax tree, at over a millisecond


def _ignore(**_: object) -> None:
    pass


def _add_exit() -> None:
    import _sitebuiltins  # pyright: ignore[reportMissingModuleSource]

    builtins.__dict__.update(
        exit=_sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)"),
        quit=_sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)"),
        help=_sitebuiltins._Helper(),  # pyright: ignore[reportPrivateUsage]
    )
