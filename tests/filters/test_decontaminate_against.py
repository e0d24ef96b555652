"""What a recipe may name as a benchmark to keep out, and what of it decides the stage's key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasonry.errors import InputError, ReasonryError
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.sections import DecontaminateOptions
from reasonry.types import Drop
from tests.filters.benchmarked import BAKER, LENS, row
from tests.sources.parts import options, part

RECIPE = """name = "kept-out"
[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "math"
[curate]
decontaminate = {{ against = [{against}]{more} }}
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path / "questions.jsonl", [{"prompt": BAKER, "answer": "43"}])
    write(tmp_path / "bench.jsonl", [{"prompt": LENS, "id": "l1"}, {"prompt": BAKER, "id": "b1"}])
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the fake of the Hub was asked for. Every dataset of it has the baker's question."""
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    seen: list[dict[str, Any]] = []

    def load_dataset(path: str, **given: Any) -> Sequence[dict[str, Any]]:
        seen.append({"path": path, **given})
        return [{"prompt": BAKER, "problem": BAKER, "answer": "43", "unique_id": "x/7"}]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(
        "reasonry.sources.hub._newest_commit", lambda _, revision: (revision or "newest").ljust(40, "0")
    )
    return seen


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")


def loaded(home: Path, against: str, more: str = "") -> DecontaminateOptions:
    (home / "recipe.toml").write_text(RECIPE.format(against=against, more=more), encoding="utf-8")
    curate = load_recipe(home / "recipe.toml").curate
    assert curate is not None
    assert curate.decontaminate is not None
    return curate.decontaminate


def found(given: DecontaminateOptions) -> Drop:
    (result,) = part("filter", "decontaminate").call([row(BAKER)], given)
    assert isinstance(result, Drop)
    return result


def refused(home: Path, against: str) -> ReasonryError:
    with pytest.raises(ReasonryError) as error:
        loaded(home, against)
    return error.value


def key_of(home: Path) -> str:
    return next(step.key for step in make_plan(load_recipe(home / "recipe.toml")) if step.stage == "curate")


def test_a_file_beside_the_recipe(home: Path) -> None:
    drop = found(loaded(home, '"bench.jsonl"', ', fields = { id = "id" }'))
    assert drop.other_id == "b1"
    assert "bench.jsonl, row b1" in drop.reason


def test_a_benchmark_by_its_name(home: Path, hub: list[dict[str, Any]]) -> None:
    assert "math500, row x/7" in found(loaded(home, '"math500"')).reason
    assert hub[0]["path"] == "HuggingFaceH4/MATH-500"


def test_a_dataset_of_the_hub_with_its_revision(home: Path, hub: list[dict[str, Any]]) -> None:
    drop = found(loaded(home, f'"someone/sums@{COMMIT}"'))
    assert "someone/sums, row 1" in drop.reason
    assert (hub[0]["path"], hub[0]["split"], hub[0]["revision"]) == ("someone/sums", "test", COMMIT)


def test_a_dataset_has_the_columns_of_the_section(home: Path, hub: list[dict[str, Any]]) -> None:
    assert (
        found(loaded(home, '"someone/sums"', ', fields = { prompt = "problem", id = "unique_id" }')).other_id == "x/7"
    )
    assert hub


def test_a_table_has_options_of_its_own(home: Path, hub: list[dict[str, Any]]) -> None:
    table = '{ source = "hub", path = "someone/sums", config = "c", split = "dev", fields = { prompt = "problem" } }'
    assert found(loaded(home, table, ', fields = { prompt = "nothing" }')).rule == "contaminated"
    assert (hub[0]["name"], hub[0]["split"]) == ("c", "dev")


def test_a_table_may_name_a_benchmark(home: Path) -> None:
    drop = found(loaded(home, '{ benchmark = "jsonl", path = "bench.jsonl", verifier = "math", name = "sums" }'))
    assert "sums, row 2" in drop.reason


def test_a_benchmark_made_by_a_rule(home: Path) -> None:
    given = loaded(home, '{ benchmark = "procedural", family = "purchase", count = 20, seed = 3 }')
    (question, *_) = (q for q in part("benchmark", "procedural").call(given.against[0]) if not isinstance(q, Drop))
    (result,) = part("filter", "decontaminate").call([question], given)
    assert isinstance(result, Drop)


def test_a_folder_is_a_dataset(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "cache")
    (home / "held").mkdir()
    write(home / "held" / "test.jsonl", [{"prompt": BAKER, "answer": "43"}])
    assert "held, row 1" in found(loaded(home, '"./held"')).reason


def test_a_bare_name_is_a_benchmark_s_whatever_lies_beside_the_recipe(home: Path) -> None:
    (home / "math500").mkdir()
    (given,) = loaded(home, '"math500"').against
    assert given.benchmark == "math500"


