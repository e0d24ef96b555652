"""The matrix: every level of every factor with every level of the others, each with every seed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reasonry.errors import RecipeError, UsageError
from reasonry.recipe import Recipe, derive_seed, load_recipe
from reasonry.recipe_text import parse, read_text, toml_value
from reasonry.sections import AblateSection, FactorOptions, LevelOptions, Match

__all__ = ["Cell", "factors_of", "matrix", "toml_literal", "train_places"]

_SEED = re.compile(r"train(\.\d+)?\.seed")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.+-]+")
MOST_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One training: a level of each factor, and a seed (from 1). `settings` override the recipe, as --set does."""

    levels: Mapping[str, str]
    seed: int
    settings: tuple[str, ...]
    match: Match

    @property
    def name(self) -> str:
        """For a folder and for the eye; `matrix` makes sure that no two are the same."""
        parts = [_NOT_A_NAME.sub("-", level).strip("-.") or "level" for level in self.levels.values()]
        return "--".join([*parts, f"seed{self.seed}"])


def factors_of(section: AblateSection, varied: Sequence[str]) -> list[FactorOptions]:
    """The section's factors, and one for each `--vary key=[values]`. Raises UsageError where there is no such list."""
    factors = [*section.factors, *map(_varied, varied)]
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        raise UsageError("two factors have one name", place="--vary", hint=f"given: {', '.join(names)}")
    if not factors:
        raise UsageError(
            "nothing is varied",
            place="ablate",
            hint="""--vary 'select.keep=["correct","all"]', or [[ablate.factors]]""",
        )
    return factors


def _varied(given: str) -> FactorOptions:
    key, equals, literal = given.partition("=")
    values = toml_value(literal.strip()) if equals else None
    if not key.strip() or not isinstance(values, list) or len(values) < 2:  # pyright: ignore[reportUnknownArgumentType]
        raise UsageError(
            f"cannot read '{given}'",
            place="--vary",
            hint="""a key and at least two values: --vary 'distil.samples=[1,4]'""",
        )
    try:
        levels = [LevelOptions(name=_shown(value), set={key.strip(): value}) for value in values]  # pyright: ignore[reportUnknownVariableType]
        factor = FactorOptions(name=key.strip(), levels=levels)
    except (ValidationError, TypeError) as exc:  # control characters, 60 characters and more, dates
        raise UsageError(
            f"cannot vary '{given[:80]}'", place="--vary", hint="give its levels names: [[ablate.factors]]"
        ) from exc
    return factor


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else toml_literal(value)
    return _NOT_A_NAME.sub(" ", text).strip()[:60] or "empty"


def matrix(recipe: Recipe, section: AblateSection, factors: Sequence[FactorOptions]) -> list[Cell]:
    """All cells, the seeds of a combination together. Each is checked as a recipe of its own.

    Raises RecipeError for a level that makes no recipe; UsageError for a matrix beyond all reason, where a key would be
    set twice and one value silently lost, or where cells cannot be matched.
    """
    combinations = 1
    for factor in factors:
        combinations *= len(factor.levels)
    if combinations * section.seeds > MOST_CELLS:
        raise UsageError(
            f"{combinations * section.seeds:,} cells are too many",
            place="ablate",
            hint=f"at most {MOST_CELLS:,}: vary less at a time",
        )
    _refuse_conflicts(section, factors)
    cells = list(_cells(recipe, section, factors))
    taken: dict[str, Cell] = {}
    for cell in cells:
        if (other := taken.setdefault(cell.name, cell)) is not cell:
            told = " and ".join(", ".join(one.levels.values()) for one in (other, cell))
            raise UsageError(f"{told} would have one folder, {cell.name}", place="ablate", hint="rename their levels")
    return cells


