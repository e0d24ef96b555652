"""What equals an expected output or value, and what never does."""

from __future__ import annotations

import json
import math
import random
import time
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.verifiers.code_output import OutputRule, compare_output, compare_value

TOKENS, LINES, EXACT = OutputRule(), OutputRule("lines"), OutputRule("exact")
RULES = [TOKENS, LINES, EXACT, OutputRule(rel_tol=1e-6), OutputRule("lines", abs_tol=0.5, ignore_case=True)]
HUNDREDTH = OutputRule(rel_tol=0.01)


def output(got: str, expected: str, rule: OutputRule = TOKENS) -> str | None:
    return compare_output(got.encode(), expected, rule)


def value(
    got: Any, expected: Any, *, rel: float | None = None, absolute: float | None = None, **more: bool
) -> str | None:
    return compare_value(got, expected, rel_tol=rel, abs_tol=absolute, **more)


# --- tokens

WORDS = st.lists(st.text(alphabet="ab01.-é", min_size=1, max_size=4), max_size=8)
SPACES = st.text(alphabet=" \t\n\r\f\v", min_size=1, max_size=3)


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_text_equals_itself(rule: OutputRule, text: str) -> None:
    assert output(text, text, rule) is None


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(WORDS, st.text(alphabet="xyz", min_size=1))
def test_one_more_token_is_never_equal(rule: OutputRule, words: list[str], more: str) -> None:
    text = " ".join(words)
    assert output(f"{text} {more}", text, rule)
    assert output(text, f"{text} {more}", rule)
    assert output(f"{more}\n{text}", text, rule)


@given(st.lists(st.integers(), min_size=2, unique=True), st.randoms(use_true_random=False))
def test_a_permutation_is_never_equal(numbers: list[int], shuffler: random.Random) -> None:
    permuted = shuffler.sample(numbers, len(numbers))
    difference = output(" ".join(map(str, permuted)), " ".join(map(str, numbers)))
    assert (difference is None) == (permuted == numbers)


@given(WORDS, st.data())
def test_white_space_between_tokens_does_not_count(words: list[str], data: st.DataObject) -> None:
    text = "".join(word + data.draw(SPACES) for word in words)
    assert output(text, "\n".join(words)) is None
    assert output(" ".join(words), "\n\n" + text) is None


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        *(
            ("12", "1 2"),
            ("1 2", "12"),
            ("1 1", "1"),
            ("1", "1 1"),
            ("YES", "Yes"),
            ("1.0", "1"),
            ("01", "1"),
            ("+1", "1"),
        ),
        *(("1\n2", "1"), ("1", ""), ("", "1"), ("1,2", "1, 2"), ("x 1", "1"), ("1\u00a02", "1 2"), ("1\0", "1")),
    ],
)
def test_different_tokens_differ(got: str, expected: str) -> None:
    assert output(got, expected)


def test_empty_is_equal_to_white_space_only() -> None:
    assert output(" \n\t\r\n", "") is None
    assert output("", "\n") is None
    assert output(" \n", "", LINES) is None
    assert output(" ", "", EXACT)
    assert output("x", "", LINES)


@pytest.mark.parametrize(
    ("got", "expected", "difference"),
    [
        ("1\n2\n8\n", "1\n2\n7\n", "line 3: expected '7', got '8'"),
        ("1 2\n", "1 2\n3\n", "line 2: expected '3', got nothing more"),
        ("1\n2\n3 4", "1 2", "line 3: expected nothing more, got '3'"),
        ("", "x", "line 1: expected 'x', got nothing more"),
        ("a" * 100, "b" * 100, f"line 1: expected '{'b' * 59}…, got '{'a' * 59}…"),
        ("é", "e", "line 1: expected 'e', got 'é'"),
    ],
)
def test_the_first_difference_is_told(got: str, expected: str, difference: str) -> None:
    assert output(got, expected) == difference


def test_a_difference_late_in_a_long_line_is_shown() -> None:
    difference = output("x" * 50_000 + "1", "x" * 50_000 + "2", LINES)
    assert difference == f"line 1: expected …'{'x' * 30}2', got …'{'x' * 30}1'"


@given(st.binary(), st.text())
def test_a_difference_is_one_short_line(got: bytes, expected: str) -> None:
    difference = compare_output(got, expected, TOKENS)
    assert difference is None or (len(difference) < 200 and difference.isprintable())


# --- lines and bytes


