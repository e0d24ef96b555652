"""The `code` verifier: the program in a response, run in a sandbox against the question's tests.

What is decided where: the program runs in a box that never sees an expected output; printed text and returned values
are compared here; a harness runs in a process of its own, which holds the program by proxies. So nothing that a program
does to its own process can make a wrong answer right; but for a harness in another language than Python, which shares
the program's process. `code_spec` has what a question may say; docs/code.md how it is judged.
"""

from __future__ import annotations

import atexit
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from signal import SIGKILL
from typing import Any

from reasonry.registry import part
from reasonry.sandbox import MOST_TESTS, Call, Ended, NotAValue, Outcome, Sandbox, SandboxUnavailable
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.code_output import compare_output, compare_value
from reasonry.verifiers.code_program import Program, extract_program
from reasonry.verifiers.code_spec import CodeSpec, read_spec
from reasonry.verifiers.warm import warmed_by

__all__ = ["close_sandbox", "code"]

SHOWN = 20_000  # characters of the program that the verdict keeps
DETAIL = 300
FIRST_TESTS = 1  # run alone, since a wrong program mostly fails at once; the next batches grow
GROWTH = 6
UNSAFE = "run without a sandbox"
STARVED = "it waited for more than its share of the clock, twice: it sleeps, or this machine is too busy"
# Of an object in memory, also where a text was cut in the middle of it.
_ADDRESS = re.compile(r"0x(?:[0-9a-fA-F]{6,}|[0-9a-fA-F]*(?=\.{3}|…|$))")


@dataclass(frozen=True, slots=True)
class Judged:
    """One test. `word` goes into the evidence: ok, wrong, runtime_error, time_limit, ..."""

    status: Status
    word: str
    detail: str = ""


OK = Judged(Status.CORRECT, "ok")
_STATUSES = {
    Ended.RUNTIME_ERROR: Status.INCORRECT,
    Ended.OUTPUT_LIMIT: Status.INCORRECT,
    Ended.COMPILE_ERROR: Status.INCORRECT,
    Ended.TIME_LIMIT: Status.TIMEOUT,
    Ended.FAILED: Status.ERROR,
}
_OURS = Judged(Status.ERROR, "starved", STARVED)


