"""The sections of a recipe: one strict, frozen model each.

A part's options are its section: the model of a source extends `QuestionsSection`, that of a teacher
`DistilSection`, and so on, so that a recipe stays flat and every key is checked in one place. What is marked
`OUT_OF_KEY` changes how the work is done, never what comes out, and is no part of a stage's key.
"""

from __future__ import annotations

from reasonry.sections.ablating import AblateSection, FactorOptions, LevelOptions, Match
from reasonry.sections.base import OUT_OF_KEY, RecipePath, Section
from reasonry.sections.curating import (
    CurateSection,
    DecontaminateOptions,
    DeduplicateOptions,
    FilterSection,
)
from reasonry.sections.distilling import DistilSection, PerQuestionOptions, PriceOptions, PromptRule
from reasonry.sections.line import (
    BudgetSection,
    EvaluateSection,
    GateSection,
    PublishSection,
    TrainSection,
    VerifySection,
)
from reasonry.sections.questions import FieldMap, QuestionsSection
from reasonry.sections.selecting import DifficultyOptions, MixLevel, MixOptions, SelectSection, TraceFilterSection

__all__ = [
    "OUT_OF_KEY",
    "AblateSection",
    "BudgetSection",
    "CurateSection",
    "DecontaminateOptions",
    "DeduplicateOptions",
    "DifficultyOptions",
    "DistilSection",
    "EvaluateSection",
    "FactorOptions",
    "FieldMap",
    "FilterSection",
    "GateSection",
    "LevelOptions",
    "Match",
    "MixLevel",
    "MixOptions",
    "PerQuestionOptions",
    "PriceOptions",
    "PromptRule",
    "PublishSection",
    "QuestionsSection",
    "RecipePath",
    "Section",
    "SelectSection",
    "TraceFilterSection",
    "TrainSection",
    "VerifySection",
]
