"""Which benchmark questions a row may hold: an index of runs of words that is asked for many rows at once.

Of each benchmark question the rarest runs are indexed, so that phrases which many questions share lead nowhere. Runs
are 64-bit hashes in sorted arrays, and a table of flags answers nearly all look-ups without a search. A run is indexed
with its numbers masked (all are one), so that a question with other numbers is found too, and where it has numbers
also with them as they are, so that questions which differ in nothing else are told apart. Everything here is arrays;
those of questions and of rows are integers, those of runs and words hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reasonry.filters.contamination_tokens import Tokens, word_hashes
from reasonry.filters.contamination_words import ASKING

__all__ = ["WHOLE", "Pairs", "Seeds", "shared_by"]

RUNS_KEPT = 16  # of each question, the rarest
SHARED_BY = 24  # questions at most: what more of them share is boilerplate
SHORT_NGRAM, FEW_WORDS = 3, 12
SHARE_WANTED = 0.16  # of a question's runs
WHOLE = 3.0  # the share of a question whose words are all the words of a row
ALIKE = 64  # questions with the same words that are looked at one by one
_FLAGS_PER_RUN = 8
_NUMBER = 0x5851F42D4C957F2D  # the hash of every number where numbers are masked
_STEP, _SPREAD = 0xD6E8FEB86659FD93, 0xBF58476D1CE4E5B9


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows with questions that may stand in them, and the share of the question's runs (0 to 2, or WHOLE); arrays."""

    row: Any
    question: Any
    share: Any


class Seeds:
    """The index."""

    def __init__(self, tokens: Tokens, owner: Any, questions: int, ngram: int) -> None:
        """`tokens` are those of segments that no run crosses (a stem, a choice); `owner` has the question of each."""
        import numpy as np

        self._questions = max(1, questions)
        masked = _masked(tokens)
        is_run = _within(tokens.text, ngram)
        with_number = is_run & ~_all(~tokens.is_number, ngram)
        of_token = owner[tokens.text]
        self._masked = [_Runs(_runs(masked, ngram)[is_run], of_token[: len(is_run)][is_run], questions, ngram)]
        self._literal = [
            _Runs(_runs(tokens.hashes, ngram)[with_number], of_token[: len(is_run)][with_number], questions, ngram)
        ]
        if ngram > SHORT_NGRAM:
            runs, of_run = _runs_of_short(tokens, owner)
            self._literal.append(_Runs(runs, of_run, questions, SHORT_NGRAM))
        for length, (hashes, of_run) in sorted(_short_stems(tokens, owner, ngram).items()):
            runs = np.array(hashes, np.uint64), np.array(of_run, np.int64)
            self._literal.append(_Runs(*runs, questions, length, shared_by=ALIKE))
        whole = _of_texts(tokens.hashes, of_token, questions)
        self._whole_order = np.argsort(whole, kind="stable")
        self._whole = whole[self._whole_order]

    def pairs(self, tokens: Tokens, rows: int) -> Pairs:
        """The questions that may stand in rows, by row, the likeliest first."""
        import numpy as np

        masked = _masked(tokens)
        found = [runs.shares(masked, tokens.text) for runs in self._masked]
        found += [runs.shares(tokens.hashes, tokens.text) for runs in self._literal]
        found.append(self._alike(_of_texts(tokens.hashes, tokens.text, rows)))
        pair, at = np.unique(np.concatenate([pairs for pairs, _ in found]), return_inverse=True)
        share = np.bincount(at, np.concatenate([shares for _, shares in found]), len(pair))
        row, question = np.divmod(pair, self._questions)
        order = np.lexsort((question, -share, row))
        return Pairs(row[order], question[order], share[order])

    def _alike(self, rows: Any) -> tuple[Any, Any]:
        """Questions with the same words as a row, all in the same order."""
        import numpy as np

        first = np.searchsorted(self._whole, rows, side="left")
        count = np.minimum(np.searchsorted(self._whole, rows, side="right") - first, ALIKE)
        row = np.repeat(np.arange(len(rows)), count)
        place = np.repeat(first, count) + _ranges(count)
        return row * self._questions + self._whole_order[place], np.full(len(row), WHOLE)


class _Runs:
    """Runs of `ngram` words, and which questions hold them."""

    def __init__(self, hashes: Any, owner: Any, questions: int, ngram: int, shared_by: int = SHARED_BY) -> None:
        import numpy as np

        self._ngram = ngram
        order = np.lexsort((hashes, owner))
        hashes, owner = hashes[order], owner[order]
        again = np.zeros(len(hashes), bool)
        again[1:] = (hashes[1:] == hashes[:-1]) & (owner[1:] == owner[:-1])
        hashes, owner = hashes[~again], owner[~again]
        chosen = _rarest(hashes, owner, shared_by)
        hashes, owner = hashes[chosen], owner[chosen]
        self._of_question = np.bincount(owner, minlength=max(1, questions))
        order = np.argsort(hashes, kind="stable")
        self._owner = owner[order]
        self._keys, self._start, self._count = np.unique(hashes[order], return_index=True, return_counts=True)
        bits = max(10, (len(self._keys) * _FLAGS_PER_RUN).bit_length())
        self._shift = np.uint64(64 - bits)
        self._flags = np.zeros(1 << bits, bool)
        self._flags[(self._keys >> self._shift).astype(np.int64)] = True

    def shares(self, words: Any, row: Any) -> tuple[Any, Any]:
        """Pairs (row times the number of questions, plus question) and the share of the question's runs in the row."""
        import numpy as np

        hashes = _runs(words, self._ngram)
        at = np.flatnonzero(self._flags[(hashes >> self._shift).astype(np.int64)])
        if not len(at) or not len(self._keys):
            return np.zeros(0, np.int64), np.zeros(0)
        key = np.minimum(np.searchsorted(self._keys, hashes[at]), len(self._keys) - 1)
        found = (self._keys[key] == hashes[at]) & (row[at] == row[at + self._ngram - 1])
        held = np.unique(row[at][found] * len(self._keys) + key[found])  # a run counts once for a row
        of_row, key = np.divmod(held, len(self._keys))
        count = self._count[key]
        question = self._owner[np.repeat(self._start[key], count) + _ranges(count)]
        questions = len(self._of_question)
        pair, hits = np.unique(np.repeat(of_row, count) * questions + question, return_counts=True)
        share = hits / self._of_question[pair % questions]
        return pair[share >= SHARE_WANTED], share[share >= SHARE_WANTED]


