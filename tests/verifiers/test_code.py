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
from tests.sandbox.forgeries import (
    CALL_FORGERIES,
    HARNESS,
    HARNESS_FORGERIES,
    STDIN_FORGERIES,
    Forgery,
)

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
        (
            "public class Twice {{ public static void main(String[] given) {{"
            " System.out.println(new java.util.Scanner(System.in).nextInt() * {}); }} }}"
        ),
    ),
}
OTHER_HARNESSES = {
    "cpp": ("int twice(int n) {{ return n * {}; }}", "#include <cassert>\nint main() {{ assert(twice(21) == 42); }}"),
    "javascript": ("const twice = (n) => n * {};", "console.assert(twice(21) === 42)"),
    "java": (
        "class Solution {{ int twice(int n) {{ return n * {}; }} }}",
        (
            "public class Main {{ public static void main(String[] given) {{"
            " if (new Solution().twice(21) != 42) throw new AssertionError(); }} }}"
        ),
    ),
}


@pytest.fixture
def installed(language: str) -> None:
    tool = OTHER_LANGUAGES[language][0]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    with Sandbox() as sandbox:
        if sandbox.tier != "namespaces":
            pytest.skip(f"tier {sandbox.tier} runs Python only")


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


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", ["cpp"])
def test_a_compiled_program_that_sleeps_is_an_error_of_ours(language: str) -> None:
    program = "#include <unistd.h>\nint twice(int n) { sleep(100); return 2 * n; }"
    spec = {"language": language, "harness": OTHER_HARNESSES["cpp"][1].format(), "time_limit_s": 0.2}
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


# --- what a verdict says

SQUARES = stdin_tests(*((str(n), str(n * n)) for n in range(30)))


def wrong_at(*places: int) -> str:
    return f"n = int(input())\nprint(n * n + (n in {places}))"


def test_a_verdict_shows_its_evidence() -> None:
    verdict = verify(wrong_at(2), tests=SQUARES[:4])
    assert (verdict.verifier, verdict.extracted) == ("code@1", wrong_at(2) + "\n")
    assert verdict.detail == "test 3: line 1: expected '4', got '5'"
    assert verdict.evidence == {
        "rule": "fence",
        "language": "python",
        "tests": 4,
        "passed": 2,
        "outcomes": ["ok", "ok", "wrong"],
    }


def test_a_harness_is_one_test() -> None:
    evidence = verify(ADD, harness=HUMANEVAL + "check(add)").evidence
    assert (evidence["tests"], evidence["passed"], evidence["outcomes"]) == (1, 1, ["ok"])


def test_a_right_program_has_no_detail() -> None:
    assert verify(wrong_at(), tests=SQUARES).detail == ""


@pytest.mark.parametrize("place", [0, 1, 6, 7, 16, 29])
def test_the_first_failure_among_thirty_is_found_at_its_place(place: int) -> None:
    """Tests run in batches that grow: at the edges of one, and within."""
    verdict = verify(wrong_at(place, 29), tests=SQUARES)
    assert verdict.detail == f"test {place + 1}: line 1: expected '{place**2}', got '{place**2 + 1}'"
    assert verdict.evidence["outcomes"] == ["ok"] * place + ["wrong"]


@pytest.mark.parametrize("place", [0, 1, 6, 7, 16, 29])
def test_the_first_failing_call_among_thirty_is_found_at_its_place(place: int) -> None:
    tests = [{"args": [n], "expected": n * n} for n in range(30)]
    program = f"def f(n):\n    return n * n // (n not in ({place}, 29)) "
    verdict = verify(program, fn_name="f", tests=tests)
    assert (verdict.status, verdict.evidence["passed"]) == (W, place)
    assert verdict.evidence["outcomes"] == ["ok"] * place + ["runtime_error"]
    assert verdict.detail.startswith(f"test {place + 1}: ZeroDivisionError")


def test_run_all_runs_every_test_past_each_failure() -> None:
    verdict = verify(wrong_at(0, 8, 17), tests=SQUARES, run_all=True)
    assert verdict.evidence["outcomes"] == ["wrong" if n in (0, 8, 17) else "ok" for n in range(30)]
    assert (verdict.evidence["passed"], verdict.evidence["tests"]) == (27, 30)
    assert verdict.detail.startswith("test 1: ")


