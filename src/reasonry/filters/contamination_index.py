"""The benchmarks' questions, indexed: which of them a row holds, for many rows at once.

This is what worker processes import: `searcher(options)` builds the index from folded questions, and the function
that it returns is pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from reasonry.filters.contamination_align import UNKNOWN, Coded
from reasonry.filters.contamination_match import Match, match
from reasonry.filters.contamination_outline import Outlines
from reasonry.filters.contamination_questions import Reference, Row, drawn, sentence_lengths, spelled
from reasonry.filters.contamination_seeds import Seeds, shared_by
from reasonry.filters.contamination_text import parts_of, span_of
from reasonry.filters.contamination_tokens import Tokens, tokenise
from reasonry.filters.contamination_words import GENERIC
from reasonry.filters.folding import folded
from reasonry.types import JsonMap

__all__ = ["Found", "Index", "prepared", "searcher"]

RAREST, COMMONEST, GENERIC_WEIGHT = 1.0, 0.05, 0.12  # weights of words
# What a word says that stands in a phrase of so many questions.
PHRASE = ((1, 1.0), (2, 0.7), (3, 0.5), (5, 0.35), (10, 0.2))
PHRASE_OF_MANY = 0.1
PHRASE_WORDS, NUMBER_PHRASE_WORDS = 4, 3
SURE = 0.98  # a score from which no other question is tried
_FIRST_LETTER = 0x10000  # beyond surrogates
_TOGETHER = 512  # rows


def prepared(prompt: str, choices: Sequence[object] | None = None) -> JsonMap:
    """A benchmark question as the index takes it: JSON, folded once for all workers."""
    parts = parts_of(prompt, choices)
    return {
        "stem": " ".join(spelled(folded(parts.stem))),
        "choices": [folded(choice) for choice in parts.choices],
        "sentences": sentence_lengths(parts.stem),
        "texts": [parts.stem, *parts.choices],
        "drawn": drawn(parts.stem),
    }


@dataclass(frozen=True, slots=True)
class Found:
    """A question in a row, by number, and where it stands in the prompt."""

    question: int
    match: Match
    begin: int
    end: int


class Index:
    """Finds benchmark questions in rows."""

    def __init__(self, questions: Sequence[JsonMap], ngram: int) -> None:
        self._rarity = _rarity(questions)
        self._letters = {word: chr(_FIRST_LETTER + number) for number, word in enumerate(self._rarity)}
        self._references = list(self._made(questions))
        tokens, owner = _segments(questions)
        self._seeds = Seeds(tokens, owner, len(questions), ngram)
        self._outlines = Outlines(tokens, owner, self._references, {word: self.weigh(word) for word in self._rarity})

    def weigh(self, word: str) -> float:
        """What a word says: by its rarity in the benchmarks; a word of instructions or grammar little."""
        return GENERIC_WEIGHT if word in GENERIC else self._rarity.get(word, RAREST)

    def code(self, text: str) -> Coded:
        """A folded text. Words that no benchmark has are all the same one, which no benchmark has."""
        words = spelled(text)
        letters = self._letters
        return Coded(words, "".join([letters.get(word, UNKNOWN) for word in words]), list(map(self.weigh, words)))

    def find(self, rows: Sequence[JsonMap]) -> list[Found | None]:
        """For each row (`prompt`, `choices`) the question that it holds, the one that is surest."""
        made: list[Found | None] = []
        for begin in range(0, len(rows), _TOGETHER):
            made += self._find(rows[begin : begin + _TOGETHER])
        return made

    def _find(self, rows: Sequence[JsonMap]) -> list[Found | None]:
        tokens = tokenise(["\n".join([row["prompt"], *map(str, row.get("choices") or ())]) for row in rows])
        pairs = self._outlines.likely(self._seeds.pairs(tokens, len(rows)), tokens)
        questions: dict[int, list[int]] = {}
        for row, question in zip(pairs.row.tolist(), pairs.question.tolist(), strict=True):
            questions.setdefault(row, []).append(question)
        return [self._surest(row, questions[i]) if i in questions else None for i, row in enumerate(rows)]

    def _surest(self, given: JsonMap, questions: Sequence[int]) -> Found | None:
        row = Row(given["prompt"], given.get("choices"), self.code)
        best: tuple[Match, int] | None = None
        for question in questions:
            found = match(self._references[question], row)
            if found is not None and (best is None or _sureness(found) > _sureness(best[0])):
                best = found, question
                if found.score > SURE and found.how != "numbers changed":
                    break
        if best is None:
            return None
        end = row.parts.end if best[0].has_choices else None
        return Found(best[1], best[0], *span_of(row.prompt, best[0].words, end))

    def _made(self, questions: Sequence[JsonMap]) -> Iterator[Reference]:
        stems = [self.code(question["stem"]) for question in questions]
        templates = _templates(stems)
        for stem, question, (shared, is_number) in zip(stems, questions, _sharing(stems), strict=True):
            says = [_of_phrase(count) for count in shared]
            most = max((factor for factor, number in zip(says, is_number, strict=True) if not number), default=1.0)
            weights = [weight * factor / most for weight, factor in zip(stem.weights, says, strict=True)]
            yield Reference(
                coded=Coded(stem.words, stem.code, weights, sum(weights) / (sum(stem.weights) or 1.0)),
                is_own=[count == 1 for count in shared],
                is_number=is_number,
                choices=tuple(question["choices"]),
                sentences=tuple(question["sentences"]),
                is_template=_words_of(stem) in templates,
                content=sum(map(self.weigh, dict.fromkeys(w for w in stem.words if w.isalpha() and len(w) > 1))),
                choices_weight=sum(min(2.0, sum(map(self.weigh, choice.split()))) for choice in question["choices"]),
                drawn=question["drawn"],
            )


def _sureness(found: Match) -> tuple[bool, float]:
    return found.how != "numbers changed", found.score


def _rarity(questions: Sequence[JsonMap]) -> Mapping[str, float]:
    """The weight of each word of the benchmarks: the fewer questions have it, the more it says."""
    having: dict[str, int] = {}
    for question in questions:
        words = dict.fromkeys(
            [*question["stem"].split(), *(w for choice in question["choices"] for w in choice.split())]
        )
        for word in words:
            having[word] = having.get(word, 0) + 1
    scale = math.log(len(questions) + 1)
    return {word: max(COMMONEST, math.log((len(questions) + 1) / count) / scale) for word, count in having.items()}


def _segments(questions: Sequence[JsonMap]) -> tuple[Tokens, Any]:
    """The words of all stems and choices; and the question of each stem and choice."""
    import numpy as np

    texts = [text for question in questions for text in question["texts"]]
    return tokenise(texts), np.repeat(np.arange(len(questions)), [len(question["texts"]) for question in questions])


def _sharing(stems: Sequence[Coded]) -> Iterator[tuple[list[int], list[bool]]]:
    """For each stem: of its words, by how many stems a phrase around them is shared; and whether they are numbers.

    Phrases are compared with their numbers masked; around a number, as they are.
    """
    import numpy as np

    numbers = {word: number for number, word in enumerate(dict.fromkeys(w for stem in stems for w in stem.words), 1)}
    lengths = np.array([len(stem.words) for stem in stems], np.int64)
    words = np.array([numbers[word] for stem in stems for word in stem.words], np.uint64)
    is_number = np.array([word[0].isdigit() for stem in stems for word in stem.words], bool)
    text = np.repeat(np.arange(len(stems)), lengths)
    masked = np.where(is_number, np.uint64(0), words)
    shared = np.where(is_number, shared_by(words, text, NUMBER_PHRASE_WORDS), shared_by(masked, text, PHRASE_WORDS))
    for begin, length in zip((np.cumsum(lengths) - lengths).tolist(), lengths.tolist(), strict=True):
        yield shared[begin : begin + length].tolist(), is_number[begin : begin + length].tolist()


def _words_of(stem: Coded) -> str:
    """The words that a stem has, in whatever order and number."""
    return " ".join(sorted({word for word in stem.words if word.isalpha() and len(word) > 1}))


def _templates(stems: Sequence[Coded]) -> Set[str]:
    """The words of stems that stand there several times, each time with other numbers or signs."""
    written: dict[str, str] = {}
    return {words for stem in stems if written.setdefault(words := _words_of(stem), stem.code) != stem.code}


def _of_phrase(questions: int) -> float:
    return next((says for most, says in PHRASE if questions <= most), PHRASE_OF_MANY)


def searcher(options: JsonMap) -> Callable[[Sequence[JsonMap]], list[Any]]:
    """What a worker is made of: for each row None, or what was found, as JSON."""
    index = Index(options["questions"], options["ngram"])

    def search(rows: Sequence[JsonMap]) -> list[Any]:
        return [None if found is None else _as_json(found) for found in index.find(rows)]

    return search


def _as_json(found: Found) -> JsonMap:
    return {
        "question": found.question,
        "how": found.match.how,
        "score": found.match.score,
        "span": [found.begin, found.end],
    }