@pytest.mark.parametrize(
    ("got", "expected"),
    [("a \nb\t\n\n\n", "a\nb"), ("a\r\nb\r\n", "a\nb\n"), ("a\nb", "a\r\nb"), ("\n a  b", "\n a  b \n"), ("", "\n\n")],
)
def test_white_space_at_the_end_of_lines_does_not_count(got: str, expected: str) -> None:
    assert output(got, expected, LINES) is None


@pytest.mark.parametrize(
    ("got", "expected"),
    [("a\n\nb", "a\nb"), ("a  b", "a b"), (" a", "a"), ("a\nb", "a b"), ("\na", "a"), ("a\rb", "a\nb"), ("A", "a")],
)
def test_other_white_space_counts_in_lines(got: str, expected: str) -> None:
    assert output(got, expected, LINES)


def test_the_line_of_a_difference_counts_blank_ones() -> None:
    assert output("a\n\nc", "a\n\nb", LINES) == "line 3: expected 'b', got 'c'"
    assert output("a\n", "a\n\nb", LINES) == "line 2: expected '', got nothing more"


def test_exact_forgives_one_final_newline_and_no_more() -> None:
    assert output("a", "a\n", EXACT) is None
    assert output("a\n", "a", EXACT) is None
    assert output("a\n\n", "a", EXACT) == "line 2: expected nothing more, got ''"
    assert output("a\n\n", "a\n", EXACT)
    assert output("a\r\n", "a\n", EXACT)


@given(st.text(alphabet="ab \n\r", max_size=6), st.text(alphabet="ab \n\r", max_size=6))
def test_exact_is_the_same_bytes_but_for_one_final_newline(got: str, expected: str) -> None:
    assert (output(got, expected, EXACT) is None) == (got.removesuffix("\n") == expected.removesuffix("\n"))


@given(st.text(alphabet="ab \n\r", max_size=6), st.text(alphabet="ab \n\r", max_size=6))
def test_exact_implies_lines_implies_tokens(got: str, expected: str) -> None:
    exact, lines, tokens = (output(got, expected, rule) is None for rule in (EXACT, LINES, TOKENS))
    assert exact <= lines <= tokens


# --- case and tolerance


def test_case_is_ignored_only_where_declared() -> None:
    assert output("yes NO", "YES no", OutputRule(ignore_case=True)) is None
    assert output("Yes  no", "YES  no", OutputRule("lines", ignore_case=True)) is None
    assert output("Yes no", "YES  no", OutputRule("lines", ignore_case=True))
    assert output("yes", "YES")


@pytest.mark.parametrize(
    ("got", "expected", "rule"),
    [
        ("101", "100", HUNDREDTH),
        ("99.0", "100", HUNDREDTH),
        ("-101", "-100", HUNDREDTH),
        ("1.01", "1", HUNDREDTH),  # a hundredth, not the double beside it
        ("3.14159", "3.14", OutputRule(abs_tol=0.01)),
        ("1e2", "100.000", OutputRule(abs_tol=0)),
        (".5", "+0.5", OutputRule(rel_tol=0)),
        ("1 2.0001 x", "1 2 x", OutputRule(abs_tol=0.001)),
        ("0.0000001", "0", OutputRule(rel_tol=1e-6, abs_tol=1e-6)),
        ("1e999999", "1.001e999999", HUNDREDTH),
        ("9" * 1000, "1" + "0" * 999, OutputRule(rel_tol=10)),
        ("a  1.001", "a  1", OutputRule("lines", abs_tol=0.01)),
    ],
)
def test_numbers_within_a_declared_tolerance(got: str, expected: str, rule: OutputRule) -> None:
    assert output(got, expected, rule) is None
    assert output(got, expected)


@pytest.mark.parametrize(
    ("got", "expected", "rule"),
    [
        ("101.0001", "100", HUNDREDTH),
        ("1", "0", HUNDREDTH),
        ("nan", "1", OutputRule(abs_tol=1e9)),
        ("nan", "NaN", OutputRule(abs_tol=1e9)),
        ("inf", "1e999999", OutputRule(rel_tol=1e9)),
        ("0x10", "16", OutputRule(abs_tol=1)),
        ("1_0", "10", OutputRule(abs_tol=1)),
        ("1,0", "1.0", OutputRule(abs_tol=1)),
        ("٣", "3", OutputRule(abs_tol=1)),
        ("1e9999999", "1", OutputRule(abs_tol=1e300)),
        ("1" * 1001, "1" * 1000 + "2", OutputRule(rel_tol=1)),
        ("1.", "1.x", OutputRule(abs_tol=1)),
        ("1 1", "1", OutputRule(abs_tol=9)),
        ("a 1.001", "a  1", OutputRule("lines", abs_tol=0.01)),
        ("1.001", "1", OutputRule("exact", abs_tol=0.01)),
    ],
)
def test_what_a_tolerance_does_not_cover(got: str, expected: str, rule: OutputRule) -> None:
    assert output(got, expected, rule)


