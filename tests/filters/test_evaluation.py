"""The recipe's own evaluation questions stay out of training, in whatever spelling; other numbers are others."""

from __future__ import annotations

from pathlib import Path

from reasonry.filters.evaluation import in_evaluation
from reasonry.filters.normal import question_key
from reasonry.recipe import load_recipe
from reasonry.registry import find
from reasonry.types import Drop, Question
from tests.conftest import ROOT
from tests.filters.benchmarked import BAKER, CACTUS, LENS, row


def rules(rows: list[Question], held_out: list[Question]) -> list[str]:
    return [result.rule if isinstance(result, Drop) else "kept" for result in in_evaluation(rows, held_out)]


def test_the_same_question_is_dropped_and_names_the_evaluation_s(tmp_path: Path) -> None:
    held_out = [row("What is 1 + 1?", answer="2", number=7)]
    dropped, kept = in_evaluation([row("WHAT is 1 + 1"), row("What is 1 + 2?")], held_out)
    assert isinstance(dropped, Drop)
    assert (dropped.rule, dropped.other_id) == ("in_evaluation", held_out[0].id)
    assert "the same text as a, row 7" in dropped.reason
    assert isinstance(kept, Question)


def test_other_spellings_and_longer_texts_are_dropped() -> None:
    held_out = [row(BAKER, number=1), row(LENS, number=2), row(CACTUS, number=3)]
    shuffled = CACTUS.replace("(A)", "(X)").replace("(D)", "(A)").replace("(X)", "(D)")
    rows = [row(BAKER.replace(". ", ".\n\n")), row(f"Try this one. {LENS} Explain."), row(shuffled)]
    assert rules(rows, held_out) == ["in_evaluation"] * 3


def test_other_numbers_are_kept_without_any_mark() -> None:
    changed = row(BAKER.replace("48", "60").replace("36", "24"))
    assert list(in_evaluation([changed], [row(BAKER)])) == [changed]


def test_the_same_text_over_other_choices_is_kept() -> None:
    held_out = [row("Which is true?", ["Tin rusts.", "Iron floats.", "Lead sings.", "Gold is light."])]
    asked = row("Which is true?", ["Rain is dry.", "Ice is warm.", "Snow is black.", "Fog is loud."])
    assert rules([asked, held_out[0]], held_out) == ["kept", "in_evaluation"]


def test_a_family_of_problems_loses_only_the_problems_of_its_evaluation() -> None:
    recipe = load_recipe(ROOT / "recipes" / "demo.toml")
    (section,), (evaluated,) = recipe.questions, recipe.evaluate
    rows = [q for q in find("source", section.source).call(section) if isinstance(q, Question)]
    held_out = [q for q in find("benchmark", evaluated.benchmark).call(evaluated) if isinstance(q, Question)]
    planted = [*rows[:300], *held_out[:5], *rows[300:600]]
    keys = {question_key(question) for question in held_out}
    assert rules(planted, held_out) == ["in_evaluation" if question_key(q) in keys else "kept" for q in planted]