def test_run_all_goes_on_past_an_exception_and_a_timeout() -> None:
    program = "n = int(input())\nassert n != 2\nwhile n == 5: pass\nprint(n * n)"
    verdict = verify(program, tests=SQUARES[:8], run_all=True, time_limit_s=0.2)
    words = ["ok", "ok", "runtime_error", "ok", "ok", "time_limit", "ok", "ok"]
    assert (verdict.status, verdict.evidence["outcomes"]) == (W, words)


def test_run_all_does_not_compile_again_what_did_not_compile() -> None:
    assert verify("def f(:", tests=SQUARES, run_all=True).evidence["outcomes"] == ["compile_error"]


def test_more_tests_than_one_message_holds_are_all_run() -> None:
    tests = stdin_tests(*((str(n), str(n * n)) for n in range(150)))
    assert verify(wrong_at(), tests=tests).evidence["passed"] == 150
    assert verify(wrong_at(149), tests=tests).evidence["passed"] == 149


def test_a_verdict_keeps_no_more_than_the_head_of_a_long_program() -> None:
    verdict = verify(DOUBLE + "\n" + "# a comment\n" * 5000, tests=DOUBLES)
    assert verdict.status is C
    assert len(verdict.extracted or "") == 20_000


def test_a_detail_is_one_short_line() -> None:
    verdict = verify("raise ValueError('x' * 10000 + '\\n' + 'y' * 10000)", tests=NOTHING)
    assert len(verdict.detail) <= 300
    assert "\n" not in verdict.detail


ADDRESSES: list[tuple[str, dict[str, Any]]] = [
    ("print(object())", {"tests": NOTHING, "compare": "lines"}),
    ("print('a', object())", {"tests": stdin_tests(("", "a b")), "compare": "lines"}),
    ("raise ValueError(object())", {"tests": NOTHING}),
    ("def f(): raise ValueError(object())", {"fn_name": "f", "tests": [{"args": [], "expected": 1}]}),
    ("def f(): return [repr(object())]", {"fn_name": "f", "tests": [{"args": [], "expected": ["a"]}]}),
    ("def f(): raise ValueError(object())", {"harness": "f()"}),
    ("def f(): return str(f)", {"harness": "assert f() == 1, f()"}),
    ("raise ValueError(object())", {"harness": "f()"}),
]


@pytest.mark.parametrize(("program", "spec"), ADDRESSES)
def test_a_detail_holds_no_address_and_repeats(program: str, spec: dict[str, Any]) -> None:
    first, second = verify(program, **spec), verify(program, **spec)
    assert (first.status, first.detail) == (W, second.detail)
    assert "0x..." in first.detail
    assert "0x7f" not in first.detail


@pytest.mark.parametrize(
    ("program", "spec"),
    [
        ("def f(): return '{}' + repr(object())", {"fn_name": "f", "tests": [{"args": [], "expected": 1}]}),
        ("def f(): raise ValueError('{}' + repr(object()))", {"harness": "f()"}),
    ],
)
def test_no_cut_leaves_a_part_of_an_address(program: str, spec: dict[str, Any]) -> None:
    lengths = range(34, 38) if "fn_name" in spec else range(263, 267)
    details = [verify(program.format("x" * length), **spec).detail for length in lengths]
    assert not [detail for detail in details if "0x7" in detail]


ELSEWHERE = """
import json, sys
from reasonry.registry import find, run_verifier
from reasonry.types import Question
for program, spec in json.load(sys.stdin):
    verdict = run_verifier(find("verifier", "code"), Question("?", None, "code", spec), f"```python\\n{program}\\n```")
    print(json.dumps([verdict.status, verdict.extracted, verdict.detail, dict(verdict.evidence)]))
"""


