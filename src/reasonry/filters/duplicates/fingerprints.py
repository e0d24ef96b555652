"""What deduplication needs of each question, worked out in batches wherever the executor has processors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from reasonry.filters.drawings import drawing
from reasonry.filters.duplicates.answers import reference_answer
from reasonry.filters.folding import folded, numbers
from reasonry.identity import canonical_json
from reasonry.types import JsonMap, Question

__all__ = ["DIGEST_BYTES", "FINGERPRINTS", "fingerprints", "to_plain"]

FINGERPRINTS = "reasonry.filters.duplicates.fingerprints:fingerprints"
DIGEST_BYTES = 16
_ASIDE = ("choices", "schema")  # of the spec: what a question asks about beside its text

_folded_choice = lru_cache(1 << 12)(folded)


def to_plain(question: Question) -> dict[str, Any]:
    """What a fingerprint is made of, as JSON values."""
    plain: dict[str, Any] = {"prompt": question.prompt, "answer": question.answer}
    for name in _ASIDE:
        if name in question.spec:
            plain[name] = question.spec[name]
    return plain


def fingerprints(options: JsonMap) -> Callable[[Sequence[JsonMap]], list[list[str | None]]]:
    """For each question: key, group, folded text, answer (folded, and as it was given).

    Questions with one key are the same. Only questions of one group can be near-duplicates: they have the same choices,
    the same schema, the same drawing and, with the option `numbers`, the same numbers (but for 1, which "one" may
    stand for).
    """
    with_numbers: bool = options["numbers"]

    def of_batch(rows: Sequence[JsonMap]) -> list[list[str | None]]:
        return [_fingerprint(row, with_numbers=with_numbers) for row in rows]

    return of_batch


def _fingerprint(row: JsonMap, *, with_numbers: bool) -> list[str | None]:
    prompt: str = row["prompt"]
    text = folded(prompt)
    choices = _choices(row)
    aside = f"{_context(row, choices)}\0{drawing(prompt)}"
    computed_with = [number for number in numbers(text) if number != "1"] if with_numbers else []
    key = _digest(f"{text or prompt}\0{aside}")
    group = _digest(f"{' '.join(computed_with)}\0{aside}")
    answer = reference_answer(row["answer"], choices)
    return [key, group, text, *((None, None) if answer is None else answer)]


def _context(row: JsonMap, choices: Sequence[str]) -> str:
    """What stands beside the text, in one spelling: the choices as a set, and the schema."""
    if not choices and "schema" not in row:
        return ""
    return canonical_json([sorted({_folded_choice(choice) for choice in choices}), row.get("schema")])


def _choices(row: JsonMap) -> list[str]:
    choices = row.get("choices")
    return [str(choice) for choice in choices] if isinstance(choices, list) else []


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
