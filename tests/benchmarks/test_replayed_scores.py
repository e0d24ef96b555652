"""`benchmarks.replayed_scores`: which rows are held against each other, and that a difference is seen."""

from __future__ import annotations

from pathlib import Path

from benchmarks.replayed_scores import Replayed, replayed, usable_cases
from benchmarks.response_parts import PARTS, Case, cases_of, path_of


def case(number: int, said: int, model: str = "m", *, label: bool | None = True, reference: str = "") -> Case:
    prompt = f"What is {number} + 0?"
    return Case(f"c-{number}-{said}", model, prompt, reference or str(number), f"It is \\boxed{{{said}}}.", label)


def test_rows_without_a_label_or_with_two_references_are_left_out() -> None:
    cases = [case(1, 1), case(2, 2, label=None), case(3, 3), case(3, 3, "n", reference="4"), case(5, 5, "n")]
    assert {model: [one.prompt for one in kept] for model, kept in usable_cases(cases).items()} == {
        "m": ["What is 1 + 0?"],
        "n": ["What is 5 + 0?"],
    }


def test_wrong_labels_are_seen_as_a_difference(tmp_path: Path) -> None:
    honest = [case(number, number if number % 2 else 0, label=bool(number % 2)) for number in range(1, 41)]
    found = replayed("m", honest, "math", tmp_path / "honest", 1)
    assert (found.answers, found.scored, found.score, found.difference, found.agrees) == (40, 40, 0.5, 0.0, True)
    lying = [case(number, 0, label=True) for number in range(1, 41)]
    found = replayed("m", lying, "math", tmp_path / "lying", 1)
    assert (found.labelled, found.score, found.agrees) == (1.0, 0.0, False)


def test_a_model_may_differ_by_the_stated_error_or_two_answers() -> None:
    def of(answers: int, right: int, score: float) -> bool:
        return Replayed("m", answers, right, answers, score, 0, 0).agrees

    assert of(1000, 500, 0.504)
    assert not of(1000, 500, 0.51)
    assert of(100, 50, 0.52)
    assert not of(100, 50, 0.53)


def test_a_real_recording_scores_as_its_labels_say(shared_data: Path, tmp_path: Path) -> None:
    part = PARTS["gsm8k_openai_2021"]
    usable = usable_cases(cases_of(path_of(shared_data, part), part))
    found = replayed("openai-gpt3-6b_verification", usable["openai-gpt3-6b_verification"], part.verifier, tmp_path, 2)
    assert found.answers == 647
    assert found.agrees
