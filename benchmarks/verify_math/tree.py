"""CPU time and memory of the processes that a process has started, where the kernel tells (`/proc`)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PeakWatch", "helpers_cpu_s", "helpers_peak_mb", "peak_mb"]


def _helpers(parent: int | None = None) -> list[Path]:
    """Folders under `/proc` of the living descendants of a process, this one by default."""
    found = list[Path]()
    for children in Path(f"/proc/{parent or os.getpid()}/task").glob("*/children"):
        for pid in _read(children).split():
            found += [Path(f"/proc/{pid}"), *_helpers(int(pid))]
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""  # it has ended


def helpers_cpu_s() -> float:
    """CPU time of the living descendants and of those that they have waited for; in steps of the kernel's clock."""
    ticks = 0
    for folder in _helpers():
        fields = _read(folder / "stat").rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def helpers_peak_mb() -> float:
    """The largest resident size that a living descendant ever had, in MB."""
    return max((peak_mb(folder) for folder in _helpers()), default=0.0)


def peak_mb(folder: Path = Path("/proc/self")) -> float:
    """The largest resident size that one process ever had, in MB; 0 where the kernel does not tell."""
    for line in _read(folder / "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


class PeakWatch:
    """Looks at the descendants every `period_s` while the block runs: children of children end before they can tell."""

    def __init__(self, period_s: float = 0.05) -> None:
        self.peak_mb = 0.0
        self._period_s, self._is_over = period_s, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(self._period_s):
            self.peak_mb = max(self.peak_mb, helpers_peak_mb())
