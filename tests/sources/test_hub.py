"""Datasets of the Hub, tested on folders and without a network."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from reasonry.errors import InputError, PartError
from tests.sources.parts import drops, options, part, questions, run

datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")

ROWS = [{"prompt": f"{i} + {i}?", "answer": str(2 * i), "kind": {"name": "sum"}} for i in range(1, 6)]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:  # pyright: ignore[reportUnusedFunction]
    """Offline by setting and by force, and a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # read when the libraries are imported, which may be long past
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset folder with a train split in Parquet and a test split in JSON lines."""
    data = tmp_path / "sums" / "data"
    data.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS[:4]), data / "train-00000.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in ROWS[4:])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "test.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def revision(folder: Path, **values: Any) -> str:
    inputs = part("source", "hub").inputs
    assert inputs is not None
    (entry,) = inputs(options("source", "hub", folder, **values))
    return entry.digest


@pytest.mark.parametrize("streaming", [True, False])
def test_a_folder_gives_its_rows_with_their_lineage(folder: Path, streaming: bool) -> None:
    rows = run("source", "hub", folder, path="sums", streaming=streaming, fields={"domain": "kind.name"})
    assert [(q.prompt, q.answer, q.domain) for q in questions(rows)] == [
        (row["prompt"], row["answer"], "sum") for row in ROWS[:4]
    ]
    assert questions(rows)[2].meta["origin"] == {
        "dataset": "sums",
        "config": None,
        "split": "train",
        "revision": revision(folder, path="sums"),
        "row": 3,
    }
    assert str(folder) not in repr(rows)


def test_a_folder_of_json_lines_has_the_split_its_file_names(folder: Path) -> None:
    (question,) = questions(run("source", "hub", folder, path="other", split="test", streaming=True))
    assert question.prompt == ROWS[4]["prompt"]


def test_the_revision_of_a_folder_follows_its_content_and_not_its_place(folder: Path, tmp_path: Path) -> None:
    before = revision(folder, path="sums")
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "sums").rename(tmp_path / "elsewhere" / "sums")
    assert revision(tmp_path / "elsewhere", path="sums") == before
    (moved / ".cache").write_text("not data")
    assert revision(tmp_path / "elsewhere", path="sums") == before
    pq.write_table(pa.Table.from_pylist(ROWS[:3]), moved / "data" / "train-00000.parquet")
    assert revision(tmp_path / "elsewhere", path="sums") != before


def test_bad_rows_are_set_aside(folder: Path) -> None:
    (bad, *_) = drops(run("source", "hub", folder, path="sums", streaming=True, fields={"answer": "gold"}))
    assert (bad.row_id, bad.rule) == ("sums:1", "missing_field")


def test_take_reads_no_further(folder: Path) -> None:
    assert len(run("source", "hub", folder, path="sums", streaming=True, take=2)) == 2


@pytest.mark.parametrize("values", [{"split": "validation"}, {"config": "nope"}])
def test_an_unknown_split_or_config_is_one_error(folder: Path, values: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        run("source", "hub", folder, path="sums", streaming=True, **values)
    assert error.value.place == "sums"


def test_a_damaged_folder_is_one_error(folder: Path) -> None:
    (folder / "sums" / "data" / "train-00000.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(InputError, match="cannot be read as a dataset"):
        run("source", "hub", folder, path="sums", streaming=True)


def test_a_folder_without_files_is_one_error(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="no rows"):
        run("source", "hub", folder, path="empty")


def test_a_file_is_pointed_to_its_own_source(folder: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        run("source", "hub", folder, path="other/test.jsonl")


def test_a_mistyped_folder_is_not_taken_for_a_dataset_of_the_hub(folder: Path) -> None:
    for path in ("./summs", "../sums/x", "/no/such/folder", "a/b/c"):
        with pytest.raises(ValidationError):
            options("source", "hub", folder, path=path)


def test_a_commit_is_a_revision_without_asking_the_hub(folder: Path) -> None:
    one, other = (revision(folder, path="owner/name", revision=commit * 40) for commit in "ab")
    assert one != other


def test_an_unreachable_hub_is_one_error_with_advice(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        run("source", "hub", folder, path="owner/name")
    assert error.value.place == "owner/name"
    assert "offline" in (error.value.hint or "")
    with pytest.raises(InputError):
        run("source", "hub", folder, path="owner/name", revision="a" * 40)


def test_without_the_library_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(PartError) as error:
        run("source", "hub", folder, path="sums")
    assert error.value.hint == "pip install 'reasonry[hub]'"
