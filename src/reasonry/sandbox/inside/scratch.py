"""The two folders of a box that can be written: `/tmp`, for each test anew, and `/app`, for whoever installs a program."""

from __future__ import annotations

import os

from reasonry.sandbox.inside import kernel
from reasonry.sandbox.inside.namespaces import APP, APP_OPTIONS, TMP, TMP_OPTIONS

__all__ = ["Scratch"]

_FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV
_COPY_BYTES = 1 << 20


class Scratch:
    """Keeps both as they should be."""

    def __init__(self) -> None:
        self._mark = _mark_of(TMP)

    def renew_tmp(self) -> None:
        """Where a test touched it: an empty one in its place. Nothing is deleted file by file, however much is there.

        A change sets the folder's change time, which no program can set back.
        """
        if _mark_of(TMP) == self._mark and not os.listdir(TMP):
            return
        kernel.detach(TMP)
        kernel.mount("tmpfs", TMP, "tmpfs", _FLAGS | kernel.MS_NOEXEC, TMP_OPTIONS)
        self._mark = _mark_of(TMP)

    def open_app(self) -> None:
        """An empty `/app` that can be written."""
        kernel.detach(APP)
        kernel.mount("tmpfs", APP, "tmpfs", _FLAGS, APP_OPTIONS)

    def put(self, name: str, source: int) -> None:
        """Copy the file in memory to `/app`."""
        target = os.open(f"{APP}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        size, place = os.fstat(source).st_size, 0
        while place < size:
            place += os.write(target, os.pread(source, _COPY_BYTES, place))
        os.close(target)

    def seal_app(self) -> None:
        """From here on nobody writes there."""
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _FLAGS
        kernel.mount("none", APP, None, flags)


def _mark_of(folder: str) -> tuple[int, int, int]:
    found = os.stat(folder)
    return found.st_ctime_ns, found.st_mode, found.st_nlink
