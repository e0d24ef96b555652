"""The code verifier: every kind of spec, every status it can reach, and the ways to cheat it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.registry import find, run_verifier
from reasonry.sandbox import Ended, Outcome, Sandbox, SandboxUnavailable
from reasonry.testing import check_verifier
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all
from reasonry.verifiers.code_spec import read_spec
from tests.cli.test_cli import reasonry

ROOT = Path(__file__).resolve().parents[2]
C, W, U, T, E, S = Status.CORRECT, Status.INCORRECT, Status.UNPARSED, Status.TIMEOUT, Status.ERROR, Status.SKIPPED


@pytest.fixture(scope="module", autouse=True)
def confined() -> None:
    """Skip where this machine has no sandbox."""
    with Sandbox() as sandbox:
        try:
            sandbox.run("")
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))


def fenced(program: str, tag: str = "python") -> str:
    return f"Here it is.\n\n```{tag}\n{program}\n```\n"


def question(**spec: Any) -> Question:
    return Question("?", None, "code", spec)


def verify(program: str, **spec: Any) -> Verdict:
    """The verdict on a program in a fence."""
    return verify_response(fenced(program, spec.get("language", "python")), **spec)


def verify_response(response: str, **spec: Any) -> Verdict:
    return run_verifier(find("verifier", "code"), question(**spec), response)


def stdin_tests(*tests: tuple[str, str]) -> list[dict[str, str]]:
    return [{"input": given, "output": output} for given, output in tests]


DOUBLES = stdin_tests(("21", "42"), ("0", "0"), ("-4", "-8"))
DOUBLE = "print(int(input()) * 2)"
NOTHING = stdin_tests(("", ""))


def prints(text: str) -> str:
    return f"print({text!r})"


# --- every kind of spec

ADD = "def add(a, b):\n    return a + b"
SUBTRACT = "def add(a, b):\n    return a - b"
SUMS: list[dict[str, Any]] = [{"args": [20, 22], "expected": 42}, {"args": [1, 2], "expected": 3}]
HUMANEVAL = "def check(candidate):\n    assert candidate(20, 22) == 42\n    assert candidate(1, 2) == 3\n"
HEAD = 'from typing import List\n\n\ndef total(numbers: List[int]) -> int:\n    """The sum."""\n'
METHOD = "class Solution:\n    def add(self, a: int, b: int) -> int:\n        return a {} b"
DIVISOR = """
def check(input, output, expected):
    n, divisor = int(input), int(output)
    return 1 < divisor < n and n % divisor == 0
