"""Malformed data: each row comes as a Drop with its rule, or the file as an InputError with its place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import InputError
from reasonry.types import Drop, Question
from tests.sources.parts import drops, options, part, questions, run

GOOD = b'{"prompt": "1+1?", "answer": "2"}\n'

ROWS: dict[str, tuple[bytes, str]] = {
    "text": (b"not json", "not_json"),
    "cut off": (b'{"prompt": "a", "answ', "not_json"),
    "two objects": (b'{"prompt": "a", "answer": "1"} {"prompt": "b"}', "not_json"),
    "single quotes": (b"{'prompt': 'a'}", "not_json"),
    "trailing comma": (b'{"prompt": "a", "answer": "1",}', "not_json"),
    "raw control character": (b'{"prompt": "a\tb", "answer": "1"}', "not_json"),
    "deep nesting": (b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
    "bad escape": (b'{"prompt": "\\x41", "answer": "1"}', "not_json"),
    "unquoted infinity": (b'{"prompt": Inf, "answer": "1"}', "not_json"),
    "array": (b'["a", "1"]', "not_an_object"),
    "number": (b"42", "not_an_object"),
    "null": (b"null", "not_an_object"),
    "string": (b'"prompt"', "not_an_object"),
    "latin-1": ('{"prompt": "na\u00efve", "answer": "1"}'.encode("latin-1"), "bad_utf8"),
    "encoded surrogate": (b'{"prompt": "\xed\xa0\x80", "answer": "1"}', "bad_utf8"),
    "overlong": (b'{"prompt": "\xc0\x80", "answer": "1"}', "bad_utf8"),
    "long line": (b'{"prompt": "' + b"x" * (17 << 20) + b'"}', "line_too_long"),
    "NUL byte": (b'{"prompt": "a\x00b", "answer": "1"}', "nul_character"),
    "NUL bytes only": (b"\x00" * 64, "nul_character"),
    "NUL escape in prompt": (b'{"prompt": "a\\u0000b", "answer": "1"}', "nul_character"),
    "NUL escape in answer": (b'{"prompt": "a", "answer": "\\u0000"}', "nul_character"),
    "lone surrogate": (b'{"prompt": "a\\ud800", "answer": "1"}', "lone_surrogate"),
    "lone surrogate in answer": (b'{"prompt": "a", "answer": "\\udfff"}', "lone_surrogate"),
    "repeated key": (b'{"prompt": "a", "prompt": "b", "answer": "1"}', "duplicate_key"),
    "repeated key inside": (b'{"prompt": "a", "answer": "1", "x": {"y": 1, "y": 2}}', "duplicate_key"),
    "no prompt": (b'{"question": "a", "answer": "1"}', "missing_field"),
    "no answer": (b'{"prompt": "a", "gold": "1"}', "missing_field"),
    "empty object": (b"{}", "missing_field"),
    "prompt null": (b'{"prompt": null, "answer": "1"}', "wrong_type"),
    "prompt number": (b'{"prompt": 5, "answer": "1"}', "wrong_type"),
    "prompt long number": (b'{"prompt": ' + b"5" * 5000 + b', "answer": "1"}', "wrong_type"),
    "prompt list": (b'{"prompt": ["a"], "answer": "1"}', "wrong_type"),
    "answer true": (b'{"prompt": "a", "answer": true}', "wrong_type"),
    "answer list": (b'{"prompt": "a", "answer": ["1"]}', "wrong_type"),
    "answer object": (b'{"prompt": "a", "answer": {"v": 1}}', "wrong_type"),
    "answer NaN": (b'{"prompt": "a", "answer": NaN}', "wrong_type"),
    "answer -Infinity": (b'{"prompt": "a", "answer": -Infinity}', "wrong_type"),
    "empty prompt": (b'{"prompt": "", "answer": "1"}', "empty_prompt"),
    "blank prompt": (b'{"prompt": " \\n\\t", "answer": "1"}', "empty_prompt"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_is_set_aside_by_its_rule_and_the_others_are_kept(tmp_path: Path, name: str) -> None:
    line, rule = ROWS[name]
    (tmp_path / "a.jsonl").write_bytes(GOOD + line + b"\n" + GOOD)
    before, bad, after = run("source", "jsonl", tmp_path, path="a.jsonl")
    assert isinstance(before, Question)
    assert isinstance(after, Question)
    assert after.meta["origin"]["row"] == 3
    assert isinstance(bad, Drop)
    assert (bad.row_id, bad.stage, bad.rule) == ("a.jsonl:2", "collect", rule)
    assert bad.reason
    assert bad.content == line.decode("utf-8", "replace")[:2000]


MAPPED: dict[str, tuple[bytes, str]] = {
    "choices are text": (b'{"choices": "a, b"}', "wrong_type"),
    "choices are an object": (b'{"choices": {"a": 1}}', "wrong_type"),
    "choices are empty": (b'{"choices": []}', "wrong_type"),
    "a choice is null": (b'{"choices": ["a", null]}', "wrong_type"),
    "a choice is no text": (b'{"choices": ["a", "\\ud800"]}', "lone_surrogate"),
    "spec is a list": (b'{"spec": [1]}', "wrong_type"),
    "spec is broken JSON": (b'{"spec": "{\\"a\\": "}', "wrong_type"),
    "spec holds NaN": (b'{"spec": {"a": NaN}}', "wrong_type"),
    "spec holds too large a number": (b'{"spec": {"a": 1e999}}', "wrong_type"),
    "spec holds a NUL": (b'{"spec": {"a": ["\\u0000"]}}', "nul_character"),
    "spec names a surrogate": (b'{"spec": {"\\ud800": 1}}', "lone_surrogate"),
    "spec is deep": (b'{"spec": ' + b'{"a": ' * 100 + b"1" + b"}" * 100 + b"}", "wrong_type"),
    "spec is deep JSON text": (b'{"spec": "' + b"[" * 100_000 + b'"}', "wrong_type"),
    "domain is a list": (b'{"domain": ["maths"]}', "wrong_type"),
    "id is true": (b'{"id": true}', "wrong_type"),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_bad_value_in_a_mapped_column_sets_its_row_aside(tmp_path: Path, name: str) -> None:
    line, rule = MAPPED[name]
    column = line[2 : line.index(b'"', 2)].decode()
    (tmp_path / "a.jsonl").write_bytes(b'{"prompt": "a", "answer": "1", ' + line[1:] + b"\n")
    (row,) = run("source", "jsonl", tmp_path, path="a.jsonl", fields={column: column})
    assert isinstance(row, Drop)
    assert row.rule == rule
    assert f"'{column}" in row.reason


def test_a_missing_field_names_what_there_is_and_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"promt": "a", "answer": "1"}\n')
    (row,) = drops(run("source", "jsonl", tmp_path, path="a.jsonl"))
    assert "no field 'prompt'" in row.reason
    assert "promt, answer" in row.reason
    assert "did you mean 'promt'?" in row.reason


def test_a_hostile_column_name_cannot_break_the_drop(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"\\ud800": 1, "' + b"k" * 9000 + b'": 2}\n')
    (row,) = drops(run("source", "jsonl", tmp_path, path="a.jsonl"))
    row.reason.encode("utf-8")
    assert len(row.reason) < 1000


WHOLE: dict[str, tuple[str, str, bytes]] = {
    "empty jsonl": ("jsonl", "a.jsonl", b""),
    "blank jsonl": ("jsonl", "a.jsonl", b"\n\n"),
    "empty csv": ("csv", "a.csv", b""),
    "csv of a header": ("csv", "a.csv", b"prompt,answer\n"),
    "csv with a column twice": ("csv", "a.csv", b"prompt,prompt\na,b\n"),
    "empty parquet": ("parquet", "a.parquet", b""),
    "text named parquet": ("parquet", "a.parquet", b"prompt,answer\n"),
    "cut parquet": ("parquet", "a.parquet", b"PAR1\x15\x04\x15\x10"),
    "cut gz": ("jsonl", "a.jsonl.gz", gzip.compress(GOOD * 999, mtime=0)[:-9]),
    "cut zst": ("jsonl", "a.jsonl.zst", zstandard.ZstdCompressor().compress(GOOD * 999)[:-3]),
    "empty zst": ("jsonl", "a.jsonl.zst", b""),
    "zst of nothing": ("jsonl", "a.jsonl.zst", zstandard.ZstdCompressor().compress(b"")),
    "text named gz": ("csv", "a.csv.gz", b"prompt,answer\na,1\n"),
    "parquet named jsonl": ("jsonl", "a.jsonl", b"PAR1\x00\x00PAR1"),
    "utf-16": ("jsonl", "a.jsonl", GOOD.decode().encode("utf-16")),
    "utf-16 csv": ("csv", "a.csv", "prompt,answer\na,1\n".encode("utf-16")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_cannot_be_read_is_one_error_with_its_place(tmp_path: Path, name: str) -> None:
    source, file, data = WHOLE[name]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(InputError) as error:
        run("source", source, tmp_path, path=file)
    assert error.value.exit_code == 2
    assert (error.value.place or "").startswith(str(tmp_path / file))


@pytest.mark.parametrize("source", ["jsonl", "csv", "parquet"])
def test_a_folder_is_one_error(tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError):
        run("source", source, tmp_path, path="folder")
    inputs = part("source", source).inputs
    assert inputs is not None
    with pytest.raises(InputError):
        inputs(options("source", source, tmp_path, path="folder"))


@given(st.lists(st.binary(max_size=40) | st.just(GOOD.strip()), max_size=8))
def test_any_bytes_raise_nothing_but_input_errors_and_no_line_is_lost(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.jsonl").write_bytes(b"\n".join(lines))
    try:
        rows = run("source", "jsonl", folder, path="a.jsonl")
    except InputError:
        return
    numbers = [int(row.row_id.partition(":")[2]) for row in drops(rows)]
    numbers += [row.meta["origin"]["row"] for row in questions(rows)]
    text = b"\n".join(lines).removeprefix(b"\xef\xbb\xbf")
    assert sorted(numbers) == [i for i, line in enumerate(text.split(b"\n"), start=1) if line.strip()]
