"""The line from one recipe: counts that add up, cached stages, digests, gates, stories."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reasonry.console import Console
from reasonry.errors import GateMissed, InputError, UsageError, WorkFailed
from reasonry.explain import explain
from reasonry.plan import make_plan, planned
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, hold_gates, load_run, run
from reasonry.store import Store
from reasonry.types import Example, Question, Status, Trace, VerdictRow

Writer = Callable[[str], Path]

RECIPE = """\
name = "small"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 3
digits = 2
count = 40
verifier = "steps"

[distil]
teacher = "simulated"
accuracy = 0.6
mistakes = { slip = 2, wrong_steps = 1, truncation = 1, bad_format = 1 }
samples = 2

[select]
keep = "correct"
per_question = 1

[publish]
title = "Small"
"""


def small_run(path: Path, out: Path, *overrides: str, workers: int = 1) -> RunResult:
    return run(load_recipe(path, overrides), out, console=Console(quiet=True), workers=workers)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("line")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return small_run(folder / "recipe.toml", folder / "out")


def test_every_row_that_goes_in_comes_out_or_is_dropped(done: RunResult) -> None:
    for stage in done.stages:
        if stage.stage in ("collect", "curate", "select"):
            assert stage.rows_in == stage.rows_out + sum(stage.dropped.values()), stage
    by_name = {stage.stage: stage for stage in done.stages}
    assert by_name["distil"].rows_out == by_name["verify"].rows_out == 80
    assert 0 < by_name["select"].rows_out <= 40


def test_examples_are_the_first_correct_traces_of_their_questions(done: RunResult) -> None:
    store = Store(done.folder / "tables")
    tables = {stage.stage: store.sealed(stage.stage, stage.key) for stage in done.stages}
    traces = {t.id: t for t in store.rows(tables["distil"], Trace)}  # type: ignore[arg-type]
    correct = {
        v.trace_id
        for v in store.rows(tables["verify"], VerdictRow)  # type: ignore[arg-type]
        if v.status is Status.CORRECT
    }
    examples = list(store.rows(tables["select"], Example))  # type: ignore[arg-type]
    assert {e.trace_id for e in examples} <= correct
    assert {e.question_id for e in examples} == {traces[t].question_id for t in correct}
    assert len({e.question_id for e in examples}) == len(examples)


def test_a_second_run_does_nothing_and_has_the_same_digest(done: RunResult) -> None:
    again = small_run(done.folder.parent / "recipe.toml", done.folder)
    assert all(stage.cached for stage in again.stages)
    assert again.digest == done.digest


def test_another_checkout_and_another_number_of_workers_give_the_same_digests(done: RunResult, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    path = tmp_path / "deep" / "er" / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    other = small_run(path, tmp_path / "elsewhere", workers=2)
    assert other.run == done.run
    assert [(s.stage, s.key, s.digest) for s in other.stages] == [(s.stage, s.key, s.digest) for s in done.stages]


def test_a_change_does_again_only_what_follows_from_it(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE)
    first = small_run(path, tmp_path / "out")
    changed = small_run(path, tmp_path / "out", "select.per_question=2")
    assert {s.stage: s.cached for s in changed.stages} == {
        "collect": True,
        "curate": True,
        "distil": True,
        "verify": True,
        "select": False,
        "publish": False,
    }
    assert changed.digest != first.digest
    back = small_run(path, tmp_path / "out")
    assert back.digest == first.digest
    assert {s.stage for s in back.stages if not s.cached} == {"publish"}, "its folder held the other dataset"


def test_the_plan_says_why(done: RunResult) -> None:
    path = done.folder.parent / "recipe.toml"
    store = Store(done.folder / "tables")
    assert [p.why for p in planned(make_plan(load_recipe(path)), store)] == ["sealed"] * 6
    changed = planned(make_plan(load_recipe(path, ["distil.samples=3"])), store)
    why = {p.step.stage: p.why for p in changed}
    assert why["curate"] == "sealed"
    assert why["distil"] == "changed: samples 2 -> 3"
    assert why["verify"] == "waits for distil"
    fresh = planned(make_plan(load_recipe(path)), Store(done.folder / "nowhere"))
    assert fresh[0].why == "never done"


def test_a_changed_file_is_seen_and_a_moved_one_is_not(tmp_path: Path) -> None:
    text = 'name = "x"\n[[questions]]\nsource = "jsonl"\npath = "data/q.jsonl"\nverifier = "exact"\n'
    keys: list[str] = []
    for folder, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / folder / "data").mkdir(parents=True)
        (tmp_path / folder / "data" / "q.jsonl").write_text(json.dumps({"prompt": "p", "answer": content}) + "\n")
        (tmp_path / folder / "recipe.toml").write_text(text)
        keys.append(make_plan(load_recipe(tmp_path / folder / "recipe.toml"))[0].key)
    assert keys[0] == keys[1] != keys[2]


def test_a_missed_gate_is_told_and_the_run_is_whole(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE + '\n[[gates]]\nmetric = "verify.correct_rate"\nmin = 0.99\n')
    result = small_run(path, tmp_path / "out")
    with pytest.raises(GateMissed, match=r"verify.correct_rate is 0\.\d+, wanted at least 0.99"):
        hold_gates(result)
    assert load_run(tmp_path / "out")["status"] == "gate_missed"


def test_a_gate_on_no_figure_is_missed_with_the_nearest_name(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE + '\n[[gates]]\nmetric = "verify.corect_rate"\nmin = 0.1\n')
    with pytest.raises(GateMissed, match=r"did you mean 'verify.correct_rate'"):
        hold_gates(small_run(path, tmp_path / "out"))


def test_a_gate_that_holds_is_quiet(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE + '\n[[gates]]\nmetric = "verify.correct_rate"\nmin = 0.3\nmax = 0.9\n')
    hold_gates(small_run(path, tmp_path / "out"))


def test_two_processes_do_not_work_in_one_folder(write_recipe: Writer, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process"):
            small_run(write_recipe(RECIPE), tmp_path / "out")


def test_a_source_without_one_usable_row_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "p"}\n{"question": "q"}\n')
    (tmp_path / "r.toml").write_text('name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\n')
    with pytest.raises(InputError, match="no usable row") as caught:
        small_run(tmp_path / "r.toml", tmp_path / "out")
    assert caught.value.place == "q.jsonl:2"
    assert load_run(tmp_path / "out")["status"] == "failed"


def test_a_student_without_an_example_is_an_error(write_recipe: Writer, tmp_path: Path) -> None:
    text = RECIPE.replace("accuracy = 0.6", "accuracy = 0.0")
    text = (
        text.replace("slip = 2, wrong_steps = 1, truncation = 1, bad_format = 1", "slip = 1")
        + '\n[train]\ntrainer = "tiny"\n'
    )
    with pytest.raises(WorkFailed, match="no example to train"):
        small_run(write_recipe(text), tmp_path / "out")


def test_repeated_questions_are_dropped_with_the_one_that_stays(tmp_path: Path) -> None:
    rows = [{"prompt": "p", "answer": "1"}, {"prompt": "p", "answer": "1"}, {"prompt": "P ", "answer": "1"}]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "r.toml").write_text('name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\n')
    result = small_run(tmp_path / "r.toml", tmp_path / "out")
    assert [(s.stage, s.rows_out, dict(s.dropped)) for s in result.stages] == [
        ("collect", 2, {"same_question": 1}),
        ("curate", 1, {"duplicate": 1}),
    ]
    store = Store(tmp_path / "out" / "tables")
    collected, curated = (store.sealed(s.stage, s.key) for s in result.stages)
    assert collected is not None
    assert curated is not None
    kept = next(iter(store.rows(curated, Question)))
    assert [drop.other_id for drop in (*store.drops(collected), *store.drops(curated))] == [kept.id, kept.id]


def test_an_evaluation_question_never_gets_into_training(write_recipe: Writer, tmp_path: Path) -> None:
    (tmp_path / "bench.jsonl").write_text('{"prompt": "What is  one?", "answer": "1"}\n')
    (tmp_path / "q.jsonl").write_text('{"prompt": "what is one?", "answer": "1"}\n{"prompt": "two?", "answer": "2"}\n')
    path = write_recipe(
        'name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\n'
        '[distil]\nteacher = "simulated"\n'
        '[[evaluate]]\nbenchmark = "jsonl"\npath = "bench.jsonl"\nof = ["teacher"]\n'
    )
    result = small_run(path, tmp_path / "out")
    assert result.stages[1].dropped == {"in_evaluation": 1}


def test_every_kind_of_row_has_its_story(done: RunResult) -> None:
    store = Store(done.folder / "tables")
    tables = {stage.stage: store.sealed(stage.stage, stage.key) for stage in done.stages}
    example = next(iter(store.rows(tables["select"], Example)))  # type: ignore[arg-type]
    drop = next(iter(store.drops(tables["select"])))  # type: ignore[arg-type]
    for row_id in (example.id, example.trace_id, example.verdict_id, example.question_id, example.id[:12]):
        story = explain(done.folder, row_id)
        assert story.question is not None
        assert story.question.id == example.question_id
        assert story.question.meta["origin"]["generator"] == "procedural"
        assert [t.trace.index for t in story.traces] == [0, 1]
        assert any(t.example and t.example.id == example.id for t in story.traces)
        assert all(t.verdict is not None for t in story.traces)
    dropped = explain(done.folder, drop.row_id)
    assert any(d.rule == drop.rule for t in dropped.traces for d in t.drops)


def test_an_unknown_or_ambiguous_id_is_a_clear_error(done: RunResult) -> None:
    with pytest.raises(UsageError, match="no row 'q-none'"):
        explain(done.folder, "q-none")
    with pytest.raises(UsageError, match="begins several ids"):
        explain(done.folder, "q-")


def test_a_row_that_never_became_a_question_has_its_story(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"prompt": "p", "answer": "1"}\nnot json\n')
    (tmp_path / "r.toml").write_text('name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\n')
    small_run(tmp_path / "r.toml", tmp_path / "out")
    story = explain(tmp_path / "out", "q.jsonl:2")
    assert story.question is None
    assert [(d.rule, d.content) for d in story.question_drops] == [("not_json", "not json")]


def test_the_run_folder_holds_what_its_readers_rely_on(done: RunResult) -> None:
    for name in ("recipe.toml", "recipe.lock.json", "run.json", "dataset/README.md", "logs"):
        assert (done.folder / name).exists(), name
    assert (done.folder / "recipe.toml").read_text(encoding="utf-8") == RECIPE
    for stage in done.stages:
        folder = done.folder / "tables" / stage.stage / stage.key
        assert (folder / "manifest.json").is_file()
        assert list(folder.glob("part-*.parquet"))
    shown = done.as_json()
    assert set(shown) >= {"run", "digest", "stages", "scores", "gates", "schema"}
    wanted = {"stage", "key", "cached", "rows_in", "rows_out", "dropped", "cost_usd", "seconds"}
    assert all(set(stage) >= wanted for stage in shown["stages"])
