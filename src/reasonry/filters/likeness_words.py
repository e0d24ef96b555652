"""Words that decide whether two wordings ask the same: those that say little, and those that turn a question round.

English, as most questions of the field are. A text in another language has no fillers, so more of it must agree.
"""

from __future__ import annotations

__all__ = ["FILLERS", "NEGATIONS", "POLES"]

_GRAMMAR = """
a an the this that these those it its itself they them their theirs he she him her his hers we us our you your i me my
is are was were be been being am do does did done has have had having will would can could shall should may might must
of in on at to for from by with into onto up out as than then there here if but when while where which what who whom
whose how many much one ones every each any so such also only just very too now still that if and or
s t re ve ll d m don doesn didn isn aren wasn weren
"""
_ASKING = """
find determine compute calculate evaluate solve work out give tell state answer write express question problem
following given let suppose assume consider please value values number numbers equal equals respectively get know known
"""
_INSTRUCTING = """
step steps reason reasoning explain explanation justify briefly carefully think show final boxed put within response
return solution
"""
FILLERS = frozenset((_GRAMMAR + _ASKING + _INSTRUCTING).split())
"""Words that come, go and stand for each other without changing what is asked."""

_DENYING = """
not no never neither nor none nobody nothing cannot without except unless
don doesn didn isn aren wasn weren won wouldn couldn shouldn hasn haven
"""
NEGATIONS = frozenset(_DENYING.split())

_FAMILIES = """
maximum max maximal largest greatest biggest highest most longest tallest
  / minimum min minimal smallest least lowest fewest shortest
more greater larger higher longer taller older faster heavier above
  / less fewer smaller lower shorter younger slower lighter below
sum / difference / product / quotient / remainder / ratio
add adds added adding / subtract subtracts subtracted subtracting / multiply multiplies multiplied multiplying
  / divide divides divided dividing
mean average / median / mode / range / variance
area / perimeter circumference / volume
radius / diameter
triangle triangles / square squares / rectangle rectangles / pentagon / hexagon / octagon / circle circles
cone cones / cylinder cylinders / sphere spheres / cube cubes / pyramid pyramids / prism prisms
half halved / quarter quartered / double doubled / triple tripled
ago / will
numerator / denominator
base / height
sin sine / cos cosine / tan tangent / cot cotangent / sec secant / csc cosecant
odd / even
positive / negative
prime / composite
rational / irrational
increasing ascending / decreasing descending
increase increases increased / decrease decreases decreased
first / last
before / after
earlier / later
left / right
inside / outside
north / south / east / west
top / bottom
horizontal / vertical
parallel / perpendicular
row rows / column columns
clockwise / counterclockwise anticlockwise
true / false
correct / incorrect wrong
always / never / sometimes
all / none
both / neither
and / or
with / without
union / intersection
include includes included including / exclude excludes excluded excluding
possible / impossible
likely / unlikely
agree agrees / disagree disagrees
strengthen strengthens / weaken weakens
buy buys bought / sell sells sold
win wins won / lose loses lost
profit / loss
cheaper cheapest / dearer dearest
boy boys / girl girls
man men / woman women
male males / female females
mother / father
brother brothers / sister sisters
second seconds / minute minutes / hour hours / day days / week weeks / month months / year years
millimeter millimeters millimetre millimetres mm / centimeter centimeters centimetre centimetres cm
  / meter meters metre metres / kilometer kilometers kilometre kilometres km
  / inch inches / foot feet / yard yards / mile miles
gram grams / kilogram kilograms kg / pound pounds / ounce ounces
dollar dollars / cent cents
+ / -
< / <= / > / >=
"""


_POLES_OF = [line.split(" / ") for line in _FAMILIES.replace("\n  /", " /").strip().splitlines()]

POLES = {
    word: (family, pole)
    for family, poles in enumerate(_POLES_OF)
    for pole, words in enumerate(poles)
    for word in words.split()
}
"""For each word that turns a question round: the family of opposites, and the place in it. Words of one place agree."""
