"""What words, commands and signs mean in an answer."""

from __future__ import annotations

import re

from reasonry.verifiers.maths.tokens import Token
from reasonry.verifiers.maths.trees import Node, const, func, num, var, words_in
from reasonry.verifiers.maths.units import is_known

__all__ = [
    "BEYOND",
    "FUNCTION_LETTERS",
    "FUNCTION_NAMES",
    "INVERSES",
    "NAMED",
    "NAMED_COMMANDS",
    "NUMBER_WORDS",
    "RELATIONS",
    "STARTS",
    "apply",
    "glued_function",
    "is_name_in_text",
    "is_names",
    "is_unit_letter",
    "letter",
    "starts_condition",
]

RELATIONS = {
    "=": "=", "==": "=", ":=": "=", "\\equiv": "=", "\\coloneqq": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
    "=<": "<=", "=>": "=>", "!=": "!=", "<>": "!=", "\\le": "<=", "\\leq": "<=", "\\leqslant": "<=", "\\leqq": "<=",
    "\\ge": ">=", "\\geq": ">=", "\\geqslant": ">=", "\\geqq": ">=", "\\lt": "<", "\\gt": ">", "\\ne": "!=",
    "\\neq": "!=", "\\in": "in", "\\notin": "notin", "\\approx": "~", "\\simeq": "~", "\\not": "not",
    "\\Rightarrow": "=>", "\\implies": "=>", "\\to": "->", "\\rightarrow": "->", "\\mapsto": "->", "\\iff": "<=>",
    "\\Leftrightarrow": "<=>", "\\sim": "~", "\\propto": "propto", "\\subset": "subset", "\\subseteq": "subset",
    "\\parallel": "parallel", "\\perp": "perp", "\\cong": "cong", "\\mid": "mid",
}  # fmt: skip

_TRIGONOMETRIC = "sin cos tan cot sec csc"
FUNCTION_NAMES = frozenset(
    f"""{_TRIGONOMETRIC} arcsin arccos arctan arccot arcsec arccsc asin acos atan tg ctg cosec arctg sinh cosh tanh coth
    sech csch arcsinh arccosh arctanh asinh acosh atanh ln log lg exp abs gcd lcm max min sgn sign floor ceil det deg
    Re Im""".split()
)
_SAME_FUNCTION = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "arctg": "arctan", "tg": "tan", "ctg": "cot", "cosec": "csc",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "log": "ln", "sign": "sgn",
}  # fmt: skip
INVERSES = {name: f"arc{name}" for name in _TRIGONOMETRIC.split()}
FUNCTION_LETTERS = frozenset("fghFGHWT")

