"""What a cell has in common with the others: settings that follow from the examples that each was left with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from reasonry.ablating.cells import Prepared, step_of
from reasonry.ablating.matrix import Cell, train_places
from reasonry.errors import InputError, WorkFailed
from reasonry.sections import RecipePath, TrainSection
from reasonry.stages.train import conversations
from reasonry.store import Manifest, Store
from reasonry.torch_extra import need_training_libraries, quiet

__all__ = ["matched", "mean_length"]


def matched(cells: Sequence[Prepared], control: Prepared, store: Store) -> Iterator[Cell]:
    """Each cell with the settings that make it like the others in what it is matched by.

    steps: as they are, so that every cell trains as long as its recipe says. examples: each student learns from as many
    as the smallest cell has. epochs: steps in proportion to the examples, so that all pass over theirs as often as the
    control does. tokens: steps in inverse proportion to the examples' length. Raises WorkFailed where a cell has no
    example, InputError where a base model has no tokenizer to count by.
    """
    places = train_places(control.recipe.path)
    for one in cells:
        if not one.examples:
            raise WorkFailed("no example is left", place=f"cell {one.cell.name}", hint="see its folder's report")
    fewest = min(_learned(one, student) for one in cells for student in one.recipe.train)
    for one in cells:
        more = [
            setting
            for place, student, base in zip(places, one.recipe.train, control.recipe.train, strict=True)
            for setting in _settings(one, control, student, base, place, fewest, store)
        ]
        yield dataclasses.replace(one.cell, settings=(*one.cell.settings, *more))


def _learned(one: Prepared, student: TrainSection) -> int:
    return min(one.examples, student.examples or one.examples)


def _settings(
    one: Prepared, control: Prepared, student: TrainSection, base: TrainSection, place: str, fewest: int, store: Store
) -> Iterator[str]:
    match, steps = one.cell.match, getattr(student, "steps", None)
    if match == "examples":
        yield f"{place}.examples={fewest}"
    if match in ("steps", "examples") or steps is None:  # `matrix` lets no steps pass where epochs are what is matched
        return
    if match == "epochs":
        share = _learned(one, student) / _learned(control, base)
    else:
        share = _length(control, base, store) / _length(one, student, store)
    yield f"{place}.steps={max(1, round(steps * share))}"


def _length(one: Prepared, student: TrainSection, store: Store) -> float:
    return mean_length(student, store, _sealed(one, "select", store), _sealed(one, "verify", store))


def _sealed(one: Prepared, stage: str, store: Store) -> Manifest:
    manifest = store.sealed(stage, step_of(one.recipe, stage).key)
    assert manifest is not None, stage  # what comes before training was made first
    return manifest


def mean_length(student: TrainSection, store: Store, selected: Manifest, verified: Manifest) -> float:
    """How long what an example teaches is, on average: in tokens of the student's base model, else in characters.

    A student that makes a tokenizer of its own from its examples (the trainer `tiny`) has another one in every cell:
    their tokens are no common measure, characters are.
    """
    learned = (conversation for _, conversation in conversations(student, store, selected, verified))
    texts = [conversation[-1].content for conversation in learned if conversation is not None]
    lengths = map(len, texts) if (base := getattr(student, "base", None)) is None else _tokens(texts, student, base)
    return fmean([*lengths] or [1.0]) or 1.0


def _tokens(texts: Sequence[str], student: TrainSection, base: RecipePath | str) -> Iterator[int]:
    need_training_libraries()
    from transformers import AutoTokenizer

    is_local = isinstance(base, RecipePath)
    name, revision = str(base.resolved) if is_local else base, getattr(student, "revision", None)
    try:
        with quiet():
            tokenizer: Any = AutoTokenizer.from_pretrained(
                name, revision=revision or "main", local_files_only=is_local, trust_remote_code=False
            )
    except Exception as exc:
        raise InputError(f"the base model's tokenizer cannot be loaded: {exc}", place="train.base") from exc
    yield from (len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)