NEAREST = [
    ('"math5000"', "did you mean 'math500'?"),
    ('"aime-24"', "did you mean 'aime24'?"),
    ('"gqpa_diamond"', "did you mean 'gpqa_diamond'?"),
    ('{ benchmark = "jsnol", path = "bench.jsonl" }', "did you mean 'jsonl'?"),
    ('{ source = "hbu", path = "a/b" }', "did you mean 'hub'?"),
]


@pytest.mark.parametrize(("against", "hint"), NEAREST)
def test_an_unknown_name_is_told_with_the_recipe_s_line_and_the_nearest_one(
    home: Path, against: str, hint: str
) -> None:
    error = refused(home, against)
    assert error.hint == hint
    assert "recipe.toml:7" in str(error.place)


WRONG = [
    '"absent.jsonl"',
    '"folder/absent.jsonl"',
    '""',
    '" "',
    '"a\\u0000b.jsonl"',
    "7",
    "[]",
    "{}",
    '{ path = "bench.jsonl" }',
    '{ benchmark = "jsonl", source = "jsonl", path = "bench.jsonl" }',
    '{ benchmark = "jsonl", path = "absent.jsonl", verifier = "math" }',
    '{ benchmark = "jsonl", path = "bench.jsonl", verifier = "math", colour = "red" }',
]


@pytest.mark.parametrize("against", WRONG)
def test_what_names_no_benchmark_is_an_error_of_the_recipe_s_line(home: Path, against: str) -> None:
    error = refused(home, against)
    assert "recipe.toml:7" in str(error.place)
    assert error.message


def test_no_benchmark_at_all_is_an_error(home: Path) -> None:
    assert "against" in str(refused(home, "").place)


@pytest.mark.parametrize(
    "against", ['"bench.jsonl"', '{ benchmark = "jsonl", path = "bench.jsonl", verifier = "math" }']
)
def test_a_row_without_a_question_stops_the_run(home: Path, against: str) -> None:
    write(home / "bench.jsonl", [{"prompt": LENS}, {"prompt": " "}])
    with pytest.raises(InputError, match="cannot be read") as error:
        found(loaded(home, against))
    assert error.value.hint is not None


def test_the_key_follows_the_file_s_content_and_not_its_folder(home: Path) -> None:
    loaded(home, '"bench.jsonl"')
    before = key_of(home)
    (home / "sub").mkdir()
    (home / "bench.jsonl").rename(home / "sub" / "bench.jsonl")
    loaded(home, '"sub/bench.jsonl"')
    assert key_of(home) == before
    write(home / "sub" / "bench.jsonl", [{"prompt": LENS}])
    assert key_of(home) != before


def test_the_key_follows_the_revision_of_a_dataset(home: Path, hub: list[dict[str, Any]]) -> None:
    keys: set[str] = set()
    for entry in ('"someone/sums"', '"someone/sums@v1"', f'"someone/sums@{COMMIT}"', '"math500"', '"aime24"'):
        loaded(home, entry)
        keys.add(key_of(home))
    assert len(keys) == 5
    assert not hub


@pytest.mark.parametrize("more", [", ngram = 8", ', numbers_changed = "keep"', ', fields = { prompt = "q" }'])
def test_the_key_follows_the_options(home: Path, more: str) -> None:
    loaded(home, '"bench.jsonl"')
    before = key_of(home)
    loaded(home, '"bench.jsonl"', more)
    assert key_of(home) != before


def test_the_key_follows_the_version_of_the_benchmark_s_part(home: Path) -> None:
    given = loaded(home, '{ benchmark = "procedural", family = "purchase", count = 20, seed = 3 }')
    inputs = part("filter", "decontaminate").inputs
    assert inputs is not None
    assert part("benchmark", "procedural").label in [entry.name for entry in inputs(given)]


@pytest.mark.parametrize("ngram", [2, 0, -1, 51, "13"])
def test_a_run_of_too_few_or_too_many_words_is_refused(home: Path, ngram: Any) -> None:
    with pytest.raises(ValidationError):
        options("filter", "decontaminate", home, against=["bench.jsonl"], ngram=ngram)


def test_a_table_that_no_recipe_has_checked_works_too(home: Path) -> None:
    table = {"benchmark": "procedural", "family": "purchase", "count": 5, "seed": 1}
    given = options("filter", "decontaminate", home, against=[table])
    assert list(part("filter", "decontaminate").call([row(BAKER)], given)) == [row(BAKER)]


def test_several_benchmarks_are_kept_out_at_once(home: Path, hub: list[dict[str, Any]]) -> None:
    write(home / "bench.jsonl", [{"prompt": LENS}])
    given = loaded(home, '"bench.jsonl", "math500"')
    results = part("filter", "decontaminate").call([row(LENS), row(BAKER), row("Who painted the barn?")], given)
    assert [isinstance(result, Drop) and result.reason.partition(" (")[0] for result in results] == [
        "the same text as bench.jsonl, row 1",
        "the same text as math500, row x/7",
        False,
    ]
    assert len(hub) == 1
