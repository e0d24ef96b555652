"""Whether a row holds a benchmark question: what counts as the same, and what as the same with other numbers.

The question's own content must be found. Words of instructions and grammar weigh little, whatever their number; other
words weigh by how few of the benchmarks' questions have them, and less where they stand in a phrase that several
questions share. The less content a question has, the more of it is asked for; a question of a few words must stand in
the row whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from reasonry.filters.contamination_align import EXTRA_WEIGHT, OPERATORS, Alignment, aligned
from reasonry.filters.contamination_questions import Reference, Row
from reasonry.filters.contamination_words import ASKING, GENERIC, are_opposed

__all__ = ["FREE_FORM", "MOST_NUMBERS", "OWN", "How", "Match", "match"]

How = Literal["same text", "embedded", "near", "shuffled choices", "numbers changed"]
SHORT = 8  # words of a stem; with fewer, the whole of it must be there
SAYS_ENOUGH = 1.5  # of content in a short question, so that it is not taken for a phrase
NUMBER_WEIGHT, COMMON_NUMBER_WEIGHT = 0.6, 0.1  # the 3 of "Python 3" is common
# From how much content on which score is enough.
WANTED = ((2.0, 0.99), (3.5, 0.92), (5.0, 0.86), (8.0, 0.78), (12.0, 0.7))
WANTED_OF_MUCH = 0.66
CHOICES_AGREE, CHOICES_DECIDE = 0.5, 3.0  # the share of the choices that must be there; what they say to decide alone
STEM_SCORE = 0.6  # of a stem whose choices agree
FREE_FORM = 2.5  # the content of a stem that is a question without its choices
LONG_STEM = 12.0  # the content of a stem that is the same question with other choices
SENTENCE = 1.0  # the weight from which a sentence must not be missing
SENTENCE_FOUND, ASK_FOUND, OTHER_CHOICES_FOUND = 0.34, 0.6, 0.85  # of a sentence; of the last; where choices are others
_NO_SIGNS = frozenset("()[]|'aist")  # brackets, which are layout as often, and words of one letter
OTHER_SIGNS = 0.05  # the share of signs that may differ where signs are what tells questions apart
MANY_SIGNS, SIGNS_FOUND = 8, 0.8  # signs and single letters, from where on so much of them must be there
OWN, OWN_FOUND = 1.0, 0.35  # the weight from which a question's own words must be there, and how much of it
IDENTICAL_CONTENT = 4  # words, numbers and signs at least
CHANGED_TEXT, CHANGED_CONTENT = 0.95, 2.0  # what must be the same, and what the question must say, without numbers
MOST_NUMBERS = 0.6
IN_ORDER = 0.85  # of the text: a row that has so much of it in order is not looked at in any other
TELLING, REORDERED = 2.5, 0.8  # numbers and choices that tell a question; the words that must be there, by weight


@dataclass(frozen=True, slots=True)
class Match:
    """A benchmark question in a row. `words` are those of the row that stand for it, folded; score 0 to 1."""

    how: How
    score: float
    words: Sequence[str]
    has_choices: bool = False


def match(reference: Reference, row: Row) -> Match | None:
    """The reference in the row; None where it is not there."""
    if reference.drawn and reference.drawn not in row.drawn:
        return None
    found = _match_of_words(reference, row)
    if found is None or found.how == "numbers changed" or not reference.is_template:
        return found
    return found if _same_signs(reference.stem, found.words) else None


def _match_of_words(reference: Reference, row: Row) -> Match | None:
    if reference.coded.code == row.coded.code:
        return _same_stem(reference, row)
    is_short = len(reference.stem) < SHORT or not reference.content
    if is_short and not _decided_by_choices(reference, row):
        return _short(reference, row)
    found = aligned(reference.coded, row.coded)
    in_order = None if found is None else _in_order(reference, row, found)
    if in_order is not None or (found is not None and found.text_share > IN_ORDER):
        return in_order
    return _in_other_order(reference, row)


# -- choices -----------------------------------------------------------------------------------------------------


def _agreement(reference: Reference, row: Row) -> float | None:
    """The share of the reference's choices that the row has; None where one of the two has no choices."""
    if not reference.choices:
        return None
    if not row.choices:
        text = f" {' '.join(row.stem)} "
        return 1.0 if all(f" {choice} " in text for choice in reference.choices) else None
    left = list(row.choices)
    found = 0
    for choice in reference.choices:
        at = next((i for i, other in enumerate(left) if _same_choice(choice, other)), None)
        if at is not None:
            del left[at]
            found += 1
    return found / len(reference.choices)


