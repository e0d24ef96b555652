"""A box as the host sees it: started, spoken to, given up when it dies.

A test's program, input and output are files in memory (memfd) that are made here and handed over as descriptors. What a
test wrote is read here, from our own descriptor; the box only tells how the process ended.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasonry.pulse import beat
from reasonry.sandbox.inside.namespaces import SEARCH_PATH, write_map
from reasonry.sandbox.outcomes import SandboxUnavailable, Tier

__all__ = ["Box", "BoxDied", "MemoryFile", "check_places", "interpreter_places", "is_hidden", "tethered"]

START_S = 60.0
BEAT_S = 0.25  # between two signs of life while we wait
GRACE_S = 20.0  # beyond a job's own wall limit, before a box counts as dead
_MESSAGE_BYTES = 1 << 16
# A user that owns nothing: far above what systems hand out, one for each box.
_FIRST_UNUSED_USER = 1_879_048_192
_SPARE_TASKS = 96  # by which the user's other work may grow without a test feeling it
# No home in which a program could leave settings for its checker.
_ENVIRONMENT = {"PATH": SEARCH_PATH, "HOME": "/", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
_SOURCE = Path(__file__).resolve().parents[2]
# The packages' own __init__ files need what the base interpreter does not have, so empty ones stand in for them.
_PACKAGES = """
import sys, types
for name in ("reasonry", "reasonry.sandbox"):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [sys.argv[1] + "/" + name.replace(".", "/")]
"""
_BOX = """
from reasonry.sandbox.inside.warm import warm_up
warm_up()  # first of all, for what it leaves out; and while we may still walk to the library
from reasonry.sandbox.inside.zygote import run
run()
"""
_TETHER = """
from reasonry.sandbox.inside.tethered import run
run(sys.argv[2:])
"""


def _inside(program: str, *arguments: str) -> list[str]:
    """A command that runs something of `inside` in the base interpreter."""
    python = getattr(sys, "_base_executable", None) or sys.executable
    return [python, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _PACKAGES + program, str(_SOURCE), *arguments]


def tethered(command: Sequence[str]) -> list[str]:
    """The command as one that ends with this process, whatever ends it."""
    return _inside(_TETHER, *command)


class BoxDied(Exception):
    """The box is gone, or does not answer. Another one may be started."""


class MemoryFile:
    """A file in memory, shared with a test through its descriptor."""

    def __init__(self, content: bytes = b"") -> None:
        self.descriptor = os.memfd_create("test", os.MFD_CLOEXEC)
        self._content = content
        self._write()

    def _write(self) -> None:
        view = memoryview(self._content)
        place = 0
        while place < len(view):
            place += os.pwrite(self.descriptor, view[place:], place)

    def reset(self) -> None:
        """As it was made."""
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)  # the place is shared with whoever was given the file
        self._write()

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def tail(self, most: int) -> bytes:
        """Its last bytes."""
        return self.read(start=max(0, self.size - most))

    def read(self, most: int = 1 << 62, *, start: int = 0) -> bytes:
        left = min(self.size - start, most)
        pieces: list[bytes] = []
        while left > 0 and (piece := os.pread(self.descriptor, left, start)):
            pieces.append(piece)
            start += len(piece)
            left -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        os.close(self.descriptor)


class Box:
    """One box of a tier. Not for two threads at once. Raises SandboxUnavailable where this machine has no such tier."""

    def __init__(self, tier: Tier, packages: Sequence[str] = (), readable: Sequence[str] = ()) -> None:
        self.tier: Tier = tier
        self.installed = ""  # which program is in its /app; also where it is only half there
        self._owner = os.getpid()
        _OPEN.add(self)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(BEAT_S)
        try:
            self._process = self._start(theirs)
        finally:
            theirs.close()
        try:
            places = [*interpreter_places(), *readable]
            self._set_up({"tier": tier, "places": places, "packages": list(packages), **self._user()})
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        # Files in memory as stdin and its relatives, as tests get them: CPython looks at what they are when it starts.
        standard = [MemoryFile() for _ in range(3)]
        try:
            return subprocess.Popen(
                _inside(_BOX, str(theirs.fileno())),
                stdin=standard[0].descriptor,
                stdout=standard[1].descriptor,
                stderr=standard[2].descriptor,
                env=_ENVIRONMENT,
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        finally:
            self._complaints = standard[2]
            standard[0].close()
            standard[1].close()

    def _user(self) -> dict[str, Any]:
        """Whom tier B runs as, and how many others there are of that user, since a limit of threads counts them all."""
        if self.tier == "namespaces":
            return {"user": None, "others": 0}  # a box has its own users, and counts only those
        if self.tier == "landlock" and os.geteuid() == 0:
            for place in interpreter_places():
                _check_reach(place)
            return {"user": _FIRST_UNUSED_USER + self._process.pid, "others": 0}
        return {"user": None, "others": _SPARE_TASKS + _tasks_of(os.geteuid())}

    def _set_up(self, setup: dict[str, Any]) -> None:
        try:
            self._send(setup, ())
            answer = self._receive()
            if "unshared" in answer:
                self._send({"mapped": _map_unused_user(answer["unshared"])}, ())
                answer = self._receive()
        except BoxDied:
            raise _unavailable(self.tier, self._last_words()) from None
        if "failed" in answer:
            raise _unavailable(self.tier, answer["failed"])

    def run(self, message: dict[str, Any], files: Sequence[MemoryFile], tests: int = 1) -> dict[str, Any]:
        """Do one job and tell how it ended. Raises BoxDied, after which this box is of no more use."""
        self._send(message, [file.descriptor for file in files])
        return self._receive(message["wall_s"] * tests + GRACE_S)

    def _send(self, message: dict[str, Any], descriptors: Sequence[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._socket.sendmsg([json.dumps(message).encode()], rights)
        except OSError as exc:
            raise BoxDied(str(exc)) from exc

    def _receive(self, within_s: float = START_S) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while True:
            try:
                data = self._socket.recv(_MESSAGE_BYTES)
                break
            except TimeoutError as exc:
                beat()  # the box has limits of its own
                if time.monotonic() > deadline:
                    raise BoxDied(f"no answer within {within_s:g} s") from exc
            except OSError as exc:
                raise BoxDied(str(exc)) from exc
        if not data:
            raise BoxDied("it ended")
        return json.loads(data)

    def _last_words(self) -> str:
        lines = self._complaints.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def let_go(self) -> None:
        """In a process that was forked from its owner's: a box ends when nobody holds its socket any more."""
        self._socket.close()

    @property
    def is_ours(self) -> bool:
        """False in a process that was forked from the one that started it: two may not speak to one box."""
        return os.getpid() == self._owner

    def close(self) -> None:
        """End it and everything in it; in another process than its owner's, only let go of it."""
        self._socket.close()
        if not self.is_ours:
            return
        if self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)  # it leaves by itself, and its use of time is then counted
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._complaints.close()