def test_two_processes_find_the_same_verdicts() -> None:
    """Also where the order of a set of texts, or a number of a process, is in the output."""
    rows = [*ADDRESSES, *((program, spec) for spec, right, wrong in KINDS.values() for program in (right, *wrong))]
    rows += [(program, {"tests": NOTHING}) for program, _, _ in FAULTS.values()]
    rows += [
        ("print({'a', 'b', 'c', 'd'}, hash('a'))", {"tests": NOTHING, "compare": "lines"}),
        ("import os\nprint(os.getpid(), os.getcwd(), os.environ)", {"tests": NOTHING, "compare": "lines"}),
    ]
    said = [
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE], input=json.dumps(rows), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert len(said[0]) == len(rows)
    assert said[0] == said[1]


# --- harnesses: what goes to the program and what comes back

LIST_NODE = """
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next

class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val, self.left, self.right = val, left, right
"""
LISTS = """
def chain(values):
    head = None
    for value in reversed(values):
        head = ListNode(value, head)
    return head

def values(node):
    return [] if node is None else [node.val] + values(node.next)
"""
TREES = """
def check(candidate):
    assert candidate(None) == 0
    assert candidate(TreeNode(1)) == 1
    assert candidate(TreeNode(1, TreeNode(2, None, TreeNode(3)), TreeNode(4))) == 3
check(Solution().depth)
"""
LEET_STARTER = LIST_NODE + "\nclass Solution:\n    def {}(self, head):\n        pass\n"


def test_a_tree_is_handed_to_a_class_solution() -> None:
    right = (
        "class Solution:\n    def depth(self, root: Optional[TreeNode]) -> int:\n"
        "        return 1 + max(self.depth(root.left), self.depth(root.right)) if root else 0"
    )
    spec = {"harness": TREES, "starter_code": LEET_STARTER.format("depth"), "entry_point": "Solution"}
    assert verify(right, **spec).status is C
    assert verify(right.replace("1 + max", "1 + min"), **spec).status is W


REVERSE = """
class Solution:
    def reverse(self, head):
        before = None
        while head:
            head.next, before, head = before, head, head.next
        return before
"""


@pytest.mark.parametrize("own_class", ["", LIST_NODE])
def test_a_linked_list_is_handed_over_and_comes_back(own_class: str) -> None:
    harness = LISTS + "def check(candidate):\n    assert values(candidate(chain([1, 2, 3]))) == [3, 2, 1]\n"
    harness += "    assert candidate(None) is None\ncheck(Solution().reverse)"
    spec = {"harness": harness, "starter_code": LEET_STARTER.format("reverse"), "entry_point": "Solution"}
    assert verify(own_class + REVERSE, **spec).status is C
    assert verify(own_class + REVERSE.replace("return before", "return head"), **spec).status is W


def test_a_long_list_and_a_cycle_are_handed_over() -> None:
    harness = LISTS + "head = chain(list(range(5000)))\nassert not Solution().cyclic(head)\n"
    harness += "ring = chain([1, 2])\nring.next.next = ring\nassert Solution().cyclic(ring)"
    program = """
class Solution:
    def cyclic(self, head):
        seen = set()
        while head and id(head) not in seen:
            seen.add(id(head))
            head = head.next
        return head is not None
"""
    spec = {"harness": harness, "starter_code": LEET_STARTER.format("cyclic")}
    assert verify(program, **spec).status is C
    assert verify(program.replace("is not None", "is None"), **spec).status is W


IN_PLACE = {
    "a list": ("def f(x): x.sort()", "def f(x): return sorted(x)", "x = [3, 1, 2]\nf(x)\nassert x == [1, 2, 3]"),
    "a dict": ("def f(x): x.pop(1)", "def f(x): return {}", "x = {1: 2}\nf(x)\nassert x == {}"),
    "a set": ("def f(x): x.add(1)", "def f(x): return {1}", "x = set()\nf(x)\nassert x == {1}"),
    "the rows of a matrix": (
        "def f(x): x[:] = [list(row) for row in zip(*x)]",
        "def f(x): x = [list(row) for row in zip(*x)]",
        "x = [[1, 2], [3, 4]]\nf(x)\nassert x == [[1, 3], [2, 4]]",
    ),
    "a list in a list": ("def f(x): x[0].append(1)", "def f(x): return 1", "x = [[]]\nf(x)\nassert x == [[1]]"),
    "the second argument": ("def f(a, b): b.append(a)", "def f(a, b): b = [a]", "x = []\nf(1, x)\nassert x == [1]"),
    "one argument given twice": (
        "def f(a, b): a.append(1); return b",
        "def f(a, b): return [2]",
        "x = []\nf(x, x)\nassert x == [1]",
    ),
    "nothing": ("def f(x): return sorted(x)", "def f(x): x.sort(); return x", "x = [2, 1]\nf(x)\nassert x == [2, 1]"),
}


