"""Tables: whole or not there, the same digest however they were written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import StoreError
from reasonry.store import Manifest, Store, writing
from reasonry.types import Drop, Question, TrainStep


def questions(count: int) -> list[Question]:
    return [Question(f"What is {i} + 1?", str(i + 1), "math") for i in range(count)]


def write(store: Store, rows: list[Any], key: str = "k", drops: int = 0) -> Manifest:
    with store.write("collect", key, type(rows[0]) if rows else Question) as writer:
        for row in rows:
            writer.append(row)
        for i in range(drops):
            writer.drop(Drop(f"x:{i}", "collect", "bad" if i % 2 else "worse", "why"))
        return writer.seal(section={}, parts=["collect@1"], inputs={}, rows_in=len(rows) + drops)


def test_what_was_written_is_read_in_order_with_its_drops(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = write(store, questions(2500), drops=3)
    assert store.sealed("collect", "k") == manifest
    assert list(store.rows(manifest, Question)) == questions(2500)
    assert [drop.row_id for drop in store.drops(manifest)] == ["x:0", "x:1", "x:2"]
    assert (manifest.rows_in, manifest.rows_out, manifest.dropped) == (2503, 2500, {"bad": 1, "worse": 2})


def test_a_table_without_rows_is_whole_and_empty(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = write(store, [])
    assert list(store.rows(manifest, Question)) == []


def test_the_digest_does_not_depend_on_shard_or_batch_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(Store(tmp_path / "a"), questions(100), drops=5)
    monkeypatch.setattr(writing, "BATCH_ROWS", 7)
    monkeypatch.setattr(writing, "SHARD_BYTES", 100)
    second = write(Store(tmp_path / "b"), questions(100), drops=5)
    assert len(second.shards) > len(first.shards)
    assert second.digest == first.digest
    assert list(Store(tmp_path / "b").rows(second, Question)) == questions(100)


def test_the_digest_changes_with_a_row_a_drop_and_the_order(tmp_path: Path) -> None:
    rows = questions(10)
    digests = {
        write(Store(tmp_path / "a"), rows).digest,
        write(Store(tmp_path / "b"), rows[:-1]).digest,
        write(Store(tmp_path / "c"), rows[::-1]).digest,
        write(Store(tmp_path / "d"), rows, drops=1).digest,
    }
    assert len(digests) == 4


def test_durations_do_not_change_the_digest(tmp_path: Path) -> None:
    fast = write(Store(tmp_path / "a"), [TrainStep(1, 0.5, 0.1, 10, seconds=0.1)])
    slow = write(Store(tmp_path / "b"), [TrainStep(1, 0.5, 0.1, 10, seconds=9.9)])
    assert fast.digest == slow.digest


def test_leaving_without_a_seal_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write_half() -> None:
        with store.write("collect", "k", Question) as writer:
            writer.append(questions(1)[0])
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        write_half()
    assert store.sealed("collect", "k") is None
    assert list((tmp_path / "collect").iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
from reasonry.store import Store
from reasonry.types import Question
with Store(Path(sys.argv[1])).write("collect", "k", Question) as writer:
    for i in range(5000):
        writer.append(Question(f"{i}", "1", "math"))
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_no_table_and_its_rest_is_swept(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = Store(tmp_path)
    assert store.sealed("collect", "k") is None
    assert list((tmp_path / "collect").iterdir()) != []
    store.sweep()
    assert list((tmp_path / "collect").iterdir()) == []


def test_files_beside_the_rows_are_in_the_manifest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.write("train", "k", TrainStep) as writer:
        (writer.file_folder("checkpoint") / "weights").write_bytes(b"abc")
        manifest = writer.seal(section={}, parts=[], inputs={}, rows_in=0)
    assert [(file.path, file.bytes) for file in manifest.files] == [("checkpoint/weights", 3)]
    assert (store.folder("train", "k") / "checkpoint" / "weights").read_bytes() == b"abc"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "collect"}', "\0"])
def test_a_damaged_manifest_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    write(store, questions(1))
    (store.folder("collect", "k") / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match="manifest") as caught:
        store.sealed("collect", "k")
    assert caught.value.hint is not None


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = write(store, questions(10))
    path = store.folder("collect", "k") / manifest.shards[0].path
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StoreError) as caught:
        list(store.rows(manifest, Question))
    assert caught.value.place == str(path)


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "collect").write_text("a file where a folder should be")
    with pytest.raises(StoreError):
        write(Store(tmp_path), questions(1))


def test_the_newest_table_of_a_stage_comes_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write(store, questions(1), key="old")
    time.sleep(0.01)
    write(store, questions(2), key="new")
    assert [manifest.key for manifest in store.manifests("collect")] == ["new", "old"]


def test_some_columns_are_read_without_the_others(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = write(store, questions(2500))
    found = list(store.values(manifest, ["id", "answer"]))
    assert found == [(question.id, question.answer) for question in questions(2500)]


def test_rows_are_found_by_a_column_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH_ROWS", 100)
    monkeypatch.setattr(writing, "SHARD_BYTES", 10_000)
    store = Store(tmp_path)
    rows = questions(1000)
    manifest = write(store, rows)
    wanted = {rows[n].id for n in (999, 0, 501, 502)}
    assert list(store.find(manifest, Question, "id", wanted)) == [rows[n] for n in (0, 501, 502, 999)]
    assert not list(store.find(manifest, Question, "id", {"q-absent"}))
    assert not list(store.find(manifest, Question, "id", set()))


def test_a_damaged_shard_is_named_however_it_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    manifest = write(store, questions(10))
    path = store.folder("collect", "k") / manifest.shards[0].path
    path.write_bytes(path.read_bytes()[:-20])
    for reading in (
        lambda: list(store.rows(manifest, Question)),
        lambda: list(store.values(manifest, ["id"])),
        lambda: list(store.find(manifest, Question, "id", {"q-1"})),
    ):
        with pytest.raises(StoreError, match="the shard cannot be read"):
            reading()
