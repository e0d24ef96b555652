"""What a text says again and again: a line or a sentence, or a stretch of any length that goes round.

All of it takes linear time, and mostly that of C: pieces are counted after splitting, and a loop is found at anchors,
places from which the same characters are looked for again a little later on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

__all__ = ["Repeat", "has_letters", "loop", "repeated_piece"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """What repeats, how many times, and which share of the text's characters is said again (0 to 1)."""

    text: str
    times: int
    share: float

    def __str__(self) -> str:
        shown = " ".join(self.text[:200].split())
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        return f"'{shown}' comes {self.times} times ({self.share:.0%} of the text)"


_SHORTEST_PIECE = 20  # characters: shorter ones ("}", "Step 2:", "Wait.") come again in any text
_FEWEST_WIDE = 8  # of them ideographs, which say more


def repeated_piece(text: str, times: int, share: float) -> Repeat | None:
    """The line or sentence that takes most room by coming at least `times` times; None where none does.

    Also None where all lines and sentences that come again make less than `share` of the text. Those without a letter
    (rows of a grid) do not count.
    """
    plain = text.replace("\n", ".").replace("?", ".")
    pieces = (plain if text.isascii() else plain.replace("。", ".")).split(".")
    if not _may_repeat(pieces, share):
        return None
    again, most, best, of_best = 0, 0, "", 0
    for piece, count in Counter(pieces).items():
        if count == 1 or not _says_something(piece.strip()):
            continue
        room = (count - 1) * (len(piece) + 1)
        again += room
        if count >= times and room > most:
            most, best, of_best = room, piece.strip(), count
    return Repeat(best, of_best, again / len(text)) if best and again >= share * len(text) else None


def _says_something(piece: str) -> bool:
    enough = len(piece) >= _SHORTEST_PIECE or (len(piece) >= _FEWEST_WIDE and not piece.isascii())
    return enough and has_letters(piece)


_MANY = 300


def _may_repeat(pieces: list[str], share: float) -> bool:
    """A glance at every third piece where there are many: the search itself is for few texts."""
    looked_at, least = (pieces[::3], share / 4) if len(pieces) > _MANY else (pieces, share / 2)
    size = sum(map(len, looked_at))
    return size - sum(map(len, set(looked_at))) >= least * size


def has_letters(text: str) -> bool:
    """Whether there is a letter among the first thousand characters."""
    return any(map(str.isalpha, text[:1_000]))


_ANCHOR = 32  # characters that are looked for again
# How often, and how far ahead: stretches that go round for so long are always found where one round is no longer.
_LOOKS = ((1_000, 1_200), (6_000, 6_000))


def loop(text: str) -> Repeat | None:
    """The stretch that takes most room in which the same characters go round, without a gap; None where there is none.

    Looked for every 1,000 characters with rounds of up to 1,200, every 6,000 with rounds of up to 6,000, and at the
    end of the text.
    """
    best = _at_the_end(text)
    for step, longest in _LOOKS:
        covered = 0
        for place in range(0, len(text) - _ANCHOR, step):
            again = -1
            if place >= covered:
                again = text.find(text[place : place + _ANCHOR], place + 1, place + longest + _ANCHOR)
            if again >= 0:
                found, covered = _repeat(text, place, again - place)
                best = _larger(best, found)
    return best


def _at_the_end(text: str) -> Repeat | None:
    place = len(text) - _ANCHOR
    before = text.rfind(text[place:], max(0, place - _LOOKS[-1][1]), len(text) - 1) if place > 0 else -1
    return _larger(None, _repeat(text, before, place - before)[0]) if before >= 0 else None


def _repeat(text: str, place: int, period: int) -> tuple[Repeat, int]:
    """The whole stretch of this period around `place`, and where it ends."""
    start, stop = _extent(text, place, period)
    again = (stop - start - period) / len(text)
    return Repeat(text[place : place + period], (stop - start) // period, again), stop


def _larger(best: Repeat | None, found: Repeat) -> Repeat | None:
    return found if found.times > 1 and (best is None or found.share > best.share) else best


def _extent(text: str, place: int, period: int) -> tuple[int, int]:
    """Where the stretch of this period around `place` begins and ends."""
    return place - _common_before(text, place, place + period), place + period + _common(text, place, place + period)


def _common(text: str, one: int, other: int) -> int:
    """How many characters from `one` on are those from `other`, the later, on."""
    size, step, most = 0, 64, len(text) - other
    while size < most:
        take = min(step, most - size)
        if text[one + size : one + size + take] == text[other + size : other + size + take]:
            size, step = size + take, 2 * step
        elif take == 1:
            break
        else:
            step = take // 2
    return size


def _common_before(text: str, one: int, other: int) -> int:
    """How many characters before `one` are those before `other`, the later."""
    size, step = 0, 64
    while size < one:
        take = min(step, one - size)
        if text[one - size - take : one - size] == text[other - size - take : other - size]:
            size, step = size + take, 2 * step
        elif take == 1:
            break
        else:
            step = take // 2
    return size
