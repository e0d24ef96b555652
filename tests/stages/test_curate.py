"""curate: every question comes out once, kept or dropped, in the order in which it was read; and so it is published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import PartError
from reasonry.recipe import load_recipe
from reasonry.registry import Kind, Part, find
from reasonry.run import RunResult, run
from reasonry.store import Store
from reasonry.types import Drop, Question

RECIPE = """
name = "order"
[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "math"
[curate]
deduplicate = {}
decontaminate = { against = ["benchmark.jsonl"], ngram = 5, numbers_changed = "keep" }
[[curate.filters]]
filter = "length"
min_characters = 20
[distil]
teacher = "replay"
path = "replies.jsonl"
[publish]
"""
NOUNS = ("apples", "pears", "stones", "books", "cups", "coins", "lamps", "shoes", "doors", "hats", "keys", "boats")
CONTAMINATED, REPEATED, SHORT, UNANSWERED = (2, 40), (1, 30, 50), (3, 35), (4, 20)


def prompt_of(n: int) -> str:
    if n in SHORT:
        return f"{n} times {n}?"
    if n in REPEATED:
        return f"  {prompt_of(n - 1)} "
    one, other = NOUNS[n % 12], NOUNS[(5 * n + 3) % 12]
    return f"Merchant number {n} sells {n + 3} {one} for every {2 * n + 5} {other} that come from town {n}, how many?"


def lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def carried_out(home: Path) -> RunResult:
    numbers = range(60)
    lines(home / "questions.jsonl", ({"prompt": prompt_of(n), "answer": "1"} for n in numbers))
    lines(home / "benchmark.jsonl", ({"prompt": prompt_of(n), "answer": "1"} for n in CONTAMINATED))
    answered = [n for n in numbers if n not in UNANSWERED]
    lines(home / "replies.jsonl", [*({"question": prompt_of(n), "response": "1"} for n in answered), {"question": "?"}])
    (home / "recipe.toml").write_text(RECIPE)
    return run(load_recipe(home / "recipe.toml"), home / "out", console=Console(quiet=True), workers=1)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return carried_out(tmp_path_factory.mktemp("order"))


def tables(done: RunResult, stage: str) -> tuple[list[Any], list[Drop]]:
    store = Store(done.folder / "tables")
    manifest = next(m for s in done.stages if s.stage == stage and (m := store.sealed(stage, s.key)))
    return list(store.rows(manifest, Question)), list(store.drops(manifest))


def test_rows_and_drops_keep_the_order_in_which_they_were_read(done: RunResult) -> None:
    read, _ = tables(done, "collect")
    kept, dropped = tables(done, "curate")
    places = {question.id: place for place, question in enumerate(read)}
    for ids in ([question.id for question in kept], [drop.row_id for drop in dropped]):
        assert [places[one] for one in ids] == sorted(places[one] for one in ids)
    assert len(kept) + len(dropped) == len(read) == 60
    rules = {places[drop.row_id]: drop.rule for drop in dropped}
    assert {place for place, rule in rules.items() if rule == "too_short"} == set(SHORT)
    assert set(rules) == {*CONTAMINATED, *REPEATED, *SHORT}


def test_what_left_is_published_with_its_own_question(done: RunResult) -> None:
    import pyarrow.parquet as pq

    read, _ = tables(done, "collect")
    prompts = {question.id: question.prompt for question in read}
    (path,) = (done.folder / "dataset" / "data").glob("rejected-*.parquet")
    rows = pq.read_table(path).to_pylist()
    questions = [row for row in rows if row["kind"] == "question"]
    assert [row["prompt"] for row in questions] == [prompts[row["row_id"]] for row in questions]
    assert len(questions) == len((*CONTAMINATED, *REPEATED, *SHORT, *UNANSWERED))
    assert [row["row_id"] for row in rows if row["kind"] == "input"] == ["replies.jsonl:59"]


def swapped(rows: Iterable[Question], *_: Any, **__: Any) -> Iterator[Question | Drop]:
    yield from reversed(list(rows))


def silent(rows: Iterable[Question], *_: Any, **__: Any) -> Iterator[Question | Drop]:
    yield from list(rows)[:-1]


def doubled(rows: Iterable[Question], *_: Any, **__: Any) -> Iterator[Question | Drop]:
    for row in rows:
        yield row
        yield row


@pytest.mark.parametrize("wrong", [swapped, silent, doubled])
def test_a_filter_that_loses_the_order_is_told(
    wrong: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(kind: Kind, name: str) -> Part:
        found = find(kind, name)
        return replace(found, call=wrong) if name == "length" else found

    monkeypatch.setattr("reasonry.stages.curate.find", other)
    with pytest.raises(PartError, match=r"the filter 'length' (lost the order|left rows)"):
        carried_out(tmp_path)
