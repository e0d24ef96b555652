"""Whole matrices, small: what is shared, how cells are matched, what a kill or a bad cell leaves, and the page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reasonry.ablating import Ablation, ablate
from reasonry.console import Console
from reasonry.errors import BudgetReached, UsageError, WorkFailed
from reasonry.report import write_ablation
from reasonry.run import load_run
from reasonry.sections import AblateSection
from reasonry.store import Store
from tests.ablating.test_matrix import RECIPE, recipe_in

pytest.importorskip("torch", reason="the extra [train] is not installed")
pytestmark = pytest.mark.long

ARMS = """
[ablate]
seeds = 2
audit = ["math", "steps"]
[[ablate.factors]]
name = "data"
[[ablate.factors.levels]]
name = "verified"
[[ablate.factors.levels]]
name = "all"
set = { "select.keep" = "all" }
[[ablate.factors.levels]]
name = "all, as many epochs"
set = { "select.keep" = "all" }
match = "epochs"
[[ablate.factors.levels]]
name = "all, as many examples"
set = { "select.keep" = "all" }
match = "examples"
"""


def quiet(recipe: Any, folder: Path, **more: Any) -> Ablation:
    return ablate(recipe, folder, workers=2, console=Console(quiet=True), **more)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablation")


@pytest.fixture(scope="module")
def made(home: Path) -> Ablation:
    return quiet(recipe_in(home, more=ARMS), home / "out")


def cell(made: Ablation, name: str) -> dict[str, Any]:
    (found,) = [one for one in made.facts["cells"] if one["name"] == name]
    return found


def test_what_cells_share_is_made_once(made: Ablation) -> None:
    store = Store(made.folder / "tables")
    counts = {stage: len(list(store.manifests(stage))) for stage in ("collect", "distil", "verify", "select", "train")}
    assert counts == {"collect": 1, "distil": 1, "verify": 1, "select": 2, "train": 8}


def test_a_cell_is_a_run_that_can_be_looked_at(made: Ablation) -> None:
    folder = made.folder / "cells" / "verified--seed1"
    assert load_run(folder)["status"] == "done"
    shown = subprocess.run(
        [sys.executable, "-m", "reasonry", "show", str(folder), "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout)["run"] == cell(made, "verified--seed1")["run"]


def test_cells_are_matched_as_they_say(made: Ablation) -> None:
    verified, everything = cell(made, "verified--seed1"), cell(made, "all--seed1")
    assert verified["steps"] == everything["steps"] == {"student": 4}
    epochs = cell(made, "all-as-many-epochs--seed1")
    assert epochs["steps"] == {"student": round(4 * everything["examples"] / verified["examples"])}
    assert f"train.examples={verified['examples']}" in cell(made, "all-as-many-examples--seed1")["settings"]


def test_tokens_are_matched_by_the_length_of_what_is_learned(home: Path) -> None:
    section = AblateSection(seeds=1, match="tokens")
    made = quiet(recipe_in(home), home / "tokens", section=section, varied=["questions.0.steps=[2, 4]"])
    short, long = (one["steps"]["student"] for one in made.facts["cells"])
    assert short == 4
    assert 2 <= long < 4


def test_the_audit_tells_right_answers_over_wrong_steps(home: Path) -> None:
    section = AblateSection(seeds=1, audit=["math", "steps"])
    mistakes = "distil.mistakes=[{ slip = 1 }, { cancelling = 1 }]"
    recipe = recipe_in(home)
    made = quiet(recipe, home / "audit", section=section, varied=[mistakes, 'select.keep=["all", "correct"]'])
    found = {one["name"]: one["audit"]["student"] for one in made.facts["cells"]}
    assert all(audit["first_alone"] == 0 for name, audit in found.items() if "slip" in name)
    several = [audit for name, audit in found.items() if "cancelling" in name]
    kept_all = max(several, key=lambda audit: audit["examples"])
    assert kept_all["first_alone"] == kept_all["correct"]["math"] - kept_all["correct"]["steps"] > 0
    assert min(several, key=lambda audit: audit["examples"])["first_alone"] == 0


def test_again_is_free_and_the_same(home: Path, made: Ablation) -> None:
    start = time.monotonic()
    before = {path: path.stat().st_mtime_ns for path in (made.folder / "tables").glob("*/*/manifest.json")}
    again = quiet(recipe_in(home, more=ARMS), home / "out")
    assert again.digest == made.digest
    assert again.facts == made.facts
    assert before == {path: path.stat().st_mtime_ns for path in (made.folder / "tables").glob("*/*/manifest.json")}
    assert time.monotonic() > start


def test_a_killed_matrix_goes_on_and_ends_the_same_with_another_number_of_workers(
    home: Path, made: Ablation, tmp_path: Path
) -> None:
    recipe_in(home, more=ARMS)
    command = [sys.executable, "-m", "reasonry", "ablate", str(home / "recipe.toml"), "--out", str(tmp_path / "out")]
    process = subprocess.Popen([*command, "--workers", "1", "--quiet"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "out" / "tables").glob("train/*/manifest.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sealed = len(list((tmp_path / "out" / "tables").glob("train/*/manifest.json")))
    assert sealed >= 2
    time.sleep(0.5)  # its children read the end of their input, and end
    assert quiet(recipe_in(home, more=ARMS), tmp_path / "out").digest == made.digest


def test_the_page_holds_every_cell_and_nothing_that_runs(made: Ablation) -> None:
    html = write_ablation(made.folder).read_text(encoding="utf-8")
    assert all(one["name"] in html for one in made.facts["cells"])
    assert "right by math, not by steps" in html
    assert re.search(r"<script|javascript:|onerror|https?://(?!www\.w3\.org)", html) is None


def test_a_folder_that_is_no_ablation_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the folder of an ablation"):
        write_ablation(tmp_path)


def test_a_cell_that_fails_is_named_and_the_others_are_kept(home: Path, tmp_path: Path) -> None:
    section = AblateSection(seeds=1)
    with pytest.raises(WorkFailed, match=r"runs failed; the first: .*longer than max_length"):
        quiet(recipe_in(home), tmp_path / "out", section=section, varied=["train.max_length=[512, 8]"])
    assert len(list((tmp_path / "out" / "tables").glob("train/*/manifest.json"))) == 1


PAID = RECIPE.replace(
    'teacher = "simulated"',
    'teacher = "simulated"\nover_http = true\nmax_tokens = 200\n'
    "price = {{ input_per_million = 1000.0, output_per_million = 1000.0 }}",
)


def test_a_matrix_that_is_too_dear_is_refused_with_its_price(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(PAID.format(train="[train]"), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "reasonry",
        "ablate",
        str(tmp_path / "recipe.toml"),
        "--out",
        str(tmp_path / "out"),
    ]
    more = ["--vary", "distil.samples=[1, 2]", "--seeds", "1", "--budget"]
    unknown = subprocess.run([*command, *more, "0.01"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 2
    assert "is not known" in unknown.stderr
    pilot = [sys.executable, "-m", "reasonry", "plan", str(tmp_path / "recipe.toml"), "--pilot", "20"]
    subprocess.run([*pilot, "--out", str(tmp_path / "out")], capture_output=True, check=True)
    paid = sorted((tmp_path / "out").glob("ledger.sqlite"))
    assert len(paid) == 1
    refused = subprocess.run([*command, *more, "0.01"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "the matrix would cost $" in refused.stderr) == (BudgetReached.exit_code, True)
    assert not (tmp_path / "out" / "cells").exists()
