"""A real matrix, as small as there is: what is shared, what resumes, what is refused before it is paid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reasonry.ablating import ablate
from reasonry.errors import BudgetReached, UsageError
from reasonry.piloting import pilot
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.report import write_ablation
from reasonry.sections import AblateSection

RECIPE = """
name = "tiny-ablation"
seed = 7
[[questions]]
source = "procedural"
steps = 2
digits = 1
count = 60
[distil]
teacher = "simulated"
samples = 2
[[train]]
trainer = "tiny"
name = "varied"
steps = 3
width = 16
heads = 2
[[train]]
trainer = "tiny"
name = "same"
steps = 2
width = 16
heads = 2
[[evaluate]]
benchmark = "procedural"
steps = 2
digits = 1
count = 5
verifier = "math"
untrained = false
max_tokens = 8
"""
pytestmark = pytest.mark.slow

VARIED = ['select.keep=["correct","all"]', "train.0.layers=[1,2]"]
SECTION = AblateSection(seeds=2, audit=["math", "steps"])


@dataclass(frozen=True)
class Made:
    recipe: Path
    folder: Path
    facts: Mapping[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("ablation")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    done = ablate(load_recipe(recipe), folder / "out", section=SECTION, varied=VARIED, workers=2)
    return Made(recipe, folder / "out", done.facts)


def tables(folder: Path) -> dict[str, int]:
    return {stage.name: len(list(stage.glob("*/manifest.json"))) for stage in (folder / "tables").iterdir()}


def test_every_stage_that_cells_share_is_made_once(made: Made) -> None:
    assert len(made.facts["cells"]) == 8
    count = tables(made.folder)
    assert {stage: count[stage] for stage in ("collect", "curate", "distil", "verify")} == {
        "collect": 1, "curate": 1, "distil": 1, "verify": 1
    }  # fmt: skip
    assert count["select"] == 2
    assert count["train"] == 8 + 4  # the second student is the same for both numbers of layers


def test_a_cell_is_a_run_folder_that_says_what_was_set(made: Made) -> None:
    for cell in made.facts["cells"]:
        folder = made.folder / "cells" / cell["name"]
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert run["status"] == "done"
        assert (folder / "recipe.lock.json").is_file()
        assert (folder / "tables").resolve() == (made.folder / "tables").resolve()


def test_the_same_command_again_makes_nothing_and_says_the_same(made: Made) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.folder.glob("tables/*/*/manifest.json")}
    again = ablate(load_recipe(made.recipe), made.folder, section=SECTION, varied=VARIED, workers=2)
    after = {path: path.stat().st_mtime_ns for path in made.folder.glob("tables/*/*/manifest.json")}
    assert after == before
    assert again.facts == made.facts


def test_what_a_killed_matrix_lacks_is_made_again_with_the_same_digest(made: Made) -> None:
    victim = next((made.folder / "tables" / "train").iterdir())
    (victim / "manifest.json").unlink()
    victim.rename(victim.with_name(victim.name + ".partial"))  # as kill -9 leaves it
    again = ablate(load_recipe(made.recipe), made.folder, section=SECTION, varied=VARIED, workers=2)
    assert not list(made.folder.glob("tables/*/*.partial"))
    # A training log holds seconds, so a run's digest is not compared: what was learned is.
    scores = [cell["scores"] for cell in made.facts["cells"]]
    assert [cell["scores"] for cell in again.facts["cells"]] == scores


def test_the_audit_counts_right_answers_over_wrong_steps(made: Made) -> None:
    for cell in made.facts["cells"]:
        found = cell["audit"]
        assert found["examples"] == cell["examples"]
        assert found["correct"]["steps"] <= found["correct"]["math"]
        if cell["levels"]["select.keep"] == "correct":  # chosen by steps
            assert found["correct"] == {"math": found["examples"], "steps": found["examples"]}


def test_the_page_stands_alone(made: Made) -> None:
    page = write_ablation(made.folder).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "://" not in page
    for conclusion in made.facts["conclusions"]:
        assert conclusion["level"] in page


def test_a_matrix_above_its_budget_is_refused_with_its_price_before_anything_is_paid(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    price = "over_http = true\nmax_tokens = 64\nprice = { input_per_million = 1e6, output_per_million = 1e6 }"
    path.write_text(RECIPE.replace("samples = 2", f"samples = 2\n{price}"), encoding="utf-8")
    recipe, varied = load_recipe(path), ["distil.samples=[1,2]"]
    with pytest.raises(UsageError, match="not known"):
        ablate(recipe, tmp_path / "out", section=SECTION, varied=varied, budget_usd=0.01)
    pilot(recipe, make_plan(recipe), tmp_path / "out", 10)
    with pytest.raises(BudgetReached) as refused:
        ablate(recipe, tmp_path / "out", section=SECTION, varied=varied, budget_usd=0.01)
    assert refused.value.exit_code == 4
    assert "$" in refused.value.message
    assert not list(tmp_path.glob("out/tables/distil/*/manifest.json"))
