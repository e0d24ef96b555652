"""Two scores side by side: two models on the same questions, or a run beside published figures.

Only what was got under the same conditions is compared; where conditions differ or are unknown, each is named. What is
said follows from intervals and tests by rule. (`comparing` is about the tables of two runs, row by row.)
"""

from __future__ import annotations

from reasonry.pairing.banding import bands_of
from reasonry.pairing.beside import Beside, ScoreBeside, beside_published
from reasonry.pairing.compare import compare_scores
from reasonry.pairing.comparison import Comparison, Flip, Side, Slice, in_words
from reasonry.pairing.obstacles import Obstacle, obstacles, shown

__all__ = [
    "Beside",
    "Comparison",
    "Flip",
    "Obstacle",
    "ScoreBeside",
    "Side",
    "Slice",
    "bands_of",
    "beside_published",
    "compare_scores",
    "in_words",
    "obstacles",
    "shown",
]
