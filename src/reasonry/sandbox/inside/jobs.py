"""Jobs: what the host asks of a box. A test is one process (two for a harness), started, watched and ended here.

| kind | descriptors beside the message | does |
|---|---|---|
| program | program, cache; for each test stdin, stdout, stderr | runs a Python program |
| call | program, cache; for each test stdin, stdout, stderr, request, result | calls a function of a Python program |
| execute | for each test stdin, stdout, stderr | runs a command of `/app` or `/usr` |
| check | program, cache, stdin, stdout, stderr; harness, its cache, starter, stdin, stdout, stderr | runs a harness |
| install | source, stdin, stdout, stderr | puts a source file in an empty `/app`, runs a compiler on it, seals `/app` |

An answer is `{"ended": [...], "left": ...}`: for each process `{"status", "signal", "cpu_s", "wall_s", "limit"}`,
`limit` being "cpu" or "wall" where it was ended for that; and whether anything was left running.
"""

from __future__ import annotations

import _signal  # pyright: ignore[reportMissingImports]
import os
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
from reasonry.sandbox.inside.namespaces import SEARCH_PATH, TMP
from reasonry.sandbox.inside.program import run_program
from reasonry.sandbox.inside.reaper import Reaper
from reasonry.sandbox.inside.scratch import Scratch

__all__ = ["Job", "Runner"]

