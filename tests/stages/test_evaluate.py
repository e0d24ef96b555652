"""A score and its conditions, over recorded answers: what decides it is in its digest, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import UsageError, WorkFailed
from reasonry.evaluating import evaluate_endpoint, evaluate_replay, options_from
from reasonry.recipe import load_recipe
from reasonry.run import run, score_of
from reasonry.stages import evaluate as stage
from reasonry.stages.respondents import TeacherRespondent
from reasonry.store import Manifest, Store
from reasonry.teachers.simulator.endpoint import serve_simulated
from reasonry.teachers.simulator.simulation import Behaviour
from reasonry.types import Completion, Question

RIGHT = {"one": 4, "two": 2, "three": 0}  # right ones of four recorded samples


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with three questions and four answers to each by model m, one each by model other."""
    monkeypatch.chdir(tmp_path)
    asked = [{"prompt": f"What is {name}?", "answer": str(len(name))} for name in RIGHT]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    rows: list[dict[str, str]] = []
    for name, right in RIGHT.items():
        for index in range(4):
            said = str(len(name)) if index < right else "77"
            rows.append({"question": f"What is {name}?", "response": f"It is \\boxed{{{said}}}.", "by": "m"})
        rows.append({"question": f"What is {name}?", "response": "\\boxed{5}", "by": "other"})
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def replayed(folder: Path, *, model: str = "m", recording: str = "r.jsonl", **values: Any) -> Manifest:
    section = options_from("benchmark", "jsonl", {"path": "q.jsonl", "verifier": "math", **values}, "benchmark")
    columns = {"prompt": "question", "model": "by"}
    teacher = options_from("teacher", "replay", {"path": recording, "model": model, "fields": columns}, "teacher")
    return evaluate_replay(model, teacher, section, folder, workers=1, console=Console(quiet=True))


def test_a_replay_is_scored_from_all_samples(recorded: Path) -> None:
    manifest = replayed(recorded / "out", samples=4)
    metrics = manifest.metrics
    assert (metrics["n"], metrics["questions"], metrics["accuracy"], metrics["coverage"]) == (12, 3, 0.5, 1.0)
    assert metrics["pass@4"] == pytest.approx(2 / 3)
    assert metrics["majority@4"] == 0.5
    rows = list(Store(recorded / "out" / "tables").rows(manifest, Completion))
    assert [(row.index, row.status.value) for row in rows[4:8]] == [
        (0, "correct"),
        (1, "correct"),
        (2, "incorrect"),
        (3, "incorrect"),
    ]
    assert replayed(recorded / "again", samples=4).digest == manifest.digest


def test_of_recorded_answers_only_what_is_stated_is_known(recorded: Path) -> None:
    silent = replayed(recorded / "out").metrics["conditions"]
    unknown = ("temperature", "top_p", "max_tokens", "prompt", "system_prompt", "asked")
    assert {silent[name] for name in unknown} == {None}
    assert silent["model"] == "m"
    stated = replayed(recorded / "out", temperature=0.0).metrics
    assert stated["conditions"]["temperature"] == 0.0
    assert stated["conditions_digest"] != replayed(recorded / "out").metrics["conditions_digest"]


@pytest.mark.parametrize(
    "change",
    [
        {"samples": 2},
        {"limit": 2},
        {"max_tokens": 9},
        {"temperature": 0.5},
        {"system": "Be brief."},
        {"model": "other"},
    ],
)
def test_every_condition_is_in_the_digest_of_the_score(recorded: Path, change: dict[str, Any]) -> None:
    one, other = score_of(replayed(recorded / "out")), score_of(replayed(recorded / "out", **change))
    assert one["conditions_digest"] != other["conditions_digest"]
    assert one["digest"] != other["digest"]


def test_the_same_answers_elsewhere_are_the_same_score(recorded: Path) -> None:
    (recorded / "elsewhere").mkdir()
    (recorded / "elsewhere" / "renamed.jsonl").write_bytes((recorded / "r.jsonl").read_bytes())
    one, other = replayed(recorded / "a"), replayed(recorded / "b", recording="elsewhere/renamed.jsonl")
    assert score_of(one)["digest"] == score_of(other)["digest"]
    told = json.dumps(one.metrics)
    assert str(recorded) not in told
    assert "r.jsonl" not in told
    assert "workers" not in told


