"""ShareGPT and Alpaca files: nothing lost on the way, and described as LLaMA-Factory expects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import WorkFailed
from reasonry.exporters.llamafactory import alpaca, sharegpt
from reasonry.identity import file_digest
from reasonry.types import Example, Message
from tests.exporters.run_folder import RunFolder, build_run


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_sharegpt_rows_turn_back_into_the_examples(nasty_run: RunFolder) -> None:
    rows = read_lines(nasty_run.folder / "dataset/llamafactory/sharegpt.jsonl")
    roles = {"human": "user", "gpt": "assistant"}
    back = [
        (
            *((Message("system", row["system"]),) if row["system"] else ()),
            *(Message(roles[turn["from"]], turn["value"]) for turn in row["conversations"]),
        )
        for row in rows
    ]
    assert back == [example.messages for example in nasty_run.rows("select", Example)]


def test_alpaca_rows_turn_back_into_the_examples(nasty_run: RunFolder) -> None:
    rows = read_lines(nasty_run.folder / "dataset/llamafactory/alpaca.jsonl")
    back = [
        (
            *((Message("system", row["system"]),) if row["system"] else ()),
            Message("user", row["instruction"]),
            Message("assistant", row["output"]),
        )
        for row in rows
    ]
    assert back == [example.messages for example in nasty_run.rows("select", Example)]
    assert {row["input"] for row in rows} == {""}


def test_a_line_is_a_line_to_every_reader(nasty_run: RunFolder) -> None:
    for name in ("sharegpt", "alpaca"):
        text = (nasty_run.folder / f"dataset/llamafactory/{name}.jsonl").read_text(encoding="utf-8")
        assert len(text.splitlines()) == nasty_run.manifests["select"].rows_out


def test_dataset_info_maps_columns_that_every_row_has(nasty_run: RunFolder) -> None:
    folder = nasty_run.folder / "dataset" / "llamafactory"
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert list(info) == ["nasty_sharegpt", "nasty_alpaca"]
    for description in info.values():
        for row in read_lines(folder / description["file_name"]):
            assert set(description["columns"].values()) == set(row)
    tags = info["nasty_sharegpt"]["tags"]
    turn = read_lines(folder / "sharegpt.jsonl")[0]["conversations"][0]
    assert (turn[tags["role_tag"]], tags["content_tag"] in turn) == (tags["user_tag"], True)


@pytest.mark.parametrize("formats", [["sharegpt", "alpaca"], ["alpaca", "hub", "sharegpt"], ["alpaca"]])
def test_no_exporter_changes_a_file_that_another_one_listed(
    nasty_run: RunFolder, tmp_path: Path, formats: list[str]
) -> None:
    exporters = {"sharegpt": sharegpt, "alpaca": alpaca}
    publishing = nasty_run.publishing(formats)
    files = [f for name in formats if name in exporters for f in exporters[name](publishing, tmp_path).files]
    assert len({file.path for file in files}) == len(files)
    assert all(file_digest(tmp_path / file.path) == file.sha256 for file in files)
    info = json.loads((tmp_path / "llamafactory/dataset_info.json").read_text(encoding="utf-8"))
    assert set(info) == {f"nasty_{name}" for name in formats if name in exporters}


def test_the_same_tables_give_the_same_bytes(nasty_run: RunFolder, tmp_path: Path) -> None:
    publishing = nasty_run.publishing()
    assert sharegpt(publishing, tmp_path / "a").files == sharegpt(publishing, tmp_path / "b").files


def test_a_conversation_that_alpaca_cannot_hold_is_an_error_that_names_it(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", ("collect", "curate", "distil", "verify", "select"))
    first = run.rows("select", Example)[0]
    longer = replace(first, messages=(*first.messages, *first.messages))
    run.seal("select", Example, [longer])
    with pytest.raises(WorkFailed, match="4 turns") as failure:
        alpaca(run.publishing(), tmp_path / "out")
    assert failure.value.place == f"example {longer.id}"
    assert sharegpt(run.publishing(), tmp_path / "out").files[0].rows == 1


def test_a_recipes_trainings_stand_beside_the_data_once(nasty_run: RunFolder, tmp_path: Path) -> None:
    text = "stage: sft\n"
    publishing = replace(nasty_run.publishing(), trainings={"train_student.yaml": text})
    files = [file for export in (sharegpt, alpaca) for file in export(publishing, tmp_path).files]
    assert [file.path for file in files].count("llamafactory/train_student.yaml") == 1
    assert (tmp_path / "llamafactory" / "train_student.yaml").read_text(encoding="utf-8") == text
