"""How much of a benchmark question stands in a row: an alignment of their folded words, weighed by what they say.

The longest common subsequence pairs equal words. What is left between two pairs is looked at again: a word that is
nearly the other (a typing mistake, a plural) counts as found; a number in the place of another number is a changed
one. Then runs that stand elsewhere in the row (a sentence that moved) are found. Of the row only the stretch counts
where the pairs are dense.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reasonry.filters.contamination_words import are_opposed

__all__ = ["EXTRA_WEIGHT", "OPERATORS", "UNKNOWN", "Alignment", "Coded", "aligned"]

UNKNOWN = "\0"  # the character of every word that no question has
EXTRA_WEIGHT = 0.5  # of a word that stands between the question's own
NEARLY = 75.0  # percent of the characters, of words that count as the same
MOVED_RUN = 3  # words at least
LEAST_PAIRED = 0.6  # of the question's words: with fewer, nothing is weighed
_LONGER = 8  # words, from which a row is long beside a question
_GAP = 12  # words between two pairs that are looked at again
_CHANGED = 0.02  # a number in the place of another one belongs to the stretch
_OUTSIDE = -0.4  # what an unpaired word of the row costs when the stretch is chosen, relative to its weight


OPERATORS = frozenset(("+", "-", "*", "/", "=", "<", ">", "<=", ">=", "!=", "==", "^", "%"))


def _is_number(word: str) -> bool:
    return word[0].isdigit()


def _is_operator(word: str) -> bool:
    return word in OPERATORS


def _is_minus(words: Sequence[str], at: int) -> bool:
    """A minus sign that makes the number behind it negative, not one between two terms or a hyphen."""
    if words[at] != "-":
        return False
    before = words[at - 1] if at else ""
    return not (before[:1].isdigit() or (len(before) == 1 and before.isalpha()) or before in (")", "]", "|"))


@dataclass(frozen=True, slots=True)
class Coded:
    """A text as words (a number has one spelling), what each says, and a character for each: equal words have one."""

    words: Sequence[str]
    code: str
    weights: Sequence[float]
    scale: float = 1.0
    """How much less the words of a question weigh for the phrases they stand in: so do words that stand between."""


@dataclass(slots=True)
class Alignment:
    """What was found. Weights are of words; numbers are counted apart, since another number is another question.

    `begin` and `end` are words of the row; `opposed` counts words that stand in the place of their opposite. `found`
    tells for each word of the question what of it is there (0 to 1).
    """

    begin: int = 0
    end: int = 0
    matched: float = 0.0
    missing: float = 0.0
    extra: float = 0.0
    equal_numbers: int = 0
    changed_numbers: int = 0
    opposed: int = 0
    missing_numbers: int = 0
    extra_numbers: int = 0
    found: list[float] = field(default_factory=list[float])

    @property
    def text_share(self) -> float:
        """How much of the stretch and of the question's words are the same, whatever the numbers."""
        return self.matched / (self.matched + self.missing + EXTRA_WEIGHT * self.extra + 1e-9)


def aligned(question: Coded, row: Coded) -> Alignment | None:
    """The question's words in a row's; None where too few are there."""
    from rapidfuzz.distance import LCSseq

    if LCSseq.similarity(question.code, row.code) < LEAST_PAIRED * len(question.code):
        return None
    found = _paired(question, row)
    longer = len(row.words) - len(question.words)
    if longer < _LONGER or not found.missing or found.end - found.begin >= len(row.words):
        return found
    # In a long row the first of several equal words was taken: look again where the question is.
    first = next((word for word, quality in enumerate(found.found) if quality), 0)
    last = next((word for word, quality in enumerate(reversed(found.found)) if quality), 0)
    begin, end = max(0, found.begin - first - 2), min(len(row.words), found.end + last + 2)
    again = _paired(question, Coded(row.words[begin:end], row.code[begin:end], row.weights[begin:end]))
    again.begin, again.end = again.begin + begin, again.end + begin
    return again if again.matched >= found.matched else found


def _paired(question: Coded, row: Coded) -> Alignment:
    pairing = _Pairing(question, row)
    pairing.pair_equal()
    pairing.pair_in_gaps()
    pairing.pair_moved()
    return pairing.alignment()


