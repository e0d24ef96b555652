"""What the executor's tests run in worker processes: imported there by name."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reasonry.types import JsonMap

Call = Callable[[JsonMap], Any]


def square(options: JsonMap) -> Call:
    return lambda row: row["x"] ** 2 + options.get("add", 0)


def hesitate(options: JsonMap) -> Call:
    """Rows take random times, so that they finish in another order than they came."""
    generator = random.Random(os.getpid())

    def call(row: JsonMap) -> int:
        time.sleep(generator.random() * 0.01)
        return row["x"]

    return call


def misbehave(options: JsonMap) -> Call:
    """Does to its process what the row says."""
    deeds: dict[str, Callable[[], Any]] = {
        "pid": os.getpid,
        "nothing": lambda: "fine",
        "loop": _loop,
        "regex": lambda: re.match("(a+)+$", "a" * 60 + "b"),
        "power": lambda: len(str(7 ** (10**9))),
        "memory": lambda: [bytes(1 << 26) for _ in range(100)],
        "exit": lambda: os._exit(3),
        "sys.exit": lambda: sys.exit(4),
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "close": lambda: os.closerange(3, 256),
        "raise": lambda: _raise("no"),
        "sleep": lambda: time.sleep(1000),
        "set": lambda: {1, 2},
        "print": lambda: print("noise" * 10_000, flush=True) or sys.stderr.write("noise" * 10_000),
        "read": lambda: sys.stdin.read(),
        "threads": lambda: _in_thread(_loop),
    }
    return lambda row: deeds[row["do"]]()


def _loop() -> None:
    while True:
        pass


def _raise(text: str) -> None:
    raise ValueError(text)


def _in_thread(call: Callable[[], None]) -> None:
    from threading import Thread

    Thread(target=call, daemon=True).start()
    time.sleep(1000)


def once(options: JsonMap) -> Call:
    """Kills its process the first time, and works the second: a worker killed by something outside."""

    def call(row: JsonMap) -> str:
        if row.get("mark") and not Path(row["mark"]).exists():
            Path(row["mark"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "fine"

    return call


def fuse(options: JsonMap) -> Call:
    """Some rows leave a thread behind that ends the process a little later, under some other row."""
    from threading import Timer

    def call(row: JsonMap) -> int:
        if row["fuse"]:
            Timer(0.002, os._exit, [7]).start()
        time.sleep(0.0005)
        return row["x"]

    return call


def told(options: JsonMap) -> Call:
    """Writes down that a row was done, with the actor or parent that had it."""

    def call(row: JsonMap) -> int:
        time.sleep(options.get("sleep", 0.0))
        with Path(options["file"]).open("a") as file:
            file.write(f"{row['x']} {os.getppid()}\n")
        return row["x"]

    return call


def orphan(options: JsonMap) -> Call:
    """Ends the process that it was given its rows by."""

    def call(row: JsonMap) -> str:
        if row.get("fatal"):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        return "fine"

    return call


def hoard(options: JsonMap) -> Call:
    """Keeps what each row asks for: the memory that one row finds depends on the rows before it."""
    kept: list[bytes] = []

    def call(row: JsonMap) -> int:
        kept.append(bytes(row["mb"] << 20))
        return len(kept[-1])

    return call


def environment(options: JsonMap) -> Call:
    return lambda row: dict(os.environ)


def identity(options: JsonMap) -> Call:
    return lambda row: {"pid": os.getpid(), "group": os.getpgrp(), "row": dict(row)}


def slow_pid(options: JsonMap) -> Call:
    def call(row: JsonMap) -> int:
        time.sleep(0.3)
        return os.getpid()

    return call


def child(options: JsonMap) -> Call:
    """Leaves a process of its own behind."""

    def call(row: JsonMap) -> int:
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]).pid

    return call


def broken(options: JsonMap) -> Call:
    raise RuntimeError("no such luck")


class _Prepared:
    """Needs long to prepare, which no row must pay for."""

    def __init__(self) -> None:
        self.is_ready = False

    def prepare(self, row: JsonMap) -> None:
        if not self.is_ready:
            end = time.process_time() + row["cpu_s"]
            while time.process_time() < end:
                pass
        self.is_ready = True

    def __call__(self, row: JsonMap) -> bool:
        return self.is_ready


def prepared(options: JsonMap) -> Call:
    return _Prepared()
