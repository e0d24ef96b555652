"""Running a trusted command that ends with whoever started it, however that ends, and with all that it started itself.

Used for compilers that run outside of a box (a precompiled header): killing the host must leave nothing behind.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from reasonry.sandbox.inside import kernel

__all__ = ["run"]


def run(command: list[str]) -> NoReturn:
    """Run the command as process 1 of a namespace of process ids: when that ends, the kernel ends the others."""
    kernel.die_with_parent()
    try:
        kernel.unshare(kernel.CLONE_NEWPID | (kernel.CLONE_NEWUSER if os.geteuid() else 0))
    except OSError:
        pass  # then only the command itself ends with us
    process = os.fork()
    if process == 0:
        kernel.die_with_parent()
        os.execv(command[0], command)  # noqa: S606
    _, status = os.waitpid(process, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
