from __future__ import annotations

from pathlib import Path

from reasonry.store import Store, work_folder
from reasonry.types import TrainStep


def test_a_work_folder_outlives_an_unsealed_table_and_goes_with_the_seal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.write("train", "k", TrainStep) as writer:
        work = work_folder(writer.file_folder("checkpoint").parent)
        work.mkdir()
    store.sweep()
    assert work.is_dir()
    with store.write("train", "k", TrainStep) as writer:
        writer.append(TrainStep(1, 0.5, 0.1, 3))
        writer.seal(section={}, parts=[], inputs={}, rows_in=0)
    assert not work.exists()


def test_sweeping_removes_a_work_folder_whose_table_is_sealed(tmp_path: Path) -> None:
    """As a kill between the two leaves it."""
    store = Store(tmp_path)
    with store.write("train", "k", TrainStep) as writer:
        writer.seal(section={}, parts=[], inputs={}, rows_in=0)
    work = work_folder(store.folder("train", "k.partial"))
    work.mkdir()
    store.sweep()
    assert not work.exists()