def test_a_number_too_large_for_a_float_raises_nothing() -> None:
    assert output(str(10**400), str(10**400 + 1), OutputRule(rel_tol=1e-9)) is None
    assert output(str(10**400), "1", OutputRule(rel_tol=1e-9, abs_tol=1e300))


# --- bytes that are no text


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_output_that_is_not_utf8_never_equals(rule: OutputRule) -> None:
    assert compare_output(b"a\n\xff", "a\n\ufffd", rule)
    assert compare_output(b"\xed\xa0\x80", "\ud800", rule) == "line 1: the output is not UTF-8"
    assert compare_output("\ufffd".encode(), "\ufffd", rule) is None


# --- size


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("unit", ["1 ", "12 345\n", "x", "\n", " "])
def test_outputs_of_many_windows_take_linear_time(rule: OutputRule, unit: str) -> None:
    text = unit * (4_000_000 // len(unit)) + "7"
    start = time.process_time()
    assert output(text, text, rule) is None
    assert output(text[:-1] + "8", text, OutputRule(rule.compare))
    assert output(text, "7", rule) or unit.isspace()
    assert output("7", text, rule) or unit.isspace()
    assert time.process_time() - start < 10


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40), st.integers(1, 9))
def test_windows_do_not_show(got: str, expected: str, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = [output(got, expected, rule) for rule in (TOKENS, LINES, EXACT)]
        patch.setattr("reasonry.verifiers.code_output.WINDOW", window)
        assert [output(got, expected, rule) for rule in (TOKENS, LINES, EXACT)] == whole
    assert (whole[0] is None) == (got.split() == expected.split())


# --- the rule in a spec


def test_a_spec_declares_the_rule() -> None:
    spec = {"compare": "lines", "rel_tol": 1e-2, "abs_tol": 1, "ignore_case": True, "tests": []}
    assert OutputRule.from_spec(spec) == OutputRule("lines", 0.01, 1.0, ignore_case=True)
    assert OutputRule.from_spec({"rel_tol": None}) == OutputRule()
    assert OutputRule.from_spec({"compare": "exact"}) == EXACT


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"compare": "set"}, 'compare must be "tokens", "lines" or "exact"'),
        ({"compare": None}, "compare must be"),
        ({"compare": ["tokens"]}, "compare must be"),
        ({"ignore_case": 1}, "ignore_case must be true or false"),
        ({"ignore_case": "yes"}, "ignore_case must be"),
        ({"compare": "exact", "abs_tol": 1}, 'compare = "exact" allows neither'),
        ({"compare": "exact", "ignore_case": True}, 'compare = "exact" allows neither'),
        *(
            ({name: bad}, f"{name} must be a number that is finite and not negative")
            for name in ("rel_tol", "abs_tol")
            for bad in (True, False, "0.1", math.nan, math.inf, -1e-9, -1, 10**400, [1])
        ),
    ],
)
def test_a_bad_spec_is_refused_in_a_sentence(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OutputRule.from_spec(spec)


# --- values

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 0.0, 0.1]))
def test_a_value_equals_itself(whole: Any, unordered: bool, tolerance: float | None) -> None:
    assert value(whole, json.loads(json.dumps(whole)), rel=tolerance, unordered=unordered) is None


@given(JSON_VALUES, JSON_VALUES)
def test_values_are_equal_as_their_json_is(one: Any, two: Any) -> None:
    def normal(part: Any) -> Any:
        if type(part) is list:
            return [normal(item) for item in part]
        if type(part) is dict:
            return {key: normal(item) for key, item in part.items()}
        return ("number", "nan" if part != part else part) if type(part) in (int, float) else (type(part), part)

    assert (value(one, two) is None) == (normal(one) == normal(two))


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ((1, (2, "a")), [1, [2, "a"]]),
        (1, 1.0),
        (1.0, 1),
        (-0.0, 0),
        (1 + 0j, 1),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ([math.nan], [math.nan]),
        ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
        ({True: 1, None: 2, "x": 3}, {"true": 1, "null": 2, "x": 3}),
        ({math.inf: 1}, {"Infinity": 1}),
        ({}, {}),
        ((), []),
        (10**400, 10**400),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
    ],
)
def test_equal_values(got: Any, expected: Any) -> None:
    assert value(got, expected) is None


