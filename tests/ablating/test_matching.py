"""How long an example is, by which steps are matched: in tokens of a base model that there is, else in characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reasonry.ablating import matching
from reasonry.ablating.matching import mean_length
from reasonry.errors import InputError
from reasonry.sections import RecipePath, TrainSection
from reasonry.types import Message

TEXTS = ["12 + 34 = 46", "5"]
ANYTHING: Any = None  # the tables, which `conversations` would read


class Tuned(TrainSection):
    trainer: str = "tuned"
    base: RecipePath


@pytest.fixture(autouse=True)
def _examples(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [("one", (Message("user", "?"), Message("assistant", text))) for text in TEXTS]
    monkeypatch.setattr(matching, "conversations", lambda *_: iter([*told, ("without an answer", None)]))


def test_a_student_with_its_own_tokenizer_is_measured_in_characters() -> None:
    assert mean_length(TrainSection(trainer="tiny"), ANYTHING, ANYTHING, ANYTHING) == (12 + 1) / 2


def test_a_student_of_a_base_model_is_measured_in_its_tokens(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    from reasonry.trainers.tokenizer import build_tokenizer

    tokenizer = build_tokenizer([(Message("assistant", text),) for text in TEXTS], vocabulary=300, max_length=64)
    tokenizer.save_pretrained(tmp_path / "base")
    expected = sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in TEXTS) / 2
    student = Tuned(base=RecipePath("base", tmp_path / "base"))
    assert mean_length(student, ANYTHING, ANYTHING, ANYTHING) == expected != (12 + 1) / 2


def test_a_base_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra [train] is not installed")
    with pytest.raises(InputError, match="tokenizer cannot be loaded"):
        mean_length(Tuned(base=RecipePath("base", tmp_path)), ANYTHING, ANYTHING, ANYTHING)
