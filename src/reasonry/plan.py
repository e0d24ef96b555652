"""The plan: from a recipe alone, every stage with its key; against a store, what is done already and why not.

A key says what goes into a table: the stage and its version, its section, the versions of the parts it uses, the
keys of the tables it reads, and the digests of the files it reads. Workers, paths and credentials are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from reasonry.errors import InputError, PartError
from reasonry.estimating import Estimate, Unknown
from reasonry.identity import digest
from reasonry.prompts import asked_content
from reasonry.recipe import Recipe
from reasonry.registry import Input, Part, find, inputs_of
from reasonry.sections import EvaluateSection, Section, TrainSection
from reasonry.stages import collect, curate, distil, evaluate, publish, select, train, verify
from reasonry.stages.conditions import stated_sampling
from reasonry.stages.context import StageResult
from reasonry.store import Manifest, Store, TableWriter

__all__ = ["Planned", "Step", "changes", "make_plan", "planned", "seal"]

_VERSIONS = {
    "collect": collect.VERSION,
    "curate": curate.VERSION,
    "distil": distil.VERSION,
    "verify": verify.VERSION,
    "select": select.VERSION,
    "publish": publish.VERSION,
    "train": train.VERSION,
    "evaluate": evaluate.VERSION,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of one recipe. `options` is what its function is called with; `upstream` names other steps.

    `doubt`: why its key cannot be told now (the Hub did not say which commit is in force); such a step is only shown.
    """

    stage: str
    options: Any
    section: Mapping[str, Any]
    parts: Sequence[str]
    upstream: Mapping[str, Step] = field(default_factory=dict["str", "Step"])
    sources: Sequence[Input] = ()
    label: str = ""
    doubt: str = ""

    @property
    def is_key_known(self) -> bool:
        return not self.doubt and all(step.is_key_known for step in self.upstream.values())

    @property
    def name(self) -> str:
        return f"{self.stage}:{self.label}" if self.label else self.stage

    @property
    def key(self) -> str:
        inputs = {name: step.key for name, step in self.upstream.items()}
        return digest("stage", self.stage, self.section, self.parts, inputs, [(s.name, s.digest) for s in self.sources])


@dataclass(frozen=True, slots=True)
class Planned:
    """A step against a store. `why` says why it is to be done, or that it is done.

    `cost_usd` is what a sealed table cost; `estimate` is there for a stage that is still to ask the teacher.
    """

    step: Step
    manifest: Manifest | None
    why: str
    rows: int | None
    cost_usd: float | None
    estimate: Estimate | Unknown | None = None


def seal(writer: TableWriter, step: Step, result: StageResult) -> Manifest:
    """Make a step's table whole."""
    return writer.seal(
        section=step.section,
        parts=step.parts,
        inputs={name: upstream.key for name, upstream in step.upstream.items()},
        sources=[asdict(source) for source in step.sources],
        rows_in=result.rows_in,
        metrics=result.metrics,
        cost_usd=result.cost_usd,
        label=step.label,
    )


def make_plan(recipe: Recipe, *, only_to_show: bool = False) -> list[Step]:
    """The steps of a recipe, in the order of work. Reads the recipe's files to digest them; runs nothing.

    `only_to_show`: a training whose base or libraries cannot be asked for now is no error, but a step with a doubt.
    """
    return list(_Planner(recipe, only_to_show=only_to_show).steps())


def planned(
    steps: Sequence[Step], store: Store, estimates: Mapping[str, Estimate | Unknown] | None = None
) -> list[Planned]:
    """What each step would do now. `estimates` are by the steps' names (see `reasonry.history`)."""
    found: list[Planned] = []
    for step in steps:
        manifest = store.sealed(step.stage, step.key) if step.is_key_known else None
        why = "sealed" if manifest else _why(step, store, found)
        rows = manifest.rows_out if manifest else _expected_rows(step, found)
        cost = manifest.cost_usd if manifest else None
        found.append(Planned(step, manifest, why, rows, cost, (estimates or {}).get(step.name)))
    return found


