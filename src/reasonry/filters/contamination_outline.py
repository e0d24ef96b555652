"""What can be compared before anything is folded: which of a question's words and numbers a row has at all.

Pairs of rows and questions are looked at together, as arrays. A pair is given up where too many words are missing; or
where numbers are, and nothing else ties the row to this question rather than to its template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reasonry.filters.contamination_match import FREE_FORM, MOST_NUMBERS, OWN
from reasonry.filters.contamination_questions import Reference
from reasonry.filters.contamination_seeds import WHOLE, Pairs
from reasonry.filters.contamination_tokens import Tokens, word_hashes
from reasonry.filters.contamination_words import GENERIC

__all__ = ["Outlines"]

CANDIDATES = 4  # questions that are compared with a row in full
MANY_NUMBERS = 4  # of which one may be missing
MOST_DIGITS, TELLING = 4, 1.0  # digits of a number that count, by halves; how much of them tells a question
# Of a question's words, by weight: with fewer, the pair is given up.
OVERLAP, SAME_NUMBERS_OVERLAP, OTHER_NUMBERS_OVERLAP = 0.55, 0.2, 0.9
_CELLS = 1 << 24  # of the table of rows and words that is held at a time


class Outlines:
    """The words and numbers of all questions, with what each word says."""

    def __init__(
        self, tokens: Tokens, owner: Any, references: Sequence[Reference], rarity: Mapping[str, float]
    ) -> None:
        """`tokens` are those of segments, `owner` has the question of each; `rarity` weighs words outside of stems."""
        import numpy as np

        of_token = owner[tokens.text]
        self._vocabulary, word = np.unique(tokens.hashes, return_inverse=True)
        size = max(1, len(self._vocabulary))
        is_number = np.zeros(size, bool)
        is_number[word] = tokens.is_number
        in_question, first = np.unique(of_token * size + word, return_index=True)
        question, word = np.divmod(in_question, size)
        in_stem = np.diff(owner, prepend=-1)[tokens.text[first]] > 0
        weights, own = self._weights(question, word, references, rarity)
        numbers = is_number[word]
        says = ~numbers & ~np.isin(self._vocabulary[word], word_hashes(sorted(GENERIC)))
        # A row may lack the choices, unless the stem says nothing without them.
        of_stem = _Lists(question[says & in_stem], (), len(references)).sums(weights[says & in_stem])
        says &= in_stem | (of_stem[question] < FREE_FORM)
        self._words = _Lists(question[says], (word[says], weights[says], own[says]), len(references))
        in_stem &= numbers
        tells = np.minimum(tokens.size[first], MOST_DIGITS) / 2
        self._numbers = _Lists(question[in_stem], (word[in_stem], tells[in_stem]), len(references))
        self._total = self._words.sums(weights[says])
        self._own_total = self._words.sums(own[says])
        self._is_template = np.array([reference.is_template for reference in references], bool)

    def _weights(
        self, question: Any, word: Any, references: Sequence[Reference], rarity: Mapping[str, float]
    ) -> tuple[Any, Any]:
        """What each word says in its question, and the same again where no other question has it."""
        import numpy as np

        known = [text for text in rarity if text.isalpha()]
        at = self._places(word_hashes(known)) if known else ()
        place = dict(zip(known, map(int, at), strict=True))
        general = np.ones(len(self._vocabulary))
        for text, where in place.items():
            if where >= 0:
                general[where] = rarity[text]
        weights, own = general[word], np.zeros(len(word))
        keys = dict(zip((question * len(general) + word).tolist(), range(len(word)), strict=True))
        best: dict[int, float] = {}
        for number, reference in enumerate(references):
            for text, weight, is_own in zip(reference.stem, reference.coded.weights, reference.is_own, strict=True):
                where = place.get(text, -1)
                entry = keys.get(number * len(general) + where) if where >= 0 else None
                if entry is not None and weight >= best.get(entry, 0.0):
                    best[entry] = weight
                    own[entry] = weight if is_own and text not in GENERIC else 0.0
        for entry, weight in best.items():
            weights[entry] = weight
        return weights, own

    def _places(self, hashes: Any) -> Any:
        """The number of each word in the vocabulary, -1 where it is not there."""
        import numpy as np

        if not len(self._vocabulary):
            return np.full(len(hashes), -1)
        at = np.minimum(np.searchsorted(self._vocabulary, hashes), len(self._vocabulary) - 1)
        return np.where(self._vocabulary[at] == hashes, at, -1)

    def likely(self, pairs: Pairs, tokens: Tokens) -> Pairs:
        """The pairs that are worth comparing in full, at most CANDIDATES of a row."""
        import numpy as np

        if not len(pairs.row):
            return pairs
        rows, row = np.unique(pairs.row, return_inverse=True)
        kept = np.zeros(len(row), bool)
        step = max(1, _CELLS // max(1, len(self._vocabulary)))
        for begin in range(0, len(rows), step):
            part = np.flatnonzero((row >= begin) & (row < begin + step))
            there = self._table(tokens, rows[begin : begin + step])
            kept[part] = self._may_be(there, row[part] - begin, pairs.question[part])
        kept |= pairs.share >= WHOLE
        chosen = np.flatnonzero(kept)
        rank = np.arange(len(chosen)) - np.searchsorted(row[chosen], row[chosen])
        chosen = chosen[(rank < CANDIDATES) | (pairs.share[chosen] >= WHOLE)]
        return Pairs(pairs.row[chosen], pairs.question[chosen], pairs.share[chosen])

    def _table(self, tokens: Tokens, rows: Any) -> Any:
        """For each of these rows and each word whether it is there."""
        import numpy as np

        at = np.minimum(np.searchsorted(rows, tokens.text), len(rows) - 1)
        word = self._places(tokens.hashes)
        wanted = (rows[at] == tokens.text) & (word >= 0)
        there = np.zeros((len(rows), len(self._vocabulary)), bool)
        there[at[wanted], word[wanted]] = True
        return there

    def _may_be(self, there: Any, row: Any, question: Any) -> Any:
        import numpy as np

        pair, (number, tells) = self._numbers.of(question)
        numbers = np.bincount(pair, minlength=len(row))
        is_there = there[row[pair], number]
        absent = np.bincount(pair, ~is_there, minlength=len(row))
        telling = np.bincount(pair, tells * is_there, minlength=len(row))
        lacking = absent > (numbers >= MANY_NUMBERS)
        pair, (word, weight, own) = self._words.of(question)
        is_there = there[row[pair], word]
        missing = np.bincount(pair, weight * ~is_there, minlength=len(row))
        own_there = np.bincount(pair, own * is_there, minlength=len(row))
        foreign = (numbers == 0) & (self._own_total[question] >= OWN / 2) & (own_there < OWN / 2)
        other_numbers = self._is_template[question] & (numbers - absent < np.maximum(2, MOST_NUMBERS * numbers))
        is_other = np.where(lacking, other_numbers, foreign)
        overlap = np.where(lacking, OTHER_NUMBERS_OVERLAP, np.where(telling < TELLING, OVERLAP, SAME_NUMBERS_OVERLAP))
        return ~is_other & (missing <= (1.0 - overlap) * self._total[question])


class _Lists:
    """Several values for each question, of differing number."""

    def __init__(self, question: Any, values: Sequence[Any], questions: int) -> None:
        import numpy as np

        self._values = values
        self._question = question
        self._count = np.bincount(question, minlength=questions)
        self._begin = np.cumsum(self._count) - self._count

    def sums(self, values: Any) -> Any:
        import numpy as np

        return np.bincount(self._question, values, minlength=len(self._count))

    def of(self, question: Any) -> tuple[Any, list[Any]]:
        """For each of these questions its values; and which of them each value belongs to."""
        import numpy as np

        count = self._count[question]
        which = np.repeat(np.arange(len(question)), count)
        place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat(self._begin[question], count) + place
        return which, [values[at] for values in self._values]
