"""eval: the score of a model on a benchmark, with the conditions it was got under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import AnyPath, json_option, print_json, workers_option
from reasonry.console import Console, visible
from reasonry.errors import UsageError, WorkFailed
from reasonry.evaluating import evaluate_checkpoint, evaluate_endpoint, evaluate_replay, options_from
from reasonry.pairing import shown
from reasonry.recipe_text import toml_value
from reasonry.run import default_workers, score_of
from reasonry.sections import EvaluateSection
from reasonry.store import Manifest, Store
from reasonry.types import Completion

__all__ = ["eval_verb"]

_KEY_CHARACTERS = 12
_UNANSWERED = ("unanswered", "refused")  # of the rules of drops, those that `coverage` tells
_FEW = ("samples", "temperature", "top_p", "max_tokens", "limit", "verifier", "system_prompt")


@click.command("eval")
@click.argument("model")
@click.option("--benchmark", required=True, help="A benchmark part, or a JSONL file of questions.")
@click.option("--base-url", help="MODEL is served there (OpenAI-compatible).")
@click.option("--provider", help="MODEL is served by this provider: openai, anthropic, deepseek, ...")
@click.option("--replay", multiple=True, metavar="FILE", help="MODEL's answers are recorded there: a file or a ledger.")
@click.option("--system", help="The system prompt. Default: none.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the evaluation: samples=4.")
@click.option("--ask", "asking", multiple=True, metavar="KEY=VALUE", help="An option of the endpoint or the replay.")
@click.option("--out", type=AnyPath, help="Folder for the completions. Default: runs/eval.")
@workers_option
@json_option
def eval_verb(
    model: str,
    benchmark: str,
    base_url: str | None,
    provider: str | None,
    replay: tuple[str, ...],
    system: str | None,
    settings: tuple[str, ...],
    asking: tuple[str, ...],
    out: Path | None,
    workers: int | None,
    *,
    as_json: bool,
) -> None:
    """Score MODEL on a benchmark: a checkpoint folder, a model behind an endpoint, or recorded answers.

    A recording belongs to a question with the same prompt; tell its columns by
    --ask 'fields={ prompt = "question", response = "response", model = "model" }'. With a column for the model, only
    MODEL's answers are taken.
    """
    section = _section(benchmark, _settings(settings, "--set"), system)
    console = Console()
    how: dict[str, Any] = {"workers": workers or default_workers(), "console": console}
    served = {name: value for name, value in (("base_url", base_url), ("provider", provider)) if value is not None}
    if replay and served:
        raise UsageError("--replay and an endpoint: give one of them", hint="a replay asks nobody")
    asked, folder = _settings(asking, "--ask"), out or Path("runs/eval")
    if replay:
        recorded = options_from("teacher", "replay", _recorded(model, replay, asked), "teacher")
        manifest = evaluate_replay(model, recorded, section, folder, **how)
    elif served:
        values = {"model": model, "max_tokens": section.max_tokens, **served, **asked}
        manifest = evaluate_endpoint(options_from("teacher", "openai", values, "teacher"), section, folder, **how)
    elif asked:
        raise UsageError("--ask has no endpoint or replay to go to", hint="add --base-url, --provider or --replay")
    else:
        manifest = evaluate_checkpoint(Path(model), section, folder, **how)
    _warn(manifest, console)
    if as_json:
        print_json(_plain(manifest))
    else:
        for line in _lines(model, section.label, manifest):
            click.echo(visible(line))
    if "accuracy" not in manifest.metrics:
        raise _nothing_scored(manifest, folder)
    console.note(f"  kept in {folder}; for `reasonry compare`: {folder}:{manifest.key[:_KEY_CHARACTERS]}")


def _section(benchmark: str, values: Mapping[str, Any], system: str | None) -> EvaluateSection:
    given = {**values, **({} if system is None else {"system": system})}
    if Path(benchmark).suffix:
        return options_from("benchmark", "jsonl", {"path": benchmark, **given}, "benchmark")
    return options_from("benchmark", benchmark, given, "benchmark")


def _recorded(model: str, files: Iterable[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The replay's options. Where a column says who answered, MODEL picks its own rows."""
    fields: Any = asked.get("fields")
    picked = {"model": model} if isinstance(fields, Mapping) and "model" in fields else {}
    return {"path": list(files), **picked, **asked}


def _settings(given: Iterable[str], option: str) -> dict[str, Any]:
    """KEY=VALUE pairs; a key with dots reaches into a table."""
    values: dict[str, Any] = {}
    for setting in given:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"cannot read '{setting}'", place=option, hint=f"{option} key=value")
        *outer, last = key.strip().split(".")
        table = values
        for name in outer:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UsageError(f"'{name}' is no table in '{setting}'", place=option, hint=f"{option} key=value")
        table[last] = toml_value(value.strip())
    return values


def _warn(manifest: Manifest, console: Console) -> None:
    """What a reader of the score must not miss. The table may have been sealed long ago, so it is said each time."""
    metrics = manifest.metrics
    if set_aside := {rule: count for rule, count in manifest.dropped.items() if rule not in _UNANSWERED and count}:
        told = ", ".join(f"{rule} {count:,}" for rule, count in set_aside.items())
        console.warn(f"rows of the benchmark that are no question of it: {told}")
    if (errors := metrics["statuses"]["error"]) > 0:
        console.warn(f"{errors:,} of {metrics['rows']:,} answers could not be verified: they are in no figure")
    if (coverage := metrics.get("coverage", 1.0)) < 1.0:
        console.warn(
            f"{1 - coverage:.1%} of the answers asked for are missing: this is no score of the whole benchmark"
        )


def _nothing_scored(manifest: Manifest, folder: Path) -> WorkFailed:
    """No score is a failure of the command, whoever is to blame; the first row says why."""
    first = next(Store(folder / "tables").rows(manifest, Completion), None)
    why = f"; the first: {first.status.value}: {first.detail}" if first is not None else ""
    return WorkFailed(f"nothing could be scored{why}", place=manifest.label, hint="mend the questions, or the verifier")


def _plain(manifest: Manifest) -> dict[str, Any]:
    names = {"schema": 1, "key": manifest.key, "digest": manifest.digest}
    return {**names, "score_digest": score_of(manifest)["digest"], **manifest.metrics}


def _lines(model: str, label: str, manifest: Manifest) -> Iterator[str]:
    figures = manifest.metrics
    if "accuracy" not in figures:
        counts = ", ".join(f"{count:,} {status}" for status, count in figures["statuses"].items() if count)
        yield f"{model} on {label}: no score ({counts or 'no answers'})"
        return
    yield f"{model} on {label}: {_share(figures, 'accuracy', 'low', 'high')}, n = {figures['n']:,}"
    for name in figures:
        if name.startswith(("pass@", "majority@")) and f"{name}_low" in figures:
            yield f"  {name}: {_share(figures, name, f'{name}_low', f'{name}_high')}"
    rates = ("truncated_rate", "cut off"), ("unparsed_rate", "unparsed"), ("error_rate", "errors")
    yield "  " + ", ".join(f"{said} {figures[name]:.1%}" for name, said in rates)
    conditions = figures["conditions"]
    told = ", ".join(
        f"{name} {shown(conditions[name]) if name == 'system_prompt' else conditions[name]}"
        for name in _FEW
        if conditions.get(name) is not None
    )
    yield f"  conditions {figures['conditions_digest'][:12]}: {told}"


def _share(figures: Mapping[str, Any], name: str, low: str, high: str) -> str:
    return f"{figures[name]:.1%} [{figures[low]:.1%}, {figures[high]:.1%}]"
