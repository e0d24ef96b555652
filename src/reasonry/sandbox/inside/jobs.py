"""Jobs: what the host asks of a box. Each is one process (two for a harness), started, watched and ended here.

| kind | descriptors beside the message | does |
|---|---|---|
| program | program, cache, stdin, stdout, stderr | runs a Python program |
| call | program, cache, stdin, stdout, stderr, request, result | makes one call of a function of a Python program |
| check | as program, then harness, its cache, starter, its stdout, its stderr | runs a harness against a program |
| install | source, stdin, stdout, stderr | puts a source file in an empty `/app`, runs a compiler on it, seals `/app` |
| execute | stdin, stdout, stderr | runs a command of `/app` or `/usr` |

An answer tells for each process how it ended: `{"status", "signal", "cpu_s", "wall_s", "limit", "left"}`, `limit` being
"cpu" or "wall" where it was ended for that, `left` whether it left something running.
"""

from __future__ import annotations

import fcntl
import os
import random
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from reasonry.sandbox.inside import kernel, seccomp
from reasonry.sandbox.inside.candidate import answer_one_call, serve_calls
from reasonry.sandbox.inside.checker import run_harness
from reasonry.sandbox.inside.namespaces import TMP
from reasonry.sandbox.inside.program import run_program
from reasonry.sandbox.inside.reaper import Reaper
from reasonry.sandbox.inside.scratch import Scratch
from reasonry.sandbox.inside.warm import SEED

__all__ = ["Job", "Runner"]

OPEN_FILES = 64
EXTRA_CPU_S = 2  # the kernel's own limit stands behind ours
HELPERS = 4  # processes of the box that count towards its limit of threads
_SHORTEST_WAIT_S = 0.001
_CORES = len(os.sched_getaffinity(0))
_STANDARD_AT = {"program": 2, "call": 2, "execute": 0, "install": 1}  # where stdin stands among the descriptors
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": TMP, "TMPDIR": TMP, "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Job:
    """In the process of a test: what is left to do there once our own stack is gone."""

    begin: Callable[[], NoReturn]