def test_questions_without_a_recorded_answer_are_no_score_of_the_benchmark(recorded: Path) -> None:
    with pytest.raises(WorkFailed, match="were refused"):
        replayed(recorded / "out", model="other", samples=2)
    with pytest.raises(WorkFailed, match="3 of 3 requests were refused"):
        replayed(recorded / "out", model="nobody")


def test_an_error_of_ours_ends_with_exit_1_and_seals_nothing(recorded: Path) -> None:
    bad: dict[str, Any] = {"spec": {"no such policy": True}}
    with pytest.raises(WorkFailed, match="3 of 3 answers could not be verified") as failed:
        replayed(recorded / "out", **bad)
    assert failed.value.exit_code == 1
    assert not list((recorded / "out").glob("tables/evaluate/*/manifest.json"))
    metrics = replayed(recorded / "out", max_error_rate=1.0, **bad).metrics
    assert (metrics["error_rate"], metrics["n"]) == (1.0, 0)


def test_answers_are_not_collected_before_they_are_judged(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more rows than any window holds, the first verdict is written long before the last question is read."""
    count = 10_000
    read = 0

    def many(section: Any) -> Iterator[Question]:
        nonlocal read
        for read in range(1, count + 1):
            yield Question(f"What is {read}?", str(read), "exact", meta={"origin": {"row": read}})

    seen: list[int] = []
    monkeypatch.setattr(stage, "find", lambda kind, name: type("Part", (), {"call": staticmethod(many)}))
    monkeypatch.setattr(TeacherRespondent, "facts", lambda self: {})
    original = stage.ScoreTally.add

    def add(self: Any, *given: Any) -> None:
        seen.append(read)
        original(self, *given)

    monkeypatch.setattr(stage.ScoreTally, "add", add)
    section = options_from("benchmark", "jsonl", {"path": "q.jsonl"}, "benchmark")
    teacher = options_from("teacher", "simulated", {}, "teacher")
    evaluate_endpoint(teacher, section, recorded / "out", workers=1, console=Console(quiet=True))
    assert len(seen) == count
    assert seen[0] < count / 2


def test_an_endpoint_is_named_without_its_keys_and_its_words_are_conditions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    digests: set[str] = set()
    with serve_simulated(Behaviour(accuracy=1.0)) as served:
        for system in (None, "Be brief."):
            values = {"count": 3, "verifier": "math", **({} if system is None else {"system": system})}
            section = options_from("benchmark", "procedural", values, "benchmark")
            how = {"model": "simulated-v1", "base_url": served.base_url, "served_by": "test", "attempts": 1}
            teacher = options_from("teacher", "openai", how, "teacher")
            metrics = evaluate_endpoint(teacher, section, tmp_path, workers=1, console=Console(quiet=True)).metrics
            conditions = metrics["conditions"]
            assert (conditions["model"], conditions["served_by"]) == ("simulated-v1", "test")
            assert conditions["system_prompt"] == system
            assert conditions["verifier"].startswith("math@")
            assert "sk-very-secret" not in json.dumps(metrics)
            digests.add(conditions["asked"])
    assert len(digests) == 2


def test_a_recipe_states_the_conditions_of_every_score(recorded: Path) -> None:
    (recorded / "r.toml").write_text(
        'name = "x"\n[[questions]]\nsource = "jsonl"\npath = "q.jsonl"\nverifier = "math"\n'
        '[distil]\nteacher = "replay"\npath = "r.jsonl"\nfields = { prompt = "question", model = "by" }\nmodel = "m"\n'
        'samples = 4\n[[evaluate]]\nbenchmark = "jsonl"\npath = "e.jsonl"\nof = ["teacher"]\nsamples = 2\n'
        'verifier = "math"\n'
    )
    (recorded / "e.jsonl").write_text('{"prompt": "What is two?", "answer": "3"}\n')
    done = run(load_recipe(recorded / "r.toml"), recorded / "run", console=Console(quiet=True), workers=1)
    (score,) = done.scores
    assert (score["accuracy"], score["pass@2"], score["n"]) == (1.0, 1.0, 2)
    assert score["conditions_digest"]
    assert score["digest"]


def test_a_template_without_the_question_is_refused(recorded: Path) -> None:
    with pytest.raises(UsageError, match="prompt"):
        replayed(recorded / "out", prompt="Answer me.")
