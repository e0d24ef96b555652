"""By what questions are grouped: in the test, among those to learn from, and where more can be asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import UsageError
from reasonry.iterating import Source, iterate, slicing_of, sources_of
from reasonry.iterating.reading import RoundRead, read_round
from reasonry.recipe import Recipe, load_recipe
from reasonry.report import write_iteration
from reasonry.run import load_run
from reasonry.stats import wilson
from reasonry.types import Question

Recipes = Callable[..., Recipe]


def asked(**meta: Any) -> Question:
    return Question("1 + 1?", "2", "exact", domain="sums", source="a.jsonl", meta=meta)


def name_of(by: str, question: Question, *tests: Question) -> str:
    return slicing_of(by, tests or (question,)).name_of(question)


@pytest.mark.parametrize(
    ("by", "meta", "name"),
    [
        ("domain", {}, "sums"),
        ("source", {}, "a.jsonl"),
        ("difficulty", {"difficulty": 3}, "3"),
        ("meta.skill", {"skill": " carrying "}, "carrying"),
        ("meta.skill", {"skill": ["terms", "carrying"]}, "carrying, terms"),
        ("meta.level", {"level": 2.0}, "2"),
        ("meta.verified", {"verified": False}, "false"),
        ("meta.origin.family", {"origin": {"family": "chain_sum"}}, "chain_sum"),
    ],
)
def test_the_slice_of_a_question(by: str, meta: dict[str, Any], name: str) -> None:
    assert name_of(by, asked(**meta)) == name


@pytest.mark.parametrize("by", ["difficulty", "meta.skill"])
@pytest.mark.parametrize("meta", [{}, {"skill": None, "difficulty": None}, {"skill": [], "difficulty": True}])
def test_a_question_that_says_nothing_is_of_an_unknown_slice(by: str, meta: dict[str, Any]) -> None:
    assert name_of(by, asked(**meta), asked(skill="terms", difficulty=1)) == "unknown"


def test_many_difficulties_become_quarters_of_the_test() -> None:
    tests = [asked(difficulty=number) for number in range(100)]
    slicing = slicing_of("difficulty", tests)
    assert len({slicing.name_of(question) for question in tests}) == 4
    assert slicing.name_of(asked(difficulty=1000)) == slicing.name_of(tests[-1]) == "4 of 4: 75 to 99"


@pytest.mark.parametrize("by", ["dificulty", "meta", "meta.", ""])
def test_unknown_words_are_refused(by: str) -> None:
    with pytest.raises(UsageError, match="nothing to slice by"):
        slicing_of(by, [asked()])


@pytest.mark.parametrize("by", ["difficulty", "meta.skill"])
def test_a_test_without_it_is_refused(by: str) -> None:
    with pytest.raises(UsageError, match=f"no test question has {by}"):
        slicing_of(by, [asked()])


def test_a_source_belongs_to_the_slice_that_all_its_questions_are_of(
    write_recipe: Callable[[str], Path], tmp_path: Path
) -> None:
    names = {"one": "aaa", "other": "bb", "mixed": "ab", "late": "aab"}
    for name, skills in names.items():
        rows = [{"prompt": f"{name} {i}?", "answer": "2", "tag": skill} for i, skill in enumerate(skills)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    fields = 'take = 2\nfields = { meta = { skill = "tag" } }\n'
    tables = [
        f'[[questions]]\nsource = "jsonl"\npath = "{n}.jsonl"\n{fields}' for n in ("one", "other", "mixed", "late")
    ]
    recipe = load_recipe(write_recipe('name = "tags"\n' + "".join(tables)))
    assert sources_of(recipe, slicing_of("meta.skill", [asked(skill="a")])) == [
        Source("questions.0.take", "a", 2),
        Source("questions.1.take", "b", 2),
        Source("questions.3.take", "a", 2),
    ]


@pytest.fixture
def unequal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Students of four steps are equally bad at all: the errors of the slices alone are put in."""

    def read(*given: Any) -> RoundRead:
        made = read_round(*given)
        right = {"differences": 2, "sums": 8, "1": 2, "2": 8}
        return replace(made, slices=[replace(one, accuracy=wilson(right[one.name], 10)) for one in made.slices])

    monkeypatch.setattr("reasonry.iterating.rounds.read_round", read)


