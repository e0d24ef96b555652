"""A Ray cluster that is there already: the connection to it, and actors of ours on its nodes.

Nothing here starts a cluster. Only the machine that runs a recipe reads and writes files; nodes get rows and give
results. Ray hands Python objects over as pickles, and believes whoever reaches its ports: so all that our actors give
back is JSON, written by our own code, and a cluster must be as private as one machine is.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import platform
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reasonry import env
from reasonry.errors import PartError, UsageError, WorkFailed
from reasonry.identity import digest, file_digest

__all__ = ["Crew", "Member", "Share", "connected", "fingerprint", "is_lost", "need_cluster", "resources", "somewhere"]

NO_ONE_S = 120.0  # for how long a cluster may have no actor of ours that works
LOOK_S = 2.0  # how often nodes are looked for that came or went
_REACH_S = 3.0
_START = "`ray start --head` here and `ray start --address=HOST:6379` on other machines; or --set executor=local"

# Libraries whose versions decide what a row comes to. (Parts of others come with the packages that bring them.)
_DECIDING = (
    "antlr4-python3-runtime",
    "latex2sympy2-extended",
    "math-verify",
    "mpmath",
    "numpy",
    "py3langid",
    "rapidfuzz",
    "rensa",
    "sympy",
)

_lock = threading.Lock()
_users = 0
_is_ours = False


def need_cluster() -> None:
    """Raise PartError where ray lacks, UsageError where no cluster answers. Connects to nothing."""
    if find_spec("ray") is None:
        raise PartError("the executor 'ray' needs ray, which is not installed", hint="pip install 'reasonry[ray]'")
    env.tame_ray()
    import ray

    if ray.is_initialized() or (address := _address()) == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()
    except (OSError, ValueError) as exc:  # Ray itself would try for two minutes
        raise UsageError(f"no Ray cluster answers: {exc}", place=address, hint=_START) from exc


def _address() -> str:
    """RAY_ADDRESS, or the cluster that was started on this machine."""
    address = env.read("RAY_ADDRESS") or "auto"
    if "://" in address or address == "local":
        hint = "run on a machine of the cluster (`ray start --address=HOST:6379` makes this one), RAY_ADDRESS=HOST:6379"
        raise UsageError(f"not the address of a cluster: {address}", place="RAY_ADDRESS", hint=hint)
    if address != "auto":
        return address
    try:
        from ray._private.services import find_bootstrap_address
    except ImportError:  # no public way to ask; ray.init will find out, if slowly
        return address
    found = find_bootstrap_address(None)
    if not found:
        raise UsageError("no Ray cluster runs on this machine", hint=f"RAY_ADDRESS=HOST:6379; {_START}")
    return found


@contextmanager
def connected() -> Generator[None]:
    """A connection for the time of the block, shared by all who want one; the caller's own where there is one.

    Raises PartError where ray lacks, UsageError where no cluster answers, WorkFailed where connecting fails.
    """
    global _users, _is_ours  # noqa: PLW0603 - ray has one connection for each process
    with _lock:
        if not _users:
            _is_ours = _connect()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users and _is_ours:
                import ray

                ray.shutdown()


def _connect() -> bool:
    """Whether there was none before."""
    need_cluster()
    import ray

    if ray.is_initialized():
        return False
    logging.getLogger("ray").setLevel(logging.ERROR)
    address = _address()
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as exc:
        hint = "join this machine to the cluster with the same versions of Python and ray: `ray start --address=...`"
        raise WorkFailed(f"no connection to the Ray cluster: {_said(exc)}", place=address, hint=hint) from exc
    _silence()
    return True


def _silence() -> None:
    """What nodes report (a lost worker) would be printed to stdout, which is for data. Ray has no option for it."""
    worker: Any = importlib.import_module("ray._private.worker")
    worker._worker_logs_enabled = False


@contextmanager
def _own_signals() -> Generator[None]:
    """Connecting puts a handler of Ray's in the place of ours."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


