"""Any task of the `reasoning-gym` package (extra `gym`).

The package seeds item i of a dataset with `seed + i`, so that datasets of neighbouring seeds share nearly all of
their items. Here each item is made by itself, from a seed that is a digest, and its split follows from its text:
no seed can put a test question into training.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import Field

from reasonry.arithmetic import TEST_SHARE, Split
from reasonry.errors import InputError, PartError, nearest_hint
from reasonry.identity import digest
from reasonry.registry import Input, part
from reasonry.sections import QuestionsSection
from reasonry.types import Drop, Question, with_origin

__all__ = ["ReasoningGymSection", "make_questions", "split_of_text"]

_PATIENCE = 500  # draws without a new question, and 20 more for each found, before a task counts as used up


class ReasoningGymSection(QuestionsSection):
    """Questions of one reasoning-gym task."""

    domain: str = "puzzle"
    license: str = "Apache-2.0"
    task: str = Field(description="the task's name in reasoning-gym, such as leg_counting")
    config: dict[str, Any] = Field(default_factory=dict, description="the task's own settings, but size and seed")
    count: Annotated[int, Field(ge=1)] = Field(default=1000, description="distinct questions")
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")
    split: Split = Field(default="train", description="one question in ten, by its text, belongs to test")


def split_of_text(text: str) -> Split:
    """The split a question belongs to, by its text alone."""
    return "test" if int(digest("split", text)[:8], 16) % TEST_SHARE == 0 else "train"


def library_input(options: ReasoningGymSection) -> Sequence[Input]:
    """The package's version: another one may make other items. Raises PartError for an unusable task."""
    _check(options)
    installed = version("reasoning-gym")
    return [Input(f"reasoning-gym {installed}", digest("reasoning_gym", installed))]


@part("source", "reasoning_gym", options=ReasoningGymSection, inputs=library_input)
def make_questions(options: ReasoningGymSection) -> Iterator[Question | Drop]:
    """Questions of any reasoning-gym task (extra: gym)."""
    _check(options)
    library = version("reasoning-gym")
    for row, item in enumerate(_items(options), start=1):
        origin = {"generator": "reasoning_gym", "version": library, "task": options.task, "seed": options.seed or 0}
        answer = item["answer"]
        yield Question(
            prompt=item["question"],
            answer=None if answer is None else str(answer),
            verifier=options.verifier,
            spec=options.spec,
            domain=options.domain,
            source=options.name or f"reasoning_gym/{options.task}",
            license=options.license,
            meta=with_origin({}, {**origin, "row": row}),
        )
        if row == options.take:
            return


def _items(options: ReasoningGymSection) -> Iterator[dict[str, Any]]:
    """`count` items of the split with distinct questions."""
    seen: set[str] = set()
    misses, index = 0, 0
    while len(seen) < options.count:
        item = _item(options, index)
        index += 1
        text = item["question"]
        if text in seen or split_of_text(text) != options.split:
            misses += 1
            if misses > _PATIENCE + 20 * len(seen):
                raise _used_up(options, len(seen))
            continue
        misses = 0
        seen.add(text)
        yield item


def _item(options: ReasoningGymSection, index: int) -> dict[str, Any]:
    """One item from a dataset of its own: some tasks draw when they are made, others when they are asked."""
    seed = int(digest("reasoning_gym", options.seed or 0, options.task, options.config, index)[:8], 16)
    with contextlib.redirect_stdout(io.StringIO()):  # some tasks print their progress; our stdout is data
        return _create(options, seed)[0]


def _create(options: ReasoningGymSection, seed: int) -> Any:
    import reasoning_gym

    try:
        return reasoning_gym.create_dataset(options.task, size=1, seed=seed, **options.config)
    except (AssertionError, TypeError, ValueError, AttributeError, KeyError) as exc:
        raise PartError(
            f"reasoning_gym cannot make '{options.task}' with this config: {exc}", hint="look at config"
        ) from exc


def _check(options: ReasoningGymSection) -> None:
    """The package is there, the task is known, and so are its settings."""
    try:
        from reasoning_gym.factory import DATASETS
    except ImportError as exc:
        raise PartError("reasoning-gym is not installed", hint="pip install 'reasonry[gym]'") from exc
    if options.task not in DATASETS:
        raise PartError(f"reasoning_gym has no task '{options.task}'", hint=nearest_hint(options.task, DATASETS))
    settings = {field.name for field in dataclasses.fields(DATASETS[options.task][1])} - {"size", "seed"}
    for name in options.config:
        if name not in settings:
            raise PartError(f"'{options.task}' has no setting '{name}'", hint=nearest_hint(name, settings))
    _create(options, seed=0)


def _used_up(options: ReasoningGymSection, found: int) -> InputError:
    return InputError(
        f"count = {options.count}, but '{options.task}' with this config has only {found} {options.split} questions",
        hint=f"count = {found}, or a wider config" if found else "a wider config",
    )
