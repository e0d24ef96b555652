"""Recorded rows whose label or reference is wrong, by id: left out of `response_agreement`, and counted aloud.

A row is here only if the problem, the published reference or the response itself shows that its label is wrong. A row
that we merely read differently stays, and counts against us.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["WRONG", "reason_of"]

_SEVERAL = "the response chooses two or more letters, or none; the source's extractor kept one of them"
_DEGREES = "the response says 90 and the reference 90 degrees, where an angle in degrees is asked"
_SAME = "the response gives the reference in other spelling; the source's extractor read another number, or none"
_REFERENCE = "the published solution ends in the response's answer"
_NO_REFERENCE = "the reference is no answer"
_NONE = "the response ends before it comes to an answer"
_OTHER_VALUE = "the response's answer is not the reference"

_BY_REASON: Mapping[str, tuple[str, ...]] = {
    _SEVERAL: (
        "gaokao_bench-9dcb71cd234c9ee9",
        "gaokao_bench-accaef0acc8d8067",
        "gaokao_bench-212e6bc124554c5e",
        "gaokao_bench-c772b7d0efe9a400",
        "gaokao_bench-db85509080034766",
        "gaokao_bench-4fbbcca66ba9dfa6",
        "gaokao_bench-ec0e77961d438ada",
        "gaokao_bench-e18e1e15e0045b09",
        "gaokao_bench-90e1f46ed0c16ac0",
        "gaokao_bench-a3c901c1c5b1821b",
    ),
    _DEGREES: (
        "trace_topology-7d0ad572152cdb59",
        "trace_topology-6c49d230dd15edbc",
        "trace_topology-0a24b94b7eae3b40",
    ),
    _SAME: (
        "trace_topology-17dc93e39c046e6a",
        "trace_topology-aa002ca06d0bc8a6",
        "trace_topology-b9a3eadc46a44aa5",
        "qwen2.5_math_rm_maj_example-6e9b638469f9aa09",
        "zeroeval_math_l5-93ee8a88d73f7bed",
        "zeroeval_math_l5-0886a84c79f6e1d8",
    ),
    _REFERENCE: ("mr_gsm8k-a6df652a1d6a3cfa",),
    _NONE: ("verify_cot_MATH-4d386c4f7dd6bead",),
    _OTHER_VALUE: (
        "zeroeval_math_l5-4126057c769b1ff5",
        "zeroeval_math_l5-9acae0c8a36b28a9",
        "mr_gsm8k-31c933f43c3f90d2",
        "verify_cot_MATH-e877afccc1636e5a",
        "verify_cot_MATH-100df94d8eab0785",
    ),
}

WRONG: Mapping[str, str] = {row: reason for reason, rows in _BY_REASON.items() for row in rows}
"""Why each row is left out."""

_NO_ANSWERS = frozenset({"Let's think step by step.", "080 or 081 (both were accepted)"})


def reason_of(row: str, reference: str) -> str:
    """Why a row is left out; "" where it is not."""
    return _NO_REFERENCE if reference in _NO_ANSWERS else WRONG.get(row, "")