@pytest.mark.parametrize("what", IN_PLACE)
def test_what_a_call_changes_in_place_is_changed_for_the_harness(what: str) -> None:
    right, wrong, harness = IN_PLACE[what]
    assert verify(right, harness=harness).status is C
    assert verify(wrong, harness=harness).status is W


@pytest.mark.parametrize(
    ("program", "harness"),
    [
        ("def f(x): x.append(1)", "x = []\nf(x=x)\nassert x == [1]"),
        ("def f(x): x[0].append(1)", "x = ([],)\nf(x)\nassert x == ([1],)"),
        ("def f(x): x.append(1)", "from collections import deque\nx = deque()\nf(x)\nassert list(x) == [1]"),
        (
            "def f(x): x['a'] += 1",
            "from collections import defaultdict\nx = defaultdict(int)\nf(x)\nassert x == {'a': 1}",
        ),
    ],
    ids=["by name", "in a tuple", "deque", "defaultdict"],
)
def test_a_right_program_that_changes_its_argument_is_not_incorrect(program: str, harness: str) -> None:
    assert verify(program, harness=harness).status is not W


@pytest.mark.parametrize(
    ("program", "harness"),
    [
        ("def f(g): return g(lambda n: n + 1)", "assert f(lambda h: h(1)) == 2"),
        (
            "def f(g):\n    try:\n        return g(0)\n    except ZeroDivisionError:\n        return -1",
            "assert f(lambda n: 1 / n) == -1",
        ),
    ],
    ids=["calls back", "raises"],
)
def test_a_right_program_that_calls_back_is_not_incorrect(program: str, harness: str) -> None:
    assert verify(program, harness=harness).status is not W


NODES = {
    "changed in place": (
        "head.val, head.next.val = 2, 1",
        "h = chain([1, 2])\nSolution().f(h)\nassert values(h) == [2, 1]",
    ),
    "shared by two arguments": ("return head.next is more[0]", "h = chain([1, 2])\nassert Solution().f(h, h.next)"),
    "given back": ("return head", "h = chain([1, 2])\nassert Solution().f(h) is h"),
}


@pytest.mark.parametrize("what", NODES)
def test_a_right_program_on_nodes_is_not_incorrect(what: str) -> None:
    body, harness = NODES[what]
    program = f"class Solution:\n    def f(self, head, *more):\n        {body}"
    assert verify(program, harness=LISTS + harness, starter_code=LEET_STARTER.format("f")).status is not W


FORGED_NODE = """
class ListNode:
    def __init__(self, val=0, next=None):
        self.val, self.next = 0, None

class Solution:
    def reverse(self, head):
        return head
"""
OPEN_ENDS = ["        pass\n", '        """Reverse it."""\n', "", "        ", "\n"]


@pytest.mark.parametrize("end", OPEN_ENDS)
def test_a_class_of_the_starters_is_never_the_programs(end: str) -> None:
    """Whether or not the starter ends in the middle of a method, as starters of LeetCode do."""
    starter = LIST_NODE + "\nclass Solution:\n    def reverse(self, head):\n" + end
    harness = LISTS + "assert values(Solution().reverse(chain([1, 2, 3]))) == values(chain([3, 2, 1]))"
    spec = {"harness": harness, "starter_code": starter}
    assert verify(REVERSE, **spec).status is C
    assert verify(FORGED_NODE, **spec).status is W


