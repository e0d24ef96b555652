"""Decontamination: what counts as a benchmark's question in another guise, and what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.executors.spread import spread
from reasonry.registry import find
from reasonry.testing import check_filter
from reasonry.types import Drop, Question
from tests.filters.benchmarked import (
    BAKER,
    BENCHMARK,
    CACTUS,
    FORMULA,
    LENS,
    PASSAGE,
    SHORT,
    decided,
    drops_of,
    row,
)
from tests.sources.parts import options, part

CHOICES = [
    "A waxy skin that slows evaporation",
    "Leaves that follow the sun",
    "Roots that reach the ground water",
    "Seeds that float on water",
]
STEM = CACTUS.partition("\n")[0]

SAME: dict[str, tuple[str, str | Question]] = {
    "verbatim": ("same text", BAKER),
    "case and white space": ("same text", f"  {BAKER.upper()}\n\n".replace(" ", "\n ")),
    "markdown": ("same text", f"**Question:** {LENS}"),
    "typographic quotes and dashes": ("same text", PASSAGE.replace(" - ", " – ").replace("'", "’")),
    "another way to write a formula": (
        "same text",
        r"Let \( f(x)=\dfrac{3 x^{2}-7}{x+4} \) for \( x\ne -4 \). What is the sum of all real \(x\) with \(f(x)=5\)?",
    ),
    "before it another text": ("embedded", f"I found this in an old exercise book. Please help!\n\n{BAKER}"),
    "behind it another text": ("embedded", f"{FORMULA}\n\nThink step by step and put the result into a box."),
    "in the midst": (
        "embedded",
        f"Our school had a quiz night. One of the questions was this. {LENS} Nobody at our table knew. What about you?",
    ),
    "a typing mistake and a word too many": (
        "near",
        BAKER.replace("morning", "mornign").replace("gives", "also gives").replace("afternoon", "long afternoon"),
    ),
    "other words": (
        "near",
        BAKER.replace("Every morning", "Each day").replace("sells", "hands out").replace("are left", "remain"),
    ),
    "a sentence moved": (
        "near",
        "How many rolls are left for the afternoon? "
        + BAKER.removesuffix(" How many rolls are left for the afternoon?"),
    ),
    "numbers in words": ("same text", BAKER.replace("48", "forty-eight").replace("9", "nine")),
    "choices in another order": (
        "shuffled choices",
        f"{STEM}\n" + "\n".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", CHOICES[::-1], strict=True)),
    ),
    "choices lettered otherwise": (
        "shuffled choices",
        f"{STEM}\nOptions:\n"
        + "\n".join(f"{letter}. {CHOICES[i]}" for letter, i in zip("abcd", (2, 0, 3, 1), strict=True)),
    ),
    "choices beside the text": ("shuffled choices", row(STEM, [CHOICES[i] for i in (3, 1, 0, 2)])),
    "without its choices": ("same text", STEM),
    "a short question": ("same text", "compute 17*23"),
    "a short question, asked otherwise": ("near", "What is 17 × 23?"),
    "a short question among others": (
        "embedded",
        "Let us begin with mental arithmetic. Compute 17 * 23. Explain how you did it.",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_a_benchmark_question_in_another_guise_is_dropped(tmp_path: Path, name: str) -> None:
    how, text = SAME[name]
    (drop,) = drops_of(tmp_path, text)
    assert drop is not None
    assert (drop.rule, json.loads(drop.content)["how"]) == ("contaminated", how)


OTHER: dict[str, str | Question] = {
    "boilerplate alone": "Express your answer as a common fraction. How many hours does the journey of 90 km take?",
    "the same instruction for another formula": "Let $g(t) = t^3$. What is the sum of all real $t$ with $g(t) = 8$?",
    "the template with other content": (
        "Every evening Tarek paints 48 small tiles and 36 large tiles. He ships two thirds of the small tiles before"
        " dinner and lends 9 large tiles to the harbour office. How many tiles are left for the weekend?"
    ),
    "another question on the same passage": PASSAGE.replace(
        "Why did the museum buy the book?", "What did the daughter of the lighthouse keeper do with flowers?"
    ),
    "half of a benchmark question": PASSAGE[: len(PASSAGE) // 2],
    "the choices of a benchmark question under another": row(
        "Which trait helps a water lily to keep its leaves dry in a pond?", CHOICES
    ),
    "the same stem word for word over other choices": row(
        "Which of the following is true?", ["Iron floats.", "Tin rusts.", "Gold is heavy.", "Lead is light."]
    ),
    "a short question with other numbers": "Compute 17 * 32.",
    "a short question with another sign": "Compute 17 + 23.",
    "a short question as part of a longer one": "Compute 17 * 23 + 5 * 19, then halve it.",
    "another language": "Wie viele Brötchen bleiben für den Nachmittag, wenn Odalys 48 gebacken hat?",
    "nothing but a name in common": "Odalys has a microscope.",
    "signs alone": "? ! ...",
}


@pytest.mark.parametrize("name", OTHER)
def test_a_question_that_is_another_one_is_kept(tmp_path: Path, name: str) -> None:
    (drop,) = drops_of(tmp_path, OTHER[name])
    assert drop is None, drop.reason


OTHER_NUMBERS = {
    "all of them": BAKER.replace("48", "60").replace("36", "24").replace("9", "4"),
    "one of them": BAKER.replace("36", "40"),
    "in a longer text": f"A nice one for the weekend. {LENS.replace('0.04', '0.07').replace('250', '400')} Good luck!",
    "a sign": FORMULA.replace("x) = 5", "x) = -5"),
}


@pytest.mark.parametrize("name", OTHER_NUMBERS)
def test_other_numbers_are_a_class_of_their_own(tmp_path: Path, name: str) -> None:
    (drop,) = drops_of(tmp_path, OTHER_NUMBERS[name])
    assert drop is not None
    assert drop.rule == "contaminated_numbers_changed"
    assert "other numbers" in drop.reason


def test_rows_with_other_numbers_may_be_kept_with_a_note(tmp_path: Path) -> None:
    changed = row(OTHER_NUMBERS["all of them"])
    kept, dropped = decided(tmp_path, [changed, BAKER], numbers_changed="keep")
    assert isinstance(kept, Question)
    assert kept.id == changed.id
    assert kept.meta["note"] == {
        "rule": "contaminated_numbers_changed",
        "other_id": "b0",
        "benchmark": "bench.jsonl",
        "row": "b0",
        "score": 1.0,
    }
    assert isinstance(dropped, Drop)


@pytest.mark.parametrize(("word", "opposite"), [("most", "least"), ("sum", "product"), ("before", "after")])
def test_a_word_in_the_place_of_its_opposite_makes_another_question(tmp_path: Path, word: str, opposite: str) -> None:
    asked = (
        f"Of all ferries that call at Holmsund {{}} noon, which {{}} carries lorries? Take the {word} of their crews."
    )
    question = asked.format("during", "one")
    same, other = decided(tmp_path, [question, question.replace(word, opposite)], question)
    assert isinstance(same, Drop)
    assert isinstance(other, Question)


def test_a_template_that_the_benchmark_repeats_is_not_a_question_with_other_numbers(tmp_path: Path) -> None:
    again = LENS.replace("0.04", "0.09").replace("250", "600")
    (result,) = decided(tmp_path, [LENS.replace("0.04", "0.02").replace("250", "90")], again)
    assert isinstance(result, Question)


def test_other_numbers_are_found_where_numbers_are_what_tells_the_benchmark_s_questions_apart(tmp_path: Path) -> None:
    asked = (
        "The chess club of {} has {} members. Of these, {} can juggle, {} can ride, and {} can do both."
        " How many members can juggle or ride but not both?"
    )
    towns = ("Wrenfield", "Dovecote", "Inverlay", "Bellmoor", "Ravensford", "Hollins", "Ashcombe", "Thornbury")
    more = [asked.format(town, 80 + n, 40 + 3 * n, 39 - n, 10 + n) for n, town in enumerate(towns)]
    (drop,) = decided(tmp_path, [asked.format("Dovecote", 366, 61, 16, 6)], *more)
    assert isinstance(drop, Drop)
    assert drop.rule == "contaminated_numbers_changed"


def test_another_board_is_another_question(tmp_path: Path) -> None:
    asked = "Place queens on the board below so that no two attack each other, and return the whole board.\n\n{}"
    boards = ["_ _ _ Q\n_ _ _ _\n_ _ _ _\n_ _ _ _", "_ _ _ _\n_ _ _ _\n_ Q _ _\n_ _ _ _"]
    same, other = decided(tmp_path, [asked.format(board) for board in boards], asked.format(boards[0]))
    assert isinstance(same, Drop)
    assert isinstance(other, Question)


def test_another_formula_in_a_template_is_another_question(tmp_path: Path) -> None:
    asked = "A sequence of letters folds in the workshop of the tinsmith. What is left of {} after all pairs are gone?"
    more = [asked.format(letters) for letters in ("x y y x z x", "z z y x y z")]
    same, other = decided(tmp_path, [more[0], asked.format("y y y z x z")], *more)
    assert isinstance(same, Drop)
    assert isinstance(other, Question)


def test_a_phrase_that_many_benchmark_questions_share_contaminates_nothing(tmp_path: Path) -> None:
    stock = "Give your result as an integer between 000 and 999, as is the custom in contests of this kind."
    more = [f"{question} {stock}" for question in ("How tall is the old oak?", "When does the ferry leave the island?")]
    (result,) = decided(tmp_path, [f"How old is the stone bridge of Elmsworth? {stock}"], *more, f"{LENS} {stock}")
    assert isinstance(result, Question)


def test_a_drop_names_the_benchmark_the_row_the_rule_the_span_and_the_score(tmp_path: Path) -> None:
    before = "My uncle asked me this at dinner. "
    (drop,) = drops_of(tmp_path, f"{before}{LENS} I said one centimetre.")
    assert drop is not None
    begin, end = len(before), len(before) + len(LENS)
    assert drop.other_id == "b2"
    assert drop.reason.startswith(
        f"holds the whole of bench.jsonl, row b2 (score 1.00, characters {begin}-{end}): 'A botanist looks at"
    )
    content = json.loads(drop.content)
    assert content["text"] == LENS
    assert (content["span"], content["score"]) == ([begin, end], 1.0)
    assert (content["benchmark"], content["row"], content["benchmark_text"]) == ("bench.jsonl", "b2", LENS)


@pytest.mark.parametrize("name", SAME)
def test_the_span_covers_the_question_and_lies_in_the_prompt(tmp_path: Path, name: str) -> None:
    _, text = SAME[name]
    prompt = text.prompt if isinstance(text, Question) else text
    (drop,) = drops_of(tmp_path, text)
    assert drop is not None
    begin, end = json.loads(drop.content)["span"]
    assert 0 <= begin < end <= len(prompt)
    words = {word for word in prompt[begin:end].lower().split() if word.isalpha()}
    asked = {word for question in BENCHMARK for word in question.lower().split() if word.isalpha()}
    assert not words or len(words & asked) >= 0.7 * len(words)


def test_a_row_without_an_id_is_named_by_its_number(tmp_path: Path) -> None:
    (drop,) = drops_of(tmp_path, LENS, fields={"prompt": "prompt"})
    assert drop is not None
    assert drop.other_id == "bench.jsonl:3"
    assert "bench.jsonl, row 3" in drop.reason


def test_a_longer_run_finds_fewer(tmp_path: Path) -> None:
    edited = " ".join(word if i % 6 else f"{word} indeed" for i, word in enumerate(BAKER.split()))
    assert [drop is None for drop in drops_of(tmp_path, edited, BAKER, ngram=4)] == [False, False]
    assert [drop is None for drop in drops_of(tmp_path, edited, BAKER, ngram=13)] == [True, False]


def test_every_row_comes_out_once_and_in_order(tmp_path: Path) -> None:
    rows = [row(f"Row {i}: how many apples are there?", number=i) for i in range(700)]
    rows[350] = row(LENS, number=350)
    results = decided(tmp_path, rows)
    assert [r.row_id if isinstance(r, Drop) else r.id for r in results] == [question.id for question in rows]
    assert [i for i, result in enumerate(results) if isinstance(result, Drop)] == [350]
    chosen = options("filter", "decontaminate", tmp_path, against=["bench.jsonl"], fields={"id": "id"})
    check_filter(part("filter", "decontaminate"), rows, chosen)


def test_rows_are_read_as_they_are_wanted(tmp_path: Path) -> None:
    decided(tmp_path, [])
    read = 0

    def endless() -> Iterator[Question]:
        nonlocal read
        while True:
            read += 1
            yield row(f"Row {read}: how many apples are there?", number=read)

    chosen = options("filter", "decontaminate", tmp_path, against=["bench.jsonl"])
    next(part("filter", "decontaminate").call(endless(), chosen))
    assert read <= 1000


def test_several_workers_decide_as_one_does(tmp_path: Path) -> None:
    texts = [text for _, text in SAME.values()]
    rows = [
        row(text, number=i) if isinstance(text, str) else text for i, text in enumerate([*texts, *OTHER.values()] * 40)
    ]
    alone = decided(tmp_path, rows)
    chosen = options("filter", "decontaminate", tmp_path, against=["bench.jsonl"], fields={"id": "id"})
    with find("executor", "local").call(2) as executor:
        together = list(part("filter", "decontaminate").call(rows, chosen, mapper=spread(executor)))
    assert together == alone


def test_another_seed_of_python_s_hashes_changes_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from tests.filters.test_decontaminate import SAME, OTHER\n"
        "from tests.filters.benchmarked import decided\n"
        "rows = [text for _, text in SAME.values()] + list(OTHER.values())\n"
        "print(decided(pathlib.Path(sys.argv[1]), rows))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=9), min_size=12, max_size=30, unique=True)


@settings(max_examples=30)
@given(WORDS, st.integers(0, 3), st.integers(0, 3))
def test_a_question_that_stands_in_a_row_is_always_found(words: list[str], before: int, after: int) -> None:
    question, padding = " ".join(words), "Some other sentence stands here, of no importance at all. "
    found = _alone(question, padding * before + question + ". " + padding * after)
    assert found is not None
    assert found["score"] == 1.0


@settings(max_examples=30)
@given(WORDS, st.text(max_size=200))
def test_whatever_stands_in_a_row_nothing_breaks(words: list[str], text: str) -> None:
    _alone(" ".join(words), text)


def _alone(question: str, prompt: str) -> dict[str, Any] | None:
    from reasonry.filters.contamination_index import prepared, searcher

    search = searcher({"questions": [prepared(question)], "ngram": 4})
    (found,) = search([{"prompt": prompt, "choices": []}])
    return found


def test_the_short_question_is_itself(tmp_path: Path) -> None:
    assert drops_of(tmp_path, SHORT)[0] is not None
