"""Run the programs of `test_programs` in a tier, print how each ended: `python -m tests.sandbox.run_programs TIER`."""

from __future__ import annotations

import json
import sys
from typing import cast

from reasonry.sandbox import Limits, Sandbox, Tier
from tests.sandbox.test_programs import PROGRAMS, STDIN, last_line


def main(tier: str) -> None:
    endings: dict[str, list[object]] = {}
    with Sandbox(tier=cast(Tier, tier)) as sandbox:
        for name, program in PROGRAMS.items():
            outcome = sandbox.run(program, stdin=STDIN, limits=Limits(cpu_s=5))
            code = outcome.exit_code if outcome.signal is None else -outcome.signal
            endings[name] = [code, outcome.stdout.decode("utf-8", "replace"), last_line(outcome.stderr)]
    print(json.dumps(endings))


if __name__ == "__main__":
    main(*sys.argv[1:])
