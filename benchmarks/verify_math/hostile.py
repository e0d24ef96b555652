"""Inputs made to hang, crash, fill the memory of, or be executed by a grader of mathematics. All are made in code."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

__all__ = ["PAYLOADS", "hostile"]

MANY = 100_000


def hostile(marker: Path) -> dict[str, Callable[[], str]]:
    """name -> what makes the text. A text that is executed leaves the file `marker`."""
    return {
        **_huge_numbers(),
        **_long(),
        **_nested(),
        **_many(),
        **_hard(),
        **_odd_characters(),
        **_for_patterns(),
        **{f"payload: {name}": _payload(text, marker) for name, text in PAYLOADS.items()},
    }


def _huge_numbers() -> dict[str, Callable[[], str]]:
    return {
        "tower 9^9^9^9": lambda: "9^{9^{9^{9}}}",
        "tower 9**9**9**9": lambda: "9**9**9**9",
        "tower of 50": lambda: "2^{" * 50 + "2" + "}" * 50,
        "tower with minus": lambda: "(-2)^{(-3)^{(-5)^{7}}}",
        "tower in a fraction": lambda: "\\frac{9^{9^{9}}}{9^{9^{9}}+1}",
        "factorial of 10^9": lambda: "(10^{9})!",
        "factorial of 99999": lambda: "99999!",
        "factorial chain": lambda: "9!!!!!!!!",
        "factorial of factorials": lambda: "((((9!)!)!)!)!",
        "binomial of 10^9": lambda: "\\binom{10^9}{5\\cdot 10^8}",
        "binomial nested": lambda: "\\binom{\\binom{100}{50}}{\\binom{99}{49}}",
        "exponent 10^9 as a float": lambda: "1.5e999999999",
        "exponent -10^9": lambda: "10^{-1000000000}",
        "a root of order 10^9": lambda: "\\sqrt[1000000000]{2}",
        "2^{10^7} mod": lambda: "2^{10000000} \\bmod 1000000007",
        "power of a power": lambda: "((((7^{99})^{99})^{99})^{99})^{99}",
        "a base of 10^6 digits' worth": lambda: "10^{1000000}+1",
        "power of a polynomial": lambda: "(x+1)^{1000000}",
        "power of a sum of 5": lambda: "(a+b+c+d+e)^{400}",
        "power of a variable": lambda: "x^{10^{10^{10}}}",
        "percent of a tower": lambda: "9^{9^{9}}\\%",
        "log of a tower": lambda: "\\log(9^{9^{9^{9}}})",
        "sine of a tower": lambda: "\\sin(10^{10^{8}})",
        "floor of a tower": lambda: "\\lfloor \\pi^{\\pi^{\\pi^{\\pi}}} \\rfloor",
        "gcd of huge numbers": lambda: "\\gcd(10^{100000}+1, 10^{99999}-1)",
    }


def _long() -> dict[str, Callable[[], str]]:
    kinds = {
        "digits": "7", "letters": "a", "spaces": " ", "minus signs": "-", "commas": ",", "dots": ".", "dollars": "$",
        "backslashes": "\\", "primes": "'", "carets": "^", "underscores": "_", "bars": "|", "equals": "=",
        "exclamation marks": "!", "percent signs": "%", "ampersands": "&", "slashes": "/", "opening parentheses": "(",
        "closing braces": "}", "quotes": '"', "degrees": "°", "roots": "√",
    }  # fmt: skip
    made: dict[str, Callable[[], str]] = {f"10^5 {name}": _times(text, MANY) for name, text in kinds.items()}
    made["0. and 10^5 threes"] = lambda: "0." + "3" * MANY
    made["10^5 digits then a unit"] = lambda: "1" * MANY + " cm"
    made["10^5 groups of digits"] = lambda: "1" + ",000" * (MANY // 4)
    made["repeating decimal"] = lambda: "0.\\overline{" + "142857" * 5_000 + "}"
    return made


def _times(text: str, times: int) -> Callable[[], str]:
    return lambda: text * times


def _nested() -> dict[str, Callable[[], str]]:
    shapes = {
        "parentheses": ("(", "1", ")"),
        "braces": ("{", "1", "}"),
        "brackets": ("[", "1", "]"),
        "sets": ("\\{", "1", "\\}"),
        "\\left \\right": ("\\left(", "1", "\\right)"),
        "fractions": ("\\frac{1}{", "2", "}"),
        "fractions above": ("\\frac{", "2", "}{3}"),
        "roots": ("\\sqrt{", "2", "}"),
        "exponents": ("x^{", "2", "}"),
        "subscripts": ("x_{", "2", "}"),
        "bars": ("|", "x", "|"),
        "sines": ("\\sin(", "1", ")"),
        "minuses": ("-(", "1", ")"),
        "words": ("\\text{", "a", "}"),
        "boxes": ("\\boxed{", "1", "}"),
        "floors": ("\\lfloor ", "1", " \\rfloor"),
        "binomials": ("\\binom{2}{", "1", "}"),
        "matrices": ("\\begin{pmatrix}", "1", "\\end{pmatrix}"),
        "cases": ("\\begin{cases}1,&x\\\\", "1", "\\end{cases}"),
        "logarithms": ("\\log_{2}(", "x", ")"),
    }
    return {f"2,000 {name} deep": _deep(*shape) for name, shape in shapes.items()}


def _deep(before: str, core: str, after: str) -> Callable[[], str]:
    return lambda: before * 2_000 + core + after * 2_000


def _many() -> dict[str, Callable[[], str]]:
    row = " & ".join("1" * 1_000)
    return {
        "matrix 1000x1000": lambda: "\\begin{pmatrix}" + " \\\\ ".join([row] * 1_000) + "\\end{pmatrix}",
        "matrix 100x100 of variables": lambda: _matrix(100, lambda i, j: f"x_{{{i}{j}}}"),
        "determinant 30x30": lambda: "\\det" + _matrix(30, lambda i, j: f"{(i * 7 + j * 3) % 11}"),
        "matrix to the power": lambda: _matrix(8, lambda i, j: f"{i + j}") + "^{100000}",
        "sum of 10^5 terms": lambda: "+".join(f"{i}" for i in range(MANY)),
        "sum of 10^5 fractions": lambda: "+".join(f"\\frac{{1}}{{{i}}}" for i in range(1, 10_000)),
        "product of 10^4 brackets": lambda: "".join(f"(x-{i})" for i in range(10_000)),
        "list of 10^4": lambda: ", ".join(f"{i}" for i in range(10_000)),
        "set of 10^4": lambda: "\\{" + ", ".join(f"{i}" for i in range(10_000)) + "\\}",
        "10^4 equal fractions": lambda: ", ".join(["\\frac{1}{2}"] * 10_000),
        "list of 10^4 pairs": lambda: ", ".join(f"({i}, {i})" for i in range(10_000)),
        "200 roots in a list": lambda: ", ".join(f"\\sqrt{{{i}+\\sqrt{{{i}}}}}" for i in range(200)),
        "roots of unity": lambda: ", ".join(f"e^{{\\frac{{2\\pi i \\cdot {k}}}{{97}}}}" for k in range(97)),
        "nested radicals in a sum": lambda: "+".join(f"\\sqrt{{{p}}}" for p in range(2, 200)),
        "a tower of sines and cosines": lambda: "\\sin(\\cos(" * 30 + "1" + "))" * 30,
        "trigonometric powers": lambda: "(\\sin x+\\cos x)^{40}(\\sin x-\\cos x)^{40}",
        "multiple angle": lambda: "\\cos(200\\arccos(x))",
        "polynomial of degree 1000 in 5": _polynomial,
        "continued fraction of 300": lambda: "1+\\frac{1}{" * 300 + "2" + "}" * 300,
        "cases flood": lambda: "\\begin{cases}" + "x,&x>0\\\\" * 5_000 + "\\end{cases}",
        "chain of equalities": lambda: "x=" * 10_000 + "1",
        "chain of inequalities": lambda: "<".join(f"x_{i}" for i in range(5_000)),
        "union of 5,000 intervals": lambda: "\\cup".join(f"({2 * i},{2 * i + 1})" for i in range(5_000)),
        "plus-minus 40 times": lambda: "1" + "\\pm 1" * 40,
        "plus-minus in 12 places of 12": lambda: ", ".join(["1" + "\\pm 1" * 12] * 12),
        "absolute values in a row": lambda: "|x|" * 5_000,
        "10^4 mixed numbers": lambda: "+".join(["1 \\frac{1}{2}"] * 10_000),
        "10^4 units": lambda: "5 " + "\\text{ cm}" * 10_000,
        "10^4 words": lambda: "word " * 10_000,
    }


def _matrix(size: int, entry: Callable[[int, int], str]) -> str:
    rows = " \\\\ ".join(" & ".join(entry(i, j) for j in range(size)) for i in range(size))
    return f"\\begin{{pmatrix}}{rows}\\end{{pmatrix}}"


def _polynomial() -> str:
    draw = random.Random(11)
    terms = [
        f"{draw.randint(-99, 99)}" + "".join(f"{v}^{{{draw.randint(0, 200)}}}" for v in "abcde") for _ in range(400)
    ]
    return "+".join(terms).replace("+-", "-")


def _hard() -> dict[str, Callable[[], str]]:
    return {
        "a sum of k^k": lambda: "\\sum_{k=1}^{1000000000} k^{k}",
        "a double sum": lambda: "\\sum_{i=1}^{10^6}\\sum_{j=1}^{10^6}\\frac{1}{i+j}",
        "a product to 10^8": lambda: "\\prod_{k=1}^{100000000} k",
        "a hard integral": lambda: "\\int_0^1 e^{x^2}\\sin(x^{10}) dx",
        "nested integrals": lambda: "\\int_0^1 " * 20 + "e^{-x^2}" + " dx" * 20,
        "a limit": lambda: "\\lim_{n\\to\\infty}\\left(1+\\frac{1}{n}\\right)^{n^{n}}",
        "a derivative of order 500": lambda: "\\frac{d^{500}}{dx^{500}} e^{x^2}",
        "cancels to nothing": lambda: "\\sqrt{10^{40}+1}-10^{20}-\\frac{1}{2\\cdot 10^{20}}",
        "nearly an integer": lambda: "e^{\\pi\\sqrt{163}}",
        "nearly zero": lambda: "\\sin(\\pi^{50})-\\sin(\\pi^{50}+10^{-60})",
        "near-equal decimals": lambda: "0." + "9" * 400,
        "a zero in disguise": lambda: "\\sqrt{2}+\\sqrt{3}-\\sqrt{5+2\\sqrt{6}}",
        "a deep zero in disguise": lambda: "\\sqrt[3]{2+\\sqrt{5}}+\\sqrt[3]{2-\\sqrt{5}}-1",
        "division by a zero in disguise": lambda: "\\frac{1}{\\sqrt{2}+\\sqrt{3}-\\sqrt{5+2\\sqrt{6}}}",
        "1/0": lambda: "\\frac{1}{0}",
        "0^0": lambda: "0^{0}",
        "infinity minus infinity": lambda: "\\infty-\\infty",
        "log of zero": lambda: "\\log 0",
        "tangent at its pole": lambda: "\\tan(\\frac{\\pi}{2})",
        "a geometric sum as a quotient": _geometric,
        "logs in logs": lambda: "\\log_{2^5}(\\log_{2^4}(\\log_{2^3}(\\log_{2^2}(\\log_{2^1}x))))",
        "arctangents": lambda: "16\\arctan(1/5)-4\\arctan(1/239)-\\pi",
        "complex powers": lambda: "(1+i)^{i^{i^{i}}}",
        "zeta": lambda: "\\zeta(\\frac{1}{2}+10^{9}i)",
        "gamma": lambda: "\\Gamma(10^{9}+\\frac{1}{3})",
    }


def _geometric() -> str:
    return "\\frac{x^{800}-1}{x-1}-(" + "+".join(f"x^{{{i}}}" for i in range(800)) + ")"


def _odd_characters() -> dict[str, Callable[[], str]]:
    return {
        "empty": lambda: "",
        "only a NUL": lambda: "\x00",
        "NULs between digits": lambda: "1\x002\x003" * 1_000,
        "a lone surrogate": lambda: "5\ud800",
        "surrogates the wrong way": lambda: "\udc00\ud800" * 1_000,
        "combining characters": lambda: "x" + "\u0301" * 50_000,
        "right to left": lambda: "\u202e12345\u202c" * 1_000,
        "zero width": lambda: "1\u200b" * 20_000,
        "unicode soup": _soup,
        "emoji": lambda: "😀" * 20_000,
        "digits of every script": lambda: "".join(chr(c) for c in range(0x660, 0x1D7FF) if chr(c).isdigit()),
        "superscripts": lambda: "2" + "⁹" * 10_000,
        "vulgar fractions": lambda: "½" * 10_000,
        "roman numerals": lambda: "Ⅷ" * 10_000,
        "format strings": lambda: "{0.__class__.__mro__} %s %n %x {}" * 100,
        "byte order mark": lambda: "\ufeff5",
        "a private character": lambda: "5\ue000\U0010ffff",
        "line separators": lambda: "5\u2028\u2029\x85" * 5_000,
        "tabs and feeds": lambda: "\t\x0b\x0c\r" * 20_000 + "5",
    }


def _soup() -> str:
    draw = random.Random(12)
    return "".join(
        chr(draw.choice((draw.randrange(32, 0xD800), draw.randrange(0xE000, 0x10FFFF)))) for _ in range(30_000)
    )


def _for_patterns() -> dict[str, Callable[[], str]]:
    """What makes the usual regular expressions of graders go back and forth."""
    return {
        "\\left flood": lambda: "\\left" * 20_000,
        "\\text{ flood": lambda: "\\text{" * 15_000,
        "\\boxed{ flood": lambda: "\\boxed{" * 14_000,
        "\\frac flood": lambda: "\\frac" * 20_000,
        "\\sqrt flood": lambda: "\\sqrt" * 20_000,
        "\\begin{pmatrix} flood": lambda: "\\begin{pmatrix}" * 6_000,
        "and flood": lambda: "and " * 25_000,
        "or and flood": lambda: "1 or 2 and " * 9_000,
        "answer is flood": lambda: "the answer is " * 7_000,
        "Answer: flood": lambda: "Answer: " * 12_000,
        "answer tags flood": lambda: "<answer>" * 12_000,
        "think tags flood": lambda: "<think></think>" * 6_000 + "<think>" * 1_000,
        "asterisks": lambda: "**" * 40_000 + "5",
        "a$ flood": lambda: "a" * 50_000 + "$",
        "$ and spaces": lambda: "$ " * 40_000,
        "digits and spaces": lambda: "1 " * 40_000 + "x",
        "digits and commas": lambda: "1," * 40_000 + "x",
        "000 groups without end": lambda: "1" + " 000" * 20_000 + "x",
        "letters and dots": lambda: "a." * 40_000 + "!",
        "spaces before a unit": lambda: "5" + " " * 80_000 + "x$",
        "units without end": lambda: "5 cm/" * 20_000,
        "JSON without end": lambda: '{"answer": "' + '\\"' * 30_000,
        "JSON nested": lambda: '{"answer": ' + "[" * 50_000,
        "JSON keys": lambda: '{"answer": "1", ' * 6_000,
        "hashes": lambda: "#### " * 20_000,
        "minus and digits": lambda: "-1" * 40_000,
        "equals and digits": lambda: "=1" * 40_000,
        "escaped braces": lambda: "\\{" * 40_000,
        "an alternation": lambda: "x=1 \\lor " * 10_000 + "x=2",
        "\\( without end": lambda: "\\(" * 40_000,
        "\\[ and ]": lambda: "\\[a\\)" * 15_000,
        "colons": lambda: "1:2:" * 20_000,
        "e exponents": lambda: "1e" * 40_000 + "1",
        "overlines": lambda: "0.\\overline{3}" * 5_000,
    }


PAYLOADS = {
    "import os": "__import__('os').system('touch MARK')",
    "eval": "eval(\"open('MARK','w').close()\")",
    "exec": "exec(\"open('MARK','w').write('x')\")",
    "open": "open('MARK','w')",
    "classes": "().__class__.__base__.__subclasses__()[-1].__init__.__globals__['__builtins__']['open']('MARK','w')",
    "lambda": "(lambda: __import__('pathlib').Path('MARK').touch())()",
    "f-string": "f\"{__import__('os').system('touch MARK')}\"",
    "sympify": 'S(\'__import__("os").system("touch MARK")\')',
    "lambdify": "Lambda(x, __import__('os').system('touch MARK'))(1)",
    "parse_expr": "sin(__import__('os').system('touch MARK'))",
    "in a root": "\\sqrt{__import__('os').system('touch MARK')}",
    "in a list": "[1, 2, __import__('os').system('touch MARK')]",
    "in a matrix": "\\begin{pmatrix}__import__('os').system('touch MARK')\\end{pmatrix}",
    "in an operator": "\\operatorname{__import__('os').system('touch MARK')}(1)",
    "shell": "$(touch MARK)",
    "backticks": "`touch MARK`",
    "\\write18": "\\immediate\\write18{touch MARK}",
    "\\input": "\\input{/etc/passwd}",
    "\\def loop": "\\def\\x{\\x\\x}\\x",
    "pickle": "cos\nsystem\n(S'touch MARK'\ntR.",
    "YAML": "!!python/object/apply:os.system ['touch MARK']",
    "JSON key": "{\"answer\": \"__import__('os').system('touch MARK')\"}",
    "getattr": "getattr(__import__('os'),'system')('touch MARK')",
    "breakpoint": "breakpoint()",
    "exit": "exit()",
    "raise": "1/0 if True else raise SystemExit",
    "SymPy's preview": "preview(x, viewer='file', filename='MARK')",
    "while": "while True: pass",
    "format": "{0.__init__.__globals__}'.format(open('MARK','w'))",
}
"""What a grader that evaluates its input would run; MARK stands for the file that it would leave."""


def _payload(text: str, marker: Path) -> Callable[[], str]:
    return lambda: text.replace("MARK", str(marker))
