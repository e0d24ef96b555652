"""`reasonry ablate` from outside: exit codes, and no advice that does not help."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from reasonry.cli.main import main
from reasonry.ledger import Ledger
from reasonry.teachers.asking.spending import Budget

RECIPE = """
name = "priced"
[[questions]]
source = "procedural"
steps = 2
digits = 1
count = 60
[distil]
teacher = "simulated"
over_http = true
max_tokens = 64
price = { input_per_million = 1e6, output_per_million = 1e6 }
[train]
trainer = "tiny"
steps = 2
[[evaluate]]
benchmark = "procedural"
steps = 2
digits = 1
count = 5
"""


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_a_matrix_too_dear_ends_with_4_and_tells_no_command_that_is_refused_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = tmp_path / "recipe.toml", str(tmp_path / "out")
    recipe.write_text(RECIPE, encoding="utf-8")
    varied = ("--vary", "distil.samples=[1,2]", "--budget", "0.5", "--out", out)
    assert ended("ablate", str(recipe), *varied) == 2  # nothing is known of the price
    assert ended("plan", str(recipe), "--out", out, "--pilot", "10") == 0
    capsys.readouterr()
    assert ended("ablate", str(recipe), *varied) == 4
    shown = capsys.readouterr()
    assert "would cost $" in shown.err
    assert "resume:" not in shown.err
    assert shown.out == ""


def test_a_budget_holds_while_it_is_spent_and_not_only_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The price said before is an estimate; here it was far too low."""
    recipe, out = tmp_path / "recipe.toml", tmp_path / "out"
    recipe.write_text(RECIPE, encoding="utf-8")

    def too_low(*_: object) -> Budget:
        return Budget(2000.0, counts_paid=False)

    monkeypatch.setattr(import_module("reasonry.ablating.ablate"), "hold_budget", too_low)
    assert ended("ablate", str(recipe), "--vary", "distil.samples=[1,2]", "--out", str(out)) == 4
    assert "is spent, and the next request may cost" in capsys.readouterr().err
    with Ledger(out / "ledger.sqlite") as ledger:
        paid = [entry.cost_usd or 0.0 for entry in ledger.entries()]
    assert 0 < sum(paid) <= 2000.0
    assert not (out / "cells").exists()


def test_a_verifier_of_the_audit_that_is_not_there_is_told_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE + '[ablate]\naudit = ["mth"]\n', encoding="utf-8")
    out = tmp_path / "out"
    assert ended("ablate", str(recipe), "--vary", 'select.keep=["all","correct"]', "--out", str(out)) == 2
    assert "did you mean 'math'?" in capsys.readouterr().err
    assert not out.exists()


def test_garbage_in_vary_ends_with_2_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    for given in ("select.keep", "\x01=[1,2]", "distil.samples=[2020-01-01,2021-01-01]", "distil.sample=[1,2]"):
        assert ended("ablate", str(recipe), "--out", str(tmp_path / "out"), "--vary", given) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
