"""Two runs side by side: what entered, left and changed, and the reason that the other run has for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.comparing import Group, StageDifference, compare_runs
from reasonry.errors import StoreError, UsageError
from reasonry.recipe import load_recipe
from reasonry.run import run
from reasonry.store import Store
from reasonry.types import Completion, Status, VerdictRow
from tests.cli.test_cli import reasonry
from tests.exporters.run_folder import build_run

RECIPE = """
name = "small"
[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "math"
[distil]
teacher = "replay"
path = "replies.jsonl"
[select]
"""
NUMBERS = range(12)


def _write(home: Path, questions: Sequence[dict[str, Any]], replies: Sequence[dict[str, Any]], recipe: str) -> Path:
    home.mkdir()
    for name, rows in (("questions", questions), ("replies", replies)):
        (home / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (home / "recipe.toml").write_text(recipe)
    run(load_recipe(home / "recipe.toml"), home / "run", workers=1)
    return home / "run"


def _question(n: int, **more: Any) -> dict[str, Any]:
    return {"prompt": f"What is {n} and one more?", "answer": str(n + 1), **more}


def _reply(n: int, said: int | None = None) -> dict[str, Any]:
    return {"question": f"What is {n} and one more?", "response": f"It is \\boxed{{{n + 1 if said is None else said}}}"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """B has question 0 no more, question 12 new, another answer to 1, another reply to 2, and drops long prompts."""
    home = tmp_path_factory.mktemp("diff")
    a = _write(home / "a", [_question(n) for n in NUMBERS], [_reply(n) for n in NUMBERS], RECIPE)
    questions = [_question(n) for n in range(2, 13)]
    questions.insert(0, {**_question(1), "answer": "3"})
    replies = [_reply(n, 7 if n == 2 else None) for n in range(13)]
    recipe = RECIPE + '[[curate.filters]]\nfilter = "length"\nmax_characters = 23\n'
    return a, _write(home / "b", questions, replies, recipe)


def _stage(runs: tuple[Path, Path], name: str) -> StageDifference:
    (stage,) = compare_runs(*runs, stage=name).stages
    return stage


def _reasons(groups: Sequence[Group]) -> dict[str, int]:
    return {group.reason: group.rows for group in groups}


def test_a_question_that_was_not_read_is_told_from_one_with_another_answer(runs: tuple[Path, Path]) -> None:
    stage = _stage(runs, "collect")
    expected = {"not read": 1, "asked with another answer": 1}
    assert _reasons(stage.left) == expected
    assert _reasons(stage.entered) == expected
    (other,) = next(group for group in stage.left if group.reason != "not read").examples
    assert other.detail == "answer 2 -> 3; What is 1 and one more?"


def test_the_same_question_at_another_row_has_changed(runs: tuple[Path, Path]) -> None:
    assert _reasons(_stage(runs, "collect").changed) == {"read from elsewhere": 10}


def test_a_row_that_a_filter_dropped_has_the_filters_reason(runs: tuple[Path, Path]) -> None:
    stage = _stage(runs, "curate")
    assert _reasons(stage.left)["curate: too_long"] == 2  # questions 10 and 11
    assert any("max_characters" in why or "filters" in why for why in stage.why)


LEFT = {"answered otherwise": 1, "asked with another answer": 1, "curate: too_long": 2, "not read": 1}


@pytest.mark.parametrize("name", ["distil", "verify", "select"])
def test_what_left_has_the_first_cause_at_every_later_stage(runs: tuple[Path, Path], name: str) -> None:
    assert _reasons(_stage(runs, name).left) == LEFT


def test_the_reason_of_the_drop_is_told_of_each_row(runs: tuple[Path, Path]) -> None:
    stage = _stage(runs, "select")
    long = next(group for group in stage.left if group.reason == "curate: too_long")
    assert [one.detail for one in long.examples] == ["24 characters, more than 23"] * 2
    assert [one.id for one in long.examples] == sorted(one.id for one in long.examples)


def test_what_left_one_way_enters_the_other_way(runs: tuple[Path, Path]) -> None:
    there, back = compare_runs(*runs), compare_runs(runs[1], runs[0])
    for one, other in zip(there.stages, back.stages, strict=True):
        assert sum(group.rows for group in one.left) == sum(group.rows for group in other.entered)
        assert (one.rows_b or 0) - (one.rows_a or 0) == sum(g.rows for g in one.entered) - sum(g.rows for g in one.left)


def test_a_run_is_the_same_as_itself_and_as_its_copy(runs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(runs[0], tmp_path / "copy")
    found = compare_runs(runs[0], tmp_path / "copy")
    assert found.is_same
    assert not any(stage.why for stage in found.stages)


def test_a_verdict_that_changed_names_both(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(runs[0], other)
    facts = json.loads((other / "run.json").read_text())
    done = next(stage for stage in facts["stages"] if stage["stage"] == "verify")
    store = Store(other / "tables")
    manifest = store.sealed("verify", done["key"])
    assert manifest is not None
    with store.write("verify", "another", VerdictRow) as writer:
        for row in store.rows(manifest, VerdictRow):
            writer.append(replace(row, status=Status.UNPARSED, verifier="math@99"))
        writer.seal(section={}, parts=["math@99"], inputs={}, rows_in=12)
    done["key"] = "another"
    (other / "run.json").write_text(json.dumps(facts))
    stage = _stage((runs[0], other), "verify")
    (group,) = stage.changed
    assert group.rows == 12
    assert group.reason.startswith("correct by math@")
    assert group.reason.endswith("-> unparsed by math@99")
    assert any(why.startswith("math@") and why.endswith(" -> math@99") for why in stage.why)


def test_a_run_that_stopped_half_way_is_compared_as_far_as_it_came(runs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(runs[0], tmp_path / "half")
    facts = json.loads((tmp_path / "half" / "run.json").read_text())
    facts["stages"] = facts["stages"][:2]
    (tmp_path / "half" / "run.json").write_text(json.dumps(facts))
    found = compare_runs(runs[0], tmp_path / "half")
    by_name = {stage.stage: stage for stage in found.stages}
    assert by_name["collect"].is_same
    assert by_name["verify"].rows_b is None
    assert list(by_name["verify"].why) == ["run B has not come to it"]
    assert _reasons(by_name["verify"].left) == {"run B has not come to it": 12}


def test_a_folder_that_is_no_run_and_a_stage_that_is_none_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the folder of a run"):
        compare_runs(runs[0], tmp_path)
    with pytest.raises(UsageError, match="no stage 'colect'"):
        compare_runs(*runs, stage="colect")


def test_the_verb_ends_with_0_or_where_asked_with_1(runs: tuple[Path, Path]) -> None:
    a, b = runs
    shown = reasonry("diff", a, b, cwd=a)
    assert shown.returncode == 0
    assert "curate: too_long" in shown.stdout
    assert reasonry("diff", a, b, "--exit-code", cwd=a).returncode == 1
    assert reasonry("diff", a, a, "--exit-code", cwd=a).returncode == 0
    told = json.loads(reasonry("diff", a, b, "--json", cwd=a).stdout)
    assert told["same"] is False
    assert [stage["stage"] for stage in told["stages"]] == ["collect", "curate", "distil", "verify", "select"]
    assert all(set(one) == {"id", "detail"} for stage in told["stages"] for g in stage["left"] for one in g["examples"])


def test_no_more_rows_are_shown_than_were_asked_for(runs: tuple[Path, Path]) -> None:
    for count in (0, 1, 100):
        (stage,) = compare_runs(*runs, stage="collect", examples=count).stages
        assert [len(group.examples) for group in stage.changed] == [min(count, 10)]


def test_a_row_that_another_filter_drops_now_is_told(runs: tuple[Path, Path], tmp_path: Path) -> None:
    numbers = [*NUMBERS, 1234567]
    questions, replies = [_question(n) for n in numbers], [_reply(n) for n in numbers]
    filters = '[[curate.filters]]\nfilter = "length"\n'
    a = _write(tmp_path / "a", questions, replies, RECIPE + filters + "max_characters = 23\n")
    b = _write(tmp_path / "b", questions, replies, RECIPE + filters + "min_characters = 25\n")
    (stage,) = compare_runs(a, b, stage="curate").stages
    assert _reasons(stage.dropped) == {"too_long -> too_short": 2}
    assert _reasons(stage.left) == {"curate: too_short": 10}
    assert _reasons(stage.entered) == {"curate: too_long": 1}


def test_a_row_that_reading_sets_aside_now_has_its_rule(tmp_path: Path) -> None:
    questions = [{**_question(n), "text": _question(n)["prompt"]} for n in NUMBERS]
    questions[3]["text"] = 5
    replies = [_reply(n) for n in NUMBERS]
    a = _write(tmp_path / "a", questions, replies, RECIPE)
    fields = 'verifier = "math"\nfields = { prompt = "text" }'
    b = _write(tmp_path / "b", questions, replies, RECIPE.replace('verifier = "math"', fields))
    (stage,) = compare_runs(a, b, stage="collect").stages
    assert sum(group.rows for group in stage.left) == 1
    assert stage.left[0].reason.startswith("collect: ")
    assert any("text" in why for why in stage.why)
    assert not stage.dropped


def test_a_row_that_neither_run_could_use_is_told_where_it_differs(tmp_path: Path) -> None:
    questions, replies = [_question(n) for n in NUMBERS], [_reply(n) for n in NUMBERS]
    a = _write(tmp_path / "a", [*questions, {"prompt": 5}], replies, RECIPE)
    b = _write(tmp_path / "b", questions, replies, RECIPE)
    (stage,) = compare_runs(a, b, stage="collect").stages
    assert [(group.rows, group.reason.endswith(" in A only")) for group in stage.dropped] == [(1, True)]
    assert not stage.is_same
    assert not stage.entered
    assert not stage.left


def test_students_and_scores_are_compared_by_label(tmp_path: Path) -> None:
    one = build_run(tmp_path / "one")
    other = build_run(tmp_path / "other")
    rows = [replace(row, status=Status.INCORRECT) for row in other.rows("evaluate:heldout/steps", Completion)]
    other.seal("evaluate", Completion, rows, label="heldout/steps", section={"of": "another"})
    facts = json.loads((tmp_path / "other" / "run.json").read_text())
    (tmp_path / "other" / "run.json").write_text(json.dumps(facts))
    found = compare_runs(one.folder, other.folder)
    different = [stage.name for stage in found.stages if not stage.is_same]
    assert different == ["evaluate:heldout/steps"]
    (stage,) = compare_runs(one.folder, other.folder, stage="evaluate:heldout/steps").stages
    assert _reasons(stage.changed) == {"correct -> incorrect": 37, "error -> incorrect": 1}
    assert len(compare_runs(one.folder, other.folder, stage="evaluate").stages) == 4


def test_a_damaged_table_is_an_error_that_names_it(runs: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(runs[0], tmp_path / "copy")
    shard = next((tmp_path / "copy").glob("tables/verify/*/part-00000.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(StoreError, match="cannot be read") as caught:
        compare_runs(runs[1], tmp_path / "copy")
    assert caught.value.place == str(shard)
