"""ledger: show, check, compact, export, import."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import AnyPath, json_option, print_json
from reasonry.console import Console, visible
from reasonry.errors import LedgerError
from reasonry.ledger import Ledger
from reasonry.ledger.checking import Checked, check
from reasonry.ledger.exchange import Imported, export_ledger, import_file
from reasonry.ledger.upkeep import compact, facts

_SHOWN = 20  # lines of one kind on a terminal


@click.group("ledger")
def ledger_verb() -> None:
    """Look after a ledger, the record of every paid answer: ledger.sqlite in the folder of a run."""


@ledger_verb.command("show")
@click.argument("ledger", type=AnyPath)
@json_option
def show(ledger: Path, *, as_json: bool) -> None:
    """Show what LEDGER holds: answers, failed attempts, models, tokens, cost."""
    found = facts(ledger)
    if as_json:
        print_json(found)
        return
    imported = f", {found['imported']:,} of them imported" if found["imported"] else ""
    click.echo(
        f"{found['answered']:,} answers{imported}, {found['failed']:,} failed attempts, {found['bytes']:,} bytes"
    )
    if found["first_at"] is not None:
        click.echo(f"asked from {_time(found['first_at'])} to {_time(found['last_at'])}")
    for model in found["models"]:
        click.echo(visible(f"{model['model']} at {model['served_by']}"))
        click.echo(f"  {model['answered']:>9,} answers, {model['failed']:,} failed attempts")
        click.echo(f"  {_known(model['tokens_in'])} tokens in, {_known(model['tokens_out'])} out; {_cost(model)}")
    for failure in found["failures"]:
        status = "without an HTTP status" if failure["http_status"] is None else f"with HTTP {failure['http_status']}"
        click.echo(visible(f"{failure['count']:>11,} attempts failed {status}"))


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a time that cannot be"


def _known(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _cost(model: dict[str, Any]) -> str:
    if model["cost_usd"] is None:
        return "cost unknown"
    unknown = f", and unknown for {model['cost_unknown']:,} answers" if model["cost_unknown"] else ""
    return f"${model['cost_usd']:,.4f}{unknown}"


@ledger_verb.command("check")
@click.argument("ledger", type=AnyPath)
@click.option("--salvage", type=AnyPath, metavar="OUT", help="Copy what is whole to a new ledger.")
@json_option
def check_verb(ledger: Path, salvage: Path | None, *, as_json: bool) -> None:
    """Read all of LEDGER: its structure, every row, whether each key is that of its request.

    Ends with 1 where something is damaged.
    """
    checked = check(ledger, salvage)
    if as_json:
        print_json({"schema": 1, "whole": checked.is_whole, **asdict(checked)})
    else:
        _tell(checked)
    if checked.is_whole:
        return
    hint = f"`reasonry ledger check {ledger} --salvage NEW.sqlite` copies what is whole"
    if salvage is not None:
        hint = f"go on with {salvage}: what is missing there is asked again"
    raise LedgerError("the ledger is damaged", place=str(ledger), hint=hint)


def _tell(checked: Checked) -> None:
    click.echo(f"{checked.answered:,} answers and {checked.failed:,} failed attempts are whole")
    for line in checked.integrity[:_SHOWN]:
        click.echo(visible(f"structure: {line}"))
    if checked.damaged:
        click.echo(f"{checked.damaged:,} rows are damaged")
    for damage in checked.damages[:_SHOWN]:
        click.echo(visible(f"row {damage.row} {damage.key or ''}: {damage.reason}"))
    if checked.salvaged is not None:
        click.echo(f"{checked.salvaged:,} rows copied")


@ledger_verb.command("compact")
@click.argument("ledger", type=AnyPath)
@json_option
def compact_verb(ledger: Path, *, as_json: bool) -> None:
    """Make LEDGER small: drop the failed attempts of what was answered in the end. Every answer stays."""
    done = compact(ledger)
    if as_json:
        print_json({"schema": 1, **asdict(done)})
    Console().done(
        f"{done.dropped:,} failed attempts dropped, {done.bytes_before:,} bytes before, {done.bytes_after:,} after"
    )


@ledger_verb.command("export")
@click.argument("ledger", type=AnyPath)
@click.option("-o", "--out", type=AnyPath, required=True, help="A .jsonl.zst file; also .jsonl and .jsonl.gz.")
@click.option("--model", help="Only what this model answered.")
@json_option
def export_verb(ledger: Path, out: Path, model: str | None, *, as_json: bool) -> None:
    """Write the answers of LEDGER to a file that can be published. Equal answers give equal bytes."""
    exported = export_ledger(ledger, out, model)
    if as_json:
        print_json({"schema": 1, "file": str(out), **asdict(exported)})
    Console().done(f"{exported.count:,} answers in {out}, digest {exported.digest}")


@ledger_verb.command("import")
@click.argument("ledger", type=AnyPath)
@click.argument("files", type=AnyPath, nargs=-1, required=True)
@json_option
def import_verb(ledger: Path, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Take the answers of exported FILES into LEDGER. A key that is answered there keeps its answer.

    Lines that cannot be used are told with their reason; the others are imported, and the exit code is then 1.
    """
    console, total = Console(), Imported()

    def on_bad(place: str, reason: str) -> None:
        nonlocal told
        told += 1
        if told <= _SHOWN:
            console.warn(f"{place}: {reason}")

    told = 0
    with Ledger(ledger) as opened:
        for file in files:
            found = import_file(opened, file, on_bad)
            total = Imported(total.added + found.added, total.kept + found.kept, total.bad + found.bad)
    if as_json:
        print_json({"schema": 1, **asdict(total)})
    console.done(f"{total.added:,} answers imported, {total.kept:,} were answered already, {total.bad:,} not usable")
    if total.bad:
        hint = "the answers that could be used are imported; get the file again from where it was published"
        raise LedgerError(f"{total.bad:,} lines could not be used", place=", ".join(map(str, files)), hint=hint)