def _same_choice(one: str, other: str) -> bool:
    if one == other:
        return True
    if len(one) < 12 or any(c.isdigit() for c in one + other):
        return False
    from rapidfuzz import fuzz

    return fuzz.ratio(one, other, score_cutoff=88.0) > 0


def _decided_by_choices(reference: Reference, row: Row) -> bool:
    return reference.choices_weight >= CHOICES_DECIDE and (_agreement(reference, row) or 0.0) >= CHOICES_AGREE


def _is_shuffled(reference: Reference, row: Row, agreement: float | None) -> bool:
    return agreement == 1.0 and bool(row.choices) and row.choices != reference.choices


def _same_stem(reference: Reference, row: Row) -> Match | None:
    agreement = _agreement(reference, row)
    content = sum(reference.coded.weights)
    if reference.choices and agreement is None and content < FREE_FORM:
        return None
    if agreement is not None and agreement < CHOICES_AGREE and content < LONG_STEM:
        return None
    how: How = "same text"
    if _is_shuffled(reference, row, agreement):
        how = "shuffled choices"
    elif agreement is not None and agreement < 1.0:
        how = "near"
    return Match(how, 1.0 if agreement is None else 0.5 + agreement / 2, row.stem, agreement is not None)


# -- a question of few words -------------------------------------------------------------------------------------


def _short(reference: Reference, row: Row) -> Match | None:
    """The whole stem as one of the row's sentences; words that only ask may be others."""
    agreement = _agreement(reference, row)
    if reference.choices and (agreement is None or agreement < CHOICES_AGREE):
        return None
    content = _content(reference.stem)
    says = reference.content + (reference.choices_weight if agreement is not None else 0.0)
    says += sum(not word.isalpha() for word in content)
    if not content or says < SAYS_ENOUGH:
        return None
    if _content(row.stem) == content:
        return Match("near", 0.95, row.stem, agreement is not None)
    if _among_sentences(reference.stem, content, row):
        return Match("embedded", 1.0, reference.stem, agreement is not None)
    return None


def _content(words: Sequence[str]) -> list[str]:
    """The words without those that only ask."""
    return [word for word in words if word not in ASKING]


def _among_sentences(stem: Sequence[str], content: list[str], row: Row) -> bool:
    """The stem is one of the row's sentences, or neighbouring ones."""
    sentences = list(row.sentences())
    for begin in range(len(sentences)):
        words: list[str] = []
        for sentence in sentences[begin : begin + 3]:
            words += sentence
            if _content(words) == content:
                return True
            if len(words) > 2 * len(stem):
                break
    return False


# -- a question of more words --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Own:
    """What tells the question from the others: the weight of such words and how much of it is there; such numbers.

    `telling` counts those and numbers of several digits.
    """

    words: float = 0.0
    words_found: float = 0.0
    numbers_found: int = 0
    telling: int = 0
    telling_found: int = 0

    @classmethod
    def of(cls, reference: Reference, found: Sequence[float]) -> _Own:
        own = [i for i, is_own in enumerate(reference.is_own) if is_own]
        weights = reference.coded.weights
        words = [i for i in own if not reference.is_number[i]]
        numbers = [i for i, is_number in enumerate(reference.is_number) if is_number]
        telling = [i for i in numbers if reference.is_own[i] or len(reference.stem[i]) > 1]
        return cls(
            sum(weights[i] for i in words),
            sum(weights[i] * found[i] for i in words),
            sum(found[i] > 0 for i in numbers if reference.is_own[i]),
            len(telling),
            sum(found[i] > 0 for i in telling),
        )