@pytest.mark.parametrize(
    ("got", "expected", "difference"),
    [
        (True, 1, "expected 1, got True"),
        (1, True, "expected True, got 1"),
        (0, False, "expected False, got 0"),
        (None, 0, "expected 0, got None"),
        ("1", 1, "expected 1, got '1'"),
        (1, "1", "expected '1', got 1"),
        ("a ", "a", "expected 'a', got 'a '"),
        (b"a", "a", "expected 'a', got b'a'"),
        (1j, 1, "expected 1, got 1j"),
        (math.nan, 1, "expected 1, got nan"),
        (1.0000001, 1, "expected 1, got 1.0000001"),
        (10**400, 1, "expected 1, got an integer of 1329 bits"),
        ([1, 2], [1, 2, 3], "expected 3 items, got 2"),
        ([1, 2, {"a": 2}], [1, 2, {"a": 1}], "[2]['a']: expected 1, got 2"),
        ([[1, True]], [[1, 1]], "[0][1]: expected 1, got True"),
        ({"a": 1}, {"a": 1, "b": 2}, "the key 'b' is missing"),
        ({"a": 1, "b": 2}, {"a": 1}, "the key 'b' is not expected"),
        ({(1, 2): 1}, {"(1, 2)": 1}, "its keys are not those of a JSON object"),
        ({1: 1, "1": 1}, {"1": 1}, "its keys are not those of a JSON object"),
        ({10**5000: 1}, {"1": 1}, "its keys are not those of a JSON object"),
        ([{b"a": 1}], [{"a": 1}], "[0]: its keys are not those of a JSON object"),
        ({1, 2}, [1, 2], "expected [1, 2], got a set of 2 items"),
        ([1], {"0": 1}, "expected a dict of 1 items, got [1]"),
        ("ab", ["a", "b"], "expected ['a', 'b'], got 'ab'"),
        ("x" * 100, "y" * 100, f"expected '{'y' * 59}…, got '{'x' * 59}…"),
    ],
)
def test_the_first_difference_of_values(got: Any, expected: Any, difference: str) -> None:
    assert value(got, expected) == difference


def test_a_tolerance_counts_inside_of_containers_and_only_where_declared() -> None:
    got, expected = [{"a": (1.001, 5)}], [{"a": [1, 5.001]}]
    assert value(got, expected, rel=0.01) is None
    assert value(got, expected, absolute=0.01) is None
    assert value(got, expected, absolute=0.0001) == "[0]['a'][0]: expected 1, got 1.001"
    assert value(got, expected)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        *((math.inf, 1e308), (1e308, math.inf), (math.nan, 1.0), (-math.inf, math.inf), (True, 1), ("1", 1)),
        *((10**400, 1.5), (10**17 + 1, 10**17 + 3), (1 + 1j, 1), ([1 << 20_000], [(1 << 20_000) + 1])),
    ],
)
def test_a_tolerance_covers_finite_numbers_only(got: Any, expected: Any) -> None:
    assert value(got, expected, rel=1e-18, absolute=1.0)


def test_integers_are_compared_exactly() -> None:
    assert value(10**17 + 1, 10**17 + 2, absolute=1.0) is None
    assert value(10**400, 10**400 + 1, rel=1e-9) is None
    assert value(101, 100, rel=0.01) is None
    assert value(1.01 + 0j, 1, rel=0.011) is None


# --- any order


@given(st.lists(JSON_VALUES, max_size=6), st.randoms(use_true_random=False), st.sampled_from([None, 0.0]))
def test_any_order_is_equal_where_declared(items: list[Any], shuffler: random.Random, tolerance: float | None) -> None:
    shuffled = shuffler.sample(items, len(items))
    assert value(shuffled, items, absolute=tolerance, unordered=True) is None


@given(st.lists(st.integers(0, 2), max_size=5), st.lists(st.integers(0, 2), max_size=5), st.sampled_from([None, 0.0]))
def test_any_order_counts_how_often(got: list[int], expected: list[int], tolerance: float | None) -> None:
    difference = value(got, expected, absolute=tolerance, unordered=True)
    assert (difference is None) == (sorted(got) == sorted(expected))


@pytest.mark.parametrize(
    ("got", "expected"),
    [({1, 2}, [2, 1]), (frozenset({"a"}), ["a"]), ({(1, 2), (3, 4)}, [[3, 4], [1, 2]]), (set[int](), []), ([1.0], [1])],
)
def test_sets_equal_lists_in_any_order(got: Any, expected: Any) -> None:
    assert value(got, expected, unordered=True) is None


