"""Several teachers for each question: one table, one numbering, a key, a price and rules for each of them."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from reasonry.console import Console
from reasonry.errors import BudgetReached, RecipeError, TeacherError, UsageError
from reasonry.estimating import Estimate
from reasonry.explain import explain
from reasonry.history import estimates
from reasonry.ledger import Ledger
from reasonry.piloting import pilot
from reasonry.plan import Step, make_plan
from reasonry.previewing import preview
from reasonry.recipe import Recipe, load_recipe
from reasonry.run import RunResult, run
from reasonry.store import Store
from reasonry.teachers.asking.ask import Asking, ask_series
from reasonry.teachers.asking.company import Company, side_by_side
from reasonry.teachers.asking.outcomes import Single
from reasonry.types import Question, Reply, Request, Trace
from tests.teachers.fakes import SOON, FakeTeacher, echo, request_of

RECIPE = """\
name = "further"
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
accuracy = 0.8
over_http = true
samples = 2
max_tokens = 200
price = { input_per_million = 1000.0, output_per_million = 1000.0 }

[[distil.further]]
teacher = "simulated"
accuracy = 0.2
over_http = true
samples = 3
max_tokens = 200
price = { input_per_million = 10.0, output_per_million = 10.0 }
"""
QUIET = Console(quiet=True)


def recipe_in(folder: Path, *overrides: str, text: str = RECIPE) -> Recipe:
    folder.mkdir(exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path, overrides)


def done_in(folder: Path, out: str, *overrides: str, text: str = RECIPE) -> RunResult:
    return run(recipe_in(folder, *overrides, text=text), folder / out, console=QUIET, workers=1)


def traces_of(done: RunResult) -> list[Trace]:
    store = Store(done.folder / "tables")
    return [row for manifest in store.manifests("distil") for row in store.rows(manifest, Trace)]


def by_question(traces: Sequence[Trace]) -> dict[str, list[Trace]]:
    found: dict[str, list[Trace]] = {}
    for trace in traces:
        found.setdefault(trace.question_id, []).append(trace)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return done_in(tmp_path_factory.mktemp("whole"), "out")


def distil_step(recipe: Recipe) -> Step:
    return next(step for step in make_plan(recipe) if step.stage == "distil")


def test_each_question_gets_the_samples_of_all_numbered_through(whole: RunResult) -> None:
    traces = traces_of(whole)
    assert len(traces) == 200
    assert all([one.index for one in rows] == [0, 1, 2, 3, 4] for rows in by_question(traces).values())
    assert len({one.ledger_key for one in traces}) == 200


def test_costs_are_added_each_by_its_own_price(whole: RunResult) -> None:
    (manifest,) = Store(whole.folder / "tables").manifests("distil")
    first, second = manifest.metrics["responders"]
    assert [first["requests"], second["requests"], manifest.metrics["requests"]] == [80, 120, 200]
    tokens = [one["tokens_in"] + one["tokens_out"] for one in (first, second)]
    assert first["cost_usd"] == pytest.approx(tokens[0] * 1e-3)
    assert second["cost_usd"] == pytest.approx(tokens[1] * 1e-5)
    assert manifest.cost_usd == pytest.approx(first["cost_usd"] + second["cost_usd"])


def test_the_digest_is_the_same_at_any_concurrency(whole: RunResult, tmp_path: Path) -> None:
    latency = "distil.further.0.capacity={latency_s=0.02,jitter=1.0}"
    slow = done_in(tmp_path, "slow", "distil.concurrency=1", "distil.further.0.concurrency=7", latency)
    assert slow.digest == whole.digest


def test_what_is_in_the_ledger_is_not_asked_again(whole: RunResult, tmp_path: Path) -> None:
    with Ledger(whole.folder / "ledger.sqlite") as ledger:
        assert len(list(ledger.entries())) == 200
    shutil.copy(whole.folder / "ledger.sqlite", tmp_path / "kept.sqlite")
    recipe = recipe_in(tmp_path, "distil.samples=4")  # the further teacher's answers do not hang on the first's number
    run(recipe, tmp_path / "more", console=QUIET, workers=1, ledger=tmp_path / "kept.sqlite")
    with Ledger(tmp_path / "kept.sqlite") as ledger:
        assert len(list(ledger.entries())) == 200 + 2 * 40


@pytest.mark.slow
def test_killed_it_goes_on_and_pays_nothing_twice(whole: RunResult, tmp_path: Path) -> None:
    slow = [f"distil.{one}capacity={{latency_s=0.1,at_once=4}}" for one in ("", "further.0.")]
    recipe = recipe_in(tmp_path)
    command = [sys.executable, "-m", "reasonry", "run", str(recipe.path), "--out", str(tmp_path / "out"), "--quiet"]
    command += ["--workers", "1"]
    killed = subprocess.Popen([*command, *(word for one in slow for word in ("--set", one))])
    while killed.poll() is None and _answered(tmp_path / "out" / "ledger.sqlite") < 30:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 30 <= _answered(tmp_path / "out" / "ledger.sqlite") < 200
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["digest"] == whole.digest
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        assert set(Counter(entry.key for entry in ledger.entries()).values()) == {1}


def _answered(path: Path) -> int:
    if not path.is_file():
        return 0
    with Ledger(path) as ledger:
        return len(list(ledger.entries()))


def test_one_budget_bounds_all_of_them(whole: RunResult, tmp_path: Path) -> None:
    (manifest,) = Store(whole.folder / "tables").manifests("distil")
    assert manifest.cost_usd is not None
    limit = manifest.cost_usd / 2
    with pytest.raises(BudgetReached):
        done_in(tmp_path, "out", f"budget={{usd={limit}}}")
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        spent = sum(entry.cost_usd or 0.0 for entry in ledger.entries())
    assert 0.5 * limit < spent <= limit
    assert done_in(tmp_path, "out", f"budget={{usd={3 * limit}}}").digest == whole.digest


def test_each_teacher_goes_by_its_own_samples(tmp_path: Path) -> None:
    """The first is asked until it is right; what the second one says is nothing to it."""
    rules = ("distil.samples=1", "distil.max_samples=4", "distil.accuracy=0.4")
    done = done_in(tmp_path, "out", *rules)
    counts = Counter(len(rows) for rows in by_question(traces_of(done)).values())
    assert sum(counts.values()) == 40
    assert min(counts) == 4
    assert len(counts) > 1
    assert all([one.index for one in rows] == list(range(len(rows))) for rows in by_question(traces_of(done)).values())
    (manifest,) = Store(done.folder / "tables").manifests("distil")
    assert manifest.metrics["stopped"]["solved"] > 0
    assert "stopped" not in manifest.metrics["responders"][1]


def test_a_recording_and_a_teacher_answer_together(tmp_path: Path) -> None:
    """A question that the recording lacks is no drop, since somebody answers it."""
    alone = done_in(tmp_path, "alone", "distil.further=[]")
    store = Store(alone.folder / "tables")
    (curated,) = store.manifests("curate")
    some = [question.prompt for question in store.rows(curated, Question)][:5]
    rows = [json.dumps({"question": f"Compute {i}.", "response": "1"}) for i in range(3)]
    rows += [json.dumps({"question": prompt, "response": f"it is {n}"}) for prompt in some for n in (1, 2)]
    (tmp_path / "recorded.jsonl").write_text("\n".join(rows), encoding="utf-8")
    done = done_in(tmp_path, "both", 'distil.further=[{teacher="replay",path="recorded.jsonl",samples="all"}]')
    counts = Counter(len(rows) for rows in by_question(traces_of(done)).values())
    assert counts == {4: 5, 2: 35}
    (manifest,) = Store(done.folder / "tables").manifests("distil")
    assert manifest.metrics["recordings_unmatched"] == 3
    assert manifest.dropped == {}


def test_the_key_holds_a_checkpoint_by_its_content(tmp_path: Path) -> None:
    for name in ("one", "same", "other"):
        (tmp_path / name / "checkpoint").mkdir(parents=True)
        (tmp_path / name / "checkpoint" / "config.json").write_text(f'{{"a": {name == "other"!r:}}}'.lower())
    keys = [
        distil_step(
            recipe_in(tmp_path, f'distil.further=[{{teacher="student",path="{name}/checkpoint",temperature=1.0}}]')
        ).key
        for name in ("one", "same", "other")
    ]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("change", ["samples=4", "accuracy=0.3", "system='Be brief.'", "seed=4"])
def test_the_key_holds_what_each_further_teacher_is_told(tmp_path: Path, change: str) -> None:
    plain, changed = recipe_in(tmp_path), recipe_in(tmp_path, f"distil.further.0.{change}")
    assert distil_step(plain).key != distil_step(changed).key
    assert plain.run_id != changed.run_id


def test_a_recipe_without_further_teachers_has_the_key_it_had(tmp_path: Path) -> None:
    assert "further" not in distil_step(recipe_in(tmp_path, "distil.further=[]")).section


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ('distil.further.0.further=[{teacher="simulated"}]', "has none of its own"),
        ("distil.further.0.accuracy=0.8", "is there already"),
        ('distil.further=[{teacher="simulatd"}]', "unknown teacher 'simulatd'"),
        ('distil.further=[{teacher="simulated",smples=2}]', "unknown key 'smples'"),
        ("distil.further=[{samples=2}]", "no teacher is named"),
        ("distil.further=7", "list"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, override: str, what: str) -> None:
    with pytest.raises(RecipeError, match=what) as caught:
        recipe_in(tmp_path, override)
    assert "distil.further" in str(caught.value)


def test_a_budget_needs_the_price_of_each(tmp_path: Path) -> None:
    free = RECIPE.replace("price = { input_per_million = 10.0, output_per_million = 10.0 }\n", "")
    with pytest.raises(RecipeError, match=r"a budget needs a price of distil\.further\[0\]"):
        recipe_in(tmp_path, "budget={usd=1.0}", text=free)


def test_all_recorded_samples_of_somebody_who_records_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="makes new ones") as caught:
        done_in(tmp_path, "out", 'distil.further.0.samples="all"')
    assert caught.value.place == "distil.further[0].samples"


def test_a_pilot_prices_all_of_them(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path)
    steps, store = make_plan(recipe), Store(tmp_path / "out" / "tables")
    pilot(recipe, steps, tmp_path / "out", 8, console=QUIET)
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        found = estimates(steps, store, ledger)["distil"]
    assert isinstance(found, Estimate)
    assert found.requests.estimate == 200
    assert found.paid_requests == 40
    assert found.cost_usd is not None
    done = run(recipe, tmp_path / "out", console=QUIET, workers=1)
    cost = next(stage.cost_usd for stage in done.stages if stage.stage == "distil")
    assert cost is not None
    assert found.cost_usd.estimate == pytest.approx(cost)  # all answers are of one length


def test_a_preview_shows_what_each_is_sent(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path, "distil.further.0.system='Be brief.'")
    shown = preview(recipe, make_plan(recipe), Store(tmp_path / "tables"), 2)
    assert [one.rule for one in shown] == ["distil.prompt", "distil.further[0].prompt"] * 2
    assert [len(one.messages) for one in shown] == [1, 2] * 2
    assert [len(one.temperatures) for one in shown] == [2, 3] * 2


def test_explain_tells_who_wrote_an_answer(tmp_path: Path) -> None:
    done = done_in(tmp_path, "out", "distil.further.0.system='Be brief.'")
    last = traces_of(done)[4]
    story = explain(done.folder, last.id)
    (told,) = [one for one in story.traces if one.trace.id == last.id]
    assert told.asked[0].messages[0]["content"] == "Be brief."
    assert told.asked[0].sampling["index"] == 2


def test_what_ends_one_ends_all_and_what_is_under_way_is_kept(tmp_path: Path) -> None:
    """A refused key of one teacher: the other sends nothing more, and what it was sent is recorded."""

    async def refused(request: Request) -> Reply:
        await asyncio.sleep(0.1)
        raise TeacherError("no such key", fatal=True)

    async def slow(request: Request) -> Reply:
        await asyncio.sleep(0.4)
        return await echo(request)

    other, company = FakeTeacher(slow), Company()
    options = Asking(concurrency=3, waits=SOON, company=company)
    requests = [request_of(f"question {i}") for i in range(50)]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        streams = [
            ask_series(teacher, map(Single, requests), ledger, options) for teacher in (other, FakeTeacher(refused))
        ]
        with pytest.raises(TeacherError, match="no such key"):
            list(side_by_side(streams))
        answered = [entry for entry in ledger.entries() if entry.outcome == "answered"]
    assert 0 < len(answered) == sum(other.asked.values()) < 50
    assert other.open == 0
