"""Intervals and tests: what a figure could have been, and whether two differ.

`wilson` for a share of independent trials; `bootstrap_mean` for the mean of values that come in clusters (several
samples of one question are not independent); `studentised_mean` for the mean of few values with a heavy tail;
`mean_of_runs` and `difference_of_runs` for a handful of runs with other seeds; `paired_difference` for two models on
the same questions, `holm` where many such are looked at; `pass_at_k` for the chance of a right answer among k.
Standard library alone: what imports it stays light.
"""

from reasonry.stats.intervals import Interval, bootstrap_mean, studentised_mean, wilson
from reasonry.stats.paired import Difference, holm, mcnemar_exact, paired_difference
from reasonry.stats.runs import difference_of_runs, mean_of_runs, student_cdf, student_quantile
from reasonry.stats.samples import pass_at_k

__all__ = [
    "Difference",
    "Interval",
    "bootstrap_mean",
    "difference_of_runs",
    "holm",
    "mcnemar_exact",
    "mean_of_runs",
    "paired_difference",
    "pass_at_k",
    "student_cdf",
    "student_quantile",
    "studentised_mean",
    "wilson",
]
