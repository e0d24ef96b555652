"""Benchmarks of the field by name, over a fake of the Hub and over folders: no network."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reasonry.benchmarks.published import PUBLISHED
from reasonry.errors import InputError, PartError
from reasonry.registry import BUILTIN, find
from reasonry.testing import check_source
from reasonry.types import Question
from tests.sources.parts import drops, options, part, questions, run

GPQA = {
    "Record ID": "rec06",
    "Question": "Which of these quarks is the heaviest?\n",
    "Correct Answer": " top ",
    "Incorrect Answer 1": "charm",
    "Incorrect Answer 2": "strange",
    "Incorrect Answer 3": "bottom",
    "High-level domain": "Physics",
}
ROWS: dict[str, dict[str, Any]] = {
    "math500": {
        "problem": "What is $7^2$?",
        "solution": "It is $\\boxed{49}$.",
        "answer": "49",
        "subject": "Algebra",
        "level": 1,
        "unique_id": "test/algebra/1.json",
    },
    "aime24": {"id": 60, "problem": "Find $n$.", "solution": "...", "answer": "204", "url": "u", "year": "2024"},
    "aime25": {"problem": "Find $m$.", "answer": "70", "id": "0"},
    "amc23": {"id": 0, "answer": 27.0, "url": "u", "question": "How many miles?"},
    "gsm8k": {"question": "How many clips?", "answer": "48/2 = <<48/2=24>>24\n48+24 = 72\n#### 1,072"},
    "gpqa_diamond": GPQA,
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the fake of the Hub was asked for; it has each benchmark's row."""
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    seen: list[dict[str, Any]] = []

    def load_dataset(path: str, **given: Any) -> Sequence[dict[str, Any]]:
        seen.append({"path": path, **given})
        return [ROWS[name] for name, one in PUBLISHED.items() if one.dataset == path]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr("reasonry.sources.hub._newest_commit", lambda *_: COMMIT)
    return seen


