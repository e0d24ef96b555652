"""The entry point: which verbs there are, and how an error ends.

Verbs are imported when they are used, so that `reasonry --help` is quick. stdout is data; everything else goes to
stderr. Exit codes: 0 done, 1 work failed, 2 usage, recipe or input, 3 a gate was missed, 4 stopped at the budget,
130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from reasonry import __version__
from reasonry.errors import ReasonryError, UsageError, nearest_hint

__all__ = ["main"]

# verb -> (module, summary)
VERBS: dict[str, tuple[str, str]] = {
    "init": ("reasonry.cli.running", "Write a recipe that runs as it is."),
    "plan": ("reasonry.cli.running", "Show what a run would do, and why."),
    "run": ("reasonry.cli.running", "Run a recipe, or resume it."),
    "show": ("reasonry.cli.reading", "Show what a run did."),
    "explain": ("reasonry.cli.reading", "Tell the whole story of one row."),
    "sql": ("reasonry.cli.sql", "Ask the tables of a run in SQL."),
    "diff": ("reasonry.cli.diff", "Show what changed between two runs, and why."),
    "report": ("reasonry.cli.reading", "Write a run's report again."),
    "verify": ("reasonry.cli.checking", "Verify a file of answers."),
    "eval": ("reasonry.cli.scoring", "Score a checkpoint, an endpoint or recorded answers."),
    "compare": ("reasonry.cli.comparison", "Compare two models on the same questions, or with published scores."),
    "ablate": ("reasonry.cli.laboratory", "Vary settings of a recipe, and compare what is learned."),
    "iterate": ("reasonry.cli.iterating", "Ask for more where the student is weak, and train again."),
    "ledger": ("reasonry.cli.ledger", "Look after a ledger: show, check, compact, export, import."),
    "parts": ("reasonry.cli.about", "List the parts that a recipe can name."),
    "schema": ("reasonry.cli.about", "Print the recipe's JSON schema."),
    "doctor": ("reasonry.cli.about", "Check this machine."),
}


class _ReaderIsGone(Exception):
    """The reader of our output (head, a pager) has seen enough."""


class _Verbs(click.Group):
    """Loads a verb when it is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as exc:  # click would end with 1 and no word
            raise _ReaderIsGone from exc

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(VERBS[cmd_name][0])
        return getattr(module, f"{cmd_name}_verb")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise UsageError(f"no verb '{args[0]}'", hint=nearest_hint(args[0], VERBS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reasonry", message="%(prog)s %(version)s")
def cli() -> None:
    """From questions to a verified reasoning dataset, a student and a report, by one recipe.

    Add --debug to any verb for the traceback of an error.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_debug = "--debug" in given
    sys.exit(_run([argument for argument in given if argument != "--debug"], is_debug=is_debug))


def _interrupt(_: int, __: FrameType | None) -> None:
    """A batch system's way of Ctrl-C, and a terminal's that is closed: end in order, so that the run can be resumed."""
    raise KeyboardInterrupt


def _run(arguments: list[str], *, is_debug: bool) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
            signal.signal(number, _interrupt)
    try:
        result = cli.main(args=arguments, prog_name="reasonry", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (BrokenPipeError, _ReaderIsGone):
        # Nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort) as exc:
        hints = ["run again to resume: what is sealed or paid for is kept", *(exc.__cause__ or exc).args]
        return _end(ReasonryError("interrupted", hint="\n".join(hints)), 130)
    except click.exceptions.NoArgsIsHelpError as exc:
        click.echo(exc.format_message())
        return 2
    except click.ClickException as exc:
        if is_debug:
            raise
        return _end(_from_click(exc), 2)
    except ReasonryError as exc:
        if is_debug:
            raise
        return _end(exc, exc.exit_code)
    except Exception as exc:
        if is_debug:
            raise
        hint = "this is a bug in Reasonry: please report it with the output of the same command and --debug"
        return _end(ReasonryError(f"{type(exc).__name__}: {exc}", hint=hint), 1)


def _end(error: ReasonryError, code: int) -> int:
    from reasonry.console import Console

    Console().error(error)
    return code


def _from_click(exc: click.ClickException) -> UsageError:
    verb = exc.ctx.command_path if isinstance(exc, click.UsageError) and exc.ctx else "reasonry"
    message = exc.format_message().rstrip(".")
    return UsageError(f"{message[:1].lower()}{message[1:]}", place=verb, hint=f"{verb} --help")
