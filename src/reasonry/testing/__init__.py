"""The conformance kit: one line of test for each part you write.

```python
def test_roman():
    check_verifier(roman, question, right="It is XIV", wrong=["XVI", "14"])
```

Each check raises AssertionError with what the part does and what its contract asks for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasonry.testing.parts import check_filter, check_source, check_trace_filter
    from reasonry.testing.teachers import check_teacher
    from reasonry.testing.verifiers import check_verifier

__all__ = ["check_filter", "check_source", "check_teacher", "check_trace_filter", "check_verifier"]

_HOMES = {
    "check_filter": "reasonry.testing.parts",
    "check_source": "reasonry.testing.parts",
    "check_trace_filter": "reasonry.testing.parts",
    "check_teacher": "reasonry.testing.teachers",
    "check_verifier": "reasonry.testing.verifiers",
}


def __getattr__(name: str) -> Any:
    """Import a check when it is asked for: checking a source needs no verifier (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'reasonry.testing' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
