"""What a question's `spec` says for the `code` verifier, read once and checked.

| key | meaning |
|---|---|
| `language` | python (default), cpp, javascript, java |
| `tests` | `[{"input": "...", "output": "..."}]`; with `fn_name`, `[{"args": [...], "expected": ...}]` |
| `fn_name` | the function that tests call (Python); a method of a class `Solution` by its name |
| `harness` | a program that must run to its end with exit code 0, instead of `tests` |
| `entry_point` | the function that is to be written: what a harness calls `candidate`; or several names with commas |
| `starter_code` | what the response was to complete; its imports and helpers are given to the program and the harness |
| `checker` | Python that defines `check(input, output, expected)`, for tasks with several right outputs; true accepts |
| `time_limit_s`, `memory_mb` | of each test: processor seconds (default 6), megabytes (default 1024) |
| `compare`, `rel_tol`, `abs_tol`, `ignore_case` | how outputs are compared (`code_output`) |
| `unordered` | lists that functions return are compared as bags |
| `run_all` | true: every test is run; false (default): up to the first that fails |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from reasonry.errors import nearest_hint
from reasonry.sandbox import Limits
from reasonry.verifiers.code_output import OutputRule
from reasonry.verifiers.code_program import LANGUAGES

__all__ = ["CallTest", "CodeSpec", "StdinTest", "read_spec"]

TIME_LIMIT_S = 6.0
MEMORY_MB = 1024
_KEY_NAMES = """
    language tests fn_name harness entry_point starter_code checker time_limit_s memory_mb compare rel_tol abs_tol
    ignore_case unordered run_all
"""
_KEYS = _KEY_NAMES.split()


@dataclass(frozen=True, slots=True)
class StdinTest:
    """`output` None: only a checker can judge."""

    input: str
    output: str | None


@dataclass(frozen=True, slots=True)
class CallTest:
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    expected: Any


@dataclass(frozen=True, slots=True)
class CodeSpec:
    """Exactly one of `stdin_tests`, `call_tests` and `harness` has something, or there is nothing to test."""

    language: str
    stdin_tests: tuple[StdinTest, ...]
    call_tests: tuple[CallTest, ...]
    fn_name: str
    harness: str
    entry_point: str
    starter_code: str
    checker: str
    limits: Limits
    rule: OutputRule
    unordered: bool
    run_all: bool

    @property
    def is_empty(self) -> bool:
        return not (self.stdin_tests or self.call_tests or self.harness.strip())

    @property
    def entry(self) -> str:
        """The function that a response must define, where that is known."""
        return self.fn_name or self.entry_point.partition(",")[0].strip()


def read_spec(spec: Mapping[str, Any]) -> CodeSpec:
    """Raises ValueError with one sentence that says what is wrong."""
    for key in spec:
        if key not in _KEYS:
            raise ValueError(f"unknown key '{key}': {nearest_hint(key, _KEYS)}")
    language = _language(_text(spec, "language") or "python")
    fn_name = _name(spec, "fn_name")
    tests = _tests(spec)
    if tests and "harness" in spec:
        raise ValueError("tests and harness: give one of them")
    if fn_name and language != "python":
        raise ValueError("fn_name needs Python: give a harness")
    checker = _text(spec, "checker")
    if checker and (fn_name or "harness" in spec):
        raise ValueError("a checker judges printed output: it goes with stdin tests")
    return CodeSpec(
        language=language,
        stdin_tests=() if fn_name else tuple(_stdin_test(test, i, bool(checker)) for i, test in enumerate(tests)),
        call_tests=tuple(_call_test(test, i) for i, test in enumerate(tests)) if fn_name else (),
        fn_name=fn_name,
        harness=_text(spec, "harness"),
        entry_point=_name(spec, "entry_point"),
        starter_code=_text(spec, "starter_code"),
        checker=checker,
        limits=Limits(_number(spec, "time_limit_s", TIME_LIMIT_S, 3600), memory_mb=_megabytes(spec)),
        rule=OutputRule.from_spec(spec),
        unordered=_flag(spec, "unordered"),
        run_all=_flag(spec, "run_all"),
    )


def _language(name: str) -> str:
    for language, tags in LANGUAGES.items():
        if name.lower() in (language, f"{language}3") or name.lower() in tags:
            return language
    raise ValueError(f"no language '{name}': {nearest_hint(name.lower(), LANGUAGES)}")


def _tests(spec: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    tests = spec.get("tests", [])
    if not isinstance(tests, list):
        raise ValueError("tests must be a list")
    for index, test in enumerate(cast("list[Any]", tests)):
        if not isinstance(test, dict):
            raise ValueError(f"tests[{index}] must be an object")
    return cast("list[dict[str, Any]]", tests)


def _stdin_test(test: Mapping[str, Any], index: int, has_checker: bool) -> StdinTest:
    if "args" in test:
        raise ValueError(f"tests[{index}] has args: name the function in fn_name")
    given, output = test.get("input", ""), test.get("output")
    if not isinstance(given, str) or not (isinstance(output, str) or (output is None and has_checker)):
        raise ValueError(f"tests[{index}] needs input and output, both text")
    return StdinTest(given, output)


def _call_test(test: Mapping[str, Any], index: int) -> CallTest:
    args, kwargs = test.get("args", []), test.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict) or "expected" not in test:
        raise ValueError(f"tests[{index}] needs args, a list, and expected")
    return CallTest(tuple(cast("list[Any]", args)), cast("dict[str, Any]", kwargs), test["expected"])


def _text(spec: Mapping[str, Any], key: str) -> str:
    value = spec.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text")
    return value


def _name(spec: Mapping[str, Any], key: str) -> str:
    """`Solution().f` is a common way to say `Solution.f`."""
    return _text(spec, key).strip().replace("()", "")


def _flag(spec: Mapping[str, Any], key: str) -> bool:
    value = spec.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")
    return value


def _number(spec: Mapping[str, Any], key: str, default: float, most: float) -> float:
    value = spec.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise ValueError(f"{key} must be a number of more than 0 and at most {most:g}")
    return value


def _megabytes(spec: Mapping[str, Any]) -> int:
    return int(_number(spec, "memory_mb", MEMORY_MB, 1 << 20))
