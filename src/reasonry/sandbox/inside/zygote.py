"""The box from inside: a warm Python that forks once for each test, watches the test from outside, and reports.

Started by `reasonry.sandbox.box` as `python -c ... SOURCE DESCRIPTOR`, the descriptor being a socket. Messages on it
are JSON, one a packet, with descriptors beside them: everything of a test (program, stdin, stdout, ...) is a file in
memory that the host made and reads itself, so nothing that a test writes is ever parsed here.

First message: `{"tier": ..., "places": [...]}`; the answer is `{"ready": ...}` or `{"failed": what}`.
Then one job after the other (`reasonry.sandbox.inside.jobs`), each answered by how its processes ended.

Processes: the host's child enters the namespaces and waits; its child, process 1 of the box, is the one that forks.
Tests live in a process id namespace below that one, whose process 1 does nothing but end what a test may have left, so
that a test cannot name who watches it, and signals act on it as on any process (process 1 ignores them).
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from reasonry.sandbox.inside import kernel, landlock, seccomp
from reasonry.sandbox.inside.jobs import HELPERS, Job, Runner
from reasonry.sandbox.inside.namespaces import enter_namespaces, furnish, open_places, shown_packages
from reasonry.sandbox.inside.reaper import Reaper
from reasonry.sandbox.inside.scratch import Scratch

__all__ = ["run"]

CONTROL = 3
MESSAGE_BYTES = 1 << 16
MAX_DESCRIPTORS = 253  # the kernel's own limit for one message
_dumps, _loads = json.JSONEncoder().encode, json.JSONDecoder().decode
_KEPT: list[object] = []  # what a test need not spend time on letting go
_CAP_SYS_ADMIN, _CAP_CHECKPOINT_RESTORE = 21, 40


class Control:
    """The socket to the host."""

    def __init__(self) -> None:
        given = int(sys.argv[2])
        if given != CONTROL:
            os.dup2(given, CONTROL, inheritable=False)
            os.close(given)
        self._socket = socket.socket(fileno=CONTROL)

    def forget(self) -> None:
        """In a test's process: the descriptor is closed, and its number is another's."""
        self._socket.detach()

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message; None where the host is gone."""
        data, descriptors, _, _ = socket.recv_fds(self._socket, MESSAGE_BYTES, MAX_DESCRIPTORS)
        return (_loads(data.decode()), descriptors) if data else None

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.send(_dumps(message).encode())
        except OSError:
            os._exit(0)

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        self.send(message)
        return self.expect()

    def expect(self) -> dict[str, Any]:
        """The next message of the set-up. Where the host is gone, this does not return."""
        received = self.receive()
        if received is None:
            os._exit(0)
        return received[0]


def main() -> Job:
    """Build the box and serve. Returns in each test's process, with what that process is to run."""
    control = Control()
    setup = control.expect()
    try:
        runner = _namespaced(control, setup) if setup["tier"] == "namespaces" else _confined(setup)
    except OSError as exc:
        control.send({"failed": str(exc)})
        os._exit(1)
    control.send({"ready": os.getpid()})
    _KEPT.extend((control, runner))
    _leave_no_module_behind()
    gc.collect()
    gc.freeze()  # what is here now is never looked at again, so that its pages stay shared
    while (received := control.receive()) is not None:
        message, descriptors = received
        answer = runner.run(message, descriptors)
        if isinstance(answer, Job):
            control.forget()
            _KEPT.append(message)
            return answer
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(answer)
    runner.close()
    os._exit(0)


def _namespaced(control: Control, setup: dict[str, Any]) -> Runner:
    def ask_for_map() -> bool:
        return bool(control.ask({"unshared": os.getpid()})["mapped"])

    _prefer_to_be_killed()
    is_mapped = enter_namespaces(ask_for_map)
    places = open_places(setup["places"], setup["packages"])
    sys.path.extend(shown_packages(setup["packages"]))
    if is_mapped:
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    _become_first_process()
    kernel.die_with_parent()  # again: a change of user clears it
    last_process = _open_to_write("/proc/sys/kernel/ns_last_pid")
    limit = _open_to_write("/proc/sys/user/max_user_namespaces")
    if limit is not None:
        os.write(limit, b"0")
        os.close(limit)
    stdin = furnish(places)
    socket.sethostname("box")
    _close_all_but(CONTROL, stdin, last_process)
    _harden(keep=(_CAP_SYS_ADMIN, _CAP_CHECKPOINT_RESTORE))
    kernel.unshare(kernel.CLONE_NEWPID)  # for children
    reaper = Reaper.start(last_process)
    return Runner(CONTROL, reaper=reaper, scratch=Scratch(stdin))


def _become_first_process() -> None:
    """Go on as process 1 of the box. The one left outside waits for it, so that its use of time is counted."""
    process = os.fork()
    if process:
        os.closerange(CONTROL, 1024)
        _wait_for(process)


def _wait_for(process: int) -> NoReturn:
    _, status = os.waitpid(process, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _confined(setup: dict[str, Any]) -> Runner:
    """Tier B, or none at all."""
    _prefer_to_be_killed()
    is_filtered = setup["tier"] == "landlock"
    sys.path.extend(setup["packages"])
    if is_filtered:
        landlock.version()  # says now if there is none
        os.chdir("/usr")
        _close_all_but(CONTROL)
        if setup["user"] is not None:
            os.setgroups([])
            os.setresgid(setup["user"], setup["user"], setup["user"])
            os.setresuid(setup["user"], setup["user"], setup["user"])
        kernel.forbid_new_privileges()
        landlock.restrict(["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", *setup["places"], *setup["packages"]])
        _harden(keep=())
    else:
        os.chdir("/tmp")  # noqa: S108
        _signals_and_limits()
    return Runner(CONTROL, is_filtered=is_filtered, others=HELPERS + setup["others"])


def _harden(keep: Sequence[int]) -> None:
    """What every test inherits."""
    _signals_and_limits()
    kernel.set_dumpable(allowed=False)
    kernel.lock_security_bits()
    kernel.clear_ambient_capabilities()
    kernel.capability_dropper(keep)()
    kernel.forbid_new_privileges()
    seccomp.installer(seccomp.starter_filter())()


def _signals_and_limits() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 of a namespace then ignores it
    for which, value in (
        (resource.RLIMIT_CORE, 1),  # 0 would still start a program that core_pattern names (core(5))
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 256),
        (resource.RLIMIT_MEMLOCK, 1 << 20),
    ):
        resource.setrlimit(which, (value, value))
    for which in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
        _, most = resource.getrlimit(which)
        resource.setrlimit(which, (most, most))  # the host may run under limits for its own work
    os.umask(0o022)


def _prefer_to_be_killed() -> None:
    """Of all processes, when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:  # a system without it: then the kernel chooses by itself
        pass


def _open_to_write(path: str) -> int | None:
    """None where the system does not have it, or /proc/sys is read-only here (in most containers)."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _close_all_but(*descriptors: int | None) -> None:
    kept = sorted({0, 1, 2, *(descriptor for descriptor in descriptors if descriptor is not None)})
    for low, high in zip(kept, [*kept[1:], 4096], strict=True):
        os.closerange(low + 1, high)


def run() -> NoReturn:
    """What `python -c` calls."""
    job = main()
    sys.argv = ["main.py"]
    # From here on: the process of a test. Its stack is nearly empty, as a program expects.
    job.begin()


def _leave_no_module_behind() -> None:
    """A program finds what it would find anywhere else in `sys.modules`, and nothing of ours."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "reasonry"]:
        del sys.modules[name]
