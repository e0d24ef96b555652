"""verify: verdicts on responses that come from outside a recipe."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import AnyPath, json_option, print_json, workers_option
from reasonry.console import Console
from reasonry.contracts import Limits
from reasonry.errors import InputError, UsageError
from reasonry.run import default_workers
from reasonry.sections import VerifySection
from reasonry.verifying import Counts, output_file, verify_file


@click.command("verify")
@click.argument("source", metavar="IN", type=AnyPath)
@click.option("-o", "--out", type=AnyPath, help="Where the verdicts go, as JSONL. Default: stdout.")
@click.option("--verifier", help="Use this verifier for every row. Default: the row's own, else math.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0, min_open=True), help="CPU seconds per row.")
@click.option("--unsafe", is_flag=True, help="Run programs without a sandbox. Every verdict on one says so.")
@workers_option
@json_option
def verify_verb(
    source: Path,
    out: Path | None,
    verifier: str | None,
    timeout_s: float | None,
    workers: int | None,
    *,
    unsafe: bool,
    as_json: bool,
) -> None:
    """Verify every row of IN: JSONL, CSV or Parquet, also .gz and .zst; - is JSONL on stdin.

    A row has id, answer and response, and optionally verifier, spec, prompt and finish; finish is "length" for a
    response that was cut off. A verdict has id, status, verifier, extracted, detail and seconds, in the order of the
    rows. Verdicts are written while rows are read, some thousand rows later; rows that are the same are verified once,
    and those that repeat one have 0 seconds.
    """
    if as_json and out is None:
        raise UsageError("--json and the verdicts both want stdout", hint="add -o OUT")
    defaults = VerifySection()
    limits = Limits(timeout_s or defaults.timeout_s, defaults.memory_mb)
    how: dict[str, Any] = {"verifier": verifier, "workers": workers or default_workers(), "limits": limits}
    how["sandbox"] = "unsafe" if unsafe else None
    began = time.monotonic()
    if out is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        counts = verify_file(source, sys.stdout, **how)
    else:
        with output_file(out, source) as file:
            counts = verify_file(source, file, **how)
    _summary(counts, time.monotonic() - began)
    if counts.rows and counts.unusable == counts.rows:
        raise InputError(
            "no row of the file could be used", place=str(source), hint="a row has id, answer and response; see detail"
        )
    if as_json:
        print_json(counts.as_json())


def _summary(counts: Counts, seconds: float) -> None:
    found = ", ".join(f"{count:,} {status}" for status, count in counts.statuses.most_common())
    console = Console()
    console.note(f"{counts.rows:,} rows: {found or 'nothing to verify'}")
    if counts.tests:
        console.note(f"{counts.tests:,} tests in {seconds:.1f} s, {counts.tests / seconds:,.0f} a second")
    if counts.unusable:
        console.warn(f"{counts.unusable:,} rows could not be used: they are `error`, with the reason in `detail`")
