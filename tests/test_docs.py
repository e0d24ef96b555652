"""The README is true: its snippets run, its lists are the code's lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reasonry.cli.main import VERBS
from reasonry.recipe import load_recipe
from reasonry.registry import BUILTIN
from reasonry.verifiers.maths.policy import RULES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_recipe_of_the_readme_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    for name in ("questions.jsonl.zst", "benchmark.jsonl"):
        (tmp_path / name).write_bytes(b"")
    recipe = next(snippet for snippet in snippets("toml") if "[[questions]]" in snippet)
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    assert load_recipe(tmp_path / "recipe.toml").name == "my-maths"


def test_the_verifier_of_the_readme_passes_its_own_check() -> None:
    names: dict[str, Any] = {}
    for snippet in snippets("python"):
        exec(snippet, names)
    assert callable(names["roman"])


def test_the_table_of_verbs_is_the_command_lines() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", README, flags=re.MULTILINE)
    assert [verb for verb, _ in listed] == list(VERBS)
    for verb, summary in listed:
        assert VERBS[verb][1].rstrip(".").lower() == summary.lower(), verb


def test_every_part_that_the_readme_names_exists() -> None:
    for kind in ("source", "verifier"):
        line = next(line for line in README.splitlines() if line.startswith(kind) and "# also" in line)
        named = set(re.findall(r"[a-z_]+", line.split("# also")[1].split(";")[0]))
        assert named <= set(BUILTIN[kind]), line
        assert named | {re.findall(r'"(\w+)"', line)[0]} == set(BUILTIN[kind])


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_are_targets_of_the_makefile(target: str) -> None:
    assert f"make {target}" in README
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_torch_is_pinned_alike_everywhere() -> None:
    for name in ("Makefile", "pyproject.toml", "README.md"):
        assert set(re.findall(r"torch==([\d.]+)", (ROOT / name).read_text(encoding="utf-8"))) == {"2.13.0"}, name


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_table_of_the_maths_rules_is_the_codes() -> None:
    page = (ROOT / "docs" / "math.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (.+?) \| `.+` \| `.+` \|$", page, flags=re.MULTILINE)
    assert listed == [(name, rule.what) for name, rule in RULES.items()]