@cache
def fingerprint() -> Mapping[str, str]:
    """What decides results on this machine: Python, our own source, libraries, and packages that bring parts."""
    root = Path(__file__).parent
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("[!.]*") if path.is_file()}
    source = digest("source", {name: file_digest(path) for name, path in files.items() if path.suffix != ".pyc"})
    parts = {
        package.name
        for package in distributions()
        if any(entry.group.startswith("reasonry.") for entry in package.entry_points)
    }
    return {
        "python": platform.python_version(),
        "reasonry": f"{_version('reasonry')} ({source[:8]})",
        **{name: _version(name) for name in sorted({*_DECIDING, *parts})},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def is_lost(error: Exception) -> bool:
    """Whether an error of Ray's says that an actor, or what it gave, is gone."""
    from ray import exceptions

    gone = exceptions.RayActorError | exceptions.ObjectLostError | exceptions.WorkerCrashedError
    return isinstance(error, gone | exceptions.NodeDiedError | exceptions.OutOfMemoryError)


def resources() -> Mapping[str, float]:
    """What the cluster's living nodes have together, by Ray's names: CPU, GPU, and others. While `connected()`."""
    from ray import cluster_resources

    return cluster_resources()


def somewhere() -> str:
    """The address of the node that this runs on; for actors."""
    import ray

    return ray.util.get_node_ip_address()


@dataclass(frozen=True, slots=True)
class Share:
    """What of a cluster one actor is for. `is_held`: nobody else gets it meanwhile."""

    resource: str = "CPU"
    amount: int = 1
    is_held: bool = True


@dataclass(slots=True, eq=False)
class Member:
    """An actor. `hello` is a reference to where it is and what it runs on; until that is there, it has not begun."""

    actor: Any
    hello: Any
    node: str = ""
    jobs: int = 0

    @property
    def is_there(self) -> bool:
        return bool(self.node)


class Crew:
    """Actors on a cluster, as many as there are shares, at most `most`. Who is lost is replaced; new nodes are used.

    `actor` is a class whose `hello()` gives `(somewhere(), fingerprint())`; `options` are Ray's for actors. To be used
    while `connected()`.
    """

    def __init__(self, actor: type, share: Share, most: int | None, **options: Any) -> None:
        import ray

        held = share.amount if share.is_held else 0
        options |= {"num_cpus": held} if share.resource == "CPU" else {"num_cpus": 0, "num_gpus": held}
        options |= {"max_restarts": 0, "max_task_retries": 0, "scheduling_strategy": "SPREAD"}
        self._make: Callable[[], Any] = ray.remote(actor).options(**options).remote
        self._share = share
        self._most = most
        self._looked: float | None = None
        self._missed: float | None = None
        self.members: list[Member] = []

    @property
    def wanted(self) -> int:
        """How many there should be now."""
        shares = int(resources().get(self._share.resource, 0)) // self._share.amount
        return shares if self._most is None else min(shares, self._most)

    def hire(self) -> list[Member]:
        """Those who were asked to come now."""
        now = time.monotonic()
        if self._looked is not None and now < self._looked + LOOK_S:
            return []
        self._looked = now
        hired: list[Member] = []
        while len(self.members) + len(hired) < self.wanted:
            actor = self._make()
            hired.append(Member(actor, actor.hello.remote()))
        self.members += hired
        return hired

    def meet(self, member: Member) -> bool:
        """Once `hello` is settled: whether it came. Raises WorkFailed where its results would not be ours."""
        from ray import get
        from ray.exceptions import RayError

        try:
            node, theirs = get(member.hello)
        except RayError as exc:
            self.dismiss(member)
            if not is_lost(exc) or getattr(exc, "actor_init_failed", False):
                hint = f"on every node: pip install 'reasonry[ray]=={_version('reasonry')}'"
                raise WorkFailed(f"an actor cannot start: {_said(exc)}", place="ray", hint=hint) from exc
            return False
        ours = fingerprint()
        if theirs != ours:
            named = sorted(name for name in {*ours, *theirs} if theirs.get(name) != ours.get(name))
            what = ", ".join(f"{name} is {theirs.get(name, 'missing')}, here {ours.get(name)}" for name in named)
            hint = "install the same on every node: other versions could give other results"
            raise WorkFailed(f"the node is not like this machine: {what}", place=f"ray node {node}", hint=hint)
        member.node = node
        return True

    def dismiss(self, member: Member) -> None:
        """End an actor, if it has not ended yet."""
        from ray import kill
        from ray.exceptions import RayError

        if member in self.members:
            self.members.remove(member)
        with contextlib.suppress(RayError):
            kill(member.actor)

    def check(self) -> None:
        """Raise WorkFailed where nobody has been there for a while. To be called often while waiting."""
        if any(member.is_there for member in self.members):
            self._missed = None
            return
        now = time.monotonic()
        self._missed = self._missed or now
        if now - self._missed > NO_ONE_S:
            what = f"no node of the cluster has had room for {NO_ONE_S:.0f} s"
            need = f"{self._share.amount} {self._share.resource}"
            raise WorkFailed(what, place="ray", hint=f"`ray status` shows who holds it; each worker needs {need}")

    def close(self) -> None:
        for member in list(self.members):
            self.dismiss(member)


def _said(exc: BaseException) -> str:
    """The last line, which names the cause: tracebacks come before it."""
    last = (str(exc).strip().splitlines() or [""])[-1].strip()
    return (last if ": " in last else f"{type(exc).__name__}: {last}")[:300]