OPEN_FILES = 64
_MOST_DESCRIPTORS = 512  # a message brings 253 at most
_LEAST_FILE_BYTES = 4096  # a smaller output limit is the host's to see
EXTRA_CPU_S = 2  # the kernel's own limit stands behind ours
HELPERS = 4  # processes of the box that count towards its limit of threads
_SHORTEST_WAIT_S, _FIRST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.05, 0.25
_CHILD_SIGNALS = (signal.SIGCHLD.value,)
_SIGKILL = signal.SIGKILL.value
_HAS_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
# The functions below `signal`, which make no enumerations of what they take and give.
_await_signal, _set_mask = _signal.sigtimedwait, _signal.pthread_sigmask
_now = time.monotonic
_CORES = len(os.sched_getaffinity(0))
_DESCRIPTORS = {"program": (2, 3), "call": (2, 5), "execute": (0, 3)}  # how many all tests share, and each has
_ENVIRONMENT = {"PATH": SEARCH_PATH, "HOME": TMP, "TMPDIR": TMP, "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Job:
    """In the process of a test: what is left to do there once our own stack is gone."""

    begin: Callable[[], NoReturn]


class Runner:
    """Starts and watches. `reaper` None: there is no namespace of process ids (tier B, unsafe)."""

    def __init__(
        self,
        control: int,
        *,
        reaper: Reaper | None = None,
        scratch: Scratch | None = None,
        is_filtered: bool = True,
        others: int = HELPERS,
    ) -> None:
        self._control = control
        _set_mask(signal.SIG_SETMASK, _CHILD_SIGNALS)  # their arrival is waited for
        self._reaper = reaper
        self._scratch = scratch
        self._is_filtered = is_filtered
        self._others = others
        self._process = os.getpid()
        self._drop_capabilities = kernel.capability_dropper()
        self._filters = {
            key: seccomp.installer(seccomp.narrow_filter(may_execute=key[0], may_fork=key[1]))
            for key in ((False, False), (True, False), (True, True))
        }

    def close(self) -> None:
        """Let go of the reaper, and wait for it: what it used then counts as the box's."""
        if self._reaper is not None:
            self._reaper.close()

    def run(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        """Do a job. A Job as the result: this is the process of the test."""
        kind = message["kind"]
        if kind == "check":
            return self._check(message, descriptors)
        if kind == "install":
            return self._install(message, descriptors)
        return self._tests(message, descriptors)

    def _tests(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        """One test after the other, up to the first that does not end well."""
        shared, each = _DESCRIPTORS[message["kind"]]
        self._prepare(message)
        answer: dict[str, Any] = {"ended": [], "left": False}
        for place in range(shared, len(descriptors), each):
            standard = descriptors[place : place + 3]
            if message["opens_stdin"] and self._scratch is not None:
                self._scratch.show_stdin(standard[0])
            process = os.fork()
            if process == 0:
                return self._in_test(message, standard, [*descriptors[:shared], *descriptors[place + 3 : place + each]])
            ended = self._watch((process,), message)[0]
            answer["ended"].append(ended)
            self._clean(answer)
            if message["opens_stdin"] and self._scratch is not None:
                self._scratch.hide_stdin()
            if ended["status"] != 0:
                break
        return answer

    def _in_test(self, message: dict[str, Any], standard: Sequence[int], kept: Sequence[int]) -> Job:
        if message["kind"] == "program":
            self._enter(message, standard, kept)
            sys.path.insert(0, TMP)
            return Job(lambda: run_program(*kept))
        if message["kind"] == "call":
            self._enter(message, standard, kept)
            return Job(lambda: answer_one_call(*kept))
        self._enter(message, standard, (), executes=True, forks=message["kind"] == "install")
        argv = message["argv"]
        return Job(lambda: os.execve(argv[0], argv, _ENVIRONMENT | message["environment"]))  # noqa: S606

    def _check(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        program, cache, stdin, stdout, stderr, harness, harness_cache, starter, given, out, err = descriptors
        self._prepare(message)
        ours, theirs = (end.detach() for end in socket.socketpair())
        candidate = os.fork()
        if candidate == 0:
            # It shares process ids with its checker, and is to have no means of ending or stopping that.
            self._enter(message, [stdin, stdout, stderr], [program, cache, theirs], signals=False)
            return Job(lambda: serve_calls(program, cache, theirs))
        checker = os.fork()
        if checker == 0:
            if self._scratch is not None:
                self._scratch.leave_shared()
            self._enter(message, [given, out, err], [harness, harness_cache, starter, ours])
            return Job(lambda: run_harness(harness, harness_cache, starter, message["entry"], ours))
        os.close(ours)
        os.close(theirs)
        return self._clean({"ended": self._watch((checker, candidate), message), "left": False})

    def _install(self, message: dict[str, Any], descriptors: list[int]) -> Job | dict[str, Any]:
        assert self._scratch is not None  # the host asks a box of tier A only
        self._scratch.open_app()
        self._scratch.put(message["name"], descriptors[0])
        ended = []
        if message["argv"]:
            process = os.fork()
            if process == 0:
                return self._in_test(message, descriptors[1:], ())
            ended = self._watch((process,), message)
        answer = self._clean({"ended": ended, "left": False})
        if message["argv"]:
            self._scratch.drop(message["name"])
        self._scratch.seal_app()
        return answer

    def _prepare(self, message: dict[str, Any]) -> None:
        if message["clears_app"] and self._scratch is not None:
            self._scratch.open_app()
            self._scratch.seal_app()

    def _clean(self, answer: dict[str, Any]) -> dict[str, Any]:
        if self._reaper is not None:
            answer["left"] |= self._reaper.sweep()
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
        executes: bool = False,
        forks: bool = False,
        signals: bool = True,
    ) -> None:
        """Become a test: its three files, its limits, no rights. Of other descriptors, those of `kept` stay open."""
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        low = 3
        for descriptor in sorted(kept):
            os.closerange(low, descriptor)
            low = descriptor + 1
        os.closerange(low, _MOST_DESCRIPTORS)
        os.setsid()
        _signal.signal(signal.SIGINT.value, signal.default_int_handler)
        if self._reaper is None:
            kernel.die_with_parent()  # no namespace ends with it
            if os.getppid() != self._process:
                os._exit(1)  # it ended before we said so
        if executes:
            for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec would keep that
                _signal.signal(number.value, _signal.SIG_DFL)
        _set_mask(signal.SIG_SETMASK, ())
        _set_limits(message, self._others)
        if self._is_filtered:
            self._drop_capabilities()
            self._filter(executes=executes, forks=forks, signals=signals)()

    def _filter(self, *, executes: bool, forks: bool, signals: bool) -> Callable[[], None]:
        if self._reaper is None:
            return seccomp.installer(seccomp.narrow_filter(only_signals=os.getpid(), is_bare=True))
        if not signals:
            return seccomp.installer(seccomp.narrow_filter(only_signals=os.getpid()))
        return self._filters[executes, forks]

    # --- watching

    def _watch(self, processes: Sequence[int], message: dict[str, Any]) -> list[dict[str, Any]]:
        """Until the first of them has ended, or a limit has: how each ended. The others end with the first.

        What is done here is done between two forks, and so paid for in copies of every page it touches: few calls, few
        objects. A number stays the process's own until we have waited for it, so no other can be meant by it.
        """
        began = _now()
        limit = self._wait(processes, message["cpu_s"], message["wall_s"], began)
        wall_s = _now() - began
        ended: list[dict[str, Any]] = []
        for process in processes:
            if limit is not None or ended:
                os.kill(process, _SIGKILL)  # no harm to one that has ended
            _, status, usage = os.wait4(process, 0)
            code = os.waitstatus_to_exitcode(status)
            ended.append(
                {
                    "status": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "cpu_s": usage.ru_utime + usage.ru_stime,
                    "wall_s": wall_s,
                    "limit": None if ended else limit,
                }
            )
        return ended

    def _wait(self, processes: Sequence[int], cpu_limit: float, wall_limit: float, began: float) -> str | None:
        """None once the first process has ended, else the limit that one has reached."""
        first = processes[0]
        wait_s = min(_FIRST_WAIT_S, cpu_limit, wall_limit)
        while True:
            _await_signal(_CHILD_SIGNALS, wait_s)
            if os.waitid(os.P_PID, first, _HAS_ENDED) is not None:
                return None
            cpu_left = cpu_limit - max(map(_cpu_s, processes))
            wall_left = wall_limit - (_now() - began)
            if cpu_left <= 0:
                return "cpu"
            if wall_left <= 0:
                return "wall"
            self._leave_with_host(processes)
            wait_s = max(_SHORTEST_WAIT_S, min(cpu_left / _CORES, wall_left, _LONGEST_WAIT_S))

    def _leave_with_host(self, processes: Sequence[int]) -> None:
        """Where the host is gone, end; everything in the box goes with us."""
        poll = select.poll()
        poll.register(self._control, select.POLLRDHUP | select.POLLHUP)
        if poll.poll(0):
            for process in processes:
                os.kill(process, _SIGKILL)
            os._exit(0)


def _cpu_s(process: int) -> float:
    """Processor time so far, of all its threads, by the kernel's clock for that process (clock_getcpuclockid(3))."""
    return time.clock_gettime((~process << 3) | 2)


def _set_limits(message: dict[str, Any], others: int) -> None:
    """`others`: how many processes and threads of this user there are besides the test's."""
    cpu = int(message["cpu_s"]) + EXTRA_CPU_S
    memory = message["memory_mb"] << 20
    which = resource.RLIMIT_DATA if message.get("reserves_memory") else resource.RLIMIT_AS
    for limit, value in (
        (which, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, max(message["output_bytes"] + 1, _LEAST_FILE_BYTES)),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, message["threads"] + others),
        (resource.RLIMIT_STACK, message["stack_mb"] << 20),
    ):
        _, most = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            value = min(value, most)  # noqa: PLW2901 - the host's own limit is lower
        resource.setrlimit(limit, (value, value))
