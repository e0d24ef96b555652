"""What the simulated teacher writes: step-by-step traces of the procedural problems, with mistakes on purpose.

Everything is decided by a digest of the seed, the prompt and the sample's index, so the same request has the same
reply on every machine, in this process or over HTTP. No model is involved, and the reply's `model` says so.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reasonry.arithmetic import Problem, Step, parse_problem
from reasonry.identity import digest
from reasonry.types import Finish, Message, Reply

__all__ = ["MODEL", "Behaviour", "Mistake", "simulate"]

MODEL = "simulated-v1"
Mistake = Literal["slip", "misconception", "cancelling", "wrong_steps", "truncation", "bad_format"]
Write = Callable[[Problem, random.Random], "_Written"]

_SLIP = 10  # a slip is off by at most this much
_MARK = re.compile("</?think>")
_REFUSAL = "I do not know how to solve this kind of problem."


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a simulated teacher behaves. `accuracy` is the probability of a trace that is right in every step;
    otherwise a kind of mistake is drawn by its weight.
    """

    seed: int = 0
    accuracy: float = 0.6
    mistakes: Mapping[Mistake, float] = field(default_factory=lambda: {"slip": 1.0})

    @property
    def digest(self) -> str:
        """12 hexadecimal digits: the name of this behaviour in ledger keys."""
        weights = {kind: float(weight) for kind, weight in self.mistakes.items()}
        return digest("behaviour", self.seed, float(self.accuracy), weights)[:12]


@dataclass(frozen=True, slots=True)
class _Written:
    reasoning: str
    response: str
    finish: Finish = "stop"


def simulate(behaviour: Behaviour, messages: Sequence[Message], index: int = 0, max_tokens: int | None = None) -> Reply:
    """The reply to a conversation; its last message states the problem. Tokens are counted as words.

    Where the last message is the assistant's, the one before it states the problem, and the reply is what is missing.
    """
    turns = list(messages)
    begun = turns.pop().content if turns and turns[-1].role == "assistant" else None
    prompt = turns[-1].content if turns else ""
    generator = random.Random(int(digest("simulated", behaviour.seed, prompt, index), 16))
    written = _written(behaviour, prompt, generator, goes_on=begun is not None)
    said = 0 if begun is None else _words(_MARK.sub(" ", begun))
    if max_tokens is not None:
        written = _limited(written, said + max_tokens)
    if begun is not None:
        written = _rest(written, said)
    return Reply(
        response=written.response,
        reasoning=written.reasoning,
        finish=written.finish,
        model=MODEL,
        tokens_in=sum(_words(message.content) for message in messages),
        tokens_out=_words(written.reasoning) + _words(written.response),
    )


def _written(behaviour: Behaviour, prompt: str, generator: random.Random, *, goes_on: bool = False) -> _Written:
    problem = parse_problem(prompt)
    if problem is None:
        return _Written("", _REFUSAL, "refusal")
    if generator.random() < behaviour.accuracy:
        return _solution(problem.steps)
    kinds = sorted(behaviour.mistakes)
    (kind,) = generator.choices(kinds, [behaviour.mistakes[kind] for kind in kinds])
    if goes_on and kind == "truncation":
        return _solution(problem.steps)
    return _WRITERS[kind](problem, generator)


def _solution(steps: Sequence[Step], answer: int | None = None) -> _Written:
    answer = steps[-1].result if answer is None else answer
    return _Written(_lines(steps), f"The answer is \\boxed{{{answer}}}.")


def _slip(problem: Problem, generator: random.Random) -> _Written:
    """One result is off by a little, and every later step goes on from it."""
    where = generator.randrange(len(problem.steps))
    return _solution(_worked(problem, _off({where: _small(generator)})))


def _misconception(problem: Problem, _: random.Random) -> _Written:
    """Carries (and borrows) are dropped in every step; where there are none, the solution is right."""
    return _solution(_worked(problem, _without_carry))


def _cancelling(problem: Problem, generator: random.Random) -> _Written:
    """Two slips that cancel: two wrong steps, and the right answer. (In each of our problems every result enters
    the answer once, with a plus.)
    """
    if len(problem.steps) < 2:
        return _wrong_steps(problem, generator)
    first, second = sorted(generator.sample(range(len(problem.steps)), 2))
    by = _small(generator)
    return _solution(_worked(problem, _off({first: by, second: -by})))


def _wrong_steps(problem: Problem, generator: random.Random) -> _Written:
    """A wrong step before the last, which nothing after it goes on from; the answer is right."""
    steps = list(problem.steps)
    where = generator.randrange(max(1, len(steps) - 1))
    step = steps[where]
    steps[where] = Step(step.left, step.op, step.right, step.result + _small(generator))
    return _solution(steps, problem.answer)