STACK = """
class Stack:
    def __init__(self): self.held = []
    def push(self, x): self.held.append(x)
    def pop(self): return self.held.pop()
    def __len__(self): return len(self.held)
"""
EXPECTS = """
import unittest
class Test(unittest.TestCase):
    def test(self):
        with self.assertRaises(ZeroDivisionError): f()
unittest.main()
"""
CONVERSATIONS: dict[str, tuple[str, str, str]] = {
    "a callback": (
        "def f(x, key): return sorted(x, key=key)",
        "def f(x, key): return sorted(x)",
        "assert f([3, 1, 2], lambda n: -n) == [3, 2, 1]",
    ),
    "a callback that keeps a record": (
        "def f(x, see):\n    for n in x: see(n)",
        "def f(x, see):\n    for n in x[1:]: see(n)",
        "seen = []\nf([1, 2], seen.append)\nassert seen == [1, 2]",
    ),
    "a generator": (
        "def f(n):\n    for i in range(n): yield i * i",
        "def f(n):\n    for i in range(n): yield i",
        "assert list(f(4)) == [0, 1, 4, 9]\nassert sum(f(4)) == 14",
    ),
    "an endless generator": (
        "def f():\n    n = 0\n    while True:\n        yield n\n        n += 1",
        "def f():\n    while True: yield 0",
        "from itertools import islice\ng = f()\nassert list(islice(g, 3)) == [0, 1, 2]\nassert next(g) == 3",
    ),
    "a function that is returned": (
        "def f(n): return lambda m: n + m",
        "def f(n): return lambda m: n",
        "assert f(1)(2) == 3",
    ),
    "an object with a state": (
        STACK,
        STACK.replace("pop()", "pop(0)"),
        "s = Stack()\ns.push(1)\ns.push(2)\nassert (len(s), s.pop(), s.held) == (2, 2, [1])",
    ),
    "an exception that is expected": (
        "def f(n):\n    if n < 0: raise ValueError('negative')\n    return n",
        "def f(n): return n",
        "try:\n    f(-1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'negative'",
    ),
    "an exception of the program's own": (
        "class Negative(ValueError): pass\ndef f(n): raise Negative(n)",
        "class Negative(KeyError): pass\ndef f(n): raise Negative(n)",
        "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass",
    ),
    "an exception that a unittest expects": (
        "def f(): return 1 / 0",
        "def f(): return 0",
        EXPECTS,
    ),
    "a constant": ("LIMIT = 10", "LIMIT = 11", "assert LIMIT == 10"),
    "a tuple": ("def f(): return (1, 'a', None)", "def f(): return [1, 'a', None]", "assert f() == (1, 'a', None)"),
    "a set of tuples": ("def f(): return {(1, 2)}", "def f(): return {(2, 1)}", "assert f() == {(1, 2)}"),
    "a number that is large": ("def f(): return 2 ** 5000", "def f(): return 2 ** 5001", "assert f() == 1 << 5000"),
    "infinity": ("def f(): return float('inf')", "def f(): return 1e308", "assert f() == float('inf')"),
    "bytes": ("def f(b): return b[::-1]", "def f(b): return b", "assert f(b'ab\\0') == b'\\0ba'"),
    "text beyond ASCII": ("def f(s): return s * 2", "def f(s): return s", "assert f('ü\\u2028') == 'ü\\u2028ü\\u2028'"),
    "defaults that stay": (
        "def f(n, seen=[]):\n    seen.append(n)\n    return len(seen)",
        "def f(n): return 1",
        "assert (f(0), f(0)) == (1, 2)",
    ),
}


@pytest.mark.parametrize("what", CONVERSATIONS)
def test_a_harness_and_a_program_exchange(what: str) -> None:
    right, wrong, harness = CONVERSATIONS[what]
    found = verify(right, harness=harness)
    assert found.status is C, found.detail
    assert verify(wrong, harness=harness).status is W


