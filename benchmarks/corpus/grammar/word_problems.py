"""Word problems: stories told in events, and the school's classical kinds."""

from __future__ import annotations

from fractions import Fraction

from benchmarks.corpus.draw import Draw, Stream
from benchmarks.corpus.grammar.scenes import scene
from benchmarks.corpus.grammar.vocabulary import (
    ANIMALS,
    COLOURS,
    CONTAINERS,
    CRAFTS,
    DAYS,
    FOODS,
    GROUPS,
    JOBS,
    LIQUIDS,
    NAMES,
    PLACES,
    SHOPS,
    THINGS,
    TOWNS,
    VEHICLES,
    article,
)
from benchmarks.corpus.template import Made, show, template

__all__: list[str] = []


def _story(draw: Draw, text: str) -> str:
    """A scene before one story in four; some of them long."""
    return f"{scene(draw)} {text}" if draw.words.chance(0.25) else text


def _gain(p: Stream, who: str, count: int, noun: str, shop: str) -> str:
    return p.pick((f"Then {who} buys {count} more {noun} at the {shop}.",
                   f"At the {shop}, {who} picks up another {count} {noun}.",
                   f"Later {count} more {noun} are bought at the {shop}."))  # fmt: skip


def _loss(p: Stream, who: str, count: int, noun: str, friend: str) -> str:
    return p.pick((f"After that, {who} gives {count} {noun} to {friend}.",
                   f"{friend} is then given {count} of the {noun}.",
                   f"Next {who} hands {count} {noun} over to {friend}."))  # fmt: skip


def _multiply(p: Stream, who: str, factor: int, noun: str, place: str) -> str:
    return p.pick((f"By the end of the week at {place}, the number of {noun} is {factor} times as large.",
                   f"A week later {who} counts again at {place} and finds {factor} times as many {noun}.",
                   f"One week at {place} multiplies the number of {noun} by {factor}."))  # fmt: skip


def _share(p: Stream, who: str, noun: str, percent: int, day: str) -> str:
    return p.pick((f"On {day}, {percent}% of the {noun} turn out to be damaged and are thrown away.",
                   f"{who} has to throw away {percent}% of the {noun} on {day} because they are damaged.",
                   f"Damage forces {who} to discard {percent}% of the {noun} on {day}."))  # fmt: skip


@template("maths_words", 60)
def inventory(draw: Draw) -> Made:
    w, p, n = draw.words, draw.phrasing, draw.numbers
    (who, friend), (_, noun) = w.sample(NAMES, 2), w.pick(THINGS + FOODS)
    place, shop, day = w.pick(PLACES), w.pick(SHOPS), w.pick(DAYS)
    have = Fraction(n.between(12, 480))
    said = [p.pick((f"{who} keeps {have} {noun} at {place}.", f"There are {have} {noun} in {who}'s care at {place}.",
                    f"At {place}, {who} looks after {have} {noun}."))]  # fmt: skip
    for kind in w.sample(("gain", "gain", "loss", "multiply", "share"), w.between(2, 4)):
        if kind == "gain":
            more = n.between(3, 240)
            have, _ = have + more, said.append(_gain(p, who, more, noun, shop))
        elif kind == "multiply":
            factor = n.between(2, 7)
            have, _ = have * factor, said.append(_multiply(p, who, factor, noun, place))
        elif kind == "share":
            percent = n.between(1, 9) * 10
            have, _ = have * (100 - percent) / 100, said.append(_share(p, who, noun, percent, day))
        else:
            less = n.between(1, 11)
            have, _ = have - less, said.append(_loss(p, who, less, noun, friend))
    asked, value = _asked_of(draw, who, noun, have)
    return Made(_story(draw, " ".join([*said, asked])), show(value))


def _asked_of(draw: Draw, who: str, noun: str, have: Fraction) -> tuple[str, Fraction]:
    p, each = draw.phrasing, draw.numbers.between(2, 12)
    return draw.asked.pick((
        (p.pick((f"How many {noun} does {who} have now?", f"How many {noun} does {who} end up with?")), have),
        (p.pick((f"If every one of the {noun} is then sold for {each} dollars, how many dollars does {who} earn?",
                 f"How many dollars does {who} earn by then selling all the {noun} at {each} dollars apiece?")),
         have * each),
        (p.pick((f"If {each} helpers share the {noun} equally, how many does each of them get?",
                 f"How many {noun} does each of {each} helpers get if they are shared out equally?")), have / each),
    ))  # fmt: skip