@pytest.mark.parametrize(
    ("got", "expected", "difference"),
    [
        ([1, 1], [1, 2], "[1]: expected 2, which is not among the items"),
        ([1], [1, 1], "expected 2 items, got 1"),
        ([True], [1], "[0]: expected 1, which is not among the items"),
        ([[2, 1]], [[1, 2]], "[0]: expected [1, 2], which is not among the items"),
        ([{1, 2}], [[1, 2]], "[0]: expected [1, 2], which is not among the items"),
        ([b"a"], ["a"], "[0]: expected 'a', which is not among the items"),
        (["1"], [1], "[0]: expected 1, which is not among the items"),
        (["ff"], [255], "[0]: expected 255, which is not among the items"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "['a'][0]: expected 2, got 1"),
        ("ab", ["a", "b"], "expected ['a', 'b'], got 'ab'"),
    ],
)
def test_what_any_order_does_not_cover(got: Any, expected: Any, difference: str) -> None:
    assert value(got, expected, unordered=True) == difference


def test_any_order_within_a_tolerance() -> None:
    assert value([1.1, 1.0], [1.0, 0.9], absolute=0.11, unordered=True) is None  # pairs that a greedy choice misses
    assert value([2, math.nan, 1.01], [1, 2.01, math.nan], absolute=0.1, unordered=True) is None
    assert value([[2, 2], [1, 1.01]], [[1, 1], [2, 2.01]], absolute=0.1, unordered=True) is None
    assert value([[2, 2], [3, 3]], [[2, 2], [2, 2.01]], absolute=0.1, unordered=True)  # one partner each
    assert value([[2, 2], [2, 2]], [[1, 1], [2, 2]], absolute=0.1, unordered=True)
    assert (
        value([1.2, 1.2], [1.0, 1.2], absolute=0.1, unordered=True) == "[0]: expected 1.0, which is not among the items"
    )


def test_many_items_in_any_order_take_linear_time() -> None:
    items = [[number, str(number)] for number in range(50_000)]
    start = time.process_time()
    assert value(items[::-1], items, unordered=True) is None
    assert value(items[::-1], items, unordered=True, absolute=0.1) is None  # as they stand: too many to match
    assert time.process_time() - start < 5


# --- hostile values


def nested(depth: int, kind: str) -> Any:
    whole: Any = 1
    for _ in range(depth):
        whole = {"list": [whole], "tuple": (whole,), "dict": {"a": whole}}[kind]
    return whole


@pytest.mark.parametrize("kind", ["list", "tuple", "dict"])
@pytest.mark.parametrize("unordered", [False, True])
def test_deep_nesting_is_a_difference(kind: str, unordered: bool) -> None:
    same = nested(10_000, "dict" if kind == "dict" else "list")
    for expected in (same, 1, [1], {"a": 1}):
        difference = value(nested(10_000, kind), expected, unordered=unordered)
        assert difference is not None
        assert len(difference) < 300


def test_nesting_of_a_hundred_levels_is_compared() -> None:
    assert value(nested(100, "tuple"), nested(100, "list")) is None
    assert value([nested(100, "tuple")], [nested(100, "list")], unordered=True) is None


class Hostile:
    """Equal to everything, if it were asked."""

    def _called(self, *_: object) -> NoReturn:
        pytest.fail("a method of an unknown object was called")

    __eq__ = __ne__ = __lt__ = __repr__ = __str__ = __len__ = __iter__ = __bool__ = __hash__ = _called  # pyright: ignore


class Sly(int):
    __eq__ = __ne__ = __repr__ = __bool__ = __abs__ = Hostile._called  # pyright: ignore
    __hash__ = int.__hash__


@pytest.mark.parametrize("unordered", [False, True])
@pytest.mark.parametrize("tolerance", [None, 0.1])
@pytest.mark.parametrize("expected", [1, "a", None, [1], {"a": 1}, True, 1.5])
def test_no_method_of_an_unknown_object_is_called(unordered: bool, tolerance: float | None, expected: Any) -> None:
    for thing in (Hostile(), Sly(1)):
        for got, wanted in ((thing, expected), ([thing], [expected]), ({"a": thing}, {"a": expected})):
            assert value(got, wanted, rel=tolerance, unordered=unordered)
    assert value({Sly(1)}, [1], rel=tolerance, unordered=unordered)
    assert value({Sly(1): 1}, {"1": 1}, rel=tolerance, unordered=unordered)
    assert value([expected], [thing], unordered=unordered)