_OPEN: weakref.WeakSet[Box] = weakref.WeakSet()


def _let_all_go() -> None:
    for box in list(_OPEN):
        box.let_go()


os.register_at_fork(after_in_child=_let_all_go)


def interpreter_places() -> list[str]:
    """Where the interpreter and its library are."""
    return sorted({os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)})


def is_hidden(place: str) -> bool:
    return place == "/tmp" or place.startswith("/tmp/")  # noqa: S108


def check_places(places: Sequence[str]) -> None:
    """Raises SandboxUnavailable for a place that a program's own /tmp would hide."""
    for place in places:
        if is_hidden(place):
            raise SandboxUnavailable(f"{place} cannot be shown: programs have a /tmp of their own", hint="move it")


def _check_reach(place: str) -> None:
    """As root, tier B runs as a user who owns nothing: who must get to the interpreter. Raises SandboxUnavailable."""
    for folder in (Path(place), *Path(place).parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            hint = "use an interpreter that every user may run, or be an ordinary user"
            raise SandboxUnavailable(f"no box of tier 'landlock': only root may enter {folder}", hint=hint)


def _tasks_of(user: int) -> int:
    """Processes and threads of a user."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == user:
                count += sum(1 for _ in (process / "task").iterdir())
    return count


def _map_unused_user(process: int) -> bool:
    """As root: make the box's user one that owns nothing. False where only the user itself may be mapped."""
    if os.geteuid() != 0:
        return False
    for user in (_FIRST_UNUSED_USER + process, 65_533):
        try:
            write_map(process, user)
        except OSError:
            continue  # root of a container, who has no such user
        return True
    return False


def _unavailable(tier: Tier, why: str) -> SandboxUnavailable:
    return SandboxUnavailable(f"no box of tier '{tier}': {why}", hint=_hint(tier))


def _hint(tier: Tier) -> str:
    if tier == "landlock":
        return "Landlock needs Linux 5.13 with 'landlock' in the kernel's lsm= list"
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    with contextlib.suppress(OSError):
        if restricted.read_text().strip() == "1":
            return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    with contextlib.suppress(OSError):
        if Path("/proc/sys/user/max_user_namespaces").read_text().strip() == "0":
            return "sysctl -w user.max_user_namespaces=10000"
    if Path("/.dockerenv").exists():
        return "start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    return "sysctl -w kernel.unprivileged_userns_clone=1"
