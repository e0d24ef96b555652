"""The Hub layout: every row accounted for, numbers that are counts, bytes that repeat, files that others load."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import StoreError
from reasonry.exporters.hub import hub
from reasonry.exporters.rows import DefaultRow
from reasonry.exporters.shards import ConfigWriter
from reasonry.identity import digest, file_digest
from reasonry.stats import wilson
from reasonry.types import Example, Message, Question, Trace, VerdictRow
from tests.exporters.run_folder import ALL_STAGES, PROMPTS, SCRIPT, RunFolder, build_run

UP_TO_SELECT = ALL_STAGES[:5]


@pytest.fixture(scope="module")
def dataset(nasty_run: RunFolder) -> Path:
    return nasty_run.folder / "dataset"


@pytest.fixture(scope="module")
def card(dataset: Path) -> str:
    return (dataset / "README.md").read_text(encoding="utf-8")


def rows_of(dataset: Path, config: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    files = sorted((dataset / "data").glob(f"{config}-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def table_of(card: str, first_column: str) -> list[list[str]]:
    """The rows of the card's table whose first column has that heading."""
    lines = card.split(f"\n| {first_column} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[value.strip() for value in line.strip("|").split("|")] for line in lines]


def test_default_holds_every_example_in_order(nasty_run: RunFolder, dataset: Path) -> None:
    rows = rows_of(dataset, "default")
    examples: list[Example] = nasty_run.rows("select", Example)
    assert [row["id"] for row in rows] == [example.id for example in examples]
    assert [tuple(Message(**m) for m in row["messages"]) for row in rows] == [e.messages for e in examples]


def test_metadata_joins_each_example_with_its_own_question_trace_and_verdict(
    nasty_run: RunFolder, dataset: Path
) -> None:
    questions = {row.id: row for row in nasty_run.rows("collect", Question)}
    traces = {row.id: row for row in nasty_run.rows("distil", Trace)}
    verdicts = {row.id: row for row in nasty_run.rows("verify", VerdictRow)}
    rows = rows_of(dataset, "metadata")
    assert len(rows) == nasty_run.manifests["select"].rows_out
    for row in rows:
        question, trace, verdict = questions[row["question_id"]], traces[row["trace_id"]], verdicts[row["verdict_id"]]
        assert (trace.question_id, verdict.trace_id) == (question.id, trace.id)
        assert (row["prompt"], row["answer"], row["license"]) == (question.prompt, question.answer, question.license)
        assert (row["reasoning"], row["response"], row["cost_usd"]) == (trace.reasoning, trace.response, trace.cost_usd)
        assert (row["status"], row["extracted"]) == (verdict.status.value, verdict.extracted)
        assert json.loads(row["origin"]) == question.meta["origin"]


def test_every_drop_and_nothing_else_is_in_rejected(nasty_run: RunFolder, dataset: Path) -> None:
    drops = Counter((d.row_id, d.stage, d.rule) for stage in UP_TO_SELECT for d in nasty_run.drops(stage))
    rejected = rows_of(dataset, "rejected")
    assert Counter((row["row_id"], row["stage"], row["rule"]) for row in rejected) == drops
    assert {row["kind"] for row in rejected} == {"input", "question", "request", "trace"}


def test_each_trace_is_an_example_or_rejected_exactly_once(nasty_run: RunFolder, dataset: Path) -> None:
    kept = [row["trace_id"] for row in rows_of(dataset, "metadata")]
    rejected = [row["row_id"] for row in rows_of(dataset, "rejected") if row["kind"] == "trace"]
    assert sorted(kept + rejected) == sorted(trace.id for trace in nasty_run.rows("distil", Trace))


def test_a_rejected_trace_carries_its_prompt_response_and_verdict(nasty_run: RunFolder, dataset: Path) -> None:
    verdicts = {row.trace_id: row for row in nasty_run.rows("verify", VerdictRow)}
    traces = {row.id: row for row in nasty_run.rows("distil", Trace)}
    rejected = [row for row in rows_of(dataset, "rejected") if row["kind"] == "trace"]
    for row in rejected:
        assert row["prompt"] in PROMPTS
        assert row["response"] == traces[row["row_id"]].response
        assert (row["status"], row["detail"]) == (
            verdicts[row["row_id"]].status.value,
            verdicts[row["row_id"]].detail,
        )


def test_a_trace_that_select_forgot_is_rejected_as_unaccounted(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", UP_TO_SELECT)
    examples, drops = run.rows("select", Example), run.drops("select")
    run.seal("select", Example, examples, drops[1:])
    hub(run.publishing(), tmp_path / "dataset")
    forgotten = [row for row in rows_of(tmp_path / "dataset", "rejected") if row["rule"] == "unaccounted"]
    assert [row["row_id"] for row in forgotten] == [drops[0].row_id]


def test_tables_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", UP_TO_SELECT)
    run.seal("select", Example, run.rows("select", Example)[::-1], run.drops("select"))
    with pytest.raises(StoreError, match="do not belong together"):
        hub(run.publishing(), tmp_path / "dataset")
    assert not list(tmp_path.glob("dataset*"))


def test_the_same_tables_give_the_same_bytes_wherever_they_stand(nasty_run: RunFolder, tmp_path: Path) -> None:
    first = hub(nasty_run.publishing(), tmp_path / "one")
    again = build_run(tmp_path / "run", UP_TO_SELECT)
    assert hub(again.publishing(), tmp_path / "two" / "deep").files == first.files


def test_the_files_listed_are_the_files_written(nasty_run: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    exported = hub(nasty_run.publishing(), target)
    written = {p.relative_to(target).as_posix(): file_digest(p) for p in target.rglob("*") if p.is_file()}
    assert {file.path: file.sha256 for file in exported.files} == written
    assert all((target / file.path).stat().st_size == file.bytes for file in exported.files)


def test_publishing_again_replaces_the_old_shards_and_keeps_other_exports(nasty_run: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    for stray in ("data/default-00001-of-00002.parquet", "llamafactory/kept.jsonl", "README.md"):
        (target / stray).parent.mkdir(parents=True, exist_ok=True)
        (target / stray).write_text("old")
    hub(nasty_run.publishing(), target)
    assert not (target / "data/default-00001-of-00002.parquet").exists()
    assert (target / "llamafactory/kept.jsonl").read_text() == "old"
    assert (target / "README.md").read_text() != "old"


def test_a_killed_export_leaves_nothing_that_a_later_one_stumbles_over(nasty_run: RunFolder, tmp_path: Path) -> None:
    leftover = tmp_path / "dataset.partial" / "data"
    leftover.mkdir(parents=True)
    (leftover / "default-00000.parquet").write_bytes(b"half")
    hub(nasty_run.publishing(), tmp_path / "dataset")
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_a_target_that_cannot_be_written_is_a_store_error(nasty_run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        hub(nasty_run.publishing(), tmp_path / "file" / "dataset")


def test_shards_are_bounded_numbered_and_lose_no_row(tmp_path: Path) -> None:
    with ConfigWriter(tmp_path / "data", "default", DefaultRow, shard_bytes=1_000) as writer:
        for number in range(50):
            writer.append(DefaultRow(f"e-{number}", (Message("user", "x" * 100),)))
    assert len(writer.files) > 3
    assert [file.path for file in writer.files] == [
        f"data/default-{i:05d}-of-{len(writer.files):05d}.parquet" for i in range(len(writer.files))
    ]
    assert [row["id"] for row in rows_of(tmp_path, "default")] == [f"e-{number}" for number in range(50)]
    assert sum(file.rows for file in writer.files) == 50


@pytest.mark.parametrize("config", ["default", "metadata", "rejected"])
def test_datasets_loads_every_config(dataset: Path, config: str, tmp_path: Path) -> None:
    loaded = load(dataset, config, tmp_path)
    assert [dict(row) for row in loaded] == rows_of(dataset, config)


def test_an_empty_config_streams_as_empty_and_the_card_says_so(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", UP_TO_SELECT, samples=1, prompts=PROMPTS[:2])
    run.seal("select", Example, [])
    hub(run.publishing(), tmp_path / "dataset")
    assert list(load(tmp_path / "dataset", "default", tmp_path, streaming=True)) == []
    card = (tmp_path / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "\n- The config `default` has no row" in card


def load(folder: Path, config: str, cache: Path, *, streaming: bool = False) -> Any:
    datasets = pytest.importorskip("datasets", reason="the extra [hub] is not installed")
    datasets.disable_progress_bars()
    cached = str(cache / "cache")
    return datasets.load_dataset(str(folder), config, split="train", cache_dir=cached, streaming=streaming)


def test_the_header_is_yaml_and_names_each_config_with_existing_files(card: str, dataset: Path) -> None:
    yaml = pytest.importorskip("yaml")
    header = yaml.safe_load(card.split("---\n")[1])
    assert [config["config_name"] for config in header["configs"]] == ["default", "metadata", "rejected"]
    for config in header["configs"]:
        (data_file,) = config["data_files"]
        assert list(dataset.glob(data_file["path"]))
    assert header["license"] == ["cc-by-4.0", "mit"]
    assert header["size_categories"] == ["n<1K"]


def test_a_hostile_title_stays_text_in_header_and_page(nasty_run: RunFolder, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    title = f'a: b\n---\n# {SCRIPT} \x07 \x85 \ufeff | 🧮 \\ "'
    hub(nasty_run.publishing(title=title, license="My-Own-1.0"), tmp_path / "dataset")
    card = (tmp_path / "dataset" / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card.split("\n---\n")[0].removeprefix("---\n"))
    assert (header["pretty_name"], header["license"]) == (title, "other")
    assert "\n# a: b --- \\# &lt;script&gt;" in card


def test_no_markup_from_data_is_active_outside_the_recipe(card: str) -> None:
    body = card.split("\n---\n", 1)[1].split("\nThe recipe:\n")[0]
    assert not re.search(r"<\w", body)


def test_the_recipe_stands_in_the_card_as_it_is(nasty_run: RunFolder, card: str) -> None:
    recipe = nasty_run.publishing().recipe_text
    assert card.endswith(f"````toml\n{recipe.rstrip()}\n````\n")


def test_the_funnel_of_the_card_is_that_of_the_manifests(nasty_run: RunFolder, card: str) -> None:
    rows = table_of(card, "stage")
    assert [row[0] for row in rows] == list(UP_TO_SELECT)
    for stage, rows_in, rows_out, _, dropped in rows:
        manifest = nasty_run.manifests[stage]
        assert (rows_in, rows_out) == (str(manifest.rows_in), str(manifest.rows_out))
        for rule, count in manifest.dropped.items():
            assert f"{rule}: {count}" in dropped.replace("\\", "")


def test_the_verification_table_counts_the_verdicts(nasty_run: RunFolder, card: str) -> None:
    counts = Counter(row.status.value for row in nasty_run.rows("verify", VerdictRow))
    scored = counts.total() - counts["error"] - counts["skipped"]
    rate = wilson(counts["correct"], scored)
    total = table_of(card, "domain")[-1]
    names = ["correct", "incorrect", "unparsed", "timeout", "error", "skipped"]
    assert total[1:7] == [str(counts[name]) for name in names]
    assert total[7] == f"{100 * rate.estimate:.1f}% of {scored}"
    assert total[8] == f"{100 * rate.low:.1f}% to {100 * rate.high:.1f}%"


def test_an_unknown_price_is_said_to_be_unknown(card: str) -> None:
    costs = {row[0].split()[0]: row[-1] for row in table_of(card, "teacher")}
    assert costs == {"priceless": "unknown", "teacher-a": "0.0055"}


def test_lineage_names_every_table_and_the_recipe(nasty_run: RunFolder, card: str) -> None:
    for stage in UP_TO_SELECT:
        manifest = nasty_run.manifests[stage]
        assert f"| {stage} | `{manifest.key}` | `{manifest.digest}` |" in card
    assert digest("text", nasty_run.publishing().recipe_text) in card


def test_verdicts_of_our_own_failures_are_named_among_the_limits(card: str) -> None:
    assert "4 verdicts are `error` or `skipped`" in card
    assert "not decontaminated" in card
