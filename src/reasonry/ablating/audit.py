"""What the examples that a student learned from are worth, by verifiers that had no say in choosing them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reasonry.ablating.cells import step_of
from reasonry.contracts import Limits
from reasonry.errors import StoreError
from reasonry.joining import InStep
from reasonry.recipe import Recipe
from reasonry.registry import find
from reasonry.store import Manifest, Store
from reasonry.types import Example, Question, Status
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["Audit", "Judged", "audited", "judged"]

Judged = Mapping[str, Sequence[bool]]
"""Of each example, by its id, whether each verifier finds it correct."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Of so many examples, how many each verifier finds correct, and how many the first does and the last does not.

    With `["math", "steps"]` the latter are right answers over wrong steps.
    """

    examples: int
    correct: dict[str, int]
    first_alone: int


def judged(names: Sequence[str], recipe: Recipe, store: Store, *, workers: int | None) -> Judged:
    """Judge the examples that a sealed select stage kept, by each of these verifiers."""
    curated, selected = _sealed(recipe, store, "curate"), _sealed(recipe, store, "select")
    limits = Limits(recipe.verify.timeout_s, recipe.verify.memory_mb)
    with find("executor", "local").call(workers) as executor:
        found = [
            [
                verdict.status is Status.CORRECT
                for verdict in verify_all(
                    _items(name, curated, selected, store), executor, limits, sandbox=recipe.verify.tier
                )
            ]
            for name in names
        ]
    examples = [example.id for example in store.rows(selected, Example)]
    return dict(zip(examples, zip(*found, strict=True), strict=True))


def audited(names: Sequence[str], found: Judged, left_out: Collection[str]) -> Audit:
    """What a student learned from: the examples that were judged, but for those that its training left out."""
    learned = [right for example, right in found.items() if example not in left_out]
    correct = {name: sum(right[i] for right in learned) for i, name in enumerate(names)}
    return Audit(len(learned), correct, sum(right[0] and not right[-1] for right in learned))


def _sealed(recipe: Recipe, store: Store, stage: str) -> Manifest:
    manifest = store.sealed(stage, step_of(recipe, stage).key)
    if manifest is None:
        raise StoreError(f"the {stage} table is not there", place=str(store.root), hint="run again")
    return manifest


def _items(name: str, curated: Manifest, selected: Manifest, store: Store) -> Iterator[VerifyItem]:
    questions = InStep(store.rows(curated, Question), lambda question: question.id)
    for example in store.rows(selected, Example):
        question = questions.skip_to(example.question_id)
        if question is None:
            raise StoreError(f"{example.id} has no question", place=str(store.root), hint="run again")
        asked = Question(question.prompt, question.answer, name, question.spec, question.domain, question.source)
        yield VerifyItem(asked, example.messages[-1].content)