def test_the_list_names_every_published_benchmark() -> None:
    named = {name for name, module in BUILTIN["benchmark"].items() if module == "reasonry.benchmarks.published"}
    assert named == set(PUBLISHED) == set(ROWS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_asks_the_hub_for_its_dataset_and_gives_questions_that_can_be_verified(
    tmp_path: Path, asked: list[dict[str, Any]], name: str
) -> None:
    (question,) = questions(run("benchmark", name, tmp_path))
    published = PUBLISHED[name]
    assert asked[0]["path"] == published.dataset
    assert (asked[0]["name"], asked[0]["split"]) == (published.config, published.split)
    assert asked[0]["revision"] == (published.revision or COMMIT)
    assert question.license == published.license
    assert question.meta["origin"]["dataset"] == published.dataset
    assert question.answer is not None
    verify = find("verifier", question.verifier)
    response = f"So it is $\\boxed{{{question.answer}}}$. The answer is {question.answer}."
    assert verify.call(question, response).status == "correct"


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_keeps_the_contract_of_a_source(tmp_path: Path, asked: list[dict[str, Any]], name: str) -> None:
    assert check_source(part("benchmark", name), options("benchmark", name, tmp_path)).questions == 1
    assert asked


def test_the_answer_of_gsm8k_is_the_number_behind_the_marks(tmp_path: Path, asked: list[dict[str, Any]]) -> None:
    assert [question.answer for question in questions(run("benchmark", "gsm8k", tmp_path))] == ["1072"]
    assert asked


@pytest.mark.parametrize(("level", "difficulty"), [(5, 5.0), ("Level 3", 3.0), ("Level ?", None), (None, None)])
def test_the_level_of_math_is_its_difficulty_where_a_copy_has_one(
    tmp_path: Path, level: object, difficulty: float | None
) -> None:
    copied = {name: value for name, value in ROWS["math500"].items() if name != "level"}
    rows = [copied if level is None else {**copied, "level": level}]
    (tmp_path / "copy.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (question,) = questions(run("benchmark", "math500", tmp_path, path="copy.jsonl"))
    assert question.meta.get("difficulty") == difficulty


def test_the_choices_of_gpqa_stand_in_an_order_that_their_texts_decide(
    tmp_path: Path, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = questions(run("benchmark", "gpqa_diamond", tmp_path))
    choices = one.spec["choices"]
    assert sorted(choices) == ["bottom", "charm", "strange", "top"]
    assert choices["ABCD".index(str(one.answer))] == "top"
    assert [f"({letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True)] == one.prompt.splitlines()[
        2:
    ]
    turned = {**GPQA, "Incorrect Answer 1": "bottom", "Incorrect Answer 3": "charm"}
    monkeypatch.setitem(ROWS, "gpqa_diamond", turned)
    assert questions(run("benchmark", "gpqa_diamond", tmp_path)) == [one]
    assert len(asked) == 2


@pytest.mark.parametrize("lacking", ["Incorrect Answer 2", "Question", "Correct Answer"])
def test_a_row_of_gpqa_that_lacks_a_column_is_set_aside(
    tmp_path: Path, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    monkeypatch.setitem(ROWS, "gpqa_diamond", {key: value for key, value in GPQA.items() if key != lacking})
    rows = run("benchmark", "gpqa_diamond", tmp_path)
    assert (questions(rows), len(drops(rows)), len(asked)) == ([], 1, 1)


def test_a_local_copy_takes_the_place_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "test.jsonl").write_text(json.dumps(ROWS["math500"]) + "\n")
    (question,) = questions(run("benchmark", "math500", tmp_path, path="copy"))
    assert (question.prompt, question.answer, question.meta["id"]) == ("What is $7^2$?", "49", "test/algebra/1.json")
    inputs = part("benchmark", "math500").inputs
    assert inputs is not None
    assert [entry.name for entry in inputs(options("benchmark", "math500", tmp_path, path="copy"))] == ["copy"]


def test_a_local_copy_may_be_one_file(tmp_path: Path) -> None:
    (tmp_path / "copy.jsonl").write_text(json.dumps(ROWS["gsm8k"]) + "\nno json\n")
    rows = run("benchmark", "gsm8k", tmp_path, path="copy.jsonl")
    (question,) = questions(rows)
    assert (question.answer, question.meta["origin"]["file"]) == ("1072", "copy.jsonl")
    assert [drop.rule for drop in drops(rows)] == ["not_json"]
    inputs = part("benchmark", "gsm8k").inputs
    assert inputs is not None
    assert [entry.name for entry in inputs(options("benchmark", "gsm8k", tmp_path, path="copy.jsonl"))] == [
        "copy.jsonl"
    ]


def test_another_revision_is_another_input_and_a_pinned_one_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise InputError("no network")

    monkeypatch.setattr("reasonry.sources.hub._newest_commit", refuse)
    inputs = part("benchmark", "math500").inputs
    assert inputs is not None
    (pinned,) = inputs(options("benchmark", "math500", tmp_path))
    (other,) = inputs(options("benchmark", "math500", tmp_path, revision=COMMIT))
    assert pinned.digest != other.digest
    with pytest.raises(InputError, match="no network"):
        inputs(options("benchmark", "math500", tmp_path, revision="main"))


def test_without_the_library_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(PartError) as error:
        run("benchmark", "math500", tmp_path)
    assert "reasonry[hub]" in str(error.value.hint)


def test_each_is_cited_licensed_and_pinned() -> None:
    for one in PUBLISHED.values():
        assert one.citation
        assert one.license
        assert re.fullmatch(r"[0-9a-f]{40}", one.revision or "")


def test_all_of_them_can_be_evaluated_with_other_settings(tmp_path: Path, asked: list[dict[str, Any]]) -> None:
    (question,) = run("benchmark", "aime24", tmp_path, verifier="exact", domain="olympiad")
    assert isinstance(question, Question)
    assert (question.verifier, question.domain) == ("exact", "olympiad")
    assert asked
