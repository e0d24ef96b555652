"""Multiple-choice science with a quantity to find."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from benchmarks.corpus.draw import Draw, Stream
from benchmarks.corpus.grammar.scenes import scene
from benchmarks.corpus.grammar.vocabulary import JOBS, NAMES, PLACES, TOWNS, VEHICLES, article
from benchmarks.corpus.template import Made, template

__all__ = ["choose", "quantity"]

LETTERS = "ABCDEFGHIJ"


def choose(draw: Draw, stem: str, right: str, wrong: Sequence[str], count: int = 4) -> Made:
    """A question with choices: in the text too for about half, the answer a letter or the text."""
    c, w = draw.choices, draw.words
    others = list(dict.fromkeys(text for text in wrong if text != right))
    choices = c.shuffled([right, *c.sample(others, min(count - 1, len(others)))])
    letter = LETTERS[choices.index(right)]
    answer = letter if w.chance(0.6) or len(right) == 1 else right
    listed = w.chance(0.5)
    form = w.pick(("{}. {}", "{}) {}", "({}) {}", "{}: {}"))
    lines = "".join("\n" + form.format(LETTERS[i], text) for i, text in enumerate(choices))
    return Made(stem + (lines if listed else ""), answer, choices, listed)


def quantity(value: Fraction | float, unit: str) -> str:
    """A number of three significant digits with its unit."""
    size = abs(float(value))
    text = f"{float(value):.0f}" if 1000 <= size < 1_000_000 else f"{float(value):.3g}"
    return f"{text} {unit}".strip()


def _near(draw: Draw, value: float, unit: str) -> list[str]:
    factors = draw.choices.sample((0.1, 0.25, 0.5, 0.75, 0.8, 1.25, 1.5, 2.0, 3.0, 4.0, 10.0), 6)
    return [quantity(value * factor, unit) for factor in factors]


def _numeric(draw: Draw, stem: str, value: float, unit: str) -> Made:
    return choose(draw, stem, quantity(value, unit), _near(draw, value, unit), draw.words.pick((4, 4, 5)))


def _who(w: Stream) -> str:
    return f"{w.pick(NAMES)}, {article(w.pick(JOBS))} in {w.pick(TOWNS)},"


@template("choice", 12)
def force(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    thing, mass, speed, time = w.pick(VEHICLES), n.between(5, 980), n.between(2, 45), n.between(2, 40)
    how, sign = draw.operator.pick((("speeds up from rest to", 1), ("brakes to rest from", -1)))
    said = p.pick(
        (
            f"{article(thing).capitalize()} with a mass of {mass} kg {how} {speed} m/s in {time} s.",
            f"In {time} s, {article(thing)} of mass {mass} kg {how} {speed} m/s.",
        )
    )
    asked, value, unit = draw.asked.pick((
        ("What is the average net force on it, taken positive in its direction of motion?", sign * mass * speed / time, "N"),
        ("What is the size of its change of momentum?", mass * speed, "kg m/s"),
        ("By how much does its kinetic energy change, with its sign?", sign * mass * speed * speed / 2, "J"),
        ("How far does it travel in this time?", speed * time / 2, "m"),
    ))  # fmt: skip
    return _numeric(draw, f"{said} {asked}", value, unit)


@template("choice", 10)
def circuit(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    r1, r2, volts = n.between(2, 99), n.between(2, 99), n.between(3, 240)
    how, total = draw.operator.pick((("series", Fraction(r1 + r2)), ("parallel", Fraction(r1 * r2, r1 + r2))))
    said = p.pick(
        (
            f"Two resistors of {r1} Ω and {r2} Ω are connected in {how} to a {volts} V battery.",
            f"A {volts} V battery feeds resistors of {r1} Ω and {r2} Ω that are connected in {how}.",
        )
    )
    asked, value, unit = draw.asked.pick(
        (
            ("What current does the battery deliver?", volts / total, "A"),
            ("What power does the battery deliver?", volts * volts / total, "W"),
            ("What is the total resistance?", total, "Ω"),
        )
    )
    return _numeric(draw, f"{said} {asked}", float(value), unit)


@template("choice", 10, "both")
def gas(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    name, volume, kelvin, pressure = (
        w.pick(("helium", "nitrogen", "oxygen", "argon", "methane", "neon", "carbon dioxide")),
        n.between(2, 90),
        n.between(250, 600),
        n.between(1, 20),
    )
    more = n.between(20, 400)
    how, after = draw.operator.pick((("heated", kelvin + more), ("cooled", max(kelvin - more, 90))))
    said = p.pick(
        (
            f"A rigid {volume} L tank of {name} at {kelvin} K and {pressure} atm is {how} to {after} K.",
            f"{name.capitalize()} in a rigid tank of {volume} L at {pressure} atm is {how} from {kelvin} K to {after} K.",
        )
    )
    asked, value, unit = draw.asked.pick(
        (
            ("What is the new pressure?", pressure * after / kelvin, "atm"),
            (
                "How many moles does the tank hold? (R = 0.0821 L atm/(mol K))",
                pressure * volume / (0.0821 * kelvin),
                "mol",
            ),
        )
    )
    return _numeric(draw, f"{said} {asked}", value, unit)


@template("choice", 10, "benchmark")
def decay(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    isotope, half, count, mass = (
        w.pick(("iodine-131", "cobalt-60", "strontium-90", "radium-226", "caesium-137", "tritium", "thorium-234")),
        n.between(2, 90),
        n.between(2, 6),
        n.between(2, 60) * 16,
    )
    unit = w.pick(("days", "years", "hours"))
    said = p.pick(
        (
            f"For an exercise, the half-life of {isotope} is taken to be {half} {unit}. A sample holds {mass} mg at first.",
            f"A sample holds {mass} mg of {isotope}, whose half-life is taken to be {half} {unit} for an exercise.",
        )
    )
    left = mass / 2**count
    asked, value = draw.asked.pick(
        (
            (f"How much of it is left after {half * count} {unit}?", left),
            (f"How much of it has decayed after {half * count} {unit}?", mass - left),
        )
    )
    return _numeric(draw, f"{said} {asked}", value, "mg")


@template("choice", 10, "benchmark")
def waves(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    frequency, speed = n.between(12, 980), n.between(90, 1900)
    said = p.pick(
        (
            f"A wave with a frequency of {frequency} Hz travels at {speed} m/s through a rod.",
            f"Through a rod, a wave of {frequency} Hz travels at {speed} m/s.",
        )
    )
    factor = n.between(2, 9)
    how, change = draw.operator.pick((("doubled", 2), ("halved", Fraction(1, 2)), (f"multiplied by {factor}", factor)))
    asked, value, unit = draw.asked.pick(
        (
            ("What is its wavelength?", Fraction(speed, frequency), "m"),
            ("What is its period?", Fraction(1, frequency), "s"),
            (
                f"What is the wavelength if the frequency is {how} at the same speed?",
                Fraction(speed, frequency) / change,
                "m",
            ),
        )
    )
    return _numeric(draw, f"{said} {asked}", float(value), unit)


@template("choice", 10)
def solution(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    who = _who(w)
    (name, molar), grams, volume = (
        w.pick(
            (
                ("sodium chloride", 58.4),
                ("glucose", 180.2),
                ("potassium nitrate", 101.1),
                ("copper sulfate", 159.6),
                ("calcium chloride", 111.0),
                ("urea", 60.1),
            )
        ),
        n.between(2, 400),
        n.between(50, 3000),
    )
    more = n.between(20, 900)
    said = p.pick(
        (
            f"{who} dissolves {grams} g of {name} ({molar} g/mol) in water to make {volume} mL of solution.",
            f"A solution of {volume} mL is made by {who} who dissolves {grams} g of {name} ({molar} g/mol) in water.",
        )
    )
    asked, value, unit = draw.asked.pick(
        (
            ("What is its molarity?", grams / molar / volume * 1000, "mol/L"),
            ("How many moles are dissolved?", grams / molar, "mol"),
            (
                f"What is the molarity after another {more} mL of water is added?",
                grams / molar / (volume + more) * 1000,
                "mol/L",
            ),
        )
    )
    return _numeric(draw, f"{said} {asked}", value, unit)


@template("choice", 8)
def heat(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    who = _who(w)
    (name, capacity), grams, low, rise, watts = (
        w.pick(
            (
                ("water", 4.18),
                ("aluminium", 0.897),
                ("copper", 0.385),
                ("iron", 0.449),
                ("ethanol", 2.44),
                ("lead", 0.129),
            )
        ),
        n.between(20, 2500),
        n.between(5, 40),
        n.between(5, 55),
        n.between(20, 2000),
    )
    said = p.pick(
        (
            f"{who} warms {grams} g of {name} (specific heat {capacity} J/(g K)) from {low} °C to {low + rise} °C with a heater of {watts} W.",
            f"With a heater of {watts} W, {grams} g of {name} (specific heat {capacity} J/(g K)) is warmed by {who} from {low} °C to {low + rise} °C.",
        )
    )
    energy = grams * capacity * rise
    asked, value, unit = draw.asked.pick(
        (
            ("How much heat does this take?", energy / 1000, "kJ"),
            ("How long does this take without losses?", energy / watts, "s"),
        )
    )
    return _numeric(draw, f"{said} {asked}", value, unit)


@template("choice", 10)
def genetics(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    plant, (dominant, recessive) = (
        w.pick(("pea", "bean", "tomato", "maize", "snapdragon", "lupin")),
        w.pick((("tall", "short"), ("purple", "white"), ("round", "wrinkled"), ("hairy", "smooth"), ("early", "late"))),
    )
    count, place = n.between(10, 900) * 4, w.pick(PLACES)
    cross, share = draw.operator.pick(
        (
            ("two heterozygous plants are crossed", Fraction(3, 4)),
            (f"a heterozygous plant is crossed with a {recessive} one", Fraction(1, 2)),
        )
    )
    said = p.pick(
        (
            f"In an imagined {plant}, the allele for {dominant} is dominant over that for {recessive}. At {place}, {cross} and give {count} offspring.",
            f"At {place}, {cross} and give {count} offspring; in this imagined {plant} the allele for {dominant} is dominant over that for {recessive}.",
        )
    )
    asked, value = draw.asked.pick(
        (
            (f"How many of the offspring are expected to be {dominant}?", share * count),
            (f"How many of the offspring are expected to be {recessive}?", (1 - share) * count),
        )
    )
    return _numeric(draw, f"{said} {asked}", float(value), "")


@template("choice", 8)
def populations(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    who = _who(w)
    marked, caught, again = n.between(20, 300), n.between(20, 400), n.between(4, 19)
    animal = w.pick(
        ("trout", "beetles", "voles", "snails", "newts", "butterflies", "crabs", "lizards", "moths", "toads")
    )
    text = p.pick(
        (
            f"{who} marks {marked} {animal} and lets them go. Later, {caught} {animal} are caught, and {again} of them carry a mark.",
            f"Of {caught} {animal} caught by {who} {again} carry a mark; {marked} had been marked and let go before.",
        )
    )
    asked, value = draw.asked.pick(
        (
            ("What is the estimated size of the population?", marked * caught / again),
            ("What share of the second catch was marked, in percent?", 100 * again / caught),
        )
    )
    return _numeric(draw, f"{scene(draw)} {text} {asked}" if w.chance(0.3) else f"{text} {asked}", value, "")


@template("choice", 8, "benchmark")
def lenses(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    focal, far = n.between(5, 90), n.between(95, 600)
    image = far * focal / (far - focal)
    said = p.pick(
        (
            f"An object stands {far} cm in front of a thin converging lens with a focal length of {focal} cm.",
            f"A thin converging lens of focal length {focal} cm is placed {far} cm from an object.",
        )
    )
    asked, value, unit = draw.asked.pick(
        (
            ("At what distance from the lens is the image formed?", image, "cm"),
            ("What is the size of the magnification?", image / far, ""),
            ("What is the power of the lens?", 100 / focal, "dioptres"),
        )
    )
    return _numeric(draw, f"{said} {asked}", value, unit)


@template("choice", 8, "benchmark")
def economics(draw: Draw) -> Made:
    w, n, p = draw.words, draw.numbers, draw.phrasing
    town, good = (
        w.pick(TOWNS),
        w.pick(("umbrellas", "bicycles", "headphones", "coffee", "notebooks", "train tickets", "honey", "tents")),
    )
    a, b, c, d = n.between(200, 900), n.between(2, 12), n.between(10, 90), n.between(2, 12)
    price = Fraction(a - c, b + d)
    said = p.pick(
        (
            f"In the town of {town}, demand for {good} is Q = {a} − {b}P and supply is Q = {c} + {d}P.",
            f"The market for {good} in {town} has supply Q = {c} + {d}P and demand Q = {a} − {b}P.",
        )
    )
    asked, value = draw.asked.pick(
        (
            ("What is the equilibrium price?", price),
            ("What quantity is traded in equilibrium?", a - b * price),
            ("At a price of 1, how large is the excess demand?", Fraction(a - b - c - d)),
        )
    )
    return _numeric(draw, f"{said} {asked}", float(value), "")
