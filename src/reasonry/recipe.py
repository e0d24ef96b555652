"""The recipe: one TOML file, checked whole before anything runs.

Every error names its line and, for an unknown key, part or file, the nearest known name. What is in force
after defaults, derived seeds and `--set` is kept with the origin of each value (`Recipe.lock`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, Field, ValidationError

from reasonry.errors import PartError, RecipeError, nearest_hint
from reasonry.faults import fault_of
from reasonry.identity import digest
from reasonry.prompts import PRESETS
from reasonry.recipe_text import Raw, apply_overrides, parse, read_text
from reasonry.registry import Kind, find, names
from reasonry.sections import (
    AblateSection,
    BudgetSection,
    CurateSection,
    DistilSection,
    EvaluateSection,
    FilterSection,
    GateSection,
    PublishSection,
    QuestionsSection,
    Section,
    SelectSection,
    TraceFilterSection,
    TrainSection,
    VerifySection,
)
from reasonry.toml_lines import TomlPath, line_of, toml_lines

__all__ = ["SECTIONS", "SEVERAL", "SINGLE", "Recipe", "RecipeHead", "derive_seed", "load_recipe"]

_LIMIT_HINT = "distil.max_tokens = 16384: without it nobody knows what the answers under way may cost"
_HOW_OFTEN = frozenset(
    {"samples", "max_samples", "min_correct", "agree", "per_question", "price", "concurrency", "attempts", "further"}
    | {"max_failed", "max_refused", "continuations", "batch_size", "device"}
)
"""Of a teacher: what does not tell its answers from those of another one."""
_FOLDER_OF_TEACHER = re.compile(r'(\bpath"? *= *")[^"]*/')
_PRICE_HINT = "distil.price = { input_per_million = ..., output_per_million = ... }"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe in force. Sections hold validated options; `lock` every value with its origin."""

    name: str
    seed: int
    questions: tuple[QuestionsSection, ...]
    curate: CurateSection
    verify: VerifySection
    select: SelectSection
    distil: DistilSection | None = None
    publish: PublishSection | None = None
    train: tuple[TrainSection, ...] = ()
    evaluate: tuple[EvaluateSection, ...] = ()
    gates: tuple[GateSection, ...] = ()
    budget: BudgetSection | None = None
    ablate: AblateSection | None = None
    parent: str | None = None
    executor: str = "local"
    path: Path = Path()
    text: str = ""
    overrides: tuple[str, ...] = ()
    lock: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    @property
    def digest(self) -> str:
        """What the recipe asks for: every value in force that can change a result (a budget or a gate cannot)."""
        sections: list[Section | None] = [
            *self.questions,
            self.curate,
            self.distil,
            self.verify,
            self.select,
            self.publish,
            *self.train,
            *self.evaluate,
        ]
        return digest("recipe", self.name, self.seed, [s and s.key_content() for s in sections])

    @property
    def published_overrides(self) -> tuple[str, ...]:
        """What was set on the command line, as a card shows it: not where it was made, nor when to stop."""
        shown = (one for one in self.overrides if not re.match(r"\s*(budget\.|executor\s*=)", one))
        return tuple(_FOLDER_OF_TEACHER.sub(r"\1", one) if one.startswith("distil.further") else one for one in shown)

    @property
    def run_id(self) -> str:
        return f"{self.name}-{self.digest[:8]}"


class RecipeHead(Section):
    """The keys of a recipe that stand outside any table."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="names the run's folder")
    seed: int = Field(default=0, description="every other seed is derived from it")
    parent: str | None = Field(default=None, description="the run this one continues")
    executor: str = Field(default="local", description="where work is spread: local processes, or ray")


SINGLE: dict[str, tuple[type[Section], Kind | None]] = {
    "budget": (BudgetSection, None),
    "curate": (CurateSection, None),
    "distil": (DistilSection, "teacher"),
    "verify": (VerifySection, None),
    "select": (SelectSection, None),
    "publish": (PublishSection, None),
    "ablate": (AblateSection, None),
}
SEVERAL: dict[str, tuple[type[Section], Kind | None]] = {
    "questions": (QuestionsSection, "source"),
    "train": (TrainSection, "trainer"),
    "evaluate": (EvaluateSection, "benchmark"),
    "gates": (GateSection, None),
}
SECTIONS = {**SINGLE, **SEVERAL}


def derive_seed(seed: int, *place: str | int) -> int:
    """A seed for one place of the recipe: from a digest, so that neighbouring seeds share nothing.

    31 bits, which every random generator takes.
    """
    return int(digest("seed", seed, *place)[:8], 16) & 0x7FFF_FFFF


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe. `overrides` are `section.key=value` with TOML values.

    Raises RecipeError for the first thing that is wrong, with its line.
    """
    text = read_text(path)
    raw = parse(text, path)
    checker = _Checker(path, toml_lines(text), apply_overrides(raw, overrides))
    return checker.recipe(raw, text, tuple(overrides))