def _truncation(problem: Problem, generator: random.Random) -> _Written:
    """Right so far, and cut off in the middle."""
    words = _words(_lines(problem.steps))
    return _limited(_solution(problem.steps), generator.randrange(1, words))


def _bad_format(problem: Problem, generator: random.Random) -> _Written:
    """Right steps, and an answer in prose, or none."""
    prose = f"So it comes to {problem.answer}, if I am not mistaken."
    return _Written(_lines(problem.steps), generator.choice([prose, "I think it is large."]))


_WRITERS: Mapping[Mistake, Write] = {
    "slip": _slip,
    "misconception": _misconception,
    "cancelling": _cancelling,
    "wrong_steps": _wrong_steps,
    "truncation": _truncation,
    "bad_format": _bad_format,
}


def _worked(problem: Problem, result_of: Callable[[int, Step], int]) -> list[Step]:
    """The problem's steps, each going on from what the ones before it said; `result_of(i, step)` is what i says."""
    steps: list[Step] = []
    for i, step in enumerate(problem.steps):
        left_from, right_from = _operands(problem, i)
        left = step.left if left_from is None else steps[left_from].result
        right = step.right if right_from is None else steps[right_from].result
        posed = Step(left, step.op, right, 0)
        steps.append(Step(left, step.op, right, result_of(i, posed)))
    return steps


def _operands(problem: Problem, i: int) -> tuple[int | None, int | None]:
    """The earlier steps whose results are the left and right operand of step i; None for a number of the problem."""
    if problem.family != "purchase":
        return (i - 1 if i else None), None
    products = (len(problem.steps) + 1) // 2
    if i < products:
        return None, None
    return (0 if i == products else i - 1), i - products + 1


def _off(slips: Mapping[int, int]) -> Callable[[int, Step], int]:
    return lambda i, step: step.true_result + slips.get(i, 0)


def _without_carry(_: int, step: Step) -> int:
    """The step, digit by digit, with nothing carried or borrowed between the digits."""
    if step.op == "*":
        return _sign(step.left) * _sign(step.right) * _product(step.left, step.right)
    right = -step.right if step.op == "-" else step.right
    if _sign(step.left) == _sign(right):
        return _sign(right) * _by_digit(step.left, right, lambda a, b: (a + b) % 10)
    larger = max(step.left, right, key=abs)
    return _sign(larger) * _by_digit(step.left, right, lambda a, b: abs(a - b))


def _by_digit(left: int, right: int, operation: Callable[[int, int], int]) -> int:
    a, b = str(abs(left)), str(abs(right))
    size = max(len(a), len(b))
    pairs = zip(a.zfill(size), b.zfill(size), strict=True)
    return int("".join(str(operation(int(x), int(y))) for x, y in pairs))


def _product(left: int, right: int) -> int:
    """Long multiplication in which no column carries."""
    columns = [0] * (len(str(abs(left))) + len(str(abs(right))))
    for i, a in enumerate(reversed(str(abs(left)))):
        for j, b in enumerate(reversed(str(abs(right)))):
            columns[i + j] += int(a) * int(b)
    return int("".join(str(column % 10) for column in reversed(columns)))


def _sign(number: int) -> int:
    return -1 if number < 0 else 1


def _small(generator: random.Random) -> int:
    return generator.choice((-1, 1)) * generator.randrange(1, _SLIP + 1)


def _limited(written: _Written, max_tokens: int) -> _Written:
    """Cut off after so many words."""
    reasoning = _first_words(written.reasoning, max_tokens)
    left = max_tokens - _words(written.reasoning)
    if left <= 0 and written.response:
        return _Written(reasoning, "", "length")
    if left < _words(written.response):
        return _Written(reasoning, _first_words(written.response, left), "length")
    return written


def _rest(written: _Written, said: int) -> _Written:
    """What follows the first `said` words, with the space or line end before it."""
    left = max(0, said - _words(written.reasoning))
    reasoning = written.reasoning[len(_first_words(written.reasoning, said)) :]
    return _Written(reasoning, written.response[len(_first_words(written.response, left)) :], written.finish)


def _first_words(text: str, count: int) -> str:
    """The text up to its count-th word, line ends kept."""
    lines: list[str] = []
    for line in text.split("\n"):
        words = line.split(" ")
        if len(words) > count:
            return "\n".join([*lines, " ".join(words[:count])]) if count else "\n".join(lines)
        lines.append(line)
        count -= len(words)
    return text


def _words(text: str) -> int:
    return len(text.split())


def _lines(steps: Sequence[Step]) -> str:
    return "\n".join(map(str, steps))
