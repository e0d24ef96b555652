"""The `steps` verifier: every step of a multi-step calculation, and its answer.

For the problems of `reasonry.arithmetic`, whose steps are known. A right answer over wrong steps is `incorrect`: what a
student learns from a trace is its steps. Reasoning in `<think>` and the response proper are each checked where they
hold steps. With the spec `{"require_steps": false}` a right answer without any step is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.arithmetic import Problem, Step, parse_problem, read_steps
from reasonry.registry import part
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.extraction import RULES, Found, Parts, extract, split_thinking
from reasonry.verifiers.maths.cascade import read_number

__all__ = ["steps"]

SHOWN = 1_000
_ALL_RULES = tuple(RULES)


@part("verifier", "steps", version=1)
def steps(question: Question, response: str) -> Verdict:
    """Each step of a multi-step calculation right and in order, and the right answer at its end."""
    problem = parse_problem(question.prompt)
    if problem is None:
        return Verdict(Status.SKIPPED, detail="the prompt states no problem whose steps are known")
    if question.answer is not None and _value(question.answer) != problem.answer:
        detail = f"the reference {question.answer[:50]!r} is not the answer of the problem, {problem.answer}"
        return Verdict(Status.ERROR, detail=detail)
    require_steps = question.spec.get("require_steps", True)
    if not isinstance(require_steps, bool):
        return Verdict(Status.ERROR, detail="spec: require_steps must be true or false")
    parts = split_thinking(response)
    found = extract(parts.said, _ALL_RULES)
    if found is None:
        return Verdict(Status.UNPARSED, detail=parts.no_answer)
    return _judge(problem, parts, found, require_steps=require_steps)


def _judge(problem: Problem, parts: Parts, found: Found, *, require_steps: bool) -> Verdict:
    solutions = [read for text in (parts.thinking, parts.said) if (read := read_steps(text))]
    fault = next((fault for read in solutions if (fault := _first_fault(read, problem.steps))), None)
    answer_right = _value(found.text) == problem.answer
    evidence = found.evidence | _evidence(solutions, problem, fault, answer_right=answer_right)
    detail = _complaint(fault, answer_right=answer_right, any_steps=bool(solutions), require_steps=require_steps)
    status = Status.INCORRECT if detail else Status.CORRECT
    return Verdict(status, extracted=found.text[:SHOWN], detail=detail, evidence=evidence)


@dataclass(frozen=True, slots=True)
class _Fault:
    """The first place where a solution leaves the problem. `index` counts steps from 0."""

    index: int
    what: str


def _first_fault(read: Sequence[Step], wanted: Sequence[Step]) -> _Fault | None:
    for index, (step, reference) in enumerate(zip(read, wanted, strict=False)):
        if not step.is_right:
            return _Fault(index, f"step {index + 1} is wrong: {step}")
        if not _follows(step, reference):
            return _Fault(index, f"step {index + 1} is not of this problem: {step}, not {reference}")
    if len(read) < len(wanted):
        return _Fault(len(read), f"step {len(read) + 1} is missing: {wanted[len(read)]}")
    if len(read) > len(wanted):
        return _Fault(len(wanted), f"a step too many: {read[len(wanted)]}")
    return None


def _follows(step: Step, reference: Step) -> bool:
    """The same step; terms and factors may change places."""
    if step.op != reference.op:
        return False
    same = (step.left, step.right) == (reference.left, reference.right)
    return same or (step.op in "+*" and (step.right, step.left) == (reference.left, reference.right))


def _complaint(fault: _Fault | None, *, answer_right: bool, any_steps: bool, require_steps: bool) -> str:
    """Why the verdict is `incorrect`; "" where it is not."""
    if not any_steps:
        if not answer_right:
            return "wrong answer, no steps"
        return "no steps" if require_steps else ""
    if fault is None:
        return "" if answer_right else "right steps, but another answer"
    return f"right answer over wrong steps: {fault.what}" if answer_right else fault.what


def _evidence(
    solutions: Sequence[Sequence[Step]], problem: Problem, fault: _Fault | None, *, answer_right: bool
) -> dict[str, Any]:
    return {
        "family": problem.family,
        "steps": max((len(read) for read in solutions), default=0),
        "steps_expected": len(problem.steps),
        "first_wrong_step": fault.index if fault else None,
        "answer_right": answer_right,
    }


def _value(text: str) -> object:
    """The number that an answer is, also as the end of a calculation; None for anything else."""
    return read_number(text.rpartition("=")[2])
