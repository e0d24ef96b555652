"""Process 1 of the tests' namespace: after each test it ends whatever the test left behind, of which there is nothing.

Tests cannot start processes, so this is a second lock on the same door. It also sets the number that the next process
gets, so that `os.getpid()` is the same in every run, and no small number that programs aim at.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import NoReturn

from reasonry.sandbox.inside import kernel, seccomp

__all__ = ["Reaper"]

FIRST_PROCESS = 10_000  # the number of a test's process, where the kernel lets us choose


class Reaper:
    """The other end of process 1, which is told by one byte and answers by one."""

    def __init__(self, process: int, channel: int) -> None:
        self._process = process
        self._channel = channel

    @classmethod
    def start(cls, last_process: int | None) -> Reaper:
        """Fork it. The caller has unshared the process ids of its children."""
        ours, theirs = (end.detach() for end in socket.socketpair())
        process = os.fork()
        if process == 0:
            os.close(ours)
            _serve(theirs, last_process)
        os.close(theirs)
        if last_process is not None:
            os.close(last_process)
        reaper = cls(process, ours)
        reaper.sweep()
        return reaper

    def sweep(self) -> bool:
        """End all that is left. True: there was something."""
        os.write(self._channel, b"!")
        answer = os.read(self._channel, 1)
        if not answer:
            os._exit(1)  # without process 1 no test can be started; the host makes a new box
        return answer == b"1"

    def close(self) -> None:
        """End it: nobody is left in its namespace."""
        os.close(self._channel)
        os.waitpid(self._process, 0)


def _serve(channel: int, last_process: int | None) -> NoReturn:
    kernel.die_with_parent()
    seccomp.installer(seccomp.narrow_filter())()
    wanted = str(FIRST_PROCESS - 1).encode()
    while os.read(channel, 1):
        found = b"1" if _end_all() else b"0"
        if last_process is not None:
            os.pwrite(last_process, wanted, 0)
        os.write(channel, found)
    os._exit(0)


def _end_all() -> bool:
    try:
        os.kill(-1, signal.SIGKILL)  # everyone here but ourselves
    except ProcessLookupError:
        return False
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return True
