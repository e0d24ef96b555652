"""A sandbox for programs that nobody has read: model-written code, run against its tests.

```python
from reasonry.sandbox import Limits, run

outcome = run("print(int(input()) * 2)", "python", "21\\n", Limits(cpu_s=2))
outcome.ended, outcome.stdout     # (Ended.OK, b"42\\n")
```

A warm interpreter inside a box of Linux namespaces forks once for each test. The program sees `/usr` and the
interpreter, read-only, an empty `/tmp`, and nothing else: no network, no process of the host, no environment, no
expected output. docs/sandbox.md has what is covered and what is not.
"""

from reasonry.sandbox.inside.values import NotAValue
from reasonry.sandbox.outcomes import Ended, Limits, Outcome, SandboxUnavailable, Tier
from reasonry.sandbox.sandbox import MOST_TESTS, Call, Sandbox, run, use_tier

__all__ = [
    "MOST_TESTS",
    "Call",
    "Ended",
    "Limits",
    "NotAValue",
    "Outcome",
    "Sandbox",
    "SandboxUnavailable",
    "Tier",
    "run",
    "use_tier",
]
