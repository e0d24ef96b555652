"""How a stopped verb is taken up again: the command for it, to be copied."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from reasonry.errors import BudgetReached
from reasonry.recipe import Recipe

__all__ = ["resumable", "resume_command"]

_LARGER = 2  # times the budget that was reached: a proposal


@contextmanager
def resumable(recipe: Recipe) -> Generator[None]:
    """Where the work inside stops at the budget or is interrupted, the command that goes on is shown on stderr."""
    try:
        yield
    except BudgetReached as exc:
        larger = recipe.budget.usd * _LARGER if recipe.budget else 0.0
        command = resume_command(click.get_current_context(), {"budget.usd": f"{larger or 1.0:g}"})
        exc.hint = f"{exc.hint}\nresume: {command}"
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"resume: {resume_command(click.get_current_context())}") from None


def resume_command(context: click.Context, changed: dict[str, str] | None = None) -> str:
    """The command that was given, from its parameters, with `--set` for what is to be changed."""
    words = [*_program(), context.info_name or ""]
    for parameter in context.command.params:
        words += _words(parameter, context.params.get(parameter.name or ""), changed or {})
    for key, value in (changed or {}).items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _program() -> list[str]:
    """As it was started: by its name where that is on the path, else by its file."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "reasonry"]
    if started.name != "reasonry":
        return ["reasonry"]
    found = shutil.which("reasonry")
    return ["reasonry"] if found is not None and Path(found).resolve() == started.resolve() else [sys.argv[0]]


def _words(parameter: click.Parameter, value: Any, changed: dict[str, str]) -> Iterator[str]:
    if value is None or value is False or value == ():
        return
    if isinstance(parameter, click.Argument):
        yield str(value)
    elif value is True:
        yield parameter.opts[0]
    elif isinstance(value, tuple):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            if parameter.name != "overrides" or str(one).partition("=")[0].strip() not in changed:  # pyright: ignore[reportUnknownArgumentType]
                yield from (parameter.opts[0], str(one))  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield from (parameter.opts[0], str(value))