def _in_order(reference: Reference, row: Row, found: Alignment) -> Match | None:
    own = _Own.of(reference, found.found)
    if (
        found.opposed
        or found.end <= found.begin
        or own.words_found < OWN_FOUND * (own.words if own.words >= OWN else 0.0)
    ):
        return None
    if not _signs_there(reference, row, found):
        return None
    words = row.stem[found.begin : found.end]
    if _has_other_numbers(reference, row, found):
        return _with_other_numbers(reference, found, words)
    if not _sentences_there(reference, found, SENTENCE_FOUND):
        return None
    evidence = found.matched + NUMBER_WEIGHT * own.numbers_found
    evidence += COMMON_NUMBER_WEIGHT * (found.equal_numbers - own.numbers_found)
    against = found.missing + EXTRA_WEIGHT * found.extra
    against += NUMBER_WEIGHT * (found.missing_numbers + found.extra_numbers)
    agreement = _agreement(reference, row)
    if not _choices_allow(reference, found, agreement, evidence, against):
        return None
    if agreement is not None:
        evidence += agreement * reference.choices_weight
        against += (1.0 - agreement) * reference.choices_weight
    score = evidence / (evidence + against)
    if score < _wanted(evidence, own) and not _is_identical(reference, row, found):
        return None
    return Match(_how(reference, row, found, score, agreement), round(score, 4), words, agreement is not None)


def _choices_allow(
    reference: Reference, found: Alignment, agreement: float | None, evidence: float, against: float
) -> bool:
    """Other choices make another question, unless nearly all of the stem is there; equal ones alone make none."""
    if agreement is None:
        return not reference.choices or evidence >= FREE_FORM
    if agreement < CHOICES_AGREE:
        return _sentences_there(reference, found, OTHER_CHOICES_FOUND)
    return evidence < OWN or evidence >= STEM_SCORE * (evidence + against)


def _how(reference: Reference, row: Row, found: Alignment, score: float, agreement: float | None) -> How:
    if score < 0.995:
        return "near"
    if len(row.stem) > found.end - found.begin + 2:
        return "embedded"
    return "shuffled choices" if _is_shuffled(reference, row, agreement) else "near"


def _wanted(evidence: float, own: _Own) -> float:
    """The score from which a row holds the question: less where there is much that agrees, numbers most of all."""
    wanted = next((score for content, score in WANTED if evidence < content), WANTED_OF_MUCH)
    if own.telling_found < max(2, own.telling):
        return wanted
    return wanted - min(0.25, 0.05 * own.telling - 0.02)


def _is_identical(reference: Reference, row: Row, found: Alignment) -> bool:
    """All but words of instructions and grammar is there, and next to nothing stands between."""
    if found.missing_numbers or found.extra_numbers:
        return False
    content = [(word, found.found[i]) for i, word in enumerate(reference.stem) if word not in GENERIC]
    absent = [word for word, quality in content if not quality]
    if len(content) < IDENTICAL_CONTENT or any(map(str.isalnum, absent)) or len(absent) > len(content) // 20:
        return False
    there = set(reference.stem)
    extra = [word for word in row.stem[found.begin : found.end] if word not in there and word not in GENERIC]
    return len(extra) <= 1 + len(content) // 10 and all(word.isalpha() for word in extra)


def _sentences_there(reference: Reference, found: Alignment, share: float) -> bool:
    """No sentence with content is missing: another question on the same text is another question."""
    begin = 0
    for length in reference.sentences:
        words = range(begin, begin + length)
        begin += length
        wanted = share if begin < len(reference.stem) else max(share, ASK_FOUND)
        total = sum(reference.coded.weights[i] for i in words)
        if total >= SENTENCE and sum(reference.coded.weights[i] * found.found[i] for i in words) < wanted * total:
            return False
    return True


