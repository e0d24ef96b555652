"""Whether two questions are two wordings of one: decided by the two alone, whatever else is in the data.

What speaks for one question is evidence: the digits of the numbers that both texts have, an answer that both give and
that does not stand in the text, choices, tests. What speaks against it is what one text says and the other does not.
The more evidence, the more may be worded otherwise; without any, nothing but fillers and misspellings may differ.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from reasonry.filters.duplicates.answers import are_equal, cannot_be_equal
from reasonry.filters.duplicates.reading import Difference, Reading, Words, beyond, difference_of, weight
from reasonry.filters.folding import numbers
from reasonry.filters.likeness_words import FILLERS

__all__ = ["Judge"]

SUBSTITUTED = 3  # letters of content that may be substituted for each digit of evidence
ADDED = 12  # letters of content that may be added for each digit of evidence
UNANSWERED = 0.5  # what the evidence of numbers and choices counts where no answer vouches for it
CHOICES_EVIDENCE = 6  # digits that a set of choices counts for
MOST_WORDS_EVIDENCE = 6  # digits that an answer in words counts for at most
MOST_EVIDENCE = 12  # digits that an answer counts for at most; and tests, and what the options leave out
STRONG_NUMBERS = 8  # digits of numbers that hardly two questions share by chance
SURE = 6  # digits of evidence with which order, names and operators may differ
TABLE_NUMBERS = 12  # of a text with more numbers, an answer that stands in it may be the answer to anything
MISSPELLED_SHARE = 0.25  # of a text, at most: where more differs it is not looked at word by word
SAME_WORDING = 4  # letters of content that may be substituted where numbers have not just moved with their sentence
_WEAK_ANSWERS = frozenset(
    ("0", "1", "yes", "no", "true", "false", "none", "nothing", "unknown", "correct", "incorrect")
)


class Judge:
    """Says how alike two questions are, under the options of a recipe."""

    def __init__(self, threshold: float, *, numbers: bool, answers: bool) -> None:
        self._threshold = threshold
        self._with_numbers = numbers
        self._with_answers = answers

    def similarity(self, one: Reading, other: Reading) -> float | None:
        """The similarity of two wordings of one question; None where they are two questions.

        It is the share of the shorter text that the longer has too, in letters, where a digit counts as four and a
        misspelled word as the right one. The order of sentences has no part in it.
        """
        if self._differ_in_answers(one, other) or (self._with_numbers and not _ones_agree(one, other)):
            return None
        shorter = min(one.weight, other.weight)
        if not shorter:
            return None
        left, right = self._beyond(one.words, other.words), self._beyond(other.words, one.words)
        if min(weight(left), weight(right)) > shorter * (1 - self._threshold + MISSPELLED_SHARE):
            return None
        difference = difference_of(left, right)
        similarity = 1 - min(weight(difference.one), weight(difference.other)) / shorter
        if similarity < self._threshold or not self._is_borne_out(one, other, difference):
            return None
        return None if self._asks_otherwise(one, other, difference) else similarity

    def contradicts(self, one: Reading, other: Reading) -> bool:
        """Whether something speaks against one question, however alike the two: answers, numbers, opposites, names."""
        if self._differ_in_answers(one, other) or (self._with_numbers and not _ones_agree(one, other)):
            return True
        difference = difference_of(self._beyond(one.words, other.words), self._beyond(other.words, one.words))
        return self._vouched(one, other) is None or self._asks_otherwise(one, other, difference)

    def _beyond(self, words: Words, others: Words) -> Words:
        more = beyond(words, others)
        return more if self._with_numbers else {word: n for word, n in more.items() if not word[0].isdecimal()}

    def _differ_in_answers(self, one: Reading, other: Reading) -> bool:
        """Whether the answers, or the tests, differ at first sight."""
        if not self._with_answers:
            return False
        if one.tests is not None and other.tests is not None and one.tests != other.tests:
            return True
        return (
            one.answer is not None and other.answer is not None and cannot_be_equal(one.answer.text, other.answer.text)
        )

    def _asks_otherwise(self, one: Reading, other: Reading, difference: Difference) -> bool:
        """Whether what differs is little, but changes the question."""
        if difference.turns_round or difference.negates or difference.writes_other_letters:
            return True
        if self._with_numbers and difference.substituted <= SAME_WORDING and _swaps_numbers(one, other):
            return True
        return _names_others(one, other, difference)

    def _is_borne_out(self, one: Reading, other: Reading, difference: Difference) -> bool:
        """Whether there is evidence enough for what differs."""
        digits = one.digits if self._with_numbers else MOST_EVIDENCE
        choices = CHOICES_EVIDENCE if one.has_choices else 0
        if difference.substituted > SUBSTITUTED * (digits + choices + MOST_EVIDENCE):
            return False
        vouched = self._vouched(one, other)
        if vouched is None:
            return False
        evidence = digits + vouched if vouched else (digits + choices) * UNANSWERED
        if difference.substituted > SUBSTITUTED * evidence or difference.added > ADDED * evidence:
            return False
        if vouched and evidence >= SURE:
            return True
        if difference.draws_otherwise or difference.changes_what_is_done or _names_more(one, other, difference):
            return False
        return _stand_in_one_order(one, other, difference) and (vouched > 0 or _ask_alike(one, other))

    def _vouched(self, one: Reading, other: Reading) -> float | None:
        """The evidence of the answers, in digits: 0 where not both are given; None where they differ after all."""
        if not self._with_answers or (one.tests is not None and other.tests is not None):
            return MOST_EVIDENCE
        if one.answer is None or other.answer is None:
            return 0
        if not are_equal(one.answer, other.answer):
            return None
        if one.has_choices:
            return CHOICES_EVIDENCE
        return min(_worth(one.answer.text, one), _worth(other.answer.text, other))


def _worth(answer: str, question: Reading) -> float:
    """What an answer says that does not stand in the text, in digits: its own digits, or half of its letters.

    A number that does stand there counts as one digit in a story, where it was worked out, and as nothing in a table.
    """
    if answer in _WEAK_ANSWERS:
        return 0
    if found := {*numbers(answer)}:
        in_story = question.digits >= 4 and len(question.numbers) <= TABLE_NUMBERS
        return min(sum(map(len, found.difference(question.numbers))), MOST_EVIDENCE) or int(in_story)
    words = [word for word in answer.split() if word.isalpha() and word not in question.words]
    return min(sum(map(len, words)) / 2, MOST_WORDS_EVIDENCE) if len(answer) > 2 else 0


def _ask_alike(one: Reading, other: Reading) -> bool:
    """Whether what is asked is the same word for word, but for fillers and misspellings."""
    asked, others = one.asked, other.asked
    return max(difference_of(beyond(asked, others), beyond(others, asked)).contents) == 0


def _ones_agree(one: Reading, other: Reading) -> bool:
    """`1` and `one` may stand for each other, and "one" may come and go: it is a pronoun too."""
    digits, others = one.words.get("1", 0), other.words.get("1", 0)
    return digits == others or digits + one.words.get("one", 0) == others + other.words.get("one", 0)


def _names_others(one: Reading, other: Reading, difference: Difference) -> bool:
    """Whether the texts are of other people, places or quoted words: each has a name that the other lacks.

    Where the other is written without capitals, it is enough that it has other words for the name.
    """
    missing = one.names & difference.one.keys() - other.words.keys()
    lacking = other.names & difference.other.keys() - one.words.keys()
    if missing and lacking:
        return True
    return bool(
        (missing and not other.names and difference.contents[1])
        or (lacking and not one.names and difference.contents[0])
    )


def _names_more(one: Reading, other: Reading, difference: Difference) -> bool:
    """Whether one text has a name that the other lacks."""
    return bool(
        one.names & difference.one.keys() - other.words.keys()
        or other.names & difference.other.keys() - one.words.keys()
    )


def _swaps_numbers(one: Reading, other: Reading) -> bool:
    """Whether numbers have changed their places: they stand beside other words, not only in another order."""
    first, second = one.numbers_in_order, other.numbers_in_order
    if first == second or sorted(first) != sorted(second):
        return False
    places, others = one.placed_numbers, other.placed_numbers
    return 5 * (places & others).total() <= 4 * min(places.total(), others.total())


def _stand_in_one_order(one: Reading, other: Reading, difference: Difference) -> bool:
    """Whether what the texts share stands in one order: else the pieces of a puzzle may lie otherwise.

    Where a text has strong numbers, sentences may have moved, as long as words keep their neighbours.
    """
    left, right = _shared_sequence(one, difference), _shared_sequence(other, difference)
    if left == right or one.digits < STRONG_NUMBERS or len(one.numbers) > TABLE_NUMBERS:
        return left == right
    pairs, others = (Counter(pairwise(words)) for words in (left, right))
    return 5 * (pairs & others).total() >= 4 * max(pairs.total(), others.total())


def _shared_sequence(reading: Reading, difference: Difference) -> list[str]:
    skipped = FILLERS | difference.one.keys() | difference.other.keys()
    spelled = [difference.spellings.get(word, word) for word in reading.sequence]
    return [word for word in spelled if word not in skipped]
