"""Languages of questions: told apart by their prose, never by their formulas."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.filters_prose import PROSE
from pydantic import ValidationError

from reasonry.languages import LANGUAGES, NAMES, foreign_letters, language_of, prose, script_counts
from reasonry.records import Record, open_records
from tests.filters.asking import dropped, options_of, rules

ENGLISH = [
    "What is $2 + 2$?",
    "Find all real $x$ with $x^2 = 4$.",
    "Let $a$ and $b$ be positive integers. Compute their greatest common divisor.",
    "A train leaves Köln at 8 and reaches Zürich at noon. How long does it take?",
    "Evaluate $\\int_0^1 x\\,dx$.",
    "SOLVE THE EQUATION FOR THE UNKNOWN NUMBER AND GIVE YOUR ANSWER IN CENTIMETRES.",
    "Write a function that returns a sum.\n```python\ndef somme(liste):\n    raise NotImplementedError\n```",
    'Who wrote "Die Leiden des jungen Werthers"?',
    "Let α and β be the angles of the triangle. What is α + β + γ?",
]
NO_LANGUAGE = [
    "$x^2 + y^2 = z^2$",
    "2 + 2 = ?",
    "",
    "ABC",
    "\\frac{1}{2}",
    "https://example.org/eine/seite",
    "α+β=γ",
    "𝔸𝔹",
]


@pytest.mark.parametrize("prompt", ENGLISH)
def test_english_is_kept(prompt: str) -> None:
    assert rules("language", [prompt]) == [None]


@pytest.mark.parametrize("prompt", NO_LANGUAGE)
def test_a_formula_is_of_no_language(prompt: str) -> None:
    assert language_of(prompt).code is None
    assert rules("language", [prompt]) == [None]
    assert rules("language", [prompt], undetermined="drop") == ["undetermined_language"]


@pytest.mark.parametrize("language", PROSE)
def test_other_languages_are_dropped_and_kept_where_asked_for(language: str) -> None:
    prompts = PROSE[language]
    found = rules("language", prompts)
    assert found.count("other_language") >= 0.7 * len(prompts), found
    assert rules("language", prompts, keep=["en", language]).count(None) >= len(prompts) - 1


def test_nearly_all_of_them_are_told_apart() -> None:
    pairs = [(language, prompt) for language, prompts in PROSE.items() for prompt in prompts]
    found = [(language, language_of(prompt)) for language, prompt in pairs]
    right = sum(language == told.code for language, told in found)
    called_english = [told for _, told in found if told.code == "en"]
    assert right >= 0.95 * len(found)
    assert called_english == []


def test_the_reason_names_both() -> None:
    (drop,) = dropped("language", [PROSE["ja"][0]], keep=["en", "de"])
    assert drop is not None
    assert drop.reason == "ja (100%), not en, de"


@pytest.mark.parametrize("keep", [["english"], ["xx"], []])
def test_a_code_that_is_none_is_refused(keep: list[str]) -> None:
    with pytest.raises(ValidationError):
        options_of("filter", "language", keep=keep)


def test_prose_leaves_out_what_is_of_no_language() -> None:
    text = "Let $ABC$ be `code here` with \\(x\\) and \\textbf{sides} 3, 4: see https://a.b/c. Don't use x."
    assert prose(text) == "Let be with and sides see Don't use"
    assert prose("one two three", 7) == "one two"


def test_scripts_are_counted_by_letters() -> None:
    counts = script_counts("aß Ω д あア 漢 한 א ا1,.!?→∑²")
    expected = {"latin": 2, "greek": 1, "cyrillic": 1, "kana": 2, "han": 1, "hangul": 1, "hebrew": 1, "arabic": 1}
    assert counts == expected
    assert foreign_letters("plain — “text” with ∑, α, é and 😀") == 0
    assert foreign_letters("д漢한") == 3


def test_every_language_has_a_name_and_a_model() -> None:
    from py3langid import langid

    known = set(langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE).labels)
    assert set(LANGUAGES) == set(NAMES)
    assert set(LANGUAGES) <= known


def test_real_questions_in_english_are_kept(shared_data: Path) -> None:
    for name in ("math_gsm8k", "science", "code_leetcode"):
        rows = open_records(shared_data / "questions" / f"{name}.jsonl.zst")
        prompts = [str(row.values["question"]) for row in rows if isinstance(row, Record)]
        found = rules("language", [prompt for prompt in prompts if prompt.strip()][:800])
        assert found.count("other_language") <= 1, name
