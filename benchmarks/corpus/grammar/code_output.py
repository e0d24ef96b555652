"""Programs whose output is asked: the answer is compared as text."""

from __future__ import annotations

import contextlib
import io

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.lists import words
from benchmarks.corpus.template import Made, template

__all__: list[str] = []

_WORDS = words(
    "crimson lantern harbour pebble willow ember signal velvet orbit meadow copper thistle granite ribbon falcon cedar"
)
_ASK = (
    "What does the following Python program print?",
    "Give the exact output of this Python program.",
    "Predict the output of the program below (Python 3).",
    "What is printed when this code runs in Python 3?",
)

_ASK_OTHERWISE = (
    "Run the program in your head: which text does it write?",
    "Trace the code by hand and state its output.",
    "Which output belongs to this short program?",
)


def _printed(program: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, "corpus", "exec"), {"__name__": "__main__"})
    return out.getvalue().strip()


def _asked(draw: Draw, program: str, forms: tuple[str, ...] = _ASK) -> Made:
    return Made(f"{draw.phrasing.pick(forms)}\n\n```python\n{program}\n```", _printed(program))


@template("code_output", 20)
def loop(draw: Draw) -> Made:
    n, o, w = draw.numbers, draw.operator, draw.words
    total, i = w.sample(("total", "result", "acc", "value", "s", "count"), 1)[0], w.pick(("i", "k", "j", "n"))
    op, test = o.pick(("+", "-", "*", "^")), o.pick(("==", "!=", ">", "<"))
    start, stop, mod, rest, factor = (
        n.between(0, 40),
        n.between(5, 25),
        n.between(2, 9),
        n.between(0, 3),
        n.between(2, 30),
    )
    return _asked(
        draw,
        f"{total} = {start}\nfor {i} in range({stop}):\n    if {i} % {mod} {test} {rest}:\n        {total} = ({total} {op} {factor} * {i}) % 10007\nprint({total})",
    )


@template("code_output", 20)
def listing(draw: Draw) -> Made:
    n, o, w = draw.numbers, draw.operator, draw.words
    name = w.pick(("items", "values", "data", "xs", "numbers"))
    row = [n.between(-20, 99) for _ in range(n.between(5, 10))]
    how = o.pick(
        (
            f"sorted({name})[1:-1]",
            f"[v * v for v in {name} if v % 2 == 0]",
            f"{name}[::-1][::2]",
            f"[a - b for a, b in zip({name}, {name}[1:])]",
            f"max({name}) - min({name})",
            f"sum({name}) // len({name})",
            f"sorted(set(v % 7 for v in {name}))",
            f"[i for i, v in enumerate({name}) if v > {row[0]}]",
        )
    )
    return _asked(draw, f"{name} = {row}\nprint({how})")


@template("code_output", 15, "benchmark")
def strings(draw: Draw) -> Made:
    e, o, n = draw.entity, draw.operator, draw.numbers
    text = " ".join(e.pick(_WORDS) for _ in range(3))
    k = n.between(2, 9)
    how = o.pick(
        (
            "text.title()",
            f"text[::{k}]",
            f"text.split()[{k % 3}].upper()",
            f"text.replace('e', '{k}')",
            f"''.join(c for c in text if c not in 'aeiou') * {k % 3 + 1}",
            f"[len(w) * {k} for w in text.split()]",
            f"text.count('e') * {k}",
            f"text[{k}:-{k}]",
        )
    )
    return _asked(draw, f"text = {text!r}\nprint({how})", _ASK_OTHERWISE)


@template("code_output", 15, "benchmark")
def recursion(draw: Draw) -> Made:
    n, o, w = draw.numbers, draw.operator, draw.words
    f = w.pick(("f", "g", "step", "walk", "h"))
    a, b, c, at = n.between(1, 9), n.between(2, 5), n.between(1, 30), n.between(5, 14)
    op = o.pick(("+", "-", "^"))
    return _asked(
        draw,
        f"def {f}(n):\n    if n <= {b}:\n        return n + {c}\n    return {a} * {f}(n - 1) {op} {f}(n - {b})\n\nprint({f}({at}))",
        _ASK_OTHERWISE,
    )