_GREEK = words_in(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma tau
    phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell hbar
    """
)
_SAME_GREEK = {"varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho", "varphi": "phi"}
_PI, _INFINITY = const("pi"), const("inf")
_EMPTY = Node("set", ())
NAMED = {
    "pi": _PI, "infinity": _INFINITY, "infty": _INFINITY, "inf": _INFINITY, "oo": _INFINITY, "Infinity": _INFINITY,
    "Pi": _PI, "PI": _PI,
} | {name: var(_SAME_GREEK.get(name, name)) for name in _GREEK}  # fmt: skip
NAMED_COMMANDS = {
    "pi": _PI, "infty": _INFINITY, "emptyset": _EMPTY, "varnothing": _EMPTY, "imath": const("i"), "mathrm": var("m"),
    "ldots": var("..."), "cdots": var("..."), "dots": var("..."), "dotsc": var("..."), "vdots": var("..."),
    "R": Node("reals", (), "R"), "Z": Node("reals", (), "Z"), "degree": num(1), "prime": var("'"),
} | {name: var(_SAME_GREEK.get(name, name)) for name in _GREEK}  # fmt: skip
BEYOND = frozenset(
    words_in(
        """
    iint oint lim limsup liminf sup inf partial nabla bmod pmod pod mod cases wedge
    """
    )
)
_OPENING = words_in(
    """
    sum prod int frac dfrac tfrac cfrac sqrt binom dbinom tbinom lfloor lceil boxed fbox overline vec hat bar lvert
    begin
    """
)
STARTS = frozenset(f"\\{name}" for name in (*_OPENING, *NAMED_COMMANDS, *FUNCTION_NAMES))

NUMBER_WORDS = {
    name: value
    for value, name in enumerate(
        words_in(
            """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
    """
        )
    )
}

_SHORT_WORDS = frozenset(
    words_in(
        """
    a an as at be by do go he if in is it my no of on or so to up us we and are US but for has had her him his how
    its may not now off one our out own per she the too two use via was way who why yes you all any can day did few get
    got let man men new old put say see set six ten yet yr pm am st nd rd th cm mm km kg mg ml lb oz ft yd mi hr hrs mph
    kph sec pct mod odd even none red true false
    """
    )
)


def glued_function(name: str) -> str | None:
    """The function that a command begins with whose argument was written without a space: `\\cotx`."""
    for length in (4, 3, 2):
        if len(name) == length + 1 and name[:length] in FUNCTION_NAMES:
            return name[:length]
    return None


def is_names(word: str) -> bool:
    """Whether a run of letters is a product of names, or one name, and no word."""
    if not word.isascii():
        return len(word) == 1 and word.isalpha()
    if word in NAMED or word in FUNCTION_NAMES or word in ("sqrt", "cbrt", "binom"):
        return True
    if word in _SHORT_WORDS or (word.lower() in _SHORT_WORDS and len(word) > 2):
        return len(word) == 1
    if len(word) > 1 and is_known(word):
        return False
    return len(word) <= 3 or (word.isupper() and len(word) <= 6)


def is_name_in_text(token: Token) -> bool:
    """Whether `\\mathrm{E}`, `\\text{ABC}`, `\\mathbb{R}` stands for a thing in a formula."""
    name = token.text.strip(" ~()")
    if token.name in ("mathbb", "mathcal", "mathbf", "boldsymbol", "bm"):
        return len(name) == 1
    if name in FUNCTION_NAMES:
        return True
    if token.name in ("text", "mbox", "hbox", "textnormal") and len(name) == 1:
        return token.text.isalpha()
    return len(name) == 1 or (name.isupper() and 1 < len(name) <= 3)


_UNIT_LETTERS = frozenset("mgshLNJWVAK")


def is_unit_letter(token: Token) -> bool:
    """`\\mathrm{m}`, `\\text{ s}` behind a numeral: a unit, and no name."""
    return token.name in ("mathrm", "text", "mbox", "textrm") and token.text.strip() in _UNIT_LETTERS


def letter(name: str) -> Node:
    """A one-letter name; `e` and `i` are the constants."""
    return const(name) if name in ("e", "i") else var(name)


def apply(name: str, argument: Node, base: Node | None) -> Node:
    """A function by its usual name: `\\log_2 x`, `\\lg x`, `exp(x)`."""
    name = _SAME_FUNCTION.get(name, name)
    if name in ("max", "min", "gcd", "lcm"):
        return func(name, *(argument.args if argument.op == "tuple" else (argument,)))
    if name == "ln" and base is not None:
        return Node("div", (func("ln", argument), func("ln", base)))
    if name == "lg":
        return Node("div", (func("ln", argument), func("ln", num(10))))
    if name == "exp":
        return Node("pow", (const("e"), argument))
    if argument.op == "tuple":
        return Node("call", argument.args, name)
    return func(name, argument)


_CONDITION = re.compile(
    r"^\W*(?:for (?:all|any|every|each|some|positive|integers?|n\b|k\b)|for$|where|when|with|such that|if|provided"
    r"|in which|as\b|given|mod)\b",
    re.IGNORECASE,
)


def starts_condition(token: Token) -> bool:
    """Whether what follows is said about the answer: `\\text{for all } x`, `where k is an integer`."""
    if token.kind == "text":
        return bool(_CONDITION.match(token.text.strip()))
    if token.kind == "cmd":
        return token.text == "\\forall"
    return token.kind == "word" and token.text in ("for", "where", "when")