class _Planner:
    def __init__(self, recipe: Recipe, *, only_to_show: bool) -> None:
        self.recipe = recipe
        self.only_to_show = only_to_show

    def steps(self) -> Iterator[Step]:
        collected = self._collect()
        yield collected
        curated = self._curate(collected)
        yield curated
        if self.recipe.distil is None:
            return
        distilled = self._distil(curated)
        verified = self._verify(curated, distilled)
        selected = self._select(curated, distilled, verified)
        yield from (distilled, verified, selected)
        if self.recipe.publish is not None:
            yield self._publish(collected, curated, distilled, verified, selected)
        students = [self._train(section, curated, verified, selected) for section in self.recipe.train]
        yield from students
        for section in self.recipe.evaluate:
            yield from self._evaluate(section, students)

    def _collect(self) -> Step:
        sections = self.recipe.questions
        parts = [find("source", section.source) for section in sections]
        sources = [i for p, s in zip(parts, sections, strict=True) for i in inputs_of(p, s)]
        content = {"questions": [section.key_content() for section in sections]}
        return self._step("collect", sections, content, [p.label for p in parts], sources=sources)

    def _curate(self, collected: Step) -> Step:
        section = self.recipe.curate
        labels: list[str] = []
        sources: list[Input] = []
        chosen: list[tuple[str, Section | None]] = [
            ("deduplicate", section.deduplicate or None),
            ("decontaminate", section.decontaminate),
            *((f.filter, f) for f in section.filters),
        ]
        for name, options in chosen:
            if options is not None:
                part = find("filter", name)
                labels.append(part.label)
                sources += inputs_of(part, options)
        kept_out: list[Mapping[str, Any]] = []
        for evaluated in self.recipe.evaluate:
            part = find("benchmark", evaluated.benchmark)
            labels.append(part.label)
            sources += inputs_of(part, evaluated)
            kept_out.append(_benchmark_content(evaluated))
        content = {"curate": section.key_content(), "kept_out": kept_out}
        options = curate.CurateOptions(section, self.recipe.evaluate)
        return self._step("curate", options, content, labels, {"collect": collected}, sources)

    def _distil(self, curated: Step) -> Step:
        section = self.recipe.distil
        assert section is not None
        asked = [(find("teacher", one.teacher), one) for one in section.responders]
        labels = [part.label for part, _ in asked]
        sources = [i for part, one in asked for i in inputs_of(part, one)]
        content = asked_content(section)
        if any(one.is_adaptive for one in section.responders):  # verdicts decide how many samples there are
            verifiers = _verifiers([s.verifier for s in self.recipe.questions])
            labels += [verifier.label for verifier in verifiers]
            sources += [i for verifier in verifiers for i in inputs_of(verifier, None)]
            content["verify"] = self.recipe.verify.key_content()
        return self._step("distil", section, content, labels, {"curate": curated}, sources)

    def _verify(self, curated: Step, distilled: Step) -> Step:
        section = self.recipe.verify
        verifiers = _verifiers([s.verifier for s in self.recipe.questions])
        sources = [i for part in verifiers for i in inputs_of(part, None)]
        upstream = {"curate": curated, "distil": distilled}
        return self._step("verify", section, section.key_content(), [p.label for p in verifiers], upstream, sources)

    def _select(self, curated: Step, distilled: Step, verified: Step) -> Step:
        section = self.recipe.select
        upstream = {"curate": curated, "distil": distilled, "verify": verified}
        filters = [(find("trace_filter", chosen.filter), chosen) for chosen in section.filters]
        sources = [i for part, options in filters for i in inputs_of(part, options)]
        labels = [part.label for part, _ in filters]
        return self._step("select", section, section.key_content(), labels, upstream, sources)

    def _publish(self, *upstream: Step) -> Step:
        section = self.recipe.publish
        assert section is not None
        labels = [find("exporter", name).label for name in section.exporters]
        # The card shows the recipe and the run's id, so they are part of what is published.
        shown: dict[str, Any] = {
            "run": self.recipe.run_id,
            "recipe": digest("text", self.recipe.text),
            "set": list(self.recipe.published_overrides),
        }
        options = publish.publish_options(section, self.recipe.name, self.recipe.train)
        if options.trainings:
            shown["trainings"] = {name: digest("text", text) for name, text in options.trainings.items()}
        content = {**section.key_content(), "exporters": section.exporters, **shown}
        return self._step("publish", options, content, labels, {step.stage: step for step in upstream})

    def _train(self, section: TrainSection, curated: Step, verified: Step, selected: Step) -> Step:
        upstream = {"curate": curated, "verify": verified, "select": selected}
        part, doubt = find("trainer", section.trainer), ""
        sources: Sequence[Input] = ()
        try:
            sources = inputs_of(part, section)
        except (InputError, PartError) as error:
            if not self.only_to_show:
                raise
            doubt = error.message
        step = self._step("train", section, section.key_content(), [part.label], upstream, sources, section.name)
        return replace(step, doubt=doubt)

    def _evaluate(self, section: EvaluateSection, students: Sequence[Step]) -> Iterator[Step]:
        for student in students:
            if section.of is None or student.label in section.of:
                if section.untrained:
                    yield self._score(section, {"train": student}, "untrained", f"{student.label}/untrained")
                yield self._score(section, {"train": student}, "student", student.label)
        if section.of is not None and "teacher" in section.of:
            yield self._score(section, {}, "teacher", "teacher")

    def _score(self, section: EvaluateSection, upstream: Mapping[str, Step], who: evaluate.Who, name: str) -> Step:
        part = find("benchmark", section.benchmark)
        teacher = self.recipe.distil.alone if self.recipe.distil and who == "teacher" else None
        options = evaluate.EvaluateOptions(section, who, name, teacher)
        content = {
            **section.key_content(),
            "who": who,
            "limits": self.recipe.verify.key_content(),
            "teacher": asked_content(teacher) if teacher else None,
        }
        if teacher is not None and teacher.teacher == "replay":
            content["stated"] = stated_sampling(section)
        (verifier,) = _verifiers([getattr(section, "verifier", "exact")])
        sources = [*inputs_of(part, section), *inputs_of(verifier, None)]
        if teacher is not None:
            sources += inputs_of(find("teacher", teacher.teacher), teacher)
        labels = [part.label, verifier.label]
        return self._step("evaluate", options, content, labels, upstream, sources, f"{section.label}/{name}")

    def _step(
        self,
        stage: str,
        options: Any,
        content: Mapping[str, Any],
        labels: Sequence[str],
        upstream: Mapping[str, Step] | None = None,
        sources: Sequence[Input] = (),
        label: str = "",
    ) -> Step:
        parts = [f"{stage}@{_VERSIONS[stage]}", *labels]
        return Step(stage, options, content, parts, upstream or {}, list(sources), label)


