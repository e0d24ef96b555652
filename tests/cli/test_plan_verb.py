"""plan: what a run will cost, asked by a pilot; what would be sent; and how a stopped run is taken up again."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.history import PILOT, drawn
from reasonry.ledger import Ledger
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.run import run
from reasonry.store import Store
from reasonry.types import Question, Trace
from tests.cli.test_cli import reasonry

RECIPE = """\
name = "small"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 3
digits = 2
count = 60
verifier = "steps"

[distil]
teacher = "simulated"
over_http = true
accuracy = 0.5
mistakes = { truncation = 2, bad_format = 1 }
samples = 2
max_tokens = 300
price = { input_per_million = 500.0, output_per_million = 2000.0 }
"""
TEACHER_ON_A_BENCHMARK = """
[[evaluate]]
benchmark = "procedural"
name = "heldout"
of = ["teacher"]
family = "chain_sum"
steps = 4
digits = 2
count = 30

[[train]]
trainer = "tiny"
"""
PROGRAM = f"{sys.executable} -m reasonry"  # as the tests start it
UNPAID = RECIPE.replace("over_http = true\n", "").replace("price = ", "# ")


def planned(folder: Path, *arguments: str) -> dict[str, Any]:
    """The stages of `plan --json`, by name."""
    done = reasonry("plan", "r.toml", "--json", "--quiet", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    stages = json.loads(done.stdout)["stages"]
    return {f"{s['stage']}:{s['label']}" if s["label"] else s["stage"]: s for s in stages}


def write(folder: Path, text: str = RECIPE) -> Path:
    (folder / "r.toml").write_text(text, encoding="utf-8")
    return folder / "r.toml"


def test_without_a_pilot_or_history_the_estimate_is_unknown_and_says_how_to_get_one(tmp_path: Path) -> None:
    write(tmp_path)
    assert planned(tmp_path)["distil"]["estimate"] == {
        "known": False,
        "reason": "plan --pilot 20 asks 20 questions",
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "r.toml"]


def test_a_pilot_is_no_waste_and_its_estimate_holds_what_the_run_costs(tmp_path: Path) -> None:
    write(tmp_path, RECIPE + TEACHER_ON_A_BENCHMARK)
    stages = planned(tmp_path, "--pilot", "12")
    found = stages["distil"]["estimate"]
    assert found["basis"] == "a pilot of 12 questions"
    assert (found["seen"], found["questions"], found["paid_requests"]) == (12, 60, 24)
    assert stages["collect"]["cached"]
    assert stages["curate"]["cached"]
    assert 0 < found["remaining_usd"]["low"] < found["cost_usd"]["low"] < found["cost_usd"]["high"]
    teacher = stages["evaluate:heldout/teacher"]["estimate"]
    assert teacher["requests"]["estimate"] == 30
    assert teacher["is_rough"]
    folder = tmp_path / "runs" / "small"
    with Ledger(folder / "ledger.sqlite") as ledger:
        before = [entry.key for entry in ledger.entries()]
    assert len(before) == 24
    result = run(load_recipe(write(tmp_path)), folder, console=Console(quiet=True), workers=1)
    distilled = next(stage for stage in result.stages if stage.stage == "distil")
    with Ledger(folder / "ledger.sqlite") as ledger:
        keys = [entry.key for entry in ledger.entries()]
    assert len(keys) == len(set(keys)) == 120
    assert set(before) < set(keys)
    assert distilled.cost_usd is not None
    assert found["cost_usd"]["low"] <= distilled.cost_usd <= found["cost_usd"]["high"]
    assert planned(tmp_path)["distil"]["estimate"] is None


def test_a_second_pilot_asks_nothing_and_a_larger_one_only_the_rest(tmp_path: Path) -> None:
    write(tmp_path)
    counts: list[int] = []
    for count in ("5", "5", "9"):
        planned(tmp_path, "--pilot", count)
        with Ledger(tmp_path / "runs" / "small" / "ledger.sqlite") as ledger:
            counts.append(sum(1 for _ in ledger.entries()))
    assert counts == [10, 10, 18]
    assert planned(tmp_path)["distil"]["estimate"]["basis"] == "a pilot of 9 questions"


def test_a_pilot_of_a_teacher_that_is_not_paid_has_counts_and_an_unknown_cost(tmp_path: Path) -> None:
    write(tmp_path, UNPAID)
    found = planned(tmp_path, "--pilot", "6")["distil"]["estimate"]
    assert found["tokens_out"]["estimate"] > 0
    assert found["cost_usd"] is found["paid_usd"] is found["remaining_usd"] is None
    assert found["seconds"]["estimate"] > 0
    shown = reasonry("plan", "r.toml", cwd=tmp_path).stdout
    assert "cost          unknown: the recipe has no price (distil.price)" in shown
    assert "$" not in shown


def test_an_adaptive_pilot_sees_how_often_questions_are_asked(tmp_path: Path) -> None:
    write(tmp_path, RECIPE + "max_samples = 5\n")
    found = planned(tmp_path, "--pilot", "15")["distil"]["estimate"]
    assert found["most_requests"] == 300
    assert 120 < found["requests"]["estimate"] < 300
    assert found["requests"]["low"] < found["requests"]["high"]


def test_answers_to_another_question_are_history_by_way_of_the_ledger(tmp_path: Path) -> None:
    write(tmp_path)
    planned(tmp_path, "--pilot", "5")
    changed = planned(tmp_path, "--set", "distil.temperature=0.5")
    assert changed["distil"]["estimate"]["basis"] == "the ledger's newest 10 answers"
    assert changed["distil"]["estimate"]["paid_requests"] == 0
    more = planned(tmp_path, "--set", "distil.samples=4")["distil"]["estimate"]
    assert more["basis"] == "a pilot of 5 questions"
    assert more["requests"]["estimate"] == 240
    assert more["paid_requests"] == 10


def test_a_pilot_stops_at_the_budget_and_says_how_to_go_on(tmp_path: Path) -> None:
    write(tmp_path)
    arguments = ["plan", "r.toml", "--pilot", "20", "--set", "budget.usd=1", "--quiet"]
    done = reasonry(*arguments, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert done.stderr.splitlines()[-1] == f"resume: {PROGRAM} plan r.toml --pilot 20 --quiet --set budget.usd=2"


def test_the_pilots_questions_are_a_draw_that_grows(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path))
    planned(tmp_path, "--pilot", "4")
    store = Store(tmp_path / "runs" / "small" / "tables")
    (curate,) = (step for step in make_plan(recipe) if step.stage == "curate")
    manifest = store.sealed("curate", curate.key)
    assert manifest is not None
    questions = list(store.rows(manifest, Question))
    few, many = drawn(questions, 4, PILOT), drawn(questions, 10, PILOT)
    assert {q.id for q in few} < {q.id for q in many}
    assert [q for q in questions if q in few] == few
    assert few != questions[:4]
    (pilot,) = store.manifests(PILOT)
    assert {trace.question_id for trace in store.rows(pilot, Trace)} == {q.id for q in few}


def test_a_pilot_needs_a_folder_of_ours_and_something_to_ask(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "theirs" / "tables").mkdir(parents=True)
    done = reasonry("plan", "r.toml", "--pilot", "4", "--out", "theirs", cwd=tmp_path)
    assert done.returncode == 2
    assert "no run of ours left this here" in done.stderr
    write(tmp_path, RECIPE.partition("[distil]")[0])
    for option in ("--pilot", "--sample"):
        done = reasonry("plan", "r.toml", option, "4", cwd=tmp_path)
        assert done.returncode == 2
        assert "nothing is distilled" in done.stderr


PROMPTS = """\
name = "prompts"
seed = 1

