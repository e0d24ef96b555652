"""docs/filters.md is true: it lists every filter, option and rule as the code does, and its recipe loads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic_core import PydanticUndefined

from reasonry.cli.about import parts_verb
from reasonry.recipe import load_recipe
from reasonry.registry import BUILTIN, Kind, Part, find

PAGE = Path(__file__).resolve().parents[2] / "docs" / "filters.md"
ELSEWHERE = {"deduplicate", "decontaminate"}  # they have pages of their own
HEADINGS: dict[Kind, str] = {"filter": "## Filters over questions", "trace_filter": "## Filters over traces"}
KINDS: list[tuple[Kind, str]] = [
    (kind, name) for kind in HEADINGS for name in BUILTIN[kind] if not (kind == "filter" and name in ELSEWHERE)
]


def section_of(kind: Kind) -> str:
    """The part of the page about one kind, up to the next heading of its level."""
    text = PAGE.read_text(encoding="utf-8")
    return re.split(r"^## ", text.partition(HEADINGS[kind] + "\n")[2], flags=re.MULTILINE)[0]


def entry_of(kind: Kind, name: str) -> str:
    entry = section_of(kind).partition(f"### `{name}`\n")[2]
    assert entry, f"{name} is not on the page"
    return entry.partition("\n### ")[0]


def option_rows(part: Part) -> list[tuple[str, ...]]:
    """What the table of options says: name, default, description. `domains` is every filter's."""
    assert part.options is not None
    fields = part.options.model_fields
    return [
        (name, shown(field.get_default(call_default_factory=True)), str(field.description))
        for name, field in fields.items()
        if name not in ("filter", "domains")
    ]


def shown(default: Any) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "none"
    return "`" + repr(default).replace("'", '"') + "`"


def rows_of(entry: str, heading: str) -> list[tuple[str, ...]]:
    table = entry.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in table]


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_filter_is_described_as_it_is(kind: Kind, name: str) -> None:
    part, entry = find(kind, name), entry_of(kind, name)
    assert part.summary in " ".join(entry.split())
    options = [(f"`{option}`", default, what) for option, default, what in option_rows(part)]
    assert rows_of(entry, "option") == options
    assert rows_of(entry, "rule") == [(f"`{rule}`", what) for rule, what in part.rules.items()]


def test_the_page_lists_no_filter_that_is_not_there() -> None:
    listed = [
        (kind, name) for kind in HEADINGS for name in re.findall(r"^### `(\w+)`$", section_of(kind), re.MULTILINE)
    ]
    assert listed == [(kind, name) for kind, name in sorted(KINDS)]


def test_the_recipe_of_the_page_loads(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text('{"prompt": "What is 1 + 1?", "answer": "2"}\n')
    (recipe,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    head = 'name = "page"\n[[questions]]\nsource = "jsonl"\npath = "questions.jsonl"\n'
    (tmp_path / "recipe.toml").write_text(head + recipe, encoding="utf-8")
    loaded = load_recipe(tmp_path / "recipe.toml")
    assert len(loaded.curate.filters) == 6
    assert [chosen.filter for chosen in loaded.select.filters] == ["format", "repetition", "refusal", "length"]


@pytest.mark.parametrize("kind", HEADINGS)
def test_the_command_line_lists_them_and_their_rules(kind: Kind) -> None:
    listed = CliRunner().invoke(parts_verb, [kind]).output
    assert all(re.search(rf"^{kind} +{name}@\d+ +\S", listed, re.MULTILINE) for name in BUILTIN[kind])
    shown_ = json.loads(CliRunner().invoke(parts_verb, [kind, "language", "--json"]).output)
    assert shown_["rules"] == find(kind, "language").rules
    text = CliRunner().invoke(parts_verb, [kind, "language"]).output
    assert "other_language" in text
    assert find(kind, "language").rules["other_language"] in text