@pytest.mark.long
@pytest.mark.usefixtures("unequal")
def test_the_control_spreads_as_many_questions_evenly(rounds_recipe: Recipes, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder, quiet = tmp_path / "out", Console(quiet=True)
    made = iterate(rounds_recipe(), folder, questions=60, has_control=True, workers=1, console=quiet)
    facts = json.loads(json.dumps(made.facts))
    last, control = facts["rounds"][-1], facts["control"]
    added = [{one["name"]: one["added"] for one in run["slices"]} for run in (last, control)]
    assert added == [{"differences": 48, "sums": 12}, {"differences": 30, "sums": 30}]
    assert control["parent"] == last["parent"] == facts["rounds"][0]["run"]
    assert _further(control) == _further(last)
    assert control["difference"]["n"] == 24
    assert load_run(folder / "control")["digest"] == control["digest"] != last["digest"]
    assert facts["control_words"] in write_iteration(folder).read_text(encoding="utf-8")
    again = iterate(rounds_recipe(), folder, questions=60, has_control=True, workers=1, console=quiet)
    assert again.digest == made.digest
    without = iterate(rounds_recipe(), folder, questions=60, workers=1, console=quiet)
    assert without.facts["control"] is None
    assert without.digest != made.digest


def _further(run: Any) -> list[str]:
    return [one for one in run["settings"] if one.startswith("distil.further")]


@pytest.mark.long
@pytest.mark.usefixtures("unequal")
def test_rounds_by_another_slice_than_the_domain(rounds_recipe: Recipes, tmp_path: Path) -> None:
    """Two sources of one domain, told apart by the number that came with their problems."""
    pytest.importorskip("torch")
    rows = {"1": ["Compute 1 + 2.", "Compute 3 + 4."], "2": ["Compute 1 + 2 + 3.", "Compute 2 + 2 + 2."]}
    for name, prompts in rows.items():
        many = [{"prompt": prompt, "answer": "7", "level": int(name)} for prompt in prompts]
        many += [{"prompt": f"Compute {i} + {name}.", "answer": "7", "level": int(name)} for i in range(20, 40)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, many)), encoding="utf-8")
    tests = [{"prompt": f"Compute {i} + 5.", "answer": str(i + 5), "level": 1 + i % 2} for i in range(12)]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, tests)), encoding="utf-8")
    fields = 'fields = { difficulty = "level" }\nverifier = "math"\n'
    text = 'name = "levels"\n'
    text += "".join(f'[[questions]]\nsource = "jsonl"\npath = "{n}.jsonl"\ntake = 12\n{fields}' for n in rows)
    text += '[curate]\ndeduplicate = false\n[distil]\nteacher = "simulated"\n[select]\nkeep = "all"\n'
    text += '[[train]]\ntrainer = "tiny"\nlayers = 1\nwidth = 16\nheads = 2\nsteps = 4\n'
    text += '[[evaluate]]\nbenchmark = "jsonl"\nname = "t"\npath = "test.jsonl"\nmax_tokens = 8\nuntrained = false\n'
    text += fields
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    made = iterate(
        load_recipe(tmp_path / "recipe.toml"),
        tmp_path / "out",
        questions=10,
        slices="difficulty",
        workers=1,
        console=Console(quiet=True),
    )
    assert made.facts["slices_by"] == "difficulty"
    added = [{one["name"]: one["added"] for one in run["slices"]} for run in made.facts["rounds"]]
    assert added == [{"1": 0, "2": 0}, {"1": 8, "2": 2}]