def test_a_starters_names_are_given_to_the_harness_and_the_program() -> None:
    """As in HumanEval/32: the helper stands in the prompt, and both use it."""
    starter = (
        "import math\nfrom typing import List\n\nSTEP = 2\n\ndef poly(xs: List[float], x: float) -> float:\n"
        "    return sum(c * math.pow(x, i) for i, c in enumerate(xs))\n\n\ndef root(xs: List[float]) -> float:\n"
    )
    harness = "def check(candidate):\n    assert math.fabs(poly([STEP, 1], candidate([STEP, 1]))) < 1e-9\ncheck(root)"
    spec = {"harness": harness, "starter_code": starter, "entry_point": "root"}
    assert verify_response("    return -xs[0] / xs[1] + 0 * poly(xs, STEP)", **spec).status is C
    assert (
        verify("def root(xs: List[float]) -> float:\n    return -xs[0] / xs[1] + 0 * poly(xs, STEP)", **spec).status
        is C
    )
    forged = "def poly(xs, x): return 0.0\nSTEP = 0\n\ndef root(xs):\n    return 1.0"
    assert verify(forged, **spec).status is W


NAMED_LIKE = {
    "a built-in": ("sum", "def sum(x, y): return x * y", "def sum(x, y): return x + y"),
    "a built-in type": ("list", "def list(x, y): return x * y", "def list(x, y): return [x, y]"),
    "a module": ("code", "def code(x, y): return x * y", "def code(x, y): return x + y"),
    "the check": ("check", "def check(x, y): return x * y", "def check(x, y): return x + y"),
    "its argument": ("candidate", "def candidate(x, y): return x * y", "def candidate(x, y): return x + y"),
}


@pytest.mark.parametrize("like", NAMED_LIKE)
def test_a_function_may_be_named_like(like: str) -> None:
    name, right, wrong = NAMED_LIKE[like]
    harness = f"def check_(candidate):\n    assert candidate(3, 4) == 12\ncheck_({name})"
    for spec in ({"entry_point": name}, {"starter_code": f"def {name}(x, y):\n"}):
        assert verify(right, harness=harness, **spec).status is C
        assert verify(wrong, harness=harness, **spec).status is W


NEARLY = "def check(candidate):\n    assert math.isclose(candidate(2.0), 1.41421356, rel_tol=1e-6)\n"
FORGED_MATH = "class math:\n    isclose = lambda *a, **k: True"
HELPERS = {
    "a module that nobody imported": (NEARLY + "check(root)", FORGED_MATH),
    "a module that is imported": ("import math\n" + NEARLY + "check(root)", FORGED_MATH),
    "a module that is changed": (NEARLY + "check(root)", "import math\nmath.isclose = lambda *a, **k: True"),
    "a built-in": ("assert abs(root(2.0) - 1.41421356) < 1e-6", "abs = lambda x: 0"),
    "a built-in that is changed": (
        "assert abs(root(2.0) - 1.41421356) < 1e-6",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = SystemExit",
    ),
    "the check": (NEARLY + "check(root)", "def check(candidate): pass"),
    "the end": (NEARLY + "check(root)", "import atexit, os\natexit.register(os._exit, 0)"),
}


@pytest.mark.parametrize("helper", HELPERS)
def test_a_forged_helper_does_not_pass(helper: str) -> None:
    harness, forgery = HELPERS[helper]
    assert verify("def root(x): return x ** 0.5", harness=harness).status is C
    assert verify(f"{forgery}\ndef root(x): return 1.0", harness=harness).status is W


@pytest.mark.parametrize("forgery", HARNESS_FORGERIES, ids=lambda f: f.name)
def test_no_forgery_passes_a_harness(forgery: Forgery) -> None:
    assert verify(forgery.source, harness=HARNESS, entry_point="add", time_limit_s=0.2).status in (W, T, E)


@pytest.mark.parametrize("forgery", CALL_FORGERIES, ids=lambda f: f.name)
def test_no_forgery_passes_a_call(forgery: Forgery) -> None:
    assert verify(forgery.source, fn_name="add", tests=SUMS, time_limit_s=0.2).status in (W, T, E)


@pytest.mark.parametrize("forgery", STDIN_FORGERIES, ids=lambda f: f.name)
def test_no_forgery_passes_a_test_of_stdin(forgery: Forgery) -> None:
    tests = stdin_tests(("20 22", "42"), ("1 2", "3"))
    assert verify(forgery.source, tests=tests, time_limit_s=0.2).status in (W, T, E)


# --- what is wrong on our side


