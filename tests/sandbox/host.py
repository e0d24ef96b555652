"""A host to be killed: runs one program in a sandbox, having said so: `python -m tests.sandbox.host TIER PROGRAM`."""

from __future__ import annotations

import sys
from typing import cast

from reasonry.sandbox import Limits, Sandbox, Tier

PROGRAMS = {
    "python": "while True: pass",
    "sleeping": "import time\ntime.sleep(1000)",
    "threads": "import threading\nfor _ in range(4):\n    threading.Thread(target=lambda: list(iter(int, 1))).start()",
    "cpp": "int main() { for (;;) {} }",
    # Its header is compiled first, in an empty cache.
    "header": "#include <bits/stdc++.h>\nint main() { for (;;) {} }",
    # Takes a second to compile.
    "compiling": '#include <regex>\n#include <map>\n#include <iostream>\nint main() { std::regex r("a"); for (;;) {} }',
}


def main(tier: str, which: str) -> None:
    with Sandbox(tier=cast(Tier, tier)) as sandbox:
        sandbox.run("")
        print("started", flush=True)
        language = "cpp" if which in ("cpp", "compiling", "header") else "python"
        sandbox.run(PROGRAMS[which], language, limits=Limits(cpu_s=100))


if __name__ == "__main__":
    main(*sys.argv[1:])