class _Box:
    """The sandbox of this process."""

    def __init__(self) -> None:
        self._sandbox: Sandbox | None = None

    def get(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = Sandbox()
            atexit.register(self.close)
        return self._sandbox

    def close(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()

    def load(self) -> None:
        """Start it, on no row's account. Where there is none, each row says why."""
        with contextlib.suppress(SandboxUnavailable):
            self.get().run("")


_BOX = _Box()
close_sandbox = _BOX.close  # the next program starts another


@warmed_by(_BOX.load)
@part("verifier", "code", version=1)
def code(question: Question, response: str) -> Verdict:
    """Programs: stdin and stdout, function calls, or a harness, each test in a sandbox."""
    try:
        spec = read_spec(question.spec)
    except ValueError as exc:
        return Verdict(Status.ERROR, detail=f"spec: {exc}")
    if spec.is_empty:
        return Verdict(Status.SKIPPED, detail="the question has no tests")
    program = extract_program(response, spec.language, starter_code=spec.starter_code, entry=spec.entry)
    if program is None:
        return Verdict(Status.UNPARSED, detail=f"no {spec.language} program found")
    try:
        judged = _judge(_BOX.get(), spec, program.text)
    except SandboxUnavailable as exc:
        return Verdict(Status.ERROR, detail=f"{exc}; hint: {exc.hint}")
    except NotAValue as exc:
        return Verdict(Status.ERROR, detail=f"spec: tests hold what cannot be handed to a function: {exc}")
    verdict = _verdict(spec, program, judged)
    return verdict if _BOX.get().tier != "unsafe" else _stamped(verdict)


def _stamped(verdict: Verdict) -> Verdict:
    """A verdict that was found without a sandbox says so: the program could have done anything, also to the verdict."""
    detail = f"{verdict.detail}; {UNSAFE}" if verdict.detail else UNSAFE
    return replace(verdict, detail=detail, evidence={**verdict.evidence, "sandbox": "unsafe"})


def _verdict(spec: CodeSpec, program: Program, judged: Sequence[Judged]) -> Verdict:
    """One test of ours that failed leaves the whole undecided, unless another decides it."""
    failed = [(index, test) for index, test in enumerate(judged) if test.status is not Status.CORRECT]
    failed.sort(key=lambda found: found[1].status is Status.ERROR)
    evidence: dict[str, Any] = {
        "rule": program.rule,
        "language": spec.language,
        "tests": len(spec.stdin_tests or spec.call_tests) or 1,
        "passed": len(judged) - len(failed),
        "outcomes": [test.word for test in judged],
    }
    extracted = program.text[:SHOWN]
    if not failed:
        return Verdict(Status.CORRECT, extracted=extracted, evidence=evidence)
    index, first = failed[0]
    place = f"test {index + 1}: " if not spec.harness else ""
    detail = _ADDRESS.sub("0x...", f"{place}{first.detail or first.word.replace('_', ' ')}")[:DETAIL]
    return Verdict(first.status, extracted=extracted, detail=detail, evidence=evidence)


def _judge(sandbox: Sandbox, spec: CodeSpec, program: str) -> list[Judged]:
    if spec.harness:
        return [_harness(sandbox, spec, program)]
    tests = _Stdin(sandbox, spec, program) if spec.stdin_tests else _Calls(sandbox, spec, program)
    judged: list[Judged] = []
    for test in tests.judged():
        judged.append(test)
        if test.status is not Status.CORRECT and (not spec.run_all or test.word == "compile_error"):
            break
    return judged


class _Tests:
    """Tests that are run in batches. A batch ends with the first test that does not end well."""

    def __init__(self, sandbox: Sandbox, spec: CodeSpec, program: str) -> None:
        self.sandbox = sandbox
        self.spec = spec
        self.program = program

    def count(self) -> int:
        raise NotImplementedError

    def outcomes(self, start: int, stop: int) -> list[Outcome]:
        raise NotImplementedError

    def compare(self, index: int, outcome: Outcome) -> Judged:
        raise NotImplementedError

    def judged(self) -> Iterator[Judged]:
        place, size = 0, FIRST_TESTS
        while place < self.count():
            outcomes = self.outcomes(place, min(place + size, self.count()))
            for index, outcome in enumerate(outcomes, place):
                yield self._judge(index, outcome)
            place += len(outcomes)
            size = min(size * GROWTH, MOST_TESTS)

    def _judge(self, index: int, outcome: Outcome) -> Judged:
        if outcome.is_starved or _was_killed(outcome):
            (outcome,) = self.outcomes(index, index + 1)
        return _ending(outcome) or self.compare(index, outcome)


class _Stdin(_Tests):
    def count(self) -> int:
        return len(self.spec.stdin_tests)

    def outcomes(self, start: int, stop: int) -> list[Outcome]:
        inputs = [test.input for test in self.spec.stdin_tests[start:stop]]
        return self.sandbox.run_tests(self.program, inputs, self.spec.language, self.spec.limits)

    def compare(self, index: int, outcome: Outcome) -> Judged:
        test = self.spec.stdin_tests[index]
        if self.spec.checker:
            return _checked(self.sandbox, self.spec, test.input, outcome.stdout, test.output)
        difference = compare_output(outcome.stdout, test.output or "", self.spec.rule)
        return OK if difference is None else Judged(Status.INCORRECT, "wrong", difference)


class _Calls(_Tests):
    def count(self) -> int:
        return len(self.spec.call_tests)

    def outcomes(self, start: int, stop: int) -> list[Outcome]:
        calls = [Call(test.args, test.kwargs) for test in self.spec.call_tests[start:stop]]
        return self.sandbox.call_tests(self.program, self.spec.fn_name, calls, self.spec.limits)

    def compare(self, index: int, outcome: Outcome) -> Judged:
        rule = self.spec.rule
        expected = self.spec.call_tests[index].expected
        difference = compare_value(
            outcome.value, expected, rel_tol=rule.rel_tol, abs_tol=rule.abs_tol, unordered=self.spec.unordered
        )
        return OK if difference is None else Judged(Status.INCORRECT, "wrong", difference)


def _checked(sandbox: Sandbox, spec: CodeSpec, given: str, output: bytes, expected: str | None) -> Judged:
    """What the question's own checker says, in the sandbox as well.

    One that fails is no verdict on the program, unless it does well on the expected output: then it is this output that
    it cannot read.
    """
    text = output.decode("utf-8", "replace")
    outcome = sandbox.call(spec.checker, "check", [given, text, expected], limits=spec.limits)
    if _says(outcome):
        return OK if outcome.value else Judged(Status.INCORRECT, "wrong", "the checker refuses this output")
    said = outcome.detail or _last_line(outcome.stderr) or _unanswered(outcome)
    may_be_the_output = outcome.ended is Ended.RUNTIME_ERROR and expected is not None and expected != text
    if may_be_the_output and _says(
        sandbox.call(spec.checker, "check", [given, expected, expected], limits=spec.limits)
    ):
        return Judged(Status.INCORRECT, "wrong", f"the checker cannot read this output: {said}")
    return Judged(Status.ERROR, "checker", f"the checker failed: {said}")


def _says(outcome: Outcome) -> bool:
    return outcome.ended is Ended.OK and type(outcome.value) is bool


def _unanswered(outcome: Outcome) -> str:
    ended = outcome.ended.value.replace("_", " ")
    return f"it returned {outcome.value!r}"[:DETAIL] if outcome.ended is Ended.OK else ended


def _harness(sandbox: Sandbox, spec: CodeSpec, program: str) -> Judged:
    if spec.language != "python":
        outcome = sandbox.check_joined(program, spec.harness, spec.language, spec.limits)
        if outcome.is_starved:
            outcome = sandbox.check_joined(program, spec.harness, spec.language, spec.limits)
        return _ending(outcome) or OK
    judged = _OURS
    for _ in range(2):
        checker, candidate = sandbox.check(
            program, spec.harness, entry=spec.entry_point, starter=spec.starter_code, limits=spec.limits
        )
        judged = _of_harness(checker, candidate)
        if judged is not _OURS and not _was_killed(checker):
            break
    return judged


def _of_harness(checker: Outcome, candidate: Outcome) -> Judged:
    if candidate.ended is Ended.COMPILE_ERROR and candidate.exit_code is not None:  # not: ended with the harness
        return Judged(Status.INCORRECT, candidate.ended.value, _last_line(candidate.stderr))
    if checker.ended is Ended.COMPILE_ERROR:
        return Judged(Status.ERROR, "harness", f"the harness does not compile: {_last_line(checker.stderr)}")
    if checker.cannot_judge:
        return Judged(Status.ERROR, "harness", f"the harness cannot be run apart: {_last_line(checker.stderr)}")
    if checker.ended is Ended.RUNTIME_ERROR and candidate.ended is Ended.RUNTIME_ERROR and candidate.signal != SIGKILL:
        return _ending(candidate) or OK  # why the harness found nobody to ask
    return _ending(checker) or OK


def _was_killed(outcome: Outcome) -> bool:
    """By itself, or by a system that ran out of memory for others: a second try tells."""
    return outcome.signal == SIGKILL and outcome.limit is None


def _ending(outcome: Outcome) -> Judged | None:
    """What the way in which a process ended decides; None where it ended well."""
    if outcome.ended is Ended.OK:
        return None
    if outcome.is_starved:
        return _OURS
    return Judged(_STATUSES[outcome.ended], outcome.ended.value, outcome.detail or _why(outcome))


def _why(outcome: Outcome) -> str:
    if outcome.ended in (Ended.TIME_LIMIT, Ended.OUTPUT_LIMIT):
        return ""
    said = _last_line(outcome.stderr)
    if outcome.signal is not None:
        return f"ended by signal {outcome.signal}" + (f": {said}" if said else "")
    return said or f"exit code {outcome.exit_code}"


def _last_line(stderr: bytes) -> str:
    lines = stderr[-4 * DETAIL :].decode("utf-8", "replace").strip().splitlines()
    return _ADDRESS.sub("0x...", lines[-1].strip())[:DETAIL] if lines else ""
