"""The file sources: what of a row becomes what of a question, and where it says it came from."""

from __future__ import annotations

import gzip
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasonry.errors import InputError
from reasonry.types import Drop, Question
from tests.sources.parts import drops, options, part, questions, run


def jsonl(folder: Path, *rows: Any, name: str = "a.jsonl") -> Path:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def one(folder: Path, row: Any, **values: Any) -> Question | Drop:
    (result,) = run("source", "jsonl", jsonl(folder, row), path="a.jsonl", **values)
    return result


def test_the_origin_names_file_row_and_content_but_no_folder(tmp_path: Path) -> None:
    jsonl(tmp_path, {"prompt": "a", "answer": "1"}, {"prompt": "b", "answer": "2"})
    sha256 = hashlib.sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()
    rows = questions(run("source", "jsonl", tmp_path, path="a.jsonl"))
    assert [row.meta["origin"] for row in rows] == [{"file": "a.jsonl", "row": i, "sha256": sha256} for i in (1, 2)]
    assert str(tmp_path) not in repr(rows)


def test_inputs_are_the_files_by_content(tmp_path: Path) -> None:
    jsonl(tmp_path, {"prompt": "a", "answer": "1"})
    jsonl(tmp_path, {"prompt": "b", "answer": "2"}, name="b.jsonl")
    inputs = part("source", "jsonl").inputs
    assert inputs is not None
    found = inputs(options("source", "jsonl", tmp_path, path=["a.jsonl", "b.jsonl"]))
    for entry in found:
        data = (tmp_path / entry.name).read_bytes()
        assert (entry.digest, entry.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert [entry.name for entry in found] == ["a.jsonl", "b.jsonl"]


def test_files_are_read_in_the_order_given(tmp_path: Path) -> None:
    jsonl(tmp_path, {"prompt": "a", "answer": "1"})
    jsonl(tmp_path, {"prompt": "b", "answer": "2"}, name="b.jsonl")
    assert [q.prompt for q in questions(run("source", "jsonl", tmp_path, path=["b.jsonl", "a.jsonl"]))] == ["b", "a"]


def test_columns_go_where_the_fields_say(tmp_path: Path) -> None:
    row = {
        "q": {"text": "Which?"},
        "gold": "B",
        "options": ["one", 2, 3.50],
        "extra": {"unit": "m", "tolerance": 0.10},
        "topic": "physics",
        "licence": "MIT",
        "number": 17,
        "unused": "x" * 100,
    }
    fields = {
        "prompt": "q.text",
        "answer": "gold",
        "choices": "options",
        "spec": "extra",
        "domain": "topic",
        "license": "licence",
        "id": "number",
    }
    question = one(tmp_path, row, fields=fields, verifier="choice", spec={"unit": "s", "ordered": True})
    assert isinstance(question, Question)
    assert (question.prompt, question.answer, question.verifier) == ("Which?", "B", "choice")
    assert question.spec == {"unit": "m", "tolerance": 0.1, "ordered": True, "choices": ["one", "2", "3.5"]}
    assert (question.domain, question.license, question.source) == ("physics", "MIT", "a.jsonl")
    assert set(question.meta) == {"id", "origin"}
    assert question.meta["id"] == "17"


def test_what_a_row_does_not_say_the_options_say(tmp_path: Path) -> None:
    fields = {"domain": "topic", "license": "licence"}
    row = {"prompt": "a", "answer": "1", "topic": None, "licence": " "}
    question = one(tmp_path, row, fields=fields, domain="algebra", license="CC0-1.0", name="mine")
    assert isinstance(question, Question)
    assert (question.domain, question.license, question.source) == ("algebra", "CC0-1.0", "mine")


@pytest.mark.parametrize(
    "written", ["0.10", "1e3", "1E400", "-0.0", "7", "-12", "1" * 3000, "9" * 5000, "0.1000000000000000000001"]
)
def test_a_number_as_answer_stays_as_the_file_wrote_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"prompt": "p", "answer": {written}}}\n', encoding="utf-8")
    (question,) = questions(run("source", "jsonl", tmp_path, path="a.jsonl"))
    assert question.answer == written
    assert type(question.answer) is str


@pytest.mark.parametrize("answer", [None, "", "  "])
def test_a_null_or_blank_answer_is_no_answer(tmp_path: Path, answer: Any) -> None:
    question = one(tmp_path, {"prompt": "p", "answer": answer}, fields={"answer": "answer"})
    assert isinstance(question, Question)
    assert question.answer is None


def test_a_recipe_can_say_that_there_are_no_answers(tmp_path: Path) -> None:
    missing = one(tmp_path, {"prompt": "p"})
    assert isinstance(missing, Drop)
    assert 'fields.answer = ""' in missing.reason
    question = one(tmp_path, {"prompt": "p"}, fields={"answer": ""})
    assert isinstance(question, Question)
    assert question.answer is None


def test_take_counts_the_rows_that_are_read(tmp_path: Path) -> None:
    jsonl(tmp_path, {"prompt": "a", "answer": "1"}, {"no": 1}, {"prompt": "c", "answer": "3"})
    rows = run("source", "jsonl", tmp_path, path=["a.jsonl", "a.jsonl"], take=2)
    assert (len(questions(rows)), len(drops(rows))) == (1, 1)


