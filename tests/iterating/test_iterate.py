"""Rounds: each a run with a parent, on one frozen test, until no gain is seen; and what is refused."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import BudgetReached, RecipeError, UsageError, UsedUp, WorkFailed
from reasonry.iterating import iterate
from reasonry.recipe import Recipe, load_recipe
from reasonry.report import write_iteration
from reasonry.run import load_run, run
from reasonry.stats import Difference, paired_difference

pytest.importorskip("torch")
pytestmark = pytest.mark.long
QUIET = Console(quiet=True)
SCRIPT = "<script>alert(1)</script>"
DOMAIN, TESTED = f"questions.0.domain='{SCRIPT}'", f"evaluate.0.domain='{SCRIPT}'"
Recipes = Callable[..., Recipe]


@pytest.fixture
def every_round_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Students of four steps gain nothing: the figure alone is put in, the rounds are real."""
    gain = paired_difference([0.0] * 20, [1.0] * 20)
    monkeypatch.setattr("reasonry.iterating.rounds.gain_between", lambda *_: gain)


def _iterated(recipe: Recipe, folder: Path, **options: Any) -> Any:
    return json.loads(json.dumps(iterate(recipe, folder, workers=1, console=QUIET, **options).facts))


@pytest.fixture(scope="module")
def whole(rounds_recipe: Recipes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an iteration that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    iterate(rounds_recipe(DOMAIN, TESTED), folder, workers=1, console=QUIET)
    return folder


@pytest.fixture
def facts(whole: Path) -> dict[str, Any]:
    return json.loads((whole / "iteration.json").read_text(encoding="utf-8"))


def test_rounds_without_a_gain_end_after_the_first(facts: dict[str, Any]) -> None:
    assert facts["stopped"] == "no_gain"
    assert [one["round"] for one in facts["rounds"]] == [0, 1]
    assert facts["rounds"][0]["settings"] == [DOMAIN, TESTED]
    gain = facts["rounds"][1]["gain"]
    assert gain["low"] <= 0 <= gain["high"]
    assert gain["n"] == 24
    assert "no gain detected" in facts["rounds"][1]["words"]


@pytest.mark.usefixtures("every_round_gains")
def test_each_round_has_its_parent_and_more_questions_than_it(rounds_recipe: Recipes, tmp_path: Path) -> None:
    facts = _iterated(rounds_recipe(), tmp_path / "out", rounds=2, questions=30)
    rounds = facts["rounds"]
    assert facts["stopped"] == "rounds"
    assert [one["parent"] for one in rounds] == [None, rounds[0]["run"], rounds[1]["run"]]
    assert [load_run(tmp_path / "out" / one["folder"])["parent"] for one in rounds] == [one["parent"] for one in rounds]
    assert [sum(each["added"] for each in one["slices"]) for one in rounds] == [0, 30, 30]
    examples = [sum(each["examples"] for each in one["slices"]) for one in rounds]
    assert examples[0] < examples[1] < examples[2]


def test_anybody_can_make_a_round_again(rounds_recipe: Recipes, facts: dict[str, Any], tmp_path: Path) -> None:
    second = facts["rounds"][1]
    again = run(rounds_recipe(*second["settings"]), tmp_path / "again", workers=1, console=QUIET)
    assert again.digest == second["digest"]


def test_a_killed_iteration_goes_on_and_ends_alike(rounds_recipe: Recipes, whole: Path, tmp_path: Path) -> None:
    settings = [word for one in (DOMAIN, TESTED) for word in ("--set", one)]
    command = [sys.executable, "-m", "reasonry", "iterate", str(rounds_recipe().path), "--quiet", *settings]
    command += ["--workers", "1", "--out", str(tmp_path)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while killed.poll() is None and not _is_trained(tmp_path / "rounds" / "0" / "run.json"):
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    sealed = {path: path.stat().st_mtime_ns for path in (tmp_path / "tables").glob("*/*/manifest.json")}
    assert sealed
    assert not (tmp_path / "iteration.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith("stopped after round 1")
    assert all(path.stat().st_mtime_ns == at for path, at in sealed.items())
    made, expected = ((folder / "iteration.json").read_text(encoding="utf-8") for folder in (tmp_path, whole))
    assert "tables/train" in made
    assert _without_place(made) == _without_place(expected)


def test_the_verb_again_does_nothing_anew_and_prints_what_it_wrote(rounds_recipe: Recipes, whole: Path) -> None:
    settings = [word for one in (DOMAIN, TESTED) for word in ("--set", one)]
    command = [sys.executable, "-m", "reasonry", "iterate", str(rounds_recipe().path), *settings, "--out", str(whole)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads((whole / "iteration.json").read_text(encoding="utf-8"))
    assert all("sealed before" in line for line in done.stderr.splitlines() if " rows " in line)


def _without_place(text: str) -> str:
    """Settings name the checkpoint that answered, as seen from the recipe: only that differs between two folders."""
    return re.sub(r'path\\" = \\"[^"]*/tables/', "tables/", text)


def _is_trained(run_json: Path) -> bool:
    return run_json.is_file() and '"train"' in run_json.read_text(encoding="utf-8")


@pytest.mark.usefixtures("every_round_gains")
def test_at_the_budget_what_was_finished_is_told(rounds_recipe: Recipes, tmp_path: Path) -> None:
    price = "distil.price={input_per_million=1000,output_per_million=1000}"
    paid = ("distil.over_http=true", price, "distil.max_tokens=40")
    (first,) = _iterated(rounds_recipe(*paid), tmp_path, rounds=0)["rounds"]
    assert first["cost_usd"] > 0
    bounded = rounds_recipe(*paid, f"budget={{usd={1.5 * first['cost_usd']}}}")
    with pytest.raises(BudgetReached):
        iterate(bounded, tmp_path, questions=100, workers=1, console=QUIET)
    facts = json.loads((tmp_path / "iteration.json").read_text(encoding="utf-8"))
    assert facts["stopped"] == "budget"
    assert [one["digest"] for one in facts["rounds"]] == [first["digest"]]


def test_a_family_that_is_used_up_ends_the_rounds(rounds_recipe: Recipes, tmp_path: Path) -> None:
    recipe = rounds_recipe("questions.0.steps=1", "questions.1.steps=1")
    facts = _iterated(recipe, tmp_path, questions=500, student_samples=0, has_control=True)
    assert (facts["stopped"], len(facts["rounds"])) == ("used_up", 1)
    assert "has only" in facts["stopped_words"]
    assert facts["control"] is None
    assert facts["stopped_words"] in write_iteration(tmp_path).read_text(encoding="utf-8").replace("&#39;", "'")


def test_a_recipe_that_asks_for_more_than_there_is_fails_at_once(rounds_recipe: Recipes, tmp_path: Path) -> None:
    with pytest.raises(UsedUp, match="has only"):
        iterate(rounds_recipe("questions.0.steps=1", "questions.0.count=500"), tmp_path, workers=1, console=QUIET)
    assert not (tmp_path / "iteration.json").exists()


def test_a_round_that_fails_leaves_the_finished_ones_to_be_read(
    rounds_recipe: Recipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise WorkFailed("no power")

    monkeypatch.setattr("reasonry.iterating.rounds.added", fail)
    with pytest.raises(WorkFailed, match="no power"):
        iterate(rounds_recipe(), tmp_path, workers=1, console=QUIET)
    facts = json.loads((tmp_path / "iteration.json").read_text(encoding="utf-8"))
    assert (facts["stopped"], len(facts["rounds"])) == (None, 1)
    assert "the same command goes on" in facts["stopped_words"]


def test_a_test_question_among_the_curated_fails_loudly(
    rounds_recipe: Recipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reasonry.stages.curate.in_evaluation", lambda rows, *_, **__: rows)
    with pytest.raises(WorkFailed, match="is among those to learn from"):
        iterate(rounds_recipe('questions.0.split="test"'), tmp_path / "out", workers=1, console=QUIET)


def test_a_test_that_changes_between_rounds_is_refused(
    rounds_recipe: Recipes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter([rounds_recipe(), rounds_recipe("evaluate.0.max_tokens=9", "questions.0.count=60")])
    monkeypatch.setattr("reasonry.iterating.rounds.load_recipe", lambda *_: next(made))
    with pytest.raises(WorkFailed, match="the test is not that of the round before"):
        iterate(rounds_recipe(), tmp_path / "out", workers=1, console=QUIET)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (("evaluate.0.of=['teacher']", "evaluate.1.of=['teacher']"), "is not evaluated"),
        (
            ("train.0.name='other'", "evaluate.0.of=['teacher']", "evaluate.1.of=['teacher']"),
            "'other' is not evaluated",
        ),
    ],
)
def test_recipes_that_cannot_be_iterated_are_refused(
    rounds_recipe: Recipes, tmp_path: Path, settings: Sequence[str], error: str
) -> None:
    with pytest.raises(RecipeError, match=error):
        iterate(rounds_recipe(*settings), tmp_path / "out", workers=1, console=QUIET)


def test_without_a_source_that_grows_nothing_is_begun(
    rounds_recipe: Recipes, tmp_path: Path, write_recipe: Callable[[str], Path]
) -> None:
    recipe = rounds_recipe()
    (tmp_path / "rows.jsonl").write_text('{"prompt": "1 + 1?", "answer": "2"}\n', encoding="utf-8")
    rows = recipe.text.split("[distil]")[1]
    path = write_recipe(f'name = "fixed"\n[[questions]]\nsource = "jsonl"\npath = "rows.jsonl"\n[distil]{rows}')
    with pytest.raises(UsageError, match="no source can be asked for more"):
        iterate(load_recipe(path), tmp_path / "out", console=QUIET)
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_trains_nothing_is_refused(rounds_recipe: Recipes, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="trains and evaluates"):
        iterate(replace(rounds_recipe(), train=()), tmp_path / "out", console=QUIET)


def test_the_page_shows_each_round_and_escapes_what_it_shows(whole: Path, facts: dict[str, Any]) -> None:
    page = write_iteration(whole).read_text(encoding="utf-8")
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)" in page
    assert facts["stopped_words"] in page
    assert all(one["run"] in page for one in facts["rounds"])


@pytest.mark.parametrize("text", [None, "", "{}", '{"rounds": []}', "[1]", "\x00"])
def test_no_page_of_garbage(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "iteration.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="not the folder of an iteration"):
        write_iteration(tmp_path)


def test_a_gain_in_words() -> None:
    from reasonry.iterating.words import gain_words

    gain = Difference(0.061, 0.03, 0.092, 0.001, 400, 0.04, "paired")
    assert gain_words(2, gain, "") == "round 2 gained 6.1 points [3.0, 9.2]"
    assert gain_words(2, replace(gain, estimate=-0.061, low=-0.092, high=-0.03), "") == (
        "round 2 lost 6.1 points [-9.2, -3.0]"
    )
    assert gain_words(1, replace(gain, low=-0.01), "") == (
        "round 1: no gain detected (6.1 points more [-1.0, 9.2]); 4 points could have been detected"
    )
