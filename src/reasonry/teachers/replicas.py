"""Teachers that run a model themselves, as replicas on a Ray cluster: one for each GPU, or for each processor.

A replica is the local teacher, opened in an actor of its own, where it gathers what it is asked into batches as ever.
A request goes to the replica that has fewest. What a lost replica was asked is asked again of another. The checkpoint
is read by every node, from the same path; that it is the same one is checked by its digest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import asdict
from typing import Any, Protocol, runtime_checkable

from reasonry.cluster import LOOK_S, Crew, Member, Share, connected, fingerprint, is_lost, resources, somewhere
from reasonry.errors import ReasonryError, TeacherError, WorkFailed
from reasonry.registry import find
from reasonry.sections import DistilSection
from reasonry.types import Question, Reply, Request

__all__ = ["Replica", "Replicas", "Spreadable", "is_spread"]

TRIES = 3  # of a request whose replica is lost: it may be what ends them
_LEAVE_S = 5.0
_MOST_AT_ONE = 1 << 16  # requests at one replica: they wait in its own line


@runtime_checkable
class Spreadable(Protocol):
    """Options of a teacher that runs a model itself."""

    @property
    def teacher(self) -> str: ...
    def share(self, gpus: int) -> Share:
        """What one replica takes of a cluster that has so many GPUs."""
        ...


def is_spread(section: DistilSection, executor: str) -> bool:
    """Whether a section's model runs on the nodes of a cluster, and not on this machine."""
    return executor == "ray" and isinstance(section, Spreadable)


class Replica:
    """The actor. What it gives back is JSON."""

    def __init__(self) -> None:
        self._opened: Any = None
        self._teacher: Any = None

    async def hello(self) -> tuple[str, dict[str, str]]:
        return somewhere(), dict(fingerprint())

    async def open(self, section: DistilSection) -> str:
        """Load the model: gives its name in keys, or why it cannot be loaded."""
        try:
            self._opened = find("teacher", section.teacher).call(section)
            self._teacher = await self._opened.__aenter__()
        except ReasonryError as exc:
            return _told(exc)
        return json.dumps({"model": self._teacher.model})

    async def ask(self, request: Request) -> str:
        try:
            reply: Reply = await self._teacher(request)
        except TeacherError as exc:
            return _told(exc)
        return json.dumps({"reply": asdict(reply)})

    async def leave(self) -> None:
        await self._opened.__aexit__(None, None, None)


class Replicas(AbstractAsyncContextManager["Replicas"]):
    """A teacher with a model on every node. Opened once the first replica is; others join as they are ready.

    `most` None: as many replicas as the cluster has room for. Raises TeacherError where a model cannot be loaded, and
    where no node has had room for a while.
    """

    def __init__(self, section: Any, most: int | None) -> None:
        self._section = section
        self._most = most
        self._local = find("teacher", section.teacher).call(section)
        self._ready: list[Member] = []
        self._changed = asyncio.Event()
        self._failure: TeacherError | None = None
        self._stack = ExitStack()
        self._keeper: asyncio.Task[None] | None = None
        self._crew: Crew | None = None
        self.asked_again = 0

    @property
    def count(self) -> int:
        """Replicas that answer now."""
        return len(self._ready)

    @property
    def model(self) -> str:
        return self._local.model

    @property
    def served_by(self) -> str:
        return self._local.served_by

    @property
    def paid(self) -> bool:
        return self._local.paid

    def recorded(self, question: Question) -> int | None:
        return self._local.recorded(question)

    async def __aenter__(self) -> Replicas:
        try:
            self._stack.enter_context(connected())
            share = self._section.share(int(resources().get("GPU", 0)))
            self._crew = Crew(Replica, share, self._most, max_concurrency=_MOST_AT_ONE)
            self._stack.callback(self._crew.close)
            self._keeper = asyncio.create_task(self._keep(self._crew))
            await self._least_busy()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """A replica has some seconds to leave what it does; then it is ended."""
        await self._leave()

    async def __call__(self, request: Request) -> Reply:
        """One try, at as many replicas as it takes."""
        from ray.exceptions import RayError

        error = TeacherError(f"{TRIES} replicas were lost while they answered it")
        for _ in range(TRIES):
            replica = await self._least_busy()
            replica.jobs += 1
            try:
                told: Any = json.loads(await replica.actor.ask.remote(request))
            except RayError as exc:
                if not is_lost(exc):
                    raise TeacherError(f"ray: {exc}") from exc
            else:
                if "reply" in told:
                    return Reply(**told["reply"])
                error = _error(told, replica)
                if not error.fatal:
                    raise error
            finally:
                replica.jobs -= 1
            self._lose(replica)
        raise error

    async def _least_busy(self) -> Member:
        """Waits until there is one. A node that cannot do its share ends the work, also where others can."""
        while self._failure is None and not self._ready:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure
        return min(self._ready, key=lambda replica: replica.jobs)

    def _lose(self, replica: Member) -> None:
        """It ended, or its engine did. Where requests met that end together, each comes here."""
        self.asked_again += 1
        if replica in self._ready and self._crew is not None:
            self._ready.remove(replica)
            self._crew.dismiss(replica)

    async def _keep(self, crew: Crew) -> None:
        """Have as many replicas as there is room for, until this is cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    for member in crew.hire():
                        group.create_task(self._admit(crew, member))
                    crew.check()
                    await asyncio.sleep(LOOK_S)
        except* Exception as failed:  # noqa: BLE001 - whoever waits or asks is told
            self._failure = _fatal(failed.exceptions[0])
        finally:
            self._changed.set()

    async def _admit(self, crew: Crew, member: Member) -> None:
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):  # meet() sees it too
            await member.hello
        if not crew.meet(member):
            return
        try:
            told: Any = json.loads(await member.actor.open.remote(self._section))
        except RayError as exc:
            if not is_lost(exc):
                raise WorkFailed(f"ray: {exc}", place=f"ray node {member.node}") from exc
            crew.dismiss(member)
            return
        if "model" not in told:
            raise _error(told, member)
        if told["model"] != self.model:
            what = f"it has another model: {told['model']}, here {self.model}"
            raise WorkFailed(what, place=f"ray node {member.node}", hint="the same checkpoint on every node")
        self._ready.append(member)
        self._changed.set()

    async def _leave(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        leaving = [asyncio.ensure_future(_gone(replica)) for replica in self._ready]
        if leaving:
            await asyncio.wait(leaving, timeout=_LEAVE_S)
        self._ready.clear()
        self._stack.close()


async def _gone(replica: Member) -> None:
    from ray.exceptions import RayError

    with contextlib.suppress(RayError):
        await replica.actor.leave.remote()


def _told(exc: ReasonryError) -> str:
    """An error as JSON."""
    is_teachers = isinstance(exc, TeacherError)
    return json.dumps(
        {
            "message": exc.message,
            "place": exc.place,
            "hint": exc.hint,
            "retryable": is_teachers and exc.retryable,
            "fatal": exc.fatal if is_teachers else True,
        }
    )


def _fatal(exc: Exception) -> TeacherError:
    if isinstance(exc, ReasonryError):
        return TeacherError(exc.message, place=exc.place, hint=exc.hint, fatal=True)
    return TeacherError(f"{type(exc).__name__}: {exc}", place="ray", hint="`ray status`; run again", fatal=True)


def _error(told: Any, replica: Member) -> TeacherError:
    place = f"ray node {replica.node}: {told['place']}" if told["place"] else f"ray node {replica.node}"
    return TeacherError(
        told["message"], place=place, hint=told["hint"], retryable=told["retryable"], fatal=told["fatal"]
    )
