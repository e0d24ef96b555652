"""`reasonry ledger`: its figures, its files, its exit codes, and that what is published can be replayed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reasonry.ledger import Ledger
from reasonry.teachers.simulator.endpoint import serve_simulated
from reasonry.teachers.simulator.simulation import Behaviour
from tests.cli.test_cli import assert_clear, reasonry
from tests.floor.ledgers import MODEL, failed_entry, filled, overwrite, real_entry

RECIPE = """
name = "published"
seed = 3
[[questions]]
source = "procedural"
count = 15
[distil]
teacher = "simulated"
over_http = true
samples = 2
"""


def data(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "l.sqlite"
    filled(path, [failed_entry(1), failed_entry(2, None), *map(real_entry, range(20))])
    return path


def test_show_tells_what_a_ledger_holds(ledger: Path, tmp_path: Path) -> None:
    shown = data(reasonry("ledger", "show", ledger, "--json", cwd=tmp_path))
    assert (shown["schema"], shown["answered"], shown["failed"]) == (1, 20, 2)
    page = reasonry("ledger", "show", ledger, cwd=tmp_path).stdout
    for said in ("20 answers, 2 failed", MODEL, "6,000 out; $0.0200", "with HTTP 429", "without an HTTP status"):
        assert said in page, page
    assert "2023-11-14 22:13:20 UTC" in page


def test_show_lets_nobody_steer_the_terminal(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [real_entry(1, model="\x1b[2Jm")])
    assert "\x1b" not in reasonry("ledger", "show", "l.sqlite", cwd=tmp_path).stdout


def test_show_takes_whatever_stands_in_a_strangers_file(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [failed_entry(1), real_entry(2)])
    with closing(sqlite3.connect(tmp_path / "l.sqlite")) as connection, connection:
        connection.execute("update attempts set http_status = char(27) || '[2J', at = 1e300")
    page = reasonry("ledger", "show", "l.sqlite", cwd=tmp_path)
    assert page.returncode == 0, page.stderr
    assert "\x1b" not in page.stdout
    assert "a time that cannot be" in page.stdout


def test_compact_says_how_large_it_was_and_is(ledger: Path, tmp_path: Path) -> None:
    done = data(reasonry("ledger", "compact", ledger, "--json", cwd=tmp_path))
    assert done["dropped"] == 2
    assert done["bytes_after"] <= done["bytes_before"]
    again = reasonry("ledger", "compact", ledger, cwd=tmp_path)
    assert "0 failed attempts dropped" in again.stderr
    assert again.stdout == ""


def test_compact_refuses_a_ledger_that_another_process_has_open(ledger: Path, tmp_path: Path) -> None:
    with Ledger(ledger):
        assert_clear(reasonry("ledger", "compact", ledger, cwd=tmp_path), 1, "another process", "no run uses it")


def test_export_and_import_say_what_they_did(ledger: Path, tmp_path: Path) -> None:
    done = data(reasonry("ledger", "export", ledger, "-o", "e.jsonl.zst", "--json", cwd=tmp_path))
    assert done["count"] == 20
    first = data(reasonry("ledger", "import", "new.sqlite", "e.jsonl.zst", "--json", cwd=tmp_path))
    assert first == {"schema": 1, "added": 20, "kept": 0, "bad": 0}
    again = data(reasonry("ledger", "import", "new.sqlite", "e.jsonl.zst", "e.jsonl.zst", "--json", cwd=tmp_path))
    assert again == {"schema": 1, "added": 0, "kept": 40, "bad": 0}
    assert "20 of them imported" in reasonry("ledger", "show", "new.sqlite", cwd=tmp_path).stdout


def test_import_ends_with_1_where_lines_are_bad_and_takes_the_others(ledger: Path, tmp_path: Path) -> None:
    reasonry("ledger", "export", ledger, "-o", "e.jsonl", cwd=tmp_path)
    lines = (tmp_path / "e.jsonl").read_text("utf-8").splitlines()
    lines[2:5] = ["{}", "\x1b[2J", lines[4].replace("r-", "r-0", 1)]
    (tmp_path / "e.jsonl").write_text("\n".join(lines), "utf-8")
    done = reasonry("ledger", "import", "new.sqlite", "e.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["added"] == 17
    for said in ("e.jsonl:3: missing: key", "e.jsonl:4: not JSON", "e.jsonl:5: the key", "error: 3 lines"):
        assert said in done.stderr, done.stderr
    assert "\x1b[2J" not in done.stderr


def test_a_thousand_bad_lines_do_not_fill_the_screen(ledger: Path, tmp_path: Path) -> None:
    reasonry("ledger", "export", ledger, "-o", "e.jsonl", cwd=tmp_path)
    with (tmp_path / "e.jsonl").open("a") as file:
        file.write("{}\n" * 1000)
    done = reasonry("ledger", "import", "new.sqlite", "e.jsonl", cwd=tmp_path)
    assert "1,000 lines could not be used" in done.stderr
    assert len(done.stderr.splitlines()) < 40


def test_check_finds_what_is_damaged_and_saves_the_rest(ledger: Path, tmp_path: Path) -> None:
    assert data(reasonry("ledger", "check", ledger, "--json", cwd=tmp_path))["whole"] is True
    overwrite(ledger, ledger.read_bytes().index(b"hm hm"), b"mh")
    found = reasonry("ledger", "check", ledger, cwd=tmp_path)
    assert_clear(found, 1, "the ledger is damaged", "--salvage")
    assert "19 answers and 2 failed attempts are whole" in found.stdout
    assert "1 rows are damaged" in found.stdout
    saved = reasonry("ledger", "check", ledger, "--salvage", "new.sqlite", "--json", cwd=tmp_path)
    assert saved.returncode == 1
    assert "go on with new.sqlite" in saved.stderr
    assert json.loads(saved.stdout)["salvaged"] == 21
    assert data(reasonry("ledger", "check", "new.sqlite", "--json", cwd=tmp_path))["answered"] == 19
    assert_clear(reasonry("ledger", "check", ledger, "--salvage", "new.sqlite", cwd=tmp_path), 2, "a file already")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "none.sqlite"], "no such ledger"),
        (["show", "."], "is a folder"),
        (["check", "none.sqlite"], "no such ledger"),
        (["compact", "none.sqlite"], "no such ledger"),
        (["export", "none.sqlite", "-o", "e.jsonl"], "no such ledger"),
        (["export", "l.sqlite", "-o", "e.csv"], "-o FILE.jsonl.zst"),
        (["export", "l.sqlite"], "--out"),
        (["export", "l.sqlite", "-o", "e.jsonl", "--model", "x"], "answered by: deepseek-reasoner"),
        (["import", "new.sqlite"], "missing argument"),
        (["import", "new.sqlite", "none.jsonl"], "none.jsonl"),
        (["import", "new.sqlite", "recipe.toml"], "no export of a ledger"),
        (["shwo", "l.sqlite"], "no such command"),
    ],
)
def test_a_wrong_command_is_one_clear_error_and_makes_nothing(
    arguments: list[str], said: str, ledger: Path, tmp_path: Path
) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    assert_clear(reasonry("ledger", *arguments, cwd=tmp_path), 2, said)
    assert not list(tmp_path.glob("none*"))
    assert not list(tmp_path.glob("e.*"))


def run(tmp_path: Path, out: str, text: str, *arguments: str) -> dict[str, Any]:
    (tmp_path / "recipe.toml").write_text(text)
    return data(reasonry("run", "recipe.toml", "--out", out, "--json", "--quiet", *arguments, cwd=tmp_path))


def stage(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in result["stages"] if stage["stage"] == name)


@pytest.mark.slow
def test_a_published_ledger_is_replayed_by_a_stranger_to_the_same_digests(tmp_path: Path) -> None:
    """The stranger's teacher refuses every request, so an answer can only come from the ledger."""
    ours = run(tmp_path, "ours", RECIPE)
    data(reasonry("ledger", "export", "ours/ledger.sqlite", "-o", "e.jsonl.zst", "--json", cwd=tmp_path))
    added = data(reasonry("ledger", "import", "theirs.sqlite", "e.jsonl.zst", "--json", cwd=tmp_path))["added"]
    assert added == 30

    deaf = RECIPE + 'faults = { http_500 = 1.0, tries = "all" }\n'
    theirs = run(tmp_path, "theirs", deaf, "--ledger", "theirs.sqlite")
    assert stage(theirs, "distil")["rows_out"] == 30
    assert theirs["digest"] == ours["digest"]
    assert data(reasonry("ledger", "show", "theirs.sqlite", "--json", cwd=tmp_path))["failed"] == 0

    replayed = RECIPE.replace('"simulated"\nover_http = true', '"replay"\npath = "theirs.sqlite"')
    result = run(tmp_path, "replayed", replayed)
    assert stage(result, "distil")["rows_out"] == 30
    assert traces(tmp_path / "replayed") == traces(tmp_path / "ours")


