"""The grammar: every module adds its templates on import."""

from benchmarks.corpus.grammar import (
    algebra,
    analysis,
    code_output,
    code_tasks,
    geometry,
    knowledge,
    number_theory,
    puzzles,
    science,
    studies,
    word_problems,
)

__all__ = [
    "algebra",
    "analysis",
    "code_output",
    "code_tasks",
    "geometry",
    "knowledge",
    "number_theory",
    "puzzles",
    "science",
    "studies",
    "word_problems",
]