@template("maths_words", 30)
def shopping(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    who, shop = w.pick(NAMES), w.pick(SHOPS)
    items = [
        (pair, n.between(2, 15), Fraction(n.between(5, 160) * 5, 100)) for pair in w.sample(THINGS, w.between(2, 4))
    ]
    total = sum((count * price for _, count, price in items), Fraction(0))
    said = ", ".join(f"{count} {pair[1]} at ${float(price):.2f} each" for pair, count, price in items)
    percent = n.between(1, 8) * 5
    extra, factor = o.pick(
        (
            (f"gets a discount of {percent}% on the whole purchase", -1),
            (f"pays a tax of {percent}% on the whole purchase", 1),
        )
    )
    first = p.pick(
        (
            f"{who} goes to the {shop} and buys {said}.",
            f"At the {shop}, {who} buys {said}.",
            f"The following were bought by {who} at the {shop}: {said}.",
        )
    )
    paid = total * (100 + factor * percent) / 100
    bill = (int(paid) // 20 + 1) * 20
    asked, value = draw.asked.pick((
        (p.pick((f"How many dollars does {who} pay in all?", f"What is the total amount, in dollars, that {who} pays?")), paid),
        (p.pick((f"How much change, in dollars, does {who} get from ${bill}?", f"If {who} pays with ${bill}, how many dollars come back as change?")), bill - paid),
    ))  # fmt: skip
    return Made(_story(draw, f"{first} {who} {extra}. {asked}"), show(value))


@template("maths_words", 25)
def comparison(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    one, two, three = w.sample(NAMES, 3)
    (_, noun), difference, factor = w.pick(THINGS + FOODS + ANIMALS), n.between(3, 60), n.between(2, 8)
    first = n.between(62, 400)
    if draw.entity.chance(0.5):
        one, two = two, one
    word, second = o.pick((("more", first + difference), ("fewer", first - difference)))
    said = p.pick((f"{two} has {difference} {word} {noun} than {one}, and {three} has {factor} times as many {noun} as {two}. {one} has {first} {noun}.",
                   f"{one} owns {first} {noun}. {two} owns {difference} {word} than {one}, while {three} owns {factor} times as many as {two}."))  # fmt: skip
    names = sorted((one, two))
    asked, value = draw.asked.pick((
        (f"How many {noun} do the three of them have together?", Fraction(first + second + factor * second)),
        (f"How many {noun} does {names[0]} have?", Fraction(first if names[0] == one else second)),
        (f"How many more {noun} does {three} have than {names[1]}?", Fraction(factor * second - (first if names[1] == one else second))),
    ))  # fmt: skip
    return Made(_story(draw, f"{said} {asked}"), show(value))


@template("maths_words", 25)
def journey(draw: Draw) -> Made:
    w, p, n = draw.words, draw.phrasing, draw.numbers
    (start, goal), vehicle = w.sample(TOWNS, 2), w.pick(VEHICLES)
    legs = [(n.between(8, 95), Fraction(n.between(1, 18), 4)) for _ in range(w.between(2, 3))]
    rest = n.between(5, 90)
    said = [
        p.pick(
            (
                f"{article(vehicle).capitalize()} travels from {start} to {goal}.",
                f"From {start} to {goal}, {article(vehicle)} makes a journey.",
            )
        )
    ]
    for i, (speed, hours) in enumerate(legs):
        opening = ("For the first part", "For the next part", "For the last part")[i if i < len(legs) - 1 else 2]
        said.append(
            p.pick(
                (
                    f"{opening} it moves at {speed} km/h for {show(hours)} hours.",
                    f"{opening} its speed is {speed} km/h, kept up for {show(hours)} hours.",
                )
            )
        )
    said.insert(2, p.pick((f"It then rests for {rest} minutes.", f"A rest of {rest} minutes follows.")))
    distance, time = sum(s * h for s, h in legs), sum(h for _, h in legs) + Fraction(rest, 60)
    asked, value = draw.asked.pick((
        (p.pick((f"How many kilometres is {goal} from {start} on this route?", "What is the length of the whole route in kilometres?")), distance),
        (p.pick(("What is the average speed of the whole journey, with the rest, in km/h? Give a fraction if it is not whole.", "Counting the rest, find the average speed over the whole journey in km/h as an exact value.")), distance / time),
        ("How many minutes does the whole journey take, with the rest?", time * 60),
    ))  # fmt: skip
    return Made(_story(draw, " ".join([*said, asked])), show(Fraction(value)))


@template("maths_words", 20, "benchmark")
def work_together(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    (one, two), craft, job = w.sample(NAMES, 2), w.pick(CRAFTS), w.pick(JOBS)
    a, b = n.between(3, 40), n.between(41, 90)
    alone = p.pick((f"{one}, {article(job)}, can {craft} alone in {a} hours; {two} needs {b} hours for the same work.",
                    f"To {craft} takes {one}, {article(job)}, {a} hours. The same work takes {two} {b} hours."))  # fmt: skip
    how, rate = o.pick(
        (
            ("work together from the start", Fraction(1, a) + Fraction(1, b)),
            (
                "take turns of one hour each in the long run, so that each works half of the time",
                (Fraction(1, a) + Fraction(1, b)) / 2,
            ),
        )
    )
    asked, value = draw.asked.pick((
        ("How many hours does the work take? Give an exact value.", 1 / rate),
        ("What fraction of the work is done per hour on average?", rate),
    ))  # fmt: skip
    return Made(_story(draw, f"{alone} They {how}. {asked}"), show(value))


@template("maths_words", 20)
def mixture(draw: Draw) -> Made:
    w, p, n = draw.words, draw.phrasing, draw.numbers
    who, liquid, job = w.pick(NAMES), w.pick(LIQUIDS), w.pick(JOBS)
    (v1, v2), (c1, c2) = (n.between(2, 60), n.between(2, 60)), (n.between(4, 45), n.between(46, 95))
    said = p.pick((f"{who}, {article(job)}, mixes {v1} litres of a {c1}% {liquid} with {v2} litres of a {c2}% {liquid}.",
                   f"{v1} litres of a {c1}% {liquid} and {v2} litres of a {c2}% {liquid} are poured together by {who}, {article(job)}."))  # fmt: skip
    pure = Fraction(v1 * c1 + v2 * c2, 100)
    asked, value = draw.asked.pick((
        ("What is the concentration of the mixture in percent, as an exact value?", pure * 100 / (v1 + v2)),
        ("How many litres of the pure substance does the mixture hold?", pure),
        ("How many litres of water must be added to halve the concentration of the mixture?", Fraction(v1 + v2)),
    ))  # fmt: skip
    return Made(_story(draw, f"{said} {asked}"), show(value))


@template("maths_words", 15)
def ages(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    one, two = w.sample(NAMES, 2)
    young, factor, years = n.between(8, 40), n.between(2, 6), n.between(2, 7)
    when, sign = o.pick(((f"In {years} years", 1), (f"{years} years ago", -1)))
    if draw.entity.chance(0.5):
        one, two = two, one
    old = (young + sign * years) * factor - sign * years
    verb = "will be" if sign > 0 else "was"
    said = p.pick((f"{one} is {young} years old. {when}, {two} {verb} {factor} times as old as {one}.",
                   f"{when}, {two} {verb} {factor} times the age of {one}, who is now {young}."))  # fmt: skip
    names = sorted((one, two))
    asked, value = draw.asked.pick((
        (p.pick((f"How old is {names[0]} now?", f"Find the present age of {names[0]}.")), young if names[0] == one else old),
        (p.pick(("What is the sum of their ages now?", "Find the sum of their present ages.")), young + old),
        (p.pick(("What is the difference of their ages?", "By how many years do their ages differ?")), old - young),
    ))  # fmt: skip
    return Made(f"{said} {asked}", str(value))


@template("maths_words", 25)
def packing(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    (_, noun), (_, boxes), place, colour = w.pick(THINGS + FOODS), w.pick(CONTAINERS), w.pick(PLACES), w.pick(COLOURS)
    each, total = n.between(6, 48), n.between(120, 4000)
    said = p.pick((f"At {place}, {total} {noun} are packed into {colour} {boxes} that hold {each} {noun} each.",
                   f"{colour.capitalize()} {boxes} hold {each} {noun} each, and {total} {noun} have to be packed into them at {place}."))  # fmt: skip
    full, over = divmod(total, each)
    asked, value = draw.asked.pick((
        (p.pick((f"How many {boxes} are needed so that all {noun} are packed?", f"What is the least number of {boxes} needed to pack all of the {noun}?")), full + bool(over)),
        (p.pick((f"How many {noun} are left over once as many {boxes} as possible are full?", f"After filling as many {boxes} as possible, how many {noun} remain?")), over),
        (o.pick(((f"How many {boxes} can be filled completely?"), (f"How many more {noun} would fill one more of the {boxes} completely?"))), full),
    ))  # fmt: skip
    if asked.startswith("How many more"):
        value = each - over
    return Made(_story(draw, f"{said} {asked}"), str(value))


@template("maths_words", 20)
def savings(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    who, (thing, _), shop, job = w.pick(NAMES), w.pick(THINGS), w.pick(SHOPS), w.pick(JOBS)
    weekly, spent, weeks, start = n.between(20, 95), n.between(3, 19), n.between(4, 52), n.between(10, 600)
    said = p.pick((f"{who}, a trained {job}, has {start} dollars in a money box. Each week {who} puts in {weekly} dollars and takes out {spent} dollars.",
                   f"Every week {weekly} dollars go into {who}'s money box and {spent} dollars are taken out. {who}, a trained {job}, began with {start} dollars in it."))  # fmt: skip
    total = start + weeks * (weekly - spent)
    asked, value = draw.asked.pick((
        (p.pick((f"How many dollars are in the money box after {weeks} weeks?", f"What sum in dollars does the money box hold after {weeks} weeks?")), Fraction(total)),
        (f"After {weeks} weeks, all of it buys {article(thing)} at the {shop} whose price is {o.pick(('half', 'a quarter'))} of what the box holds. What is the price in dollars?", Fraction(total, 1)),
    ))  # fmt: skip
    if "half" in asked or "quarter" in asked:
        value = value / (2 if "half" in asked else 4)
    return Made(_story(draw, f"{said} {asked}"), show(value))


@template("maths_words", 20, "benchmark")
def farm_legs(draw: Draw) -> Made:
    w, p, n = draw.words, draw.phrasing, draw.numbers
    who, place = w.pick(NAMES), w.pick(TOWNS)
    two = w.pick(("hens", "ducks", "geese", "turkeys", "pigeons", "herons"))
    four = w.pick(("goats", "sheep", "rabbits", "llamas", "donkeys", "ponies", "cows", "alpacas"))
    a, b = n.between(5, 140), n.between(5, 140)
    said = p.pick((f"On {who}'s farm near {place} there are only {two} and {four}. Together they have {a + b} heads and {2 * a + 4 * b} legs.",
                   f"Only {two} and {four} live on {who}'s farm near {place}; {who} counts {a + b} heads and {2 * a + 4 * b} legs."))  # fmt: skip
    asked, value = draw.asked.pick(((f"How many {two} are there?", a), (f"How many {four} are there?", b),
                                    (f"How many more {two} than {four} are there? (A negative number means fewer.)", a - b)))  # fmt: skip
    return Made(f"{said} {asked}", str(value))


@template("maths_words", 20, "both")
def membership(draw: Draw) -> Made:
    w, p, n = draw.words, draw.phrasing, draw.numbers
    group, town, (one, two) = (
        w.pick(GROUPS),
        w.pick(TOWNS),
        w.sample(
            (
                "sing",
                "paint",
                "cook",
                "juggle",
                "swim",
                "play chess",
                "play the flute",
                "speak Greek",
                "ride",
                "sail",
                "knit",
                "draw",
            ),
            2,
        ),
    )
    total, both = n.between(60, 400), n.between(3, 20)
    a, b = both + n.between(1, total // 3), both + n.between(1, total // 3)
    said = p.pick((f"The {group} of {town} has {total} members. Of these, {a} can {one}, {b} can {two}, and {both} can do both.",
                   f"Of the {total} members of {town}'s {group}, {a} can {one} and {b} can {two}; {both} of them can do both."))  # fmt: skip
    asked, value = draw.asked.pick((
        (f"How many members can neither {one} nor {two}?", total - a - b + both),
        (f"How many members can {one} but not {two}?", a - both),
        (f"How many members can {one} or {two} but not both?", a + b - 2 * both),
        (f"How many members can {one} or {two}?", a + b - both),
    ))  # fmt: skip
    return Made(_story(draw, f"{said} {asked}"), str(value))


@template("maths_words", 20, "benchmark")
def wages(draw: Draw) -> Made:
    w, p, n, o = draw.words, draw.phrasing, draw.numbers, draw.operator
    who, job, town, day = w.pick(NAMES), w.pick(JOBS), w.pick(TOWNS), w.pick(DAYS)
    rate, hours, over = n.between(12, 60), n.between(20, 40), n.between(1, 14)
    times, word = o.pick(((Fraction(3, 2), "one and a half times"), (Fraction(2), "twice")))
    said = p.pick((f"{who} works as {article(job)} in {town} for {rate} dollars an hour. Hours beyond {hours} in a week are paid {word} the usual rate. In the week that began on {day}, {who} worked {hours + over} hours.",
                   f"As {article(job)} in {town}, {who} earns {rate} dollars an hour, and {word} that for each hour beyond {hours} in a week. In the week that began on {day}, {hours + over} hours were worked."))  # fmt: skip
    extra = over * rate * times
    asked, value = draw.asked.pick((
        (p.pick((f"How many dollars did {who} earn in that week?", f"What were {who}'s earnings in dollars in that week?")), hours * rate + extra),
        ("How many dollars of that week's pay were for the extra hours alone?", extra),
    ))  # fmt: skip
    return Made(_story(draw, f"{said} {asked}"), show(Fraction(value)))
