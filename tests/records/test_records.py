"""Reading raw records: what counts as a row, and where a broken file is said to break."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import InputError
from reasonry.records import MISSING, Record, SetAside, field_value, file_sha256, format_of, open_records
from reasonry.records.streams import MAX_LINE_BYTES

ROWS = [{"prompt": f"What is {i} + {i * i}?", "answer": str(i + i * i)} for i in range(4000)]
JSONL = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


Pack = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def read(path: Path, name: str, data: bytes) -> list[Record | SetAside]:
    (path / name).write_bytes(data)
    return list(open_records(path / name))


def values(rows: list[Record | SetAside]) -> list[dict[str, object]]:
    return [row.values for row in rows if isinstance(row, Record)]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("rows.jsonl", bytes),
        ("rows.jsonl.gz", gzip.compress),
        ("rows.jsonl.zst", zstd),
        ("packed_without_saying_so.jsonl", zstd),
        ("rows.jsonl.gz.ndjson", bytes),
    ],
)
def test_rows_are_the_same_however_they_are_packed(tmp_path: Path, name: str, pack: Pack) -> None:
    assert values(read(tmp_path, name, pack(JSONL))) == ROWS


def test_several_frames_are_one_stream(tmp_path: Path) -> None:
    half = JSONL.index(b"\n", len(JSONL) // 2) + 1
    for pack, name in ((zstd, "a.jsonl.zst"), (gzip.compress, "a.jsonl.gz")):
        assert values(read(tmp_path, name, pack(JSONL[:half]) + pack(JSONL[half:]))) == ROWS


@pytest.mark.parametrize(("name", "pack"), [("a.jsonl.zst", zstd), ("a.jsonl.gz", gzip.compress)])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_truncated_stream_is_an_error_after_its_last_whole_row(
    tmp_path: Path, name: str, pack: Pack, share: float
) -> None:
    # Rows that do not compress well, so that the cut falls between rows.
    data = b"".join(b'{"n":"%s"}\n' % noise(i) for i in range(20_000))
    packed = pack(data)
    (tmp_path / name).write_bytes(packed[: int(len(packed) * share)])
    seen: list[Record | SetAside] = []
    with pytest.raises(InputError, match="after row") as error:
        collect(seen, tmp_path / name)
    assert seen
    assert error.value.place == f"{tmp_path / name}:{seen[-1].row}"
    assert [row.values for row in seen if isinstance(row, Record)] == [
        {"n": noise(i).decode()} for i in range(len(seen))
    ]


def noise(i: int) -> bytes:
    return b"%032x" % (i * 0x9E3779B97F4A7C15F39CC0605CEDC834 % (1 << 128))


def collect(into: list[Record | SetAside], path: Path) -> None:
    for row in open_records(path):
        into.append(row)  # noqa: PERF402 - what came before the error counts


def test_damage_in_a_packed_stream_is_an_error(tmp_path: Path) -> None:
    for pack, name in ((zstd, "a.jsonl.zst"), (gzip.compress, "a.jsonl.gz")):
        packed = bytearray(pack(JSONL))
        packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path, name, bytes(packed))


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    odd = "a\u2028b\u2029c\u0085d\x0b\x0c"
    rows = read(tmp_path, "a.jsonl", (json.dumps({"p": odd}, ensure_ascii=False) + "\r\n{}\n").encode())
    assert values(rows) == [{"p": odd}, {}]


def test_a_byte_order_mark_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"a": 1}\n\n  \r\n{"a": 2}')
    assert [(row.row, row.values) for row in rows if isinstance(row, Record)] == [(1, {"a": 1}), (4, {"a": 2})]


def test_a_line_over_the_limit_is_set_aside_and_not_held(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(b'{"a": 1}\n{"a": "')
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"a": 3}\n')
    tracemalloc.start()
    rows = list(open_records(tmp_path / "a.jsonl"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.row for row in rows] == [1, 2, 3]
    assert isinstance(rows[1], SetAside)
    assert rows[1].rule == "line_too_long"
    assert len(rows[1].content) == 2000
    assert peak < 3 * MAX_LINE_BYTES


def test_reading_holds_one_row_at_a_time(tmp_path: Path) -> None:
    data = b"".join(b'{"a": "%s"}\n' % (noise(i) * 30) for i in range(20_000))
    (tmp_path / "a.jsonl.zst").write_bytes(zstd(data))
    tracemalloc.start()
    assert sum(1 for _ in open_records(tmp_path / "a.jsonl.zst")) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(data) / 10


def test_a_csv_cell_may_hold_lines_quotes_and_a_megabyte(tmp_path: Path) -> None:
    cells = {"a": 'line one\nline "two", still', "b": "x" * (1 << 20)}
    text = io.StringIO()
    writer = csv.DictWriter(text, cells)
    writer.writeheader()
    writer.writerow(cells)
    rows = read(tmp_path, "a.csv", text.getvalue().encode())
    assert values(rows) == [{"a": cells["a"], "b": cells["b"]}]


def test_a_csv_row_is_numbered_by_the_line_it_begins_on(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", b'a,b\n1,"x\ny"\n\n2,z\n')
    assert [row.row for row in rows] == [2, 5]


def test_a_tsv_is_split_at_tabs(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a.tsv", b"a\tb\n1,5\t2\n")) == [{"a": "1,5", "b": "2"}]


def test_after_a_bad_csv_row_reading_goes_on(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", b'a,b\n"x"y,1\n\xff,2\n1,2,3\n\x00,4\n5,6\n')
    assert [row.rule for row in rows if isinstance(row, SetAside)] == [
        "not_csv",
        "bad_utf8",
        "ragged_row",
        "nul_character",
    ]
    assert values(rows) == [{"a": "5", "b": "6"}]


def test_a_quote_that_is_never_closed_says_how_much_it_took(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.csv", b'a,b\n1,2\n3,"open\n4,5\n6,7\n')
    assert isinstance(rows[-1], SetAside)
    assert (rows[-1].row, rows[-1].rule) == (3, "not_csv")
    assert "2 more lines" in rows[-1].reason


def test_parquet_rows_are_numbered_from_one_across_batches(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet", row_group_size=700)
    rows = list(open_records(tmp_path / "a.parquet"))
    assert [row.row for row in rows] == list(range(1, len(ROWS) + 1))
    assert values(rows) == ROWS


def test_a_parquet_text_that_is_not_utf8_costs_its_own_row(tmp_path: Path) -> None:
    column = pa.array([b"one", b"\xff\xfe", b"three"]).cast(pa.binary())
    text = pa.StringArray.from_buffers(3, column.buffers()[1], column.buffers()[2])
    pq.write_table(pa.table({"a": text}), tmp_path / "a.parquet")
    rows = list(open_records(tmp_path / "a.parquet"))
    assert values(rows) == [{"a": "one"}, {"a": "three"}]
    assert [(row.row, row.rule) for row in rows if isinstance(row, SetAside)] == [(2, "bad_utf8")]


def test_a_parquet_file_cut_or_damaged_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    damaged = bytearray(whole)
    damaged[100:4000] = b"\xa5" * 3900
    for data in (whole[: len(whole) // 2], whole[:4], bytes(damaged)):
        with pytest.raises(InputError, match="cannot be read"):
            read(tmp_path, "a.parquet", data)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl", b"", "no rows"),
        ("a.jsonl", b"\n\n  \n", "no rows"),
        ("a.jsonl", b"\xef\xbb\xbf", "no rows"),
        ("a.jsonl.gz", b"", "no rows"),
        ("a.csv", b"a,b\n", "no rows"),
        ("a.parquet", b"", "no rows"),
        ("a.csv", b"a,b,a\n1,2,3\n", "two columns are named 'a'"),
        ("a.csv", b"\xff,b\n1,2\n", "header"),
        ("a.csv", b'"a"b,c\n1,2\n', "header"),
        ("a.jsonl", b"PAR1....PAR1", "Parquet"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "UTF-16"),
        ("a.jsonl.zst", b'{"a": 1}\n', "not a .zst file"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "not a Parquet file"),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}\n', mtime=0) + b"garbage", "after row 1"),
        ("a.txt", b"{}", "unknown kind of file"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_an_error(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, name, data)
    assert error.value.place is not None
    assert error.value.place.startswith(str(tmp_path / name))


def test_a_folder_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for name in ("folder.jsonl", "missing.jsonl", "missing.parquet"):
        with pytest.raises(InputError):
            list(open_records(tmp_path / name))
    with pytest.raises(InputError):
        file_sha256(tmp_path / "folder.jsonl")


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="permission denied"):
        list(open_records(tmp_path / "a.jsonl"))
    with pytest.raises(InputError, match="Permission denied"):
        file_sha256(tmp_path / "a.jsonl")


def test_the_format_follows_from_the_name() -> None:
    names = ["a.jsonl", "a.NDJSON", "a.json.gz", "a.csv.zst", "a.b.tsv", "a.parquet"]
    assert [format_of(Path(name)) for name in names] == ["jsonl", "jsonl", "jsonl", "csv", "csv", "parquet"]


def test_dotted_names_reach_into_objects_but_a_column_of_that_name_goes_first() -> None:
    assert field_value({"a": {"b": {"c": 1}}}, "a.b.c") == 1
    assert field_value({"a.b": 2, "a": {"b": 1}}, "a.b") == 2
    assert field_value({"a": None}, "a") is None
    for name in ("b", "a.x", "a.b.c.d", ""):
        assert field_value({"a": {"b": {"c": 1}}}, name) is MISSING


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_every_line_of_any_bytes_is_accounted_for_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    data = b"\n".join(lines)
    path = tmp_path_factory.mktemp("any") / "any.jsonl"
    path.write_bytes(data)
    try:
        rows = list(open_records(path))
    except InputError:
        return
    given = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [row.row for row in rows] == [i for i, line in enumerate(given, start=1) if line.strip()]


@given(st.binary(max_size=300))
def test_any_bytes_as_csv_or_parquet_raise_nothing_but_input_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.csv", "a.parquet", "a.csv.gz", "a.jsonl.zst"):
        for prefix in (b"", b"PAR1", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08\x00", b"a,b\n"):
            (folder / name).write_bytes(prefix + data)
            try:
                for row in open_records(folder / name):
                    row.content.encode("utf-8")
            except InputError:
                pass  # one of the two ways in which bytes may be refused; the other is a row set aside
