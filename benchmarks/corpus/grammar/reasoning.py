"""Sentences that read like reasoning, in pools made once and drawn from for every trace."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.corpus.draw import Stream, seed_of
from benchmarks.corpus.grammar.algebra import polynomial
from benchmarks.corpus.grammar.scenes import scenery
from benchmarks.corpus.grammar.vocabulary import CONTAINERS, FOODS, JOBS, NAMES, THINGS, TOWNS

__all__ = ["POOL", "foreign_pool", "pool"]

POOL = 90_000
_Sentence = Callable[[Stream], str]

_OPENINGS = (
    "So",
    "Now",
    "Next",
    "Then",
    "Hence",
    "Therefore",
    "That means",
    "This gives",
    "In other words,",
    "Looking at this again,",
    "As a result,",
    "Equivalently,",
    "From here",
    "In particular,",
    "Okay, so",
    "Alright,",
    "From the second condition",
    "By the same argument,",
    "Putting this together,",
    "Going one step further,",
)
_DOUBTS = (
    "Wait,",
    "Hmm,",
    "Hold on,",
    "But wait,",
    "Actually,",
    "Let me double-check:",
    "Hmm, not so fast:",
    "Is that right?",
    "Let me re-read this:",
    "Wait, maybe I mixed something up:",
)
_CLAIMS = (
    "the left side has to be even",
    "only the second case survives",
    "the two expressions agree",
    "nothing is lost by this step",
    "the order does not matter here",
    "both terms have the same sign",
    "the bound is tight",
    "the remaining case is symmetric",
    "the units cancel",
    "this quantity stays constant",
    "we may divide by it, since it is not zero",
    "the condition of the problem is used exactly here",
    "each object is counted once",
    "the formula applies to this case too",
    "an off-by-one error would show at this point",
    "the smaller root can be ruled out",
    "the answer cannot be negative",
    "this agrees with the rough estimate from before",
    "the total has to match what was given",
    "the pattern repeats after a few steps",
)
_PLANS = (
    "try small numbers first",
    "write down what is given",
    "name the unknown",
    "set up an equation",
    "look for an invariant",
    "check the boundary cases",
    "draw a rough picture",
    "split this into two cases",
    "work backwards from the end",
    "compare with a simpler problem",
    "count the complement instead",
    "rearrange the terms",
    "factor the expression",
    "substitute and simplify",
    "convert everything to the same unit",
    "list the possibilities in order",
    "estimate the size of the result",
    "read the question once more",
)
_NOUNS = (
    "sum",
    "product",
    "difference",
    "remainder",
    "total",
    "ratio",
    "share",
    "bound",
    "coefficient",
    "numerator",
    "denominator",
    "area",
    "rate",
    "length",
    "count",
    "probability",
    "average",
    "slope",
    "discriminant",
    "exponent",
)


def _arithmetic(s: Stream) -> str:
    a, b = s.between(2, 999), s.between(2, 999)
    sign, value = s.pick((("+", a + b), ("-", a - b), ("\\cdot", a * b), ("\\times", a * b)))
    return f"{s.pick(_OPENINGS)} ${a} {sign} {b} = {value}$."


def _plain(s: Stream) -> str:
    a, b = s.between(2, 99), s.between(2, 999)
    return f"{s.pick(_OPENINGS)} {a} times {b} is {a * b}, and {s.pick(_CLAIMS)}."


def _fraction(s: Stream) -> str:
    a, b, k = s.between(1, 40), s.between(2, 60), s.between(2, 9)
    return f"{s.pick(_OPENINGS)} the {s.pick(_NOUNS)} is $\\frac{{{a * k}}}{{{b * k}}} = \\frac{{{a}}}{{{b}}}$ after cancelling ${k}$."


def _equation(s: Stream) -> str:
    v = s.pick("xyznkabt")
    left = polynomial([s.between(1, 9), s.between(-30, 30), s.between(-90, 90)], v)
    return f"{s.pick(_OPENINGS)} we get ${left} = {s.between(-50, 200)}$, so {s.pick(_CLAIMS)}."


def _doubt(s: Stream) -> str:
    return f"{s.pick(_DOUBTS)} is it clear that {s.pick(_CLAIMS)}? I think so, because the {s.pick(_NOUNS)} is {s.between(2, 500)} in both versions."


def _plan(s: Stream) -> str:
    return f"{s.pick(('Let me', 'I should', 'It helps to', 'Maybe I can', 'We could also'))} {s.pick(_PLANS)}, and then {s.pick(_PLANS)}."


def _check(s: Stream) -> str:
    a, b = s.between(3, 400), s.between(2, 60)
    return f"Check: with {s.pick('xyznk')} = {a} the {s.pick(_NOUNS)} becomes {a * b + s.between(0, 30)}, which {s.pick(('fits', 'is fine', 'matches what was asked', 'is close to the estimate', 'seems too large at first'))}."


def _case(s: Stream) -> str:
    return f"Case {s.between(1, 6)}: suppose the {s.pick(_NOUNS)} is at least {s.between(2, 900)}; {s.pick(_CLAIMS)}, and {s.pick(_CLAIMS)}."


def _analogy(s: Stream) -> str:
    return f"It is as if {s.pick(NAMES)} put {s.between(2, 300)} {s.pick(THINGS + FOODS)[1]} into {s.between(2, 40)} {s.pick(CONTAINERS)[1]} and {s.pick(('counted', 'weighed', 'shared', 'sorted'))} them."


def _remark(s: Stream) -> str:
    return f"I remember that {s.pick(JOBS)} in {s.pick(TOWNS)}: {s.pick(_CLAIMS)}, but that is not needed to {s.pick(_PLANS)}."


def _modular(s: Stream) -> str:
    m, a = s.between(3, 97), s.between(100, 9999)
    return f"{s.pick(_OPENINGS)} ${a} \\equiv {a % m} \\pmod{{{m}}}$ and ${s.pick('abnkm')}^{s.between(2, 9)} \\le {a * m}$."


def _display(s: Stream) -> str:
    return f"\n\\[\n{s.pick('ABSTPQ')}_{{{s.between(1, 40)}}} = \\frac{{{s.between(2, 99)}{s.pick('xnyt')} + {s.between(1, 99)}}}{{{s.between(2, 99)}}} \\cdot \\sqrt{{{s.between(2, 500)}}}\n\\]\n"


def _decimals(s: Stream) -> str:
    values = ", ".join(
        f"{s.between(-40_000_000, 90_000_000) / 10 ** s.between(3, 7):.5g}" for _ in range(s.between(3, 7))
    )
    return f"{s.pick(_OPENINGS)} numerically the {s.pick(_NOUNS)} runs through {values}."


def _aside(s: Stream) -> str:
    return scenery(s, 1)


_SENTENCES: tuple[tuple[_Sentence, int], ...] = (
    (_arithmetic, 16), (_plain, 10), (_fraction, 8), (_equation, 10), (_doubt, 9), (_plan, 8), (_check, 9), (_case, 7),
    (_analogy, 4), (_remark, 3), (_modular, 6), (_display, 4), (_aside, 3), (_decimals, 32),
)  # fmt: skip


def pool(seed: int, size: int = POOL) -> list[str]:
    """Sentences, each with the white space that follows it; one in four ends a paragraph."""
    s = Stream(seed_of("reasoning", seed))
    made: list[str] = []
    for _ in range(size):
        s.drawn.clear()
        made.append(s.weighted(_SENTENCES)(s) + s.pick((" ", " ", " ", "\n\n")))
    return made


_FOREIGN = {
    "zh": ("所以我们得到{a}加{b}等于{c}，这与题目的条件一致。", "等一下，让我再检查一遍：{a}乘以{b}的结果是{d}。", "设未知数为x，则方程变为{a}x + {b} = {c}。",
           "现在考虑第二种情况，此时余数为{a}，因此不成立。", "把两个式子相减，可以消去常数{b}，剩下{a}。", "我觉得应该先列出所有的可能，然后逐一排除，总共有{c}种。"),
    "ru": ("Значит, сумма чисел {a} и {b} равна {c}, и условие выполнено. ", "Подождите, проверим ещё раз: произведение равно {d}. ", "Обозначим неизвестное через x, тогда {a}x + {b} = {c}. ",
           "Рассмотрим второй случай: остаток равен {a}, поэтому он невозможен. ", "Вычтем одно уравнение из другого и получим {a}. ", "Сначала перечислим все варианты, всего их {c}. "),
    "es": ("Entonces la suma de {a} y {b} es {c}, y se cumple la condición. ", "Espera, lo compruebo otra vez: el producto es {d}. ", "Llamemos x a la incógnita; la ecuación queda {a}x + {b} = {c}. ",
           "En el segundo caso el resto es {a}, así que no es posible. ", "Restando las dos ecuaciones desaparece {b} y queda {a}. ", "Primero enumero todas las posibilidades, que son {c} en total. "),
}  # fmt: skip


def foreign_pool(seed: int, size: int = 2_000) -> dict[str, list[str]]:
    """Sentences of reasoning in Chinese, Russian and Spanish."""
    s = Stream(seed_of("foreign", seed))
    return {language: [_foreign(s, forms) for _ in range(size)] for language, forms in _FOREIGN.items()}


def _foreign(s: Stream, forms: tuple[str, ...]) -> str:
    a, b = s.between(2, 999), s.between(2, 999)
    return s.pick(forms).format(a=a, b=b, c=a + b, d=a * b)