def _benchmark_content(section: EvaluateSection) -> Mapping[str, Any]:
    """What decides a benchmark's questions, and not how they are asked."""
    how_asked = set(EvaluateSection.model_fields) - {"benchmark", "seed"}
    return {name: value for name, value in section.key_content().items() if name not in how_asked}


def _verifiers(verifiers: Sequence[str]) -> list[Part]:
    return [find("verifier", name) for name in sorted(set(verifiers))]


def _why(step: Step, store: Store, before: Sequence[Planned]) -> str:
    """The reason a step has to be done, as near to the cause as can be told."""
    undone = [
        p.step.name for p in before if p.manifest is None and p.step.key in {s.key for s in step.upstream.values()}
    ]
    if step.doubt:
        return f"key unknown: {step.doubt}"
    if undone:
        return f"waits for {', '.join(undone)}"
    earlier = [m for m in store.manifests(step.stage) if m.label == step.label]
    if not earlier:
        return "never done"
    last = earlier[0]
    if changed := changes("", last.section, step.section):
        return f"changed: {', '.join(changed)}"
    if list(last.parts) != list(step.parts):
        return f"parts changed: {', '.join(sorted(set(step.parts) - set(last.parts)))}"
    if moved := [name for name, s in step.upstream.items() if last.inputs.get(name) != s.key]:
        return f"input changed: {', '.join(moved)}"
    return "a file that it reads changed"


def changes(path: str, old: Any, new: Any) -> list[str]:
    """The keys whose values differ, with both values where they are short."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = sorted({*old, *new})
        return [c for n in names for c in changes(f"{path}.{n}".lstrip("."), old.get(n), new.get(n))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return [c for i, (a, b) in enumerate(pairs) for c in changes(f"{path}[{i}]", a, b)]
    return [] if old == new else [f"{path} {old!r:.40} -> {new!r:.40}"]


def _expected_rows(step: Step, before: Sequence[Planned]) -> int | None:
    """How many rows may come out, where that can be told from what is known: an upper bound."""
    rows = {p.step.key: p.rows for p in before}
    if step.stage == "distil":
        questions = rows.get(step.upstream["curate"].key)
        samples = [one.most_samples for one in step.options.responders]
        return None if questions is None or None in samples else questions * sum(n or 0 for n in samples)
    if step.stage == "verify":
        return rows.get(step.upstream["distil"].key)
    if step.stage == "train":
        return getattr(step.options, "steps", None)
    return None