class _Pairing:
    """Which word of the question each word of the row is (-1: none), and how well."""

    def __init__(self, question: Coded, row: Coded) -> None:
        self.question = question
        self.row = row
        self.of_row = [-1] * len(row.words)
        self.quality = [0.0] * len(question.words)
        self.changed: dict[int, int] = {}  # by the row's word
        self.opposed: set[int] = set()

    def pair_equal(self) -> None:
        for one, other, length in _common_runs(self.question.code, self.row.code):
            self.of_row[other : other + length] = range(one, one + length)
            self.quality[one : one + length] = [1.0] * length

    def pair_in_gaps(self) -> None:
        for words, places in list(self._gaps()):
            self._pair_decisive(words, places)
            if len(words) <= _GAP and len(places) <= _GAP:
                self._pair_similar(words, places)

    def _gaps(self) -> Iterator[tuple[range, range]]:
        """Unpaired words of the question and of the row between two pairs."""
        last, start = -1, 0
        for place, word in enumerate([*self.of_row, len(self.question.words)]):
            if word < 0:
                continue
            if word > last + 1 and place > start:
                near = 2 * (word - last)  # before the first pair and behind the last one a row may be long
                begin = max(start, place - near) if last < 0 else start
                end = min(place, start + near) if place == len(self.of_row) else place
                yield range(last + 1, word), range(begin, end)
            last, start = word, place + 1

    def _pair_decisive(self, words: range, places: range) -> None:
        """Numbers in the place of numbers, operators in that of operators, a word in that of its opposite."""
        for is_wanted in (_is_number, _is_operator):
            wanted = [word for word in words if is_wanted(self.question.words[word])]
            there = [place for place in places if is_wanted(self.row.words[place])] if wanted else []
            for word, place in zip(wanted, there, strict=False):
                if self.question.words[word] == self.row.words[place]:
                    self._pair(word, place, 1.0)
                else:
                    self.changed[place] = word
        for word in words:
            self.opposed.update(
                place for place in places if are_opposed(self.question.words[word], self.row.words[place])
            )

    def _pair_similar(self, words: range, places: range) -> None:
        left = [place for place in places if len(self.row.words[place]) > 3 and place not in self.changed]
        for word in words:
            if not left or len(self.question.words[word]) <= 3 or self.quality[word]:
                continue
            for at, place in enumerate(left):
                if _is_nearly(self.question.words[word], self.row.words[place], self.row.code[place] == UNKNOWN):
                    self._pair(word, place, 0.9)
                    left = left[at + 1 :]
                    break

    def _pair(self, word: int, place: int, quality: float) -> None:
        self.of_row[place] = word
        self.quality[word] = quality

    def pair_moved(self) -> None:
        """Pair runs of at least MOVED_RUN words that stand elsewhere in the row."""
        words = [word for word, quality in enumerate(self.quality) if not quality]
        if len(words) < MOVED_RUN or sum(self.question.weights[word] for word in words) < 0.5:
            return
        places = [place for place, word in enumerate(self.of_row) if word < 0]
        left = "".join([self.question.code[word] for word in words])
        there = "".join([self.row.code[place] for place in places])
        for one, other, length in _common_runs(left, there):
            if length < MOVED_RUN:
                continue
            for begin, place, run in _unbroken(words[one : one + length], places[other : other + length]):
                if run >= MOVED_RUN:
                    for step in range(run):
                        self._pair(begin + step, place + step, 1.0)
                        self.changed.pop(place + step, None)

    def alignment(self) -> Alignment:
        made = Alignment(*self._dense())
        kept: set[int] = set()
        for place in range(made.begin, made.end):
            word = self.of_row[place]
            if word >= 0:
                kept.add(word)
            elif place in self.changed:
                kept.add(self.changed[place])
                made.changed_numbers += 1
            elif self.row.words[place][0].isdigit():
                made.extra_numbers += 1
            else:
                made.extra += self.row.weights[place] * self.question.scale
        made.changed_numbers += self._changed_signs(made)
        made.opposed = sum(made.begin <= place < made.end for place in self.opposed)
        made.found = [quality if word in kept else 0.0 for word, quality in enumerate(self.quality)]
        for word, (quality, weight) in enumerate(zip(made.found, self.question.weights, strict=True)):
            if self.question.words[word][0].isdigit():
                made.equal_numbers += quality > 0
                made.missing_numbers += word not in kept
            else:
                made.matched += weight * quality
                made.missing += weight * (1.0 - quality)
        return made

    def _changed_signs(self, made: Alignment) -> int:
        """Minus signs before a number that stand on one side alone."""
        place_of = {
            word: place for place, word in enumerate(self.of_row) if word >= 0 and made.begin <= place < made.end
        }
        changed = 0
        for word in range(1, len(self.question.words)):
            place = place_of.get(word, 0)
            if place and _is_number(self.question.words[word]) and self.quality[word]:
                signs = _is_minus(self.question.words, word - 1), _is_minus(self.row.words, place - 1)
                changed += signs[0] != signs[1]
        return changed

    def _dense(self) -> tuple[int, int]:
        """The stretch of the row with the largest sum: pairs add their weight, other words take some of theirs."""
        best, total, begin, stretch = 0.0, 0.0, 0, (0, 0)
        weights, outside = self.question.weights, _OUTSIDE * self.question.scale
        for place, (word, weight) in enumerate(zip(self.of_row, self.row.weights, strict=True)):
            if total <= 0:
                total, begin = 0.0, place
            if word >= 0:
                total += weights[word]
            elif place in self.changed:
                total += _CHANGED
            else:
                total += outside * weight
            if total > best:
                best, stretch = total, (begin, place + 1)
        return stretch


def _is_nearly(word: str, other: str, is_unknown: bool) -> bool:
    """Two forms of a word; or a mistyped one, which no benchmark has."""
    from rapidfuzz import fuzz

    same = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    if same >= max(4, min(len(word), len(other)) - 2) and abs(len(word) - len(other)) <= 3:
        return True
    return is_unknown and fuzz.ratio(word, other, score_cutoff=NEARLY) > 0


def _common_runs(one: str, other: str) -> Iterator[tuple[int, int, int]]:
    """The runs of the longest common subsequence: where each begins in both, and its length."""
    from rapidfuzz.distance import LCSseq

    for block in LCSseq.opcodes(one, other):
        if block.tag == "equal":
            yield block.src_start, block.dest_start, block.src_end - block.src_start


def _unbroken(words: Sequence[int], places: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The parts of a run that are runs in both texts too: where they begin, and their length."""
    start = 0
    for step in range(1, len(words) + 1):
        if step < len(words) and words[step] == words[step - 1] + 1 and places[step] == places[step - 1] + 1:
            continue
        yield words[start], places[start], step - start
        start = step