def traces(folder: Path) -> set[tuple[str, ...]]:
    import pyarrow.parquet as pq

    columns = ["question_id", "index", "reasoning", "response", "finish"]
    [table] = (folder / "tables" / "distil").glob("*")
    rows = [row for part in table.glob("part-*.parquet") for row in pq.read_table(part, columns=columns).to_pylist()]
    return {tuple(str(row[column]) for column in columns) for row in rows}


SECRET = "sk-never-on-a-disk-0123456789"


def test_a_key_is_in_no_byte_of_what_is_written(tmp_path: Path) -> None:
    """Through the OpenAI client, with a key in the environment, answers and refusals alike; killed, so that the log
    is looked at too.
    """
    command = [sys.executable, "-m", "reasonry.teachers.simulator.endpoint", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as endpoint:
        try:
            assert endpoint.stdout is not None
            url = json.loads(endpoint.stdout.readline())["base_url"]
            asked = RECIPE.replace(
                '"simulated"\nover_http = true',
                f'"openai"\nmodel = "simulated-v1"\nbase_url = "{url}"\nmax_tokens = 99',
            )
            (tmp_path / "recipe.toml").write_text(asked)
            env = {**os.environ, "OPENAI_API_KEY": SECRET}
            running = subprocess.Popen(
                [sys.executable, "-m", "reasonry", "run", "recipe.toml", "--out", "out"], cwd=tmp_path, env=env
            )
            wait_for(tmp_path / "out" / "ledger.sqlite-wal")
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            assert_no_secret(tmp_path)
            done = reasonry("run", "recipe.toml", "--out", "out", cwd=tmp_path, OPENAI_API_KEY=SECRET)
            assert done.returncode == 0, done.stderr
            assert SECRET not in done.stdout + done.stderr
        finally:
            endpoint.kill()
    for verb in (["export", "out/ledger.sqlite", "-o", "e.jsonl"], ["import", "new.sqlite", "e.jsonl"]):
        assert reasonry("ledger", *verb, cwd=tmp_path).returncode == 0
    assert (tmp_path / "e.jsonl").stat().st_size > 1000
    assert_no_secret(tmp_path)


def test_a_key_that_the_endpoint_quotes_in_its_refusal_is_in_no_byte_either(tmp_path: Path) -> None:
    with serve_simulated(Behaviour(0, 0.6, {"slip": 1.0}), key="another") as served:
        asked = f'"openai"\nmodel = "simulated-v1"\nbase_url = "{served.base_url}"\nmax_tokens = 99'
        (tmp_path / "recipe.toml").write_text(RECIPE.replace('"simulated"\nover_http = true', asked))
        done = reasonry("run", "recipe.toml", "--out", "out", cwd=tmp_path, OPENAI_API_KEY=SECRET)
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr
    shown = data(reasonry("ledger", "show", "out/ledger.sqlite", "--json", cwd=tmp_path))
    assert shown["failures"][0]["http_status"] == 401
    assert_no_secret(tmp_path, SECRET, SECRET[8:20])


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and not (path.exists() and path.stat().st_size > 30_000):
        time.sleep(0.01)


def assert_no_secret(folder: Path, *parts: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any("ledger.sqlite" in path.name for path in files)
    for path in files:
        content = path.read_bytes()
        for part in parts or (SECRET, SECRET[8:20], "Bearer"):
            assert part.encode() not in content, path
