"""Puzzles whose answer is compared as text."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.vocabulary import (
    ANIMALS,
    COLOURS,
    DAYS,
    FOODS,
    JOBS,
    NAMES,
    PLACES,
    THINGS,
    TOWNS,
    list_of,
)
from benchmarks.corpus.template import Made, template

__all__: list[str] = []


@template("puzzle", 20, "benchmark")
def knights(draw: Draw) -> Made:
    w, p, o, e = draw.words, draw.phrasing, draw.operator, draw.entity
    people = w.sample(NAMES, e.between(2, 3))
    liars = [o.chance(0.5) for _ in people]
    said: list[str] = []
    for i, who in enumerate(people):
        about = e.below(len(people))
        about = (about + 1) % len(people) if about == i else about
        truth = "a liar" if liars[about] else "honest"
        lie = "honest" if liars[about] else "a liar"
        said.append(
            f'{who} {p.pick(("says", "remarks", "claims"))}: "{people[about]} is {lie if liars[i] else truth}."'
        )
    place = w.pick(TOWNS)
    day = e.pick(DAYS)
    target = e.pick(people)
    extra = f"On {day}s only, a sign in {place} tells the truth; today it is {day} and the sign says that {target} is {'a liar' if liars[people.index(target)] else 'honest'}."
    asked, answer = draw.asked.pick(
        (
            (
                'Who are the liars? Give their names in alphabetical order, or "nobody".',
                ", ".join(sorted(who for who, lies in zip(people, liars, strict=True) if lies)) or "nobody",
            ),
            ("How many of them are liars?", str(sum(liars))),
        )
    )
    return Made(
        f"In {place}, everybody either always tells the truth or always lies. {' '.join(said)} {extra} {asked}", answer
    )


@template("puzzle", 20)
def ordering(draw: Draw) -> Made:
    w, p, o = draw.words, draw.phrasing, draw.operator
    size = w.pick((5, 6))
    people, (word, other), order = (
        w.sample(NAMES, size),
        w.pick((("older", "younger"), ("taller", "shorter"), ("faster", "slower"))),
        draw.entity.shuffled(range(size)),
    )
    names = [people[i] for i in order]
    clues = [p.pick((f"{a} is {word} than {b}.", f"{b} is {other} than {a}.")) for a, b in pairwise(names)]
    which, at = o.pick((("first", 0), ("second", 1), ("last", size - 1), ("third", 2)))
    clues = p.shuffled(clues)
    return Made(
        f"{list_of(people)} stand in a queue at {w.pick(PLACES)}. {' '.join(clues)} If they are put in order with the {word} ones before the {other} ones, who comes {which}?",
        names[at],
    )


@template("puzzle", 15)
def next_number(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    first, step, factor = n.between(1, 90), n.between(2, 30), n.between(2, 5)
    kind = o.pick(("add", "grow", "alternate"))
    row = [first]
    for i in range(6):
        row.append(
            row[-1] + step
            if kind == "add"
            else row[-1] + step * (i + 1)
            if kind == "grow"
            else row[-1] + step
            if i % 2
            else row[-1] * factor
        )
    shown = ", ".join(map(str, row[:-1]))
    return Made(
        p.pick(
            (
                f"Which number comes next in the sequence {shown}, ...?",
                f"Find the next term: {shown}, ?",
                f"A sequence begins {shown}. What is the number after these?",
            )
        ),
        str(row[-1]),
    )


@template("puzzle", 15, "benchmark")
def weekday(draw: Draw) -> Made:
    n, p, o, w = draw.numbers, draw.phrasing, draw.operator, draw.words
    day, days, who, job = n.below(7), n.between(8, 4000), w.pick(NAMES), w.pick(JOBS)
    how, sign = o.pick((("after", 1), ("before", -1)))
    return Made(
        p.pick(
            (
                f"Today is {DAYS[day]}. Which day of the week is it {days} days {how} today, asks {who} the {job}?",
                f"{who} the {job} asks which day of the week it is {days} days {how} today. Today is {DAYS[day]}.",
            )
        ),
        DAYS[(day + sign * days) % 7],
    )


@template("puzzle", 15)
def shift_cipher(draw: Draw) -> Made:
    n, p, o, e = draw.numbers, draw.phrasing, draw.operator, draw.entity
    (word, _), other, shift = e.pick(THINGS + FOODS + ANIMALS), e.pick(COLOURS), n.between(1, 25)
    how, sign = o.pick((("later", 1), ("earlier", -1)))
    text = f"{other} {word}"
    moved = "".join(chr((ord(c) - 97 + sign * shift) % 26 + 97) if c.isascii() and c.isalpha() else c for c in text)
    return Made(
        p.pick(
            (
                f'Each letter of a secret was replaced by the one {shift} places {how} in the alphabet, which gave "{moved}". What was the secret?',
                f'Decode "{moved}", in which each letter stands {shift} places {how} in the alphabet than in the original.',
            )
        ),
        text,
    )


@template("puzzle", 12)
def anagram(draw: Draw) -> Made:
    e, p, w = draw.entity, draw.phrasing, draw.words
    first, second = (e.pick(THINGS + FOODS + ANIMALS)[0] for _ in range(2))
    mixed = " ".join("".join(w.shuffled(word)) for word in (first, second))
    return Made(
        p.pick(
            (
                f'Unscramble both words of "{mixed}". Each is the name of a thing, a food or an animal.',
                f'The letters of two words, each the name of a thing, a food or an animal, have been mixed: "{mixed}". Which words are they?',
            )
        )
        + w.pick(("", " Write them in the same order.")),
        f"{first} {second}",
    )
