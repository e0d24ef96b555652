"""A student as teacher: a checkpoint folder on this machine, through torch and transformers.

The checkpoint's content is its name in keys, so a copy of it is the same teacher, and one that was trained further is
another. Its answers cost time, so they go through the ledger like paid ones.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reasonry.cluster import Share
from reasonry.errors import TeacherError
from reasonry.registry import Input, part
from reasonry.sections import OUT_OF_KEY, DistilSection, RecipePath
from reasonry.teachers.local.checkpoint import Device, LocalStudent, checkpoint_digest, checkpoint_input, load_student
from reasonry.teachers.local.gathering import Gatherer
from reasonry.torch_extra import need_training_libraries
from reasonry.types import Question, Reply, Request

__all__ = ["StudentOptions", "StudentTeacher", "student", "student_name"]


def student_name(checkpoint: Path) -> str:
    """What traces call the author: a checkpoint by its content."""
    return f"student/{checkpoint_digest(checkpoint)[:12]}"


class StudentOptions(DistilSection):
    """Which checkpoint answers, and where it runs."""

    paid: ClassVar[bool] = True

    path: RecipePath = Field(description="a checkpoint folder, such as runs/NAME/tables/train/KEY/checkpoint")
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")
    batch_size: Annotated[int, Field(ge=1), OUT_OF_KEY] = Field(
        default=32, description="requests answered at once; it does not change the answers"
    )
    device: Annotated[Device, OUT_OF_KEY] = Field(default="auto", description="auto: the GPU where torch finds one")

    @field_validator("path")
    @classmethod
    def _is_checkpoint(cls, path: RecipePath) -> RecipePath:
        if not (path.resolved / "config.json").is_file():
            raise PydanticCustomError("no_checkpoint", "no checkpoint: there is no config.json in it", {})
        return path

    @model_validator(mode="after")
    def _samples_differ(self) -> StudentOptions:
        several = self.samples == "all" or max(self.samples, self.max_samples or 1) > 1
        if several and self.temperature in (None, 0):
            what = "several samples need a temperature: without one, each is the most likely answer again"
            raise PydanticCustomError("same_samples", what, {})
        return self

    def share(self, gpus: int) -> Share:
        """What one replica takes of a cluster: a GPU where there are any, else a thread beside what runs there."""
        is_on_gpu = self.device == "cuda" or (self.device == "auto" and gpus > 0)
        return Share("GPU") if is_on_gpu else Share("CPU", is_held=False)


class StudentTeacher(AbstractAsyncContextManager["StudentTeacher"]):
    """A checkpoint that answers requests, gathered into batches. It is loaded when this is entered."""

    paid = True

    def __init__(self, options: StudentOptions) -> None:
        self._options = options
        self._seed = options.seed or 0
        self._name = student_name(options.path.resolved)
        self._student: LocalStudent | None = None
        self._gatherer: Gatherer[Request, Reply] | None = None
        self._stack = AsyncExitStack()
        self._leaving = threading.Event()

    @property
    def model(self) -> str:
        """With the seed: another one draws other answers."""
        return f"{self._name}+{self._seed}"

    @property
    def served_by(self) -> str:
        return self._name

    def recorded(self, question: Question) -> int | None:
        return None

    async def __aenter__(self) -> StudentTeacher:
        options = self._options
        loaded = await asyncio.to_thread(load_student, options.path.resolved, options.device)
        self._student = replace(loaded, name=self._name)
        self._leaving.clear()
        gatherer = Gatherer[Request, Reply](self._answers, options.batch_size)
        self._gatherer = await self._stack.enter_async_context(gatherer)
        return self

    async def __aexit__(self, *_: object) -> None:
        """A batch under way ends within a token."""
        self._leaving.set()
        await self._stack.aclose()
        self._gatherer = self._student = None

    async def __call__(self, request: Request) -> Reply:
        """One try."""
        if self._gatherer is None:
            raise TeacherError("the teacher is not open", hint="use it as an async context manager")
        return await self._gatherer.asked(request)

    def _answers(self, requests: Sequence[Request]) -> list[Reply | TeacherError]:
        assert self._student is not None
        replies = self._student.replies(
            [(request.messages, request.sampling) for request in requests],
            seed=self._seed,
            batch_size=self._options.batch_size,
            stopped=self._leaving.is_set,
        )
        return [_usable(reply) for reply in replies]


def _usable(reply: Reply) -> Reply | TeacherError:
    if reply.finish == "length" and reply.tokens_out == 0:
        return TeacherError(f"the {reply.tokens_in} tokens of the prompt fill the model's context")
    return reply


def _inputs(options: StudentOptions) -> list[Input]:
    return [checkpoint_input(options.path.resolved)]


@part("teacher", "student", version=1, options=StudentOptions, inputs=_inputs, needs=need_training_libraries)
def student(options: StudentOptions) -> StudentTeacher:
    """A checkpoint folder of this machine, through transformers: a student of an earlier run, or any chat model."""
    return StudentTeacher(options)
