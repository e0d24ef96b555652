"""Digests: the same for equal values everywhere, different for different ones."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.identity import RowHasher, canonical_json, digest, file_digest
from reasonry.types import Message, Question, Status

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=10
)


def tagged(value: Any) -> Any:
    """A Python value in which equality also compares types (1 == 1.0 == True in Python)."""
    if isinstance(value, dict):
        return ("d", frozenset((name, tagged(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("l", tuple(tagged(item) for item in value))
    return (type(value).__name__, value)


@given(values, values)
def test_two_values_share_a_digest_only_if_they_are_equal(one: Any, other: Any) -> None:
    assert (digest("thing", one) == digest("thing", other)) == (tagged(one) == tagged(other))


@given(st.dictionaries(st.text(), scalars, min_size=2))
def test_the_order_of_a_mapping_does_not_matter(mapping: dict[str, Any]) -> None:
    turned = dict(reversed(mapping.items()))
    assert digest("thing", mapping) == digest("thing", turned)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("thing", None, b"l2:s5:thingn"),
        ("thing", [1, 1.0, "1", True], b"l2:s5:thingl4:i1;f?\xf0\0\0\0\0\0\0s1:1b1"),
        ("thing", {"b": 2, "a": "é"}, b"l2:s5:thingd2:s1:as2:\xc3\xa9s1:bi2;"),
    ],
)
def test_a_digest_can_be_derived_by_hand(kind: str, value: object, expected: bytes) -> None:
    assert digest(kind, value) == hashlib.sha256(expected).hexdigest()[:32]


def test_a_digest_is_the_same_in_another_process_with_another_hash_seed() -> None:
    program = "from reasonry.types import Question; print(Question('1+1?', '2', 'math', {'b': 1, 'a': [None, 2.5]}).id)"
    question = Question("1+1?", "2", "math", {"a": [None, 2.5], "b": 1})
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
        assert done.stdout.strip() == question.id


def test_the_kind_and_the_class_enter_the_digest() -> None:
    assert digest("one", 1) != digest("other", 1)
    assert digest("thing", Message("user", "x")) != digest("thing", {"role": "user", "content": "x"})


def test_an_enum_is_identified_by_its_value() -> None:
    assert digest("thing", Status.CORRECT) == digest("thing", "correct")


def test_what_has_no_identity_is_refused() -> None:
    with pytest.raises(TypeError, match="no identity for a set"):
        digest("thing", {1, 2})
    with pytest.raises(TypeError, match="int as key"):
        digest("thing", {1: 2})


def test_every_nan_and_both_zeros_have_one_identity() -> None:
    assert digest("thing", float("nan")) == digest("thing", -float("nan"))
    assert digest("thing", 0.0) == digest("thing", -0.0)


@given(st.lists(st.dictionaries(st.text(max_size=3), scalars, max_size=3), min_size=1))
def test_rows_are_hashed_one_by_one_in_order(rows: list[dict[str, Any]]) -> None:
    forward, again = RowHasher("rows"), RowHasher("rows")
    for row in rows:
        forward.update(row)
    for row in rows:
        again.update(dict(row))
    assert forward.hexdigest() == again.hexdigest()


def test_a_file_digest_is_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 1_000_000)
    assert file_digest(path) == hashlib.sha256(b"abc" * 1_000_000).hexdigest()


def test_canonical_json_sorts_keys_and_keeps_letters() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
