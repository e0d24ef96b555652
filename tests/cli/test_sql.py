"""SQL over a run: every table is there, and a query reads and does nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reasonry.errors import StoreError, UsageError
from reasonry.querying import query, views_of
from reasonry.recipe import load_recipe
from reasonry.run import run
from reasonry.store import Store
from tests.cli.test_cli import reasonry

RECIPE = """
name = "small"
[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "math"
[distil]
teacher = "replay"
path = "replies.jsonl"
[publish]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("sql")
    numbers = range(20)
    questions = [{"prompt": f"What is {n} + 1?", "answer": str(n + 1)} for n in numbers]
    replies = [{"question": f"What is {n} + 1?", "response": f"It is \\boxed{{{n + n % 2}}}"} for n in numbers]
    for name, rows in (("questions", questions), ("replies", replies)):
        (home / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (home / "recipe.toml").write_text(RECIPE)
    run(load_recipe(home / "recipe.toml"), home / "run", workers=1)
    return home / "run"


def ask(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with query(folder, sql) as answer:
        return list(answer.rows)


def test_what_the_line_decided_can_be_counted(folder: Path) -> None:
    assert ask(folder, "select status, count(*) from verdicts group by 1 order by 1") == [
        ("correct", 10),
        ("incorrect", 10),
    ]
    assert ask(folder, "select stage, rule, count(*) from drops group by 1, 2") == [
        ("select", "not_correct_incorrect", 10)
    ]
    joined = (
        "select count(*) from examples e join questions q on q.id = e.question_id join traces t on t.id = e.trace_id"
    )
    assert ask(folder, joined) == [(10,)]


def test_every_view_has_the_rows_it_says(folder: Path) -> None:
    for view in views_of(folder):
        assert ask(folder, f'select count(*) from "{view.name}"') == [(view.rows,)], view.name


def test_a_stage_without_drops_has_an_empty_view_of_drops(folder: Path) -> None:
    assert ask(folder, "select rule from collect_drops") == []


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{away}'",
        "copy verdicts to '{away}'",
        "explain analyze copy (select 1) to '{shard}'",
        "attach '{away}' as x",
        "create table x as select 1",
        "drop view verdicts",
        "set memory_limit = '9GB'",
        "install httpfs",
        "export database '{away}'",
        "pragma database_list",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/passwd'",
        "select * from glob('/*')",
        "select * from read_parquet('https://example.com/x.parquet')",
        "select 1; select 2",
        "",
        "selec 1",
        "select nothing from verdicts",
    ],
)
def test_a_query_that_does_more_than_read_the_run_is_refused(sql: str, folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shard = next(folder.glob("tables/verify/*/part-00000.parquet"))
    before = shard.read_bytes()
    with pytest.raises(UsageError):
        ask(folder, sql.format(away=away, shard=shard))
    assert not away.exists()
    assert shard.read_bytes() == before


def test_an_unknown_table_gets_the_nearest_name(folder: Path) -> None:
    with pytest.raises(UsageError, match="no table 'verdict'") as caught:
        ask(folder, "select * from verdict")
    assert "verdicts" in (caught.value.hint or "")


def test_rows_are_read_as_they_are_taken(folder: Path) -> None:
    with query(folder, "select * from range(1_000_000_000)") as answer:
        assert next(answer.rows) == (0,)


def test_a_damaged_shard_is_named(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    store = Store(copy / "tables")
    manifest = store.manifests("verify")[0]
    (store.folder("verify", manifest.key) / manifest.shards[0].path).write_bytes(b"none")
    with pytest.raises(StoreError):
        ask(copy, "select count(*) from verdicts")


def test_the_verb_prints_a_table_csv_and_json(folder: Path) -> None:
    sql = "select status, count(*) as n from verdicts group by 1 order by 1"
    assert reasonry("sql", folder, sql, cwd=folder).stdout.split() == (
        ["status", "n", "---------", "--", "correct", "10", "incorrect", "10"]
    )
    assert reasonry("sql", folder, sql, "--csv", cwd=folder).stdout == "status,n\ncorrect,10\nincorrect,10\n"
    told = json.loads(reasonry("sql", folder, sql, "--json", cwd=folder).stdout)
    assert told == {
        "schema": 1,
        "columns": ["status", "n"],
        "rows": [{"status": "correct", "n": 10}, {"status": "incorrect", "n": 10}],
    }
    tables = json.loads(reasonry("sql", folder, "--tables", "--json", cwd=folder).stdout)["tables"]
    assert {"questions", "verdicts", "drops", "dataset_metadata"} <= {table["name"] for table in tables}


def test_the_verb_says_when_there_are_more_rows(folder: Path) -> None:
    done = reasonry("sql", folder, "select id from questions", "--limit", "3", cwd=folder)
    assert len(done.stdout.splitlines()) == 5
    assert "the first 3 rows" in done.stderr
