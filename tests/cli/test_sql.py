"""SQL over a run: every table is there, and a query reads and does nothing else."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from reasonry.errors import StoreError, UsageError
from reasonry.querying import query, views_of
from reasonry.recipe import load_recipe
from reasonry.run import run
from reasonry.store import Store
from reasonry.types import TrainStep
from tests.cli.test_cli import reasonry
from tests.exporters.run_folder import RunFolder, build_run

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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sql")
    numbers = range(20)
    questions = [{"prompt": f"What is {n} + 1?", "answer": str(n + 1)} for n in numbers]
    replies = [{"question": f"What is {n} + 1?", "response": f"It is \\boxed{{{n + n % 2}}}"} for n in numbers]
    for name, rows in (("questions", questions), ("replies", replies)):
        (home / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (home / "recipe.toml").write_text(RECIPE)
    run(load_recipe(home / "recipe.toml"), home / "run", workers=1)
    return home / "run"


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return build_run(tmp_path_factory.mktemp("labels") / "run")


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
        "with x as (copy (select 1 as status) to '{shard}' (use_tmp_file false)) select 1",
        "with x as (copy (select 1) to '{away}') select * from x",
        "select * from (describe (select * from read_csv('/etc/passwd')))",
        "select (select count(*) from read_blob('/etc/hostname'))",
        "from verdicts where status in (select content from read_text('/etc/hostname'))",
        "select * from query('select 1')",
        "select * from arrow_scan(1, 2, 3)",
        "select * from enable_logging(storage = 'file', storage_config = {{'path': '{away}'}})",
        "call enable_logging('all', storage_path = '{away}')",
        "create secret s (type http)",
        "select ?",
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
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    store = Store(copy / "tables")
    manifest = store.manifests("verify")[0]
    (store.folder("verify", manifest.key) / manifest.shards[0].path).write_bytes(b"none")
    with pytest.raises(StoreError):
        ask(copy, "select count(*) from verdicts")


def test_a_shard_whose_bytes_changed_is_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shard = next(copy.glob("tables/verify/*/part-00000.parquet"))
    shard.write_bytes(bytes(len(shard.read_bytes())))
    with pytest.raises(StoreError, match="not those that were written") as caught:
        ask(copy, "select * from verdicts")
    assert caught.value.place == str(shard)


def test_a_folder_s_name_means_nothing(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "seed=7" / "a[b]*'c?"
    shutil.copytree(folder, odd)
    with query(odd, "select * from verdicts") as answer:
        assert "seed" not in answer.columns
        assert len(list(answer.rows)) == 20


def test_what_does_not_fit_into_memory_is_spilled(folder: Path) -> None:
    sql = "select i from range(4_000_000) t(i) order by hash(i) limit 3_000_000"
    with query(folder, sql, memory_mb=64, threads=1) as answer:
        assert sum(1 for _ in answer.rows) == 3_000_000


def test_a_query_that_needs_more_memory_says_what_to_do(folder: Path) -> None:
    with pytest.raises(UsageError) as caught, query(folder, "select list(i) from range(50_000_000) t(i)", memory_mb=64):
        pass
    assert "--memory-mb" in (caught.value.hint or "")


def test_students_and_benchmarks_have_a_label_and_a_view_each(nasty: RunFolder) -> None:
    labels = ask(nasty.folder, "select label, count(*) from steps group by 1 order by 1")
    assert labels == [("answers-only", 500), ("steps", 500)]
    assert ask(nasty.folder, "select count(*) from train_answers_only") == [(500,)]
    assert ask(nasty.folder, "select count(*) from evaluate_heldout_steps_untrained") == [(40,)]


def test_two_labels_that_make_one_name_get_a_number(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run")
    for label in ("a b", "a-b", "drops"):
        run.seal("train", TrainStep, [TrainStep(1, 1.0, 0.1, 9)], label=label)
    facts = json.loads((run.folder / "run.json").read_text())
    facts["stages"] += [{"stage": "train", "key": run.manifests[f"train:{n}"].key} for n in ("a b", "a-b", "drops")]
    (run.folder / "run.json").write_text(json.dumps(facts))
    names = {view.name for view in views_of(run.folder)}
    assert {"train_a_b", "train_a_b_2", "train_drops", "train_drops_2"} <= names
    assert ask(run.folder, "select step from train_drops_2") == [(1,)]


def test_the_published_configs_are_those_that_were_published(nasty: RunFolder, tmp_path: Path) -> None:
    counts = ask(nasty.folder, "select count(*) from dataset_rejected union all select count(*) from drops")
    assert counts[0] == counts[1]
    shutil.copytree(nasty.folder, tmp_path / "copy")
    next((tmp_path / "copy" / "dataset" / "data").glob("rejected-*")).write_bytes(b"another one's")
    assert "dataset_rejected" not in {view.name for view in views_of(tmp_path / "copy")}


def test_a_run_that_stopped_has_the_views_of_what_it_did(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "half")
    facts = json.loads((tmp_path / "half" / "run.json").read_text())
    facts["stages"] = facts["stages"][:2]
    (tmp_path / "half" / "run.json").write_text(json.dumps(facts))
    assert ask(tmp_path / "half", "select count(*) from curated") == [(20,)]
    with pytest.raises(UsageError, match="no table 'traces'"):
        ask(tmp_path / "half", "select * from traces")


def test_a_column_named_twice_keeps_both_values(folder: Path) -> None:
    told = json.loads(reasonry("sql", folder, "select 1 as a, 2 as a", "--json", cwd=folder).stdout)
    assert told["rows"] == [{"a": 1, "a_2": 2}]


def test_every_kind_of_value_is_json_and_csv(folder: Path) -> None:
    sql = """select 0.5 as d, 'nan'::double as n, date '2020-01-02' as t, [1, null] as l, {'a': 1.5} as s, null as z,
             true as b, 'ab'::blob as y, 12345678901234567890 as h, interval 2 day as i"""
    (row,) = json.loads(reasonry("sql", folder, sql, "--json", cwd=folder).stdout)["rows"]
    assert row == {
        "d": 0.5,
        "n": None,
        "t": "2020-01-02",
        "l": [1, None],
        "s": {"a": 1.5},
        "z": None,
        "b": True,
        "y": "YWI=",
        "h": 12345678901234567890,
        "i": 172800.0,
    }
    line = reasonry("sql", folder, sql, "--csv", cwd=folder).stdout.splitlines()[1]
    assert line == '0.5,nan,2020-01-02,"[1, null]","{""a"": 1.5}",,true,YWI=,12345678901234567890,172800.0'


def test_a_wrong_query_ends_with_2_and_two_lines(folder: Path) -> None:
    done = reasonry("sql", folder, "select * from verdict", cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line] == [
        "error: no table 'verdict' in this run",
        "  sql",
        "hint: did you mean 'verdicts'?",
    ]


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
    assert {"name": "status", "type": "VARCHAR"} in next(t for t in tables if t["name"] == "verdicts")["columns"]


def test_the_verb_says_when_there_are_more_rows(folder: Path) -> None:
    done = reasonry("sql", folder, "select id from questions", "--limit", "3", cwd=folder)
    assert len(done.stdout.splitlines()) == 5
    assert "the first 3 rows" in done.stderr


PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")


def test_the_queries_of_the_page_are_answered(folder: Path) -> None:
    snippets = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    commands = [shlex.split(command) for command in "".join(snippets).split("reasonry ")[1:]]
    assert len(commands) == 6
    for verb, run_folder, sql, *_ in commands:
        assert (verb, run_folder) == ("sql", "runs/my-maths")
        assert ask(folder, sql), sql
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(program, {"folder": folder})


def test_the_views_of_the_page_are_there(nasty: RunFolder) -> None:
    listed = re.findall(r"^\| (`.+?) \| ", PAGE.split("\n## `reasonry diff")[0], flags=re.MULTILINE)
    named = {name for cell in listed for name in re.findall(r"`(\w+)`", cell)}
    assert {"questions", "curated", "steps", "drops", "collect_drops", "dataset_rejected"} <= named
    assert named <= {view.name for view in views_of(nasty.folder)}
