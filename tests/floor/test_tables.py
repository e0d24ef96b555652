"""Rows survive the way to Arrow and back, and every noun has a schema."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.identity import content_bytes
from reasonry.tables import RowsFile, from_plain, row_content, rows_from_batch, rows_to_batch, schema_of, to_plain
from reasonry.types import Completion, Drop, Example, Message, Question, Status, Trace, TrainStep, VerdictRow

text = st.text(st.characters(codec="utf-8"))
json_maps = st.dictionaries(
    text, st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | text, max_size=3
)
questions = st.builds(
    Question, text, st.none() | text, text, spec=json_maps, domain=text, source=text, license=text, meta=json_maps
)
verdicts = st.builds(
    VerdictRow, text, text, st.sampled_from(Status), text, st.none() | text, text, json_maps, st.floats(0, 9)
)
examples = st.builds(Example, st.lists(st.builds(Message, text, text), max_size=3).map(tuple), text, text, text, text)
ROWS = [Question, Trace, VerdictRow, Example, Drop, TrainStep, Completion]


@given(st.lists(questions | verdicts | examples, min_size=1, max_size=1))
def test_a_row_comes_back_from_arrow_as_it_went(rows: list[Any]) -> None:
    row_type = type(rows[0])
    batch = rows_to_batch(row_type, [to_plain(row) for row in rows])
    assert list(rows_from_batch(row_type, batch)) == rows


@pytest.mark.parametrize("row_type", ROWS)
def test_every_row_type_has_a_schema_with_its_fields(row_type: type[Any]) -> None:
    schema = schema_of(row_type)
    assert isinstance(schema, pa.Schema)
    assert schema.names == list(row_type.__dataclass_fields__)


def test_an_id_is_computed_again_and_not_believed() -> None:
    question = Question("a", "b", "math")
    assert from_plain(Question, {**to_plain(question), "id": "q-forged"}).id == question.id


def test_durations_stay_out_of_the_digest() -> None:
    step = TrainStep(1, 0.5, 0.1, 10, seconds=3.0)
    plain = to_plain(step)
    del plain["seconds"]
    assert row_content(TrainStep)(to_plain(step)) == content_bytes(plain)


def test_an_error_of_the_writing_thread_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RowsFile(tmp_path / "rows.parquet", TrainStep)
    row = to_plain(TrainStep(1, 0.5, 0.1, 10))

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_file", SimpleNamespace(write_batch=full, close=file._file.close))  # pyright: ignore[reportPrivateUsage]
    file.write([row])
    with pytest.raises(OSError, match="No space"):
        file.write([row])
    file.abandon()


def test_a_file_holds_its_batches_in_order(tmp_path: Path) -> None:
    file = RowsFile(tmp_path / "rows.parquet", TrainStep)
    for step in range(50):
        file.write([to_plain(TrainStep(step, 0.5, 0.1, 10))])
    file.close()
    assert pq.read_table(tmp_path / "rows.parquet")["step"].to_pylist() == list(range(50))