@dataclass(slots=True)
class _Checker:
    """Turns raw TOML into sections, and anything that does not fit into one error with its place."""

    path: Path
    lines: dict[TomlPath, int]
    overridden: set[TomlPath]
    lock: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def recipe(self, raw: Raw, text: str, overrides: tuple[str, ...]) -> Recipe:
        head = self._head(raw)
        sections: Raw = {}
        for name, (base, kind) in SECTIONS.items():
            several = name in SEVERAL
            if name in raw:
                tables = self._tables(raw[name], name, several=several)
                made = tuple(
                    self._section(table, (name, i) if several and isinstance(raw[name], list) else (name,), base, kind)
                    for i, table in enumerate(tables)
                )
                sections[name] = made if several else made[0]
        for name in ("curate", "verify", "select"):
            if name not in sections:
                sections[name] = self._section({}, (name,), *SINGLE[name])
        self._whole(sections)
        for name in ("train", "evaluate", "questions"):
            sections[name] = self._seeded(sections.get(name, ()), name, head.seed)
        for name in ("distil", "select"):
            if name in sections:
                (sections[name],) = self._seeded((sections[name],), name, head.seed)
        if (distil := sections.get("distil")) is not None and distil.further:
            further = self._seeded(distil.further, "distil", head.seed, ("distil", "further"))
            sections["distil"] = distil.model_copy(update={"further": list(further)})
        self._record(head, ())
        return Recipe(
            name=head.name,
            seed=head.seed,
            parent=head.parent,
            executor=head.executor,
            path=self.path,
            text=text,
            overrides=overrides,
            lock=self.lock,
            **sections,
        )

    def _head(self, raw: Raw) -> RecipeHead:
        for name, value in raw.items():
            if name not in SECTIONS and name not in RecipeHead.model_fields:
                known = [*SECTIONS, *RecipeHead.model_fields]
                raise self._error(
                    (name,),
                    f"unknown {'table' if isinstance(value, dict | list) else 'key'} '{name}'",
                    nearest_hint(name, known),
                )
        if "questions" not in raw:
            raise RecipeError("no questions", place=str(self.path), hint="add a [[questions]] table with a source")
        given = {name: raw[name] for name in RecipeHead.model_fields if name in raw}
        head = self._validate(RecipeHead, given, ())
        self._named("executor", head.executor, ("executor",))
        return head

    def _tables(self, value: Any, name: str, *, several: bool) -> list[Raw]:
        tables = cast("list[Any]", value if several and isinstance(value, list) else [value])
        wanted = f"[[{name}]]" if several else f"[{name}]"
        if not tables or not all(isinstance(table, dict) for table in tables):
            raise self._error((name,), f"'{name}' is not a table", f"write it as {wanted}")
        return tables

    def _section(self, table: Raw, path: TomlPath, base: type[Section], kind: Kind | None) -> Any:
        model = self._part_model(table, path, base, kind) if kind else base
        made = self._validate(model, table, path)
        if isinstance(made, CurateSection):
            made = self._against(self._filtered(made, path, FilterSection, "filter"), path)
        if isinstance(made, SelectSection):
            made = self._filtered(made, path, TraceFilterSection, "trace_filter")
        if isinstance(made, QuestionsSection):
            self._named("verifier", made.verifier, (*path, "verifier"))
        if isinstance(made, DistilSection):
            if made.preset is not None and made.preset not in PRESETS:
                hint = nearest_hint(made.preset, PRESETS)
                raise self._error((*path, "preset"), f"no preset of prompts '{made.preset}'", hint)
            if made.per_question.usd is not None and made.tariff is None:
                raise self._error((*path, "per_question", "usd"), "a budget needs a price", _PRICE_HINT)
            made = self._with_further(made, path)
        if isinstance(made, PublishSection):
            for i, name in enumerate(made.formats):
                self._named("exporter", name, (*path, "formats", i))
        self._record(made, path)
        return made

    def _with_further(self, made: DistilSection, path: TomlPath) -> DistilSection:
        """The section with each of its further teachers as the options of its part."""
        if not made.further:
            return made
        if len(path) > 1:
            hint = "put all of them into the list of [distil]"
            raise self._error((*path, "further"), "a further teacher has none of its own", hint)
        tables = self._tables(made.further, "distil.further", several=True)
        further = [self._section(t, (*path, "further", i), DistilSection, "teacher") for i, t in enumerate(tables)]
        told = [{name: v for name, v in one.content().items() if name not in _HOW_OFTEN} for one in (made, *further)]
        for i, content in enumerate(told[1:], start=1):
            if content in told[:i]:
                what = "this teacher is there already, so it would give the same answers again"
                raise self._error((*path, "further", i - 1), what, "raise the other one's samples, or give it a seed")
        return made.model_copy(update={"further": further})

    def _filtered(self, made: Any, path: TomlPath, base: type[Section], kind: Kind) -> Any:
        """The section with each of its filters as the options of the part it names."""
        tables = self._tables(made.filters, f"{_dotted(path)}.filters", several=True) if made.filters else []
        filters = [self._section(table, (*path, "filters", i), base, kind) for i, table in enumerate(tables)]
        return made.model_copy(update={"filters": filters})

    def _against(self, made: CurateSection, path: TomlPath) -> CurateSection:
        """The section with each benchmark that decontamination names as the options of its part."""
        if (options := made.decontaminate) is None:
            return made
        where: TomlPath = (*path, "decontaminate", "against")
        against = [
            self._benchmark(entry, (*where, i)) if isinstance(entry, dict) else entry
            for i, entry in enumerate(options.against)
        ]
        return made.model_copy(update={"decontaminate": options.model_copy(update={"against": against})})

    def _benchmark(self, table: Raw, path: TomlPath) -> Section:
        if "benchmark" in table:
            return self._section(table, path, EvaluateSection, "benchmark")
        return self._section(table, path, QuestionsSection, "source")

    def _part_model(self, table: Raw, path: TomlPath, base: type[Section], kind: Kind) -> type[Section]:
        key = cast("str", base.part_field)
        name = table.get(key)
        if not isinstance(name, str):
            what = f"no {key} is named" if name is None else f"{key} is not text"
            raise self._error((*path, key), what, nearest_hint("", names(kind)))
        return self._named(kind, name, (*path, key)).options or base

    def _named(self, kind: Kind, name: str, path: TomlPath) -> Any:
        try:
            return find(kind, name)
        except PartError as exc:
            raise self._error(path, exc.message, exc.hint) from exc

    def _validate(self, model: type[Any], table: Raw, path: TomlPath) -> Any:
        try:
            return model.model_validate(table, context={"folder": self.path.parent})
        except ValidationError as exc:
            raise self._first(exc, model, path) from exc

    def _first(self, failure: ValidationError, model: type[BaseModel], path: TomlPath) -> RecipeError:
        """The first error by line, in our words."""
        errors = failure.errors(include_url=False)
        error = min(errors, key=lambda e: (line_of(self.lines, (*path, *e["loc"])) or 0, e["type"] != "no_such_file"))
        fault = fault_of(error, model, "the recipe")
        where: TomlPath = (*path, *error["loc"])
        return self._error(where if fault.is_of_a_key else self._trim(where), fault.message, fault.hint)

    def _trim(self, path: TomlPath) -> TomlPath:
        """Without what pydantic appends inside a value (the arms of a union)."""
        while len(path) > 1 and path not in self.lines and path not in self.overridden:
            path = path[:-1]
        return path

    def _error(self, path: TomlPath, message: str, hint: str | None = None) -> RecipeError:
        dotted = _dotted(path)
        if any(path[: len(given)] == given for given in self.overridden):
            return RecipeError(message, place=f"--set: {dotted}", hint=hint)
        line = line_of(self.lines, path)
        place = f"{self.path}:{line}" if line else str(self.path)
        return RecipeError(message, place=f"{place}: {dotted}" if dotted else place, hint=hint)

    def _whole(self, sections: Raw) -> None:
        """What no section can check alone."""
        if "distil" not in sections:
            for name in ("train", "publish"):
                if name in sections:
                    raise self._error((name,), f"{name} needs traces", "add a [distil] table")
        distil: DistilSection | None = sections.get("distil")
        for i, one in enumerate(distil.responders if "budget" in sections and distil is not None else ()):
            of = f" of distil.further[{i - 1}]" if i else ""
            if getattr(one, "paid", False) and one.tariff is None:
                raise self._error(("budget",), f"a budget needs a price{of}", _PRICE_HINT)
            if getattr(one, "paid", False) and one.max_tokens is None:
                raise self._error(("budget",), f"a budget needs max_tokens{of}", _LIMIT_HINT)
        self._unique(sections.get("train", ()), "train", lambda s: s.name)
        self._unique(sections.get("evaluate", ()), "evaluate", lambda s: s.label)
        self._evaluations(sections)
        for i, gate in enumerate(sections.get("gates", ())):
            if gate.min is None and gate.max is None:
                raise self._error(("gates", i), "a gate needs min or max", "add min = ...")
            stage = gate.metric.split(".")[0]
            if stage not in (stages := {"collect", *SECTIONS} - {"questions", "gates", "budget", "ablate"}):
                raise self._error(("gates", i, "metric"), f"no stage '{stage}'", nearest_hint(stage, stages))

    def _evaluations(self, sections: Raw) -> None:
        """Every evaluation has someone to evaluate."""
        students = {s.name for s in sections.get("train", ())}
        if "teacher" in students:
            raise self._error(("train",), "no student may be named 'teacher'", "give it a name of its own")
        known = students | ({"teacher"} if "distil" in sections else set())
        for i, evaluate in enumerate(sections.get("evaluate", ())):
            if evaluate.of is None and not students:
                hint = 'add a [train] table, or evaluate.of = ["teacher"]'
                raise self._error(("evaluate", i), "there is no student to evaluate", hint)
            for name in evaluate.of or ():
                if name not in known:
                    raise self._error(("evaluate", i, "of"), f"no student '{name}'", nearest_hint(name, known))

    def _unique(self, sections: Iterable[Any], table: str, name_of: Any) -> None:
        seen: set[str] = set()
        for i, section in enumerate(sections):
            if name_of(section) in seen:
                raise self._error(
                    (table, i), f"a second {table} named '{name_of(section)}'", "give it a name of its own"
                )
            seen.add(name_of(section))

    def _seeded(self, sections: Iterable[Any], table: str, seed: int, place: TomlPath | None = None) -> tuple[Any, ...]:
        made: list[Any] = []
        for i, section in enumerate(sections):
            if "seed" not in type(section).model_fields or section.seed is not None:
                made.append(section)
                continue
            derived = derive_seed(seed, table, *_seed_place(section))
            made.append(section.model_copy(update={"seed": derived}))
            self.lock[_dotted((*(place or (table,)), i, "seed"))] = {"value": derived, "origin": "derived from seed"}
        return tuple(made)

    def _record(self, section: Section, path: TomlPath) -> None:
        for name, value in section.content().items():
            where: TomlPath = (*path, name)
            if where in self.overridden:
                origin = "command line"
            elif where in self.lines:
                origin = f"recipe:{self.lines[where]}"
            else:
                origin = "default"
            self.lock[_dotted(where)] = {"value": value, "origin": origin}


def _seed_place(section: Section) -> tuple[str, ...]:
    """What tells the seeds of one table's sections apart: what they ask for, never where they stand.

    Students share one seed, so that two of them differ only in what the recipe says of them.
    """
    if isinstance(section, TrainSection | DistilSection | SelectSection):
        return ()
    if isinstance(section, EvaluateSection):
        return (section.label,)
    return (digest("section", section.key_content()),)


def _dotted(path: TomlPath) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
