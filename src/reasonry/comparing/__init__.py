"""Two runs side by side: which rows entered, left or changed from one to the other at each stage, and why.

Ids are digests of content, so the same row has the same id in every run, and a run needs to know nothing of the other.
Why a row is in one run and not in the other is what the other says of it: the drop with its rule, or that it was not
read at all. The work is done by DuckDB over both runs' tables: memory does not grow with them.
"""

from __future__ import annotations

from reasonry.comparing.compare import STAGES, compare_runs
from reasonry.comparing.difference import Difference, Group, Instance, StageDifference

__all__ = ["STAGES", "Difference", "Group", "Instance", "StageDifference", "compare_runs"]
