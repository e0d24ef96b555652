"""Where the next round's questions are asked for: in proportion to the error, and never fewer than before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reasonry.iterating import Source, sources_of, spend
from reasonry.iterating.spending import added
from reasonry.recipe import load_recipe

ERRORS = st.dictionaries(st.sampled_from("abc"), st.floats(0, 1))
SOURCES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9999)), min_size=1, max_size=6).map(
    lambda rows: [Source(f"questions.{i}.count", domain, count) for i, (domain, count) in enumerate(rows)]
)
RECIPE = """
name = "sources"
[[questions]]
source = "procedural"
count = 40
domain = "made"
[[questions]]
source = "jsonl"
path = "rows.jsonl"
take = 5
domain = "read"
[[questions]]
source = "jsonl"
path = "rows.jsonl"
[[questions]]
source = "jsonl"
path = "rows.jsonl"
take = 5
fields = { domain = "subject" }
"""


def test_questions_go_where_the_errors_are() -> None:
    sources = [Source("questions.0.count", "sums", 100), Source("questions.1.count", "proofs", 100)]
    spent = spend(sources, {"sums": 0.1, "proofs": 0.3}, 80)
    assert [one.setting for one in spent] == ["questions.0.count=120", "questions.1.count=160"]
    assert added(sources, spent) == {"sums": 20, "proofs": 60}


def test_two_sources_of_one_domain_share_by_their_sizes() -> None:
    sources = [Source("a", "sums", 300), Source("b", "sums", 100), Source("c", "proofs", 1)]
    assert [one.count for one in spend(sources, {"sums": 0.5, "proofs": 0.5}, 80)] == [330, 110, 41]


@given(SOURCES, ERRORS, st.integers(1, 5000))
def test_all_is_spent_on_slices_with_errors_or_nothing_is(
    sources: list[Source], errors: dict[str, float], questions: int
) -> None:
    spent = spend(sources, errors, questions)
    more = [new.count - old.count for old, new in zip(sources, spent, strict=True)]
    is_fed = any(errors.get(source.slice, 0.0) > 0 for source in sources)
    assert min(more) >= 0
    assert sum(more) == (questions if is_fed else 0)
    assert all(n == 0 for source, n in zip(sources, more, strict=True) if not errors.get(source.slice))


def test_sources_that_can_give_more_of_one_domain(write_recipe: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("", encoding="utf-8")
    assert sources_of(load_recipe(write_recipe(RECIPE))) == [
        Source("questions.0.count", "made", 40),
        Source("questions.1.take", "read", 5),
    ]


def test_a_single_table_of_questions_has_no_number_in_its_key(write_recipe: Callable[[str], Path]) -> None:
    recipe = load_recipe(write_recipe('name = "one"\n[questions]\nsource = "procedural"\ncount = 7\ndomain = "x"\n'))
    assert sources_of(recipe) == [Source("questions.count", "x", 7)]
    assert load_recipe(recipe.path, ["questions.count=9"]).questions[0].key_content()["count"] == 9
