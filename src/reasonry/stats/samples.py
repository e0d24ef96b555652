"""Figures of several samples of one question."""

from __future__ import annotations

import math

__all__ = ["pass_at_k"]


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, of which c are right, hold a right one: unbiased (arXiv:2107.03374, eq. 1).

    Raises ValueError unless 0 <= c <= n and 1 <= k <= n.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"no pass@{k} from {c} right of {n}")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)
