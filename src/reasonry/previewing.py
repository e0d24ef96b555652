"""What would be sent: the prompts of the first questions, rendered, before anything runs or is paid."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from reasonry.errors import InputError, UsageError
from reasonry.plan import Step
from reasonry.prompts import PRESETS, messages_of, rule_of, rules_of
from reasonry.recipe import Recipe
from reasonry.registry import find
from reasonry.sections import DistilSection, PromptRule
from reasonry.store import Store
from reasonry.types import Message, Question

__all__ = ["Preview", "preview"]

_ROWS_LOOKED_AT = 2000  # of each source, for a question that meets a rule of its own


@dataclass(frozen=True, slots=True)
class Preview:
    """One question as a teacher would be asked it. `temperatures` are by sample; None: left to the endpoint."""

    teacher: str
    question_id: str
    source: str
    domain: str
    verifier: str
    rule: str
    temperatures: Sequence[float | None]
    top_p: float | None
    max_tokens: int | None
    messages: Sequence[Message]


def preview(recipe: Recipe, steps: Sequence[Step], store: Store, count: int) -> list[Preview]:
    """The first `count` questions with what would be sent for them, to each teacher.

    Questions that meet different rules of the first teacher come first.
    From the curated table where it is sealed, else the collected one, else the sources, as far as needed.
    """
    section = recipe.distil
    if section is None:
        raise UsageError("nothing is distilled, so nothing is sent", place="plan --sample", hint="add [distil]")
    rules = rules_of(section)
    first: list[tuple[int, Question]] = []
    by_rule: dict[int, tuple[int, Question]] = {}
    with closing(_questions(recipe, steps, store)) as questions:
        for found in enumerate(questions):
            first += [found] if len(first) < count else []
            by_rule.setdefault(_rule(rules, found[1]), found)
            if len(first) == count and len(by_rule) >= min(count, len(rules)):
                break
    if not first:
        raise InputError("no usable question", place="questions", hint="reasonry run shows what was set aside, and why")
    distinct = list(by_rule.values())[:count]
    others = [found for found in first if found not in distinct]
    chosen = sorted([*distinct, *others[: count - len(distinct)]], key=lambda found: found[0])
    return [
        _preview(one, _place(place), question) for _, question in chosen for place, one in enumerate(section.responders)
    ]


def _place(number: int) -> str:
    return f"distil.further[{number - 1}]" if number else "distil"


def _preview(section: DistilSection, place: str, question: Question) -> Preview:
    rules = rules_of(section)
    return Preview(
        teacher=getattr(section, "model", None) or section.teacher,
        question_id=question.id,
        source=question.source,
        domain=question.domain,
        verifier=question.verifier,
        rule=_named(section, place, rules, _rule(rules, question)),
        temperatures=[section.temperature_of(index) for index in range(section.most_samples or 1)],
        top_p=section.top_p,
        max_tokens=section.max_tokens,
        messages=messages_of(section, question),
    )


def _rule(rules: Sequence[PromptRule], question: Question) -> int:
    """The place of the rule that a question meets."""
    return rules.index(rule_of(rules, question))


def _named(section: DistilSection, place: str, rules: Sequence[PromptRule], index: int) -> str:
    """Where a rule stands: in the recipe's list, in a preset, or as the section's own template."""
    own = len(section.prompts)
    if index < own:
        return f"{place}.prompts[{index}]{_condition(rules[index])}"
    if index < len(rules) - 1:
        assert section.preset is not None
        which = f"rule {index - own + 1} of {len(PRESETS[section.preset].rules)}"
        return f"{_of(place)}preset {section.preset}, {which}{_condition(rules[index])}"
    return f"{place}.prompt"


def _of(place: str) -> str:
    return "" if place == "distil" else f"{place}: "


def _condition(rule: PromptRule) -> str:
    named = {"domain": rule.domain, "verifier": rule.verifier}
    given = ", ".join(f'{name} = "{value}"' for name, value in named.items() if value is not None)
    return f" ({given})" if given else ""


def _questions(recipe: Recipe, steps: Sequence[Step], store: Store) -> Generator[Question]:
    sealed = {step.stage: m for step in steps if (m := store.sealed(step.stage, step.key)) is not None}
    for stage in ("curate", "collect"):
        if stage in sealed:
            yield from store.rows(sealed[stage], Question)
            return
    yield from chain.from_iterable(_from_source(section) for section in recipe.questions)


def _from_source(section: Any) -> Iterator[Question]:
    rows: Iterable[Any] = find("source", section.source).call(section)
    try:
        yield from islice((row for row in rows if isinstance(row, Question)), _ROWS_LOOKED_AT)
    finally:
        if isinstance(rows, Generator):
            rows.close()
