"""parts, schema, doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import AnyPath, json_option, print_json
from reasonry.console import Console
from reasonry.doctor import examine
from reasonry.errors import PartError, ReasonryError, UsageError, nearest_hint
from reasonry.prompts import PRESETS, Preset
from reasonry.recipe_schema import recipe_schema
from reasonry.registry import KINDS, Part, all_parts, find


@click.command("parts")
@click.argument("kind", required=False, type=click.Choice([*KINDS, "prompt"]))
@click.argument("name", required=False)
@json_option
def parts_verb(kind: Any, name: str | None, *, as_json: bool) -> None:
    """List the parts that a recipe can name, or the options of one: `reasonry parts teacher openai`.

    `reasonry parts prompt` lists the presets of prompts, `reasonry parts prompt NAME` shows one.
    """
    if kind == "prompt":
        _show_presets(name, as_json=as_json)
        return
    if name is not None:
        _show_part(find(kind, name), as_json=as_json)
        return
    found = [part for part in all_parts() if isinstance(part, PartError) or kind in (None, part.kind)]
    parts = [part for part in found if isinstance(part, Part)]
    if as_json:
        print_json({"schema": 1, "parts": [_part_row(part) for part in parts]})
    else:
        for part in parts:
            click.echo(f"{part.kind:<12} {part.label:<18} {part.summary}")
        if kind in (None, "teacher"):
            click.echo(
                "\nThe simulated teacher, served on loopback: python -m reasonry.teachers.simulator.endpoint --help"
            )
    for broken in found:
        if isinstance(broken, PartError):
            Console().warn(str(broken))


def _show_presets(name: str | None, *, as_json: bool) -> None:
    """The presets of prompts; with its templates, where one is named."""
    if name is not None and name not in PRESETS:
        raise UsageError(f"unknown preset '{name}'", place="reasonry parts prompt", hint=nearest_hint(name, PRESETS))
    chosen = {known: preset for known, preset in PRESETS.items() if name in (None, known)}
    if as_json:
        print_json({"schema": 1, "prompts": [_preset_row(known, preset) for known, preset in chosen.items()]})
        return
    for known, preset in chosen.items():
        click.echo(f"{'prompt':<10} {known:<20} {preset.summary}\n{'':<32}{preset.source}")
        for rule in preset.rules if name else ():
            conditions = {"domain": rule.domain, "verifier": rule.verifier}
            met = ", ".join(f"{key} {value}" for key, value in conditions.items() if value is not None)
            click.echo(f"\n  {met or 'every question'}")
            for role, text in (("system", rule.system), ("user", rule.prompt)):
                if text is not None:
                    click.echo(f"    {role}:")
                    click.echo("\n".join(f"      {line}" for line in text.split("\n")))


def _preset_row(name: str, preset: Preset) -> dict[str, Any]:
    rules = [rule.content() for rule in preset.rules]
    return {"kind": "prompt", "name": name, "summary": preset.summary, "source": preset.source, "rules": rules}


def _part_row(part: Part) -> dict[str, Any]:
    return {"kind": part.kind, "name": part.name, "version": part.version, "summary": part.summary}


def _part_rules(part: Part) -> dict[str, Any]:
    return {"rules": dict(part.rules)} if part.rules else {}


def _show_part(part: Part, *, as_json: bool) -> None:
    schema: dict[str, Any] = part.options.model_json_schema() if part.options else {"properties": {}}
    if as_json:
        print_json({"schema": 1, **_part_row(part), "options": schema, **_part_rules(part)})
        return
    click.echo(f"{part.kind} {part.label}: {part.summary}\n")
    for name, option in schema["properties"].items():
        default = f" (default: {option['default']!r})" if "default" in option else ""
        click.echo(f"  {name:<20} {option.get('description', '')}{default}")
    if part.rules:
        click.echo("\nDrops by these rules:")
    for rule, what in part.rules.items():
        click.echo(f"  {rule:<20} {what}")


@click.command("schema")
def schema_verb() -> None:
    """Print the JSON schema of a recipe, for editors."""
    print_json(recipe_schema())


@click.command("doctor")
@click.option("--out", type=AnyPath, default=Path("runs"), help="Where runs would be written.")
@json_option
def doctor_verb(out: Path, *, as_json: bool) -> None:
    """Check that this machine has what a run needs. Ends with 1 where something needed is missing."""
    checks = examine(out)
    if as_json:
        print_json({"schema": 1, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = "ok  " if check.passed else ("FAIL" if check.is_needed else "none")
            click.echo(f"{mark} {check.name:<18} {check.detail}")
            if not check.passed and check.fix:
                click.echo(f"     {'':<18} fix: {check.fix}")
    failed = [check.name for check in checks if check.is_needed and not check.passed]
    if failed:
        raise ReasonryError(f"not ready: {', '.join(failed)}", hint="do what the lines marked FAIL say")
