"""Near-duplicates: which wordings are one question, and what makes two of them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.filters.deduplicate import deduplicate
from reasonry.filters.duplicates.candidates import CROWD, candidate_pairs
from reasonry.filters.duplicates.clusters import UnionFind, merges
from reasonry.sections import DeduplicateOptions
from reasonry.types import Drop, Question

NEAR = DeduplicateOptions(method="minhash")

Asked = tuple[str, str | None]


def rules(*rows: Question, **options: Any) -> list[str]:
    results = deduplicate(rows, DeduplicateOptions(method="minhash", **options))
    return [result.rule if isinstance(result, Drop) else "kept" for result in results]


def of(*asked: Asked, **options: Any) -> list[str]:
    return rules(*(Question(prompt, answer, "math") for prompt, answer in asked), **options)


CARPET = "A carpet of 14 square metres costs 23 euros per square metre. What does the whole carpet cost?"
TRAIN = (
    "A train leaves Lyon at 9:15 and travels 320 km to Turin at 80 km/h. On the way it stops for 35 minutes. "
    "At what time does it arrive in Turin?"
)
TRAIN_AGAIN = (
    "At what time does a train arrive in Turin that starts from Lyon at 9:15, travels the 320 km at 80 km/h and stops "
    "for 35 minutes on its way?"
)
POINTS = "Let $P = (3, 7)$ and $Q = (9, -1)$. Find the length of the segment $PQ$."

SAME: list[tuple[Asked, Asked]] = [
    # misspelled, a filler more or less
    (
        (CARPET, "322"),
        ("A carpet of 14 square meters costs 23 euros per sqaure metre. What does whole carpet cost?", "322"),
    ),
    (
        (CARPET, None),
        ("A carpet of 14 sqare metres costs 23 euros per square metre. What does the whole carpet cost?", None),
    ),
    # numbers in words, a decimal comma of thousands, a fraction in another form
    ((CARPET, "322"), (CARPET.replace("14", "fourteen"), "322")),
    (
        ("There are 1,200 seats in 48 rows. How many are in each row?", "25"),
        ("There are 1200 seats in 48 rows. How many are in each row?", "25"),
    ),
    (
        ("What is 1/2 of 3/8, in lowest terms?", "3/16"),
        (r"What is $\frac12$ of $\dfrac{3}{8}$, in lowest terms?", "0.1875"),
    ),
    # synonyms, another order of clauses
    (
        (TRAIN, "13:50"),
        (
            TRAIN_AGAIN,
            "13:50",
        ),
    ),
    (
        (CARPET, "322"),
        ("What does a whole carpet of 14 square metres cost if each square metre is sold for 23 euros?", "322"),
    ),
    # an introduction before it, an instruction behind it
    ((POINTS, "10"), (f"You are an expert in geometry. {POINTS} Put your final answer within \\boxed{{}}.", "10")),
    ((POINTS, "10"), (f"{POINTS} Please reason step by step.", None)),
    # answers of another form
    (
        (CARPET, "322"),
        (
            "A carpet of 14 square metres costs 23 euros for each square metre. What does the whole of it cost?",
            r"\boxed{322.0}",
        ),
    ),
]

DIFFERENT: list[tuple[Asked, Asked]] = [
    # other numbers, or the same ones elsewhere
    ((CARPET, "322"), (CARPET.replace("23", "25"), "350")),
    ((CARPET, None), (CARPET.replace("23", "25"), None)),
    (
        ("A box has 16 rows of 55 eggs. How many eggs are there?", "880"),
        ("A box has 55 rows of 16 eggs. How many eggs are there?", "880"),
    ),
    # another answer
    ((CARPET, "322"), (CARPET.replace("whole", "entire"), "323")),
    # another thing asked
    (
        ("Find the maximum of $f(x) = 3x^2 - 12x + 5$ on $[0, 8]$.", None),
        ("Find the minimum of $f(x) = 3x^2 - 12x + 5$ on $[0, 8]$.", None),
    ),
    (
        ("Find the sum of the roots of $3x^2 - 12x + 5 = 0$.", None),
        ("Find the product of the roots of $3x^2 - 12x + 5 = 0$.", None),
    ),
    (
        ("Find the sum of the roots of $3x^2 - 12x + 9 = 0$.", "4"),
        ("Find the difference of the roots of $3x^2 - 12x + 9 = 0$.", "4"),
    ),
    (
        ("Which of the numbers 21, 35 and 41 is prime?", None),
        ("Which of the numbers 21, 35 and 41 is not prime?", None),
    ),
    (("Compute $\\sin 225^\\circ$.", r"-\frac{\sqrt{2}}{2}"), ("Compute $\\cos 225^\\circ$.", r"-\frac{\sqrt{2}}{2}")),
    (
        (TRAIN, None),
        (TRAIN.replace("At what time does it arrive in Turin?", "For how long does it stand still?"), None),
    ),
    (("Simplify $(x + 12)(x - 35)$.", None), ("Simplify $(x - 12)(x + 35)$.", None)),
    # the same numbers in another story
    (
        ("Ann has 142 books and Ben has 78. How many more has Ann?", "64"),
        ("Of 142 trees in a park 78 are oaks. How many trees are no oaks?", "64"),
    ),
    # other people, other letters, other words in quotes
    (
        ("If Norma walks for 5 hours at 3 miles per hour, how far does Norma go?", "15"),
        ("If Stella walks for 5 hours at 3 miles per hour, how far does Stella go?", "15"),
    ),
    (("Find the discriminant of $2t^2 - 4t - 720$.", "5776"), ("Find the discriminant of $2n^2 - 4n - 720$.", "5776")),
    (
        ('In how many ways can the letters of "CEASE" be arranged?', "60"),
        ('In how many ways can the letters of "RADII" be arranged?', "60"),
    ),
    # an answer that says little vouches for little
    (
        ("Is the sentence true? Every poet is a dreamer of dreams.", "yes"),
        ("Is the sentence true? Every baker is a dreamer of bread.", "yes"),
    ),
    (
        ("Statement: every cyclic group is abelian. True or false?", "True"),
        ("Statement: every cyclic group is finite. True or false?", "True"),
    ),
    # pieces laid otherwise
    (
        ("Knights stand on a1 b2 c3 and bishops on c1 b3 a2. Can they swap?", "no"),
        ("Knights stand on c1 b3 a2 and bishops on a1 b2 c3. Can they swap?", "no"),
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_wordings_of_one_question(one: Asked, other: Asked) -> None:
    assert sorted(of(one, other)) == ["kept", "near_duplicate"] or of(one, other) == ["kept", "duplicate"]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_questions_that_look_alike(one: Asked, other: Asked) -> None:
    assert of(one, other) == ["kept", "kept"]


@pytest.mark.parametrize(("one", "other"), [*SAME, *DIFFERENT])
def test_which_of_two_comes_first_does_not_decide_whether_they_are_one(one: Asked, other: Asked) -> None:
    assert of(one, other).count("kept") == of(other, one).count("kept")


def test_numbers_may_be_told_not_to_count() -> None:
    rows = ((CARPET, "322"), (CARPET.replace("14", "15").replace("23", "21"), "315"))
    assert of(*rows, numbers=False) == ["kept", "kept"]
    assert of(*rows, numbers=False, answers=False) == ["kept", "near_duplicate"]


def test_answers_may_be_told_not_to_count() -> None:
    rows = ((CARPET, "322"), (CARPET.replace("whole", "entire"), "323"))
    assert of(*rows, answers=False) == ["kept", "near_duplicate"]


def test_a_higher_threshold_wants_more_alike() -> None:
    one, other = SAME[6]
    assert of(one, other, threshold=0.5) == ["kept", "near_duplicate"]
    assert of(one, other, threshold=0.99) == ["kept", "kept"]


def test_choices_must_be_the_same_set() -> None:
    prompt, again = "Which city lies furthest north?", "Which of these cities lies furthest to the north?"
    spec = {"choices": ["Oslo", "Rome", "Lima"]}
    one = Question(prompt, "A", "choice", spec=spec)
    same = Question(again, "C", "choice", spec={"choices": ["Rome", "Lima", "Oslo"]})
    other = Question(again, "A", "choice", spec={"choices": ["Oslo", "Rome", "Cairo"]})
    assert rules(one, same) == ["kept", "near_duplicate"]
    assert rules(one, other) == ["kept", "kept"]


def test_tests_of_a_program_must_be_the_same_where_both_have_them() -> None:
    prompt = "Read n integers and print the largest sum of two neighbours. The first line holds n."
    again = "Read n integers and print the largest sum of two neighbouring ones. The first line contains n."
    one = Question(prompt, None, "code", spec={"tests": [{"input": "2\n3 4", "output": "7"}]})
    same = Question(again, None, "code", spec={"tests": [{"input": "2\n3 4", "output": "7"}]})
    other = Question(again, None, "code", spec={"tests": [{"input": "2\n3 4", "output": "8"}]})
    assert rules(one, same) == ["kept", "near_duplicate"]
    assert rules(one, other) == ["kept", "kept"]


def test_a_chain_of_small_steps_takes_nobody_along_who_is_unlike_the_survivor() -> None:
    alike = {(0, 1): 0.9, (1, 2): 0.9, (2, 3): 0.9}

    def similarity(one: int, other: int) -> float | None:
        return alike.get((min(one, other), max(one, other)))

    found = list(merges(list(alike), similarity, lambda place: (0, place)))
    assert [(merge.place, merge.survivor) for merge in found] == [(1, 0), (3, 2)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_sets_grow_together_as_the_pairs_say(pairs: list[tuple[int, int]]) -> None:
    joined = UnionFind()
    for one, other in pairs:
        joined.join(one, other)
    naive = {member: {member} for pair in pairs for member in pair}
    for one, other in pairs:
        union = naive[one] | naive[other]
        naive |= dict.fromkeys(union, union)
    assert joined.sets() == sorted(sorted(group) for group in {frozenset(g) for g in naive.values() if len(g) > 1})


WORDS = [f"w{n}" for n in range(3000)]


def texts_with_plants(count: int, template: int, seed: int) -> tuple[list[list[str]], list[tuple[int, int]]]:
    """Texts of `template` words that all share and 20 of their own; every tenth is one before it with three changed."""
    stream = random.Random(seed)
    shared, texts, plants = [f"t{n}" for n in range(template)], list[list[str]](), list[tuple[int, int]]()
    for place in range(count):
        own = stream.sample(WORDS, 20)
        if place % 10 == 9:
            of = stream.randrange(place)
            own = [*texts[of][template:]]
            for at in stream.sample(range(20), 3):
                own[at] = stream.choice(WORDS)
            plants.append((of, place))
        texts.append([*shared, *own])
    return texts, plants


@pytest.mark.parametrize("template", [0, 40, 200])
def test_in_a_large_group_near_all_pairs_that_are_alike_are_candidates(template: int) -> None:
    texts, plants = texts_with_plants(2000, template, seed=template)
    found = set(candidate_pairs(range(2000), texts.__getitem__))
    assert len(found.intersection(plants)) > 0.97 * len(plants)
    assert len(found) < 20 * 2000


def test_a_group_of_one_template_costs_no_square() -> None:
    texts = [[f"t{n}" for n in range(30)] for _ in range(5000)]
    assert len(candidate_pairs(range(5000), texts.__getitem__)) < 30 * 5000


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS[:12]), max_size=6), max_size=CROWD + 12))
def test_candidates_are_pairs_of_the_group_in_order(texts: list[list[str]]) -> None:
    places = [10 * n for n in range(len(texts))]
    pairs = candidate_pairs(places, lambda place: texts[place // 10])
    assert pairs == sorted(set(pairs))
    assert all(one < other and {one, other} <= set(places) for one, other in pairs)
    if len(texts) <= CROWD:
        assert len(pairs) == len(texts) * (len(texts) - 1) // 2


def test_candidates_are_the_same_every_time() -> None:
    texts, _ = texts_with_plants(600, 10, seed=5)
    assert candidate_pairs(range(600), texts.__getitem__) == candidate_pairs(range(600), texts.__getitem__)