def _signs_there(reference: Reference, row: Row, found: Alignment) -> bool:
    """Where a question has many single letters or signs, they are its content: a list of letters, a grid, a formula."""
    signs = [i for i, word in enumerate(reference.stem) if _is_sign(word)]
    if len(signs) < MANY_SIGNS:
        return True
    there = sum(map(_is_sign, row.stem[found.begin : found.end]))
    return sum(found.found[i] > 0 for i in signs) >= SIGNS_FOUND * max(len(signs), there)


def _same_signs(one: Sequence[str], other: Sequence[str]) -> bool:
    """What tells questions of one template apart besides numbers: formulas, strings of letters, programs of signs."""
    signs, there = Counter(filter(_is_sign, one)), Counter(filter(_is_sign, other))
    return (signs - there).total() + (there - signs).total() <= max(1.0, OTHER_SIGNS * signs.total())


def _is_sign(word: str) -> bool:
    return len(word) == 1 and word not in _NO_SIGNS and not word.isdigit()


# -- other numbers, another order ----------------------------------------------------------------------------------


def _has_other_numbers(reference: Reference, row: Row, found: Alignment) -> bool:
    """Numbers of the question are nowhere in the row, or many others stand between.

    1 may be written as "one", and of many numbers some may lack.
    """
    if found.changed_numbers:
        return True
    numbers = Counter(word for word, is_number in zip(reference.stem, reference.is_number, strict=True) if is_number)
    absent = numbers - Counter(word for word in row.stem if word[0].isdigit())
    del absent["1"]
    return absent.total() > numbers.total() // 10 or found.extra_numbers > 1 + numbers.total() // 3


def _with_other_numbers(reference: Reference, found: Alignment, words: Sequence[str]) -> Match | None:
    """The same text, and a question that the benchmarks ask with these numbers alone; or most of its numbers too."""
    equal, numbers = found.equal_numbers, found.equal_numbers + found.changed_numbers + found.missing_numbers
    is_one = not reference.is_template and reference.content >= CHANGED_CONTENT
    if found.text_share < CHANGED_TEXT or not (is_one or (equal >= 2 and equal >= MOST_NUMBERS * numbers)):
        return None
    return Match("numbers changed", round(found.text_share, 4), words)


def _in_other_order(reference: Reference, row: Row) -> Match | None:
    """The same numbers, formulas and nearly all words, in whatever order: a sentence turned round."""
    terms, there = _terms(reference.stem), _terms(row.stem)
    if terms - there or (there - terms).total() > 1:
        return None
    agreement = _agreement(reference, row)
    if agreement is not None and agreement < 1.0:
        return None
    telling = sum(min(len(word), 2) / 2 * count for term, count in terms.items() for word in term if word[0].isdigit())
    telling += len(reference.choices) if agreement is not None else 0
    if telling < TELLING:
        return None
    words = {
        word: weight
        for word, weight, number in zip(reference.stem, reference.coded.weights, reference.is_number, strict=True)
        if not number and word not in OPERATORS
    }
    present = set(row.stem)
    score = sum(weight for word, weight in words.items() if word in present) / (sum(words.values()) or 1.0)
    if score < REORDERED or not _same_sense(set(reference.stem), present):
        return None
    return Match("near", round(score, 4), row.stem, agreement is not None)


def _terms(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    """The numbers of a text, each alone; formulas whole: numbers and letters with signs of arithmetic between them."""
    terms: Counter[tuple[str, ...]] = Counter()
    for is_term, run in groupby(words, _is_of_term):
        if not is_term:
            continue
        term = list(run)
        if OPERATORS.isdisjoint(term):
            terms.update((word,) for word in term if word[0].isdigit())
        else:
            terms[tuple(" ".join(term).strip("() ").split())] += 1
    return terms


def _is_of_term(word: str) -> bool:
    return word[0].isdigit() or word in OPERATORS or word in "()" or _is_sign(word)


def _same_sense(one: Set[str], other: Set[str]) -> bool:
    """False where a word of one text is missing in the other, which has its opposite."""
    return not any(are_opposed(word, opposite) for word in one - other for opposite in other - one)