OURS = {
    "does not compile": ("assert add(1, 2 == 3", "the harness does not compile: SyntaxError"),
    "holds a NUL": ("assert add(1, 2) == 3\0", "the harness does not compile"),
    "hands over a file": ("add(open('/dev/null'), 2)", "the harness cannot be run apart"),
    "hands over a generator": ("add((n for n in [1]), 2)", "the harness cannot be run apart"),
    "hands over a date": ("import datetime\nadd(datetime.date(2020, 1, 1), 2)", "the harness cannot be run apart"),
}


@pytest.mark.parametrize("fault", OURS)
def test_a_harness_that_cannot_judge_is_an_error(fault: str) -> None:
    harness, said = OURS[fault]
    for program in (ADD, SUBTRACT):
        verdict = verify(program, harness=harness)
        assert (verdict.status, verdict.evidence["outcomes"]) == (E, ["harness"])
        assert said in verdict.detail


def test_a_harness_whose_own_import_fails_is_an_error() -> None:
    assert verify(ADD, harness="import nowhere\nassert add(1, 2) == 3").status is E


BROKEN_CHECKERS = {
    "raises": "def check(input, output, expected): raise KeyError('k')",
    "raises on some outputs": "def check(input, output, expected): return int(output) == 1",
    "says neither": "def check(input, output, expected): return 'yes'",
    "says a number": "def check(input, output, expected): return 1",
    "says nothing": "def check(input, output, expected): pass",
    "takes two": "def check(output, expected): return True",
    "is not defined": "def judge(input, output, expected): return True",
    "does not compile": "def check(input, output, expected) return True",
    "leaves": "import os\ndef check(input, output, expected): os._exit(0)",
    "never ends": "def check(input, output, expected):\n    while True: pass",
}


@pytest.mark.parametrize("fault", BROKEN_CHECKERS)
def test_a_checker_that_fails_is_an_error(fault: str) -> None:
    verdict = verify(prints("one"), tests=NOTHING, checker=BROKEN_CHECKERS[fault], time_limit_s=0.3)
    assert (verdict.status, verdict.evidence["outcomes"]) == (E, ["checker"])
    assert verdict.detail.startswith("test 1: the checker failed: ")


def test_a_checker_is_given_the_input_the_output_and_what_was_expected() -> None:
    checker = "def check(input, output, expected):\n    return (input, output, expected) == ('a\\n', 'b\\n', {!r})"
    program = "assert input() == 'a'\nprint('b')"
    assert verify(program, tests=stdin_tests(("a\n", "c")), checker=checker.format("c")).status is C
    assert verify(program, tests=[{"input": "a\n"}], checker=checker.format(None)).status is C


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("language", ["cpp"])
def test_a_checker_in_python_judges_a_program_in_another_language(language: str) -> None:
    program = "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n / 2; }"
    spec = {"language": language, "checker": DIVISOR, "run_all": True}
    assert verify(program, tests=[{"input": "12"}, {"input": "9"}, {"input": "8"}], **spec).evidence["outcomes"] == [
        "ok",
        "wrong",
        "ok",
    ]


def test_a_checker_does_not_excuse_a_program_that_fails() -> None:
    checker = "def check(input, output, expected): return True"
    assert verify("print(1)\nraise SystemExit(1)", tests=NOTHING, checker=checker).status is W


def test_an_argument_that_cannot_be_handed_over_is_an_error() -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    assert verify("def f(x): return 1", fn_name="f", tests=[{"args": [deep], "expected": 1}]).status is E


# --- through the executor

SLOW_DOUBLE = "import time\ntime.sleep(0.02)\n" + DOUBLE
MIXED: list[tuple[str, dict[str, Any], Status]] = [
    (fenced(DOUBLE), {"tests": DOUBLES}, C),
    (fenced(SLOW_DOUBLE), {"tests": DOUBLES}, C),
    (fenced("print(object())"), {"tests": DOUBLES, "compare": "lines"}, W),
    (fenced("while True: pass"), {"tests": DOUBLES, "time_limit_s": 0.2}, T),
    (fenced("import os\nos.abort()"), {"tests": DOUBLES, "run_all": True}, W),
    (fenced(ADD), {"fn_name": "add", "tests": SUMS}, C),
    (fenced(SUBTRACT), {"fn_name": "add", "tests": SUMS}, W),
    (fenced(ADD), {"harness": HUMANEVAL + "check(add)"}, C),
    (fenced("def add(a, b): raise ValueError(object())"), {"harness": HUMANEVAL + "check(add)"}, W),
    (fenced(prints("7")), {"tests": NOTHING, "checker": BROKEN_CHECKERS["raises"]}, E),
    ("I do not know.", {"tests": DOUBLES}, U),
    (fenced(DOUBLE), {}, S),
    (fenced(DOUBLE), {"test": DOUBLES}, E),
]


