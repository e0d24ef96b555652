"""Ablations: one recipe, some settings varied, every cell trained with several seeds; what differs beyond chance.

`ablate` makes what the cells share once (questions, traces, verdicts), then trains and evaluates each cell, and
`findings` turns scores into effects and words by rule.
"""

from reasonry.ablating.ablate import Ablation, ablate
from reasonry.ablating.children import Child, run_children, shared_run
from reasonry.ablating.findings import Comparison, Conclusion, Group, findings
from reasonry.ablating.matrix import Cell, factors_of, matrix

__all__ = [
    "Ablation",
    "Cell",
    "Child",
    "Comparison",
    "Conclusion",
    "Group",
    "ablate",
    "factors_of",
    "findings",
    "matrix",
    "run_children",
    "shared_run",
]
