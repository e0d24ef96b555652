"""What a sealed table, a cost, a gate and a folder promise: each held against the way it once broke."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from reasonry.cli.story import story_lines
from reasonry.console import Console, visible
from reasonry.errors import RecipeError, UsageError, WorkFailed
from reasonry.evaluating import evaluate_endpoint, options_from
from reasonry.explain import explain
from reasonry.recipe import Recipe, load_recipe
from reasonry.run import check_gates, load_run, run
from reasonry.sections import GateSection
from reasonry.store import Store
from reasonry.teachers.simulator.endpoint import serve_simulated
from reasonry.teachers.simulator.simulation import Behaviour
from reasonry.types import Trace
from tests.stages.test_line import RECIPE, small_run

Writer = Callable[[str], Path]

PAID = """\
name = "paid"
[[questions]]
source = "jsonl"
path = "q.jsonl"
verifier = "exact"
[curate]
deduplicate = false
[distil]
teacher = "openai"
model = "simulated-v1"
served_by = "test"
max_tokens = 100
retry_wait_s = 0.01
attempts = 2
price = { input_per_million = 1.0, output_per_million = 1.0 }
"""


def load_paid(folder: Path, *overrides: str) -> Recipe:
    (folder / "q.jsonl").write_text(
        '{"prompt": "Compute 1 + 2.", "answer": "3"}\n{"prompt": "Compute 2 + 2.", "answer": "4"}\n'
    )
    (folder / "paid.toml").write_text(PAID, encoding="utf-8")
    return load_recipe(folder / "paid.toml", overrides)


def test_an_edited_shard_is_no_sealed_table(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE)
    first = small_run(path, tmp_path / "out")
    verify = next(stage for stage in first.stages if stage.stage == "verify")
    shard = tmp_path / "out" / "tables" / "verify" / verify.key / "part-00000.parquet"
    table = pq.read_table(shard)
    correct = table.set_column(table.schema.get_field_index("status"), "status", [["correct"] * table.num_rows])
    pq.write_table(correct, shard)
    again = small_run(path, tmp_path / "out")
    assert [stage.stage for stage in again.stages if not stage.cached] == ["verify"]
    assert again.digest == first.digest


@pytest.mark.parametrize(("value", "passed"), [(0.4, True), (0.6, False), (math.nan, False), (math.inf, False)])
def test_a_figure_that_is_no_number_holds_no_gate(value: float, passed: bool, tmp_path: Path) -> None:
    with Store(tmp_path).write("train", "k", Trace) as writer:
        manifest = writer.seal(section={}, parts=[], inputs={}, rows_in=0, metrics={"loss": value, "flag": True})
    (gate,) = check_gates([GateSection(metric="train.loss", max=0.5)], {"train": manifest})
    assert gate.passed is passed
    (flag,) = check_gates([GateSection(metric="train.flag", min=0.5)], {"train": manifest})
    assert not flag.passed, "a flag is no figure"


def endpoint_score(base_url: str, folder: Path) -> Any:
    section = options_from("benchmark", "procedural", {"count": 3, "verifier": "math"}, "benchmark")
    how: dict[str, Any] = {"model": "simulated-v1", "base_url": base_url, "served_by": "test", "attempts": 1}
    how["price"] = {"input_per_million": 1.0, "output_per_million": 1.0}
    teacher = options_from("teacher", "openai", how, "teacher")
    return evaluate_endpoint(teacher, section, folder, workers=1, console=Console(quiet=True))


def test_a_dead_endpoint_has_no_score_and_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="3 of 3 requests found no answer"):
        endpoint_score("http://127.0.0.1:1/v1", tmp_path)
    with serve_simulated(Behaviour(accuracy=1.0)) as served:
        manifest = endpoint_score(served.base_url, tmp_path)
    assert (manifest.metrics["n"], manifest.metrics["accuracy"]) == (3, 1.0)
    assert manifest.metrics["teacher"]["answered"] == 3
    assert manifest.cost_usd is not None
    assert manifest.cost_usd > 0
    assert endpoint_score("http://127.0.0.1:1/v1", tmp_path) == manifest, "what is sealed is not asked again"
    shard = tmp_path / "tables" / "evaluate" / manifest.key / manifest.shards[0].path
    shard.write_bytes(shard.read_bytes()[:-1])
    assert endpoint_score("http://127.0.0.1:1/v1", tmp_path).digest == manifest.digest, "made again from the ledger"


def test_a_failing_endpoint_seals_nothing_and_costs_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_paid(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(WorkFailed, match="found no answer"):
        run(recipe, tmp_path / "out", console=Console(quiet=True), workers=1)
    assert load_run(tmp_path / "out")["status"] == "failed"
    with serve_simulated(Behaviour(accuracy=1.0)) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.base_url)
        result = run(recipe, tmp_path / "out", console=Console(quiet=True), workers=1)
        run(recipe, tmp_path / "out", console=Console(quiet=True), workers=1)
        assert served.stats()["served"] == 2
    assert {s.stage: s.rows_out for s in result.stages}["distil"] == 2


def test_the_price_in_force_decides_whoever_filled_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared.sqlite"
    dear = "distil.price={ input_per_million = 2.0, output_per_million = 2.0 }"
    with serve_simulated(Behaviour(accuracy=1.0)) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.base_url)
        run(load_paid(tmp_path), tmp_path / "a", console=Console(quiet=True), workers=1, ledger=shared)
        cached = run(load_paid(tmp_path, dear), tmp_path / "b", console=Console(quiet=True), workers=1, ledger=shared)
        fresh = run(load_paid(tmp_path, dear), tmp_path / "c", console=Console(quiet=True), workers=1)
    assert cached.digest == fresh.digest


def test_what_is_paid_once_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_paid(tmp_path)
    one = '{"prompt": "Compute 1 + 2.", "answer": "3"}\n'
    with serve_simulated(Behaviour(accuracy=1.0)) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.base_url)
        (tmp_path / "q.jsonl").write_text(one)
        single = run(recipe, tmp_path / "a", console=Console(quiet=True), workers=1)
        (tmp_path / "q.jsonl").write_text(one + one.replace('"3"', '"4"'))
        double = run(recipe, tmp_path / "b", console=Console(quiet=True), workers=1)
    cost = {s.stage: s.cost_usd for s in single.stages}["distil"]
    assert cost is not None
    assert {s.stage: (s.rows_out, s.cost_usd) for s in double.stages}["distil"] == (2, cost)


def test_a_format_that_is_asked_for_no_more_is_published_no_more(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE)
    small_run(path, tmp_path / "out")
    assert (tmp_path / "out" / "dataset" / "llamafactory" / "alpaca.jsonl").exists()
    small_run(path, tmp_path / "out", "publish.formats=[]")
    assert not (tmp_path / "out" / "dataset" / "llamafactory").exists()
    assert (tmp_path / "out" / "dataset" / "README.md").exists()


def test_what_is_not_ours_is_never_written_over(write_recipe: Writer, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "dataset").mkdir(parents=True)
    (mine / "dataset" / "README.md").write_text("my card")
    with pytest.raises(UsageError, match="no run of ours"):
        small_run(write_recipe(RECIPE), mine)
    assert (mine / "dataset" / "README.md").read_text() == "my card"


def test_the_recipe_may_stand_in_its_own_run_folder(write_recipe: Writer, tmp_path: Path) -> None:
    path = write_recipe(RECIPE)
    small_run(path, tmp_path)
    assert path.read_text(encoding="utf-8") == RECIPE


def test_a_run_that_is_under_way_says_so(write_recipe: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reasonry import run as run_module

    seen: list[tuple[str, int]] = []
    real = run_module._Runner._do  # pyright: ignore[reportPrivateUsage]

    def watched(self: Any, step: Any) -> None:
        facts = load_run(tmp_path / "out")
        seen.append((facts["status"], len(facts["stages"])))
        real(self, step)

    monkeypatch.setattr(run_module._Runner, "_do", watched)  # pyright: ignore[reportPrivateUsage]
    small_run(write_recipe(RECIPE), tmp_path / "out")
    assert seen == [("running", i) for i in range(6)]
    assert load_run(tmp_path / "out")["status"] == "done"


def test_a_budget_a_gate_and_a_limit_change_no_question(write_recipe: Writer) -> None:
    text = RECIPE + '[[evaluate]]\nbenchmark = "procedural"\ncount = 9\nof = ["teacher"]\n'
    plain = load_recipe(write_recipe(text))
    gated = load_recipe(
        write_recipe("budget = { usd = 5.0 }\n" + text + '[[gates]]\nmetric = "verify.rows"\nmin = 1\n')
    )
    assert plain.run_id == gated.run_id


def test_seeds_do_not_depend_on_where_a_table_stands(write_recipe: Writer) -> None:
    one = '[[questions]]\nsource = "procedural"\nfamily = "chain_sum"\n'
    two = '[[questions]]\nsource = "procedural"\nfamily = "purchase"\n'
    student = '[[train]]\ntrainer = "tiny"\nname = "{}"\n'
    tail = '[distil]\nteacher = "simulated"\n' + student.format("a") + student.format("b")
    first = load_recipe(write_recipe('name = "x"\n' + one + two + tail))
    second = load_recipe(write_recipe('name = "x"\n' + two + one + tail))
    seeds: list[dict[str, int]] = []
    for recipe in (first, second):
        sections: list[Any] = list(recipe.questions)
        seeds.append({section.family: section.seed for section in sections})
    assert seeds[0] == seeds[1]
    assert seeds[0]["chain_sum"] != seeds[0]["purchase"]
    assert first.train[0].seed == first.train[1].seed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('base_url = "https://example.com/v1?api-key=TOP"', "query"),
        ("samples = 1\n[budget]\nusd = 1.0", "max_tokens"),
    ],
)
def test_what_would_leak_or_overspend_is_refused(line: str, said: str, write_recipe: Writer) -> None:
    text = PAID.replace('source = "jsonl"\npath = "q.jsonl"', 'source = "procedural"').replace("max_tokens = 100\n", "")
    with pytest.raises(RecipeError, match=said):
        load_recipe(write_recipe(text + line + "\n"))


def test_data_cannot_steer_the_terminal(tmp_path: Path) -> None:
    row = {"prompt": "\x1b]0;owned\x07 what?", "answer": "1"}
    (tmp_path / "q.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "r.toml").write_text('name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\n')
    small_run(tmp_path / "r.toml", tmp_path / "out")
    story = explain(tmp_path / "out", "q-")
    shown = "\n".join(story_lines(story))
    assert "\x1b" not in shown
    assert "⟨U+001B⟩" in shown
    assert visible("plain\ttext\n") == "plain\ttext\n"


def test_a_row_too_long_to_train_on_is_a_drop(write_recipe: Writer, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = RECIPE.replace('[publish]\ntitle = "Small"\n', "") + (
        '[[questions]]\nsource = "procedural"\nfamily = "chain_sum"\nsteps = 9\ncount = 10\nverifier = "steps"\n'
        '[train]\ntrainer = "tiny"\nsteps = 2\nmax_length = 60\nwidth = 16\n'
    )
    result = small_run(write_recipe(text), tmp_path / "out")
    train = result.stages[-1]
    assert train.stage == "train"
    assert train.dropped["too_long"] > 0
    story = explain(tmp_path / "out", next(iter(_drops(tmp_path / "out", train.key))))
    assert any(drop.rule == "too_long" for trace in story.traces for drop in trace.drops)


def _drops(folder: Path, key: str) -> list[str]:
    store = Store(folder / "tables")
    manifest = store.sealed("train", key)
    assert manifest is not None
    return [drop.row_id for drop in store.drops(manifest)]