def items(rows: int) -> list[VerifyItem]:
    """Rows of every kind, none of which equals another: one that does is not verified again."""
    some = (MIXED[n % len(MIXED)] for n in range(rows))
    return [VerifyItem(question(**spec), f"This is {n}. {response}") for n, (response, spec, _) in enumerate(some)]


ROW = Limits(cpu_s=10.0, memory_mb=1024)


def test_two_workers_find_what_one_finds() -> None:
    found: list[list[Verdict]] = []
    for workers in (1, 2):
        with LocalExecutor(workers) as executor:
            found.append(list(verify_all(items(65), executor, ROW)))
    assert [verdict.status for verdict in found[0]] == [status for _, _, status in MIXED] * 5
    assert found[0] == found[1]


SHORT = Limits(cpu_s=0.5, memory_mb=1024)  # and so 3.5 s on the clock


@pytest.mark.parametrize(
    "spec",
    [{"tests": stdin_tests(("4", "1"))}, {"tests": stdin_tests(*[("1", "1")] * 4)}],
    ids=["one test", "four tests"],
)
def test_a_row_whose_tests_sleep_within_their_limits_is_not_cut_off(spec: dict[str, Any]) -> None:
    item = VerifyItem(question(**spec, time_limit_s=2), fenced("import time\ntime.sleep(float(input()))\nprint(1)"))
    with LocalExecutor(1) as executor:
        (verdict,) = verify_all([item], executor, SHORT)
    assert (verdict.status, verdict.detail) == (C, "")
    assert verdict.seconds > 3.5


def test_the_processor_time_of_a_program_is_not_that_of_its_row() -> None:
    program = "import time\nwhile time.process_time() < 0.8: pass\nprint(1)"
    with LocalExecutor(1) as executor:
        (verdict,) = verify_all([VerifyItem(question(tests=stdin_tests(("", "1"))), fenced(program))], executor, SHORT)
    assert verdict.status is C


# --- without a sandbox


def test_a_verdict_without_a_sandbox_says_so() -> None:
    with LocalExecutor(1) as executor:
        verdicts = list(verify_all(items(len(MIXED)), executor, ROW, sandbox="unsafe"))
    ran = [verdict for verdict in verdicts if verdict.evidence]
    assert [verdict.status for verdict in verdicts if not verdict.evidence] == [U, S, E]
    assert all(verdict.evidence["sandbox"] == "unsafe" for verdict in ran)
    assert all(verdict.detail.endswith("run without a sandbox") for verdict in ran)
    assert ran[0].detail == "run without a sandbox"
    assert {C, W, T} <= {verdict.status for verdict in ran}


def test_no_verdict_of_a_sandbox_says_that_there_was_none() -> None:
    verdict = verify(DOUBLE, tests=DOUBLES)
    assert "sandbox" not in verdict.evidence
    assert verdict.detail == ""


def test_the_command_line_verifies_programs_with_and_without_a_sandbox(tmp_path: Path) -> None:
    rows = [
        {"id": n, "answer": None, "response": response, "verifier": "code", "spec": spec}
        for n, (response, spec, _) in enumerate(MIXED)
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for flags in ([], ["--unsafe"]):
        done = reasonry("verify", "in.jsonl", *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        out = [json.loads(line) for line in done.stdout.splitlines()]
        assert [row["status"] for row in out] == [status for _, _, status in MIXED]
        said = [row["detail"].endswith("run without a sandbox") for row in out]
        assert said == [bool(flags) and row["extracted"] is not None for row in out]
