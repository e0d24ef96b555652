"""A few rows out of many: always the same ones, in one pass, without holding the rest.

Which rows are shown depends on their ids alone (the smallest digests), so a report written twice is the same, and
nobody picked them.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Sample", "clip"]

Item = TypeVar("Item")
HEAD, TAIL = 2_400, 1_200  # characters of a long text that are shown


class Sample(Generic[Item]):
    """The `size` offered items whose ids have the smallest digests."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[int, int, Item]] = []
        self.offered = 0

    def offer(self, row_id: str, item: Item) -> None:
        self.offered += 1
        weight = int.from_bytes(hashlib.blake2b(row_id.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        # The heap's first is the worst that is kept; the count decides between equal ids, so items are not compared.
        entry = (-weight, -self.offered, item)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def __iter__(self) -> Iterator[Item]:
        return (item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


def clip(text: str) -> str:
    """The beginning and the end of a long text, with the number of characters left out between them."""
    left_out = len(text) - HEAD - TAIL
    if left_out <= 0:
        return text
    return f"{text[:HEAD]}\n[… {left_out:,} characters left out …]\n{text[-TAIL:]}"