def _refuse_conflicts(section: AblateSection, factors: Sequence[FactorOptions]) -> None:
    for factor, level, key in _keys_of(factors):
        if _SEED.fullmatch(key) or (section.reseed == "all" and key == "seed"):
            raise UsageError(
                f"a level sets {key}, and so do the seeds of the ablation",
                place=f"ablate: {factor} = {level}",
                hint="leave it out: every level is trained with each of `ablate.seeds`",
            )
    for (factor, _, key), (other, level, second) in itertools.combinations(_keys_of(factors), 2):
        if factor != other and (f"{key}.".startswith(f"{second}.") or f"{second}.".startswith(f"{key}.")):
            raise UsageError(
                f"two factors set {key if len(key) > len(second) else second}, and only one of them could hold",
                place=f"ablate: {factor}, and {other} = {level}",
                hint="make one factor of both, with a level for each combination",
            )


def _keys_of(factors: Sequence[FactorOptions]) -> list[tuple[str, str, str]]:
    """Factor, level and key of all that is set."""
    return [(factor.name, level.name, key) for factor in factors for level in factor.levels for key in level.set]


def _cells(recipe: Recipe, section: AblateSection, factors: Sequence[FactorOptions]) -> Iterator[Cell]:
    for chosen in itertools.product(*(factor.levels for factor in factors)):
        levels = {factor.name: level.name for factor, level in zip(factors, chosen, strict=True)}
        settings = [f"{key}={toml_literal(value)}" for level in chosen for key, value in level.set.items()]
        match = _match_of(chosen, section.match)
        _check(recipe, [*recipe.overrides, *settings], levels, match)
        for seed in range(1, section.seeds + 1):
            seeded = _seeds(recipe, seed, of_all=section.reseed == "all")
            yield Cell(levels, seed, (*recipe.overrides, *settings, *seeded), match)


def _match_of(chosen: Sequence[LevelOptions], default: Match) -> Match:
    own: list[Match] = [level.match for level in chosen if level.match is not None]
    if len(set(own)) > 1:
        raise UsageError(
            f"two levels of one cell are matched in their own way: {', '.join(own)}",
            place=f"ablate: {', '.join(level.name for level in chosen)}",
            hint="give `match` in one factor alone",
        )
    return own[0] if own else default


def _check(recipe: Recipe, settings: Sequence[str], levels: Mapping[str, str], match: Match) -> None:
    try:
        made = load_recipe(recipe.path, settings)
    except RecipeError as exc:
        named = ", ".join(f"{factor} = {level}" for factor, level in levels.items())
        place = str(exc.place).removeprefix("--set").removeprefix(": ")  # a level's key, which nobody gave by --set
        where = f"{place}, in the cell {named}" if place else f"the cell {named}"
        raise RecipeError(exc.message, place=where, hint=exc.hint) from exc
    if not made.train or not made.evaluate:
        raise RecipeError(
            "an ablation trains and evaluates", place=str(recipe.path), hint="add [train] and [[evaluate]]"
        )
    for student in made.train:
        counts = "steps" in type(student).model_fields
        if getattr(student, "steps", None) is not None:
            continue
        if match == "tokens" or (match == "steps" and counts) or (match == "epochs" and not counts):
            raise UsageError(
                f"nothing says how many steps '{student.name}' takes, so that cells could be matched by {match}",
                place=f"ablate.match: {match}",
                hint="set train.steps, or --match epochs" if counts else "--match examples",
            )


def _seeds(recipe: Recipe, seed: int, *, of_all: bool) -> Iterator[str]:
    """The settings of a seed. The first is the recipe's own, so that a cell may be a run that was made before."""
    if seed == 1:
        return
    derived = derive_seed(recipe.seed, "ablate", seed)
    if of_all:
        yield f"seed={derived}"
        return
    yield from (f"{place}.seed={derived}" for place in train_places(recipe.path))


def train_places(path: Path) -> list[str]:
    """How settings name each student's section: `train`, or `train.0`, `train.1`."""
    tables = parse(read_text(path), path).get("train")
    return [f"train.{i}" for i in range(len(tables))] if isinstance(tables, list) else ["train"]  # pyright: ignore[reportUnknownArgumentType]


def toml_literal(value: Any) -> str:
    """A value as TOML, so that it can be set on a command line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)  # json writes NaN and Infinity, which TOML does not know
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(str(name))} = {toml_literal(item)}" for name, item in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_literal(item) for item in value)}]"  # pyright: ignore[reportUnknownVariableType]
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """As JSON writes it, but for the one control character that JSON leaves and TOML refuses."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
