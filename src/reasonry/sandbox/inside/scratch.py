"""What changes in a box: `/tmp` for each test, `/app` for each program, `/dev/stdin` where a program opens it."""

from __future__ import annotations

import os
import time

from reasonry.sandbox.inside import kernel
from reasonry.sandbox.inside.namespaces import APP, TMP, mount_app, mount_tmp

__all__ = ["Scratch"]

_FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV
_COPY_BYTES = 1 << 20
_TICK_S = 0.02  # longer than any kernel's


class Scratch:
    """Keeps them as they should be. `stdin` writes `/dev/stdin`."""

    def __init__(self, stdin: int) -> None:
        self._stdin = stdin
        self.seal_app()
        os.chdir(TMP)  # where tests begin
        self._mark = _mark_of(TMP)
        self._since = time.monotonic()
        self._is_settled = False

    def show_stdin(self, source: int) -> None:
        """Let `/dev/stdin` be a copy of this file in memory, for a program that opens it."""
        _copy(source, self._stdin)

    def hide_stdin(self) -> None:
        """What one test read is nothing to the next."""
        os.ftruncate(self._stdin, 0)

    def renew_tmp(self) -> None:
        """Where a test touched it: an empty one in its place. Nothing is deleted file by file, however much is there.

        A change sets the folder's change time, which no program can set back; until that is older than the kernel's
        tick, a look inside is needed as well.
        """
        if _mark_of(TMP) == self._mark and (self._is_settled or not os.listdir(TMP)):
            self._is_settled = time.monotonic() - self._since > _TICK_S
            return
        os.chdir("/")
        kernel.detach(TMP)
        mount_tmp()
        os.chdir(TMP)
        self._mark, self._since, self._is_settled = _mark_of(TMP), time.monotonic(), False

    def leave_shared(self) -> None:
        """In a checker's process: a `/tmp` of its own, where the program cannot reach what it writes."""
        kernel.unshare(kernel.CLONE_NEWNS)
        mount_tmp()
        os.chdir(TMP)

    def open_app(self) -> None:
        """An empty `/app` that can be written."""
        kernel.detach(APP)
        mount_app()

    def put(self, name: str, source: int) -> None:
        """Copy the file in memory to `/app`."""
        target = os.open(f"{APP}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        _copy(source, target)
        os.close(target)

    def drop(self, name: str) -> None:
        """A source file that has been compiled: the program has no need to read it."""
        os.unlink(f"{APP}/{name}")

    def seal_app(self) -> None:
        """From here on nobody writes there."""
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _FLAGS
        kernel.mount("none", APP, None, flags)


def _copy(source: int, target: int) -> None:
    size, place = os.fstat(source).st_size, 0
    while place < size:
        place += os.pwrite(target, os.pread(source, _COPY_BYTES, place), place)


def _mark_of(folder: str) -> tuple[int, ...]:
    found = os.stat(folder)
    return found.st_ctime_ns, found.st_mtime_ns, found.st_mode, found.st_nlink
