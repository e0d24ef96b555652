"""Sampling by verdicts in a whole run: who gets more, that it repeats, resumes and stops at its budget."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from reasonry.console import Console
from reasonry.errors import BudgetReached, RecipeError
from reasonry.explain import explain
from reasonry.ledger import Ledger
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, run
from reasonry.store import Store
from reasonry.types import Status, Trace, VerdictRow

RECIPE = """\
name = "adaptive"
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
accuracy = 0.4
over_http = true
samples = 1
max_samples = 6
"""


def adaptive(folder: Path, out: str, *overrides: str, workers: int = 1) -> RunResult:
    folder.mkdir(exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return run(load_recipe(path, overrides), folder / out, console=Console(quiet=True), workers=workers)


def rows(done: RunResult, stage: str, kind: type[Trace] | type[VerdictRow]) -> list[Trace | VerdictRow]:
    store = Store(done.folder / "tables")
    return [row for manifest in store.manifests(stage) for row in store.rows(manifest, kind)]


def test_more_is_asked_exactly_where_nothing_is_correct_yet(tmp_path: Path) -> None:
    done = adaptive(tmp_path, "out")
    statuses: dict[str, list[Status]] = {}
    for row in rows(done, "verify", VerdictRow):
        assert isinstance(row, VerdictRow)
        statuses.setdefault(row.question_id, []).append(row.status)
    assert len(statuses) == 40
    for found in statuses.values():
        assert Status.CORRECT not in found[:-1], "asked further though one was correct"
        assert found[-1] is Status.CORRECT or len(found) == 6
    assert len({len(found) for found in statuses.values()}) > 2
    (manifest,) = Store(done.folder / "tables").manifests("distil")
    stopped = manifest.metrics["stopped"]
    assert stopped == dict(Counter("solved" if f[-1] is Status.CORRECT else "max_samples" for f in statuses.values()))


def test_the_tables_are_the_same_at_any_speed_and_from_the_ledger(tmp_path: Path) -> None:
    first = adaptive(tmp_path, "one")
    other = adaptive(tmp_path, "two", "distil.concurrency=1", "distil.faults.http_500=0.2", workers=2)
    assert [s.digest for s in first.stages] == [s.digest for s in other.stages]
    asked = len(list(_answered(first)))
    again = run(
        load_recipe(tmp_path / "recipe.toml"),
        tmp_path / "three",
        console=Console(quiet=True),
        workers=1,
        ledger=first.folder / "ledger.sqlite",
    )
    assert [s.digest for s in again.stages] == [s.digest for s in first.stages]
    assert len(list(_answered(first))) == asked, "nothing was asked again"


def _answered(done: RunResult) -> list[str]:
    with Ledger(done.folder / "ledger.sqlite") as ledger:
        return [entry.key for entry in ledger.entries() if entry.outcome == "answered"]


def test_a_run_that_stopped_at_its_budget_goes_on_with_a_larger_one(tmp_path: Path) -> None:
    price = ("distil.price={ input_per_million = 1000.0, output_per_million = 1000.0 }", "distil.max_tokens=60")
    whole = adaptive(tmp_path, "whole", *price)
    spent = sum(stage.cost_usd or 0.0 for stage in whole.stages)
    with pytest.raises(BudgetReached):
        adaptive(tmp_path, "stopped", *price, f"budget.usd={spent / 2}")
    half = len(_answered_in(tmp_path / "stopped"))
    assert 0 < half < len(_answered_in(tmp_path / "whole"))
    resumed = adaptive(tmp_path, "stopped", *price, f"budget.usd={2 * spent}")
    assert [s.digest for s in resumed.stages] == [s.digest for s in whole.stages]
    keys = _answered_in(tmp_path / "stopped")
    assert len(keys) == len(set(keys)) == len(_answered_in(tmp_path / "whole"))


def _answered_in(folder: Path) -> list[str]:
    with Ledger(folder / "ledger.sqlite") as ledger:
        return [entry.key for entry in ledger.entries() if entry.outcome == "answered"]


def test_where_a_run_may_stop_is_no_part_of_what_it_makes(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE + '[publish]\ntitle = "x"\n', encoding="utf-8")
    price = ("distil.price={ input_per_million = 1.0, output_per_million = 1.0 }", "distil.max_tokens=60")
    keys = [[step.key for step in make_plan(load_recipe(path, (*price, *more)))] for more in ((), ("budget.usd=3.0",))]
    assert keys[0] == keys[1]
    other = [step.key for step in make_plan(load_recipe(path, (*price, "select.per_question=1")))]
    assert other[-1] != keys[0][-1]


def test_cut_answers_go_on_to_the_end_that_they_would_have_had(tmp_path: Path) -> None:
    whole = adaptive(tmp_path, "whole")
    done = adaptive(tmp_path, "cut", "distil.max_tokens=12", "distil.continuations=9")
    traces = [row for row in rows(done, "distil", Trace) if isinstance(row, Trace)]
    assert any("+" in (trace.ledger_key or "") for trace in traces)
    keys = set(_answered(done))
    assert all(set((trace.ledger_key or "").split("+")) <= keys for trace in traces)
    continued = next(trace for trace in traces if "+" in (trace.ledger_key or ""))
    told = next(t for t in explain(done.folder, continued.id).traces if t.trace.id == continued.id)
    assert [asked.key for asked in told.asked] == (continued.ledger_key or "").split("+")
    assert [message["role"] for message in told.asked[1].messages] == ["user", "assistant"]
    assert told.asked[0].sampling["max_tokens"] == 12
    texts = [(trace.question_id, trace.index, trace.reasoning, trace.response, trace.finish) for trace in traces]
    expected = [row for row in rows(whole, "distil", Trace) if isinstance(row, Trace)]
    assert texts == [(t.question_id, t.index, t.reasoning, t.response, t.finish) for t in expected]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("distil.max_samples=0", "greater than or equal to 1"),
        ("distil.min_correct=9", "max_samples is less than min_correct"),
        ("distil.samples=9", "max_samples is less than samples"),
        ('distil.preset="openthougts"', "no preset of prompts"),
        ("distil.per_question.usd=0.1", "a budget needs a price"),
        ("distil.agree=1", "greater than or equal to 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        adaptive(tmp_path, "out", override)


REPLAYED = """\
name = "replayed"
seed = 3

[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "exact"

[distil]
teacher = "replay"
path = "answers.jsonl"
fields = { prompt = "prompt", response = "response" }
max_refused = 1.0
max_samples = 4
"""


def test_a_recording_s_tables_are_the_same_at_any_speed_and_drop_only_what_it_has_not(tmp_path: Path) -> None:
    """Every seventh question has no recorded answer, every second of the others a wrong one and no more."""
    numbers = range(700)
    questions = [{"prompt": f"{i} + 1 = ?", "answer": str(i + 1)} for i in numbers]
    answers = [{"prompt": f"{i} + 1 = ?", "response": str(i + 1 + i % 2)} for i in numbers if i % 7]
    for name, rows_of in (("questions", questions), ("answers", answers)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows_of)), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(REPLAYED, encoding="utf-8")
    digests = set[str]()
    for concurrency in (1, 50, 512):
        recipe = load_recipe(tmp_path / "recipe.toml", [f"distil.concurrency={concurrency}"])
        done = run(recipe, tmp_path / str(concurrency), console=Console(quiet=True), workers=1)
        (manifest,) = Store(done.folder / "tables").manifests("distil")
        digests.add(manifest.digest)
        assert manifest.dropped == {"no_recorded_response": 100}
        assert manifest.metrics["stopped"] == {"recorded": 300, "solved": 300}
    assert len(digests) == 1
