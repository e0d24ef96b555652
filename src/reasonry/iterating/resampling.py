"""The student of the round before as a further teacher: rejection sampling, since only what is verified is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.ablating.matrix import toml_literal
from reasonry.errors import RecipeError, UsageError
from reasonry.recipe import Recipe
from reasonry.recipe_text import apply_overrides, parse, read_text

__all__ = ["StudentSampling", "sampling_for"]

SAMPLES = 4
TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class StudentSampling:
    """How often the student answers each question, and how freely. `samples` 0: never."""

    samples: int = SAMPLES
    temperature: float = TEMPERATURE

    def settings(self, recipe: Recipe, checkpoint: Path) -> Iterator[str]:
        """What a round's recipe is set to, for `reasonry run RECIPE --set`: the checkpoint answers too.

        It is asked as it was trained: the question alone, with the examples' system prompt. Of a question's answers
        that say the same only the first is kept: what the teacher wrote already would only count twice.
        """
        if not self.samples:
            return
        further = [*_given(recipe), self._section(recipe, checkpoint)]
        yield f"distil.further={toml_literal(further)}"
        if not recipe.select.distinct:
            yield "select.distinct=true"

    def _section(self, recipe: Recipe, checkpoint: Path) -> dict[str, Any]:
        section: dict[str, Any] = {
            "teacher": "student",
            "path": os.path.relpath(checkpoint.resolve(), recipe.path.resolve().parent),
            "samples": self.samples,
            "temperature": self.temperature,
            "max_tokens": max(one.max_tokens for one in recipe.evaluate),
        }
        if recipe.select.system is not None:
            section["system"] = recipe.select.system
        if recipe.budget is not None or (recipe.distil is not None and recipe.distil.tariff is not None):
            section["price"] = {"input_per_million": 0.0, "output_per_million": 0.0}  # nobody is paid for it
        return section


def sampling_for(recipe: Recipe, samples: int | None, temperature: float | None) -> StudentSampling:
    """What is asked for; by default the student samples wherever only what was verified is kept.

    Raises RecipeError where unverified answers of a student would be learned from, UsageError for samples that would
    all be the same.
    """
    is_verified = recipe.select.keep == "correct"
    made = StudentSampling(
        samples if samples is not None else SAMPLES if is_verified else 0,
        temperature if temperature is not None else TEMPERATURE,
    )
    if made.samples and not is_verified:
        raise RecipeError(
            f'select.keep = "{recipe.select.keep}": the student would learn its own mistakes',
            place=str(recipe.path),
            hint='select.keep = "correct", or --student-samples 0',
        )
    if made.samples > 1 and not made.temperature:
        raise UsageError(
            "at a temperature of 0 every sample is the same",
            place="--student-temperature",
            hint="--student-temperature 0.7, or --student-samples 1",
        )
    return made


def _given(recipe: Recipe) -> list[Any]:
    """The further teachers that the recipe has of its own, as it writes them."""
    raw: dict[str, Any] = parse(read_text(recipe.path), recipe.path)
    apply_overrides(raw, recipe.overrides)
    return list(raw["distil"].get("further", []))