def shared_by(hashes: Any, text: Any, ngram: int) -> Any:
    """For each word, how many texts share the commonest run of words that it stands in. At least 1."""
    import numpy as np

    begins = np.flatnonzero(_within(text, ngram))
    _, which = np.unique(_runs(hashes, ngram)[begins], return_inverse=True)
    texts = int(text[-1]) + 1 if len(text) else 1
    texts_with = np.bincount(np.unique(which * texts + text[begins]) // texts)
    sharing = np.ones(len(hashes), np.int64)
    for offset in range(ngram):
        sharing[begins + offset] = np.maximum(sharing[begins + offset], texts_with[which])
    return sharing


def _runs_of_short(tokens: Tokens, owner: Any) -> tuple[Any, Any]:
    """Runs of SHORT_NGRAM words from stems of few words, of which an edit leaves no longer one whole."""
    import numpy as np

    words = np.bincount(tokens.text, minlength=len(owner))
    short = (words <= FEW_WORDS) & (np.diff(owner, prepend=-1) > 0)
    chosen = _within(tokens.text, SHORT_NGRAM)
    chosen &= short[tokens.text[: len(chosen)]]
    return _runs(tokens.hashes, SHORT_NGRAM)[chosen], owner[tokens.text[: len(chosen)][chosen]]


def _short_stems(tokens: Tokens, owner: Any, ngram: int) -> dict[int, tuple[list[int], list[int]]]:
    """Stems too short for a run, without the words around them that only ask: each as one run, by length."""
    import numpy as np

    asking = np.isin(tokens.hashes, word_hashes(sorted(ASKING)))
    begins = np.searchsorted(tokens.text, np.arange(len(owner) + 1))
    stems = np.flatnonzero(np.diff(owner, prepend=-1))
    made: dict[int, tuple[list[int], list[int]]] = {}
    for stem in stems[np.diff(begins)[stems] < ngram].tolist():
        says = np.flatnonzero(~asking[begins[stem] : begins[stem + 1]]) + begins[stem]
        length = int(says[-1] - says[0]) + 1 if len(says) else 0
        if length > 1:
            hashes, of_run = made.setdefault(length, ([], []))
            hashes.append(int(_runs(tokens.hashes[says[0] : says[0] + length], length)[0]))
            of_run.append(int(owner[stem]))
    return made


def _masked(tokens: Tokens) -> Any:
    import numpy as np

    return np.where(tokens.is_number, np.uint64(_NUMBER), tokens.hashes)


def _runs(hashes: Any, ngram: int) -> Any:
    """One hash for each run of words, in the order of the runs' beginnings."""
    import numpy as np

    length = max(0, len(hashes) - ngram + 1)
    made = np.zeros(length, np.uint64)
    for offset in range(ngram):
        made = made * np.uint64(_STEP) + hashes[offset : offset + length]
    made ^= made >> np.uint64(29)
    made *= np.uint64(_SPREAD)
    return made ^ (made >> np.uint64(32))


def _within(text: Any, ngram: int) -> Any:
    """For each run of words whether it stands in one text."""
    length = max(0, len(text) - ngram + 1)
    return text[:length] == text[ngram - 1 : ngram - 1 + length]


def _all(flags: Any, ngram: int) -> Any:
    """For each run of words whether all of them are flagged."""
    import numpy as np

    total = np.concatenate(([0], np.cumsum(flags)))
    return total[ngram:] - total[:-ngram] == ngram if len(flags) >= ngram else np.zeros(0, bool)


def _ranges(counts: Any) -> Any:
    """0, 1, ... for each count, one after another."""
    import numpy as np

    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _of_texts(hashes: Any, text: Any, texts: int) -> Any:
    """One hash of all words of each text; equal for equal words in equal order."""
    import numpy as np

    made = np.zeros(texts, np.uint64)
    if not len(hashes):
        return made
    first = np.flatnonzero(np.concatenate(([True], text[1:] != text[:-1])))
    place = np.arange(len(hashes)) - np.repeat(first, np.diff(np.append(first, len(hashes))))
    mixed = (hashes ^ (place.astype(np.uint64) * np.uint64(_STEP))) * np.uint64(_SPREAD)
    made[text[first]] = np.add.reduceat(mixed ^ (mixed >> np.uint64(31)), first)
    return made


def _rarest(hashes: Any, owner: Any, shared_by: int) -> Any:
    """Which of the runs (one of each for each owner, by owner) are kept: the rarest of each owner."""
    import numpy as np

    _, which, questions = np.unique(hashes, return_inverse=True, return_counts=True)
    shared = questions[which]
    order = np.lexsort((hashes, shared, owner))
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner, side="left")
    chosen = np.zeros(len(owner), bool)
    chosen[order] = rank < RUNS_KEPT
    return chosen & (shared <= shared_by)
