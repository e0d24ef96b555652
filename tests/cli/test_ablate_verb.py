"""`reasonry ablate` from outside: exit codes, and no advice that does not help."""

from __future__ import annotations

from pathlib import Path

import pytest

from reasonry.cli.main import main

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


def test_garbage_in_vary_ends_with_2_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    for given in ("select.keep", "\x01=[1,2]", "distil.samples=[2020-01-01,2021-01-01]", "distil.sample=[1,2]"):
        assert ended("ablate", str(recipe), "--out", str(tmp_path / "out"), "--vary", given) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