"""
KINDS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "stdin": ({"tests": DOUBLES}, DOUBLE, ["print(42)", "print(input())", "", "print(int(input()) ** 2)"]),
    "calls": ({"fn_name": "add", "tests": SUMS}, ADD, [SUBTRACT, "def sub(a, b): return a + b", "add = 42"]),
    "calls of a method": ({"fn_name": "add", "tests": SUMS}, METHOD.format("+"), [METHOD.format("-")]),
    "calls by name": (
        {"fn_name": "add", "tests": [{"args": [1], "kwargs": {"b": 2}, "expected": 3}]},
        ADD,
        [SUBTRACT, "def add(a, c): return a + c"],
    ),
    "harness": ({"harness": "assert add(1, 2) == 3"}, ADD, [SUBTRACT, "x = 1"]),
    "harness of humaneval": (
        {"harness": HUMANEVAL + "check(add)", "entry_point": "add"},
        ADD,
        [SUBTRACT, "def check(f): pass\n" + SUBTRACT],
    ),
    "harness that says candidate": ({"harness": HUMANEVAL + "check(candidate)", "entry_point": "add"}, ADD, [SUBTRACT]),
    "harness of a method": ({"harness": HUMANEVAL + "check(Solution().add)"}, METHOD.format("+"), [METHOD.format("-")]),
    "harness with starter": (
        {"harness": "assert total([1, 2]) == 3", "starter_code": HEAD, "entry_point": "total"},
        "    return sum(numbers)",
        ["    return len(numbers)", "    pass", "    return numbers"],
    ),
    "checker": (
        {"tests": [{"input": "15"}, {"input": "8"}], "checker": DIVISOR},
        "n = int(input())\nprint(min(d for d in range(2, n) if n % d == 0))",
        ["print(3)", "print(1)", "print(0)"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_conformance_kit_holds_for_every_kind_of_spec(kind: str) -> None:
    spec, right, wrong = KINDS[kind]
    check_verifier(find("verifier", "code"), question(**spec), fenced(right), [fenced(program) for program in wrong])


def test_a_starter_may_be_completed_or_written_anew() -> None:
    spec = {"harness": "assert total([1, 2]) == 3", "starter_code": HEAD, "entry_point": "total"}
    assert verify_response("    return sum(numbers)", **spec).status is C
    assert verify("def total(numbers: List[int]) -> int:\n    return sum(numbers)", **spec).status is C
    assert verify("def other(numbers):\n    return sum(numbers)", **spec).status is W


def test_the_block_that_defines_the_entry_point_is_the_program() -> None:
    response = fenced(ADD) + "For example:\n" + fenced("print(add(1, 2))")
    for spec in ({"fn_name": "add", "tests": SUMS}, {"harness": "assert add(1, 2) == 3", "entry_point": "add"}):
        assert verify_response(response, **spec).status is C


COMPARED: list[tuple[str, str, dict[str, Any], Status]] = [
    ("1  2\n3\n\n", "1 2 3", {}, C),
    ("1 2 3", "1 2 3 4", {}, W),
    ("1 2 3 4", "1 2 3", {}, W),
    ("3 2 1", "1 2 3", {}, W),
    ("1 2 3", "1\n2 3", {"compare": "lines"}, W),
    ("1 2 \n3\n", "1 2\n3", {"compare": "lines"}, C),
    ("1  2", "1 2", {"compare": "lines"}, W),
    ("a b ", "a b", {"compare": "exact"}, W),
    ("a b", "a b", {"compare": "exact"}, C),
    ("YES", "yes", {}, W),
    ("YES", "yes", {"ignore_case": True}, C),
    ("0.33333", "0.33334", {}, W),
    ("0.33333", "0.33334", {"abs_tol": 1e-4}, C),
    ("0.33333", "0.33334", {"abs_tol": 1e-6}, W),
    ("1000001", "1000000", {"rel_tol": 1e-5}, C),
    ("1000001", "1000000", {"rel_tol": 1e-7}, W),
    ("nan", "0.5", {"abs_tol": 1e9}, W),
]


@pytest.mark.parametrize(("printed", "expected", "rule", "status"), COMPARED)
def test_output_is_compared_as_the_spec_says(printed: str, expected: str, rule: dict[str, Any], status: Status) -> None:
    assert verify(prints(printed), tests=stdin_tests(("", expected)), **rule).status is status


RETURNED: list[tuple[str, Any, dict[str, Any], Status]] = [
    ("(1, 2)", [1, 2], {}, C),
    ("[2, 1]", [1, 2], {}, W),
    ("[2, 1]", [1, 2], {"unordered": True}, C),
    ("[2, 2]", [1, 2], {"unordered": True}, W),
    ("{1, 2}", [1, 2], {}, W),
    ("{1, 2}", [1, 2], {"unordered": True}, C),
    ("0.1 + 0.2", 0.3, {}, W),
    ("0.1 + 0.2", 0.3, {"rel_tol": 1e-9}, C),
    ("0.4", 0.3, {"abs_tol": 0.01}, W),
    ("True", 1, {}, W),
    ("1", True, {}, W),
    ("'1'", 1, {}, W),
    ("None", None, {}, C),
    ("{1: 'a'}", {"1": "a"}, {}, C),
    ("{'1': 'a', 1: 'a'}", {"1": "a"}, {}, W),
    ("10 ** 30", 10**30, {}, C),
    ("object()", None, {}, W),
    ("print", None, {}, W),
]


@pytest.mark.parametrize(("value", "expected", "rule", "status"), RETURNED)
def test_values_are_compared_as_the_spec_says(value: str, expected: Any, rule: dict[str, Any], status: Status) -> None:
    tests = [{"args": [], "expected": expected}]
    assert verify(f"def f():\n    return {value}", fn_name="f", tests=tests, **rule).status is status


BURNS = "import time\nwhile time.process_time() < 0.5: pass\nprint(1)"
TAKES = "x = bytearray(300 << 20)\nprint(1)"


@pytest.mark.parametrize(
    ("program", "limit", "status"),
    [
        (BURNS, {"time_limit_s": 3}, C),
        (BURNS, {"time_limit_s": 0.2}, T),
        (TAKES, {"memory_mb": 512}, C),
        (TAKES, {"memory_mb": 128}, W),
        (TAKES, {}, C),
    ],
)
def test_the_limits_of_the_spec_hold(program: str, limit: dict[str, Any], status: Status) -> None:
    assert verify(program, tests=stdin_tests(("", "1")), **limit).status is status


def test_the_limits_of_the_spec_hold_for_calls_and_harnesses() -> None:
    program = "def f():\n    while True: pass"
    limit = {"time_limit_s": 0.2}
    assert verify(program, fn_name="f", tests=[{"args": [], "expected": 1}], **limit).status is T
    assert verify(program, harness="assert f() == 1", **limit).status is T
    assert verify("def f(): return 1", harness="f()\nwhile True: pass", **limit).status is not C


OTHER_LANGUAGES = {
    "cpp": ("g++", "#include <iostream>\nint main() {{ int n; std::cin >> n; std::cout << n * {}; }}"),
    "javascript": ("node", "console.log(+require('fs').readFileSync(0, 'utf8') * {})"),
    "java": (
        "javac",
        "import java.util.*;\npublic class Twice {{ public static void main(String[] given) {{\n"
        "System.out.println(new Scanner(System.in).nextInt() * {}); }} }}",
    ),
}
OTHER_HARNESSES = {
    "cpp": ("int twice(int n) {{ return n * {}; }}", "#include <cassert>\nint main() {{ assert(twice(21) == 42); }}"),
    "javascript": ("const twice = (n) => n * {};", "console.assert(twice(21) === 42)"),
    "java": (
        "class Solution {{ int twice(int n) {{ return n * {}; }} }}",
        "public class Main {{ public static void main(String[] given) {{\n"
        "if (new Solution().twice(21) != 42) throw new AssertionError(); }} }}",
    ),
}


@pytest.fixture
def installed(language: str) -> None:
    tool = OTHER_LANGUAGES[language][0]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_another_language_is_judged_by_its_output(language: str) -> None:
    program = OTHER_LANGUAGES[language][1]
    spec = {"language": language, "tests": DOUBLES}
    assert verify(program.format(2), **spec).evidence["outcomes"] == ["ok"] * 3
    assert verify(program.format(3), **spec).status is W
    broken = verify(program.format(2) + "\n} this is ; no program {", **spec)
    assert broken.status is W
    assert broken.evidence["passed"] == 0


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_another_language_is_judged_by_a_harness(language: str) -> None:
    program, harness = OTHER_HARNESSES[language]
    spec = {"language": language, "harness": harness.format()}
    assert verify(program.format(2), **spec).status is C
    assert verify(program.format(3), **spec).status is W


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_another_language_has_its_time_limit(language: str) -> None:
    loops = {"cpp": "int main() { for (volatile int i = 0;; i = i + 1) {} }", "javascript": "for (;;) {}"}
    java = "public class Main { public static void main(String[] given) { for (;;) {} } }"
    spec = {"language": language, "tests": NOTHING, "time_limit_s": 1}
    assert verify(loops.get(language, java), **spec).status is T


# --- every status

FAULTS = {
    "another output": (prints("2"), "wrong", "line 1: expected '1', got '2'"),
    "no output": ("x = 1", "wrong", "expected '1', got nothing more"),
    "an exception after the right output": ("print(1)\nraise KeyError('k')", "runtime_error", "KeyError: 'k'"),
    "exit code 1 after the right output": ("print(1)\nexit(1)", "runtime_error", "exit code 1"),
    "a signal after the right output": (
        "import os\nprint(1, flush=True)\nos.abort()",
        "runtime_error",
        "ended by signal 6",
    ),
    "a text as exit code": ("print(1)\nexit('no')", "runtime_error", "no"),
    "too much output": ("while True: print('1' * 10000)", "output_limit", "output limit"),
    "text that does not compile": ("print(1)\ndef f(:\n", "compile_error", "SyntaxError"),
    "endless recursion": ("def f(): return f()\nf()", "runtime_error", "RecursionError"),
    "a module that does not exist": ("import nowhere\nprint(1)", "runtime_error", "No module named 'nowhere'"),
    "reading beyond the input": ("input()\nprint(input())", "runtime_error", "EOF"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_program_does_wrong_is_incorrect_and_named(fault: str) -> None:
    program, word, said = FAULTS[fault]
    verdict = verify(program, tests=stdin_tests(("", "1")))
    assert (verdict.status, verdict.evidence["outcomes"]) == (W, [word])
    assert verdict.detail.startswith("test 1: ")
    assert said in verdict.detail


HARNESS_FAULTS = {
    "a wrong value": (SUBTRACT, "AssertionError"),
    "an exception": ("def add(a, b): raise KeyError('k')", "KeyError"),
    "no such function": ("def sum_of(a, b): return a + b", "add"),
    "text that does not compile": ("def add(a, b) return a + b\nimport x", "SyntaxError"),
    "an exception before anything is asked": ("raise OSError('early')\n" + ADD, "early"),
    "leaving": ("import os\ndef add(a, b): os._exit(0)", "ended"),
}


@pytest.mark.parametrize("fault", HARNESS_FAULTS)
def test_what_a_program_does_wrong_under_a_harness_is_incorrect_and_named(fault: str) -> None:
    program, said = HARNESS_FAULTS[fault]
    verdict = verify(program, harness=HUMANEVAL + "check(add)")
    assert (verdict.status, verdict.evidence["passed"]) == (W, 0)
    assert said in verdict.detail


def test_endless_work_is_a_timeout_and_endless_sleep_an_error_of_ours() -> None:
    """A program that hardly ran before the clock ended it may have been starved by the machine."""
    spec = {"tests": stdin_tests(("", "1")), "time_limit_s": 0.2}
    working, sleeping = verify("while True: pass", **spec), verify("import time\ntime.sleep(100)\nprint(1)", **spec)
    assert (working.status, working.evidence["outcomes"]) == (T, ["time_limit"])
    assert (sleeping.status, sleeping.evidence["outcomes"]) == (E, ["starved"])
    assert "sleeps" in sleeping.detail
    assert sleeping.seconds > 2 * 5 * 0.2  # it was given a second chance


SLEEPER = "import time\ndef f(): time.sleep(100)"


@pytest.mark.parametrize(
    "spec",
    [
        {"fn_name": "f", "tests": [{"args": [], "expected": 1}]},
        {"harness": "assert f() == 1"},
        {"harness": "import time\nassert f is not None\ntime.sleep(100)"},
        {"tests": NOTHING, "checker": "import time\ndef check(*given): time.sleep(100)"},
    ],
    ids=["call", "harness", "sleeping harness", "sleeping checker"],
)
def test_whatever_sleeps_is_an_error_of_ours(spec: dict[str, Any]) -> None:
    assert verify(SLEEPER, time_limit_s=0.1, **spec).status is E


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_a_compiled_program_that_sleeps_is_an_error_of_ours() -> None:
    program = "#include <unistd.h>\nint twice(int n) { sleep(100); return 2 * n; }"
    spec = {"language": "cpp", "harness": OTHER_HARNESSES["cpp"][1].format(), "time_limit_s": 0.2}
    assert verify(program, **spec).status is E


STARVED = Outcome(Ended.TIME_LIMIT, limit="wall", cpu_s=0.0, wall_s=30.0)


def test_a_test_that_was_starved_once_has_the_verdict_of_its_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = Sandbox.run_tests, list[list[str]]()

    def starve(self: Sandbox, program: str, inputs: Sequence[Any], *rest: Any) -> list[Outcome]:
        asked.append(list(inputs))
        outcomes = real(self, program, inputs, *rest)
        return [*outcomes[:2], STARVED] if len(inputs) > 1 else outcomes

    monkeypatch.setattr(Sandbox, "run_tests", starve)
    tests = stdin_tests(*((str(n), str(2 * n)) for n in range(7)))
    assert verify(DOUBLE, tests=tests).evidence["outcomes"] == ["ok"] * 7
    assert asked == [["0"], ["1", "2", "3", "4", "5", "6"], ["3"], ["4", "5", "6"], ["6"]]


def test_an_error_of_ours_gives_way_to_a_fault_of_the_program() -> None:
    program = "import time\nif input() == 'a': time.sleep(100)\nprint(2)"
    spec = {"tests": stdin_tests(("a", "1"), ("b", "1")), "time_limit_s": 0.1}
    assert verify(program, **spec).status is E
    verdict = verify(program, run_all=True, **spec)
    assert (verdict.status, verdict.evidence["outcomes"]) == (W, ["starved", "wrong"])
    assert verdict.detail.startswith("test 2: ")


@pytest.mark.parametrize(
    "response",
    ["", "I do not know.", "The answer is 42.", "<think>\n" + fenced(DOUBLE), "```\n\n```", fenced("int x;", "cpp")],
)
def test_a_response_without_a_program_is_unparsed(response: str) -> None:
    verdict = verify_response(response, tests=DOUBLES)
    assert (verdict.status, verdict.extracted) == (U, None)
    assert verdict.detail == "no python program found"


def test_a_program_in_the_reasoning_is_not_the_response() -> None:
    assert verify_response(f"<think>{fenced('print(0)')}</think>{fenced(DOUBLE)}", tests=DOUBLES).status is C
    assert verify_response(f"<think>{fenced(DOUBLE)}</think>I am done.", tests=DOUBLES).status is U


@pytest.mark.parametrize(
    "spec", [{}, {"tests": []}, {"harness": ""}, {"harness": " \n"}, {"fn_name": "f"}, {"fn_name": "f", "tests": []}]
)
def test_a_question_without_tests_is_skipped(spec: dict[str, Any]) -> None:
    verdict = verify(DOUBLE, **spec)
    assert (verdict.status, verdict.detail) == (S, "the question has no tests")


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"test": DOUBLES}, "unknown key 'test': did you mean 'tests'?"),
    ({"time_limit": 3}, "unknown key 'time_limit': did you mean 'time_limit_s'?"),
    ({"zzz": 3}, "unknown key 'zzz': known: abs_tol, checker, compare"),
    ({"language": "pyhton"}, "no language 'pyhton': did you mean 'python'?"),
    ({"language": 3}, "language must be text"),
    ({"tests": {"input": ""}}, "tests must be a list"),
    ({"tests": ["1"]}, "tests[0] must be an object"),
    ({"tests": [*NOTHING, None]}, "tests[1] must be an object"),
    ({"tests": [{"input": 1, "output": "2"}]}, "tests[0] needs input and output, both text"),
    ({"tests": [{"input": "1", "output": 2}]}, "tests[0] needs input and output, both text"),
    ({"tests": [{"input": "1"}]}, "tests[0] needs input and output, both text"),
    ({"tests": [{"args": [1], "expected": 2}]}, "tests[0] has args: name the function in fn_name"),
    ({"fn_name": "f", "tests": [{"args": [1]}]}, "tests[0] needs args, a list, and expected"),
    ({"fn_name": "f", "tests": [{"args": 1, "expected": 1}]}, "tests[0] needs args, a list, and expected"),
    ({"fn_name": "f", "tests": [{"kwargs": [], "expected": 1}]}, "tests[0] needs args, a list, and expected"),
    ({"fn_name": 1, "tests": SUMS}, "fn_name must be text"),
    ({"fn_name": "f", "tests": SUMS, "language": "java"}, "fn_name needs Python: give a harness"),
    ({"tests": DOUBLES, "harness": "assert True"}, "tests and harness: give one of them"),
    ({"harness": ["assert True"]}, "harness must be text"),
    ({"harness": "pass", "entry_point": None}, "entry_point must be text"),
    ({"harness": "pass", "starter_code": 1}, "starter_code must be text"),
    ({"tests": DOUBLES, "checker": True}, "checker must be text"),
    ({"tests": DOUBLES, "time_limit_s": 0}, "time_limit_s must be a number of more than 0 and at most 3600"),
    ({"tests": DOUBLES, "time_limit_s": "6"}, "time_limit_s must be a number"),
    ({"tests": DOUBLES, "time_limit_s": True}, "time_limit_s must be a number"),
    ({"tests": DOUBLES, "time_limit_s": float("nan")}, "time_limit_s must be a number"),
    ({"tests": DOUBLES, "time_limit_s": float("inf")}, "time_limit_s must be a number"),
    ({"tests": DOUBLES, "memory_mb": -1}, "memory_mb must be a number of more than 0"),
    ({"tests": DOUBLES, "memory_mb": 0.5}, "memory_mb must be"),
    ({"tests": DOUBLES, "memory_mb": 10**9}, "memory_mb must be a number of more than 0 and at most"),
    ({"tests": DOUBLES, "run_all": "yes"}, "run_all must be true or false"),
    ({"tests": DOUBLES, "unordered": 1}, "unordered must be true or false"),
    ({"tests": DOUBLES, "ignore_case": 1}, "ignore_case must be true or false"),
    ({"tests": DOUBLES, "compare": "words"}, 'compare must be "tokens", "lines" or "exact"'),
    ({"tests": DOUBLES, "rel_tol": "1e-9"}, "rel_tol must be a number that is finite and not negative"),
    ({"tests": DOUBLES, "abs_tol": -1}, "abs_tol must be a number that is finite and not negative"),
    ({"tests": DOUBLES, "compare": "exact", "abs_tol": 1}, "allows neither a tolerance nor ignore_case"),
]


@pytest.mark.parametrize(("spec", "said"), MALFORMED)
def test_a_malformed_spec_is_an_error_and_one_sentence_says_why(spec: dict[str, Any], said: str) -> None:
    verdict = verify(DOUBLE, **spec) if isinstance(spec.get("language", ""), str) else verify_response("", **spec)
    assert verdict.status is E
    assert said in verdict.detail
    assert verdict.detail.startswith("spec: ")
    assert "\n" not in verdict.detail


def test_every_key_of_the_spec_is_in_its_table() -> None:
    """So that a key that is documented is known, and one that is known is documented."""
    from reasonry.verifiers import code_spec

    assert code_spec.__doc__ is not None
    left = [line.split("|")[1] for line in code_spec.__doc__.splitlines() if line.startswith("| `")]
    documented = {key.strip(" `") for cell in left for key in cell.split(",")}
    with pytest.raises(ValueError, match="known: ") as caught:
        read_spec({"?": 1})
    assert documented == set(str(caught.value).partition("known: ")[2].split(", "))


def test_a_machine_without_a_sandbox_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise SandboxUnavailable("no box", hint="switch it on")

    monkeypatch.setattr(Sandbox, "run_tests", refuse)
    verdict = verify(DOUBLE, tests=DOUBLES)
    assert (verdict.status, verdict.detail) == (E, "no box; hint: switch it on")
