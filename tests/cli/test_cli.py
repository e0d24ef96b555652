"""The command line: streams, exit codes, and errors that a person can act on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reasonry.cli.main import VERBS
from tests.stages.test_line import RECIPE


def reasonry(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reasonry", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        timeout=120,
    )


def assert_clear(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: "), done.stderr
    for text in said:
        assert text in done.stderr, done.stderr


def test_help_lists_every_verb_and_each_has_its_page(tmp_path: Path) -> None:
    page = reasonry("--help", cwd=tmp_path)
    assert page.returncode == 0
    for verb in VERBS:
        assert verb in page.stdout
    for verb in ("run", "verify", "parts"):
        assert reasonry(verb, "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "did you mean 'run'"),
        (["run"], "missing argument"),
        (["run", "none.toml"], "no such recipe"),
        (["run", "none.toml", "--worker", "1"], "--workers"),
        (["run", "none.toml", "--workers", "0"], "--workers"),
        (["show", "nowhere"], "not the folder of a run"),
        (["explain", "nowhere", "q-1"], "not the folder of a run"),
        (["report", "nowhere"], "not the folder of a run"),
        (["plan", "."], "cannot be read"),
        (["verify", "none.jsonl"], "none.jsonl"),
        (["verify", "none.jsonl", "--json"], "-o OUT"),
        (["parts", "verifer"], "verifer"),
        (["parts", "verifier", "maht"], "did you mean 'math'"),
        (["eval", "nowhere", "--benchmark", "procedural"], "nowhere"),
        (["eval", "nowhere", "--benchmark", "procedual"], "did you mean 'procedural'"),
    ],
)
def test_a_wrong_command_is_one_clear_error_and_exit_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert_clear(reasonry(*arguments, cwd=tmp_path), 2, said)


def test_init_writes_a_recipe_that_runs_and_refuses_to_overwrite(tmp_path: Path) -> None:
    assert reasonry("init", cwd=tmp_path).returncode == 0
    assert_clear(reasonry("init", cwd=tmp_path), 2, "there is a file already")
    done = reasonry("run", "recipe.toml", "--json", "--set", "questions.0.count=30", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert [stage["stage"] for stage in shown["stages"]] == [
        "collect",
        "curate",
        "distil",
        "verify",
        "select",
        "publish",
    ]
    assert (tmp_path / "runs" / "starter" / "report.html").is_file()
    for verb in (["show"], ["report"], ["explain"]):
        arguments = [*verb, "runs/starter", *(["q-"] if verb == ["explain"] else []), "--json"]
        done = reasonry(*arguments, cwd=tmp_path)
        assert done.returncode == (2 if verb == ["explain"] else 0), done.stderr
        if verb != ["explain"]:
            json.loads(done.stdout)


def test_a_missed_gate_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE + '[[gates]]\nmetric = "verify.correct_rate"\nmin = 0.99\n')
    done = reasonry("run", "r.toml", "--quiet", cwd=tmp_path)
    assert_clear(done, 3, "gate missed")
    assert done.stdout == ""


def test_a_recipe_error_shows_what_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.replace("samples = 2", "sampels = 2"))
    done = reasonry("run", "r.toml", cwd=tmp_path)
    assert_clear(done, 2)
    lines = done.stderr.splitlines()
    assert lines == ["error: unknown key 'sampels'", "  r.toml:16: distil.sampels", "", "hint: did you mean 'samples'?"]


def test_a_bug_of_ours_is_told_as_such_and_its_traceback_needs_debug(tmp_path: Path) -> None:
    program = "import reasonry.recipe as r, reasonry.cli.running as c; c.load = lambda *a: 1 / 0; "
    program += "from reasonry.cli.main import main; import sys; main(sys.argv[1:])"
    for debug in ([], ["--debug"]):
        done = subprocess.run(
            [sys.executable, "-c", program, "run", "x.toml", *debug], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) == bool(debug)
        assert ("bug in Reasonry" in done.stderr) != bool(debug)


def test_an_interrupt_ends_with_130_and_a_way_to_resume(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE.replace("count = 40", "count = 2000"))
    process = subprocess.Popen(
        [sys.executable, "-m", "reasonry", "run", "r.toml"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "collect" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 130
    assert "run again to resume" in rest
    assert "Traceback" not in rest


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m reasonry schema | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_colours_are_asked_for_and_refused_by_the_environment(tmp_path: Path) -> None:
    assert "\x1b[" not in reasonry("run", "x.toml", cwd=tmp_path).stderr
    assert "\x1b[" in reasonry("run", "x.toml", cwd=tmp_path, FORCE_COLOR="1").stderr
    assert "\x1b[" not in reasonry("run", "x.toml", cwd=tmp_path, FORCE_COLOR="1", NO_COLOR="1").stderr.replace(
        "\x1b[1m", ""
    ).replace("\x1b[0m", "")


def test_doctor_checks_this_machine(tmp_path: Path) -> None:
    done = reasonry("doctor", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in ("python", "parts", "disk", "ledger", "worker limits"):
        assert checks[name]["passed"], checks[name]


def test_doctor_never_shows_a_secret(tmp_path: Path) -> None:
    done = reasonry("doctor", cwd=tmp_path, OPENAI_API_KEY="sk-very-secret")
    assert "sk-very-secret" not in done.stdout + done.stderr
    assert "OPENAI_API_KEY     set" in done.stdout


def test_parts_names_every_kind_and_the_simulated_endpoint(tmp_path: Path) -> None:
    done = reasonry("parts", cwd=tmp_path)
    for name in ("jsonl@", "openai@", "simulated@", "math@", "tiny@", "reasonry.teachers.simulator.endpoint"):
        assert name in done.stdout
    shown = json.loads(reasonry("parts", "teacher", "openai", "--json", cwd=tmp_path).stdout)
    assert "base_url" in shown["options"]["properties"]


def test_plan_shows_every_stage_and_its_reason(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    shown = json.loads(reasonry("plan", "r.toml", "--json", cwd=tmp_path).stdout)
    assert [stage["why"] for stage in shown["stages"]][:2] == ["never done", "waits for collect"]
    assert shown["stages"][0]["rows"] is None
