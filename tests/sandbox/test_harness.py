"""A harness and the program that it checks are two processes: what the one may bring to the other, and what not."""

from __future__ import annotations

import pytest

from reasonry.sandbox import Ended, Outcome, Sandbox

RIGHT = "def add(a, b):\n    return a + b\n"
TESTS = "tests = [((20, 22), 42), ((1, 2), 3)]\n"
ITERATING = {
    "zip and map": TESTS + "for got, want in zip(map(lambda t: add(*t[0]), tests), [42, 3]):\n    assert got == want",
    "all": TESTS + "assert all(map(lambda t: add(*t[0]) == t[1], tests))",
    "not any": TESTS + "assert not any(map(lambda t: add(*t[0]) != t[1], tests))",
    "filter": TESTS + "assert list(filter(lambda t: add(*t[0]) != t[1], tests)) == []",
    "a generator of its own": TESTS + "assert not sum(add(*t[0]) != t[1] for t in tests)",
}


def passes(sandbox: Sandbox, program: str, harness: str, *, entry: str = "add", starter: str = "") -> bool:
    checker, _ = sandbox.check(program, harness, entry=entry, starter=starter)
    return checker.ended is Ended.OK


def judged(sandbox: Sandbox, program: str, harness: str, *, entry: str = "add") -> Outcome:
    return sandbox.check(program, harness, entry=entry)[0]


@pytest.mark.parametrize("name", ITERATING)
def test_the_program_cannot_end_an_iteration_of_the_harness(name: str, sandbox: Sandbox) -> None:
    assert passes(sandbox, RIGHT, ITERATING[name])
    for raised in ("StopIteration", "StopAsyncIteration", "GeneratorExit", "SystemExit(0)", "KeyboardInterrupt"):
        assert not passes(sandbox, f"def add(a, b):\n    raise {raised}", ITERATING[name]), raised


BROUGHT = {
    "a class of the library": (
        "assert Counter(add(1, 2)) == Counter([1, 2])",
        "def add(a, b): return 7\ndef Counter(x): return 0",
        "def add(a, b): return [a, b]",
    ),
    "a comparison": (
        "assert isclose(add(20, 22), 42)",
        "def add(a, b): return 7\ndef isclose(*a): return True",
        RIGHT,
    ),
    "a module": (
        "assert math.isclose(add(20, 22), 42)",
        "def add(a, b): return 7\nclass math: isclose = lambda *a: True",
        RIGHT,
    ),
    "a module, by many names": (
        "\n".join(f"n{i} = {i}" for i in range(300)) + "\nassert math.isclose(add(20, 22), 42)",
        "def add(a, b): return 7\nclass math: isclose = lambda *a: True",
        RIGHT,
    ),
    "a built-in": ("assert abs(add(20, 22) - 42) < 1", "def add(a, b): return 7\ndef abs(x): return 0", RIGHT),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_the_program_cannot_bring_what_the_harness_relies_on(name: str, sandbox: Sandbox) -> None:
    harness, forged, right = BROUGHT[name]
    assert not passes(sandbox, forged, harness)
    assert passes(sandbox, right, harness)


def test_a_harness_that_relies_on_what_nobody_defines_cannot_judge(sandbox: Sandbox) -> None:
    forged = "def add(a, b): return 7\nclass np: allclose = lambda *a: True"
    assert judged(sandbox, forged, "assert np.allclose(add(20, 22), 42)").cannot_judge
    assert judged(sandbox, RIGHT, "import nowhere\nassert add(1, 2) == 3").cannot_judge
    assert judged(sandbox, RIGHT, "assert 1 + 1 == 2").cannot_judge


def test_without_an_entry_point_the_name_that_is_left_is_the_one_to_test(sandbox: Sandbox) -> None:
    assert passes(sandbox, RIGHT, "assert add(20, 22) == 42", entry="")
    assert passes(sandbox, "def gcd(a, b): return 6", "assert gcd(12, 18) == 6", entry="")
    assert not passes(sandbox, "def gcd(a, b): return 1", "assert gcd(12, 18) == 6", entry="")


def test_several_entry_points_may_be_named(sandbox: Sandbox) -> None:
    program = "def encode(x): return x[::-1]\ndef decode(x): return x[::-1]"
    assert passes(sandbox, program, "assert decode(encode('ab')) == 'ab' != encode('ab')", entry="encode, decode")


def test_what_the_harness_keeps_in_files_is_out_of_reach(sandbox: Sandbox) -> None:
    harness = (
        "open('/tmp/expected', 'w').write('42')\ngot = add(20, 22)\nassert got == int(open('/tmp/expected').read())"
    )
    reads = "def add(a, b):\n    return int(open('/tmp/expected').read())"
    writes = "def add(a, b):\n    open('/tmp/expected', 'w').write('7')\n    return 7"
    assert passes(sandbox, RIGHT, harness)
    assert not passes(sandbox, reads, harness)
    assert not passes(sandbox, writes, harness)


GARBLES = """
import os
def add(a, b):
    for number in range(3, 99):
        try:
            os.write(number, b"\\xff" * 100)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    "program",
    [
        "import os\ndef add(a, b): os._exit(0)",
        "def add(a, b): raise SystemExit(0)",
        "def add(a, b): return 'x' * (20 << 20)",
        GARBLES,
    ],
)
def test_a_harness_that_swallows_everything_does_not_pass_a_program_that_failed(program: str, sandbox: Sandbox) -> None:
    harness = "for _ in range(3):\n    try:\n        assert add(20, 22) == 42\n    except:\n        pass"
    assert not passes(sandbox, program, harness)


def test_exceptions_that_a_harness_expects_reach_it(sandbox: Sandbox) -> None:
    harness = "try:\n    add(1, 'x')\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError"
    assert passes(sandbox, RIGHT, harness)
    assert passes(sandbox, "def add(a, b):\n    yield a\n    yield b", "assert list(add(1, 2)) == [1, 2]")
    assert passes(
        sandbox, "def add(a, b):\n    yield a", "it = add(1, 2)\nassert next(it) == 1\nassert next(it, 9) == 9"
    )
