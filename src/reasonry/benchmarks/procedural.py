"""A benchmark of made problems: always the test split, so that no training problem is among them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from reasonry.registry import part
from reasonry.sections import EvaluateSection
from reasonry.sources.procedural import Count, Digits, FamilyName, ProceduralSection, Steps, make_questions
from reasonry.types import Drop, Question

__all__ = ["ProceduralBenchmarkSection", "make_benchmark"]


class ProceduralBenchmarkSection(EvaluateSection):
    """An evaluation on held-out problems of a family."""

    verifier: str = "steps"
    domain: str = "arithmetic"
    license: str = "CC0-1.0"
    family: FamilyName = Field(default="chain_sum", description="the kind of problem")
    steps: Steps = 4
    digits: Digits = 2
    count: Count = 200


@part("benchmark", "procedural", options=ProceduralBenchmarkSection)
def make_benchmark(options: ProceduralBenchmarkSection) -> Iterator[Question | Drop]:
    """Held-out problems of multi-step arithmetic."""
    return make_questions(
        ProceduralSection(
            source="procedural",
            verifier=options.verifier,
            domain=options.domain,
            license=options.license,
            family=options.family,
            steps=options.steps,
            digits=options.digits,
            count=options.count,
            seed=options.seed,
            split="test",
        )
    )