[[questions]]
source = "jsonl"
path = "a.jsonl"
fields = { prompt = "q", answer = "a" }
verifier = "math"

[[questions]]
source = "jsonl"
path = "b.jsonl"
fields = { prompt = "q", answer = "a" }
verifier = "exact"
domain = "law"

[distil]
teacher = "simulated"
samples = 3
temperature = [0.2, 1.0]
preset = "deepseek-r1"
system = "Be brief."
prompts = [{ domain = "law", system = "You are a judge.", prompt = "Rule on: {prompt}" }]
"""


def test_prompts_are_shown_as_sent_before_anything_runs(tmp_path: Path) -> None:
    write(tmp_path, PROMPTS)
    rows = "".join(json.dumps({"q": f"What is {i} + {i}? \x1b[31m", "a": str(2 * i)}) + "\n" for i in range(50))
    (tmp_path / "a.jsonl").write_text(rows)
    (tmp_path / "b.jsonl").write_text(json.dumps({"q": "Is it theft?", "a": "no"}) + "\n")
    done = reasonry("plan", "r.toml", "--sample", "2", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["prompts"]
    assert first["rule"] == 'preset deepseek-r1, rule 1 of 1 (verifier = "math")'
    assert [m["role"] for m in first["messages"]] == ["system", "user"]
    assert first["messages"][0]["content"] == "Be brief."
    assert first["messages"][1]["content"].startswith("What is 0 + 0?")
    assert second["rule"] == 'distil.prompts[0] (domain = "law")'
    assert second["messages"][1]["content"] == "Rule on: Is it theft?"
    assert second["temperatures"] == [0.2, 1.0, 0.2]
    shown = reasonry("plan", "r.toml", "--sample", "2", cwd=tmp_path).stdout
    assert "\x1b" not in shown
    assert "⟨U+001B⟩[31m" in shown
    assert "0.2 (sample 0), 1 (sample 1), 0.2 (sample 2)" in shown
    assert not (tmp_path / "runs").exists()


def test_presets_of_prompts_are_listed_and_shown(tmp_path: Path) -> None:
    listed = json.loads(reasonry("parts", "prompt", "--json", cwd=tmp_path).stdout)["prompts"]
    assert {"deepseek-r1", "openthoughts"} <= {preset["name"] for preset in listed}
    assert all(preset["source"].startswith("https://") for preset in listed)
    assert "put your final answer within \\boxed{}." in reasonry("parts", "prompt", "deepseek-r1", cwd=tmp_path).stdout
    wrong = reasonry("parts", "prompt", "deepseek", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean 'deepseek-r1'" in wrong.stderr


def test_at_the_budget_the_command_to_resume_works_as_it_stands(tmp_path: Path) -> None:
    write(tmp_path)
    options = ["--out", "runs/a b", "--ledger", "l.sqlite", "--set", "budget.usd=1.5", "--workers", "1", "--quiet"]
    done = reasonry("run", "r.toml", *options, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"resume: {PROGRAM} run r.toml --out 'runs/a b' --ledger l.sqlite --workers 1 --quiet")
    words = shlex.split(last.removeprefix(f"resume: {PROGRAM} "))
    assert words[-2:] == ["--set", "budget.usd=3"]
    assert "budget.usd=1.5" not in words
    for _ in range(4):
        done = reasonry(*words, cwd=tmp_path)
        if done.returncode != 4:
            break
        words = shlex.split(done.stderr.splitlines()[-1].removeprefix(f"resume: {PROGRAM} "))
    assert done.returncode == 0, done.stderr
    with Ledger(tmp_path / "l.sqlite") as ledger:
        keys = [entry.key for entry in ledger.entries() if entry.outcome == "answered"]
    assert len(keys) == len(set(keys)) == 120


@pytest.mark.parametrize(
    ("quiet", "sent"), [(True, signal.SIGINT), pytest.param(False, signal.SIGTERM, marks=pytest.mark.long)]
)
def test_an_interrupt_says_how_to_resume(tmp_path: Path, *, quiet: bool, sent: signal.Signals) -> None:
    write(tmp_path, RECIPE.replace("count = 60", "count = 20000"))
    command = [sys.executable, "-m", "reasonry", "run", "r.toml", *(["--quiet"] if quiet else [])]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs" / "small" / "run.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == f"resume: {PROGRAM} run r.toml{' --quiet' if quiet else ''}"
    assert json.loads((tmp_path / "runs" / "small" / "run.json").read_text())["status"] == "interrupted"
    assert "Traceback" not in stderr