def test_nothing_is_read_before_a_row_is_asked_for(tmp_path: Path) -> None:
    lines = json.dumps({"prompt": "p", "answer": "1"}) + "\n"
    whole = gzip.compress((lines * 50_000).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) - 20])
    first = next(part("source", "jsonl").call(options("source", "jsonl", tmp_path, path="a.jsonl.gz")))
    assert isinstance(first, Question)


def test_the_same_rows_come_from_every_format(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": f"{i}?", "answer": str(i), "choices": ["a", "b"], "spec": {"n": i}} for i in range(5)
    ]
    jsonl(tmp_path, *rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    quoted = [[r["prompt"], r["answer"], json.dumps(r["choices"]), json.dumps(r["spec"])] for r in rows]
    cells = ["prompt;answer;choices;spec"] + [";".join('"' + c.replace('"', '""') + '"' for c in r) for r in quoted]
    (tmp_path / "a.csv.zst").write_bytes(zstandard.ZstdCompressor().compress("\r\n".join(cells).encode()))
    fields = {"choices": "choices", "spec": "spec"}
    found = [
        [q.id for q in questions(run("source", name, tmp_path, path=path, fields=fields, **more))]
        for name, path, more in (
            ("jsonl", "a.jsonl", {}),
            ("parquet", "a.parquet", {}),
            ("csv", "a.csv.zst", {"delimiter": ";"}),
        )
    ]
    assert len(found[0]) == 5
    assert found[0] == found[1] == found[2]


def test_parquet_numbers_become_text(tmp_path: Path) -> None:
    table = pa.table({"prompt": ["a", "b"], "answer": pa.array([Decimal("1.50"), None], pa.decimal128(5, 2))})
    pq.write_table(table, tmp_path / "a.parquet")
    assert [q.answer for q in questions(run("source", "parquet", tmp_path, path="a.parquet"))] == ["1.50", None]


@pytest.mark.parametrize(
    "values", [{"path": []}, {"path": "missing.jsonl"}, {"path": 3}, {}, {"path": "a.jsonl", "x": 1}]
)
def test_options_that_point_nowhere_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    jsonl(tmp_path, {"prompt": "a", "answer": "1"})
    with pytest.raises(ValidationError):
        options("source", "jsonl", tmp_path, **values)


@pytest.mark.parametrize("delimiter", ["", "ab", "\n", '"'])
def test_a_delimiter_is_one_character_that_can_separate(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_text("prompt,answer\na,1\n")
    with pytest.raises(ValidationError):
        options("source", "csv", tmp_path, path="a.csv", delimiter=delimiter)


def test_a_file_of_another_format_is_an_error_with_advice(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["a"]}), tmp_path / "a.jsonl")
    with pytest.raises(InputError) as error:
        run("source", "jsonl", tmp_path, path="a.jsonl")
    assert "parquet" in (error.value.hint or "")


def test_real_questions_all_arrive(shared_data: Path) -> None:
    rows = run(
        "source",
        "jsonl",
        shared_data / "questions",
        path="math_gsm8k.jsonl.zst",
        fields={"prompt": "question", "answer": "gold", "id": "id"},
        verifier="math",
    )
    assert len(questions(rows)) == len(rows) == 4430
    assert all(question.answer for question in questions(rows))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["prompt", "answer", "choices", "spec", "domain", "license", "id", "other"]), json_values
    )
)
def test_any_object_becomes_a_question_that_can_be_stored_or_a_drop(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    fields = {name: name for name in ("choices", "spec", "domain", "license", "id")}
    result = one(folder, row, fields=fields)
    if isinstance(result, Drop):
        assert (result.row_id, result.stage) == ("a.jsonl:1", "collect")
        (result.reason + result.content + result.rule).encode("utf-8")
    else:
        stored = json.dumps(
            [result.spec, result.meta, result.prompt, result.answer], allow_nan=False, ensure_ascii=False
        )
        stored.encode("utf-8")


def test_further_columns_go_into_the_questions_meta(tmp_path: Path) -> None:
    row = {"prompt": "a", "answer": "1", "tags": ["x", "y"], "more": {"level": 2}, "blank": " "}
    made = one(tmp_path, row, fields={"meta": {"skill": "tags", "level": "more.level", "none": "blank"}})
    assert isinstance(made, Question)
    assert {name: made.meta[name] for name in made.meta if name != "origin"} == {"skill": ["x", "y"], "level": 2}
    plain = one(tmp_path, row)
    assert isinstance(plain, Question)
    assert made.id == plain.id


def test_meta_of_ours_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="meta has a 'origin' of its own"):
        options("source", "jsonl", jsonl(tmp_path), path="a.jsonl", fields={"meta": {"origin": "x"}})


def test_without_further_columns_the_key_is_what_it_was(tmp_path: Path) -> None:
    section = options("source", "jsonl", jsonl(tmp_path), path="a.jsonl")
    assert "meta" not in section.key_content()["fields"]
