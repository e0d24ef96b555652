"""The caches of our own modules: cleared between measurements, or taken away for one."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["clear_caches", "without_caches"]


def clear_caches() -> None:
    """Forget everything that a `functools.lru_cache` of ours remembers."""
    for _, _, cached in list(_cached()):
        cached.cache_clear()


@contextmanager
def without_caches() -> Generator[int]:
    """Call functions of ours that remember a bounded number of results afresh each time; yields how many there are.

    An unbounded `functools.cache` is a table that is made once, and stays.
    """
    taken = [(module, name, call) for module, name, call in _cached() if call.cache_info().maxsize is not None]
    for module, name, call in taken:
        setattr(module, name, call.__wrapped__)
    try:
        yield len({id(call) for _, _, call in taken})
    finally:
        for module, name, call in taken:
            setattr(module, name, call)


def _cached() -> Iterator[tuple[ModuleType, str, Any]]:
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "reasonry"]
    for module in modules:
        for name, value in list(vars(module).items()):
            if hasattr(value, "cache_clear") and hasattr(value, "__wrapped__"):
                yield module, name, value