class Runner:
    """Starts and watches. `reaper` None: there is no namespace of process ids (tier B, unsafe)."""

    def __init__(
        self, control: int, *, reaper: Reaper | None = None, scratch: Scratch | None = None, is_filtered: bool = True
    ) -> None:
        self._control = control
        self._reaper = reaper
        self._scratch = scratch
        self._is_filtered = is_filtered
        self._filters = {
            key: seccomp.test_filter(may_execute=key[0], may_fork=key[1])
            for key in ((False, False), (True, False), (True, True))
        }

    def run(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        """Do a job. A Job as the result: this is the process of the test."""
        kind = message["kind"]
        if kind == "check":
            return self._check(message, descriptors)
        if kind == "install":
            return self._install(message, descriptors)
        opens_stdin = message.get("opens_stdin", False) and self._scratch is not None
        if opens_stdin:
            self._scratch.show_stdin(descriptors[_STANDARD_AT[kind]])
        process = os.fork()
        if process == 0:
            return self._in_test(message, descriptors)
        answer = self._clean({"ended": self._watch([process], message)})
        if opens_stdin:
            self._scratch.hide_stdin()
        return answer

    def _in_test(self, message: dict[str, Any], descriptors: list[int]) -> Job:
        kind = message["kind"]
        at = _STANDARD_AT[kind]
        rest = [*descriptors[:at], *descriptors[at + 3 :]]
        if kind == "program":
            rest = self._enter(message, descriptors[at : at + 3], rest)
            sys.path.insert(0, TMP)
            return Job(lambda: run_program(*rest))
        if kind == "call":
            rest = self._enter(message, descriptors[at : at + 3], rest)
            return Job(lambda: answer_one_call(*rest))
        self._enter(message, descriptors[at : at + 3], [], executes=True, forks=kind == "install")
        argv = message["argv"]
        os.execve(argv[0], argv, _ENVIRONMENT | message.get("environment", {}))  # noqa: S606

    def _check(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        program, cache, stdin, stdout, stderr, harness, harness_cache, starter, out, err = descriptors
        ours, theirs = (end.detach() for end in socket.socketpair())
        candidate = os.fork()
        if candidate == 0:
            kept = self._enter(message, [stdin, stdout, stderr], [program, cache, theirs])
            return Job(lambda: serve_calls(*kept))
        checker = os.fork()
        if checker == 0:
            kept = self._enter(message, [stdin, out, err], [harness, harness_cache, starter, ours], folder="/")
            return Job(lambda: run_harness(*kept[:3], message["entry"], kept[3]))
        os.close(ours)
        os.close(theirs)
        return self._clean({"ended": self._watch([checker, candidate], message)})

    def _install(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        if self._scratch is None:
            return {"ended": [], "failed": "compiled languages need namespaces"}
        self._scratch.open_app()
        self._scratch.put(message["name"], descriptors[0])
        ended = []
        if message["argv"]:
            process = os.fork()
            if process == 0:
                return self._in_test(message, descriptors)
            ended = self._watch([process], message)
        answer = self._clean({"ended": ended})
        self._scratch.seal_app()
        return answer

    def _clean(self, answer: dict[str, Any]) -> dict[str, Any]:
        if self._reaper is not None:
            answer["left"] = self._reaper.sweep()
        if self._scratch is not None:
            self._scratch.renew_tmp()
        return answer

    # --- in the new process

    def _enter(
        self,
        message: dict[str, Any],
        standard: Sequence[int],
        kept: Sequence[int],
        *,
        folder: str = TMP,
        executes: bool = False,
        forks: bool = False,
    ) -> list[int]:
        """Become a test: its three files, its limits, no rights. The descriptors of `kept`, as they are numbered then."""
        high = [_above(descriptor) for descriptor in (*standard, *kept)]
        for number, descriptor in enumerate(high):
            os.dup2(descriptor, number, inheritable=number < len(standard))
        os.closerange(len(high), 1024)
        os.setsid()
        if self._reaper is not None:
            self._reaper.forget()
            os.chdir(folder)
        random.seed(SEED)
        _set_limits(message)
        if self._is_filtered:
            kernel.drop_capabilities()
            seccomp.install(self._filter(executes=executes, forks=forks))
        return list(range(len(standard), len(high)))

    def _filter(self, *, executes: bool, forks: bool) -> bytes:
        if self._reaper is None:
            return seccomp.test_filter(alone=os.getpid())
        return self._filters[executes, forks]

    # --- watching

    def _watch(self, processes: list[int], message: dict[str, Any]) -> list[dict[str, Any]]:
        """Until the first of them has ended, or a limit has: how each ended. The others end with the first."""
        watched = [_Watched.of(process) for process in processes]
        began = time.monotonic()
        limit = self._wait(watched, message, began)
        wall_s = time.monotonic() - began
        return [process.end(limit if process is watched[0] else None, wall_s) for process in watched]

    def _wait(self, watched: list[_Watched], message: dict[str, Any], began: float) -> str | None:
        poll = select.poll()
        poll.register(watched[0].descriptor, select.POLLIN)
        poll.register(self._control, select.POLLRDHUP | select.POLLHUP)
        cpu_limit, wall_limit = message["cpu_s"], message["wall_s"]
        while True:
            cpu_left = cpu_limit - max(process.cpu_s() for process in watched)
            wall_left = wall_limit - (time.monotonic() - began)
            if cpu_left <= 0:
                return "cpu"
            if wall_left <= 0:
                return "wall"
            wait_s = max(_SHORTEST_WAIT_S, min(cpu_left / _CORES, wall_left))
            for descriptor, _ in poll.poll(wait_s * 1000 + 1):
                if descriptor == self._control:
                    os._exit(0)  # the host is gone; everything in the box goes with us
                return None


@dataclass(slots=True)
class _Watched:
    """A process of a test, held by a descriptor so that its number cannot come to mean another."""

    process: int
    descriptor: int

    @classmethod
    def of(cls, process: int) -> _Watched:
        return cls(process, os.pidfd_open(process))

    def cpu_s(self) -> float:
        """Processor time so far, of all its threads, by the kernel's clock for that process (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.process << 3) | 2)

    def end(self, limit: str | None, wall_s: float) -> dict[str, Any]:
        signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)  # no harm to one that has ended
        _, status, usage = os.wait4(self.process, 0)
        os.close(self.descriptor)
        code = os.waitstatus_to_exitcode(status)
        return {
            "status": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "wall_s": wall_s,
            "limit": limit,
        }


def _above(descriptor: int) -> int:
    """A copy out of the way of the numbers that are handed out."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 32)


def _set_limits(message: dict[str, Any]) -> None:
    cpu = int(message["cpu_s"]) + EXTRA_CPU_S
    memory = message["memory_mb"] << 20
    which = resource.RLIMIT_DATA if message.get("reserves_memory") else resource.RLIMIT_AS
    for limit, value in (
        (which, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, message["output_bytes"] + 1),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, message["threads"] + HELPERS),
        (resource.RLIMIT_STACK, message["stack_mb"] << 20),
    ):
        _, most = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            value = min(value, most)  # noqa: PLW2901 - the host's own limit is lower
        resource.setrlimit(limit, (value, value))
