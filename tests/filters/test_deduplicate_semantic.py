"""Semantic deduplication: what a model finds close, and what speaks against it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from reasonry.errors import PartError
from reasonry.filters.deduplicate import deduplicate
from reasonry.filters.duplicates import semantic
from reasonry.registry import inputs_of, part_of
from reasonry.sections import DeduplicateOptions
from reasonry.types import Drop, Question

BAKER = "A baker sells 36 loaves in the morning and 48 in the afternoon. How many loaves is that in all?"
BAKER_AGAIN = "In the morning 36 loaves and in the afternoon 48 are sold by a baker. How many is that in all?"
STARS = "Of 36 stars and 48 moons on a flag, how many shapes are there altogether for children to colour?"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random word vectors: texts of the same words are close."""
    pytest.importorskip("sentence_transformers", reason="the extra [semantic] is not installed")
    import numpy as np
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = sorted({word for text in (BAKER, BAKER_AGAIN, STARS) for word in re.findall(r"\w+|[^\w\s]", text)})
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(["?", *words])}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    weights = np.random.default_rng(7).normal(size=(len(words) + 1, 32)).astype(np.float32)
    folder = tmp_path_factory.mktemp("model") / "vectors"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(str(folder))
    return folder


def options(model: Path, threshold: float = 0.8) -> DeduplicateOptions:
    return DeduplicateOptions(method="semantic", model=str(model), threshold=threshold)


def rules(model: Path, *asked: tuple[str, str | None]) -> list[str]:
    results = deduplicate([Question(prompt, answer, "math") for prompt, answer in asked], options(model))
    return [result.rule if isinstance(result, Drop) else "kept" for result in results]


def test_close_questions_are_one_and_others_are_not(model: Path) -> None:
    rows = ((BAKER, "84"), (STARS, "84"), (BAKER_AGAIN, "84"), (BAKER.upper(), "84"))
    assert rules(model, *rows) == ["kept", "kept", "semantic_duplicate", "duplicate"]


def test_the_threshold_is_a_cosine(model: Path) -> None:
    rows = [Question(BAKER, "84", "math"), Question(BAKER_AGAIN, "84", "math")]
    assert list(deduplicate(rows, options(model, 0.99))) == rows
    dropped = list(deduplicate(rows, options(model, 0.8)))[1]
    assert isinstance(dropped, Drop)
    assert "(semantic, similarity 0.83)" in dropped.reason


def test_other_numbers_answers_or_opposites_speak_against_it(model: Path) -> None:
    assert rules(model, (BAKER, "84"), (BAKER_AGAIN.replace("36", "46"), "84")) == ["kept", "kept"]
    assert rules(model, (BAKER, "84"), (BAKER_AGAIN, "85")) == ["kept", "kept"]
    assert rules(model, (BAKER, None), (BAKER_AGAIN.replace("sold", "bought"), None)) == ["kept", "kept"]


def test_blocks_and_groups_make_no_difference(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"{BAKER} {'morning ' * (n % 3)}", "84") for n in range(9)] + [
        (f"{BAKER_AGAIN} {n}", "84") for n in range(4)
    ]
    whole = rules(model, *rows)
    monkeypatch.setattr(semantic, "COMPARED_AT_ONCE", 2)
    monkeypatch.setattr(semantic, "EMBEDDED_AT_ONCE", 3)
    assert rules(model, *rows) == whole


def test_the_files_of_a_model_are_an_input(model: Path) -> None:
    def key(path: Path) -> set[str]:
        chosen = inputs_of(part_of(deduplicate), options(path))
        return {given.digest for given in chosen if given.name == path.name}

    before = key(model)
    assert len(before) == 1
    (model / "note.txt").write_text("changed")
    assert key(model) != before


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra [semantic] is not installed")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PartError, match="cannot be loaded"):
        rules(tmp_path / "empty", (BAKER, "84"), (BAKER_AGAIN, "84"))


def test_without_the_library_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(PartError) as caught:
        rules(Path("any"), (BAKER, "84"), (BAKER_AGAIN, "84"))
    assert "reasonry[semantic]" in str(caught.value.hint)
