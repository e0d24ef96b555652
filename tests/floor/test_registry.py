"""Parts: our list matches the code, and everyone else's come through entry points."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest

from reasonry import registry
from reasonry.errors import PartError
from reasonry.registry import BUILTIN, KINDS, find, names, part, part_of, run_verifier
from reasonry.types import Question, Status, Verdict

QUESTION = Question("What is 14 in Roman numerals?", "XIV", "roman")


@part("verifier", "roman", version=3)
def roman(question: Question, response: str) -> Verdict:
    """Roman numerals."""
    return Verdict(Status.CORRECT if response == question.answer else Status.INCORRECT)


def breaks(_question: Question, _response: str) -> Verdict:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in BUILTIN[kind]])
def test_every_listed_part_is_there_under_its_name(kind: Any, name: str) -> None:
    found = find(kind, name)
    assert (found.kind, found.name) == (kind, name)
    assert found.version >= 1
    assert found.summary, "its docstring's first line is its summary"


def test_a_verdict_is_stamped_and_timed() -> None:
    verdict = run_verifier(part_of(roman), QUESTION, "XIV")
    assert (verdict.status, verdict.verifier) == (Status.CORRECT, "roman@3")
    assert verdict.seconds > 0


def test_an_exception_in_a_verifier_is_our_error_and_not_the_models() -> None:
    verdict = run_verifier(part_of(part("verifier", "breaks")(breaks)), QUESTION, "XIV")
    assert verdict.status is Status.ERROR
    assert "ZeroDivisionError: oh" in verdict.detail


def test_a_verifier_that_returns_no_verdict_is_our_error() -> None:
    def says_yes(_question: Question, _response: str) -> bool:
        return True

    verdict = run_verifier(part_of(part("verifier", "says-yes")(says_yes)), QUESTION, "XIV")
    assert verdict.status is Status.ERROR
    assert "bool" in verdict.detail


def test_an_unknown_part_is_named_with_the_nearest() -> None:
    with pytest.raises(PartError, match="unknown verifier 'maht'") as caught:
        find("verifier", "maht")
    assert caught.value.hint == "did you mean 'math'?"


def test_a_plain_function_is_no_part() -> None:
    with pytest.raises(PartError, match="breaks2"):
        part_of(named("breaks2"))


def named(name: str) -> Callable[[], None]:
    def call() -> None: ...

    call.__name__ = name
    return call


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Makes it look as if a package with that entry point were installed."""
    real = registry.entry_points

    def install(group: str, name: str, value: str) -> None:
        entry = importlib.metadata.EntryPoint(name, value, group)
        monkeypatch.setattr(
            registry, "entry_points", lambda group: [entry] if group == entry.group else real(group=group)
        )

    return install


def test_an_installed_part_is_found_by_its_name(installed: Callable[[str, str, str], None]) -> None:
    installed("reasonry.verifiers", "roman", "tests.floor.test_registry:roman")
    assert "roman" in names("verifier")
    assert find("verifier", "roman").label == "roman@3"


@pytest.mark.parametrize(
    ("group", "value", "said"),
    [
        ("reasonry.verifiers", "tests.floor.nowhere:roman", "cannot be imported"),
        ("reasonry.verifiers", "tests.floor.test_registry:QUESTION", "is not a part"),
        ("reasonry.teachers", "tests.floor.test_registry:roman", "is a verifier, not a teacher"),
    ],
)
def test_a_broken_installed_part_is_a_clear_error(
    group: str, value: str, said: str, installed: Callable[[str, str, str], None]
) -> None:
    installed(group, "broken", value)
    kind: Any = group.removeprefix("reasonry.").removesuffix("s")
    with pytest.raises(PartError, match=said):
        find(kind, "broken")
